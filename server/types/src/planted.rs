//! Bugs planted on purpose, so that each checker proves that it can fail.
//!
//! Without the feature `planted` a `Faults` is empty and every question is answered with a constant no: the
//! shipped server holds none of this.

/// The bugs that can be planted, each named after the rule that it breaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Planted {
    /// Replies leave before the log is synced.
    AcknowledgeBeforeSync,
    /// Changes are shipped from the overlay, before they are committed.
    ShipBeforeCommit,
    /// The cursor moves when a batch is sent (`P13`).
    CursorBeforeAck,
    /// Versions of equal time are taken for equal.
    TieByTimeOnly,
    /// Tombstones are collected without asking for closed times (`P11`).
    CollectBeforeClosed,
    /// Collection raises no floor (`P11`).
    NoFloor,
    /// Writes are stamped by the wall clock alone (`P7`).
    WallClockStamps,
    /// Records carry no causal history (`P9`).
    OmitSeen,
    /// The closed time is the newest shipped version's time (`P8`).
    ClosedFromShipped,
    /// Strong reads are answered without a quorum's word (`P4`).
    StaleReads,
    /// Strong reads are answered by any replica (`P4`).
    AnyoneReads,
    /// A new leader decides before it has applied what came before it (`P2`).
    DecideEarly,
    /// The overlay outlives the term that it belongs to (`P2`).
    KeepOverlay,
    /// A write that was proposed and not seen through is called refused (`P3`).
    UnknownAsRefused,
    /// Request ids are not looked up (`P3`).
    ForgetRequests,
    /// An answer that reveals an effect in flight does not wait for it.
    ShowUncommitted,
    /// Groups sleep on though the node that led them is lost (`P5`).
    SleepOn,
    /// Times of other nodes are not merged (`P7`).
    NoMerge,
    /// Closed times leave before a quorum has heard of them (`P8`).
    CloseAlone,
    /// A share of a batch is called committed when it is proposed (`P13`).
    ShareUncommitted,
    /// Data that were fetched count before they are flushed (`P6`).
    MarkUnflushed,
    /// What an earlier replica left behind is not destroyed (`P6`).
    KeepOldRange,
    /// The leader goes on deciding for hashes that a split in its log gives away (`P2`).
    DecideBehindSplit,
    /// A split leaves the child without the changes that are not shipped yet (`P12`).
    LeaveChanges,
    /// A split that is replayed makes the child's log anew (`P6`).
    OverwriteChild,
}

impl Planted {
    /// All of them.
    pub const ALL: [Planted; 25] = [
        Planted::AcknowledgeBeforeSync,
        Planted::ShipBeforeCommit,
        Planted::CursorBeforeAck,
        Planted::TieByTimeOnly,
        Planted::CollectBeforeClosed,
        Planted::NoFloor,
        Planted::WallClockStamps,
        Planted::OmitSeen,
        Planted::ClosedFromShipped,
        Planted::StaleReads,
        Planted::AnyoneReads,
        Planted::DecideEarly,
        Planted::KeepOverlay,
        Planted::UnknownAsRefused,
        Planted::ForgetRequests,
        Planted::ShowUncommitted,
        Planted::SleepOn,
        Planted::NoMerge,
        Planted::CloseAlone,
        Planted::ShareUncommitted,
        Planted::MarkUnflushed,
        Planted::KeepOldRange,
        Planted::DecideBehindSplit,
        Planted::LeaveChanges,
        Planted::OverwriteChild,
    ];

    /// The name that a command line takes.
    pub fn name(self) -> &'static str {
        match self {
            Planted::AcknowledgeBeforeSync => "acknowledge-before-sync",
            Planted::ShipBeforeCommit => "ship-before-commit",
            Planted::CursorBeforeAck => "cursor-before-ack",
            Planted::TieByTimeOnly => "tie-by-time-only",
            Planted::CollectBeforeClosed => "collect-before-closed",
            Planted::NoFloor => "no-floor",
            Planted::WallClockStamps => "wall-clock-stamps",
            Planted::OmitSeen => "omit-seen",
            Planted::ClosedFromShipped => "closed-from-shipped",
            Planted::StaleReads => "stale-reads",
            Planted::AnyoneReads => "anyone-reads",
            Planted::DecideEarly => "decide-early",
            Planted::KeepOverlay => "keep-overlay",
            Planted::UnknownAsRefused => "unknown-as-refused",
            Planted::ForgetRequests => "forget-requests",
            Planted::ShowUncommitted => "show-uncommitted",
            Planted::SleepOn => "sleep-on",
            Planted::NoMerge => "no-merge",
            Planted::CloseAlone => "close-alone",
            Planted::ShareUncommitted => "share-uncommitted",
            Planted::MarkUnflushed => "mark-unflushed",
            Planted::KeepOldRange => "keep-old-range",
            Planted::DecideBehindSplit => "decide-behind-split",
            Planted::LeaveChanges => "leave-changes",
            Planted::OverwriteChild => "overwrite-child",
        }
    }

    /// The bug of a name.
    pub fn of_name(name: &str) -> Option<Planted> {
        Planted::ALL.into_iter().find(|planted| planted.name() == name)
    }
}

/// Which bug, if any, runs with a shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    #[cfg(feature = "planted")]
    planted: Option<Planted>,
}

impl Faults {
    /// With one bug planted.
    #[cfg(feature = "planted")]
    pub fn with(planted: Planted) -> Self {
        Faults { planted: Some(planted) }
    }

    /// Whether this bug is planted.
    #[cfg(feature = "planted")]
    pub fn has(&self, planted: Planted) -> bool {
        self.planted == Some(planted)
    }

    /// Whether this bug is planted: never, without the feature.
    #[cfg(not(feature = "planted"))]
    pub fn has(&self, _planted: Planted) -> bool {
        false
    }
}
