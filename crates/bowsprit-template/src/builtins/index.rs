//! `index`, `slice`, `len`.

use crate::vm::{Slot, Static};
use bowsprit_value::{Elem, FuncError, IntKind, Kind, List, Object, Str, Value};
use std::sync::Arc;

fn fail<T>(message: impl Into<Str>) -> Result<T, FuncError> {
    Err(FuncError::new(message))
}

/// The position that an index means, which may be the length itself.
fn position(index: &Value, len: usize) -> Result<usize, FuncError> {
    match index {
        Value::Int(kind, n) => {
            let x = if kind.is_unsigned() { i64::try_from(*n as u64).unwrap_or(-1) } else { *n };
            match usize::try_from(x) {
                Ok(at) if at <= len => Ok(at),
                _ => fail(format!("index out of range: {n}")),
            }
        }
        Value::Nil => fail("cannot index slice/array with nil"),
        Value::Object(o) if matches!(Object::kind(o.as_ref()), Kind::Int(_)) => match o.to_json() {
            Some(number @ Value::Int(..)) => position(&number, len),
            _ => fail(format!("cannot index slice/array with type {}", o.type_name())),
        },
        other => fail(format!("cannot index slice/array with type {}", other.type_name())),
    }
}

/// One step of `index`.
pub(crate) fn step(item: &Slot, key: &Value) -> Result<Slot, FuncError> {
    match &item.value {
        Value::Nil => fail("index of nil pointer"),
        Value::Map(map) => match key {
            Value::Str(name) => {
                let elem = map.ty().elem;
                let stat = if elem == Elem::Any { Static::Interface } else { Static::Concrete };
                let value = map.get(name.as_bytes()).unwrap_or_else(|| elem.zero());
                Ok(Slot { value, stat })
            }
            Value::Nil => fail("value is nil; should be of type string"),
            other => fail(format!("value has type {}; should be string", other.type_name())),
        },
        Value::List(list) => {
            let at = position(key, list.len())?;
            let any = list.ty().elem == Elem::Any;
            let stat = if any { Static::Interface } else { Static::Concrete };
            match list.get(at) {
                Some(value) => Ok(Slot { value: value.clone(), stat }),
                None => fail("reflect: slice index out of range"),
            }
        }
        Value::Str(s) => byte(s.as_bytes(), key, "reflect: string index out of range"),
        Value::Bytes(b) => byte(b, key, "reflect: slice index out of range"),
        other => {
            // Go looks behind pointers first.
            let name = other.type_name();
            fail(format!("can't index item of type {}", name.trim_start_matches('*')))
        }
    }
}

fn byte(bytes: &[u8], key: &Value, outside: &'static str) -> Result<Slot, FuncError> {
    let at = position(key, bytes.len())?;
    match bytes.get(at) {
        Some(byte) => {
            Ok(Slot { value: Value::Int(IntKind::Uint8, i64::from(*byte)), stat: Static::Concrete })
        }
        None => fail(outside),
    }
}

/// Go's `slice`, for hosts that do not replace it.
pub(crate) fn slice(args: &[Value]) -> Result<Value, FuncError> {
    let Some((item, indexes)) = args.split_first() else { return Ok(Value::Nil) };
    let len = match item {
        Value::Nil => return fail("slice of untyped nil"),
        Value::Str(_) if indexes.len() == 3 => return fail("cannot 3-index slice a string"),
        Value::Str(s) => s.len(),
        Value::Bytes(b) => b.len(),
        Value::List(l) => l.len(),
        other => return fail(format!("can't slice item of type {}", other.type_name())),
    };
    if indexes.len() > 3 {
        return fail(format!("too many slice indexes: {}", indexes.len()));
    }
    let mut bounds = [0, len, len];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, len)?;
    }
    let [from, to, cap] = bounds;
    if from > to {
        return fail(format!("invalid slice index: {from} > {to}"));
    }
    if to > cap {
        return fail(format!("invalid slice index: {to} > {cap}"));
    }
    Ok(match item {
        Value::Str(s) => Value::Str(Str::from(s.as_bytes().get(from..to).unwrap_or_default())),
        Value::Bytes(b) => Value::Bytes(Arc::from(b.get(from..to).unwrap_or_default())),
        Value::List(l) => {
            let items = l.as_slice().get(from..to).unwrap_or_default();
            Value::List(List::typed(l.ty(), items.to_vec()))
        }
        _ => Value::Nil,
    })
}

pub(crate) fn length(args: &[Value], stats: &[Static]) -> Result<Value, FuncError> {
    let len = match args.first() {
        Some(Value::Str(s)) => s.len(),
        Some(Value::Bytes(b)) => b.len(),
        Some(Value::List(l)) => l.len(),
        Some(Value::Map(m)) => m.len(),
        Some(Value::Nil) | None => {
            return match stats.first() {
                Some(Static::Interface) => fail("len of nil pointer"),
                _ => fail("reflect: call of reflect.Value.Type on zero Value"),
            };
        }
        Some(other) if other.kind() == Kind::Ptr => {
            let name = other.type_name();
            return fail(format!("len of type {}", name.trim_start_matches('*')));
        }
        Some(other) => return fail(format!("len of type {}", other.type_name())),
    };
    Ok(Value::int(len as i64))
}
