//! The sprig template function library.

mod date;
mod object;
mod semver;

pub use date::{Duration, Month, Time, Weekday, Zone};
use object::methods;
