//! `DeleteItem`: a tombstone in the place of whatever was there.

use item::operation::{Delete, ReturnValues};
use item::{Error, Invalid, Key};
use storage::{Error as Fatal, Read};

use crate::remembered::{self, Answer};
use crate::write::{self, Decision, Moment, Needs, Wanted};
use crate::{Home, View};

/// Checks what does not depend on stored data, and finds the item's key.
pub fn check(home: &Home, delete: &Delete) -> Result<Key, Error> {
    if !matches!(delete.options.return_values, ReturnValues::None | ReturnValues::AllOld) {
        return Err(Invalid::Conflict { field: "ReturnValues", other: "DeleteItem" }.into());
    }
    Ok(Key::of_key(&home.key, &delete.key).map_err(Invalid::from)?)
}

/// Decides a delete.
pub fn decide<R: Read>(
    view: &View<'_, R>,
    home: &Home,
    moment: Moment,
    key: Key,
    delete: Delete,
) -> Result<Decision<Answer>, Fatal> {
    let asked = remembered::asked(&delete.options, b'D', &key, |_, _| {});
    let request = write::Request { options: &delete.options, asked, needs: Needs::Version };
    write::decide(view, home, moment, key, request, |stored| {
        Ok(Wanted { item: None, returned: write::returned_old(&delete.options, stored) })
    })
}
