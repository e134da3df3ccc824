//! Values: what the user gives, what the charts bring, and how one is laid over the other.
//!
//! [`merge()`] makes one table of value files and `--set` arguments; [`crate::plan`] lays it over the
//! charts' defaults; [`schema`] checks the outcome against `values.schema.json`.

mod check;
pub(crate) mod coalesce;
mod error;
pub(crate) mod globals;
pub(crate) mod known;
pub(crate) mod locate;
pub(crate) mod log;
mod merge;
pub(crate) mod path;
pub mod schema;
pub mod set;

pub use check::{CompileSchema, validate_plan};
pub use coalesce::{coalesce_values_tables, merge_values_tables};
pub use error::{Finding, ValuesError, ValuesErrorKind};
pub use locate::locate;
pub use merge::{ValuesFile, ValuesOptions, merge, merge_maps};
