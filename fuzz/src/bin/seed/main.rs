//! Makes the inputs that fuzzing starts from, out of what is committed: the fixtures of stored and shipped
//! formats, the expressions of the golden scripts, and the sample item.
//!
//! Called with the repository and a folder, it writes `FOLDER/TARGET/NAME`. A fixture that no target reads is
//! an error, so that a new format is not forgotten.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

mod committed;
mod made;

/// The inputs of one run.
pub struct Seeds {
    folder: PathBuf,
    count: usize,
}

impl Seeds {
    /// Writes one input of a target.
    pub fn add(&mut self, target: &str, input: &[u8]) -> Result<(), Box<dyn Error>> {
        let folder = self.folder.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{:04}", self.count)), input)?;
        self.count += 1;
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [repository, folder] = arguments.as_slice() else { return Err("seed REPOSITORY FOLDER".into()) };
    let mut seeds = Seeds { folder: folder.into(), count: 0 };
    let repository = Path::new(repository);
    committed::fixtures(repository, &mut seeds)?;
    committed::expressions(repository, &mut seeds)?;
    made::items(&mut seeds)?;
    made::keys(&mut seeds)?;
    made::numbers(&mut seeds)?;
    made::responses(&mut seeds)?;
    made::other_requests(&mut seeds)?;
    made::refused_request(&mut seeds)
}
