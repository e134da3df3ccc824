//! Equality and order: `reflect.DeepEqual`, and the comparison functions of `text/template`.

use crate::{FuncError, Kind, List, Map, Meter, Object, Str, Value, fmt};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Go's `reflect.DeepEqual`: same dynamic types all the way down, nil no equal of empty, NaN no equal
/// of itself, cycles no problem.
///
/// ```
/// use bowsprit_value::{Value, deep_equal};
///
/// let list = |v| Value::list(vec![v]);
/// assert!(deep_equal(&list(Value::int(1)), &list(Value::int(1))));
/// assert!(!deep_equal(&list(Value::int(1)), &list(Value::int64(1))));
/// assert!(!deep_equal(&list("a".into()), &Value::strings(["a".into()])));
/// ```
pub fn deep_equal(a: &Value, b: &Value) -> bool {
    match shallow_equal(a, b) {
        Shallow::Equal => return true,
        Shallow::Different => return false,
        Shallow::Contents => {}
    }
    let mut pending = vec![(a.clone(), b.clone())];
    let mut seen = BTreeSet::new();
    while let Some((a, b)) = pending.pop() {
        let same = match (&a, &b) {
            (Value::List(a), Value::List(b)) => {
                !first_visit(&mut seen, a.id(), b.id()) || lists_equal(a, b, &mut pending)
            }
            (Value::Map(a), Value::Map(b)) => {
                !first_visit(&mut seen, a.id(), b.id()) || maps_equal(a, b, &mut pending)
            }
            _ => false,
        };
        if !same {
            return false;
        }
    }
    true
}

enum Shallow {
    Equal,
    Different,
    /// Two containers of one type and size, whose items decide.
    Contents,
}

impl From<bool> for Shallow {
    fn from(equal: bool) -> Shallow {
        if equal { Shallow::Equal } else { Shallow::Different }
    }
}

fn shallow_equal(a: &Value, b: &Value) -> Shallow {
    let contents = |same_type: bool, len: usize, same: bool| match (same_type, same || len == 0) {
        (false, _) => Shallow::Different,
        (true, true) => Shallow::Equal,
        (true, false) => Shallow::Contents,
    };
    Shallow::from(match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(ka, a), Value::Int(kb, b)) => ka == kb && a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Complex(a), Value::Complex(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::Object(a), Value::Object(b)) => {
            Arc::ptr_eq(a, b) || a.type_name() == b.type_name() && a.equals(b.as_ref())
        }
        (Value::List(a), Value::List(b)) => {
            let same_form = a.len() == b.len() && a.is_nil() == b.is_nil();
            return contents(same_form && a.ty().same(&b.ty()), a.len(), a.ptr_eq(b));
        }
        (Value::Map(a), Value::Map(b)) => {
            let same_form = a.len() == b.len() && a.is_nil() == b.is_nil();
            return contents(same_form && a.ty().same(&b.ty()), a.len(), a.ptr_eq(b));
        }
        _ => false,
    })
}

/// A pair that is being compared, or has been, is taken for equal when it comes again.
fn first_visit(seen: &mut BTreeSet<(usize, usize)>, a: usize, b: usize) -> bool {
    seen.insert((a.min(b), a.max(b)))
}

fn lists_equal(a: &List, b: &List, pending: &mut Vec<(Value, Value)>) -> bool {
    a.iter().zip(b).all(|(a, b)| item_equal(a, b, pending))
}

fn maps_equal(a: &Map, b: &Map, pending: &mut Vec<(Value, Value)>) -> bool {
    let (a, b) = (a.peek(), b.peek());
    a.iter().zip(b.iter()).all(|((ka, a), (kb, b))| ka == kb && item_equal(a, b, pending))
}

fn item_equal(a: &Value, b: &Value, pending: &mut Vec<(Value, Value)>) -> bool {
    match shallow_equal(a, b) {
        Shallow::Equal => true,
        Shallow::Different => false,
        Shallow::Contents => {
            pending.push((a.clone(), b.clone()));
            true
        }
    }
}

/// A value as `eq` and `lt` see it.
enum Basic {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Complex((f64, f64)),
    Str(Str),
    Other,
}

