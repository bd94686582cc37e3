//! Frames between regions: no bytes make taking one panic or allocate past its limit, and every message
//! survives its frame. Around them are the frames of the link, which carry them as bytes.
//!
//! A checksum is more than a fuzzer guesses, so the input is also tried as a payload behind a header that
//! fits.
#![no_main]

use global::{Message, frame};
use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use proto::link::LinkFrame;
use proto::link::link_frame::Frame;

const FORMAT: u8 = 1;

fuzz_target!(|input: &[u8]| {
    check(frame::decode(input).ok());
    check(Message::decode(input).ok());
    if let Ok(LinkFrame { frame: Some(Frame::Message(message)) }) = LinkFrame::decode(input) {
        check(frame::decode(&message.payload).ok());
    }
    let Some((kind, rest)) = input.split_first() else { return };
    let Some((length, payload)) = rest.split_first_chunk::<4>() else { return };
    check(frame::decode(&framed(*kind, *length, payload)).ok());
    check(frame::decode(&framed(*kind, (payload.len() as u32).to_be_bytes(), payload)).ok());
});

fn framed(kind: u8, length: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let checksum = crc32fast::hash(payload).to_be_bytes();
    [&[FORMAT, kind], &length[..], &checksum, payload].concat()
}

fn check(message: Option<Message>) {
    if let Some(message) = message {
        assert_eq!(frame::decode(&frame::encode(&message)), Ok(message));
    }
}
