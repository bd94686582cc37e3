//! The threads that hold a shard's state or its disk: a failure of one is reported, a panic in one ends the
//! process.

use std::thread::{Builder, JoinHandle};

use types::RegionName;

use crate::stop::{Failure, OnFailure};

/// The beginning of these threads' names.
const VITAL: &str = "shard-";

/// What to do about a failure in a region's threads.
#[derive(Clone)]
pub struct OfRegion {
    /// The region.
    pub region: RegionName,
    /// What to do.
    pub act: OnFailure,
}

/// Starts a thread.
pub fn spawn(
    name: &str,
    on_failure: &OfRegion,
    run: impl FnOnce() -> Result<(), Failure> + Send + 'static,
) -> Result<JoinHandle<()>, Failure> {
    let on_failure = on_failure.clone();
    let run = move || {
        if let Err(failure) = run() {
            (on_failure.act)(&on_failure.region, failure);
        }
    };
    Builder::new().name(format!("{VITAL}{name}")).spawn(run).map_err(|source| Failure::Thread { source })
}

/// Makes a panic in one of these threads abort the process once its message is printed, before anything is
/// unwound. A panic elsewhere ends the task it happened in.
pub fn abort_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        if std::thread::current().name().is_some_and(|name| name.starts_with(VITAL)) {
            std::process::abort();
        }
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::*;

    fn region() -> RegionName {
        RegionName::new("us-east-1").unwrap()
    }

    #[test]
    fn a_failure_is_reported_with_its_region() {
        let (sender, failures) = channel();
        let act: OnFailure = Arc::new(move |region, failure| sender.send((region.clone(), failure)).unwrap());
        let failed = || {
            let source = storage::Error::Failed { operation: "sync", kind: std::io::ErrorKind::StorageFull };
            Err(Failure::Storage { thread: "sync", source })
        };
        spawn("sync", &OfRegion { region: region(), act }, failed).unwrap().join().unwrap();
        let (of, failure) = failures.recv().unwrap();
        assert_eq!(of, region());
        assert!(failure.to_string().contains("sync thread: sync failed"), "{failure}");
    }

    /// The abort would end the other tests too, so this test runs itself once more in a process of its own.
    #[test]
    fn a_panic_ends_the_process() {
        const CHILD: &str = "MERIDIAN_PANIC_TEST";
        if let Some(kind) = std::env::var_os(CHILD) {
            abort_on_panic();
            match kind == "vital" {
                true => {
                    let on_failure = OfRegion { region: region(), act: Arc::new(|_, _| {}) };
                    let _ = spawn("turn", &on_failure, || panic!("planted")).unwrap().join();
                }
                false => drop(std::thread::spawn(|| panic!("planted")).join()),
            }
            return;
        }
        let run = |kind: &str| {
            std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "threads::tests::a_panic_ends_the_process"])
                .env(CHILD, kind)
                .output()
                .unwrap()
                .status
        };
        assert!(!run("vital").success());
        assert!(run("other").success());
    }
}
