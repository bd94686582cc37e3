//! What is wrong with an update whatever the item: operands whose types are known from the request alone and
//! never fit.

use super::error::Cause;
use super::path::ValueId;
use super::substitutions::Bindings;
use super::update_tree::{Action, Change, SetOperand, SetValue};
use crate::AttributeValue;

/// Checks actions against what they were bound to.
pub(crate) fn check(actions: &[Action], bindings: &Bindings) -> Result<(), Cause> {
    for Action { change, .. } in actions {
        match change {
            Change::Set(value) => check_set_value(value, bindings)?,
            Change::Remove => {}
            Change::Add(id) => check_section("ADD", *id, true, bindings)?,
            Change::Delete(id) => check_section("DELETE", *id, false, bindings)?,
        }
    }
    Ok(())
}

fn check_set_value(value: &SetValue, bindings: &Bindings) -> Result<(), Cause> {
    let (operator, left, right) = match value {
        SetValue::Operand(operand) => return check_operand(operand, bindings),
        SetValue::Plus(left, right) => ("+", left, right),
        SetValue::Minus(left, right) => ("-", left, right),
    };
    for operand in [left, right] {
        require(operator, operand, "N", bindings)?;
        check_operand(operand, bindings)?;
    }
    Ok(())
}

fn check_operand(operand: &SetOperand, bindings: &Bindings) -> Result<(), Cause> {
    match operand {
        SetOperand::Path(_) | SetOperand::Value(_) => Ok(()),
        SetOperand::IfNotExists(_, otherwise) => check_operand(otherwise, bindings),
        SetOperand::ListAppend(left, right) => {
            for operand in [left, right] {
                require("list_append", operand, "L", bindings)?;
                check_operand(operand, bindings)?;
            }
            Ok(())
        }
    }
}

fn require(
    operator: &'static str,
    operand: &SetOperand,
    wanted: &str,
    bindings: &Bindings,
) -> Result<(), Cause> {
    let found = match operand {
        SetOperand::Value(id) => bindings.value(*id).type_name(),
        SetOperand::ListAppend(_, _) => "L",
        SetOperand::Path(_) | SetOperand::IfNotExists(_, _) => return Ok(()),
    };
    if found == wanted { Ok(()) } else { Err(Cause::OperandType { operator, found }) }
}

/// `ADD` takes numbers and sets, `DELETE` sets alone.
fn check_section(
    section: &'static str,
    id: ValueId,
    takes_numbers: bool,
    bindings: &Bindings,
) -> Result<(), Cause> {
    let found = match bindings.value(id) {
        AttributeValue::Ss(_) | AttributeValue::Ns(_) | AttributeValue::Bs(_) => return Ok(()),
        AttributeValue::N(_) if takes_numbers => return Ok(()),
        AttributeValue::S(_) => "STRING",
        AttributeValue::N(_) => "NUMBER",
        AttributeValue::B(_) => "BINARY",
        AttributeValue::Bool(_) => "BOOLEAN",
        AttributeValue::Null => "NULL",
        AttributeValue::L(_) => "LIST",
        AttributeValue::M(_) => "MAP",
    };
    Err(Cause::SectionOperandType { section, found })
}
