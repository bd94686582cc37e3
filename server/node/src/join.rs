//! How a node comes by its place in a region that it joins: its disk knows it, or the nodes that are there
//! already give it one.
//!
//! A number is given once and for ever. So a node asks under a token of its own, which it keeps until its
//! disk says whose it is: asking again after a crash gives the same number. Then the token is forgotten, lest
//! a disk that was lost come back under a number that has promised something (`P6`).

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use client::Client;
use proto::v1::{JoinNodeRequest, JoinNodeResponse};
use shard::Identity;
use storage::Engine;
use types::{NodeId, limits};

use crate::backoff::Backoff;
use crate::place::Place;
use crate::settings::NodeSettings;
use crate::tls::Tls;

/// Holds the token, in the data folder.
const FILE: &str = "JOIN";
/// The file while it is written; a crash may leave it behind.
const UNFINISHED_FILE: &str = "JOIN.unfinished";
const TITLE: &str = "meridian join token ";

/// Why a node has no place in its region.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The nodes that were asked will not have it.
    #[error("cannot join: {0}")]
    Refused(client::Refusal),
    /// The addresses are none that can be asked.
    #[error("cannot join: {0}")]
    Address(client::Error),
    /// The answer makes no sense.
    #[error("cannot join: the answer names node {node} among {others} others")]
    Answer {
        /// The number that was given.
        node: u64,
        /// How many others there are.
        others: usize,
    },
    /// The token cannot be kept.
    #[error("cannot {operation} {}: {source}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The token is not what was written.
    #[error("{} is damaged: begin again with an empty data folder", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The disk does not say whose it is.
    #[error(transparent)]
    Disk(#[from] shard::Error),
}

/// A node's place without asking anybody: that of the settings, or, if they say that it joins, the one that
/// its disk remembers; `None` if that is empty.
pub fn known(settings: &NodeSettings, engine: &impl Engine) -> Result<Option<Place>, Error> {
    match settings.join.is_empty() {
        true => Ok(Some(Place::of(settings))),
        false => Ok(Identity::read(engine)?.map(Place::found)),
    }
}

/// A new place in the region that the settings say to join, for a node that is reached at this address. It
/// waits for as long as nobody answers who can give one.
pub async fn place(settings: &NodeSettings, address: &str, tls: Option<&Tls>) -> Result<Place, Error> {
    let token = token(&settings.data)?;
    let request = JoinNodeRequest {
        region_name: settings.region.as_str().to_owned(),
        cluster: settings.cluster.clone(),
        token: token.get(),
        address: address.to_owned(),
    };
    let answer = ask(settings, request, tls).await?;
    tracing::info!(region = %settings.region, node = answer.node, "joined as a new node");
    given(answer)
}

/// Forgets the token, once the disk durably says whose it is.
pub fn settle(settings: &NodeSettings) -> Result<(), Error> {
    let path = settings.data.join(FILE);
    let error = |operation| {
        let path = path.clone();
        move |source| Error::File { operation, path, source }
    };
    if settings.join.is_empty() || !path.try_exists().map_err(error("look for"))? {
        return Ok(());
    }
    fs::remove_file(&path).and_then(|()| sync_folder(&settings.data)).map_err(error("remove"))
}

/// Asks until somebody answers.
async fn ask(
    settings: &NodeSettings,
    request: JoinNodeRequest,
    tls: Option<&Tls>,
) -> Result<JoinNodeResponse, Error> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let endpoints: Vec<_> = settings.join.iter().map(|at| format!("{scheme}://{}", at.0)).collect();
    let tls = tls.map(|tls| tls.calls(&settings.region));
    let deadline = Duration::from_millis(limits::JOIN_ROUND_MS);
    let of_client = client::Settings { deadline, one_region: true, tls, ..client::Settings::default() };
    let client = Client::new(&endpoints, of_client).map_err(Error::Address)?;
    let (mut backoff, mut told) = (Backoff::default(), None::<Instant>);
    loop {
        let why = match client.join_node(request.clone()).await {
            Ok(answer) => return Ok(answer),
            Err(client::Error::Refused(refusal)) => return Err(Error::Refused(refusal)),
            Err(why) => why,
        };
        let pause = Duration::from_millis(limits::JOIN_WARNING_INTERVAL_MS);
        if told.is_none_or(|told| told.elapsed() >= pause) {
            told = Some(Instant::now());
            tracing::warn!(region = %settings.region, "cannot join yet, and go on trying: {why}");
        }
        let wait = backoff.next(&mut rand::rng());
        tokio::time::sleep(wait).await;
    }
}

