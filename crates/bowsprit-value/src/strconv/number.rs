//! Numbers from text, with Go's syntax, ranges and error texts.

use super::append_quote;
use crate::{FuncError, Str};
use std::fmt;

/// What is wrong with a number's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumCause {
    /// It is no number.
    Syntax,
    /// The type can't hold it.
    Range,
    /// There is no such base.
    Base(u32),
    /// There is no integer of so many bits.
    BitSize(u32),
}

/// Go's `*strconv.NumError`.
#[derive(Clone, PartialEq)]
pub struct NumError(Box<Failure>);

#[derive(Clone, PartialEq)]
struct Failure {
    func: &'static str,
    input: Str,
    cause: NumCause,
    nearest: Nearest,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Nearest {
    Int(i64),
    Float(f64),
}

impl NumError {
    #[cold]
    fn new(func: &'static str, input: &[u8], cause: NumCause) -> NumError {
        NumError(Box::new(Failure { func, input: input.into(), cause, nearest: Nearest::Int(0) }))
    }

    #[cold]
    fn range(func: &'static str, input: &[u8], nearest: Nearest) -> NumError {
        NumError(Box::new(Failure { func, input: input.into(), cause: NumCause::Range, nearest }))
    }

    /// What is wrong.
    pub fn cause(&self) -> NumCause {
        self.0.cause
    }

    /// The text that was to be a number.
    pub fn input(&self) -> &Str {
        &self.0.input
    }

    /// The integer that Go returns beside the error: the end of the range, or 0. That of
    /// [`parse_uint`] is unsigned by its bits.
    pub fn nearest_int(&self) -> i64 {
        match self.0.nearest {
            Nearest::Int(v) => v,
            Nearest::Float(_) => 0,
        }
    }

    /// The float that Go returns beside the error: an infinity, or 0.
    pub fn nearest_float(&self) -> f64 {
        match self.0.nearest {
            Nearest::Int(_) => 0.0,
            Nearest::Float(v) => v,
        }
    }

    /// The text of Go's error; bytes, because it quotes the input.
    pub fn text(&self) -> Str {
        let failure = &self.0;
        let mut out = format!("strconv.{}: parsing ", failure.func).into_bytes();
        append_quote(&mut out, failure.input.as_bytes());
        out.extend_from_slice(b": ");
        match failure.cause {
            NumCause::Syntax => out.extend_from_slice(b"invalid syntax"),
            NumCause::Range => out.extend_from_slice(b"value out of range"),
            NumCause::Base(base) => out.extend(format!("invalid base {base}").bytes()),
            NumCause::BitSize(bits) => out.extend(format!("invalid bit size {bits}").bytes()),
        }
        out.into()
    }

    fn renamed(mut self, func: &'static str, input: &[u8]) -> NumError {
        self.0.func = func;
        self.0.input = input.into();
        self
    }
}

impl fmt::Debug for NumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NumError({})", self.text())
    }
}

impl fmt::Display for NumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.text(), f)
    }
}

impl std::error::Error for NumError {}

impl From<NumError> for FuncError {
    fn from(error: NumError) -> FuncError {
        FuncError::new(error.text())
    }
}

/// Go's `strconv.ParseInt`: base 2 to 36, or 0 to go by the prefix (which also allows `_`); 1 to 64
/// bits, or 0 for Go's `int`.
///
/// # Errors
///
/// [`NumCause::Syntax`] or [`NumCause::Range`]; the others for impossible bases and sizes.
///
/// ```
/// use bowsprit_value::strconv::parse_int;
///
/// assert_eq!(parse_int(b"-0x1F", 0, 64), Ok(-31));
/// assert_eq!(
///     parse_int(b"1e3", 10, 64).unwrap_err().to_string(),
///     "strconv.ParseInt: parsing \"1e3\": invalid syntax",
/// );
/// ```
pub fn parse_int(s: &[u8], base: u32, bits: u32) -> Result<i64, NumError> {
    parse_signed("ParseInt", s, base, bits)
}

