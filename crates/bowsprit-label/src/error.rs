//! Why nothing is labelled.

use crate::report::Conflict;
use bowsprit_manifest::{Identity, ObjectsError};
use bowsprit_yaml::EditError;
use std::fmt;

/// Why nothing is labelled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A text holds no objects.
    Objects {
        /// Where the text comes from.
        path: String,
        /// What is wrong with it.
        error: ObjectsError,
    },
    /// There are conflicts, and [`OnConflict::Fail`](crate::OnConflict::Fail) was asked for.
    Conflicts(Vec<Conflict>),
    /// An object could not be edited.
    Edit {
        /// The object.
        object: Identity,
        /// What is wrong with it.
        error: EditError,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Objects { path, error } if path.is_empty() => error.fmt(f),
            Error::Objects { path, error } => write!(f, "{path}: {error}"),
            Error::Edit { object, error } => write!(f, "{object}: {error}"),
            Error::Conflicts(conflicts) => {
                write!(f, "labels are there with other values:")?;
                conflicts.iter().try_for_each(|conflict| write!(f, "\n  {conflict}"))
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Objects { error, .. } => Some(error),
            Error::Edit { error, .. } => Some(error),
            Error::Conflicts(_) => None,
        }
    }
}
