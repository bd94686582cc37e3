//! The one mapping of errors to gRPC: a code, and beside it a detail that programs can read.
//!
//! Errors repeat names that the request gave, so what they say is cut to what trailers can carry.

use item::Error;
use item::error::{Invalid, Kind};
use proto::v1::{ErrorDetail, ErrorKind};
use types::InvalidName;
use types::limits::{ERROR_FIELD_BYTES_MAX, ERROR_MESSAGE_BYTES_MAX, ROOM_INTERVAL_MS};

/// The gRPC status codes that Meridian uses; the numbers are gRPC's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum Code {
    /// It may or may not have happened.
    Unknown = 2,
    /// The request is wrong, whatever the state.
    InvalidArgument = 3,
    /// Nobody got to it in time.
    DeadlineExceeded = 4,
    /// The table does not exist.
    NotFound = 5,
    /// The caller is not who may ask this.
    PermissionDenied = 7,
    /// Too many requests at once, too many tables, or too little room.
    ResourceExhausted = 8,
    /// The request does not fit the state.
    FailedPrecondition = 9,
    /// Elsewhere or later it will be done.
    Unavailable = 14,
}

/// An error as gRPC carries it.
#[derive(Clone, PartialEq, Debug)]
pub struct Status {
    /// The status code.
    pub code: Code,
    /// What goes into the status details; its message is the status message.
    pub detail: ErrorDetail,
}

impl Status {
    /// The bytes for `grpc-status-details-bin`.
    pub fn details(&self) -> Vec<u8> {
        proto::detail::encode(self.code as i32, &self.detail)
    }
}

/// The status for an error.
pub fn of(error: &Error) -> Status {
    let (code, name) = code_and_name(error);
    let kind = match error.kind() {
        Kind::Client => ErrorKind::Client,
        Kind::Retryable => ErrorKind::Retryable,
        Kind::Unknown => ErrorKind::Unknown,
    };
    let retry_after_ms = match error {
        Error::Overloaded { retry_after_ms } => *retry_after_ms,
        // The disk is not asked sooner.
        Error::StorageFull { .. } => ROOM_INTERVAL_MS,
        _ => 0,
    };
    let detail = ErrorDetail {
        name: name.to_owned(),
        message: cut(error.to_string(), ERROR_MESSAGE_BYTES_MAX),
        kind: kind.into(),
        field: cut(field(error), ERROR_FIELD_BYTES_MAX),
        retry_after_ms,
        node: match error {
            Error::Elsewhere { node } => node.0,
            _ => 0,
        },
    };
    Status { code, detail }
}

/// The text, or as much of it as fits before an ellipsis.
fn cut(mut text: String, bytes_max: usize) -> String {
    const ELLIPSIS: char = '…';
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max - ELLIPSIS.len_utf8()));
        text.push(ELLIPSIS);
    }
    text
}

/// The names are DynamoDB's, or those that AWS has for all of its services, which have none for a full disk.
/// A full disk is no throttling: reads of the same node go on, and clients must not hold them back.
fn code_and_name(error: &Error) -> (Code, &'static str) {
    match error {
        Error::Invalid(_) | Error::UnknownRegion { .. } => (Code::InvalidArgument, "ValidationException"),
        Error::ConditionFailed { .. } => (Code::FailedPrecondition, "ConditionalCheckFailedException"),
        Error::TableNotFound { .. } => (Code::NotFound, "ResourceNotFoundException"),
        Error::TableInUse { .. } => (Code::FailedPrecondition, "ResourceInUseException"),
        Error::TooManyTables { .. } | Error::TooManyNodes { .. } => {
            (Code::ResourceExhausted, "LimitExceededException")
        }
        Error::UnknownNode { .. } => (Code::NotFound, "ResourceNotFoundException"),
        Error::NodeInUse { .. } | Error::NodeNeeded { .. } | Error::PartitionInMotion { .. } => {
            (Code::FailedPrecondition, "ResourceInUseException")
        }
        Error::AccessDenied { .. } => (Code::PermissionDenied, "AccessDeniedException"),
        Error::NotLeader | Error::Elsewhere { .. } => (Code::Unavailable, "ServiceUnavailable"),
        Error::Overloaded { .. } => (Code::ResourceExhausted, "ThrottlingException"),
        Error::StorageFull { .. } => (Code::ResourceExhausted, "StorageFullException"),
        Error::DeadlinePassed => (Code::DeadlineExceeded, "RequestTimeout"),
        Error::OutcomeUnknown => (Code::Unknown, "InternalServerError"),
        Error::RequestMismatch => (Code::InvalidArgument, "IdempotentParameterMismatchException"),
    }
}