/// Go's `strconv.Atoi`.
///
/// # Errors
///
/// As [`parse_int`], under its own name.
pub fn atoi(s: &[u8]) -> Result<i64, NumError> {
    parse_signed("Atoi", s, 10, 64)
}

fn parse_signed(func: &'static str, s: &[u8], base: u32, bits: u32) -> Result<i64, NumError> {
    let (negative, digits) = match s.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, s),
    };
    let magnitude = match parse_uint(digits, base, bits) {
        Ok(v) => v,
        Err(e) if e.cause() == NumCause::Range => e.nearest_int().cast_unsigned(),
        Err(e) => return Err(e.renamed(func, s)),
    };
    let limit = 1u64 << (if bits == 0 { 64 } else { bits } - 1).min(63);
    if negative {
        if magnitude > limit {
            let least = limit.cast_signed().wrapping_neg();
            return Err(NumError::range(func, s, Nearest::Int(least)));
        }
        return Ok(magnitude.cast_signed().wrapping_neg());
    }
    if magnitude >= limit {
        return Err(NumError::range(func, s, Nearest::Int((limit - 1).cast_signed())));
    }
    Ok(magnitude.cast_signed())
}

/// Go's `strconv.ParseUint`: as [`parse_int`], without a sign.
///
/// # Errors
///
/// As [`parse_int`].
pub fn parse_uint(s: &[u8], base: u32, bits: u32) -> Result<u64, NumError> {
    const FUNC: &str = "ParseUint";
    let wrong = |cause| NumError::new(FUNC, s, cause);
    if s.is_empty() {
        return Err(wrong(NumCause::Syntax));
    }
    let (radix, digits) = match base {
        2..=36 => (base, s),
        0 => radix_of(s),
        _ => return Err(wrong(NumCause::Base(base))),
    };
    let max = match bits {
        0 | 64 => u64::MAX,
        1..=63 => (1 << bits) - 1,
        _ => return Err(wrong(NumCause::BitSize(bits))),
    };
    let mut underscores = false;
    let mut n = 0u64;
    for &b in digits {
        if b == b'_' && base == 0 {
            underscores = true;
            continue;
        }
        let digit = char::from(b).to_digit(radix).ok_or_else(|| wrong(NumCause::Syntax))?;
        n = n
            .checked_mul(radix.into())
            .and_then(|n| n.checked_add(digit.into()))
            .filter(|n| *n <= max)
            .ok_or_else(|| NumError::range(FUNC, s, Nearest::Int(max.cast_signed())))?;
    }
    if underscores && !underscores_fit(s) {
        return Err(wrong(NumCause::Syntax));
    }
    Ok(n)
}

fn radix_of(s: &[u8]) -> (u32, &[u8]) {
    match s {
        [b'0', b'b' | b'B', rest @ ..] if !rest.is_empty() => (2, rest),
        [b'0', b'o' | b'O', rest @ ..] if !rest.is_empty() => (8, rest),
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => (16, rest),
        [b'0', rest @ ..] => (8, rest),
        _ => (10, s),
    }
}

/// Underscores may stand between digits, or between a base prefix and a digit.
fn underscores_fit(s: &[u8]) -> bool {
    #[derive(PartialEq)]
    enum Saw {
        Start,
        Digit,
        Underscore,
        Other,
    }
    let s = match s {
        [b'+' | b'-', rest @ ..] => rest,
        _ => s,
    };
    let (mut saw, hex, digits) = match s {
        [b'0', p @ (b'b' | b'B' | b'o' | b'O' | b'x' | b'X'), rest @ ..] => {
            (Saw::Digit, p.eq_ignore_ascii_case(&b'x'), rest)
        }
        _ => (Saw::Start, false, s),
    };
    for &b in digits {
        if b.is_ascii_digit() || hex && b.is_ascii_hexdigit() {
            saw = Saw::Digit;
        } else if b == b'_' {
            if saw != Saw::Digit {
                return false;
            }
            saw = Saw::Underscore;
        } else {
            if saw == Saw::Underscore {
                return false;
            }
            saw = Saw::Other;
        }
    }
    saw != Saw::Underscore
}

