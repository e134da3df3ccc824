//! TOML in templates, as BurntSushi's toml 1.6 reads and writes it.
//!
//! What a document means is that library's business: it takes some that TOML's specification forbids,
//! and charts show its errors as values. No other parser gives the same texts and line numbers, so this
//! one follows it state by state, without its recursion.

mod encode;
mod lex;
mod parse;
mod scalar;
mod tree;

use bowsprit_value::strconv::append_quote;
use bowsprit_value::{Args, Func, FuncError, Host, Map, Str, Type, Value};
use encode::Failure;

const ANY: &[Type] = &[Type::Any];

pub(crate) static FUNCS: &[Func] = &[
    Func::host("fromToml", &[Type::String], Type::MAP, from_toml),
    Func::pure("mustToToml", ANY, Type::String, must_to_toml),
    Func::pure("toToml", ANY, Type::String, to_toml),
];

/// A text that can't be encoded becomes the result; Go's panics and limits stay errors.
fn to_toml(args: &mut Args<'_>) -> Result<Value, FuncError> {
    match encode::encode(args.get(0), args.meter()) {
        Ok(text) => Ok(Value::Str(text)),
        Err(Failure::Refused(text)) => Ok(Value::Str(text)),
        Err(Failure::Stopped(error)) => Err(error),
    }
}

fn must_to_toml(args: &mut Args<'_>) -> Result<Value, FuncError> {
    match encode::encode(args.get(0), args.meter()) {
        Ok(text) => Ok(Value::Str(text)),
        Err(Failure::Refused(text)) => Err(FuncError::new(text)),
        Err(Failure::Stopped(error)) => Err(error),
    }
}

fn from_toml(args: &mut Args<'_>, host: &dyn Host) -> Result<Value, FuncError> {
    args.charge(args.str(0).len())?;
    Ok(match parse::decode(args.str(0).as_bytes(), host) {
        Ok(value) => value,
        Err(error) => {
            let text = Value::Str(error.text());
            Value::Map(Map::from_entries([(Str::from_static("Error"), text)]))
        }
    })
}

/// Why a document can't be read.
#[derive(Debug)]
struct SyntaxError {
    /// From 1, but 0 where the library counts back from the first line.
    line: i64,
    last_key: Vec<u8>,
    message: Vec<u8>,
}

impl SyntaxError {
    fn text(&self) -> Str {
        let mut out = format!("toml: line {}", self.line).into_bytes();
        if !self.last_key.is_empty() {
            out.extend_from_slice(b" (last key ");
            append_quote(&mut out, &self.last_key);
            out.push(b')');
        }
        out.extend_from_slice(b": ");
        out.extend_from_slice(&self.message);
        Str::from(out)
    }
}

/// Appends one part of a key, quoted unless it is plain.
fn append_key(out: &mut Vec<u8>, key: &[u8]) {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !key.is_empty() && key.iter().all(plain) {
        out.extend_from_slice(key);
    } else {
        append_string(out, key);
    }
}

/// Appends a string in double quotes; bytes that are not UTF-8 stay as they are.
fn append_string(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text;
    loop {
        let special = |b: &u8| matches!(b, b'"' | b'\\' | 0..=0x1f | 0x7f);
        let (plain, tail) = rest.split_at(rest.iter().position(special).unwrap_or(rest.len()));
        out.extend_from_slice(plain);
        let Some((&b, tail)) = tail.split_first() else { break };
        append_escape(out, b);
        rest = tail;
    }
    out.push(b'"');
}

fn append_escape(out: &mut Vec<u8>, b: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match b {
        b'"' | b'\\' => b,
        8 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        12 => b'f',
        b'\r' => b'r',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend([b >> 4, b & 15].map(|digit| HEX[usize::from(digit)]));
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
