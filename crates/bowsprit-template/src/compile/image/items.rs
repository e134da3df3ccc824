//! What tables have, as bytes.

use super::several;
use crate::compile::program::{ArgSite, Literal, LoopVars, MethodCall, Number};
use crate::funcs::Functions;
use bowsprit_value::codec::{Decoder, Encoder};
use bowsprit_value::{Elem, IntKind, Str, Type};

const ELEMS: [Elem; 7] =
    [Elem::Any, Elem::String, Elem::Int, Elem::Uint8, Elem::Bytes, Elem::List, Elem::Map];

fn place<T: PartialEq>(all: &[T], wanted: &T) -> u8 {
    all.iter().position(|one| one == wanted).unwrap_or_default() as u8
}

pub(super) fn encode_type(ty: Type, encoder: &mut Encoder) {
    let (tag, detail) = match ty {
        Type::Any => (0, 0),
        Type::Bool => (1, 0),
        Type::Float64 => (2, 0),
        Type::String => (3, 0),
        Type::Bytes => (4, 0),
        Type::Reflect => (5, 0),
        Type::Int(kind) => (6, place(&IntKind::ALL, &kind)),
        Type::List(elem) => (7, place(&ELEMS, &elem)),
        Type::Map(elem) => (8, place(&ELEMS, &elem)),
        Type::Named(_) => (9, 0),
        Type::NamedInt(_, kind) => (10, place(&IntKind::ALL, &kind)),
    };
    encoder.byte(tag);
    encoder.byte(detail);
    if let Type::Named(name) | Type::NamedInt(name, _) = ty {
        encoder.bytes(name.as_bytes());
    }
}

/// Names of types are the program's own; those that a text can meet are those of parameters.
pub(super) fn decode_type(decoder: &mut Decoder<'_>, functions: &Functions) -> Option<Type> {
    let (tag, detail) = (decoder.byte()?, usize::from(decoder.byte()?));
    Some(match tag {
        0 => Type::Any,
        1 => Type::Bool,
        2 => Type::Float64,
        3 => Type::String,
        4 => Type::Bytes,
        5 => Type::Reflect,
        6 => Type::Int(*IntKind::ALL.get(detail)?),
        7 => Type::List(*ELEMS.get(detail)?),
        8 => Type::Map(*ELEMS.get(detail)?),
        9 | 10 => {
            let wanted = decoder.text()?;
            let mut params = functions.iter().flat_map(|func| func.params);
            let of_the_name = |ty: &&Type| match ty {
                Type::Named(name) => tag == 9 && *name == wanted,
                Type::NamedInt(name, kind) => {
                    tag == 10 && *name == wanted && IntKind::ALL.get(detail) == Some(kind)
                }
                _ => false,
            };
            *params.find(of_the_name)?
        }
        _ => return None,
    })
}

pub(super) fn encode_literal(literal: &Literal, encoder: &mut Encoder) {
    match literal {
        Literal::Nil => encoder.byte(0),
        Literal::Bool(flag) => {
            encoder.byte(1);
            encoder.flag(*flag);
        }
        Literal::String(text) => {
            encoder.byte(2);
            encoder.bytes(text.as_bytes());
        }
        Literal::Whole(number) => {
            encoder.byte(3);
            encoder.number(*number as u64);
        }
        Literal::Number(number) => {
            encoder.byte(4);
            let (real, imaginary) = number.complex.unzip();
            let fields = [
                number.int.map(|int| int as u64),
                number.uint,
                number.float.map(f64::to_bits),
                real.map(f64::to_bits),
                imaginary.map(f64::to_bits),
            ];
            for field in fields {
                encoder.flag(field.is_some());
                encoder.number(field.unwrap_or_default());
            }
            encoder.flag(number.float_text);
        }
    }
}

pub(super) fn decode_literal(decoder: &mut Decoder<'_>) -> Option<Literal> {
    Some(match decoder.byte()? {
        0 => Literal::Nil,
        1 => Literal::Bool(decoder.flag()?),
        2 => Literal::String(Str::from(decoder.bytes()?)),
        3 => Literal::Whole(decoder.number()? as i64),
        4 => {
            let mut fields = [None; 5];
            for field in &mut fields {
                let (there, number) = (decoder.flag()?, decoder.number()?);
                *field = there.then_some(number);
            }
            let [int, uint, float, real, imaginary] = fields;
            Literal::Number(Box::new(Number {
                int: int.map(|int| int as i64),
                uint,
                float: float.map(f64::from_bits),
                complex: real.map(f64::from_bits).zip(imaginary.map(f64::from_bits)),
                float_text: decoder.flag()?,
            }))
        }
        _ => return None,
    })
}

/// A number that may be missing.
fn encode_maybe(number: Option<u32>, encoder: &mut Encoder) {
    encoder.number(number.map_or(0, |number| u64::from(number) + 1));
}

fn decode_maybe(decoder: &mut Decoder<'_>) -> Option<Option<u32>> {
    match decoder.number()?.checked_sub(1) {
        None => Some(None),
        Some(number) => u32::try_from(number).ok().map(Some),
    }
}

fn decode_number(decoder: &mut Decoder<'_>) -> Option<u32> {
    u32::try_from(decoder.number()?).ok()
}

pub(super) fn encode_method(method: &MethodCall, encoder: &mut Encoder) {
    encoder.bytes(method.name.as_bytes());
    encoder.size(method.args.len());
    for arg in &method.args {
        encoder.number(arg.site.into());
        encode_maybe(arg.literal, encoder);
    }
    encoder.flag(method.piped);
    encoder.number(method.site.into());
    encoder.number(method.skip.into());
}

pub(super) fn decode_method(decoder: &mut Decoder<'_>) -> Option<MethodCall> {
    Some(MethodCall {
        name: Str::from(decoder.bytes()?),
        args: several(decoder, |d| {
            Some(ArgSite { site: decode_number(d)?, literal: decode_maybe(d)? })
        })?,
        piped: decoder.flag()?,
        site: decode_number(decoder)?,
        skip: decode_number(decoder)?,
    })
}

pub(super) fn encode_loop(vars: &LoopVars, encoder: &mut Encoder) {
    encode_maybe(vars.index, encoder);
    encode_maybe(vars.element, encoder);
    encoder.byte(vars.count);
    encoder.number(vars.end.into());
}

pub(super) fn decode_loop(decoder: &mut Decoder<'_>) -> Option<LoopVars> {
    Some(LoopVars {
        index: decode_maybe(decoder)?,
        element: decode_maybe(decoder)?,
        count: decoder.byte()?,
        end: decode_number(decoder)?,
    })
}
