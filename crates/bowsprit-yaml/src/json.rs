//! The JSON text between the two halves of `sigs.k8s.io/yaml`.

use crate::base64;
use crate::document::{Any, Document, unsupported_float};
use crate::error::{Error, ErrorKind, Stage};
use bowsprit_value::fmt::append_float;
use bowsprit_value::unicode::decode_rune;
use bowsprit_value::{Entries, List, Map, Meter, Value};
use std::collections::BTreeSet;

/// A float as Go's JSON writes it.
pub(crate) fn append_json_float(out: &mut Vec<u8>, f: f64) {
    let magnitude = f.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return append_float(out, f, b'f', None, 64);
    }
    append_float(out, f, b'e', None, 64);
    // e-09 to e-9
    if let [.., b'e', b'-', b'0', _] = out.as_slice() {
        out.remove(out.len() - 2);
    }
}

/// A string as Go's `json.Marshal` writes it, with its escapes for HTML.
pub(crate) fn append_json_string(out: &mut Vec<u8>, mut text: &[u8]) {
    out.push(b'"');
    loop {
        let plain = text.iter().take_while(|&&b| is_plain(b)).count();
        let (run, rest) = text.split_at_checked(plain).unwrap_or((text, b""));
        out.extend_from_slice(run);
        let Some(&b) = rest.first() else { break };
        let width = if b < 0x80 { append_escape(out, b) } else { append_rune(out, rest) };
        text = rest.get(width..).unwrap_or_default();
    }
    out.push(b'"');
}

const fn is_plain(b: u8) -> bool {
    matches!(b, 0x20..0x80) && !matches!(b, b'"' | b'\\' | b'<' | b'>' | b'&')
}

fn append_escape(out: &mut Vec<u8>, b: u8) -> usize {
    let short = match b {
        b'"' | b'\\' => b,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(b >> 4)]);
            out.push(HEX[usize::from(b & 15)]);
            return 1;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
    1
}

fn append_rune(out: &mut Vec<u8>, text: &[u8]) -> usize {
    match decode_rune(text) {
        (_, 0 | 1) => {
            out.extend_from_slice(b"\\ufffd");
            1
        }
        ('\u{2028}', width) => {
            out.extend_from_slice(b"\\u2028");
            width
        }
        ('\u{2029}', width) => {
            out.extend_from_slice(b"\\u2029");
            width
        }
        (_, width) => {
            out.extend_from_slice(text.get(..width).unwrap_or_default());
            width
        }
    }
}

/// `sigs.k8s.io/yaml`'s `YAMLToJSON`: the exact text, without a final newline.
///
/// ```
/// assert_eq!(bowsprit_yaml::yaml_to_json(b"b: 0x10\na: [~, yes, '<']")?, br#"{"a":[null,true,"\u003c"],"b":16}"#);
/// # Ok::<(), bowsprit_yaml::Error>(())
/// ```
///
/// # Errors
///
/// As [`decode()`](crate::decode()), without the prefix that names the step.
pub fn yaml_to_json(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let document = Document::parse_with(bytes, false)?;
    match document.check_json() {
        Err(error) if error.kind() != ErrorKind::Depth => {
            return Err(error.at_stage(Stage::Plain));
        }
        _ => {}
    }
    let mut out = Vec::with_capacity(bytes.len());
    append_document(&mut out, &document);
    Ok(out)
}

fn append_document(out: &mut Vec<u8>, document: &Document<'_>) {
    let mut frames: Vec<(u32, usize, bool)> = Vec::new();
    let mut current = Some(document.root);
    loop {
        if let Some(index) = current.take() {
            match document.any(index) {
                Any::List(_) => {
                    out.push(b'[');
                    frames.push((index, 0, false));
                }
                Any::Map(_) => {
                    out.push(b'{');
                    frames.push((index, 0, true));
                }
                scalar => append_any(out, document, index, scalar),
            }
        }
        let Some((index, done, is_map)) = frames.last_mut() else { break };
        let (index, at, is_map) = (*index, *done, *is_map);
        *done += 1;
        let Some(child) = document.children(index).nth(at) else {
            frames.pop();
            out.push(if is_map { b'}' } else { b']' });
            continue;
        };
        if at > 0 {
            out.push(b',');
        }
        if let Some(pair) = document.map_pairs(index).get(at) {
            append_json_string(out, pair.key.bytes());
            out.push(b':');
        }
        current = Some(child);
    }
}

