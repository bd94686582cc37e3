//! One page of a query or scan: read in key order, counted, filtered, projected, cut at a limit.
//!
//! Only committed records are read. A page is bounded by bytes before the filter (DynamoDB: 1 MB). Most need
//! far less, and are read in the turn that asked; one that turns out longer is left, to be read on a
//! snapshot.

use std::ops::{Bound, ControlFlow};

use item::operation::PageOptions;
use item::outcome::Page;
use item::{Error, Invalid, Item, Key, size};
use storage::{Direction, Error as Fatal, Read, Record, keys};
use types::{KeySchema, limits};

/// Which stored keys a page is read from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Range {
    /// The first key, included.
    pub from: Vec<u8>,
    /// The first key past the end.
    pub to: Vec<u8>,
    /// Which way.
    pub direction: Direction,
}

/// How much may be read for a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effort {
    /// No more than a turn has time for.
    Turn,
    /// All that a page takes.
    Page,
}

/// Reads one page of a range, after a stored key if one is given; `None` if it takes more effort than that.
pub fn read(
    engine: &impl Read,
    schema: &KeySchema,
    range: &Range,
    after: Option<&[u8]>,
    options: &PageOptions,
    effort: Effort,
) -> Result<Option<Page>, Fatal> {
    let (from, to) = match (after, range.direction) {
        (Some(after), Direction::Forward) => (Bound::Excluded(after), Bound::Excluded(&range.to[..])),
        (Some(after), Direction::Backward) => (Bound::Included(&range.from[..]), Bound::Excluded(after)),
        (None, _) => (Bound::Included(&range.from[..]), Bound::Excluded(&range.to[..])),
    };
    let bytes_max = match effort {
        Effort::Turn => limits::PAGE_IN_TURN_BYTES_MAX,
        Effort::Page => limits::PAGE_BYTES_MAX,
    };
    let mut reading = Reading {
        options,
        schema,
        bytes_max,
        page: Page::default(),
        bytes: 0,
        too_long: false,
        failed: None,
    };
    engine.scan(from, to, range.direction, &mut |key, value| match reading.take(key, value) {
        Ok(flow) => flow,
        Err(error) => {
            reading.failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    match reading.failed {
        Some(error) => Err(error),
        None => Ok((!reading.too_long).then_some(reading.page)),
    }
}

struct Reading<'a> {
    options: &'a PageOptions,
    schema: &'a KeySchema,
    bytes_max: usize,
    page: Page,
    bytes: usize,
    /// More would have to be read than may be.
    too_long: bool,
    failed: Option<Fatal>,
}

impl Reading<'_> {
    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<ControlFlow<()>, Fatal> {
        let Some(body) = Record::decode(value)?.body else {
            return self.pass_tombstone(key, value);
        };
        let item = item::codec::decode(&body).map_err(|_| Fatal::undecodable("record body"))?;
        self.page.scanned += 1;
        self.bytes += size::item_size(&item);
        let limit = self.options.limit.unwrap_or(usize::MAX) as u64;
        if self.page.scanned >= limit || self.bytes >= limits::PAGE_BYTES_MAX {
            self.page.last = Some(key_of(self.schema, &item));
        }
        self.keep(item);
        Ok(self.flow())
    }

    /// Whether to go on: not when the page is full, nor when reading it takes more than it may.
    fn flow(&mut self) -> ControlFlow<()> {
        self.too_long = self.page.last.is_none() && self.bytes >= self.bytes_max;
        match self.too_long || self.page.last.is_some() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// A tombstone is absence, but reading it takes time: a page of nothing else ends, too.
    fn pass_tombstone(&mut self, key: &[u8], value: &[u8]) -> Result<ControlFlow<()>, Fatal> {
        self.bytes += key.len() + value.len();
        if self.bytes < limits::PAGE_BYTES_MAX {
            return Ok(self.flow());
        }
        let key = item::key::decode(self.schema, keys::record::Key::decode(key)?.key);
        self.page.last = Some(key.ok_or_else(|| Fatal::undecodable("record key"))?);
        Ok(ControlFlow::Break(()))
    }

    fn keep(&mut self, item: Item) {
        if self.options.filter.as_ref().is_some_and(|filter| !filter.evaluate(&item)) {
            return;
        }
        self.page.count += 1;
        if !self.options.count_only {
            self.page.items.push(match &self.options.projection {
                Some(projection) => projection.apply(&item),
                None => item,
            });
        }
    }
}

/// The key attributes of an item.
pub fn key_of(schema: &KeySchema, item: &Item) -> Item {
    let found = |name: &String| item.get(name).map(|value| (name.clone(), value.clone()));
    schema.attributes().filter_map(|attribute| found(&attribute.name)).collect()
}

/// The place of an `ExclusiveStartKey`.
pub fn start(schema: &KeySchema, options: &PageOptions) -> Result<Option<Key>, Error> {
    let start = options.after.as_ref().map(|key| Key::of_key(schema, key)).transpose();
    Ok(start.map_err(Invalid::from)?)
}
