//! The documents of policies.

use super::placed::{Audience, Placed, Rule, placed, warnings};
use super::{Clusters, Error, Policies, Replicas, Request};
use crate::document::{self, labels, map, strings};
use bowsprit_manifest::{Identity, LabelSelector, Labels};
use bowsprit_value::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const API_VERSION: &str = "policy.karmada.io/v1alpha1";

/// Writes the policies that bring a release to clusters.
///
/// Objects with namespaces come under one PropagationPolicy in each namespace, objects without under a
/// ClusterPropagationPolicy, and custom resource definitions under one that keeps them when it is deleted.
/// Namespaces need none: Karmada brings them to all clusters. Where clusters have renders of their own,
/// OverridePolicies turn the base into these, and the PropagationPolicies wait for them. That the overrides
/// give what was rendered is checked by applying them as Karmada does.
///
/// # Errors
///
/// Fails where there is nothing to place or no cluster, and where the labels to select by are missing.
pub fn policies(request: &Request<'_>) -> Result<Policies, Error> {
    check(request)?;
    let placed = placed(request)?;
    let overrides = override_policies(request, &placed);
    let mut out = Policies { warnings: warnings(request, &placed), ..Policies::default() };
    out.extra = placed.iter().filter_map(|object| object.extra.cloned()).collect();
    out.documents.extend(overrides.iter().map(OverridePolicy::to_value));
    let mut groups: BTreeMap<Group, Vec<&Placed<'_>>> = BTreeMap::new();
    for object in placed.iter().filter(|object| !object.is_namespace()) {
        if request.select.is_some() && object.audience != Audience::All {
            return Err(Error::SelectByNames(object.identity.clone()));
        }
        groups.entry(group(object)).or_default().push(object);
    }
    for (group, objects) in &groups {
        out.documents.push(propagation_policy(request, group, objects, &overrides));
    }
    Ok(out)
}

fn check(request: &Request<'_>) -> Result<(), Error> {
    if request.objects.is_empty() && request.variants.iter().all(|v| v.objects.is_empty()) {
        return Err(Error::NoObjects);
    }
    let mut seen = BTreeSet::new();
    for name in request.variants.iter().flat_map(|variant| &variant.clusters) {
        if !seen.insert(name) {
            return Err(Error::TwoVariants(name.clone()));
        }
    }
    if let Clusters::Names(names) = &request.clusters {
        if names.is_empty() {
            return Err(Error::NoClusters);
        }
        if let Some(name) = seen.into_iter().find(|name| !names.contains(name)) {
            return Err(Error::UnknownCluster(name.clone()));
        }
    }
    let Some(select) = &request.select else { return Ok(()) };
    let selector = LabelSelector::of_labels(select.clone());
    let missing = request.objects.iter().filter(|o| !selector.matches(&o.labels()));
    let missing: Vec<Identity> = missing.map(|object| object.identity.clone()).collect();
    if missing.is_empty() { Ok(()) } else { Err(Error::Unselected(missing)) }
}

/// Objects under one policy: in one namespace or none, definitions apart, for the same clusters.
type Group = (Option<String>, bool, Audience);

fn group(object: &Placed<'_>) -> Group {
    let definition = object.identity.kind == "CustomResourceDefinition";
    (object.namespace.clone(), definition, object.audience.clone())
}

/// An OverridePolicy, or a ClusterOverridePolicy.
struct OverridePolicy<'p> {
    name: String,
    namespace: Option<&'p str>,
    objects: Vec<&'p Identity>,
    rules: &'p [Rule],
}

/// One policy for each object, but a common one for those that need the same.
fn override_policies<'p>(
    request: &Request<'_>,
    placed: &'p [Placed<'p>],
) -> Vec<OverridePolicy<'p>> {
    let mut groups: BTreeMap<(Option<&str>, String), OverridePolicy<'p>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for object in placed.iter().filter(|object| !object.rules.is_empty()) {
        let rules =
            object.rules.iter().map(|(clusters, o)| format!("{}:{}", clusters.join(","), o.key()));
        let rules: Vec<String> = rules.collect();
        let namespace = object.namespace.as_deref();
        let policy = groups.entry((namespace, rules.join(";"))).or_insert_with(|| {
            let name = override_name(request.name, object.identity, |name| {
                names.insert((namespace, name.to_owned()))
            });
            OverridePolicy { name, namespace, objects: Vec::new(), rules: &object.rules }
        });
        policy.objects.push(object.identity);
    }
    groups.into_values().collect()
}

/// A name that `is_new`: that of the release, the kind and the object.
fn override_name(
    release: &str,
    identity: &Identity,
    mut is_new: impl FnMut(&str) -> bool,
) -> String {
    const MAX: usize = 240;
    let object = identity.name.to_lowercase().replace(':', "-");
    let mut base = match object.strip_prefix(release) {
        Some(rest) if rest.is_empty() || rest.starts_with(['-', '.']) => {
            format!("{object}-{}", identity.kind.to_lowercase())
        }
        _ => format!("{release}-{object}-{}", identity.kind.to_lowercase()),
    };
    base.truncate(MAX);
    let names = (2..).map(|number| format!("{base}-{number}"));
    let mut names = std::iter::once(base.clone()).chain(names);
    names.find(|name| is_new(name)).unwrap_or_default()
}

