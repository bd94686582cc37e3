//! `meridian partition`: where a table's partitions sit in the endpoint's region.

use std::process::ExitCode;

use proto::v1::{
    ListPartitionsRequest, MovePartitionRequest, PartitionDescription, SeatState, SplitPartitionRequest,
};
use serde_json::{Value, json};

use crate::arguments::{MovePartition, PartitionCommand, SplitPartition};
use crate::failure::Failure;
use crate::output::{Output, cell};
use crate::shape;
use crate::target::Target;

/// Runs a command.
pub(crate) async fn run(
    command: PartitionCommand,
    target: &Target,
    output: &Output,
) -> Result<ExitCode, Failure> {
    // Each region has partitions of its own: trying the next endpoint might ask another region.
    let (_, client) = target.only("partition")?;
    let partitions = match command {
        PartitionCommand::List { table } => {
            client.list_partitions(ListPartitionsRequest { table_name: table }).await?
        }
        PartitionCommand::Move(MovePartition { table, partition, from, to }) => {
            client.move_partition(MovePartitionRequest { table_name: table, partition, from, to }).await?
        }
        PartitionCommand::Split(SplitPartition { table, partition, at }) => {
            let at_hash = at.map(|at| at.0);
            client.split_partition(SplitPartitionRequest { table_name: table, partition, at_hash }).await?
        }
    };
    show(&partitions, output)?;
    Ok(ExitCode::SUCCESS)
}

fn show(partitions: &[PartitionDescription], output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        let values: Vec<Value> = partitions.iter().map(shape::partition).collect();
        return output.value(&json!({"Partitions": values}));
    }
    let headings = ["Partition", "FirstHash", "LastHash", "Seats", "Leader", "Load"];
    let row = |partition: &PartitionDescription| {
        let value = shape::partition(partition);
        let shown = |heading: &&str| match *heading {
            "Seats" => seats(partition),
            "Load" => load(partition),
            heading => cell(&value[heading]),
        };
        headings.iter().map(shown).collect()
    };
    output.table(headings.map(String::from).to_vec(), partitions.iter().map(row).collect())
}

/// The nodes that a partition sits on, in a cell: what is on its way is said beside its node.
fn seats(partition: &PartitionDescription) -> String {
    let seat = |seat: &proto::v1::SeatDescription| match seat.state() {
        SeatState::Joining => format!("{} joining", seat.node),
        SeatState::Leaving => format!("{} leaving", seat.node),
        SeatState::Settled | SeatState::Unspecified => seat.node.to_string(),
    };
    partition.seats.iter().map(seat).collect::<Vec<_>>().join(", ")
}

/// What a partition's leader decides, in a cell, and what keeps it from being split or has begun to.
fn load(partition: &PartitionDescription) -> String {
    let rate = partition.operations_per_second.map(|rate| format!("{rate}/s"));
    let splitting = partition.splitting.then(|| "splitting".to_owned());
    let one_key = partition.one_key.then(|| "most of one key".to_owned());
    rate.into_iter().chain(one_key).chain(splitting).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use proto::v1::SeatDescription;

    use super::*;

    #[test]
    fn seats_say_who_comes_and_goes() {
        let seat = |node, state: SeatState| SeatDescription { node, state: state.into() };
        let places =
            vec![seat(1, SeatState::Settled), seat(2, SeatState::Leaving), seat(4, SeatState::Joining)];
        let partition = PartitionDescription { seats: places, ..PartitionDescription::default() };
        assert_eq!(seats(&partition), "1, 2 leaving, 4 joining");
    }
}
