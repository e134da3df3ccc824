//! PropagationPolicies for HelmReleases, Kustomizations and all that they need.

use super::{object, policy};
use crate::access::{map_at, maps, some_text, text};
use crate::inventory::{Inventory, ObjectRef};
use bowsprit_value::{Map, Value};
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// To which clusters objects are delivered. Empty fields say nothing.
#[derive(Clone, Debug, Default)]
pub struct Placement {
    /// Clusters by name.
    pub clusters: Vec<String>,
    /// Clusters by labels.
    pub labels: BTreeMap<String, String>,
    /// Clusters to leave out.
    pub exclude: Vec<String>,
    /// OverridePolicies that must be there first, so that no cluster sees objects without them.
    pub overrides: Vec<String>,
}

impl Placement {
    fn affinity(&self) -> Map {
        let names = |names: &[String]| {
            Value::list(names.iter().map(|name| Value::from(name.as_str())).collect())
        };
        let affinity = Map::new();
        if !self.clusters.is_empty() {
            affinity.insert("clusterNames".into(), names(&self.clusters));
        }
        if !self.exclude.is_empty() {
            affinity.insert("exclude".into(), names(&self.exclude));
        }
        if !self.labels.is_empty() {
            let entries = self.labels.iter();
            let labels = Map::from_entries(
                entries.map(|(key, value)| (key.as_str().into(), Value::from(value.as_str()))),
            );
            affinity
                .insert("labelSelector".into(), object([("matchLabels", labels.into())]).into());
        }
        affinity
    }

    /// Flux runs in each cluster, so there is nothing to divide.
    fn spec(&self, selectors: Vec<Value>, overrides: bool) -> Map {
        let scheduling = object([("replicaSchedulingType", "Duplicated".into())]);
        let placement = object([
            ("clusterAffinity", self.affinity().into()),
            ("replicaScheduling", scheduling.into()),
        ]);
        let spec = object([
            ("resourceSelectors", Value::list(selectors)),
            ("placement", placement.into()),
            ("conflictResolution", "Overwrite".into()),
        ]);
        if overrides && !self.overrides.is_empty() {
            let names = self.overrides.iter().map(|name| Value::from(name.as_str()));
            spec.insert("dependentOverrides".into(), Value::list(names.collect()));
        }
        spec
    }
}

/// The policies that deliver a HelmRelease or a Kustomization: one PropagationPolicy for each namespace
/// that has objects to deliver, named `NAME-flux`, and a ClusterPropagationPolicy for the namespaces
/// themselves. With the object go its source, the ConfigMaps and Secrets that it or its source names,
/// its ServiceAccount, and what it depends on by `chartRef`. None where there is no such object.
pub fn policies(inventory: &Inventory, root: &ObjectRef, placement: &Placement) -> Vec<Map> {
    let needed = needed(inventory, root);
    let mut by_namespace: BTreeMap<&str, Vec<&ObjectRef>> = BTreeMap::new();
    for key in &needed {
        by_namespace.entry(&key.namespace).or_default().push(key);
    }
    let mut out = Vec::new();
    let name = format!("{}-flux", root.name);
    let mut namespaces: BTreeSet<String> = by_namespace.keys().map(|n| (*n).to_owned()).collect();
    for (namespace, keys) in by_namespace {
        let selectors = keys.iter().map(|key| selector(inventory, key)).collect();
        let spec = placement.spec(selectors, namespace == root.namespace);
        out.push(policy("PropagationPolicy", Some(namespace), &name, spec));
    }
    if out.is_empty() {
        return out;
    }
    // `default` is everywhere, and so is what Karmada keeps for itself.
    namespaces.remove("default");
    if !namespaces.is_empty() {
        let selectors = namespaces.iter().map(|namespace| {
            Value::Map(object([
                ("apiVersion", "v1".into()),
                ("kind", "Namespace".into()),
                ("name", namespace.as_str().into()),
            ]))
        });
        let spec = placement.spec(selectors.collect(), false);
        let name = format!("{}-{name}", root.namespace);
        out.insert(0, policy("ClusterPropagationPolicy", None, &name, spec));
    }
    out
}

