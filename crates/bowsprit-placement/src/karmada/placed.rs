//! Which cluster gets which object, and how it differs there.

use super::{ConflictResolution, Error, Overriders, Request, Warning, difference, normal};
use bowsprit_manifest::{Identity, Object};
use bowsprit_value::deep_equal;
use std::collections::{BTreeMap, BTreeSet};

impl ConflictResolution {
    /// Karmada's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            ConflictResolution::Abort => "Abort",
            ConflictResolution::Overwrite => "Overwrite",
        }
    }
}

/// Which clusters get an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Audience {
    All,
    Except(Vec<String>),
    Only(Vec<String>),
}

/// Overriders, with the clusters that need them.
pub(super) type Rule = (Vec<String>, Overriders);

/// An object, who gets it, and what is different where.
pub(super) struct Placed<'p> {
    pub(super) identity: &'p Identity,
    pub(super) namespace: Option<String>,
    pub(super) audience: Audience,
    pub(super) rules: Vec<Rule>,
    /// The object, where the base does not have it.
    pub(super) extra: Option<&'p Object>,
}

impl Placed<'_> {
    /// Karmada itself brings namespaces to clusters.
    pub(super) fn is_namespace(&self) -> bool {
        is_namespace(self.identity)
    }
}

fn is_namespace(identity: &Identity) -> bool {
    identity.kind == "Namespace" && identity.group().is_empty()
}

type ByIdentity<'o> = BTreeMap<&'o Identity, &'o Object>;

fn by_identity(objects: &[Object]) -> ByIdentity<'_> {
    let named = objects.iter().filter(|object| !object.identity.name.is_empty());
    named.map(|object| (&object.identity, object)).collect()
}

/// All objects of all clusters.
pub(super) fn placed<'r>(request: &Request<'r>) -> Result<Vec<Placed<'r>>, Error> {
    let base = by_identity(request.objects);
    let variants: Vec<(&[String], ByIdentity<'r>)> = request
        .variants
        .iter()
        .map(|variant| (variant.clusters.as_slice(), by_identity(variant.objects)))
        .collect();
    let mut all: BTreeSet<&Identity> = base.keys().copied().collect();
    all.extend(variants.iter().flat_map(|(_, objects)| objects.keys().copied()));
    let mut placed = Vec::new();
    for identity in all {
        let clusters = |has: bool| {
            let found = variants.iter().filter(|(_, o)| o.contains_key(identity) == has);
            found.flat_map(|(names, _)| names.iter().cloned()).collect::<Vec<String>>()
        };
        let in_base = base.get(identity).copied();
        let elsewhere = || variants.iter().find_map(|(_, objects)| objects.get(identity).copied());
        let Some(template) = in_base.or_else(elsewhere) else { continue };
        let audience = match in_base.map(|_| clusters(false)) {
            None => Audience::Only(clusters(true)),
            Some(without) if without.is_empty() => Audience::All,
            Some(without) => Audience::Except(without),
        };
        placed.push(Placed {
            identity,
            namespace: request.kinds.namespace(identity, request.namespace).map(str::to_owned),
            audience,
            rules: rules(template, &variants)?,
            extra: if in_base.is_some() { None } else { Some(template) },
        });
    }
    Ok(placed)
}

/// The overriders for each variant, proven; variants that need the same share them.
fn rules(template: &Object, variants: &[(&[String], ByIdentity<'_>)]) -> Result<Vec<Rule>, Error> {
    let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
    for (clusters, objects) in variants {
        let Some(target) = objects.get(&template.identity) else { continue };
        let overriders = difference(&template.value, &target.value);
        let applied = overriders.apply(&normal(&template.value)).ok();
        if !applied.is_some_and(|got| deep_equal(&normal(&got), &normal(&target.value))) {
            return Err(Error::Unproven(template.identity.clone()));
        }
        if !overriders.is_empty() {
            let rule = rules.entry(overriders.key()).or_insert((Vec::new(), overriders));
            rule.0.extend(clusters.iter().cloned());
        }
    }
    let mut rules: Vec<Rule> = rules.into_values().collect();
    rules.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(rules)
}

/// What the reader should know of what is placed.
pub(super) fn warnings(request: &Request<'_>, placed: &[Placed<'_>]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut unknown = BTreeSet::new();
    let mut reserved = BTreeSet::new();
    for object in placed {
        let identity = object.identity;
        if request.kinds.scope(identity).is_none() && unknown.insert(identity.group_kind()) {
            warnings.push(Warning::UnknownKind(identity.group_kind()));
        }
        if let Some(namespace) = &object.namespace
            && is_reserved(namespace)
            && reserved.insert(namespace.clone())
        {
            warnings.push(Warning::NamespaceNowhere(namespace.clone()));
        }
        let kind = identity.kind.as_str();
        if matches!(kind, "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") {
            warnings.push(Warning::CaBundle(identity.clone()));
        }
        if object.is_namespace() && object.audience != Audience::All {
            warnings.push(Warning::NamespaceEverywhere(identity.clone()));
        }
    }
    let renders = request.variants.iter().map(|variant| variant.objects);
    let objects = std::iter::once(request.objects).chain(renders).flatten();
    let unnamed: BTreeSet<&Identity> =
        objects.map(|o| &o.identity).filter(|identity| identity.name.is_empty()).collect();
    warnings.extend(unnamed.into_iter().map(|i| Warning::GeneratedName(i.clone())));
    warnings
}

/// The namespaces that Karmada works in itself.
fn is_reserved(namespace: &str) -> bool {
    namespace == "karmada-system"
        || namespace == "karmada-cluster"
        || namespace.starts_with("karmada-es-")
}
