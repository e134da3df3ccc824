//! What a scalar means: goyaml v2's resolution of plain text and of the standard tags.

use crate::error::Error;
use std::borrow::Cow;

/// The value of a scalar. Strings and timestamps are their own text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer above `i64::MAX`.
    Uint(u64),
    Float(f64),
    Str,
    Timestamp,
}

impl Resolved {
    /// The short tag of the type.
    const fn tag(self) -> &'static str {
        match self {
            Resolved::Null => "!!null",
            Resolved::Bool(_) => "!!bool",
            Resolved::Int(_) | Resolved::Uint(_) => "!!int",
            Resolved::Float(_) => "!!float",
            Resolved::Str => "!!str",
            Resolved::Timestamp => "!!timestamp",
        }
    }
}

/// The tags that change how a scalar is read; all others leave its text a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Str,
    Bool,
    Int,
    Float,
    Null,
    Timestamp,
}

const PREFIX: &[u8] = b"tag:yaml.org,2002:";
pub(crate) const BINARY: &[u8] = b"tag:yaml.org,2002:binary";
pub(crate) const MERGE: &[u8] = b"tag:yaml.org,2002:merge";

fn wanted(tag: &[u8]) -> Option<Wanted> {
    Some(match tag.strip_prefix(PREFIX)? {
        b"str" => Wanted::Str,
        b"bool" => Wanted::Bool,
        b"int" => Wanted::Int,
        b"float" => Wanted::Float,
        b"null" => Wanted::Null,
        b"timestamp" => Wanted::Timestamp,
        _ => return None,
    })
}

/// The meaning of a scalar with an explicit tag.
pub(crate) fn resolve_tagged(tag: &[u8], text: &[u8]) -> Result<Resolved, Error> {
    let Some(wanted) = wanted(tag) else { return Ok(Resolved::Str) };
    let found = match wanted {
        Wanted::Str => return Ok(Resolved::Str),
        Wanted::Timestamp => resolve_plain(text),
        _ => resolve_untimed(text),
    };
    match (wanted, found) {
        (Wanted::Bool, Resolved::Bool(_))
        | (Wanted::Int, Resolved::Int(_) | Resolved::Uint(_))
        | (Wanted::Float, Resolved::Float(_))
        | (Wanted::Null, Resolved::Null)
        | (Wanted::Timestamp, Resolved::Timestamp) => Ok(found),
        (Wanted::Float, Resolved::Int(n)) => Ok(Resolved::Float(n as f64)),
        _ => Err(Error::content(format!(
            "cannot decode {} `{}` as a !!{}",
            found.tag(),
            String::from_utf8_lossy(text),
            String::from_utf8_lossy(tag.strip_prefix(PREFIX).unwrap_or(tag)),
        ))),
    }
}

/// The meaning of plain text.
#[inline]
pub(crate) fn resolve_plain(text: &[u8]) -> Resolved {
    match text.first() {
        Some(b'0'..=b'9') if is_timestamp(text) => Resolved::Timestamp,
        _ => resolve_untimed(text),
    }
}

#[inline]
fn resolve_untimed(text: &[u8]) -> Resolved {
    match text.first() {
        None => Resolved::Null,
        Some(b'0'..=b'9' | b'+' | b'-') => {
            special_float(text).or_else(|| number(text)).unwrap_or(Resolved::Str)
        }
        Some(b'.') => special_float(text).or_else(|| dot_float(text)).unwrap_or(Resolved::Str),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            word(text).unwrap_or(Resolved::Str)
        }
        _ => Resolved::Str,
    }
}

/// The booleans of YAML 1.1 that YAML 1.2 dropped.
pub(crate) fn is_old_bool(text: &[u8]) -> bool {
    matches!(
        text,
        b"y" | b"Y"
            | b"yes"
            | b"Yes"
            | b"YES"
            | b"on"
            | b"On"
            | b"ON"
            | b"n"
            | b"N"
            | b"no"
            | b"No"
            | b"NO"
            | b"off"
            | b"Off"
            | b"OFF"
    )
}

fn word(text: &[u8]) -> Option<Resolved> {
    Some(match text {
        b"y" | b"Y" | b"yes" | b"Yes" | b"YES" | b"true" | b"True" | b"TRUE" | b"on" | b"On"
        | b"ON" => Resolved::Bool(true),
        b"n" | b"N" | b"no" | b"No" | b"NO" | b"false" | b"False" | b"FALSE" | b"off" | b"Off"
        | b"OFF" => Resolved::Bool(false),
        b"~" | b"null" | b"Null" | b"NULL" => Resolved::Null,
        _ => return None,
    })
}

