//! The receiving half of a link: lets peers in, checks their messages, and hands them to the shard.
//!
//! It does not look into messages. Of two links from one party the later one counts: the earlier one's
//! connection is dead or about to be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::link::LinkFrame;
use proto::link::link_frame::Frame;
use proto::link::link_server;
use shard::{Envelope, Link, NodeLink, PeerNode};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use types::limits;

use crate::caller::Caller;
use crate::handle::Handle;
use crate::handshake::{Identity, Party, Refusal};
use crate::parties::Parties;
use crate::seldom::Seldom;
use crate::stop::Stop;

/// The gRPC service that peers dial.
#[derive(Clone)]
pub struct Receiver {
    shared: Arc<Shared>,
}

struct Shared {
    identity: Identity,
    parties: Parties,
    shard: Handle,
    stop: Stop,
    warnings: Seldom,
}

impl Receiver {
    /// Lets these parties in, whoever they are from time to time.
    pub fn new(identity: Identity, parties: Parties, shard: Handle, stop: Stop) -> Self {
        let warnings = Seldom::default();
        Receiver { shared: Arc::new(Shared { identity, parties, shard, stop, warnings }) }
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
        let (shared, caller) = (self.shared.clone(), Caller::of(frames.extensions()));
        let frames = frames.into_inner();
        tokio::spawn(async move {
            if let Err(refusal) = shared.serve(&caller, frames, &answers).await {
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
        caller: &Caller,
        mut frames: Streaming<LinkFrame>,
        answers: &mpsc::Sender<Result<LinkFrame, Status>>,
    ) -> Result<(), Refusal> {
        let wait = Duration::from_millis(limits::LINK_HANDSHAKE_MS);
        let first = match timeout(wait, frames.message()).await {
            Ok(Ok(Some(first))) => first.frame,
            Ok(Ok(None) | Err(_)) => return Ok(()),
            Err(_) => None,
        };
        let hello = self.identity.hear(first)?;
        caller.proves(&hello.region, &hello.address)?;
        let party = self.parties.admit(&hello)?;
        if answers.send(Ok(self.parties.hello())).await.is_err() {
            return Ok(());
        }
        let superseded = self.parties.supersede(&party);
        let mut superseded = superseded.ok_or(Refusal::Node { node: hello.node })?;
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
