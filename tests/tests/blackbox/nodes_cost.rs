//! What three nodes cost: operations that they answer for each second of the servers' processor time, beside
//! a region of one node on the same machine at the same time.
//!
//! All calls go to one node, which leads a third of the partitions and passes the rest on.

use blackbox::alone::Alone;
use blackbox::bench;
use blackbox::regions::{NAMES, Regions};
use blackbox::settings::{Build, amount};
use blackbox::verdict::{Verdict, median, rounded};
use serde_json::{Value, json};

/// How many strong reads three nodes must answer for a second of processor time, by those of one.
const GET_SHARE_MIN: f64 = 0.75;
/// How much more processor time a put may take than with one node.
const PUT_TIMES_MAX: f64 = 3.5;
const MEMORY: &str = "1GiB";

/// Which region is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Size {
    One,
    Three,
}

/// Both regions, running.
struct Field {
    one: Alone,
    three: Regions,
}

/// What each round measured in a region of one size.
#[derive(Default)]
struct Rounds {
    per_second: Vec<f64>,
    per_core_second: Vec<f64>,
    /// The share that the node which is asked has of the processor time.
    share_of_asked: Vec<f64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_cost_little_more_than_their_copies() {
    let memory = format!("--memory={MEMORY}");
    let three = Regions::start_nodes_with(Build::Shipped, &[&memory]).await;
    let mut field = Field { one: Alone::start(MEMORY).await, three };
    let table = format!("--keep cost --keys {} --partitions 12", amount(100_000, 2000));
    let load = format!("{table} --in-flight 256 --connections 2 --warm-up 0");
    for size in [Size::One, Size::Three] {
        // The first run with the table loads it.
        field.measure(size, &format!("get {load} --seconds 1"), &mut Rounds::default()).await;
    }
    let [mut get_one, mut get_three, mut put_one, mut put_three] = [(); 4].map(|()| Rounds::default());
    for _ in 0..amount(5, 1) {
        let [get, put] = ["get", "put"].map(|name| format!("{name} {load} --seconds {}", amount(6, 1)));
        field.measure(Size::One, &get, &mut get_one).await;
        field.measure(Size::Three, &get, &mut get_three).await;
        field.measure(Size::One, &put, &mut put_one).await;
        field.measure(Size::Three, &put, &mut put_three).await;
    }
    let get_share = median(get_three.per_core_second.clone()) / median(get_one.per_core_second.clone());
    let put_times = median(put_one.per_core_second.clone()) / median(put_three.per_core_second.clone());
    let mut verdict = Verdict::default();
    verdict.at_least("strong reads by those of one node", get_share, GET_SHARE_MIN);
    verdict.at_most("processor time of a put by that with one node", put_times, PUT_TIMES_MAX);
    let figures = json!({
        "get_by_one_node": rounded(get_share),
        "put_processor_time_by_one_node": rounded(put_times),
        "get_one": get_one.figures(),
        "get_three": get_three.figures(),
        "put_one": put_one.figures(),
        "put_three": put_three.figures(),
    });
    verdict.close("nodes_cost", figures);
}

impl Field {
    /// Runs `meridian bench` against a region and counts what its servers took for it.
    async fn measure(&mut self, size: Size, line: &str, rounds: &mut Rounds) {
        let endpoint = match size {
            Size::One => self.one.endpoint(),
            Size::Three => self.three.endpoint(0),
        };
        let before = self.processor_ms(size);
        let measured = bench::run(&endpoint, line).await.flawless(line);
        let taken: Vec<u64> =
            self.processor_ms(size).iter().zip(before).map(|(after, before)| after - before).collect();
        let all = taken.iter().sum::<u64>() as f64 / 1000.0;
        assert!(all > 0.0, "{line}: the servers took no processor time");
        rounds.per_second.push(measured.per_second);
        rounds.per_core_second.push(measured.operations as f64 / all);
        rounds.share_of_asked.push(taken[0] as f64 / 1000.0 / all);
    }

    /// Of each server, first the one that is asked.
    fn processor_ms(&mut self, size: Size) -> Vec<u64> {
        match size {
            Size::One => vec![self.one.server().cpu_ms()],
            Size::Three => (0..NAMES.len()).map(|node| self.three.server(node).cpu_ms()).collect(),
        }
    }
}

impl Rounds {
    fn figures(self) -> Value {
        let Rounds { per_second, per_core_second, share_of_asked } = self;
        json!({
            "per_second": rounded(median(per_second)),
            "per_core_second": rounded(median(per_core_second)),
            "share_of_asked_node": rounded(median(share_of_asked)),
        })
    }
}