fn special_float(text: &[u8]) -> Option<Resolved> {
    Some(Resolved::Float(match text {
        b".nan" | b".NaN" | b".NAN" => f64::NAN,
        b".inf" | b".Inf" | b".INF" | b"+.inf" | b"+.Inf" | b"+.INF" => f64::INFINITY,
        b"-.inf" | b"-.Inf" | b"-.INF" => f64::NEG_INFINITY,
        _ => return None,
    }))
}

fn number(text: &[u8]) -> Option<Resolved> {
    let plain: Cow<'_, [u8]> = if text.contains(&b'_') {
        Cow::Owned(text.iter().copied().filter(|&b| b != b'_').collect())
    } else {
        Cow::Borrowed(text)
    };
    let plain = plain.as_ref();
    parse_int(plain, 0)
        .map(Resolved::Int)
        .or_else(|| parse_uint(plain, 0).map(Resolved::Uint))
        .or_else(|| float(plain).map(Resolved::Float))
        .or_else(|| signed_binary(plain).map(Resolved::Int))
}

/// `0b-1` and `0b+1`, which goyaml takes for binary numbers.
fn signed_binary(plain: &[u8]) -> Option<i64> {
    parse_int(plain.strip_prefix(b"0b")?, 2)
}

/// `0o-7` and `0o+7`, which goyaml v3 takes for octal numbers.
pub(crate) fn is_signed_octal(text: &[u8]) -> bool {
    let plain: Vec<u8> = text.iter().copied().filter(|&b| b != b'_').collect();
    plain.strip_prefix(b"0o").is_some_and(|digits| parse_int(digits, 8).is_some())
}

/// Go's `strconv.ParseInt` with 64 bits, for text without `_`.
fn parse_int(s: &[u8], base: u32) -> Option<i64> {
    let (negative, digits) = match s {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, s),
    };
    let magnitude = parse_uint(digits, base)?;
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Go's `strconv.ParseUint` with 64 bits, for text without `_`; base 0 goes by the prefix.
fn parse_uint(s: &[u8], base: u32) -> Option<u64> {
    if s.is_empty() {
        return None;
    }
    let (base, digits) = match s {
        _ if base != 0 => (base, s),
        [b'0', b'b' | b'B', _, ..] => (2, s.get(2..)?),
        [b'0', b'o' | b'O', _, ..] => (8, s.get(2..)?),
        [b'0', b'x' | b'X', _, ..] => (16, s.get(2..)?),
        [b'0', rest @ ..] => (8, rest),
        _ => (10, s),
    };
    digits.iter().try_fold(0u64, |n, &b| {
        let digit = char::from(b).to_digit(base)?;
        n.checked_mul(u64::from(base))?.checked_add(u64::from(digit))
    })
}

