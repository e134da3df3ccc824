//! Strings: Go's `strings`, and the helpers of Masterminds/goutils and huandu/xstrings.
//!
//! A Go string is bytes. Some functions work on runes, where bytes that are no UTF-8 become U+FFFD;
//! the others cut wherever they are told to.

mod case;
mod random;
mod split;
mod trim;
mod words;
mod wrap;

use crate::list::strings;
use bowsprit_value::strconv::append_quote;
use bowsprit_value::{Args, Elem, Func, FuncError, Str, Type, Value, fmt};
use memchr::{memchr_iter, memmem};

const ANY: Type = Type::Any;
const BOOL: Type = Type::Bool;
const INT: Type = Type::INT;
const STR: Type = Type::String;

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("hello", &[], STR, |_| Ok(Value::Str(Str::from_static("Hello!")))),
    Func::pure("abbrev", &[INT, STR], STR, wrap::abbrev),
    Func::pure("abbrevboth", &[INT, INT, STR], STR, wrap::abbrev_both),
    Func::pure("trunc", &[INT, STR], STR, trunc),
    Func::pure("trim", &[STR], STR, trim::trim),
    Func::pure("trimAll", &[STR, STR], STR, trim::trim_all),
    Func::pure("trimall", &[STR, STR], STR, trim::trim_all),
    Func::pure("trimPrefix", &[STR, STR], STR, trim::trim_prefix),
    Func::pure("trimSuffix", &[STR, STR], STR, trim::trim_suffix),
    Func::pure("nospace", &[STR], STR, trim::nospace),
    Func::pure("upper", &[STR], STR, case::upper),
    Func::pure("lower", &[STR], STR, case::lower),
    Func::pure("title", &[STR], STR, case::title),
    Func::pure("untitle", &[STR], STR, case::untitle),
    Func::pure("swapcase", &[STR], STR, case::swapcase),
    Func::pure("initials", &[STR], STR, case::initials),
    Func::pure("camelcase", &[STR], STR, words::camelcase),
    Func::pure("snakecase", &[STR], STR, |args| words::lower_case(args, '_')),
    Func::pure("kebabcase", &[STR], STR, |args| words::lower_case(args, '-')),
    Func::pure("substr", &[INT, INT, STR], STR, substr),
    Func::pure("repeat", &[INT, STR], STR, repeat),
    Func::pure("wrap", &[INT, STR], STR, wrap::wrap),
    Func::pure("wrapWith", &[INT, STR, STR], STR, wrap::wrap_with),
    Func::pure("contains", &[STR, STR], BOOL, contains),
    Func::pure("hasPrefix", &[STR, STR], BOOL, has_prefix),
    Func::pure("hasSuffix", &[STR, STR], BOOL, has_suffix),
    Func::variadic("quote", &[ANY], STR, quote),
    Func::variadic("squote", &[ANY], STR, squote),
    Func::variadic("cat", &[ANY], STR, cat),
    Func::pure("indent", &[INT, STR], STR, |args| indented(args, b"")),
    Func::pure("nindent", &[INT, STR], STR, |args| indented(args, b"\n")),
    Func::pure("replace", &[STR, STR, STR], STR, split::replace),
    Func::pure("plural", &[STR, STR, INT], STR, plural),
    Func::pure("toString", &[ANY], STR, to_string),
    Func::pure("join", &[STR, ANY], STR, join),
    Func::pure("split", &[STR, STR], Type::Map(Elem::String), split::split),
    Func::pure("splitn", &[STR, INT, STR], Type::Map(Elem::String), split::splitn),
    Func::pure("splitList", &[STR, STR], Type::List(Elem::String), split::split_list),
    Func::host("randAlphaNum", &[INT], STR, random::rand_alpha_num),
    Func::host("randAlpha", &[INT], STR, random::rand_alpha),
    Func::host("randNumeric", &[INT], STR, random::rand_numeric),
    Func::host("randAscii", &[INT], STR, random::rand_ascii),
    Func::host("randBytes", &[INT], STR, random::rand_bytes),
    Func::host("randInt", &[INT, INT], INT, random::rand_int),
    Func::host("shuffle", &[STR], STR, random::shuffle),
    Func::host("uuidv4", &[], STR, random::uuidv4),
];

/// A part of a string argument: the string itself where nothing was cut off.
fn part(whole: &Str, part: &[u8]) -> Value {
    if part.len() == whole.len() { Value::Str(whole.clone()) } else { Value::str(part) }
}

fn trunc(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let s = args.str(1);
    let size = usize::try_from(args.int(0).unsigned_abs()).unwrap_or(usize::MAX);
    let cut = match s.len().checked_sub(size) {
        Some(_) if args.int(0) >= 0 => s.as_bytes().get(..size),
        Some(from) if from > 0 => s.as_bytes().get(from..),
        _ => None,
    };
    Ok(part(s, cut.unwrap_or(s.as_bytes())))
}

fn substr(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let (start, end, s) = (args.int(0), args.int(1), args.str(2));
    let length = i64::try_from(s.len()).unwrap_or(i64::MAX);
    let range = if start < 0 {
        if end < 0 {
            return Err(out_of_range(format!("[:{end}]")));
        }
        if end > length {
            return Err(out_of_range(format!("[:{end}] with length {length}")));
        }
        0..end
    } else if end < 0 || end > length {
        if start > length {
            return Err(out_of_range(format!("[{start}:{length}]")));
        }
        start..length
    } else if start > end {
        return Err(out_of_range(format!("[{start}:{end}]")));
    } else {
        start..end
    };
    let index = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
    Ok(part(s, s.as_bytes().get(index(range.start)..index(range.end)).unwrap_or_default()))
}

