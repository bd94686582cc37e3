//! Keys: whatever bytes are taken as a key are the one encoding of it, for schemas of all types.
#![no_main]

use item::{Key, key};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let schema = fuzz::key_schema(choice);
    let Some(decoded) = key::decode(&schema, bytes) else { return };
    let encoded = Key::of_key(&schema, &decoded).expect("what decodes is a key");
    assert_eq!(encoded.bytes, bytes, "{decoded:?} has a second encoding");
});
