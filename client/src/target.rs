//! Which item a request is about, as far as its place in a table depends on it.

use std::collections::BTreeMap;

use item::expression::{Binder, Cache, SortCondition, Substitutions};
use item::{AttributeValue, Item};
use proto::convert;
use proto::v1::{self, DeleteItemRequest, GetItemRequest, PutItemRequest, QueryRequest, UpdateItemRequest};

/// A request about the items of one partition key.
pub trait Target: Sync {
    /// The table.
    fn table(&self) -> &str;

    /// What it says of the partition key, which is called so; `None` if it says nothing that has a place. The
    /// cache keeps expressions that were parsed.
    fn partition_value(&self, name: &str, cache: &mut Cache) -> Option<AttributeValue>;
}

impl Target for PutItemRequest {
    fn table(&self) -> &str {
        &self.table_name
    }

    fn partition_value(&self, name: &str, _cache: &mut Cache) -> Option<AttributeValue> {
        value_in(&self.item, name)
    }
}

impl Target for GetItemRequest {
    fn table(&self) -> &str {
        &self.table_name
    }

    fn partition_value(&self, name: &str, _cache: &mut Cache) -> Option<AttributeValue> {
        value_in(&self.key, name)
    }
}

impl Target for UpdateItemRequest {
    fn table(&self) -> &str {
        &self.table_name
    }

    fn partition_value(&self, name: &str, _cache: &mut Cache) -> Option<AttributeValue> {
        value_in(&self.key, name)
    }
}

impl Target for DeleteItemRequest {
    fn table(&self) -> &str {
        &self.table_name
    }

    fn partition_value(&self, name: &str, _cache: &mut Cache) -> Option<AttributeValue> {
        value_in(&self.key, name)
    }
}

impl Target for QueryRequest {
    fn table(&self) -> &str {
        &self.table_name
    }

    fn partition_value(&self, name: &str, cache: &mut Cache) -> Option<AttributeValue> {
        let values = self.expression_attribute_values.iter();
        let values = values.map(|(name, value)| Some((name.clone(), read(value)?)));
        let values = values.collect::<Option<Item>>()?;
        let substitutions = Substitutions { names: self.expression_attribute_names.clone(), values };
        let mut binder = Binder::new(&substitutions, cache).ok()?;
        let condition = binder.key_condition(self.key_condition_expression.as_deref()?).ok()?;
        let term = condition.terms().iter().find(|term| term.name == name)?;
        match &term.condition {
            SortCondition::Equal(value) => Some(value.clone()),
            _ => None,
        }
    }
}

fn value_in(attributes: &BTreeMap<String, v1::AttributeValue>, name: &str) -> Option<AttributeValue> {
    attributes.get(name).and_then(read)
}

fn read(value: &v1::AttributeValue) -> Option<AttributeValue> {
    convert::value_from(value.clone()).ok()
}

#[cfg(test)]
mod tests {
    use proto::convert::item_into;

    use super::*;

    fn text(value: &str) -> AttributeValue {
        AttributeValue::S(value.to_owned())
    }

    fn attributes() -> BTreeMap<String, v1::AttributeValue> {
        item_into([("id".to_owned(), text("a")), ("spot".to_owned(), text("b"))].into_iter().collect())
    }

    fn of(target: &dyn Target) -> Option<AttributeValue> {
        assert_eq!(target.table(), "movies");
        target.partition_value("id", &mut Cache::new())
    }

    fn query(condition: &str) -> QueryRequest {
        QueryRequest {
            table_name: "movies".to_owned(),
            key_condition_expression: Some(condition.to_owned()),
            expression_attribute_names: [("#id".to_owned(), "id".to_owned())].into(),
            expression_attribute_values: item_into(
                [(":v".to_owned(), text("a")), (":w".to_owned(), text("b"))].into_iter().collect(),
            ),
            ..QueryRequest::default()
        }
    }

    #[test]
    fn items_and_keys_have_the_partition_key_among_their_attributes() {
        let (table_name, key) = ("movies".to_owned(), attributes());
        let put = PutItemRequest { table_name: table_name.clone(), item: key.clone(), ..Default::default() };
        let get = GetItemRequest { table_name: table_name.clone(), key: key.clone(), ..Default::default() };
        let update =
            UpdateItemRequest { table_name: table_name.clone(), key: key.clone(), ..Default::default() };
        let delete = DeleteItemRequest { table_name: table_name.clone(), key, ..Default::default() };
        for target in [&put as &dyn Target, &get, &update, &delete] {
            assert_eq!(of(target), Some(text("a")));
            assert_eq!(target.partition_value("other", &mut Cache::new()), None);
        }
        let empty = [("id".to_owned(), v1::AttributeValue { value: None })].into();
        assert_eq!(of(&PutItemRequest { table_name, item: empty, ..Default::default() }), None);
    }

    #[test]
    fn a_query_names_it_in_its_key_condition() {
        for condition in ["id = :v", "#id = :v AND spot > :w", "begins_with(spot, :w) AND id = :v"] {
            assert_eq!(of(&query(condition)), Some(text("a")), "{condition}");
        }
        for condition in ["spot = :v", "id > :v", "id = ", "#no = :v"] {
            assert_eq!(of(&query(condition)), None, "{condition}");
        }
        assert_eq!(of(&QueryRequest { key_condition_expression: None, ..query("") }), None);
    }
}
