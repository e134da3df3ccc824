//! Lists whose items have a key.

use bowsprit_value::{List, Value};
use std::collections::BTreeSet;

/// The lists that Kubernetes keys, by the name of their field, and the fields that make the key; of
/// several candidates the first that fits.
const KEYS: &[(&str, &[&[&str]])] = &[
    ("conditions", &[&["type"]]),
    ("hostAliases", &[&["ip"]]),
    ("ports", &[&["name"], &["containerPort", "protocol"], &["port", "protocol"]]),
    ("resourceClaims", &[&["name"]]),
    ("secrets", &[&["name"]]),
    ("subjects", &[&["kind", "namespace", "name"]]),
    ("topologySpreadConstraints", &[&["topologyKey", "whenUnsatisfiable"]]),
    ("volumeDevices", &[&["devicePath"]]),
    ("volumeMounts", &[&["mountPath"]]),
];

/// What most keyed lists have: containers, variables, volumes, webhooks, versions.
const NAME: &[&[&str]] = &[&["name"]];

/// Lists in which the order says something.
const ORDERED: &[&str] = &["env", "initContainers"];

/// Keys of the items of two lists, each list's in its order.
pub(super) struct Keyed {
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
}

impl Keyed {
    /// True where both have the same items in another order, and the order matters.
    pub(super) fn reordered(&self, field: &str) -> bool {
        if !ORDERED.contains(&field) || self.before == self.after {
            return false;
        }
        let common = |of: &[String], other: &[String]| -> Vec<String> {
            let other: BTreeSet<&String> = other.iter().collect();
            of.iter().filter(|key| other.contains(key)).cloned().collect()
        };
        common(&self.before, &self.after) != common(&self.after, &self.before)
    }
}

/// The keys of the items, if all items of both lists have one that no other has.
pub(super) fn keyed(field: &str, before: &List, after: &List) -> Option<Keyed> {
    let known = KEYS.iter().find(|(name, _)| *name == field);
    let candidates = known.map_or(NAME, |(_, candidates)| candidates);
    candidates.iter().find_map(|fields| {
        let keys = Keyed { before: keys(fields, before)?, after: keys(fields, after)? };
        // Two empty lists are the same anyway.
        (!keys.before.is_empty() || !keys.after.is_empty()).then_some(keys)
    })
}

fn keys(fields: &[&str], list: &List) -> Option<Vec<String>> {
    let keys: Option<Vec<String>> = list.iter().map(|item| key(fields, item)).collect();
    let keys = keys?;
    let distinct: BTreeSet<&String> = keys.iter().collect();
    (distinct.len() == keys.len()).then_some(keys)
}

/// `name=web`, or `containerPort=80,protocol=TCP`. The first field must be there.
fn key(fields: &[&str], item: &Value) -> Option<String> {
    let map = item.as_map()?;
    let mut key = String::new();
    for (place, field) in fields.iter().enumerate() {
        let text = match map.get(field.as_bytes()) {
            Some(Value::Str(text)) => text.to_string(),
            Some(Value::Float(number)) => number.to_string(),
            Some(Value::Int(_, number)) => number.to_string(),
            None if place > 0 => continue,
            _ => return None,
        };
        if !key.is_empty() {
            key.push(',');
        }
        key.push_str(field);
        key.push('=');
        key.push_str(&text);
    }
    Some(key)
}
