//! Runes as Go sees them: decoding, classes and simple case mapping, of Unicode 15.0.

#[rustfmt::skip]
mod tables;

use tables::{
    DIGIT, LETTER, LOWER, NUMBER, PRINT, PUNCT, TITLE, TO_LOWER, TO_TITLE, TO_UPPER, UPPER,
};

type Ranges = [(u32, u32)];
type Mapping = [(u32, u32, u32, i32)];

/// The rune that stands for bytes which are not UTF-8.
pub const RUNE_ERROR: char = char::REPLACEMENT_CHARACTER;

/// The first rune and its width in bytes.
///
/// Bytes that are not UTF-8 give ([`RUNE_ERROR`], 1), as Go's `utf8.DecodeRune` does; so a width of 1
/// tells them from an encoded U+FFFD. Nothing gives a width of 0.
///
/// ```
/// use bowsprit_value::unicode::decode_rune;
///
/// assert_eq!(decode_rune("é!".as_bytes()), ('é', 2));
/// assert_eq!(decode_rune(&[0xe2, 0x82]), ('\u{fffd}', 1));
/// assert_eq!(decode_rune(b""), ('\u{fffd}', 0));
/// ```
#[inline]
pub fn decode_rune(s: &[u8]) -> (char, usize) {
    match s.first() {
        None => (RUNE_ERROR, 0),
        Some(b) if b.is_ascii() => (char::from(*b), 1),
        Some(_) => decode_multibyte(s),
    }
}

fn decode_multibyte(s: &[u8]) -> (char, usize) {
    const BAD: (char, usize) = (RUNE_ERROR, 1);
    let tail = |i: usize| match s.get(i) {
        Some(b) if b & 0xc0 == 0x80 => Some(u32::from(b & 0x3f)),
        _ => None,
    };
    let Some(lead) = s.first().map(|b| u32::from(*b)) else { return BAD };
    let (code, width, least) = match lead {
        0xc2..=0xdf => match tail(1) {
            Some(a) => ((lead & 0x1f) << 6 | a, 2, 0x80),
            None => return BAD,
        },
        0xe0..=0xef => match (tail(1), tail(2)) {
            (Some(a), Some(b)) => ((lead & 0x0f) << 12 | a << 6 | b, 3, 0x800),
            _ => return BAD,
        },
        0xf0..=0xf4 => match (tail(1), tail(2), tail(3)) {
            (Some(a), Some(b), Some(c)) => ((lead & 0x07) << 18 | a << 12 | b << 6 | c, 4, 0x10000),
            _ => return BAD,
        },
        _ => return BAD,
    };
    match char::from_u32(code) {
        Some(c) if code >= least => (c, width),
        _ => BAD,
    }
}

/// The last rune and its width, as Go's `utf8.DecodeLastRune`; (U+FFFD, 1) for wrong bytes.
pub fn decode_last_rune(s: &[u8]) -> (char, usize) {
    if s.is_empty() {
        return (RUNE_ERROR, 0);
    }
    for width in 1..=s.len().min(4) {
        let tail = s.get(s.len() - width..).unwrap_or_default();
        if tail.first().is_some_and(|b| b & 0xc0 != 0x80) {
            let (c, n) = decode_rune(tail);
            return if n == width { (c, n) } else { (RUNE_ERROR, 1) };
        }
    }
    (RUNE_ERROR, 1)
}

/// The runes of a byte string with their widths; wrong bytes come one by one as U+FFFD.
pub fn runes(s: &[u8]) -> Runes<'_> {
    Runes(s)
}

/// See [`runes`].
#[derive(Clone, Debug)]
pub struct Runes<'a>(&'a [u8]);

impl Iterator for Runes<'_> {
    type Item = (char, usize);

    #[inline]
    fn next(&mut self) -> Option<(char, usize)> {
        if self.0.is_empty() {
            return None;
        }
        let (c, width) = decode_rune(self.0);
        self.0 = self.0.get(width..).unwrap_or_default();
        Some((c, width))
    }
}

/// Number of runes; every wrong byte counts as one.
pub fn rune_count(s: &[u8]) -> usize {
    match std::str::from_utf8(s) {
        Ok(text) => text.chars().count(),
        Err(_) => runes(s).count(),
    }
}

