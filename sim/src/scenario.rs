//! Scenarios: what a world is put through, and what must hold in the end.

pub mod converge;
pub mod moves;
pub mod operator;
pub mod plan;
pub mod register;
mod splits;
