//! Directives, anchors, aliases and tags.

use super::{Scanner, Token, TokenKind, is_alpha, is_blank, width};
use crate::error::Error;
use crate::tree::Text;

impl Scanner<'_> {
    pub(super) fn fetch_directive(&mut self) -> Result<(), Error> {
        self.unroll_indent(0);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.pos;
        let line = self.line;
        self.pos += 1;
        let token = self.scan_directive(start)?;
        self.skip_blanks_after_directive()?;
        self.tokens.push_back(Token { line, ..token });
        Ok(())
    }

    fn scan_directive(&mut self, start: usize) -> Result<Token, Error> {
        let name = self.scan_alpha()?;
        if name.is_empty() {
            return Err(self.error("could not find expected directive name"));
        }
        if !self.is_blankz(0) {
            return Err(self.error("found unexpected non-alphabetical character"));
        }
        match self.text(name) {
            b"YAML" => {
                let version = self.scan_version()?;
                Ok(Token { version, ..self.token(TokenKind::VersionDirective, start) })
            }
            b"TAG" => {
                let (value, suffix) = self.scan_tag_directive()?;
                Ok(Token { value, suffix, ..self.token(TokenKind::TagDirective, start) })
            }
            _ => Err(self.error("found unknown directive name")),
        }
    }

    fn skip_blanks_after_directive(&mut self) -> Result<(), Error> {
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
        Ok(())
    }

    /// Letters, digits, `_` and `-`, as many as there are.
    fn scan_alpha(&mut self) -> Result<Text, Error> {
        let start = self.pos;
        self.need(1)?;
        while is_alpha(self.at(0)) {
            self.pos += 1;
            self.need(1)?;
        }
        Ok(Text::source(start, self.pos))
    }

    fn scan_version(&mut self) -> Result<(u8, u8), Error> {
        self.need(1)?;
        self.skip_blanks()?;
        let major = self.scan_version_number()?;
        if self.at(0) != b'.' {
            return Err(self.error("did not find expected digit or '.' character"));
        }
        self.pos += 1;
        let minor = self.scan_version_number()?;
        Ok((major, minor))
    }

    fn scan_version_number(&mut self) -> Result<u8, Error> {
        self.need(1)?;
        let start = self.pos;
        let mut value = 0u8;
        while self.at(0).is_ascii_digit() {
            if self.pos - start >= 2 {
                return Err(self.error("found extremely long version number"));
            }
            value = value * 10 + (self.at(0) - b'0');
            self.pos += 1;
            self.need(1)?;
        }
        if self.pos == start {
            return Err(self.error("did not find expected version number"));
        }
        Ok(value)
    }

    fn scan_tag_directive(&mut self) -> Result<(Text, Text), Error> {
        self.need(1)?;
        self.skip_blanks()?;
        let handle = self.scan_tag_handle()?;
        if self.text(handle) != b"!" && !self.text(handle).ends_with(b"!") {
            return Err(self.error("did not find expected '!'"));
        }
        self.need(1)?;
        if !is_blank(self.at(0)) {
            return Err(self.error("did not find expected whitespace"));
        }
        self.skip_blanks()?;
        let prefix = self.scan_tag_uri(Text::EMPTY)?;
        self.need(1)?;
        if !self.is_blankz(0) {
            return Err(self.error("did not find expected whitespace or line break"));
        }
        Ok((handle, prefix))
    }

    pub(super) fn fetch_anchor(&mut self, kind: TokenKind) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.pos;
        self.pos += 1;
        let value = self.scan_alpha()?;
        let ends = matches!(self.at(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if value.is_empty() || !(ends || self.is_blankz(0)) {
            return Err(self.error("did not find expected alphabetic or numeric character"));
        }
        let token = Token { value, ..self.token(kind, start) };
        self.tokens.push_back(token);
        Ok(())
    }

    pub(super) fn fetch_tag(&mut self) -> Result<(), Error> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let start = self.pos;
        self.need(2)?;
        let (value, suffix) =
            if self.at(1) == b'<' { self.scan_verbatim_tag()? } else { self.scan_shorthand_tag()? };
        self.need(1)?;
        if !self.is_blankz(0) {
            return Err(self.error("did not find expected whitespace or line break"));
        }
        let token = Token { value, suffix, ..self.token(TokenKind::Tag, start) };
        self.tokens.push_back(token);
        Ok(())
    }

    fn scan_verbatim_tag(&mut self) -> Result<(Text, Text), Error> {
        self.pos += 2;
        let suffix = self.scan_tag_uri(Text::EMPTY)?;
        if self.at(0) != b'>' {
            return Err(self.error("did not find the expected '>'"));
        }
        self.pos += 1;
        Ok((Text::EMPTY, suffix))
    }

    fn scan_shorthand_tag(&mut self) -> Result<(Text, Text), Error> {
        let handle = self.scan_tag_handle()?;
        if handle.len() > 1 && self.text(handle).ends_with(b"!") {
            let suffix = self.scan_tag_uri(Text::EMPTY)?;
            return Ok((handle, suffix));
        }
        let suffix = self.scan_tag_uri(handle)?;
        let bang = handle.prefix(1);
        // A lone `!` has no handle and is itself the suffix.
        Ok(if suffix.is_empty() { (Text::EMPTY, bang) } else { (bang, suffix) })
    }

    fn scan_tag_handle(&mut self) -> Result<Text, Error> {
        self.need(1)?;
        if self.at(0) != b'!' {
            return Err(self.error("did not find expected '!'"));
        }
        let start = self.pos;
        self.pos += 1;
        self.scan_alpha()?;
        if self.at(0) == b'!' {
            self.pos += 1;
        }
        Ok(Text::source(start, self.pos))
    }

    /// The rest of a tag; what `head` holds behind its `!` belongs to it.
    fn scan_tag_uri(&mut self, head: Text) -> Result<Text, Error> {
        let from = self.arena.len();
        let mut has_tag = !head.is_empty();
        let head = head.resolve(self.src, &[]).get(1..).unwrap_or_default();
        self.arena.extend_from_slice(head);
        self.need(1)?;
        while is_alpha(self.at(0)) || b";/?:@&=+$,.!~*'()[]%".contains(&self.at(0)) {
            if self.at(0) == b'%' {
                self.scan_uri_escapes()?;
            } else {
                self.arena.push(self.at(0));
                self.pos += 1;
            }
            self.need(1)?;
            has_tag = true;
        }
        if !has_tag {
            return Err(self.error("did not find expected tag URI"));
        }
        Ok(Text::arena(from, self.arena.len()))
    }

    /// One character as `%XX` octets.
    fn scan_uri_escapes(&mut self) -> Result<(), Error> {
        let mut left = None;
        while left != Some(0) {
            self.need(3)?;
            let (Some(high), Some(low)) = (hex(self.at(1)), hex(self.at(2))) else {
                return Err(self.error("did not find URI escaped octet"));
            };
            if self.at(0) != b'%' {
                return Err(self.error("did not find URI escaped octet"));
            }
            let octet = high << 4 | low;
            left = match left {
                None if matches!(octet, 0x80..0xc0 | 0xf8..) => {
                    return Err(self.error("found an incorrect leading UTF-8 octet"));
                }
                None => Some(width(octet) - 1),
                Some(_) if octet & 0xc0 != 0x80 => {
                    return Err(self.error("found an incorrect trailing UTF-8 octet"));
                }
                Some(left) => Some(left - 1),
            };
            self.arena.push(octet);
            self.pos += 3;
        }
        Ok(())
    }
}

/// The value of a hexadecimal digit.
pub(super) fn hex(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).map(|digit| digit as u8)
}
