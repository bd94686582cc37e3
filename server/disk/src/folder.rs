//! The data folder: made once, locked while in use, and refused unless it is ours.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Error;

const FORMAT: u32 = 1;
const FORMAT_FILE: &str = "FORMAT";
/// The FORMAT file while it is written; a crash may leave it behind.
const UNFINISHED_FILE: &str = "FORMAT.unfinished";
const LOCK_FILE: &str = "LOCK";
const TITLE: &str = "meridian data folder";
/// Stands in FORMAT for the cluster's id until the cluster has one.
const NO_CLUSTER: &str = "00000000000000000000000000000000";

/// A data folder that this process holds; dropping it lets go.
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is not there, locks it, and checks that this release can read it.
    pub fn open(path: &Path) -> Result<Folder, Error> {
        fs::create_dir_all(path).map_err(Error::system("create", path))?;
        let file = path.join(LOCK_FILE);
        let lock = File::create(&file).map_err(Error::system("create", &file))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked { file }),
            Err(TryLockError::Error(error)) => return Err(Error::system("lock", &file)(error)),
        }
        let format = path.join(FORMAT_FILE);
        if format.try_exists().map_err(Error::system("look for", &format))? {
            let bytes = fs::read(&format).map_err(Error::system("read", &format))?;
            check_format(&bytes, format)?;
        } else {
            claim(path)?;
        }
        Ok(Folder { path: path.to_owned(), _lock: lock })
    }

    /// The folder's own path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of something in the folder.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes the names in the folder durable.
    pub fn sync(&self) -> Result<(), Error> {
        sync_folder(&self.path)
    }
}

/// Makes the names in a folder durable.
pub fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::system("sync", path))
}

/// Makes an empty folder ours. FORMAT appears whole, under its name, before anything else does.
fn claim(path: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(path).map_err(Error::system("list", path))? {
        let name = entry.map_err(Error::system("list", path))?.file_name();
        if name != LOCK_FILE && name != UNFINISHED_FILE {
            return Err(Error::Foreign { folder: path.to_owned() });
        }
    }
    let unfinished = path.join(UNFINISHED_FILE);
    let write = |mut file: File| file.write_all(format_text().as_bytes()).and_then(|()| file.sync_all());
    File::create(&unfinished).and_then(write).map_err(Error::system("write", &unfinished))?;
    let format = path.join(FORMAT_FILE);
    fs::rename(&unfinished, &format).map_err(Error::system("write", &format))?;
    sync_folder(path)
}

fn format_text() -> String {
    format!("{TITLE}\nformat {FORMAT}\ncluster {NO_CLUSTER}\n")
}

/// Checks a FORMAT file. What follows the format's number is that format's own business, so that a later
/// release's file is recognised as such.
fn check_format(bytes: &[u8], file: PathBuf) -> Result<(), Error> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let format = text.strip_prefix(TITLE).and_then(|rest| rest.strip_prefix("\nformat "));
    let Some((number, rest)) = format.and_then(|rest| rest.split_once('\n')) else {
        return Err(Error::Format { file });
    };
    match number.parse() {
        Ok(FORMAT) if is_cluster(rest) => Ok(()),
        Ok(found) if found > FORMAT => Err(Error::TooNew { file, found, known: FORMAT }),
        _ => Err(Error::Format { file }),
    }
}

fn is_cluster(line: &str) -> bool {
    let id = line.strip_prefix("cluster ").and_then(|rest| rest.strip_suffix('\n'));
    id.is_some_and(|id| id.len() == NO_CLUSTER.len() && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixture_is_what_is_written_and_is_read() {
        let fixture = include_str!("../fixtures/FORMAT");
        assert_eq!(fixture, format_text());
        check_format(fixture.as_bytes(), PathBuf::new()).unwrap();
    }

    #[test]
    fn a_folder_is_claimed_once_and_opened_again() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/data");
        drop(Folder::open(&path).unwrap());
        drop(Folder::open(&path).unwrap());
        assert_eq!(fs::read_to_string(path.join("FORMAT")).unwrap(), format_text());
    }

    #[test]
    fn a_claim_that_was_cut_short_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(UNFINISHED_FILE), "meri").unwrap();
        drop(Folder::open(folder.path()).unwrap());
        assert!(!folder.path().join(UNFINISHED_FILE).exists());
    }

    #[test]
    fn a_folder_in_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let held = Folder::open(folder.path()).unwrap();
        let refused = Folder::open(folder.path()).err().unwrap();
        assert!(matches!(&refused, Error::Locked { file } if file.ends_with("LOCK")), "{refused}");
        drop(held);
        Folder::open(folder.path()).unwrap();
    }

    #[test]
    fn somebody_elses_folder_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("photo.jpg"), "…").unwrap();
        let refused = Folder::open(folder.path()).err().unwrap();
        assert!(matches!(refused, Error::Foreign { .. }), "{refused}");
        assert!(!folder.path().join(FORMAT_FILE).exists());
    }

    #[test]
    fn a_format_that_is_unknown_or_damaged_is_refused() {
        let refused = |text: String| check_format(text.as_bytes(), PathBuf::from("FORMAT")).err().unwrap();
        let later = format_text().replace("format 1", "format 2").replace("cluster", "anything");
        assert!(matches!(refused(later), Error::TooNew { found: 2, known: 1, .. }));
        for damaged in ["format 0", "format x", "forma_ 1", "format 1\n"] {
            let text = format_text().replace("format 1", damaged);
            assert!(matches!(refused(text), Error::Format { .. }), "{damaged}");
        }
        let shorter = format_text();
        for length in 0..shorter.len() {
            assert!(matches!(refused(shorter[..length].to_owned()), Error::Format { .. }), "{length}");
        }
    }
}
