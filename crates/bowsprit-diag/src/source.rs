//! A named text, places in it, and its lines.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A byte range in a text. Spans beyond the text are cut to it where they are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The offset of the first byte.
    pub start: usize,
    /// The offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to `end`.
    pub const fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// The place before a byte.
    pub const fn at(offset: usize) -> Span {
        Span { start: offset, end: offset }
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Span {
        Span { start: range.start, end: range.end }
    }
}

/// Where something stands, as people count: lines and columns from 1, columns in characters.
///
/// ```
/// use bowsprit_diag::Source;
///
/// let place = Source::new("a", "é\nüx").position(5);
/// assert_eq!(place.to_string(), "2:2");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A text and the name under which people know it. Cloning is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct Source(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    name: String,
    text: Arc<[u8]>,
    /// The offset of each line's first byte.
    starts: Vec<usize>,
}

impl Source {
    /// A text under a name, which is a path where there is one.
    pub fn new(name: impl Into<String>, text: impl AsRef<[u8]>) -> Source {
        Source::shared(name, Arc::from(text.as_ref()))
    }

    /// The same of a text that others hold too.
    pub fn shared(name: impl Into<String>, text: Arc<[u8]>) -> Source {
        let newlines = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let starts = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        Source(Arc::new(Inner { name: name.into(), text, starts }))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The text.
    pub fn text(&self) -> &[u8] {
        &self.0.text
    }

    /// How many lines the text has. A text that ends with a newline has an empty last one.
    pub fn line_count(&self) -> usize {
        self.0.starts.len()
    }

    /// The bytes of a line, from 1, without its end; none for a line that is not there.
    pub fn line(&self, line: usize) -> Option<&[u8]> {
        let span = self.line_span(line)?;
        self.text().get(span.start..span.end)
    }

    /// Where a line stands, without its end.
    pub fn line_span(&self, line: usize) -> Option<Span> {
        let start = *self.0.starts.get(line.checked_sub(1)?)?;
        let end = self.0.starts.get(line).map_or(self.text().len(), |next| next - 1);
        let text = self.text().get(start..end)?;
        Some(Span::new(start, end - usize::from(text.ends_with(b"\r"))))
    }

    /// The line that an offset lies in, from 1.
    pub fn line_at(&self, offset: usize) -> usize {
        self.0.starts.partition_point(|start| *start <= offset).max(1)
    }

    /// Where an offset lies.
    pub fn position(&self, offset: usize) -> Position {
        let line = self.line_at(offset);
        let start = self.0.starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text().get(start..offset.min(self.text().len())).unwrap_or_default();
        Position { line, column: 1 + String::from_utf8_lossy(before).chars().count() }
    }

    /// The offset of a line, from 1, and a column in bytes, from 0; the nearest that the text has.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let line = line.clamp(1, self.line_count());
        let span = self.line_span(line).unwrap_or_default();
        span.start.saturating_add(column).min(span.end)
    }

    /// A line without the blanks around it, as the span of what is there.
    pub fn trimmed_line(&self, line: usize) -> Span {
        let span = self.line_span(line).unwrap_or(Span::at(self.text().len()));
        let text = self.text().get(span.start..span.end).unwrap_or_default();
        let left = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
        let right = text.iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
        Span::new(span.start + left, (span.end - right).max(span.start + left))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns() {
        let source = Source::new("a", "one\r\n  two \n\nend");
        let lines: Vec<_> = (1..=4).map(|line| source.line(line).unwrap()).collect();
        assert_eq!(lines, [&b"one"[..], b"  two ", b"", b"end"]);
        assert_eq!((source.line(0), source.line(5), source.line_count()), (None, None, 4));
        for (offset, want) in [(0, "1:1"), (3, "1:4"), (5, "2:1"), (8, "2:4"), (12, "3:1")] {
            assert_eq!(source.position(offset).to_string(), want, "{offset}");
        }
        assert_eq!(source.position(99).to_string(), "4:4");
        assert_eq!((source.offset(2, 2), source.offset(2, 99), source.offset(9, 0)), (7, 11, 13));
        assert_eq!(source.trimmed_line(2), Span::new(7, 10));
        assert_eq!(source.trimmed_line(3), Span::at(12));
        assert_eq!(Source::new("", "").position(0).to_string(), "1:1");
    }
}
