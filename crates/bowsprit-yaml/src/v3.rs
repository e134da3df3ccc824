//! YAML as goyaml v3 reads it, which is what kustomize does.

use crate::document::{MAX_JSON_DEPTH, push_number_key};
use crate::error::{Error, ErrorKind, Stage};
use crate::resolve::{Resolved, is_old_bool};
use crate::tree::{NodeKind, Tree};
use crate::utf8::valid_utf8;
use crate::walk::{Build, Scalar, Stop, Walk};
use bowsprit_value::{IntKind, Map, Str, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::vec::Drain;

/// What becomes of a value that is not written at all, as after `key:`. goyaml's nodes tell it from a
/// written `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blank {
    /// It is nil, as `null` is.
    Nil,
    /// It is an empty `[]uint8`, which nothing else that is read can be.
    Bytes,
}

/// What goyaml v3 decodes from a text's first document: `yes` and its like are strings, whole numbers
/// are `int64`, a date is written out as a time. Of equal keys none wins: they are an error.
///
/// ```
/// use bowsprit_yaml::{Blank, decode_v3};
///
/// let value = decode_v3(b"a: yes\nb: 010\nc:\n", Blank::Bytes)?;
/// let map = value.as_map().unwrap();
/// assert_eq!(map.get(b"a").unwrap().as_str().unwrap(), "yes");
/// assert!(matches!(map.get(b"b"), Some(bowsprit_value::Value::Int(_, 8))));
/// assert!(matches!(map.get(b"c"), Some(bowsprit_value::Value::Bytes(_))));
/// # Ok::<(), bowsprit_yaml::Error>(())
/// ```
///
/// # Errors
///
/// For what is no YAML, keys that are no scalars or occur twice, and values nested without end.
pub fn decode_v3(bytes: &[u8], blank: Blank) -> Result<Value, Error> {
    let Some(tree) = Tree::parse(bytes).map_err(|e| e.at_stage(Stage::Plain))? else {
        return Ok(Value::Nil);
    };
    let owners = owners(&tree)?;
    let mut walk = Walk::new(&tree, Values { blank, owners });
    let value = match walk.run() {
        Ok(value) => value.unwrap_or_default(),
        Err(Stop::Error(error)) => return Err(error.at_stage(Stage::Plain)),
        Err(Stop::Unfit) => return Err(content("invalid map key")),
    };
    if walk.max_depth > MAX_JSON_DEPTH {
        return Err(content("exceeded max depth"));
    }
    Ok(value)
}

pub(crate) fn content(text: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Content, Stage::Plain, text)
}

/// For each node the mapping whose value it is. Fails for a mapping with two equal keys.
pub(crate) fn owners(tree: &Tree<'_>) -> Result<Vec<usize>, Error> {
    let mut owners = vec![usize::MAX; tree.nodes.len()];
    for (index, mapping) in tree.nodes.iter().enumerate() {
        if mapping.kind != NodeKind::Mapping {
            continue;
        }
        let mut seen = BTreeMap::new();
        let mut key = index + 1;
        while key < mapping.next as usize {
            let value = tree.after(key);
            if let Some(owner) = owners.get_mut(value) {
                *owner = index;
            }
            if let Some(node) = tree.node(key).filter(|node| node.kind == NodeKind::Scalar) {
                let name = tree.text(node.value);
                if let Some(first) = seen.insert(name, node.line) {
                    return Err(duplicate(name, node.line, first));
                }
            }
            key = tree.after(value);
        }
    }
    Ok(owners)
}

fn duplicate(name: &[u8], line: u32, first: u32) -> Error {
    let quoted = bowsprit_value::strconv::quote(name);
    content(format!(
        "unmarshal errors:\n  line {}: mapping key {} already defined at line {}",
        line + 1,
        String::from_utf8_lossy(&quoted),
        first + 1
    ))
}

struct Values {
    blank: Blank,
    owners: Vec<usize>,
}

/// The text of a scalar, without what is no UTF-8.
pub(crate) fn text(scalar: Scalar<'_>) -> Str {
    if scalar.decoded { Str::from(&*valid_utf8(scalar.text)) } else { Str::from(scalar.text) }
}

impl Build for Values {
    /// The name, and the node of the value.
    type Key = (Str, usize);
    type Value = Value;
    const EXACT: bool = false;

