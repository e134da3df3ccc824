//! JSON patches (RFC 6902), with the error texts of the Go library that kustomize uses.

use super::node::{Fields, Node};
use bowsprit_value::{Map, Str, Value, strconv};

const MISSING: &str = "missing value";
const INVALID_INDEX: &str = "invalid index referenced";

/// One operation.
#[derive(Clone, Debug)]
struct Operation {
    op: String,
    path: Option<String>,
    from: Option<String>,
    value: Option<Node>,
}

/// A JSON patch.
#[derive(Clone, Debug)]
pub(crate) struct JsonPatch(Vec<Operation>);

impl JsonPatch {
    /// Reads a patch from the list that its text is; none where the text is something else.
    pub(crate) fn of(value: &Value) -> Option<JsonPatch> {
        let operations = value.as_list()?.iter().map(|operation| {
            let map = operation.as_map()?;
            let value = map.get(b"value").map(|value| Node::of(&value)).transpose().ok()?;
            Some(Operation {
                op: text(map, "op").unwrap_or_else(|| "unknown".to_owned()),
                path: text(map, "path"),
                from: text(map, "from"),
                value,
            })
        });
        operations.collect::<Option<_>>().map(JsonPatch)
    }

    /// Applies all operations, one after the other.
    pub(crate) fn apply(&self, object: &mut Node) -> Result<(), String> {
        self.0.iter().try_for_each(|operation| operation.apply(object))
    }
}

fn text(map: &Map, key: &str) -> Option<String> {
    match map.get(key.as_bytes()) {
        Some(Value::Str(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// The place that a path ends at: the container, and the key in it.
struct Place<'n> {
    container: &'n mut Node,
    key: String,
}

fn decode_key(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

fn find<'n>(object: &'n mut Node, path: &str) -> Option<Place<'n>> {
    let mut parts = path.split('/');
    parts.next();
    let mut parts: Vec<&str> = parts.collect();
    let key = decode_key(parts.pop()?);
    let mut container = object;
    for part in parts {
        container = get_mut(container, &decode_key(part)).ok()?;
        if !matches!(container, Node::Map(_) | Node::List(_)) {
            return None;
        }
    }
    Some(Place { container, key })
}

/// An index into a list of this length. Go's library counts from the end below zero.
fn index(key: &str, len: usize) -> Result<usize, String> {
    let number =
        strconv::atoi(key.as_bytes()).map_err(|e| e.text().to_string_lossy().into_owned())?;
    let from_end = if number < 0 { number.saturating_add_unsigned(len as u64) } else { number };
    usize::try_from(from_end)
        .ok()
        .filter(|at| *at < len)
        .ok_or_else(|| format!("Unable to access invalid index: {number}: {INVALID_INDEX}"))
}

fn get_mut<'n>(container: &'n mut Node, key: &str) -> Result<&'n mut Node, String> {
    let missing = || format!("unable to get nonexistent key: {key}: {MISSING}");
    match container {
        Node::Map(fields) => fields.get_mut(key.as_bytes()).ok_or_else(missing),
        Node::List(items) => {
            let at = index(key, items.len())?;
            items.get_mut(at).ok_or_else(missing)
        }
        _ => Err(missing()),
    }
}

