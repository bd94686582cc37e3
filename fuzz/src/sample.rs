//! One item with attributes of all types, which expressions are evaluated on.

use item::expression::Substitutions;
use item::{Item, json};
use types::{KeyAttribute, KeySchema, KeyType};

/// The names are single letters, none of which is a reserved word.
const ITEM: &str = r#"{
    "a": {"S": "text"}, "b": {"N": "-1.5"}, "c": {"B": "AP8="}, "d": {"BOOL": true}, "e": {"NULL": true},
    "f": {"SS": ["x", "y"]}, "g": {"NS": ["1", "2"]}, "h": {"BS": ["AA==", "AQ=="]},
    "i": {"L": [{"N": "1"}, {"L": [{"S": "deep"}]}, {"M": {"a": {"N": "9"}}}]},
    "j": {"M": {"a": {"S": "x"}, "b": {"M": {"c": {"L": [{"NULL": true}]}}}}}
}"#;

/// The sample item.
pub fn item() -> Item {
    let value = json::parse(ITEM.as_bytes()).expect("the constant is JSON");
    json::dynamodb::read_item(value).expect("the constant is an item")
}

/// A table's key that the sample item has: `a`, and `b` within it.
pub fn schema() -> KeySchema {
    let attribute = |name: &str, key_type| KeyAttribute { name: name.to_owned(), key_type };
    KeySchema { partition: attribute("a", KeyType::S), sort: Some(attribute("b", KeyType::N)) }
}

/// `#a` stands for `a`, `:a` for the sample item's `a`, and so on.
pub fn substitutions() -> Substitutions {
    let item = item();
    Substitutions {
        names: item.keys().map(|name| (format!("#{name}"), name.clone())).collect(),
        values: item.iter().map(|(name, value)| (format!(":{name}"), value.clone())).collect(),
    }
}