fn selector(inventory: &Inventory, key: &ObjectRef) -> Value {
    let api_version = inventory.get(key).map(|object| text(object, "apiVersion"));
    let api_version = api_version.filter(|version| !version.is_empty()).unwrap_or_else(|| {
        match key.kind.as_str() {
            "HelmRelease" => "helm.toolkit.fluxcd.io/v2",
            "Kustomization" => "kustomize.toolkit.fluxcd.io/v1",
            "ConfigMap" | "Secret" | "ServiceAccount" => "v1",
            _ => "source.toolkit.fluxcd.io/v1",
        }
        .to_owned()
    });
    Value::Map(object([
        ("apiVersion", api_version.into()),
        ("kind", key.kind.as_str().into()),
        ("name", key.name.as_str().into()),
        ("namespace", key.namespace.as_str().into()),
    ]))
}

/// The object and all that Flux needs to reconcile it in a cluster.
fn needed(inventory: &Inventory, root: &ObjectRef) -> BTreeSet<ObjectRef> {
    let mut needed = BTreeSet::new();
    let mut pending = vec![root.clone()];
    while let Some(key) = pending.pop() {
        // What Flux's objects name may be given in other files; the root itself must be here.
        if inventory.get(&key).is_none() && key == *root {
            continue;
        }
        let object = inventory.get(&key).cloned().unwrap_or_default();
        if needed.insert(key.clone()) {
            pending.extend(named_by(&key, &map_at(&object, &["spec"])));
        }
    }
    needed
}

/// Fields that name a Secret.
const SECRETS: &[&[&str]] = &[
    &["secretRef"],
    &["certSecretRef"],
    &["proxySecretRef"],
    &["verify", "secretRef"],
    &["chart", "spec", "verify", "secretRef"],
    &["kubeConfig", "secretRef"],
    &["decryption", "secretRef"],
];

fn named_by(key: &ObjectRef, spec: &Map) -> Vec<ObjectRef> {
    let mut found = Vec::new();
    for path in [&["chart", "spec", "sourceRef"][..], &["chartRef"], &["sourceRef"]] {
        let reference = map_at(spec, path);
        if !reference.is_empty() {
            found.push(ObjectRef::of(&reference, "HelmRepository", &key.namespace));
        }
    }
    for path in SECRETS {
        if let Some(name) = some_text(&map_at(spec, path), "name") {
            found.push(ObjectRef::new("Secret", &*key.namespace, name));
        }
    }
    let lists = [maps(spec, "valuesFrom"), maps(&map_at(spec, &["postBuild"]), "substituteFrom")];
    for reference in lists.iter().flatten() {
        found.push(ObjectRef::new(
            text(reference, "kind"),
            &*key.namespace,
            text(reference, "name"),
        ));
    }
    if let Some(account) = some_text(spec, "serviceAccountName") {
        found.push(ObjectRef::new("ServiceAccount", &*key.namespace, account));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::Meter;

    #[test]
    fn everything_that_a_release_needs_goes_with_it() {
        let mut inventory = Inventory::new("default");
        inventory
            .read(
                "test",
                b"apiVersion: helm.toolkit.fluxcd.io/v2beta1\nkind: HelmRelease\nmetadata: {name: a, namespace: apps}\n\
                  spec:\n  chart: {spec: {chart: a, sourceRef: {kind: HelmRepository, name: r, namespace: sources}}}\n  \
                  valuesFrom: [{kind: ConfigMap, name: c}]\n---\n\
                  apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: r, namespace: sources}\n\
                  spec: {url: x, secretRef: {name: s}}\n",
            )
            .unwrap();
        let placement = Placement { clusters: vec!["m1".into()], ..Placement::default() };
        let root = ObjectRef::new("HelmRelease", "apps", "a");
        let mut text = Vec::new();
        for policy in policies(&inventory, &root, &placement) {
            bowsprit_yaml::encode(&policy.into(), &mut text, &Meter::default()).unwrap();
        }
        let text = String::from_utf8(text).unwrap();
        let names: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim_start_matches("- ").trim().strip_prefix("kind: "))
            .collect();
        assert_eq!(
            names,
            [
                "ClusterPropagationPolicy",
                "Namespace",
                "Namespace",
                "PropagationPolicy",
                "ConfigMap",
                "HelmRelease",
                "PropagationPolicy",
                "HelmRepository",
                "Secret"
            ]
        );
        assert!(text.contains("  - apiVersion: helm.toolkit.fluxcd.io/v2\n"));
        let nobody = ObjectRef::new("HelmRelease", "apps", "b");
        assert!(policies(&inventory, &nobody, &placement).is_empty());
    }
}
