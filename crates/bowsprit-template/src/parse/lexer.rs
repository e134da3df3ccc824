//! The scanner: one small function for each state, as in Go's `text/template/parse`.

use super::token::{Token, TokenKind, keyword};
use bowsprit_value::strconv;
use bowsprit_value::unicode;
use memchr::memmem;

/// The white space that trim markers remove.
pub(crate) const fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

/// The bytes of words that are ASCII.
static WORD: [bool; 256] = {
    let mut word = [false; 256];
    let mut b = 0;
    while b < 128 {
        word[b] = (b as u8).is_ascii_alphanumeric() || b as u8 == b'_';
        b += 1;
    }
    word
};

/// Where a run of ASCII word bytes ends that goes on at `pos`.
pub(crate) fn skip_word(input: &[u8], mut pos: usize) -> usize {
    while input.get(pos).is_some_and(|b| WORD[usize::from(*b)]) {
        pos += 1;
    }
    pos
}

/// Where a run of white space ends that goes on at `pos`.
pub(crate) fn skip_space(input: &[u8], mut pos: usize) -> usize {
    while input.get(pos).is_some_and(|b| is_space(*b)) {
        pos += 1;
    }
    pos
}

fn is_alphanumeric(rune: char) -> bool {
    if rune.is_ascii() {
        return rune == '_' || rune.is_ascii_alphanumeric();
    }
    unicode::is_letter(rune) || unicode::is_digit(rune)
}

/// Splits the source into tokens, one at a time.
#[derive(Debug)]
pub(crate) struct Lexer<'s> {
    input: &'s [u8],
    pos: usize,
    start: usize,
    paren_depth: u32,
    inside_action: bool,
    left_delim: memmem::Finder<'static>,
    /// The text of the last error token.
    error: String,
    failed: bool,
}

enum Step {
    Token(Token),
    Text,
    LeftDelim,
    Comment,
}

