//! Compares a kind's committed fixture with what today's code reads and writes.
//!
//! A fixture holds one key and value per line, in hexadecimal. A line may be added when a format is; none may
//! ever change, because disks out there hold those bytes.

use crate::Error;

type Pair = (Vec<u8>, Vec<u8>);

/// Checks that today's code writes the fixture's lines, and that each decodes and encodes to itself.
pub fn check(kind: &str, text: &str, cases: &[Pair], recode: impl Fn(&[u8], &[u8]) -> Result<Pair, Error>) {
    let written: String = cases.iter().map(|(key, value)| format!("{} {}\n", hex(key), hex(value))).collect();
    assert_eq!(text, written, "fixtures/{kind}.hex is not what this code writes");
    for line in text.lines() {
        let (key, value) = line.split_once(' ').expect("a line is a key, a space and a value");
        let (key, value) = (unhex(key), unhex(value));
        assert_eq!(recode(&key, &value), Ok((key, value)), "fixtures/{kind}.hex: {line}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("two hexadecimal digits");
    (0..text.len()).step_by(2).map(digit).collect()
}
