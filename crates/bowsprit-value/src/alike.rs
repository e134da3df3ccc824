//! Values that templates can't tell apart.

use crate::{List, Map, Str, Value};
use std::sync::Arc;

/// Larger containers are alike only if they are the same one.
const MOST: usize = 16;

/// Deeper ones too.
const DEEPEST: u32 = 3;

/// So many values are compared, and a string counts for one more with each 64 bytes: calls are frequent, and a
/// chart can make many values for each.
const EFFORT: usize = 256;

/// Whether work that reads one value gives the same with the other, as long as neither is written. Says so
/// only where it is quickly seen: of most maps that they are one, of small ones that were made in the run
/// ([`Map::moment`]) that they have the same in them.
///
/// ```
/// use bowsprit_value::{Map, Value, alike};
///
/// let one = Value::Map(Map::new());
/// assert!(alike(&one, &one.clone()));
/// assert!(!alike(&one, &Value::Map(Map::new())));
/// assert!(!alike(&Value::int(1), &Value::int64(1)));
/// ```
pub fn alike(a: &Value, b: &Value) -> bool {
    let mut effort = EFFORT;
    below(a, b, 0, &mut effort)
}

fn below(a: &Value, b: &Value, depth: u32, effort: &mut usize) -> bool {
    let Some(left) = effort.checked_sub(1) else { return false };
    *effort = left;
    match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a_kind, a), Value::Int(b_kind, b)) => a_kind == b_kind && a == b,
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        (Value::Complex(a), Value::Complex(b)) => Arc::ptr_eq(a, b),
        (Value::Str(a), Value::Str(b)) => strings(a, b, effort),
        (Value::Bytes(a), Value::Bytes(b)) => Arc::ptr_eq(a, b),
        (Value::List(a), Value::List(b)) => lists(a, b, depth, effort),
        (Value::Map(a), Value::Map(b)) => maps(a, b, depth, effort),
        (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

fn strings(a: &Str, b: &Str, effort: &mut usize) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if std::ptr::eq(a.as_bytes(), b.as_bytes()) {
        return true;
    }
    let Some(left) = effort.checked_sub(a.len() / 64) else { return false };
    *effort = left;
    a == b
}

fn lists(a: &List, b: &List, depth: u32, effort: &mut usize) -> bool {
    if a.address() == b.address() {
        return true;
    }
    let same = a.ty().same(&b.ty()) && a.is_nil() == b.is_nil() && a.len() == b.len();
    let mut items = || a.iter().zip(b.iter()).all(|(a, b)| below(a, b, depth + 1, effort));
    same && a.len() <= MOST && depth < DEEPEST && items()
}

fn maps(a: &Map, b: &Map, depth: u32, effort: &mut usize) -> bool {
    if !a.ty().same(&b.ty()) || a.is_nil() != b.is_nil() {
        return false;
    }
    if a.ptr_eq(b) {
        return true;
    }
    if a.moment() == 0 || b.moment() == 0 || depth >= DEEPEST {
        return false;
    }
    let (a, b) = (a.peek(), b.peek());
    let entry =
        |((a_key, a), (b_key, b))| strings(a_key, b_key, effort) && below(a, b, depth + 1, effort);
    a.len() == b.len() && a.len() <= MOST && a.iter().zip(b.iter()).all(entry)
}

/// A number that is the same for values that are [`alike`], and seldom for others.
pub fn mark(value: &Value) -> u64 {
    let mut effort = EFFORT;
    marked(value, 0, &mut effort)
}

fn mixed(a: u64, b: u64) -> u64 {
    (a.rotate_left(5) ^ b).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn text(bytes: &[u8]) -> u64 {
    let (head, tail) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>());
    match (head, tail) {
        (Some(head), Some(tail)) => {
            let ends = mixed(u64::from_le_bytes(*head), u64::from_le_bytes(*tail));
            mixed(ends, bytes.len() as u64)
        }
        _ => bytes.iter().fold(bytes.len() as u64, |sum, byte| sum << 8 | u64::from(*byte)),
    }
}

