//! DynamoDB's JSON: every value is an object with one member, whose name is the value's type.
//!
//! `{"S":"x"}`, `{"N":"1.5"}` (text, so that no digit is lost), `{"B":"base64"}`, `{"BOOL":true}`,
//! `{"NULL":true}`, `{"SS":[…]}`, `{"NS":[…]}`, `{"BS":[…]}`, `{"L":[…]}`, `{"M":{…}}`. What DynamoDB does
//! not take is refused here too, `{"N":1}` included.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use types::limits::NESTING_MAX;

use super::{Cause, InvalidJson, TYPE_NAME_BYTES_SHOWN, object};
use crate::{AttributeValue, Item, Number};

/// An item from an object of typed values.
pub fn read_item(value: Value) -> Result<Item, InvalidJson> {
    read_map(object(value)?, 0)
}

/// One typed value.
pub fn read_value(value: Value) -> Result<AttributeValue, InvalidJson> {
    read(value, 0)
}

/// An item as an object of typed values; names and set members ascend.
pub fn write_item(item: &Item) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), write_value(value))).collect())
}

/// A value with its type.
pub fn write_value(value: &AttributeValue) -> Value {
    let texts = |texts: &mut dyn Iterator<Item = String>| Value::Array(texts.map(Value::String).collect());
    let content = match value {
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::N(number) => Value::String(number.to_string()),
        AttributeValue::B(bytes) => Value::String(STANDARD.encode(bytes)),
        AttributeValue::Bool(value) => Value::Bool(*value),
        AttributeValue::Null => Value::Bool(true),
        AttributeValue::Ss(set) => texts(&mut set.iter().cloned()),
        AttributeValue::Ns(set) => texts(&mut set.iter().map(Number::to_string)),
        AttributeValue::Bs(set) => texts(&mut set.iter().map(|bytes| STANDARD.encode(bytes))),
        AttributeValue::L(list) => Value::Array(list.iter().map(write_value).collect()),
        AttributeValue::M(map) => write_item(map),
    };
    Value::Object(Map::from_iter([(value.type_name().to_owned(), content)]))
}

/// `outer` lists and maps are around the value.
fn read(value: Value, outer: usize) -> Result<AttributeValue, InvalidJson> {
    let typed = object(value)?;
    let count = typed.len();
    let mut members = typed.into_iter();
    let (Some((type_name, content)), None) = (members.next(), members.next()) else {
        return Err(Cause::Types { count }.into());
    };
    Ok(match type_name.as_str() {
        "S" => AttributeValue::S(text(content)?),
        "N" => AttributeValue::N(number(content)?),
        "B" => AttributeValue::B(bytes(content)?),
        "BOOL" => AttributeValue::Bool(boolean(content)?),
        "NULL" => match boolean(content)? {
            true => AttributeValue::Null,
            false => return Err(Cause::NullFalse.into()),
        },
        "SS" => AttributeValue::Ss(set(content, "SS", text)?),
        "NS" => AttributeValue::Ns(set(content, "NS", number)?),
        "BS" => AttributeValue::Bs(set(content, "BS", bytes)?),
        "L" | "M" if outer == NESTING_MAX => return Err(Cause::Nesting.into()),
        "L" => {
            let elements = array(content)?.into_iter().enumerate();
            let read = |(index, element)| read(element, outer + 1).map_err(|error| error.at(index));
            AttributeValue::L(elements.map(read).collect::<Result<_, _>>()?)
        }
        "M" => AttributeValue::M(read_map(object(content)?, outer + 1)?),
        _ => {
            let end = type_name.floor_char_boundary(TYPE_NAME_BYTES_SHOWN);
            return Err(Cause::UnknownType { name: type_name[..end].to_owned() }.into());
        }
    })
}

fn read_map(object: Map<String, Value>, outer: usize) -> Result<Item, InvalidJson> {
    object
        .into_iter()
        .map(|(name, value)| match read(value, outer) {
            Ok(value) => Ok((name, value)),
            Err(error) => Err(error.within(&name)),
        })
        .collect()
}

fn set<T: Ord>(
    content: Value,
    kind: &'static str,
    read: impl Fn(Value) -> Result<T, InvalidJson>,
) -> Result<BTreeSet<T>, InvalidJson> {
    let members = array(content)?;
    let count = members.len();
    let read = |(index, member)| read(member).map_err(|error| error.at(index));
    let set = members.into_iter().enumerate().map(read).collect::<Result<BTreeSet<_>, _>>()?;
    match set.len() {
        0 => Err(Cause::EmptySet { kind }.into()),
        distinct if distinct < count => Err(Cause::Duplicate.into()),
        _ => Ok(set),
    }
}

fn array(content: Value) -> Result<Vec<Value>, InvalidJson> {
    match content {
        Value::Array(elements) => Ok(elements),
        _ => Err(Cause::expected("an array")),
    }
}

fn text(content: Value) -> Result<String, InvalidJson> {
    match content {
        Value::String(text) => Ok(text),
        _ => Err(Cause::expected("a string")),
    }
}

