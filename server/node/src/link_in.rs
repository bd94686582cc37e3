//! The receiving half of a link: lets peers in, checks their messages, and hands them to the shard.
//!
//! It does not look into messages. Of two links from one party the later one counts: the earlier one's
//! connection is dead or about to be.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use proto::link::LinkFrame;
use proto::link::link_frame::Frame;
use proto::link::link_server;
use shard::{Envelope, Link, NodeLink, PeerNode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use types::limits;

use crate::handle::Handle;
use crate::handshake::{Identity, Party, Refusal};
use crate::seldom::Seldom;
use crate::stop::Stop;

/// The gRPC service that peers dial.
#[derive(Clone)]
pub struct Receiver {
    shared: Arc<Shared>,
}

struct Shared {
    identity: Identity,
    parties: Vec<Party>,
    shard: Handle,
    stop: Stop,
    warnings: Seldom,
    /// For each party, what ends its present link when it is dropped.
    present: Mutex<BTreeMap<Party, oneshot::Sender<()>>>,
}

impl Receiver {
    /// Lets these parties in.
    pub fn new(identity: Identity, parties: Vec<Party>, shard: Handle, stop: Stop) -> Self {
        let (warnings, present) = Default::default();
        Receiver { shared: Arc::new(Shared { identity, parties, shard, stop, warnings, present }) }
    }
}

#[tonic::async_trait]
impl link_server::Link for Receiver {
    type OpenStream = ReceiverStream<Result<LinkFrame, Status>>;

    async fn open(
        &self,
        frames: Request<Streaming<LinkFrame>>,
    ) -> Result<Response<Self::OpenStream>, Status> {
        let (answers, stream) = mpsc::channel(limits::LINK_FRAMES_AHEAD_MAX);
        let (shared, frames) = (self.shared.clone(), frames.into_inner());
        tokio::spawn(async move {
            if let Err(refusal) = shared.serve(frames, &answers).await {
                if let Some(left_out) = shared.warnings.tell(Instant::now()) {
                    tracing::warn!(region = %shared.identity.region, left_out, "refused a link: {refusal}");
                }
                // Whoever has gone need not be told.
                let _ = answers.send(Ok(refusal.frame())).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

impl Shared {
    async fn serve(
        &self,
        mut frames: Streaming<LinkFrame>,
        answers: &mpsc::Sender<Result<LinkFrame, Status>>,
    ) -> Result<(), Refusal> {
        let wait = Duration::from_millis(limits::LINK_HANDSHAKE_MS);
        let first = match timeout(wait, frames.message()).await {
            Ok(Ok(Some(first))) => first.frame,
            Ok(Ok(None) | Err(_)) => return Ok(()),
            Err(_) => None,
        };
        let party = self.identity.judge(first, self.parties.iter())?;
        if answers.send(Ok(self.identity.hello())).await.is_err() {
            return Ok(());
        }
        let mut superseded = self.supersede(&party);
        loop {
            let next = tokio::select! {
                next = frames.message() => next,
                _ = &mut superseded => return Ok(()),
                () = self.stop.clone().requested() => return Ok(()),
            };
            match next {
                Ok(Some(frame)) => self.shard.link(inward(&party, payload(frame)?)),
                // The stream ended or broke; the peer dials again.
                Ok(None) | Err(_) => return Ok(()),
            }
        }
    }

    /// Ends a party's present link, if there is one; what this gives ends when a later link comes.
    fn supersede(&self, party: &Party) -> oneshot::Receiver<()> {
        let (present, superseded) = oneshot::channel();
        self.present.lock().unwrap_or_else(PoisonError::into_inner).insert(party.clone(), present);
        superseded
    }
}

/// A message as the shard takes it.
fn inward(from: &Party, bytes: Vec<u8>) -> Envelope {
    match from {
        Party::Peer { region, node } => {
            Envelope::Link(Link { peer: PeerNode { region: region.id(), node: *node }, bytes })
        }
        Party::Node(node) => Envelope::Node(NodeLink { node: *node, bytes }),
    }
}

/// The bytes of a message that is whole.
fn payload(frame: LinkFrame) -> Result<Vec<u8>, Refusal> {
    let Some(Frame::Message(message)) = frame.frame else {
        return Err(Refusal::Frame { expected: "Message" });
    };
    match crc32fast::hash(&message.payload) == message.crc32 {
        true => Ok(message.payload),
        false => Err(Refusal::Checksum),
    }
}
