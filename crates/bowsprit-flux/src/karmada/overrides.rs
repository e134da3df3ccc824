//! OverridePolicies on the leaves of a HelmRelease's values.

use super::{object, policy};
use crate::access::{map_at, text};
use bowsprit_value::{Map, Value, deep_equal};
use std::collections::BTreeMap;

/// The OverridePolicy that gives a HelmRelease other values on some clusters: for each cluster the
/// values that are laid over those of the HelmRelease, as `values` would be. It touches only what
/// differs: an `add` of `/spec/values` as a whole would replace what is there.
///
/// A null removes what is there, and tells Helm to drop the chart's default.
pub fn override_policy(
    release: &Map,
    name: &str,
    by_cluster: &BTreeMap<String, Map>,
) -> Option<Map> {
    let spec = map_at(release, &["spec"]);
    let base = spec.get(b"values").and_then(|values| values.as_map().cloned());
    let mut rules = Vec::new();
    for (cluster, values) in by_cluster {
        let plaintext = match &base {
            Some(base) => leaves(base, values),
            None if values.is_empty() => Vec::new(),
            None => vec![operation("add", "/spec/values", values.clone().into())],
        };
        if plaintext.is_empty() {
            continue;
        }
        let target = object([("clusterNames", Value::list(vec![cluster.as_str().into()]))]);
        let overriders = object([("plaintext", Value::list(plaintext))]);
        rules.push(Value::Map(object([
            ("targetCluster", target.into()),
            ("overriders", overriders.into()),
        ])));
    }
    if rules.is_empty() {
        return None;
    }
    let metadata = map_at(release, &["metadata"]);
    let selector = object([
        ("apiVersion", text(release, "apiVersion").into()),
        ("kind", text(release, "kind").into()),
        ("name", text(&metadata, "name").into()),
        ("namespace", text(&metadata, "namespace").into()),
    ]);
    let spec = object([
        ("resourceSelectors", Value::list(vec![selector.into()])),
        ("overrideRules", Value::list(rules)),
    ]);
    Some(policy("OverridePolicy", Some(&text(&metadata, "namespace")), name, spec))
}

fn operation(operator: &str, path: &str, value: Value) -> Value {
    let entry = object([("path", path.into()), ("operator", operator.into())]);
    if operator != "remove" {
        entry.insert("value".into(), value);
    }
    entry.into()
}

/// Operations that lay `over` on `base`, by path.
fn leaves(base: &Map, over: &Map) -> Vec<Value> {
    let mut operations = Vec::new();
    let mut pending = vec![("/spec/values".to_owned(), base.clone(), over.clone())];
    while let Some((path, base, over)) = pending.pop() {
        for (key, value) in over.peek().iter() {
            let step = key.to_string_lossy().replace('~', "~0").replace('/', "~1");
            let path = format!("{path}/{step}");
            match (base.get(key.as_bytes()), value) {
                (None, value) => operations.push((path.clone(), "add", value.clone())),
                (Some(Value::Map(old)), Value::Map(new)) => {
                    pending.push((path, old, new.clone()));
                }
                (Some(old), new) if deep_equal(&old, new) => {}
                (Some(_), new) => operations.push((path.clone(), "replace", new.clone())),
            }
        }
    }
    operations.sort_by(|a, b| a.0.cmp(&b.0));
    operations
        .into_iter()
        .map(|(path, operator, value)| operation(operator, &path, value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> Map {
        bowsprit_yaml::decode(text.as_bytes()).unwrap().as_map().unwrap().clone()
    }

    fn check(values: &str, over: &str, want: &[&str]) {
        let release = map(&format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: a, namespace: apps}}\nspec: {values}"
        ));
        let by_cluster = BTreeMap::from([("m1".to_owned(), map(over))]);
        let policy = override_policy(&release, "a", &by_cluster);
        let operations = policy.map_or(Vec::new(), |policy| {
            let rules = crate::access::maps(&map_at(&policy, &["spec"]), "overrideRules");
            crate::access::maps(&map_at(&rules[0], &["overriders"]), "plaintext")
        });
        let shown: Vec<String> = operations
            .iter()
            .map(|entry| format!("{} {}", text(entry, "operator"), text(entry, "path")))
            .collect();
        assert_eq!(shown, want, "{values} {over}");
    }

    #[test]
    fn only_leaves_are_touched() {
        check("{}", "{replicaCount: 2}", &["add /spec/values"]);
        check("{values: {}}", "{replicaCount: 2}", &["add /spec/values/replicaCount"]);
        check(
            "{values: {replicaCount: 1, image: {tag: a, x/y: b}}}",
            "{replicaCount: 2, image: {x/y: c, new: {d: e}}, list: [1]}",
            &[
                "add /spec/values/image/new",
                "replace /spec/values/image/x~1y",
                "add /spec/values/list",
                "replace /spec/values/replicaCount",
            ],
        );
        check("{values: {a: 1}}", "{a: 1}", &[]);
    }
}
