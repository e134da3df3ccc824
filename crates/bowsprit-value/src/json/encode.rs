//! Writing JSON.

use super::{JsonError, JsonErrorKind};
use crate::fmt::{append_float, append_int};
use crate::map::Entries;
use crate::path::Path;
use crate::unicode::{RUNE_ERROR, decode_rune};
use crate::{FuncError, List, Meter, Str, Value};
use std::borrow::Cow;

/// How `encode` writes.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Writes `<`, `>` and `&` as `\u003c` and so on, as Go does unless told otherwise.
    pub escape_html: bool,
    /// One item per line, as `json.MarshalIndent` writes; `None` for no white space at all.
    pub indent: Option<Indent<'a>>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { escape_html: true, indent: None }
    }
}

/// The white space of indented JSON.
#[derive(Clone, Copy, Debug)]
pub struct Indent<'a> {
    /// Begins every line but the first.
    pub prefix: &'a str,
    /// Follows it, once per level.
    pub indent: &'a str,
}

/// Go indents by reading its own text again, and does not read below this depth.
const MAX_INDENTED_DEPTH: usize = 10_000;
/// How often an object may give another object for its JSON.
const MAX_INDIRECTIONS: usize = 8;
const CHARGE_EVERY: usize = 4096;

/// Appends a value as `json.Marshal` writes it: keys sorted, `[]uint8` in base64, nil slices and maps as
/// `null`, bytes that are not UTF-8 as U+FFFD. After an error nothing is appended.
///
/// # Errors
///
/// For NaN, infinities, functions, complex numbers and values that contain themselves, and when the
/// meter is used up.
pub fn encode(
    value: &Value,
    options: &Options<'_>,
    out: &mut Vec<u8>,
    meter: &Meter,
) -> Result<(), JsonError> {
    let start = out.len();
    let mut encoder = Encoder { out, options, meter, charged: start };
    let result = encoder.walk(value).and_then(|()| encoder.settle().map_err(JsonError::from));
    if result.is_err() {
        out.truncate(start);
    }
    result
}

enum Frame {
    List { list: List, next: usize },
    Map { entries: Entries, next: usize, id: usize },
    Fields { fields: Vec<(Str, Value)>, next: usize },
}

struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    options: &'a Options<'a>,
    meter: &'a Meter,
    charged: usize,
}

