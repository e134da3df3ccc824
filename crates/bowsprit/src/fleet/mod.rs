//! Fleets: the crate `bowsprit-fleet` with the disk, the loader and the label pass.
//!
//! [`Disk`] is the [`World`] of a fleet file on disk, [`Folders`] writes renders as files and takes away
//! those of an earlier run, and [`ledger`] promotes in place, with a history and a way back.

mod compare;
mod disk;
mod folders;
pub mod ledger;
#[cfg(feature = "apply")]
mod live;
#[cfg(feature = "apply")]
mod ship;

pub use bowsprit_fleet::*;
#[cfg(feature = "apply")]
pub use compare::on_servers;
pub use compare::{Changed, State};
pub use disk::{ChartSource, Disk, Locate};
pub use folders::{Folders, Layout};
#[cfg(feature = "apply")]
pub use live::{Contexts, Leftover};
#[cfg(feature = "apply")]
pub use ship::{
    Arrival, Cargo, Dock, Errand, FLEET_LABEL, ShipOptions, Shipment, Standing, Tally, ship,
};

/// The time, in seconds since 1970.
pub fn now() -> i64 {
    use bowsprit_value::Host;
    crate::host::OsHost::new().now().seconds
}
