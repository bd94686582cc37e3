//! Calls that another node of the region can answer, passed on to it as they came.
//!
//! A call is passed on once: whoever it was passed on to answers by itself. What was passed on and not
//! answered may have been done (`P3`). It decides nothing and looks into no request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use client::Tls as Calls;
use client::transport::is_connect_error;
use client::transport::session::{Lost, Renewed};
use prost::Message;
use proto::ANSWERED_BY;
use proto::v1::meridian_client::MeridianClient;
use proto::v1::{SessionAnswer, SessionCall};
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use types::{NodeId, limits};

use crate::call::Call;
use crate::{service, tls};

/// Tells that a unary call was passed on.
const HEADER: &str = "meridian-passed-on";

/// The ways to the other nodes, which come and go. Only calls that are passed on look them up; every call
/// asks whether there are any.
#[derive(Default)]
pub struct Forward {
    has_others: AtomicBool,
    /// Calls that were passed on so far.
    passed_on: AtomicU64,
    /// Secures them, if the node speaks TLS.
    tls: Option<Calls>,
    /// Held only while it is read or replaced.
    ways: RwLock<Ways>,
}

type Ways = Arc<BTreeMap<NodeId, Arc<Way>>>;

struct Way {
    address: String,
    channel: Channel,
    sessions: Renewed,
}

/// Whether a unary call was passed on by another node.
pub fn is_passed_on(metadata: &MetadataMap) -> bool {
    metadata.contains_key(HEADER)
}

impl Forward {
    /// No ways so far.
    pub fn new(tls: Option<Calls>) -> Self {
        Forward { tls, ..Forward::default() }
    }

    /// Replaces the ways by those to these nodes, which are connected to when they are first needed; a way
    /// whose address stays is kept. Addresses were checked when they were read. Wants a runtime around it.
    pub fn set(&self, nodes: &BTreeMap<NodeId, String>) {
        let present = self.ways();
        let way = |(node, address): (&NodeId, &String)| {
            let kept = present.get(node).filter(|way| way.address == *address).cloned();
            Some((*node, kept.or_else(|| Way::new(address.clone(), self.tls.as_ref()).map(Arc::new))?))
        };
        let ways: BTreeMap<_, _> = nodes.iter().filter_map(way).collect();
        self.has_others.store(!ways.is_empty(), Ordering::Relaxed);
        *self.ways.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ways);
    }

    /// Whether there is no other node, so that no call need be kept for it.
    pub fn is_alone(&self) -> bool {
        !self.has_others.load(Ordering::Relaxed)
    }

    /// The other nodes.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.ways().keys().copied().collect()
    }

    /// Where the other nodes are.
    pub fn addresses(&self) -> BTreeMap<NodeId, String> {
        self.ways().iter().map(|(node, way)| (*node, way.address.clone())).collect()
    }

    /// How many calls were passed on so far.
    pub fn passed_on(&self) -> u64 {
        self.passed_on.load(Ordering::Relaxed)
    }

    fn ways(&self) -> Ways {
        self.ways.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The way of a call that is passed on.
    fn way(&self, node: NodeId) -> Option<Arc<Way>> {
        self.passed_on.fetch_add(1, Ordering::Relaxed);
        self.ways().get(&node).cloned()
    }

    /// Passes on a call of a session; the answer says which node gave it.
    pub async fn on_session(
        &self,
        node: NodeId,
        call: Call,
        mut request: SessionCall,
        time: Duration,
    ) -> SessionAnswer {
        let id = request.id;
        request.passed_on = true;
        request.timeout_ms = u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1);
        let error = match self.way(node) {
            None => item::Error::NotLeader,
            Some(way) => match timeout(time, way.sessions.session().exchange(request)).await {
                Ok(Ok(answer)) => return SessionAnswer { id, node: node.0, ..answer },
                Ok(Err(Lost { sent: false, .. })) => item::Error::NotLeader,
                Ok(Err(_)) | Err(_) => unanswered(call),
            },
        };
        refusal(id, &error)
    }

    /// Passes on a unary call; the answer says which node gave it.
    pub async fn unary<Q, A>(
        &self,
        node: NodeId,
        call: Call,
        request: Q,
        time: Duration,
    ) -> Result<Response<A>, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let refused = |error: item::Error| service::status(&error);
        let way = self.way(node).ok_or_else(|| refused(item::Error::NotLeader))?;
        let mut grpc = Grpc::new(way.channel.clone())
            .max_decoding_message_size(limits::MESSAGE_BYTES_MAX)
            .max_encoding_message_size(limits::MESSAGE_BYTES_MAX);
        grpc.ready().await.map_err(|_| refused(item::Error::NotLeader))?;
        let mut request = Request::new(request);
        request.set_timeout(time);
        request.metadata_mut().insert(HEADER, MetadataValue::from_static("1"));
        let path = PathAndQuery::try_from(format!("/meridian.v1.Meridian/{}", call.name()));
        let path = path.expect("a call's name is a word");
        match timeout(time, grpc.unary(request, path, ProstCodec::<Q, A>::default())).await {
            Ok(Ok(mut response)) => {
                response.metadata_mut().insert(ANSWERED_BY, MetadataValue::from(node.0));
                Ok(response)
            }
            // Nothing left this node.
            Ok(Err(status)) if is_connect_error(&status) => Err(refused(item::Error::NotLeader)),
            // A status with our details is the other node's word, and any other is the transport's.
            Ok(Err(status)) if !status.details().is_empty() => Err(status),
            Ok(Err(_)) | Err(_) => Err(refused(unanswered(call))),
        }
    }
}

