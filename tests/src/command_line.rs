//! The `meridian` command line as a user or a script runs it: arguments in, exit status and JSON out.

use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use crate::settings;
use crate::watchdog::{SOON, within};

/// Far more than any command of a test takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a command came to.
#[derive(Clone, Debug)]
pub struct Ran {
    /// 0 done, 1 refused, 2 wrong usage.
    pub status: i32,
    /// Its standard output.
    pub printed: String,
    /// Its standard error.
    pub complained: String,
}

impl Ran {
    /// The JSON that it printed. Fails the test unless the command was done.
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 0, "the command failed: {self:?}");
        let parsed = serde_json::from_str(&self.printed);
        parsed.unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}

/// Runs a command against an endpoint. Its output is a pipe, so it prints JSON.
pub async fn meridian(endpoint: &str, words: &[&str]) -> Ran {
    meridian_within(PATIENCE, endpoint, words).await
}

/// The same for a command that may take so long.
pub async fn meridian_within(limit: Duration, endpoint: &str, words: &[&str]) -> Ran {
    let mut command = Command::new(settings::meridian());
    command.arg("--endpoint").arg(endpoint).args(words);
    run(limit, command, &format!("meridian {words:?}")).await
}

/// Compares a table in several regions, which get a while to become equal; what differs, if they do not.
pub async fn verify(table: &str, endpoints: &[String]) -> Result<(), String> {
    let wait = SOON.as_secs().to_string();
    let mut words = vec!["table", "verify", table, "--wait", &wait];
    endpoints.iter().for_each(|endpoint| words.extend(["--endpoint", endpoint]));
    let mut command = Command::new(settings::meridian());
    command.args(&words);
    let ran = run(PATIENCE, command, &format!("meridian {words:?}")).await;
    assert_ne!(ran.status, 2, "wrong usage: {ran:?}");
    if ran.status == 0 { Ok(()) } else { Err(format!("{}{}", ran.printed, ran.complained)) }
}

async fn run(limit: Duration, mut command: Command, what: &str) -> Ran {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = within(limit, what, command.output()).await.expect("the command line can be run");
    let Output { status, stdout, stderr } = output;
    Ran {
        status: status.code().unwrap_or_else(|| panic!("{what} was ended by a signal: {status}")),
        printed: String::from_utf8(stdout).expect("it prints UTF-8"),
        complained: String::from_utf8(stderr).expect("it complains in UTF-8"),
    }
}
