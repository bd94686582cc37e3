//! `meridian-server`: reads its settings, runs `node`, `dev` or `cert`, and says why when it cannot.
//!
//! Exit status: 0 after a signal, 1 when something failed, 2 for wrong usage.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use node::latency::Latencies;
use node::options::{CertCommand, Command, CommandLine};
use node::serve::Plan;
use node::settings::{DevSettings, LogSettings, NodeSettings};
use node::{authority, dev, disks, log, serve, settings, stop, threads};

/// For RocksDB's C++ as well: it gives memory back, and threads do not wait for each other over it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;

enum Started {
    Cert(CertCommand),
    Server(Server),
}

enum Server {
    Dev(DevSettings),
    Node(Box<NodeSettings>),
}

fn main() -> ExitCode {
    let ended = match prepare() {
        Ok(Started::Cert(command)) => certify(&command).map_err(|error| (FAILED, error)),
        Ok(Started::Server(server)) => run(server).map_err(|error| (FAILED, error)),
        Err(error) => Err((WRONG_USAGE, error)),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err((status, error)) => {
            let _ = writeln!(std::io::stderr(), "meridian-server: {error}");
            ExitCode::from(status)
        }
    }
}

/// Reads the settings and starts logging; whatever fails here, the user can mend.
fn prepare() -> Result<Started, Box<dyn Error>> {
    let server = match CommandLine::parse().command {
        Command::Dev(options) => Server::Dev(settings::dev(options)?),
        Command::Node(arguments) => Server::Node(Box::new(settings::node(*arguments)?)),
        Command::Cert(command) => return Ok(Started::Cert(command)),
    };
    log::start(server.log())?;
    Ok(Started::Server(server))
}

/// Makes certificates, and prints which files it made.
fn certify(command: &CertCommand) -> Result<(), Box<dyn Error>> {
    for path in authority::run(command)? {
        writeln!(std::io::stdout(), "{}", path.display())?;
    }
    Ok(())
}

fn run(server: Server) -> Result<(), Box<dyn Error>> {
    threads::abort_on_panic();
    tokio::runtime::Runtime::new()?.block_on(async {
        let (plans, latencies, memory) = match server {
            Server::Dev(settings) => (dev::plans(&settings)?, settings.latencies, settings.memory),
            Server::Node(settings) => {
                let memory = settings.memory;
                (vec![Plan::new(*settings)?], Latencies::default(), memory)
            }
        };
        let open = disks::opener(memory, plans.len());
        serve::run(plans, &latencies, open, stop::signalled(), std::io::stdout()).await?;
        Ok(())
    })
}

impl Server {
    fn log(&self) -> &LogSettings {
        match self {
            Server::Dev(settings) => &settings.log,
            Server::Node(settings) => &settings.log,
        }
    }
}
