//! The pure crates get time and chance as arguments: nothing of theirs can name a clock, a thread or a file.
//!
//! Clippy forbids the common types and methods; this closes the modules around them. Unit tests are free.

use syn::visit::{self, Visit};

use crate::finding::Finding;
use crate::layers;
use crate::tree::Source;

const FORBIDDEN: [&str; 7] = ["env", "fs", "net", "os", "process", "thread", "time"];

/// Finds paths into the modules of `std` that reach outside the program, and libraries that do.
pub fn impure_paths(source: &Source) -> Vec<Finding> {
    if !layers::is_pure(&source.path) || source.is_test() {
        return Vec::new();
    }
    let file = syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let mut paths = Paths { path: &source.path, found: Vec::new() };
    paths.visit_file(&file);
    paths.found
}

struct Paths<'a> {
    path: &'a str,
    found: Vec<Finding>,
}

impl Paths<'_> {
    fn judge(&mut self, words: &[String], line: usize) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let duration = words == ["std", "time", "Duration"];
        let reaches_out = match words.as_slice() {
            ["std", module, ..] => FORBIDDEN.contains(module) && !duration,
            ["tokio" | "libc", ..] => true,
            _ => false,
        };
        if reaches_out {
            self.found.push(Finding::new(self.path, line, format!("`{}` in a pure crate", words.join("::"))));
        }
    }

    fn judge_use(&mut self, prefix: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.judge_use(prefix, &path.tree);
                prefix.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.judge_use(prefix, tree)),
            syn::UseTree::Name(name) => self.judge_leaf(prefix, &name.ident),
            syn::UseTree::Rename(rename) => self.judge_leaf(prefix, &rename.ident),
            syn::UseTree::Glob(glob) => self.judge(prefix, glob.star_token.spans[0].start().line),
        }
    }

    fn judge_leaf(&mut self, prefix: &mut Vec<String>, leaf: &proc_macro2::Ident) {
        prefix.push(leaf.to_string());
        self.judge(prefix, leaf.span().start().line);
        prefix.pop();
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !layers::is_test_only(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.judge_use(&mut Vec::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.segments.first().map_or(0, |first| first.ident.span().start().line);
        self.judge(&words, line);
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURE: &str = "server/shard/src/a.rs";

    #[test]
    fn a_way_out_of_a_pure_crate_is_found() {
        let bad = [
            "use std::time::Instant;",
            "use std::{fmt, thread};",
            "use std::fs::*;",
            "fn a() { std::thread::yield_now() }",
            "use std::time::{Duration, SystemTime as Wall};",
            "fn a() { tokio::spawn(b()) }",
        ];
        for text in bad {
            assert_eq!(impure_paths(&Source::of(PURE, text)).len(), 1, "{text}");
            assert!(impure_paths(&Source::of("server/node/src/a.rs", text)).is_empty(), "{text}");
        }
    }

    #[test]
    fn what_stays_inside_passes() {
        let good = [
            "use std::collections::BTreeMap;",
            "use std::time::Duration;",
            "#[cfg(test)] mod tests { use std::fs; }",
            "#[cfg(test)] use std::time::Instant;",
        ];
        for text in good {
            assert!(impure_paths(&Source::of(PURE, text)).is_empty(), "{text}");
        }
    }
}
