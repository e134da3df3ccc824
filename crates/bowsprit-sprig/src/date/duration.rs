//! `time.Duration`: reading, printing and the object that templates see.

use super::layout::push_int;
use super::parse::quote;
use crate::methods;
use bowsprit_value::{IntKind, Kind, Method, Object, Str, Type, Value};

pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;

const LIMIT: u64 = 1 << 63;

/// Go's `time.ParseDuration`: nanoseconds, or Go's error text.
pub(super) fn parse(text: &[u8]) -> Result<i64, Str> {
    let wrong = || message("invalid duration", text);
    let (negative, mut rest) = match text.split_first() {
        Some((sign @ (b'-' | b'+'), rest)) => (*sign == b'-', rest),
        _ => (false, text),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let (part, after) = parse_part(rest, text)?;
        rest = after;
        // Both are at most 2^63, so only the sum needs a check.
        sum = sum.checked_add(part).filter(|&s| s <= LIMIT).ok_or_else(wrong)?;
    }
    if negative {
        return Ok((sum as i64).wrapping_neg());
    }
    i64::try_from(sum).map_err(|_| wrong())
}

/// One number with its unit, and what follows.
fn parse_part<'t>(text: &'t [u8], whole: &[u8]) -> Result<(u64, &'t [u8]), Str> {
    let wrong = || message("invalid duration", whole);
    let (value, after) = leading_int(text).ok_or_else(wrong)?;
    let had_digits = after.len() < text.len();
    let (fraction, scale, unit_text) = match after.strip_prefix(b".") {
        Some(digits) => leading_fraction(digits),
        None => (0, 1.0, after),
    };
    let had_fraction = after.len() > unit_text.len() + 1;
    if !had_digits && !had_fraction {
        return Err(wrong());
    }
    let end = unit_text.iter().position(|b| matches!(b, b'.' | b'0'..=b'9'));
    let (unit, rest) = unit_text.split_at(end.unwrap_or(unit_text.len()));
    if unit.is_empty() {
        return Err(message("missing unit in duration", whole));
    }
    let Some(unit) = unit_nanos(unit) else {
        let mut text = b"unknown unit ".to_vec();
        quote(unit, &mut text);
        text.extend_from_slice(b" in duration");
        return Err(message_bytes(&text, whole));
    };
    if value > LIMIT / unit {
        return Err(wrong());
    }
    let mut nanos = value * unit;
    if fraction > 0 {
        nanos += (fraction as f64 * (unit as f64 / scale)) as u64;
        if nanos > LIMIT {
            return Err(wrong());
        }
    }
    Ok((nanos, rest))
}

fn unit_nanos(unit: &[u8]) -> Option<u64> {
    Some(match unit {
        b"ns" => 1,
        // Micro sign and Greek mu.
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => SECOND as u64,
        b"m" => MINUTE as u64,
        b"h" => HOUR as u64,
        _ => return None,
    })
}

/// The leading digits as a number of at most 2^63, and what follows.
pub(super) fn leading_int(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut n = 0_u64;
    let mut rest = text;
    while let Some((digit @ b'0'..=b'9', after)) = rest.split_first() {
        n = n.checked_mul(10)?.checked_add(u64::from(digit - b'0')).filter(|&n| n <= LIMIT)?;
        rest = after;
    }
    Some((n, rest))
}

/// The leading digits as a fraction; digits that don't fit any more are skipped.
fn leading_fraction(text: &[u8]) -> (u64, f64, &[u8]) {
    let (mut n, mut scale, mut full) = (0_u64, 1.0, false);
    let mut rest = text;
    while let Some((digit @ b'0'..=b'9', after)) = rest.split_first() {
        rest = after;
        full = full || n > (LIMIT - 1) / 10;
        if full {
            continue;
        }
        let next = n * 10 + u64::from(digit - b'0');
        if next > LIMIT {
            full = true;
            continue;
        }
        n = next;
        scale *= 10.0;
    }
    (n, scale, rest)
}

#[cold]
fn message(what: &str, text: &[u8]) -> Str {
    message_bytes(what.as_bytes(), text)
}

#[cold]
fn message_bytes(what: &[u8], text: &[u8]) -> Str {
    let mut out = b"time: ".to_vec();
    out.extend_from_slice(what);
    out.push(b' ');
    quote(text, &mut out);
    Str::from(out)
}

/// Go's `Duration.String`.
pub(super) fn text(nanos: i64) -> Str {
    let mut out = Vec::with_capacity(24);
    if nanos < 0 {
        out.push(b'-');
    }
    let n = nanos.unsigned_abs();
    if n < SECOND as u64 {
        let (digits, unit) = match n {
            0 => return Str::from_static("0s"),
            1..1_000 => (0, "ns"),
            1_000..1_000_000 => (3, "µs"),
            _ => (6, "ms"),
        };
        push_decimal(&mut out, n, digits);
        out.extend_from_slice(unit.as_bytes());
        return Str::from(out);
    }
    let seconds = n / SECOND as u64;
    if seconds >= 3600 {
        push_int(&mut out, (seconds / 3600) as i64, 0);
        out.push(b'h');
    }
    if seconds >= 60 {
        push_int(&mut out, (seconds / 60 % 60) as i64, 0);
        out.push(b'm');
    }
    push_decimal(&mut out, n % MINUTE as u64, 9);
    out.push(b's');
    Str::from(out)
}

