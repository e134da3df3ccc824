//! YAML to values, as `sigs.k8s.io/yaml` does it by way of JSON.

use crate::document::{Document, MAX_JSON_DEPTH, push_number_key};
use crate::error::{Error, Stage};
use crate::resolve::Resolved;
use crate::tree::Tree;
use crate::utf8::valid_utf8;
use crate::walk::{Build, Scalar, Stop, Walk};
use bowsprit_value::{Map, Str, Value};
use std::vec::Drain;

/// Builds values directly; a document with anything that JSON refuses is left to [`Document`].
struct Values;

impl Build for Values {
    type Key = Str;
    type Value = Value;
    const EXACT: bool = false;

    fn key(&mut self, _: &Tree<'_>, scalar: Scalar<'_>, _: usize) -> Result<Str, Stop> {
        Ok(match scalar.resolved {
            Resolved::Str | Resolved::Timestamp if !scalar.decoded => Str::from_bytes(scalar.text),
            Resolved::Str | Resolved::Timestamp => Str::from_bytes(&valid_utf8(scalar.text)),
            Resolved::Bool(true) => Str::from_static("true"),
            Resolved::Bool(false) => Str::from_static("false"),
            Resolved::Null | Resolved::Uint(_) => return Err(Stop::Unfit),
            number => {
                let mut name = Vec::new();
                push_number_key(number, &mut name);
                Str::from(name)
            }
        })
    }

    #[inline]
    fn scalar(&mut self, _: &Tree<'_>, scalar: Scalar<'_>, _: usize) -> Result<Value, Stop> {
        Ok(match scalar.resolved {
            Resolved::Str | Resolved::Timestamp if !scalar.decoded => {
                Value::Str(Str::from_bytes(scalar.text))
            }
            Resolved::Str | Resolved::Timestamp => Value::str(valid_utf8(scalar.text).as_ref()),
            Resolved::Null => Value::Nil,
            Resolved::Bool(b) => Value::Bool(b),
            Resolved::Int(n) => Value::Float(n as f64),
            Resolved::Uint(n) => Value::Float(n as f64),
            Resolved::Float(f) if f.is_finite() => Value::Float(f),
            Resolved::Float(_) => return Err(Stop::Unfit),
        })
    }

    fn list(&mut self, items: Drain<'_, Value>, _: usize) -> Value {
        Value::list(items.collect())
    }

    fn map(&mut self, entries: Drain<'_, (Str, Value)>, _: usize) -> Value {
        Value::Map(Map::from_entries(entries))
    }

    fn entry_set(&mut self, _: &mut Str) {}

    fn container_key(&self, _: &Tree<'_>, _: Value) -> Error {
        Error::content("invalid map key")
    }
}

/// What `sigs.k8s.io/yaml`'s `Unmarshal` into an `interface {}` gives for the first document.
///
/// All numbers are `float64`, keys are strings, aliases and merge keys are resolved, and of equal keys
/// the last one wins. An empty document is nil.
///
/// ```
/// let value = bowsprit_yaml::decode(b"a: 0x10\nb: [yes, 2020-01-01]\n")?;
/// let map = value.as_map().unwrap();
/// assert!(matches!(map.get(b"a"), Some(bowsprit_value::Value::Float(16.0))));
/// # Ok::<(), bowsprit_yaml::Error>(())
/// ```
///
/// # Errors
///
/// With Helm's words, for what is no YAML, has no JSON form or is nested too deeply.
pub fn decode(bytes: &[u8]) -> Result<Value, Error> {
    let Some(tree) = Tree::parse(bytes).map_err(|e| e.at_stage(Stage::ToJson))? else {
        return Ok(Value::Nil);
    };
    let mut walk = Walk::new(&tree, Values);
    match walk.run() {
        Ok(value) if walk.max_depth <= MAX_JSON_DEPTH => Ok(value.unwrap_or_default()),
        Err(Stop::Error(error)) => Err(error.at_stage(Stage::ToJson)),
        _ => Document::parse(bytes)?.to_value(),
    }
}
