//! What a disk wants done now and then: old log files recycled, and a flush when old entries keep them alive.

use std::time::Duration;

use types::limits;

use crate::handle::Handle;
use crate::stop::{Failure, Stop};

/// Tidies a disk; says whether a flush would let it tidy more. It may take as long as it likes.
pub type Maintain = Box<dyn FnMut() -> Result<bool, storage::Error> + Send>;

/// Tidies until it is time to stop.
pub async fn run(mut maintain: Maintain, shard: Handle, on_failure: impl FnOnce(Failure), stop: Stop) {
    let mut interval = tokio::time::interval(Duration::from_millis(limits::MAINTAIN_INTERVAL_MS));
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = stop.clone().requested() => return,
        }
        let done = tokio::task::spawn_blocking(move || (maintain(), maintain)).await;
        let Ok((tidied, again)) = done else { return };
        maintain = again;
        match tidied {
            Ok(true) => shard.wants_flush(),
            Ok(false) => {}
            Err(source) => return on_failure(Failure::Storage { thread: "maintain", source }),
        }
    }
}