    fn key(&mut self, _: &Tree<'_>, scalar: Scalar<'_>, value: usize) -> Result<Self::Key, Stop> {
        let name = match scalar.resolved {
            Resolved::Bool(b) if !is_old_bool(scalar.text) => Str::from(b.to_string()),
            Resolved::Str | Resolved::Timestamp | Resolved::Bool(_) => text(scalar),
            Resolved::Null => Str::from_static("null"),
            number => {
                let mut name = Vec::new();
                push_number_key(number, &mut name);
                Str::from(name)
            }
        };
        Ok((name, value))
    }

    fn scalar(&mut self, _: &Tree<'_>, scalar: Scalar<'_>, _: usize) -> Result<Value, Stop> {
        Ok(match scalar.resolved {
            Resolved::Null if scalar.text.is_empty() && self.blank == Blank::Bytes => {
                Value::Bytes(std::sync::Arc::from([].as_slice()))
            }
            Resolved::Null => Value::Nil,
            Resolved::Bool(b) if !is_old_bool(scalar.text) => Value::Bool(b),
            Resolved::Bool(_) | Resolved::Str => Value::Str(text(scalar)),
            Resolved::Timestamp => Value::from(time(scalar.text)),
            Resolved::Int(n) => Value::int64(n),
            Resolved::Uint(n) => Value::Int(IntKind::Uint64, n.cast_signed()),
            Resolved::Float(f) => Value::Float(f),
        })
    }

    fn list(&mut self, items: Drain<'_, Value>, _: usize) -> Value {
        Value::list(items.collect())
    }

    /// What a mapping says itself wins over what is merged into it, wherever that stands.
    fn map(&mut self, entries: Drain<'_, (Self::Key, Value)>, node: usize) -> Value {
        let owner = |value: usize| self.owners.get(value).copied();
        let (mut own, mut merged) = (Vec::new(), Vec::new());
        for ((key, value_node), value) in entries {
            let into = if owner(value_node) == Some(node) { &mut own } else { &mut merged };
            into.push((key, value));
        }
        merged.append(&mut own);
        Value::Map(Map::from_entries(merged))
    }

    fn entry_set(&mut self, _: &mut Self::Key) {}

    fn container_key(&self, _: &Tree<'_>, _: Value) -> Error {
        Error::content("invalid map key")
    }
}

/// A time as Go's JSON writes it. A date alone begins the day in UTC.
pub(crate) fn time(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let pad = |number: &str| format!("{number:0>2}");
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => text.split_at_checked(at).unwrap_or((&text, "")),
        None => (&*text, ""),
    };
    let date: Vec<String> = date.split('-').map(pad).collect();
    let rest = rest.trim_start_matches(['T', 't', ' ']);
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(zone_at).unwrap_or((rest, ""));
    let zone = if zone.is_empty() || matches!(zone, "+00:00" | "-00:00") { "Z" } else { zone };
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
    let mut clock: Vec<String> = clock.split(':').map(pad).collect();
    clock.resize(3, "00".to_owned());
    // Go keeps nine digits and cuts zeros off.
    let fraction = fraction.get(..9).unwrap_or(fraction).trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}T{}{point}{fraction}{zone}", date.join("-"), clock.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::{Meter, json};

    fn check(text: &str, want: &str) {
        let got = match decode_v3(text.as_bytes(), Blank::Nil) {
            Err(error) => error.to_string(),
            Ok(value) => {
                let mut out = Vec::new();
                let options = json::Options::default();
                json::encode(&value, &options, &mut out, &Meter::default()).unwrap();
                String::from_utf8(out).unwrap()
            }
        };
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn scalars_are_read_as_v3_reads_them() {
        check(
            "[yes, on, true, False, ~, '', 0x10, 1e3]",
            r#"["yes","on",true,false,null,"",16,1000]"#,
        );
        check("{yes: 1, 2: b, true: c}", r#"{"2":"b","true":"c","yes":1}"#);
        check("a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n", r#"{"a":{"b":1},"c":{"b":1,"d":2}}"#);
        check(
            "[2020-01-02, 2001-12-14t21:59:43.10-05:00, 2001-1-4 1:2:3.50]",
            r#"["2020-01-02T00:00:00Z","2001-12-14T21:59:43.1-05:00","2001-01-04T01:02:03.5Z"]"#,
        );
        check(
            "{a: 1, a: 2}",
            "yaml: unmarshal errors:\n  line 1: mapping key \"a\" already defined at line 1",
        );
        check(
            "a: &x {b: 1, d: 3}\nc: {d: 2, <<: *x}\n",
            r#"{"a":{"b":1,"d":3},"c":{"b":1,"d":2}}"#,
        );
    }
}
