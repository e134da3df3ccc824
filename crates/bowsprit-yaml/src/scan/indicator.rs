//! Tokens of structure: collections, entries, keys, documents.

use super::{Scanner, Token, TokenKind};
use crate::error::Error;

impl Scanner<'_> {
    pub(super) fn fetch_stream_end(&mut self) -> Result<(), Error> {
        if self.column() != 0 {
            self.line += 1;
            self.line_start = self.index();
        }
        self.unroll_indent(0);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(TokenKind::StreamEnd, self.pos);
        Ok(())
    }

    pub(super) fn fetch_document_indicator(&mut self, kind: TokenKind) -> Result<(), Error> {
        self.unroll_indent(0);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.fetch_indicator(kind, 3);
        Ok(())
    }

    fn fetch_indicator(&mut self, kind: TokenKind, len: usize) {
        let start = self.pos;
        self.pos += len;
        self.push(kind, start);
    }

    pub(super) fn fetch_flow_start(&mut self, kind: TokenKind) -> Result<(), Error> {
        self.save_simple_key()?;
        self.increase_flow_level()?;
        self.simple_key_allowed = true;
        self.fetch_indicator(kind, 1);
        Ok(())
    }

    pub(super) fn fetch_flow_end(&mut self, kind: TokenKind) -> Result<(), Error> {
        self.remove_simple_key()?;
        self.decrease_flow_level();
        self.simple_key_allowed = false;
        self.fetch_indicator(kind, 1);
        Ok(())
    }

    pub(super) fn fetch_flow_entry(&mut self) -> Result<(), Error> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.fetch_indicator(TokenKind::FlowEntry, 1);
        Ok(())
    }

    fn roll_indent_here(&mut self, kind: TokenKind, refusal: &'static str) -> Result<(), Error> {
        if self.flow_level > 0 {
            return Ok(());
        }
        if !self.simple_key_allowed {
            return Err(self.error(refusal));
        }
        let start = self.token(kind, self.pos);
        self.roll_indent(self.column(), start, None)
    }

    pub(super) fn fetch_block_entry(&mut self) -> Result<(), Error> {
        self.roll_indent_here(
            TokenKind::BlockSequenceStart,
            "block sequence entries are not allowed in this context",
        )?;
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.fetch_indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    pub(super) fn fetch_key(&mut self) -> Result<(), Error> {
        self.roll_indent_here(
            TokenKind::BlockMappingStart,
            "mapping keys are not allowed in this context",
        )?;
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.fetch_indicator(TokenKind::Key, 1);
        Ok(())
    }

    pub(super) fn fetch_value(&mut self) -> Result<(), Error> {
        let last = self.simple_keys.len() - 1;
        if self.simple_key_is_valid(last)? {
            self.fetch_simple_key(last)?;
            self.simple_key_allowed = false;
        } else {
            self.roll_indent_here(
                TokenKind::BlockMappingStart,
                "mapping values are not allowed in this context",
            )?;
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.fetch_indicator(TokenKind::Value, 1);
        Ok(())
    }

    /// Puts the key token, and the start of its mapping, where the key began.
    fn fetch_simple_key(&mut self, last: usize) -> Result<(), Error> {
        let key = self.simple_keys[last];
        let at_key = |kind| {
            let pos = key.pos as u32;
            Token { line: key.line, start: pos, end: pos, ..self.token(kind, key.pos) }
        };
        let (key_token, mapping) = (at_key(TokenKind::Key), at_key(TokenKind::BlockMappingStart));
        self.insert_before(key.token, key_token);
        self.roll_indent(key.column, mapping, Some(key.token))?;
        self.simple_keys[last].possible = false;
        self.forget_key_of(key.token);
        Ok(())
    }
}
