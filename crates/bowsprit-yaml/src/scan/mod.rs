//! The scanner: characters to tokens, as libyaml has it in goyaml v2.
//!
//! Block structure comes from indentation: a change of column inserts start and end tokens. A mapping
//! key without `?` is only known as one when its `:` is met, so tokens wait in a queue while a
//! *simple key* is possible.

mod block;
mod chars;
mod feed;
mod indicator;
mod scalar;
mod tag;

pub(crate) use chars::{break_width, is_alpha, is_blank, width};
pub(crate) use feed::{Encoding, is_plain_text};

use crate::error::Error;
use crate::tree::{Style, Text};
use chars::{BLANK, BREAK, COLON, INDICATOR, class, is_break_class};
use feed::Feed;
use std::collections::VecDeque;

/// Containers of either style that may be open at once.
const MAX_DEPTH: usize = 10_000;
/// A simple key is at most this many characters long.
const MAX_KEY: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    StreamEnd,
    VersionDirective,
    TagDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    Scalar,
}

/// A token: its kind, where it stands, and its text.
///
/// `value` is a scalar's value, an anchor's name or a tag's handle; `suffix` a tag's suffix or the
/// prefix of a `%TAG` directive. A `%YAML` directive has its numbers in `version`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) style: Style,
    pub(crate) version: (u8, u8),
    pub(crate) line: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) value: Text,
    pub(crate) suffix: Text,
}

#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token: usize,
    index: usize,
    column: usize,
    line: u32,
    pos: usize,
}

/// A YAML stream: as it came, and in UTF-8.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'s> {
    pub(crate) bytes: &'s [u8],
    pub(crate) encoding: Encoding,
    /// Length of the byte order mark.
    pub(crate) mark: usize,
    pub(crate) text: &'s [u8],
    /// Where the text begins behind the mark.
    pub(crate) start: usize,
    /// All of the input could be decoded into the text.
    pub(crate) complete: bool,
}

#[derive(Debug)]
pub(crate) struct Scanner<'s> {
    src: &'s [u8],
    /// Values that do not stand in the source as they are.
    arena: Vec<u8>,
    feed: Option<Feed<'s>>,
    pos: usize,
    line: u32,
    /// UTF-8 continuation bytes before `pos`; goyaml's columns and key lengths count characters.
    extra: usize,
    /// Characters before the current line.
    line_start: usize,
    /// Columns of the open block collections; the innermost is `indent - 1`, 0 stands for none.
    indent: usize,
    indents: Vec<usize>,
    flow_level: usize,
    simple_key_allowed: bool,
    simple_keys: Vec<SimpleKey>,
    /// goyaml's map from a token's number to the simple key that begins with it, sorted by number.
    keys_by_token: VecDeque<(usize, usize)>,
    tokens: VecDeque<Token>,
    tokens_parsed: usize,
    /// The head of the queue is known to start no simple key.
    ready: bool,
    /// Line breaks that wait to be folded; kept to save allocations.
    breaks: Vec<u8>,
}

impl<'s> Scanner<'s> {
    /// A scanner over the text of an input.
    pub(crate) fn new(input: &Input<'s>) -> Scanner<'s> {
        let Input { text: src, start, .. } = *input;
        let plain = input.complete && is_plain_text(src.get(start..).unwrap_or_default());
        let feed = || Feed::new(input.bytes, input.encoding, input.mark, start);
        Scanner {
            src,
            arena: Vec::new(),
            feed: (!plain).then(feed),
            pos: start,
            line: 0,
            extra: start,
            line_start: 0,
            indent: 0,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
            keys_by_token: VecDeque::new(),
            tokens: VecDeque::new(),
            tokens_parsed: 0,
            ready: false,
            breaks: Vec::new(),
        }
    }

    /// The next token, which stays in the queue.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<Token, Error> {
        if !self.ready {
            self.fetch_more_tokens()?;
        }
        self.tokens.front().copied().ok_or_else(|| self.error("did not find expected token"))
    }

    /// Takes the token that [`Scanner::peek`] gave.
    #[inline]
    pub(crate) fn skip_token(&mut self) {
        self.ready = false;
        self.tokens_parsed += 1;
        self.tokens.pop_front();
    }

