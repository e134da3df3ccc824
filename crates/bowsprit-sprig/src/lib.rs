//! The sprig template function library.

mod date;
mod object;

pub use date::{Duration, Month, Time, Weekday, Zone};
use object::methods;
