//! How much may be under way at once: requests by number and by bytes.
//!
//! A request holds its share from the moment it is accepted until it is answered, also when its caller has
//! gone, so that callers who come and go cannot fill the shard's inbox.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::limits;

/// What every request weighs beside its own bytes.
const OVERHEAD_BYTES: usize = 1024;

/// The shares that are left.
#[derive(Clone, Debug)]
pub struct Admission {
    requests: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

/// One request's share, given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    _request: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

impl Admission {
    /// With so many bytes left.
    pub fn new(bytes: usize) -> Self {
        Admission {
            requests: Arc::new(Semaphore::new(limits::REQUESTS_IN_FLIGHT_MAX)),
            bytes: Arc::new(Semaphore::new(bytes)),
        }
    }

    /// The share of a request of so many bytes, if there is one left.
    pub fn admit(&self, request_bytes: usize) -> Option<Share> {
        let bytes = u32::try_from(request_bytes + OVERHEAD_BYTES).ok()?;
        Some(Share {
            _request: self.requests.clone().try_acquire_owned().ok()?,
            _bytes: self.bytes.clone().try_acquire_many_owned(bytes).ok()?,
        })
    }

    /// How many requests are under way.
    pub fn in_flight(&self) -> usize {
        limits::REQUESTS_IN_FLIGHT_MAX - self.requests.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_end_by_number_and_come_back() {
        let admission = Admission::new(limits::INBOX_BYTES_MAX);
        let shares: Vec<_> =
            (0..limits::REQUESTS_IN_FLIGHT_MAX).map(|_| admission.admit(0).unwrap()).collect();
        assert!(admission.admit(0).is_none());
        assert_eq!(admission.in_flight(), limits::REQUESTS_IN_FLIGHT_MAX);
        drop(shares);
        assert_eq!(admission.in_flight(), 0);
        assert!(admission.admit(0).is_some());
    }

    #[test]
    fn shares_end_by_bytes() {
        let admission = Admission::new(limits::INBOX_BYTES_MAX);
        let most = limits::INBOX_BYTES_MAX / limits::MESSAGE_BYTES_MAX;
        let shares: Vec<_> = (0..most).map(|_| admission.admit(limits::MESSAGE_BYTES_MAX)).collect();
        assert!(shares.iter().filter(|share| share.is_some()).count() >= most - 1);
        assert!(admission.admit(limits::MESSAGE_BYTES_MAX).is_none());
        assert!(admission.admit(100).is_some());
    }
}
