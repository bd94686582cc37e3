//! The bytes that keys and values are made of: big-endian numbers, so that they sort as they count.
//!
//! A `Reader` refuses whatever a `Writer` would not have written; every failure names the kind being read.

use types::{GroupId, HybridTime, Incarnation, KeyHash, RegionId, TableId, Version};

use crate::Error;
use crate::error::Fault;

/// What most keys and small values take.
const USUAL_BYTES: usize = 63;

/// Builds a key or value from its parts.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// Begins a key with its kind's tag, or a value with its format.
    pub fn new(first: u8) -> Self {
        Writer::with_room(first, USUAL_BYTES)
    }

    /// The same, with room for so many bytes behind the first: what grows is copied each time.
    pub fn with_room(first: u8, bytes: usize) -> Self {
        let mut out = Vec::with_capacity(1 + bytes);
        out.push(first);
        Writer(out)
    }

    pub fn byte(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub fn flag(self, value: bool) -> Self {
        self.byte(u8::from(value))
    }

    pub fn bytes(mut self, value: &[u8]) -> Self {
        self.0.extend_from_slice(value);
        self
    }

    pub fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    pub fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    pub fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    pub fn group(self, value: GroupId) -> Self {
        self.u64(value.0)
    }

    pub fn hash(self, value: KeyHash) -> Self {
        self.u64(value.0)
    }

    pub fn region(self, value: RegionId) -> Self {
        self.u32(value.0)
    }

    pub fn time(self, value: HybridTime) -> Self {
        self.u64(value.as_u64())
    }

    pub fn table(self, value: TableId) -> Self {
        self.bytes(&value.to_bytes())
    }

    pub fn incarnation(self, value: Incarnation) -> Self {
        self.bytes(&value.to_bytes())
    }

    pub fn version(self, value: Version) -> Self {
        self.bytes(&value.to_bytes())
    }

    /// An item's encoded key with its length before it, where something follows.
    pub fn item_key(self, value: &[u8]) -> Self {
        let length = u16::try_from(value.len()).expect("an item's encoded key has at most 64 KiB");
        self.u16(length).bytes(value)
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Takes a key or value apart.
pub(crate) struct Reader<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads a key, whose first byte must be its kind's tag.
    pub fn key(what: &'static str, tag: u8, bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader { what, rest: bytes };
        let found = reader.byte()?;
        if found == tag { Ok(reader) } else { Err(reader.corrupt(Fault::Tag { found })) }
    }

    /// Reads a value, whose first byte is its format; there is one format of everything so far.
    pub fn value(what: &'static str, known: u8, bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader { what, rest: bytes };
        match reader.byte()? {
            0 => Err(reader.corrupt(Fault::Format)),
            found if found > known => Err(Error::TooNew { what, found, known }),
            _ => Ok(reader),
        }
    }

    pub fn corrupt(&self, fault: Fault) -> Error {
        Error::Corrupt { what: self.what, fault }
    }

    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(self.corrupt(Fault::Truncated))?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(self.corrupt(Fault::Truncated))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub fn byte(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn flag(&mut self, field: &'static str) -> Result<bool, Error> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(self.corrupt(Fault::Flag { field, found })),
        }
    }

    pub fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_be_bytes)
    }

    pub fn group(&mut self) -> Result<GroupId, Error> {
        self.u64().map(GroupId)
    }

    pub fn hash(&mut self) -> Result<KeyHash, Error> {
        self.u64().map(KeyHash)
    }

    pub fn region(&mut self) -> Result<RegionId, Error> {
        self.u32().map(RegionId)
    }

    pub fn time(&mut self) -> Result<HybridTime, Error> {
        self.u64().map(HybridTime::from_u64)
    }

    pub fn table(&mut self) -> Result<TableId, Error> {
        self.array().map(TableId::from_bytes)
    }

    pub fn incarnation(&mut self) -> Result<Incarnation, Error> {
        self.array().map(Incarnation::from_bytes)
    }

    pub fn version(&mut self) -> Result<Version, Error> {
        let bytes = self.array()?;
        let flag = Fault::Flag { field: "expired", found: bytes[Version::LENGTH - 1] };
        Version::from_bytes(bytes).ok_or(self.corrupt(flag))
    }

    pub fn item_key(&mut self) -> Result<&'a [u8], Error> {
        let length = self.u16()?;
        self.bytes(usize::from(length))
    }

    /// Everything that is left; a key or value that ends in free bytes ends with this.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Checks that nothing is left and hands the result through.
    pub fn finish<T>(self, value: T) -> Result<T, Error> {
        match self.rest.len() {
            0 => Ok(value),
            bytes => Err(self.corrupt(Fault::Trailing { bytes })),
        }
    }
}