fn digits(s: &[u8]) -> usize {
    s.iter().take_while(|b| b.is_ascii_digit()).count()
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, unless it is too large.
fn float(s: &[u8]) -> Option<f64> {
    let rest = s.strip_prefix(b"-").or_else(|| s.strip_prefix(b"+")).unwrap_or(s);
    let whole = digits(rest);
    let mut rest = rest.get(whole..)?;
    if let Some(after) = rest.strip_prefix(b".") {
        let fraction = digits(after);
        if whole + fraction == 0 {
            return None;
        }
        rest = after.get(fraction..)?;
    } else if whole == 0 {
        return None;
    }
    is_exponent_or_end(rest).then(|| finite(s))?
}

fn is_exponent_or_end(s: &[u8]) -> bool {
    match s {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        _ => false,
    }
}

fn finite(s: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(s).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// Go's `strconv.ParseFloat` of text that begins with a dot; `_` may stand between digits.
fn dot_float(s: &[u8]) -> Option<Resolved> {
    if !s.contains(&b'_') {
        return float(s).map(Resolved::Float);
    }
    let between_digits = |i: usize| {
        let digit = |j: Option<usize>| j.and_then(|j| s.get(j)).is_some_and(u8::is_ascii_digit);
        digit(i.checked_sub(1)) && digit(i.checked_add(1))
    };
    if !s.iter().enumerate().all(|(i, &b)| b != b'_' || between_digits(i)) {
        return None;
    }
    let plain: Vec<u8> = s.iter().copied().filter(|&b| b != b'_').collect();
    float(&plain).map(Resolved::Float)
}

/// `^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`: what older parsers take for base 60.
pub(crate) fn is_base60(s: &[u8]) -> bool {
    if !matches!(s.first(), Some(b'+' | b'-' | b'0'..=b'9')) || !s.contains(&b':') {
        return false;
    }
    let rest = s.strip_prefix(b"-").or_else(|| s.strip_prefix(b"+")).unwrap_or(s);
    if !rest.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let is_digit = |b: &u8| b.is_ascii_digit() || *b == b'_';
    let mut rest = rest.get(rest.iter().take_while(|b| is_digit(b)).count()..).unwrap_or_default();
    let mut groups = 0;
    while let Some(after) = rest.strip_prefix(b":") {
        rest = match after {
            [b'0'..=b'5', b'0'..=b'9', tail @ ..] | [b'0'..=b'9', tail @ ..] => tail,
            _ => return false,
        };
        groups += 1;
    }
    let fraction = rest.strip_prefix(b".").map_or(rest.is_empty(), |f| f.iter().all(is_digit));
    groups > 0 && fraction
}

/// Whether Go's `time.Parse` takes the text in one of the four layouts that goyaml tries.
fn is_timestamp(s: &[u8]) -> bool {
    if digits(s) != 4 || s.get(4) != Some(&b'-') {
        return false;
    }
    let Some(rest) = parse_date(s) else { return false };
    match rest {
        [] => true,
        [b'T' | b't', time @ ..] => parse_clock(time).is_some_and(is_zone),
        [b' ', time @ ..] => {
            let blanks = time.iter().take_while(|&&b| b == b' ').count();
            time.get(blanks..).and_then(parse_clock).is_some_and(<[u8]>::is_empty)
        }
        _ => false,
    }
}

/// One or two digits.
fn number_of(s: &[u8]) -> Option<(u32, &[u8])> {
    let digit = |b: u8| u32::from(b - b'0');
    match s {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', rest @ ..] => Some((digit(*a) * 10 + digit(*b), rest)),
        [a @ b'0'..=b'9', rest @ ..] => Some((digit(*a), rest)),
        _ => None,
    }
}

/// `2006-1-2`; gives what follows.
fn parse_date(s: &[u8]) -> Option<&[u8]> {
    let year = s.get(..4)?.iter().fold(0u32, |y, &b| y * 10 + u32::from(b - b'0'));
    let (month, rest) = number_of(s.get(5..)?)?;
    let (day, rest) = number_of(rest.strip_prefix(b"-")?)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then_some(rest)
}

/// `15:4:5.999999999`; gives what follows.
fn parse_clock(s: &[u8]) -> Option<&[u8]> {
    let (hour, rest) = number_of(s)?;
    let (minute, rest) = number_of(rest.strip_prefix(b":")?)?;
    let (second, rest) = number_of(rest.strip_prefix(b":")?)?;
    if hour >= 24 || minute >= 60 || second >= 60 {
        return None;
    }
    match rest {
        [b'.' | b',', fraction @ ..] if digits(fraction) > 0 => fraction.get(digits(fraction)..),
        _ => Some(rest),
    }
}

/// `Z07:00`, up to the end.
fn is_zone(s: &[u8]) -> bool {
    match s {
        b"Z" => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            let (Some((hours, [])), Some((minutes, []))) =
                (number_of(&[*h1, *h2]), number_of(&[*m1, *m2]))
            else {
                return false;
            };
            hours <= 24 && minutes <= 60
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_resolve_as_in_goyaml() {
        let cases: &[(&str, Resolved)] = &[
            ("0x1f", Resolved::Int(31)),
            ("017", Resolved::Int(15)),
            ("0o17", Resolved::Int(15)),
            ("08", Resolved::Float(8.0)),
            ("1__0", Resolved::Int(10)),
            ("-0", Resolved::Int(0)),
            ("0b-101", Resolved::Int(-5)),
            ("18446744073709551615", Resolved::Uint(u64::MAX)),
            ("1.", Resolved::Float(1.0)),
            (".1_0", Resolved::Float(0.1)),
            ("._1", Resolved::Str),
            ("1e400", Resolved::Str),
            ("0x", Resolved::Str),
            ("12:30:45", Resolved::Str),
            ("+", Resolved::Str),
            ("", Resolved::Null),
        ];
        for (text, want) in cases {
            assert_eq!(resolve_plain(text.as_bytes()), *want, "{text}");
        }
    }

    #[test]
    fn timestamps_are_told_from_text() {
        let yes = [
            "2001-1-1",
            "2001-12-14t21:59:43.10-05:00",
            "2001-12-14   21:59:43.10",
            "2000-02-29T0:0:0,5Z",
            "2001-1-1T1:1:1+24:60",
        ];
        let no =
            ["2001-2-29", "2001-13-1", "2001-1-1T1:1:1", "2001-1-1 1:1:1Z", "201-1-1", "2001-1-1 "];
        for text in yes {
            assert!(is_timestamp(text.as_bytes()), "{text}");
        }
        for text in no {
            assert!(!is_timestamp(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn base_60_is_recognized() {
        for text in ["1:30", "-1:30:00.5_", "1_0:5", "190:20:30"] {
            assert!(is_base60(text.as_bytes()), "{text}");
        }
        for text in ["1:60", "1:", ":1", "1:30x", "a:30", "_1:30"] {
            assert!(!is_base60(text.as_bytes()), "{text}");
        }
    }
}
