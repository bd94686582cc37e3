//! An item in its canonical bytes, for whoever passes it on: most readers spell it in another way at once,
//! and building it in between would cost more than all the rest of a read.

use crate::codec::{self, Raw};
use crate::{Item, codec::Error};

/// Bytes that are an item's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored(Box<[u8]>);

impl Stored {
    /// Takes bytes that are an item's; any others are an error.
    pub fn new(bytes: &[u8]) -> Result<Stored, Error> {
        codec::visit(bytes, |_, _| {})?;
        Ok(Stored(bytes.into()))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The item.
    pub fn item(&self) -> Item {
        codec::decode(&self.0).expect("they were looked through")
    }

    /// Shows each attribute, in the order of names.
    pub fn visit<'b>(&'b self, each: impl FnMut(&'b str, Raw<'b>)) {
        codec::visit(&self.0, each).expect("they were looked through");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::tests::any_item;

    proptest! {
        #[test]
        fn what_is_shown_is_the_item(item in any_item()) {
            let stored = Stored::new(&codec::encode(&item)).unwrap();
            let mut shown = Item::new();
            stored.visit(|name, value| drop(shown.insert(name.to_owned(), value.into())));
            prop_assert_eq!(&shown, &item);
            prop_assert_eq!(stored.item(), item);
        }

        #[test]
        fn whatever_decoding_refuses_is_refused(
            item in any_item(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = codec::encode(&item);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            prop_assert_eq!(Stored::new(&bytes).err(), codec::decode(&bytes).err());
        }
    }
}
