//! The real disk of each region, all within one memory budget.

use std::error::Error;

use disk::{Budget, Disk, Options};

use crate::node::Opened;
use crate::settings::NodeSettings;
use crate::size::Size;

/// Opens the data folders of so many regions that share this much memory. The disks take five eighths of it:
/// four for blocks and write buffers, one for values that were read lately; the rest is for requests, answers
/// and logs.
pub fn opener(
    memory: Size,
    regions: usize,
) -> impl Fn(&NodeSettings) -> Result<Opened<Disk>, Box<dyn Error + Send + Sync>> {
    let eighth = usize::try_from(memory.0 / 8).unwrap_or(usize::MAX / 8);
    let (budget, recent_bytes) = (Budget::new(4 * eighth), eighth / regions);
    move |settings| {
        let reserve_bytes = settings.disk_reserve.map(|size| size.0);
        let options = Options { reserve_bytes, ..Options::new(budget.clone(), recent_bytes) };
        let engine = Disk::open(&settings.data, &options)?;
        let tidied = engine.clone();
        let maintain = Box::new(move || tidied.maintain().map(|kept_alive| !kept_alive.is_empty()));
        Ok(Opened { engine, maintain: Some(maintain) })
    }
}
