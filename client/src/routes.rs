//! Which node leads which part of a region's tables, as far as a client has heard.
//!
//! What is known may be old, and that is harmless: a node that does not lead passes a call on, and its answer
//! says to whom. A client asks when a table is in use and not known, or when it was told that something
//! changed, and not oftener than it may. Nothing is known of a region of one node: it has no other way.
//! There is no clock in it, and no socket.

use std::collections::BTreeMap;
use std::sync::Arc;

use item::AttributeValue;
use item::key::encode_partition;
use types::limits::{ROUTES_CALLS_MIN, ROUTES_INTERVAL_MS, ROUTES_REST_MS, ROUTES_TABLES_MAX};
use types::{KeyAttribute, KeyHash, KeySchema, key_hash};

/// What a client knows of one region.
#[derive(Debug, Default)]
pub struct Routes {
    tables: BTreeMap<String, Table>,
    /// Where nodes are: HOST:PORT.
    nodes: BTreeMap<u64, Arc<str>>,
    /// Until when nobody is asked, since there is nothing to know.
    resting_until_ms: u64,
}

#[derive(Debug, Default)]
struct Table {
    calls: u32,
    used_ms: u64,
    asked_ms: Option<u64>,
    /// Somebody was asked and has not answered.
    is_asked: bool,
    is_stale: bool,
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    id: String,
    region: String,
    /// Only the partition key, which is what is hashed.
    key: KeySchema,
    /// In the order of their first hashes, the first at 0; none if the region has no copy.
    parts: Vec<Part>,
}

/// A partition and whom to ask about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its first hash; it ends where the next one begins.
    pub first: u64,
    /// The node; 0 if there is none to name.
    pub node: u64,
    /// Whether it is said to lead, and not only meant to.
    pub leads: bool,
}

/// What a node says of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The table's id.
    pub id: String,
    /// The node's region.
    pub region: String,
    /// The table's partition key.
    pub partition_key: KeyAttribute,
    /// The partitions.
    pub parts: Vec<Part>,
    /// The nodes of the region; without an address, if that is not known.
    pub nodes: Vec<(u64, String)>,
}

/// What is known of an item's place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// The item's hash, if the table is known.
    pub hash: Option<KeyHash>,
    /// Who leads there, and where that node is.
    pub leader: Option<Leader>,
    /// Whether to ask a node of the region now.
    pub ask: bool,
}

/// A node and where it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leader {
    /// Its number.
    pub node: u64,
    /// HOST:PORT.
    pub address: Arc<str>,
}

impl Routes {
    /// Looks up who leads where an item is, for a call about it. `value` gives the item's value of a
    /// named attribute. Whoever is told to ask has to say what came of it.
    pub fn find(
        &mut self,
        table: &str,
        now_ms: u64,
        value: impl FnOnce(&str) -> Option<AttributeValue>,
    ) -> Found {
        if self.resting_until_ms > now_ms {
            return Found::default();
        }
        if !self.tables.contains_key(table) {
            self.make_room();
            self.tables.insert(table.to_owned(), Table::default());
        }
        let Some(table) = self.tables.get_mut(table) else { return Found::default() };
        table.calls = table.calls.saturating_add(1);
        table.used_ms = now_ms;
        let ask = table.asks(now_ms);
        let Some(known) = &table.known else { return Found { ask, ..Found::default() } };
        // What is no key will be refused by whoever is asked.
        let encoded = value(&known.key.partition.name).and_then(|it| encode_partition(&known.key, &it).ok());
        let Some(hash) = encoded.map(|bytes| key_hash(&bytes)) else {
            return Found { ask, ..Found::default() };
        };
        let node = known.parts.get(known.part_of(hash)).map_or(0, |part| part.node);
        let leader = self.nodes.get(&node).map(|address| Leader { node, address: address.clone() });
        Found { hash: Some(hash), leader, ask }
    }

