//! What every engine must pass (`P23`): golden scripts, and random commands compared with the in-memory
//! engine.
//!
//! Behind the feature `testing`, so that `disk` runs the same scripts and the same comparison.

pub mod differential;
pub mod script;

use std::path::PathBuf;

use crate::memory::{Memory, Torn};
use crate::{Engine, Error};

/// A disk that a test can crash and start again.
pub trait Machine {
    /// The engine on it.
    type Engine: Engine;

    /// The engine as the last start left it.
    fn engine(&self) -> &Self::Engine;

    /// Crashes, leaving at least what `torn` says of what was not durable, and starts again; returns what was
    /// really left. Snapshots have been dropped before.
    fn crash(&mut self, torn: Torn) -> Result<Torn, Error>;
}

impl Machine for Memory {
    type Engine = Memory;

    fn engine(&self) -> &Memory {
        self
    }

    fn crash(&mut self, torn: Torn) -> Result<Torn, Error> {
        Memory::crash(self, torn);
        Ok(torn)
    }
}

/// The folder of the golden scripts, and their names in order.
pub fn scripts() -> (PathBuf, Vec<&'static str>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/testscripts");
    (folder, vec!["keys", "snapshots", "flush", "log", "log_limits", "log_crash", "log_torn"])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_scripts_hold_in_memory() {
        let (folder, names) = scripts();
        for name in names {
            script::run(&folder, name, Memory::new()).unwrap();
        }
    }

    proptest! {
        #[test]
        fn memory_agrees_with_itself(steps in differential::steps()) {
            differential::run(&mut Memory::new(), &steps);
        }
    }

    /// A disk that forgets a synced append when it crashes.
    struct Forgetful(Memory);

    impl Machine for Forgetful {
        type Engine = Memory;

        fn engine(&self) -> &Memory {
            &self.0
        }

        fn crash(&mut self, torn: Torn) -> Result<Torn, Error> {
            let fresh = Memory::new();
            self.0 = fresh;
            Ok(torn)
        }
    }

    #[test]
    #[should_panic(expected = "after a crash")]
    fn the_comparison_can_fail() {
        let steps = [
            differential::Step::Append(vec![differential::Log::Entries {
                group: 1,
                from: differential::Begin::Next,
                count: 1,
                bytes: 3,
            }]),
            differential::Step::Sync,
            differential::Step::Crash { log_batches: 0 },
        ];
        differential::run(&mut Forgetful(Memory::new()), &steps);
    }
}