fn basic(v: &Value) -> Basic {
    match v {
        Value::Bool(b) => Basic::Bool(*b),
        Value::Int(kind, n) if kind.is_unsigned() => Basic::Uint(n.cast_unsigned()),
        Value::Int(_, n) => Basic::Int(*n),
        Value::Float(f) => Basic::Float(*f),
        Value::Complex(c) => Basic::Complex(**c),
        Value::Str(s) => Basic::Str(s.clone()),
        Value::Object(o) => match Object::kind(o.as_ref()) {
            Kind::Bool | Kind::Int(_) | Kind::Float64 | Kind::String => match o.to_json() {
                Some(Value::Object(_)) | None => Basic::Other,
                Some(plain) => basic(&plain),
            },
            _ => Basic::Other,
        },
        Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) => Basic::Other,
    }
}

/// `eq` of `text/template` for two arguments.
///
/// # Errors
///
/// With Go's text where the two can't be compared: an integer and a float, two lists. Nil can be
/// compared with anything.
///
/// ```
/// use bowsprit_value::{Meter, Value, eq};
///
/// let meter = Meter::default();
/// assert_eq!(eq(&Value::int(1), &Value::int64(1), &meter), Ok(true));
/// assert_eq!(
///     eq(&Value::int(1), &Value::Float(1.0), &meter).unwrap_err().to_string(),
///     "incompatible types for comparison: int and float64",
/// );
/// ```
pub fn eq(a: &Value, b: &Value, meter: &Meter) -> Result<bool, FuncError> {
    Ok(match (basic(a), basic(b)) {
        (Basic::Bool(a), Basic::Bool(b)) => a == b,
        (Basic::Int(a), Basic::Int(b)) => a == b,
        (Basic::Uint(a), Basic::Uint(b)) => a == b,
        (Basic::Int(a), Basic::Uint(b)) | (Basic::Uint(b), Basic::Int(a)) => {
            u64::try_from(a).is_ok_and(|a| a == b)
        }
        (Basic::Float(a), Basic::Float(b)) => a == b,
        (Basic::Complex(a), Basic::Complex(b)) => a == b,
        (Basic::Str(a), Basic::Str(b)) => a == b,
        (Basic::Other, Basic::Other) => return eq_others(a, b, meter),
        _ if a.is_nil() || b.is_nil() => false,
        _ => return Err(incompatible(a, b)),
    })
}

fn eq_others(a: &Value, b: &Value, meter: &Meter) -> Result<bool, FuncError> {
    let (kind_a, kind_b) = (a.kind(), b.kind());
    if kind_a != kind_b && kind_a != Kind::Invalid && kind_b != Kind::Invalid {
        let mut text = b"non-comparable types ".to_vec();
        fmt::sprintf(b"%s", std::slice::from_ref(a), &mut text, meter)?;
        text.extend_from_slice(format!(": {}, {}: ", a.type_name(), b.type_name()).as_bytes());
        fmt::print_value(b, &mut text, meter)?;
        return Err(FuncError::new(text));
    }
    if is_nil(a) || is_nil(b) {
        return Ok(is_nil(a) == is_nil(b));
    }
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => match kind_b {
            Kind::Ptr => Ok(Arc::ptr_eq(x, y)),
            Kind::Struct => Ok(x.type_name() == y.type_name() && x.equals(y.as_ref())),
            _ => non_comparable(b, meter),
        },
        _ => non_comparable(b, meter),
    }
}

/// Go formats a `reflect.Value` with `%s` here, so that numbers inside come out as mistakes.
fn non_comparable(v: &Value, meter: &Meter) -> Result<bool, FuncError> {
    let mut text = b"non-comparable type ".to_vec();
    fmt::sprintf(b"%s", std::slice::from_ref(v), &mut text, meter)?;
    text.extend_from_slice(format!(": {}", v.type_name()).as_bytes());
    Err(FuncError::new(text))
}

fn is_nil(v: &Value) -> bool {
    match v {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        _ => false,
    }
}

#[cold]
fn incompatible(a: &Value, b: &Value) -> FuncError {
    let (a, b) = (a.type_name(), b.type_name());
    FuncError::new(format!("incompatible types for comparison: {a} and {b}"))
}

#[cold]
fn bad_comparison() -> FuncError {
    FuncError::new("invalid type for comparison")
}

