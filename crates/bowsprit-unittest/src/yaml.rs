//! YAML as helm-unittest reads and writes it: goyaml v3, an indentation of two.

use bowsprit_value::{Map, Meter, Value, fmt};
use bowsprit_yaml::{AnyMap, AnyTime, decode_any, encode_pretty};

/// The pieces of a text between lines that begin with `---`, with their offsets. Blanks behind a separator
/// belong to it, even those that begin the next line.
pub(crate) fn split_documents(text: &[u8]) -> Vec<(usize, &[u8])> {
    const SEPARATOR: &[u8] = b"---";
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let after_break = at > begin && text.get(at - 1) == Some(&b'\n');
        if rest.starts_with(SEPARATOR) && (at == 0 || after_break) {
            let part = text.get(begin..at).unwrap_or_default();
            let blank = part.iter().rev().take_while(|b| is_space(**b)).count();
            parts.push((begin, part.get(..part.len() - blank).unwrap_or_default()));
            let after = rest.get(SEPARATOR.len()..).unwrap_or_default();
            begin = at + SEPARATOR.len() + after.iter().take_while(|b| is_space(**b)).count();
            at = begin;
            continue;
        }
        at += rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |end| end + 1);
    }
    parts.push((begin, text.get(begin..).unwrap_or_default()));
    parts
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

/// The documents of a rendered file.
pub(crate) fn documents(text: &[u8]) -> Result<Vec<Map>, String> {
    let mut documents = Vec::new();
    let parts = split_documents(text);
    for (number, (_, part)) in parts.iter().enumerate() {
        if part.trim_ascii().is_empty() {
            continue;
        }
        // A separator takes the blanks before it along and puts one line break there, which a block scalar
        // at the end of a document keeps.
        let ended = [part, &b"\n"[..]];
        let part = if number + 1 < parts.len() { ended.concat() } else { part.to_vec() };
        let value = decode_any(&part).map_err(|error| error.to_string())?;
        let map = match &value {
            Value::Nil => continue,
            Value::Map(map) => map.clone(),
            other => match other.downcast::<AnyMap>() {
                Some(map) => map.to_map(),
                None => {
                    let (tag, text) = match other {
                        Value::List(_) => ("!!seq", String::new()),
                        Value::Int(..) => ("!!int", shortened(other)),
                        Value::Float(_) => ("!!float", shortened(other)),
                        Value::Bool(_) => ("!!bool", shortened(other)),
                        Value::Object(_) => ("!!timestamp", shortened(other)),
                        _ => ("!!str", shortened(other)),
                    };
                    return Err(format!(
                        "yaml: unmarshal errors:\n  line 1: cannot unmarshal {tag}{text} into \
                         map[string]interface {{}}"
                    ));
                }
            },
        };
        if !map.is_empty() {
            documents.push(map);
        }
    }
    Ok(documents)
}

/// A scalar as goyaml's errors show it.
fn shortened(value: &Value) -> String {
    let text = plain(value);
    match text.len() {
        11.. => format!(" `{}...`", text.chars().take(7).collect::<String>()),
        _ => format!(" `{text}`"),
    }
}

/// A scalar's text.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Nil => "null".to_owned(),
        Value::Str(text) => text.to_string(),
        other => match other.downcast::<AnyTime>() {
            Some(time) => time.0.to_string(),
            None => printed(other),
        },
    }
}

/// `%v`.
pub(crate) fn printed(value: &Value) -> String {
    let mut out = Vec::new();
    let _ = fmt::sprintf(b"%v", std::slice::from_ref(value), &mut out, &Meter::default());
    String::from_utf8_lossy(&out).into_owned()
}

/// A value as it is shown and kept: strings lose the line breaks that they begin with.
pub(crate) fn shown(value: &Value) -> String {
    encoded(&map_strings(value, &|text| {
        let start = text.iter().take_while(|b| **b == b'\n').count();
        text.get(start..).unwrap_or_default().to_vec()
    }))
}

/// A value as it is.
pub(crate) fn encoded(value: &Value) -> String {
    let mut out = Vec::new();
    // What was read can be written.
    let _ = encode_pretty(value, &mut out, &Meter::default());
    String::from_utf8_lossy(&out).into_owned()
}

/// The value with all strings below string keys changed. Nested no deeper than YAML was read.
pub(crate) fn map_strings(value: &Value, change: &dyn Fn(&[u8]) -> Vec<u8>) -> Value {
    match value {
        Value::Str(text) => Value::str(change(text.as_bytes())),
        Value::List(list) if !list.is_nil() => {
            Value::list(list.iter().map(|item| map_strings(item, change)).collect())
        }
        Value::Map(map) => {
            let entries = map.entries();
            let changed = entries.iter().map(|(k, v)| (k.clone(), map_strings(v, change)));
            Value::Map(Map::from_entries(changed))
        }
        other => other.clone(),
    }
}

/// Without blanks at the ends of lines and without line breaks at the start.
pub(crate) fn uniform(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|b| *b == b'\n') {
        let Some(body) = line.strip_suffix(b"\n") else {
            out.extend_from_slice(line);
            continue;
        };
        let bare = body.strip_suffix(b"\r").unwrap_or(body);
        let kept = bare.len() - bare.iter().rev().take_while(|b| **b == b' ').count();
        // A carriage return stays where no blank stands before it.
        out.extend_from_slice(if kept < bare.len() {
            bare.get(..kept).unwrap_or_default()
        } else {
            body
        });
        out.push(b'\n');
    }
    let start = out.iter().take_while(|b| **b == b'\n').count();
    out.drain(..start);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<(usize, &str)> {
        let parts = split_documents(text.as_bytes());
        parts.into_iter().map(|(at, p)| (at, std::str::from_utf8(p).unwrap())).collect()
    }

    #[test]
    fn documents_are_split_as_the_pattern_says() {
        assert_eq!(parts("a\n---\nb"), [(0, "a"), (6, "b")]);
        assert_eq!(parts("---\n---\nb"), [(0, ""), (4, "---\nb")]);
        assert_eq!(parts("a \n\n--- \n\n  b"), [(0, "a"), (12, "b")]);
        assert_eq!(parts("a\n----\nb"), [(0, "a"), (5, "-\nb")]);
        assert_eq!(parts("a: |\n  ---\nb"), [(0, "a: |\n  ---\nb")]);
        assert_eq!(parts(""), [(0, "")]);
    }

    #[test]
    fn a_block_scalar_before_a_separator_ends_with_a_line_break() {
        let found = documents(b"a: |\n  x\n\n---\nb: |\n  y").unwrap();
        assert_eq!(found[0].get(b"a").unwrap().as_str(), Some(&"x\n".into()));
        assert_eq!(found[1].get(b"b").unwrap().as_str(), Some(&"y".into()));
    }

    #[test]
    fn texts_are_made_uniform() {
        assert_eq!(uniform(b"\n\n a  \r\nb\r\nc  "), b" a\nb\r\nc  ");
    }
}