/// The place that an answer gives.
fn given(answer: JoinNodeResponse) -> Result<Place, Error> {
    let JoinNodeResponse { node, members } = answer;
    let is_sound = node != 0 && members.iter().all(|member| member.node != 0 && member.node != node);
    if !is_sound || members.len() >= limits::NODES_MAX {
        return Err(Error::Answer { node, others: members.len() });
    }
    let others = members.into_iter().map(|member| (NodeId(member.node), member.address)).collect();
    Ok(Place::given(NodeId(node), others))
}

/// The token in a data folder; chosen, and durable there, before it is used.
fn token(folder: &Path) -> Result<NonZeroU64, Error> {
    let path = folder.join(FILE);
    let error = |operation| {
        let path = path.clone();
        move |source| Error::File { operation, path, source }
    };
    match fs::read_to_string(&path) {
        Ok(text) => return read(&text).ok_or(Error::Damaged { path }),
        Err(source) if source.kind() == ErrorKind::NotFound => {}
        Err(source) if source.kind() == ErrorKind::InvalidData => return Err(Error::Damaged { path }),
        Err(source) => return Err(error("read")(source)),
    }
    let token = rand::random::<NonZeroU64>();
    let unfinished = folder.join(UNFINISHED_FILE);
    let text = format!("{TITLE}{token:016x}\n");
    fs::create_dir_all(folder)
        .and_then(|()| File::create(&unfinished))
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&unfinished, &path))
        .and_then(|()| sync_folder(folder))
        .map_err(error("write"))?;
    Ok(token)
}

fn read(text: &str) -> Option<NonZeroU64> {
    let digits = text.strip_prefix(TITLE)?.strip_suffix('\n')?;
    let token = u64::from_str_radix(digits, 16).ok().and_then(NonZeroU64::new)?;
    (format!("{token:016x}") == digits).then_some(token)
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use proto::v1::NodeMember;

    use super::*;

    #[test]
    fn a_token_is_chosen_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = token(folder.path()).unwrap();
        assert_eq!(token(folder.path()).unwrap(), first);
        fs::remove_file(folder.path().join(FILE)).unwrap();
        assert_ne!(token(folder.path()).unwrap(), first);
    }

    #[test]
    fn a_token_that_was_not_written_whole_is_chosen_again_and_a_damaged_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(UNFINISHED_FILE), "merid").unwrap();
        token(folder.path()).unwrap();
        let zero = format!("{TITLE}{:016x}\n", 0);
        for text in ["", TITLE, "meridian join token 00000000000000ff", "other 00000000000000ff\n", &zero] {
            fs::write(folder.path().join(FILE), text).unwrap();
            assert!(matches!(token(folder.path()), Err(Error::Damaged { .. })), "{text}");
        }
        fs::write(folder.path().join(FILE), [0xff, 0xfe]).unwrap();
        assert!(matches!(token(folder.path()), Err(Error::Damaged { .. })));
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_refused() {
        let member = |node| NodeMember { node, address: "h:1".to_owned() };
        assert_eq!(given(JoinNodeResponse { node: 2, members: vec![member(1)] }).unwrap().node, NodeId(2));
        let many: Vec<_> = (1..=limits::NODES_MAX as u64).map(member).collect();
        for (node, members) in [(0, vec![]), (2, vec![member(2)]), (2, vec![member(0)]), (99, many)] {
            let refused = given(JoinNodeResponse { node, members });
            assert!(matches!(refused, Err(Error::Answer { .. })), "{node}");
        }
    }
}
