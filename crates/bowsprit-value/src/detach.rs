//! Copies that share nothing with others.

use crate::{List, Map, Str, Value};

/// What lies deeper is forked, as [`Map::fork`] does.
const DEPTH: usize = 64;

impl Map {
    /// A fork that shares nothing with this map, not even what never changes: long strings and tables are
    /// copied. Two threads that read shared values take turns in counting references to them; with a copy
    /// each, they don't. Objects, and what is nested very deeply, stay shared.
    ///
    /// As for a fork, this map and all below it must not be written any more.
    ///
    /// ```
    /// use bowsprit_value::{Map, Value};
    ///
    /// let defaults = Map::from_entries([("a".into(), Value::int(1))]);
    /// let copy = defaults.detached();
    /// assert!(matches!(copy.get(b"a"), Some(Value::Int(_, 1))) && !copy.same_origin(&defaults));
    /// ```
    #[must_use]
    pub fn detached(&self) -> Map {
        map(self, 0)
    }
}

fn map(from: &Map, depth: usize) -> Map {
    if from.is_nil() {
        return from.fork();
    }
    let entries = from.peek();
    Map::typed(from.ty(), entries.iter().map(|(key, item)| (string(key), value(item, depth + 1))))
}

fn value(from: &Value, depth: usize) -> Value {
    match from {
        Value::Map(inner) if depth < DEPTH => Value::Map(map(inner, depth)),
        Value::List(list) if depth < DEPTH && !list.is_nil() => {
            let items = list.iter().map(|item| value(item, depth + 1));
            Value::List(List::typed(list.ty(), items.collect()))
        }
        Value::Str(text) => Value::Str(string(text)),
        other => crate::map::forked(other),
    }
}

fn string(from: &Str) -> Str {
    match from.heap() {
        Some(bytes) => Str::from(bytes),
        None => from.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Elem, ListType, MapType};

    #[test]
    fn copies_are_equal_and_have_nothing_in_common() {
        let long = "x".repeat(40);
        let inner = Map::typed(MapType::STRINGS, [("c".into(), long.as_str().into())]);
        let items = vec![Value::Map(inner), Value::Nil, Value::Float(-0.0)];
        let entries = [
            ("a", Value::List(List::new(items))),
            ("d", Value::List(List::nil(ListType::of(Elem::Int)))),
            ("e", long.as_str().into()),
        ];
        let map = Map::from_entries(entries.map(|(key, value)| (Str::from(key), value)));
        let copy = map.detached();
        assert_eq!(format!("{copy:?}"), format!("{map:?}"));
        assert!(Map::nil(MapType::STRINGS).detached().is_nil());
        let text = |map: &Map| map.get(b"e").unwrap().as_str().unwrap().as_bytes().as_ptr();
        assert_ne!(text(&copy), text(&map));
        let below = |map: &Map| map.get(b"a").unwrap().as_list().unwrap().get(0).cloned().unwrap();
        let (copied, kept) = (below(&copy), below(&map));
        copied.as_map().unwrap().insert("z".into(), Value::Nil);
        assert!(!kept.as_map().unwrap().contains(b"z"));
    }

    #[test]
    fn what_is_nested_deeply_is_forked() {
        let mut deep = Map::from_entries([("end".into(), Value::int(1))]);
        for _ in 0..3 * DEPTH {
            deep = Map::from_entries([("a".into(), Value::Map(deep))]);
        }
        let end = |map: &Map| {
            let mut at = map.clone();
            while let Some(Value::Map(next)) = at.get(b"a") {
                at = next;
            }
            at
        };
        let copy = deep.detached();
        end(&copy).insert("end".into(), Value::Nil);
        assert!(matches!(end(&deep).get(b"end"), Some(Value::Int(_, 1))));
    }
}
