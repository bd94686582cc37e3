//! The thread that drives a shard: it feeds the inbox, makes turns, and sends what comes out.
//!
//! Turns and syncs overlap: while one turn's appends are being synced, the next turn is made. Only a request
//! that is alone has its sync made here, if syncs are short: to wake another thread and be woken by it would
//! take longer than the sync. It decides nothing (`P22`): what may leave and when is the shard's to say, and
//! every failure is fatal. Everything that happens elsewhere (requests, messages of peers, ended syncs, reads
//! and flushes) comes in as a `Post`.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use item::error::Invalid;
use shard::{Envelope, Figures, FirstStart, Inbox, Member, Shard, TurnId};
use storage::Engine;
use tokio::sync::watch;
use types::limits;

use crate::admission::Share;
use crate::clock::Clock;
use crate::fullness::Fullness;
use crate::handle::{Ask, Asks, Handle, OVERLOADED, Post};
use crate::metrics::Timings;
use crate::outward::Outward;
use crate::parties::Queues;
use crate::reads::Readers;
use crate::reply::{Gathered, ReplyTo};
use crate::stop::{Failure, OnFailure};
use crate::{flush, sync, threads};

const FIGURES_INTERVAL: Duration = Duration::from_millis(limits::FIGURES_INTERVAL_MS);

/// What a shard's thread shows of itself a few times a second.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// The shard's own counts.
    pub figures: Figures,
    /// Envelopes waiting for a turn.
    pub inbox_depth: usize,
}

/// What a shard's threads are given to start.
pub struct Parts {
    /// What the shard is told of itself.
    pub settings: shard::Settings,
    /// The clock that deadlines are read on.
    pub clock: Clock,
    /// The queues of the links that there are from time to time.
    pub queues: watch::Receiver<Queues>,
    /// Bytes that requests under way may take.
    pub request_bytes_max: usize,
    /// Bytes of answers that clients have not taken past which reads are refused.
    pub answer_bytes_max: usize,
    /// Where the time goes.
    pub timings: Timings,
    /// How long syncs may usually take for the turn thread to make one itself.
    pub sync_alone_max: Duration,
    /// What to do about a failure.
    pub on_failure: OnFailure,
}

/// A running shard.
pub struct Running {
    /// For whoever has something for the shard.
    pub handle: Handle,
    /// For whoever shows how it is.
    pub published: watch::Receiver<Published>,
    /// For whoever links to the other nodes of the region: those that the catalog knows, and where they are.
    /// Empty until it is told.
    pub nodes: watch::Receiver<Vec<Member>>,
    thread: JoinHandle<()>,
}

/// Opens a shard over an engine, which reads all that must be recovered, and starts its threads.
pub fn start<E: Engine>(engine: E, parts: Parts) -> Result<Running, Failure>
where
    Shard<E>: Send,
{
    let (handle, posts) = Handle::new(parts.request_bytes_max);
    let (syncs, turns) = sync_channel(limits::TURNS_IN_FLIGHT_MAX);
    let (flushes, wanted) = sync_channel(1);
    let (publisher, published) = watch::channel(Published::default());
    let (nodes_publisher, nodes) = watch::channel(Vec::new());
    let on_failure = threads::OfRegion { region: parts.settings.region.clone(), act: parts.on_failure };
    let fullness = Fullness::new(parts.settings.region.clone());
    let joins = parts.settings.first_start == FirstStart::Joining;
    let shard = Shard::open(engine.clone(), parts.settings, parts.clock.now())?;
    if joins {
        // Whose disk it is must be durable before the token is forgotten that its number was given for.
        engine.sync().map_err(|source| Failure::Storage { thread: "turn", source })?;
    }
    let readers = Readers::start(&handle.posts(), &on_failure)?;
    let sync_thread = {
        let (engine, posts, seconds) = (engine.clone(), handle.posts(), parts.timings.sync.clone());
        threads::spawn("sync", &on_failure, move || sync::run(&engine, &turns, &posts, &seconds))?
    };
    let flush_thread = {
        let (engine, posts) = (engine.clone(), handle.posts());
        threads::spawn("flush", &on_failure, move || flush::run(&engine, &wanted, &posts))?
    };
    let driver = Driver {
        shard,
        engine,
        clock: parts.clock,
        inbox: Inbox::new(),
        handle: handle.clone(),
        posts,
        syncs,
        syncing: 0,
        sync_alone_max: parts.sync_alone_max,
        sync_usual: None,
        flushes,
        flush: Flush::Idle,
        readers,
        threads: vec![sync_thread, flush_thread],
        outward: Outward::new(parts.queues),
        waiting: HashMap::new(),
        cancelled: HashSet::new(),
        answer_bytes_max: parts.answer_bytes_max,
        timings: parts.timings,
        asked_at: None,
        publisher,
        nodes_publisher,
        published_at: None,
        fullness,
        stopping: false,
    };
    let thread = threads::spawn("turn", &on_failure, move || driver.run())?;
    Ok(Running { handle, published, nodes, thread })
}

