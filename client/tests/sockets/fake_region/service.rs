//! The fake region's gRPC service.

use std::sync::{Arc, Mutex, MutexGuard};

use proto::v1::meridian_server::Meridian;
use proto::v1::*;
use tonic::{Request, Response, Status, Streaming};

use super::{State, session};

#[derive(Clone)]
pub struct Service {
    pub state: Arc<Mutex<State>>,
}

impl Service {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Meridian for Service {
    async fn put_item(&self, request: Request<PutItemRequest>) -> Answer<PutItemResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        state.request_ids.push(request.request_id.clone());
        if request.condition_expression.is_some() {
            let failed = ConditionCheckFailed { item: Some(Item { attributes: request.item }) };
            let answer = PutItemResponse { attributes: None, condition_check_failed: Some(failed) };
            return Ok(Response::new(answer));
        }
        state.write(|state| state.put(&request.table_name, request.item))?;
        Ok(Response::new(PutItemResponse::default()))
    }

    async fn get_item(&self, request: Request<GetItemRequest>) -> Answer<GetItemResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        state.gets += 1;
        let item = state.get(&request.table_name, &request.key)?;
        Ok(Response::new(GetItemResponse { item }))
    }

    async fn update_item(&self, request: Request<UpdateItemRequest>) -> Answer<UpdateItemResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        state.write(|state| state.put(&request.table_name, request.key.clone()))?;
        let attributes = Some(Item { attributes: request.key });
        Ok(Response::new(UpdateItemResponse { attributes, condition_check_failed: None }))
    }

    async fn delete_item(&self, request: Request<DeleteItemRequest>) -> Answer<DeleteItemResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        let attributes = state.write(|state| state.delete(&request.table_name, &request.key))?;
        Ok(Response::new(DeleteItemResponse { attributes, condition_check_failed: None }))
    }

    async fn query(&self, request: Request<QueryRequest>) -> Answer<QueryResponse> {
        let request = request.into_inner();
        let scan = ScanRequest {
            table_name: request.table_name,
            limit: request.limit,
            exclusive_start_key: request.exclusive_start_key,
            ..ScanRequest::default()
        };
        let page = self.state().scan(&scan)?;
        Ok(Response::new(QueryResponse {
            items: page.items,
            count: page.count,
            scanned_count: page.scanned_count,
            last_evaluated_key: page.last_evaluated_key,
        }))
    }

    async fn scan(&self, request: Request<ScanRequest>) -> Answer<ScanResponse> {
        Ok(Response::new(self.state().scan(&request.into_inner())?))
    }

    async fn batch_get_item(&self, _request: Request<BatchGetItemRequest>) -> Answer<BatchGetItemResponse> {
        Ok(Response::new(BatchGetItemResponse::default()))
    }

    async fn batch_write_item(
        &self,
        request: Request<BatchWriteItemRequest>,
    ) -> Answer<BatchWriteItemResponse> {
        let writes = request.into_inner().request_items.remove(0);
        let table_name = writes.table_name.clone();
        let mut state = self.state();
        let requests = state.write(|state| state.batch(&table_name, writes.requests))?;
        let left = (!requests.is_empty()).then_some(TableWrites { table_name, requests });
        Ok(Response::new(BatchWriteItemResponse { unprocessed_items: left.into_iter().collect() }))
    }

    async fn create_table(&self, request: Request<CreateTableRequest>) -> Answer<CreateTableResponse> {
        let table = Some(self.state().create(request.into_inner())?);
        Ok(Response::new(CreateTableResponse { table }))
    }

    async fn describe_table(&self, request: Request<DescribeTableRequest>) -> Answer<DescribeTableResponse> {
        let table = Some(self.state().describe(&request.into_inner().table_name)?);
        Ok(Response::new(DescribeTableResponse { table }))
    }

    async fn describe_routes(
        &self,
        _request: Request<DescribeRoutesRequest>,
    ) -> Answer<DescribeRoutesResponse> {
        let mut state = self.state();
        state.routes_asked += 1;
        let routes = state.routes.clone();
        routes.map(Response::new).ok_or_else(|| Status::unimplemented("an older server"))
    }

    /// One name a page, so that listing has to go on.
    async fn list_tables(&self, request: Request<ListTablesRequest>) -> Answer<ListTablesResponse> {
        let after = request.into_inner().exclusive_start_table_name.unwrap_or_default();
        let state = self.state();
        let mut names = state.tables.keys().filter(|name| **name > after).cloned();
        let table_names: Vec<String> = names.next().into_iter().collect();
        let last_evaluated_table_name = names.next().and(table_names.first().cloned());
        Ok(Response::new(ListTablesResponse { table_names, last_evaluated_table_name }))
    }

    async fn delete_table(&self, request: Request<DeleteTableRequest>) -> Answer<DeleteTableResponse> {
        let name = request.into_inner().table_name;
        let mut state = self.state();
        let table = Some(state.describe(&name)?);
        state.tables.remove(&name);
        Ok(Response::new(DeleteTableResponse { table }))
    }

    async fn digest_table(&self, request: Request<DigestTableRequest>) -> Answer<DigestTableResponse> {
        Ok(Response::new(self.state().digest(&request.into_inner())?))
    }

    async fn list_versions(&self, request: Request<ListVersionsRequest>) -> Answer<ListVersionsResponse> {
        Ok(Response::new(self.state().versions(&request.into_inner())?))
    }

    async fn pause_region(&self, request: Request<PauseRegionRequest>) -> Answer<PauseRegionResponse> {
        let mut state = self.state();
        state.paused.push(request.into_inner().to);
        Ok(Response::new(PauseRegionResponse { region: Some(state.region()) }))
    }

    async fn resume_region(&self, request: Request<ResumeRegionRequest>) -> Answer<ResumeRegionResponse> {
        let to = request.into_inner().to;
        let mut state = self.state();
        state.paused.retain(|paused| *paused != to);
        Ok(Response::new(ResumeRegionResponse { region: Some(state.region()) }))
    }

    async fn describe_region(
        &self,
        _request: Request<DescribeRegionRequest>,
    ) -> Answer<DescribeRegionResponse> {
        Ok(Response::new(DescribeRegionResponse { region: Some(self.state().region()) }))
    }

    async fn ping(&self, request: Request<PingRequest>) -> Answer<PingResponse> {
        let payload = request.into_inner().payload;
        let region_name = self.state().name.clone();
        Ok(Response::new(PingResponse { payload, region_name, version: "0".to_owned() }))
    }

    async fn join_node(&self, request: Request<JoinNodeRequest>) -> Answer<JoinNodeResponse> {
        let node = self.state().join(request.into_inner());
        Ok(Response::new(JoinNodeResponse { node, members: vec![] }))
    }

    async fn list_nodes(&self, _request: Request<ListNodesRequest>) -> Answer<ListNodesResponse> {
        Ok(Response::new(ListNodesResponse { nodes: self.state().nodes.clone() }))
    }

    async fn drain_node(&self, request: Request<DrainNodeRequest>) -> Answer<DrainNodeResponse> {
        let nodes = self.state().set_node(request.into_inner().node, NodeState::Draining)?;
        Ok(Response::new(DrainNodeResponse { nodes }))
    }

    async fn resume_node(&self, request: Request<ResumeNodeRequest>) -> Answer<ResumeNodeResponse> {
        let nodes = self.state().set_node(request.into_inner().node, NodeState::Active)?;
        Ok(Response::new(ResumeNodeResponse { nodes }))
    }

    async fn remove_node(&self, request: Request<RemoveNodeRequest>) -> Answer<RemoveNodeResponse> {
        let nodes = self.state().set_node(request.into_inner().node, NodeState::Removed)?;
        Ok(Response::new(RemoveNodeResponse { nodes }))
    }

    async fn list_partitions(
        &self,
        request: Request<ListPartitionsRequest>,
    ) -> Answer<ListPartitionsResponse> {
        let mut state = self.state();
        state.table(&request.into_inner().table_name)?;
        Ok(Response::new(ListPartitionsResponse { partitions: vec![state.partition()] }))
    }

    async fn move_partition(&self, request: Request<MovePartitionRequest>) -> Answer<MovePartitionResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        state.table(&request.table_name)?;
        state.moves.push((request.partition, request.from, request.to));
        Ok(Response::new(MovePartitionResponse { partitions: vec![state.partition()] }))
    }

    async fn split_partition(
        &self,
        request: Request<SplitPartitionRequest>,
    ) -> Answer<SplitPartitionResponse> {
        let request = request.into_inner();
        let mut state = self.state();
        state.table(&request.table_name)?;
        state.splits.push((request.partition, request.at_hash));
        Ok(Response::new(SplitPartitionResponse { partitions: vec![state.partition()] }))
    }

    type SessionStream = session::Frames;

    async fn session(&self, request: Request<Streaming<SessionRequest>>) -> Answer<Self::SessionStream> {
        Ok(Response::new(session::serve(self.clone(), request.into_inner())))
    }
}
