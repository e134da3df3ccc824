//! Numbers compared exactly, as Go's `big.Rat` does, and printed as `x/text/message` does in English.

use bowsprit_value::fmt;
use std::cmp::Ordering;

/// A number as a document holds it.
#[derive(Clone, Debug)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
    /// A JSON number's text.
    Text(Box<str>),
}

impl Number {
    /// The text that Go's `%v` gives.
    pub(super) fn text(&self) -> String {
        match self {
            Number::Int(v) => v.to_string(),
            Number::Float(v) => {
                let mut out = Vec::new();
                fmt::append_float(&mut out, *v, b'g', None, 64);
                String::from_utf8_lossy(&out).into_owned()
            }
            Number::Text(text) => text.to_string(),
        }
    }

    /// The nearest float.
    pub(super) fn nearest(&self) -> f64 {
        match self {
            Number::Int(v) => *v as f64,
            Number::Float(v) => *v,
            Number::Text(text) => text.parse().unwrap_or(0.0),
        }
    }

    /// The exact value; `None` where Go refuses the exponent, and for NaN and infinities.
    pub(super) fn decimal(&self) -> Option<Decimal> {
        match self {
            Number::Int(v) => Decimal::parse(&v.to_string()),
            Number::Float(v) => Decimal::parse(&format!("{v:e}")),
            Number::Text(text) => Decimal::parse(text),
        }
    }
}

/// An exact decimal number: its digits, without zeros at either end, times a power of ten.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

/// `big.Rat.SetString` refuses larger powers of ten.
const MAX_EXPONENT: i64 = 1_000_000;

/// Divisions that need more single steps than this are given up.
const MAX_DIVISION: usize = 20_000_000;

impl Decimal {
    fn parse(text: &str) -> Option<Decimal> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (rest, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').collect();
        let given = exponent.map_or(Some(0), |e| e.parse::<i64>().ok());
        let zeros = digits.iter().take_while(|d| **d == 0).count();
        digits.drain(..zeros);
        if digits.is_empty() {
            return Some(Decimal { negative: false, digits, exponent: 0 });
        }
        let mut exponent = given?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        if exponent.checked_abs()? > MAX_EXPONENT {
            return None;
        }
        while digits.last() == Some(&0) {
            digits.pop();
            exponent += 1;
        }
        Some(Decimal { negative, digits, exponent })
    }

    /// Reads more than JSON allows, as `big.Rat.SetString` does: a plus sign, `_` between digits, and
    /// integers of other bases by their prefix. Fractions such as `1/2` are not read.
    pub(super) fn parse_any(text: &str) -> Option<Decimal> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let sign = if negative { "-" } else { "" };
        let base = match rest.get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("0x") => Some(16),
            Some("0o") => Some(8),
            Some("0b") => Some(2),
            _ => None,
        };
        if let Some(base) = base {
            let digits = rest.get(2..)?.strip_prefix('_').or(rest.get(2..))?;
            let value = u128::from_str_radix(&without_underscores(digits)?, base).ok()?;
            return Decimal::parse(&format!("{sign}{value}"));
        }
        if !rest.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if exponent.len() == 1 {
            return None;
        }
        Decimal::parse(&format!("{sign}{}{exponent}", without_underscores(mantissa)?))
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    pub(super) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// The low 64 bits of an integer, as Go's `big.Int.Int64` gives them.
    pub(super) fn to_i64(&self) -> Option<i64> {
        if !self.is_integer() {
            return None;
        }
        let step = |v: u64, digit: u8| v.wrapping_mul(10).wrapping_add(u64::from(digit));
        let mut v = self.digits.iter().fold(0, |v, digit| step(v, *digit));
        // 10^64 has 64 factors of two.
        for _ in 0..self.exponent.min(64) {
            v = step(v, 0);
        }
        let v = v.cast_signed();
        Some(if self.negative { v.wrapping_neg() } else { v })
    }

    /// The nearest `float64`, infinite where it is too large.
    pub(super) fn to_f64(&self) -> f64 {
        let mut text = String::with_capacity(self.digits.len() + 16);
        if self.negative {
            text.push('-');
        }
        text.push('0');
        text.extend(self.digits.iter().map(|d| char::from(b'0' + d)));
        text.push('e');
        text.push_str(&self.exponent.to_string());
        text.parse().unwrap_or(0.0)
    }

    fn compare_magnitude(&self, other: &Decimal) -> Ordering {
        if self.is_zero() || other.is_zero() {
            return other.is_zero().cmp(&self.is_zero());
        }
        let top = |d: &Decimal| d.digits.len() as i64 + d.exponent;
        top(self).cmp(&top(other)).then_with(|| self.digits.cmp(&other.digits))
    }

    /// True where this is a whole multiple of a divisor other than zero; `None` where finding out
    /// takes too long.
    pub(super) fn is_multiple_of(&self, divisor: &Decimal) -> Option<bool> {
        if self.is_zero() {
            return Some(true);
        }
        let shift = self.exponent - divisor.exponent;
        // The digits don't end in zero, so that no power of ten divides them.
        let Ok(shift) = usize::try_from(shift) else { return Some(false) };
        let steps = (self.digits.len() + shift).checked_mul(divisor.digits.len())?;
        if steps > MAX_DIVISION {
            return None;
        }
        let digits = self.digits.iter().copied().chain(std::iter::repeat_n(0, shift));
        Some(if divisor.digits.len() <= 18 {
            let by = divisor.digits.iter().fold(0u128, |v, d| v * 10 + u128::from(*d));
            digits.fold(0u128, |rest, d| (rest * 10 + u128::from(d)) % by.max(1)) == 0
        } else {
            long_remainder_is_zero(digits, &divisor.digits)
        })
    }
}

