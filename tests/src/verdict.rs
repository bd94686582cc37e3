//! What a part of `make accept` found: each bound, whether it held, and one JSON of figures and verdict.
//!
//! Counts are asserted where they are counted, always. Times depend on the machine, so they come here and are
//! judged only when nothing else runs on it.

use serde_json::{Value, json};

use crate::{report, settings};

/// The bounds of one part.
#[derive(Debug, Default)]
pub struct Verdict {
    held: Vec<String>,
    broken: Vec<String>,
    void: Vec<String>,
}

impl Verdict {
    /// A figure that must not be less.
    pub fn at_least(&mut self, what: &str, figure: f64, bound: f64) {
        self.note(figure >= bound, format!("{what}: {}, at least {}", rounded(figure), rounded(bound)));
    }

    /// A figure that must not be more.
    pub fn at_most(&mut self, what: &str, figure: f64, bound: f64) {
        self.note(figure <= bound, format!("{what}: {}, at most {}", rounded(figure), rounded(bound)));
    }

    /// A bound that this machine cannot decide.
    pub fn void(&mut self, why: String) {
        self.void.push(why);
    }

    fn note(&mut self, holds: bool, line: String) {
        if holds { &mut self.held } else { &mut self.broken }.push(line);
    }

    /// Reports the figures of a part, and fails the test if times are judged and a bound is broken.
    pub fn close(self, part: &str, mut figures: Value) {
        figures["verdict"] = json!(self.word(settings::judges_times()));
        figures["bounds"] = json!({ "held": self.held, "broken": self.broken, "void": self.void });
        report::figures(part, figures);
        let broken = self.broken.join("\n");
        assert!(!settings::judges_times() || broken.is_empty(), "{part}:\n{broken}");
    }

    fn word(&self, judged: bool) -> &'static str {
        match (judged, self.broken.is_empty(), self.void.is_empty()) {
            (false, ..) => "not judged",
            (true, false, _) => "broken",
            (true, true, false) => "void",
            (true, true, true) => "held",
        }
    }
}

/// The middle one of some figures, of which there is at least one.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A figure with as many digits as a reader wants.
pub fn rounded(figure: f64) -> f64 {
    let scale = if figure.abs() < 100.0 { 1000.0 } else { 1.0 };
    (figure * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_bound_outweighs_a_void_one() {
        let mut verdict = Verdict::default();
        assert_eq!((verdict.word(true), verdict.word(false)), ("held", "not judged"));
        verdict.at_least("gets", 3.0, 3.0);
        verdict.at_most("memory", 1.0, 1.25);
        assert_eq!(verdict.word(true), "held");
        verdict.void("a slow disk".to_owned());
        assert_eq!(verdict.word(true), "void");
        verdict.at_least("puts", 1.4999, 1.5);
        assert_eq!((verdict.word(true), verdict.broken.len()), ("broken", 1));
    }

    #[test]
    fn what_is_no_number_keeps_no_bound() {
        let mut verdict = Verdict::default();
        verdict.at_least("nothing", f64::NAN, 1.0);
        verdict.at_most("nothing", f64::NAN, 1.0);
        assert_eq!(verdict.broken.len(), 2);
    }

    #[test]
    fn the_median_is_not_moved_by_one_bad_round() {
        assert_eq!(median([3.0, 1.0, 1000.0, 2.0, 4.0]), 3.0);
        assert_eq!(median([7.0]), 7.0);
        assert_eq!((rounded(1.23456), rounded(12345.6)), (1.235, 12346.0));
    }
}
