//! Keys: whatever bytes are taken as a key are the one encoding of it, for schemas of all types.
#![no_main]

use item::{Key, key};
use libfuzzer_sys::fuzz_target;
use types::{KeyAttribute, KeySchema, KeyType};

const TYPES: [KeyType; 3] = [KeyType::S, KeyType::N, KeyType::B];

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let attribute = |name: &str, choice: u8| KeyAttribute {
        name: name.to_owned(),
        key_type: TYPES[usize::from(choice) % TYPES.len()],
    };
    let sort = (choice & 1 == 1).then(|| attribute("sort", choice / 6));
    let schema = KeySchema { partition: attribute("partition", choice / 2), sort };
    let Some(decoded) = key::decode(&schema, bytes) else { return };
    let encoded = Key::of_key(&schema, &decoded).expect("what decodes is a key");
    assert_eq!(encoded.bytes, bytes, "{decoded:?} has a second encoding");
});
