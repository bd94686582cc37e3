//! `UpdateExpression`: how an item is changed.

use std::fmt;
use std::sync::Arc;

use types::KeySchema;

use super::Cache;
use super::error::{Error, Kind};
use super::path_set::PathSet;
use super::substitutions::{Binder, Bindings, Substitutions};
use super::update_apply::apply;
use super::update_check::check;
use super::update_tree::UpdateTree;
use crate::Item;

/// A bound `UpdateExpression`.
#[derive(Clone)]
pub struct Update {
    tree: Arc<UpdateTree>,
    bindings: Arc<Bindings>,
    touched: PathSet,
}

impl Update {
    /// Parses and binds a lone update, whose substitutions it must use up.
    pub fn parse(text: &str, substitutions: &Substitutions) -> Result<Update, Error> {
        let mut cache = Cache::new();
        let mut binder = Binder::new(substitutions, &mut cache)?;
        let update = binder.update(text)?;
        binder.finish().map(|()| update)
    }

    pub(super) fn bind(tree: Arc<UpdateTree>, bindings: Arc<Bindings>) -> Result<Update, Error> {
        let invalid = |cause| Error::Invalid { kind: Kind::Update, cause };
        let paths = tree.actions.iter().map(|action| &action.path);
        let touched = PathSet::new(paths, &bindings).map_err(invalid)?;
        check(&tree.actions, &bindings).map_err(invalid)?;
        Ok(Update { tree, bindings, touched })
    }

    /// Changes an item; an absent item is one of its key attributes alone. All right-hand sides and indexes
    /// mean the item as it was. On an error the item is as it was; the caller measures the result.
    pub fn apply(&self, item: &mut Item) -> Result<(), Error> {
        apply(&self.tree.actions, &self.bindings, item)
    }

    /// Whether it changes a top-level attribute, or something within it.
    pub fn touches(&self, name: &str) -> bool {
        self.touched.heads().any(|head| head == name)
    }

    /// Refuses an update of a key attribute.
    pub fn check(&self, key: &KeySchema) -> Result<(), Error> {
        match key.attributes().find(|attribute| self.touches(&attribute.name)) {
            Some(attribute) => Err(Error::UpdateKey { name: attribute.name.clone() }),
            None => Ok(()),
        }
    }

    /// What an item has in the places that this changes: `UPDATED_OLD` of the item before, `UPDATED_NEW` of
    /// the item after. Whole attributes stay whole; of lists and maps only the elements named are there.
    pub fn updated_attributes(&self, item: &Item) -> Item {
        self.touched.select(item)
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.tree.text
    }

    /// Adds the substitutions that it was bound to: whoever gets these and the text can bind it again.
    pub fn give_back(&self, substitutions: &mut Substitutions) {
        self.bindings.give_back(&self.tree.symbols, substitutions);
    }
}

/// Shows the text, never the values.
impl fmt::Debug for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Update").field(&self.text()).finish()
    }
}
