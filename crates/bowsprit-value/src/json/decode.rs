//! Reading JSON.

use super::literal::{plain_prefix, unescape};
use super::{JsonError, JsonErrorKind};
use crate::strconv::{append_quote_rune, parse_float};
use crate::{List, ListType, Map, MapType, Str, Value};

/// Go gives up below this.
const MAX_DEPTH: usize = 10_000;

/// Go's `json.Unmarshal` into an `interface {}`: numbers become `float64`, the last of equal keys wins,
/// bytes that are not UTF-8 and lone surrogates become U+FFFD.
///
/// # Errors
///
/// Where the text is not exactly one JSON value, or a number is no finite `float64`.
///
/// ```
/// use bowsprit_value::json::decode;
///
/// let text = |s: &str| decode(s.as_bytes()).unwrap_err().to_string();
/// assert_eq!(text("[1,]"), "invalid character ']' looking for beginning of value");
/// assert_eq!(text("{"), "unexpected end of JSON input");
/// assert_eq!(text("1 2"), "invalid character '2' after top-level value");
/// ```
pub fn decode(s: &[u8]) -> Result<Value, JsonError> {
    let mut decoder = Decoder::new(s, false);
    let value = decoder.value()?;
    decoder.end()?;
    decoder.checked(value)
}

/// Go's `json.Unmarshal` into a `map[string]interface {}`; `null` gives a nil map.
///
/// # Errors
///
/// As [`decode`], and where the text is anything but an object or `null`. [`JsonError::partial`] is a map
/// if there was one.
pub fn decode_map(s: &[u8]) -> Result<Map, JsonError> {
    match decode_into(s, "map[string]interface {}", |v| matches!(v, Value::Map(_)))? {
        Value::Map(map) => Ok(map),
        _ => Ok(Map::nil(MapType::ANY)),
    }
}

/// Go's `json.Unmarshal` into a `[]interface {}`; `null` gives a nil slice.
///
/// # Errors
///
/// As [`decode`], and where the text is anything but an array or `null`.
pub fn decode_list(s: &[u8]) -> Result<List, JsonError> {
    match decode_into(s, "[]interface {}", |v| matches!(v, Value::List(_)))? {
        Value::List(list) => Ok(list),
        _ => Ok(List::nil(ListType::ANY)),
    }
}

fn decode_into(s: &[u8], target: &str, fits: fn(&Value) -> bool) -> Result<Value, JsonError> {
    let mut decoder = Decoder::new(s, false);
    let value = decoder.value()?;
    decoder.end()?;
    let found = match &value {
        Value::Nil if decoder.too_big.is_none() => return Ok(value),
        fitting if fits(fitting) => return decoder.checked(value),
        Value::Map(_) => "object",
        Value::List(_) => "array",
        Value::Str(_) => "string",
        Value::Bool(_) => "bool",
        _ => "number",
    };
    Err(mismatch(found, target))
}

/// Reads one value from the front, as Go's `json.Decoder` does, and says how many bytes it took,
/// white space before it included.
///
/// # Errors
///
/// As [`decode`], but `EOF` where there is nothing and `unexpected EOF` where the value is not complete.
///
/// ```
/// use bowsprit_value::json::decode_prefix;
///
/// let (_, used) = decode_prefix(b" [1] ,b=2").unwrap();
/// assert_eq!(used, 4);
/// assert_eq!(decode_prefix(b"[1").unwrap_err().to_string(), "unexpected EOF");
/// ```
pub fn decode_prefix(s: &[u8]) -> Result<(Value, usize), JsonError> {
    let mut decoder = Decoder::new(s, true);
    let value = decoder.value()?;
    let used = decoder.at;
    decoder.checked(value).map(|value| (value, used))
}

#[cold]
fn mismatch(found: &str, target: &str) -> JsonError {
    let text = format!("json: cannot unmarshal {found} into Go value of type {target}");
    JsonError::new(JsonErrorKind::Type, text)
}

enum Frame {
    Array(Vec<Value>),
    Object(Vec<(Str, Value)>, Str),
}

struct Decoder<'a> {
    s: &'a [u8],
    at: usize,
    stack: Vec<Frame>,
    /// There may be more behind the value, and an early end has other texts.
    prefix: bool,
    too_big: Option<&'a [u8]>,
}

impl<'a> Decoder<'a> {
    fn new(s: &'a [u8], prefix: bool) -> Decoder<'a> {
        Decoder { s, at: 0, stack: Vec::new(), prefix, too_big: None }
    }

    fn value(&mut self) -> Result<Value, JsonError> {
        'value: loop {
            let mut value = match self.token()? {
                b'{' => {
                    self.open(b'{', Frame::Object(Vec::new(), Str::default()))?;
                    if self.token()? != b'}' {
                        self.key()?;
                        continue;
                    }
                    self.close()
                }
                b'[' => {
                    self.open(b'[', Frame::Array(Vec::new()))?;
                    if self.token()? != b']' {
                        continue;
                    }
                    self.close()
                }
                first => self.scalar(first)?,
            };
            while !self.stack.is_empty() {
                let token = self.token()?;
                self.keep(value);
                match (token, self.stack.last()) {
                    (b',', Some(Frame::Array(_))) => {
                        self.at += 1;
                        continue 'value;
                    }
                    (b',', Some(Frame::Object(..))) => {
                        self.at += 1;
                        self.token()?;
                        self.key()?;
                        continue 'value;
                    }
                    (b']', Some(Frame::Array(_))) | (b'}', Some(Frame::Object(..))) => {
                        value = self.close();
                    }
                    (c, Some(Frame::Array(_))) => {
                        return Err(self.invalid(c, "after array element"));
                    }
                    (c, _) => return Err(self.invalid(c, "after object key:value pair")),
                }
            }
            return Ok(value);
        }
    }

