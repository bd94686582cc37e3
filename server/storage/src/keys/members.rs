//! `10 | group` → who is in a group, as of the last entry whose effect is in the data.
//!
//! Written in the batch of the entry that changed it, beside the group's state; a group whose members never
//! changed has none. The value is the `consensus` crate's; it is opaque here.

use types::GroupId;

use super::MEMBERS;
use crate::Error;
use crate::codec::{Reader, Writer};

/// The key of a group's members.
pub fn encode(group: GroupId) -> Vec<u8> {
    Writer::new(MEMBERS).group(group).finish()
}

/// The inverse of `encode`.
pub fn decode(bytes: &[u8]) -> Result<GroupId, Error> {
    let mut reader = Reader::key("members key", MEMBERS, bytes)?;
    let group = reader.group()?;
    reader.finish(group)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture;
    use super::*;
    use crate::samples;

    proptest! {
        #[test]
        fn keys_round_trip_and_sort(a in any::<u64>(), b in any::<u64>()) {
            let (a, b) = (GroupId(a), GroupId(b));
            prop_assert_eq!(decode(&encode(a)), Ok(a));
            prop_assert_eq!(a.cmp(&b), encode(a).cmp(&encode(b)));
        }

        #[test]
        fn no_bytes_panic(bytes in samples::any_bytes()) {
            if let Ok(group) = decode(&bytes) {
                prop_assert_eq!(encode(group), bytes);
            }
        }
    }

    #[test]
    fn the_fixture_still_decodes() {
        let cases = [(encode(GroupId(16)), vec![1, 1])];
        fixture::check("members", include_str!("../../fixtures/members.hex"), &cases, |key, value| {
            Ok((encode(decode(key)?), value.to_vec()))
        });
    }
}
