//! A leader that is killed or stands still is replaced soon, and what 64 clients are told all the while is
//! what one copy of each key could have told them.

use std::time::{Duration, Instant};

use blackbox::chance::Chance;
use blackbox::clients::{CLIENTS, Clients};
use blackbox::command_line::{meridian, verify};
use blackbox::probe::Probe;
use blackbox::regions::{NAMES, Regions};
use blackbox::registers::{Clock, Histories};
use blackbox::settings::{Build, amount, count, judges_times};
use blackbox::verdict::{Verdict, median, rounded};
use blackbox::watchdog::{SOON, within};
use blackbox::{report, wire};
use proto::v1::ScanRequest;
use proto::v1::attribute_value::Value;
use serde_json::json;

/// The longest that writes to a partition may wait for another leader, but for one time.
const GAP_SECONDS_USUAL_MAX: f64 = 2.0;
/// The longest that they may ever wait.
const GAP_SECONDS_MAX: f64 = 5.0;
/// For how long a leader stands still where times are judged.
const FROZEN: Duration = Duration::from_secs(10);
/// By then whatever a struck node had sent has arrived.
const UNDER_WAY: Duration = Duration::from_millis(100);
/// For how long others write, at least, while a leader stands still.
const ASKED_BEHIND: Duration = Duration::from_millis(500);
const TABLE: &str = "led";
const PARTITIONS: u32 = 6;
const FROZEN_ROUNDS_MAX: usize = 20;
/// One is enough, unless the machine is very slow.
const PLANTED_ROUNDS_MAX: usize = 10;

/// What befalls a leader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Strike {
    /// Its process is killed, and started again once another leads.
    Kill,
    /// Its process stands still with its connections open, and goes on as if nothing had been.
    Freeze,
}

/// Three nodes with clients, and what is known of them.
struct Trial {
    nodes: Regions,
    clock: Clock,
    clients: Clients,
    chance: Chance,
    /// A key of each partition.
    probes: Vec<String>,
    /// What a client may begin in a second: half of its share of the peak.
    rate: f64,
    /// What must still hold of the keys of earlier rounds.
    standing: Histories,
    tally: Tally,
}

