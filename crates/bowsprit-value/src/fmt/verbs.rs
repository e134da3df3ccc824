//! Basic values under each verb. Every function says whether the verb fits.

use super::append_int;
use super::flags::Flags;
use super::float::append_float;
use crate::strconv::{
    append_quote, append_quote_rune, append_quote_rune_to_ascii, append_quote_to_ascii,
    can_backquote, is_print,
};
use crate::unicode::{RUNE_ERROR, push_rune, runes};

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

pub(super) fn fmt_bool(out: &mut Vec<u8>, flags: Flags, v: bool, verb: char) -> bool {
    if !matches!(verb, 't' | 'v') {
        return false;
    }
    flags.pad(out, if v { b"true" } else { b"false" });
    true
}

/// An integer by its bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Integer {
    pub(super) bits: u64,
    pub(super) signed: bool,
}

pub(super) fn fmt_integer(out: &mut Vec<u8>, flags: Flags, v: Integer, verb: char) -> bool {
    match verb {
        'v' if flags.sharp_v && !v.signed => fmt_0x64(out, flags, v.bits, true),
        'v' | 'd' if flags.is_plain() => {
            let n = v.bits.cast_signed();
            let negative = v.signed && n < 0;
            append_int(out, negative, if negative { n.unsigned_abs() } else { v.bits });
        }
        'v' | 'd' => fmt_based(out, flags, v, 10, verb),
        'b' => fmt_based(out, flags, v, 2, verb),
        'o' | 'O' => fmt_based(out, flags, v, 8, verb),
        'x' | 'X' => fmt_based(out, flags, v, 16, verb),
        'c' => {
            let start = out.len();
            push_rune(out, rune(v.bits));
            flags.pad_from(out, start);
        }
        'q' => {
            let start = out.len();
            if flags.plus {
                append_quote_rune_to_ascii(out, rune(v.bits));
            } else {
                append_quote_rune(out, rune(v.bits));
            }
            flags.pad_from(out, start);
        }
        'U' => fmt_unicode(out, flags, v.bits),
        _ => return false,
    }
    true
}

fn rune(bits: u64) -> char {
    u32::try_from(bits).ok().and_then(char::from_u32).unwrap_or(RUNE_ERROR)
}

/// A number in hexadecimal, with `0x` or without whatever the flags say.
pub(super) fn fmt_0x64(out: &mut Vec<u8>, flags: Flags, bits: u64, prefix: bool) {
    let flags = Flags { sharp: prefix, ..flags };
    fmt_based(out, flags, Integer { bits, signed: false }, 16, 'v');
}

fn fmt_based(out: &mut Vec<u8>, flags: Flags, v: Integer, base: u64, verb: char) {
    let negative = v.signed && v.bits.cast_signed() < 0;
    let magnitude = if negative { v.bits.wrapping_neg() } else { v.bits };
    let signed = negative || flags.plus || flags.space;
    let least = match (flags.precision, flags.width) {
        (Some(0), width) if magnitude == 0 => {
            return flags.without_zero().push_padding(out, width.unwrap_or(0));
        }
        (Some(precision), _) => precision,
        (None, Some(width)) if flags.zero && !flags.minus => {
            width.saturating_sub(usize::from(signed))
        }
        _ => 0,
    };
    let mut scratch = [0; 64];
    let digits = digits_of(&mut scratch, magnitude, base, if verb == 'X' { UPPER } else { LOWER });
    let start = out.len();
    if negative {
        out.push(b'-');
    } else if flags.plus {
        out.push(b'+');
    } else if flags.space {
        out.push(b' ');
    }
    if verb == 'O' {
        out.extend_from_slice(b"0o");
    }
    let zeros = least.saturating_sub(digits.len());
    if flags.sharp {
        match base {
            2 => out.extend_from_slice(b"0b"),
            8 if zeros == 0 && digits.first() != Some(&b'0') => out.push(b'0'),
            16 => out.extend_from_slice(if verb == 'X' { b"0X" } else { b"0x" }),
            _ => {}
        }
    }
    out.resize(out.len() + zeros, b'0');
    out.extend_from_slice(digits);
    if flags.width.is_some() {
        flags.without_zero().pad_from(out, start);
    }
}

fn digits_of<'s>(buf: &'s mut [u8; 64], mut n: u64, base: u64, digits: &[u8; 16]) -> &'s [u8] {
    let mut at = buf.len();
    loop {
        at -= 1;
        buf[at] = digits[(n % base) as usize & 15];
        n /= base;
        if n == 0 || at == 0 {
            return &buf[at..];
        }
    }
}

fn fmt_unicode(out: &mut Vec<u8>, flags: Flags, bits: u64) {
    let mut scratch = [0; 64];
    let digits = digits_of(&mut scratch, bits, 16, UPPER);
    let start = out.len();
    out.extend_from_slice(b"U+");
    let least = flags.precision.unwrap_or(0).max(4);
    out.resize(out.len() + least.saturating_sub(digits.len()), b'0');
    out.extend_from_slice(digits);
    if let (true, Some(c)) = (flags.sharp, u32::try_from(bits).ok().and_then(char::from_u32))
        && is_print(c)
    {
        out.extend_from_slice(b" '");
        push_rune(out, c);
        out.push(b'\'');
    }
    flags.without_zero().pad_from(out, start);
}

