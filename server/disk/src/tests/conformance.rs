//! The golden scripts and random commands that every engine must pass (`P23`).

use proptest::prelude::*;
use storage::testing::differential::{self, Begin, Log, Step};
use storage::testing::{script, scripts};

use super::machine::Powered;

#[test]
fn the_scripts_hold() {
    let (folder, names) = scripts();
    for name in names {
        script::run(&folder, name, Powered::new()).unwrap();
    }
}

/// What a start finds must be durable before it is used, though the process that wrote it never synced it.
#[test]
fn what_one_crash_left_survives_the_next() {
    let append = Log::Entries { group: 0, from: Begin::Next, count: 1, bytes: 0 };
    let steps = [
        Step::Append(vec![append.clone()]),
        Step::Crash { log_batches: 1 },
        Step::Append(vec![append]),
        Step::Crash { log_batches: 0 },
    ];
    differential::run(&mut Powered::new(), &steps);
}

proptest! {
    // Each case opens a database several times.
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_disk_agrees_with_memory(steps in differential::steps()) {
        differential::run(&mut Powered::new(), &steps);
    }
}
