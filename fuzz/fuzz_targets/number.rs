//! Numbers: whatever text or bytes are taken as a number come back the same, and sums are exact or refused.
#![no_main]

use item::Number;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut rest = input;
    if let Some(number) = Number::decode_ordered(&mut rest) {
        let mut encoded = Vec::new();
        number.encode_ordered(&mut encoded);
        assert_eq!([&encoded, rest].concat(), input, "{number} has a second encoding");
    }
    let Ok(text) = str::from_utf8(input) else { return };
    let (left, right) = text.split_once(' ').unwrap_or((text, "1"));
    let (Ok(left), Ok(right)) = (Number::parse(left), Number::parse(right)) else { return };
    assert_eq!(Number::parse(&left.to_string()), Ok(left));
    if let Ok(sum) = left.add(&right) {
        assert_eq!(sum.sub(&right), Ok(left));
    }
    let encode = |number: Number| {
        let mut bytes = Vec::new();
        number.encode_ordered(&mut bytes);
        bytes
    };
    assert_eq!(left.cmp(&right), encode(left).cmp(&encode(right)));
});
