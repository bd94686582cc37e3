//! A condition or filter, ready to be asked of items.

use std::fmt;
use std::sync::Arc;

use types::KeySchema;

use super::Cache;
use super::condition_check::{check, visit_paths};
use super::condition_tree::ConditionTree;
use super::error::{Error, Kind};
use super::evaluate::holds;
use super::substitutions::{Binder, Bindings, Substitutions};
use crate::Item;

/// A bound `ConditionExpression` or `FilterExpression`.
#[derive(Clone)]
pub struct Condition {
    tree: Arc<ConditionTree>,
    bindings: Arc<Bindings>,
}

impl Condition {
    /// Parses and binds a lone `ConditionExpression`, whose substitutions it must use up.
    pub fn parse(text: &str, substitutions: &Substitutions) -> Result<Condition, Error> {
        let mut cache = Cache::new();
        let mut binder = Binder::new(substitutions, &mut cache)?;
        let condition = binder.condition(text)?;
        binder.finish().map(|()| condition)
    }

    pub(super) fn bind(
        kind: Kind,
        tree: Arc<ConditionTree>,
        bindings: Arc<Bindings>,
    ) -> Result<Condition, Error> {
        check(&tree.root, &tree.symbols, &bindings).map_err(|cause| Error::Invalid { kind, cause })?;
        Ok(Condition { tree, bindings })
    }

    /// Whether it holds for an item; an absent item is an empty one.
    pub fn evaluate(&self, item: &Item) -> bool {
        holds(&self.tree.root, item, &self.bindings)
    }

    /// Refuses the filter of a query that reads a key attribute: those belong in the key condition.
    pub fn check_filter(&self, key: &KeySchema) -> Result<(), Error> {
        let mut found = None;
        visit_paths(&self.tree.root, &mut |path| {
            let name = self.bindings.name(path.head());
            if key.has(name) {
                found.get_or_insert(name);
            }
        });
        match found {
            Some(name) => Err(Error::FilterKey { name: name.to_owned() }),
            None => Ok(()),
        }
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.tree.text
    }

    /// Adds the substitutions that it was bound to: whoever gets these and the text can bind it again.
    pub fn give_back(&self, substitutions: &mut Substitutions) {
        self.bindings.give_back(&self.tree.symbols, substitutions);
    }

    pub(super) fn tree(&self) -> &ConditionTree {
        &self.tree
    }

    pub(super) fn bindings(&self) -> &Bindings {
        &self.bindings
    }
}

/// Shows the text, never the values.
impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text()).finish()
    }
}
