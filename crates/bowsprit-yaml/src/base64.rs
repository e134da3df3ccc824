//! Go's `base64.StdEncoding`.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn sextet(b: u8) -> Option<u32> {
    Some(u32::from(match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// Appends what the text encodes; false where it is malformed. Line breaks are passed over.
pub(crate) fn decode(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut symbols = text.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n'));
    loop {
        let Some(first) = symbols.next() else { return true };
        let quantum = [Some(first), symbols.next(), symbols.next(), symbols.next()];
        let [Some(a), Some(b), Some(c), Some(d)] = quantum else { return false };
        let (Some(a), Some(b)) = (sextet(a), sextet(b)) else { return false };
        let (c, d, len) = match (sextet(c), sextet(d)) {
            (Some(c), Some(d)) => (c, d, 3),
            (Some(c), None) if d == b'=' => (c, 0, 2),
            (None, None) if c == b'=' && d == b'=' => (0, 0, 1),
            _ => return false,
        };
        let bits = a << 18 | b << 12 | c << 6 | d;
        out.extend_from_slice(bits.to_be_bytes().get(1..=len).unwrap_or_default());
        if len < 3 {
            return symbols.next().is_none();
        }
    }
}

/// Appends the text that encodes bytes, in one line.
pub(crate) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| chunk.get(i).map_or(0, |&b| u32::from(b));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (i, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            out.push(if i <= chunk.len() { ALPHABET[(bits >> shift & 63) as usize] } else { b'=' });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_refusals() {
        for n in 0..50u8 {
            let bytes: Vec<u8> = (0..n).map(|i| i.wrapping_mul(37)).collect();
            let (mut text, mut back) = (Vec::new(), Vec::new());
            encode(&bytes, &mut text);
            assert!(decode(&text, &mut back));
            assert_eq!(back, bytes);
        }
        for bad in ["a", "ab", "abc", "ab=", "ab=c", "=abc", "ab==cd==", "a b=", "abcd="] {
            assert!(!decode(bad.as_bytes(), &mut Vec::new()), "{bad}");
        }
        let mut out = Vec::new();
        assert!(decode(b"YW\r\nJj\n", &mut out) && out == b"abc");
    }
}
