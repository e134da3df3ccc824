//! The three-way merge by which objects change without server-side apply: what the last revision said,
//! what this one says, what is there.
//!
//! kubectl and Helm send a strategic merge patch, whose lists are merged by keys that the API's schema
//! names. Here the outcome of such a patch is computed, and the difference to what is there is sent.

use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// A place in an OpenAPI document; the default knows of nothing, so that lists are replaced.
#[derive(Clone, Copy, Default)]
pub(crate) struct Schema<'s> {
    document: Option<&'s Json>,
    node: Option<&'s Json>,
}

impl<'s> Schema<'s> {
    /// The schema of a kind in a group's document.
    pub(crate) fn of_kind(
        document: &'s Json,
        group: &str,
        version: &str,
        kind: &str,
    ) -> Schema<'s> {
        const KINDS: &str = "x-kubernetes-group-version-kind";
        let schemas = document["components"]["schemas"].as_object();
        let node = schemas.into_iter().flat_map(Map::values).find(|schema| {
            schema[KINDS].as_array().into_iter().flatten().any(|found| {
                found["group"] == group && found["version"] == version && found["kind"] == kind
            })
        });
        Schema { document: Some(document), node }
    }

    fn resolved(self) -> Option<&'s Json> {
        const PREFIX: &str = "#/components/schemas/";
        let mut node = self.node?;
        loop {
            let reference = match node["allOf"].as_array().map(Vec::as_slice) {
                Some([only]) => &only["$ref"],
                _ => &node["$ref"],
            };
            let Some(name) = reference.as_str().and_then(|text| text.strip_prefix(PREFIX)) else {
                return Some(node);
            };
            node = self.document?["components"]["schemas"].get(name)?;
        }
    }

    fn at(self, node: Option<&'s Json>) -> Schema<'s> {
        Schema { node, ..self }
    }

    fn property(self, name: &str) -> Schema<'s> {
        let node = self.resolved();
        let found = node.and_then(|node| {
            node["properties"].get(name).or_else(|| node.get("additionalProperties"))
        });
        self.at(found)
    }

    fn items(self) -> Schema<'s> {
        self.at(self.resolved().and_then(|node| node.get("items")))
    }

    fn has_strategy(self, wanted: &str) -> bool {
        let given = self.node.and_then(|node| node["x-kubernetes-patch-strategy"].as_str());
        given.is_some_and(|given| given.split(',').any(|one| one == wanted))
    }

    fn merge_key(self) -> Option<&'s str> {
        self.node?["x-kubernetes-patch-merge-key"].as_str()
    }
}

/// What an object becomes: what is there, with all that this revision says, and without what only the
/// last one said.
pub(crate) fn merged(schema: Schema<'_>, last: &Json, wanted: &Json, live: &Json) -> Json {
    match (wanted, live) {
        (Json::Object(wanted), Json::Object(live)) => {
            let none = Map::new();
            let last = last.as_object().unwrap_or(&none);
            let before = live;
            let mut out = merged_fields(schema, last, wanted, live);
            if schema.has_strategy("retainKeys") && out != *before {
                out.retain(|key, _| wanted.contains_key(key));
            }
            Json::Object(out)
        }
        (Json::Array(wanted), Json::Array(live)) if schema.has_strategy("merge") => {
            let last = last.as_array().map_or(&[][..], Vec::as_slice);
            Json::Array(merged_list(schema, last, wanted, live))
        }
        (wanted, _) => without_nulls(wanted),
    }
}

fn merged_fields(
    schema: Schema<'_>,
    last: &Map<String, Json>,
    wanted: &Map<String, Json>,
    live: &Map<String, Json>,
) -> Map<String, Json> {
    let mut out = live.clone();
    let says = |map: &Map<String, Json>, key: &str| map.get(key).is_some_and(|v| !v.is_null());
    for (key, value) in wanted.iter().filter(|(_, value)| !value.is_null()) {
        let last = last.get(key).unwrap_or(&Json::Null);
        let live = live.get(key).unwrap_or(&Json::Null);
        out.insert(key.clone(), merged(schema.property(key), last, value, live));
    }
    out.retain(|key, _| says(wanted, key) || !says(last, key));
    out
}

/// What tells the items of a list apart: the value of the merge key, or the item itself.
fn identity<'j>(item: &'j Json, key: Option<&str>) -> Option<&'j Json> {
    match key {
        Some(key) => item.get(key).filter(|value| !value.is_null()),
        None => Some(item),
    }
}

fn merged_list(schema: Schema<'_>, last: &[Json], wanted: &[Json], live: &[Json]) -> Vec<Json> {
    let key = schema.merge_key();
    let find = |list: &[Json], of: &Json| -> Option<usize> {
        let of = identity(of, key)?;
        list.iter().position(|item| identity(item, key) == Some(of))
    };
    let told_apart: BTreeSet<String> =
        wanted.iter().filter_map(|item| identity(item, key).map(Json::to_string)).collect();
    if told_apart.len() != wanted.len() {
        return wanted.iter().map(without_nulls).collect();
    }
    let get = |list: &[Json], item: &Json| {
        find(list, item).and_then(|at| list.get(at)).cloned().unwrap_or_default()
    };
    let ours =
        wanted.iter().map(|item| merged(schema.items(), &get(last, item), item, &get(live, item)));
    let others =
        live.iter().filter(|item| find(wanted, item).is_none() && find(last, item).is_none());
    // Each keeps its order; where both were there before, theirs to each other is kept as well.
    let mut others = others.cloned().peekable();
    let mut out = Vec::new();
    for item in ours {
        while let Some(other) = others.peek() {
            match (find(live, &item), find(live, other)) {
                (Some(ours), Some(theirs)) if ours < theirs => break,
                _ => out.extend(others.next()),
            }
        }
        out.push(item);
    }
    out.extend(others);
    out
}

