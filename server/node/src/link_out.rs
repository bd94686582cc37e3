//! The sending half of a link: dials the peer, shakes hands, and sends what the shard has for it, for ever
//! again.
//!
//! Each side dials the other and sends on the stream it opened, so a link is two streams and neither side
//! waits for the other's. The link counts as up while our own stream is.

use std::time::Duration;

use client::Tls as Calls;
use proto::link::link_client::LinkClient;
use proto::link::link_frame::Frame;
use proto::link::{LinkFrame, Message, RefusalReason, Refused};
use shard::Envelope;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use types::limits;

use crate::backoff::Backoff;
use crate::handle::Handle;
use crate::handshake::{self, Identity, Party, Refusal};
use crate::latency;
use crate::link_queue::{Queued, Waiting};
use crate::parties::Parties;
use crate::stop::Stop;
use crate::tls;

/// What it takes to keep a peer supplied.
pub struct Dialler {
    /// Who we are.
    pub identity: Identity,
    /// Whom to dial.
    pub party: Party,
    /// A host and a port, as far as is known; the host is looked up whenever it is dialled. Its going ends
    /// the dialling.
    pub address: watch::Receiver<String>,
    /// Secures the link, if the node speaks TLS.
    pub tls: Option<Calls>,
    /// How long each message is held back.
    pub delay: Duration,
    /// What the shard has for the peer.
    pub waiting: Waiting,
    /// Told when the link goes up or down.
    pub shard: Handle,
    /// Told of the nodes beside the party.
    pub parties: Parties,
}

/// Why a link ended or did not come about.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// Nobody answers at the address.
    #[error("cannot reach {address}: {}", innermost(source.as_ref()))]
    Unreachable {
        /// The address.
        address: String,
        /// What happened.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The peer did not say Hello in time.
    #[error("no Hello within {} ms", limits::LINK_HANDSHAKE_MS)]
    Silent,
    /// The peer is not whom we meant to reach.
    #[error("refused the peer: {0}")]
    Refusing(#[from] Refusal),
    /// The peer did not want us.
    #[error("the peer refused: {text}")]
    Refused {
        /// Its reason.
        text: String,
    },
    /// Another node of the region says that this one was removed from it.
    #[error("the peer refused: {text}")]
    Removed {
        /// In its words.
        text: String,
    },
    /// The connection broke.
    #[error("the connection broke: {}", .0.message())]
    Broken(#[from] Status),
    /// The peer ended the link, as it does when it stops.
    #[error("the peer closed the link")]
    Closed,
    /// The party is to be dialled somewhere else.
    #[error("its address has changed")]
    Moved,
    /// Nobody wants the link any more.
    #[error("the link is not wanted any more")]
    Unwanted,
    /// The shard has gone, and there is nothing left to send.
    #[error("the shard has stopped")]
    Stopped,
}

/// An open link.
pub(crate) struct Open {
    frames: mpsc::Sender<LinkFrame>,
    answers: Streaming<LinkFrame>,
}

impl Ended {
    fn refused(refused: Refused) -> Self {
        let text = refused.text.clone();
        match refused.reason() {
            RefusalReason::Removed => Ended::Removed { text },
            _ => Ended::Refused { text },
        }
    }
}

impl Dialler {
    /// Keeps the link up until it is time to stop, or nobody wants it any more.
    pub async fn run(mut self, stop: Stop) {
        let mut backoff = Backoff::default();
        let (region, peer) = (self.identity.region.clone(), self.party.clone());
        loop {
            let ended = tokio::select! {
                ended = self.session(&mut backoff) => ended,
                () = stop.clone().requested() => return,
            };
            if matches!(ended, Ended::Stopped | Ended::Unwanted) {
                return;
            }
            if matches!((&ended, &peer), (Ended::Removed { .. }, Party::Node(_))) {
                self.shard.link(Envelope::Removed);
            }
            // A peer that stays away is told of once; its return is told of as well.
            match backoff.is_failing() {
                true => tracing::debug!(%region, %peer, "link is still down: {ended}"),
                false => tracing::warn!(%region, %peer, "link is down: {ended}"),
            }
            let wait = backoff.next(&mut rand::rng());
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                ended = elsewhere(&mut self.address) => match ended {
                    Ended::Moved => backoff.reset(),
                    _ => return,
                },
                () = stop.clone().requested() => return,
            }
        }
    }

    async fn session(&mut self, backoff: &mut Backoff) -> Ended {
        self.address.mark_unchanged();
        let mut address = self.address.clone();
        let open = tokio::select! {
            open = self.open() => open,
            ended = elsewhere(&mut address) => return ended,
        };
        let Open { frames, answers } = match open {
            Ok(open) => open,
            Err(ended) => return ended,
        };
        tracing::info!(region = %self.identity.region, peer = %self.party, "link is up");
        backoff.reset();
        self.waiting.clear();
        let up = Up::new(&mut self.waiting, &self.shard);
        let mut listening = std::pin::pin!(listen(answers));
        let ended = tokio::select! {
            ended = send(up.waiting, self.delay, &frames) => ended,
            ended = &mut listening => ended,
            ended = elsewhere(&mut address) => ended,
        };
        if matches!(ended, Ended::Unwanted) {
            tracing::info!(region = %self.identity.region, peer = %self.party, "link is not wanted any more");
            // Perhaps it tells the party just that.
            let farewell = async {
                send_rest(up.waiting, frames).await;
                listening.await
            };
            let _ = timeout(Duration::from_millis(limits::LINK_FAREWELL_MS), farewell).await;
        }
        ended
    }

    pub(crate) async fn open(&self) -> Result<Open, Ended> {
        let address = self.address.borrow().clone();
        let unreachable = |source| Ended::Unreachable { address: address.clone(), source };
        let endpoint = tls::endpoint(&address, self.tls.as_ref())
            .map_err(|source| unreachable(source.into()))?
            .connect_timeout(Duration::from_millis(limits::LINK_CONNECT_MS))
            .http2_keep_alive_interval(Duration::from_millis(limits::KEEPALIVE_INTERVAL_MS))
            .keep_alive_timeout(Duration::from_millis(limits::KEEPALIVE_TIMEOUT_MS))
            .keep_alive_while_idle(true)
            .tcp_nodelay(true);
        let channel = endpoint.connect().await.map_err(|source| match tls::unproven(&source) {
            Some(unproven) => Refusal::from(unproven).into(),
            None => unreachable(source.into()),
        })?;
        let mut client = LinkClient::new(channel)
            .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
            .max_encoding_message_size(limits::MESSAGE_BYTES_MAX);
        let (frames, receiver) = mpsc::channel(limits::LINK_FRAMES_AHEAD_MAX);
        frames.try_send(self.parties.hello()).expect("the channel is empty");
        let shake = async {
            let mut answers = client.open(ReceiverStream::new(receiver)).await?.into_inner();
            let first = answers.message().await?;
            Ok::<_, Status>((answers, first))
        };
        let wait = Duration::from_millis(limits::LINK_HANDSHAKE_MS);
        let (answers, first) = timeout(wait, shake).await.map_err(|_| Ended::Silent)??;
        match first.ok_or(Ended::Closed)?.frame {
            Some(Frame::Refused(refused)) => Err(Ended::refused(refused)),
            first => {
                let hello = self.identity.hear(first)?;
                self.identity.judge(&hello, std::iter::once(&self.party))?;
                self.parties.hear_of(&hello);
                Ok(Open { frames, answers })
            }
        }
    }
}

/// The link's being up; it is down again when this goes, whyever it goes.
struct Up<'a> {
    waiting: &'a mut Waiting,
    shard: &'a Handle,
}

