//! YAML as goyaml v3 decodes it where the target says nothing of types: into an `interface {}`.

use crate::error::{Error, Stage};
use crate::order::{self, Dialect};
use crate::resolve::{Resolved, is_old_bool};
use crate::tree::Tree;
use crate::v3::{content, owners, text, time};
use crate::walk::{Build, Scalar, Stop, Walk};
use bowsprit_value::{IntKind, Kind, Map, Object, Str, Value, deep_equal};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::vec::Drain;

/// How deeply [`decode_any`] lets values be nested, so that callers may recurse over them.
pub const MAX_ANY_DEPTH: usize = 500;

/// What goyaml v3 decodes from a text's first document into an `interface {}`.
///
/// Whole numbers are `int`, timestamps are [`AnyTime`]s, and a mapping with a key that is no string is an
/// [`AnyMap`]. `yes` and its like are strings. Of equal keys none wins: they are an error.
///
/// ```
/// use bowsprit_value::Value;
///
/// let value = bowsprit_yaml::decode_any(b"a: 1\nb: 1.0\n")?;
/// let map = value.as_map().unwrap();
/// assert!(matches!(map.get(b"a"), Some(Value::Int(_, 1))));
/// assert!(matches!(map.get(b"b"), Some(Value::Float(_))));
/// # Ok::<(), bowsprit_yaml::Error>(())
/// ```
///
/// # Errors
///
/// For what is no YAML, keys that are no scalars or occur twice, and values nested deeper than
/// [`MAX_ANY_DEPTH`].
pub fn decode_any(bytes: &[u8]) -> Result<Value, Error> {
    let Some(tree) = Tree::parse(bytes).map_err(|e| e.at_stage(Stage::Plain))? else {
        return Ok(Value::Nil);
    };
    let owners = owners(&tree)?;
    let mut walk = Walk::new(&tree, Values { owners });
    let value = match walk.run() {
        Ok(value) => value.unwrap_or_default(),
        Err(Stop::Error(error)) => return Err(error.at_stage(Stage::Plain)),
        Err(Stop::Unfit) => return Err(content("invalid map key")),
    };
    if walk.max_depth > MAX_ANY_DEPTH {
        return Err(content("exceeded max depth"));
    }
    Ok(value)
}

/// A mapping with keys that are not all strings: Go's `map[interface {}]interface {}`.
#[derive(Clone, Debug, Default)]
pub struct AnyMap {
    entries: Vec<AnyEntry>,
}

/// An entry of an [`AnyMap`].
#[derive(Clone, Debug)]
pub struct AnyEntry {
    /// The key's text, which is the key where Go wants strings.
    pub name: Str,
    /// The key.
    pub key: Value,
    /// The value.
    pub value: Value,
}

impl AnyMap {
    /// A mapping of entries whose keys differ.
    pub fn new(entries: Vec<AnyEntry>) -> AnyMap {
        AnyMap { entries }
    }

    /// The entries, in the order in which they were written.
    pub fn entries(&self) -> &[AnyEntry] {
        &self.entries
    }

    /// The same where Go wants strings for keys.
    pub fn to_map(&self) -> Map {
        Map::from_entries(self.entries.iter().map(|e| (e.name.clone(), e.value.clone())))
    }
}

impl Object for AnyMap {
    fn type_name(&self) -> &'static str {
        "map[interface {}]interface {}"
    }

    fn kind(&self) -> Kind {
        Kind::Map
    }

    fn to_json(&self) -> Option<Value> {
        None
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        let Some(other) = other.downcast_ref::<AnyMap>() else { return false };
        let place = |entry: &AnyEntry| (rank(&entry.key), key_text(&entry.key));
        let theirs: BTreeMap<_, _> = other.entries.iter().map(|e| (place(e), &e.value)).collect();
        self.entries.len() == other.entries.len()
            && self.entries.iter().all(|mine| {
                theirs.get(&place(mine)).is_some_and(|theirs| deep_equal(theirs, &mine.value))
            })
    }
}

/// A timestamp, as Go's `time.Time` prints itself in JSON and YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnyTime(pub Str);

