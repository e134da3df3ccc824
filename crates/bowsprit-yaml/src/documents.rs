//! Values files: several documents in one text, merged.

use crate::decode::decode;
use crate::error::{Error, ErrorKind, Stage};
use crate::utf8::valid_utf8;
use bowsprit_value::{Map, Value};
use std::borrow::Cow;

const SEPARATOR: &[u8] = b"---";
/// The buffer of Go's reader, which shows where a last line fills it exactly.
const BUFFER: usize = 4096;

/// Reads a values file as Helm does: all its documents, later ones over earlier ones.
///
/// The text is split at lines that begin with `---`, whatever they belong to. Maps are merged at all
/// depths; anything else, null included, replaces what stood there.
///
/// ```
/// let values = bowsprit_yaml::read_values(b"a: {b: 1}\n---\na: {c: 2}\n")?;
/// let a = values.get(b"a").unwrap();
/// assert_eq!(a.as_map().unwrap().len(), 2);
/// # Ok::<(), bowsprit_yaml::Error>(())
/// ```
///
/// # Errors
///
/// With Helm's words, for a malformed separator, for documents that cannot be decoded, and for such as
/// are no mappings.
pub fn read_values(bytes: &[u8]) -> Result<Map, Error> {
    if is_one_document(bytes) {
        return decode_map(bytes).map_err(Error::in_values_file);
    }
    let mut values: Option<Map> = None;
    let mut reader = Reader { rest: bytes, at_end: false };
    let mut document = Vec::new();
    while reader.read(&mut document)? {
        let map = decode_map(&document).map_err(Error::in_values_file)?;
        values = Some(match values {
            None => map,
            Some(values) => merge_maps(&values, &map),
        });
    }
    Ok(values.unwrap_or_default())
}

/// Whether [`documents`] would give the text back as it is.
pub fn is_one_document(bytes: &[u8]) -> bool {
    let separated = bytes.starts_with(SEPARATOR) || memchr::memmem::find(bytes, b"\n---").is_some();
    bytes.ends_with(b"\n") && !separated && memchr::memchr(b'\r', bytes).is_none()
}

/// Reads a values file as Helm 3 does: its first document.
///
/// # Errors
///
/// With Helm's words, for a document that cannot be decoded or is no mapping.
pub fn read_first_values(bytes: &[u8]) -> Result<Map, Error> {
    decode_map(bytes)
}

/// The documents of a stream as Kubernetes' reader splits it: at lines that begin with `---`, behind
/// which only comments may stand. Lines end with a line feed alone; the first error ends the stream.
///
/// ```
/// let documents: Vec<_> = bowsprit_yaml::documents(b"a: 1\n--- # two\nb: 2").collect();
/// assert_eq!(documents[1].as_ref().unwrap()[..], b"b: 2\n"[..]);
/// ```
pub fn documents(bytes: &[u8]) -> impl Iterator<Item = Result<Cow<'_, [u8]>, Error>> {
    let plain = bytes.ends_with(b"\n") && memchr::memchr(b'\r', bytes).is_none();
    let mut reader = Reader { rest: bytes, at_end: false };
    std::iter::from_fn(move || {
        let next = if plain { reader.next_plain() } else { reader.next() };
        if next.is_err() {
            reader.at_end = true;
        }
        next.transpose()
    })
}

/// `Unmarshal` into a `map[string]interface {}`; null gives an empty one.
fn decode_map(bytes: &[u8]) -> Result<Map, Error> {
    let name = match decode(bytes)? {
        Value::Map(map) => return Ok(map),
        Value::Nil => return Ok(Map::new()),
        Value::Bool(_) => "bool",
        Value::Float(_) => "number",
        Value::List(_) => "array",
        _ => "string",
    };
    let text =
        format!("json: cannot unmarshal {name} into Go value of type map[string]interface {{}}");
    Err(Error::new(ErrorKind::Type, Stage::FromJson, text))
}

/// A map with the entries of both, those of `b` winning; maps on both sides are merged in turn.
fn merge_maps(a: &Map, b: &Map) -> Map {
    let out = Map::from_entries(a.entries().iter().map(|(k, v)| (k.clone(), v.clone())));
    let mut pending = vec![(out.clone(), b.clone())];
    while let Some((into, from)) = pending.pop() {
        for (key, value) in from.entries().iter() {
            let merged = match (into.get(key.as_bytes()), value) {
                (Some(Value::Map(old)), Value::Map(new)) => {
                    let copy = old.entries();
                    let copy = copy.iter().map(|(k, v)| (k.clone(), v.clone()));
                    let copy = Map::from_entries(copy);
                    pending.push((copy.clone(), new.clone()));
                    Value::Map(copy)
                }
                (_, value) => value.clone(),
            };
            into.insert(key.clone(), merged);
        }
    }
    out
}

