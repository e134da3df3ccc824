//! Character classes of the YAML 1.1 scanner.

/// Space or tab.
pub(crate) const BLANK: u8 = 1;
/// A byte that is a line break, or ends the input, or may begin a longer line break.
pub(crate) const BREAK: u8 = 2;
/// `:`.
pub(crate) const COLON: u8 = 4;
/// `, ? [ ] { }`, which end a plain scalar in flow context.
pub(crate) const FLOW: u8 = 8;
/// `'`.
pub(crate) const SINGLE: u8 = 16;
/// `"` and `\`.
pub(crate) const DOUBLE: u8 = 32;
/// What a plain scalar cannot begin with, whatever follows.
pub(crate) const INDICATOR: u8 = 64;

pub(crate) static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    table[b' ' as usize] = BLANK;
    table[b'\t' as usize] = BLANK;
    let breaks = [b'\n', b'\r', 0, 0xc2, 0xe2];
    let mut i = 0;
    while i < breaks.len() {
        table[breaks[i] as usize] = BREAK;
        i += 1;
    }
    table[b':' as usize] = COLON;
    let flow = b",?[]{}";
    i = 0;
    while i < flow.len() {
        table[flow[i] as usize] = FLOW;
        i += 1;
    }
    table[b'\'' as usize] = SINGLE;
    table[b'"' as usize] = DOUBLE;
    table[b'\\' as usize] = DOUBLE;
    let indicators = b"-?:,[]{}#&*!|>'\"%@`";
    i = 0;
    while i < indicators.len() {
        table[indicators[i] as usize] |= INDICATOR;
        i += 1;
    }
    table
};

pub(crate) const fn class(b: u8) -> u8 {
    CLASS[b as usize]
}

/// As the class [`BREAK`].
pub(crate) const fn is_break_class(b: u8) -> bool {
    matches!(b, b'\n' | b'\r' | 0 | 0xc2 | 0xe2)
}

/// Letters, digits, `_` and `-`.
pub(crate) const fn is_alpha(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

pub(crate) const fn is_blank(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

/// Bytes of the UTF-8 character that starts with `b`.
pub(crate) const fn width(b: u8) -> usize {
    match b {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

/// Length of the line break at an index, 0 if there is none; CR LF counts as the CR alone.
pub(crate) fn break_width(s: &[u8], i: usize) -> usize {
    match s.get(i) {
        Some(b'\n' | b'\r') => 1,
        Some(0xc2) if s.get(i + 1) == Some(&0x85) => 2,
        Some(0xe2) if s.get(i + 1) == Some(&0x80) && matches!(s.get(i + 2), Some(0xa8 | 0xa9)) => 3,
        _ => 0,
    }
}
