//! Other people's servers, which ours is measured beside: on loopback, with a folder that goes with them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::settings;
use crate::watchdog::{SOON, within};

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    folder: TempDir,
}

impl Program {
    /// Starts a program. Its arguments are made from its folder, which is new.
    pub fn start(name: &str, arguments: impl FnOnce(&Path) -> Vec<String>) -> Program {
        let folder = settings::disk_folder();
        let child = Command::new(name)
            .args(arguments(folder.path()))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        Program { child: child.unwrap_or_else(|error| panic!("{name} cannot be run: {error}")), folder }
    }

    /// Ends the process, waits until it is gone, and removes its folder.
    pub async fn end(mut self) {
        within(SOON, "end of a program", self.child.kill()).await.expect("a child can be killed");
        self.folder.close().expect("nobody uses the folder any more");
    }
}

/// Whether programs are installed.
pub fn are_installed(names: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let is_installed = |name: &str| folders.iter().any(|folder| folder.join(OsStr::new(name)).is_file());
    names.iter().all(|name| is_installed(name))
}
