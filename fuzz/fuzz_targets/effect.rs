//! Effects and remembered outcomes: bytes of the log taken as one are its one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use partition::{Effect, remembered};

fuzz_target!(|input: &[u8]| {
    if let Ok(effect) = Effect::decode(input) {
        assert_eq!(effect.encode(), input, "{effect:?} has a second encoding");
    }
    if let Ok(answer) = remembered::decode(input) {
        assert_eq!(remembered::encode(&answer).as_deref(), Some(input), "{answer:?} has a second encoding");
    }
});
