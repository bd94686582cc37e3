//! Single-item writes: decided at the leader, proposed, answered once applied.

use global::{Ack, Verdict};
use item::operation::{Delete, Put, UpdateItem};
use item::{Error as Refusal, Key, Outcome};
use partition::effect::{Effect, Step};
use partition::remembered::Answer;
use partition::{Decision, Home, delete, put, update};
use region::Table;
use storage::Engine;
use types::{GroupId, Planted, TableName, limits};

use crate::Shard;
use crate::confirm::Held;
use crate::reads::{Told, told};
use crate::waiter::Waiter;

/// A single-item write.
pub(crate) enum Write {
    Put(Put),
    Update(UpdateItem),
    Delete(Delete),
}

impl<E: Engine> Shard<E> {
    /// `PutItem`.
    pub(crate) fn put(&mut self, number: u64, request: Put) -> Told<()> {
        let name = request.table.clone();
        self.write(&name, Write::Put(request), |result| Waiter::Reply { number, result })
    }

    /// `UpdateItem`.
    pub(crate) fn update(&mut self, number: u64, request: UpdateItem) -> Told<()> {
        let name = request.table.clone();
        self.write(&name, Write::Update(request), |result| Waiter::Reply { number, result })
    }

    /// `DeleteItem`.
    pub(crate) fn delete(&mut self, number: u64, request: Delete) -> Told<()> {
        let name = request.table.clone();
        self.write(&name, Write::Delete(request), |result| Waiter::Reply { number, result })
    }

    /// Decides a write and has its waiter told when its effect is applied, or what it revealed is. A refusal
    /// that comes back has told nobody.
    pub(crate) fn write(
        &mut self,
        name: &TableName,
        write: Write,
        waiter: impl FnOnce(Result<Outcome, Refusal>) -> Waiter,
    ) -> Told<()> {
        let (group, key) = told!(self.locate(name, &write));
        // What is deleted makes room in the end.
        if !matches!(write, Write::Delete(_)) {
            told!(self.check_room().and_then(|()| self.check_room_of_others(group)));
        }
        self.meter(group, key.hash);
        let now = self.clock.tick();
        let replica = &self.replicas[&group];
        let (view, moment) = (replica.view(&self.engine), replica.moment(now, self.now.wall_ms));
        let decision = match write {
            Write::Put(put) => put::decide(&view, &replica.home, moment, key, put)?,
            Write::Update(update) => update::decide(&view, &replica.home, moment, key, update)?,
            Write::Delete(delete) => delete::decide(&view, &replica.home, moment, key, delete)?,
        };
        self.carry_out(group, decision, waiter)
    }

    /// The partition that decides a write, and the write's key.
    fn locate(&self, name: &TableName, write: &Write) -> Result<(GroupId, Key), Refusal> {
        let table = self.table(name)?;
        let home = self.any_home(table)?;
        let key = match write {
            Write::Put(put) => put::check(home, put)?,
            Write::Update(update) => update::check(home, update)?,
            Write::Delete(delete) => delete::check(home, delete)?,
        };
        let group = self.partition_of(table, key.hash);
        let replica = self.leader_for(group, key.hash)?;
        match self.pressed || replica.is_full() {
            true => Err(Refusal::Overloaded { retry_after_ms: limits::RETRY_AFTER_MS }),
            false => Ok((group, key)),
        }
    }

    /// The home of some partition of a table: what requests are checked against is the same in all of them.
    pub(crate) fn any_home(&self, table: &Table) -> Result<&Home, Refusal> {
        let first = self.replicas.get(&table.first_group);
        let any = || table.partitions().find_map(|(group, _)| self.replicas.get(&group));
        let elsewhere = || Refusal::Elsewhere { node: table.seats(table.first_group)[0].node };
        first.or_else(any).map(|replica| &replica.home).ok_or_else(elsewhere)
    }

