//! Floats as text: Go's `strconv.AppendFloat`.

use super::append_int;
use std::fmt::{self, Write};

/// No double has more significant decimal digits than 767, so further ones are zeros.
const MOST_DIGITS: usize = 770;
/// No double has more digits after the point.
const MOST_FRACTION: usize = 1080;

/// Below 2^53 every integer is a float, and no shorter text reads back as it.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Precisions are cut to this, far beyond anything that `fmt` lets through.
const MOST_PRECISION: usize = 1 << 24;

/// Appends a float in Go's form.
///
/// `verb` is one of `e E f g G b x X`. `precision` counts the digits after the point (for `g` and `G`
/// the significant ones); `None` asks for the fewest that read back as the same float, which is
/// Go's -1. `bits` is 64, or 32 to round to a `float32` first.
///
/// ```
/// use bowsprit_value::fmt::append_float;
///
/// let text = |v, verb, precision| {
///     let mut out = Vec::new();
///     append_float(&mut out, v, verb, precision, 64);
///     String::from_utf8(out).unwrap()
/// };
/// assert_eq!(text(1e6, b'g', None), "1e+06");
/// assert_eq!(text(0.125, b'f', Some(2)), "0.12");
/// assert_eq!(text(3.5, b'x', None), "0x1.cp+01");
/// assert_eq!(text(f64::INFINITY, b'f', None), "+Inf");
/// ```
pub fn append_float(out: &mut Vec<u8>, v: f64, verb: u8, precision: Option<usize>, bits: u32) {
    let v = if bits == 32 { f64::from(v as f32) } else { v };
    if v.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if v.is_infinite() {
        return out.extend_from_slice(if v > 0.0 { b"+Inf" } else { b"-Inf" });
    }
    if v.is_sign_negative() {
        out.push(b'-');
    }
    let v = v.abs();
    if bits == 64 && precision.is_none() && v < integers_below(verb) && v.trunc() == v {
        return append_int(out, false, v as u64);
    }
    let precision = precision.map(|p| p.min(MOST_PRECISION));
    match (verb, precision) {
        (b'b', _) => append_binary(out, v, bits),
        (b'x' | b'X', _) => append_hex(out, v, verb, precision),
        (b'f', Some(precision)) => append_fixed(out, v, precision),
        (_, None) => {
            let mut digits = Digits::<24>::new();
            digits.shortest(v, bits);
            append_digits(out, &digits.view(), verb, None);
        }
        (_, Some(precision)) => {
            let mut digits = Digits::<{ MOST_DIGITS + 10 }>::new();
            digits.rounded(
                v,
                if verb | 0x20 == b'e' { precision.saturating_add(1) } else { precision.max(1) },
            );
            append_digits(out, &digits.view(), verb, Some(precision));
        }
    }
}

/// Below this, integers are their own shortest form and need no exponent.
fn integers_below(verb: u8) -> f64 {
    match verb {
        b'f' => EXACT,
        b'g' | b'G' => 1e6,
        _ => 0.0,
    }
}

/// Digits d1 d2 d3 … of the number 0.d1d2d3… × 10^point, without zeros at the end.
struct View<'a> {
    digits: &'a [u8],
    point: i32,
}

struct Digits<const N: usize> {
    buf: [u8; N],
    len: usize,
    point: i32,
}

impl<const N: usize> Write for Digits<N> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let room = self.buf.get_mut(self.len..self.len + s.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(s.as_bytes());
        self.len += s.len();
        Ok(())
    }
}

impl<const N: usize> Digits<N> {
    fn new() -> Digits<N> {
        Digits { buf: [0; N], len: 0, point: 0 }
    }

