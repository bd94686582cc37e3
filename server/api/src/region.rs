//! Regions as responses show them.

use item::Error;
use item::outcome::Answer;
use proto::v1;
use types::command::{BusyPartition, NodeFigures, NodeStatus, PeerStatus, RegionAnswer, RegionSummary};

use crate::cluster;

/// Shapes an answer that is a region.
pub(crate) fn encode(result: Result<Answer, Error>) -> Result<v1::RegionDescription, Error> {
    match result? {
        Answer::Region(region) => Ok(description(region)),
        other => unreachable!("this command is answered by Region, not by {other:?}"),
    }
}

fn description(region: RegionAnswer) -> v1::RegionDescription {
    v1::RegionDescription {
        region_name: region.region.as_str().to_owned(),
        tables: region.tables,
        partitions: region.partitions,
        ledger_entries: region.ledger_entries,
        peers: region.peers.into_iter().map(peer).collect(),
        nodes: region.nodes.into_iter().map(node).collect(),
        summary: Some(summary(region.summary)),
    }
}

fn node((status, figures): (NodeStatus, Option<NodeFigures>)) -> v1::NodeOverview {
    let figures = figures.map(|figures| v1::NodeFigures {
        leads: figures.leads,
        resting: figures.resting,
        log_bytes: figures.log_bytes,
        disk: figures.disk.map(|disk| v1::DiskFigures {
            total_bytes: disk.total_bytes,
            free_bytes: disk.free_bytes,
            needed_bytes: disk.needed_bytes,
            nearly_full: disk.nearly_full,
        }),
    });
    v1::NodeOverview { description: Some(cluster::node(status)), figures }
}

fn summary(summary: RegionSummary) -> v1::RegionSummary {
    v1::RegionSummary {
        partitions: summary.partitions,
        under_replicated: summary.under_replicated,
        without_leader: summary.without_leader,
        resting: summary.resting,
        moving: summary.moving,
        splitting: summary.splitting,
        hottest: summary.hottest.into_iter().map(busy).collect(),
    }
}

fn busy(busy: BusyPartition) -> v1::HotPartition {
    v1::HotPartition {
        table_name: busy.table.as_str().to_owned(),
        partition: busy.hot.partition.0,
        node: busy.leader.0,
        operations_per_second: busy.hot.per_second,
        one_key: busy.hot.one_key,
    }
}

fn peer(peer: PeerStatus) -> v1::PeerDescription {
    v1::PeerDescription {
        region_name: peer.region.as_str().to_owned(),
        connected: peer.connected,
        paused: peer.paused,
        pending_changes: peer.pending_changes,
        pending_bytes: peer.pending_bytes,
        lag_ms: peer.lag_ms,
    }
}

#[cfg(test)]
mod tests {
    use types::command::{DiskFigures, HotPartition, NodeState};
    use types::{GroupId, NodeId, RegionName, TableName};

    use super::*;

    fn answer() -> RegionAnswer {
        let status = |node, lives| NodeStatus {
            node: NodeId(node),
            address: format!("h:{node}"),
            state: NodeState::Draining,
            lives,
            replicas: 7,
            first: 2,
            moving: 1,
        };
        let disk = DiskFigures { total_bytes: 90, free_bytes: 20, needed_bytes: 30, nearly_full: true };
        let figures = NodeFigures { leads: 3, resting: 1, log_bytes: 11, disk: Some(disk), hottest: vec![] };
        let hot = HotPartition { partition: GroupId(16), per_second: 900, one_key: true };
        let table = TableName::new("movies").unwrap();
        RegionAnswer {
            region: RegionName::new("us-east-1").unwrap(),
            tables: 1,
            partitions: 5,
            ledger_entries: 0,
            peers: vec![],
            nodes: vec![(status(1, true), Some(figures)), (status(2, false), None)],
            summary: RegionSummary {
                partitions: 8,
                under_replicated: 4,
                without_leader: None,
                hottest: vec![BusyPartition { table, leader: NodeId(1), hot }],
                ..RegionSummary::default()
            },
        }
    }

    #[test]
    fn what_is_not_known_of_a_node_is_absent() {
        let shown = encode(Ok(Answer::Region(answer()))).unwrap();
        let [first, second] = &shown.nodes[..] else { panic!("{shown:?}") };
        let figures = first.figures.as_ref().unwrap();
        assert_eq!((figures.leads, figures.resting, figures.log_bytes), (3, 1, 11));
        let disk = figures.disk.as_ref().unwrap();
        assert_eq!((disk.total_bytes, disk.free_bytes, disk.needed_bytes), (90, 20, 30));
        assert!(disk.nearly_full);
        let description = second.description.as_ref().unwrap();
        assert_eq!((description.node, description.replicas, description.lives), (2, 7, false));
        assert_eq!(second.figures, None);
    }

    #[test]
    fn the_sum_names_the_hottest_by_table() {
        let shown = encode(Ok(Answer::Region(answer()))).unwrap();
        assert_eq!(shown.partitions, 5, "those of the node that was asked");
        let summary = shown.summary.unwrap();
        assert_eq!((summary.partitions, summary.under_replicated, summary.without_leader), (8, 4, None));
        let hot = v1::HotPartition {
            table_name: "movies".to_owned(),
            partition: 16,
            node: 1,
            operations_per_second: 900,
            one_key: true,
        };
        assert_eq!(summary.hottest, [hot]);
    }
}
