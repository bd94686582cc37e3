//! Plain JSON: text, numbers, true, false, null, arrays and objects as they are.
//!
//! It has no bytes and no sets: going out, bytes become base64 text and sets arrays, so only what came in as
//! plain JSON comes back the same.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use types::limits::NESTING_MAX;

use super::{Cause, InvalidJson, object};
use crate::{AttributeValue, Item, Number};

/// An item from an object.
pub fn read_item(value: Value) -> Result<Item, InvalidJson> {
    read_map(object(value)?, 0)
}

/// Any JSON value.
pub fn read_value(value: Value) -> Result<AttributeValue, InvalidJson> {
    read(value, 0)
}

/// An item as an object, names ascending.
pub fn write_item(item: &Item) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), write_value(value))).collect())
}

/// A value without its type.
pub fn write_value(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::N(number) => write_number(number),
        AttributeValue::B(bytes) => Value::String(STANDARD.encode(bytes)),
        AttributeValue::Bool(value) => Value::Bool(*value),
        AttributeValue::Null => Value::Null,
        AttributeValue::Ss(set) => Value::Array(set.iter().cloned().map(Value::String).collect()),
        AttributeValue::Ns(set) => Value::Array(set.iter().map(write_number).collect()),
        AttributeValue::Bs(set) => {
            Value::Array(set.iter().map(|bytes| Value::String(STANDARD.encode(bytes))).collect())
        }
        AttributeValue::L(list) => Value::Array(list.iter().map(write_value).collect()),
        AttributeValue::M(map) => write_item(map),
    }
}

/// All digits, through `arbitrary_precision`.
fn write_number(number: &Number) -> Value {
    Value::Number(number.to_string().parse().expect("a number's plain digits are JSON"))
}

/// `outer` lists and maps are around the value.
fn read(value: Value, outer: usize) -> Result<AttributeValue, InvalidJson> {
    Ok(match value {
        Value::Null => AttributeValue::Null,
        Value::Bool(value) => AttributeValue::Bool(value),
        Value::Number(number) => AttributeValue::N(number.as_str().parse::<Number>()?),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(_) | Value::Object(_) if outer == NESTING_MAX => return Err(Cause::Nesting.into()),
        Value::Array(elements) => {
            let read =
                |(index, element)| read(element, outer + 1).map_err(|error: InvalidJson| error.at(index));
            AttributeValue::L(elements.into_iter().enumerate().map(read).collect::<Result<_, _>>()?)
        }
        Value::Object(object) => AttributeValue::M(read_map(object, outer + 1)?),
    })
}

fn read_map(object: serde_json::Map<String, Value>, outer: usize) -> Result<Item, InvalidJson> {
    object
        .into_iter()
        .map(|(name, value)| match read(value, outer) {
            Ok(value) => Ok((name, value)),
            Err(error) => Err(error.within(&name)),
        })
        .collect()
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
    fn numbers_keep_their_exact_text() {
        let digits = "0.12345678901234567890123456789012345678";
        let item =
            read_text(&format!(r#"{{"exact":{digits},"large":1E+40,"id":9007199254740993}}"#)).unwrap();
        assert_eq!(item["exact"], AttributeValue::N(digits.parse().unwrap()));
        assert_eq!(item["large"], AttributeValue::N("1e40".parse().unwrap()));
        let large = format!("1{}", "0".repeat(40));
        assert_eq!(
            write_item(&item).to_string(),
            format!(r#"{{"exact":{digits},"id":9007199254740993,"large":{large}}}"#)
        );
    }

    #[test]
    fn types_without_a_plain_form_become_text_and_arrays() {
        let item: Item = [
            ("b".to_owned(), AttributeValue::B(vec![0, 255])),
            ("bs".to_owned(), AttributeValue::Bs([vec![0]].into())),
            ("ns".to_owned(), AttributeValue::Ns([2_i64.into(), Number::from(-1_i64)].into())),
            ("ss".to_owned(), AttributeValue::Ss(["x".to_owned()].into())),
        ]
        .into();
        assert_eq!(write_item(&item).to_string(), r#"{"b":"AP8=","bs":["AA=="],"ns":[-1,2],"ss":["x"]}"#);
    }

    #[test]
    fn errors_name_the_place_and_the_limit() {
        for (text, message) in [
            ("1", "expected an object"),
            (
                r#"{"a":[0,{"b":1e126}]}"#,
                "a[1].b: Number overflow. Attempting to store a number with magnitude larger than supported \
                range: the limit is 9.99...E+125",
            ),
            (
                r#"{"a":123456789012345678901234567890123456789}"#,
                "a: Attempting to store more than 38 significant digits in a Number",
            ),
        ] {
            assert_eq!(read_text(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert_eq!(read_value(write_value(&nested(NESTING_MAX))), Ok(nested(NESTING_MAX)));
        let text = format!(r#"{{"a":{}{}}}"#, "[".repeat(NESTING_MAX + 1), "]".repeat(NESTING_MAX + 1));
        let refused = read_text(&text).unwrap_err();
        assert_eq!(refused.path, format!("a{}", "[0]".repeat(NESTING_MAX)));
        assert_eq!(refused.cause, Cause::Nesting);
    }

    proptest! {
        #[test]
        fn what_came_in_plain_comes_back_the_same(item in any_item()) {
            let plain = write_item(&item).to_string();
            let read = read_text(&plain).unwrap();
            prop_assert_eq!(write_item(&read).to_string(), plain);
        }

        #[test]
        fn random_text_never_panics(text in r#"([\[\]{}":,]|"[ab]":|null|true|[0-9.e-]|.){0,40}"#) {
            if let Ok(item) = read_text(&text) {
                prop_assert!(read_item(write_item(&item)).is_ok());
            }
        }
    }
}
