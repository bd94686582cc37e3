//! What is wrong with a condition whatever the item: operands whose types are known from the request alone
//! and never fit.
//!
//! DynamoDB refuses these before it reads anything, so a filter is refused even when no item would meet it.

use std::cmp::Ordering;

use super::compare;
use super::condition_tree::{Comparator, Node, Operand, Term};
use super::document::describe;
use super::error::Cause;
use super::path::{Path, Symbols, ValueId};
use super::substitutions::Bindings;
use crate::AttributeValue;

/// The names of types that `attribute_type` knows.
const TYPE_NAMES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"];

/// Checks a tree against what it was bound to.
pub(crate) fn check(node: &Node, symbols: &Symbols, bindings: &Bindings) -> Result<(), Cause> {
    match node {
        Node::Compare(comparator, left, right) => {
            refuse_same(comparator.text(), left, right, bindings)?;
            if !matches!(comparator, Comparator::Equal | Comparator::NotEqual) {
                require(comparator.text(), [left, right], compare::has_order, bindings)?;
            }
            check_sizes([left, right], bindings)
        }
        Node::Between { operand, lower, upper } => {
            require("BETWEEN", [operand, lower, upper], compare::has_order, bindings)?;
            check_bounds(lower, upper, symbols, bindings)?;
            check_sizes([operand, lower, upper], bindings)
        }
        Node::In(operand, list) => check_sizes(list.iter().chain([operand]), bindings),
        Node::AttributeExists(_) | Node::AttributeNotExists(_) => Ok(()),
        Node::AttributeType(operand, type_name) => {
            check_type_name(*type_name, symbols, bindings)?;
            check_sizes([operand], bindings)
        }
        Node::BeginsWith(left, right) => {
            refuse_same("begins_with", left, right, bindings)?;
            require("begins_with", [left, right], |found| matches!(found, "S" | "B"), bindings)?;
            check_sizes([left, right], bindings)
        }
        Node::Contains(left, right) => {
            refuse_same("contains", left, right, bindings)?;
            check_sizes([left, right], bindings)
        }
        Node::And(nodes) | Node::Or(nodes) => {
            nodes.iter().try_for_each(|node| check(node, symbols, bindings))
        }
        Node::Not(inner) => check(inner, symbols, bindings),
    }
}

/// Every path that a tree reads.
pub(crate) fn visit_paths<'t>(node: &'t Node, visit: &mut dyn FnMut(&'t Path)) {
    let mut operand = |operand: &'t Operand| {
        if let Operand::Term(Term::Path(path)) | Operand::Size(Term::Path(path)) = operand {
            visit(path);
        }
    };
    match node {
        Node::Compare(_, left, right) | Node::BeginsWith(left, right) | Node::Contains(left, right) => {
            operand(left);
            operand(right);
        }
        Node::Between { operand: compared, lower, upper } => {
            [compared, lower, upper].into_iter().for_each(operand)
        }
        Node::In(sought, list) => {
            operand(sought);
            list.iter().for_each(operand);
        }
        Node::AttributeType(typed, _) => operand(typed),
        Node::AttributeExists(path) | Node::AttributeNotExists(path) => visit(path),
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| visit_paths(node, visit)),
        Node::Not(inner) => visit_paths(inner, visit),
    }
}

/// The type that an operand has whatever the item.
fn known_type(operand: &Operand, bindings: &Bindings) -> Option<&'static str> {
    match operand {
        Operand::Term(Term::Path(_)) => None,
        Operand::Term(Term::Value(id)) => Some(bindings.value(*id).type_name()),
        Operand::Size(_) => Some("N"),
    }
}

fn require<'o>(
    operator: &'static str,
    operands: impl IntoIterator<Item = &'o Operand>,
    accepts: fn(&str) -> bool,
    bindings: &Bindings,
) -> Result<(), Cause> {
    let known = operands.into_iter().filter_map(|operand| known_type(operand, bindings));
    match known.into_iter().find(|found| !accepts(found)) {
        Some(found) => Err(Cause::OperandType { operator, found }),
        None => Ok(()),
    }
}

/// `size` of a value that has none.
fn check_sizes<'o>(
    operands: impl IntoIterator<Item = &'o Operand>,
    bindings: &Bindings,
) -> Result<(), Cause> {
    for operand in operands {
        if let Operand::Size(Term::Value(id)) = operand
            && compare::size(bindings.value(*id)).is_none()
        {
            let found = bindings.value(*id).type_name();
            return Err(Cause::OperandType { operator: "size", found });
        }
    }
    Ok(())
}

fn check_bounds(
    lower: &Operand,
    upper: &Operand,
    symbols: &Symbols,
    bindings: &Bindings,
) -> Result<(), Cause> {
    let (Operand::Term(Term::Value(lower)), Operand::Term(Term::Value(upper))) = (lower, upper) else {
        return Ok(());
    };
    let tokens = || (symbols.value(*lower).to_owned(), symbols.value(*upper).to_owned());
    match compare::order(bindings.value(*lower), bindings.value(*upper)) {
        Some(Ordering::Less | Ordering::Equal) => Ok(()),
        Some(Ordering::Greater) => {
            let (lower, upper) = tokens();
            Err(Cause::BetweenOrder { lower, upper })
        }
        None => {
            let (lower, upper) = tokens();
            Err(Cause::BetweenTypes { lower, upper })
        }
    }
}

fn check_type_name(id: ValueId, symbols: &Symbols, bindings: &Bindings) -> Result<(), Cause> {
    match bindings.value(id) {
        AttributeValue::S(name) if TYPE_NAMES.contains(&name.as_str()) => Ok(()),
        AttributeValue::S(_) => Err(Cause::AttributeTypeName { token: symbols.value(id).to_owned() }),
        other => Err(Cause::OperandType { operator: "attribute_type", found: other.type_name() }),
    }
}

fn refuse_same(
    operator: &'static str,
    left: &Operand,
    right: &Operand,
    bindings: &Bindings,
) -> Result<(), Cause> {
    let (Operand::Term(Term::Path(left)), Operand::Term(Term::Path(right))) = (left, right) else {
        return Ok(());
    };
    let steps = bindings.canonical(left);
    if steps == bindings.canonical(right) {
        return Err(Cause::SameOperand { operator, path: describe(&steps, bindings) });
    }
    Ok(())
}
