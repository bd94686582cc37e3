//! Names are words that can be said aloud: no abbreviations, no drawers for odds and ends, no versions.
//!
//! Only names that we give are judged, not those of libraries that we call.

use std::path::Path;

use proc_macro2::Ident;
use syn::visit::{self, Visit};

use crate::finding::Finding;
use crate::tree::Source;

/// Words that no name of ours contains, each with what to write instead.
const FORBIDDEN: [(&str, &str); 22] = [
    ("misc", "name what it is for"),
    ("helper", "name what it does"),
    ("helpers", "name what they do"),
    ("util", "name what it is for"),
    ("utils", "name what they are for"),
    ("manager", "name what it does"),
    ("v2", "give it a name of its own"),
    ("cfg", "settings"),
    ("cnt", "count"),
    ("ctx", "context"),
    ("err", "error"),
    ("idx", "index"),
    ("mgr", "name what it does"),
    ("msg", "message"),
    ("msgs", "messages"),
    ("num", "number, or what is counted"),
    ("param", "name the parameter"),
    ("ptr", "pointer"),
    ("req", "request"),
    ("resp", "response"),
    ("tbl", "table"),
    ("txn", "transaction"),
];

/// Finds forbidden words in the file's name and in every name that it gives.
pub fn abbreviations(source: &Source) -> Vec<Finding> {
    let file = syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let mut names = Names { given: Vec::new() };
    names.visit_file(&file);
    let of_path = Path::new(&source.path).with_extension("");
    let folders = of_path.iter().map(|part| (1, part.to_string_lossy().into_owned()));
    let given = names.given.into_iter().chain(folders);
    given.filter_map(|(line, name)| judge(&source.path, line, &name)).collect()
}

fn judge(path: &str, line: usize, name: &str) -> Option<Finding> {
    let words = words(name);
    let (_, instead) = FORBIDDEN.iter().find(|(word, _)| words.iter().any(|own| own == word))?;
    Some(Finding::new(path, line, format!("the name `{name}`: {instead}")))
}

/// The words of a name in snake or camel case, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for letter in name.chars() {
        let opens = letter.is_uppercase() && after_small;
        if opens || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        after_small = letter.is_lowercase();
        if letter.is_alphanumeric() {
            words.last_mut().expect("it holds one from the start").extend(letter.to_lowercase());
        }
    }
    words
}

/// Gathers the names that a file gives.
struct Names {
    given: Vec<(usize, String)>,
}

impl Names {
    fn note(&mut self, name: &Ident) {
        self.given.push((name.span().start().line, name.to_string()));
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Const(item) => self.note(&item.ident),
            syn::Item::Enum(item) => self.note(&item.ident),
            syn::Item::Mod(item) => self.note(&item.ident),
            syn::Item::Static(item) => self.note(&item.ident),
            syn::Item::Struct(item) => self.note(&item.ident),
            syn::Item::Trait(item) => self.note(&item.ident),
            syn::Item::Type(item) => self.note(&item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.note(&signature.ident);
        visit::visit_signature(self, signature);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        field.ident.iter().for_each(|name| self.note(name));
        visit::visit_field(self, field);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.note(&variant.ident);
        visit::visit_variant(self, variant);
    }

    fn visit_pat_ident(&mut self, name: &'ast syn::PatIdent) {
        self.note(&name.ident);
        visit::visit_pat_ident(self, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        assert_eq!(words("TxnManager"), ["txn", "manager"]);
        assert_eq!(words("next_idx"), ["next", "idx"]);
        assert_eq!(words("NAMES_MAX"), ["names", "max"]);
        assert_eq!(words("put_v2"), ["put", "v2"]);
    }

    #[test]
    fn bad_names_are_found_wherever_they_are_given() {
        let bad = [
            "struct TxnLog;",
            "fn send_msg() {}",
            "struct A { idx: u8 }",
            "enum A { ReqSent }",
            "fn a(ctx: u8) {}",
            "fn a() { let cfg = 1; }",
            "fn a() { b(|err| 1) }",
            "impl A { fn put_v2(&self) {} }",
            "mod utils;",
            "const CNT: u8 = 1;",
        ];
        for text in bad {
            assert_eq!(abbreviations(&Source::of("a.rs", text)).len(), 1, "{text}");
        }
        assert_eq!(abbreviations(&Source::of("src/string_helper.rs", "")).len(), 1);
    }

    #[test]
    fn whole_words_and_names_of_others_pass() {
        let good = "fn requested(message: u8) { raft.msg_type(); let context = b.ctx; } struct Number;";
        assert!(abbreviations(&Source::of("server/number.rs", good)).is_empty());
    }
}
