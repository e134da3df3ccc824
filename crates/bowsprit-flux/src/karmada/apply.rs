//! Objects as a member cluster gets them.

use crate::access::{map_at, maps, strings, text, texts};
use crate::inventory::{Inventory, ObjectRef};
use bowsprit_manifest::{LabelSelector, Labels};
use bowsprit_placement::karmada::Overriders;
use bowsprit_value::{Map, Value};
use std::fmt;

/// An override that can't be applied. `Display` names the policy and the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideError {
    /// The policy.
    pub policy: Box<ObjectRef>,
    /// The object.
    pub object: Box<ObjectRef>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for OverrideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}: {}", self.policy, self.object, self.message)
    }
}

impl std::error::Error for OverrideError {}

const POLICIES: [&str; 2] = ["ClusterOverridePolicy", "OverridePolicy"];
const PROPAGATIONS: [&str; 2] = ["ClusterPropagationPolicy", "PropagationPolicy"];

/// The objects as a member cluster gets them: without those that the propagation policies among them
/// deliver elsewhere, and changed by the override policies. Objects that no policy selects stay as they
/// are, as if they had been applied to the cluster itself. A `Cluster` object gives the cluster's labels.
///
/// # Errors
///
/// Where an override can't be applied.
pub fn overridden(inventory: &Inventory, cluster: &str) -> Result<Inventory, OverrideError> {
    let labels = cluster_labels(inventory, cluster);
    let mut out = Inventory::like(inventory);
    for (key, object) in inventory.iter() {
        if POLICIES.contains(&key.kind.as_str()) || PROPAGATIONS.contains(&key.kind.as_str()) {
            continue;
        }
        if !is_delivered(inventory, key, object, cluster, &labels) {
            continue;
        }
        let mut value = Value::Map(object.clone());
        for kind in POLICIES {
            for (policy_key, policy) in inventory.of_kind(kind) {
                let policy = Policy { key: policy_key, spec: map_at(policy, &["spec"]) };
                if policy.selects(inventory, key, object) {
                    value = policy.apply(key, value, cluster, &labels)?;
                }
            }
        }
        // A patch may leave something else than an object.
        out.add(value.as_map().cloned().unwrap_or_else(|| object.clone()));
    }
    Ok(out)
}

fn cluster_labels(inventory: &Inventory, cluster: &str) -> Labels {
    let mut clusters = inventory.of_kind("Cluster").filter(|(key, _)| key.name == cluster);
    let found = clusters.next().map(|(_, object)| map_at(object, &["metadata"]));
    found.and_then(|metadata| strings(&metadata, "labels")).unwrap_or_default()
}

fn is_delivered(
    inventory: &Inventory,
    key: &ObjectRef,
    object: &Map,
    cluster: &str,
    labels: &Labels,
) -> bool {
    let mut selected = false;
    for kind in PROPAGATIONS {
        for (policy_key, policy) in inventory.of_kind(kind) {
            let policy = Policy { key: policy_key, spec: map_at(policy, &["spec"]) };
            if policy.selects(inventory, key, object) {
                selected = true;
                let placement = map_at(&policy.spec, &["placement"]);
                let groups = maps(&placement, "clusterAffinities");
                let affinity = map_at(&placement, &["clusterAffinity"]);
                if fits(&affinity, cluster, labels) && groups.is_empty()
                    || groups.iter().any(|group| fits(group, cluster, labels))
                {
                    return true;
                }
            }
        }
    }
    !selected
}

/// Whether a cluster is one of an affinity, which without any condition means all.
fn fits(affinity: &Map, cluster: &str, labels: &Labels) -> bool {
    let names = texts(affinity, "clusterNames");
    let excluded = texts(affinity, "exclude").iter().any(|name| name == cluster);
    let named = names.is_empty() || names.iter().any(|name| name == cluster);
    named && !excluded && label_selector(&map_at(affinity, &["labelSelector"]), labels)
}

/// Whether labels fit a selector. An empty one fits all, what is no selector fits nothing.
fn label_selector(selector: &Map, labels: &Labels) -> bool {
    let selector = LabelSelector::of_object(&Value::Map(selector.clone()));
    selector.is_some_and(|selector| selector.matches(labels))
}

struct Policy<'p> {
    key: &'p ObjectRef,
    spec: Map,
}

impl Policy<'_> {
    fn fail(&self, object: &ObjectRef, message: impl Into<String>) -> OverrideError {
        OverrideError {
            policy: Box::new(self.key.clone()),
            object: Box::new(object.clone()),
            message: message.into(),
        }
    }

    /// Karmada compares API versions too, and so do we: with those that the files were written with.
    fn selects(&self, inventory: &Inventory, key: &ObjectRef, object: &Map) -> bool {
        let cluster_wide = self.key.kind.starts_with("Cluster");
        if !cluster_wide && self.key.namespace != key.namespace {
            return false;
        }
        let selectors = maps(&self.spec, "resourceSelectors");
        let labels = strings(&map_at(object, &["metadata"]), "labels").unwrap_or_default();
        let is_override = POLICIES.contains(&self.key.kind.as_str());
        (selectors.is_empty() && is_override)
            || selectors.iter().any(|selector| {
                let (name, namespace) = (text(selector, "name"), text(selector, "namespace"));
                text(selector, "kind") == key.kind
                    && inventory.was_written_as(key, object, &text(selector, "apiVersion"))
                    && (name.is_empty() || name == key.name)
                    && (namespace.is_empty() || namespace == key.namespace)
                    && (!name.is_empty()
                        || label_selector(&map_at(selector, &["labelSelector"]), &labels))
            })
    }

    fn apply(
        &self,
        key: &ObjectRef,
        mut value: Value,
        cluster: &str,
        labels: &Labels,
    ) -> Result<Value, OverrideError> {
        let mut rules = maps(&self.spec, "overrideRules");
        if rules.is_empty() && self.spec.contains(b"overriders") {
            rules.push(self.spec.clone());
        }
        for rule in rules {
            if fits(&map_at(&rule, &["targetCluster"]), cluster, labels) {
                let overriders = Value::Map(map_at(&rule, &["overriders"]));
                let overriders = Overriders::of_value(&overriders)
                    .ok_or_else(|| self.fail(key, "its overriders can't be read"))?;
                value = overriders.apply(&value).map_err(|e| self.fail(key, e.to_string()))?;
            }
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTS: &str = "
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: podinfo}
spec: {values: {ui: {color: red}}}
---
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: {name: p}
spec:
  resourceSelectors: [{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: podinfo}]
  placement: {clusterAffinity: {clusterNames: [member1, member2]}}
---
apiVersion: policy.karmada.io/v1alpha1
kind: OverridePolicy
metadata: {name: o}
spec:
  resourceSelectors: [{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, name: podinfo}]
  overrideRules:
  - targetCluster: {clusterNames: [member1]}
    overriders: {plaintext: [{path: /spec/values/replicaCount, operator: add, value: 2}]}
";

    #[test]
    fn clusters_get_what_policies_send_them() {
        let mut inventory = Inventory::new("default");
        inventory.read("test", OBJECTS.as_bytes()).unwrap();
        let values = |cluster: &str| {
            let inventory = overridden(&inventory, cluster).unwrap();
            let releases = inventory.helm_releases();
            releases.first().map(|release| {
                let replicas = release.values.get(b"replicaCount");
                (release.values.len(), format!("{replicas:?}"))
            })
        };
        assert_eq!(values("member1"), Some((2, "Some(Float(2.0))".to_owned())));
        assert_eq!(values("member2"), Some((1, "None".to_owned())));
        assert_eq!(values("member3"), None);
    }
}
