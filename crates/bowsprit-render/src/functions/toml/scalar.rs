//! Values without parts: what strings, numbers and times of a document stand for.

use super::lex::{Item, Kind};
use bowsprit_sprig::{Time, Zone};
use bowsprit_value::strconv::{NumCause, append_quote, parse_float, parse_int};
use bowsprit_value::unicode::push_rune;
use bowsprit_value::{Host, Str, Value};
use std::borrow::Cow;

/// The message of an error.
pub(super) type Message = Vec<u8>;

/// The zones of times that name none. The encoder knows by them what a time was written as.
#[derive(Debug)]
pub(super) struct Zones {
    here: Zone,
    datetime: Zone,
    date: Zone,
    time: Zone,
}

pub(super) const LOCAL_DATETIME: &str = "datetime-local";
pub(super) const LOCAL_DATE: &str = "date-local";
pub(super) const LOCAL_TIME: &str = "time-local";

impl Zones {
    /// The library takes the host's offset of the moment, also for dates where another one held.
    pub(super) fn new(host: &dyn Host) -> Zones {
        let here = Zone::of_host(host);
        let offset = here.offset_at(host.now());
        let fixed = |name| Zone::fixed(Str::from_static(name), offset);
        Zones {
            datetime: fixed(LOCAL_DATETIME),
            date: fixed(LOCAL_DATE),
            time: fixed(LOCAL_TIME),
            here,
        }
    }

