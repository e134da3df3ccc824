//! The values that Flux hands to Helm.
//!
//! Flux's merge copies maps but shares what is in them: lists always, and maps that only one side has.
//! What `targetPath` then sets in the result shows in the inline values too, and survives when these
//! are merged once more. This is reproduced: [`Map`]s are references as Go's are, and
//! [`ListWrites`] says which lists Go would have changed in place.

use crate::error::{Failure, Reason};
use crate::inventory::{Inventory, ObjectRef};
use crate::release::{HelmRelease, ValuesReference};
use bowsprit_render::values::set::{ListWrites, parse_into_shared, parse_into_string_shared};
use bowsprit_value::{List, Map, Str, Value};
use std::collections::BTreeSet;

/// Puts the values together: `valuesFrom` in its order, then the inline values. What is optional and
/// missing is noted in `notes`.
pub(crate) fn values(
    release: &HelmRelease,
    inventory: &Inventory,
    notes: &mut Vec<String>,
) -> Result<Map, Failure> {
    let inline = copy_deep(&release.values);
    let mut result = Map::new();
    let mut missing = BTreeSet::new();
    for reference in &release.values_from {
        let at = Place { reference, namespace: &release.namespace };
        let Some(data) = at.find(inventory, &mut missing, notes)? else { continue };
        if reference.target_path.is_empty() {
            let table = read_table(&data).map_err(|error| at.fail(&error))?;
            result = merged(&result, &table);
        } else {
            result = merged(&result, &inline);
            at.set(&result, &inline, &data)?;
        }
    }
    Ok(merged(&result, &inline))
}

struct Place<'r> {
    reference: &'r ValuesReference,
    namespace: &'r str,
}

impl Place<'_> {
    fn fail(&self, why: &str) -> Failure {
        let ValuesReference { kind, name, key, optional, .. } = self.reference;
        let optional = if *optional { " optional" } else { "" };
        Failure::new(
            Reason::ValuesError,
            format!(
                "could not resolve{optional} {kind} chart values reference '{}/{name}' with key \
                 '{key}': {why}",
                self.namespace
            ),
        )
    }

    fn find(
        &self,
        inventory: &Inventory,
        missing: &mut BTreeSet<ObjectRef>,
        notes: &mut Vec<String>,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let ValuesReference { kind, name, key, optional, .. } = self.reference;
        if !matches!(kind.as_str(), "ConfigMap" | "Secret") {
            return Err(self.fail("unsupported values reference kind"));
        }
        let object = ObjectRef::new(kind.as_str(), self.namespace, name.as_str());
        let failure = match inventory.entry(&object, key) {
            Ok(Some(data)) => return Ok(Some(data)),
            Ok(None) => self.fail("key not found"),
            // Flux asks for an object once and remembers that it was not there.
            Err(_) if !missing.insert(object) => self.fail("resource not found"),
            Err(error) => self.fail(&error),
        };
        if !*optional {
            return Err(failure);
        }
        notes.push(failure.message);
        Ok(None)
    }

    /// Sets the value at the path, in the inline values too where Go's would be changed with it.
    fn set(&self, result: &Map, inline: &Map, data: &[u8]) -> Result<(), Failure> {
        let path = self.reference.target_path.as_bytes();
        let argument = |value: &[u8]| [path, b"=", value].concat();
        let mut writes = ListWrites::default();
        let outcome = if self.reference.literal {
            parse_into_string_shared(&argument(&escaped(data)), result, &mut writes)
        } else if quoted(data) {
            let start = data.iter().take_while(|b| is_quote(**b)).count();
            let end = data.iter().rev().take_while(|b| is_quote(**b)).count();
            let bare = data.get(start..data.len().saturating_sub(end)).unwrap_or_default();
            parse_into_string_shared(&argument(bare), result, &mut writes)
        } else {
            parse_into_shared(&argument(data), result, &mut writes)
        };
        outcome.map_err(|error| self.fail(&error.to_string()))?;
        for (old, new) in &writes.0 {
            replace(inline, old, new);
            replace(result, old, new);
        }
        Ok(())
    }
}

fn is_quote(b: u8) -> bool {
    matches!(b, b'\'' | b'"')
}

fn quoted(data: &[u8]) -> bool {
    let (first, last) = (data.first(), data.last());
    first == last && first.is_some_and(|b| is_quote(*b))
}

/// Escapes what would mean something to `--set`.
fn escaped(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    for b in data {
        if matches!(b, b'\\' | b',' | b'[' | b']' | b'{' | b'}') {
            out.push(b'\\');
        }
        out.push(*b);
    }
    out
}

/// Reads a text as Helm's `ReadValues` does.
pub(crate) fn read_table(text: &[u8]) -> Result<Map, String> {
    let found = match bowsprit_yaml::decode(text).map_err(|e| e.to_string())? {
        Value::Map(map) => return Ok(copy_deep(&map)),
        Value::Nil => return Ok(Map::new()),
        Value::Bool(_) => "bool",
        Value::Float(_) => "number",
        Value::List(_) => "array",
        _ => "string",
    };
    Err(format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value \
         of type common.Values"
    ))
}

