//! Below `node` an error is a type: callers match on it, and its text is made where it is shown.

use syn::visit::{self, Visit};

use crate::finding::Finding;
use crate::layers;
use crate::tree::Source;

/// Finds variants of error enums that are only text, and results whose error is text.
pub fn text_for_errors(source: &Source) -> Vec<Finding> {
    if !layers::is_below_node(&source.path) {
        return Vec::new();
    }
    let file = syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let mut errors = Errors { path: &source.path, found: Vec::new() };
    errors.visit_file(&file);
    errors.found
}

struct Errors<'a> {
    path: &'a str,
    found: Vec<Finding>,
}

impl<'ast> Visit<'ast> for Errors<'_> {
    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        if item.ident.to_string().ends_with("Error") || derives_error(item) {
            for variant in &item.variants {
                let syn::Fields::Unnamed(fields) = &variant.fields else { continue };
                if fields.unnamed.iter().any(|field| is_string(&field.ty)) {
                    let line = variant.ident.span().start().line;
                    let what = format!("error variant `{}` is only text", variant.ident);
                    self.found.push(Finding::new(self.path, line, what));
                }
            }
        }
        visit::visit_item_enum(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !layers::is_test_only(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
        if segment.ident == "Result"
            && let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments
            && let Some(syn::GenericArgument::Type(error)) = arguments.args.iter().nth(1)
            && is_string(error)
        {
            let line = segment.ident.span().start().line;
            self.found.push(Finding::new(self.path, line, "a result whose error is only text"));
        }
        visit::visit_path_segment(self, segment);
    }
}

fn derives_error(item: &syn::ItemEnum) -> bool {
    item.attrs.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("derive") && list.tokens.to_string().contains("Error"),
        _ => false,
    })
}

fn is_string(of: &syn::Type) -> bool {
    let syn::Type::Path(of) = of else { return false };
    of.path.segments.last().is_some_and(|last| last.ident == "String")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BELOW: &str = "server/storage/src/a.rs";

    #[test]
    fn text_for_an_error_is_found() {
        let bad = [
            "enum ReadError { Broken(String) }",
            "#[derive(Debug, thiserror::Error)] enum Broken { Other(std::string::String) }",
            "fn a() -> Result<u8, String> { b() }",
        ];
        for text in bad {
            assert_eq!(text_for_errors(&Source::of(BELOW, text)).len(), 1, "{text}");
            assert!(text_for_errors(&Source::of("server/node/src/a.rs", text)).is_empty(), "{text}");
        }
    }

    #[test]
    fn typed_fields_and_tests_pass() {
        let good = [
            "enum Error { UnknownTable { name: String } }",
            "enum Answer { Text(String) }",
            "fn a() -> Result<String, Error> { b() }",
            "#[cfg(test)] mod tests { fn a() -> Result<u8, String> { b() } }",
        ];
        for text in good {
            assert!(text_for_errors(&Source::of(BELOW, text)).is_empty(), "{text}");
        }
    }
}
