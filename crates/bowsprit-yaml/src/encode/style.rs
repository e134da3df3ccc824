//! Which styles a string can be written in: libyaml's analysis of scalars.

use crate::order::Dialect;
use crate::resolve::{self, Resolved, is_base60, is_old_bool, is_signed_octal, resolve_plain};
use crate::scan::{break_width, is_blank, width};
use crate::tree::Style;

/// What stands against the styles of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Analysis {
    pub(crate) multiline: bool,
    pub(crate) plain: bool,
    pub(crate) single_quoted: bool,
    pub(crate) block: bool,
}

#[derive(Default)]
struct Findings {
    indicators: bool,
    special: bool,
    tabs: bool,
    line_breaks: bool,
    leading: bool,
    trailing_space: bool,
    trailing_break: bool,
    break_space: bool,
    space_break: bool,
}

impl Analysis {
    pub(crate) fn of(value: &[u8], dialect: Dialect) -> Analysis {
        if is_simple(value) {
            return Analysis { multiline: false, plain: true, single_quoted: true, block: true };
        }
        if value.is_empty() {
            return Analysis { multiline: false, plain: true, single_quoted: true, block: false };
        }
        let found = Findings::of(value, dialect);
        let nowhere = found.space_break || found.special;
        Analysis {
            multiline: found.line_breaks,
            plain: !(found.leading
                || found.trailing_space
                || found.trailing_break
                || found.break_space
                || nowhere
                || found.tabs
                || found.line_breaks
                || found.indicators),
            single_quoted: !(found.break_space || nowhere || found.tabs),
            block: !(found.trailing_space || nowhere),
        }
    }
}

/// Words of letters, digits and `_ / . -` that no style can object to.
fn is_simple(value: &[u8]) -> bool {
    value.first().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/'))
        && value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/' | b'.' | b'-'))
}

impl Findings {
    fn of(value: &[u8], dialect: Dialect) -> Findings {
        let mut found = Findings {
            indicators: value.starts_with(b"---") || value.starts_with(b"..."),
            ..Findings::default()
        };
        let (mut after_blank, mut after_space, mut after_break) = (true, false, false);
        let mut i = 0;
        while let Some(&b) = value.get(i) {
            let width = width(b);
            let next = i + width;
            found.look_at_indicator(b, i == 0, after_blank, value.get(next).copied());
            if dialect == Dialect::V3 && b == b'\t' {
                found.tabs = true;
            } else if !is_printable(value, i) {
                found.special = true;
            }
            let is_break = break_width(value, i) > 0;
            if b == b' ' {
                found.leading |= i == 0;
                found.trailing_space = next == value.len();
                found.break_space |= after_break;
            } else if is_break {
                found.line_breaks = true;
                found.leading |= i == 0;
                found.trailing_break = next == value.len();
                found.space_break |= after_space;
            }
            after_space = b == b' ';
            after_break = is_break;
            after_blank = is_break || is_blank(b) || b == 0;
            i = next;
        }
        found
    }

    fn look_at_indicator(&mut self, b: u8, first: bool, after_blank: bool, next: Option<u8>) {
        let before_blank = next.is_none_or(is_blank);
        self.indicators |= match b {
            b'#' if !first => after_blank,
            b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"'
            | b'%' | b'@' | b'`' | b'#' => first,
            b'?' | b'-' => first && before_blank,
            b':' => before_blank,
            _ => false,
        };
    }
}

/// Whether the character at an index can stand unescaped.
pub(crate) fn is_printable(value: &[u8], i: usize) -> bool {
    let at = |k: usize| value.get(i + k).copied().unwrap_or(0);
    match at(0) {
        b'\n' | b' '..=b'~' | 0xc3..=0xec | 0xee => true,
        0xc2 => at(1) >= 0xa0,
        0xed => at(1) < 0xa0,
        0xef => !(at(1) == 0xbb && at(2) == 0xbf || at(1) == 0xbf && matches!(at(2), 0xbe | 0xbf)),
        _ => false,
    }
}

/// The style that goyaml asks for; what the text allows is decided after that.
pub(crate) fn wish(value: &[u8], dialect: Dialect) -> Style {
    if value.contains(&b'\n') {
        Style::Literal
    } else if stays_string(value, dialect) {
        Style::Plain
    } else {
        Style::DoubleQuoted
    }
}

/// Whether the text would be read as a string again.
fn stays_string(value: &[u8], dialect: Dialect) -> bool {
    // Only these can begin anything else.
    let Some(first) = value.first() else { return false };
    match first {
        b'+' | b'-' | b'.' | b'0'..=b'9' => {
            resolve_plain(value) == Resolved::Str
                && !is_base60(value)
                && !(dialect == Dialect::V3 && is_signed_octal(value))
        }
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            resolve::resolve_plain(value) == Resolved::Str && !is_old_bool(value)
        }
        _ => true,
    }
}