impl<'s> Lexer<'s> {
    pub(crate) fn new(input: &'s [u8]) -> Lexer<'s> {
        Lexer {
            input,
            pos: 0,
            start: 0,
            paren_depth: 0,
            inside_action: false,
            left_delim: memmem::Finder::new(b"{{"),
            error: String::new(),
            failed: false,
        }
    }

    /// A scanner that starts inside an action, for printing nodes.
    pub(crate) fn inside(input: &'s [u8]) -> Lexer<'s> {
        Lexer { inside_action: true, ..Lexer::new(input) }
    }

    /// Where the next token begins.
    pub(crate) fn position(&self) -> usize {
        self.pos
    }

    /// Whether what comes next is text, or the delimiter behind it.
    pub(crate) fn in_text(&self) -> bool {
        !self.inside_action && !self.failed
    }

    /// Goes on elsewhere: in text, or in an action outside of all parentheses.
    pub(crate) fn go_to(&mut self, pos: usize, inside_action: bool) {
        (self.pos, self.start) = (pos, pos);
        self.inside_action = inside_action;
        self.paren_depth = 0;
    }

    /// How far the next left delimiter is.
    pub(crate) fn find_left_delim(&self) -> Option<usize> {
        self.left_delim.find(self.rest())
    }

    /// The text of the last error token.
    pub(crate) fn error(&self) -> &str {
        &self.error
    }

    /// The next token; after an error or the end, the end again.
    pub(crate) fn next_token(&mut self) -> Token {
        if self.failed {
            return self.token(TokenKind::Eof);
        }
        if self.inside_action {
            return self.lex_inside_action();
        }
        let mut step = self.lex_text();
        loop {
            step = match step {
                Step::Token(token) => return token,
                Step::Text => self.lex_text(),
                Step::LeftDelim => self.lex_left_delim(),
                Step::Comment => self.lex_comment(),
            }
        }
    }

    fn token(&mut self, kind: TokenKind) -> Token {
        let token = Token { kind, start: self.start as u32, end: self.pos as u32 };
        self.start = self.pos;
        token
    }

    #[cold]
    fn fail(&mut self, message: String) -> Token {
        self.error = message;
        self.failed = true;
        let token =
            Token { kind: TokenKind::Error, start: self.start as u32, end: self.start as u32 };
        self.input = &[];
        self.pos = self.start;
        token
    }

    fn rest(&self) -> &'s [u8] {
        self.input.get(self.pos..).unwrap_or_default()
    }

    fn peek_byte(&self) -> Option<u8> {
        self.input.get(self.pos).copied()
    }

    fn peek_rune(&self) -> Option<(char, usize)> {
        match unicode::decode_rune(self.rest()) {
            (_, 0) => None,
            found => Some(found),
        }
    }

    fn ignore(&mut self) {
        self.start = self.pos;
    }

    fn lex_text(&mut self) -> Step {
        let Some(offset) = self.find_left_delim() else {
            self.pos = self.input.len();
            if self.pos > self.start {
                return Step::Token(self.token(TokenKind::Text));
            }
            return Step::Token(self.token(TokenKind::Eof));
        };
        if offset > 0 {
            self.pos += offset;
            let delim_end = self.pos + 2;
            let mut trimmed = 0;
            if has_left_trim_marker(self.input.get(delim_end..).unwrap_or_default()) {
                let text = self.input.get(self.start..self.pos).unwrap_or_default();
                trimmed = text.iter().rev().take_while(|b| is_space(**b)).count();
            }
            self.pos -= trimmed;
            let token = self.token(TokenKind::Text);
            self.pos += trimmed;
            self.ignore();
            if token.end > token.start {
                return Step::Token(token);
            }
        }
        Step::LeftDelim
    }

    fn lex_left_delim(&mut self) -> Step {
        self.pos += 2;
        let after_marker = if has_left_trim_marker(self.rest()) { 2 } else { 0 };
        if self.input.get(self.pos + after_marker..).is_some_and(|r| r.starts_with(b"/*")) {
            self.pos += after_marker;
            self.ignore();
            return Step::Comment;
        }
        let token = self.token(TokenKind::LeftDelim);
        self.inside_action = true;
        self.pos += after_marker;
        self.ignore();
        self.paren_depth = 0;
        Step::Token(token)
    }

    fn lex_comment(&mut self) -> Step {
        self.pos += 2;
        let Some(offset) = memmem::find(self.rest(), b"*/") else {
            return Step::Token(self.fail("unclosed comment".into()));
        };
        self.pos += offset + 2;
        let Some(trim) = self.at_right_delim() else {
            return Step::Token(self.fail("comment ends before closing delimiter".into()));
        };
        if trim {
            self.pos += 2;
        }
        self.pos += 2;
        if trim {
            self.pos += self.rest().iter().take_while(|b| is_space(**b)).count();
        }
        self.ignore();
        Step::Text
    }

    /// Whether a right delimiter stands here, and if so whether it trims.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim_marker(rest) && rest.get(2..).is_some_and(|r| r.starts_with(b"}}")) {
            return Some(true);
        }
        rest.starts_with(b"}}").then_some(false)
    }

    fn lex_right_delim(&mut self) -> Token {
        let trim = self.at_right_delim().unwrap_or(false);
        if trim {
            self.pos += 2;
            self.ignore();
        }
        self.pos += 2;
        let token = self.token(TokenKind::RightDelim);
        if trim {
            self.pos += self.rest().iter().take_while(|b| is_space(**b)).count();
            self.ignore();
        }
        self.inside_action = false;
        token
    }

    fn lex_inside_action(&mut self) -> Token {
        let first = self.peek_byte().unwrap_or_default();
        if (first == b'}' || is_space(first)) && self.at_right_delim().is_some() {
            if self.paren_depth == 0 {
                return self.lex_right_delim();
            }
            return self.fail("unclosed left paren".into());
        }
        if is_space(first) {
            return self.lex_space();
        }
        if first.is_ascii_alphabetic() || first == b'_' {
            self.pos += 1;
            return self.lex_identifier();
        }
        let Some((rune, width)) = self.peek_rune() else {
            return self.fail("unclosed action".into());
        };
        self.pos += width;
        match rune {
            '=' => self.token(TokenKind::Assign),
            ':' => {
                if self.peek_byte() != Some(b'=') {
                    return self.fail("expected :=".into());
                }
                self.pos += 1;
                self.token(TokenKind::Declare)
            }
            '|' => self.token(TokenKind::Pipe),
            '"' => self.lex_quoted(b'"', TokenKind::String, "unterminated quoted string"),
            '`' => self.lex_raw_quote(),
            '$' => self.lex_field_or_variable(TokenKind::Variable),
            '\'' => {
                self.lex_quoted(b'\'', TokenKind::CharConstant, "unterminated character constant")
            }
            '.' if !self.peek_byte().is_some_and(|b| b.is_ascii_digit())
                && self.pos < self.input.len() =>
            {
                self.lex_field_or_variable(TokenKind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos -= width;
                self.lex_number()
            }
            _ if is_alphanumeric(rune) => self.lex_identifier(),
            '(' => {
                self.paren_depth = self.paren_depth.saturating_add(1);
                self.token(TokenKind::LeftParen)
            }
            ')' => {
                if self.paren_depth == 0 {
                    return self.fail("unexpected right paren".into());
                }
                self.paren_depth -= 1;
                self.token(TokenKind::RightParen)
            }
            ' '..='~' => self.token(TokenKind::Char),
            _ => self.fail(format!("unrecognized character in action: {}", unicode_name(rune))),
        }
    }

    fn lex_space(&mut self) -> Token {
        if let [b' ' | b'\t', next, ..] = self.rest()
            && !is_space(*next)
            && *next != b'-'
        {
            self.pos += 1;
            return self.token(TokenKind::Space);
        }
        let spaces = self.rest().iter().take_while(|b| is_space(**b)).count();
        self.pos += spaces;
        let last = self.input.get(self.pos - 1..).unwrap_or_default();
        if has_right_trim_marker(last) && last.get(2..).is_some_and(|r| r.starts_with(b"}}")) {
            self.pos -= 1;
            if spaces == 1 {
                return self.lex_right_delim();
            }
        }
        self.token(TokenKind::Space)
    }

    fn skip_alphanumeric(&mut self) {
        loop {
            self.pos = skip_word(self.input, self.pos);
            if self.peek_byte().is_none_or(|b| b.is_ascii()) {
                break;
            }
            match self.peek_rune() {
                Some((rune, width)) if is_alphanumeric(rune) => self.pos += width,
                _ => break,
            }
        }
    }

    fn bad_character(&mut self) -> Token {
        let name = self.peek_rune().map(|(r, _)| unicode_name(r)).unwrap_or_default();
        self.fail(format!("bad character {name}"))
    }

    fn lex_identifier(&mut self) -> Token {
        self.skip_alphanumeric();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = self.input.get(self.start..self.pos).unwrap_or_default();
        let kind = match word {
            b"true" | b"false" => TokenKind::Bool,
            _ => keyword(word).unwrap_or(TokenKind::Identifier),
        };
        self.token(kind)
    }

    fn lex_field_or_variable(&mut self, kind: TokenKind) -> Token {
        if self.at_terminator() {
            return self.token(match kind {
                TokenKind::Variable => TokenKind::Variable,
                _ => TokenKind::Dot,
            });
        }
        self.skip_alphanumeric();
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.token(kind)
    }

    fn at_terminator(&self) -> bool {
        match self.peek_byte() {
            None => true,
            Some(b) if is_space(b) => true,
            Some(b'.' | b',' | b'|' | b':' | b')' | b'(') => true,
            _ => self.rest().starts_with(b"}}"),
        }
    }

    fn lex_quoted(&mut self, quote: u8, kind: TokenKind, message: &str) -> Token {
        loop {
            match self.peek_byte() {
                Some(b'\\') => match self.input.get(self.pos + 1) {
                    Some(b) if *b != b'\n' => self.pos += 2,
                    _ => return self.fail(message.into()),
                },
                None | Some(b'\n') => return self.fail(message.into()),
                Some(b) if b == quote => break,
                Some(_) => self.pos += 1,
            }
        }
        self.pos += 1;
        self.token(kind)
    }

    fn lex_raw_quote(&mut self) -> Token {
        let Some(offset) = memchr::memchr(b'`', self.rest()) else {
            return self.fail("unterminated raw quoted string".into());
        };
        self.pos += offset + 1;
        self.token(TokenKind::RawString)
    }

    fn lex_number(&mut self) -> Token {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek_byte(), Some(b'+' | b'-')) {
            if !self.scan_number() || self.input.get(self.pos - 1) != Some(&b'i') {
                return self.bad_number();
            }
            return self.token(TokenKind::Complex);
        }
        self.token(TokenKind::Number)
    }

    fn bad_number(&mut self) -> Token {
        let text = self.input.get(self.start..self.pos).unwrap_or_default();
        let quoted = strconv::quote(text);
        self.fail(format!("bad number syntax: {}", String::from_utf8_lossy(&quoted)))
    }

    fn accept(&mut self, valid: &[u8]) -> bool {
        let hit = self.peek_byte().is_some_and(|b| valid.contains(&b));
        self.pos += usize::from(hit);
        hit
    }

    fn accept_run(&mut self, valid: &[u8]) {
        while self.accept(valid) {}
    }

    fn scan_number(&mut self) -> bool {
        const DECIMAL: &[u8] = b"0123456789_";
        const HEX: &[u8] = b"0123456789abcdefABCDEF_";
        self.accept(b"+-");
        let mut digits = DECIMAL;
        if self.accept(b"0") {
            if self.accept(b"xX") {
                digits = HEX;
            } else if self.accept(b"oO") {
                digits = b"01234567_";
            } else if self.accept(b"bB") {
                digits = b"01_";
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        if (digits == DECIMAL && self.accept(b"eE")) || (digits == HEX && self.accept(b"pP")) {
            self.accept(b"+-");
            self.accept_run(DECIMAL);
        }
        self.accept(b"i");
        match self.peek_rune() {
            Some((rune, width)) if is_alphanumeric(rune) => {
                self.pos += width;
                false
            }
            _ => true,
        }
    }
}

/// Go's `%#U`: the code point, and the character if it can be printed.
fn unicode_name(rune: char) -> String {
    if unicode::is_print(rune) {
        format!("U+{:04X} '{rune}'", rune as u32)
    } else {
        format!("U+{:04X}", rune as u32)
    }
}

pub(crate) fn has_left_trim_marker(s: &[u8]) -> bool {
    matches!(s, [b'-', space, ..] if is_space(*space))
}

pub(crate) fn has_right_trim_marker(s: &[u8]) -> bool {
    matches!(s, [space, b'-', ..] if is_space(*space))
}
