//! The tokens of a document: BurntSushi's lexer, whose errors depend on how far it reads ahead.

use bowsprit_value::strconv::{append_quote, append_quote_rune};
use bowsprit_value::unicode::{RUNE_ERROR, decode_rune, is_letter, push_rune};

/// What a token is. Strings come without their quotes, everything else as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Eof,
    BareKey,
    /// A string without escapes.
    Plain,
    /// A string with escapes.
    Escaped,
    Multiline,
    RawMultiline,
    Bool,
    Integer,
    Float,
    Datetime,
    Array,
    ArrayEnd,
    Table,
    TableEnd,
    ArrayTable,
    ArrayTableEnd,
    Key,
    KeyEnd,
    InlineTable,
    InlineTableEnd,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a [u8],
    /// The line on which the token ends.
    pub(super) line: i64,
}

/// A text that has no tokens.
#[derive(Debug)]
pub(super) struct LexError {
    pub(super) line: i64,
    pub(super) message: Vec<u8>,
}

type Lexed<T> = Result<T, LexError>;

/// What to read next; a stack of these says what follows a value.
#[derive(Clone, Copy, Debug)]
enum State {
    Top,
    TopEnd,
    TableEnd,
    ArrayTableEnd,
    TableNameStart,
    TableNameEnd,
    KeyStart,
    KeyNameStart,
    KeyEnd,
    Value,
    ArrayValue,
    ArrayValueEnd,
    InlineValue,
    InlineValueEnd,
}

/// What reading past the end gives; a document can't contain it.
const EOF: char = '\0';

