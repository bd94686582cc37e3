//! The catalog: updates of its log and entries between regions survive their encoding, and joining entries
//! of one table does not depend on the order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use region::{Entry, Update};

fuzz_target!(|input: &[u8]| {
    if let Ok(update) = Update::decode(input) {
        assert_eq!(Update::decode(&update.encode()), Ok(update));
    }
    if let Ok(entry) = Entry::decode(input) {
        assert_eq!(Entry::decode(&entry.encode()).as_ref(), Ok(&entry));
        assert_eq!(entry.join(&entry), entry);
    }
});
