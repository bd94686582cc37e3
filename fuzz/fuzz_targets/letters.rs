//! What another node of the region sends: no bytes stop a shard or make it speak to anybody but its nodes.
//!
//! A checksum is more than a fuzzer guesses, so the input is taken as letters behind a header that fits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shard::{Envelope, Inbox, NodeLink, Settings, Shard};
use storage::Engine;
use storage::memory::Memory;
use types::{NodeId, Now, RegionName};

const FORMAT: u8 = 2;
const STEP_NS: u64 = 60_000_000;

fuzz_target!(|input: &[u8]| {
    let disk = Memory::new();
    let alone = Settings::alone(RegionName::new("a").expect("a name"), 7);
    let settings = Settings { nodes: (1..=3).map(NodeId).collect(), ..alone };
    let now = |step: u64| Now { monotonic_ns: step * STEP_NS, wall_ms: 1_700_000_000_000 + step * 60 };
    let mut shard = Shard::open(disk.clone(), settings, now(0)).expect("an empty disk opens");
    let mut inbox = Inbox::new();
    // Each byte that is 0xff ends a bundle: several may be needed to get anywhere.
    for (step, letters) in (1..).zip(input.split(|byte| *byte == 0xff).take(8)) {
        let checksum = crc32fast::hash(letters).to_be_bytes();
        let bytes = [&[FORMAT], &checksum[..], letters].concat();
        let link = Envelope::Node(NodeLink { node: NodeId(2), bytes });
        assert!(inbox.push(link).is_ok(), "it is empty");
        // A fatal error is how a shard refuses what contradicts its disk; it must not panic.
        let Ok(turn) = shard.turn(now(step), &mut inbox) else { return };
        check(&turn.send);
        if turn.sync {
            disk.sync().expect("memory syncs");
            let Ok(released) = shard.persisted(turn.id, now(step)) else { return };
            check(&released);
        }
    }
});

fn check(sent: &[Envelope]) {
    let is_near = |envelope: &Envelope| matches!(envelope, Envelope::Node(link) if link.node != NodeId::ONLY);
    assert!(sent.iter().all(is_near));
}