    fn view(&self) -> View<'_> {
        View { digits: self.buf.get(..self.len).unwrap_or_default(), point: self.point }
    }

    fn shortest(&mut self, v: f64, bits: u32) {
        if v < EXACT && v.trunc() == v && bits == 64 {
            return self.integer(v as u64);
        }
        let written =
            if bits == 32 { write!(self, "{:e}", v as f32) } else { write!(self, "{v:e}") };
        if written.is_ok() {
            self.normalize();
            if !above_narrow_gap(v, bits) {
                self.tie_to_even(v);
            }
        }
    }

    /// Where two shortest forms are equally near, Rust takes the upper one and Go the even one.
    fn tie_to_even(&mut self, v: f64) {
        let Some(last) = self.len.checked_sub(1) else { return };
        if self.len > 17 || self.buf[last] & 1 == 0 {
            return;
        }
        let digits = self.buf[..self.len].iter();
        let upper = digits.fold(0u64, |n, b| n * 10 + u64::from(b & 15));
        if is_exactly(v, upper * 10 - 5, self.point - self.len as i32 - 1) {
            self.buf[last] -= 1;
            self.trim();
        }
    }

    fn integer(&mut self, mut n: u64) {
        let mut at = 20;
        let mut scratch = [0; 20];
        while n > 0 {
            at -= 1;
            scratch[at] = b'0' + (n % 10) as u8;
            n /= 10;
        }
        self.len = 20 - at;
        self.point = self.len as i32;
        self.buf[..self.len].copy_from_slice(&scratch[at..]);
        self.trim();
    }

    fn rounded(&mut self, v: f64, count: usize) {
        let precision = count.min(MOST_DIGITS).saturating_sub(1);
        if write!(self, "{v:.precision$e}").is_ok() {
            self.normalize();
        }
    }

    /// Takes point and exponent out of `d.ddde-x`.
    fn normalize(&mut self) {
        let text = self.buf.get(..self.len).unwrap_or_default();
        let mantissa = text.iter().position(|b| *b == b'e').unwrap_or(text.len());
        let exponent = text.get(mantissa + 1..).and_then(|e| std::str::from_utf8(e).ok());
        self.point = exponent.and_then(|e| e.parse::<i32>().ok()).unwrap_or(0) + 1;
        self.len = mantissa;
        if mantissa > 1 {
            self.buf.copy_within(2..mantissa, 1);
            self.len = mantissa - 1;
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.len > 0 && self.buf[self.len - 1] == b'0' {
            self.len -= 1;
        }
        if self.len == 0 {
            self.point = 0;
        }
    }
}

/// Powers of two, below which floats are denser. Go's algorithm has a case of its own for them, and
/// there it goes up at ties, but for one power.
fn above_narrow_gap(v: f64, bits: u32) -> bool {
    const EXCEPTION: f64 = 1.0 / (1u64 << 25) as f64;
    if bits == 32 {
        let raw = (v as f32).to_bits();
        return raw.trailing_zeros() >= 23 && raw >> 23 != 0;
    }
    let raw = v.to_bits();
    raw.trailing_zeros() >= 52 && raw >> 52 != 0 && v != EXCEPTION
}

/// Whether a float is odd × 10^exponent to the last bit.
fn is_exactly(v: f64, odd: u64, exponent: i32) -> bool {
    let (mantissa, binary) = parts(v, 64);
    let zeros = mantissa.trailing_zeros();
    let (mantissa, binary) = (u128::from(mantissa >> zeros), binary + zeros as i32);
    // Both sides are odd numbers times powers of 2 and 5; their powers of 2 must be the same.
    let fives = |n: u128| 5u128.checked_pow(exponent.unsigned_abs()).and_then(|f| f.checked_mul(n));
    let sides = match exponent >= 0 {
        true => (Some(mantissa), fives(odd.into())),
        false => (fives(mantissa), Some(u128::from(odd))),
    };
    binary == exponent && sides.0.is_some() && sides.0 == sides.1
}

fn append_digits(out: &mut Vec<u8>, d: &View<'_>, verb: u8, precision: Option<usize>) {
    let count = d.digits.len();
    match verb {
        b'e' | b'E' => {
            append_exponent(out, d, precision.unwrap_or(count.saturating_sub(1)), verb);
        }
        b'f' => {
            let fraction = (count as i32 - d.point).max(0) as usize;
            append_plain(out, d, precision.unwrap_or(fraction));
        }
        b'g' | b'G' => append_general(out, d, verb, precision),
        _ => out.extend_from_slice(&[b'%', verb]),
    }
}

