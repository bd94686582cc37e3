//! Committed bytes of stored and shipped formats, compared with what today's code reads and writes.
//!
//! For tests alone, behind the feature `testing`. A fixture holds a name and bytes in hexadecimal per line. A
//! line may be added when a format is; none may ever change, because disks and peers out there hold those
//! bytes.

/// Checks that today's code writes the fixture's lines, and that each decodes and encodes to itself.
pub fn check(text: &str, cases: &[(&str, Vec<u8>)], recode: impl Fn(&str, &[u8]) -> Option<Vec<u8>>) {
    let written: String = cases.iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect();
    assert_eq!(text, written, "the fixture is not what this code writes");
    for line in text.lines() {
        let (name, bytes) = line.split_once(' ').expect("a line is a name, a space and bytes");
        let bytes = unhex(bytes);
        assert_eq!(recode(name, &bytes), Some(bytes), "{line}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("two hexadecimal digits");
    (0..text.len()).step_by(2).map(digit).collect()
}