impl OverridePolicy<'_> {
    fn to_value(&self) -> Value {
        let rule = |(clusters, overriders): &Rule| {
            map([
                ("targetCluster", map([("clusterNames", strings(clusters))])),
                ("overriders", overriders.to_value()),
            ])
        };
        let kind =
            if self.namespace.is_some() { "OverridePolicy" } else { "ClusterOverridePolicy" };
        let selectors = self.objects.iter().map(|identity| by_name(identity, self.namespace));
        let spec = map([
            ("resourceSelectors", Value::list(selectors.collect())),
            ("overrideRules", Value::list(self.rules.iter().map(rule).collect())),
        ]);
        policy(kind, &self.name, self.namespace, spec)
    }
}

fn policy(kind: &str, name: &str, namespace: Option<&str>, spec: Value) -> Value {
    let mut metadata = vec![("name", Value::from(name))];
    metadata.extend(namespace.map(|namespace| ("namespace", Value::from(namespace))));
    map([
        ("apiVersion", Value::from(API_VERSION)),
        ("kind", Value::from(kind)),
        ("metadata", map(metadata)),
        ("spec", spec),
    ])
}

fn by_name(identity: &Identity, namespace: Option<&str>) -> Value {
    let mut fields = vec![
        ("apiVersion", Value::from(identity.api_version.as_str())),
        ("kind", Value::from(identity.kind.as_str())),
        ("name", Value::from(identity.name.as_str())),
    ];
    fields.extend(namespace.map(|namespace| ("namespace", Value::from(namespace))));
    map(fields)
}

/// A selector for each kind.
fn by_labels(objects: &[&Placed<'_>], namespace: Option<&str>, select: &Labels) -> Vec<Value> {
    let kinds: BTreeSet<(&str, &str)> = objects
        .iter()
        .map(|o| (o.identity.api_version.as_str(), o.identity.kind.as_str()))
        .collect();
    let selector = |(api_version, kind): (&str, &str)| {
        let mut fields = vec![
            ("apiVersion", Value::from(api_version)),
            ("kind", Value::from(kind)),
            ("labelSelector", map([("matchLabels", labels(select))])),
        ];
        fields.extend(namespace.map(|namespace| ("namespace", Value::from(namespace))));
        map(fields)
    };
    kinds.into_iter().map(selector).collect()
}

fn propagation_policy(
    request: &Request<'_>,
    (namespace, definitions, audience): &Group,
    objects: &[&Placed<'_>],
    overrides: &[OverridePolicy<'_>],
) -> Value {
    let namespace = namespace.as_deref();
    let selectors = match &request.select {
        Some(select) => by_labels(objects, namespace, select),
        None => objects.iter().map(|object| by_name(object.identity, namespace)).collect(),
    };
    let mut spec = vec![
        ("resourceSelectors", Value::list(selectors)),
        ("placement", placement(request, audience)),
        ("conflictResolution", Value::from(request.conflict_resolution.name())),
        ("propagateDeps", Value::Bool(request.propagate_deps)),
    ];
    let depends: Vec<&str> = overrides
        .iter()
        .filter(|policy| policy.namespace == namespace)
        .filter(|policy| objects.iter().any(|o| policy.objects.contains(&o.identity)))
        .map(|policy| policy.name.as_str())
        .collect();
    if !depends.is_empty() {
        spec.push(("dependentOverrides", strings(depends)));
    }
    let mut name = request.name.to_owned();
    if *definitions {
        // Deleting a policy must not delete what other releases may use.
        spec.push(("preserveResourcesOnDeletion", Value::Bool(true)));
        name.push_str("-crds");
    }
    match audience {
        Audience::All => {}
        Audience::Except(clusters) => name = short(format!("{name}-except"), clusters),
        Audience::Only(clusters) => name = short(format!("{name}-only"), clusters),
    }
    let kind = if namespace.is_some() { "PropagationPolicy" } else { "ClusterPropagationPolicy" };
    policy(kind, &name, namespace, map(spec))
}

/// A name for a few clusters by their names, for many by a number that depends on these alone.
fn short(base: String, clusters: &[String]) -> String {
    const MAX: usize = 63;
    let name = format!("{base}-{}", clusters.join("-"));
    if name.len() <= MAX {
        return name;
    }
    // FNV-1a.
    let hash = clusters.join(",").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{base}-{hash:016x}")
}

fn placement(request: &Request<'_>, audience: &Audience) -> Value {
    let mut affinity = Vec::new();
    match (audience, &request.clusters) {
        (Audience::Only(names), _) => affinity.push(("clusterNames", strings(names))),
        (_, Clusters::Names(names)) => affinity.push(("clusterNames", strings(names))),
        (_, Clusters::Labels(selector)) if selector.is_empty() => {}
        (_, Clusters::Labels(selector)) => {
            affinity.push(("labelSelector", document::selector(selector)));
        }
    }
    if let Audience::Except(names) = audience {
        affinity.push(("exclude", strings(names)));
    }
    let scheduling = match request.replicas {
        // Without a type Karmada divides.
        Replicas::Duplicated => map([("replicaSchedulingType", Value::from("Duplicated"))]),
        Replicas::Divided => map([
            ("replicaSchedulingType", Value::from("Divided")),
            ("replicaDivisionPreference", Value::from("Weighted")),
            ("weightPreference", map([("dynamicWeight", Value::from("AvailableReplicas"))])),
        ]),
    };
    map([("clusterAffinity", map(affinity)), ("replicaScheduling", scheduling)])
}
