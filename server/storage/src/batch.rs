//! A set of writes to the key space that happens whole or not at all.

/// One write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Write {
    /// Sets a key.
    Put {
        /// The key.
        key: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
    /// Removes a key, if it is there.
    Delete {
        /// The key.
        key: Vec<u8>,
    },
    /// Removes all keys from the first up to, not including, the second.
    DeleteRange {
        /// The first key removed.
        from: Vec<u8>,
        /// The first key kept.
        to: Vec<u8>,
    },
}

/// Writes in order; a later one to the same key wins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    writes: Vec<Write>,
    bytes: usize,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Batch::default()
    }

    /// Sets a key.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.bytes += key.len() + value.len();
        self.writes.push(Write::Put { key, value });
    }

    /// Removes a key.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.bytes += key.len();
        self.writes.push(Write::Delete { key });
    }

    /// Removes the keys from `from` up to, not including, `to`.
    pub fn delete_range(&mut self, from: Vec<u8>, to: Vec<u8>) {
        self.writes.push(Write::DeleteRange { from, to });
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Bytes of the keys and values put or removed one by one.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The writes in order.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// The writes, taken out.
    pub fn into_writes(self) -> Vec<Write> {
        self.writes
    }
}
