//! Shortening with an ellipsis, and wrapping lines; all widths are in bytes.

use super::part;
use bowsprit_value::{Args, FuncError, Str, Value};
use memchr::{memchr, memrchr};

pub(super) fn abbrev(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let (width, s) = (args.int(0), args.str(1));
    if width < 4 {
        return Ok(Value::Str(s.clone()));
    }
    Ok(abbreviated(s, 0, width))
}

pub(super) fn abbrev_both(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let (left, right, s) = (args.int(0), args.int(1), args.str(2));
    if right < 4 || left > 0 && right < 7 {
        return Ok(Value::Str(s.clone()));
    }
    Ok(abbreviated(s, left, right))
}

/// goutils' `AbbreviateFull` for a width of at least 4.
fn abbreviated(s: &Str, offset: i64, width: i64) -> Value {
    let bytes = s.as_bytes();
    let Some(width) = usize::try_from(width).ok().filter(|width| *width < bytes.len()) else {
        return Value::Str(s.clone());
    };
    let room = width.saturating_sub(3);
    // Go's subtraction overflows for the least offsets.
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let offset = offset.min(length);
    let fits = usize::try_from(length.wrapping_sub(offset)).is_ok_and(|after| after >= room);
    let offset =
        if fits { usize::try_from(offset.max(0)).unwrap_or(0) } else { bytes.len() - room };
    let mut out = Vec::with_capacity(width);
    if offset <= 4 {
        out.extend_from_slice(bytes.get(..room).unwrap_or_default());
        out.extend_from_slice(b"...");
    } else if width < 7 {
        return Value::Str(Str::default());
    } else if offset + room < bytes.len() {
        out.extend_from_slice(b"...");
        let from = bytes.get(offset..).unwrap_or_default();
        match from.get(..room.saturating_sub(3)) {
            Some(head) if from.len() > room => {
                out.extend_from_slice(head);
                out.extend_from_slice(b"...");
            }
            _ => out.extend_from_slice(from),
        }
    } else {
        out.extend_from_slice(b"...");
        out.extend_from_slice(bytes.get(bytes.len() - room..).unwrap_or_default());
    }
    Value::str(out)
}

pub(super) fn wrap(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let s = args.str(1);
    args.charge(s.len())?;
    let mut lines = Lines { rest: s.as_bytes(), width: width(args.int(0)), cut_words: false };
    joined(args, s, &mut lines, b"\n")
}

pub(super) fn wrap_with(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let (separator, s) = (args.str(1).as_bytes(), args.str(2));
    args.charge(s.len())?;
    let separator = if separator.is_empty() { b"\n" } else { separator };
    let mut lines = Lines { rest: s.as_bytes(), width: width(args.int(0)), cut_words: true };
    joined(args, s, &mut lines, separator)
}

fn width(width: i64) -> usize {
    usize::try_from(width.max(1)).unwrap_or(usize::MAX)
}

fn joined(
    args: &Args<'_>,
    whole: &Str,
    lines: &mut Lines<'_>,
    separator: &[u8],
) -> Result<Value, FuncError> {
    if whole.len() <= lines.width {
        return Ok(part(whole, whole.as_bytes()));
    }
    let mut out = Vec::with_capacity(whole.len() + whole.len() / 16);
    for (line, more) in lines {
        out.extend_from_slice(line);
        if more {
            args.charge(separator.len())?;
            out.extend_from_slice(separator);
        }
    }
    Ok(Value::str(out))
}

/// goutils' `WrapCustom`: the lines, each with whether a separator follows.
struct Lines<'s> {
    rest: &'s [u8],
    width: usize,
    cut_words: bool,
}

impl<'s> Iterator for Lines<'s> {
    type Item = (&'s [u8], bool);

    fn next(&mut self) -> Option<Self::Item> {
        while self.rest.len() > self.width
            && let Some((b' ', tail)) = self.rest.split_first()
        {
            self.rest = tail;
        }
        if self.rest.is_empty() {
            return None;
        }
        if self.rest.len() <= self.width {
            return Some((std::mem::take(&mut self.rest), false));
        }
        let window = self.rest.get(..=self.width).unwrap_or_default();
        if let Some(blank) = memrchr(b' ', window) {
            return Some((self.cut(blank, 1), true));
        }
        if self.cut_words {
            return Some((self.cut(self.width, 0), true));
        }
        let beyond = self.rest.get(self.width..).unwrap_or_default();
        Some(match memchr(b' ', beyond) {
            Some(blank) => (self.cut(self.width + blank, 1), true),
            None => (std::mem::take(&mut self.rest), false),
        })
    }
}

impl<'s> Lines<'s> {
    /// Takes the bytes before an index, and drops some after it.
    fn cut(&mut self, at: usize, dropped: usize) -> &'s [u8] {
        let (line, tail) = self.rest.split_at_checked(at).unwrap_or((self.rest, &[]));
        self.rest = tail.get(dropped..).unwrap_or_default();
        line
    }
}
