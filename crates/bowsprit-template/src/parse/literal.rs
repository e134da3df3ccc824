//! What a literal becomes in a place of a given type.

use crate::compile::program::Literal;
use bowsprit_value::{Elem, List, ListType, Map, MapType, Type, Value};
use std::sync::Arc;

/// Why a literal does not fit its place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    Bool,
    Integer,
    Unsigned,
    Float,
    String,
    NotNil,
    Unhandled,
    Overflow,
}

impl Expected {
    pub(crate) fn message(self, text: &str, ty: Type) -> String {
        match self {
            Expected::Bool => format!("expected bool; found {text}"),
            Expected::Integer => format!("expected integer; found {text}"),
            Expected::Unsigned => format!("expected unsigned integer; found {text}"),
            Expected::Float => format!("expected float; found {text}"),
            Expected::String => format!("expected string; found {text}"),
            Expected::NotNil => format!("cannot assign nil to {ty}"),
            Expected::Unhandled => format!("can't handle {text} for arg of type {ty}"),
            Expected::Overflow => format!("{text} overflows int"),
        }
    }
}

/// What a literal is in a place of a given type; `None` for no value at all.
pub(crate) fn literal_value(literal: &Literal, ty: Type) -> Result<Option<Value>, Expected> {
    if let Literal::Nil = literal {
        return nil_value(ty);
    }
    match ty {
        Type::Any | Type::Reflect => ideal_constant(literal),
        Type::Bool => match literal {
            Literal::Bool(b) => Ok(Some(Value::Bool(*b))),
            _ => Err(Expected::Bool),
        },
        Type::Int(kind) | Type::NamedInt(_, kind) if kind.is_unsigned() => {
            let n = literal.number().and_then(|n| n.uint).ok_or(Expected::Unsigned)?;
            Ok(Some(Value::Int(kind, kind.wrap(n as i64))))
        }
        Type::Int(kind) | Type::NamedInt(_, kind) => {
            let n = literal.number().and_then(|n| n.int).ok_or(Expected::Integer)?;
            Ok(Some(Value::Int(kind, kind.wrap(n))))
        }
        Type::Float64 => {
            let n = literal.number().and_then(|n| n.float).ok_or(Expected::Float)?;
            Ok(Some(Value::Float(n)))
        }
        Type::String => match literal {
            Literal::String(s) => Ok(Some(Value::Str(s.clone()))),
            _ => Err(Expected::String),
        },
        Type::Bytes | Type::List(_) | Type::Map(_) | Type::Named(_) => Err(Expected::Unhandled),
    }
}

fn nil_value(ty: Type) -> Result<Option<Value>, Expected> {
    match ty {
        Type::Reflect => Ok(None),
        Type::Any => Ok(Some(Value::Nil)),
        Type::List(elem) => Ok(Some(Value::List(List::nil(ListType::of(elem))))),
        Type::Map(elem) => Ok(Some(Value::Map(Map::nil(MapType::of(elem))))),
        Type::Bytes => Ok(Some(Elem::Bytes.zero())),
        _ if ty.can_be_nil() => Ok(Some(Value::Nil)),
        _ => Err(Expected::NotNil),
    }
}

/// Go's `idealConstant`: the type that the literal's own text gives it.
fn ideal_constant(literal: &Literal) -> Result<Option<Value>, Expected> {
    Ok(Some(match literal {
        Literal::Bool(b) => Value::Bool(*b),
        Literal::String(s) => Value::Str(s.clone()),
        Literal::Nil => Value::Nil,
        Literal::Whole(value) => Value::int(*value),
        Literal::Number(n) => match (n.complex, n.float, n.int, n.uint) {
            (Some(complex), ..) => Value::Complex(Arc::new(complex)),
            (_, Some(float), ..) if n.float_text => Value::Float(float),
            (_, _, Some(int), _) => Value::int(int),
            (_, _, None, Some(_)) => return Err(Expected::Overflow),
            _ => return Ok(None),
        },
    }))
}
