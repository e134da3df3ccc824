//! What the pass did, and what it left alone.

use bowsprit_manifest::Identity;
use std::fmt;

/// Where labels go within an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On the object itself.
    Object,
    /// On its pod template.
    PodTemplate,
    /// On one of its volume claim templates, counted from 0.
    VolumeClaimTemplate(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Object => Ok(()),
            Place::PodTemplate => f.write_str("pod template of "),
            Place::VolumeClaimTemplate(index) => write!(f, "volume claim template {index} of "),
        }
    }
}

/// Why a label is not put, or not as a matter of course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is there with another value.
    Taken {
        /// The value that was there.
        value: String,
        /// Whether it was overwritten.
        overwritten: bool,
    },
    /// With it, a selector of the release would match something else than without.
    Selector {
        /// The object that has the selector.
        object: Identity,
        /// The selector as kubectl writes it.
        selector: String,
    },
    /// What should hold labels is no mapping, so that Kubernetes would refuse the object.
    Malformed,
}

/// A label or annotation that was not simply put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The object.
    pub object: Identity,
    /// Where its text comes from.
    pub path: String,
    /// Where in the object.
    pub place: Place,
    /// The label's or annotation's name.
    pub key: String,
    /// The value that was to be put.
    pub wanted: String,
    /// What stands against it.
    pub reason: Reason,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Conflict { object, place, key, wanted, .. } = self;
        write!(f, "{place}{object}: ")?;
        match &self.reason {
            Reason::Taken { value, overwritten: true } => {
                write!(f, "{key} was {value:?}, is now {wanted:?}")?;
            }
            Reason::Taken { value, overwritten: false } => {
                write!(f, "{key} stays {value:?} instead of {wanted:?}")?;
            }
            Reason::Selector { object, selector } => {
                write!(f, "{key} does not become {wanted:?}, for {object} selects by {selector}")?;
            }
            Reason::Malformed => write!(f, "{key} can't be put, for metadata is malformed")?,
        }
        if self.path.is_empty() { Ok(()) } else { write!(f, " ({})", self.path) }
    }
}

/// What the pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The objects that were looked at.
    pub objects: usize,
    /// Those that got something.
    pub changed: usize,
    /// What was not simply put, object by object.
    pub conflicts: Vec<Conflict>,
}
