//! Tells the log when a disk becomes nearly full, and when it has room again.
//!
//! Which of it is so is the shard's to decide; whoever operates the node reads of it here and in the metrics.

use shard::Figures;
use types::RegionName;

use crate::size::Size;

/// What the log was told last.
pub struct Fullness {
    region: RegionName,
    nearly_full: bool,
}

impl Fullness {
    /// There was room.
    pub fn new(region: RegionName) -> Self {
        Fullness { region, nearly_full: false }
    }

    /// Tells what has changed.
    pub fn note(&mut self, figures: &Figures) {
        let Some(room) = figures.room.filter(|_| figures.nearly_full != self.nearly_full) else { return };
        self.nearly_full = figures.nearly_full;
        let (region, free, reserve) = (&self.region, Size(room.free_bytes), Size(room.reserve_bytes));
        match self.nearly_full {
            true => tracing::warn!(
                %region, %free, %reserve,
                "the disk is nearly full: puts, updates and new tables are refused until there is room"
            ),
            false => tracing::info!(%region, %free, %reserve, "the disk has room again"),
        }
    }
}
