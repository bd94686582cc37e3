//! The tree of a condition, and how it is written out again.
//!
//! Chains of `AND` and of `OR` are one node each, so that only parentheses and `NOT` make a tree deep; the
//! parser bounds those. Operands never nest: `size` takes a path or a value, nothing else.

use std::fmt;
use std::sync::Arc;

use super::path::{Path, Symbols, ValueId, write_path};

/// A parsed condition, filter or key condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ConditionTree {
    pub text: Arc<str>,
    pub root: Node,
    pub symbols: Symbols,
}

/// Something true or false.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Node {
    Compare(Comparator, Operand, Operand),
    Between {
        operand: Operand,
        lower: Operand,
        upper: Operand,
    },
    In(Operand, Vec<Operand>),
    AttributeExists(Path),
    AttributeNotExists(Path),
    AttributeType(Operand, ValueId),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
    /// Two or more.
    And(Vec<Node>),
    /// Two or more.
    Or(Vec<Node>),
    Not(Box<Node>),
}

/// How two operands are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Comparator::Equal => "=",
            Comparator::NotEqual => "<>",
            Comparator::Less => "<",
            Comparator::LessOrEqual => "<=",
            Comparator::Greater => ">",
            Comparator::GreaterOrEqual => ">=",
        }
    }

    /// The comparator that holds of the operands in the other order.
    pub(crate) fn swapped(self) -> Comparator {
        match self {
            Comparator::Less => Comparator::Greater,
            Comparator::LessOrEqual => Comparator::GreaterOrEqual,
            Comparator::Greater => Comparator::Less,
            Comparator::GreaterOrEqual => Comparator::LessOrEqual,
            same => same,
        }
    }
}

/// What is compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Operand {
    Term(Term),
    Size(Term),
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Term {
    Path(Path),
    Value(ValueId),
}

impl fmt::Display for ConditionTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_node(f, &self.root, &self.symbols)
    }
}

fn write_node(f: &mut fmt::Formatter<'_>, node: &Node, symbols: &Symbols) -> fmt::Result {
    let operands = |f: &mut fmt::Formatter<'_>, list: &[&Operand]| write_operands(f, list, symbols);
    match node {
        Node::Compare(comparator, left, right) => {
            operands(f, &[left])?;
            write!(f, " {} ", comparator.text())?;
            operands(f, &[right])
        }
        Node::Between { operand, lower, upper } => {
            operands(f, &[operand])?;
            f.write_str(" BETWEEN ")?;
            operands(f, &[lower])?;
            f.write_str(" AND ")?;
            operands(f, &[upper])
        }
        Node::In(operand, list) => {
            operands(f, &[operand])?;
            f.write_str(" IN (")?;
            operands(f, &list.iter().collect::<Vec<_>>())?;
            f.write_str(")")
        }
        Node::AttributeExists(path) => write_call(f, "attribute_exists", path, symbols),
        Node::AttributeNotExists(path) => write_call(f, "attribute_not_exists", path, symbols),
        Node::AttributeType(operand, value) => {
            f.write_str("attribute_type(")?;
            operands(f, &[operand])?;
            write!(f, ", {})", symbols.value(*value))
        }
        Node::BeginsWith(left, right) => {
            f.write_str("begins_with(")?;
            operands(f, &[left, right])?;
            f.write_str(")")
        }
        Node::Contains(left, right) => {
            f.write_str("contains(")?;
            operands(f, &[left, right])?;
            f.write_str(")")
        }
        Node::And(nodes) => {
            write_chain(f, nodes, " AND ", |node| matches!(node, Node::And(_) | Node::Or(_)), symbols)
        }
        Node::Or(nodes) => write_chain(f, nodes, " OR ", |node| matches!(node, Node::Or(_)), symbols),
        Node::Not(inner) => {
            f.write_str("NOT ")?;
            write_tightly(f, inner, matches!(**inner, Node::And(_) | Node::Or(_)), symbols)
        }
    }
}

fn write_chain(
    f: &mut fmt::Formatter<'_>,
    nodes: &[Node],
    separator: &str,
    looser: fn(&Node) -> bool,
    symbols: &Symbols,
) -> fmt::Result {
    for (position, node) in nodes.iter().enumerate() {
        if position > 0 {
            f.write_str(separator)?;
        }
        write_tightly(f, node, looser(node), symbols)?;
    }
    Ok(())
}

/// Writes a node in the parentheses that it would be read otherwise without, and in no others: what is
/// written is never nested more deeply than what was read.
fn write_tightly(
    f: &mut fmt::Formatter<'_>,
    node: &Node,
    parenthesized: bool,
    symbols: &Symbols,
) -> fmt::Result {
    if !parenthesized {
        return write_node(f, node, symbols);
    }
    f.write_str("(")?;
    write_node(f, node, symbols)?;
    f.write_str(")")
}

fn write_operands(f: &mut fmt::Formatter<'_>, operands: &[&Operand], symbols: &Symbols) -> fmt::Result {
    for (position, operand) in operands.iter().enumerate() {
        if position > 0 {
            f.write_str(", ")?;
        }
        match operand {
            Operand::Term(term) => write_term(f, term, symbols)?,
            Operand::Size(term) => {
                f.write_str("size(")?;
                write_term(f, term, symbols)?;
                f.write_str(")")?;
            }
        }
    }
    Ok(())
}

fn write_term(f: &mut fmt::Formatter<'_>, term: &Term, symbols: &Symbols) -> fmt::Result {
    match term {
        Term::Path(path) => write_path(f, path, symbols),
        Term::Value(value) => f.write_str(symbols.value(*value)),
    }
}

fn write_call(f: &mut fmt::Formatter<'_>, function: &str, path: &Path, symbols: &Symbols) -> fmt::Result {
    write!(f, "{function}(")?;
    write_path(f, path, symbols)?;
    f.write_str(")")
}
