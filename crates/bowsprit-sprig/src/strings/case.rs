//! Upper, lower and title case.

use bowsprit_value::unicode::{
    is_digit, is_letter, is_lower, is_space, is_title, is_upper, push_rune, runes, to_lower,
    to_title, to_upper,
};
use bowsprit_value::{Args, FuncError, Value};

pub(super) fn upper(args: &mut Args<'_>) -> Result<Value, FuncError> {
    changed(args, u8::is_ascii_lowercase, <[u8]>::to_ascii_uppercase, to_upper)
}

pub(super) fn lower(args: &mut Args<'_>) -> Result<Value, FuncError> {
    changed(args, u8::is_ascii_uppercase, <[u8]>::to_ascii_lowercase, to_lower)
}

fn changed(
    args: &mut Args<'_>,
    changes: fn(&u8) -> bool,
    ascii: fn(&[u8]) -> Vec<u8>,
    rune: fn(char) -> char,
) -> Result<Value, FuncError> {
    let s = args.str(0);
    if !s.as_bytes().is_ascii() {
        return mapped(args, rune);
    }
    if !s.as_bytes().iter().any(changes) {
        return Ok(Value::Str(s.clone()));
    }
    args.charge(s.len())?;
    Ok(Value::str(ascii(s.as_bytes())))
}

/// The first argument rune by rune; bytes that are no UTF-8 are seen as U+FFFD.
fn mapped(args: &mut Args<'_>, mut map: impl FnMut(char) -> char) -> Result<Value, FuncError> {
    let s = args.str(0).as_bytes();
    args.charge(s.len())?;
    let mut out = Vec::with_capacity(s.len() + 4);
    for (c, _) in runes(s) {
        push_rune(&mut out, map(c));
    }
    Ok(Value::str(out))
}

pub(super) fn title(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut previous = ' ';
    mapped(args, |c| {
        let first = is_separator(previous);
        previous = c;
        if first { to_title(c) } else { c }
    })
}

/// Go's `strings.isSeparator`: what a word begins after.
fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        return !(c.is_ascii_alphanumeric() || c == '_');
    }
    !is_letter(c) && !is_digit(c) && is_space(c)
}

pub(super) fn untitle(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut first = true;
    mapped(args, |c| {
        if is_space(c) {
            first = true;
            c
        } else if std::mem::take(&mut first) {
            to_lower(c)
        } else {
            c
        }
    })
}

pub(super) fn swapcase(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut after_space = true;
    mapped(args, |c| {
        if is_upper(c) || is_title(c) {
            after_space = false;
            to_lower(c)
        } else if !is_lower(c) {
            after_space = is_space(c);
            c
        } else if std::mem::take(&mut after_space) {
            to_title(c)
        } else {
            to_upper(c)
        }
    })
}

// goutils takes bytes for runes, so the first byte of a word is its initial, read as Latin-1.
pub(super) fn initials(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let s = args.str(0).as_bytes();
    args.charge(s.len())?;
    let mut out = Vec::new();
    let mut after_space = true;
    for c in s.iter().map(|b| char::from(*b)) {
        if is_space(c) {
            after_space = true;
        } else if std::mem::take(&mut after_space) {
            push_rune(&mut out, c);
        }
    }
    Ok(Value::str(out))
}
