//! Answers as clients read them: whatever a server, or a proxy before it, sends as an error's detail or as
//! items comes to a typed error or to what the bytes say.
#![no_main]

use std::collections::BTreeMap;

use client::failure::Failure;
use libfuzzer_sys::fuzz_target;
use prost::Message;
use proto::v1::{
    AttributeValue, BatchGetItemResponse, GetItemResponse, Item, ListVersionsResponse, QueryResponse,
    ScanResponse, UpdateItemResponse,
};
use proto::{convert, detail};

fuzz_target!(|input: &[u8]| {
    if let Some(told) = detail::decode(input) {
        assert_eq!(detail::decode(&detail::encode(3, &told)).as_ref(), Some(&told));
        assert_ne!(Failure::of(true, Some(&told)), Failure::NotSent);
    }
    read::<GetItemResponse>(input, |answer| answer.item.into_iter().collect());
    read::<UpdateItemResponse>(input, |answer| {
        let failed = answer.condition_check_failed.and_then(|failed| failed.item);
        answer.attributes.into_iter().chain(failed).collect()
    });
    read::<QueryResponse>(input, |answer| page(answer.items, answer.last_evaluated_key));
    read::<ScanResponse>(input, |answer| page(answer.items, answer.last_evaluated_key));
    read::<BatchGetItemResponse>(input, |answer| {
        let left = answer.unprocessed_keys.into_iter().flat_map(|table| table.keys);
        answer.responses.into_iter().flat_map(|table| table.items).chain(left).collect()
    });
    read::<ListVersionsResponse>(input, |answer| answer.keys.into_iter().filter_map(|key| key.key).collect());
});

/// Decodes an answer, and each of its items, which survive the way back.
fn read<M: Message + Default>(bytes: &[u8], items: impl Fn(M) -> Vec<Item>) {
    let Ok(answer) = M::decode(bytes) else { return };
    for item in items(answer) {
        let Ok(item) = convert::item_from(item.attributes) else { continue };
        assert_eq!(convert::item_from(convert::item_into(item.clone())), Ok(item));
    }
}

fn page(mut items: Vec<Item>, last: BTreeMap<String, AttributeValue>) -> Vec<Item> {
    items.push(Item { attributes: last });
    items
}
