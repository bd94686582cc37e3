//! Values as the scripts of the tests write them, one line each: `1`, `'text'`, `b'bytes'`, `true`, `null`,
//! `[1, 2]`, `{a: 1, #n: 2}`, and sets `<1, 2>`, `<'a'>`, `<b'a'>`. Only well-formed lines are expected.

use std::fmt::Write as _;

use super::Substitutions;
use crate::{AttributeValue, Item};

pub(crate) fn item(text: &str) -> Item {
    match value(text) {
        AttributeValue::M(map) => map,
        other => panic!("not a map: {other:?}"),
    }
}

pub(crate) fn value(text: &str) -> AttributeValue {
    let mut reader = Reader { rest: text };
    let value = reader.value();
    assert_eq!(reader.rest.trim(), "", "after the value in {text}");
    value
}

/// From a map with `#names` and `:values` as keys.
pub(crate) fn substitutions(text: &str) -> Substitutions {
    let mut substitutions = Substitutions::default();
    for (key, value) in item(text) {
        match value {
            AttributeValue::S(name) if key.starts_with('#') => _ = substitutions.names.insert(key, name),
            value => _ = substitutions.values.insert(key, value),
        }
    }
    substitutions
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn take(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => self.rest = rest,
            None => return false,
        }
        true
    }

    fn until(&mut self, ends: &[char]) -> &'t str {
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }

    fn quoted(&mut self) -> String {
        let text = self.until(&['\'']);
        assert!(self.take("'"), "unclosed quote");
        text.to_owned()
    }

    fn list(&mut self, close: &str) -> Vec<AttributeValue> {
        let mut values = Vec::new();
        while !self.take(close) {
            values.push(self.value());
            self.take(",");
        }
        values
    }

    fn value(&mut self) -> AttributeValue {
        if self.take("b'") {
            AttributeValue::B(self.quoted().into_bytes())
        } else if self.take("'") {
            AttributeValue::S(self.quoted())
        } else if self.take("[") {
            AttributeValue::L(self.list("]"))
        } else if self.take("<") {
            set(self.list(">"))
        } else if self.take("{") {
            let mut map = Item::new();
            while !self.take("}") {
                self.rest = self.rest.trim_start();
                let start = usize::from(self.rest.starts_with(':'));
                let end = self.rest[start..].find(':').expect("a key ends with a colon") + start;
                let key = self.rest[..end].to_owned();
                self.rest = &self.rest[end + 1..];
                map.insert(key, self.value());
                self.take(",");
            }
            AttributeValue::M(map)
        } else {
            match self.until(&[',', ']', '}', '>']).trim() {
                "true" => AttributeValue::Bool(true),
                "false" => AttributeValue::Bool(false),
                "null" => AttributeValue::Null,
                number => AttributeValue::N(number.parse().expect("a number")),
            }
        }
    }
}

fn set(values: Vec<AttributeValue>) -> AttributeValue {
    let (mut strings, mut numbers, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        match value {
            AttributeValue::S(text) => strings.push(text),
            AttributeValue::N(number) => numbers.push(number),
            AttributeValue::B(element) => bytes.push(element),
            other => panic!("not an element of a set: {other:?}"),
        }
    }
    match (strings.is_empty(), numbers.is_empty()) {
        (false, _) => AttributeValue::Ss(strings.into_iter().collect()),
        (_, false) => AttributeValue::Ns(numbers.into_iter().collect()),
        _ => AttributeValue::Bs(bytes.into_iter().collect()),
    }
}

pub(crate) fn write_item(item: &Item) -> String {
    write(&AttributeValue::M(item.clone()))
}

pub(crate) fn write(value: &AttributeValue) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn write_value(out: &mut String, value: &AttributeValue) {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let list = |out: &mut String, open: char, values: Vec<AttributeValue>, close: char| {
        out.push(open);
        for (position, value) in values.iter().enumerate() {
            out.push_str(if position > 0 { ", " } else { "" });
            write_value(out, value);
        }
        out.push(close);
    };
    match value {
        AttributeValue::S(value) => write!(out, "'{value}'").unwrap(),
        AttributeValue::N(number) => write!(out, "{number}").unwrap(),
        AttributeValue::B(bytes) => write!(out, "b'{}'", text(bytes)).unwrap(),
        AttributeValue::Bool(value) => write!(out, "{value}").unwrap(),
        AttributeValue::Null => out.push_str("null"),
        AttributeValue::Ss(set) => list(out, '<', set.iter().cloned().map(AttributeValue::S).collect(), '>'),
        AttributeValue::Ns(set) => list(out, '<', set.iter().cloned().map(AttributeValue::N).collect(), '>'),
        AttributeValue::Bs(set) => list(out, '<', set.iter().cloned().map(AttributeValue::B).collect(), '>'),
        AttributeValue::L(values) => list(out, '[', values.clone(), ']'),
        AttributeValue::M(map) => {
            out.push('{');
            for (position, (key, value)) in map.iter().enumerate() {
                write!(out, "{}{key}: ", if position > 0 { ", " } else { "" }).unwrap();
                write_value(out, value);
            }
            out.push('}');
        }
    }
}
