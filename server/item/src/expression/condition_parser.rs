//! The grammar of conditions, filters and key conditions, which DynamoDB reads by one parser:
//!
//! ```text
//! or         := and { OR and }
//! and        := not { AND not }
//! not        := NOT not | comparison
//! comparison := phrase [ comparator operand | BETWEEN operand AND operand | IN ( operand { , operand } ) ]
//! phrase     := ( or ) | operand
//! operand    := ( operand ) | function ( operand { , operand } ) | path | :value
//! ```
//!
//! Parentheses may hold an operand as well as a condition, so what stands first in a comparison is a
//! `Phrase`, and whoever needs a condition or an operand of it says so; nothing is ever read twice. Open
//! parentheses are kept on a stack of our own, not on the thread's: programs chain conditions by wrapping
//! each in another pair, and so nest them deeply.

use std::mem;

use types::limits::IN_OPERANDS_MAX;

use super::condition_tree::{Comparator, ConditionTree, Node, Operand, Term};
use super::error::{Cause, Error, Kind};
use super::parser::{Parser, parse};
use super::path::ValueId;
use super::token::TokenKind;

/// Parses a condition, filter or key condition.
pub(crate) fn parse_condition(kind: Kind, text: &str) -> Result<ConditionTree, Error> {
    let (root, symbols) = parse(kind, text, condition)?;
    Ok(ConditionTree { text: text.into(), root, symbols })
}

