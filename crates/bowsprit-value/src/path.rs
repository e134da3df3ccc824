//! The way from a root down to where a walk is, to notice values that contain themselves.

use crate::{FuncError, FuncErrorKind};
use std::collections::BTreeSet;

/// Above this depth nobody looks for cycles: they will be noticed soon enough. It is Go's JSON's
/// number, because with it the container that its error names is the same.
const SHALLOW: usize = 1000;
/// Nothing is nested deeper without malice; Go's own stack gives up earlier.
pub(crate) const MAX_DEPTH: usize = 1 << 20;

/// The containers that are being walked, by their ids. Lists can't change, so every cycle goes through
/// a map, and who need not name the container may leave lists out.
#[derive(Debug, Default)]
pub(crate) struct Path(BTreeSet<usize>);

/// A walk came back to a container that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cycle;

impl Path {
    /// Goes into a container that lies under so many containers.
    pub(crate) fn try_enter(&mut self, id: usize, depth: usize) -> Result<(), Cycle> {
        let known = depth >= SHALLOW && !self.0.insert(id);
        if known || depth > MAX_DEPTH { Err(Cycle) } else { Ok(()) }
    }

    /// As [`Path::try_enter`], with the error that a template gets.
    pub(crate) fn enter(&mut self, id: usize, depth: usize) -> Result<(), FuncError> {
        self.try_enter(id, depth)
            .map_err(|Cycle| FuncError::with_kind(FuncErrorKind::Limit, "cyclic value"))
    }

    /// Leaves a container.
    pub(crate) fn leave(&mut self, id: usize) {
        if !self.0.is_empty() {
            self.0.remove(&id);
        }
    }
}
