//! libyaml's emitter for scalars and indentation, in block style.

use super::style::{Analysis, is_printable};
use crate::order::Dialect;
use crate::scan::{break_width, width};
use crate::tree::Style;
use bowsprit_value::unicode::decode_rune;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The output, and where it stands.
#[derive(Debug)]
pub(crate) struct Writer<'o> {
    pub(crate) out: &'o mut Vec<u8>,
    /// Characters on the current line.
    column: usize,
    /// A blank after this column becomes a line break.
    width: usize,
    whitespace: bool,
    /// Only indentation and indicators stand on the current line.
    pub(crate) indention: bool,
    dialect: Dialect,
    /// What is written is read and written again by goyaml v3.
    rewritten: bool,
}

const SPACES: &[u8] = &[b' '; 64];

impl<'o> Writer<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>, dialect: Dialect) -> Writer<'o> {
        let width = if dialect == Dialect::V3 { usize::MAX } else { 80 };
        Writer {
            out,
            column: 0,
            width,
            whitespace: true,
            indention: true,
            dialect,
            rewritten: false,
        }
    }

    /// Writes what goyaml v3 makes of the text: it keeps styles and breaks no lines.
    pub(crate) fn rewrite(&mut self) {
        self.rewritten = true;
        self.width = usize::MAX;
    }

    fn put(&mut self, b: u8) {
        self.out.push(b);
        self.column += 1;
    }

    fn put_break(&mut self) {
        self.out.push(b'\n');
        self.column = 0;
    }

    fn put_all(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
        self.column += if text.is_ascii() { text.len() } else { chars(text) };
    }

    /// Copies the character at an index; gives the index after it.
    fn copy(&mut self, value: &[u8], i: usize) -> usize {
        let next = i + value.get(i).map_or(1, |&b| width(b));
        self.out.extend_from_slice(value.get(i..next).unwrap_or_default());
        self.column += 1;
        next
    }

    /// Copies the line break at an index; gives the index after it.
    fn copy_break(&mut self, value: &[u8], i: usize) -> usize {
        let next = i + break_width(value, i).max(1);
        self.out.extend_from_slice(value.get(i..next).unwrap_or_default());
        self.column = 0;
        next
    }

    /// Goes to a column, on a new line unless nothing but indentation stands on this one.
    pub(crate) fn write_indent(&mut self, indent: usize) {
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        while self.column < indent {
            let n = (indent - self.column).min(SPACES.len());
            self.out.extend_from_slice(SPACES.get(..n).unwrap_or_default());
            self.column += n;
        }
        self.whitespace = true;
        self.indention = true;
    }

    /// `-`, `?`, and the `:` after a `?`: more may follow on the same line as if it were indentation.
    pub(crate) fn write_entry_indicator(&mut self, indicator: u8) {
        self.separate();
        self.put(indicator);
        self.whitespace = false;
    }

    /// The `:` after a simple key.
    pub(crate) fn write_colon(&mut self) {
        self.put(b':');
        self.whitespace = false;
        self.indention = false;
    }

    fn separate(&mut self) {
        if !self.whitespace {
            self.put(b' ');
        }
    }

    /// Text that no style can object to: numbers, `null`, `[]`.
    pub(crate) fn write_word(&mut self, text: &[u8]) {
        self.separate();
        self.put_all(text);
        self.whitespace = false;
        self.indention = false;
    }

    /// Writes a scalar in the style asked for, or in the next one that the text allows.
    pub(crate) fn write_scalar(
        &mut self,
        value: &[u8],
        analysis: Analysis,
        wish: Style,
        place: Place,
    ) {
        let mut style = select(value, analysis, wish, place.simple_key);
        if self.rewritten {
            let analysis = Analysis::of(value, Dialect::V3);
            style = select(value, analysis, style, place.simple_key);
        }
        match style {
            Style::Plain => self.write_plain(value, place),
            Style::SingleQuoted => self.write_single_quoted(value, place),
            Style::Literal => self.write_literal(value, place.indent),
            Style::DoubleQuoted | Style::Folded => self.write_double_quoted(value, place),
        }
    }

    /// Whether a text of this many bytes may be copied without looking for blanks to break at.
    fn fits(&self, len: usize, place: Place) -> bool {
        place.simple_key || self.column.saturating_add(len) <= self.width
    }

    fn write_plain(&mut self, value: &[u8], place: Place) {
        self.separate();
        if self.fits(value.len(), place) {
            self.put_all(value);
        } else {
            self.write_folded_words(value, place);
        }
        self.whitespace = false;
        self.indention = false;
    }

    /// A plain value has no line breaks: it is words between which the line may be broken.
    fn write_folded_words(&mut self, value: &[u8], place: Place) {
        let mut after_space = false;
        let mut i = 0;
        while let Some(&b) = value.get(i) {
            if b != b' ' {
                self.indention = false;
                i = self.copy(value, i);
            } else if !after_space && self.column > self.width && value.get(i + 1) != Some(&b' ') {
                self.write_indent(place.indent);
                i += 1;
            } else {
                i = self.copy(value, i);
            }
            after_space = b == b' ';
        }
    }

    fn quote(&mut self, quote: u8) {
        self.separate();
        self.put(quote);
        self.whitespace = false;
        self.indention = false;
    }

    fn unquote(&mut self, quote: u8) {
        self.put(quote);
        self.whitespace = false;
        self.indention = false;
    }

    fn write_single_quoted(&mut self, value: &[u8], place: Place) {
        self.quote(b'\'');
        let (mut after_space, mut after_break) = (false, false);
        let mut i = 0;
        while let Some(&b) = value.get(i) {
            if b == b' ' {
                let inside = i > 0 && i + 1 < value.len();
                let alone = !after_space && value.get(i + 1) != Some(&b' ');
                if !place.simple_key && alone && inside && self.column > self.width {
                    self.write_indent(place.indent);
                    i += 1;
                } else {
                    i = self.copy(value, i);
                }
                after_space = true;
            } else if break_width(value, i) > 0 {
                if !after_break && b == b'\n' {
                    self.put_break();
                }
                i = self.copy_break(value, i);
                self.indention = true;
                after_break = true;
            } else {
                if after_break {
                    self.write_indent(place.indent);
                }
                if b == b'\'' {
                    self.put(b'\'');
                }
                i = self.copy(value, i);
                self.indention = false;
                after_space = false;
                after_break = false;
            }
        }
        self.unquote(b'\'');
    }

    fn write_double_quoted(&mut self, value: &[u8], place: Place) {
        self.quote(b'"');
        // libyaml looks for a byte order mark at the start of the value wherever it is.
        let escape_all = value.starts_with(BOM);
        let mut after_space = false;
        let mut i = 0;
        while let Some(&b) = value.get(i) {
            let escape = escape_all
                || matches!(b, b'"' | b'\\')
                || !is_printable(value, i)
                || break_width(value, i) > 0;
            if escape {
                i = self.write_escape(value, i);
                after_space = false;
            } else if b == b' ' {
                let inside = i > 0 && i + 1 < value.len();
                if !place.simple_key && !after_space && inside && self.column > self.width {
                    self.write_indent(place.indent);
                    if value.get(i + 1) == Some(&b' ') {
                        self.put(b'\\');
                    }
                    i += 1;
                } else {
                    i = self.copy(value, i);
                }
                after_space = true;
            } else {
                i = self.copy(value, i);
                after_space = false;
            }
        }
        self.unquote(b'"');
    }

    fn write_escape(&mut self, value: &[u8], i: usize) -> usize {
        let (c, width) = decode_rune(value.get(i..).unwrap_or_default());
        self.put(b'\\');
        let code = u32::from(c);
        let short = match code {
            0x00 => b'0',
            0x07 => b'a',
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0b => b'v',
            0x0c => b'f',
            0x0d => b'r',
            0x1b => b'e',
            0x22 => b'"',
            0x5c => b'\\',
            0x85 => b'N',
            0xa0 => b'_',
            0x2028 => b'L',
            0x2029 => b'P',
            _ => 0,
        };
        if short != 0 {
            self.put(short);
        } else {
            let text = match code {
                0..=0xff => format!("x{code:02X}"),
                0x100..=0xffff => format!("u{code:04X}"),
                _ => format!("U{code:08X}"),
            };
            self.put_all(text.as_bytes());
        }
        i + width.max(1)
    }

    fn write_literal(&mut self, value: &[u8], indent: usize) {
        self.separate();
        self.put(b'|');
        if value.first() == Some(&b' ') || break_width(value, 0) > 0 {
            self.put(b'2');
        }
        if let Some(chomp) = chomp_hint(value) {
            self.put(chomp);
        }
        self.put_break();
        self.whitespace = true;
        self.indention = true;
        let mut rest = value;
        let mut after_break = true;
        while !rest.is_empty() {
            let line =
                rest.iter().take_while(|b| !matches!(b, b'\n' | b'\r' | 0xc2 | 0xe2)).count();
            let line = line_end(rest, line);
            if line > 0 {
                if after_break {
                    self.write_indent(indent);
                }
                self.put_all(rest.get(..line).unwrap_or_default());
                self.indention = false;
                after_break = false;
            }
            rest = rest.get(line..).unwrap_or_default();
            if !rest.is_empty() {
                let next = self.copy_break(rest, 0);
                self.indention = true;
                after_break = true;
                rest = rest.get(next..).unwrap_or_default();
            }
        }
    }
}

