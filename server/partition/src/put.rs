//! `PutItem`: the whole item in the place of whatever was there.

use item::operation::{Put, ReturnValues};
use item::{Error, Invalid, Key};
use storage::{Error as Fatal, Read};

use crate::remembered::{self, Answer};
use crate::write::{self, Decision, Moment, Needs, Wanted};
use crate::{Home, View};

/// Checks what depends on the table alone, and finds the item's key. The item itself was checked where it
/// came in: it satisfies `item::validate`.
pub fn check(home: &Home, put: &Put) -> Result<Key, Error> {
    if !matches!(put.options.return_values, ReturnValues::None | ReturnValues::AllOld) {
        return Err(Invalid::Conflict { field: "ReturnValues", other: "PutItem" }.into());
    }
    Ok(Key::of_item(&home.key, &put.item).map_err(Invalid::from)?)
}

/// Decides a put.
pub fn decide<R: Read>(
    view: &View<'_, R>,
    home: &Home,
    moment: Moment,
    key: Key,
    put: Put,
) -> Result<Decision<Answer>, Fatal> {
    let asked =
        remembered::asked(&put.options, b'P', &key, |bytes, _| bytes.extend(item::codec::encode(&put.item)));
    let request = write::Request { options: &put.options, asked, needs: Needs::Nothing };
    write::decide(view, home, moment, key, request, |stored| {
        Ok(Wanted { item: Some(put.item), returned: write::returned_old(&put.options, stored) })
    })
}
