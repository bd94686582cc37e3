//! Error details as they travel beside a gRPC status, in `grpc-status-details-bin`.
//!
//! The outer message has the fields of `google.rpc.Status`, so that tools which know nothing of Meridian show
//! them.

use prost::Message;

use crate::v1::{ErrorDetail, ErrorKind, StatusDetail, StatusDetails};

/// The type under which an `ErrorDetail` travels.
pub const TYPE_URL: &str = "type.googleapis.com/meridian.v1.ErrorDetail";

/// The bytes for a status of this gRPC code.
pub fn encode(code: i32, detail: &ErrorDetail) -> Vec<u8> {
    let inner = StatusDetail { type_url: TYPE_URL.to_owned(), value: detail.encode_to_vec() };
    StatusDetails { code, message: detail.message.clone(), details: vec![inner] }.encode_to_vec()
}

/// The detail in the bytes of a status; `None` when there is none, since a proxy may have made the status.
pub fn decode(bytes: &[u8]) -> Option<ErrorDetail> {
    let details = StatusDetails::decode(bytes).ok()?;
    let inner = details.details.into_iter().find(|inner| inner.type_url == TYPE_URL)?;
    ErrorDetail::decode(inner.value.as_slice()).ok()
}

/// Names what is wrong with bytes that are no message, under the name that DynamoDB has for it.
pub fn malformed(error: &prost::DecodeError) -> ErrorDetail {
    let levels = types::limits::NESTING_MAX;
    ErrorDetail {
        name: "SerializationException".to_owned(),
        message: format!("{error} (values nest at most {levels} levels of lists and maps)"),
        kind: ErrorKind::Client.into(),
        field: String::new(),
        retry_after_ms: 0,
        node: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_round_trip() {
        let detail = ErrorDetail {
            name: "ThrottlingException".to_owned(),
            message: "overloaded".to_owned(),
            kind: ErrorKind::Retryable.into(),
            field: String::new(),
            retry_after_ms: 20,
            node: 3,
        };
        assert_eq!(decode(&encode(8, &detail)), Some(detail));
    }

    #[test]
    fn what_is_no_detail_is_none() {
        let other = StatusDetail { type_url: "type.googleapis.com/other".to_owned(), value: vec![] };
        let bytes = StatusDetails { code: 3, message: String::new(), details: vec![other] }.encode_to_vec();
        for bytes in [&bytes[..], b"", b"\xff\xff", b"plain text"] {
            assert_eq!(decode(bytes), None);
        }
    }
}
