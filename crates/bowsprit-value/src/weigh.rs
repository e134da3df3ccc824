//! How much memory values hold.

use crate::map::Entries;
use crate::{List, Str, Value};
use std::collections::HashSet;
use std::mem::size_of;

/// Counts the bytes that values hold, each shared piece once, however often it is referred to.
///
/// Lazy maps that nobody looked at count nothing and stay lazy. Nothing recurses.
#[derive(Debug, Default)]
pub struct Scale {
    seen: HashSet<usize>,
    pending: Vec<Value>,
    bytes: u64,
}

/// What an allocation costs beside its content.
const HEADER: usize = 32;

/// Structs are small; what they refer to can't be seen from outside.
const OBJECT: usize = 128;

impl Scale {
    /// An empty scale.
    pub fn new() -> Scale {
        Scale::default()
    }

    /// Puts a value on the scale, with all that it holds.
    pub fn add(&mut self, value: &Value) {
        self.put(value);
        while let Some(value) = self.pending.pop() {
            match value {
                Value::List(list) => self.open_list(&list),
                Value::Map(map) => {
                    map.tables(|entries| self.open_table(&entries));
                    for value in map.reached() {
                        self.add_bytes(size_of::<Value>());
                        self.put(value);
                    }
                }
                _ => {}
            }
        }
    }

    /// Puts a list on the scale.
    pub fn add_list(&mut self, list: &List) {
        self.add(&Value::List(list.clone()));
    }

    /// Puts entries on the scale that were taken out of a map.
    pub fn add_entries(&mut self, entries: &Entries) {
        self.open_table(entries);
        self.add(&Value::Nil);
    }

    /// Adds bytes that no value holds.
    pub fn add_bytes(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// The bytes on the scale.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn first_time(&mut self, address: usize, bytes: usize) -> bool {
        let new = self.seen.insert(address);
        if new {
            self.add_bytes(bytes + HEADER);
        }
        new
    }

    fn put(&mut self, value: &Value) {
        match value {
            Value::Str(text) => self.put_str(text),
            Value::Bytes(bytes) => {
                self.first_time(bytes.as_ptr().addr(), bytes.len());
            }
            Value::List(list) => {
                if self.first_time(list.address(), list.len() * size_of::<Value>()) {
                    self.pending.push(value.clone());
                }
            }
            Value::Map(map) => {
                if self.first_time(map.address(), 2 * HEADER) {
                    self.pending.push(value.clone());
                }
            }
            Value::Object(object) => {
                self.first_time(std::sync::Arc::as_ptr(object).addr(), OBJECT);
            }
            Value::Nil | Value::Bool(_) | Value::Int(..) | Value::Float(_) | Value::Complex(_) => {}
        }
    }

    fn put_str(&mut self, text: &Str) {
        if let Some(bytes) = text.heap() {
            self.first_time(bytes.as_ptr().addr(), bytes.len());
        }
    }

    fn open_list(&mut self, list: &List) {
        list.iter().for_each(|value| self.put(value));
    }

    fn open_table(&mut self, entries: &Entries) {
        let size = entries.len() * size_of::<(Str, Value)>();
        if self.first_time(entries.address(), size) {
            for (key, value) in entries.iter() {
                self.put_str(key);
                self.put(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Map;

    fn weigh(value: &Value) -> u64 {
        let mut scale = Scale::new();
        scale.add(value);
        scale.bytes()
    }

    #[test]
    fn shared_pieces_count_once() {
        let text = Value::from("x".repeat(1000));
        let one = weigh(&text);
        assert!((1000..1100).contains(&one), "{one}");
        let many = Value::list(vec![text; 100]);
        assert!((3000..5000).contains(&weigh(&many)), "{}", weigh(&many));
    }

    #[test]
    fn cycles_end_and_depth_is_no_matter() {
        let map = Map::new();
        map.insert("self".into(), Value::Map(map.clone()));
        assert!(weigh(&Value::Map(map.clone())) < 1000);
        map.remove(b"self");
        let mut deep = Value::Nil;
        for _ in 0..200_000 {
            deep = Value::list(vec![deep]);
        }
        assert!(weigh(&deep) > 200_000 * 24);
    }

    #[test]
    fn lazy_maps_stay_lazy() {
        let lazy = Map::lazy(crate::MapType::ANY, || -> Vec<(Str, Value)> {
            unreachable!("nobody looked")
        });
        assert!(weigh(&Value::Map(lazy)) < 200);
    }
}
