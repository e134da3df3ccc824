//! What member clusters get by Karmada's policies.

use super::apply::ApplyError;
use super::overriders::Overriders;
use super::read::{map_at, maps, text, texts};
use crate::kinds::Kinds;
use bowsprit_manifest::{Identity, LabelSelector, Labels, Object};
use bowsprit_value::{Map, Value};
use std::fmt;

/// A member cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}

/// An override that Karmada can't apply. `Display` names the policy and the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryError {
    /// The policy.
    pub policy: Box<Identity>,
    /// The object.
    pub object: Box<Identity>,
    /// What is wrong; none where the overriders can't be read.
    pub error: Option<ApplyError>,
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}: ", self.policy, self.object)?;
        match &self.error {
            Some(error) => error.fmt(f),
            None => f.write_str("its overriders can't be read"),
        }
    }
}

impl std::error::Error for DeliveryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.as_ref().map(|error| error as _)
    }
}

/// The objects as a member cluster gets them: those that a PropagationPolicy or ClusterPropagationPolicy
/// among the documents brings there, and namespaces, changed by the ClusterOverridePolicies and after them
/// by the OverridePolicies. What Karmada strips on the way and the labels that it adds are left out of
/// account, and so are taints, spread constraints and failover.
///
/// Objects without a namespace are in `namespace`, if their kind has any.
///
/// ```
/// use bowsprit_manifest::objects;
/// use bowsprit_placement::{Kinds, karmada};
///
/// let all = objects(b"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n")?;
/// let clusters = karmada::Clusters::Names(vec!["member1".to_owned()]);
/// let policies = karmada::policies(&karmada::Request::new("web", "prod", &all, clusters))?;
/// let got = |name: &str| {
///     let member = karmada::Member { name: name.to_owned(), ..Default::default() };
///     karmada::delivered(&all, &policies.documents, "prod", &Kinds::default(), &member)
/// };
/// assert_eq!((got("member1")?.len(), got("member2")?.len()), (1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Fails where an override can't be applied, as Karmada does, which delivers nothing then.
pub fn delivered(
    objects: &[Object],
    policies: &[Value],
    namespace: &str,
    kinds: &Kinds,
    member: &Member,
) -> Result<Vec<Value>, DeliveryError> {
    let policies: Vec<Policy> = policies.iter().filter_map(Policy::of).collect();
    let mut out = Vec::new();
    for object in objects {
        let resource = Resource {
            identity: &object.identity,
            namespace: kinds.namespace(&object.identity, namespace),
            labels: object.labels(),
        };
        if !is_brought(&policies, &resource, member) {
            continue;
        }
        let mut value = object.value.clone();
        for kind in ["ClusterOverridePolicy", "OverridePolicy"] {
            for policy in overrides(&policies, kind, &resource) {
                value = policy.overridden(&value, &resource, member)?;
            }
        }
        out.push(value);
    }
    Ok(out)
}

/// An object as selectors see it.
struct Resource<'r> {
    identity: &'r Identity,
    namespace: Option<&'r str>,
    labels: Labels,
}

struct Policy {
    identity: Identity,
    spec: Map,
}

/// How well a policy matches an object: not, by kind, by labels, by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    Not,
    Kind,
    Labels,
    Name,
}

fn is_brought(policies: &[Policy], resource: &Resource<'_>, member: &Member) -> bool {
    let identity = resource.identity;
    if identity.kind == "Namespace" && identity.group().is_empty() && identity.name != "default" {
        return true;
    }
    // A policy of the namespace goes before those of the cluster.
    let best = |kind: &str| {
        let mut found: Vec<(i64, Match, &Policy)> = policies
            .iter()
            .filter(|policy| policy.identity.kind == kind)
            .map(|policy| (policy.priority(), policy.matches(resource), policy))
            .filter(|(_, matched, _)| *matched != Match::Not)
            .collect();
        found.sort_by(|a, b| {
            (b.0, b.1).cmp(&(a.0, a.1)).then_with(|| a.2.identity.name.cmp(&b.2.identity.name))
        });
        found.first().map(|(_, _, policy)| *policy)
    };
    let policy = best("PropagationPolicy").or_else(|| best("ClusterPropagationPolicy"));
    policy.is_some_and(|policy| policy.reaches(member))
}

