//! Truth as `if`, `and`, `or`, `not` and `with` see it.

use crate::{Kind, Object, Value};

/// Go's `template.IsTrue`: false for nil, false, zero, and empty strings, lists and maps; structs are
/// always true.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Nil => false,
        Value::Bool(b) => *b,
        Value::Int(_, v) => *v != 0,
        Value::Float(v) => *v != 0.0,
        Value::Complex(c) => c.0 != 0.0 || c.1 != 0.0,
        Value::Str(s) => !s.is_empty(),
        Value::Bytes(b) => !b.is_empty(),
        Value::List(l) => !l.is_empty(),
        Value::Map(m) => !m.is_empty(),
        Value::Object(o) => match Object::kind(o.as_ref()) {
            Kind::Int(_) | Kind::Slice | Kind::Map => o.to_json().is_some_and(|v| plain_truth(&v)),
            _ => true,
        },
    }
}

fn plain_truth(value: &Value) -> bool {
    !matches!(value, Value::Object(_)) && is_true(value)
}