impl Place<'_> {
    fn get(&self) -> Result<Node, String> {
        let missing = || format!("unable to get nonexistent key: {}: {MISSING}", self.key);
        match &*self.container {
            Node::Map(fields) => Ok(fields.get(self.key.as_bytes()).cloned().unwrap_or(Node::Null)),
            Node::List(items) => {
                let at = index(&self.key, items.len())?;
                items.get(at).cloned().ok_or_else(missing)
            }
            _ => Err(missing()),
        }
    }

    fn add(self, value: Node) -> Result<(), String> {
        match self.container {
            Node::Map(fields) => {
                fields.insert(Str::from(self.key), value);
            }
            Node::List(items) if self.key == "-" => items.push(value),
            Node::List(items) => {
                if strconv::atoi(self.key.as_bytes()).is_err() {
                    let why = index(&self.key, 0).err().unwrap_or_default();
                    return Err(format!(
                        "value was not a proper array index: '{}': {why}",
                        self.key
                    ));
                }
                let at = index(&self.key, items.len() + 1)?;
                items.insert(at.min(items.len()), value);
            }
            _ => return Err(MISSING.to_owned()),
        }
        Ok(())
    }

    fn set(self, value: Node) -> Result<(), String> {
        match self.container {
            Node::Map(fields) => drop(fields.insert(Str::from(self.key), value)),
            other => *get_mut(other, &self.key)? = value,
        }
        Ok(())
    }

    fn remove(self) -> Result<(), String> {
        match self.container {
            Node::Map(fields) => match fields.remove(self.key.as_bytes()) {
                Some(_) => Ok(()),
                None => Err(format!("Unable to remove nonexistent key: {}: {MISSING}", self.key)),
            },
            Node::List(items) => {
                let at = index(&self.key, items.len())?;
                items.remove(at);
                Ok(())
            }
            _ => Err(MISSING.to_owned()),
        }
    }
}

impl Operation {
    fn apply(&self, object: &mut Node) -> Result<(), String> {
        match self.op.as_str() {
            "add" => self.add(object),
            "remove" => self.remove(object),
            "replace" => self.replace(object),
            "move" => self.relocate(object),
            "copy" => self.copy(object),
            "test" => self.test(object),
            other => Err(format!("Unexpected kind: {other}")),
        }
    }

    fn path(&self) -> Result<&str, String> {
        let missing = || format!("{} operation failed to decode path: {MISSING}", self.op);
        self.path.as_deref().ok_or_else(missing)
    }

    fn value(&self) -> Node {
        self.value.clone().unwrap_or(Node::Null)
    }

    fn add(&self, object: &mut Node) -> Result<(), String> {
        let path = self.path()?;
        let place = find(object, path).ok_or_else(|| {
            format!("add operation does not apply: doc is missing path: \"{path}\": {MISSING}")
        })?;
        place.add(self.value()).map_err(|e| format!("error in add for path: '{path}': {e}"))
    }

    fn remove(&self, object: &mut Node) -> Result<(), String> {
        let path = self.path()?;
        let place = find(object, path).ok_or_else(|| {
            format!("remove operation does not apply: doc is missing path: \"{path}\": {MISSING}")
        })?;
        place.remove().map_err(|e| format!("error in remove for path: '{path}': {e}"))
    }

    fn replace(&self, object: &mut Node) -> Result<(), String> {
        let path = self.path()?;
        if path.is_empty() {
            let value = self.value();
            if !matches!(value, Node::Map(_) | Node::List(_)) {
                return Err("replace operation value must be object or array".to_owned());
            }
            *object = value;
            return Ok(());
        }
        let fail = |what: &str| {
            format!("replace operation does not apply: doc is missing {what}: {path}: {MISSING}")
        };
        let place = find(object, path).ok_or_else(|| fail("path"))?;
        if place.get().is_err() {
            return Err(fail("key"));
        }
        // In a map this adds what is not there.
        place.set(self.value()).map_err(|e| format!("error in remove for path: '{path}': {e}"))
    }

    fn from(&self) -> Result<&str, String> {
        let missing = || format!("{} operation failed to decode from: {MISSING}", self.op);
        self.from.as_deref().ok_or_else(missing)
    }

    fn relocate(&self, object: &mut Node) -> Result<(), String> {
        let from = self.from()?;
        let fail = |what: &str, path: &str| {
            format!("move operation does not apply: doc is missing {what}: {path}: {MISSING}")
        };
        let place = find(object, from).ok_or_else(|| fail("from path", from))?;
        let in_path = |e| format!("error in move for path: '{from}': {e}");
        let value = place.get().map_err(in_path)?;
        place.remove().map_err(in_path)?;
        let path = self.path()?;
        let place = find(object, path).ok_or_else(|| fail("destination path", path))?;
        place.add(value).map_err(|e| format!("error in move for path: '{path}': {e}"))
    }