    /// Skips white space and gives the byte after it, which is not consumed.
    fn token(&mut self) -> Result<u8, JsonError> {
        loop {
            match self.s.get(self.at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b) => return Ok(*b),
                None => return Err(self.unexpected_end()),
            }
        }
    }

    #[cold]
    fn unexpected_end(&self) -> JsonError {
        let text = match self.prefix {
            false => "unexpected end of JSON input",
            true if self.s.iter().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) => "EOF",
            true => "unexpected EOF",
        };
        JsonError::new(JsonErrorKind::Syntax, text)
    }

    #[cold]
    fn invalid(&self, c: u8, context: &str) -> JsonError {
        if self.prefix && self.at >= self.s.len() {
            return self.unexpected_end();
        }
        let mut text = b"invalid character ".to_vec();
        append_quote_rune(&mut text, char::from(c));
        text.push(b' ');
        text.extend_from_slice(context.as_bytes());
        JsonError::new(JsonErrorKind::Syntax, text)
    }

    fn open(&mut self, c: u8, frame: Frame) -> Result<(), JsonError> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.invalid(c, "exceeded max depth"));
        }
        self.at += 1;
        self.stack.push(frame);
        Ok(())
    }

    fn close(&mut self) -> Value {
        self.at += 1;
        match self.stack.pop() {
            Some(Frame::Array(items)) => Value::list(items),
            Some(Frame::Object(entries, _)) => Value::Map(Map::from_entries(entries)),
            None => Value::Nil,
        }
    }

    fn keep(&mut self, value: Value) {
        match self.stack.last_mut() {
            Some(Frame::Array(items)) => items.push(value),
            Some(Frame::Object(entries, key)) => entries.push((std::mem::take(key), value)),
            None => {}
        }
    }

    /// Reads a key and the colon after it.
    fn key(&mut self) -> Result<(), JsonError> {
        let first = self.token()?;
        if first != b'"' {
            return Err(self.invalid(first, "looking for beginning of object key string"));
        }
        let name = self.string()?;
        if let Some(Frame::Object(_, key)) = self.stack.last_mut() {
            *key = name;
        }
        match self.token()? {
            b':' => self.at += 1,
            c => return Err(self.invalid(c, "after object key")),
        }
        Ok(())
    }

    fn scalar(&mut self, first: u8) -> Result<Value, JsonError> {
        match first {
            b'"' => self.string().map(Value::Str),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true").map(|()| Value::Bool(true)),
            b'f' => self.word("false").map(|()| Value::Bool(false)),
            b'n' => self.word("null").map(|()| Value::Nil),
            c => Err(self.invalid(c, "looking for beginning of value")),
        }
    }

    /// The byte at the cursor; Go takes the end for a blank.
    fn peek(&self) -> u8 {
        self.s.get(self.at).copied().unwrap_or(b' ')
    }

    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        for expected in word.bytes() {
            let c = self.peek();
            if c != expected {
                let expected = char::from(expected);
                let context = format!("in literal {word} (expecting '{expected}')");
                return Err(self.invalid(c, &context));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Str, JsonError> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_prefix(self.s.get(self.at..).unwrap_or_default());
            match self.s.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(c) => return Err(self.invalid(*c, "in string literal")),
                None => return Err(self.unexpected_end()),
            }
        }
        let inside = self.s.get(start..self.at).unwrap_or_default();
        self.at += 1;
        if !escaped && (inside.is_ascii() || std::str::from_utf8(inside).is_ok()) {
            return Ok(Str::from_bytes(inside));
        }
        Ok(Str::from(unescape(inside)))
    }

    /// Checks an escape.
    fn escape(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        match self.peek() {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    let c = self.peek();
                    if !c.is_ascii_hexdigit() {
                        return Err(self.invalid(c, "in \\u hexadecimal character escape"));
                    }
                    self.at += 1;
                }
            }
            c => return Err(self.invalid(c, "in string escape code")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        match self.peek() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            c => return Err(self.invalid(c, "in numeric literal")),
        }
        let mut integer = true;
        if self.peek() == b'.' {
            integer = false;
            self.at += 1;
            self.some_digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            integer = false;
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        let text = self.s.get(start..self.at).unwrap_or_default();
        if integer && text.len() <= 15 {
            return Ok(Value::Float(small_integer(text)));
        }
        Ok(parse_float(text).map_or_else(
            |_| {
                self.too_big.get_or_insert(text);
                Value::Nil
            },
            Value::Float,
        ))
    }

    fn digits(&mut self) {
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self, context: &str) -> Result<(), JsonError> {
        let c = self.peek();
        if !c.is_ascii_digit() {
            return Err(self.invalid(c, context));
        }
        self.digits();
        Ok(())
    }

    /// Only white space may follow.
    fn end(&mut self) -> Result<(), JsonError> {
        while let Some(&b) = self.s.get(self.at) {
            if !matches!(b, b' ' | b'\t' | b'\r' | b'\n') {
                return Err(self.invalid(b, "after top-level value"));
            }
            self.at += 1;
        }
        Ok(())
    }

    /// The value, unless a number was too big; then that is the error.
    fn checked(self, value: Value) -> Result<Value, JsonError> {
        let Some(text) = self.too_big else { return Ok(value) };
        let text = String::from_utf8_lossy(text);
        Err(mismatch(&format!("number {text}"), "float64").with_partial(value))
    }
}

fn small_integer(text: &[u8]) -> f64 {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let magnitude = digits.iter().fold(0u64, |n, b| n * 10 + u64::from(b & 15)) as f64;
    if negative { -magnitude } else { magnitude }
}
