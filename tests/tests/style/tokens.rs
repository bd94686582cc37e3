//! Rules on tokens, which see into macros as well: function length, things left undone, lint exceptions.
//!
//! Comments and strings are no tokens, so nothing that they say is judged here.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::finding::Finding;
use crate::tree::Source;

const FUNCTION_LINES_MAX: usize = 70;

/// A function fits a screen, from its `fn` to its closing brace.
pub fn function_length(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    each_level(source, &mut |level| {
        for (at, name) in function_names(level) {
            let body = level[at..].iter().take_while(|token| !is_punct(token, ';')).find_map(braces);
            let first = level[at].span().start().line;
            let Some(last) = body.map(|body| body.span_close().end().line) else { continue };
            let lines = last + 1 - first;
            if lines > FUNCTION_LINES_MAX {
                let what = format!("function `{name}` has {lines} lines, of at most {FUNCTION_LINES_MAX}");
                found.push(Finding::new(&source.path, first, what));
            }
        }
    });
    found
}

/// No code that only promises to exist, and no test that does not run.
pub fn unfinished(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    each_level(source, &mut |level| {
        for pair in level.windows(2) {
            let line = pair[0].span().start().line;
            if let TokenTree::Ident(name) = &pair[0]
                && is_punct(&pair[1], '!')
                && ["todo", "unimplemented", "dbg"].contains(&name.to_string().as_str())
            {
                found.push(Finding::new(&source.path, line, format!("`{name}!`")));
            }
            if attribute(pair).is_some_and(|inside| inside.to_string().starts_with("ignore")) {
                found.push(Finding::new(&source.path, line, "an ignored test"));
            }
        }
    });
    found
}

/// Every `allow` and `expect` says why.
pub fn lint_exceptions(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    each_level(source, &mut |level| {
        for pair in level.windows(2) {
            let Some(inside) = attribute(pair).or_else(|| inner_attribute(pair)) else { continue };
            let text = inside.to_string();
            let excepts = ["allow", "expect"]
                .iter()
                .any(|lint| text.starts_with(&format!("{lint} (")) || text.starts_with(&format!("{lint}(")));
            if excepts && !text.contains("reason =") {
                let line = pair[0].span().start().line;
                found.push(Finding::new(&source.path, line, "a lint exception without a reason"));
            }
        }
    });
    found
}

/// Shows every sequence of tokens to `look`: the file's own and each group's.
fn each_level(source: &Source, look: &mut impl FnMut(&[TokenTree])) {
    let stream = TokenStream::from_str(&source.text);
    descend(stream.unwrap_or_else(|error| panic!("{}: {error}", source.path)), look);
}

fn descend(stream: TokenStream, look: &mut impl FnMut(&[TokenTree])) {
    let level: Vec<TokenTree> = stream.into_iter().collect();
    look(&level);
    for token in level {
        if let TokenTree::Group(group) = token {
            descend(group.stream(), look);
        }
    }
}

/// Where `fn` stands before a name; a pointer's type has none.
fn function_names(level: &[TokenTree]) -> Vec<(usize, String)> {
    let pairs = level.windows(2).enumerate();
    pairs
        .filter_map(|(at, pair)| match pair {
            [TokenTree::Ident(word), TokenTree::Ident(name)] if word == "fn" => Some((at, name.to_string())),
            _ => None,
        })
        .collect()
}

fn is_punct(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}

fn braces(token: &TokenTree) -> Option<&Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
        _ => None,
    }
}

/// The inside of `#[…]`.
fn attribute(pair: &[TokenTree]) -> Option<TokenStream> {
    match pair {
        [mark, TokenTree::Group(group)] if is_punct(mark, '#') && group.delimiter() == Delimiter::Bracket => {
            Some(group.stream())
        }
        _ => None,
    }
}

/// The inside of the brackets of `#![…]`, seen from its `!`.
fn inner_attribute(pair: &[TokenTree]) -> Option<TokenStream> {
    match pair {
        [mark, TokenTree::Group(group)] if is_punct(mark, '!') && group.delimiter() == Delimiter::Bracket => {
            Some(group.stream())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!("fn long() -> u8 {{\n{}0 }}\n", "a();\n".repeat(lines - 2))
    }

    #[test]
    fn a_long_function_is_found_in_an_impl_and_in_a_macro() {
        for (open, close) in [("", ""), ("impl A {\n", "}"), ("proptest! {\n", "}")] {
            let fits = format!("{open}{}{close}", function(FUNCTION_LINES_MAX));
            assert!(function_length(&Source::of("a.rs", &fits)).is_empty());
            let long = format!("{open}{}{close}", function(FUNCTION_LINES_MAX + 1));
            assert_eq!(function_length(&Source::of("a.rs", &long)).len(), 1, "{open}");
        }
    }

    #[test]
    fn a_declaration_has_no_length() {
        let text = format!("trait A {{ fn a(&self);\n mod b {{ {} }} }}", "x();\n".repeat(90));
        assert!(function_length(&Source::of("a.rs", &text)).is_empty());
    }

    #[test]
    fn what_is_undone_is_found() {
        for bad in ["fn a() { todo!() }", "fn a() { b(unimplemented!()) }", "#[ignore] #[test] fn a() {}"] {
            assert_eq!(unfinished(&Source::of("a.rs", bad)).len(), 1, "{bad}");
        }
        assert_eq!(unfinished(&Source::of("a.rs", "m! { #[ignore = \"slow\"] fn a() {} }")).len(), 1);
        assert!(unfinished(&Source::of("a.rs", "// todo!()\nfn a() { f(\"todo!()\") }")).is_empty());
    }

    #[test]
    fn a_lint_exception_needs_a_reason() {
        for bad in
            ["#[allow(dead_code)] fn a() {}", "#![expect(missing_docs)]", "m! { #[expect(x)] fn a() {} }"]
        {
            assert_eq!(lint_exceptions(&Source::of("a.rs", bad)).len(), 1, "{bad}");
        }
        for good in ["#[allow(dead_code, reason = \"because\")] fn a() {}", "#[derive(Debug)] struct A;"] {
            assert!(lint_exceptions(&Source::of("a.rs", good)).is_empty(), "{good}");
        }
    }
}