/// Where the line really ends that might end at `at`.
fn line_end(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && break_width(text, at) == 0 {
        at += 1;
    }
    at
}

fn chars(text: &[u8]) -> usize {
    text.iter().filter(|&&b| b & 0xc0 != 0x80).count()
}

/// The sign for the line breaks at the end: none for exactly one.
fn chomp_hint(value: &[u8]) -> Option<u8> {
    let before = |end: usize| {
        let mut at = end.checked_sub(1)?;
        while at > 0 && value.get(at).is_some_and(|b| b & 0xc0 == 0x80) {
            at -= 1;
        }
        Some(at)
    };
    let Some(last) = before(value.len()) else { return Some(b'-') };
    if break_width(value, last) == 0 {
        return Some(b'-');
    }
    match before(last) {
        None => Some(b'+'),
        Some(at) => (break_width(value, at) > 0).then_some(b'+'),
    }
}

/// Where a scalar stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The column of the lines after the first.
    pub(crate) indent: usize,
    /// A key that must stay on its line.
    pub(crate) simple_key: bool,
}

fn select(value: &[u8], analysis: Analysis, wish: Style, simple_key: bool) -> Style {
    let mut style = wish;
    if simple_key && analysis.multiline {
        style = Style::DoubleQuoted;
    }
    if style == Style::Plain && (!analysis.plain || (value.is_empty() && simple_key)) {
        style = Style::SingleQuoted;
    }
    if style == Style::SingleQuoted && !analysis.single_quoted {
        style = Style::DoubleQuoted;
    }
    if style == Style::Literal && (!analysis.block || simple_key) {
        style = Style::DoubleQuoted;
    }
    style
}

impl Writer<'_> {
    /// Ends the document's last line.
    pub(crate) fn finish(&mut self) {
        self.write_indent(0);
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }
}