    fn carry_out(
        &mut self,
        group: GroupId,
        decision: Decision<Answer>,
        waiter: impl FnOnce(Answer) -> Waiter,
    ) -> Told<()> {
        let (after, waiter) = match decision {
            Decision::Answer { answer, after } => {
                let waiter = waiter(answer);
                let shows = self.settings.faults.has(Planted::ShowUncommitted);
                self.confirm([group], Held::Waiter(group, if shows { 0 } else { after }, waiter));
                return Ok(Ok(()));
            }
            Decision::Propose { effect, answer } => {
                if self.settings.faults.has(Planted::ShipBeforeCommit) {
                    self.ship_uncommitted(group, &effect);
                }
                let replica = self.replicas.get_mut(&group).expect("the decision's own partition");
                let index = told!(replica.propose(effect).map_err(refusal));
                self.dirty.insert(group);
                if self.settings.faults.has(Planted::AcknowledgeBeforeSync) {
                    (0, waiter(answer))
                } else {
                    (index, waiter(answer))
                }
            }
        };
        self.tell_after(group, after, waiter);
        Ok(Ok(()))
    }

    /// Tells a waiter once a partition has applied an index: at once, if it has.
    pub(crate) fn tell_after(&mut self, group: GroupId, after: u64, waiter: Waiter) {
        match self.replicas.get_mut(&group).filter(|replica| after > replica.state.applied) {
            Some(replica) => replica.waiting.entry(after).or_default().push(waiter),
            None => self.tell(waiter),
        }
    }

    /// Tells a waiter that what it waited for is applied.
    pub(crate) fn tell(&mut self, waiter: Waiter) {
        match waiter {
            Waiter::Reply { number, result } => self.reply_item(number, result),
            Waiter::Part { number, table, entry, result } => self.part(number, &table, entry, result),
            Waiter::Confirmed { group, number } => self.reached(group, number),
            Waiter::Share { group, origin, taken_by } => {
                self.tell_share(taken_by, group, Ack { origin, verdict: Verdict::Committed });
            }
        }
    }

    /// Tells a waiter that nobody knows whether it will be applied (`P3`).
    pub(crate) fn tell_unknown(&mut self, waiter: Waiter) {
        match self.settings.faults.has(Planted::UnknownAsRefused) {
            true => self.tell_refused(waiter, Refusal::NotLeader),
            false => self.tell_refused(waiter, Refusal::OutcomeUnknown),
        }
    }

    /// Tells a waiter that what it waited for did not come.
    pub(crate) fn tell_refused(&mut self, waiter: Waiter, refusal: Refusal) {
        match waiter {
            Waiter::Reply { number, .. } => self.reply_item(number, Err(refusal)),
            Waiter::Part { number, table, entry, .. } => self.part(number, &table, entry, Err(refusal)),
            Waiter::Confirmed { number, .. } => self.refuse_scan(number),
            Waiter::Share { group, origin, taken_by } => {
                self.tell_share(taken_by, group, Ack { origin, verdict: Verdict::Busy });
            }
        }
    }

    /// The planted bug `ShipBeforeCommit`: peers get records that a crash may take back.
    fn ship_uncommitted(&mut self, group: GroupId, effect: &Effect) {
        for step in &effect.steps {
            let Step::Record { place, record, made: Some(made) } = step else { continue };
            let shipped = global::Shipped { place: place.clone(), record: record.clone(), time: made.time };
            self.ship_outside_streams(group, shipped);
        }
    }
}

/// What a client is told when raft did not accept a proposal: nothing was proposed (`P3`).
pub(crate) fn refusal(refused: consensus::ProposeError) -> Refusal {
    match refused {
        consensus::ProposeError::NotLeader { .. } | consensus::ProposeError::Transferring => {
            Refusal::NotLeader
        }
        consensus::ProposeError::ChangeUnderWay | consensus::ProposeError::BadChange => {
            unreachable!("a command changes no members")
        }
        consensus::ProposeError::TooMuchUncommitted => {
            Refusal::Overloaded { retry_after_ms: limits::RETRY_AFTER_MS }
        }
    }
}
