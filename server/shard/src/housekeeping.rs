//! Periodic work of partitions: cursors to the log, collection, trimming, forgetting.
//!
//! Each step is a bounded proposal like any other command; what is left over waits for the next round.

use std::collections::BTreeSet;

use partition::effect::{Effect, Step};
use partition::{collect, trim};
use storage::engine::each;
use storage::{Engine, keys};
use types::{GroupId, HybridTime, KeyHash, limits};

use crate::clock::NS_PER_MS;
use crate::{Error, Figures, PeerFigures, Shard};

impl<E: Engine> Shard<E> {
    /// Does what is due, and says when it is due again.
    pub(crate) fn do_what_is_due(&mut self) -> Result<(), Error> {
        let now = self.now.monotonic_ns;
        // Not a reason to wake up: without turns nothing is written.
        if now >= self.due.pressure_ns {
            self.pressed = self.engine.is_pressed()?;
            self.due.pressure_ns = now + limits::PRESSURE_INTERVAL_MS * NS_PER_MS;
        }
        self.look_for_room()?;
        if now >= self.due.pulse_ns {
            self.send_pulses();
            self.due.pulse_ns = now + limits::CLOSED_TIME_INTERVAL_MS * NS_PER_MS;
        }
        if now >= self.due.give_way_ns {
            self.give_way();
            self.due.give_way_ns = now + limits::GIVE_WAY_INTERVAL_MS * NS_PER_MS;
        }
        if now >= self.due.reseat_ns {
            self.reseat()?;
            self.due.reseat_ns = now + limits::RESEAT_INTERVAL_MS * NS_PER_MS;
        }
        if now >= self.due.growth_ns {
            self.tell_growth()?;
            self.due.growth_ns = now + limits::GROWTH_INTERVAL_MS * NS_PER_MS;
        }
        if now >= self.due.load_ns {
            self.tell_loads();
            self.tell_figures();
            self.split_what_is_hot();
            self.due.load_ns = now + limits::LOAD_INTERVAL_MS * NS_PER_MS;
        }
        if now >= self.due.gossip_ns {
            self.send_tables();
            self.due.gossip_ns = now + limits::CATALOG_RETRY_MS * NS_PER_MS;
        }
        if now >= self.due.tidy_ns {
            let groups = self.replicas.keys().copied().collect();
            self.tidy(groups)?;
            self.due.tidy_ns = now + limits::COLLECT_INTERVAL_MS * NS_PER_MS;
        } else if now >= self.due.again_ns {
            let groups = std::mem::take(&mut self.untidy);
            self.tidy(groups)?;
        }
        Ok(())
    }

    /// Takes one bounded step of each kind in each of these partitions; one that leaves something over is
    /// looked at again soon, so that what collects keeps up with what writes.
    fn tidy(&mut self, groups: BTreeSet<GroupId>) -> Result<(), Error> {
        for group in groups {
            let Some(replica) = self.replicas.get(&group).filter(|replica| replica.decides()) else {
                continue;
            };
            if replica.state.applied < replica.tidied || replica.gives_away(KeyHash(u64::MAX)) {
                self.untidy.insert(group);
                continue;
            }
            for effect in self.tidying(group)? {
                if effect.steps.iter().any(Step::is_full) {
                    self.untidy.insert(group);
                }
                let replica = self.replicas.get_mut(&group).expect("seen above");
                // A refused proposal is made again in the next round.
                if let Ok(index) = replica.propose(effect) {
                    replica.tidied = index;
                    self.dirty.insert(group);
                }
            }
        }
        let again = self.now.monotonic_ns + limits::COLLECT_AGAIN_MS * NS_PER_MS;
        self.due.again_ns = if self.untidy.is_empty() { u64::MAX } else { again };
        Ok(())
    }

