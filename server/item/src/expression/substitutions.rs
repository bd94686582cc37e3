//! What `#names` and `:values` stand for, and the bookkeeping that a request's expressions share.
//!
//! A request gives its substitutions once for all its expressions. Each expression takes what it mentions and
//! must find it; what none of them mentions is an error, because it is most often a typing mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use types::limits::{ATTRIBUTE_NAME_BYTES_MAX, SUBSTITUTION_BYTES_MAX, SUBSTITUTION_TOKEN_BYTES_MAX};

use super::cache::Cache;
use super::error::{Cause, Error, Kind};
use super::lexer;
use super::path::{Name, NameId, Path, Step, Symbols, ValueId};
use super::token::TokenKind;
use super::{Condition, KeyCondition, Projection, Update};
use crate::{AttributeValue, size};

const NAMES: &str = "ExpressionAttributeNames";
const VALUES: &str = "ExpressionAttributeValues";

/// A request's `ExpressionAttributeNames` and `ExpressionAttributeValues`, signs included in the keys.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Substitutions {
    /// From `#name` to the attribute's name.
    pub names: BTreeMap<String, String>,
    /// From `:value` to the value.
    pub values: BTreeMap<String, AttributeValue>,
}

impl Substitutions {
    /// Checks form and size (DynamoDB: tokens of 255 bytes, 2 MB in all).
    pub fn check(&self) -> Result<(), Error> {
        for (key, name) in &self.names {
            check_key(NAMES, key, TokenKind::Name)?;
            if name.is_empty() || name.len() > ATTRIBUTE_NAME_BYTES_MAX {
                return Err(Error::SubstitutedName { key: key.clone(), bytes: name.len() });
            }
        }
        for key in self.values.keys() {
            check_key(VALUES, key, TokenKind::Value)?;
        }
        let names: usize = self.names.iter().map(|(key, name)| key.len() + name.len()).sum();
        let values: usize = self.values.iter().map(|(key, value)| key.len() + size::value_bytes(value)).sum();
        let bytes = names + values;
        if bytes > SUBSTITUTION_BYTES_MAX { Err(Error::SubstitutionsSize { bytes }) } else { Ok(()) }
    }
}

/// Shows the keys alone: attribute values have no place in logs.
impl fmt::Debug for Substitutions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names.keys()).entries(self.values.keys()).finish()
    }
}

fn check_key(field: &'static str, key: &str, kind: TokenKind) -> Result<(), Error> {
    if key.len() > SUBSTITUTION_TOKEN_BYTES_MAX {
        return Err(Error::SubstitutionKeyLength { field, bytes: key.len() });
    }
    if !lexer::is_one(key, kind) {
        return Err(Error::SubstitutionKey { field, key: key.to_owned() });
    }
    Ok(())
}

/// Binds the expressions of one request to its substitutions.
pub struct Binder<'r> {
    substitutions: &'r Substitutions,
    cache: &'r mut Cache,
    used_names: BTreeSet<&'r str>,
    used_values: BTreeSet<&'r str>,
    bound_any: bool,
}

impl<'r> Binder<'r> {
    /// Checks the substitutions. The cache keeps what is parsed for requests to come.
    pub fn new(substitutions: &'r Substitutions, cache: &'r mut Cache) -> Result<Self, Error> {
        substitutions.check()?;
        Ok(Binder {
            substitutions,
            cache,
            used_names: BTreeSet::new(),
            used_values: BTreeSet::new(),
            bound_any: false,
        })
    }

    /// Binds a `ConditionExpression`.
    pub fn condition(&mut self, text: &str) -> Result<Condition, Error> {
        self.condition_of(Kind::Condition, text)
    }

    /// Binds a `FilterExpression`.
    pub fn filter(&mut self, text: &str) -> Result<Condition, Error> {
        self.condition_of(Kind::Filter, text)
    }

    /// Binds a `KeyConditionExpression`.
    pub fn key_condition(&mut self, text: &str) -> Result<KeyCondition, Error> {
        self.condition_of(Kind::KeyCondition, text).and_then(KeyCondition::read)
    }

    /// Binds a `ProjectionExpression`.
    pub fn projection(&mut self, text: &str) -> Result<Projection, Error> {
        let tree = self.cache.projection(text)?;
        let bindings = self.bind(Kind::Projection, &tree.symbols)?;
        Projection::bind(tree, bindings)
    }

