//! What the parser emits and the machine runs.

mod image;
pub(crate) mod program;
