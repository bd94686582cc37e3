//! What the targets and the program that makes their seeds agree on: a sample item, what an expression may
//! say of it, and how an input's first byte chooses among forms. It must not decode anything itself.

mod choice;
mod sample;

pub use choice::{Request, key_schema};
pub use sample::{item, schema, substitutions};