fn append_any(out: &mut Vec<u8>, document: &Document<'_>, index: u32, any: &Any) {
    match any {
        Any::Bool(true) => out.extend_from_slice(b"true"),
        Any::Bool(false) => out.extend_from_slice(b"false"),
        Any::Int(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Any::Uint(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Any::Float(f) => append_json_float(out, *f),
        Any::Text(_) | Any::Binary(_) => append_json_string(out, document.string(index)),
        Any::Null | Any::List(_) | Any::Map(_) => out.extend_from_slice(b"null"),
    }
}

/// Go's JSON looks for cycles from this depth on.
pub(crate) const CYCLE_DEPTH: usize = 1000;

enum Frame {
    List(List, usize),
    /// Entries, the next one, and the map to forget in the search for cycles.
    Map(Entries, usize, Option<usize>),
}

/// `json.Marshal` of a value; what it writes is charged to the meter.
pub(crate) fn append_value(out: &mut Vec<u8>, value: &Value, meter: &Meter) -> Result<(), Error> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut open: BTreeSet<usize> = BTreeSet::new();
    let mut charged = out.len();
    let mut current = Some(value.clone());
    loop {
        if let Some(value) = current.take() {
            match value {
                Value::List(list) if !list.is_nil() => {
                    out.push(b'[');
                    frames.push(Frame::List(list, 0));
                }
                Value::Map(map) if !map.is_nil() => {
                    out.push(b'{');
                    let id = (frames.len() >= CYCLE_DEPTH).then(|| map.id());
                    if id.is_some_and(|id| !open.insert(id)) {
                        return Err(cycle(&map.ty().name()));
                    }
                    frames.push(Frame::Map(Map::entries(&map), 0, id));
                }
                Value::Object(object) => {
                    let plain = object.to_json();
                    current = Some(plain.ok_or_else(|| unsupported_type(object.type_name()))?);
                    continue;
                }
                scalar => append_scalar(out, &scalar)?,
            }
        }
        meter.charge_bytes(out.len().saturating_sub(charged)).map_err(|e| Error::limit(&e))?;
        charged = out.len();
        let Some(frame) = frames.last_mut() else { return Ok(()) };
        current = next_child(out, frame);
        if current.is_none() {
            let end = if matches!(frame, Frame::List(..)) { b']' } else { b'}' };
            out.push(end);
            if let Some(Frame::Map(.., Some(id))) = frames.pop() {
                open.remove(&id);
            }
        }
    }
}

fn next_child(out: &mut Vec<u8>, frame: &mut Frame) -> Option<Value> {
    let (at, child) = match frame {
        Frame::List(list, next) => {
            let child = list.get(*next)?.clone();
            *next += 1;
            if *next > 1 {
                out.push(b',');
            }
            return Some(child);
        }
        Frame::Map(entries, next, _) => {
            *next += 1;
            (*next, entries.get(*next - 1)?)
        }
    };
    if at > 1 {
        out.push(b',');
    }
    append_json_string(out, child.0.as_bytes());
    out.push(b':');
    Some(child.1.clone())
}

fn append_scalar(out: &mut Vec<u8>, value: &Value) -> Result<(), Error> {
    match value {
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(kind, n) if kind.is_unsigned() => {
            out.extend_from_slice(n.cast_unsigned().to_string().as_bytes());
        }
        Value::Int(_, n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Float(f) if f.is_finite() => append_json_float(out, *f),
        Value::Float(f) => return Err(unsupported_float(*f)),
        Value::Complex(_) => return Err(unsupported_type("complex128")),
        Value::Str(s) => append_json_string(out, s.as_bytes()),
        Value::Bytes(bytes) => {
            out.push(b'"');
            base64::encode(bytes, out);
            out.push(b'"');
        }
        Value::Nil | Value::List(_) | Value::Map(_) | Value::Object(_) => {
            out.extend_from_slice(b"null");
        }
    }
    Ok(())
}

/// What Go's JSON says of a map that holds itself.
pub(crate) fn cycle(type_name: &str) -> Error {
    let text = format!("json: unsupported value: encountered a cycle via {type_name}");
    Error::new(ErrorKind::Unsupported, Stage::Plain, text)
}

pub(crate) fn unsupported_type(name: &str) -> Error {
    Error::new(ErrorKind::Unsupported, Stage::Plain, format!("json: unsupported type: {name}"))
}