impl Encoder<'_> {
    fn settle(&mut self) -> Result<(), FuncError> {
        let written = self.out.len() - self.charged;
        self.charged = self.out.len();
        self.meter.charge_bytes(written)
    }

    fn walk(&mut self, root: &Value) -> Result<(), JsonError> {
        let mut stack: Vec<Frame> = Vec::new();
        let mut path = Path::default();
        self.begin(root, &mut stack, &mut path)?;
        loop {
            let depth = stack.len();
            let Some(frame) = stack.last_mut() else { return Ok(()) };
            if self.out.len() - self.charged > CHARGE_EVERY {
                self.settle()?;
            }
            let Some(item) = self.step(frame, depth) else {
                self.end(frame, depth, &mut path);
                stack.pop();
                continue;
            };
            if !self.scalar(item)? {
                let item = item.clone();
                self.begin(&item, &mut stack, &mut path)?;
            }
        }
    }

    /// Writes what has no parts.
    fn scalar(&mut self, value: &Value) -> Result<bool, JsonError> {
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Bool(b) => self.out.extend_from_slice(if *b { b"true" } else { b"false" }),
            Value::Int(kind, n) if kind.is_unsigned() => {
                append_int(self.out, false, n.cast_unsigned());
            }
            Value::Int(_, n) => append_int(self.out, *n < 0, n.unsigned_abs()),
            Value::Float(f) => append_number(self.out, *f)?,
            Value::Str(s) => append_string(self.out, s.as_bytes(), self.options.escape_html),
            Value::Bytes(b) => append_base64(self.out, b),
            Value::Complex(_) => return Err(unsupported_type("complex128")),
            Value::List(list) if list.is_nil() => self.out.extend_from_slice(b"null"),
            Value::Map(map) if map.is_nil() => self.out.extend_from_slice(b"null"),
            Value::List(_) | Value::Map(_) | Value::Object(_) => return Ok(false),
        }
        Ok(true)
    }

    fn begin(
        &mut self,
        value: &Value,
        stack: &mut Vec<Frame>,
        path: &mut Path,
    ) -> Result<(), JsonError> {
        let mut value = Cow::Borrowed(value);
        for _ in 0..MAX_INDIRECTIONS {
            let Value::Object(o) = value.as_ref() else { break };
            if let Some(fields) = o.json_fields() {
                self.open(b'{', stack.len())?;
                stack.push(Frame::Fields { fields, next: 0 });
                return Ok(());
            }
            let name = o.type_name();
            value = Cow::Owned(o.to_json().ok_or_else(|| unsupported_type(name))?);
        }
        if self.scalar(&value)? {
            return Ok(());
        }
        match value.as_ref() {
            Value::List(list) => {
                enter(path, list.id(), stack.len(), || list.ty().name())?;
                self.open(b'[', stack.len())?;
                stack.push(Frame::List { list: list.clone(), next: 0 });
            }
            Value::Map(map) => {
                enter(path, map.id(), stack.len(), || map.ty().name())?;
                self.open(b'{', stack.len())?;
                stack.push(Frame::Map { entries: map.peek(), next: 0, id: map.id() });
            }
            other => return Err(unsupported_type(&other.type_name())),
        }
        Ok(())
    }

    fn open(&mut self, brace: u8, depth: usize) -> Result<(), JsonError> {
        if self.options.indent.is_some() && depth >= MAX_INDENTED_DEPTH {
            let text = format!("invalid character '{}' exceeded max depth", char::from(brace));
            return Err(JsonError::new(JsonErrorKind::Unsupported, text));
        }
        self.out.push(brace);
        Ok(())
    }

    fn end(&mut self, frame: &Frame, depth: usize, path: &mut Path) {
        if !frame.is_empty() {
            self.new_line(depth - 1);
        }
        let brace = match frame {
            Frame::List { list, .. } => {
                path.leave(list.id());
                b']'
            }
            Frame::Map { id, .. } => {
                path.leave(*id);
                b'}'
            }
            Frame::Fields { .. } => b'}',
        };
        self.out.push(brace);
    }

    /// Writes what stands before the frame's next item.
    fn step<'f>(&mut self, frame: &'f mut Frame, depth: usize) -> Option<&'f Value> {
        let index = frame.advance()?;
        if index > 0 {
            self.out.push(b',');
        }
        self.new_line(depth);
        let (key, item) = match frame {
            Frame::List { list, .. } => return list.get(index),
            Frame::Map { entries, .. } => entries.get(index)?,
            Frame::Fields { fields, .. } => {
                let (key, item) = fields.get(index)?;
                (key, item)
            }
        };
        append_string(self.out, key.as_bytes(), self.options.escape_html);
        self.out.push(b':');
        if self.options.indent.is_some() {
            self.out.push(b' ');
        }
        Some(item)
    }

    fn new_line(&mut self, depth: usize) {
        let Some(indent) = &self.options.indent else { return };
        self.out.push(b'\n');
        self.out.extend_from_slice(indent.prefix.as_bytes());
        for _ in 0..depth {
            self.out.extend_from_slice(indent.indent.as_bytes());
        }
    }
}

impl Frame {
    fn is_empty(&self) -> bool {
        match self {
            Frame::List { list, .. } => list.is_empty(),
            Frame::Map { entries, .. } => entries.is_empty(),
            Frame::Fields { fields, .. } => fields.is_empty(),
        }
    }