/// Takes out single underscores between digits; `None` where one stands elsewhere.
fn without_underscores(digits: &str) -> Option<String> {
    let bytes = digits.as_bytes();
    let legal = bytes.split(|b| *b == b'_').all(|part| !part.is_empty())
        && !digits.contains("._")
        && !digits.contains("_.");
    legal.then(|| digits.replace('_', ""))
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.compare_magnitude(other),
            (true, true) => other.compare_magnitude(self),
            (negative, _) => other.negative.cmp(&negative),
        }
    }
}

/// Division on paper, digit by digit.
fn long_remainder_is_zero(digits: impl Iterator<Item = u8>, by: &[u8]) -> bool {
    // The remainder, most significant digit first, always as long as the divisor plus one.
    let mut rest = vec![0u8; by.len() + 1];
    for digit in digits {
        rest.rotate_left(1);
        if let Some(last) = rest.last_mut() {
            *last = digit;
        }
        while !less(&rest, by) {
            subtract(&mut rest, by);
        }
    }
    rest.iter().all(|d| *d == 0)
}

fn less(rest: &[u8], by: &[u8]) -> bool {
    let (top, low) = rest.split_first().map_or((0, rest), |(top, low)| (*top, low));
    top == 0 && low < by
}

fn subtract(rest: &mut [u8], by: &[u8]) {
    let mut borrow = 0;
    for (d, b) in rest.iter_mut().rev().zip(by.iter().rev().chain(std::iter::once(&0))) {
        let take = b + borrow;
        borrow = u8::from(*d < take);
        *d = *d + 10 * borrow - take;
    }
}

/// `%v` of a `float64`.
pub(super) fn localized_float(v: f64) -> String {
    if v.is_infinite() {
        return if v < 0.0 { "-∞" } else { "∞" }.to_owned();
    }
    let text = format!("{v:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if v != 0.0 && !(-4..6).contains(&exponent) {
        return format!("{mantissa}×10{}", superscript(exponent));
    }
    let plain = format!("{v}");
    match plain.split_once('.') {
        Some((whole, fraction)) => format!("{}.{fraction}", grouped(whole)),
        None => grouped(&plain),
    }
}

/// `%d` of an `int`.
pub(super) fn localized_int(v: i64) -> String {
    grouped(&v.to_string())
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 2);
    out.push_str(sign);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// An exponent of at least two digits.
fn superscript(exponent: i32) -> String {
    let digits = format!("{:02}", exponent.unsigned_abs());
    let sign = if exponent < 0 { "⁻" } else { "" };
    let digits = digits.chars().map(|c| match c {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        c => char::from_u32(u32::from(c) + (u32::from('⁰') - u32::from('0'))).unwrap_or(c),
    });
    sign.chars().chain(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_compare_exactly() {
        assert_eq!(decimal("1.50e2"), decimal("150"));
        assert!(decimal("-3") < decimal("-2.5"));
        assert!(decimal("-1") < decimal("0"));
        assert!(decimal("0") < decimal("1e-9"));
        assert!(decimal("99999999999999999999") < decimal("1e20"));
        assert_eq!(decimal("1e19").to_i64(), Some(-8_446_744_073_709_551_616));
        assert!(Decimal::parse("1e1000001").is_none());
        assert!(Decimal::parse("0e99999999999999999999").is_some());
    }

    #[test]
    fn multiples() {
        let multiple = |a: &str, b: &str| decimal(a).is_multiple_of(&decimal(b));
        assert_eq!(multiple("0.07", "0.01"), Some(true));
        assert_eq!(multiple("0.075", "0.01"), Some(false));
        assert_eq!(multiple("1e300", "7"), Some(false));
        assert_eq!(multiple("7e300", "0.7"), Some(true));
        let long = "123456789012345678901234567";
        assert_eq!(multiple(&format!("{long}{long}"), long), Some(true));
        assert_eq!(multiple(&format!("{long}1"), long), Some(false));
        assert_eq!(multiple("1e100000", long), Some(false));
        assert_eq!(multiple("1e1000000", long), None);
    }

    #[test]
    fn english_numbers() {
        let shown = [0.0, 1000.0, 1234.5, 999_999.0, 1e6, 1_234_567.0, 0.00012, 1e-5, 1e300];
        assert_eq!(
            shown.map(localized_float).join(" "),
            "0 1,000 1,234.5 999,999 1×10⁰⁶ 1.234567×10⁰⁶ 0.00012 1×10⁻⁰⁵ 1×10³⁰⁰"
        );
        assert_eq!(localized_int(-1_234_567), "-1,234,567");
    }
}
