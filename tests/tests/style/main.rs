//! The project's taste, as far as a program can judge it: CONTRIBUTING states the rules, this keeps them.
//!
//! Each rule is a plain function from a file's text to what it found, so that each is tried on bad snippets
//! as well: a rule that cannot fail is not a rule. It must not judge meaning; reviewers do that.

mod documents;
mod errors;
mod finding;
mod layers;
mod names;
mod purity;
mod text;
mod tokens;
mod tree;

use finding::Finding;

/// Fails with every finding, one a line.
fn assert_none(mut findings: Vec<Finding>) {
    findings.sort();
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "{} finding(s):\n{}", lines.len(), lines.join("\n"));
}

/// Applies a rule to every source file of the workspace.
fn over_sources(rule: impl Fn(&tree::Source) -> Vec<Finding>) -> Vec<Finding> {
    let sources = tree::sources();
    assert!(sources.len() > 50, "only {} source files found: is the walk broken?", sources.len());
    sources.iter().flat_map(rule).collect()
}

#[test]
fn files_open_with_their_purpose() {
    assert_none(over_sources(text::opens_with_module_docs));
}

#[test]
fn files_are_short() {
    assert_none(over_sources(text::file_length));
}

#[test]
fn lines_are_short() {
    assert_none(over_sources(text::line_length));
}

#[test]
fn comments_are_sentences_not_banners() {
    assert_none(over_sources(text::banners));
}

#[test]
fn functions_fit_a_screen() {
    assert_none(over_sources(tokens::function_length));
}

#[test]
fn nothing_is_left_undone_or_ignored() {
    assert_none(over_sources(tokens::unfinished));
}

#[test]
fn exceptions_to_lints_have_reasons() {
    assert_none(over_sources(tokens::lint_exceptions));
}

#[test]
fn names_are_whole_words() {
    assert_none(over_sources(names::abbreviations));
}

#[test]
fn errors_are_typed_below_node() {
    assert_none(over_sources(errors::text_for_errors));
}

#[test]
fn pure_crates_touch_neither_clock_nor_disk() {
    assert_none(over_sources(purity::impure_paths));
}

#[test]
fn crates_import_downwards_only() {
    assert_none(layers::imports(&tree::manifests()));
}

#[test]
fn cited_rules_are_explained() {
    let architecture = tree::read("ARCHITECTURE.md");
    assert_none(over_sources(|source| documents::unexplained_rules(source, &architecture)));
}

#[test]
fn no_registry_host_is_named() {
    assert_none(tree::texts().iter().flat_map(documents::registry_hosts).collect());
}