    /// Takes in what a node answered. An answer that makes no sense is as good as none.
    pub fn answered(&mut self, table: &str, answer: Answer, now_ms: u64) {
        if answer.nodes.len() < 2 {
            return self.rest(now_ms);
        }
        let Some(entry) = self.tables.get_mut(table) else { return };
        entry.is_asked = false;
        let Answer { id, region, partition_key, mut parts, nodes } = answer;
        let begins = parts.first().is_none_or(|part| part.first == 0);
        if !begins || !parts.is_sorted_by(|one, next| one.first < next.first) {
            return;
        }
        if let Some(known) = entry.known.as_ref().filter(|known| known.id == id) {
            parts.iter_mut().for_each(|part| known.keep(part));
        }
        let key = KeySchema { partition: partition_key, sort: None };
        entry.known = Some(Known { id, region, key, parts });
        entry.is_stale = false;
        let there = nodes.into_iter().filter(|(_, address)| !address.is_empty());
        self.nodes = there.map(|(node, address)| (node, address.into())).collect();
    }

    /// Notes that nobody answered; it is asked again when the time has come.
    pub fn unanswered(&mut self, table: &str) {
        if let Some(table) = self.tables.get_mut(table) {
            table.is_asked = false;
        }
    }

    /// Notes that the region has nothing to say: one node, or servers that do not know the call.
    pub fn rest(&mut self, now_ms: u64) {
        *self = Routes { resting_until_ms: now_ms.saturating_add(ROUTES_REST_MS), ..Routes::default() };
    }

    /// Notes that a call about this hash was answered by another node than the one that was asked.
    pub fn told(&mut self, table: &str, hash: KeyHash, node: u64) {
        let Some(table) = self.tables.get_mut(table) else { return };
        let Some(known) = &mut table.known else { return };
        let at = known.part_of(hash);
        if let Some(part) = known.parts.get_mut(at).filter(|part| part.node != node) {
            (part.node, part.leads) = (node, true);
            table.is_stale = true;
        }
    }

    /// Notes that what is known of a table led nowhere: its leader does not lead.
    pub fn doubt(&mut self, table: &str) {
        if let Some(table) = self.tables.get_mut(table) {
            table.is_stale = true;
        }
    }

    /// Notes that a node does not answer: nothing that was heard of its leading counts any more.
    pub fn lost(&mut self, node: u64) {
        for table in self.tables.values_mut() {
            let Some(known) = &mut table.known else { continue };
            for part in known.parts.iter_mut().filter(|part| part.node == node) {
                part.leads = false;
                table.is_stale = true;
            }
        }
    }

    /// Whether a table that somebody described is the one that is known here, in the same region.
    pub fn is_same(&self, table: &str, answer: &Answer) -> bool {
        let known = self.tables.get(table).and_then(|table| table.known.as_ref());
        known.is_some_and(|known| known.id == answer.id && known.region == answer.region)
    }

    /// Forgets the table that was not used for longest, if there are as many as may be.
    fn make_room(&mut self) {
        if self.tables.len() < ROUTES_TABLES_MAX {
            return;
        }
        let longest = self.tables.iter().min_by_key(|(_, table)| table.used_ms);
        if let Some(name) = longest.map(|(name, _)| name.clone()) {
            self.tables.remove(&name);
        }
    }
}

impl Table {
    /// Whether it is time to ask; if so, somebody does.
    fn asks(&mut self, now_ms: u64) -> bool {
        let wants = self.known.is_none() || self.is_stale;
        let may = self.asked_ms.is_none_or(|asked| asked.saturating_add(ROUTES_INTERVAL_MS) <= now_ms);
        let asks = wants && may && !self.is_asked && self.calls >= ROUTES_CALLS_MIN;
        if asks {
            (self.is_asked, self.asked_ms) = (true, Some(now_ms));
        }
        asks
    }
}

impl Known {
    /// The place of the partition of a hash.
    fn part_of(&self, hash: KeyHash) -> usize {
        self.parts.partition_point(|part| part.first <= hash.0).saturating_sub(1)
    }

    /// Keeps what was heard of a partition's leader where a newer answer only supposes one.
    fn keep(&self, part: &mut Part) {
        let before = self.parts.binary_search_by_key(&part.first, |before| before.first);
        if let Some(before) =
            before.ok().map(|at| self.parts[at]).filter(|before| before.leads && !part.leads)
        {
            *part = before;
        }
    }
}

#[cfg(test)]
mod tests;
