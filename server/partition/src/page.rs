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
    /// Whether what follows is held elsewhere, so that the page must say where it ended.
    pub goes_on: bool,
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
        track: range.goes_on,
        reached: Vec::new(),
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
        None if reading.too_long => Ok(None),
        None => reading.end().map(Some),
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
    /// Whether to note the last key that was read, and which it was.
    track: bool,
    reached: Vec<u8>,
}

impl Reading<'_> {
    /// The page; if what follows is held elsewhere, it goes on behind the last key that was read.
    fn end(mut self) -> Result<Page, Fatal> {
        if self.page.last.is_none() && !self.reached.is_empty() {
            self.page.last = Some(self.stored_key(&self.reached)?);
        }
        Ok(self.page)
    }

    fn stored_key(&self, key: &[u8]) -> Result<Item, Fatal> {
        let key = item::key::decode(self.schema, keys::record::Key::decode(key)?.key);
        key.ok_or_else(|| Fatal::undecodable("record key"))
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<ControlFlow<()>, Fatal> {
        if self.track {
            key.clone_into(&mut self.reached);
        }
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
        self.page.last = Some(self.stored_key(key)?);
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
