//! The operations on a region's nodes and on what sits on them. All of them set what is set, or give the same
//! answer again, so they may be repeated.

use proto::v1::{
    DrainNodeRequest, JoinNodeRequest, JoinNodeResponse, ListNodesRequest, ListPartitionsRequest,
    MovePartitionRequest, NodeDescription, PartitionDescription, RemoveNodeRequest, ResumeNodeRequest,
    SplitPartitionRequest,
};

use super::{Client, MeridianClient};
use crate::error::Error;
use crate::retry::Repeat;

impl Client {
    /// `JoinNode`: the same number under the same token, however often it is asked.
    pub async fn join_node(&self, request: JoinNodeRequest) -> Result<JoinNodeResponse, Error> {
        let method = |mut client: MeridianClient<_>, request| async move { client.join_node(request).await };
        self.call(Repeat::Harmless, request, method).await
    }

    /// `ListNodes`.
    pub async fn list_nodes(&self) -> Result<Vec<NodeDescription>, Error> {
        let method = |mut client: MeridianClient<_>, request| async move { client.list_nodes(request).await };
        Ok(self.call(Repeat::Harmless, ListNodesRequest {}, method).await?.nodes)
    }

    /// `DrainNode`; replicas may still be on their way.
    pub async fn drain_node(&self, node: u64) -> Result<Vec<NodeDescription>, Error> {
        let method = |mut client: MeridianClient<_>, request| async move { client.drain_node(request).await };
        Ok(self.call(Repeat::Harmless, DrainNodeRequest { node }, method).await?.nodes)
    }

    /// `ResumeNode`.
    pub async fn resume_node(&self, node: u64) -> Result<Vec<NodeDescription>, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.resume_node(request).await };
        Ok(self.call(Repeat::Harmless, ResumeNodeRequest { node }, method).await?.nodes)
    }

    /// `RemoveNode`. A number is never used again, so a second removal cannot meet another node.
    pub async fn remove_node(&self, node: u64) -> Result<Vec<NodeDescription>, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.remove_node(request).await };
        Ok(self.call(Repeat::Harmless, RemoveNodeRequest { node }, method).await?.nodes)
    }

    /// `ListPartitions`.
    pub async fn list_partitions(
        &self,
        request: ListPartitionsRequest,
    ) -> Result<Vec<PartitionDescription>, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.list_partitions(request).await };
        Ok(self.call(Repeat::Harmless, request, method).await?.partitions)
    }

    /// `SplitPartition`; the split may still be under way. Never asked for twice: it might split a half.
    pub async fn split_partition(
        &self,
        request: SplitPartitionRequest,
    ) -> Result<Vec<PartitionDescription>, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.split_partition(request).await };
        Ok(self.call(Repeat::Harmful, request, method).await?.partitions)
    }

    /// `MovePartition`; the replica may still be on its way.
    pub async fn move_partition(
        &self,
        request: MovePartitionRequest,
    ) -> Result<Vec<PartitionDescription>, Error> {
        let method =
            |mut client: MeridianClient<_>, request| async move { client.move_partition(request).await };
        Ok(self.call(Repeat::Harmless, request, method).await?.partitions)
    }
}
