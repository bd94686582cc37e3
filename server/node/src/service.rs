//! The public API over gRPC: each call is decoded, handed to the shard, awaited and encoded.
//!
//! What a request means is `api`'s to say and what becomes of it the shard's; here are only deadlines, limits
//! on what is under way, and the honest answer when none came: a change that may have been begun is *unknown*
//! (`P3`). What was certainly not begun, because nobody led, is tried again for a moment, as in `persist`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use api::describe_routes::Answering;
use futures::FutureExt;
use item::error::Invalid;
use item::expression::Cache;
use item::operation::Command;
use proto::v1::meridian_server::Meridian;
use proto::v1::*;
use tonic::{Code, Request, Response, Status, Streaming};
use types::{NodeId, limits};

use crate::call::Call;
use crate::caller::Caller;
use crate::clock::Clock;
use crate::forward::{self, Forward};
use crate::handle::Handle;
use crate::handshake::Identity;
use crate::metrics::{Ending, Metrics};
use crate::persist::{self, Ways};
use crate::reply::Answered;
use crate::session::{self, Session};
use crate::spread::{self, Batch};
use crate::stop::Stop;
use crate::{deadline, expressions, peer_address, ping, read_on};

/// The gRPC service.
pub struct Service {
    identity: Identity,
    shard: Handle,
    clock: Clock,
    metrics: Arc<Metrics>,
    stop: Stop,
    /// The ways to other nodes of the region.
    forward: Arc<Forward>,
    /// Numbers calls, for logs.
    calls: AtomicU64,
}

impl Service {
    /// Serves one node's shard, until it is stopped.
    pub fn new(
        identity: Identity,
        shard: Handle,
        clock: Clock,
        metrics: Arc<Metrics>,
        stop: Stop,
        forward: Arc<Forward>,
    ) -> Self {
        Service { identity, shard, clock, metrics, stop, forward, calls: AtomicU64::new(0) }
    }