impl<'a> Up<'a> {
    fn new(waiting: &'a mut Waiting, shard: &'a Handle) -> Self {
        waiting.set_up();
        shard.links_changed();
        Up { waiting, shard }
    }
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        self.waiting.set_down();
        self.shard.links_changed();
    }
}

/// What a failure comes down to: "connection refused" rather than "transport error".
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source()).last().unwrap_or(error).to_string()
}

/// Waits until the party is to be dialled somewhere else, or not at all.
async fn elsewhere(address: &mut watch::Receiver<String>) -> Ended {
    match address.changed().await {
        Ok(()) => Ended::Moved,
        Err(_) => Ended::Unwanted,
    }
}

/// Sends what waits, each message no sooner than its delay allows, until the stream or the shard is gone.
async fn send(waiting: &mut Waiting, delay: Duration, frames: &mpsc::Sender<LinkFrame>) -> Ended {
    loop {
        // Room first, so that nothing is taken from the queue that may be left unsent.
        let Ok(room) = frames.reserve().await else { return Ended::Closed };
        let Some(queued) = waiting.next().await else { return Ended::Stopped };
        latency::wait(queued.at, delay).await;
        room.send(message(queued));
    }
}

/// Sends what waits already, and ends the stream.
async fn send_rest(waiting: &mut Waiting, frames: mpsc::Sender<LinkFrame>) {
    while let Some(queued) = waiting.try_next() {
        if frames.send(message(queued)).await.is_err() {
            return;
        }
    }
}

fn message(queued: Queued) -> LinkFrame {
    let crc32 = crc32fast::hash(&queued.bytes);
    handshake::frame(Frame::Message(Message { payload: queued.bytes, crc32 }))
}

/// Waits for the peer to end the link; all it may say is why.
async fn listen(mut answers: Streaming<LinkFrame>) -> Ended {
    match answers.message().await {
        Ok(Some(LinkFrame { frame: Some(Frame::Refused(refused)) })) => Ended::refused(refused),
        Ok(Some(_)) => Refusal::Frame { expected: "nothing on a link that only receives" }.into(),
        Ok(None) => Ended::Closed,
        Err(status) => status.into(),
    }
}
