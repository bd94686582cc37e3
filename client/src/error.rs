//! What a call of the client library may come to, other than its answer.

use proto::v1::{ErrorDetail, Item};

/// Why a call has no answer.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Error {
    /// The server refused the request; the same request would be refused again.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The condition of a write did not hold, and the request asked for the stored item.
    #[error("ConditionalCheckFailedException: The conditional request failed")]
    ConditionFailed {
        /// The stored item.
        item: Box<Item>,
    },
    /// Nothing was done, however often it was tried within the deadline and the retry budget.
    #[error("nothing was done: {cause}")]
    NotDone {
        /// What the last attempt came to.
        cause: Cause,
    },
    /// It may or may not have been done.
    #[error("the outcome is not known: {cause}")]
    OutcomeUnknown {
        /// What the last attempt came to.
        cause: Cause,
    },
    /// No answer to something that changes nothing.
    #[error("no answer: {cause}")]
    NoAnswer {
        /// What the last attempt came to.
        cause: Cause,
    },
    /// The text is no endpoint.
    #[error("not an endpoint: {text:?} (expected http://HOST:PORT, or https://HOST:PORT with TLS)")]
    Endpoint {
        /// As given.
        text: String,
    },
    /// An endpoint that speaks TLS, and nobody said whom to trust.
    #[error("{text} speaks TLS: give the certificate of the authority that its servers are to be trusted by")]
    NoAuthority {
        /// The endpoint.
        text: String,
    },
    /// What should be an authority's certificate is none.
    #[error("no authority: expected one or more certificates in PEM, and nothing that is damaged")]
    Authority,
    /// The answer lacks a field that it must have.
    #[error("the answer lacks {field}")]
    Incomplete {
        /// The field.
        field: &'static str,
    },
}

impl Error {
    /// DynamoDB's name for it, as its SDKs would report it.
    pub fn name(&self) -> &str {
        match self {
            Error::Refused(refusal) => &refusal.name,
            Error::ConditionFailed { .. } => "ConditionalCheckFailedException",
            Error::Endpoint { .. } => "InvalidEndpoint",
            Error::NoAuthority { .. } | Error::Authority => "InvalidAuthority",
            Error::Incomplete { .. } => "SerializationException",
            Error::NotDone { cause } | Error::OutcomeUnknown { cause } | Error::NoAnswer { cause } => {
                cause.name()
            }
        }
    }

    /// Whether the server refused the request itself.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Error::Refused(_) | Error::ConditionFailed { .. })
    }
}

/// A refusal in the server's words.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{name}: {message}")]
pub struct Refusal {
    /// DynamoDB's name of the exception.
    pub name: String,
    /// For people.
    pub message: String,
    /// The field at fault; empty when there is none.
    pub field: String,
}

impl From<ErrorDetail> for Refusal {
    fn from(detail: ErrorDetail) -> Self {
        Refusal { name: detail.name, message: detail.message, field: detail.field }
    }
}

/// What the last attempt of a call came to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Cause {
    /// The server's word.
    #[error(transparent)]
    Server(Refusal),
    /// No connection, or one that broke.
    #[error("{endpoint}: {message}")]
    Connection {
        /// Which endpoint.
        endpoint: String,
        /// What the transport said.
        message: String,
    },
    /// The deadline passed.
    #[error("{endpoint}: no answer within the deadline")]
    Deadline {
        /// Which endpoint.
        endpoint: String,
    },
}

impl Cause {
    fn name(&self) -> &str {
        match self {
            Cause::Server(refusal) => &refusal.name,
            Cause::Connection { .. } => "EndpointConnectionError",
            Cause::Deadline { .. } => "RequestTimeout",
        }
    }
}