/// Go's `strconv.ParseFloat` for `float64`: decimal and hexadecimal floats, `inf`, `infinity` and
/// `nan` in any case, `_` between digits.
///
/// # Errors
///
/// [`NumCause::Syntax`], or [`NumCause::Range`] where the nearest float is an infinity.
///
/// ```
/// use bowsprit_value::strconv::{NumCause, parse_float};
///
/// assert_eq!(parse_float(b"0x1.8p1"), Ok(3.0));
/// let error = parse_float(b"-1e400").unwrap_err();
/// assert_eq!((error.cause(), error.nearest_float()), (NumCause::Range, f64::NEG_INFINITY));
/// ```
pub fn parse_float(s: &[u8]) -> Result<f64, NumError> {
    const FUNC: &str = "ParseFloat";
    let value = special(s).or_else(|| match scan_float(s)? {
        Scanned::Decimal { underscores } => parse_decimal(s, underscores),
        Scanned::Hex(hex) => Some(hex.to_float()),
    });
    match value {
        Some(v) if v.is_infinite() && special(s).is_none() => {
            Err(NumError::range(FUNC, s, Nearest::Float(v)))
        }
        Some(v) => Ok(v),
        None => Err(NumError::new(FUNC, s, NumCause::Syntax)),
    }
}

fn special(s: &[u8]) -> Option<f64> {
    if s.eq_ignore_ascii_case(b"nan") {
        return Some(f64::NAN);
    }
    let (sign, name) = match s {
        [b'-', rest @ ..] => (-1.0, rest),
        [b'+', rest @ ..] => (1.0, rest),
        _ => (1.0, s),
    };
    let infinite = name.eq_ignore_ascii_case(b"inf") || name.eq_ignore_ascii_case(b"infinity");
    infinite.then_some(sign * f64::INFINITY)
}

fn parse_decimal(s: &[u8], underscores: bool) -> Option<f64> {
    if !underscores {
        return std::str::from_utf8(s).ok()?.parse().ok();
    }
    let digits: Vec<u8> = s.iter().copied().filter(|b| *b != b'_').collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

enum Scanned {
    Decimal { underscores: bool },
    Hex(HexFloat),
}

/// A hexadecimal float: ±mantissa × 2^exponent.
#[derive(Default)]
struct HexFloat {
    negative: bool,
    mantissa: u64,
    exponent: i64,
    /// Non-zero digits were left out of the mantissa.
    truncated: bool,
}

/// Checks the syntax of the whole text.
fn scan_float(s: &[u8]) -> Option<Scanned> {
    let negative = s.first() == Some(&b'-');
    let unsigned = match s {
        [b'+' | b'-', rest @ ..] => rest,
        _ => s,
    };
    let (is_hex, digits) = match unsigned {
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => (true, rest),
        _ => (false, unsigned),
    };
    let mut hex = HexFloat { negative, ..HexFloat::default() };
    let rest = scan_mantissa(digits, is_hex, &mut hex)?;
    match rest.split_first() {
        Some((b'p' | b'P', exponent)) if is_hex => {
            hex.exponent = hex.exponent.saturating_add(scan_exponent(exponent)?);
        }
        Some((b'e' | b'E', exponent)) if !is_hex => {
            scan_exponent(exponent)?;
        }
        None if !is_hex => {}
        _ => return None,
    }
    let underscores = s.contains(&b'_');
    if underscores && !underscores_fit(s) {
        return None;
    }
    Some(if is_hex { Scanned::Hex(hex) } else { Scanned::Decimal { underscores } })
}

/// Reads digits and a point, and gives what follows them.
fn scan_mantissa<'a>(s: &'a [u8], is_hex: bool, hex: &mut HexFloat) -> Option<&'a [u8]> {
    let (mut point, mut any) = (false, false);
    let mut end = s.len();
    for (i, &b) in s.iter().enumerate() {
        match b {
            b'_' => {}
            b'.' if !point => point = true,
            _ if b.is_ascii_digit() || is_hex && b.is_ascii_hexdigit() => {
                any = true;
                hex.push(char::from(b).to_digit(16).unwrap_or(0).into(), point);
            }
            _ => {
                end = i;
                break;
            }
        }
    }
    if any { s.get(end..) } else { None }
}

