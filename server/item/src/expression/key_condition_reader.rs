//! Reads the terms of a key condition out of a condition's tree.
//!
//! DynamoDB parses a key condition as it does any condition and then refuses, with a sentence for each
//! case, what is not one or two comparisons of an attribute with a value. The order of the checks is its own.

use super::condition_tree::{Comparator, ConditionTree, Node, Operand, Term};
use super::error::KeyCause;
use super::key_condition::{KeyTerm, SortCondition};
use super::path::{Path, ValueId};
use super::substitutions::Bindings;
use crate::AttributeValue;

/// One or two terms, of different attributes.
pub(crate) fn read_terms(tree: &ConditionTree, bindings: &Bindings) -> Result<Vec<KeyTerm>, KeyCause> {
    let mut terms = Vec::new();
    read(&tree.root, bindings, &mut terms)?;
    if terms.len() > 2 { Err(KeyCause::Count) } else { Ok(terms) }
}

fn read(node: &Node, bindings: &Bindings, terms: &mut Vec<KeyTerm>) -> Result<(), KeyCause> {
    let operator = |operator| Err(KeyCause::Operator { operator });
    let value = |id: ValueId| bindings.value(id).clone();
    match node {
        Node::And(nodes) => nodes.iter().try_for_each(|node| read(node, bindings, terms)),
        Node::Compare(Comparator::NotEqual, _, _) => operator("<>"),
        Node::Compare(comparator, left, right) => {
            let (path, [id]) = split([left, right])?;
            let swapped = matches!(left, Operand::Term(Term::Value(_)));
            let comparator = if swapped { comparator.swapped() } else { *comparator };
            push(path, compared(comparator, value(id)), bindings, terms)
        }
        Node::Between { operand, lower, upper } => {
            refuse_value_first("BETWEEN", operand)?;
            let (path, [lower, upper]) = split([operand, lower, upper])?;
            push(path, SortCondition::Between(value(lower), value(upper)), bindings, terms)
        }
        Node::BeginsWith(left, right) => {
            refuse_value_first("begins_with", left)?;
            let (path, [prefix]) = split([left, right])?;
            push(path, SortCondition::BeginsWith(value(prefix)), bindings, terms)
        }
        Node::In(_, _) => operator("IN"),
        Node::AttributeExists(_) => operator("attribute_exists"),
        Node::AttributeNotExists(_) => operator("attribute_not_exists"),
        Node::AttributeType(_, _) => operator("attribute_type"),
        Node::Contains(_, _) => operator("contains"),
        Node::Or(_) => operator("OR"),
        Node::Not(_) => operator("NOT"),
    }
}

fn compared(comparator: Comparator, value: AttributeValue) -> SortCondition {
    match comparator {
        Comparator::Less => SortCondition::Less(value),
        Comparator::LessOrEqual => SortCondition::LessOrEqual(value),
        Comparator::Greater => SortCondition::Greater(value),
        Comparator::GreaterOrEqual => SortCondition::GreaterOrEqual(value),
        Comparator::Equal | Comparator::NotEqual => SortCondition::Equal(value),
    }
}

fn refuse_value_first(operator: &'static str, operand: &Operand) -> Result<(), KeyCause> {
    match operand {
        Operand::Term(Term::Value(_)) => Err(KeyCause::FirstOperand { operator }),
        _ => Ok(()),
    }
}

/// The one attribute among some operands, and the values, which are all the others.
fn split<const OPERANDS: usize, const VALUES: usize>(
    operands: [&Operand; OPERANDS],
) -> Result<(&Path, [ValueId; VALUES]), KeyCause> {
    let mut path = None;
    let mut values = [ValueId(0); VALUES];
    let mut free = values.iter_mut();
    for operand in operands {
        match operand {
            Operand::Size(_) => return Err(KeyCause::NestedOperation),
            Operand::Term(Term::Path(_)) if path.is_some() => return Err(KeyCause::ManyNames),
            Operand::Term(Term::Path(found)) if found.is_nested() => return Err(KeyCause::NestedAttribute),
            Operand::Term(Term::Path(found)) => path = Some(found),
            Operand::Term(Term::Value(id)) => match free.next() {
                Some(place) => *place = *id,
                None => return Err(KeyCause::NoName),
            },
        }
    }
    path.map(|path| (path, values)).ok_or(KeyCause::NoName)
}

fn push(
    path: &Path,
    condition: SortCondition,
    bindings: &Bindings,
    terms: &mut Vec<KeyTerm>,
) -> Result<(), KeyCause> {
    let name = bindings.name(path.head());
    if terms.iter().any(|term| term.name == name) {
        return Err(KeyCause::Repeated);
    }
    terms.push(KeyTerm { name: name.to_owned(), condition });
    Ok(())
}