    async fn carry_out<Q, A>(
        &self,
        call: Call,
        request: Request<Q>,
        decode: impl Fn(Q, &mut Cache) -> Result<Command, item::Error>,
        encode: impl FnOnce(Answered) -> Result<A, item::Error>,
    ) -> Result<Response<A>, Status>
    where
        Q: prost::Message + Clone + 'static,
        A: prost::Message + Default + 'static,
    {
        let begun = Instant::now();
        self.believe(&request).map_err(|error| status(&error))?;
        let time = deadline::of(request.metadata());
        let forward = self.onwards(&request);
        let message = request.into_inner();
        let Some(forward) = forward else {
            let answered = self.ask(call, message, &decode, time).await;
            self.note(call, begun.elapsed(), answered.as_ref().err());
            return encode(answered).map(Response::new).map_err(|error| status(&error));
        };
        let patience = time.min(Duration::from_millis(limits::LEADER_WAIT_MS_MAX));
        let pause = Duration::from_millis(limits::LEADER_WAIT_MS);
        loop {
            let left = time.saturating_sub(begun.elapsed());
            let answered = self.ask(call, message.clone(), &decode, left).await;
            if let Err(item::Error::Elsewhere { node }) = answered {
                let passed_on = pass_on(forward, node, call, message.clone(), begun + time).await;
                let is_led_by_nobody = |refused: &Status| persist::is_led_by_nobody(&spread::detail(refused));
                if !passed_on.as_ref().is_err_and(is_led_by_nobody) {
                    return passed_on;
                }
            }
            if !persist::is_worth_it(&answered) || begun.elapsed() + pause > patience {
                self.note(call, begun.elapsed(), answered.as_ref().err());
                return encode(answered).map(Response::new).map_err(|error| status(&error));
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn ask<Q: prost::Message>(
        &self,
        call: Call,
        message: Q,
        decode: &impl Fn(Q, &mut Cache) -> Result<Command, item::Error>,
        time: Duration,
    ) -> Answered {
        let bytes = message.encoded_len();
        let command = expressions::with(|cache| decode(message, cache))?;
        self.shard.ask_within(self.clock, call, command, time, bytes).await
    }

    /// Carries out a batch here as far as it goes, and elsewhere what is left over.
    async fn spread<A: Batch>(
        &self,
        request: Request<A::Request>,
        decode: impl Fn(A::Request, &mut Cache) -> Result<Command, item::Error>,
        encode: impl FnOnce(Answered) -> Result<A, item::Error>,
    ) -> Result<Response<A>, Status> {
        let until = Instant::now() + deadline::of(request.metadata());
        let forward = self.onwards(&request);
        let answer = self.carry_out(A::CALL, request, decode, encode).await?;
        match forward {
            Some(forward) => spread::pass_on(forward, answer.into_inner(), until).await.map(Response::new),
            None => Ok(answer),
        }
    }

    /// The ways on for a call, if there are any and it came by none of them.
    fn onwards<Q>(&self, request: &Request<Q>) -> Option<&Forward> {
        let may = !self.forward.is_alone() && !forward::is_passed_on(request.metadata());
        may.then_some(&*self.forward)
    }

    /// Who answers here, and where it can tell that nodes are.
    fn answering(&self) -> Answering {
        let Identity { region, node, address, .. } = &self.identity;
        let mut addresses = self.forward.addresses();
        if !address.is_empty() {
            addresses.insert(*node, address.clone());
        }
        Answering { region: region.clone(), node: *node, addresses }
    }

    /// Refuses what was passed on by somebody who is no node of this region.
    fn believe<Q>(&self, request: &Request<Q>) -> Result<(), item::Error> {
        match forward::is_passed_on(request.metadata()) {
            true => Ok(Caller::of(request.extensions()).is_of(&self.identity.region)?),
            false => Ok(()),
        }
    }

    fn note(&self, call: Call, took: Duration, error: Option<&item::Error>) {
        let ending = Ending::of(error);
        self.metrics.called(call, took, ending);
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let region = &self.identity.region;
        tracing::debug!(%region, number, call = call.name(), ending = ending.name(), took_us);
    }
}

/// An error as tonic carries it.
pub fn status(error: &item::Error) -> Status {
    let status = api::status::of(error);
    let details = status.details();
    Status::with_details(Code::from_i32(status.code as i32), status.detail.message, details.into())
}

#[tonic::async_trait]
impl Meridian for Service {
    async fn put_item(&self, request: Request<PutItemRequest>) -> Result<Response<PutItemResponse>, Status> {
        self.carry_out(Call::PutItem, request, api::put_item::decode, api::put_item::encode).await
    }

    async fn get_item(&self, request: Request<GetItemRequest>) -> Result<Response<GetItemResponse>, Status> {
        self.carry_out(Call::GetItem, request, api::get_item::decode, api::get_item::encode).await
    }

    async fn update_item(
        &self,
        request: Request<UpdateItemRequest>,
    ) -> Result<Response<UpdateItemResponse>, Status> {
        self.carry_out(Call::UpdateItem, request, api::update_item::decode, api::update_item::encode).await
    }

    async fn delete_item(
        &self,
        request: Request<DeleteItemRequest>,
    ) -> Result<Response<DeleteItemResponse>, Status> {
        self.carry_out(Call::DeleteItem, request, api::delete_item::decode, api::delete_item::encode).await
    }

    async fn query(&self, request: Request<QueryRequest>) -> Result<Response<QueryResponse>, Status> {
        self.carry_out(Call::Query, request, api::query::decode, api::query::encode).await
    }

    async fn scan(&self, request: Request<ScanRequest>) -> Result<Response<ScanResponse>, Status> {
        let until = Instant::now() + deadline::of(request.metadata());
        let asked = (!forward::is_passed_on(request.metadata())).then(|| request.get_ref().clone());
        let page = self.carry_out(Call::Scan, request, api::scan::decode, api::scan::encode).await?;
        match asked {
            Some(asked) if page.get_ref().rest_node.is_some() => {
                let (forward, shard, clock) = (self.forward.clone(), self.shard.clone(), self.clock);
                let ways = Ways { forward, shard, clock };
                read_on::page(&ways, asked, page.into_inner(), until).await.map(Response::new)
            }
            _ => Ok(page),
        }
    }

    async fn batch_get_item(
        &self,
        request: Request<BatchGetItemRequest>,
    ) -> Result<Response<BatchGetItemResponse>, Status> {
        let (decode, encode) = (api::batch_get_item::decode, api::batch_get_item::encode);
        self.spread(request, decode, encode).await
    }

    async fn batch_write_item(
        &self,
        request: Request<BatchWriteItemRequest>,
    ) -> Result<Response<BatchWriteItemResponse>, Status> {
        let encode = api::batch_write_item::encode;
        self.spread(request, plain(api::batch_write_item::decode), encode).await
    }

    async fn create_table(
        &self,
        request: Request<CreateTableRequest>,
    ) -> Result<Response<CreateTableResponse>, Status> {
        let encode = api::create_table::encode;
        self.carry_out(Call::CreateTable, request, plain(api::create_table::decode), encode).await
    }

    async fn describe_table(
        &self,
        request: Request<DescribeTableRequest>,
    ) -> Result<Response<DescribeTableResponse>, Status> {
        let encode = api::describe_table::encode;
        self.carry_out(Call::DescribeTable, request, plain(api::describe_table::decode), encode).await
    }

    async fn describe_routes(
        &self,
        request: Request<DescribeRoutesRequest>,
    ) -> Result<Response<DescribeRoutesResponse>, Status> {
        let encode = |answered| api::describe_routes::encode(answered, &self.answering());
        self.carry_out(Call::DescribeRoutes, request, plain(api::describe_routes::decode), encode).await
    }

    async fn list_tables(
        &self,
        request: Request<ListTablesRequest>,
    ) -> Result<Response<ListTablesResponse>, Status> {
        let encode = api::list_tables::encode;
        self.carry_out(Call::ListTables, request, plain(api::list_tables::decode), encode).await
    }

    async fn delete_table(
        &self,
        request: Request<DeleteTableRequest>,
    ) -> Result<Response<DeleteTableResponse>, Status> {
        let encode = api::delete_table::encode;
        self.carry_out(Call::DeleteTable, request, plain(api::delete_table::decode), encode).await
    }

    async fn digest_table(
        &self,
        request: Request<DigestTableRequest>,
    ) -> Result<Response<DigestTableResponse>, Status> {
        let encode = api::digest_table::encode;
        self.carry_out(Call::DigestTable, request, plain(api::digest_table::decode), encode).await
    }

    async fn list_versions(
        &self,
        request: Request<ListVersionsRequest>,
    ) -> Result<Response<ListVersionsResponse>, Status> {
        let encode = api::list_versions::encode;
        self.carry_out(Call::ListVersions, request, plain(api::list_versions::decode), encode).await
    }

    async fn pause_region(
        &self,
        request: Request<PauseRegionRequest>,
    ) -> Result<Response<PauseRegionResponse>, Status> {
        let encode = api::pause_region::encode;
        self.carry_out(Call::PauseRegion, request, plain(api::pause_region::decode), encode).await
    }

    async fn resume_region(
        &self,
        request: Request<ResumeRegionRequest>,
    ) -> Result<Response<ResumeRegionResponse>, Status> {
        let encode = api::resume_region::encode;
        self.carry_out(Call::ResumeRegion, request, plain(api::resume_region::decode), encode).await
    }

    async fn describe_region(
        &self,
        request: Request<DescribeRegionRequest>,
    ) -> Result<Response<DescribeRegionResponse>, Status> {
        let encode = api::describe_region::encode;
        self.carry_out(Call::DescribeRegion, request, plain(api::describe_region::decode), encode).await
    }

    async fn join_node(
        &self,
        request: Request<JoinNodeRequest>,
    ) -> Result<Response<JoinNodeResponse>, Status> {
        let caller = Caller::of(request.extensions());
        let is_passed_on = forward::is_passed_on(request.metadata());
        let meant = |request: JoinNodeRequest| {
            // Who passed it on made sure of the node that asked.
            if !is_passed_on {
                caller.proves(&request.region_name, &request.address)?;
            }
            admits(&self.identity, &request)?;
            api::join_node::decode(request)
        };
        self.carry_out(Call::JoinNode, request, plain(meant), api::join_node::encode).await
    }

    async fn list_nodes(
        &self,
        request: Request<ListNodesRequest>,
    ) -> Result<Response<ListNodesResponse>, Status> {
        let encode = api::list_nodes::encode;
        self.carry_out(Call::ListNodes, request, plain(api::list_nodes::decode), encode).await
    }

    async fn drain_node(
        &self,
        request: Request<DrainNodeRequest>,
    ) -> Result<Response<DrainNodeResponse>, Status> {
        let encode = api::drain_node::encode;
        self.carry_out(Call::DrainNode, request, plain(api::drain_node::decode), encode).await
    }

    async fn resume_node(
        &self,
        request: Request<ResumeNodeRequest>,
    ) -> Result<Response<ResumeNodeResponse>, Status> {
        let encode = api::resume_node::encode;
        self.carry_out(Call::ResumeNode, request, plain(api::resume_node::decode), encode).await
    }

    async fn remove_node(
        &self,
        request: Request<RemoveNodeRequest>,
    ) -> Result<Response<RemoveNodeResponse>, Status> {
        let encode = api::remove_node::encode;
        self.carry_out(Call::RemoveNode, request, plain(api::remove_node::decode), encode).await
    }

    async fn list_partitions(
        &self,
        request: Request<ListPartitionsRequest>,
    ) -> Result<Response<ListPartitionsResponse>, Status> {
        let encode = api::list_partitions::encode;
        self.carry_out(Call::ListPartitions, request, plain(api::list_partitions::decode), encode).await
    }

    async fn split_partition(
        &self,
        request: Request<SplitPartitionRequest>,
    ) -> Result<Response<SplitPartitionResponse>, Status> {
        let encode = api::split_partition::encode;
        self.carry_out(Call::SplitPartition, request, plain(api::split_partition::decode), encode).await
    }

    async fn move_partition(
        &self,
        request: Request<MovePartitionRequest>,
    ) -> Result<Response<MovePartitionResponse>, Status> {
        let encode = api::move_partition::encode;
        self.carry_out(Call::MovePartition, request, plain(api::move_partition::decode), encode).await
    }

    async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        let begun = Instant::now();
        let answered = ping::answer(&self.identity.region, request.into_inner());
        self.note(Call::Ping, begun.elapsed(), answered.as_ref().err());
        answered.map(Response::new).map_err(|error| status(&error))
    }

    type SessionStream = Session<Streaming<SessionRequest>>;

    async fn session(
        &self,
        request: Request<Streaming<SessionRequest>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let is_node = Caller::of(request.extensions()).is_of(&self.identity.region).is_ok();
        let parts = session::Parts {
            is_node,
            region: self.identity.region.clone(),
            shard: self.shard.clone(),
            clock: self.clock,
            metrics: self.metrics.clone(),
            stop: self.stop.clone().requested().boxed(),
            forward: self.forward.clone(),
        };
        Ok(Response::new(Session::new(parts, request.into_inner())))
    }
}

/// Whether a new node means this cluster and region, and says where it can be reached.
fn admits(me: &Identity, request: &JoinNodeRequest) -> Result<(), item::Error> {
    let other = |field, allowed| Err(Invalid::Choice { field, allowed }.into());
    if request.cluster != me.cluster {
        return other("Cluster", "the cluster of the node that is asked");
    }
    if request.region_name != me.region.as_str() {
        return other("RegionName", "the region of the node that is asked");
    }
    match request.address.is_empty() || peer_address::is_address(&request.address) {
        true => Ok(()),
        false => other("Address", "HOST:PORT"),
    }
}

/// Passes a call on to another node, and from there to whom that node names, if it does not lead either.
async fn pass_on<Q, A>(
    forward: &Forward,
    mut node: NodeId,
    call: Call,
    message: Q,
    until: Instant,
) -> Result<Response<A>, Status>
where
    Q: prost::Message + Clone + 'static,
    A: prost::Message + Default + 'static,
{
    let mut passes = 0;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let answered = forward.unary(node, call, message.clone(), left).await;
        let Err(refused) = &answered else { return answered };
        passes += 1;
        match persist::named_instead(&spread::detail(refused), node, passes) {
            Some(next) => node = next,
            None => return answered,
        }
    }
}

/// A decoder that meets no expressions.
fn plain<Q>(
    decode: impl Fn(Q) -> Result<Command, item::Error>,
) -> impl Fn(Q, &mut Cache) -> Result<Command, item::Error> {
    move |request, _| decode(request)
}
