//! Rules on plain lines: how a file opens, how long it is, how wide, and that comments are no ornaments.

use crate::finding::Finding;
use crate::tree::Source;

const FILE_LINES_MAX: usize = 499;
const LINE_COLUMNS_MAX: usize = 110;

/// A module says first what it is for.
pub fn opens_with_module_docs(source: &Source) -> Vec<Finding> {
    let first = source.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    if first.starts_with("//! ") {
        return Vec::new();
    }
    vec![Finding::new(&source.path, 1, "the file does not open with `//!`, saying what it is for")]
}

/// A file can be read in one go; its unit tests are not counted.
pub fn file_length(source: &Source) -> Vec<Finding> {
    let before_tests = |line: &&str| source.is_test() || line.trim_end() != "#[cfg(test)]";
    let lines = source.text.lines().take_while(before_tests).count();
    if lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![Finding::new(
        &source.path,
        lines,
        format!("{lines} lines before tests, of at most {FILE_LINES_MAX}"),
    )]
}

/// A line fits beside another file.
pub fn line_length(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().enumerate();
    let long = lines.filter(|(_, line)| line.chars().count() > LINE_COLUMNS_MAX);
    long.map(|(at, line)| {
        let columns = line.chars().count();
        Finding::new(&source.path, at + 1, format!("{columns} columns, of at most {LINE_COLUMNS_MAX}"))
    })
    .collect()
}

/// Comments hold sentences, not rulers.
pub fn banners(source: &Source) -> Vec<Finding> {
    let is_banner = |line: &str| {
        let line = line.trim_start();
        line.starts_with("////")
            || line.strip_prefix("//").is_some_and(|comment| {
                let comment = comment.trim();
                ["----", "====", "****", "####", "~~~~", "____"]
                    .iter()
                    .any(|ruler| comment.starts_with(ruler))
            })
    };
    let lines = source.text.lines().enumerate().filter(|(_, line)| is_banner(line));
    lines.map(|(at, _)| Finding::new(&source.path, at + 1, "a banner in a comment")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_purpose_is_found() {
        let silent = Source::of("a.rs", "\nuse std::fmt;\n//! Too late.\n");
        assert_eq!(opens_with_module_docs(&silent).len(), 1);
        assert!(opens_with_module_docs(&Source::of("a.rs", "//! Says what.\n")).is_empty());
    }

    #[test]
    fn a_long_file_is_found_and_unit_tests_do_not_count() {
        let body = "fn a() {}\n".repeat(FILE_LINES_MAX);
        assert!(file_length(&Source::of("a/src/b.rs", &body)).is_empty());
        assert_eq!(file_length(&Source::of("a/src/b.rs", &format!("{body}//\n"))).len(), 1);
        let tested = format!("{body}#[cfg(test)]\nmod tests {{}}\n");
        assert!(file_length(&Source::of("a/src/b.rs", &tested)).is_empty());
        assert_eq!(file_length(&Source::of("a/tests/b.rs", &tested)).len(), 1);
    }

    #[test]
    fn a_wide_line_is_found_where_it_stands() {
        let wide = "é".repeat(LINE_COLUMNS_MAX + 1);
        let found = line_length(&Source::of("a.rs", &format!("x\n{wide}\n")));
        assert_eq!(found, vec![Finding::new("a.rs", 2, "111 columns, of at most 110")]);
        assert!(line_length(&Source::of("a.rs", &"é".repeat(LINE_COLUMNS_MAX))).is_empty());
    }

    #[test]
    fn a_banner_is_found() {
        for bad in ["// ---- reading ----", "    // ======", "/////////"] {
            assert_eq!(banners(&Source::of("a.rs", bad)).len(), 1, "{bad}");
        }
        for good in ["// A dash - and more.", "/// | --- | --- |", "let a = \"----\";"] {
            assert!(banners(&Source::of("a.rs", good)).is_empty(), "{good}");
        }
    }
}
