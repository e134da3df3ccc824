//! Base64 and base32 of the standard alphabets, with padding.
//!
//! Decoding never fails: as in sprig, the error's text is the result.

use bowsprit_value::{Args, Func, FuncError, Type, Value};

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("b64enc", &[Type::String], Type::String, |args| {
        encoded(args, |n| n.div_ceil(3) * 4, base64_encode)
    }),
    Func::pure("b64dec", &[Type::String], Type::String, |args| decoded(args, base64_decode)),
    Func::pure("b32enc", &[Type::String], Type::String, |args| {
        encoded(args, |n| n.div_ceil(5) * 8, base32_encode)
    }),
    Func::pure("b32dec", &[Type::String], Type::String, |args| decoded(args, base32_decode)),
];

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const NONE: u8 = 0xff;

static BASE64_VALUES: [u8; 256] = values(BASE64);
static BASE32_VALUES: [u8; 256] = values(BASE32);

const fn values(alphabet: &[u8]) -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut i = 0;
    while i < alphabet.len() {
        table[alphabet[i] as usize] = i as u8;
        i += 1;
    }
    table
}

/// The offset at which the input is no encoding.
#[derive(Debug, PartialEq)]
struct CorruptInput(usize);

fn encoded(
    args: &mut Args<'_>,
    size: fn(usize) -> usize,
    encode: fn(&[u8], &mut Vec<u8>),
) -> Result<Value, FuncError> {
    let bytes = args.str(0).as_bytes();
    let size = size(bytes.len());
    args.charge(size)?;
    let mut out = Vec::with_capacity(size);
    encode(bytes, &mut out);
    Ok(Value::str(out))
}

fn decoded(
    args: &mut Args<'_>,
    decode: fn(&[u8]) -> Result<Vec<u8>, String>,
) -> Result<Value, FuncError> {
    args.charge(args.str(0).len())?;
    Ok(decode(args.str(0).as_bytes()).map_or_else(Value::from, Value::str))
}

/// Standard base64 with padding.
pub(crate) fn base64_encode(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |bits: u32| BASE64[(bits & 63) as usize];
    let (groups, tail) = bytes.as_chunks::<3>();
    for [a, b, c] in groups {
        let bits = u32::from(*a) << 16 | u32::from(*b) << 8 | u32::from(*c);
        out.extend_from_slice(&[
            digit(bits >> 18),
            digit(bits >> 12),
            digit(bits >> 6),
            digit(bits),
        ]);
    }
    match tail {
        [a] => {
            let bits = u32::from(*a) << 16;
            out.extend_from_slice(&[digit(bits >> 18), digit(bits >> 12), b'=', b'=']);
        }
        [a, b] => {
            let bits = u32::from(*a) << 16 | u32::from(*b) << 8;
            out.extend_from_slice(&[digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), b'=']);
        }
        _ => {}
    }
}

pub(crate) fn base64_decode(src: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(src.len() / 4 * 3 + 3);
    let mut at = 0;
    while at < src.len() {
        if let Some([a, b, c, d]) = src.get(at..).and_then(|s| s.first_chunk::<4>()) {
            let value = |byte: &u8| BASE64_VALUES[usize::from(*byte)];
            let (a, b, c, d) = (value(a), value(b), value(c), value(d));
            if a | b | c | d != NONE {
                push_base64(&mut out, [a, b, c, d], 4);
                at += 4;
                continue;
            }
        }
        at = base64_quantum(src, at, &mut out)
            .map_err(|CorruptInput(at)| format!("illegal base64 data at input byte {at}"))?;
    }
    Ok(out)
}

/// Decodes up to four digits that newlines or padding interrupt. Returns where to go on.
fn base64_quantum(src: &[u8], mut at: usize, out: &mut Vec<u8>) -> Result<usize, CorruptInput> {
    let mut digits = [0; 4];
    let mut count = 0;
    while count < 4 {
        let Some(byte) = src.get(at) else {
            // Go counts back from the end by the digits it has, not by what it read.
            return if count == 0 { Ok(at) } else { Err(CorruptInput(at - count)) };
        };
        at += 1;
        match (BASE64_VALUES[usize::from(*byte)], *byte) {
            (NONE, b'\n' | b'\r') => {}
            (NONE, b'=') => {
                let end = base64_padding(src, at, count)?;
                push_base64(out, digits, count);
                return Ok(end);
            }
            (NONE, _) => return Err(CorruptInput(at - 1)),
            (digit, _) => {
                digits[count] = digit;
                count += 1;
            }
        }
    }
    push_base64(out, digits, 4);
    Ok(at)
}

/// Checks what follows the first `=`: a second one after two digits, then nothing.
fn base64_padding(src: &[u8], at: usize, digits: usize) -> Result<usize, CorruptInput> {
    if digits < 2 {
        return Err(CorruptInput(at - 1));
    }
    let mut at = at;
    if digits == 2 {
        at = skip_newlines(src, at);
        match src.get(at) {
            None => return Err(CorruptInput(src.len())),
            Some(b'=') => at += 1,
            Some(_) => return Err(CorruptInput(at - 1)),
        }
    }
    at = skip_newlines(src, at);
    if at < src.len() { Err(CorruptInput(at)) } else { Ok(at) }
}