impl Object for AnyTime {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn to_text(&self) -> Option<Str> {
        Some(self.0.clone())
    }

    fn to_json(&self) -> Option<Value> {
        Some(Value::Str(self.0.clone()))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        other.downcast_ref::<AnyTime>() == Some(self)
    }
}

struct Key {
    name: Str,
    value: Value,
    /// The node of the entry's value.
    node: usize,
}

struct Values {
    owners: Vec<usize>,
}

impl Build for Values {
    type Key = Key;
    type Value = Value;
    const EXACT: bool = false;

    fn key(&mut self, tree: &Tree<'_>, scalar: Scalar<'_>, node: usize) -> Result<Key, Stop> {
        let value = self.scalar(tree, scalar, node)?;
        let name = match scalar.resolved {
            Resolved::Null => Str::default(),
            _ => text(scalar),
        };
        Ok(Key { name, value, node })
    }

    fn scalar(&mut self, _: &Tree<'_>, scalar: Scalar<'_>, _: usize) -> Result<Value, Stop> {
        Ok(match scalar.resolved {
            Resolved::Null => Value::Nil,
            Resolved::Bool(b) if !is_old_bool(scalar.text) => Value::Bool(b),
            Resolved::Bool(_) | Resolved::Str => Value::Str(text(scalar)),
            Resolved::Timestamp => Value::object(AnyTime(time(scalar.text).into())),
            Resolved::Int(n) => Value::int(n),
            Resolved::Uint(n) => Value::Int(IntKind::Uint64, n.cast_signed()),
            Resolved::Float(f) => Value::Float(f),
        })
    }

    fn list(&mut self, items: Drain<'_, Value>, _: usize) -> Value {
        Value::list(items.collect())
    }

    /// What a mapping says itself wins over what is merged into it, wherever that stands.
    fn map(&mut self, entries: Drain<'_, (Key, Value)>, node: usize) -> Value {
        let owner = |value: usize| self.owners.get(value).copied();
        let (mut own, mut merged) = (Vec::new(), Vec::new());
        for (key, value) in entries {
            let into = if owner(key.node) == Some(node) { &mut own } else { &mut merged };
            into.push((key, value));
        }
        merged.append(&mut own);
        if merged.iter().all(|(key, _)| matches!(key.value, Value::Str(_))) {
            let entries = merged.into_iter().map(|(key, value)| (key.name, value));
            return Value::Map(Map::from_entries(entries));
        }
        // What stands later wins: the mapping's own entries over those that are merged into it.
        let mut places: BTreeMap<(u8, Str), usize> = BTreeMap::new();
        let mut entries: Vec<AnyEntry> = Vec::new();
        for (Key { name, value: key, .. }, value) in merged {
            let entry = AnyEntry { name, key, value };
            match places.entry((rank(&entry.key), key_text(&entry.key))) {
                Entry::Vacant(place) => {
                    place.insert(entries.len());
                    entries.push(entry);
                }
                Entry::Occupied(place) => {
                    if let Some(old) = entries.get_mut(*place.get()) {
                        *old = entry;
                    }
                }
            }
        }
        Value::object(AnyMap { entries })
    }

    fn entry_set(&mut self, _: &mut Key) {}

    fn container_key(&self, _: &Tree<'_>, _: Value) -> Error {
        Error::content("invalid map key")
    }
}

/// The entries of a mapping in the order in which goyaml v3 writes them, each named by what is written
/// for its key. None for what is no mapping.
pub fn any_entries(value: &Value) -> Option<Vec<AnyEntry>> {
    if let Value::Map(map) = value {
        let entries = map.entries();
        let key = |i: u32| entries.get(i as usize).map_or(&b""[..], |(key, _)| key.as_bytes());
        let order = order::sorted(Dialect::V3, entries.len(), key);
        let entry = |(name, value): (&Str, &Value)| AnyEntry {
            name: name.clone(),
            key: Value::Str(name.clone()),
            value: value.clone(),
        };
        return Some(match order {
            None => entries.iter().map(entry).collect(),
            Some(order) => {
                order.iter().filter_map(|&i| entries.get(i as usize)).map(entry).collect()
            }
        });
    }
    let mut entries = value.downcast::<AnyMap>()?.entries.clone();
    for entry in &mut entries {
        entry.name = key_text(&entry.key);
    }
    let key = |at: u32| entries.get(at as usize).map(|entry| &entry.key);
    let order = order::sorted_by(entries.len(), |a, b| match (key(a), key(b)) {
        (Some(a), Some(b)) => less(a, b),
        _ => false,
    });
    let Some(order) = order else { return Some(entries) };
    Some(order.iter().filter_map(|&at| entries.get(at as usize).cloned()).collect())
}

