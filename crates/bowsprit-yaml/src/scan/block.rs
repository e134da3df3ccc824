//! Literal and folded block scalars.

use super::{Scanner, Token, TokenKind, is_blank};
use crate::error::Error;
use crate::tree::{Style, Text};

/// What becomes of the line breaks at a block scalar's end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

impl Scanner<'_> {
    pub(super) fn fetch_block_scalar(&mut self, style: Style) -> Result<(), Error> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        let (start, line) = (self.pos, self.line);
        self.pos += 1;
        let (chomp, increment) = self.scan_block_header()?;
        let indent = match increment {
            // goyaml counts an explicit indentation from the parent's column, of none from 0.
            Some(n) => Some(self.indent.saturating_sub(1) + n),
            None => None,
        };
        let (value, end) = self.scan_block_content(style, chomp, indent)?;
        let token =
            Token { style, line, end: end as u32, value, ..self.token(TokenKind::Scalar, start) };
        self.tokens.push_back(token);
        Ok(())
    }

    fn scan_block_header(&mut self) -> Result<(Chomp, Option<usize>), Error> {
        self.need(1)?;
        let mut chomp = self.scan_chomping();
        if chomp.is_some() {
            self.need(1)?;
        }
        let increment = self.scan_increment()?;
        if increment.is_some() && chomp.is_none() {
            self.need(1)?;
            chomp = self.scan_chomping();
        }
        self.need(1)?;
        self.skip_blanks()?;
        self.skip_comment()?;
        if !self.is_breakz(0) {
            return Err(self.error("did not find expected comment or line break"));
        }
        if self.is_break(0) {
            self.need(2)?;
            self.read_line();
        }
        Ok((chomp.unwrap_or(Chomp::Clip), increment))
    }

    fn scan_chomping(&mut self) -> Option<Chomp> {
        let chomp = match self.at(0) {
            b'+' => Chomp::Keep,
            b'-' => Chomp::Strip,
            _ => return None,
        };
        self.pos += 1;
        Some(chomp)
    }

    fn scan_increment(&mut self) -> Result<Option<usize>, Error> {
        match self.at(0) {
            b'0' => Err(self.error("found an indentation indicator equal to 0")),
            digit @ b'1'..=b'9' => {
                self.pos += 1;
                Ok(Some(usize::from(digit - b'0')))
            }
            _ => Ok(None),
        }
    }

    /// The value, and where the last line that belongs to it ends.
    fn scan_block_content(
        &mut self,
        style: Style,
        chomp: Chomp,
        indent: Option<usize>,
    ) -> Result<(Text, usize), Error> {
        let from = self.arena.len();
        let mut leading: &[u8] = b"";
        let mut leading_blank = false;
        self.breaks.clear();
        let (mut indent, mut end) = self.scan_block_breaks(indent.unwrap_or(0))?;
        self.need(1)?;
        while self.column() == indent && self.at(0) != 0 {
            let blank = is_blank(self.at(0));
            let fold = style == Style::Folded && !leading_blank && !blank && leading == b"\n";
            if !fold {
                self.arena.extend_from_slice(leading);
            } else if self.breaks.is_empty() {
                self.arena.push(b' ');
            }
            self.arena.append(&mut self.breaks);
            leading_blank = blank;
            self.copy_line()?;
            self.need(2)?;
            leading = self.read_line();
            (indent, end) = self.scan_block_breaks(indent)?;
        }
        if chomp != Chomp::Strip {
            self.arena.extend_from_slice(leading);
        }
        if chomp == Chomp::Keep {
            self.arena.append(&mut self.breaks);
        }
        self.breaks.clear();
        Ok((Text::arena(from, self.arena.len()), end))
    }

    fn copy_line(&mut self) -> Result<(), Error> {
        let start = self.pos;
        self.skip_to_break()?;
        self.arena.extend_from_slice(self.src.get(start..self.pos).unwrap_or_default());
        Ok(())
    }

    /// Passes indentation and empty lines; an indentation of 0 is yet to be found.
    fn scan_block_breaks(&mut self, indent: usize) -> Result<(usize, usize), Error> {
        let mut end = self.pos;
        let mut widest = 0;
        loop {
            self.need(1)?;
            while (indent == 0 || self.column() < indent) && self.at(0) == b' ' {
                self.pos += 1;
                self.need(1)?;
            }
            widest = widest.max(self.column());
            if (indent == 0 || self.column() < indent) && self.at(0) == b'\t' {
                return Err(
                    self.error("found a tab character where an indentation space is expected")
                );
            }
            if !self.is_break(0) {
                break;
            }
            self.need(2)?;
            let text = self.read_line();
            self.breaks.extend_from_slice(text);
            end = self.pos;
        }
        let found = if indent == 0 { widest.max(self.indent).max(1) } else { indent };
        Ok((found, end))
    }
}
