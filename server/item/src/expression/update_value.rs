//! The values that an update writes, all read from the item as it was before.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::document::find;
use super::error::Error;
use super::path::{Path, ValueId};
use super::substitutions::Bindings;
use super::update_tree::{SetOperand, SetValue};
use crate::{AttributeValue, Item, Number};

/// The value of the right-hand side of a `SET`.
pub(crate) fn set<'a>(
    value: &'a SetValue,
    item: &'a Item,
    bindings: &'a Bindings,
) -> Result<Cow<'a, AttributeValue>, Error> {
    let number = |operand| match self::operand(operand, item, bindings)?.as_ref() {
        AttributeValue::N(number) => Ok(*number),
        _ => Err(Error::IncorrectType),
    };
    let result = match value {
        SetValue::Operand(operand) => return self::operand(operand, item, bindings),
        SetValue::Plus(left, right) => number(left)?.add(&number(right)?)?,
        SetValue::Minus(left, right) => number(left)?.sub(&number(right)?)?,
    };
    Ok(Cow::Owned(AttributeValue::N(result)))
}

fn operand<'a>(
    operand: &'a SetOperand,
    item: &'a Item,
    bindings: &'a Bindings,
) -> Result<Cow<'a, AttributeValue>, Error> {
    match operand {
        SetOperand::Path(path) => {
            find(item, path, bindings).map(Cow::Borrowed).ok_or(Error::MissingAttribute)
        }
        SetOperand::Value(id) => Ok(Cow::Borrowed(bindings.value(*id))),
        SetOperand::IfNotExists(path, otherwise) => match find(item, path, bindings) {
            Some(value) => Ok(Cow::Borrowed(value)),
            None => self::operand(otherwise, item, bindings),
        },
        SetOperand::ListAppend(left, right) => {
            let left = self::operand(left, item, bindings)?;
            let right = self::operand(right, item, bindings)?;
            match (left.as_ref(), right.as_ref()) {
                (AttributeValue::L(left), AttributeValue::L(right)) => {
                    Ok(Cow::Owned(AttributeValue::L(left.iter().chain(right).cloned().collect())))
                }
                _ => Err(Error::IncorrectType),
            }
        }
    }
}

/// What `ADD` makes of a place: a sum, a union, or what is added where nothing is.
pub(crate) fn added(
    path: &Path,
    id: ValueId,
    item: &Item,
    bindings: &Bindings,
) -> Result<AttributeValue, Error> {
    use AttributeValue::{Bs, N, Ns, Ss};
    let value = bindings.value(id);
    let Some(before) = find(item, path, bindings) else { return Ok(value.clone()) };
    Ok(match (before, value) {
        (N(before), N(value)) => N(Number::add(before, value)?),
        (Ss(before), Ss(value)) => Ss(before | value),
        (Ns(before), Ns(value)) => Ns(before | value),
        (Bs(before), Bs(value)) => Bs(before | value),
        _ => return Err(Error::IncorrectType),
    })
}

/// What `DELETE` leaves of a set; `None` when nothing is left, because there are no empty sets.
pub(crate) fn deleted(
    path: &Path,
    id: ValueId,
    item: &Item,
    bindings: &Bindings,
) -> Result<Option<AttributeValue>, Error> {
    use AttributeValue::{Bs, Ns, Ss};
    let Some(before) = find(item, path, bindings) else { return Ok(None) };
    match (before, bindings.value(id)) {
        (Ss(before), Ss(value)) => Ok(rest(before, value).map(Ss)),
        (Ns(before), Ns(value)) => Ok(rest(before, value).map(Ns)),
        (Bs(before), Bs(value)) => Ok(rest(before, value).map(Bs)),
        _ => Err(Error::IncorrectType),
    }
}

fn rest<T: Ord + Clone>(before: &BTreeSet<T>, deleted: &BTreeSet<T>) -> Option<BTreeSet<T>> {
    let rest = before - deleted;
    if rest.is_empty() { None } else { Some(rest) }
}