/// goyaml's order of keys of several types: numbers and booleans by their value, then by kind, strings last.
fn less(a: &Value, b: &Value) -> bool {
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return if x == y { rank(a) < rank(b) } else { x < y };
    }
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => order::less(Dialect::V3, a.as_bytes(), b.as_bytes()),
        _ => rank(a) < rank(b),
    }
}

/// What goyaml compares keys by, booleans included.
fn number(key: &Value) -> Option<f64> {
    match key {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Int(kind, n) if kind.is_unsigned() => Some(n.cast_unsigned() as f64),
        Value::Int(_, n) => Some(*n as f64),
        Value::Float(f) => Some(*f),
        _ => None,
    }
}

/// The order of Go's kinds.
fn rank(key: &Value) -> u8 {
    match key {
        Value::Nil => 0,
        Value::Bool(_) => 1,
        Value::Int(kind, _) if kind.is_unsigned() => 3,
        Value::Int(..) => 2,
        Value::Float(_) => 4,
        Value::Str(_) => 5,
        _ => 6,
    }
}

/// The text of a key as goyaml writes it, without quotes.
fn key_text(key: &Value) -> Str {
    let mut out = Vec::new();
    match key {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::Bool(b) => out.extend_from_slice(b.to_string().as_bytes()),
        Value::Int(kind, n) if kind.is_unsigned() => {
            out.extend_from_slice(n.cast_unsigned().to_string().as_bytes());
        }
        Value::Int(_, n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Float(f) => bowsprit_value::fmt::append_float(&mut out, *f, b'g', None, 64),
        Value::Str(s) => return s.clone(),
        Value::Object(object) => return object.to_text().unwrap_or_default(),
        _ => {}
    }
    Str::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::Meter;

    fn written(text: &str) -> String {
        let value = decode_any(text.as_bytes()).unwrap();
        let mut out = Vec::new();
        crate::encode_pretty(&value, &mut out, &Meter::default()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_read_is_written_as_go_does() {
        assert_eq!(written("{10: a, 9: b, true: c, x: d}"), "true: c\n9: b\n10: a\nx: d\n");
        assert_eq!(
            written("d: 2020-01-02\nt: 2001-12-14t21:59:43.10-05:00\n"),
            "d: 2020-01-02T00:00:00Z\nt: 2001-12-14T21:59:43.1-05:00\n"
        );
        assert_eq!(
            written("{a: 1.0, b: 1e6, c: 0x10, d: yes, e: '1'}"),
            "a: 1\nb: 1e+06\nc: 16\nd: \"yes\"\ne: \"1\"\n"
        );
        assert_eq!(written("{a: {1: {2: [3]}}}"), "a:\n  1:\n    2:\n      - 3\n");
    }

    #[test]
    fn equal_maps_are_equal_in_any_order() {
        let read = |text: &str| decode_any(text.as_bytes()).unwrap();
        assert!(deep_equal(&read("{1: a, b: [c]}"), &read("{b: [c], 1: a}")));
        assert!(!deep_equal(&read("{1: a}"), &read("{'1': a}")));
        assert!(!deep_equal(&read("{1: a}"), &read("{1.5: a}")));
        assert!(deep_equal(&read("2020-01-02"), &read("2020-01-02T00:00:00Z")));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let text = "[".repeat(MAX_ANY_DEPTH + 1) + &"]".repeat(MAX_ANY_DEPTH + 1);
        assert!(decode_any(text.as_bytes()).is_err());
    }
}