fn number(content: Value) -> Result<Number, InvalidJson> {
    match content {
        Value::String(text) => Ok(text.parse::<Number>()?),
        _ => Err(Cause::expected("a number as a string")),
    }
}

fn bytes(content: Value) -> Result<Vec<u8>, InvalidJson> {
    STANDARD.decode(text(content)?).map_err(|_| Cause::Base64.into())
}

fn boolean(content: Value) -> Result<bool, InvalidJson> {
    match content {
        Value::Bool(value) => Ok(value),
        _ => Err(Cause::expected("true or false")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::parse;
    use crate::value::tests::{any_item, nested};

    fn read_text(text: &str) -> Result<Item, InvalidJson> {
        read_item(parse(text.as_bytes())?)
    }

    #[test]
    fn every_type_reads_and_writes() {
        let text = concat!(
            r#"{"b":{"B":"AP8="},"bs":{"BS":["","AA=="]},"#,
            r#""l":{"L":[{"NULL":true},{"M":{"x":{"BOOL":false}}}]},"#,
            r#""n":{"N":"-1.5"},"ns":{"NS":["-1","0.25","10"]},"s":{"S":""},"ss":{"SS":["a","b"]}}"#,
        );
        let item = read_text(text).unwrap();
        assert_eq!(item["b"], AttributeValue::B(vec![0, 255]));
        assert_eq!(item["n"], AttributeValue::N("-1.5".parse().unwrap()));
        assert_eq!(
            item["l"],
            AttributeValue::L(vec![
                AttributeValue::Null,
                AttributeValue::M([("x".to_owned(), AttributeValue::Bool(false))].into()),
            ])
        );
        assert_eq!(write_item(&item).to_string(), text);
    }

    #[test]
    fn errors_name_the_place_and_the_limit() {
        for (text, message) in [
            ("[]", "expected an object"),
            ("{", "not valid JSON at line 1, column 1"),
            (r#"{"a":1}"#, "a: expected an object"),
            (
                r#"{"a":{}}"#,
                "a: Supplied AttributeValue must contain exactly one of the supported datatypes; got 0",
            ),
            (
                r#"{"a":{"S":"x","N":"1"}}"#,
                "a: Supplied AttributeValue must contain exactly one of the supported datatypes; got 2",
            ),
            (r#"{"a":{"s":"x"}}"#, r#"a: Supplied AttributeValue has an unknown datatype "s""#),
            (r#"{"a":{"N":1}}"#, "a: expected a number as a string"),
            (r#"{"a":{"N":"1x"}}"#, "a: The parameter cannot be converted to a numeric value: 1x"),
            (r#"{"a":{"B":"AP8"}}"#, "a: expected base64 with padding"),
            (
                r#"{"a":{"NULL":false}}"#,
                "a: One or more parameter values were invalid: Null attribute value types must have the \
                value of true",
            ),
            (r#"{"a":{"BOOL":"true"}}"#, "a: expected true or false"),
            (
                r#"{"a":{"NS":["1","1.0"]}}"#,
                "a: One or more parameter values were invalid: Input collection contains duplicates",
            ),
            (
                r#"{"a":{"SS":[]}}"#,
                "a: One or more parameter values were invalid: An SS set may not be empty",
            ),
            (r#"{"a":{"SS":["x",1]}}"#, "a[1]: expected a string"),
            (r#"{"a":{"M":{"b":{"L":[{"S":"x"},{"M":{"c":{"S":1}}}]}}}}"#, "a.b[1].c: expected a string"),
        ] {
            assert_eq!(read_text(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn long_unknown_types_are_cut() {
        let text = format!(r#"{{"a":{{"{}":1}}}}"#, "é".repeat(1000));
        assert_eq!(read_text(&text).unwrap_err().cause, Cause::UnknownType { name: "é".repeat(8) });
    }

    #[test]
    fn depth_is_bounded() {
        let deepest = write_value(&nested(NESTING_MAX));
        assert_eq!(read_value(deepest), Ok(nested(NESTING_MAX)));
        let refused = read_value(write_value(&nested(NESTING_MAX + 1))).unwrap_err();
        assert_eq!(refused.cause, Cause::Nesting);
        assert!(refused.path.starts_with("[0].m[0].m"), "{}", refused.path);
        let bottomless = parse(r#"{"L":["#.repeat(100_000).as_bytes());
        assert!(matches!(bottomless, Err(InvalidJson { cause: Cause::Syntax { .. }, .. })));
    }

    proptest! {
        #[test]
        fn round_trip_through_text(item in any_item()) {
            let text = write_item(&item).to_string();
            prop_assert_eq!(read_text(&text), Ok(item));
        }

        #[test]
        fn random_text_never_panics(
            text in r#"([\[\]{}":,]|"[SNBLM]"|"[SNB]S"|"NULL"|"BOOL"|true|[0-9.e-]|.){0,40}"#,
        ) {
            if let Ok(item) = read_text(&text) {
                prop_assert_eq!(read_item(write_item(&item)), Ok(item));
            }
        }
    }
}
