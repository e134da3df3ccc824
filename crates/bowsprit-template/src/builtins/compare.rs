//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`.

use crate::funcs::engine;
use bowsprit_value::{FuncError, Kind, Meter, Value, fmt};
use std::cmp::Ordering;

pub(crate) fn call(number: u16, args: &[Value]) -> Result<bool, FuncError> {
    let [first, rest @ ..] = args else { return Ok(false) };
    if number == engine::EQ {
        return any_eq(first, rest);
    }
    let Some(second) = rest.first() else { return Ok(false) };
    match number {
        engine::NE => eq(first, second).map(|equal| !equal),
        engine::LT => lt(first, second),
        engine::LE => le(first, second),
        engine::GT => le(first, second).map(|le| !le),
        _ => lt(first, second).map(|lt| !lt),
    }
}

fn any_eq(first: &Value, rest: &[Value]) -> Result<bool, FuncError> {
    if rest.is_empty() {
        return Err(FuncError::new("missing argument for comparison"));
    }
    for other in rest {
        if eq(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn le(first: &Value, second: &Value) -> Result<bool, FuncError> {
    Ok(lt(first, second)? || eq(first, second)?)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    Other,
    Bool,
    Complex,
    Int,
    Float,
    String,
    Uint,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Complex(_) => Basic::Complex,
        Value::Int(kind, _) if kind.is_unsigned() => Basic::Uint,
        Value::Int(..) => Basic::Int,
        Value::Float(_) => Basic::Float,
        Value::Str(_) => Basic::String,
        Value::Object(o) => match o.kind() {
            Kind::Int(kind) if kind.is_unsigned() => Basic::Uint,
            Kind::Int(_) => Basic::Int,
            Kind::Bool => Basic::Bool,
            Kind::Float64 => Basic::Float,
            Kind::String => Basic::String,
            _ => Basic::Other,
        },
        _ => Basic::Other,
    }
}

/// The basic value of a named type such as `time.Month`.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(o) if basic(value) != Basic::Other => o.to_json().unwrap_or_default(),
        other => other.clone(),
    }
}

#[cold]
fn incompatible<T>(a: &Value, b: &Value) -> Result<T, FuncError> {
    Err(FuncError::new(format!(
        "incompatible types for comparison: {} and {}",
        a.type_name(),
        b.type_name()
    )))
}

/// Integers compare by value whatever their sign.
fn compare_ints(a: &Value, b: &Value) -> Option<Ordering> {
    let (Value::Int(ka, a), Value::Int(kb, b)) = (a, b) else { return None };
    Some(match (ka.is_unsigned(), kb.is_unsigned()) {
        (false, false) => a.cmp(b),
        (true, true) => (*a as u64).cmp(&(*b as u64)),
        (false, true) if *a < 0 => Ordering::Less,
        (true, false) if *b < 0 => Ordering::Greater,
        _ => (*a as u64).cmp(&(*b as u64)),
    })
}

fn eq(a: &Value, b: &Value) -> Result<bool, FuncError> {
    let (ka, kb) = (basic(a), basic(b));
    let integers = matches!(ka, Basic::Int | Basic::Uint) && matches!(kb, Basic::Int | Basic::Uint);
    if integers {
        return Ok(compare_ints(&plain(a), &plain(b)) == Some(Ordering::Equal));
    }
    if ka != kb {
        return if a.is_nil() || b.is_nil() { Ok(false) } else { incompatible(a, b) };
    }
    match (plain(a), plain(b)) {
        (Value::Bool(x), Value::Bool(y)) => Ok(x == y),
        (Value::Float(x), Value::Float(y)) => Ok(x == y),
        (Value::Complex(x), Value::Complex(y)) => Ok(*x == *y),
        (Value::Str(x), Value::Str(y)) => Ok(x == y),
        _ => eq_other(a, b),
    }
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        _ => false,
    }
}

fn eq_other(a: &Value, b: &Value) -> Result<bool, FuncError> {
    if a.kind() != b.kind() && !a.is_nil() && !b.is_nil() {
        let (ta, tb) = (a.type_name(), b.type_name());
        return Err(FuncError::new(format!(
            "non-comparable types {}: {ta}, {tb}: {}",
            printed(a, b"%s")?,
            printed(b, b"%v")?
        )));
    }
    if is_nil(a) || is_nil(b) {
        return Ok(is_nil(a) == is_nil(b));
    }
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            Ok(x.type_name() == y.type_name() && x.equals(y.as_ref()))
        }
        _ => Err(FuncError::new(format!(
            "non-comparable type {}: {}",
            printed(b, b"%s")?,
            b.type_name()
        ))),
    }
}

fn printed(value: &Value, format: &[u8]) -> Result<String, FuncError> {
    let mut out = Vec::new();
    fmt::sprintf(format, std::slice::from_ref(value), &mut out, &Meter::default())?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn lt(a: &Value, b: &Value) -> Result<bool, FuncError> {
    let (ka, kb) = (basic(a), basic(b));
    if ka == Basic::Other || kb == Basic::Other {
        return Err(FuncError::new("invalid type for comparison"));
    }
    let integers = matches!(ka, Basic::Int | Basic::Uint) && matches!(kb, Basic::Int | Basic::Uint);
    if integers {
        return Ok(compare_ints(&plain(a), &plain(b)) == Some(Ordering::Less));
    }
    if ka != kb {
        return incompatible(a, b);
    }
    match (plain(a), plain(b)) {
        (Value::Float(x), Value::Float(y)) => Ok(x < y),
        (Value::Str(x), Value::Str(y)) => Ok(x < y),
        _ => Err(FuncError::new("invalid type for comparison")),
    }
}