    /// Binds an `UpdateExpression`.
    pub fn update(&mut self, text: &str) -> Result<Update, Error> {
        let tree = self.cache.update(text)?;
        let bindings = self.bind(Kind::Update, &tree.symbols)?;
        Update::bind(tree, bindings)
    }

    /// To be called when all expressions of the request are bound: refuses what none of them mentioned.
    pub fn finish(self) -> Result<(), Error> {
        let given = [(NAMES, self.substitutions.names.len()), (VALUES, self.substitutions.values.len())];
        if !self.bound_any
            && let Some((field, _)) = given.into_iter().find(|(_, count)| *count > 0)
        {
            return Err(Error::SubstitutionsAlone { field });
        }
        refuse_unused(NAMES, self.substitutions.names.keys(), &self.used_names)?;
        refuse_unused(VALUES, self.substitutions.values.keys(), &self.used_values)
    }

    fn condition_of(&mut self, kind: Kind, text: &str) -> Result<Condition, Error> {
        let tree = self.cache.condition(kind, text)?;
        let bindings = self.bind(kind, &tree.symbols)?;
        Condition::bind(kind, tree, bindings)
    }

    fn bind(&mut self, kind: Kind, symbols: &Symbols) -> Result<Arc<Bindings>, Error> {
        self.bound_any = true;
        self.resolve(symbols).map(Arc::new).map_err(|cause| Error::Invalid { kind, cause })
    }

    fn resolve(&mut self, symbols: &Symbols) -> Result<Bindings, Cause> {
        let mut names = Vec::with_capacity(symbols.names.len());
        for name in &symbols.names {
            names.push(match name {
                Name::Plain(text) => text.clone(),
                Name::Substituted(token) => match self.substitutions.names.get_key_value(token) {
                    Some((key, name)) => {
                        self.used_names.insert(key);
                        name.clone()
                    }
                    None => return Err(Cause::UndefinedName { name: token.clone() }),
                },
            });
        }
        let mut values = Vec::with_capacity(symbols.values.len());
        for token in &symbols.values {
            let Some((key, value)) = self.substitutions.values.get_key_value(token) else {
                return Err(Cause::UndefinedValue { value: token.clone() });
            };
            self.used_values.insert(key);
            values.push(value.clone());
        }
        Ok(Bindings::new(names, values))
    }
}

fn refuse_unused<'r>(
    field: &'static str,
    keys: impl Iterator<Item = &'r String>,
    used: &BTreeSet<&str>,
) -> Result<(), Error> {
    let keys: Vec<String> = keys.filter(|key| !used.contains(key.as_str())).cloned().collect();
    if keys.is_empty() { Ok(()) } else { Err(Error::SubstitutionsUnused { field, keys }) }
}

/// What the names and values of one expression stand for.
pub(crate) struct Bindings {
    names: Vec<String>,
    /// For each name the first one that stands for the same attribute.
    canonical: Vec<NameId>,
    values: Vec<AttributeValue>,
}

impl Bindings {
    fn new(names: Vec<String>, values: Vec<AttributeValue>) -> Self {
        let mut first = BTreeMap::new();
        let ids = (0..names.len()).map(|position| NameId(position as u16));
        let canonical = names.iter().zip(ids).map(|(name, id)| *first.entry(name).or_insert(id)).collect();
        Bindings { canonical, names, values }
    }

    pub(crate) fn name(&self, id: NameId) -> &str {
        &self.names[usize::from(id.0)]
    }

    pub(crate) fn value(&self, id: ValueId) -> &AttributeValue {
        &self.values[usize::from(id.0)]
    }

    /// A path whose steps are equal exactly when they lead to the same place, whatever they were written as.
    pub(crate) fn canonical(&self, path: &Path) -> Vec<Step> {
        let step = |step: &Step| match step {
            Step::Name(id) => Step::Name(self.canonical[usize::from(id.0)]),
            index => *index,
        };
        path.0.iter().map(step).collect()
    }

    /// Gives back the substitutions that an expression was bound to, for it to be sent somewhere else.
    pub(crate) fn give_back(&self, symbols: &Symbols, substitutions: &mut Substitutions) {
        for (written, name) in symbols.names.iter().zip(&self.names) {
            if let Name::Substituted(token) = written {
                substitutions.names.insert(token.clone(), name.clone());
            }
        }
        let values = symbols.values.iter().cloned().zip(self.values.iter().cloned());
        substitutions.values.extend(values);
    }
}
