//! The real disk of each region, all within one memory budget.

use std::error::Error;

use disk::{Budget, Disk, Options};

use crate::node::Opened;
use crate::settings::NodeSettings;
use crate::size::Size;

/// Opens data folders that share half of this much memory; the rest is for requests, answers and logs.
pub fn opener(memory: Size) -> impl Fn(&NodeSettings) -> Result<Opened<Disk>, Box<dyn Error + Send + Sync>> {
    let budget = Budget::new(usize::try_from(memory.0 / 2).unwrap_or(usize::MAX));
    move |settings| {
        let engine = Disk::open(&settings.data, &Options::new(budget.clone()))?;
        let tidied = engine.clone();
        let maintain = Box::new(move || tidied.maintain().map(|kept_alive| !kept_alive.is_empty()));
        Ok(Opened { engine, maintain: Some(maintain) })
    }
}