/// The order of two values; `None` where a NaN is one of them.
fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, FuncError> {
    let ordering = match (basic(a), basic(b)) {
        (Basic::Other, _) | (_, Basic::Other) => return Err(bad_comparison()),
        (Basic::Int(a), Basic::Int(b)) => a.cmp(&b),
        (Basic::Uint(a), Basic::Uint(b)) => a.cmp(&b),
        (Basic::Int(a), Basic::Uint(b)) => u64::try_from(a).map_or(Ordering::Less, |a| a.cmp(&b)),
        (Basic::Uint(a), Basic::Int(b)) => {
            u64::try_from(b).map_or(Ordering::Greater, |b| a.cmp(&b))
        }
        (Basic::Str(a), Basic::Str(b)) => a.cmp(&b),
        (Basic::Float(a), Basic::Float(b)) => return Ok(a.partial_cmp(&b)),
        (Basic::Bool(_), Basic::Bool(_)) | (Basic::Complex(_), Basic::Complex(_)) => {
            return Err(bad_comparison());
        }
        _ => return Err(incompatible(a, b)),
    };
    Ok(Some(ordering))
}

/// `lt` of `text/template`.
///
/// # Errors
///
/// With Go's text for anything but two numbers of one family or two strings.
pub fn lt(a: &Value, b: &Value) -> Result<bool, FuncError> {
    Ok(order(a, b)? == Some(Ordering::Less))
}

/// `le` of `text/template`.
///
/// # Errors
///
/// As [`lt`].
pub fn le(a: &Value, b: &Value) -> Result<bool, FuncError> {
    Ok(matches!(order(a, b)?, Some(Ordering::Less | Ordering::Equal)))
}

/// `gt` of `text/template`, which is "not `le`", also for NaN.
///
/// # Errors
///
/// As [`lt`].
pub fn gt(a: &Value, b: &Value) -> Result<bool, FuncError> {
    le(a, b).map(|le| !le)
}

/// `ge` of `text/template`, which is "not `lt`", also for NaN.
///
/// # Errors
///
/// As [`lt`].
pub fn ge(a: &Value, b: &Value) -> Result<bool, FuncError> {
    lt(a, b).map(|lt| !lt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ListType, MapType};

    #[test]
    fn cycles_end() {
        let make = || {
            let map = Map::new();
            map.insert("self".into(), Value::list(vec![Value::Map(map.clone())]));
            map
        };
        let (a, b) = (make(), make());
        assert!(deep_equal(&Value::Map(a.clone()), &Value::Map(b.clone())));
        b.insert("x".into(), Value::Nil);
        assert!(!deep_equal(&Value::Map(a.clone()), &Value::Map(b.clone())));
        a.remove(b"self");
        b.remove(b"self");
    }

    #[test]
    fn shared_pairs_are_compared_once() {
        let make = || {
            let mut v = Value::list(vec![Value::int(1)]);
            for _ in 0..200 {
                v = Value::list(vec![v.clone(), v]);
            }
            v
        };
        assert!(deep_equal(&make(), &make()));
    }

    #[test]
    fn nil_and_nan() {
        let nan = Value::list(vec![Value::Float(f64::NAN)]);
        assert!(deep_equal(&nan, &nan.clone()));
        assert!(!deep_equal(&nan, &Value::list(vec![Value::Float(f64::NAN)])));
        let nil = Value::List(List::nil(ListType::ANY));
        assert!(!deep_equal(&nil, &Value::list(vec![])));
        assert!(!deep_equal(&Value::Nil, &nil));
        let meter = Meter::default();
        assert_eq!(eq(&Value::Nil, &nil, &meter), Ok(true));
        assert_eq!(eq(&Value::Nil, &Value::int(0), &meter), Ok(false));
        assert_eq!(eq(&Value::Map(Map::nil(MapType::ANY)), &Value::Nil, &meter), Ok(true));
    }

    #[test]
    fn errors_say_what_go_says() {
        let meter = Meter::default();
        let text = |r: Result<bool, FuncError>| r.unwrap_err().to_string();
        let list = Value::list(vec![Value::int(1)]);
        assert_eq!(
            text(eq(&list, &list, &meter)),
            "non-comparable type [%!s(int=1)]: []interface {}"
        );
        assert_eq!(
            text(eq(&list, &Value::Map(Map::new()), &meter)),
            "non-comparable types [%!s(int=1)]: []interface {}, map[string]interface {}: map[]"
        );
        assert_eq!(text(lt(&Value::Nil, &Value::int(1))), "invalid type for comparison");
        assert_eq!(
            text(gt(&Value::Float(1.0), &Value::int(1))),
            "incompatible types for comparison: float64 and int"
        );
        assert_eq!(ge(&Value::Float(f64::NAN), &Value::Float(1.0)), Ok(true));
        assert_eq!(lt(&Value::int(-1), &Value::Int(crate::IntKind::Uint, 0)), Ok(true));
    }
}