fn append_general(out: &mut Vec<u8>, d: &View<'_>, verb: u8, precision: Option<usize>) {
    let count = d.digits.len();
    let most = precision.map_or(count, |p| p.max(1));
    let threshold = match precision {
        None => 6,
        Some(_) if most > count && count as i32 >= d.point => count,
        Some(_) => most,
    };
    let exponent = d.point - 1;
    if exponent < -4 || exponent >= threshold.min(1 << 30) as i32 {
        return append_exponent(out, d, most.min(count).saturating_sub(1), verb - 2);
    }
    let shown = if most as i64 > i64::from(d.point) { count } else { most };
    append_plain(out, d, (shown as i64 - i64::from(d.point)).max(0) as usize);
}

fn append_exponent(out: &mut Vec<u8>, d: &View<'_>, precision: usize, verb: u8) {
    out.push(d.digits.first().copied().unwrap_or(b'0'));
    if precision > 0 {
        out.push(b'.');
        let rest = d.digits.get(1..).unwrap_or_default();
        let shown = rest.get(..precision).unwrap_or(rest);
        out.extend_from_slice(shown);
        out.resize(out.len() + precision - shown.len(), b'0');
    }
    out.push(verb);
    let exponent = if d.digits.is_empty() { 0 } else { d.point - 1 };
    out.push(if exponent < 0 { b'-' } else { b'+' });
    append_padded(out, exponent.unsigned_abs());
}

/// At least two digits.
fn append_padded(out: &mut Vec<u8>, n: u32) {
    if n >= 1000 {
        out.push(b'0' + (n / 1000 % 10) as u8);
    }
    if n >= 100 {
        out.push(b'0' + (n / 100 % 10) as u8);
    }
    out.push(b'0' + (n / 10 % 10) as u8);
    out.push(b'0' + (n % 10) as u8);
}

fn append_plain(out: &mut Vec<u8>, d: &View<'_>, precision: usize) {
    let whole = usize::try_from(d.point).unwrap_or(0);
    let (head, tail) = d.digits.split_at(whole.min(d.digits.len()));
    if whole == 0 {
        out.push(b'0');
    } else {
        out.extend_from_slice(head);
        out.resize(out.len() + whole - head.len(), b'0');
    }
    if precision == 0 {
        return;
    }
    out.push(b'.');
    let end = out.len() + precision;
    let zeros = usize::try_from(-d.point).unwrap_or(0).min(precision);
    out.resize(out.len() + zeros, b'0');
    let room = end - out.len();
    out.extend_from_slice(tail.get(..room).unwrap_or(tail));
    out.resize(end, b'0');
}

fn append_fixed(out: &mut Vec<u8>, v: f64, precision: usize) {
    let exact = precision.min(MOST_FRACTION);
    // Writing to a Vec cannot fail.
    let _ = std::io::Write::write_fmt(out, format_args!("{v:.exact$}"));
    out.resize(out.len() + precision - exact, b'0');
}

/// Mantissa and the exponent of its lowest bit.
fn parts(v: f64, bits: u32) -> (u64, i32) {
    let (raw, width, bias) = if bits == 32 {
        (u64::from((v as f32).to_bits()), 23, 127)
    } else {
        (v.to_bits(), 52, 1023)
    };
    let (exponent, fraction) = ((raw >> width) as i32, raw & ((1 << width) - 1));
    if exponent == 0 {
        (fraction, 1 - bias - width)
    } else {
        (fraction | 1 << width, exponent - bias - width)
    }
}

fn append_binary(out: &mut Vec<u8>, v: f64, bits: u32) {
    let (mantissa, exponent) = parts(v, bits);
    let _ = std::io::Write::write_fmt(out, format_args!("{mantissa}p{exponent:+}"));
}