    fn copy(&self, object: &mut Node) -> Result<(), String> {
        let from = self.from()?;
        let fail = |what: &str, path: &str| {
            format!("copy operation does not apply: doc is missing {what}: {path}: {MISSING}")
        };
        let place = find(object, from).ok_or_else(|| fail("from path", from))?;
        let value = place.get().map_err(|e| format!("error in copy for from: '{from}': {e}"))?;
        let path = self.path()?;
        let place = find(object, path).ok_or_else(|| fail("destination path", path))?;
        place.add(value).map_err(|e| format!("error while adding value during copy: {e}"))
    }

    fn test(&self, object: &mut Node) -> Result<(), String> {
        let path = self.path()?;
        let failed = || Err(format!("testing value {path} failed: test failed"));
        if path.is_empty() {
            return if same(object, &self.value()) { Ok(()) } else { failed() };
        }
        let place = find(object, path).ok_or_else(|| {
            format!("test operation does not apply: is missing path: {path}: {MISSING}")
        })?;
        match place.get() {
            Ok(found) if same(&found, &self.value()) => Ok(()),
            Ok(_) => failed(),
            Err(error) => Err(format!("error in test for path: '{path}': {error}")),
        }
    }
}

/// JSON equality: `1` is `1.0`, and nulls are alike.
fn same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (Node::List(a), Node::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Node::Map(a), Node::Map(b)) => {
            let key_same = |(key, a): (&Str, &Node)| b.get(key).is_some_and(|b| same(a, b));
            a.len() == b.len() && Fields::iter(a).all(key_same)
        }
        (a, b) if a.is_null() || b.is_null() => a.is_null() && b.is_null(),
        (Node::Str(a), Node::Str(b)) => a == b,
        (Node::Str(_), _) | (_, Node::Str(_)) => false,
        (a, b) => a.text().is_some() && a.text() == b.text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_yaml::{Blank, decode_v3};

    fn check(target: &str, patch: &str, want: &str) {
        let value = |text: &str| decode_v3(text.as_bytes(), Blank::Nil).unwrap();
        let mut target = Node::of(&value(target)).unwrap();
        match JsonPatch::of(&value(patch)).unwrap().apply(&mut target) {
            Ok(()) => assert_eq!(target, Node::of(&value(want)).unwrap(), "{patch}"),
            Err(error) => assert_eq!(error, want, "{patch}"),
        }
    }

    #[test]
    fn operations_apply() {
        check("{a: [1, 2]}", "[{op: add, path: /a/-, value: 3}]", "{a: [1, 2, 3]}");
        check("{a: [1, 2]}", "[{op: add, path: /a/1, value: 3}]", "{a: [1, 3, 2]}");
        check("{a: [1, 2]}", "[{op: remove, path: /a/-1}]", "{a: [1]}");
        check(
            "{a: {b/c: 1}}",
            "[{op: replace, path: /a/b~1c, value: {d: 2}}]",
            "{a: {b/c: {d: 2}}}",
        );
        check("{a: 1}", "[{op: move, from: /a, path: /b}]", "{b: 1}");
        check("{a: {b: 1}}", "[{op: copy, from: /a, path: /c}]", "{a: {b: 1}, c: {b: 1}}");
        check("{a: 1}", "[{op: test, path: /a, value: 1}, {op: remove, path: /a}]", "{}");
    }

    #[test]
    fn what_does_not_apply_is_said_as_in_go() {
        check(
            "{a: 1}",
            "[{op: add, path: /b/c, value: 1}]",
            "add operation does not apply: doc is missing path: \"/b/c\": missing value",
        );
        check(
            "{a: 1}",
            "[{op: remove, path: /b}]",
            "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value",
        );
        check("{a: 1}", "[{op: replace, path: /b, value: 1}]", "{a: 1, b: 1}");
        check(
            "{a: []}",
            "[{op: replace, path: /a/0, value: 1}]",
            "replace operation does not apply: doc is missing key: /a/0: missing value",
        );
        check("{a: 1}", "[{op: test, path: /a, value: 2}]", "testing value /a failed: test failed");
        check(
            "{a: []}",
            "[{op: add, path: /a/3, value: 2}]",
            "error in add for path: '/a/3': Unable to access invalid index: 3: invalid index referenced",
        );
    }
}