#[derive(Default)]
struct Tally {
    peak_per_second: f64,
    paced_per_second: Vec<f64>,
    answered: u64,
    unknown: u64,
    not_done: u64,
    late: Vec<usize>,
    gap_seconds: Vec<f64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_leader_is_replaced_and_no_client_can_tell() {
    let mut trial = Trial::start(Build::Shipped, &[]).await;
    trial.measure_peak().await;
    for round in 0..count(2) {
        let violations = trial.round(Strike::Kill, round % NAMES.len()).await;
        assert!(violations.is_empty(), "round {round}:\n{}", violations.join("\n"));
    }
    trial.close("leaders_kill").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_stands_still_is_replaced_and_no_client_can_tell() {
    let mut trial = Trial::start(Build::Shipped, &[]).await;
    trial.measure_peak().await;
    for round in 0..count(1).min(FROZEN_ROUNDS_MAX) {
        let violations = trial.round(Strike::Freeze, round % NAMES.len()).await;
        assert!(violations.is_empty(), "round {round}:\n{}", violations.join("\n"));
    }
    assert!(trial.tally.late.iter().all(|late| *late > 0), "a node that stood still answered nobody late");
    trial.close("leaders_freeze").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strong_reads_by_any_replica_are_caught() {
    let mut trial = Trial::start(Build::Hooked, &["--planted=anyone-reads"]).await;
    let mut violations = Vec::new();
    for _ in 0..PLANTED_ROUNDS_MAX {
        (_, violations) = trial.undisturbed(Duration::from_secs(1)).await;
        if !violations.is_empty() {
            break;
        }
    }
    let noticed = violations.first().and_then(|violation| violation.lines().next());
    report::figures("leaders_planted", json!({ "by": noticed.expect("somebody noticed") }));
}

impl Trial {
    async fn start(build: Build, extra: &[&str]) -> Trial {
        let nodes = Regions::start_nodes_with(build, extra).await;
        let partitions = PARTITIONS.to_string();
        let words = ["table", "create", TABLE, "--key", "id:S", "--partitions", &partitions];
        let created = meridian(&nodes.endpoint(0), &words).await;
        assert_eq!(created.status, 0, "{created:?}");
        let clock = Clock::start();
        let clients = Clients::new(&nodes, TABLE, clock);
        let probes = probes(&nodes.endpoint(0)).await;
        let (chance, standing, tally) = (Chance::of_this_run(), Histories::default(), Tally::default());
        Trial { nodes, clock, clients, chance, probes, rate: 0.0, standing, tally }
    }

    /// Lets the clients do what they can for a while; how many operations a second that were, and what was
    /// wrong with them.
    async fn undisturbed(&mut self, time: Duration) -> (f64, Vec<String>) {
        let begun = Instant::now();
        let working = self.clients.start(None, None, &mut self.chance);
        tokio::time::sleep(time).await;
        let told = working.finish().await;
        let per_second = told.answered as f64 / begun.elapsed().as_secs_f64();
        (per_second, self.judge(told).await)
    }

    async fn measure_peak(&mut self) {
        self.undisturbed(Duration::from_secs(amount(2, 1))).await;
        let (peak, violations) = self.undisturbed(Duration::from_secs(amount(5, 1))).await;
        assert!(violations.is_empty(), "before any strike:\n{}", violations.join("\n"));
        self.tally.peak_per_second = peak;
        self.rate = peak / 2.0 / CLIENTS as f64;
    }

    /// Strikes a leader under load and judges what the clients were told meanwhile, and what is left.
    async fn round(&mut self, strike: Strike, victim: usize) -> Vec<String> {
        let led = self.led_by(victim).await;
        let through = self.nodes.endpoint((victim + 1) % NAMES.len());
        let wire = wire::connect(&through).await.expect("a node that runs takes connections");
        let mut probes: Vec<_> =
            led.into_iter().map(|at| Probe::start(&wire, TABLE, &self.probes[at])).collect();
        let begun = Instant::now();
        // Whoever asks a frozen node behind writes that others acknowledged must not be told of older ones.
        let asked = (strike == Strike::Freeze).then(|| self.nodes.endpoint(victim));
        let working = self.clients.start(Some(self.rate), asked.as_deref(), &mut self.chance);
        all_acknowledged(&mut probes, begun).await;
        // The moment is the point: nothing tells it, so that it falls on every step of a write.
        tokio::time::sleep(self.chance.between_ms(200, 1500)).await;
        let struck = match strike {
            Strike::Kill => self.kill(victim, &mut probes).await,
            Strike::Freeze => self.freeze(victim, &mut probes).await,
        };
        self.led_by(victim).await;
        all_acknowledged(&mut probes, Instant::now()).await;
        let mut longest = Duration::ZERO;
        for probe in probes {
            longest = longest.max(probe.finish(struck.instant).await);
        }
        self.tally.gap_seconds.push(rounded(longest.as_secs_f64()));
        let told = working.finish().await;
        self.tally.paced_per_second.push(told.answered as f64 / begun.elapsed().as_secs_f64());
        if let Some([from_ns, until_ns]) = struck.frozen_ns {
            self.tally.late.push(told.spanning(from_ns, until_ns));
        }
        self.judge(told).await
    }

    async fn kill(&mut self, victim: usize, probes: &mut [Probe]) -> Struck {
        self.nodes.kill(victim).await;
        let instant = Instant::now();
        all_acknowledged(probes, instant + UNDER_WAY).await;
        self.nodes.restart(victim).await.expect("a killed node starts again");
        Struck { instant, frozen_ns: None }
    }

    async fn freeze(&mut self, victim: usize, probes: &mut [Probe]) -> Struck {
        self.nodes.server(victim).freeze().await;
        let (instant, from_ns) = (Instant::now(), self.clock.now_ns());
        all_acknowledged(probes, instant + UNDER_WAY).await;
        match judges_times() {
            true => tokio::time::sleep_until((instant + FROZEN).into()).await,
            // Long enough that it is asked for what others wrote meanwhile.
            false => all_acknowledged(probes, Instant::now() + ASKED_BEHIND).await,
        }
        let until_ns = self.clock.now_ns();
        self.nodes.server(victim).thaw().await;
        // Whoever asked it early in that time and was answered behind it was answered late.
        Struck { instant, frozen_ns: Some([from_ns + (until_ns - from_ns) / 2, until_ns]) }
    }

    /// The partitions that a node leads, once it leads some and none is without a leader.
    async fn led_by(&self, node: usize) -> Vec<usize> {
        let through = self.nodes.endpoint((node + 1) % NAMES.len());
        let found = async {
            loop {
                let leaders = leaders(&through).await;
                let own = |leader: &Option<u64>| *leader == Some(node as u64 + 1);
                let led: Vec<_> = (0..leaders.len()).filter(|at| own(&leaders[*at])).collect();
                if !led.is_empty() && leaders.iter().all(Option::is_some) {
                    return led;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        within(SOON, "partitions to lead", found).await
    }

    /// What is wrong with what the clients were told, everything read again.
    async fn judge(&mut self, mut told: Histories) -> Vec<String> {
        self.clients.read(&mut told).await;
        self.tally.answered += told.answered;
        self.tally.unknown += told.unknown;
        self.tally.not_done += told.not_done;
        let violations = told.violations();
        self.standing.merge(told.rest());
        violations
    }

    /// Reads everything once more, compares the nodes, and reports.
    async fn close(mut self, part: &str) {
        self.clients.read(&mut self.standing).await;
        let violations = self.standing.violations();
        assert!(violations.is_empty(), "at the end:\n{}", violations.join("\n"));
        let endpoints: Vec<_> = (0..NAMES.len()).map(|node| self.nodes.endpoint(node)).collect();
        verify(TABLE, &endpoints).await.expect("the nodes hold the same");
        self.tally.close(part, self.standing.keys().len());
    }
}

/// When a leader was struck.
struct Struck {
    instant: Instant,
    /// The later half of the time that it stood still.
    frozen_ns: Option<[u64; 2]>,
}

async fn all_acknowledged(probes: &mut [Probe], after: Instant) {
    for probe in probes {
        probe.acknowledged_after(after).await;
    }
}

/// Who leads each partition, as far as a node knows.
async fn leaders(through: &str) -> Vec<Option<u64>> {
    let listed = meridian(through, &["partition", "list", TABLE]).await.json();
    let all = listed["Partitions"].as_array().expect("partitions are listed");
    all.iter().map(|partition| partition["Leader"].as_u64()).collect()
}

/// A key of each partition: the segments of a scan are cut like the partitions of a new table.
async fn probes(endpoint: &str) -> Vec<String> {
    let mut wire = wire::connect(endpoint).await.expect("a node that runs takes connections");
    // Enough that each partition gets one.
    for at in 0..20 * PARTITIONS {
        let fate = wire::write(&mut wire, TABLE, &format!("probe-{at}"), &Some(String::new()), 0).await;
        assert_eq!(fate, wire::Fate::Acknowledged);
    }
    let mut keys = Vec::new();
    for segment in 0..PARTITIONS {
        let scan = ScanRequest {
            table_name: TABLE.to_owned(),
            segment: Some(segment),
            total_segments: Some(PARTITIONS),
            consistent_read: true,
            ..ScanRequest::default()
        };
        let page = wire.scan(wire::timed(scan)).await.expect("a scan is answered").into_inner();
        let item = page.items.into_iter().next().expect("each segment holds some of them");
        keys.push(match item.attributes["id"].value.clone() {
            Some(Value::S(key)) => key,
            other => panic!("a key is no string: {other:?}"),
        });
    }
    keys
}

impl Tally {
    fn close(self, part: &str, keys: usize) {
        let longest = self.gap_seconds.iter().copied().fold(0.0, f64::max);
        let over = self.gap_seconds.iter().filter(|gap| **gap > GAP_SECONDS_USUAL_MAX).count();
        let mut verdict = Verdict::default();
        verdict.at_most("seconds without an acknowledged write", longest, GAP_SECONDS_MAX);
        verdict.at_most("strikes with more than 2 seconds without one", over as f64, 1.0);
        let figures = json!({
            "strikes": self.gap_seconds.len(),
            "peak_per_second": rounded(self.peak_per_second),
            "paced_per_second": rounded(median(self.paced_per_second)),
            "keys": keys,
            "answered": self.answered,
            "unknown": self.unknown,
            "not_done": self.not_done,
            "answered_late_by_strike": self.late,
            "longest_gap_seconds_by_strike": self.gap_seconds,
        });
        verdict.close(part, figures);
    }
}
