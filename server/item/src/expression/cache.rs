//! Parsed expressions, kept by their text.
//!
//! Applications send few texts many times, with other values each time; a tree knows no values, so it serves
//! them all. Bounded in number and in text, and what was used longest ago goes first. Only what was parsed
//! is kept: errors are found again each time.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::limits::{EXPRESSION_CACHE_BYTES_MAX, EXPRESSION_CACHE_ENTRIES_MAX};

use super::condition_parser::parse_condition;
use super::condition_tree::ConditionTree;
use super::error::{Error, Kind};
use super::projection::{ProjectionTree, parse_projection};
use super::update_parser::parse_update;
use super::update_tree::UpdateTree;

/// A bounded cache of parsed expressions.
#[derive(Default)]
pub struct Cache {
    entries: BTreeMap<Arc<str>, Entry>,
    /// Texts by the time of their last use.
    by_use: BTreeMap<u64, Arc<str>>,
    uses: u64,
    bytes: usize,
}

struct Entry {
    tree: Tree,
    used: u64,
}

/// No text is well formed in two grammars, so the text alone finds the tree.
#[derive(Clone)]
enum Tree {
    Condition(Arc<ConditionTree>),
    Projection(Arc<ProjectionTree>),
    Update(Arc<UpdateTree>),
}

impl Cache {
    /// An empty cache.
    pub fn new() -> Self {
        Cache::default()
    }

    /// How many expressions it keeps.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it keeps none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn condition(&mut self, kind: Kind, text: &str) -> Result<Arc<ConditionTree>, Error> {
        if let Some(Tree::Condition(tree)) = self.get(text) {
            return Ok(tree);
        }
        let tree = Arc::new(parse_condition(kind, text)?);
        self.put(tree.text.clone(), Tree::Condition(tree.clone()));
        Ok(tree)
    }

    pub(super) fn projection(&mut self, text: &str) -> Result<Arc<ProjectionTree>, Error> {
        if let Some(Tree::Projection(tree)) = self.get(text) {
            return Ok(tree);
        }
        let tree = Arc::new(parse_projection(text)?);
        self.put(tree.text.clone(), Tree::Projection(tree.clone()));
        Ok(tree)
    }

    pub(super) fn update(&mut self, text: &str) -> Result<Arc<UpdateTree>, Error> {
        if let Some(Tree::Update(tree)) = self.get(text) {
            return Ok(tree);
        }
        let tree = Arc::new(parse_update(text)?);
        self.put(tree.text.clone(), Tree::Update(tree.clone()));
        Ok(tree)
    }

    fn get(&mut self, text: &str) -> Option<Tree> {
        let entry = self.entries.get_mut(text)?;
        self.uses += 1;
        if let Some(text) = self.by_use.remove(&entry.used) {
            self.by_use.insert(self.uses, text);
        }
        entry.used = self.uses;
        Some(entry.tree.clone())
    }

    fn put(&mut self, text: Arc<str>, tree: Tree) {
        self.remove(&text);
        self.uses += 1;
        self.bytes += text.len();
        self.by_use.insert(self.uses, text.clone());
        self.entries.insert(text, Entry { tree, used: self.uses });
        while self.entries.len() > EXPRESSION_CACHE_ENTRIES_MAX || self.bytes > EXPRESSION_CACHE_BYTES_MAX {
            let Some(oldest) = self.by_use.first_key_value().map(|(_, text)| text.clone()) else { break };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, text: &str) {
        if let Some(entry) = self.entries.remove(text) {
            self.by_use.remove(&entry.used);
            self.bytes -= text.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parsed_once() {
        let mut cache = Cache::new();
        let first = cache.condition(Kind::Condition, "a = :v").unwrap();
        let second = cache.condition(Kind::Filter, "a = :v").unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert!(cache.condition(Kind::Condition, "a = ").is_err());
        assert!(cache.projection("a = :v").is_err());
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut cache = Cache::new();
        for number in 0..EXPRESSION_CACHE_ENTRIES_MAX {
            cache.projection(&format!("p{number}")).unwrap();
        }
        cache.projection("p0").unwrap();
        cache.projection("one_more").unwrap();
        assert_eq!(cache.len(), EXPRESSION_CACHE_ENTRIES_MAX);
        assert!(cache.entries.contains_key("p0"));
        assert!(!cache.entries.contains_key("p1"));
        assert_eq!(cache.by_use.len(), cache.entries.len());
    }

    #[test]
    fn long_texts_are_bounded_by_their_bytes() {
        let mut cache = Cache::new();
        let long = "x".repeat(4000);
        for number in 0..EXPRESSION_CACHE_BYTES_MAX / 4000 + 10 {
            cache.update(&format!("REMOVE {long}{number}")).unwrap();
        }
        assert!(cache.bytes <= EXPRESSION_CACHE_BYTES_MAX);
        assert_eq!(cache.bytes, cache.entries.keys().map(|text| text.len()).sum::<usize>());
    }
}
