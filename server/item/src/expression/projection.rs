//! `ProjectionExpression`: the parts of an item that a read returns.
//!
//! ```text
//! projection := path { , path }
//! ```

use std::fmt;
use std::sync::Arc;

use super::Cache;
use super::error::{Error, Kind};
use super::parser::{Parser, parse};
use super::path::{Path, Symbols, write_path};
use super::path_set::PathSet;
use super::substitutions::{Binder, Bindings, Substitutions};
use super::token::TokenKind;
use crate::Item;

/// A parsed projection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ProjectionTree {
    pub text: Arc<str>,
    pub paths: Vec<Path>,
    pub symbols: Symbols,
}

/// Parses a projection. It knows no keywords: they are all reserved words.
pub(crate) fn parse_projection(text: &str) -> Result<ProjectionTree, Error> {
    let grammar = |parser: &mut Parser<'_>| {
        let mut paths = vec![parser.path(|_| false)?];
        while parser.take(TokenKind::Comma) {
            paths.push(parser.path(|_| false)?);
        }
        Ok(paths)
    };
    let (paths, symbols) = parse(Kind::Projection, text, grammar)?;
    Ok(ProjectionTree { text: text.into(), paths, symbols })
}

impl fmt::Display for ProjectionTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, path) in self.paths.iter().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            write_path(f, path, &self.symbols)?;
        }
        Ok(())
    }
}

/// A bound `ProjectionExpression`.
#[derive(Clone)]
pub struct Projection {
    tree: Arc<ProjectionTree>,
    bindings: Arc<Bindings>,
    paths: PathSet,
}

impl Projection {
    /// Parses and binds a lone projection, whose substitutions it must use up.
    pub fn parse(text: &str, substitutions: &Substitutions) -> Result<Projection, Error> {
        let mut cache = Cache::new();
        let mut binder = Binder::new(substitutions, &mut cache)?;
        let projection = binder.projection(text)?;
        binder.finish().map(|()| projection)
    }

    pub(super) fn bind(tree: Arc<ProjectionTree>, bindings: Arc<Bindings>) -> Result<Projection, Error> {
        let paths = PathSet::new(tree.paths.iter(), &bindings)
            .map_err(|cause| Error::Invalid { kind: Kind::Projection, cause })?;
        Ok(Projection { tree, bindings, paths })
    }

    /// The parts of an item that it names. Maps keep their other members to themselves, elements of lists
    /// close ranks in the order of the list, and a path that leads nowhere leaves nothing, not even its
    /// parents.
    pub fn apply(&self, item: &Item) -> Item {
        self.paths.select(item)
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

/// Shows the text.
impl fmt::Debug for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Projection").field(&self.text()).finish()
    }
}
