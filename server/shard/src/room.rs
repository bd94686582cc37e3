//! Whether the disk has room for what makes it fuller, and who is told when it has not.
//!
//! A disk that is written full ends its node, and only an operator could bring it back. So while it is nearly
//! full the leader refuses puts, updates and new tables, and other regions keep what they would bring. All
//! that makes room goes on: deletes, collections, flushes, merges, and replicas that move away. What this
//! node follows goes on as well as long as a majority has room (`overview`); no replica is moved here. This
//! decides by what the engine says, and asks no file system itself.

use item::Error as Refusal;
use storage::{Engine, Room};
use types::limits;

use crate::clock::NS_PER_MS;
use crate::{Error, Shard};

/// What is known of the disk's room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Storage {
    pub room: Option<Room>,
    pub nearly_full: bool,
}

impl Storage {
    /// Takes in what the engine says. A disk becomes nearly full at its reserve, and has room again only with
    /// some more than that.
    fn note(&mut self, room: Option<Room>) {
        self.room = room;
        self.nearly_full = room.is_some_and(|room| match self.nearly_full {
            true => room.free_bytes < needed_bytes(&room),
            false => room.free_bytes < room.reserve_bytes,
        });
    }
}

/// What must be free for a disk that was nearly full to have room again.
pub(crate) fn needed_bytes(room: &Room) -> u64 {
    let bytes = u128::from(room.reserve_bytes) * u128::from(limits::DISK_ROOM_AGAIN_PERCENT) / 100;
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

impl<E: Engine> Shard<E> {
    /// Asks the disk how much room it has, when that is due.
    pub(crate) fn look_for_room(&mut self) -> Result<(), Error> {
        let now_ns = self.now.monotonic_ns;
        if now_ns >= self.due.room_ns {
            self.storage.note(self.engine.room()?);
            self.due.room_ns = now_ns + limits::ROOM_INTERVAL_MS * NS_PER_MS;
        }
        Ok(())
    }

    /// Refuses what makes the disk fuller, while it is nearly full.
    pub(crate) fn check_room(&mut self) -> Result<(), Refusal> {
        let Storage { room: Some(room), nearly_full: true } = &self.storage else { return Ok(()) };
        self.figures.refused_for_room += 1;
        let (node, free_bytes) = (self.settings.node, room.free_bytes);
        Err(Refusal::StorageFull { node, free_bytes, needed_bytes: needed_bytes(room) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(free_bytes: u64, reserve_bytes: u64) -> Option<Room> {
        Some(Room { total_bytes: 1000, free_bytes, reserve_bytes })
    }

    #[test]
    fn it_ends_only_with_more_room_than_it_began_with() {
        let mut storage = Storage::default();
        let steps =
            [(100, false), (99, true), (100, true), (124, true), (125, false), (100, false), (0, true)];
        for (free_bytes, nearly_full) in steps {
            storage.note(room(free_bytes, 100));
            assert_eq!(storage.nearly_full, nearly_full, "with {free_bytes} bytes free");
        }
        storage.note(None);
        assert!(!storage.nearly_full);
    }

    #[test]
    fn nothing_is_nearly_full_without_a_reserve_and_everything_with_an_endless_one() {
        let mut storage = Storage::default();
        storage.note(room(0, 0));
        assert!(!storage.nearly_full);
        storage.note(room(u64::MAX - 1, u64::MAX));
        assert!(storage.nearly_full);
        storage.note(room(0, 0));
        assert!(!storage.nearly_full, "whoever switches it off is not kept waiting");
    }
}
