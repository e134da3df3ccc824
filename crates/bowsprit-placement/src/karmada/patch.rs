//! JSON patches (RFC 6902) as Karmada applies them, on values.

use bowsprit_value::{Map, Str, Value};
use std::fmt;

/// A patch that can't be applied. `Display` names the operation and its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchError {
    /// The operation.
    pub operator: &'static str,
    /// The JSON pointer.
    pub path: String,
    /// What is wrong.
    pub reason: &'static str,
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.operator, self.path, self.reason)
    }
}

impl std::error::Error for PatchError {}

/// What a patch does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'v> {
    Add(&'v Value),
    Remove,
    Replace(&'v Value),
}

impl Change<'_> {
    const fn name(self) -> &'static str {
        match self {
            Change::Add(_) => "add",
            Change::Remove => "remove",
            Change::Replace(_) => "replace",
        }
    }
}

/// A step of a JSON pointer as a key.
pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The value after a patch; nothing that was there is changed in place.
pub(super) fn patched(root: &Value, path: &str, change: Change<'_>) -> Result<Value, PatchError> {
    let fail = |reason| PatchError { operator: change.name(), path: path.to_owned(), reason };
    let Some(rest) = path.strip_prefix('/') else {
        return match (path, change) {
            ("", Change::Add(value) | Change::Replace(value)) => Ok(value.clone()),
            _ => Err(fail("the path must begin with a slash")),
        };
    };
    let tokens: Vec<String> =
        rest.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
    let Some((last, before)) = tokens.split_last() else { return Err(fail("the path is empty")) };
    let mut parents = vec![root.clone()];
    for token in before {
        let below = parents.last().and_then(|parent| member(parent, token));
        parents.push(below.ok_or_else(|| fail("there is no such path"))?);
    }
    let parent = parents.pop().unwrap_or_default();
    let mut value = edited(&parent, last, change).map_err(fail)?;
    for (parent, token) in parents.iter().zip(before).rev() {
        value = edited(parent, token, Change::Replace(&value)).map_err(fail)?;
    }
    Ok(value)
}

/// A member of a mapping, or an item of a list.
pub(super) fn member(value: &Value, token: &str) -> Option<Value> {
    match value {
        Value::Map(map) => map.get(token.as_bytes()),
        Value::List(list) => list.get(index(token)?).cloned(),
        _ => None,
    }
}

fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with(['0', '+', '-']);
    token.parse().ok().filter(|_| canonical)
}

fn edited(parent: &Value, token: &str, change: Change<'_>) -> Result<Value, &'static str> {
    match parent {
        Value::Map(map) => edited_map(map, token, change).map(Value::Map),
        Value::List(list) => edited_list(list.as_slice(), token, change).map(Value::list),
        _ => Err("its parent is no mapping and no list"),
    }
}

fn edited_map(map: &Map, key: &str, change: Change<'_>) -> Result<Map, &'static str> {
    let is_there = map.contains(key.as_bytes());
    let entries = map.peek();
    let others = entries.iter().filter(|(other, _)| **other != key);
    let others = others.map(|(key, value)| (key.clone(), value.clone()));
    match change {
        Change::Remove | Change::Replace(_) if !is_there => Err("there is no such member"),
        Change::Remove => Ok(Map::from_entries(others)),
        Change::Add(value) | Change::Replace(value) => {
            Ok(Map::from_entries(others.chain([(Str::from(key), value.clone())])))
        }
    }
}

fn edited_list(
    items: &[Value],
    token: &str,
    change: Change<'_>,
) -> Result<Vec<Value>, &'static str> {
    let at = if token == "-" { Some(items.len()) } else { index(token) };
    let at = at.ok_or("the index is no number")?;
    let mut items = items.to_vec();
    match change {
        Change::Add(value) if at <= items.len() => items.insert(at, value.clone()),
        Change::Remove if at < items.len() => {
            items.remove(at);
        }
        Change::Replace(value) => match items.get_mut(at) {
            Some(item) => *item = value.clone(),
            None => return Err("there is no such item"),
        },
        _ => return Err("there is no such item"),
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::json;

    fn value(text: &str) -> Value {
        bowsprit_yaml::decode(text.as_bytes()).unwrap()
    }

    fn check(root: &str, path: &str, change: Change<'_>, want: &str) {
        let got = match patched(&value(root), path, change) {
            Ok(value) => json(&value),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, want, "{root} {path}");
    }

    #[test]
    fn patches_are_those_of_the_rfc() {
        let x = &value("x");
        check("{a: {b: 1}}", "/a/c~1d", Change::Add(x), r#"{"a":{"b":1,"c/d":"x"}}"#);
        check("{a: {b: 1}}", "/a/b", Change::Add(x), r#"{"a":{"b":"x"}}"#);
        check("{a: [1, 2]}", "/a/1", Change::Add(x), r#"{"a":[1,"x",2]}"#);
        check("{a: [1, 2]}", "/a/-", Change::Add(x), r#"{"a":[1,2,"x"]}"#);
        check("{a: [1, 2]}", "/a/0", Change::Remove, r#"{"a":[2]}"#);
        check("{a: [{b: 1}]}", "/a/0/b", Change::Replace(x), r#"{"a":[{"b":"x"}]}"#);
        check("{}", "/a/b", Change::Add(x), "add /a/b: there is no such path");
        check("{}", "/a", Change::Replace(x), "replace /a: there is no such member");
        check("{a: []}", "/a/1", Change::Add(x), "add /a/1: there is no such item");
        check("{a: [1]}", "/a/00", Change::Remove, "remove /a/00: the index is no number");
        check("{a: 1}", "/a/b", Change::Add(x), "add /a/b: its parent is no mapping and no list");
        check("{a: 1}", "a", Change::Remove, "remove a: the path must begin with a slash");
    }

    #[test]
    fn what_was_there_stays() {
        let root = value("{a: {b: [1]}}");
        patched(&root, "/a/b/0", Change::Remove).unwrap();
        assert_eq!(json(&root), r#"{"a":{"b":[1]}}"#);
    }
}