    fn tidying(&mut self, group: GroupId) -> Result<Vec<Effect>, Error> {
        let all_passed = self.all_passed(group);
        let now = self.clock.tick();
        let replica = self.replicas.get_mut(&group).expect("called for a partition that is here");
        let mut effects = Vec::new();
        for (peer, shipper) in &replica.shippers {
            if let Some(index) = shipper.to_log() {
                effects.push(Effect { steps: vec![Step::Cursor { peer: *peer, index }] });
            }
        }
        let view = partition::View { engine: &self.engine, overlay: &replica.overlay };
        if replica.untidy.tombstones {
            let step = collect::decide(&view, &replica.home, &replica.state, all_passed, now)?;
            replica.untidy.tombstones =
                step.is_some() || any(&self.engine, keys::tombstone::partition(group))?;
            effects.extend(step);
        }
        if replica.untidy.changes {
            let least_cursor = replica.shippers.values().map(|shipper| shipper.logged()).min();
            let step = trim::decide(&self.engine, &replica.home, least_cursor.unwrap_or(0), all_passed)?;
            replica.untidy.changes = step.is_some() || any(&self.engine, keys::change::partition(group))?;
            effects.extend(step);
        }
        if replica.untidy.outcomes {
            let step = replica.round.decide(&self.engine, &replica.home, now)?;
            let outcomes = keys::request::hashes(replica.home.root, replica.home.range);
            replica.untidy.outcomes = step.is_some() || any(&self.engine, outcomes)?;
            effects.extend(step);
        }
        Ok(effects)
    }

    /// The time that all have passed over a partition's range (`P8`).
    fn all_passed(&self, group: GroupId) -> HybridTime {
        let home = &self.replicas[&group].home;
        match self.passed.get(&home.table) {
            Some(passed) if home.replicated() => {
                passed.all_passed(home.incarnation, &home.others, home.range)
            }
            _ => HybridTime::ZERO,
        }
    }

    /// What the shard has done, and how its links stand.
    pub fn figures(&self) -> Figures {
        let mut figures = self.figures.clone();
        figures.serving = self.is_serving();
        figures.tables = self.names.len() as u64;
        figures.partitions = self.replicas.len() as u64;
        figures.clock_steps = self.clock.steps();
        (figures.room, figures.nearly_full) = (self.storage.room, self.storage.nearly_full);
        figures.peers = self.peers.values().map(|peer| self.peer_figures(peer)).collect();
        figures
    }

    /// Whether the catalog and every partition are led: by this node, which has replayed its log then, or by
    /// another that it follows.
    pub(crate) fn is_serving(&self) -> bool {
        let catalog = &self.catalog.group;
        let follows = catalog.leader().is_some_and(|leader| leader != catalog.replica());
        (self.catalog_decides() || follows) && self.catalog.fetch.is_none() && self.unserved.is_empty()
    }

    fn peer_figures(&self, peer: &crate::peer::Peer) -> PeerFigures {
        let mut figures = PeerFigures {
            region: peer.id(),
            connected: peer.is_connected(),
            paused: self.catalog.applied.settings.paused.contains(&peer.name),
            ..PeerFigures::default()
        };
        let present = self.clock.physical_ms();
        for replica in self.replicas.values() {
            let Some(shipper) = replica.shippers.get(&peer.id()) else { continue };
            figures.pending_changes += shipper.pending().changes;
            figures.pending_bytes += shipper.pending().bytes;
            let passed = self.passed.get(&replica.home.table);
            let closed =
                passed.map_or(HybridTime::ZERO, |passed| passed.received(shipper.to, replica.home.range));
            if closed > HybridTime::ZERO {
                let lag = present.saturating_sub(closed.millis());
                figures.lag_ms = Some(figures.lag_ms.map_or(lag, |worst| worst.max(lag)));
            }
        }
        figures
    }
}

/// Whether a range holds anything.
pub(crate) fn any(engine: &impl Engine, bounds: keys::Bounds) -> Result<bool, Error> {
    let mut found = false;
    each(engine, &bounds, |_, _| {
        found = true;
        Ok(false)
    })?;
    Ok(found)
}
