//! `KeyConditionExpression`: one partition key, and which of its sort keys.
//!
//! The text alone does not say which of two attributes is the partition key, so a `KeyCondition` holds its
//! terms as written, and `check` makes a `KeyRange` of them once the table's key is known.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use types::{KeyAttribute, KeySchema, KeyType};

use super::compare;
use super::error::{Error, KeyCause};
use super::key_condition_reader::read_terms;
use super::substitutions::{Binder, Substitutions};
use super::{Cache, Condition};
use crate::AttributeValue;

/// A bound `KeyConditionExpression`.
#[derive(Clone)]
pub struct KeyCondition {
    condition: Condition,
    terms: Arc<[KeyTerm]>,
}

/// What a key condition says of one attribute.
#[derive(Clone, PartialEq, Debug)]
pub struct KeyTerm {
    /// The attribute.
    pub name: String,
    /// What it must satisfy.
    pub condition: SortCondition,
}

/// What a key attribute must satisfy; the partition key takes `Equal` alone.
#[derive(Clone, PartialEq, Debug)]
pub enum SortCondition {
    /// `=`
    Equal(AttributeValue),
    /// `<`
    Less(AttributeValue),
    /// `<=`
    LessOrEqual(AttributeValue),
    /// `>`
    Greater(AttributeValue),
    /// `>=`
    GreaterOrEqual(AttributeValue),
    /// `BETWEEN`, both ends included, the first not above the second.
    Between(AttributeValue, AttributeValue),
    /// `begins_with`, of strings and bytes.
    BeginsWith(AttributeValue),
}

/// A key condition that fits a table's key.
#[derive(Clone, PartialEq, Debug)]
pub struct KeyRange {
    /// The partition key's value, of its type.
    pub partition: AttributeValue,
    /// What the sort key must satisfy; its values are of its type.
    pub sort: Option<SortCondition>,
}

impl KeyCondition {
    /// Parses and binds a lone key condition, whose substitutions it must use up.
    pub fn parse(text: &str, substitutions: &Substitutions) -> Result<KeyCondition, Error> {
        let mut cache = Cache::new();
        let mut binder = Binder::new(substitutions, &mut cache)?;
        let condition = binder.key_condition(text)?;
        binder.finish().map(|()| condition)
    }

    pub(super) fn read(condition: Condition) -> Result<KeyCondition, Error> {
        let terms = read_terms(condition.tree(), condition.bindings())?.into();
        Ok(KeyCondition { condition, terms })
    }

    /// Its one or two terms, in the order written, of different attributes.
    pub fn terms(&self) -> &[KeyTerm] {
        &self.terms
    }

    /// Fits it to a table's key: `=` on the partition key, nothing else but the sort key, values of their
    /// types.
    pub fn check(&self, key: &KeySchema) -> Result<KeyRange, Error> {
        let term = |name: &str| self.terms.iter().find(|term| term.name == name);
        let missing = |name: &str| KeyCause::Missing { name: name.to_owned() };
        let partition = term(&key.partition.name).ok_or_else(|| missing(&key.partition.name))?;
        let SortCondition::Equal(value) = &partition.condition else {
            return Err(KeyCause::Unsupported.into());
        };
        check_type(&partition.condition, &key.partition)?;
        let sort = match (&key.sort, self.terms.len()) {
            (_, 1) => None,
            (Some(attribute), _) => {
                let sort = term(&attribute.name).ok_or_else(|| missing(&attribute.name))?;
                check_type(&sort.condition, attribute)?;
                Some(sort.condition.clone())
            }
            (None, _) => return Err(KeyCause::Unsupported.into()),
        };
        Ok(KeyRange { partition: value.clone(), sort })
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        self.condition.text()
    }

    /// Adds the substitutions that it was bound to: whoever gets these and the text can bind it again.
    pub fn give_back(&self, substitutions: &mut Substitutions) {
        self.condition.give_back(substitutions);
    }
}

fn check_type(condition: &SortCondition, attribute: &KeyAttribute) -> Result<(), Error> {
    let fits = |value: &AttributeValue| {
        matches!(
            (value, attribute.key_type),
            (AttributeValue::S(_), KeyType::S)
                | (AttributeValue::N(_), KeyType::N)
                | (AttributeValue::B(_), KeyType::B)
        )
    };
    if condition.values().all(fits) { Ok(()) } else { Err(KeyCause::Type.into()) }
}

impl SortCondition {
    /// The values that it compares with.
    pub fn values(&self) -> impl Iterator<Item = &AttributeValue> {
        let (first, second) = match self {
            SortCondition::Equal(value)
            | SortCondition::Less(value)
            | SortCondition::LessOrEqual(value)
            | SortCondition::Greater(value)
            | SortCondition::GreaterOrEqual(value)
            | SortCondition::BeginsWith(value) => (value, None),
            SortCondition::Between(lower, upper) => (lower, Some(upper)),
        };
        std::iter::once(first).chain(second)
    }

    /// Whether a key attribute satisfies it.
    pub fn holds(&self, value: &AttributeValue) -> bool {
        let order = |other| compare::order(value, other);
        match self {
            SortCondition::Equal(other) => value == other,
            SortCondition::Less(other) => order(other).is_some_and(Ordering::is_lt),
            SortCondition::LessOrEqual(other) => order(other).is_some_and(Ordering::is_le),
            SortCondition::Greater(other) => order(other).is_some_and(Ordering::is_gt),
            SortCondition::GreaterOrEqual(other) => order(other).is_some_and(Ordering::is_ge),
            SortCondition::Between(lower, upper) => {
                order(lower).is_some_and(Ordering::is_ge) && order(upper).is_some_and(Ordering::is_le)
            }
            SortCondition::BeginsWith(prefix) => compare::begins_with(value, prefix),
        }
    }
}

/// Shows the text, never the values.
impl fmt::Debug for KeyCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyCondition").field(&self.text()).finish()
    }
}