/// Appends a rune's UTF-8 form.
#[inline]
pub fn push_rune(out: &mut Vec<u8>, c: char) {
    if c.is_ascii() {
        out.push(c as u8);
    } else {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn within(ranges: &Ranges, c: char) -> bool {
    let c = u32::from(c);
    let at = ranges.partition_point(|(_, hi)| *hi < c);
    ranges.get(at).is_some_and(|(lo, _)| *lo <= c)
}

fn map(table: &Mapping, c: char) -> char {
    let code = u32::from(c);
    let at = table.partition_point(|(_, hi, _, _)| *hi < code);
    match table.get(at) {
        Some((lo, _, stride, delta)) if *lo <= code && (code - lo) % stride == 0 => {
            code.checked_add_signed(*delta).and_then(char::from_u32).unwrap_or(c)
        }
        _ => c,
    }
}

/// Go's `unicode.IsPrint` and `strconv.IsPrint`: everything visible, and of the spaces U+0020 only.
pub fn is_print(c: char) -> bool {
    if c.is_ascii() { matches!(c, ' '..='~') } else { within(&PRINT, c) }
}

/// Category L.
pub fn is_letter(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() } else { within(&LETTER, c) }
}

/// Category Nd: decimal digits of any script.
pub fn is_digit(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() } else { within(&DIGIT, c) }
}

/// Category N.
pub fn is_number(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_digit() } else { within(&NUMBER, c) }
}

/// Category P.
pub fn is_punct(c: char) -> bool {
    within(&PUNCT, c)
}

/// Go's `unicode.IsSpace`: the property White_Space.
pub fn is_space(c: char) -> bool {
    matches!(
        c,
        '\t'..='\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}'
            | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Category Lu.
pub fn is_upper(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_uppercase() } else { within(&UPPER, c) }
}

/// Category Ll.
pub fn is_lower(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_lowercase() } else { within(&LOWER, c) }
}

/// Category Lt.
pub fn is_title(c: char) -> bool {
    !c.is_ascii() && within(&TITLE, c)
}

/// The upper-case form, always one rune.
///
/// ```
/// use bowsprit_value::unicode::{to_title, to_upper};
///
/// assert_eq!(to_upper('ß'), 'ß');
/// assert_eq!((to_upper('ǆ'), to_title('ǆ')), ('Ǆ', 'ǅ'));
/// ```
pub fn to_upper(c: char) -> char {
    if c.is_ascii() { c.to_ascii_uppercase() } else { map(&TO_UPPER, c) }
}

/// The lower-case form, always one rune.
pub fn to_lower(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { map(&TO_LOWER, c) }
}

/// The title-case form, always one rune.
pub fn to_title(c: char) -> char {
    if c.is_ascii() { c.to_ascii_uppercase() } else { map(&TO_TITLE, c) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_bytes_come_one_by_one() {
        for (bytes, want) in [
            (&b"\xc0\x80"[..], 2),
            (b"\xe0\x80\x80", 3),
            (b"\xed\xa0\x80", 3),
            (b"\xf4\x90\x80\x80", 4),
            (b"\xf0\x9f\x98\x80", 1),
            (b"\xf0\x9f\x98", 3),
            (b"a\xffb", 3),
        ] {
            assert_eq!(rune_count(bytes), want, "{bytes:?}");
        }
    }

    #[test]
    fn every_rune_survives_both_decoders() {
        for c in ('\0'..=char::MAX).step_by(7) {
            let mut buf = Vec::new();
            push_rune(&mut buf, c);
            assert_eq!(decode_rune(&buf), (c, c.len_utf8()));
            buf.insert(0, b'x');
            assert_eq!(decode_last_rune(&buf), (c, c.len_utf8()));
        }
        assert_eq!(decode_last_rune(b"a\x80"), (RUNE_ERROR, 1));
    }

    #[test]
    fn case_mapping_is_simple() {
        assert_eq!(to_upper('ŉ'), 'ŉ');
        assert_eq!(to_title('ა'), 'ა');
        assert_eq!(to_upper('ა'), 'Ა');
        assert_eq!(to_lower('İ'), 'i');
        assert!(is_upper('Δ') && is_lower('δ') && is_title('ǅ') && is_digit('٣'));
        assert!(!is_print('\u{a0}') && !is_print('\u{ad}') && is_print('é'));
    }
}