#[cold]
fn out_of_range(bounds: String) -> FuncError {
    FuncError::new(format!("runtime error: slice bounds out of range {bounds}"))
}

fn repeat(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let s = args.str(1);
    let count = repeat_count(args.int(0))?;
    match count {
        0 => return Ok(Value::Str(Str::default())),
        1 => return Ok(Value::Str(s.clone())),
        _ => {}
    }
    let size = s.len().checked_mul(count).filter(|size| i64::try_from(*size).is_ok());
    let size = size.ok_or_else(|| FuncError::new("strings: Repeat output length overflow"))?;
    let mut out = reserved(args, size)?;
    for _ in 0..if s.is_empty() { 0 } else { count } {
        out.extend_from_slice(s.as_bytes());
    }
    Ok(Value::str(out))
}

fn repeat_count(count: i64) -> Result<usize, FuncError> {
    if count < 0 {
        return Err(FuncError::new("strings: negative Repeat count"));
    }
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// An empty buffer for a result whose size the template chose: charged, and never an abort.
fn reserved(args: &Args<'_>, size: usize) -> Result<Vec<u8>, FuncError> {
    args.charge(size)?;
    let mut out = Vec::new();
    out.try_reserve_exact(size).map_err(|_| bowsprit_value::LimitKind::Bytes)?;
    Ok(out)
}

fn contains(args: &mut Args<'_>) -> Result<Value, FuncError> {
    args.meter().charge_steps(args.str(1).len() as u64 / 64)?;
    Ok(Value::Bool(has(args.str(1).as_bytes(), args.str(0).as_bytes())))
}

/// Whether a text has a part. Short texts are looked through in less time than a search is prepared.
fn has(text: &[u8], part: &[u8]) -> bool {
    const SHORT: usize = 256;
    match part.split_first() {
        None => true,
        Some((first, rest)) if text.len() <= SHORT => memchr_iter(*first, text)
            .any(|at| text.get(at + 1..).is_some_and(|behind| behind.starts_with(rest))),
        Some(_) => memmem::find(text, part).is_some(),
    }
}

fn has_prefix(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(args.str(1).as_bytes().starts_with(args.str(0).as_bytes())))
}

fn has_suffix(args: &mut Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::Bool(args.str(1).as_bytes().ends_with(args.str(0).as_bytes())))
}

fn quote(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    for (i, value) in args.rest(0).iter().filter(|v| !v.is_nil()).enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        let text = fmt::strval(value, args.meter())?;
        args.charge(text.len() + 2)?;
        out.reserve(text.len() + 2);
        append_quote(&mut out, text.as_bytes());
    }
    Ok(Value::str(out))
}

fn squote(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    for (i, value) in args.rest(0).iter().filter(|v| !v.is_nil()).enumerate() {
        out.extend_from_slice(if i > 0 { b" '" } else { b"'" });
        fmt::print_value(value, &mut out, args.meter())?;
        out.push(b'\'');
    }
    Ok(Value::str(out))
}

fn cat(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    for (i, value) in args.rest(0).iter().filter(|v| !v.is_nil()).enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        fmt::print_value(value, &mut out, args.meter())?;
    }
    Ok(Value::str(out))
}

/// Puts blanks before every line, empty ones and what follows the last newline included.
fn indented(args: &mut Args<'_>, before: &[u8]) -> Result<Value, FuncError> {
    let text = args.str(1).as_bytes();
    let pad = repeat_count(args.int(0))?;
    let lines = memchr_iter(b'\n', text).count() + 1;
    let size = pad.saturating_mul(lines).saturating_add(text.len() + before.len());
    if i64::try_from(size).is_err() {
        return Err(FuncError::new("strings: Repeat output length overflow"));
    }
    let mut out = reserved(args, size)?;
    out.extend_from_slice(before);
    let mut start = 0;
    for newline in memchr_iter(b'\n', text) {
        out.resize(out.len() + pad, b' ');
        out.extend_from_slice(text.get(start..=newline).unwrap_or_default());
        start = newline + 1;
    }
    out.resize(out.len() + pad, b' ');
    out.extend_from_slice(text.get(start..).unwrap_or_default());
    Ok(Value::str(out))
}

fn plural(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let many = args.int(2) != 1;
    Ok(args.take(usize::from(many)))
}

fn to_string(args: &mut Args<'_>) -> Result<Value, FuncError> {
    if args.get(0).as_str().is_some() {
        return Ok(args.take(0));
    }
    fmt::strval(args.get(0), args.meter()).map(Value::Str)
}

fn join(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let parts = strings(args.get(1), args.meter())?;
    let separator = args.str(0).as_bytes();
    if let [only] = parts.as_slice() {
        return Ok(Value::Str(only.clone()));
    }
    let text: usize = parts.iter().map(Str::len).fold(0, usize::saturating_add);
    let size = separator.len().saturating_mul(parts.len().saturating_sub(1));
    let mut out = reserved(args, size.saturating_add(text))?;
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(part.as_bytes());
    }
    Ok(Value::str(out))
}

#[cfg(test)]
mod tests {
    use super::has;

    #[test]
    fn parts_are_found_in_short_and_long_texts() {
        let texts =
            ["", "a", "aab", "abaabaaab", &"ab".repeat(127), &"ab".repeat(128), &"ab".repeat(129)];
        for text in texts
            .iter()
            .copied()
            .chain([&*format!("{}aa", "ab".repeat(127)), &*format!("{}aa", "ab".repeat(200))])
        {
            for part in ["", "a", "b", "ab", "ba", "aa", "aab", "aaab", "aaaab", "bb", "abab"] {
                assert_eq!(
                    has(text.as_bytes(), part.as_bytes()),
                    text.contains(part),
                    "{text} {part}"
                );
            }
        }
    }
}
