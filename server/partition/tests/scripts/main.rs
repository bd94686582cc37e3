//! Golden scripts for the state machine of a partition: decisions, what answers wait for, what is stored.
//!
//! ```text
//! table PARTITION/TYPE [SORT/TYPE] [regions=a/b/c]   an empty table; the first region is this one
//! lives LIFE…                                        which other lives there are from here on
//! put, update, delete, get, query, scan              see `client`
//! receive, collect, trim, forget, cursor             see `region`
//! digest, versions, ledger, state                    see `region`
//! closed TIME                                        the closed time that the leader chose
//! apply [COUNT]                                      applies the oldest effects in flight, or all
//! lose                                               leadership, and what is in flight
//! stored [KIND]                                      the stored keys
//! ```
//!
//! A step is shown behind its index, an answer behind the index that must be applied before it
//! is given. The clock moves by a millisecond with each command that asks it, or to where `at` says.

mod client;
mod notation;
mod region;
mod show;
mod stored;
mod world;

use std::error::Error;

use goldenscript::{ArgumentConsumer, Command, Context};

use crate::notation::Result;
use crate::world::World;

struct Runner(World);

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> std::result::Result<String, Box<dyn Error>> {
        let mut arguments = command.consume_args();
        let world = &mut self.0;
        let out = match command.name.as_str() {
            "table" => {
                *world = table(&mut arguments)?;
                String::new()
            }
            verb @ ("put" | "update" | "delete") => client::write(world, verb, &mut arguments)?,
            "get" => client::get(world, &mut arguments)?,
            "query" => client::query(world, &mut arguments)?,
            "scan" => client::scan(world, &mut arguments)?,
            "receive" => region::receive(world, &mut arguments)?,
            "collect" => region::collect(world, &mut arguments)?,
            "trim" => region::trim(world, &mut arguments)?,
            "forget" => region::forget(world, &mut arguments)?,
            "cursor" => region::cursor(world, &mut arguments)?,
            "digest" => region::digest(world, &mut arguments)?,
            "versions" => region::versions(world, &mut arguments)?,
            "ledger" => region::ledger(world, &mut arguments)?,
            _ => arrange(world, &command.name, &mut arguments)?,
        };
        arguments.reject_next()?;
        Ok(out)
    }
}

fn arrange(world: &mut World, name: &str, arguments: &mut ArgumentConsumer<'_>) -> Result<String> {
    match name {
        "lives" => {
            world.home.others.clear();
            while let Some(life) = arguments.next_pos() {
                world.home.others.push(notation::life(life)?);
            }
        }
        "closed" => world.closed = notation::time(arguments.next_pos().ok_or("a time is missing")?)?,
        "apply" => {
            let count = arguments.next_pos().map(str::parse).transpose()?;
            return world.apply(count.unwrap_or(usize::MAX));
        }
        "lose" => world.lose(),
        "state" => return Ok(region::state(world)),
        "stored" => return stored::lines(world, arguments.next_pos()),
        other => return Err(format!("unknown command {other}").into()),
    }
    Ok(String::new())
}

fn table(arguments: &mut ArgumentConsumer<'_>) -> Result<World> {
    let partition = arguments.next_pos().ok_or("a key is missing")?;
    let key = notation::schema(partition, arguments.next_pos())?;
    let mut lives = arguments.take_key("regions").unwrap_or("a").split('/').map(notation::life);
    let incarnation = lives.next().ok_or("a region is missing")??;
    Ok(World::new(key, incarnation, lives.collect::<Result<_>>()?))
}

fn run(script: &str) {
    let key = notation::schema("p/S", None).expect("a key");
    let life = notation::life("a").expect("a life");
    let mut runner = Runner(World::new(key, life, Vec::new()));
    goldenscript::run(&mut runner, format!("tests/testscripts/{script}")).expect("the script runs");
}

#[test]
fn writes() {
    run("writes");
}

#[test]
fn return_values() {
    run("return_values");
}

#[test]
fn conditions() {
    run("conditions");
}

#[test]
fn query() {
    run("query");
}

#[test]
fn query_numbers() {
    run("query_numbers");
}

#[test]
fn scan() {
    run("scan");
}

#[test]
fn pages() {
    run("pages");
}

#[test]
fn one_region() {
    run("one_region");
}

#[test]
fn requests() {
    run("requests");
}

#[test]
fn overlay() {
    run("overlay");
}

#[test]
fn stamps() {
    run("stamps");
}

#[test]
fn receive() {
    run("receive");
}

#[test]
fn ledger() {
    run("ledger");
}

#[test]
fn collect() {
    run("collect");
}

#[test]
fn collect_behind() {
    run("collect_behind");
}

#[test]
fn trim() {
    run("trim");
}

#[test]
fn forget() {
    run("forget");
}

#[test]
fn digest() {
    run("digest");
}

#[test]
fn refusals() {
    run("refusals");
}
