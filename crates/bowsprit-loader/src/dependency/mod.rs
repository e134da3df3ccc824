//! What a chart needs: listing it.
//!
//! [`list_dependencies`] looks at the disk only.

mod list;

pub use list::{Listing, Status, list_dependencies};