pub(super) fn fmt_float(out: &mut Vec<u8>, flags: Flags, v: f64, verb: char) -> bool {
    let (format, precision) = match verb {
        'v' => (b'g', None),
        'b' | 'g' | 'G' | 'x' | 'X' => (verb as u8, None),
        'f' | 'e' | 'E' => (verb as u8, Some(6)),
        'F' => (b'f', Some(6)),
        _ => return false,
    };
    fmt_float_as(out, flags, v, format, flags.precision.or(precision));
    true
}

fn fmt_float_as(out: &mut Vec<u8>, flags: Flags, v: f64, format: u8, precision: Option<usize>) {
    let mut start = out.len();
    let negative = v.is_sign_negative() && !v.is_nan();
    let sign = match (negative, flags.plus, flags.space) {
        (true, ..) => Some(b'-'),
        (_, true, _) => Some(b'+'),
        (_, _, true) => Some(b' '),
        _ => None,
    };
    if v.is_nan() {
        out.extend(sign);
        out.extend_from_slice(b"NaN");
        return flags.without_zero().pad_from(out, start);
    }
    if v.is_infinite() {
        // Go shows the sign of an infinity even where nobody asked for it.
        out.push(sign.unwrap_or(b'+'));
        out.extend_from_slice(b"Inf");
        return flags.without_zero().pad_from(out, start);
    }
    out.extend(sign);
    let digits = out.len();
    append_float(out, v.abs(), format, precision, 64);
    if flags.sharp && format != b'b' {
        restore_zeros(out, digits, format, precision);
    }
    if flags.zero && sign.is_some() {
        // The sign goes before the zeros.
        start = digits;
    }
    let flags = match flags.width {
        Some(width) if start == digits => {
            Flags { width: Some(width.saturating_sub(usize::from(sign.is_some()))), ..flags }
        }
        _ => flags,
    };
    flags.pad_from(out, start);
}

/// `#` keeps the point, and for `g` and `x` the zeros at the end.
fn restore_zeros(out: &mut Vec<u8>, start: usize, format: u8, precision: Option<usize>) {
    let number = out.get(start..).unwrap_or_default();
    let is_hex = matches!(format, b'x' | b'X');
    let ends = |b: &u8| matches!(b, b'p' | b'P') || !is_hex && matches!(b, b'e' | b'E');
    let end = number.iter().position(ends).unwrap_or(number.len());
    let (mantissa, tail) = number.split_at(end);
    let tail = tail.to_vec();
    let wanted = match format {
        b'g' | b'G' | b'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let significant = mantissa.iter().filter(|b| **b != b'.').skip_while(|b| **b == b'0').count();
    let mut missing = wanted.saturating_sub(significant);
    let point = mantissa.contains(&b'.');
    if !point && mantissa == b"0" {
        missing = missing.saturating_sub(1);
    }
    out.truncate(start + end);
    if !point {
        out.push(b'.');
    }
    out.resize(out.len() + missing, b'0');
    out.extend_from_slice(&tail);
}

pub(super) fn fmt_complex(out: &mut Vec<u8>, flags: Flags, v: (f64, f64), verb: char) -> bool {
    if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
        return false;
    }
    out.push(b'(');
    fmt_float(out, flags, v.0, verb);
    fmt_float(out, Flags { plus: true, ..flags }, v.1, verb);
    out.extend_from_slice(b"i)");
    true
}

pub(super) fn fmt_string(out: &mut Vec<u8>, flags: Flags, s: &[u8], verb: char) -> bool {
    match verb {
        'v' if flags.sharp_v => fmt_quoted(out, flags, s),
        'v' | 's' => fmt_s(out, flags, s),
        'x' | 'X' => fmt_hex(out, flags, s, verb),
        'q' => fmt_quoted(out, flags, s),
        _ => return false,
    }
    true
}

/// Text cut to the precision and padded to the width.
pub(super) fn fmt_s(out: &mut Vec<u8>, flags: Flags, s: &[u8]) {
    flags.pad(out, truncated(flags, s));
}

/// As many runes as the precision allows.
fn truncated(flags: Flags, s: &[u8]) -> &[u8] {
    let Some(most) = flags.precision else { return s };
    let end: usize = runes(s).take(most).map(|(_, width)| width).sum();
    s.get(..end).unwrap_or(s)
}

fn fmt_quoted(out: &mut Vec<u8>, flags: Flags, s: &[u8]) {
    let s = truncated(flags, s);
    let start = out.len();
    if flags.sharp && can_backquote(s) {
        out.push(b'`');
        out.extend_from_slice(s);
        out.push(b'`');
    } else if flags.plus {
        append_quote_to_ascii(out, s);
    } else {
        append_quote(out, s);
    }
    flags.pad_from(out, start);
}

fn fmt_hex(out: &mut Vec<u8>, flags: Flags, s: &[u8], verb: char) {
    let s = flags.precision.and_then(|most| s.get(..most)).unwrap_or(s);
    if s.is_empty() {
        return flags.push_padding(out, flags.width.unwrap_or(0));
    }
    let (digits, prefix) = if verb == 'X' { (UPPER, b"0X") } else { (LOWER, b"0x") };
    let start = out.len();
    out.reserve(s.len() * 2);
    for (i, b) in s.iter().enumerate() {
        if flags.space && i > 0 {
            out.push(b' ');
        }
        if flags.sharp && (flags.space || i == 0) {
            out.extend_from_slice(prefix);
        }
        out.extend_from_slice(&[digits[usize::from(b >> 4)], digits[usize::from(b & 15)]]);
    }
    flags.pad_from(out, start);
}