fn skip_newlines(src: &[u8], at: usize) -> usize {
    let rest = src.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| matches!(b, b'\n' | b'\r')).count()
}

fn push_base64(out: &mut Vec<u8>, digits: [u8; 4], count: usize) {
    let bits = digits.iter().fold(0u32, |bits, d| bits << 6 | u32::from(*d));
    let [_, a, b, c] = bits.to_be_bytes();
    out.extend_from_slice([a, b, c].get(..count.saturating_sub(1)).unwrap_or_default());
}

fn base32_encode(bytes: &[u8], out: &mut Vec<u8>) {
    for group in bytes.chunks(5) {
        let mut padded = [0; 8];
        for (to, from) in padded.iter_mut().skip(3).zip(group) {
            *to = *from;
        }
        let bits = u64::from_be_bytes(padded);
        let digits = (group.len() * 8).div_ceil(5);
        for i in 0..8 {
            let digit = BASE32[(bits >> (35 - 5 * i) & 31) as usize];
            out.push(if i < digits { digit } else { b'=' });
        }
    }
}

fn base32_decode(src: &[u8]) -> Result<Vec<u8>, String> {
    let src: Vec<u8> = src.iter().copied().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
    let mut out = Vec::with_capacity(src.len() / 8 * 5 + 5);
    let mut at = 0;
    while at < src.len() {
        at = base32_quantum(&src, at, &mut out)
            .map_err(|CorruptInput(at)| format!("illegal base32 data at input byte {at}"))?;
    }
    Ok(out)
}

fn base32_quantum(src: &[u8], mut at: usize, out: &mut Vec<u8>) -> Result<usize, CorruptInput> {
    let mut digits = [0; 8];
    for count in 0..8 {
        let Some(byte) = src.get(at) else {
            return Err(CorruptInput(src.len().saturating_sub(count)));
        };
        at += 1;
        if *byte == b'=' && count >= 2 && src.len() - at < 8 {
            base32_padding(src, at, count)?;
            push_base32(out, digits, count);
            return Ok(src.len());
        }
        match BASE32_VALUES[usize::from(*byte)] {
            NONE => return Err(CorruptInput(at - 1)),
            digit => digits[count] = digit,
        }
    }
    push_base32(out, digits, 8);
    Ok(at)
}

fn base32_padding(src: &[u8], at: usize, digits: usize) -> Result<(), CorruptInput> {
    let rest = src.get(at..).unwrap_or_default();
    if rest.len() + digits < 7 {
        return Err(CorruptInput(src.len()));
    }
    let wanted = rest.iter().take(7usize.saturating_sub(digits));
    if let Some(wrong) = wanted.into_iter().position(|b| *b != b'=') {
        return Err(CorruptInput((at + wrong).saturating_sub(1)));
    }
    // These numbers of digits end in the middle of a byte.
    if matches!(digits, 1 | 3 | 6) { Err(CorruptInput(at - 1)) } else { Ok(()) }
}

fn push_base32(out: &mut Vec<u8>, digits: [u8; 8], count: usize) {
    let bits = digits.iter().fold(0u64, |bits, d| bits << 5 | u64::from(*d));
    let [_, _, _, bytes @ ..] = bits.to_be_bytes();
    out.extend_from_slice(bytes.get(..count * 5 / 8).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64(text: &str) -> String {
        let bytes = base64_decode(text.as_bytes()).unwrap_or_else(String::into_bytes);
        String::from_utf8(bytes).unwrap()
    }

    fn base32(text: &str) -> String {
        let bytes = base32_decode(text.as_bytes()).unwrap_or_else(String::into_bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn base64_round_trips_and_tells_where_it_is_wrong() {
        for text in ["", "a", "ab", "abc", "abcd", "hello, world"] {
            let mut out = Vec::new();
            base64_encode(text.as_bytes(), &mut out);
            assert_eq!(base64_decode(&out), Ok(text.as_bytes().to_vec()));
        }
        assert_eq!(base64("aGVs\nbG8="), "hello");
        assert_eq!(base64("!"), "illegal base64 data at input byte 0");
        assert_eq!(base64("YQ"), "illegal base64 data at input byte 0");
        assert_eq!(base64("YQ="), "illegal base64 data at input byte 3");
        assert_eq!(base64("YQ==x"), "illegal base64 data at input byte 4");
    }

    #[test]
    fn base32_round_trips_and_tells_where_it_is_wrong() {
        for text in ["", "a", "ab", "abc", "abcd", "abcde", "hello, world"] {
            let mut out = Vec::new();
            base32_encode(text.as_bytes(), &mut out);
            assert_eq!(base32_decode(&out), Ok(text.as_bytes().to_vec()));
        }
        assert_eq!(base32("ME======"), "a");
        assert_eq!(base32("ME"), "illegal base32 data at input byte 0");
        assert_eq!(base32("me======"), "illegal base32 data at input byte 0");
    }
}
