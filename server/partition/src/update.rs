//! `UpdateItem`: the stored item, or the bare key, changed by an update expression.

use item::operation::{ReturnValues, UpdateItem};
use item::{Error, Invalid, Item, Key};
use storage::{Error as Fatal, Read};

use crate::remembered::{self, Answer};
use crate::write::{self, Decision, Moment, Needs, Wanted};
use crate::{Home, View};

/// Checks what does not depend on stored data, and finds the item's key.
pub fn check(home: &Home, update: &UpdateItem) -> Result<Key, Error> {
    if let Some(expression) = &update.update {
        expression.check(&home.key).map_err(Invalid::from)?;
    }
    Ok(Key::of_key(&home.key, &update.key).map_err(Invalid::from)?)
}

/// Decides an update.
pub fn decide<R: Read>(
    view: &View<'_, R>,
    home: &Home,
    moment: Moment,
    key: Key,
    update: UpdateItem,
) -> Result<Decision<Answer>, Fatal> {
    let asked = remembered::asked(&update.options, b'U', &key, |bytes, substitutions| {
        if let Some(expression) = &update.update {
            bytes.extend(expression.text().as_bytes());
            expression.give_back(substitutions);
        }
    });
    let request = write::Request { options: &update.options, asked, needs: Needs::Item };
    write::decide(view, home, moment, key, request, |stored| {
        let mut item = stored.clone().unwrap_or_else(|| update.key.clone());
        if let Some(expression) = &update.update {
            expression.apply(&mut item).map_err(Invalid::from)?;
        }
        item::validate::check_item(&item, Some(&home.key)).map_err(Invalid::from)?;
        let returned = returned(&update, stored, &item);
        Ok(Wanted { item: Some(item), returned })
    })
}

fn returned(update: &UpdateItem, stored: Option<Item>, item: &Item) -> Option<Item> {
    let updated = |item: &Item| update.update.as_ref().map(|update| update.updated_attributes(item));
    match update.options.return_values {
        ReturnValues::None => None,
        ReturnValues::AllOld => stored,
        ReturnValues::AllNew => Some(item.clone()),
        ReturnValues::UpdatedOld => stored.as_ref().and_then(updated).filter(|item| !item.is_empty()),
        ReturnValues::UpdatedNew => updated(item).filter(|item| !item.is_empty()),
    }
}
