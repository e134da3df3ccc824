//! What edits write.

use super::place::Odd;
use crate::error::Error;
use bowsprit_value::{Map, Meter, Str, Value, json};

/// A value in one line, in flow style: JSON, or with fewer quotes. `block` says that it stands behind a
/// key in block style, where commas and brackets mean nothing.
pub(super) fn inline(value: &Value, json: bool, block: bool) -> Result<Vec<u8>, Odd> {
    if let (Value::Str(text), false) = (value, json)
        && let Some(plain) = plain(text, block)
    {
        return Ok(plain);
    }
    let mut out = Vec::new();
    let options = json::Options { escape_html: false, ..json::Options::default() };
    json::encode(value, &options, &mut out, &Meter::default()).map_err(|_| Odd)?;
    Ok(without_deletes(out))
}

/// JSON takes the character as it is, YAML doesn't.
fn without_deletes(text: Vec<u8>) -> Vec<u8> {
    if !text.contains(&0x7f) {
        return text;
    }
    let escaped = |b: u8| if b == 0x7f { br"\u007f".to_vec() } else { vec![b] };
    text.into_iter().flat_map(escaped).collect()
}

/// The text as goyaml writes it, if that is one line.
fn plain(text: &Str, block: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    crate::encode(&Value::Str(text.clone()), &mut out, &Meter::default()).ok()?;
    out.pop();
    let bare = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
    let quoted = matches!(out.first(), Some(b'"' | b'\''));
    let one_line = !out.contains(&b'\n') && !out.starts_with(b"|") && !out.starts_with(b">");
    (one_line && (block || quoted || out.iter().all(bare))).then_some(out)
}

/// Whether a text without quotes is a string.
pub(super) fn is_plain(text: &[u8]) -> bool {
    plain(&Str::from_bytes(text), true).is_some_and(|plain| plain == text)
}

/// `key: value` in flow style.
pub(super) fn entry(key: &Str, value: &Value, json: bool) -> Result<Vec<u8>, Odd> {
    let mut out = inline(&Value::Str(key.clone()), json, false)?;
    out.extend_from_slice(b": ");
    out.extend_from_slice(&inline(value, json, false)?);
    Ok(out)
}

/// A collection in block style, each line behind `indent` blanks, the last without its end.
pub(super) fn lines(value: &Value, indent: usize, newline: &str) -> Result<Vec<u8>, Odd> {
    let mut text = Vec::new();
    crate::encode(value, &mut text, &Meter::default()).map_err(|_| Odd)?;
    text.pop();
    let mut out = Vec::with_capacity(text.len() + 32);
    for (index, line) in text.split(|b| *b == b'\n').enumerate() {
        if index > 0 {
            out.extend_from_slice(newline.as_bytes());
        }
        if !line.is_empty() {
            out.resize(out.len() + indent, b' ');
            out.extend_from_slice(line);
        }
    }
    Ok(out)
}

/// Entries in block style, as [`lines`].
pub(super) fn entry_lines(
    entries: &[(Str, Value)],
    indent: usize,
    newline: &str,
) -> Result<Vec<u8>, Odd> {
    lines(&Value::Map(Map::from_entries(entries.iter().cloned())), indent, newline)
}

/// A value as it comes back when it was written and read.
pub(super) fn as_read(value: &Value) -> Result<Value, Error> {
    let mut text = Vec::new();
    crate::encode(value, &mut text, &Meter::default())?;
    crate::decode(&text)
}
