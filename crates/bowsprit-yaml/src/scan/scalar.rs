//! Plain and quoted scalars.

use super::chars::{BLANK, BREAK, COLON, DOUBLE, FLOW, SINGLE};
use super::{Scanner, Token, TokenKind, is_blank, tag::hex};
use crate::error::Error;
use crate::tree::{Style, Text};

/// A scalar's value while it is read: a piece of the source as long as that will do.
struct Piece {
    start: usize,
    end: usize,
    arena: Option<usize>,
}

impl Piece {
    fn new(start: usize) -> Piece {
        Piece { start, end: start, arena: None }
    }

    fn is_empty(&self, arena: &[u8]) -> bool {
        match self.arena {
            Some(from) => from == arena.len(),
            None => self.start == self.end,
        }
    }

    fn finish(&self, arena: &[u8]) -> Text {
        match self.arena {
            Some(from) => Text::arena(from, arena.len()),
            None => Text::source(self.start, self.end),
        }
    }
}

impl Scanner<'_> {
    /// Adds a piece of the source to a value.
    fn add_source(&mut self, piece: &mut Piece, start: usize, end: usize) {
        if piece.arena.is_none() {
            if piece.is_empty(&self.arena) {
                piece.start = start;
                piece.end = end;
                return;
            }
            if piece.end == start {
                piece.end = end;
                return;
            }
            self.move_to_arena(piece);
        }
        self.arena.extend_from_slice(self.src.get(start..end).unwrap_or_default());
    }

    /// Adds text to a value that does not stand so in the source.
    fn add_bytes(&mut self, piece: &mut Piece, bytes: &[u8]) {
        if piece.arena.is_none() {
            self.move_to_arena(piece);
        }
        self.arena.extend_from_slice(bytes);
    }

    fn move_to_arena(&mut self, piece: &mut Piece) {
        piece.arena = Some(self.arena.len());
        self.arena.extend_from_slice(self.src.get(piece.start..piece.end).unwrap_or_default());
    }

    /// Adds line breaks as folding has it: a single LF becomes a blank.
    fn add_fold(&mut self, piece: &mut Piece, leading: &[u8]) {
        if leading != b"\n" {
            self.add_bytes(piece, leading);
        } else if self.breaks.is_empty() {
            return self.add_bytes(piece, b" ");
        }
        let breaks = std::mem::take(&mut self.breaks);
        self.add_bytes(piece, &breaks);
        self.breaks = breaks;
        self.breaks.clear();
    }

    fn push_scalar(&mut self, start: usize, line: u32, end: usize, style: Style, value: Text) {
        let token =
            Token { style, line, end: end as u32, value, ..self.token(TokenKind::Scalar, start) };
        self.tokens.push_back(token);
    }

    pub(super) fn fetch_plain(&mut self) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_plain()
    }

    fn scan_plain(&mut self) -> Result<(), Error> {
        let (start, line) = (self.pos, self.line);
        let mut piece = Piece::new(start);
        let mut gap = Gap::Blanks(start);
        loop {
            self.need(4)?;
            if self.at_document_indicator() || self.at(0) == b'#' {
                break;
            }
            self.scan_plain_run(&mut piece, &mut gap)?;
            if !(is_blank(self.at(0)) || self.is_break(0)) {
                break;
            }
            self.need(1)?;
            self.scan_plain_gap(&mut gap)?;
            if self.flow_level == 0 && self.column() < self.indent {
                break;
            }
        }
        if let Gap::Break(_) = gap {
            self.simple_key_allowed = true;
        }
        // The value ends where its source does, unless lines were folded.
        let value = piece.finish(&self.arena);
        self.breaks.clear();
        self.push_scalar(start, line, self.plain_end(&piece, &gap), Style::Plain, value);
        Ok(())
    }

    fn plain_end(&self, piece: &Piece, gap: &Gap) -> usize {
        match (piece.arena, gap) {
            (None, _) => piece.end,
            (Some(_), Gap::Blanks(from)) => *from,
            (Some(_), Gap::Break(_)) => piece.end,
        }
    }

    /// Reads non-blank characters, after what separates them from those before.
    fn scan_plain_run(&mut self, piece: &mut Piece, gap: &mut Gap) -> Result<(), Error> {
        let stop =
            if self.flow_level > 0 { BLANK | BREAK | COLON | FLOW } else { BLANK | BREAK | COLON };
        let start = self.pos;
        while !self.is_blankz(0) {
            let c = self.at(0);
            if c == b':' && self.is_blankz(1) {
                break;
            }
            if self.flow_level > 0 && matches!(c, b',' | b'?' | b'[' | b']' | b'{' | b'}') {
                break;
            }
            self.skip_run(stop);
            self.need(2)?;
        }
        if self.pos == start {
            return Ok(());
        }
        match *gap {
            Gap::Blanks(from) => self.add_source(piece, from, self.pos),
            Gap::Break(leading) => {
                self.add_fold(piece, leading);
                self.add_source(piece, start, self.pos);
                piece.end = self.pos;
            }
        }
        *gap = Gap::Blanks(self.pos);
        Ok(())
    }

    fn scan_plain_gap(&mut self, gap: &mut Gap) -> Result<(), Error> {
        while is_blank(self.at(0)) || self.is_break(0) {
            if is_blank(self.at(0)) {
                let folding = matches!(gap, Gap::Break(_));
                if folding && self.at(0) == b'\t' && self.column() < self.indent {
                    return Err(self.error("found a tab character that violates indentation"));
                }
                self.pos += 1;
            } else {
                self.need(2)?;
                self.read_gap_break(gap);
            }
            self.need(1)?;
        }
        Ok(())
    }

    fn read_gap_break(&mut self, gap: &mut Gap) {
        let text = self.read_line();
        match gap {
            Gap::Blanks(_) => *gap = Gap::Break(text),
            Gap::Break(_) => self.breaks.extend_from_slice(text),
        }
    }

    pub(super) fn fetch_quoted(&mut self, style: Style) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_quoted(style)
    }

    fn scan_quoted(&mut self, style: Style) -> Result<(), Error> {
        let (start, line, quote) = (self.pos, self.line, self.at(0));
        self.pos += 1;
        let mut piece = Piece::new(self.pos);
        loop {
            self.need(4)?;
            if self.at_document_indicator() {
                return Err(self.error("found unexpected document indicator"));
            }
            if self.at(0) == 0 {
                return Err(self.error("found unexpected end of stream"));
            }
            let escaped_break = self.scan_quoted_run(&mut piece, quote)?;
            self.need(1)?;
            if self.at(0) == quote {
                break;
            }
            self.scan_quoted_gap(&mut piece, escaped_break)?;
        }
        self.pos += 1;
        let value = piece.finish(&self.arena);
        self.push_scalar(start, line, self.pos, style, value);
        Ok(())
    }

    /// Reads non-blank characters; true where an escaped line break ended them.
    fn scan_quoted_run(&mut self, piece: &mut Piece, quote: u8) -> Result<bool, Error> {
        let stop = BLANK | BREAK | if quote == b'"' { DOUBLE } else { SINGLE };
        while !self.is_blankz(0) {
            match self.at(0) {
                b'\'' if quote == b'\'' => {
                    if self.at(1) != b'\'' {
                        return Ok(false);
                    }
                    self.pos += 2;
                    self.add_bytes(piece, b"'");
                }
                b'"' if quote == b'"' => return Ok(false),
                b'\\' if quote == b'"' => {
                    if self.is_break(1) {
                        self.need(3)?;
                        self.pos += 1;
                        self.read_line();
                        return Ok(true);
                    }
                    self.scan_escape(piece)?;
                }
                _ => {
                    let start = self.pos;
                    self.skip_run(stop);
                    self.add_source(piece, start, self.pos);
                }
            }
            self.need(2)?;
        }
        Ok(false)
    }

    fn scan_escape(&mut self, piece: &mut Piece) -> Result<(), Error> {
        let digits = match self.at(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            other => {
                let Some(text) = escape(other) else {
                    return Err(self.error("found unknown escape character"));
                };
                self.pos += 2;
                self.add_bytes(piece, text);
                return Ok(());
            }
        };
        self.pos += 2;
        self.need(digits)?;
        let mut value = 0u32;
        for k in 0..digits {
            let Some(digit) = hex(self.at(k)) else {
                return Err(self.error("did not find expected hexdecimal number"));
            };
            value = value << 4 | u32::from(digit);
        }
        let Some(c) = char::from_u32(value) else {
            return Err(self.error("found invalid Unicode character escape code"));
        };
        self.pos += digits;
        self.add_bytes(piece, c.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn scan_quoted_gap(&mut self, piece: &mut Piece, escaped_break: bool) -> Result<(), Error> {
        let start = self.pos;
        let mut gap = if escaped_break { Gap::Break(b"") } else { Gap::Blanks(start) };
        while is_blank(self.at(0)) || self.is_break(0) {
            if is_blank(self.at(0)) {
                self.pos += 1;
            } else {
                self.need(2)?;
                self.read_gap_break(&mut gap);
            }
            self.need(1)?;
        }
        match gap {
            Gap::Blanks(_) => self.add_source(piece, start, self.pos),
            Gap::Break(leading) => self.add_fold(piece, leading),
        }
        Ok(())
    }
}

/// What separates two runs of a scalar.
#[derive(Clone, Copy)]
enum Gap {
    /// Blanks only; the value goes on in the source from here.
    Blanks(usize),
    /// A line break, as the text it stands for; nothing where it was escaped.
    Break(&'static [u8]),
}

fn escape(c: u8) -> Option<&'static [u8]> {
    Some(match c {
        b'0' => b"\0",
        b'a' => b"\x07",
        b'b' => b"\x08",
        b't' | b'\t' => b"\t",
        b'n' => b"\n",
        b'v' => b"\x0b",
        b'f' => b"\x0c",
        b'r' => b"\r",
        b'e' => b"\x1b",
        b' ' => b" ",
        b'"' => b"\"",
        b'\'' => b"'",
        b'\\' => b"\\",
        b'N' => b"\xc2\x85",
        b'_' => b"\xc2\xa0",
        b'L' => b"\xe2\x80\xa8",
        b'P' => b"\xe2\x80\xa9",
        _ => return None,
    })
}
