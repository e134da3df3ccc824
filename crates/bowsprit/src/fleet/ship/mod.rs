//! Bringing releases to API servers: many at a time, each as `apply` does it.
//!
//! What is done is what Helm's record says and what the server holds. So there is no state of a run that
//! could get lost: who is interrupted starts again, finds what is deployed already, and goes on with
//! the rest.

mod cargo;
mod dock;
mod one;

pub use cargo::{Cargo, Shipment};
pub use dock::{Dock, Tally, ship};

use bowsprit_manifest::diff::Difference;
use std::time::Duration;

/// The label of records that says which fleet a release belongs to.
pub const FLEET_LABEL: &str = "bowsprit.dev/fleet";

/// What is done with a release that is to go somewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Errand {
    /// It is brought there.
    #[default]
    Apply,
    /// The server is asked what would happen.
    DryRun,
    /// The server is asked what of its objects would change, and how.
    Compare,
    /// It is looked whether it is there.
    Look,
    /// It is looked whether it is there, and what has changed since.
    LookClosely,
}

/// How releases are brought to servers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShipOptions {
    /// What is done.
    pub errand: Errand,
    /// Releases under way at a time.
    pub parallel: usize,
    /// Looks at all objects even where the record says that nothing changed, and mends what differs.
    pub repair: bool,
    /// Adopts objects that belong to others.
    pub take_ownership: bool,
    /// Takes fields from other field managers.
    pub force_conflicts: bool,
    /// Takes an operation that is under way for dead.
    pub take_over: bool,
    /// Waits until all objects are ready, where something runs.
    pub wait: bool,
    /// How long requests are repeated, and how long each wait may take.
    pub timeout: Duration,
}

impl Default for ShipOptions {
    fn default() -> ShipOptions {
        ShipOptions {
            errand: Errand::Apply,
            parallel: 8,
            repair: false,
            take_ownership: false,
            force_conflicts: false,
            take_over: false,
            wait: false,
            timeout: Duration::from_secs(300),
        }
    }
}

/// What became of a release.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Arrival {
    /// It is there already as it should be.
    Unchanged {
        /// The revision.
        revision: i64,
    },
    /// It was brought, or would be.
    Applied {
        /// The revision; 1 for a release that was not there.
        revision: i64,
        /// Objects that were created.
        created: usize,
        /// Objects that changed.
        changed: usize,
        /// Objects that were deleted.
        deleted: usize,
    },
    /// What would change on the server.
    Compared(Difference),
    /// How it stands.
    Standing(Standing),
}

/// How a release stands on a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Standing {
    /// The revision; 0 where there is none.
    pub revision: i64,
    /// Helm's name of its state; `missing` where there is none.
    pub status: String,
    /// Name and version of the chart.
    pub chart: String,
    /// When it was deployed, as Helm prints it.
    pub updated: String,
    /// Whether it is what the fleet file asks for.
    pub current: bool,
    /// What differs on the server from what was applied, as text; none where that was not looked at.
    pub drift: Option<String>,
}
