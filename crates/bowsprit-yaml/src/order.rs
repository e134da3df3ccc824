//! The order of mapping keys in output: goyaml's natural sort.

use crate::utf8::valid_utf8;
use bowsprit_value::unicode::{decode_rune, is_digit, is_letter};
use std::borrow::Cow;

/// Whose details of the order hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// goyaml v2, by way of JSON: `toYaml`.
    Sigs,
    /// goyaml v3: `toYamlPretty`.
    V3,
}

/// Whether key `a` stands before `b`. Not a strict order in all cases, as goyaml's is not.
pub(crate) fn less(dialect: Dialect, a: &[u8], b: &[u8]) -> bool {
    let common = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let at = match (a.get(common), b.get(common)) {
        (Some(0x80..), _) | (_, Some(0x80..)) => match (valid_utf8(a), valid_utf8(b)) {
            (Cow::Borrowed(_), Cow::Borrowed(_)) => char_start(a, common),
            // Go compares runes, and wrong bytes are all the same one.
            (a, b) => return less(dialect, &a, &b),
        },
        _ => common,
    };
    let (rest_a, rest_b) = (a.get(at..).unwrap_or_default(), b.get(at..).unwrap_or_default());
    if rest_a.is_empty() || rest_b.is_empty() {
        return rest_a.len() < rest_b.len();
    }
    let (ra, rb) = (decode_rune(rest_a).0, decode_rune(rest_b).0);
    let (letter_a, letter_b) = (is_letter(ra), is_letter(rb));
    if letter_a && letter_b {
        return ra < rb;
    }
    let before = a.get(..at).unwrap_or_default();
    if letter_a || letter_b {
        // v3 puts the end of a number before what goes on with it.
        let digits = dialect == Dialect::V3 && last_rune(before).is_some_and(is_digit);
        return if digits { letter_a } else { letter_b };
    }
    numbers_less(before, rest_a, rest_b, ra < rb)
}

fn numbers_less(before: &[u8], a: &[u8], b: &[u8], runes_less: bool) -> bool {
    let zero = a.first() == Some(&b'0') || b.first() == Some(&b'0');
    let start = i64::from(zero && follows_nonzero_digits(before));
    let ((an, ai), (bn, bi)) = (leading_number(start, a), leading_number(start, b));
    if an != bn {
        an < bn
    } else if ai != bi {
        ai < bi
    } else {
        runes_less
    }
}

fn follows_nonzero_digits(mut before: &[u8]) -> bool {
    while let Some(c) = last_rune(before) {
        if !is_digit(c) {
            return false;
        }
        if c != '0' {
            return true;
        }
        before = before.get(..before.len() - c.len_utf8()).unwrap_or_default();
    }
    false
}

fn last_rune(text: &[u8]) -> Option<char> {
    (!text.is_empty()).then(|| bowsprit_value::unicode::decode_last_rune(text).0)
}

/// The value of the digits at the start, and how many there are.
fn leading_number(start: i64, mut text: &[u8]) -> (i64, usize) {
    let (mut number, mut count) = (start, 0);
    loop {
        let (c, width) = decode_rune(text);
        if width == 0 || !is_digit(c) {
            return (number, count);
        }
        let digit = i64::from(u32::from(c)) - i64::from(b'0');
        number = number.wrapping_mul(10).wrapping_add(digit);
        count += 1;
        text = text.get(width..).unwrap_or_default();
    }
}

/// The start of the character that the byte at `at` belongs to.
fn char_start(text: &[u8], mut at: usize) -> usize {
    while at > 0 && text.get(at).is_some_and(|b| b & 0xc0 == 0x80) {
        at -= 1;
    }
    at
}

/// Sorts by [`less`]; `None` where the order is that already.
///
/// A merge sort of our own, because the order can contradict itself and std's sorts may panic on that.
pub(crate) fn sorted<'k>(
    dialect: Dialect,
    len: usize,
    key: impl Fn(u32) -> &'k [u8],
) -> Option<Vec<u32>> {
    sorted_by(len, |a, b| less(dialect, key(a), key(b)))
}

/// As [`sorted`], by any order.
pub(crate) fn sorted_by(len: usize, before: impl Fn(u32, u32) -> bool) -> Option<Vec<u32>> {
    let len = len as u32;
    if (1..len).all(|i| !before(i, i - 1)) {
        return None;
    }
    let mut order: Vec<u32> = (0..len).collect();
    let mut merged = Vec::with_capacity(order.len());
    let mut run = 1;
    while run < order.len() {
        for pair in order.chunks(run * 2) {
            let (mut left, mut right) = pair.split_at_checked(run).unwrap_or((pair, &[]));
            while let (Some(&l), Some(&r)) = (left.first(), right.first()) {
                let side = if before(r, l) { &mut right } else { &mut left };
                merged.extend(side.first());
                *side = side.get(1..).unwrap_or_default();
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(&mut order, &mut merged);
        merged.clear();
        run *= 2;
    }
    Some(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dialect: Dialect, want: &[&str]) {
        let mut keys = want.to_vec();
        keys.reverse();
        let order = sorted(dialect, keys.len(), |i| keys[i as usize].as_bytes()).unwrap();
        let got: Vec<&str> = order.iter().map(|&i| keys[i as usize]).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn keys_sort_naturally() {
        check(
            Dialect::Sigs,
            &[
                "-", "_", "1", "2", "10", "A", "Z", "a", "a-b", "a.b", "a_b", "a1", "a2", "a10",
                "aB", "ab", "b", "é",
            ],
        );
        check(Dialect::Sigs, &["a1", "a1b", "a01", "a01b", "a001"]);
        check(Dialect::V3, &["a1b", "a10"]);
    }
}
