//! Runs the scripts under `testscripts/expression`.
//!
//! ```text
//! item ITEM                           what the commands after it are asked of
//! schema PARTITION/TYPE [SORT/TYPE]   the key that `key` is checked against
//! condition|filter TEXT [with=MAP]    whether it holds
//! projection TEXT [with=MAP]          what it selects
//! update TEXT [with=MAP]              the item after it
//! updated TEXT [with=MAP]             the updated attributes before and after it
//! key TEXT [with=MAP]                 the range of keys it selects
//! ```
//!
//! An item is not changed by what is asked of it. `with` gives the substitutions, all of which must be used.

use std::error::Error as StdError;

use goldenscript::Command;
use types::{KeyAttribute, KeySchema, KeyType};

use super::notation::{item, substitutions, write, write_item};
use super::{Binder, Cache, Condition, KeyCondition, Projection, SortCondition, Substitutions, Update};
use crate::Item;

struct Runner {
    item: Item,
    schema: KeySchema,
    cache: Cache,
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &goldenscript::Context) -> Result<String, Box<dyn StdError>> {
        let mut arguments = command.consume_args();
        let first = arguments.next_pos().ok_or("an argument is missing")?;
        let second = arguments.next_pos();
        let with = arguments.take_key("with").map(substitutions).unwrap_or_default();
        arguments.reject_next()?;
        Ok(match command.name.as_str() {
            "item" => {
                self.item = item(first);
                String::new()
            }
            "schema" => {
                self.schema = KeySchema { partition: attribute(first), sort: second.map(attribute) };
                String::new()
            }
            "condition" => Condition::parse(first, &with)?.evaluate(&self.item).to_string(),
            "filter" => self.filter(first, &with)?,
            "projection" => write_item(&Projection::parse(first, &with)?.apply(&self.item)),
            "update" => write_item(&self.update(first, &with)?.1),
            "updated" => {
                let (update, after) = self.update(first, &with)?;
                let [old, new] =
                    [&self.item, &after].map(|item| write_item(&update.updated_attributes(item)));
                format!("old {old}\nnew {new}")
            }
            "key" => {
                let range = KeyCondition::parse(first, &with)?.check(&self.schema)?;
                format!("{} {}", write(&range.partition), range.sort.map(sort).unwrap_or_default())
            }
            other => return Err(format!("unknown command {other}").into()),
        })
    }
}

impl Runner {
    fn filter(&mut self, text: &str, with: &Substitutions) -> Result<String, super::Error> {
        let mut binder = Binder::new(with, &mut self.cache)?;
        let filter = binder.filter(text)?;
        binder.finish()?;
        filter.check_filter(&self.schema)?;
        Ok(filter.evaluate(&self.item).to_string())
    }

    fn update(&self, text: &str, with: &Substitutions) -> Result<(Update, Item), super::Error> {
        let update = Update::parse(text, with)?;
        update.check(&self.schema)?;
        let mut after = self.item.clone();
        update.apply(&mut after)?;
        Ok((update, after))
    }
}

fn attribute(text: &str) -> KeyAttribute {
    let (name, key_type) = text.split_once('/').unwrap();
    let key_type = match key_type {
        "S" => KeyType::S,
        "N" => KeyType::N,
        _ => KeyType::B,
    };
    KeyAttribute { name: name.to_owned(), key_type }
}

fn sort(condition: SortCondition) -> String {
    let operator = match condition {
        SortCondition::Equal(_) => "=",
        SortCondition::Less(_) => "<",
        SortCondition::LessOrEqual(_) => "<=",
        SortCondition::Greater(_) => ">",
        SortCondition::GreaterOrEqual(_) => ">=",
        SortCondition::Between(_, _) => "between",
        SortCondition::BeginsWith(_) => "begins with",
    };
    let values: Vec<String> = condition.values().map(write).collect();
    format!("{operator} {}", values.join(" and "))
}

fn run(script: &str) {
    let schema = KeySchema { partition: attribute("p/S"), sort: Some(attribute("s/N")) };
    let mut runner = Runner { item: Item::new(), schema, cache: Cache::new() };
    goldenscript::run(&mut runner, format!("src/testscripts/expression/{script}")).unwrap();
}

#[test]
fn conditions() {
    run("conditions");
}

#[test]
fn condition_errors() {
    run("condition_errors");
}

#[test]
fn projections() {
    run("projections");
}

#[test]
fn updates() {
    run("updates");
}

#[test]
fn update_errors() {
    run("update_errors");
}

#[test]
fn key_conditions() {
    run("key_conditions");
}

#[test]
fn substitution_errors() {
    run("substitution_errors");
}
