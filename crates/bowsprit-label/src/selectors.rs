//! The selectors of a release, which labels must not lead astray.

use crate::targets::Class;
use bowsprit_manifest::{Identity, LabelSelector, Labels, Object};
use bowsprit_value::Value;

/// What a selector selects.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    Pods,
    Kind(&'static str),
    /// Nobody knows: objects of all kinds, pods too.
    Any,
}

/// A selector and who has it.
#[derive(Debug)]
pub(crate) struct Used {
    pub(crate) object: Identity,
    pub(crate) selector: LabelSelector,
    scope: Scope,
}

impl Used {
    pub(crate) fn concerns(&self, class: &Class) -> bool {
        match (&self.scope, class) {
            (Scope::Any, _) | (Scope::Pods, Class::Pod) => true,
            (Scope::Kind(scope), Class::Kind(kind)) => kind == scope,
            _ => false,
        }
    }
}

/// Collects the selectors that mention one of the labels.
pub(crate) fn used<'o>(objects: impl Iterator<Item = &'o Object>, labels: &Labels) -> Vec<Used> {
    let mut all = Vec::new();
    // Their schemas speak of selectors without being any, and are large.
    let speaking = objects.filter(|o| o.identity.kind != "CustomResourceDefinition");
    for object in speaking {
        let mut found = Vec::new();
        collect(object, &mut found);
        all.extend(found.into_iter().filter_map(|(selector, scope)| {
            let mentioned = labels.keys().any(|key| selector.mentions(key));
            mentioned.then(|| Used { object: object.identity.clone(), selector, scope })
        }));
    }
    all
}

fn collect(object: &Object, found: &mut Vec<(LabelSelector, Scope)>) {
    let mut pending = vec![(Vec::<String>::new(), object.value.clone())];
    while let Some((path, value)) = pending.pop() {
        match &value {
            Value::Map(map) => {
                if let Some(selector) = selector_at(&object.identity, &path, &value) {
                    found.push(selector);
                    continue;
                }
                for (key, value) in map.peek().iter() {
                    let key = key.to_string();
                    if matches!(value, Value::Map(_) | Value::List(_)) && !selects_others(&key) {
                        let mut path = path.clone();
                        path.push(key);
                        pending.push((path, value.clone()));
                    }
                }
            }
            Value::List(list) => {
                let items = list.iter().filter(|v| matches!(v, Value::Map(_) | Value::List(_)));
                pending.extend(items.map(|item| (path.clone(), item.clone())));
            }
            _ => {}
        }
    }
}

/// Keys whose selectors are about nodes or clusters.
fn selects_others(key: &str) -> bool {
    matches!(
        key,
        "nodeAffinity"
            | "nodeSelector"
            | "nodeSelectorTerms"
            | "clusterSelectors"
            | "clusterSelector"
    )
}

fn selector_at(
    identity: &Identity,
    path: &[String],
    value: &Value,
) -> Option<(LabelSelector, Scope)> {
    let key = path.last()?;
    let at_spec = path.len() == 2 && path.first().is_some_and(|first| first == "spec");
    if at_spec && key == "selector" {
        return selector_of_spec(identity, value);
    }
    if let Some(selector) = LabelSelector::of_object(value).filter(|s| !s.is_empty()) {
        return Some((selector, scope_of(identity, path, key)));
    }
    if key == "selector" {
        let selector = LabelSelector::of_map(value).filter(|s| !s.is_empty())?;
        return Some((selector, Scope::Any));
    }
    None
}

fn selector_of_spec(identity: &Identity, value: &Value) -> Option<(LabelSelector, Scope)> {
    let of_object = || LabelSelector::of_object(value);
    let scope = match (identity.group(), identity.kind.as_str()) {
        ("", "Service" | "ReplicationController") => {
            return Some((LabelSelector::of_map(value)?, Scope::Pods));
        }
        ("apps" | "extensions" | "batch" | "policy" | "apps.kruise.io", _)
        | ("argoproj.io", "Rollout")
        | (_, "PodMonitor" | "VMPodScrape") => Scope::Pods,
        (_, "ServiceMonitor" | "VMServiceScrape") => Scope::Kind("Service"),
        ("", "PersistentVolumeClaim") => Scope::Kind("PersistentVolume"),
        _ => return Some((of_object().or_else(|| LabelSelector::of_map(value))?, Scope::Any)),
    };
    Some((of_object()?, scope))
}

fn scope_of(identity: &Identity, path: &[String], key: &str) -> Scope {
    let in_claim = path.iter().any(|part| part == "volumeClaimTemplates");
    match key {
        "selector" if in_claim => Scope::Kind("PersistentVolume"),
        "podSelector" => Scope::Pods,
        "labelSelector" if is_workload(identity) => Scope::Pods,
        "clusterRoleSelectors" => Scope::Kind("ClusterRole"),
        "serviceMonitorSelector" => Scope::Kind("ServiceMonitor"),
        "podMonitorSelector" => Scope::Kind("PodMonitor"),
        "probeSelector" => Scope::Kind("Probe"),
        "ruleSelector" => Scope::Kind("PrometheusRule"),
        "scrapeConfigSelector" => Scope::Kind("ScrapeConfig"),
        "alertmanagerConfigSelector" => Scope::Kind("AlertmanagerConfig"),
        key if key.ends_with("amespaceSelector") || key.ends_with("amespaceSelectors") => {
            Scope::Kind("Namespace")
        }
        _ => Scope::Any,
    }
}

fn is_workload(identity: &Identity) -> bool {
    matches!(identity.group(), "" | "apps" | "batch" | "extensions" | "apps.kruise.io")
}