    /// The layouts in the order in which they are tried.
    fn layouts(&self) -> [(&'static str, &Zone); 7] {
        [
            ("2006-01-02T15:04:05.999999999Z07:00", &self.here),
            ("2006-01-02T15:04:05.999999999", &self.datetime),
            ("2006-01-02", &self.date),
            ("15:04:05.999999999", &self.time),
            ("2006-01-02T15:04Z07:00", &self.here),
            ("2006-01-02T15:04", &self.datetime),
            ("15:04", &self.time),
        ]
    }
}

/// The value of any token but those of arrays, tables and times.
pub(super) fn scalar(item: Item<'_>) -> Result<Value, Message> {
    Ok(match item.kind {
        Kind::Bool => Value::Bool(item.text == b"true"),
        Kind::Integer => integer(item.text)?,
        Kind::Float => float(item.text)?,
        _ => Value::Str(string(item)?),
    })
}

/// The text of a string, or of a key that needs no quotes.
pub(super) fn string(item: Item<'_>) -> Result<Str, Message> {
    Ok(match item.kind {
        Kind::Escaped => Str::from(unescape(item.text)?),
        Kind::Multiline => {
            let text = strip_escaped_newlines(strip_first_newline(item.text));
            if text.contains(&b'\\') { Str::from(unescape(&text)?) } else { Str::from(&*text) }
        }
        Kind::RawMultiline => Str::from(strip_first_newline(item.text)),
        _ => Str::from(item.text),
    })
}

#[cold]
fn wrong(before: &str, text: &[u8], after: &str) -> Message {
    let mut message = before.as_bytes().to_vec();
    append_quote(&mut message, text);
    message.extend_from_slice(after.as_bytes());
    message
}

#[cold]
fn out_of_range(text: &[u8], of: &str) -> Message {
    [text, b" is out of range for ", of.as_bytes()].concat()
}

fn integer(text: &[u8]) -> Result<Value, Message> {
    const WRONG: &str = "Invalid integer ";
    if !underscores_stand_between_digits(text) {
        return Err(wrong(WRONG, text, ": underscores must be surrounded by digits"));
    }
    if has_leading_zero(text) {
        return Err(wrong(WRONG, text, ": cannot have leading zeroes"));
    }
    parse_int(text, 0, 64).map(Value::int64).map_err(|_| out_of_range(text, "int64"))
}

fn float(text: &[u8]) -> Result<Value, Message> {
    const WRONG: &str = "Invalid float ";
    let part_ends = |b: &u8| matches!(b, b'.' | b'e' | b'E');
    let parts = || text.split(part_ends).filter(|part| !part.is_empty());
    if !parts().all(underscores_stand_between_digits) {
        return Err(wrong(WRONG, text, ": underscores must be surrounded by digits"));
    }
    if parts().next().is_some_and(has_leading_zero) {
        return Err(wrong(WRONG, text, ": cannot have leading zeroes"));
    }
    if !points_stand_before_digits(text) {
        return Err(wrong(WRONG, text, ": '.' must be followed by one or more digits"));
    }
    match text {
        b"nan" | b"+nan" => return Ok(Value::Float(NAN)),
        b"-nan" => return Ok(Value::Float(-NAN)),
        _ => {}
    }
    let digits: Vec<u8> = text.iter().copied().filter(|b| *b != b'_').collect();
    parse_float(&digits).map(Value::Float).map_err(|error| match error.cause() {
        NumCause::Range => out_of_range(text, "float64"),
        _ => wrong("Invalid float value: ", text, ""),
    })
}

/// Go's NaN, whose sign is plus.
const NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

/// Whether the number has zeros before its first digit. A base prefix is none, but only without sign.
fn has_leading_zero(text: &[u8]) -> bool {
    match text {
        [b'0', b'b' | b'o' | b'x', ..] => false,
        [b'0', _, ..] | [b'-' | b'+', b'0', _, ..] => true,
        _ => false,
    }
}

/// Also false for a text that does not end in a digit.
fn underscores_stand_between_digits(text: &[u8]) -> bool {
    if matches!(text, b"nan" | b"+nan" | b"-nan" | b"inf" | b"+inf" | b"-inf") {
        return true;
    }
    let mut after_digit = false;
    for b in text {
        if *b == b'_' && !after_digit {
            return false;
        }
        after_digit = b.is_ascii_hexdigit();
    }
    after_digit
}

fn points_stand_before_digits(text: &[u8]) -> bool {
    let mut rest = text.iter();
    while rest.any(|b| *b == b'.') {
        if !rest.as_slice().first().is_some_and(u8::is_ascii_digit) {
            return false;
        }
    }
    true
}

/// A time in any of its forms.
pub(super) fn datetime(text: &[u8], zones: &Zones) -> Result<Value, Message> {
    let text: Vec<u8> = text
        .iter()
        .map(|b| match b {
            b'z' => b'Z',
            b't' | b' ' => b'T',
            b => *b,
        })
        .collect();
    for (layout, zone) in zones.layouts() {
        if let Some(time) = Time::parse(layout.as_bytes(), &text, zone, &zones.here) {
            if is_padded(&text, layout.as_bytes()) {
                return Ok(Value::object(time));
            }
            break;
        }
    }
    Err(wrong("invalid datetime: ", &text, ""))
}

/// Go reads hours of one digit; what stands between the numbers tells.
fn is_padded(text: &[u8], layout: &[u8]) -> bool {
    let mut pairs = layout.iter().zip(text).take_while(|(l, _)| !matches!(l, b'.' | b'Z'));
    pairs.all(|(l, t)| l.is_ascii_digit() || l == t)
}

fn strip_first_newline(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\n").or_else(|| text.strip_prefix(b"\r\n")).unwrap_or(text)
}

/// Takes out every backslash at the end of a line, with the white space behind it.
fn strip_escaped_newlines(text: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::new();
    let (mut rest, mut from) = (text, 0);
    while let Some(at) = find_backslash(rest, from) {
        let tail = rest.get(at + 1..).unwrap_or_default();
        if tail.first() == Some(&b'\\') {
            from = at + 2;
            continue;
        }
        let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
        let width = tail.iter().take_while(|b| blank(b)).count();
        let (blanks, after) = tail.split_at(width);
        if blanks.contains(&b'\n') {
            out.extend_from_slice(rest.get(..at).unwrap_or_default());
            (rest, from) = (after, 0);
        } else {
            from = at + 1;
        }
    }
    if out.is_empty() && rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

fn find_backslash(text: &[u8], from: usize) -> Option<usize> {
    let tail = text.get(from..)?;
    tail.iter().position(|b| *b == b'\\').map(|at| from + at)
}

/// Replaces escapes, which the lexer has checked but for blanks and the numbers of runes.
fn unescape(text: &[u8]) -> Result<Vec<u8>, Message> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find_backslash(rest, 0) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        let code = rest.get(at + 1).copied().unwrap_or_default();
        rest = rest.get(at + 2..).unwrap_or_default();
        let digits = match code {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => {
                out.push(unescaped(code)?);
                continue;
            }
        };
        let (digits, tail) = rest.split_at_checked(digits).unwrap_or((rest, b""));
        push_rune(&mut out, rune(digits)?);
        rest = tail;
    }
    out.extend_from_slice(rest);
    Ok(out)
}

fn unescaped(code: u8) -> Result<u8, Message> {
    Ok(match code {
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'f' => 12,
        b'r' => b'\r',
        b'e' => 0x1b,
        b'"' | b'\\' => code,
        _ => return Err([b"invalid escape: '\\", [code].as_slice(), b"'"].concat()),
    })
}

fn rune(digits: &[u8]) -> Result<char, Message> {
    let digit = |b: &u8| char::from(*b).to_digit(16).unwrap_or_default();
    let code = digits.iter().fold(0_u32, |code, b| code << 4 | digit(b));
    char::from_u32(code).ok_or_else(|| {
        [b"Escaped character '\\u".as_slice(), digits, b"' is not valid UTF-8."].concat()
    })
}
