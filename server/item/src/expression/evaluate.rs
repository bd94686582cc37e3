//! Whether a condition holds for an item.
//!
//! Nothing can go wrong here: what DynamoDB calls an error was found when the condition was bound, and an
//! item that lacks what a condition reads, or has it of another type, just does not satisfy it.

use std::borrow::Cow;

use super::compare;
use super::condition_tree::{Comparator, Node, Operand, Term};
use super::document;
use super::substitutions::Bindings;
use crate::{AttributeValue, Item, Number};

/// Whether a node holds. As deep as the tree, which the parser bounds.
pub(crate) fn holds(node: &Node, item: &Item, bindings: &Bindings) -> bool {
    let value = |operand| value(operand, item, bindings);
    match node {
        Node::Compare(comparator, left, right) => {
            compare::satisfies(*comparator, value(left).as_deref(), value(right).as_deref())
        }
        Node::Between { operand, lower, upper } => {
            let between = value(operand);
            let at_least = Comparator::GreaterOrEqual;
            compare::satisfies(at_least, between.as_deref(), value(lower).as_deref())
                && compare::satisfies(at_least, value(upper).as_deref(), between.as_deref())
        }
        Node::In(operand, list) => {
            let sought = value(operand);
            sought.is_some() && list.iter().any(|element| value(element) == sought)
        }
        Node::AttributeExists(path) => document::find(item, path, bindings).is_some(),
        Node::AttributeNotExists(path) => document::find(item, path, bindings).is_none(),
        Node::AttributeType(operand, type_name) => match (value(operand), bindings.value(*type_name)) {
            (Some(value), AttributeValue::S(type_name)) => value.type_name() == type_name,
            _ => false,
        },
        Node::BeginsWith(operand, prefix) => match (value(operand), value(prefix)) {
            (Some(operand), Some(prefix)) => compare::begins_with(&operand, &prefix),
            _ => false,
        },
        Node::Contains(container, sought) => match (value(container), value(sought)) {
            (Some(container), Some(sought)) => compare::contains(&container, &sought),
            _ => false,
        },
        Node::And(nodes) => nodes.iter().all(|node| holds(node, item, bindings)),
        Node::Or(nodes) => nodes.iter().any(|node| holds(node, item, bindings)),
        Node::Not(inner) => !holds(inner, item, bindings),
    }
}

fn value<'a>(operand: &Operand, item: &'a Item, bindings: &'a Bindings) -> Option<Cow<'a, AttributeValue>> {
    match operand {
        Operand::Term(term) => resolve(term, item, bindings).map(Cow::Borrowed),
        Operand::Size(term) => {
            let size = compare::size(resolve(term, item, bindings)?)?;
            Some(Cow::Owned(AttributeValue::N(Number::from(size as u64))))
        }
    }
}

fn resolve<'a>(term: &Term, item: &'a Item, bindings: &'a Bindings) -> Option<&'a AttributeValue> {
    match term {
        Term::Path(path) => document::find(item, path, bindings),
        Term::Value(id) => Some(bindings.value(*id)),
    }
}