impl Running {
    /// Finishes what is under way, flushes, and returns when all threads have ended. Requests that were not
    /// begun are not answered.
    pub fn stop(self) {
        let _ = self.handle.posts().send(Post::Stop);
        let _ = self.thread.join();
    }
}

struct Driver<E: Engine> {
    shard: Shard<E>,
    engine: E,
    clock: Clock,
    inbox: Inbox,
    /// Its own, so that receiving never fails.
    handle: Handle,
    posts: Receiver<Post>,
    syncs: SyncSender<TurnId>,
    syncing: usize,
    sync_alone_max: Duration,
    /// How long syncs took lately, once there was one.
    sync_usual: Option<Duration>,
    flushes: SyncSender<()>,
    flush: Flush,
    readers: Readers<E::Snapshot>,
    threads: Vec<JoinHandle<()>>,
    outward: Outward,
    waiting: HashMap<u64, Waiter>,
    /// Requests that nobody waits for, until the inbox has been looked through for them.
    cancelled: HashSet<u64>,
    answer_bytes_max: usize,
    timings: Timings,
    /// When the first request came that no turn has taken.
    asked_at: Option<Instant>,
    publisher: watch::Sender<Published>,
    nodes_publisher: watch::Sender<Vec<Member>>,
    published_at: Option<Instant>,
    fullness: Fullness,
    stopping: bool,
}

/// Who waits for a request's answer.
struct Waiter {
    reply: ReplyTo,
    _share: Share,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flush {
    Idle,
    Wanted,
    UnderWay,
}

impl<E: Engine> Driver<E> {
    fn run(mut self) -> Result<(), Failure> {
        self.tell_nodes();
        while !self.stopping {
            self.receive(self.patience())?;
            self.outward.look(&mut self.inbox);
            if self.wants_turn() {
                self.turn()?;
            }
            if self.flush == Flush::Wanted || self.flush == Flush::Idle && self.shard.wants_flush() {
                self.begin_flush()?;
            }
            self.publish();
        }
        self.finish()
    }

    /// How long to wait for a post before there is something else to do.
    fn patience(&self) -> Duration {
        if !self.shard.ready_for_turn() {
            return FIGURES_INTERVAL;
        }
        match self.shard.wake_at_ns() {
            _ if !self.inbox.is_empty() => Duration::ZERO,
            Some(wake_at_ns) => self.clock.until(wake_at_ns).min(FIGURES_INTERVAL),
            None => FIGURES_INTERVAL,
        }
    }

    fn wants_turn(&self) -> bool {
        let due = || self.shard.wake_at_ns().is_some_and(|at| at <= self.clock.monotonic_ns());
        self.shard.ready_for_turn() && (!self.inbox.is_empty() || due())
    }

    /// Takes all posts that are there, once one is or patience has ended.
    fn receive(&mut self, patience: Duration) -> Result<(), Failure> {
        match self.posts.recv_timeout(patience) {
            Ok(post) => self.take(post)?,
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => unreachable!("the driver itself holds a sender"),
        }
        for _ in 0..limits::INBOX_REQUESTS_MAX {
            match self.posts.try_recv() {
                Ok(post) => self.take(post)?,
                Err(_) => break,
            }
        }
        self.forget_cancelled();
        Ok(())
    }

    /// Drops what nobody waits for and was not begun; it frees its memory.
    fn forget_cancelled(&mut self) {
        if self.cancelled.is_empty() {
            return;
        }
        let cancelled = std::mem::take(&mut self.cancelled);
        for number in self.inbox.cancel(|number| cancelled.contains(&number)) {
            self.waiting.remove(&number);
        }
    }

    fn take(&mut self, post: Post) -> Result<(), Failure> {
        match post {
            Post::Ask(Asks::One(ask)) => self.ask(ask),
            Post::Ask(Asks::Frame(asks)) => asks.into_iter().for_each(|ask| self.ask(ask)),
            Post::Cancel(numbers) => self.cancelled.extend(numbers),
            Post::Link(link) => {
                if self.inbox.push(link).is_err() {
                    self.handle.drop_link();
                }
            }
            Post::LinksChanged => {}
            Post::Synced { turn, took } => {
                self.syncing -= 1;
                self.synced(turn, took)?;
            }
            Post::Replied(reply) => self.send(vec![reply]),
            Post::WantsFlush if self.flush == Flush::Idle => self.flush = Flush::Wanted,
            Post::WantsFlush => {}
            Post::Flushed => {
                self.flush = Flush::Idle;
                self.shard.compact()?;
            }
            Post::HandOver => self.shard.hand_over(),
            Post::Stop => self.stopping = true,
        }
        Ok(())
    }

