//! Names that users choose: tables and regions, checked once where they enter.

use std::fmt;

use crate::RegionId;
use crate::limits;

/// Why a name was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidName {
    /// A table's name: 3 to 255 of `a-z A-Z 0-9 _ . -` (DynamoDB's rule).
    #[error("TableName must be {min} to {max} of a-z, A-Z, 0-9, '_', '.' and '-'; got {length} bytes",
        min = limits::TABLE_NAME_BYTES_MIN, max = limits::TABLE_NAME_BYTES_MAX)]
    Table {
        /// How long the refused name was, in bytes.
        length: usize,
    },
    /// A region's name: 1 to 64 of `a-z 0-9 -`, starting with a letter.
    #[error("Region must be 1 to {max} of a-z, 0-9 and '-', the first a letter; got {length} bytes",
        max = limits::REGION_NAME_BYTES_MAX)]
    Region {
        /// How long the refused name was, in bytes.
        length: usize,
    },
}

/// The name of a table.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName(String);

impl TableName {
    /// Checks a name: 3 to 255 bytes of `[a-zA-Z0-9_.-]`.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidName> {
        let name = name.into();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        if (limits::TABLE_NAME_BYTES_MIN..=limits::TABLE_NAME_BYTES_MAX).contains(&name.len())
            && name.bytes().all(allowed)
        {
            Ok(TableName(name))
        } else {
            Err(InvalidName::Table { length: name.len() })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a region.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionName(String);

impl RegionName {
    /// Checks a name: 1 to 64 bytes of `[a-z0-9-]`, the first a letter.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidName> {
        let name = name.into();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let starts = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if name.len() <= limits::REGION_NAME_BYTES_MAX && starts && name.bytes().all(allowed) {
            Ok(RegionName(name))
        } else {
            Err(InvalidName::Region { length: name.len() })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region's number.
    pub fn id(&self) -> RegionId {
        RegionId::of(self)
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names_follow_dynamodb() {
        for good in ["abc", "A_b.c-9", &"x".repeat(255)] {
            assert!(TableName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "a b", "tablé", &"x".repeat(256)] {
            assert!(TableName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn region_names_start_with_a_letter() {
        for good in ["a", "us-east-1"] {
            assert!(RegionName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "-a", "US", "a_b", &"x".repeat(65)] {
            assert!(RegionName::new(bad).is_err(), "{bad}");
        }
    }
}
