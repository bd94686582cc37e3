//! Items as users see them: attribute values, numbers, keys, sizes, expressions, operations and outcomes.
//!
//! Everything here is a pure function of its arguments. Nothing here knows versions, partitions or disks, and
//! no input, however hostile, makes it recurse or allocate past the limits of `types::limits`.

pub mod codec;
pub mod error;
pub mod expression;
pub mod json;
pub mod key;
pub mod number;
pub mod operation;
pub mod outcome;
pub mod size;
pub mod stored;
pub mod validate;
pub mod value;

pub use error::{Error, Invalid, Kind};
pub use key::Key;
pub use number::Number;
pub use operation::Operation;
pub use outcome::Outcome;
pub use stored::Stored;
pub use value::{AttributeValue, Item};
