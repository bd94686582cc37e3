//! The moment of a turn, as its driver read it.
//!
//! Below `node` nobody else may ask what time it is.

/// Both clocks of a machine, read once per turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// Nanoseconds of the raw monotonic clock since an arbitrary start; never goes back.
    pub monotonic_ns: u64,
    /// Milliseconds of wall time since the Unix epoch; may step and drift.
    pub wall_ms: u64,
}