    /// The index of the next item, if there is one.
    fn advance(&mut self) -> Option<usize> {
        let (next, len) = match self {
            Frame::List { list, next } => (next, list.len()),
            Frame::Map { entries, next, .. } => (next, entries.len()),
            Frame::Fields { fields, next } => (next, fields.len()),
        };
        let index = *next;
        *next += 1;
        (index < len).then_some(index)
    }
}

fn enter(
    path: &mut Path,
    id: usize,
    depth: usize,
    name: impl FnOnce() -> Cow<'static, str>,
) -> Result<(), JsonError> {
    path.try_enter(id, depth).map_err(|_| {
        let text = format!("json: unsupported value: encountered a cycle via {}", name());
        JsonError::new(JsonErrorKind::Unsupported, text)
    })
}

#[cold]
fn unsupported_type(name: &str) -> JsonError {
    JsonError::new(JsonErrorKind::Unsupported, format!("json: unsupported type: {name}"))
}

fn append_number(out: &mut Vec<u8>, f: f64) -> Result<(), JsonError> {
    if !f.is_finite() {
        let mut text = b"json: unsupported value: ".to_vec();
        append_float(&mut text, f, b'g', None, 64);
        return Err(JsonError::new(JsonErrorKind::Unsupported, text));
    }
    let magnitude = f.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        append_float(out, f, b'f', None, 64);
        return Ok(());
    }
    append_float(out, f, b'e', None, 64);
    // The exponent loses the zero that pads it: e-09 becomes e-9.
    if let [.., b'e', b'-', b'0', digit] = out.as_slice() {
        let digit = *digit;
        out.truncate(out.len() - 2);
        out.push(digit);
    }
    Ok(())
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends a quoted string.
pub fn append_string(out: &mut Vec<u8>, s: &[u8], escape_html: bool) {
    let stops = if escape_html { &STOPS_HTML } else { &STOPS };
    out.reserve(s.len() + 2);
    out.push(b'"');
    let mut rest = s;
    loop {
        let plain = rest.iter().position(|b| stops[usize::from(*b)]).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(plain);
        out.extend_from_slice(head);
        let Some(&b) = tail.first() else { break };
        let width = if b.is_ascii() { append_escaped(out, b) } else { append_wide(out, tail) };
        rest = tail.get(width..).unwrap_or_default();
    }
    out.push(b'"');
}

fn append_escaped(out: &mut Vec<u8>, b: u8) -> usize {
    let short = match b {
        b'"' | b'\\' => b,
        8 => b'b',
        12 => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
            return 1;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
    1
}

fn append_wide(out: &mut Vec<u8>, s: &[u8]) -> usize {
    let (c, width) = decode_rune(s);
    match c {
        RUNE_ERROR if width == 1 => out.extend_from_slice(b"\\ufffd"),
        '\u{2028}' => out.extend_from_slice(b"\\u2028"),
        '\u{2029}' => out.extend_from_slice(b"\\u2029"),
        _ => out.extend_from_slice(s.get(..width).unwrap_or_default()),
    }
    width
}

/// Bytes that end a run which can be copied as it is.
const fn stops(html: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        let special = matches!(b as u8, b'"' | b'\\' | 0..=0x1f | 0x80..);
        table[b] = special || html && matches!(b as u8, b'<' | b'>' | b'&');
        b += 1;
    }
    table
}

static STOPS: [bool; 256] = stops(false);
static STOPS_HTML: [bool; 256] = stops(true);

fn append_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.reserve(bytes.len().div_ceil(3) * 4 + 2);
    out.push(b'"');
    for chunk in bytes.chunks(3) {
        let at = |i: usize| chunk.get(i).copied().map_or(0, u32::from);
        let group = at(0) << 16 | at(1) << 8 | at(2);
        let digit = |shift: u32| DIGITS[(group >> shift & 63) as usize];
        let tail = match chunk.len() {
            1 => [b'=', b'='],
            2 => [digit(6), b'='],
            _ => [digit(6), digit(0)],
        };
        out.extend_from_slice(&[digit(18), digit(12), tail[0], tail[1]]);
    }
    out.push(b'"');
}