impl Way {
    fn new(address: String, tls: Option<&Calls>) -> Option<Self> {
        let channel = tls::endpoint(&address, tls)
            .ok()?
            .connect_timeout(Duration::from_millis(limits::LINK_CONNECT_MS))
            .http2_keep_alive_interval(Duration::from_millis(limits::KEEPALIVE_INTERVAL_MS))
            .keep_alive_timeout(Duration::from_millis(limits::KEEPALIVE_TIMEOUT_MS))
            .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
            .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
            .tcp_nodelay(true)
            .connect_lazy();
        let client = MeridianClient::new(channel.clone());
        let client = client.max_decoding_message_size(limits::MESSAGE_BYTES_MAX);
        let sessions = Renewed::new(client.max_encoding_message_size(limits::MESSAGE_BYTES_MAX));
        Some(Way { address, channel, sessions })
    }
}

/// The answer that refuses a session's call.
pub fn refusal(id: u32, error: &item::Error) -> SessionAnswer {
    let error = Some(api::status::of(error).detail);
    SessionAnswer { id, error, ..SessionAnswer::default() }
}

/// What a client is told of a call that left this node and was not answered.
fn unanswered(call: Call) -> item::Error {
    if call.changes() { item::Error::OutcomeUnknown } else { item::Error::NotLeader }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ways_come_go_and_are_kept_while_their_address_stays() {
        let forward = Forward::default();
        assert!(forward.is_alone());
        let set = |nodes: &[(u64, &str)]| {
            forward.set(&nodes.iter().map(|(node, at)| (NodeId(*node), (*at).to_owned())).collect());
        };
        set(&[(2, "h:2"), (3, "h:3")]);
        assert_eq!((forward.nodes(), forward.is_alone()), (vec![NodeId(2), NodeId(3)], false));
        let second = forward.way(NodeId(2)).unwrap();
        set(&[(2, "h:2"), (4, "h:4")]);
        assert!(Arc::ptr_eq(&second, &forward.way(NodeId(2)).unwrap()));
        assert!(forward.way(NodeId(3)).is_none());
        set(&[(2, "other:2")]);
        assert!(!Arc::ptr_eq(&second, &forward.way(NodeId(2)).unwrap()));
        set(&[]);
        assert!(forward.is_alone());
    }
}
