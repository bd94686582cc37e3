//! Nothing is waited for without an end: what does not happen in time fails the test, saying what it was.

use std::future::Future;
use std::time::{Duration, Instant};

/// For what takes a moment on an idle machine; long enough for a busy one.
pub const SOON: Duration = Duration::from_secs(60);

/// Waits for something that must happen.
pub async fn within<T>(limit: Duration, what: &str, event: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(limit, event).await;
    outcome.unwrap_or_else(|_| panic!("{what}: did not happen within {limit:?}"))
}

/// Asks again and again, for states that nobody announces; gives the time that it took. The last answer that
/// was not yet good is told when time is up.
pub async fn until<F>(limit: Duration, what: &str, mut ask: impl FnMut() -> F) -> Duration
where
    F: Future<Output = Result<(), String>>,
{
    let start = Instant::now();
    loop {
        let Err(why) = ask().await else { return start.elapsed() };
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}; at last: {why}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
