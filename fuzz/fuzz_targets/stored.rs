//! The key space: bytes taken as a stored key or value of any kind are its one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use storage::keys::{
    Change, Cursor, LedgerEntry, PartitionState, RequestOutcome, catalog, change, cursor, ledger, partition,
    record, request, tombstone,
};
use storage::{Error, Record};

fuzz_target!(|input: &[u8]| {
    let same = |kind: &str, encoded: Result<Vec<u8>, Error>| {
        if let Ok(encoded) = encoded {
            assert_eq!(encoded, input, "a {kind} has a second encoding");
        }
    };
    same("record", Record::decode(input).map(|value| value.encode()));
    same("record key", record::Key::decode(input).map(|key| key.encode()));
    same("change", Change::decode(input).map(|value| value.encode()));
    same("change key", change::Key::decode(input).map(|key| key.encode()));
    same("tombstone", tombstone::decode_value(input).map(tombstone::encode_value));
    same("tombstone key", tombstone::Key::decode(input).map(|key| key.encode()));
    same("cursor", Cursor::decode(input).map(|value| value.encode()));
    same("cursor key", cursor::Key::decode(input).map(|key| key.encode()));
    same("partition", PartitionState::decode(input).map(|value| value.encode()));
    same("partition key", partition::decode(input).map(partition::encode));
    same("request", RequestOutcome::decode(input).map(|value| value.encode()));
    same("request key", request::Key::decode(input).map(|key| key.encode()));
    same("ledger entry", LedgerEntry::decode(input).map(|value| value.encode()));
    same("ledger key", ledger::Key::decode(input).map(|key| key.encode()));
    same("catalog key", catalog::Key::decode(input).map(|key| key.encode()));
});
