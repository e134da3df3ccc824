//! Go's kinds and the names of its types.

use crate::{Value, object};
use std::borrow::Cow;
use std::fmt;

/// Go's integer types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum IntKind {
    Int,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
}

impl IntKind {
    /// All of them.
    pub const ALL: [IntKind; 10] = [
        IntKind::Int,
        IntKind::Int8,
        IntKind::Int16,
        IntKind::Int32,
        IntKind::Int64,
        IntKind::Uint,
        IntKind::Uint8,
        IntKind::Uint16,
        IntKind::Uint32,
        IntKind::Uint64,
    ];

    /// Go's name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            IntKind::Int => "int",
            IntKind::Int8 => "int8",
            IntKind::Int16 => "int16",
            IntKind::Int32 => "int32",
            IntKind::Int64 => "int64",
            IntKind::Uint => "uint",
            IntKind::Uint8 => "uint8",
            IntKind::Uint16 => "uint16",
            IntKind::Uint32 => "uint32",
            IntKind::Uint64 => "uint64",
        }
    }

    /// Keeps the bits that the type has room for, as Go's conversions do.
    pub const fn wrap(self, v: i64) -> i64 {
        match self {
            IntKind::Int8 => v as i8 as i64,
            IntKind::Int16 => v as i16 as i64,
            IntKind::Int32 => v as i32 as i64,
            IntKind::Uint8 => v as u8 as i64,
            IntKind::Uint16 => v as u16 as i64,
            IntKind::Uint32 => v as u32 as i64,
            IntKind::Int | IntKind::Int64 | IntKind::Uint | IntKind::Uint64 => v,
        }
    }

    /// True for the unsigned types, whose values are stored by their bits.
    pub const fn is_unsigned(self) -> bool {
        matches!(
            self,
            IntKind::Uint | IntKind::Uint8 | IntKind::Uint16 | IntKind::Uint32 | IntKind::Uint64
        )
    }
}

/// `reflect.Kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    Invalid,
    Bool,
    Int(IntKind),
    Float64,
    Complex128,
    String,
    Slice,
    Array,
    Map,
    Struct,
    Ptr,
    Func,
    Interface,
}

impl Kind {
    /// The text of Go's `Kind.String`.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Invalid => "invalid",
            Kind::Bool => "bool",
            Kind::Int(k) => k.name(),
            Kind::Float64 => "float64",
            Kind::Complex128 => "complex128",
            Kind::String => "string",
            Kind::Slice => "slice",
            Kind::Array => "array",
            Kind::Map => "map",
            Kind::Struct => "struct",
            Kind::Ptr => "ptr",
            Kind::Func => "func",
            Kind::Interface => "interface",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The element type of a list or map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Elem {
    /// `interface {}`.
    Any,
    /// `string`.
    String,
    /// `int`.
    Int,
    /// `uint8`; only the nil slice of it is a list, others are `Value::Bytes`.
    Uint8,
    /// `[]uint8`.
    Bytes,
    /// `[]interface {}`.
    List,
    /// `map[string]interface {}`.
    Map,
}

impl Elem {
    /// Go's name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            Elem::Any => "interface {}",
            Elem::String => "string",
            Elem::Int => "int",
            Elem::Uint8 => "uint8",
            Elem::Bytes => "[]uint8",
            Elem::List => "[]interface {}",
            Elem::Map => "map[string]interface {}",
        }
    }

    /// The value that Go's zero of this type is; nil for `interface {}`.
    pub fn zero(self) -> Value {
        match self {
            Elem::Any => Value::Nil,
            Elem::String => Value::Str(crate::Str::default()),
            Elem::Int => Value::int(0),
            Elem::Uint8 => Value::Int(IntKind::Uint8, 0),
            Elem::Bytes => Value::List(crate::List::nil(crate::ListType::of(Elem::Uint8))),
            Elem::List => Value::List(crate::List::nil(crate::ListType::ANY)),
            Elem::Map => Value::Map(crate::Map::nil(crate::MapType::ANY)),
        }
    }
}

