//! Reading JSON text into a [`Document`], with the errors of Go's `json.Decoder`.

use super::document::{Builder, Document, Node, NodeId};
use super::number::Number;
use bowsprit_value::{Str, strconv, unicode};

/// Go's decoder gives up below this many levels.
const MAX_DEPTH: usize = 10_000;

/// Reads one JSON value, after which nothing but blanks may come.
///
/// # Errors
///
/// Gives the text of Go's error, and how far was read.
pub(super) fn parse(text: &[u8]) -> Result<Document, (String, usize)> {
    let mut parser = Parser { text, pos: 0, builder: Builder::default(), open: Vec::new() };
    match parser.document() {
        Ok(()) => Ok(parser.builder.finish()),
        Err(error) => Err((error, parser.pos)),
    }
}

enum Open {
    Array(NodeId, Vec<NodeId>),
    Object(NodeId, Vec<(Str, NodeId)>, Str),
}

struct Parser<'t> {
    text: &'t [u8],
    pos: usize,
    builder: Builder,
    open: Vec<Open>,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), String> {
        self.skip_blanks();
        if self.peek().is_none() {
            return Err("EOF".to_owned());
        }
        self.run()?;
        self.skip_blanks();
        match self.next() {
            Ok(_) => Err("invalid character after top-level value".to_owned()),
            Err(_) => Ok(()),
        }
    }

    fn run(&mut self) -> Result<(), String> {
        loop {
            let mut done = self.begin_value()?;
            while done {
                if self.open.is_empty() {
                    return Ok(());
                }
                done = self.end_value()?;
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.pos).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.pos += 1;
        }
    }

    fn next(&mut self) -> Result<u8, String> {
        let byte = self.peek().ok_or_else(|| "unexpected EOF".to_owned())?;
        self.pos += 1;
        Ok(byte)
    }

    /// Reads a scalar or opens a container. True where the value is complete.
    fn begin_value(&mut self) -> Result<bool, String> {
        self.skip_blanks();
        let byte = self.next()?;
        let node = match byte {
            b'{' | b'[' => return self.begin_container(byte),
            b'"' => Node::String(self.string()?),
            b'-' | b'0'..=b'9' => Node::Number(self.number(byte)?),
            b't' => self.literal("true", Node::Bool(true))?,
            b'f' => self.literal("false", Node::Bool(false))?,
            b'n' => self.literal("null", Node::Null)?,
            other => return Err(invalid(other, "looking for beginning of value")),
        };
        let id = self.builder.node(node);
        self.add(id);
        Ok(true)
    }

    fn begin_container(&mut self, byte: u8) -> Result<bool, String> {
        if self.open.len() >= MAX_DEPTH {
            return Err("exceeded max depth".to_owned());
        }
        let id = self.builder.node(Node::Null);
        self.skip_blanks();
        if byte == b'[' {
            self.open.push(Open::Array(id, Vec::new()));
            let empty = self.peek() == Some(b']');
            return Ok(empty && self.close());
        }
        self.open.push(Open::Object(id, Vec::new(), Str::default()));
        if self.peek() == Some(b'}') {
            return Ok(self.close());
        }
        self.key()?;
        Ok(false)
    }

    fn key(&mut self) -> Result<(), String> {
        self.skip_blanks();
        match self.next()? {
            b'"' => {}
            other => return Err(invalid(other, "looking for beginning of object key string")),
        }
        let key = self.string()?;
        self.skip_blanks();
        match self.next()? {
            b':' => {}
            other => return Err(invalid(other, "after object key")),
        }
        if let Some(Open::Object(_, _, pending)) = self.open.last_mut() {
            *pending = key;
        }
        Ok(())
    }

    /// What follows a value in a container. True where that ends the container.
    fn end_value(&mut self) -> Result<bool, String> {
        self.skip_blanks();
        let byte = self.next()?;
        match (self.open.last(), byte) {
            (Some(Open::Array(..)), b',') => Ok(false),
            (Some(Open::Array(..)), b']') | (Some(Open::Object(..)), b'}') => {
                self.pos -= 1;
                Ok(self.close())
            }
            (Some(Open::Object(..)), b',') => self.key().map(|()| false),
            (Some(Open::Array(..)), other) => Err(invalid(other, "after array element")),
            (_, other) => Err(invalid(other, "after object key:value pair")),
        }
    }

    fn close(&mut self) -> bool {
        self.pos += 1;
        match self.open.pop() {
            Some(Open::Array(id, items)) => {
                self.builder.close_array(id, items);
                self.add(id);
            }
            Some(Open::Object(id, members, _)) => {
                self.builder.close_object(id, members);
                self.add(id);
            }
            None => {}
        }
        true
    }

    fn add(&mut self, id: NodeId) {
        match self.open.last_mut() {
            Some(Open::Array(_, items)) => items.push(id),
            Some(Open::Object(_, members, key)) => members.push((std::mem::take(key), id)),
            None => {}
        }
    }

    fn literal(&mut self, word: &'static str, node: Node) -> Result<Node, String> {
        for want in word.bytes().skip(1) {
            let byte = self.next()?;
            if byte != want {
                let want = char::from(want);
                return Err(invalid(byte, &format!("in literal {word} (expecting '{want}')")));
            }
        }
        Ok(node)
    }

    fn number(&mut self, first: u8) -> Result<Number, String> {
        let start = self.pos - 1;
        let mut byte = first;
        if byte == b'-' {
            byte = self.next()?;
            if !byte.is_ascii_digit() {
                return Err(invalid(byte, "in numeric literal"));
            }
        }
        if byte != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.pos += 1;
            self.required_digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.pos += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.pos += 1;
            }
            self.required_digit("in exponent of numeric literal")?;
            self.digits();
        }
        let text = self.text.get(start..self.pos).unwrap_or_default();
        Ok(Number::Text(String::from_utf8_lossy(text).into()))
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.pos += 1;
        }
    }

    fn required_digit(&mut self, context: &str) -> Result<(), String> {
        let byte = self.next()?;
        if byte.is_ascii_digit() { Ok(()) } else { Err(invalid(byte, context)) }
    }

    fn string(&mut self) -> Result<Str, String> {
        let start = self.pos;
        loop {
            match self.next()? {
                b'"' => {
                    let text = self.text.get(start..self.pos - 1).unwrap_or_default();
                    if std::str::from_utf8(text).is_ok() {
                        return Ok(Str::from(text));
                    }
                    let mut out = Vec::new();
                    push_text(&mut out, text);
                    return Ok(Str::from(out));
                }
                b'\\' => {
                    self.pos = start;
                    return self.escaped_string();
                }
                b if b < 0x20 => return Err(invalid(b, "in string literal")),
                _ => {}
            }
        }
    }

    fn escaped_string(&mut self) -> Result<Str, String> {
        let mut out = Vec::new();
        let mut start = self.pos;
        loop {
            let byte = self.next()?;
            if byte != b'"' && byte != b'\\' {
                if byte < 0x20 {
                    return Err(invalid(byte, "in string literal"));
                }
                continue;
            }
            push_text(&mut out, self.text.get(start..self.pos - 1).unwrap_or_default());
            if byte == b'"' {
                return Ok(Str::from(out));
            }
            self.escape(&mut out)?;
            start = self.pos;
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let byte = match self.next()? {
            b @ (b'"' | b'\\' | b'/') => b,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let c = self.unicode_escape()?;
                unicode::push_rune(out, c);
                return Ok(());
            }
            other => return Err(invalid(other, "in string escape code")),
        };
        out.push(byte);
        Ok(())
    }

    fn unicode_escape(&mut self) -> Result<char, String> {
        let unit = self.hex4()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.pos;
        if self.text.get(before..before + 2) == Some(b"\\u") {
            self.pos += 2;
            let low = self.hex4()?;
            if (0xdc00..0xe000).contains(&low) {
                let c = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.pos = before;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Result<u32, String> {
        (0..4).try_fold(0, |unit, _| {
            let byte = self.next()?;
            let digit = char::from(byte).to_digit(16);
            let digit =
                digit.ok_or_else(|| invalid(byte, "in \\u hexadecimal character escape"))?;
            Ok(unit << 4 | digit)
        })
    }
}

/// Wrong bytes become U+FFFD, each on its own.
fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    if std::str::from_utf8(text).is_ok() {
        out.extend_from_slice(text);
    } else {
        for (c, _) in unicode::runes(text) {
            unicode::push_rune(out, c);
        }
    }
}

fn invalid(byte: u8, context: &str) -> String {
    let shown = match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        other => {
            let quoted = strconv::quote(char::from(other).to_string().as_bytes());
            let quoted = String::from_utf8_lossy(&quoted);
            format!("'{}'", quoted.trim_matches('"'))
        }
    };
    format!("invalid character {shown} {context}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text.as_bytes()).err().unwrap_or_default().0
    }

    #[test]
    fn documents_and_errors() {
        assert_eq!(error(r#" {"a": [1, -2.5e+3, "x\u00e9\ud83d\ude00"], "b": {}} "#), "");
        assert_eq!(error(""), "EOF");
        assert_eq!(error("{"), "unexpected EOF");
        assert_eq!(error("{}}"), "invalid character after top-level value");
        assert_eq!(
            error("{'a'"),
            r"invalid character '\'' looking for beginning of object key string"
        );
        assert_eq!(error("[1 2]"), "invalid character '2' after array element");
        assert_eq!(error("trux"), "invalid character 'x' in literal true (expecting 'e')");
        assert_eq!(error(&"[".repeat(10_001)), "exceeded max depth");
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        let document = parse(br#"{"a": 1, "b": 2, "a": 3}"#).unwrap();
        let id = document.member(Document::ROOT, b"a").unwrap();
        assert!(matches!(document.node(id), Node::Number(n) if n.text() == "3"));
    }
}
