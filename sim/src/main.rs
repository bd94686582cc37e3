//! `meridian-sim`: runs seeds on as many threads as there are cores and says what they came to.
//!
//! Exit status 0 when every seed held, 1 when one did not, 2 for wrong usage.

mod progress;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use clap::{Parser, Subcommand};
use sim::planted::{self, Catch};
use sim::report::{Report, show};
use sim::run::{Scenario, keep_panics};
use types::{Faults, Planted};

use progress::Progress;

#[derive(Parser)]
#[command(name = "meridian-sim", version, about = "Runs the regions of Meridian in a virtual world")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs seeds of a scenario, each twice
    Run {
        /// The scenario: converge or clusters
        #[arg(value_parser = scenario)]
        scenario: Scenario,
        /// How many seeds [default: 100, or 1 with --seed]
        #[arg(long)]
        seeds: Option<u64>,
        /// The first seed [default: 0]
        #[arg(long)]
        seed: Option<u64>,
        /// Plants a bug in every shard; `all` hunts each in turn until its checker catches it
        #[arg(long, value_parser = bug)]
        planted: Option<Bug>,
        /// Threads [default: one per core]
        #[arg(long)]
        threads: Option<usize>,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Runs one seed and prints everything that happened
    Trace {
        /// The scenario: converge or clusters
        #[arg(value_parser = scenario)]
        scenario: Scenario,
        /// The seed
        #[arg(long)]
        seed: u64,
        /// Plants a bug in every shard
        #[arg(long, value_parser = bug)]
        planted: Option<Bug>,
    },
    /// Hunts every planted bug until its checker catches it
    Planted {
        /// Seeds to try for each
        #[arg(long, default_value_t = planted::SEEDS_MAX)]
        seeds: u64,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy)]
enum Bug {
    All,
    One(Planted),
}

fn scenario(name: &str) -> Result<Scenario, String> {
    let names = || Scenario::ALL.map(Scenario::name).join(", ");
    Scenario::of_name(name).ok_or_else(|| format!("the scenarios are: {}", names()))
}

fn bug(name: &str) -> Result<Bug, String> {
    if name == "all" {
        return Ok(Bug::All);
    }
    let names = || Planted::ALL.map(Planted::name).join(", ");
    Planted::of_name(name).map(Bug::One).ok_or_else(|| format!("the planted bugs are: all, {}", names()))
}

fn main() -> ExitCode {
    keep_panics();
    let good = match Arguments::parse().command {
        Command::Run { scenario, seeds, planted: Some(Bug::All), json, .. } => {
            hunt_all(Some(scenario), seeds.unwrap_or(planted::SEEDS_MAX), json)
        }
        Command::Run { scenario, seeds, seed, planted, threads, json } => {
            let count = seeds.unwrap_or(if seed.is_some() { 1 } else { 100 });
            let first = seed.unwrap_or(0);
            run(scenario, first..first.saturating_add(count), faults(planted), threads, json)
        }
        Command::Trace { scenario, seed, planted } => {
            scenario.trace(seed, faults(planted)).iter().for_each(|line| print(line));
            true
        }
        Command::Planted { seeds, json } => hunt_all(None, seeds, json),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn faults(bug: Option<Bug>) -> Faults {
    match bug {
        Some(Bug::One(planted)) => Faults::with(planted),
        Some(Bug::All) | None => Faults::default(),
    }
}

/// Runs seeds, spread over threads; true when all held.
fn run(
    scenario: Scenario,
    seeds: std::ops::Range<u64>,
    faults: Faults,
    threads: Option<usize>,
    json: bool,
) -> bool {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.unwrap_or(cores).max(1);
    let next = AtomicU64::new(seeds.start);
    let (sender, receiver) = mpsc::channel();
    let mut report = Report::default();
    let mut progress = Progress::new(seeds.end - seeds.start);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, end) = (sender.clone(), &next, seeds.end);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let began = Instant::now();
                    let verdict = scenario.judge(seed, faults);
                    if sender.send((verdict, began.elapsed().as_secs_f64())).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (verdict, seconds) in receiver {
            progress.seed(&verdict);
            report.add(verdict, seconds);
        }
    });
    report.finish(scenario);
    print(&if json { to_json(&report) } else { report.text() });
    report.is_good()
}

/// Hunts every planted bug, or those that are hunted in one scenario; true when all were caught.
fn hunt_all(scenario: Option<Scenario>, seeds: u64, json: bool) -> bool {
    let hunted = Planted::ALL.into_iter();
    let hunted = hunted.filter(|bug| scenario.is_none_or(|scenario| planted::expected(*bug).0 == scenario));
    let caught: Vec<_> = hunted
        .map(|planted| {
            let began = Instant::now();
            let caught = planted::hunt(planted, 0..seeds);
            if !json {
                print(&line(planted, caught.as_ref(), seeds, began.elapsed().as_secs_f64()));
            }
            (planted, caught)
        })
        .collect();
    if json {
        let caught = caught.iter().map(|(planted, caught)| {
            let caught = caught.as_ref();
            serde_json::json!({
                "planted": planted.name(),
                "seed": caught.map(|caught| caught.seed),
                "checker": caught.map(|caught| caught.violation.check),
                "detail": caught.map(|caught| &caught.violation.detail),
            })
        });
        print(&to_json(&caught.collect::<Vec<_>>()));
    }
    caught.iter().all(|(_, caught)| caught.is_some())
}

fn line(planted: Planted, caught: Option<&Catch>, seeds: u64, seconds: f64) -> String {
    let name = planted.name();
    match caught {
        Some(Catch { seed, violation }) => {
            format!("{name}: caught with seed {seed} in {seconds:.1} s\n{}", show(violation))
        }
        None => format!("{name}: NOT CAUGHT within {seeds} seeds"),
    }
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("reports hold nothing that JSON cannot")
}

/// A closed pipe is no reason to panic: the exit status still tells.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
