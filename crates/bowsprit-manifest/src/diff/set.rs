//! The objects to compare.

use crate::identity::Identity;
use crate::objects::{Object, ObjectsError, objects};
use bowsprit_value::Value;

/// A set of objects, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct ObjectSet(Vec<(Identity, Value)>);

impl ObjectSet {
    /// No objects.
    pub fn new() -> ObjectSet {
        ObjectSet::default()
    }

    /// The objects of a text of several documents; items of lists count as objects of their own.
    ///
    /// # Errors
    ///
    /// As [`objects`].
    pub fn parse(text: &[u8]) -> Result<ObjectSet, ObjectsError> {
        Ok(objects(text)?.into_iter().collect())
    }

    /// Adds an object.
    pub fn push(&mut self, identity: Identity, value: Value) {
        self.0.push((identity, value));
    }

    /// Gives objects without a namespace this one, where `namespaced` says that their kind has any.
    /// A manifest mostly leaves the namespace out that a cluster's objects have.
    pub fn set_namespace(&mut self, namespace: &str, namespaced: impl Fn(&Identity) -> bool) {
        for (identity, _) in &mut self.0 {
            if identity.namespace.is_none() && namespaced(identity) {
                identity.namespace = Some(namespace.to_owned());
            }
        }
    }

    /// The objects.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Identity, &Value)> {
        self.0.iter().map(|(identity, value)| (identity, value))
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without objects.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Extend<(Identity, Value)> for ObjectSet {
    fn extend<I: IntoIterator<Item = (Identity, Value)>>(&mut self, objects: I) {
        self.0.extend(objects);
    }
}

impl FromIterator<(Identity, Value)> for ObjectSet {
    fn from_iter<I: IntoIterator<Item = (Identity, Value)>>(objects: I) -> ObjectSet {
        ObjectSet(objects.into_iter().collect())
    }
}

impl FromIterator<Object> for ObjectSet {
    fn from_iter<I: IntoIterator<Item = Object>>(objects: I) -> ObjectSet {
        objects.into_iter().map(|object| (object.identity, object.value)).collect()
    }
}

impl FromIterator<Value> for ObjectSet {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> ObjectSet {
        values.into_iter().map(|value| (Identity::of(&value), value)).collect()
    }
}