/// The splitter of Kubernetes' YAML reader.
struct Reader<'b> {
    rest: &'b [u8],
    at_end: bool,
}

impl<'b> Reader<'b> {
    /// A line without its end, and whether the input is used up with it.
    fn line(&mut self) -> (&'b [u8], bool) {
        let Some(end) = memchr::memchr(b'\n', self.rest) else {
            let line = std::mem::take(&mut self.rest);
            // A last line that fills the buffer comes together with the end, and gets lost.
            return (line, line.is_empty() || fills_buffer(line));
        };
        let (line, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        self.rest = rest.get(1..).unwrap_or_default();
        (line.strip_suffix(b"\r").unwrap_or(line), false)
    }

    fn next(&mut self) -> Result<Option<Cow<'b, [u8]>>, Error> {
        let mut document = Vec::new();
        Ok(self.read(&mut document)?.then_some(Cow::Owned(document)))
    }

    /// The same for text whose lines all end with a line feed alone, which stays where it is.
    fn next_plain(&mut self) -> Result<Option<Cow<'b, [u8]>>, Error> {
        if self.at_end || self.rest.is_empty() {
            return Ok(None);
        }
        let text = self.rest;
        if let Some(after) = text.strip_prefix(SEPARATOR) {
            // Of a document that begins with a separator it is a part.
            check_separator(first_line(after).0)?;
        }
        let Some(end) = memchr::memmem::find(text, b"\n---") else {
            self.rest = b"";
            return Ok(Some(Cow::Borrowed(text)));
        };
        let (document, rest) = text.split_at_checked(end + 1).unwrap_or_default();
        let (after, rest) = first_line(rest.strip_prefix(SEPARATOR).unwrap_or_default());
        check_separator(after)?;
        self.rest = rest;
        Ok(Some(Cow::Borrowed(document)))
    }

    /// Reads the next document; false at the end.
    fn read(&mut self, document: &mut Vec<u8>) -> Result<bool, Error> {
        document.clear();
        while !self.at_end {
            let (line, at_end) = self.line();
            if let Some(after) = line.strip_prefix(SEPARATOR) {
                check_separator(after)?;
                if !document.is_empty() {
                    return Ok(true);
                }
            }
            if at_end {
                self.at_end = true;
                break;
            }
            document.extend_from_slice(line);
            document.push(b'\n');
        }
        Ok(!document.is_empty())
    }
}

/// A line without its end, and what follows.
fn first_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    (text.get(..end).unwrap_or_default(), text.get(end + 1..).unwrap_or_default())
}

fn check_separator(after: &[u8]) -> Result<(), Error> {
    let text = valid_utf8(after);
    let text = std::str::from_utf8(&text).unwrap_or_default();
    let text = text.trim_matches(|c: char| bowsprit_value::unicode::is_space(c));
    if text.is_empty() || text.starts_with('#') {
        return Ok(());
    }
    let message = format!("invalid Yaml document separator: {text}");
    Err(Error::new(ErrorKind::Separator, Stage::Separator, message))
}

fn fills_buffer(line: &[u8]) -> bool {
    let mut start = 0;
    while let Some(piece) = line.get(start..start + BUFFER) {
        // Go keeps a CR at the end of its buffer back for the next piece.
        let kept = usize::from(piece.last() == Some(&b'\r'));
        start += BUFFER - kept;
    }
    start == line.len() && start > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_texts_are_split_as_all_are() {
        const LINES: [&str; 9] =
            ["a\n", "---\n", "--- # b\n", "--- c\n", "----\n", " ---\n", "\n", "a---\n", "---  \n"];
        for number in 0..LINES.len().pow(5) {
            let mut text = String::new();
            let mut rest = number;
            for _ in 0..number % 6 {
                text.push_str(LINES[rest % LINES.len()]);
                rest /= LINES.len();
            }
            let mut reader = Reader { rest: text.as_bytes(), at_end: false };
            for found in documents(text.as_bytes()) {
                match (reader.next(), found) {
                    (Ok(Some(wanted)), Ok(found)) => assert_eq!(wanted, found, "{text:?}"),
                    (Err(wanted), Err(found)) => {
                        assert_eq!(wanted.to_string(), found.to_string(), "{text:?}");
                        reader.at_end = true;
                    }
                    other => panic!("{text:?}: {other:?}"),
                }
            }
            assert!(matches!(reader.next(), Ok(None)), "{text:?}");
        }
    }
}