/// A Go type as a function's parameter or result has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`.
    Any,
    /// `bool`.
    Bool,
    /// One of the integer types.
    Int(IntKind),
    /// `float64`.
    Float64,
    /// `string`.
    String,
    /// `[]uint8`.
    Bytes,
    /// A slice.
    List(Elem),
    /// A map with string keys.
    Map(Elem),
    /// A named type: struct, pointer or other.
    Named(&'static str),
    /// A named integer type, such as `time.Duration`; literals come as plain integers.
    NamedInt(&'static str, IntKind),
    /// `reflect.Value`: the argument as it is, with its static type.
    Reflect,
}

impl Type {
    /// `int`.
    pub const INT: Type = Type::Int(IntKind::Int);
    /// `int64`.
    pub const INT64: Type = Type::Int(IntKind::Int64);
    /// `[]interface {}`.
    pub const LIST: Type = Type::List(Elem::Any);
    /// `map[string]interface {}`.
    pub const MAP: Type = Type::Map(Elem::Any);

    /// Whether a value can be assigned to a parameter of this type without conversion.
    ///
    /// Nil is assignable to `Any` only here; what nil means for typed parameters depends on where it
    /// comes from and is the caller's business.
    pub fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (Type::Any | Type::Reflect, _) => true,
            (Type::Bool, Value::Bool(_))
            | (Type::Float64, Value::Float(_))
            | (Type::String, Value::Str(_))
            | (Type::Bytes, Value::Bytes(_)) => true,
            (Type::Int(want), Value::Int(kind, _)) => want == *kind,
            (Type::Bytes, Value::List(list)) => list.ty().elem == Elem::Uint8,
            (Type::List(elem), Value::List(list)) => list.ty().elem == elem,
            (Type::Map(elem), Value::Map(map)) => map.ty().elem == elem,
            (Type::Named(name) | Type::NamedInt(name, _), Value::Object(o)) => {
                o.type_name() == name
            }
            _ => false,
        }
    }

    /// Whether Go's nil is a value of this type.
    pub const fn can_be_nil(self) -> bool {
        match self {
            Type::Any | Type::List(_) | Type::Map(_) | Type::Bytes => true,
            Type::Named(name) => matches!(name.as_bytes().first(), Some(b'*')),
            _ => false,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("interface {}"),
            Type::Bool => f.write_str("bool"),
            Type::Int(k) => f.write_str(k.name()),
            Type::Float64 => f.write_str("float64"),
            Type::String => f.write_str("string"),
            Type::Bytes => f.write_str("[]uint8"),
            Type::List(e) => write!(f, "[]{}", e.name()),
            Type::Map(e) => write!(f, "map[string]{}", e.name()),
            Type::Named(name) | Type::NamedInt(name, _) => f.write_str(name),
            Type::Reflect => f.write_str("reflect.Value"),
        }
    }
}

impl Value {
    /// `reflect.Kind` of the dynamic value.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Nil => Kind::Invalid,
            Value::Bool(_) => Kind::Bool,
            Value::Int(k, _) => Kind::Int(*k),
            Value::Float(_) => Kind::Float64,
            Value::Complex(_) => Kind::Complex128,
            Value::Str(_) => Kind::String,
            Value::Bytes(_) | Value::List(_) => Kind::Slice,
            Value::Map(_) => Kind::Map,
            Value::Object(o) => object::Object::kind(o.as_ref()),
        }
    }

    /// The name of the dynamic type as `%T` prints it; `<nil>` for nil.
    pub fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Value::Nil => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(k, _) => k.name(),
            Value::Float(_) => "float64",
            Value::Complex(_) => "complex128",
            Value::Str(_) => "string",
            Value::Bytes(_) => "[]uint8",
            Value::List(l) => return l.ty().name(),
            Value::Map(m) => return m.ty().name(),
            Value::Object(o) => o.type_name(),
        })
    }
}
