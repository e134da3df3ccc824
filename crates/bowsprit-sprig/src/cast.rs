//! Numbers from any value, as spf13/cast makes them: whatever can't be one is 0.

use bowsprit_value::{Kind, Object, Value, strconv};

/// `cast.ToInt64`; `cast.ToInt` gives the same, since Helm's `int` has 64 bits.
pub(crate) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(_, n) => *n,
        Value::Float(f) => float_to_int(*f),
        Value::Bool(b) => i64::from(*b),
        Value::Str(s) => strconv::parse_int(trim_zero_decimal(s.as_bytes()), 0, 64).unwrap_or(0),
        Value::Object(o) => calendar_number(o.as_ref()).unwrap_or(0),
        _ => 0,
    }
}

/// `cast.ToFloat64`.
pub(crate) fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Float(f) => *f,
        Value::Int(kind, n) if kind.is_unsigned() => n.cast_unsigned() as f64,
        Value::Int(_, n) => *n as f64,
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Str(s) => strconv::parse_float(s.as_bytes()).unwrap_or(0.0),
        Value::Object(o) => calendar_number(o.as_ref()).map_or(0.0, |n| n as f64),
        _ => 0.0,
    }
}

/// Go's conversion of a `float64` to an `int64` on amd64: what does not fit is the least number.
pub(crate) fn float_to_int(f: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&f) { f as i64 } else { i64::MIN }
}

/// Only these two of the named integer types count as numbers; durations don't.
fn calendar_number(object: &dyn Object) -> Option<i64> {
    if !matches!(object.type_name(), "time.Month" | "time.Weekday")
        || !matches!(object.kind(), Kind::Int(_))
    {
        return None;
    }
    match object.to_json() {
        Some(Value::Int(_, n)) => Some(n),
        _ => None,
    }
}

/// Cuts a fraction of zeros off. cast looks for the first dot left of a zero, so `1.0.` is 1 as well.
fn trim_zero_decimal(s: &[u8]) -> &[u8] {
    let mut found_zero = false;
    for (i, byte) in s.iter().enumerate().rev() {
        match byte {
            b'.' if found_zero => return s.get(..i).unwrap_or(s),
            b'.' => {}
            b'0' => found_zero = true,
            _ => return s,
        }
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_with_go_prefixes() {
        for (text, want) in [
            ("010", 8),
            ("08", 0),
            ("0x1F", 31),
            ("0b11", 3),
            ("1.0", 1),
            ("100.00", 100),
            ("1.5", 0),
            ("1.", 0),
            ("1.0.", 1),
            (".0", 0),
            ("0", 0),
            ("00", 0),
            ("-7.000", -7),
            (" 1", 0),
            ("1_000", 1000),
            ("9223372036854775808", 0),
        ] {
            assert_eq!(to_int64(&Value::from(text)), want, "{text}");
        }
    }

    #[test]
    fn floats_out_of_range_are_the_least_integer() {
        assert_eq!(to_int64(&Value::Float(1e19)), i64::MIN);
        assert_eq!(to_int64(&Value::Float(f64::NAN)), i64::MIN);
        assert_eq!(to_int64(&Value::Float(-2.9)), -2);
        assert_eq!(to_int64(&Value::Nil), 0);
        assert_eq!(to_float64(&Value::from("0x1p-2")), 0.25);
    }
}