/// Flux's `MergeMaps`: a new map with the entries of both, those of `b` winning. Maps that both have
/// are merged into new ones; all else is shared with where it comes from.
pub(crate) fn merged(a: &Map, b: &Map) -> Map {
    let shallow = |map: &Map| {
        let entries = map.entries();
        Map::from_entries(entries.iter().map(|(key, value)| (key.clone(), value.clone())))
    };
    let out = shallow(a);
    let mut pending = vec![(out.clone(), b.clone())];
    while let Some((into, from)) = pending.pop() {
        for (key, value) in from.entries().iter() {
            let value = match (into.get(key.as_bytes()), value) {
                (Some(Value::Map(old)), Value::Map(new)) => {
                    let copy = shallow(&old);
                    pending.push((copy.clone(), new.clone()));
                    Value::Map(copy)
                }
                (_, value) => value.clone(),
            };
            into.insert(key.clone(), value);
        }
    }
    out
}

/// Puts a list in the place of another, wherever that is.
fn replace(root: &Map, old: &List, new: &List) {
    let mut pending = vec![Value::Map(root.clone())];
    let mut seen = BTreeSet::new();
    while let Some(value) = pending.pop() {
        match value {
            Value::List(list) => pending.extend(list.iter().cloned()),
            Value::Map(map) if seen.insert(map.id()) => {
                let entries = map.entries();
                let holds = |value: &Value| value.as_list().is_some_and(|list| list.ptr_eq(old));
                let holders: Vec<Str> =
                    entries.iter().filter(|(_, v)| holds(v)).map(|(k, _)| k.clone()).collect();
                for key in holders {
                    map.insert(key, Value::List(new.clone()));
                }
                pending.extend(map.entries().iter().map(|(_, value)| value.clone()));
            }
            _ => {}
        }
    }
}

/// A copy that shares nothing that can change: what was read belongs to the inventory.
fn copy_deep(map: &Map) -> Map {
    let root = Map::new();
    let mut pending = vec![(root.clone(), map.clone())];
    while let Some((into, from)) = pending.pop() {
        for (key, value) in from.entries().iter() {
            let value = match value {
                Value::Map(below) => {
                    let copy = Map::new();
                    pending.push((copy.clone(), below.clone()));
                    Value::Map(copy)
                }
                Value::List(list) => Value::List(copy_list(list, &mut pending)),
                other => other.clone(),
            };
            into.insert(key.clone(), value);
        }
    }
    root
}

/// Lists in lists are followed as far as values are ever nested; below that, maps stay shared.
fn copy_list(list: &List, pending: &mut Vec<(Map, Map)>) -> List {
    const MAX_DEPTH: usize = 64;
    fn items(list: &List, pending: &mut Vec<(Map, Map)>, depth: usize) -> List {
        let copies = list.iter().map(|item| match item {
            Value::Map(below) => {
                let copy = Map::new();
                pending.push((copy.clone(), below.clone()));
                Value::Map(copy)
            }
            Value::List(inner) if depth < MAX_DEPTH => {
                Value::List(items(inner, pending, depth + 1))
            }
            other => other.clone(),
        });
        List::new(copies.collect())
    }
    items(list, pending, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::Meter;

    fn check(objects: &str, want: &str) {
        let mut inventory = Inventory::new("n");
        inventory.read("test", objects.as_bytes()).unwrap();
        let release = &inventory.helm_releases()[0];
        match values(release, &inventory, &mut Vec::new()) {
            Err(failure) => assert_eq!(failure.message, want),
            Ok(values) => {
                let mut out = Vec::new();
                bowsprit_yaml::encode(&values.into(), &mut out, &Meter::default()).unwrap();
                assert_eq!(String::from_utf8(out).unwrap(), want);
            }
        }
    }

    fn release(from: &str, values: &str) -> String {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: r}}\n\
             spec: {{valuesFrom: [{from}], values: {values}}}\n---\n\
             kind: ConfigMap\nmetadata: {{name: c}}\ndata: {{x: X, map: 'a: {{p: 1}}', text: word}}\n"
        )
    }

    fn at(path: &str) -> String {
        format!("{{kind: ConfigMap, name: c, valuesKey: x, targetPath: '{path}'}}")
    }

    #[test]
    fn inline_values_win_but_where_go_shares_them() {
        check(&release(&at("a"), "{a: 1}"), "a: 1\n");
        check(&release(&at("h[1]"), "{h: [1, 2]}"), "h:\n- 1\n- X\n");
        check(&release(&at("h[2]"), "{h: [1, 2]}"), "h:\n- 1\n- 2\n");
        check(&release(&at("a.b"), "{a: {b: 1}}"), "a:\n  b: X\n");
        let map_before = format!("{{kind: ConfigMap, name: c, valuesKey: map}}, {}", at("a.b"));
        check(&release(&map_before, "{a: {b: 1}}"), "a:\n  b: 1\n  p: 1\n");
        check(&release(&at("l[0].b"), "{l: [{b: 1}]}"), "l:\n- b: X\n");
    }

    #[test]
    fn what_is_missing_is_named() {
        let with = |from: &str| release(from, "{}");
        check(
            &with("{kind: Secret, name: s}"),
            "could not resolve Secret chart values reference 'n/s' with key 'values.yaml': secrets \"s\" not found",
        );
        check(
            &with("{kind: ConfigMap, name: c, valuesKey: z}"),
            "could not resolve ConfigMap chart values reference 'n/c' with key 'z': key not found",
        );
        check(
            &with("{kind: ConfigMap, name: d, optional: true}, {kind: ConfigMap, name: d}"),
            "could not resolve ConfigMap chart values reference 'n/d' with key 'values.yaml': resource not found",
        );
        check(
            &with("{kind: ConfigMap, name: c, valuesKey: text}"),
            "could not resolve ConfigMap chart values reference 'n/c' with key 'text': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type common.Values",
        );
    }
}
