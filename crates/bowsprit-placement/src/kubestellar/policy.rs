//! BindingPolicies, and what they select.

use super::{Workload, is_delivered};
use crate::document::{self, map, strings};
use crate::kinds::Kinds;
use bowsprit_manifest::{Identity, LabelSelector, Labels, Object};
use bowsprit_value::Value;
use std::collections::BTreeSet;

/// Which objects are delivered, and how: an entry of `downsync`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clause {
    /// The API group; all if none, the core group if empty.
    pub api_group: Option<String>,
    /// Plurals of kinds; all if empty.
    pub resources: Vec<String>,
    /// Names of objects; all if empty.
    pub object_names: Vec<String>,
    /// The labels that objects must have.
    pub select: Labels,
    /// Whether objects are never updated.
    pub create_only: bool,
    /// The StatusCollectors that report on the objects.
    pub status_collectors: Vec<String>,
}

impl Clause {
    /// Whether the clause matches an object. What is of an unknown kind is matched by no list of resources.
    pub fn matches(&self, object: &Object, kinds: &Kinds) -> bool {
        let identity = &object.identity;
        let group = self.api_group.as_deref().is_none_or(|group| group == identity.group());
        let resource = self.resources.is_empty()
            || kinds.plural(identity).is_some_and(|p| self.resources.iter().any(|r| r == p));
        let name = self.object_names.is_empty() || self.object_names.contains(&identity.name);
        let labels = object.labels();
        let selected = self.select.iter().all(|(key, value)| labels.get(key) == Some(value));
        group && resource && name && selected
    }

    fn to_value(&self) -> Value {
        let mut fields = vec![(
            "objectSelectors",
            Value::list(vec![map([("matchLabels", document::labels(&self.select))])]),
        )];
        fields
            .extend(self.api_group.as_ref().map(|group| ("apiGroup", Value::from(group.as_str()))));
        for (name, list) in [
            ("resources", &self.resources),
            ("objectNames", &self.object_names),
            ("statusCollectors", &self.status_collectors),
        ] {
            if !list.is_empty() {
                fields.push((name, strings(list)));
            }
        }
        if self.create_only {
            fields.push(("createOnly", Value::Bool(true)));
        }
        map(fields)
    }
}

/// A policy: what goes to which clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingPolicy {
    /// The name.
    pub name: String,
    /// A cluster is selected if one of these matches its labels.
    pub clusters: Vec<LabelSelector>,
    /// An object is selected if one of these matches it.
    pub clauses: Vec<Clause>,
}

impl BindingPolicy {
    /// The labels that objects must have under whichever clause.
    pub fn selector(&self) -> LabelSelector {
        let Some((first, others)) = self.clauses.split_first() else {
            return LabelSelector::default();
        };
        let common = first.select.iter().filter(|(key, value)| {
            others.iter().all(|clause| clause.select.get(*key) == Some(*value))
        });
        LabelSelector::of_labels(common.map(|(key, value)| (key.clone(), value.clone())))
    }

    /// Whether the policy selects an object.
    pub fn selects(&self, object: &Object, kinds: &Kinds) -> bool {
        self.clauses.iter().any(|clause| clause.matches(object, kinds))
    }

    /// The objects among those of a space that the policy brings to clusters though they are not of the
    /// release: with an empty answer it is proven that nothing else is delivered.
    pub fn unexpected<'o>(
        &self,
        release: &[Workload<'_>],
        space: &'o [Object],
        namespace: &str,
        kinds: &Kinds,
    ) -> Vec<&'o Identity> {
        let key = |identity: &Identity| {
            let namespace = kinds.namespace(identity, namespace).map(str::to_owned);
            (identity.group().to_owned(), identity.kind.clone(), namespace, identity.name.clone())
        };
        let own: BTreeSet<_> = release.iter().map(|w| key(&w.object.identity)).collect();
        let selected = space.iter().filter(|object| self.selects(object, kinds));
        let delivered = selected.map(|o| &o.identity).filter(|identity| is_delivered(identity));
        delivered.filter(|identity| !own.contains(&key(identity))).collect()
    }

    /// The object.
    pub fn to_value(&self) -> Value {
        let spec = map([
            (
                "clusterSelectors",
                Value::list(self.clusters.iter().map(document::selector).collect()),
            ),
            ("downsync", Value::list(self.clauses.iter().map(Clause::to_value).collect())),
        ]);
        map([
            ("apiVersion", Value::from("control.kubestellar.io/v1alpha1")),
            ("kind", Value::from("BindingPolicy")),
            ("metadata", map([("name", Value::from(self.name.as_str()))])),
            ("spec", spec),
        ])
    }
}