fn marked(value: &Value, depth: u32, effort: &mut usize) -> u64 {
    // The rest of what is too large tells nothing more: that is not alike.
    let Some(left) = effort.checked_sub(1) else { return 0 };
    *effort = left;
    match value {
        Value::Nil => 1,
        Value::Bool(is) => 2 + u64::from(*is),
        Value::Int(_, number) => number.cast_unsigned(),
        Value::Float(number) => number.to_bits(),
        Value::Complex(_) | Value::Bytes(_) | Value::Object(_) => 4,
        Value::Str(str) => text(str.as_bytes()),
        Value::List(list) if depth < DEEPEST && list.len() <= MOST => {
            list.iter().fold(5, |sum, item| mixed(sum, marked(item, depth + 1, effort)))
        }
        Value::List(list) => list.len() as u64,
        Value::Map(map) if map.moment() == 0 => map.id() as u64,
        Value::Map(map) if depth < DEEPEST && map.len() <= MOST => {
            let entries = map.peek();
            let entry = |sum, (key, item): (&Str, &Value)| {
                mixed(mixed(sum, text(key.as_bytes())), marked(item, depth + 1, effort))
            };
            entries.iter().fold(6, entry)
        }
        Value::Map(map) => map.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapType;

    fn made(entries: &[(&str, Value)]) -> Value {
        let map = Map::from_entries(entries.iter().map(|(k, v)| (Str::from(*k), v.clone())));
        map.made_at(1);
        Value::Map(map)
    }

    #[test]
    fn small_maps_of_the_run_are_compared_by_what_is_in_them() {
        let old = Value::Map(Map::new());
        let one = |last: Value| made(&[("a", Value::int(1)), ("b", old.clone()), ("c", last)]);
        assert!(alike(&one(Value::from("x")), &one(Value::from("x"))));
        assert_eq!(mark(&one(Value::from("x"))), mark(&one(Value::from("x"))));
        assert_ne!(mark(&one(Value::from("x"))), mark(&one(Value::from("y"))));
        assert!(!alike(&one(Value::from("x")), &one(Value::from("y"))));
        assert!(!alike(&one(Value::Nil), &one(Value::Map(Map::new()))));
        let list = |last| one(Value::list(vec![one(Value::Nil), last]));
        assert!(alike(&list(Value::Bool(true)), &list(Value::Bool(true))));
        assert_eq!(mark(&list(Value::Bool(true))), mark(&list(Value::Bool(true))));
        assert!(!alike(&list(Value::Bool(true)), &list(Value::Bool(false))));
        assert!(!alike(&one(Value::Nil), &made(&[("a", Value::int(1)), ("b", old.clone())])));
    }

    #[test]
    fn what_takes_long_to_compare_is_alike_only_if_it_is_one() {
        let text = || Value::from("x".repeat(100_000));
        let one = text();
        assert!(alike(&one, &one.clone()) && !alike(&one, &text()));
        let few = || made(&[("a", Value::list(vec![made(&[("b", Value::from("c"))]); 16]))]);
        let many = || Value::list(vec![Value::list(vec![few(); 16]); 16]);
        assert!(alike(&few(), &few()) && !alike(&many(), &many()));
        assert_eq!(mark(&many()), mark(&many()));
    }

    #[test]
    fn types_are_told_apart() {
        let map = Map::new();
        let view = map.view(MapType::STRINGS);
        assert!(!alike(&Value::Map(map.clone()), &Value::Map(view)));
        assert!(alike(&Value::Map(map.clone()), &Value::Map(map.view(MapType::ANY))));
        assert!(!alike(&Value::Float(0.0), &Value::Float(-0.0)));
        assert!(alike(&Value::Float(f64::NAN), &Value::Float(f64::NAN)));
        assert!(!alike(&Value::list(vec![]), &Value::strings([])));
    }
}