fn overrides<'p>(policies: &'p [Policy], kind: &str, resource: &Resource<'_>) -> Vec<&'p Policy> {
    let mut found: Vec<(Match, &Policy)> = policies
        .iter()
        .filter(|policy| policy.identity.kind == kind)
        .map(|policy| (policy.matches(resource), policy))
        .filter(|(matched, _)| *matched != Match::Not)
        .collect();
    found.sort_by(|a, b| (a.0, &a.1.identity.name).cmp(&(b.0, &b.1.identity.name)));
    found.into_iter().map(|(_, policy)| policy).collect()
}

impl Policy {
    fn of(value: &Value) -> Option<Policy> {
        let identity = Identity::of(value);
        let spec = map_at(value.as_map()?, "spec");
        (identity.group() == "policy.karmada.io").then_some(Policy { identity, spec })
    }

    fn priority(&self) -> i64 {
        match self.spec.get(b"priority") {
            Some(Value::Int(_, priority)) => priority,
            Some(Value::Float(priority)) => priority as i64,
            _ => 0,
        }
    }

    fn matches(&self, resource: &Resource<'_>) -> Match {
        let of_cluster = self.identity.kind.starts_with("Cluster");
        let own = self.identity.namespace.as_deref();
        if !of_cluster && (resource.namespace.is_none() || own != resource.namespace) {
            return Match::Not;
        }
        let selectors = maps(&self.spec, "resourceSelectors");
        if selectors.is_empty() && self.identity.kind.ends_with("OverridePolicy") {
            return Match::Kind;
        }
        let best = selectors.iter().map(|selector| matched(selector, resource)).max();
        best.unwrap_or(Match::Not)
    }

    fn reaches(&self, member: &Member) -> bool {
        let placement = map_at(&self.spec, "placement");
        let groups = maps(&placement, "clusterAffinities");
        match groups.is_empty() {
            true => fits(&map_at(&placement, "clusterAffinity"), member),
            // The first group with room is taken.
            false => groups.iter().any(|group| fits(group, member)),
        }
    }

    fn overridden(
        &self,
        object: &Value,
        resource: &Resource<'_>,
        member: &Member,
    ) -> Result<Value, DeliveryError> {
        let fail = |error| DeliveryError {
            policy: Box::new(self.identity.clone()),
            object: Box::new(resource.identity.clone()),
            error,
        };
        let mut rules = maps(&self.spec, "overrideRules");
        if rules.is_empty() && self.spec.contains(b"overriders") {
            rules.push(self.spec.clone());
        }
        let mut object = object.clone();
        for rule in rules.iter().filter(|rule| fits(&map_at(rule, "targetCluster"), member)) {
            let overriders = Value::Map(map_at(rule, "overriders"));
            let overriders = Overriders::of_value(&overriders).ok_or_else(|| fail(None))?;
            object = overriders.apply(&object).map_err(|error| fail(Some(error)))?;
        }
        Ok(object)
    }
}

fn matched(selector: &Map, resource: &Resource<'_>) -> Match {
    let identity = resource.identity;
    let namespace = text(selector, "namespace");
    if text(selector, "apiVersion") != identity.api_version
        || text(selector, "kind") != identity.kind
        || (!namespace.is_empty() && Some(namespace.as_str()) != resource.namespace)
    {
        return Match::Not;
    }
    let name = text(selector, "name");
    if !name.is_empty() {
        return if name == identity.name { Match::Name } else { Match::Not };
    }
    match selector.get(b"labelSelector").filter(|selector| !selector.is_nil()) {
        None => Match::Kind,
        Some(labels) if selects(&labels, &resource.labels) => Match::Labels,
        Some(_) => Match::Not,
    }
}

/// What is no selector selects nothing.
fn selects(selector: &Value, labels: &Labels) -> bool {
    LabelSelector::of_object(selector).is_some_and(|selector| selector.matches(labels))
}

/// Whether a cluster is one of an affinity, which without any condition means all. Fields of clusters are
/// not known here: a condition on them fits none.
fn fits(affinity: &Map, member: &Member) -> bool {
    let names = texts(affinity, "clusterNames");
    let labels = affinity.get(b"labelSelector").filter(|selector| !selector.is_nil());
    let fields = affinity.get(b"fieldSelector").filter(|selector| !selector.is_nil());
    !texts(affinity, "exclude").contains(&member.name)
        && (names.is_empty() || names.contains(&member.name))
        && labels.is_none_or(|selector| selects(&selector, &member.labels))
        && fields.is_none()
}