    pub(crate) fn text(&self, text: Text) -> &[u8] {
        text.resolve(self.src, &self.arena)
    }

    /// Copies text to where the tree keeps what is not in the source.
    pub(crate) fn intern(&mut self, parts: [&[u8]; 2]) -> Text {
        let start = self.arena.len();
        for part in parts {
            self.arena.extend_from_slice(part);
        }
        Text::arena(start, self.arena.len())
    }

    pub(crate) fn into_arena(self) -> Vec<u8> {
        self.arena
    }

    #[inline]
    fn at(&self, ahead: usize) -> u8 {
        self.src.get(self.pos + ahead).copied().unwrap_or(0)
    }

    #[inline]
    fn need(&mut self, length: usize) -> Result<(), Error> {
        match &mut self.feed {
            None => Ok(()),
            Some(feed) => feed.need(self.src, self.pos, length),
        }
    }

    #[inline]
    fn index(&self) -> usize {
        self.pos - self.extra
    }

    #[inline]
    fn column(&self) -> usize {
        self.index() - self.line_start
    }

    #[cold]
    fn error(&self, problem: &'static str) -> Error {
        // goyaml gives no number for the first line.
        Error::syntax(problem, (self.line != 0).then_some(self.line + 1))
    }

    #[inline]
    fn is_break(&self, ahead: usize) -> bool {
        match self.at(ahead) {
            b'\n' | b'\r' => true,
            0xc2 | 0xe2 => break_width(self.src, self.pos + ahead) > 0,
            _ => false,
        }
    }

    #[inline]
    fn is_breakz(&self, ahead: usize) -> bool {
        self.at(ahead) == 0 || self.is_break(ahead)
    }

    #[inline]
    fn is_blankz(&self, ahead: usize) -> bool {
        let class = class(self.at(ahead));
        class & BLANK != 0 || (class & BREAK != 0 && self.is_breakz(ahead))
    }

    /// Passes one character.
    #[inline]
    fn skip(&mut self) {
        let width = width(self.at(0));
        self.pos += width;
        self.extra += width - 1;
    }

    /// Passes bytes up to `end`, none of which is a line break.
    #[inline]
    fn skip_to(&mut self, end: usize, all_ascii: bool) {
        if !all_ascii {
            let run = self.src.get(self.pos..end).unwrap_or_default();
            self.extra += run.iter().filter(|&&b| b & 0xc0 == 0x80).count();
        }
        self.pos = end;
    }

    /// Passes a run of characters whose class has none of the bits in `stop`; at least one.
    ///
    /// Where the reader's buffer is followed, the run is one character, as goyaml reads it.
    #[inline]
    fn skip_run(&mut self, stop: u8) {
        if self.feed.is_some() {
            return self.skip();
        }
        let start = self.pos;
        let mut end = start;
        let mut bits = 0;
        for &b in self.src.get(start..).unwrap_or_default() {
            if class(b) & stop != 0 {
                break;
            }
            bits |= b;
            end += 1;
        }
        if end == start {
            return self.skip();
        }
        self.skip_to(end, bits < 0x80);
    }

