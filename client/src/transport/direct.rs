//! Straight to leaders: asks nodes of a region who leads what, and keeps connections to those that lead.
//!
//! Both happen beside the calls, none of which waits for them. What is known and which way is open is decided
//! in `routes` and `ways`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use item::expression::Cache;
use proto::v1::{DescribeRoutesRequest, DescribeRoutesResponse, ScalarAttributeType};
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};
use types::limits::ROUTES_DEADLINE_MS;
use types::{KeyAttribute, KeyHash, KeyType};

use super::connection::Endpoint;
use super::tls::Tls;
use crate::routes::{Answer, Leader, Part, Routes};
use crate::target::Target;
use crate::ways::{Step, Ways};

/// What a client knows of the nodes of its regions.
pub(super) struct Direct {
    shared: Arc<Shared>,
}

struct Shared {
    /// One for each region that the client tells apart.
    regions: Vec<Mutex<Region>>,
    connections: usize,
    tls: Option<Tls>,
    started: Instant,
}

#[derive(Default)]
struct Region {
    routes: Routes,
    ways: Ways<Arc<Endpoint>>,
    /// Key conditions that were parsed.
    conditions: Cache,
}

/// What is known of a call's place.
#[derive(Default)]
pub(super) struct Place {
    /// The hash of its item, if the table is known.
    pub(super) hash: Option<KeyHash>,
    /// Who leads there, and where that is.
    pub(super) leader: Option<Leader>,
}

/// A call's way straight to a leader; dropped when the call has ended.
pub(super) struct Straight {
    shared: Arc<Shared>,
    region: usize,
    leader: Leader,
    /// Whether the way was told that the call has ended, or that it never began.
    is_over: bool,
    /// Its connections.
    pub(super) endpoint: Arc<Endpoint>,
    /// Whether the call should be sent at all.
    pub(super) is_admitted: bool,
}

impl Direct {
    /// Knows nothing of so many regions.
    pub(super) fn new(regions: usize, connections: usize, tls: Option<Tls>, started: Instant) -> Self {
        let regions = (0..regions).map(|_| Mutex::default()).collect();
        Direct { shared: Arc::new(Shared { regions, connections, tls, started }) }
    }

    /// Looks up where a call belongs; has a node of the region asked if that is not known. The endpoint is of
    /// that region.
    pub(super) fn place(&self, region: usize, target: &dyn Target, endpoint: &Arc<Endpoint>) -> Place {
        let table = target.table();
        let found = {
            let now_ms = self.shared.now_ms();
            let mut region = self.shared.region(region);
            let Region { routes, conditions, .. } = &mut *region;
            routes.find(table, now_ms, |name| target.partition_value(name, conditions))
        };
        if found.ask {
            tokio::spawn(self.shared.clone().ask(region, table.to_owned(), endpoint.clone()));
        }
        Place { hash: found.hash, leader: found.leader }
    }

    /// The way to a leader, if it is open; has the leader prove itself if it is time for that.
    pub(super) fn way(
        &self,
        region: usize,
        table: &str,
        leader: Leader,
        endpoint: &Endpoint,
        random: u64,
    ) -> Option<Straight> {
        let step = self.shared.region(region).ways.step(&leader, self.shared.now_ms(), random);
        let (endpoint, is_admitted) = match step {
            Step::Go(endpoint) => (endpoint, true),
            Step::Hold(endpoint) => (endpoint, false),
            Step::Prove => {
                let text = endpoint.sibling(&leader.address);
                tokio::spawn(self.shared.clone().prove(region, table.to_owned(), leader, text));
                return None;
            }
            Step::Around => return None,
        };
        let shared = self.shared.clone();
        Some(Straight { shared, region, leader, is_over: !is_admitted, endpoint, is_admitted })
    }

