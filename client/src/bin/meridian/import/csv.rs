//! The rows of a CSV file: the header row names the attributes, and an empty field is no attribute.
//!
//! CSV has no types. A key attribute has the type that the table says, the columns named with `--numbers`
//! hold numbers, and everything else is a string: a guess would turn `00123` into another value.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use ::csv::{Reader, ReaderBuilder, StringRecord};
use item::AttributeValue;
use item::json::dynamodb;
use serde_json::json;
use types::{KeySchema, KeyType};

use super::rows::Found;

/// Why a header row cannot name attributes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidHeader {
    /// A column without a name.
    #[error("column {column} has no name")]
    Unnamed {
        /// From 1.
        column: usize,
    },
    /// Two columns of one name.
    #[error("two columns are named {name:?}")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// `--numbers` names a column that is not there.
    #[error("there is no column {name:?}")]
    NoColumn {
        /// The name.
        name: String,
    },
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ::csv::Error),
}

/// The columns that hold something else than strings.
pub(super) struct Types(BTreeMap<String, KeyType>);

impl Types {
    /// Those of the key, and those that were named.
    pub(super) fn new(key: &KeySchema, numbers: &[String]) -> Types {
        let mut types: BTreeMap<_, _> = numbers.iter().map(|name| (name.clone(), KeyType::N)).collect();
        types.extend(key.attributes().map(|attribute| (attribute.name.clone(), attribute.key_type)));
        Types(types)
    }
}

/// Reads the rows one by one.
pub(super) struct Rows<R> {
    reader: Reader<R>,
    columns: Vec<(String, KeyType)>,
    ended: bool,
}

impl<R: Read> Rows<R> {
    /// Reads the header row.
    pub(super) fn open(reader: R, types: Types, numbers: &[String]) -> Result<Self, InvalidHeader> {
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(reader);
        let mut names = BTreeSet::new();
        let mut columns = Vec::new();
        for (index, name) in reader.headers()?.iter().enumerate() {
            if name.is_empty() {
                return Err(InvalidHeader::Unnamed { column: index + 1 });
            }
            if !names.insert(name.to_owned()) {
                return Err(InvalidHeader::Duplicate { name: name.to_owned() });
            }
            columns.push((name.to_owned(), types.0.get(name).copied().unwrap_or(KeyType::S)));
        }
        match numbers.iter().find(|name| !names.contains(*name)) {
            Some(name) => Err(InvalidHeader::NoColumn { name: name.clone() }),
            None => Ok(Rows { reader, columns, ended: false }),
        }
    }

    fn item(&self, record: &StringRecord) -> Found {
        if record.len() != self.columns.len() {
            return Err(format!("{} fields where the header has {}", record.len(), self.columns.len()));
        }
        let fields = self.columns.iter().zip(record).filter(|(_, field)| !field.is_empty());
        fields.map(|((name, key_type), field)| Ok((name.clone(), value(name, *key_type, field)?))).collect()
    }
}

fn value(name: &str, key_type: KeyType, field: &str) -> Result<AttributeValue, String> {
    let typed = match key_type {
        KeyType::S => return Ok(AttributeValue::S(field.to_owned())),
        KeyType::N => json!({ "N": field.trim() }),
        KeyType::B => json!({ "B": field }),
    };
    dynamodb::read_value(typed).map_err(|error| format!("{name}: {error}"))
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if self.ended {
            return None;
        }
        let mut record = StringRecord::new();
        match self.reader.read_record(&mut record) {
            Ok(true) => Some(self.item(&record)),
            Ok(false) => None,
            Err(error) => {
                // Text that is not UTF-8 costs its row; a file that cannot be read has no further rows.
                self.ended = error.is_io_error();
                Some(Err(error.to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use types::KeyAttribute;

    use super::*;

    fn key() -> KeySchema {
        let attribute = |name: &str, key_type| KeyAttribute { name: name.to_owned(), key_type };
        KeySchema { partition: attribute("id", KeyType::N), sort: Some(attribute("bytes", KeyType::B)) }
    }

    fn open(file: &[u8], numbers: &[&str]) -> Result<Vec<Found>, String> {
        let numbers: Vec<String> = numbers.iter().map(|name| (*name).to_owned()).collect();
        let rows = Rows::open(file, Types::new(&key(), &numbers), &numbers);
        rows.map(Iterator::collect).map_err(|error| error.to_string())
    }

    #[test]
    fn fields_have_the_types_of_their_columns() {
        let file = b"id,bytes,name,price\n007,AAE=,\"a \"\"quoted\"\",\nname\",1.50\n2,AA==,,\n";
        let rows = open(file, &["price"]).unwrap();
        let item = rows[0].as_ref().unwrap();
        assert_eq!(item["id"], AttributeValue::N("7".parse().unwrap()));
        assert_eq!(item["bytes"], AttributeValue::B(vec![0, 1]));
        assert_eq!(item["name"], AttributeValue::S("a \"quoted\",\nname".to_owned()));
        assert_eq!(item["price"], AttributeValue::N("1.50".parse().unwrap()));
        let second: Vec<_> = rows[1].as_ref().unwrap().keys().collect();
        assert_eq!(second, ["bytes", "id"]);
    }

    #[test]
    fn a_bad_row_costs_that_row_alone() {
        let rows = open(b"id,name\none,x\n1,x,y\n2,\xff\n3,z\n", &[]).unwrap();
        assert!(rows[0].as_ref().unwrap_err().starts_with("id: "), "{:?}", rows[0]);
        assert_eq!(rows[1], Err("3 fields where the header has 2".to_owned()));
        assert!(rows[2].as_ref().unwrap_err().contains("UTF-8"), "{:?}", rows[2]);
        assert!(rows[3].is_ok());
        assert_eq!(rows.len(), 4);
    }

    #[test]
    fn headers_that_name_nothing_are_refused() {
        assert_eq!(open(b"id,,x\n", &[]), Err("column 2 has no name".to_owned()));
        assert_eq!(open(b"id,id\n", &[]), Err("two columns are named \"id\"".to_owned()));
        assert_eq!(open(b"id\n", &["x"]), Err("there is no column \"x\"".to_owned()));
    }
}