/// The parameter or attribute at fault, as far as one is.
fn field(error: &Error) -> String {
    use item::validate::InvalidAttribute as Attribute;
    let invalid = match error {
        Error::Invalid(invalid) => invalid,
        Error::TableNotFound { .. } | Error::TableInUse { .. } => return "TableName".to_owned(),
        Error::UnknownRegion { .. } => return "Region".to_owned(),
        Error::UnknownNode { .. } | Error::NodeInUse { .. } | Error::NodeNeeded { .. } => {
            return "Node".to_owned();
        }
        Error::PartitionInMotion { .. } => return "Partition".to_owned(),
        Error::RequestMismatch => return "RequestId".to_owned(),
        _ => return String::new(),
    };
    match invalid {
        Invalid::Name(InvalidName::Table { .. }) => "TableName".to_owned(),
        Invalid::Name(InvalidName::Region { .. }) => "Region".to_owned(),
        Invalid::Expression(error) => expression_field(error),
        Invalid::Attribute(
            Attribute::Nesting { attribute }
            | Attribute::EmptySet { attribute }
            | Attribute::KeyMissing { attribute }
            | Attribute::KeyType { attribute, .. }
            | Attribute::KeyEmpty { attribute }
            | Attribute::KeyLength { attribute, .. }
            | Attribute::KeyExtra { attribute }
            | Attribute::KeyIncomplete { attribute },
        ) => attribute.clone(),
        Invalid::Attribute(Attribute::NoSortKey) => "Key".to_owned(),
        Invalid::Attribute(Attribute::Name { .. }) => "Item".to_owned(),
        Invalid::Attribute(Attribute::ItemSize { .. }) => "Item".to_owned(),
        Invalid::Json(error) => error.path.clone(),
        Invalid::Number(_) => String::new(),
        Invalid::Range { field, .. }
        | Invalid::Missing { field }
        | Invalid::Conflict { field, .. }
        | Invalid::Duplicate { field }
        | Invalid::Choice { field, .. } => (*field).to_owned(),
    }
}

fn expression_field(error: &item::expression::Error) -> String {
    use item::expression::Error as Expression;
    match error {
        Expression::Invalid { kind, .. } => kind.to_string(),
        Expression::Key(_) => "KeyConditionExpression".to_owned(),
        Expression::SubstitutionKey { field, .. }
        | Expression::SubstitutionKeyLength { field, .. }
        | Expression::SubstitutionsAlone { field }
        | Expression::SubstitutionsUnused { field, .. } => (*field).to_owned(),
        Expression::SubstitutedName { .. } => "ExpressionAttributeNames".to_owned(),
        Expression::SubstitutionsSize { .. } => "ExpressionAttributeValues".to_owned(),
        Expression::FilterKey { .. } => "FilterExpression".to_owned(),
        _ => "UpdateExpression".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use item::expression;
    use item::json::{Cause, InvalidJson};
    use types::limits::TRAILER_BYTES_MAX;
    use types::{NodeId, TableName};

    use super::*;

    fn full() -> Error {
        Error::StorageFull { node: NodeId(3), free_bytes: 7 << 20, needed_bytes: 320 << 20 }
    }

    #[test]
    fn every_error_has_its_code_name_and_field() {
        let name = || TableName::new("movies").unwrap();
        let limit = Invalid::Range { field: "Limit", min: 1, max: 9, got: 0 };
        let cases = [
            (Error::from(limit), Code::InvalidArgument, "ValidationException", "Limit"),
            (
                Error::ConditionFailed { item: None },
                Code::FailedPrecondition,
                "ConditionalCheckFailedException",
                "",
            ),
            (Error::TableNotFound { name: name() }, Code::NotFound, "ResourceNotFoundException", "TableName"),
            (
                Error::TableInUse { name: name() },
                Code::FailedPrecondition,
                "ResourceInUseException",
                "TableName",
            ),
            (
                Error::AccessDenied { lacks: "a certificate" },
                Code::PermissionDenied,
                "AccessDeniedException",
                "",
            ),
            (Error::NotLeader, Code::Unavailable, "ServiceUnavailable", ""),
            (full(), Code::ResourceExhausted, "StorageFullException", ""),
            (Error::Elsewhere { node: NodeId(2) }, Code::Unavailable, "ServiceUnavailable", ""),
            (Error::DeadlinePassed, Code::DeadlineExceeded, "RequestTimeout", ""),
            (Error::OutcomeUnknown, Code::Unknown, "InternalServerError", ""),
        ];
        for (error, code, name, field) in cases {
            let status = of(&error);
            assert_eq!((status.code, status.detail.name.as_str()), (code, name), "{error:?}");
            assert_eq!(status.detail.field, field, "{error:?}");
            assert_eq!(status.detail.message, error.to_string());
        }
    }

    #[test]
    fn a_refusal_fits_its_trailers_whatever_names_it_repeats() {
        let name = "é".repeat(100_000);
        let errors = [
            Invalid::from(InvalidJson { path: name.clone(), cause: Cause::NullFalse }),
            expression::Error::SubstitutionsUnused { field: "Names", keys: vec![name; 20] }.into(),
        ];
        for error in errors {
            let status = of(&Error::from(error));
            let message = &status.detail.message;
            assert!(message.ends_with('…') && message.len() > ERROR_MESSAGE_BYTES_MAX - 4, "{message}");
            // gRPC escapes a message's byte as three, and spells details in base64.
            let trailers = 3 * message.len() + status.details().len().div_ceil(3) * 4;
            assert!(trailers < TRAILER_BYTES_MAX - 1024, "{trailers} bytes, and room for names is wanted");
        }
    }

    #[test]
    fn kinds_and_waits_survive_the_way_to_a_client() {
        let status = of(&Error::Overloaded { retry_after_ms: 20 });
        let detail = proto::detail::decode(&status.details()).unwrap();
        assert_eq!(detail.kind(), ErrorKind::Retryable);
        assert_eq!(detail.retry_after_ms, 20);
        let full = of(&full()).detail;
        assert_eq!((full.kind(), full.retry_after_ms), (ErrorKind::Retryable, ROOM_INTERVAL_MS));
        assert!(full.message.contains("node 3 is nearly full: 7 MiB are free and 320 MiB must be"));
        assert_eq!(of(&Error::OutcomeUnknown).detail.kind(), ErrorKind::Unknown);
        assert_eq!(of(&Error::RequestMismatch).detail.kind(), ErrorKind::Client);
    }
}
