//! Changes an item as an update says.
//!
//! First everything is read from the item as it was, and every place is looked at; only then is anything
//! changed, so that an error leaves the item alone. Paths never overlap, so the order matters for lists
//! only: places past the end are filled in the order of their indexes, and elements are removed last, from
//! the back, so that every index means the list as it was.

use types::limits::{ITEM_BYTES_MAX, NESTING_MAX};

use super::document::{child, find, levels};
use super::error::Error;
use super::path::{Path, Step};
use super::substitutions::Bindings;
use super::update_tree::{Action, Change};
use super::update_value;
use crate::{AttributeValue, Item, size};

/// Applies actions whose paths do not overlap.
pub(crate) fn apply(actions: &[Action], bindings: &Bindings, item: &mut Item) -> Result<(), Error> {
    let mut plan = plan(actions, bindings, item)?;
    plan.puts.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (steps, value) in plan.puts {
        put(item, &steps, value, bindings);
    }
    plan.removals.sort();
    for steps in plan.removals.iter().rev() {
        remove(item, steps, bindings);
    }
    Ok(())
}

/// What is to be done, by canonical paths.
#[derive(Default)]
struct Plan {
    puts: Vec<(Vec<Step>, AttributeValue)>,
    /// Of places that exist.
    removals: Vec<Vec<Step>>,
}

fn plan(actions: &[Action], bindings: &Bindings, item: &Item) -> Result<Plan, Error> {
    let mut plan = Plan::default();
    let mut bytes = 0;
    for Action { path, change } in actions {
        check_place(path, bindings, item)?;
        let value = match change {
            Change::Set(value) => {
                let value = update_value::set(value, item, bindings)?;
                // Borrowed values are measured before they are copied: an update may name one 500 times.
                check_value(path, &value, &mut bytes)?;
                Some(value.into_owned())
            }
            Change::Add(id) => {
                let value = update_value::added(path, *id, item, bindings)?;
                check_value(path, &value, &mut bytes)?;
                Some(value)
            }
            Change::Delete(id) => update_value::deleted(path, *id, item, bindings)?,
            Change::Remove => None,
        };
        match value {
            Some(value) => plan.puts.push((bindings.canonical(path), value)),
            None if find(item, path, bindings).is_some() => plan.removals.push(bindings.canonical(path)),
            None => {}
        }
    }
    Ok(plan)
}

/// A place below the top needs its parent, of the type that its last step goes into.
fn check_place(path: &Path, bindings: &Bindings, item: &Item) -> Result<(), Error> {
    let Some((last, parents)) = path.0.split_last() else { return Ok(()) };
    if parents.is_empty() {
        return Ok(());
    }
    let parent = find_steps(item, parents, bindings);
    match (parent, last) {
        (Some(AttributeValue::M(_)), Step::Name(_)) | (Some(AttributeValue::L(_)), Step::Index(_)) => Ok(()),
        _ => Err(Error::UpdatePath),
    }
}

fn find_steps<'i>(item: &'i Item, steps: &[Step], bindings: &Bindings) -> Option<&'i AttributeValue> {
    let (first, rest) = steps.split_first()?;
    let Step::Name(id) = first else { return None };
    rest.iter().try_fold(item.get(bindings.name(*id))?, |value, step| child(value, *step, bindings))
}

/// All values together are part of the item to be, so they cannot be larger than an item.
fn check_value(path: &Path, value: &AttributeValue, bytes: &mut usize) -> Result<(), Error> {
    *bytes += size::value_bytes(value);
    if *bytes > ITEM_BYTES_MAX {
        return Err(Error::ItemSize);
    }
    if path.0.len() - 1 + levels(value) > NESTING_MAX {
        return Err(Error::ItemNesting);
    }
    Ok(())
}

fn put(item: &mut Item, steps: &[Step], value: AttributeValue, bindings: &Bindings) {
    match (steps, parent(item, steps, bindings)) {
        ([Step::Name(id)], _) => {
            item.insert(bindings.name(*id).to_owned(), value);
        }
        ([.., Step::Name(id)], Some(AttributeValue::M(map))) => {
            map.insert(bindings.name(*id).to_owned(), value);
        }
        ([.., Step::Index(index)], Some(AttributeValue::L(list))) => match list.get_mut(*index as usize) {
            Some(element) => *element = value,
            None => list.push(value),
        },
        _ => unreachable!("the plan looked at every place"),
    }
}

fn remove(item: &mut Item, steps: &[Step], bindings: &Bindings) {
    match (steps, parent(item, steps, bindings)) {
        ([Step::Name(id)], _) => {
            item.remove(bindings.name(*id));
        }
        ([.., Step::Name(id)], Some(AttributeValue::M(map))) => {
            map.remove(bindings.name(*id));
        }
        ([.., Step::Index(index)], Some(AttributeValue::L(list))) => {
            list.remove(*index as usize);
        }
        _ => unreachable!("the plan looked at every place"),
    }
}

/// The value that the last step goes into; none for a top-level attribute.
fn parent<'i>(item: &'i mut Item, steps: &[Step], bindings: &Bindings) -> Option<&'i mut AttributeValue> {
    let (_, parents) = steps.split_last()?;
    let (first, rest) = parents.split_first()?;
    let Step::Name(id) = first else { return None };
    rest.iter().try_fold(item.get_mut(bindings.name(*id))?, |value, step| match (value, step) {
        (AttributeValue::M(map), Step::Name(id)) => map.get_mut(bindings.name(*id)),
        (AttributeValue::L(list), Step::Index(index)) => list.get_mut(*index as usize),
        _ => None,
    })
}