#[derive(Debug)]
pub(super) struct Lexer<'a> {
    input: &'a [u8],
    start: usize,
    pos: usize,
    line: i64,
    at_eof: bool,
    state: State,
    stack: Vec<State>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(input: &'a [u8]) -> Lexer<'a> {
        let (state, stack) = (State::Top, Vec::new());
        Lexer { input, start: 0, pos: 0, line: 1, at_eof: false, state, stack }
    }

    /// The next token; [`Kind::Eof`] again and again at the end.
    pub(super) fn next_item(&mut self) -> Lexed<Item<'a>> {
        loop {
            if let Some(item) = self.step()? {
                return Ok(item);
            }
        }
    }

    fn step(&mut self) -> Lexed<Option<Item<'a>>> {
        match self.state {
            State::Top => self.top(),
            State::TopEnd => self.top_end(),
            State::TableEnd => self.table_end(Kind::TableEnd),
            State::ArrayTableEnd => self.array_table_end(),
            State::TableNameStart => self.table_name_start(),
            State::TableNameEnd => self.table_name_end(),
            State::KeyStart => self.key_start(),
            State::KeyNameStart => self.key_name_start(),
            State::KeyEnd => self.key_end(),
            State::Value => self.value(),
            State::ArrayValue => self.array_value(),
            State::ArrayValueEnd => self.array_value_end(),
            State::InlineValue => self.inline_value(),
            State::InlineValueEnd => self.inline_value_end(),
        }
    }

    fn push(&mut self, state: State) {
        self.stack.push(state);
    }

    fn pop(&mut self) {
        self.state = self.stack.pop().unwrap_or(State::TopEnd);
    }

    fn current(&self) -> &'a [u8] {
        self.input.get(self.start..self.pos).unwrap_or_default()
    }

    fn ignore(&mut self) {
        self.start = self.pos;
    }

    fn emit(&mut self, kind: Kind) -> Item<'a> {
        let item = Item { kind, text: self.current(), line: self.line };
        self.start = self.pos;
        item
    }

    fn next(&mut self) -> Lexed<char> {
        let rest = self.input.get(self.pos..).unwrap_or_default();
        let Some(&b) = rest.first() else {
            self.at_eof = true;
            return Ok(EOF);
        };
        let (c, width) = match b {
            b'\n' => {
                self.line += 1;
                ('\n', 1)
            }
            b'\r' if rest.get(1) != Some(&b'\n') => return Err(self.control(b)),
            0..=8 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f => return Err(self.control(b)),
            0x80.. => decode_rune(rest),
            _ => (char::from(b), 1),
        };
        if c == RUNE_ERROR && width == 1 {
            return Err(self.error(format!("invalid UTF-8 byte: {b:#04x}")));
        }
        self.pos += width;
        Ok(c)
    }

    /// Goes back one rune; at the end of the text, to before having noticed it.
    fn backup(&mut self) {
        if self.at_eof {
            self.at_eof = false;
            return;
        }
        let before = self.input.get(..self.pos).unwrap_or_default();
        let width = before.iter().rev().take_while(|b| **b & 0xc0 == 0x80).count() + 1;
        self.pos = self.pos.saturating_sub(width);
        if self.input.get(self.pos) == Some(&b'\n') {
            self.line -= 1;
        }
    }

    fn accept(&mut self, valid: char) -> Lexed<bool> {
        let found = self.next()? == valid;
        if !found {
            self.backup();
        }
        Ok(found)
    }

    fn peek(&mut self) -> Lexed<char> {
        let c = self.next()?;
        self.backup();
        Ok(c)
    }

    /// Reads up to the first rune that is not wanted, and that one too.
    fn pass(&mut self, wanted: impl Fn(char) -> bool) -> Lexed<char> {
        loop {
            let c = self.next()?;
            if !wanted(c) {
                return Ok(c);
            }
        }
    }

    fn skip_blanks(&mut self) -> Lexed<()> {
        self.pass(is_blank)?;
        self.backup();
        self.ignore();
        Ok(())
    }

    /// Ends the token before the rune that was read last, and with it the value.
    fn end_value(&mut self, kind: Kind) -> Lexed<Option<Item<'a>>> {
        self.backup();
        self.pop_with(kind)
    }

    fn pop_with(&mut self, kind: Kind) -> Lexed<Option<Item<'a>>> {
        let item = self.emit(kind);
        self.pop();
        Ok(Some(item))
    }

    fn go(&mut self, state: State) -> Lexed<Option<Item<'a>>> {
        self.ignore();
        self.state = state;
        Ok(None)
    }

    #[cold]
    fn control(&self, b: u8) -> LexError {
        let message = format!("TOML files cannot contain control characters: '{b:#04x}'");
        LexError { line: self.line, message: message.into_bytes() }
    }

    /// An error on the present line.
    #[cold]
    fn error(&self, message: impl Into<Vec<u8>>) -> LexError {
        let before = self.pos.checked_sub(1).and_then(|at| self.input.get(at));
        let back = self.at_eof && before == Some(&b'\n');
        LexError { line: self.line - i64::from(back), message: message.into() }
    }

    /// An error on the line before, for those that the end of a line causes.
    #[cold]
    fn error_before(&self, message: impl Into<Vec<u8>>) -> LexError {
        LexError { line: self.line - 1, message: message.into() }
    }

    fn comment(&mut self) -> Lexed<()> {
        self.pass(|c| !is_newline(c) && c != EOF)?;
        self.backup();
        self.ignore();
        Ok(())
    }

    fn top(&mut self) -> Lexed<Option<Item<'a>>> {
        match self.next()? {
            c if is_space(c) => self.ignore(),
            '#' => self.comment()?,
            '[' => return self.table_start(),
            EOF => return Ok(Some(self.emit(Kind::Eof))),
            _ => {
                self.backup();
                self.push(State::TopEnd);
                self.state = State::KeyStart;
            }
        }
        Ok(None)
    }

    fn top_end(&mut self) -> Lexed<Option<Item<'a>>> {
        match self.pass(is_blank)? {
            '#' => {
                self.comment()?;
                self.state = State::Top;
            }
            c if is_newline(c) => return self.go(State::Top),
            EOF => return Ok(Some(self.emit(Kind::Eof))),
            c => {
                let wanted = "a top-level item to end with a newline, comment, or EOF";
                return Err(self.error(unexpected(wanted, c, " instead")));
            }
        }
        Ok(None)
    }

    fn table_start(&mut self) -> Lexed<Option<Item<'a>>> {
        let (kind, end) = match self.accept('[')? {
            true => (Kind::ArrayTable, State::ArrayTableEnd),
            false => (Kind::Table, State::TableEnd),
        };
        self.push(end);
        self.state = State::TableNameStart;
        Ok(Some(self.emit(kind)))
    }

    fn table_end(&mut self, kind: Kind) -> Lexed<Option<Item<'a>>> {
        self.state = State::TopEnd;
        Ok(Some(self.emit(kind)))
    }

    fn array_table_end(&mut self) -> Lexed<Option<Item<'a>>> {
        match self.next()? {
            ']' => self.table_end(Kind::ArrayTableEnd),
            c => {
                let wanted = "end of table array name delimiter ']'";
                Err(self.error(unexpected(wanted, c, " instead")))
            }
        }
    }

    fn table_name_start(&mut self) -> Lexed<Option<Item<'a>>> {
        self.skip_blanks()?;
        match self.peek()? {
            ']' | EOF => {
                Err(self.error("unexpected end of table name (table names cannot be empty)"))
            }
            '.' => Err(self.error("unexpected table separator (table names cannot be empty)")),
            c => self.name(c, State::TableNameEnd),
        }
    }

    fn table_name_end(&mut self) -> Lexed<Option<Item<'a>>> {
        self.skip_blanks()?;
        match self.next()? {
            '.' => self.go(State::TableNameStart),
            ']' => {
                self.pop();
                Ok(None)
            }
            c => Err(self.error(unexpected("'.' or ']' to end table name", c, " instead"))),
        }
    }

    /// One part of a key, of which the first rune is known.
    fn name(&mut self, first: char, then: State) -> Lexed<Option<Item<'a>>> {
        self.push(then);
        match first {
            '"' | '\'' => {
                self.next()?;
                self.ignore();
                if first == '"' { self.string() } else { self.raw_string() }
            }
            _ => {
                self.pass(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))?;
                self.end_value(Kind::BareKey)
            }
        }
    }

    fn key_start(&mut self) -> Lexed<Option<Item<'a>>> {
        self.skip_blanks()?;
        match self.peek()? {
            '=' | EOF => Err(self.error("unexpected '=': key name appears blank")),
            '.' => Err(self.error("unexpected '.': keys cannot start with a '.'")),
            _ => {
                self.state = State::KeyNameStart;
                Ok(Some(self.emit(Kind::Key)))
            }
        }
    }

    fn key_name_start(&mut self) -> Lexed<Option<Item<'a>>> {
        self.skip_blanks()?;
        match self.peek()? {
            '=' | EOF => Err(self.error("unexpected '='")),
            '.' => Err(self.error("unexpected '.'")),
            c => self.name(c, State::KeyEnd),
        }
    }

    fn key_end(&mut self) -> Lexed<Option<Item<'a>>> {
        self.skip_blanks()?;
        match self.next()? {
            '.' => self.go(State::KeyNameStart),
            '=' => {
                self.state = State::Value;
                Ok(Some(self.emit(Kind::KeyEnd)))
            }
            EOF => Err(self.error("unexpected EOF; expected key separator '='")),
            '\n' => Err(self.error_before(unexpected("'.' or '='", '\n', " instead"))),
            c => Err(self.error(unexpected("'.' or '='", c, " instead"))),
        }
    }

    fn value(&mut self) -> Lexed<Option<Item<'a>>> {
        self.skip_blanks()?;
        let c = self.next()?;
        match c {
            '0'..='9' => return self.number_or_date(c),
            '[' => return self.open(Kind::Array, State::ArrayValue),
            '{' => return self.open(Kind::InlineTable, State::InlineValue),
            '"' | '\'' => return self.quoted(c),
            '.' => return Err(self.error("floats must start with a digit, not '.'")),
            'i' | 'n' => {
                // Also what was accepted of a word that does not go on as expected stays read.
                let inf = self.accept('n')? && self.accept('f')?;
                if inf || self.accept('a')? && self.accept('n')? {
                    return self.pop_with(Kind::Float);
                }
            }
            '-' | '+' => return self.signed(),
            _ => {}
        }
        if is_letter(c) {
            self.backup();
            return self.bool();
        }
        match c {
            EOF => Err(self.error("unexpected EOF; expected value")),
            '\n' => Err(self.error_before(no_value(|out| append_quote_rune(out, c)))),
            c => Err(self.error(no_value(|out| append_quote_rune(out, c)))),
        }
    }

    fn open(&mut self, kind: Kind, state: State) -> Lexed<Option<Item<'a>>> {
        self.ignore();
        self.state = state;
        Ok(Some(self.emit(kind)))
    }

    /// A string of which the first quote was read.
    fn quoted(&mut self, quote: char) -> Lexed<Option<Item<'a>>> {
        if self.accept(quote)? {
            if self.accept(quote)? {
                self.ignore();
                return self.multiline(quote);
            }
            self.backup();
        }
        self.ignore();
        if quote == '"' { self.string() } else { self.raw_string() }
    }

    fn array_value(&mut self) -> Lexed<Option<Item<'a>>> {
        match self.pass(is_space)? {
            '#' => self.comment()?,
            ',' => return Err(self.error("unexpected comma")),
            ']' => return self.close(Kind::ArrayEnd),
            _ => {
                self.backup();
                self.push(State::ArrayValueEnd);
                return self.go(State::Value);
            }
        }
        Ok(None)
    }

    fn array_value_end(&mut self) -> Lexed<Option<Item<'a>>> {
        match self.pass(is_space)? {
            '#' => self.comment()?,
            ',' => return self.go(State::ArrayValue),
            ']' => return self.close(Kind::ArrayEnd),
            c => {
                let mut text =
                    b"expected a comma (',') or array terminator (']'), but got ".to_vec();
                append_rune_or_eof(&mut text, c);
                return Err(self.error(text));
            }
        }
        Ok(None)
    }

    fn inline_value(&mut self) -> Lexed<Option<Item<'a>>> {
        match self.pass(is_space)? {
            '#' => self.comment()?,
            ',' => return Err(self.error("unexpected comma")),
            '}' => return self.close(Kind::InlineTableEnd),
            _ => {
                self.backup();
                self.push(State::InlineValueEnd);
                return self.go(State::KeyStart);
            }
        }
        Ok(None)
    }

    fn inline_value_end(&mut self) -> Lexed<Option<Item<'a>>> {
        match self.pass(is_space)? {
            '#' => self.comment()?,
            ',' => {
                self.skip_blanks()?;
                let closing = self.peek()? == '}';
                self.state = if closing { State::InlineValueEnd } else { State::InlineValue };
            }
            '}' => return self.close(Kind::InlineTableEnd),
            c => {
                let wanted = "expected a comma or an inline table terminator '}', but got ";
                let mut text = wanted.as_bytes().to_vec();
                append_rune_or_eof(&mut text, c);
                text.extend_from_slice(b" instead");
                return Err(self.error(text));
            }
        }
        Ok(None)
    }

    fn close(&mut self, kind: Kind) -> Lexed<Option<Item<'a>>> {
        self.ignore();
        self.pop_with(kind)
    }

    /// The rest of a string whose quotes are single characters, closing quote included.
    fn end_string(&mut self, kind: Kind) -> Lexed<Option<Item<'a>>> {
        self.backup();
        let item = self.emit(kind);
        self.next()?;
        self.ignore();
        self.pop();
        Ok(Some(item))
    }

    fn string(&mut self) -> Lexed<Option<Item<'a>>> {
        let mut kind = Kind::Plain;
        loop {
            match self.next()? {
                EOF => return Err(self.error("unexpected EOF; expected '\"'")),
                c if is_newline(c) => return Err(self.error_before(NEWLINE_IN_STRING)),
                '\\' => {
                    self.escape()?;
                    kind = Kind::Escaped;
                }
                '"' => return self.end_string(kind),
                _ => {}
            }
        }
    }

    fn raw_string(&mut self) -> Lexed<Option<Item<'a>>> {
        match self.pass(|c| !matches!(c, EOF | '\r' | '\n' | '\''))? {
            EOF => Err(self.error("unexpected EOF; expected \"'\"")),
            '\'' => self.end_string(Kind::Plain),
            _ => Err(self.error_before(NEWLINE_IN_STRING)),
        }
    }

    fn multiline(&mut self, quote: char) -> Lexed<Option<Item<'a>>> {
        loop {
            match self.next()? {
                EOF if quote == '"' => {
                    return Err(self.error("unexpected EOF; expected '\"\"\"'"));
                }
                EOF => return Err(self.error("unexpected EOF; expected \"'''\"")),
                '\\' if quote == '"' => self.multiline_escape()?,
                c if c == quote => {
                    if let Some(item) = self.multiline_end(quote)? {
                        return Ok(Some(item));
                    }
                }
                _ => {}
            }
        }
    }

    /// After a quote in a multiline string: its end, if two more follow. The text itself can end in up
    /// to two quotes.
    fn multiline_end(&mut self, quote: char) -> Lexed<Option<Item<'a>>> {
        if !self.accept(quote)? {
            return Ok(None);
        }
        if !self.accept(quote)? {
            self.backup();
            return Ok(None);
        }
        if self.peek()? == quote {
            self.check_quotes(quote)?;
            self.backup();
            self.backup();
            return Ok(None);
        }
        for _ in 0..3 {
            self.backup();
        }
        let item = self.emit(if quote == '"' { Kind::Multiline } else { Kind::RawMultiline });
        for _ in 0..3 {
            self.next()?;
        }
        self.ignore();
        self.pop();
        Ok(Some(item))
    }

    /// Refuses a sixth quote in a row.
    fn check_quotes(&self, quote: char) -> Lexed<()> {
        let text = self.current();
        match quote {
            '"' if text.ends_with(b"\"\"\"\"\"") && !text.ends_with(b"\\\"\"\"\"\"") => {
                Err(self.error("unexpected '\"\"\"\"\"\"'"))
            }
            '\'' if text.ends_with(b"'''''") => Err(self.error("unexpected \"''''''\"")),
            _ => Ok(()),
        }
    }

    fn multiline_escape(&mut self) -> Lexed<()> {
        if is_newline(self.next()?) {
            return Ok(());
        }
        self.backup();
        self.escape()
    }

    fn escape(&mut self) -> Lexed<()> {
        let (digits, text) = match self.next()? {
            'e' | 'b' | 't' | 'n' | 'f' | 'r' | '"' | ' ' | '\t' | '\\' => return Ok(()),
            'x' => (2, "expected two hexadecimal digits after '\\x', but got "),
            'u' => (4, "expected four hexadecimal digits after '\\u', but got "),
            'U' => (8, "expected eight hexadecimal digits after '\\U', but got "),
            c => {
                let mut text = b"invalid escape in string '\\".to_vec();
                push_rune(&mut text, c);
                text.push(b'\'');
                return Err(if self.at_eof { self.error_before(text) } else { self.error(text) });
            }
        };
        for _ in 0..digits {
            if !self.next()?.is_ascii_hexdigit() {
                let mut text = text.as_bytes().to_vec();
                append_quote(&mut text, self.current());
                text.extend_from_slice(b" instead");
                return Err(self.error(text));
            }
        }
        Ok(())
    }

    /// A value that begins with a digit, which was read.
    fn number_or_date(&mut self, first: char) -> Lexed<Option<Item<'a>>> {
        if first == '0' {
            match self.next()? {
                '0'..='9' => {}
                '_' => return self.decimal(),
                '.' | 'e' | 'E' => return self.float(),
                'b' => return self.radix("a binary", |c| matches!(c, '0' | '1')),
                'o' => return self.radix("an octal", |c| matches!(c, '0'..='7')),
                'x' => return self.radix("a hexadecimal", |c| c.is_ascii_hexdigit()),
                _ => return self.end_value(Kind::Integer),
            }
        }
        match self.pass(|c| c.is_ascii_digit())? {
            '-' | ':' => self.datetime(),
            '_' => self.decimal(),
            '.' | 'e' | 'E' => self.float(),
            _ => self.end_value(Kind::Integer),
        }
    }

    fn datetime(&mut self) -> Lexed<Option<Item<'a>>> {
        let part = |c: char| matches!(c, '-' | ':' | 'T' | 't' | ' ' | '.' | 'Z' | 'z' | '+');
        self.pass(|c| c.is_ascii_digit() || part(c))?;
        self.backup();
        let item = self.emit(Kind::Datetime);
        self.pop();
        Ok(Some(Item { text: item.text.trim_ascii(), ..item }))
    }

    fn decimal(&mut self) -> Lexed<Option<Item<'a>>> {
        match self.pass(|c| c.is_ascii_digit() || c == '_')? {
            '.' | 'e' | 'E' => self.float(),
            _ => self.end_value(Kind::Integer),
        }
    }

    fn float(&mut self) -> Lexed<Option<Item<'a>>> {
        self.pass(|c| c.is_ascii_digit() || matches!(c, '_' | '.' | '-' | '+' | 'e' | 'E'))?;
        self.end_value(Kind::Float)
    }

    fn radix(&mut self, name: &str, is_digit: impl Fn(char) -> bool) -> Lexed<Option<Item<'a>>> {
        let c = self.peek()?;
        if !is_digit(c) {
            return Err(self.error(self.and_rune(&format!("not {name} number: '"), c)));
        }
        self.pass(|c| is_digit(c) || c == '_')?;
        self.end_value(Kind::Integer)
    }

    /// What follows a sign, which was read.
    fn signed(&mut self) -> Lexed<Option<Item<'a>>> {
        let c = self.next()?;
        match c {
            'i' | 'n' => {
                let (second, third) = if c == 'i' { ('n', 'f') } else { ('a', 'n') };
                if self.accept(second)? && self.accept(third)? {
                    return self.pop_with(Kind::Float);
                }
                let text = [b"invalid float: '", self.current(), b"'"].concat();
                return Err(self.error(text));
            }
            '0' => {
                let base = self.peek()?;
                if matches!(base, 'b' | 'o' | 'x') {
                    let text = self.and_rune("cannot use sign with non-decimal numbers: '", base);
                    return Err(self.error(text));
                }
            }
            '.' => return Err(self.error("floats must start with a digit, not '.'")),
            _ => {}
        }
        if c.is_ascii_digit() {
            return self.decimal();
        }
        let mut text = b"expected a digit but got ".to_vec();
        append_quote_rune(&mut text, c);
        Err(self.error(text))
    }

    /// A text with what was read and one rune more behind it, up to the closing quote.
    fn and_rune(&self, text: &str, c: char) -> Vec<u8> {
        let mut text = [text.as_bytes(), self.current()].concat();
        push_rune(&mut text, c);
        text.push(b'\'');
        text
    }

    fn bool(&mut self) -> Lexed<Option<Item<'a>>> {
        let from = self.pos;
        self.pass(is_letter)?;
        self.backup();
        match self.input.get(from..self.pos).unwrap_or_default() {
            b"true" | b"false" => self.pop_with(Kind::Bool),
            word => Err(self.error(no_value(|out| append_quote(out, word)))),
        }
    }
}

const NEWLINE_IN_STRING: &str = "strings cannot contain newlines";

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

fn is_newline(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

fn is_space(c: char) -> bool {
    is_blank(c) || is_newline(c)
}

#[cold]
fn unexpected(wanted: &str, found: char, end: &str) -> Vec<u8> {
    let mut text = format!("expected {wanted}, but got ").into_bytes();
    append_quote_rune(&mut text, found);
    text.extend_from_slice(end.as_bytes());
    text
}

#[cold]
fn no_value(found: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut text = b"expected value but found ".to_vec();
    found(&mut text);
    text.extend_from_slice(b" instead");
    text
}

fn append_rune_or_eof(out: &mut Vec<u8>, c: char) {
    if c == EOF {
        return out.extend_from_slice(b"end of file");
    }
    out.push(b'\'');
    push_rune(out, c);
    out.push(b'\'');
}
