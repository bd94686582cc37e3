//! One `meridian-server` process: started, heard out until it is ready, killed or stopped.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::settings::Build;
use crate::watchdog::{SOON, within};

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts a server and waits until it says `ready` on a line of its own; its last words, if it ends
    /// instead. What it complains goes to `log`.
    pub async fn start(build: Build, arguments: &[String], log: &Path) -> Result<Server, String> {
        let (mut server, said) = Server::spawn(build, arguments, log);
        if within(SOON, &format!("{arguments:?} ready"), said_ready(said)).await {
            return Ok(server);
        }
        let status = server.ended().await;
        Err(format!("{arguments:?} ended before it was ready: {status}\n{}", server.last_words()))
    }

    fn spawn(build: Build, arguments: &[String], log: &Path) -> (Server, watch::Receiver<Option<bool>>) {
        let errors = std::fs::OpenOptions::new().create(true).append(true).open(log);
        let mut child = Command::new(build.server())
            .args(arguments)
            // How full this machine's disk is must not matter, but where a test says so.
            .env("MERIDIAN_DISK_RESERVE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors.expect("the test's folder can be written"))
            .kill_on_drop(true)
            .spawn()
            .expect("the server's binary can be run");
        let output = child.stdout.take().expect("its standard output is piped");
        let (say, said) = watch::channel(None);
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if line.trim() == "ready" {
                    say.send_replace(Some(true));
                }
            }
            say.send_if_modified(|ready| ready.is_none() && ready.replace(false).is_none());
        });
        (Server { child, log: log.to_owned() }, said)
    }

    /// Ends the process at once, as `kill -9` does, and waits until it is gone.
    pub async fn kill(mut self) {
        self.child.start_kill().expect("the server still runs");
        self.ended().await;
    }

    /// Asks the process to stop (SIGTERM) and waits for its exit status.
    pub async fn stop(mut self) -> ExitStatus {
        self.signal("-TERM").await;
        self.ended().await
    }

    /// Has the process do nothing more (SIGSTOP) until it is thawed; its connections stay open.
    pub async fn freeze(&self) {
        self.signal("-STOP").await;
    }

    /// Lets a frozen process go on.
    pub async fn thaw(&self) {
        self.signal("-CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let id = self.child.id().expect("the server still runs").to_string();
        let sent = Command::new("kill").args([signal, &id]).status().await;
        assert!(sent.expect("`kill` can be run").success(), "the server was gone before it got {signal}");
    }

    /// Waits until the process ends by itself.
    pub async fn ends(mut self) -> ExitStatus {
        self.ended().await
    }

    /// Fails the test if the process has ended by itself.
    pub fn assert_alive(&mut self) {
        let ended = self.child.try_wait().expect("a child can be asked for its state");
        assert!(ended.is_none(), "the server ended by itself: {ended:?}\n{}", self.last_words());
    }

    /// Fails the test if something in the process panicked, which need not have ended it.
    pub fn assert_no_panic(&self) {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        assert!(!said.contains("panicked at"), "the server panicked:\n{}", self.last_words());
    }

    /// Memory that the process holds, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.told("status", "VmRSS:") * 1024
    }

    /// The most memory that the process ever held, in bytes.
    pub fn resident_bytes_max(&self) -> u64 {
        self.told("status", "VmHWM:") * 1024
    }

    /// What the process has read from disks, in bytes; what the kernel had in memory is not counted.
    pub fn disk_read_bytes(&self) -> u64 {
        self.told("io", "read_bytes:")
    }

    /// Processor time that the process has taken, in milliseconds.
    pub fn cpu_ms(&self) -> u64 {
        let id = self.child.id().expect("the server still runs");
        let told = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("Linux tells of a process");
        // The name, in parentheses, may hold spaces; user and system time are the 14th and 15th field.
        let (_, fields) = told.rsplit_once(')').expect("the name is in parentheses");
        let times = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = times.map(|time| time.parse::<u64>().expect("a time is a number")).sum();
        // Linux tells of hundredths of seconds, whatever it counts in itself.
        ticks * 10
    }

    /// A number that Linux tells of the process.
    fn told(&self, file: &str, name: &str) -> u64 {
        let id = self.child.id().expect("the server still runs");
        let told = std::fs::read_to_string(format!("/proc/{id}/{file}")).expect("Linux tells of a process");
        let line = told.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        number.unwrap_or_else(|| panic!("/proc/{id}/{file} has no number {name}"))
    }

    async fn ended(&mut self) -> ExitStatus {
        within(SOON, "end of the server", self.child.wait()).await.expect("a child can be waited for")
    }

    /// The end of what it printed to standard error.
    fn last_words(&self) -> String {
        let all = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = all.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

async fn said_ready(mut said: watch::Receiver<Option<bool>>) -> bool {
    let word = said.wait_for(Option::is_some).await;
    word.is_ok_and(|word| *word == Some(true))
}