fn append_hex(out: &mut Vec<u8>, v: f64, verb: u8, precision: Option<usize>) {
    let (mut mantissa, mut exponent) = parts(v, 64);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // The leading 1 goes to bit 60, so that nibbles follow it.
        let shift = mantissa.leading_zeros() - 3;
        mantissa <<= shift;
        exponent += 60 - shift as i32;
    }
    if let Some(precision @ 0..15) = precision {
        (mantissa, exponent) = round_hex(mantissa, exponent, precision as u32);
    }
    let digits = if verb == b'X' { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let nibble = |m: u64| digits[(m >> 60 & 15) as usize];
    out.extend_from_slice(&[b'0', verb, b'0' + (mantissa >> 60 & 1) as u8]);
    mantissa <<= 4;
    match precision {
        None if mantissa != 0 => {
            out.push(b'.');
            while mantissa != 0 {
                out.push(nibble(mantissa));
                mantissa <<= 4;
            }
        }
        Some(precision @ 1..) => {
            out.push(b'.');
            let end = out.len() + precision;
            while out.len() < end && mantissa != 0 {
                out.push(nibble(mantissa));
                mantissa <<= 4;
            }
            out.resize(end, b'0');
        }
        _ => {}
    }
    out.push(verb - 8);
    out.push(if exponent < 0 { b'-' } else { b'+' });
    append_padded(out, exponent.unsigned_abs());
}

/// Keeps so many nibbles below bit 60, rounding to even.
fn round_hex(mantissa: u64, exponent: i32, precision: u32) -> (u64, i32) {
    const ONE: u64 = 1 << 60;
    let shift = precision * 4;
    let dropped = (mantissa << shift) & (ONE - 1);
    let mut kept = mantissa >> (60 - shift);
    if dropped | (kept & 1) > ONE / 2 {
        kept += 1;
    }
    kept <<= 60 - shift;
    if kept & (ONE << 1) != 0 { (kept >> 1, exponent + 1) } else { (kept, exponent) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(v: f64, verb: u8, precision: Option<usize>) -> String {
        let mut out = Vec::new();
        append_float(&mut out, v, verb, precision, 64);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn shortest_forms() {
        for (v, want) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (100_000.0, "100000"),
            (999_999.0, "999999"),
            (1_234_567.0, "1.234567e+06"),
            (123_456.789, "123456.789"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (9_007_199_254_740_993.0, "9.007199254740992e+15"),
        ] {
            assert_eq!(text(v, b'g', None), want);
        }
        assert_eq!(text(100.0, b'e', None), "1e+02");
        assert_eq!(text(1e21, b'f', None), "1000000000000000000000");
        assert_eq!(text(1e-7, b'f', None), "0.0000001");
    }

    #[test]
    fn given_precision() {
        assert_eq!(text(2.5, b'f', Some(0)), "2");
        assert_eq!(text(1.0, b'f', Some(1200)).len(), 1202);
        assert_eq!(text(1.0, b'e', Some(3)), "1.000e+00");
        assert_eq!(text(0.0, b'e', Some(2)), "0.00e+00");
        assert_eq!(text(123.0, b'g', Some(2)), "1.2e+02");
        assert_eq!(text(100.0, b'g', Some(3)), "100");
        assert_eq!(text(0.0, b'g', Some(0)), "0");
        assert_eq!(text(5e-324, b'e', Some(800)).len(), 802 + 5);
        assert_eq!(text(1e300, b'g', Some(5)), "1e+300");
    }

    #[test]
    fn binary_and_hex() {
        assert_eq!(text(1.0, b'b', None), "4503599627370496p-52");
        assert_eq!(text(5e-324, b'x', None), "0x1p-1074");
        assert_eq!(text(0.0, b'x', Some(2)), "0x0.00p+00");
        assert_eq!(text(1.999, b'X', Some(1)), "0X1.0P+01");
        assert_eq!(text(1.0, b'x', Some(20)), "0x1.00000000000000000000p+00");
        let mut out = Vec::new();
        append_float(&mut out, 0.1, b'g', None, 32);
        assert_eq!(out, b"0.1");
    }
}
