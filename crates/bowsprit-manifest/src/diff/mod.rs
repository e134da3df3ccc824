//! What differs between two sets of objects, whatever their texts look like.
//!
//! Objects are the same by group, kind, namespace and name; where they stand, how they are written and
//! in which order their keys come plays no role, and `null` is as good as absent. Items of lists that
//! Kubernetes keys (containers, ports, volumes and others) are compared by their key. What Secrets hold
//! is never shown.
//!
//! ```
//! use bowsprit_manifest::diff::{ObjectSet, TextOptions, diff};
//!
//! let before = ObjectSet::parse(b"kind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n")?;
//! let after = ObjectSet::parse(b"kind: ConfigMap\nmetadata: {name: a}\ndata: {x: '2', z: '3'}\n")?;
//! let difference = diff(&before, &after);
//! let paths: Vec<_> = difference.changes[0].fields.iter().map(|f| f.path.as_str()).collect();
//! assert_eq!(paths, ["data.x", "data.z"]);
//! assert_eq!(difference.summary(), "0 added, 1 changed, 0 removed, 0 unchanged");
//! assert!(difference.to_text(&TextOptions::default()).contains("-  x: \"1\"\n"));
//! # Ok::<(), bowsprit_manifest::ObjectsError>(())
//! ```

mod fields;
mod lists;
mod markdown;
mod mask;
mod set;
mod text;

pub use markdown::MarkdownOptions;
pub use set::ObjectSet;
pub use text::TextOptions;

use crate::identity::Identity;
use bowsprit_value::Value;
use std::collections::BTreeMap;

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It is only in the second set.
    Added,
    /// It is in both and not the same.
    Changed,
    /// It is only in the first set.
    Removed,
}

impl ChangeKind {
    /// `added`, `changed` or `removed`.
    pub const fn name(self) -> &'static str {
        match self {
            ChangeKind::Added => "added",
            ChangeKind::Changed => "changed",
            ChangeKind::Removed => "removed",
        }
    }
}

/// A field of an object that is not the same.
#[derive(Clone, Debug)]
pub struct FieldChange {
    /// Where it is: `spec.template.spec.containers[name=web].image`.
    pub path: String,
    /// What stood there; none where the field is new. Masked in Secrets.
    pub before: Option<Value>,
    /// What stands there; none where the field is gone. Masked in Secrets.
    pub after: Option<Value>,
}

/// An object that is not the same.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which object.
    pub identity: Identity,
    /// What became of it.
    pub kind: ChangeKind,
    /// The object of the first set, with a Secret's data masked.
    pub before: Option<Value>,
    /// The object of the second set, with a Secret's data masked.
    pub after: Option<Value>,
    /// The fields that differ, by path; empty where the object was added or removed.
    pub fields: Vec<FieldChange>,
}

/// What [`diff`] finds.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// The objects that are not the same, by namespace, kind and name.
    pub changes: Vec<Change>,
    /// How many are the same.
    pub unchanged: usize,
}

impl Difference {
    /// True where nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many objects had this happen to them.
    pub fn count(&self, kind: ChangeKind) -> usize {
        self.changes.iter().filter(|change| change.kind == kind).count()
    }

    /// One line: how many objects were added, changed and removed.
    pub fn summary(&self) -> String {
        format!(
            "{} added, {} changed, {} removed, {} unchanged",
            self.count(ChangeKind::Added),
            self.count(ChangeKind::Changed),
            self.count(ChangeKind::Removed),
            self.unchanged
        )
    }
}

/// An object of a set.
type Entry<'o> = (&'o Identity, &'o Value);

/// Compares two sets of objects. An object that a set has several times is compared one by one, in the
/// order of the set.
pub fn diff(before: &ObjectSet, after: &ObjectSet) -> Difference {
    let mut pairs: BTreeMap<Place<'_>, (Option<Entry<'_>>, Option<Entry<'_>>)> = BTreeMap::new();
    for (place, entry) in places(before) {
        pairs.entry(place).or_default().0 = Some(entry);
    }
    for (place, entry) in places(after) {
        pairs.entry(place).or_default().1 = Some(entry);
    }
    let mut difference = Difference::default();
    for (before, after) in pairs.into_values() {
        match change(before, after) {
            Some(change) => difference.changes.push(change),
            None => difference.unchanged += 1,
        }
    }
    difference
}

/// An object's place in the outcome: namespace, group, kind and name, and how many of its like came
/// before.
type Place<'o> = (&'o str, &'o str, &'o str, &'o str, usize);

fn places(objects: &ObjectSet) -> impl Iterator<Item = (Place<'_>, Entry<'_>)> {
    let mut seen = BTreeMap::new();
    objects.iter().map(move |(identity, value)| {
        let namespace = identity.namespace.as_deref().unwrap_or_default();
        let who = (namespace, identity.group(), identity.kind.as_str(), identity.name.as_str());
        let count = seen.entry(who).or_insert(0);
        let nth = *count;
        *count += 1;
        ((who.0, who.1, who.2, who.3, nth), (identity, value))
    })
}

fn change(before: Option<Entry<'_>>, after: Option<Entry<'_>>) -> Option<Change> {
    let (identity, kind) = match (before, after) {
        (Some((identity, _)), None) => (identity, ChangeKind::Removed),
        (None, Some((identity, _))) => (identity, ChangeKind::Added),
        (Some((_, before)), Some((identity, after))) if !fields::same(before, after) => {
            (identity, ChangeKind::Changed)
        }
        _ => return None,
    };
    let value = |entry: Option<Entry<'_>>| entry.map(|(_, value)| value.clone());
    let (before, after) = mask::masked(value(before), value(after), identity);
    let fields = match (&before, &after) {
        (Some(before), Some(after)) => fields::changes(before, after),
        _ => Vec::new(),
    };
    Some(Change { identity: identity.clone(), kind, before, after, fields })
}