fn scan_exponent(s: &[u8]) -> Option<i64> {
    let (negative, digits) = match s {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, s),
    };
    if !digits.first()?.is_ascii_digit() {
        return None;
    }
    let mut n = 0i64;
    for &b in digits {
        match b {
            b'0'..=b'9' if n < 10_000 => n = n * 10 + i64::from(b - b'0'),
            b'0'..=b'9' | b'_' => {}
            _ => return None,
        }
    }
    Some(if negative { -n } else { n })
}

impl HexFloat {
    fn push(&mut self, digit: u64, after_point: bool) {
        if self.mantissa >> 60 == 0 {
            self.mantissa = self.mantissa << 4 | digit;
            self.exponent -= if after_point { 4 } else { 0 };
        } else {
            self.truncated |= digit != 0;
            self.exponent += if after_point { 0 } else { 4 };
        }
    }

    /// Rounds to the nearest float, ties to even; an infinity where it is too big.
    fn to_float(&self) -> f64 {
        const MANTISSA_BITS: u32 = 52;
        const LEAST: i64 = -1074;
        let sign = if self.negative { -1.0 } else { 1.0 };
        if self.mantissa == 0 {
            return sign * 0.0;
        }
        // 1 bit above the 53 of the float is kept for rounding, and one more for "anything below".
        let spare = self.mantissa.leading_zeros().min(8);
        let mut mantissa = self.mantissa << spare;
        let mut exponent = self.exponent.saturating_sub(spare.into());
        let mut sticky = self.truncated;
        while mantissa >> (MANTISSA_BITS + 2) != 0 || mantissa > 0 && exponent < LEAST - 1 {
            sticky |= mantissa & 1 != 0;
            mantissa >>= 1;
            exponent = exponent.saturating_add(1);
        }
        while mantissa >> (MANTISSA_BITS + 1) == 0 && mantissa != 0 && exponent > LEAST - 1 {
            mantissa <<= 1;
            exponent -= 1;
        }
        let half = mantissa & 1 != 0;
        mantissa >>= 1;
        exponent = exponent.saturating_add(1);
        if half && (sticky || mantissa & 1 != 0) {
            mantissa += 1;
        }
        sign * scale(mantissa, exponent)
    }
}

/// mantissa × 2^exponent, where the product is a float or too big for one.
fn scale(mantissa: u64, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let top = exponent.saturating_add(63 - i64::from(mantissa.leading_zeros()));
    if top > 1023 {
        return f64::INFINITY;
    }
    if top < -1022 {
        return f64::from_bits(mantissa);
    }
    let fraction = mantissa << (mantissa.leading_zeros() - 11) & ((1 << 52) - 1);
    f64::from_bits(((top + 1023) as u64) << 52 | fraction)
}

