//! What the parser emits and the machine runs.

pub(crate) mod image;
pub(crate) mod program;
