//! Strategic merge patches, as kyaml's `merge2` applies them.

use super::node::{Fields, Node};
use super::schema::{Merge, Shape};
use bowsprit_value::Str;

const DIRECTIVE: &[u8] = b"$patch";
/// Directives that kustomize leaves in the object as if they were fields.
const UNSUPPORTED: &[&str] = &["$deleteFromPrimitiveList", "$setElementOrder", "$retainKeys"];

/// Merges a patch into an object; none where the patch deletes it.
pub(crate) fn merge(target: Node, patch: Node, shape: Shape) -> Result<Option<Node>, String> {
    Merger { path: Vec::new() }.node(Some(target), Some(patch), shape, None)
}

/// What a patch wants of the place it stands at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

fn directive(name: &str) -> Result<Directive, String> {
    match name {
        "merge" => Ok(Directive::Merge),
        "replace" => Ok(Directive::Replace),
        "delete" => Ok(Directive::Delete),
        other => Err(format!("unknown patch strategy '{other}'")),
    }
}

/// The directive of a map, taken out of it.
fn of_map(patch: &mut Fields) -> Result<Directive, String> {
    if let Some(key) = patch.keys().find(|key| {
        let key = key.to_string_lossy();
        UNSUPPORTED.iter().any(|name| key == *name || key.starts_with(&format!("{name}/")))
    }) {
        return Err(format!("the directive {key} of strategic merge patches is not supported"));
    }
    match patch.remove(DIRECTIVE) {
        Some(Node::Str(name)) => directive(&name.to_string_lossy()),
        _ => Ok(Directive::Merge),
    }
}

/// The directive of a list: an item that is nothing else.
fn of_list(patch: &mut Vec<Node>) -> Result<Directive, String> {
    let only = |item: &Node| match item {
        Node::Map(fields) if fields.len() == 1 => fields.get(DIRECTIVE).and_then(Node::text),
        _ => None,
    };
    let Some(name) = patch.iter().find_map(only) else { return Ok(Directive::Merge) };
    patch.retain(|item| only(item).is_none());
    directive(&name)
}

/// A merge under way.
pub(super) struct Merger {
    path: Vec<String>,
}

impl Merger {
    pub(super) fn node(
        &mut self,
        target: Option<Node>,
        patch: Option<Node>,
        shape: Shape,
        how: Option<Merge>,
    ) -> Result<Option<Node>, String> {
        let Some(patch) = patch else {
            return Ok(target.and_then(|node| keep(node, shape, how)));
        };
        if patch.is_null() {
            return Ok(None);
        }
        let target = target.filter(|node| !node.is_null());
        self.check_kinds(target.as_ref(), &patch)?;
        match (target, patch) {
            (Some(Node::Map(target)), Node::Map(patch)) => self.map(Some(target), patch, shape),
            (None, Node::Map(patch)) => self.map(None, patch, shape),
            (Some(Node::List(target)), Node::List(patch)) => {
                self.list(Some(target), patch, shape, how)
            }
            (None, Node::List(patch)) => self.list(None, patch, shape, how),
            (_, scalar) => Ok(Some(scalar)),
        }
    }

    fn check_kinds(&self, target: Option<&Node>, patch: &Node) -> Result<(), String> {
        let Some(target) = target else { return Ok(()) };
        let (found, want) = (patch.kind_name(), target.kind_name());
        if found == want {
            return Ok(());
        }
        let path = self.path.join(".");
        Err(format!("wrong node kind: expected {want} but got {found} at {path}"))
    }

    fn map(
        &mut self,
        target: Option<Fields>,
        mut patch: Fields,
        shape: Shape,
    ) -> Result<Option<Node>, String> {
        let mut target = match (of_map(&mut patch)?, target) {
            (Directive::Delete, _) => return Ok(None),
            (Directive::Replace, _) | (Directive::Merge, None) => Fields::new(),
            (Directive::Merge, Some(target)) => target,
        };
        let mut keys: Vec<Str> = target.keys().chain(patch.keys()).cloned().collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let name = key.to_string_lossy().into_owned();
            let (below, how) = shape.field(&name);
            let (old, new) = (target.remove(&key), patch.remove(&key));
            self.path.push(name);
            let merged = self.node(old, new, below, how)?;
            self.path.pop();
            if let Some(merged) = merged {
                target.insert(key, merged);
            }
        }
        Ok(Some(Node::Map(target)))
    }

    fn list(
        &mut self,
        target: Option<Vec<Node>>,
        mut patch: Vec<Node>,
        shape: Shape,
        how: Option<Merge>,
    ) -> Result<Option<Node>, String> {
        let Some(how) = how else { return Ok(Some(Node::List(patch))) };
        let target = match (of_list(&mut patch)?, target) {
            (Directive::Delete, _) => return Ok(None),
            (Directive::Replace, _) | (Directive::Merge, None) => Vec::new(),
            (Directive::Merge, Some(target)) => target,
        };
        match how {
            Merge::Set => Ok(Some(Node::List(set(target, patch)))),
            Merge::By(keys) if keys.len() > 1 => {
                super::multikey::merge(self, target, patch, shape, keys).map(Some)
            }
            Merge::By(keys) => self.keyed(target, patch, shape, keys),
        }
    }

    /// What the patch names comes first, in the patch's order; then the rest of the target.
    fn keyed(
        &mut self,
        mut target: Vec<Node>,
        patch: Vec<Node>,
        shape: Shape,
        keys: &[&str],
    ) -> Result<Option<Node>, String> {
        let mut merged = Vec::new();
        let mut seen: Vec<Vec<String>> = Vec::new();
        let mut nameless = Vec::new();
        for item in patch {
            let wanted = values(&item, keys);
            if wanted.first().is_none_or(String::is_empty) {
                nameless.push(item);
                continue;
            }
            let matches = |values: &Vec<String>| *values == wanted;
            if let Some(at) = seen.iter().position(matches) {
                // Of two items with one key the last one counts.
                if let Some(slot) = merged.get_mut(at) {
                    let old: Option<Node> = Option::take(slot);
                    *slot = self.node(old, Some(item), shape, None)?;
                }
                continue;
            }
            let old = target.iter().position(|old| matches(&values(old, keys)));
            let old = old.map(|at| target.remove(at));
            seen.push(wanted);
            merged.push(self.node(old, Some(item), shape, None)?.filter(|node| !is_empty(node)));
        }
        let rest = target.into_iter().filter_map(|node| keep(node, shape, None));
        let items = merged.into_iter().flatten().chain(rest).chain(nameless);
        Ok(Some(Node::List(items.collect())))
    }
}

