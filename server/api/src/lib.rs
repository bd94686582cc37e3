//! Requests of the public API to commands, and answers back to responses; errors to gRPC statuses.
//!
//! A request that comes out of here is well formed: names and limits are checked, expressions parsed and
//! bound. What it means for a table's key or an item is decided behind it. Every operation is a module with
//! two functions, `decode` and `encode`; nothing here knows sockets, and nothing here waits.

pub mod batch_get_item;
pub mod batch_write_item;
pub mod create_table;
pub mod delete_item;
pub mod delete_table;
pub mod describe_region;
pub mod describe_routes;
pub mod describe_table;
pub mod digest_table;
pub mod drain_node;
pub mod get_item;
pub mod join_node;
pub mod list_nodes;
pub mod list_partitions;
pub mod list_tables;
pub mod list_versions;
pub mod move_partition;
pub mod pause_region;
pub mod put_item;
pub mod query;
pub mod remove_node;
pub mod resume_node;
pub mod resume_region;
pub mod scan;
pub mod session;
pub mod split_partition;
pub mod status;
pub mod update_item;

mod cluster;
mod field;
mod page;
mod region;
mod table;
mod write;

#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod shape_tests;
