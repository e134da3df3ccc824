//! Number literals with all the types that can represent them.

use crate::compile::program::{Literal, Number};
use bowsprit_value::strconv;

impl From<Number> for Literal {
    fn from(number: Number) -> Literal {
        match number.int {
            Some(value) if number == Number::whole(value) => Literal::Whole(value),
            _ => Literal::Number(Box::new(number)),
        }
    }
}

impl Number {
    /// A whole number that all types can hold.
    pub(crate) fn whole(value: i64) -> Number {
        Number {
            int: Some(value),
            uint: Some(value as u64),
            float: Some(value as f64),
            ..Number::default()
        }
    }

    /// A character constant such as `'a'`.
    pub(super) fn character(text: &[u8]) -> Result<Number, String> {
        let inner = text.get(1..).unwrap_or_default();
        let Some(unquoted) = strconv::unquote_char(inner, b'\'') else {
            return Err("invalid syntax".into());
        };
        if unquoted.tail != b"'" {
            return Err(format!("malformed character constant: {}", String::from_utf8_lossy(text)));
        }
        let rune = i64::from(unquoted.value);
        Ok(Number {
            int: Some(rune),
            uint: Some(rune as u64),
            float: Some(rune as f64),
            ..Number::default()
        })
    }

    /// A complex constant such as `1+2i`.
    pub(super) fn complex(text: &[u8]) -> Result<Number, String> {
        let body = text.strip_suffix(b"i").unwrap_or(text);
        let split = body.iter().enumerate().skip(1).find_map(|(i, b)| {
            let exponent = matches!(body.get(i - 1), Some(b'e' | b'E' | b'p' | b'P'));
            (matches!(b, b'+' | b'-') && !exponent).then_some(i)
        });
        let parts = split.and_then(|i| {
            let re = strconv::parse_float(body.get(..i)?).ok()?;
            let im = strconv::parse_float(body.get(i..)?).ok()?;
            Some((re, im))
        });
        match parts {
            Some((re, im)) => Ok(Number::of_complex(re, im)),
            None => Err("syntax error scanning complex number".into()),
        }
    }

    fn of_complex(re: f64, im: f64) -> Number {
        let float = (im == 0.0).then_some(re);
        Number {
            int: float.and_then(exact_int),
            uint: float.and_then(exact_uint),
            float,
            complex: Some((re, im)),
            float_text: false,
        }
    }

    /// Any other number.
    pub(super) fn parse(text: &[u8]) -> Result<Number, String> {
        if let Some(body) = text.strip_suffix(b"i")
            && let Ok(im) = strconv::parse_float(body)
        {
            return Ok(Number::of_complex(0.0, im));
        }
        let mut number = Number {
            uint: strconv::parse_uint(text, 0, 64).ok(),
            int: strconv::parse_int(text, 0, 64).ok(),
            ..Number::default()
        };
        if number.int == Some(0) {
            number.uint = Some(number.uint.unwrap_or(0));
        }
        if let Some(int) = number.int {
            number.float = Some(int as f64);
        } else if let Some(uint) = number.uint {
            number.float = Some(uint as f64);
        } else if let Ok(float) = strconv::parse_float(text) {
            if !text.iter().any(|b| b".eEpP".contains(b)) {
                return Err(format!("integer overflow: {}", quoted(text)));
            }
            number.float = Some(float);
            number.int = exact_int(float);
            number.uint = exact_uint(float);
        }
        if number.int.is_none() && number.uint.is_none() && number.float.is_none() {
            return Err(format!("illegal number syntax: {}", quoted(text)));
        }
        number.float_text = !is_hex_int(text) && text.iter().any(|b| b".eEpP".contains(b));
        Ok(number)
    }
}

fn quoted(text: &[u8]) -> String {
    String::from_utf8_lossy(&strconv::quote(text)).into_owned()
}

fn is_hex_int(text: &[u8]) -> bool {
    matches!(text, [b'0', b'x' | b'X', _, ..]) && !text.iter().any(|b| b"pP".contains(b))
}

fn exact_int(f: f64) -> Option<i64> {
    let int = f as i64;
    // 2^63 saturates to a value that converts back to itself, but Go's conversion does not.
    (int as f64 == f && f < 9_223_372_036_854_775_808.0).then_some(int)
}

fn exact_uint(f: f64) -> Option<u64> {
    let uint = f as u64;
    (uint as f64 == f && f < 18_446_744_073_709_551_616.0).then_some(uint)
}
