//! Items: bytes taken as an item are its one encoding, and items of both kinds of JSON survive every form.
#![no_main]

use item::{Item, Stored, codec, json, size, validate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let decoded = codec::decode(input);
    assert_eq!(
        Stored::new(input).map(|stored| stored.item()),
        decoded,
        "looking through refuses something else"
    );
    if let Ok(item) = decoded {
        assert_eq!(codec::encode(&item), input, "{item:?} has a second encoding");
        check(&item);
    }
    let Ok(value) = json::parse(input) else { return };
    if let Ok(item) = json::dynamodb::read_item(value.clone()) {
        check(&item);
    }
    if let Ok(item) = json::plain::read_item(value) {
        check(&item);
    }
});

fn check(item: &Item) {
    assert_eq!(codec::decode(&codec::encode(item)).as_ref(), Ok(item));
    assert_eq!(json::dynamodb::read_item(json::dynamodb::write_item(item)).as_ref(), Ok(item));
    let _ = json::plain::write_item(item).to_string();
    if validate::check_item(item, None).is_ok() {
        assert!(size::item_size(item) <= types::limits::ITEM_BYTES_MAX);
    }
}
