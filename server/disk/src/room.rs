//! How much room a data folder has: what the file system says, and what is to stay free of it.
//!
//! It only looks; what is to be done about too little room is decided by whoever asks.

use std::io;
use std::path::Path;

use storage::Room;
use types::limits;

/// The room of the file system that holds this folder, of which so much is to stay free; `None` is the usual
/// part of it.
pub fn look(folder: &Path, reserve_bytes: Option<u64>) -> io::Result<Room> {
    let found = rustix::fs::statvfs(folder)?;
    // What only the superuser may use counts as used.
    let (total_bytes, free_bytes) = (found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize);
    let reserve_bytes = reserve_bytes.unwrap_or_else(|| usual_reserve(total_bytes));
    Ok(Room { total_bytes, free_bytes, reserve_bytes })
}

/// What is to stay free of a disk of this size where nobody said how much. It is never so much that a small
/// disk could hold next to nothing.
fn usual_reserve(total_bytes: u64) -> u64 {
    let part = total_bytes / 100 * limits::DISK_RESERVE_PERCENT;
    part.clamp(limits::DISK_RESERVE_BYTES_MIN, limits::DISK_RESERVE_BYTES_MAX).min(total_bytes / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_the_room_of_its_file_system() {
        let folder = tempfile::tempdir().unwrap();
        let room = look(folder.path(), Some(7)).unwrap();
        assert!(0 < room.free_bytes && room.free_bytes <= room.total_bytes, "{room:?}");
        assert_eq!(room.reserve_bytes, 7);
        let usual = look(folder.path(), None).unwrap();
        assert_eq!(usual.reserve_bytes, usual_reserve(usual.total_bytes));
        let missing = look(&folder.path().join("missing"), None).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_usual_reserve_is_a_part_between_two_bounds() {
        let (mib, gib) = (1 << 20, 1 << 30);
        for (total, reserve) in [(0, 0), (100 * mib, 50 * mib), (gib, 256 * mib), (1000 * gib, 2 * gib)] {
            assert_eq!(usual_reserve(total), reserve, "of {total}");
        }
        let middle = usual_reserve(20 * gib);
        assert!(1023 * mib < middle && middle <= gib, "{middle}");
    }
}
