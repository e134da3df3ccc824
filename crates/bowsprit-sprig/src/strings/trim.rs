//! What is cut off or left out.

use super::part;
use bowsprit_value::unicode::{decode_last_rune, decode_rune, is_space, push_rune, runes};
use bowsprit_value::{Args, FuncError, Value};

pub(super) fn trim(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let s = args.str(0);
    Ok(part(s, trimmed(s.as_bytes(), is_space)))
}

pub(super) fn trim_all(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let (cutset, s) = (args.str(0).as_bytes(), args.str(1));
    let cut = match cutset {
        [] => s.as_bytes(),
        [only] if only.is_ascii() => trimmed(s.as_bytes(), |c| c == char::from(*only)),
        _ => {
            args.charge(cutset.len())?;
            let mut set: Vec<char> = runes(cutset).map(|(c, _)| c).collect();
            set.sort_unstable();
            trimmed(s.as_bytes(), |c| set.binary_search(&c).is_ok())
        }
    };
    Ok(part(s, cut))
}

fn trimmed(mut s: &[u8], cut: impl Fn(char) -> bool) -> &[u8] {
    loop {
        let (c, width) = decode_rune(s);
        if width == 0 || !cut(c) {
            break;
        }
        s = s.get(width..).unwrap_or_default();
    }
    loop {
        let (c, width) = decode_last_rune(s);
        if width == 0 || !cut(c) {
            return s;
        }
        s = s.get(..s.len() - width).unwrap_or_default();
    }
}

pub(super) fn trim_prefix(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let s = args.str(1);
    Ok(part(s, s.as_bytes().strip_prefix(args.str(0).as_bytes()).unwrap_or(s.as_bytes())))
}

pub(super) fn trim_suffix(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let s = args.str(1);
    Ok(part(s, s.as_bytes().strip_suffix(args.str(0).as_bytes()).unwrap_or(s.as_bytes())))
}

// goutils takes bytes for runes: where anything is left out, the rest is read as Latin-1.
pub(super) fn nospace(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let s = args.str(0);
    if !s.as_bytes().iter().any(|b| is_space(char::from(*b))) {
        return Ok(Value::Str(s.clone()));
    }
    args.charge(s.len())?;
    let mut out = Vec::with_capacity(s.len());
    for c in s.as_bytes().iter().map(|b| char::from(*b)).filter(|c| !is_space(*c)) {
        push_rune(&mut out, c);
    }
    Ok(Value::str(out))
}
