//! What one failed attempt means for the next.
//!
//! The one thing that matters is whether the server may have done what was asked. In doubt it may have.

use proto::v1::{ErrorDetail, ErrorKind};

/// A failed attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// No connection: nothing left this machine.
    NotSent,
    /// The server did nothing, and may do it later.
    NotDone {
        /// How long it asks to be left alone.
        retry_after_ms: u64,
    },
    /// The server may have done it.
    Unknown,
    /// The server refused, and would again.
    Refused,
}

impl Failure {
    /// Reads a failure off a gRPC status: whether a connection could be made at all, and what the server
    /// wrote beside the status. Without a detail it was not our server who spoke last, and nothing is known.
    pub fn of(connected: bool, detail: Option<&ErrorDetail>) -> Failure {
        if !connected {
            return Failure::NotSent;
        }
        let Some(detail) = detail else { return Failure::Unknown };
        match detail.kind() {
            ErrorKind::Client => Failure::Refused,
            ErrorKind::Retryable => Failure::NotDone { retry_after_ms: detail.retry_after_ms },
            ErrorKind::Unknown | ErrorKind::Unspecified => Failure::Unknown,
        }
    }

    /// Whether it speaks against the endpoint as a whole, so that another one should be tried.
    pub fn blames_endpoint(self, detail: Option<&ErrorDetail>) -> bool {
        self == Failure::NotSent || self == Failure::Unknown && detail.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(kind: ErrorKind) -> ErrorDetail {
        ErrorDetail { kind: kind.into(), retry_after_ms: 7, ..ErrorDetail::default() }
    }

    #[test]
    fn in_doubt_the_server_may_have_done_it() {
        assert_eq!(Failure::of(true, None), Failure::Unknown);
        assert_eq!(Failure::of(true, Some(&detail(ErrorKind::Unspecified))), Failure::Unknown);
        assert_eq!(Failure::of(true, Some(&detail(ErrorKind::Unknown))), Failure::Unknown);
        assert_eq!(Failure::of(false, None), Failure::NotSent);
        let retryable = Failure::of(true, Some(&detail(ErrorKind::Retryable)));
        assert_eq!(retryable, Failure::NotDone { retry_after_ms: 7 });
        assert_eq!(Failure::of(true, Some(&detail(ErrorKind::Client))), Failure::Refused);
    }

    #[test]
    fn a_server_that_answers_is_not_down() {
        let unknown = detail(ErrorKind::Unknown);
        assert!(!Failure::Unknown.blames_endpoint(Some(&unknown)));
        assert!(Failure::Unknown.blames_endpoint(None));
        assert!(Failure::NotSent.blames_endpoint(None));
        assert!(!Failure::NotDone { retry_after_ms: 0 }.blames_endpoint(None));
    }
}