    /// Passes a line break and says what it counts as: all but LS and PS become LF.
    fn read_line(&mut self) -> &'static [u8] {
        let width = break_width(self.src, self.pos);
        let text: &[u8] = match (width, self.at(2)) {
            (0, _) => return b"",
            (3, 0xa8) => "\u{2028}".as_bytes(),
            (3, _) => "\u{2029}".as_bytes(),
            _ => b"\n",
        };
        if self.at(0) == b'\r' && self.at(1) == b'\n' {
            self.pos += 2;
        } else {
            self.pos += width;
            self.extra += width - 1;
        }
        self.line += 1;
        self.line_start = self.index();
        text
    }

    /// `---` or `...` at the start of a line, followed by a blank or the end.
    fn at_document_indicator(&self) -> bool {
        matches!(self.at(0), b'-' | b'.')
            && self.at(1) == self.at(0)
            && self.at(2) == self.at(0)
            && self.column() == 0
            && self.is_blankz(3)
    }

    fn token(&self, kind: TokenKind, start: usize) -> Token {
        Token {
            kind,
            style: Style::Plain,
            version: (0, 0),
            line: self.line,
            start: start as u32,
            end: self.pos as u32,
            value: Text::EMPTY,
            suffix: Text::EMPTY,
        }
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        let token = self.token(kind, start);
        self.tokens.push_back(token);
    }

    /// Inserts a token at the place of a key that came earlier.
    fn insert_before(&mut self, number: usize, token: Token) {
        match number.checked_sub(self.tokens_parsed) {
            Some(at) if at <= self.tokens.len() => self.tokens.insert(at, token),
            _ => self.tokens.push_back(token),
        }
    }

    fn fetch_more_tokens(&mut self) -> Result<(), Error> {
        while self.tokens.is_empty() || self.head_may_be_key()? {
            self.fetch_next_token()?;
        }
        self.ready = true;
        Ok(())
    }

    fn head_may_be_key(&mut self) -> Result<bool, Error> {
        while let Some(&(token, key)) = self.keys_by_token.front() {
            if token == self.tokens_parsed {
                return self.simple_key_is_valid(key);
            }
            if token > self.tokens_parsed {
                break;
            }
            self.keys_by_token.pop_front();
        }
        Ok(false)
    }

    fn simple_key_is_valid(&mut self, key: usize) -> Result<bool, Error> {
        let (line, index) = (self.line, self.index());
        let Some(simple_key) = self.simple_keys.get_mut(key) else { return Ok(false) };
        if !simple_key.possible {
            return Ok(false);
        }
        if simple_key.line == line && simple_key.index + MAX_KEY >= index {
            return Ok(true);
        }
        if simple_key.required {
            return Err(self.error("could not find expected ':'"));
        }
        simple_key.possible = false;
        Ok(false)
    }

    /// Notes that a simple key may start here.
    fn save_simple_key(&mut self) -> Result<(), Error> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        self.remove_simple_key()?;
        let column = self.column();
        let key = SimpleKey {
            possible: true,
            required: self.flow_level == 0 && self.indent == column + 1,
            token: self.tokens_parsed + self.tokens.len(),
            index: self.index(),
            column,
            line: self.line,
            pos: self.pos,
        };
        let last = self.simple_keys.len() - 1;
        self.simple_keys[last] = key;
        if self.keys_by_token.back().is_some_and(|&(token, _)| token == key.token) {
            self.keys_by_token.pop_back();
        }
        self.keys_by_token.push_back((key.token, last));
        Ok(())
    }

    fn forget_key_of(&mut self, token: usize) {
        if let Ok(at) = self.keys_by_token.binary_search_by_key(&token, |&(number, _)| number) {
            self.keys_by_token.remove(at);
        }
    }

    fn remove_simple_key(&mut self) -> Result<(), Error> {
        let Some(key) = self.simple_keys.last_mut() else { return Ok(()) };
        if !key.possible {
            return Ok(());
        }
        if key.required {
            return Err(self.error("could not find expected ':'"));
        }
        key.possible = false;
        let token = key.token;
        self.forget_key_of(token);
        Ok(())
    }

    fn increase_flow_level(&mut self) -> Result<(), Error> {
        let token = self.tokens_parsed + self.tokens.len();
        self.simple_keys.push(SimpleKey { token, ..SimpleKey::default() });
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return Err(self.error("exceeded max depth of 10000"));
        }
        Ok(())
    }

    fn decrease_flow_level(&mut self) {
        if self.flow_level == 0 {
            return;
        }
        self.flow_level -= 1;
        if let Some(key) = self.simple_keys.pop() {
            // Of an empty collection this is the number of its own `[`, so that goyaml forgets that the
            // collection itself may be a key: `[]: 1` is an error.
            self.forget_key_of(key.token);
        }
    }

    /// Opens a block collection if the column is further in than the innermost one.
    fn roll_indent(
        &mut self,
        column: usize,
        start: Token,
        before: Option<usize>,
    ) -> Result<(), Error> {
        if self.flow_level > 0 || self.indent > column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column + 1;
        if self.indents.len() > MAX_DEPTH {
            return Err(self.error("exceeded max depth of 10000"));
        }
        match before {
            Some(number) => self.insert_before(number, start),
            None => self.tokens.push_back(start),
        }
        Ok(())
    }

    /// Closes the block collections that are further in than `indent - 1`.
    fn unroll_indent(&mut self, indent: usize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > indent {
            self.push(TokenKind::BlockEnd, self.pos);
            self.indent = self.indents.pop().unwrap_or(0);
        }
    }

    fn fetch_next_token(&mut self) -> Result<(), Error> {
        self.need(1)?;
        self.scan_to_next_token()?;
        self.unroll_indent(self.column() + 1);
        self.need(4)?;
        let c = self.at(0);
        if matches!(c, 0 | b'%' | b'-' | b'.') && self.fetch_at_line_start(c)? {
            return Ok(());
        }
        let spaced = || self.flow_level > 0 || self.is_blankz(1);
        match c {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.is_blankz(1) => self.fetch_block_entry(),
            b'?' if spaced() => self.fetch_key(),
            b':' if spaced() => self.fetch_value(),
            b'*' => self.fetch_anchor(TokenKind::Alias),
            b'&' => self.fetch_anchor(TokenKind::Anchor),
            b'!' => self.fetch_tag(),
            b'|' if self.flow_level == 0 => self.fetch_block_scalar(Style::Literal),
            b'>' if self.flow_level == 0 => self.fetch_block_scalar(Style::Folded),
            b'\'' => self.fetch_quoted(Style::SingleQuoted),
            b'"' => self.fetch_quoted(Style::DoubleQuoted),
            _ if self.can_start_plain(c) => self.fetch_plain(),
            _ => Err(self.error("found character that cannot start any token")),
        }
    }

    /// The tokens that only the start of a line or the end of the input can have.
    fn fetch_at_line_start(&mut self, c: u8) -> Result<bool, Error> {
        if c == 0 {
            self.fetch_stream_end()?;
        } else if c == b'%' && self.column() == 0 {
            self.fetch_directive()?;
        } else if c != b'%' && self.at_document_indicator() {
            let kind = if c == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
            self.fetch_document_indicator(kind)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn can_start_plain(&self, c: u8) -> bool {
        match c {
            b'-' => !is_blank(self.at(1)),
            b'?' | b':' => self.flow_level == 0 && !self.is_blankz(1),
            _ => class(c) & (INDICATOR | COLON) == 0 && !self.is_blankz(0),
        }
    }

    /// Passes blanks, comments and line breaks.
    fn scan_to_next_token(&mut self) -> Result<(), Error> {
        loop {
            self.need(1)?;
            if self.column() == 0
                && self.feed.as_ref().is_some_and(|f| f.buffer_starts_with_bom(self.src))
            {
                // goyaml tests the start of its buffer here, not this line's, and so loses a character of
                // every line until the buffer is filled anew.
                self.skip();
            }
            self.need(1)?;
            let tabs = self.flow_level > 0 || !self.simple_key_allowed;
            while self.at(0) == b' ' || (tabs && self.at(0) == b'\t') {
                self.pos += 1;
                self.need(1)?;
            }
            self.skip_comment()?;
            if !self.is_break(0) {
                return Ok(());
            }
            self.need(2)?;
            self.read_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    fn skip_comment(&mut self) -> Result<(), Error> {
        if self.at(0) == b'#' { self.skip_to_break() } else { Ok(()) }
    }

    /// Passes all that is left of the line.
    fn skip_to_break(&mut self) -> Result<(), Error> {
        while !self.is_breakz(0) {
            if self.feed.is_some() {
                self.skip();
                self.need(1)?;
            } else {
                self.skip();
                self.skip_to_possible_break();
            }
        }
        Ok(())
    }

    /// Passes bytes that begin no line break, many at a time.
    fn skip_to_possible_break(&mut self) {
        let rest = self.src.get(self.pos..).unwrap_or_default();
        let line = memchr::memchr3(b'\n', b'\r', 0, rest).unwrap_or(rest.len());
        let line = rest.get(..line).unwrap_or_default();
        let all_ascii = line.is_ascii();
        let end = if all_ascii {
            line.len()
        } else {
            line.iter().take_while(|b| !is_break_class(**b)).count()
        };
        self.skip_to(self.pos + end, all_ascii);
    }

    fn skip_blanks(&mut self) -> Result<(), Error> {
        while is_blank(self.at(0)) {
            self.pos += 1;
            self.need(1)?;
        }
        Ok(())
    }
}
