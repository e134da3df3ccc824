//! PEM, as Go's `encoding/pem` reads and writes it.

use crate::encoding::{base64_decode, base64_encode};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"\n-----END ";
const DASHES: &[u8] = b"-----";
const LINE: usize = 64;

/// One block: what stands between its first and its last line.
pub(super) struct Block {
    pub(super) label: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

/// A block without headers.
pub(super) fn encode(label: &str, bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    base64_encode(bytes, &mut text);
    let mut out = Vec::with_capacity(text.len() + text.len() / LINE + 2 * label.len() + 40);
    out.extend_from_slice(BEGIN);
    out.extend_from_slice(label.as_bytes());
    out.extend_from_slice(b"-----\n");
    for line in text.chunks(LINE) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.extend_from_slice(END.get(1..).unwrap_or_default());
    out.extend_from_slice(label.as_bytes());
    out.extend_from_slice(b"-----\n");
    out
}

/// The first block of a text that is well formed.
pub(super) fn decode(text: &[u8]) -> Option<Block> {
    let mut rest = text;
    loop {
        let end = find(rest, END)?;
        let after = rest.get(end + END.len()..)?;
        let (block, next) = candidate(rest, end, after);
        if let Outcome::Block(block) = block {
            return Some(block);
        }
        if let Outcome::Stop = block {
            return None;
        }
        rest = next;
    }
}

enum Outcome {
    Block(Block),
    Again,
    Stop,
}

/// Tries what lies before the end line that starts at `end`. Also gives the text to go on with.
fn candidate<'a>(text: &'a [u8], end: usize, after: &'a [u8]) -> (Outcome, &'a [u8]) {
    let again = |rest| (Outcome::Again, rest);
    let before = text.get(..end).unwrap_or(text);
    let Some(begin) = rfind(before, BEGIN) else { return again(after) };
    if begin > 0 && before.get(begin - 1) != Some(&b'\n') {
        return again(after);
    }
    let (label_line, mut body) = line(text.get(begin + BEGIN.len()..).unwrap_or_default());
    let Some(label) = label_line.strip_suffix(DASHES) else { return again(after) };
    let mut headers = false;
    loop {
        if body.is_empty() {
            return (Outcome::Stop, body);
        }
        let (header, next) = line(body);
        if !header.contains(&b':') {
            break;
        }
        headers = true;
        body = next;
    }
    // The end line may have been taken for the label's line or for a header.
    let data = body.len().checked_sub(after.len() + END.len());
    if headers && data.is_none() {
        // Headers that ran past the end line leave Go nowhere to go on.
        return if body.len() < after.len() { (Outcome::Stop, body) } else { again(after) };
    }
    let Some(trailer) = after.strip_prefix(label).and_then(|t| t.strip_prefix(DASHES)) else {
        return again(after);
    };
    if !line(trailer).0.is_empty() {
        return again(after);
    }
    let data = body.get(..data.unwrap_or(0)).unwrap_or_default();
    let data: Vec<u8> = data.iter().copied().filter(|b| !matches!(b, b' ' | b'\t')).collect();
    match base64_decode(&data) {
        Ok(bytes) => (Outcome::Block(Block { label: label.to_vec(), bytes }), after),
        Err(_) => again(after),
    }
}

/// The first line without blanks at its end, and the text after it.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match text.iter().position(|&b| b == b'\n') {
        Some(end) => {
            let (line, rest) = text.split_at_checked(end).unwrap_or((text, b""));
            (line.strip_suffix(b"\r").unwrap_or(line), rest.get(1..).unwrap_or_default())
        }
        None => (text, &b""[..]),
    };
    let blanks = line.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
    (line.get(..line.len() - blanks).unwrap_or(line), rest)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|w| w == what)
}

fn rfind(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).rposition(|w| w == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Option<(String, Vec<u8>)> {
        decode(text.as_bytes()).map(|b| (String::from_utf8(b.label).unwrap(), b.bytes))
    }

    #[test]
    fn blocks_are_found_as_in_go() {
        let block = encode("A B", b"hello");
        assert_eq!(block, b"-----BEGIN A B-----\naGVsbG8=\n-----END A B-----\n");
        let text = String::from_utf8(block).unwrap();
        let hello = Some(("A B".to_owned(), b"hello".to_vec()));
        assert_eq!(decoded(&text), hello);
        assert_eq!(decoded(&format!("junk\n{text}junk")), hello);
        assert_eq!(decoded(&text.replace('\n', "\r\n")), hello);
        assert_eq!(decoded(&text.replace("aGVs", "X-Y: z\n\naG Vs")), hello);
        assert_eq!(decoded(&text.replace("aGVs", "!GVs")), None);
        assert_eq!(decoded(&text.replace("END A", "END C")), None);
        assert_eq!(decoded(&format!("x{text}")), None);
        assert_eq!(decoded("-----BEGIN A-----\n-----END A-----"), Some(("A".into(), vec![])));
    }
}
