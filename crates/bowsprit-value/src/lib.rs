//! The dynamic value that Go templates observe.
//!
//! Helm's templates run on Go's reflection, and what Go distinguishes shows: an `int` is no `float64`,
//! a `[]string` is no `[]interface {}`, a nil slice is no empty slice. [`Value`] models what is
//! observable and nothing else. Strings are bytes ([`Str`]), lists are immutable ([`List`]), maps are
//! references that `set` changes for every alias ([`Map`]), and things with methods are [`Object`]s.
//!
//! The crate also holds what every template function sees: its signature ([`Func`]), its arguments
//! ([`Args`]), the one door to clock, randomness and cluster ([`Host`]), and the meters that stop a
//! hostile template ([`Meter`]). It does no I/O and knows no template language.
//!
//! ```
//! use bowsprit_value::{Map, Value};
//!
//! let map = Map::new();
//! map.insert("a".into(), Value::int(1));
//! let alias = map.clone();
//! alias.insert("b".into(), Value::from("two"));
//! assert_eq!(map.len(), 2);
//! ```

mod alike;
pub mod codec;
mod detach;
mod equal;
pub mod fmt;
mod func;
mod history;
mod host;
pub mod json;
mod kind;
mod list;
mod map;
mod meter;
mod object;
mod path;
mod str;
pub mod strconv;
mod truth;
pub mod unicode;
mod weigh;

pub use alike::{alike, mark};
pub use equal::{deep_equal, eq, ge, gt, le, lt};
pub use func::{Args, Func, FuncError, FuncErrorKind, FuncImpl, Param, PureFn};
pub use history::History;
pub use host::{Hermetic, Host, HostError, Timestamp};
pub use kind::{Elem, IntKind, Kind, Type};
pub use list::{List, ListType};
pub use map::{Entries, Map, MapType, Peeked};
pub use meter::{LimitKind, Limits, Meter};
pub use object::{Field, Method, MethodFn, NamedType, Object};
pub use str::Str;
pub use truth::is_true;
pub use weigh::Scale;

use std::sync::Arc;

/// One datum as a Go template sees it.
///
/// `Nil` is Go's nil interface value: a missing key, an explicit `null`, the `nil` literal. Typed nils
/// are lists and maps that say so ([`List::is_nil`], [`Map::is_nil`]).
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// The nil interface.
    #[default]
    Nil,
    /// `bool`.
    Bool(bool),
    /// Any of Go's integer types; unsigned 64-bit values are stored by their bits.
    Int(IntKind, i64),
    /// `float64`.
    Float(f64),
    /// `complex128`, which only a template literal such as `1i` makes.
    Complex(Arc<(f64, f64)>),
    /// `string`: bytes, usually UTF-8.
    Str(Str),
    /// `[]uint8`.
    Bytes(Arc<[u8]>),
    /// Any other slice.
    List(List),
    /// Any map with string keys.
    Map(Map),
    /// Structs, pointers and named types with methods.
    Object(Arc<dyn Object>),
}

impl Value {
    /// A Go `int`.
    pub const fn int(v: i64) -> Value {
        Value::Int(IntKind::Int, v)
    }

    /// A Go `int64`.
    pub const fn int64(v: i64) -> Value {
        Value::Int(IntKind::Int64, v)
    }

    /// A `string`.
    pub fn str(s: impl Into<Str>) -> Value {
        Value::Str(s.into())
    }

    /// A `[]interface {}`.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(List::new(items))
    }

    /// A `[]string`.
    pub fn strings(items: impl IntoIterator<Item = Str>) -> Value {
        Value::List(List::strings(items))
    }

    /// An object.
    pub fn object(object: impl Object) -> Value {
        Value::Object(Arc::new(object))
    }

    /// True for the nil interface only; a nil list or map is not `Nil`.
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    /// The string's bytes, if this is a `string`.
    pub fn as_str(&self) -> Option<&Str> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The map, if this is one (of any element type).
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(m) => Some(m),
            _ => None,
        }
    }

    /// The list, if this is one (of any element type); a `[]uint8` is not.
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Value::List(l) => Some(l),
            _ => None,
        }
    }

    /// The object downcast to a Rust type.
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        match self {
            Value::Object(o) => object::downcast(o.as_ref()),
            _ => None,
        }
    }

    /// True where a value can contain other values.
    pub fn is_container(&self) -> bool {
        matches!(self, Value::List(_) | Value::Map(_))
    }

    /// Whether it is a container that ends with this value.
    pub(crate) fn is_container_of_one(&self) -> bool {
        match self {
            Value::List(list) => list.is_of_one(),
            Value::Map(map) => map.is_of_one(),
            _ => false,
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}

impl From<f64> for Value {
    fn from(f: f64) -> Value {
        Value::Float(f)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Value {
        Value::Str(s.into())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Value {
        Value::Str(s.into())
    }
}

impl From<Str> for Value {
    fn from(s: Str) -> Value {
        Value::Str(s)
    }
}

impl From<Map> for Value {
    fn from(m: Map) -> Value {
        Value::Map(m)
    }
}

impl From<List> for Value {
    fn from(l: List) -> Value {
        Value::List(l)
    }
}

/// Frees containers without recursion: a template can nest values deeper than any native stack.
pub(crate) fn drop_deep(mut pending: Vec<Value>) {
    while let Some(value) = pending.pop() {
        match value {
            Value::List(list) => list.dismantle(&mut pending),
            Value::Map(map) => map.dismantle(&mut pending),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared<T: Send + Sync>() {}

    #[test]
    fn values_cross_threads_and_stay_small() {
        shared::<Value>();
        assert_eq!(size_of::<Value>(), 24);
        assert_eq!(size_of::<Option<Value>>(), 24);
    }

    #[test]
    fn deep_values_are_freed_without_recursion() {
        let mut value = Value::Nil;
        for i in 0..1_000_000 {
            value = if i % 2 == 0 {
                Value::list(vec![value])
            } else {
                let map = Map::new();
                map.insert("k".into(), value);
                Value::Map(map)
            };
        }
        drop(value);
    }
}
