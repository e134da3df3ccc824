//! The directives of a format string.

use super::flags::Flags;
use super::printer::Printer;
use crate::unicode::{decode_rune, push_rune};
use crate::{FuncError, Kind, Object, Value};

/// Widths and precisions beyond this are taken for mistakes.
const TOO_LARGE: i64 = 1_000_000;

fn too_large(n: i64) -> bool {
    !(-TOO_LARGE..=TOO_LARGE).contains(&n)
}

struct Scanner<'f, 'a> {
    format: &'f [u8],
    at: usize,
    args: &'a [Value],
    arg: usize,
    /// The format has an argument index, good or bad.
    reordered: bool,
    /// The directive's indexes are good so far.
    good_index: bool,
    /// An index was the last thing read.
    after_index: bool,
}

pub(super) fn do_printf(
    p: &mut Printer<'_>,
    format: &[u8],
    args: &[Value],
) -> Result<(), FuncError> {
    let mut s = Scanner {
        format,
        at: 0,
        args,
        arg: 0,
        reordered: false,
        good_index: true,
        after_index: false,
    };
    loop {
        let rest = format.get(s.at..).unwrap_or_default();
        let text = rest.iter().position(|b| *b == b'%').unwrap_or(rest.len());
        p.out.extend_from_slice(rest.get(..text).unwrap_or_default());
        s.at += text;
        if s.at >= format.len() {
            break;
        }
        s.at += 1;
        s.good_index = true;
        s.directive(p)?;
        p.charge()?;
    }
    if s.reordered { Ok(()) } else { extra(p, args.get(s.arg..).unwrap_or_default()) }
}

fn extra(p: &mut Printer<'_>, args: &[Value]) -> Result<(), FuncError> {
    if args.is_empty() {
        return Ok(());
    }
    p.flags = Flags::default();
    p.out.extend_from_slice(b"%!(EXTRA ");
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            p.out.extend_from_slice(b", ");
        }
        p.out.extend_from_slice(arg.type_name().as_bytes());
        if !arg.is_nil() {
            p.out.push(b'=');
            p.print_arg(arg, 'v')?;
        }
    }
    p.out.push(b')');
    Ok(())
}

impl Scanner<'_, '_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        self.at += usize::from(hit);
        hit
    }

    fn directive(&mut self, p: &mut Printer<'_>) -> Result<(), FuncError> {
        p.flags = Flags::default();
        self.flags(&mut p.flags);
        match self.peek() {
            Some(verb @ b'a'..=b'z') if self.arg < self.args.len() => {
                self.at += 1;
                return self.print(p, char::from(verb));
            }
            _ => {}
        }
        self.index();
        self.width(p);
        self.precision(p);
        if !self.after_index {
            self.index();
        }
        let (verb, size) = decode_rune(self.format.get(self.at..).unwrap_or_default());
        if size == 0 {
            p.out.extend_from_slice(b"%!(NOVERB)");
            return Ok(());
        }
        self.at += size;
        if verb == '%' {
            p.out.push(b'%');
        } else if !self.good_index {
            complain(p, verb, "(BADINDEX)");
        } else if self.arg >= self.args.len() {
            complain(p, verb, "(MISSING)");
        } else {
            return self.print(p, verb);
        }
        Ok(())
    }

    fn print(&mut self, p: &mut Printer<'_>, verb: char) -> Result<(), FuncError> {
        if matches!(verb, 'v' | 'w') {
            p.flags.for_v();
        }
        let Some(arg) = self.args.get(self.arg) else { return Ok(()) };
        self.arg += 1;
        p.print_arg(arg, verb)
    }

    fn flags(&mut self, flags: &mut Flags) {
        while let Some(b) = self.peek() {
            match b {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => return,
            }
            self.at += 1;
        }
    }

    fn width(&mut self, p: &mut Printer<'_>) {
        if self.eat(b'*') {
            let width = self.int_from_arg();
            match width {
                None => p.out.extend_from_slice(b"%!(BADWIDTH)"),
                Some(n) if n < 0 => {
                    p.flags.minus = true;
                    p.flags.zero = false;
                }
                Some(_) => {}
            }
            p.flags.width = width.map(|n| n.unsigned_abs() as usize);
            self.after_index = false;
            return;
        }
        p.flags.width = self.number();
        if self.after_index && p.flags.width.is_some() {
            self.good_index = false;
        }
    }

    fn precision(&mut self, p: &mut Printer<'_>) {
        // A point at the very end is no precision but the verb.
        if self.at + 1 >= self.format.len() || !self.eat(b'.') {
            return;
        }
        if self.after_index {
            self.good_index = false;
        }
        self.index();
        if self.eat(b'*') {
            let precision = self.int_from_arg().and_then(|n| usize::try_from(n).ok());
            if precision.is_none() {
                p.out.extend_from_slice(b"%!(BADPREC)");
            }
            p.flags.precision = precision;
            self.after_index = false;
        } else {
            p.flags.precision = Some(self.number().unwrap_or(0));
        }
    }

    /// A decimal number; one that is too large swallows the whole format.
    fn number(&mut self) -> Option<usize> {
        let (number, end) = parse_number(self.format, self.at, self.format.len());
        self.at = end;
        number
    }

    /// The next argument as a width or precision; `None` where it is no suitable integer.
    fn int_from_arg(&mut self) -> Option<i64> {
        let arg = self.args.get(self.arg)?;
        self.arg += 1;
        let n = match arg {
            Value::Int(kind, n) if !kind.is_unsigned() || *n >= 0 => *n,
            Value::Object(o) if matches!(Object::kind(o.as_ref()), Kind::Int(_)) => {
                match o.to_json() {
                    Some(Value::Int(_, n)) => n,
                    _ => return None,
                }
            }
            _ => return None,
        };
        (!too_large(n)).then_some(n)
    }

    /// An argument index such as `[2]`, if there is one.
    fn index(&mut self) {
        self.after_index = false;
        if self.peek() != Some(b'[') {
            return;
        }
        self.reordered = true;
        let (index, width) = parse_index(self.format.get(self.at..).unwrap_or_default());
        self.at += width;
        self.after_index = index.is_some();
        match index.and_then(|n| n.checked_sub(1)) {
            Some(n) if n < self.args.len() => self.arg = n,
            _ => self.good_index = false,
        }
    }
}

fn parse_number(s: &[u8], start: usize, end: usize) -> (Option<usize>, usize) {
    let mut number = None;
    let mut at = start;
    while at < end {
        let Some(digit @ b'0'..=b'9') = s.get(at).copied() else { break };
        let so_far = number.unwrap_or(0);
        if so_far > TOO_LARGE as usize {
            return (None, end);
        }
        number = Some(so_far * 10 + usize::from(digit - b'0'));
        at += 1;
    }
    (number, at.min(end))
}

/// The one-based index between brackets, and how many bytes to skip.
fn parse_index(s: &[u8]) -> (Option<usize>, usize) {
    if s.len() < 3 {
        return (None, 1);
    }
    let Some(close) = s.iter().position(|b| *b == b']') else { return (None, 1) };
    match parse_number(s, 1, close) {
        (Some(n), end) if end == close => (Some(n), close + 1),
        _ => (None, close + 1),
    }
}

fn complain(p: &mut Printer<'_>, verb: char, what: &str) {
    p.out.extend_from_slice(b"%!");
    push_rune(p.out, verb);
    p.out.extend_from_slice(what.as_bytes());
}
