//! `9 | sub-kind | its own key` → what a region's catalog knows.
//!
//! The values are the `region` crate's, which gives each a format version of its own; they are opaque here.

use types::TableId;

use super::{Bounds, CATALOG, under};
use crate::Error;
use crate::codec::{Reader, Writer};
use crate::error::Fault;

const TABLE: u8 = 1;
const SETTING: u8 = 2;

/// What the catalog keeps a value for. Sub-kinds are never reused either.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// A table, sub-kind 1.
    Table(TableId),
    /// One value of the region as a whole, sub-kind 2; `region` numbers them.
    Setting(u8),
}

impl Key {
    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Key::Table(id) => Writer::new(CATALOG).byte(TABLE).table(*id).finish(),
            Key::Setting(number) => Writer::new(CATALOG).byte(SETTING).byte(*number).finish(),
        }
    }

    /// The inverse of `encode`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::key("catalog key", CATALOG, bytes)?;
        let key = match reader.byte()? {
            TABLE => Key::Table(reader.table()?),
            SETTING => Key::Setting(reader.byte()?),
            found => return Err(reader.corrupt(Fault::Flag { field: "sub-kind", found })),
        };
        reader.finish(key)
    }
}

/// The key of a table.
pub fn table(id: TableId) -> Vec<u8> {
    Key::Table(id).encode()
}

/// The key of a value of the region as a whole.
pub fn setting(number: u8) -> Vec<u8> {
    Key::Setting(number).encode()
}

/// All tables, in the order of their ids.
pub fn tables() -> Bounds {
    under(vec![CATALOG, TABLE])
}

/// Everything that the catalog keeps.
pub fn all() -> Bounds {
    under(vec![CATALOG])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture;
    use super::*;
    use crate::samples;

    fn any_key() -> impl Strategy<Value = Key> {
        prop_oneof![samples::any_table().prop_map(Key::Table), any::<u8>().prop_map(Key::Setting)]
    }

    proptest! {
        #[test]
        fn keys_round_trip_and_sort(a in any_key(), b in any_key()) {
            prop_assert_eq!(Key::decode(&a.encode()), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.encode().cmp(&b.encode()));
        }

        #[test]
        fn ranges_hold_what_they_say(key in any_key()) {
            let encoded = key.encode();
            let holds = |(from, to): Bounds| from <= encoded && encoded < to;
            prop_assert!(holds(all()));
            prop_assert_eq!(holds(tables()), matches!(key, Key::Table(_)));
        }

        #[test]
        fn no_bytes_panic(bytes in samples::any_bytes()) {
            if let Ok(key) = Key::decode(&bytes) {
                prop_assert_eq!(key.encode(), bytes);
            }
        }
    }

    #[test]
    fn the_fixture_still_decodes() {
        let cases = [(table(samples::table()), vec![1]), (setting(7), vec![1])];
        fixture::check("catalog", include_str!("../../fixtures/catalog.hex"), &cases, |key, value| {
            Ok((Key::decode(key)?.encode(), value.to_vec()))
        });
    }
}
