//! Inputs that stand in the repository: fixtures in hexadecimal, and the texts of golden scripts.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use fuzz::Request;
use prost::Message;
use proto::link::link_frame::Frame;
use proto::link::{self, LinkFrame};

use crate::{Seeds, made};

/// What a crate's fixtures are inputs of. Those of `disk` belong to a crate that nothing here may link.
const FIXTURES: [(&str, &str); 7] = [
    ("server/consensus/fixtures/log.hex", "entry"),
    ("server/global/fixtures/message.hex", "frame"),
    ("server/partition/fixtures/effect.hex", "effect"),
    ("server/partition/fixtures/outcome.hex", "effect"),
    ("server/region/fixtures/entry.hex", "update"),
    ("server/region/fixtures/update.hex", "update"),
    ("server/storage/fixtures/*.hex", "stored"),
];
/// Before a message in its frame: format, kind, length and checksum.
const FRAME_HEADER: usize = 10;
const SCRIPTS: &str = "server/item/src/testscripts/expression";

/// Writes every line of every fixture.
pub fn fixtures(repository: &Path, seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    for path in hex_files(repository)? {
        let name = path.strip_prefix(repository)?.display().to_string();
        let read = FIXTURES.iter().find(|(fixture, _)| match fixture.split_once('*') {
            Some((before, after)) => name.starts_with(before) && name.ends_with(after),
            None => name == *fixture,
        });
        let (_, target) = read.ok_or_else(|| format!("no fuzz target reads {name}"))?;
        for (number, line) in fs::read_to_string(&path)?.lines().enumerate() {
            let (first, second) = line.split_once(' ').ok_or_else(|| format!("{name}: {line}"))?;
            fixture(target, number, first, &unhex(second)?, seeds)?;
        }
    }
    Ok(())
}

/// One line: a name, or a key in hexadecimal, and bytes.
fn fixture(
    target: &str,
    number: usize,
    first: &str,
    bytes: &[u8],
    seeds: &mut Seeds,
) -> Result<(), Box<dyn Error>> {
    match target {
        "entry" => seeds.add(target, &[&[number as u8], bytes].concat()),
        "frame" => {
            let payload = bytes.to_vec();
            let carried = link::Message { crc32: crc32fast::hash(&payload), payload };
            let carried = LinkFrame { frame: Some(Frame::Message(carried)) };
            seeds.add(target, bytes)?;
            seeds.add(target, &bytes[FRAME_HEADER..])?;
            seeds.add(target, &carried.encode_to_vec())
        }
        "stored" => {
            seeds.add(target, &unhex(first)?)?;
            seeds.add(target, bytes)
        }
        _ => seeds.add(target, bytes),
    }
}

/// Writes every expression of the golden scripts, by itself and in the request that has such a one.
pub fn expressions(repository: &Path, seeds: &mut Seeds) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(repository.join(SCRIPTS))? {
        for line in fs::read_to_string(entry?.path())?.lines() {
            let mut parts = line.split('"');
            let (Some(command), Some(text)) = (parts.next(), parts.next()) else { continue };
            let request = match command.trim_start_matches('!').trim_end() {
                "condition" => Request::PutItem,
                "filter" => Request::Scan,
                "projection" => Request::GetItem,
                "update" | "updated" => Request::UpdateItem,
                "key" => Request::Query,
                _ => continue,
            };
            seeds.add("expression", text.as_bytes())?;
            made::request_with(request, text, seeds)?;
        }
    }
    Ok(())
}

/// The fixtures in hexadecimal of all the server's crates, in order.
fn hex_files(repository: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for of_crate in fs::read_dir(repository.join("server"))? {
        let Ok(fixtures) = fs::read_dir(of_crate?.path().join("fixtures")) else { continue };
        for file in fixtures {
            let path = file?.path();
            files.extend(path.extension().is_some_and(|extension| extension == "hex").then_some(path));
        }
    }
    files.sort();
    Ok(files)
}

fn unhex(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let digits = |at| text.get(at..at + 2).ok_or("an odd number of hexadecimal digits");
    (0..text.len()).step_by(2).map(|at| Ok(u8::from_str_radix(digits(at)?, 16)?)).collect()
}