fn is_keyword(word: &str) -> bool {
    ["AND", "OR", "NOT", "BETWEEN", "IN"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// What may turn out to be an operand or a condition.
struct Phrase {
    content: Content,
    /// Whether parentheses are its whole extent.
    parenthesized: bool,
}

enum Content {
    Operand(Operand),
    /// A call of a function that is true or false; its name, should it stand where an operand must.
    Call(&'static str, Node),
    Condition(Node),
}

/// Takes the place of what an offence left unreadable; the tree that holds it is thrown away.
const UNREADABLE: Operand = Operand::Term(Term::Value(ValueId(0)));

impl Content {
    fn into_condition(self, parser: &mut Parser<'_>) -> Result<Node, Cause> {
        match self {
            Content::Call(_, node) | Content::Condition(node) => Ok(node),
            Content::Operand(Operand::Size(_)) => {
                parser.offend(Cause::MisusedFunction { function: "size" });
                Ok(Node::And(Vec::new()))
            }
            Content::Operand(Operand::Term(_)) => Err(parser.syntax_error()),
        }
    }

    fn into_operand(self, parser: &mut Parser<'_>) -> Result<Operand, Cause> {
        match self {
            Content::Operand(operand) => Ok(operand),
            Content::Call(function, _) => {
                parser.offend(Cause::MisusedFunction { function });
                Ok(UNREADABLE)
            }
            Content::Condition(_) => Err(parser.syntax_error()),
        }
    }
}

/// What was read so far within one pair of parentheses, or outside of all.
#[derive(Default)]
struct Level {
    alternatives: Vec<Node>,
    conjuncts: Vec<Node>,
    /// `NOT`s before the comparison being read.
    negations: usize,
}

impl Level {
    fn push(&mut self, parser: &mut Parser<'_>, node: Node) {
        let negations = mem::take(&mut self.negations);
        parser.leave(negations);
        self.conjuncts.push((0..negations).fold(node, |inner, _| Node::Not(Box::new(inner))));
    }

    fn end_conjunction(&mut self) {
        let node = joined(mem::take(&mut self.conjuncts), Node::And);
        self.alternatives.push(node);
    }

    /// The level's condition, after its last comparison.
    fn close(mut self, parser: &mut Parser<'_>, last: Content) -> Result<Content, Cause> {
        if self.alternatives.is_empty() && self.conjuncts.is_empty() && self.negations == 0 {
            return Ok(last);
        }
        let node = last.into_condition(parser)?;
        self.push(parser, node);
        self.end_conjunction();
        Ok(Content::Condition(joined(self.alternatives, Node::Or)))
    }
}

/// The only one, or all of them in one node.
fn joined(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) }
}

fn condition(parser: &mut Parser<'_>) -> Result<Node, Cause> {
    let mut outer = Vec::new();
    let mut level = Level::default();
    loop {
        while parser.take_keyword("NOT") {
            parser.count_operator();
            parser.enter()?;
            level.negations += 1;
        }
        if parser.take(TokenKind::LeftParenthesis) {
            parser.enter()?;
            outer.push(mem::take(&mut level));
            continue;
        }
        let mut phrase = Phrase { content: term(parser)?, parenthesized: false };
        // Each closing parenthesis makes one phrase of a level, which another comparison may begin with.
        loop {
            phrase = comparison(parser, phrase)?;
            if parser.at_keyword("AND") || parser.at_keyword("OR") {
                break;
            }
            let Some(around) = outer.pop() else {
                return level.close(parser, phrase.content)?.into_condition(parser);
            };
            let closed = mem::replace(&mut level, around);
            phrase = closing(parser, closed, phrase)?;
        }
        let node = phrase.content.into_condition(parser)?;
        level.push(parser, node);
        if parser.at_keyword("OR") {
            level.end_conjunction();
        }
        parser.advance();
        parser.count_operator();
    }
}

fn closing(parser: &mut Parser<'_>, level: Level, last: Phrase) -> Result<Phrase, Cause> {
    let alone = level.alternatives.is_empty() && level.conjuncts.is_empty() && level.negations == 0;
    let content = level.close(parser, last.content)?;
    parser.expect(TokenKind::RightParenthesis)?;
    parser.leave(1);
    if alone && last.parenthesized {
        parser.offend(Cause::RedundantParentheses);
    }
    Ok(Phrase { content, parenthesized: true })
}

/// Reads on after what may be the first operand of a comparison.
fn comparison(parser: &mut Parser<'_>, left: Phrase) -> Result<Phrase, Cause> {
    let comparator = match parser.peek() {
        TokenKind::Equal => Comparator::Equal,
        TokenKind::NotEqual => Comparator::NotEqual,
        TokenKind::Less => Comparator::Less,
        TokenKind::LessOrEqual => Comparator::LessOrEqual,
        TokenKind::Greater => Comparator::Greater,
        TokenKind::GreaterOrEqual => Comparator::GreaterOrEqual,
        _ if parser.at_keyword("BETWEEN") => return between(parser, left),
        _ if parser.at_keyword("IN") => return membership(parser, left),
        _ => return Ok(left),
    };
    let left = left.content.into_operand(parser)?;
    parser.advance();
    parser.count_operator();
    let right = operand(parser)?;
    Ok(compared(Node::Compare(comparator, left, right)))
}

fn between(parser: &mut Parser<'_>, phrase: Phrase) -> Result<Phrase, Cause> {
    let compared_operand = phrase.content.into_operand(parser)?;
    parser.advance();
    parser.count_operator();
    let lower = operand(parser)?;
    if !parser.take_keyword("AND") {
        return Err(parser.syntax_error());
    }
    let upper = operand(parser)?;
    Ok(compared(Node::Between { operand: compared_operand, lower, upper }))
}

fn membership(parser: &mut Parser<'_>, phrase: Phrase) -> Result<Phrase, Cause> {
    let sought = phrase.content.into_operand(parser)?;
    parser.advance();
    parser.count_operator();
    let list = operands(parser)?;
    if list.len() > IN_OPERANDS_MAX {
        parser.offend(Cause::InOperands { count: list.len() });
    }
    Ok(compared(Node::In(sought, list)))
}

fn compared(node: Node) -> Phrase {
    Phrase { content: Content::Condition(node), parenthesized: false }
}

/// An operand, in parentheses or not.
fn operand(parser: &mut Parser<'_>) -> Result<Operand, Cause> {
    let mut open = 0;
    while parser.take(TokenKind::LeftParenthesis) {
        open += 1;
    }
    let operand = term(parser)?.into_operand(parser)?;
    if open > 1 {
        parser.offend(Cause::RedundantParentheses);
    }
    for _ in 0..open {
        parser.expect(TokenKind::RightParenthesis)?;
    }
    Ok(operand)
}

/// A value, a path or a call.
fn term(parser: &mut Parser<'_>) -> Result<Content, Cause> {
    match (parser.peek(), parser.peek_second()) {
        (TokenKind::Value, _) => Ok(Content::Operand(Operand::Term(Term::Value(parser.value()?)))),
        (TokenKind::Word, TokenKind::LeftParenthesis) if !is_keyword(parser.peek_text()) => call(parser),
        _ => Ok(Content::Operand(Operand::Term(Term::Path(parser.path(is_keyword)?)))),
    }
}

/// Operands in parentheses, at least one.
fn operands(parser: &mut Parser<'_>) -> Result<Vec<Operand>, Cause> {
    parser.expect(TokenKind::LeftParenthesis)?;
    let mut list = Vec::new();
    loop {
        list.push(operand(parser)?);
        if !parser.take(TokenKind::Comma) {
            break;
        }
    }
    parser.expect(TokenKind::RightParenthesis)?;
    Ok(list)
}

fn call(parser: &mut Parser<'_>) -> Result<Content, Cause> {
    let name = parser.advance();
    parser.count_operator();
    parser.enter_call()?;
    let list = operands(parser)?;
    parser.leave_call();
    let (function, count) = match name {
        "attribute_exists" => ("attribute_exists", 1),
        "attribute_not_exists" => ("attribute_not_exists", 1),
        "attribute_type" => ("attribute_type", 2),
        "begins_with" => ("begins_with", 2),
        "contains" => ("contains", 2),
        "size" => ("size", 1),
        "if_not_exists" => return Ok(offend(parser, Cause::MisusedFunction { function: "if_not_exists" })),
        "list_append" => return Ok(offend(parser, Cause::MisusedFunction { function: "list_append" })),
        _ => return Ok(offend(parser, Cause::UnknownFunction { function: name.to_owned() })),
    };
    if list.len() != count {
        return Ok(offend(parser, Cause::OperandCount { function, count: list.len() }));
    }
    let mut list = list.into_iter();
    let first = list.next().unwrap_or(UNREADABLE);
    let second = list.next().unwrap_or(UNREADABLE);
    match typed_call(function, first, second) {
        Ok(content) => Ok(content),
        Err(cause) => Ok(offend(parser, cause)),
    }
}

/// A call whose operands are as many as its function takes; `second` is meaningless for those that take one.
fn typed_call(function: &'static str, first: Operand, second: Operand) -> Result<Content, Cause> {
    let node = match (function, first, second) {
        ("size", Operand::Term(term), _) => return Ok(Content::Operand(Operand::Size(term))),
        ("size", Operand::Size(_), _) => return Err(Cause::OperandType { operator: function, found: "N" }),
        ("attribute_exists", Operand::Term(Term::Path(path)), _) => Node::AttributeExists(path),
        ("attribute_not_exists", Operand::Term(Term::Path(path)), _) => Node::AttributeNotExists(path),
        ("attribute_type", first, Operand::Term(Term::Value(value))) => Node::AttributeType(first, value),
        ("attribute_type", _, Operand::Size(_)) => {
            return Err(Cause::OperandType { operator: function, found: "N" });
        }
        ("attribute_type", _, _) => {
            return Err(Cause::OperandType { operator: function, found: "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}" });
        }
        ("begins_with", first, second) => Node::BeginsWith(first, second),
        ("contains", first, second) => Node::Contains(first, second),
        _ => return Err(Cause::PathRequired { function }),
    };
    Ok(Content::Call(function, node))
}

/// Notes an offence and goes on as if a condition had been read that may stand anywhere.
fn offend(parser: &mut Parser<'_>, cause: Cause) -> Content {
    parser.offend(cause);
    Content::Call("", Node::And(Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_not_and_or() {
        for (text, canonical) in [
            ("not a = b and c = d or e = f", "NOT a = b AND c = d OR e = f"),
            ("a = b or c = d and e = f", "a = b OR c = d AND e = f"),
            ("(a = b or c = d) and (e = f)", "(a = b OR c = d) AND e = f"),
            ("a between b and c and (d) in (e, (f))", "a BETWEEN b AND c AND d IN (e, f)"),
            ("NOT NOT (size (a)) < :b", "NOT NOT size(a) < :b"),
            ("attribute_exists(#a.b[01])", "attribute_exists(#a.b[1])"),
        ] {
            let tree = parse_condition(Kind::Condition, text).unwrap();
            assert_eq!(tree.to_string(), canonical);
        }
    }
}