    fn ask(&mut self, ask: Ask) {
        // Whoever gave up waiting needs no answer, and nothing was begun.
        if ask.reply.is_closed() {
            return;
        }
        let Ask { request, reply, share } = ask;
        let number = request.number;
        if self.waiting.contains_key(&number) {
            let duplicate = Invalid::Duplicate { field: "Id" };
            return reply.send(self.handle.untaken().refuse(duplicate.into()));
        }
        match self.inbox.push(Envelope::Request(request)) {
            Ok(()) => drop(self.waiting.insert(number, Waiter { reply, _share: share })),
            Err(_) => reply.send(self.handle.untaken().refuse(OVERLOADED)),
        }
        self.asked_at.get_or_insert_with(Instant::now);
    }

    /// Tells which other nodes the region has, if that has changed.
    fn tell_nodes(&mut self) {
        if let Some(nodes) = self.shard.take_members() {
            self.nodes_publisher.send_replace(nodes);
        }
    }

    fn turn(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        if let Some(asked_at) = self.asked_at.take() {
            self.timings.queue.record(begun - asked_at);
        }
        self.inbox.answers_full = self.handle.untaken().bytes() >= self.answer_bytes_max;
        let turn = self.shard.turn(self.clock.now(), &mut self.inbox)?;
        self.timings.turn.record(begun.elapsed());
        if !self.inbox.is_empty() {
            self.asked_at = Some(begun);
        }
        turn.reads.into_iter().for_each(|read| self.readers.begin(read));
        self.send(turn.send);
        self.tell_nodes();
        match turn.sync {
            true => self.sync(turn.id),
            false => Ok(()),
        }
    }

    /// Has a turn's appends made durable.
    fn sync(&mut self, turn: TurnId) -> Result<(), Failure> {
        let is_alone = self.syncing == 0 && self.handle.in_flight() <= 1;
        if is_alone && self.sync_usual.is_some_and(|usual| usual <= self.sync_alone_max) {
            let took = sync::once(&self.engine, "turn", &self.timings.sync)?;
            return self.synced(turn, took);
        }
        self.syncing += 1;
        // A sync thread that has ended has reported why; its turns are never released.
        let _ = self.syncs.send(turn);
        Ok(())
    }

    /// Releases what waited for a turn's sync.
    fn synced(&mut self, turn: TurnId, took: Duration) -> Result<(), Failure> {
        self.sync_usual = Some(self.sync_usual.map_or(took, |usual| (usual * 7 + took) / 8));
        let begun = Instant::now();
        let released = self.shard.persisted(turn, self.clock.now())?;
        self.timings.apply.record(begun.elapsed());
        self.send(released);
        self.tell_nodes();
        Ok(())
    }

    fn send(&mut self, envelopes: Vec<Envelope>) {
        let mut gathered = Gathered::default();
        for envelope in envelopes {
            match envelope {
                Envelope::Reply(reply) => {
                    let waiter = self.waiting.remove(&reply.number).expect("one reply to each request");
                    let shard::Reply { result, bytes, .. } = *reply;
                    gathered.add(waiter.reply, self.handle.untaken().deliver(result, bytes));
                }
                Envelope::Link(link) => self.outward.to_peer(link),
                Envelope::Node(link) => self.outward.to_node(link),
                Envelope::Request(_) | Envelope::LinkUp(_) | Envelope::LinkDown(_) | Envelope::Removed => {
                    unreachable!("a shard sends replies and messages of links")
                }
            }
        }
        gathered.release();
    }

    /// Flushes on a thread of its own: it may take seconds, and turns go on meanwhile.
    fn begin_flush(&mut self) -> Result<(), Failure> {
        self.shard.begin_flush()?;
        self.flush = Flush::UnderWay;
        // A flush thread that has ended has reported why.
        let _ = self.flushes.send(());
        Ok(())
    }

    fn publish(&mut self) {
        if self.published_at.is_none_or(|at| at.elapsed() >= FIGURES_INTERVAL) {
            self.published_at = Some(Instant::now());
            let published = Published { figures: self.shard.figures(), inbox_depth: self.inbox.len() };
            self.fullness.note(&published.figures);
            self.publisher.send_replace(published);
        }
    }

    /// Waits for what is under way, makes everything durable so that the next start has little to replay, and
    /// ends the other threads.
    fn finish(mut self) -> Result<(), Failure> {
        while self.syncing > 0 || self.flush == Flush::UnderWay {
            let post = self.posts.recv().expect("the driver itself holds a sender");
            self.take(post)?;
        }
        self.shard.begin_flush()?;
        let storage = |source| Failure::Storage { thread: "turn", source };
        self.engine.flush().map_err(storage)?;
        self.shard.compact()?;
        self.engine.sync().map_err(storage)?;
        let Driver { posts, syncs, flushes, readers, threads, .. } = self;
        drop((posts, syncs, flushes));
        readers.join();
        for thread in threads {
            let _ = thread.join();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
