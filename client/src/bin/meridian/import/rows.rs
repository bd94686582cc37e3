//! The rows of a file, one after the other, whatever it holds.
//!
//! Rows are counted from 1 as they stand in the file, whether or not they can be used: a number always leads
//! back to its row.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use item::json::{InvalidJson, dynamodb, plain};
use item::{AttributeValue, Item, Key};
use types::KeySchema;

use super::progress::Progress;
use super::{check, csv, json};
use crate::arguments::{Format, Import};
use crate::failure::Failure;
use crate::shape::Attributes;

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    /// From 1.
    pub(super) number: u64,
    /// What it holds.
    pub(super) content: Content,
}

/// What a row holds.
#[derive(Debug)]
pub(super) enum Content {
    /// An item that the server should take.
    Item {
        /// Its attributes.
        item: Attributes,
        /// Its key.
        key: Key,
        /// Its size by DynamoDB's rules.
        bytes: usize,
    },
    /// Something else.
    Refused {
        /// Why, in words.
        reason: String,
    },
}

/// A row as its reader found it: an item, or why it is none.
pub(super) type Found = Result<Item, String>;

/// Opens the file of an import.
pub(super) fn open(
    arguments: Import,
    key: KeySchema,
) -> Result<(Box<dyn Iterator<Item = Row> + Send>, Progress), Failure> {
    let path = arguments.file.clone();
    let failure = |source: io::Error| Failure::File { path: path.clone(), source };
    let read = Arc::new(AtomicU64::new(0));
    let (source, bytes): (Box<dyn Read + Send>, Option<u64>) = if path == Path::new("-") {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(&path).map_err(failure)?;
        let bytes = file.metadata().map_err(failure)?.len();
        (Box::new(file), Some(bytes))
    };
    let mut reader = BufReader::with_capacity(1 << 16, Counted { source, read: read.clone() });
    skip_byte_order_mark(&mut reader).map_err(failure)?;
    let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let format = arguments.format.unwrap_or(if is_csv { Format::Csv } else { Format::Json });
    let found: Box<dyn Iterator<Item = Found> + Send> = match format {
        Format::Csv => {
            let types = csv::Types::new(&key, &arguments.numbers);
            let rows = csv::Rows::open(reader, types, &arguments.numbers);
            Box::new(rows.map_err(|cause| Failure::Header { cause })?)
        }
        Format::Json => {
            let read = if arguments.dynamodb_json { dynamodb::read_item } else { plain::read_item };
            Box::new(json::Texts::new(reader).map(move |text| read_json(text, read)))
        }
    };
    let row_number = arguments.row_number;
    let rows = found.zip(1..).map(move |(found, number)| {
        let numbered = found.and_then(|item| add_number(item, number, row_number.as_deref()));
        let content = numbered.and_then(|item| finish(item, &key));
        Row { number, content: content.unwrap_or_else(|reason| Content::Refused { reason }) }
    });
    Ok((Box::new(rows), Progress::new(bytes, read)))
}

fn read_json(
    text: Result<Vec<u8>, json::Broken>,
    read: impl Fn(serde_json::Value) -> Result<Item, InvalidJson>,
) -> Found {
    let text = text.map_err(|broken| broken.to_string())?;
    item::json::parse(&text).and_then(read).map_err(|error| error.to_string())
}

/// Adds the row's number under the name asked for, which the row must leave free.
fn add_number(mut item: Item, number: u64, name: Option<&str>) -> Found {
    let Some(name) = name else { return Ok(item) };
    let number = number.to_string().parse().expect("a row number has at most 20 digits");
    match item.insert(name.to_owned(), AttributeValue::N(number)) {
        Some(_) => Err(format!("the row has an attribute {name} of its own")),
        None => Ok(item),
    }
}

fn finish(item: Item, key: &KeySchema) -> Result<Content, String> {
    let key = check::item(key, &item).map_err(|error| error.to_string())?;
    let bytes = item::size::item_size(&item);
    Ok(Content::Item { item: proto::convert::item_into(item), key, bytes })
}

/// Spreadsheets begin UTF-8 files with a mark that is no part of the text.
fn skip_byte_order_mark(reader: &mut impl BufRead) -> io::Result<()> {
    if reader.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    Ok(())
}

/// Counts the bytes that were read, for the progress bar.
struct Counted<R> {
    source: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