fn without_nulls(json: &Json) -> Json {
    match json {
        Json::Object(map) => Json::Object(
            map.iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// The JSON merge patch (RFC 7396) that makes one object of another; none where they are equal.
pub(crate) fn difference(from: &Json, to: &Json) -> Option<Json> {
    let (Json::Object(before), Json::Object(after)) = (from, to) else {
        return (from != to).then(|| to.clone());
    };
    let mut patch = Map::new();
    for (key, value) in after {
        let changed = match before.get(key) {
            Some(old) => difference(old, value),
            None => Some(value.clone()),
        };
        if let Some(changed) = changed {
            patch.insert(key.clone(), changed);
        }
    }
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        patch.insert(key.clone(), Json::Null);
    }
    (!patch.is_empty()).then_some(Json::Object(patch))
}

/// Whether all that an object asks for is in another one, which may have more.
pub(crate) fn is_part(wanted: &Json, live: &Json) -> bool {
    match (wanted, live) {
        (Json::Object(wanted), Json::Object(live)) => wanted
            .iter()
            .all(|(key, value)| live.get(key).map_or(value.is_null(), |live| is_part(value, live))),
        (Json::Array(wanted), Json::Array(live)) => {
            wanted.len() == live.len() && wanted.iter().zip(live).all(|(w, l)| is_part(w, l))
        }
        (wanted, live) => wanted == live,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Json {
        json!({"components": {"schemas": {
            "Pod": {
                "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Pod"}],
                "properties": {"spec": {"allOf": [{"$ref": "#/components/schemas/Spec"}]}},
            },
            "Spec": {"properties": {
                "containers": {
                    "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge",
                    "items": {"allOf": [{"$ref": "#/components/schemas/Container"}]},
                },
                "finalizers": {"x-kubernetes-patch-strategy": "merge", "items": {"type": "string"}},
                "strategy": {"x-kubernetes-patch-strategy": "retainKeys"},
            }},
            "Container": {"properties": {"args": {"items": {"type": "string"}}}},
        }}})
    }

    fn check(last: &Json, wanted: &Json, live: &Json, want: &Json) {
        let document = document();
        let schema = Schema::of_kind(&document, "", "v1", "Pod");
        let wrap = |spec: &Json| json!({"spec": spec});
        let got = merged(schema, &wrap(last), &wrap(wanted), &wrap(live));
        assert_eq!(got["spec"], *want);
    }

    #[test]
    fn lists_with_keys_are_merged() {
        check(
            &json!({"containers": [{"name": "a", "image": "1", "tty": true}, {"name": "gone"}]}),
            &json!({"containers": [{"name": "a", "image": "2"}, {"name": "new"}]}),
            &json!({"containers": [
                {"name": "injected"}, {"name": "a", "image": "1", "tty": true, "stdin": false},
                {"name": "gone"}, {"name": "last"},
            ]}),
            &json!({"containers": [
                {"name": "injected"}, {"name": "a", "image": "2", "stdin": false}, {"name": "last"},
                {"name": "new"},
            ]}),
        );
    }

    #[test]
    fn other_lists_are_replaced_and_sets_united() {
        check(
            &json!({"containers": [{"name": "a", "args": ["x", "y"]}], "finalizers": ["f", "g"]}),
            &json!({"containers": [{"name": "a", "args": ["y"]}], "finalizers": ["g"]}),
            &json!({"containers": [{"name": "a", "args": ["x", "y"]}], "finalizers": ["f", "g", "h"]}),
            &json!({"containers": [{"name": "a", "args": ["y"]}], "finalizers": ["g", "h"]}),
        );
    }

    #[test]
    fn unions_drop_what_the_new_kind_has_not() {
        let live = json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}});
        let recreate = json!({"strategy": {"type": "Recreate"}});
        check(&json!({}), &recreate, &live, &recreate);
        let same = json!({"strategy": {"type": "RollingUpdate"}});
        check(&json!({}), &same, &live, &live);
    }

    #[test]
    fn fields_that_left_go_and_others_stay() {
        check(
            &json!({"a": 1, "b": {"c": 1, "d": 2}}),
            &json!({"b": {"c": 1, "d": null}, "e": null}),
            &json!({"a": 1, "b": {"c": 5, "d": 2, "x": 3}, "e": 7}),
            &json!({"b": {"c": 1, "x": 3}, "e": 7}),
        );
    }

    #[test]
    fn differences_make_one_of_the_other() {
        let from = json!({"a": 1, "b": {"c": [1], "d": 2}});
        let to = json!({"b": {"c": [2], "d": 2}, "e": 3});
        let patch = json!({"a": null, "b": {"c": [2]}, "e": 3});
        assert_eq!(difference(&from, &to), Some(patch));
        assert_eq!(difference(&to, &to), None);
    }
}