/// A number with that many decimal places, without trailing zeros.
fn push_decimal(out: &mut Vec<u8>, n: u64, places: u32) {
    let unit = 10_u64.pow(places);
    push_int(out, (n / unit) as i64, 0);
    if !n.is_multiple_of(unit) {
        out.push(b'.');
        push_int(out, (n % unit) as i64, places as usize);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// Whether `2x < y`, as Go's `lessThanHalf` has it.
pub(super) fn less_than_half(x: i64, y: i64) -> bool {
    (x as u64).wrapping_mul(2) < y as u64
}

/// Go's `Duration.Round`.
pub(super) fn round(d: i64, m: i64) -> i64 {
    if m <= 0 {
        return d;
    }
    let r = (d % m).abs();
    if d < 0 {
        if less_than_half(r, m) { d + r } else { (d + r).checked_sub(m).unwrap_or(i64::MIN) }
    } else if less_than_half(r, m) {
        d - r
    } else {
        (d - r).checked_add(m).unwrap_or(i64::MAX)
    }
}

/// A `time.Duration`, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(pub i64);

impl Object for Duration {
    fn type_name(&self) -> &'static str {
        "time.Duration"
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntKind::Int64)
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn to_text(&self) -> Option<Str> {
        Some(text(self.0))
    }

    fn to_json(&self) -> Option<Value> {
        Some(Value::int64(self.0))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        (other as &dyn std::any::Any).downcast_ref() == Some(self)
    }
}

const DURATION: Type = Type::NamedInt("time.Duration", IntKind::Int64);

static METHODS: &[Method] = methods![Duration, d, args;
    "Abs"() -> DURATION => duration(if d.0 == i64::MIN { i64::MAX } else { d.0.abs() });
    "Hours"() -> Type::Float64 => split(d.0, HOUR);
    "Microseconds"() -> Type::INT64 => Value::int64(d.0 / 1_000);
    "Milliseconds"() -> Type::INT64 => Value::int64(d.0 / 1_000_000);
    "Minutes"() -> Type::Float64 => split(d.0, MINUTE);
    "Nanoseconds"() -> Type::INT64 => Value::int64(d.0);
    "Round"(DURATION) -> DURATION => duration(round(d.0, nanos_of(args.get(0))));
    "Seconds"() -> Type::Float64 => split(d.0, SECOND);
    "String"() -> Type::String => Value::Str(text(d.0));
    "Truncate"(DURATION) -> DURATION => duration(truncate(d.0, nanos_of(args.get(0))));
];

/// A `time.Duration` value.
pub(super) fn duration(nanos: i64) -> Value {
    Value::object(Duration(nanos))
}

/// The nanoseconds of a `time.Duration` argument, which may be a literal number.
pub(super) fn nanos_of(value: &Value) -> i64 {
    match value {
        Value::Int(_, n) => *n,
        other => other.downcast::<Duration>().map_or(0, |d| d.0),
    }
}

/// The duration in a unit; whole units and the rest are converted apart, as in Go.
fn split(nanos: i64, unit: i64) -> Value {
    Value::Float((nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64)
}

fn truncate(d: i64, m: i64) -> i64 {
    if m <= 0 { d } else { d - d % m }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        match parse(text.as_bytes()) {
            Ok(nanos) => super::text(nanos).to_string(),
            Err(text) => text.to_string(),
        }
    }

    #[test]
    fn durations_are_read_and_printed_as_in_go() {
        for (input, want) in [
            ("0", "0s"),
            ("-1.5h", "-1h30m0s"),
            ("1h15m30.918s", "1h15m30.918s"),
            (".5ms", "500µs"),
            ("1us1ns", "1.001µs"),
            ("1µs", "1µs"),
            ("-9223372036854775808ns", "-2562047h47m16.854775808s"),
            ("9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""),
            ("1", "time: missing unit in duration \"1\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            ("", "time: invalid duration \"\""),
            (".s", "time: invalid duration \".s\""),
            ("3\u{fc}", "time: unknown unit \"\\xc3\\xbc\" in duration \"3\\xc3\\xbc\""),
        ] {
            assert_eq!(parsed(input), want);
        }
    }

    #[test]
    fn rounding_saturates() {
        assert_eq!(round(1_500_000_000, SECOND), 2 * SECOND);
        assert_eq!(round(-1_500_000_000, SECOND), -2 * SECOND);
        assert_eq!(round(i64::MAX, SECOND), i64::MAX);
        assert_eq!(round(i64::MIN, SECOND), i64::MIN);
    }
}
