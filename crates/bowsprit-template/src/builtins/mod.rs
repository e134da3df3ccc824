//! Go's own functions, apart from those that need the machine.

pub(crate) mod compare;
pub(crate) mod escape;
pub(crate) mod index;
pub(crate) mod printf;
