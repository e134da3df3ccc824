//! Fleets: the crate `bowsprit-fleet` with the disk, the loader and the label pass.
//!
//! [`Disk`] is the [`World`] of a fleet file on disk, [`Folders`] writes renders as files and takes away
//! those of an earlier run, and [`ledger`] promotes in place, with a history and a way back.

mod compare;
mod disk;
mod folders;
pub mod ledger;

pub use bowsprit_fleet::*;
pub use compare::{Changed, State};
pub use disk::{Disk, Locate};
pub use folders::{Folders, Layout};

/// The time, in seconds since 1970.
pub fn now() -> i64 {
    use bowsprit_value::Host;
    crate::host::OsHost::new().now().seconds
}