/// Go's `strconv.ParseBool`.
///
/// # Errors
///
/// [`NumCause::Syntax`] for anything but `1 t T TRUE true True 0 f F FALSE false False`.
pub fn parse_bool(s: &[u8]) -> Result<bool, NumError> {
    match s {
        b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True" => Ok(true),
        b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False" => Ok(false),
        _ => Err(NumError::new("ParseBool", s, NumCause::Syntax)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(s: &str) -> Option<f64> {
        parse_float(s.as_bytes()).ok()
    }

    #[test]
    fn integers_have_bases_signs_and_bounds() {
        assert_eq!(parse_int(b"0b101", 0, 64), Ok(5));
        assert_eq!(parse_int(b"-017", 0, 64), Ok(-15));
        assert_eq!(parse_int(b"0", 0, 64), Ok(0));
        assert_eq!(parse_int(b"0_7", 0, 64), Ok(7));
        assert_eq!(parse_int(b"1_000", 0, 64), Ok(1000));
        assert_eq!(parse_int(b"zz", 36, 64), Ok(1295));
        assert_eq!(parse_int(b"-9223372036854775808", 10, 64), Ok(i64::MIN));
        assert_eq!(parse_uint(b"18446744073709551615", 10, 64), Ok(u64::MAX));
        for s in ["", "-", "1_000_", "_1", "0x", "1__0", "08", "+-1", "0x_", "1.0"] {
            assert!(parse_int(s.as_bytes(), 0, 64).is_err(), "{s}");
        }
        assert!(parse_int(b"1_000", 10, 64).is_err());
    }

    #[test]
    fn errors_say_what_go_says() {
        let text = |e: NumError| e.to_string();
        assert_eq!(
            parse_int(b"128", 10, 8).map_err(|e| (e.nearest_int(), text(e))),
            Err((127, "strconv.ParseInt: parsing \"128\": value out of range".into()))
        );
        assert_eq!(parse_int(b"-129", 10, 8).map_err(|e| e.nearest_int()), Err(-128));
        assert_eq!(
            parse_int(b"-99999999999999999999", 10, 64).map_err(|e| e.nearest_int()),
            Err(i64::MIN)
        );
        assert_eq!(
            atoi(b"a\"b").map_err(text),
            Err("strconv.Atoi: parsing \"a\\\"b\": invalid syntax".into())
        );
        assert_eq!(
            parse_int(b"1", 1, 64).map_err(text),
            Err("strconv.ParseInt: parsing \"1\": invalid base 1".into())
        );
        assert_eq!(parse_int(b"1", 10, 65).map_err(|e| e.cause()), Err(NumCause::BitSize(65)));
    }

    #[test]
    fn floats_follow_gos_syntax() {
        assert_eq!(float("1_23.50_0_0e+1_2"), Some(1.235e14));
        assert_eq!(float("+.5"), Some(0.5));
        assert_eq!(float("5."), Some(5.0));
        assert_eq!(float("-iNf"), Some(f64::NEG_INFINITY));
        assert!(float("NaN").is_some_and(f64::is_nan));
        for s in [
            "", ".", "e1", "1e", "1e+", "0x1", "0x1.8", "0x", "+nan", "infi", "1_", "_1", "1e_1",
            "1p1", "1 ", "0x.p1", "--1", "1..2", "1_.5",
        ] {
            assert_eq!(float(s), None, "{s}");
        }
    }

    #[test]
    fn hex_floats_round_to_even() {
        assert_eq!(float("0x1p-1074"), Some(5e-324));
        assert_eq!(float("0x1p-1075"), Some(0.0));
        assert_eq!(float("0x1.8p-1075"), Some(5e-324));
        assert_eq!(float("0x1.fffffffffffffp1023"), Some(f64::MAX));
        assert_eq!(float("0x1.fffffffffffff7p1023"), Some(f64::MAX));
        assert_eq!(float("0x1.fffffffffffff8p1023"), None);
        assert_eq!(float("0x10000000000000.8p0"), Some(4503599627370496.0));
        assert_eq!(float("0x10000000000000.80000000001p0"), Some(4503599627370497.0));
        assert_eq!(float("0x20000000000001.0p0"), Some(9007199254740992.0));
        assert_eq!(float("0x20000000000003.0p0"), Some(9007199254740996.0));
        assert_eq!(float("-0x0p5").map(f64::to_bits), Some((-0.0f64).to_bits()));
        assert_eq!(float("0x_1p4"), Some(16.0));
        assert_eq!(float("0x1p99999"), None);
        assert_eq!(float("0x1p-99999"), Some(0.0));
    }
}
