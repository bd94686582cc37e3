//! Which crate may import which: the table of ARCHITECTURE, checked against what each `Cargo.toml` asks for.
//!
//! Cargo refuses a cycle by itself, but not an import that skips a layer downwards.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::tree::Source;

/// One row of the table: a crate's folder, whether it is pure, and the crates of ours that it may import.
struct Layer {
    folder: &'static str,
    pure: bool,
    may_import: &'static [&'static str],
}

const LAYERS: [Layer; 16] = [
    layer("server/types", true, &[]),
    layer("server/item", true, &["types"]),
    layer("proto", true, &["types", "item"]),
    layer("server/storage", true, &["types", "item"]),
    layer("server/disk", false, &["types", "storage"]),
    layer("server/consensus", true, &["types", "storage"]),
    layer("server/partition", true, &["types", "item", "storage"]),
    layer("server/region", true, &["types", "item", "storage", "consensus", "partition"]),
    layer("server/global", true, &["types", "item", "storage", "consensus", "partition", "region", "proto"]),
    layer(
        "server/shard",
        true,
        &["types", "item", "storage", "consensus", "partition", "region", "proto", "global"],
    ),
    layer("server/api", false, &["types", "item", "proto"]),
    layer("server/node", false, &ALL),
    layer("client", false, &["proto", "types", "item"]),
    layer("linearize", true, &[]),
    layer(
        "sim",
        false,
        &[
            "types",
            "item",
            "storage",
            "consensus",
            "partition",
            "region",
            "proto",
            "global",
            "shard",
            "api",
            "client",
            "linearize",
        ],
    ),
    layer("tests", false, &["client", "proto", "linearize"]),
];

const ALL: [&str; 12] = [
    "types",
    "item",
    "proto",
    "storage",
    "disk",
    "consensus",
    "partition",
    "region",
    "global",
    "shard",
    "api",
    "client",
];

const fn layer(folder: &'static str, pure: bool, may_import: &'static [&'static str]) -> Layer {
    Layer { folder, pure, may_import }
}

fn of_file(path: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| path.strip_prefix(layer.folder).is_some_and(|rest| rest.starts_with('/')))
}

/// Whether a file belongs to a crate without clock, threads and I/O.
pub fn is_pure(path: &str) -> bool {
    of_file(path).is_some_and(|layer| layer.pure)
}

/// Whether a file belongs to a server crate other than `node`, or to the messages.
pub fn is_below_node(path: &str) -> bool {
    (path.starts_with("server/") && !path.starts_with("server/node/")) || path.starts_with("proto/")
}

/// Whether attributes keep an item out of everything but its crate's own tests.
pub fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::NameValue(_) => false,
    })
}

/// Finds imports that the table does not grant, crates that it does not know, and crates outside the lints.
pub fn imports(manifests: &[Source]) -> Vec<Finding> {
    let ours: BTreeSet<&str> = LAYERS.iter().map(|layer| short_name(layer.folder)).collect();
    let mut found = Vec::new();
    for manifest in manifests.iter().filter(|manifest| !manifest.path.starts_with("fuzz/")) {
        let Some(layer) = of_file(&manifest.path) else {
            found.push(Finding::new(&manifest.path, 1, "a crate that the table of layers does not know"));
            continue;
        };
        let table: toml::Table =
            toml::from_str(&manifest.text).unwrap_or_else(|error| panic!("{}: {error}", manifest.path));
        if table.get("lints").and_then(|lints| lints.get("workspace")) != Some(&toml::Value::Boolean(true)) {
            found.push(Finding::new(&manifest.path, 1, "the crate does not take the workspace's lints"));
        }
        for name in dependencies(&table) {
            if ours.contains(name.as_str()) && !layer.may_import.contains(&name.as_str()) {
                let what = format!("`{}` may not import `{name}`", short_name(layer.folder));
                found.push(Finding::new(&manifest.path, 1, what));
            }
        }
    }
    found
}

fn short_name(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or(folder)
}

/// What a manifest depends on, for any purpose.
fn dependencies(table: &toml::Table) -> Vec<String> {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .filter_map(|kind| table.get(*kind)?.as_table())
        .flat_map(|kind| kind.keys().cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(path: &str, dependencies: &str) -> [Source; 1] {
        [Source::of(path, &format!("{dependencies}\n[lints]\nworkspace = true\n"))]
    }

    #[test]
    fn an_upward_import_is_found() {
        let upward = manifest("server/item/Cargo.toml", "[dependencies]\nstorage.workspace = true");
        let expected = Finding::new("server/item/Cargo.toml", 1, "`item` may not import `storage`");
        assert_eq!(imports(&upward), vec![expected]);
        let for_tests = manifest("server/item/Cargo.toml", "[dev-dependencies]\nshard.workspace = true");
        assert_eq!(imports(&for_tests).len(), 1);
        let granted = manifest("server/item/Cargo.toml", "[dependencies]\ntypes.workspace = true");
        assert!(imports(&granted).is_empty());
    }

    #[test]
    fn only_node_links_the_disk() {
        for layer in &LAYERS {
            let path = format!("{}/Cargo.toml", layer.folder);
            let found = imports(&manifest(&path, "[dependencies]\ndisk.workspace = true"));
            assert_eq!(found.is_empty(), layer.folder == "server/node", "{path}");
        }
    }

    #[test]
    fn a_crate_outside_the_table_or_the_lints_is_found() {
        assert_eq!(imports(&manifest("server/extra/Cargo.toml", "")).len(), 1);
        assert_eq!(imports(&[Source::of("client/Cargo.toml", "")]).len(), 1);
    }
}
