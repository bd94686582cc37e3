//! The trace of a run: everything that happened, folded into one number.
//!
//! Two runs of a seed must fold to the same number, or something asked the machine for time, chance or an
//! address. Lines are only written down when somebody wants to read them: a run that failed is made again so.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Notes between two marks, so that the place where two runs part can be named.
const NOTES_PER_MARK: u64 = 1024;

/// The trace of a run.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    hash: u64,
    notes: u64,
    marks: Vec<u64>,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// A trace; `written` keeps a line for each event.
    pub fn new(written: bool) -> Self {
        Trace { lines: written.then(Vec::new), ..Trace::default() }
    }

    /// Folds in an event: when, of which kind, two numbers that tell which, and its bytes.
    pub fn note(&mut self, at_ns: u64, kind: &'static str, numbers: [u64; 2], bytes: &[u8]) {
        let mut head = [0; 32];
        head[..8].copy_from_slice(&at_ns.to_be_bytes());
        head[8..16].copy_from_slice(&numbers[0].to_be_bytes());
        head[16..24].copy_from_slice(&numbers[1].to_be_bytes());
        let kind_bytes = &kind.as_bytes()[..kind.len().min(8)];
        head[24..24 + kind_bytes.len()].copy_from_slice(kind_bytes);
        self.hash = xxh3_64_with_seed(&head, self.hash);
        self.fold(bytes);
        self.notes += 1;
        if self.notes.is_multiple_of(NOTES_PER_MARK) {
            self.marks.push(self.hash);
        }
        if self.is_written() {
            self.line(at_ns, format!("{kind} {numbers:?} {} bytes", bytes.len()));
        }
    }

    /// Folds in bytes alone.
    pub fn fold(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.hash = xxh3_64_with_seed(bytes, self.hash);
        }
    }

    /// Whether lines are kept: only then is it worth making one.
    pub fn is_written(&self) -> bool {
        self.lines.is_some()
    }

    /// Keeps a line, which is not folded in.
    pub fn line(&mut self, at_ns: u64, line: String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>14.6}  {line}", at_ns as f64 / 1e9));
        }
    }

    /// The number that everything folded to.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many events were noted.
    pub fn notes(&self) -> u64 {
        self.notes
    }

    /// The lines, oldest first.
    pub fn lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }

    /// The first event, give or take a thousand, at which another trace differs; `None` when none does.
    pub fn parts_from(&self, other: &Trace) -> Option<u64> {
        if self.hash == other.hash && self.notes == other.notes {
            return None;
        }
        let same = self.marks.iter().zip(&other.marks).take_while(|(one, two)| one == two).count();
        Some(same as u64 * NOTES_PER_MARK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(kinds: impl Iterator<Item = &'static str>) -> Trace {
        let mut trace = Trace::new(true);
        for (at_ns, kind) in kinds.enumerate() {
            trace.note(at_ns as u64, kind, [1, 2], b"bytes");
        }
        trace
    }

    #[test]
    fn equal_events_fold_to_one_number_and_others_do_not() {
        let one = trace(std::iter::repeat_n("turn", 5000));
        assert_eq!(one.parts_from(&trace(std::iter::repeat_n("turn", 5000))), None);
        let other = trace(std::iter::repeat_n("turn", 3000).chain(std::iter::repeat_n("sync", 2000)));
        assert_eq!(one.parts_from(&other), Some(2048));
        assert_eq!(one.parts_from(&trace(std::iter::repeat_n("turn", 4999))), Some(4096));
        assert_eq!(one.lines().len(), 5000);
    }
}