pub(super) fn is_empty(node: &Node) -> bool {
    matches!(node, Node::Map(fields) if fields.is_empty())
}

/// What a patch says nothing about stays, but for nulls that nobody wrote. Lists are looked into where
/// they are merged by keys.
fn keep(node: Node, shape: Shape, how: Option<Merge>) -> Option<Node> {
    match (node, how) {
        (Node::Blank, _) => None,
        (Node::Map(fields), _) => {
            let kept = fields.into_iter().filter_map(|(key, node)| {
                let (below, how) = shape.field(&key.to_string_lossy());
                Some((key, keep(node, below, how)?))
            });
            Some(Node::Map(kept.collect()))
        }
        (Node::List(items), Some(Merge::By(_))) => {
            let kept = items.into_iter().filter_map(|item| keep(item, shape, None));
            Some(Node::List(kept.filter(|item| !is_empty(item)).collect()))
        }
        (other, _) => Some(other),
    }
}

pub(super) fn values(item: &Node, keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| item.get(key).and_then(Node::text).unwrap_or_default()).collect()
}

fn set(target: Vec<Node>, patch: Vec<Node>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    for item in patch.into_iter().chain(target) {
        if !out.iter().any(|seen| seen.text() == item.text()) {
            out.push(item);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postrender::resource::ResId;
    use bowsprit_yaml::{Blank, decode_v3};

    fn node(text: &str) -> Node {
        Node::of(&decode_v3(text.as_bytes(), Blank::Bytes).unwrap()).unwrap()
    }

    fn check(target: &str, patch: &str, want: &str) {
        let target = node(target);
        let shape = Shape::of(&ResId::of(&target));
        match merge(target, node(patch), shape) {
            Ok(Some(merged)) => assert_eq!(merged, node(want), "{patch}"),
            Ok(None) => assert_eq!(want, "deleted", "{patch}"),
            Err(error) => assert_eq!(error, want, "{patch}"),
        }
    }

    #[test]
    fn maps_merge_and_lists_of_unknown_kinds_are_replaced() {
        check("{a: {b: 1, c: 2}, l: [1, 2]}", "{a: {b: 3}, l: [4]}", "{a: {b: 3, c: 2}, l: [4]}");
        check("{a: {b: 1}}", "{a: null}", "{}");
        check("{a: null, b: ~, c: }", "{d: {e: null, f: 1}}", "{a: null, b: ~, d: {f: 1}}");
        check("{a: {b: 1}}", "{a: {$patch: replace, c: 1}}", "{a: {c: 1}}");
        check("{a: {b: 1}}", "{a: {$patch: delete}}", "{}");
        check("{a: 1}", "{$patch: delete}", "deleted");
        check(
            "{a: 1}",
            "{a: {b: 1}}",
            "wrong node kind: expected ScalarNode but got MappingNode at a",
        );
        check("{a: 1}", "{$patch: mend}", "unknown patch strategy 'mend'");
    }

    #[test]
    fn lists_of_known_kinds_merge_by_key() {
        let service = "apiVersion: v1\nkind: Service\nspec:\n  ports:\n  - {port: 80, name: a, targetPort: x}\n  - {port: 81, name: b}\n";
        check(
            service,
            "{spec: {ports: [{port: 81, name: c}, {port: 90}]}}",
            "{apiVersion: v1, kind: Service, spec: {ports: [{port: 81, name: c}, {port: 90}, {port: 80, name: a, targetPort: x}]}}",
        );
        check(
            service,
            "{spec: {ports: [{port: 80, $patch: delete}]}}",
            "{apiVersion: v1, kind: Service, spec: {ports: [{port: 81, name: b}]}}",
        );
        check(
            service,
            "{spec: {ports: [{$patch: replace}, {port: 1}]}}",
            "{apiVersion: v1, kind: Service, spec: {ports: [{port: 1}]}}",
        );
        check(
            "{apiVersion: v1, kind: Pod, metadata: {finalizers: [a, b]}}",
            "{metadata: {finalizers: [c, b]}}",
            "{apiVersion: v1, kind: Pod, metadata: {finalizers: [c, b, a]}}",
        );
    }
}
