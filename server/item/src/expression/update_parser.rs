//! The grammar of updates:
//!
//! ```text
//! update   := section { section }
//! section  := SET set { , set } | REMOVE path { , path } | ADD pair { , pair } | DELETE pair { , pair }
//! set      := path = value
//! value    := operand [ + operand | - operand ] | ( value )
//! operand  := path | :value | function ( operand { , operand } ) | ( operand )
//! pair     := path :value
//! ```

use super::error::{Cause, Error, Kind};
use super::parser::{Parser, parse};
use super::path::ValueId;
use super::token::TokenKind;
use super::update_tree::{Action, Change, Section, SetOperand, SetValue, UpdateTree};

/// Parses an update.
pub(crate) fn parse_update(text: &str) -> Result<UpdateTree, Error> {
    let (actions, symbols) = parse(Kind::Update, text, sections)?;
    Ok(UpdateTree { text: text.into(), actions, symbols })
}

fn is_keyword(word: &str) -> bool {
    Section::ALL.iter().any(|section| word.eq_ignore_ascii_case(section.text()))
}

/// Takes the place of what an offence left unreadable; the tree that holds it is thrown away.
const UNREADABLE: SetOperand = SetOperand::Value(ValueId(0));

fn sections(parser: &mut Parser<'_>) -> Result<Vec<Action>, Cause> {
    let mut actions = Vec::new();
    let mut seen = Vec::new();
    while parser.peek() != TokenKind::End {
        let Some(section) = Section::ALL.into_iter().find(|section| parser.take_keyword(section.text()))
        else {
            return Err(parser.syntax_error());
        };
        if seen.contains(&section) {
            parser.offend(Cause::SectionTwice { section: section.text() });
        }
        seen.push(section);
        loop {
            actions.push(action(parser, section)?);
            if !parser.take(TokenKind::Comma) {
                break;
            }
        }
    }
    Ok(actions)
}

fn action(parser: &mut Parser<'_>, section: Section) -> Result<Action, Cause> {
    let path = parser.path(is_keyword)?;
    let change = match section {
        Section::Set => {
            parser.expect(TokenKind::Equal)?;
            Change::Set(set_value(parser)?)
        }
        Section::Remove => Change::Remove,
        Section::Add => Change::Add(parser.value()?),
        Section::Delete => Change::Delete(parser.value()?),
    };
    Ok(Action { path, change })
}

fn set_value(parser: &mut Parser<'_>) -> Result<SetValue, Cause> {
    let left = primary(parser)?;
    let join = match parser.peek() {
        TokenKind::Plus => SetValue::Plus,
        TokenKind::Minus => SetValue::Minus,
        _ => return Ok(left),
    };
    let left = operand(parser, left)?;
    parser.advance();
    parser.count_operator();
    let right = primary(parser)?;
    let right = operand(parser, right)?;
    Ok(join(left, right))
}

/// Arithmetic has two operands: `a + b + c` and `(a + b) + c` are syntax errors.
fn operand(parser: &Parser<'_>, value: SetValue) -> Result<SetOperand, Cause> {
    match value {
        SetValue::Operand(operand) => Ok(operand),
        SetValue::Plus(_, _) | SetValue::Minus(_, _) => Err(parser.syntax_error()),
    }
}

fn primary(parser: &mut Parser<'_>) -> Result<SetValue, Cause> {
    let read = match (parser.peek(), parser.peek_second()) {
        (TokenKind::LeftParenthesis, _) => {
            parser.advance();
            parser.enter_call()?;
            let value = set_value(parser)?;
            parser.expect(TokenKind::RightParenthesis)?;
            parser.leave_call();
            return Ok(value);
        }
        (TokenKind::Value, _) => SetOperand::Value(parser.value()?),
        (TokenKind::Word, TokenKind::LeftParenthesis) if !is_keyword(parser.peek_text()) => call(parser)?,
        _ => SetOperand::Path(parser.path(is_keyword)?),
    };
    Ok(SetValue::Operand(read))
}

fn call(parser: &mut Parser<'_>) -> Result<SetOperand, Cause> {
    let name = parser.advance();
    parser.count_operator();
    parser.expect(TokenKind::LeftParenthesis)?;
    parser.enter_call()?;
    let mut list = Vec::new();
    loop {
        let value = primary(parser)?;
        list.push(operand(parser, value)?);
        if !parser.take(TokenKind::Comma) {
            break;
        }
    }
    parser.expect(TokenKind::RightParenthesis)?;
    parser.leave_call();
    match typed_call(name, list) {
        Ok(operand) => Ok(operand),
        Err(cause) => {
            parser.offend(cause);
            Ok(UNREADABLE)
        }
    }
}

fn typed_call(name: &str, list: Vec<SetOperand>) -> Result<SetOperand, Cause> {
    let function = match name {
        "if_not_exists" => "if_not_exists",
        "list_append" => "list_append",
        "attribute_exists" => return Err(Cause::MisusedFunction { function: "attribute_exists" }),
        "attribute_not_exists" => return Err(Cause::MisusedFunction { function: "attribute_not_exists" }),
        "attribute_type" => return Err(Cause::MisusedFunction { function: "attribute_type" }),
        "begins_with" => return Err(Cause::MisusedFunction { function: "begins_with" }),
        "contains" => return Err(Cause::MisusedFunction { function: "contains" }),
        "size" => return Err(Cause::MisusedFunction { function: "size" }),
        _ => return Err(Cause::UnknownFunction { function: name.to_owned() }),
    };
    let count = list.len();
    let Ok([first, second]) = <[SetOperand; 2]>::try_from(list) else {
        return Err(Cause::OperandCount { function, count });
    };
    let is_append = |operand: &SetOperand| matches!(operand, SetOperand::ListAppend(_, _));
    match (function, first) {
        ("if_not_exists", SetOperand::Path(path)) => Ok(SetOperand::IfNotExists(path, Box::new(second))),
        ("if_not_exists", _) => Err(Cause::PathRequired { function }),
        (_, first) if is_append(&first) || is_append(&second) => Err(Cause::MisusedFunction { function }),
        (_, first) => Ok(SetOperand::ListAppend(Box::new(first), Box::new(second))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_come_in_any_order_and_case() {
        for (text, canonical) in [
            ("set a=:v,b.c[0]=(a+:w) remove d", "SET a = :v, b.c[0] = a + :w REMOVE d"),
            ("Delete a :v Add b :w", "DELETE a :v ADD b :w"),
            (
                "SET a = list_append(if_not_exists(#a, (:e)), :v)",
                "SET a = list_append(if_not_exists(#a, :e), :v)",
            ),
        ] {
            assert_eq!(parse_update(text).unwrap().to_string(), canonical);
        }
    }
}