    /// Notes what an answer says of who leads: another node than the one that was asked, or 0 where that
    /// could not be said.
    pub(super) fn told(&self, region: usize, table: &str, hash: Option<KeyHash>, elsewhere: u64) {
        let mut region = self.shared.region(region);
        match (hash, elsewhere) {
            (_, 0) => region.routes.doubt(table),
            (Some(hash), node) => region.routes.told(table, hash, node),
            (None, _) => {}
        }
    }
}

impl Straight {
    /// Notes that the leader answered, and whether it took the call in.
    pub(super) fn answered(&mut self, taken: bool) {
        let now_ms = self.shared.now_ms();
        let ways = &mut self.shared.region(self.region).ways;
        ways.answered(&self.leader, now_ms, taken);
        if !std::mem::replace(&mut self.is_over, true) {
            ways.ended(&self.leader);
        }
    }

    /// Notes that the leader did not answer.
    pub(super) fn failed(&self) {
        self.shared.failed(self.region, &self.leader);
    }
}

impl Drop for Straight {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.region(self.region).ways.ended(&self.leader);
        }
    }
}

impl Shared {
    /// Asks a node who leads a table.
    async fn ask(self: Arc<Self>, region: usize, table: String, endpoint: Arc<Endpoint>) {
        let asked = describe(&endpoint, &table).await;
        let now_ms = self.now_ms();
        let routes = &mut self.region(region).routes;
        match asked {
            Ok(Some((_, answer))) => routes.answered(&table, answer, now_ms),
            Err(status) if status.code() == Code::Unimplemented => routes.rest(now_ms),
            Ok(None) | Err(_) => routes.unanswered(&table),
        }
    }

    /// Connects to a leader and has it prove that it is that node of that region, and knows that table.
    async fn prove(self: Arc<Self>, region: usize, table: String, leader: Leader, text: String) {
        let proved = async {
            let endpoint = Arc::new(Endpoint::new(&text, self.connections, self.tls.as_ref()).ok()?);
            let (node, answer) = describe(&endpoint, &table).await.ok()??;
            let is_same = node == leader.node && self.region(region).routes.is_same(&table, &answer);
            is_same.then_some(endpoint)
        };
        match proved.await {
            Some(endpoint) => self.region(region).ways.open(&leader, endpoint),
            None => self.failed(region, &leader),
        }
    }

    fn failed(&self, region: usize, leader: &Leader) {
        let now_ms = self.now_ms();
        let mut region = self.region(region);
        region.ways.failed(leader, now_ms);
        region.routes.lost(leader.node);
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn region(&self, region: usize) -> MutexGuard<'_, Region> {
        // It is whole between any two of its statements, so a panicked holder left nothing half done.
        self.regions[region].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks a node who leads a table: its number, and what it says; `None` if that makes no sense.
async fn describe(endpoint: &Endpoint, table: &str) -> Result<Option<(u64, Answer)>, Status> {
    let request = DescribeRoutesRequest { table_name: table.to_owned() };
    let mut client = endpoint.client();
    let limit = Duration::from_millis(ROUTES_DEADLINE_MS);
    match timeout(limit, client.describe_routes(request)).await {
        Ok(answered) => answered.map(|response| read(response.into_inner())),
        Err(_) => Err(Status::deadline_exceeded("no answer")),
    }
}

fn read(response: DescribeRoutesResponse) -> Option<(u64, Answer)> {
    let definition = response.partition_key?;
    let key_type = match definition.attribute_type() {
        ScalarAttributeType::S => KeyType::S,
        ScalarAttributeType::N => KeyType::N,
        ScalarAttributeType::B => KeyType::B,
        ScalarAttributeType::Unspecified => return None,
    };
    let parts = response.partitions.iter();
    let parts = parts.map(|part| Part { first: part.first_hash, node: part.node, leads: part.leads });
    let answer = Answer {
        id: response.table_id,
        region: response.region_name,
        partition_key: KeyAttribute { name: definition.attribute_name, key_type },
        parts: parts.collect(),
        nodes: response.nodes.into_iter().map(|node| (node.node, node.address)).collect(),
    };
    Some((response.node, answer))
}
