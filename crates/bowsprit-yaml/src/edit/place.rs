//! Where edits write.

use super::text;
use crate::syntax::{SyntaxNode, SyntaxStyle};
use bowsprit_value::{Str, Value};
use std::ops::Range;

/// A document is written in a way that isn't provided for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Odd;

/// A piece of the source and what comes in its place.
#[derive(Debug)]
pub(crate) struct Splice {
    pub(crate) range: Range<usize>,
    pub(crate) text: Vec<u8>,
}

impl Splice {
    /// Lines that follow what stands before the range.
    pub(super) fn lines_at_end(
        source: &[u8],
        range: Range<usize>,
        lines: Vec<u8>,
        newline: &str,
    ) -> Splice {
        let mut text = Vec::with_capacity(lines.len() + 2);
        let at_line_start = range.start == 0 || source.get(range.start - 1) == Some(&b'\n');
        if at_line_start {
            text.extend_from_slice(&lines);
            if range.is_empty() {
                text.extend_from_slice(newline.as_bytes());
            }
        } else {
            text.extend_from_slice(newline.as_bytes());
            text.extend_from_slice(&lines);
        }
        Splice { range, text }
    }
}

/// The source with all pieces replaced; `None` where they overlap.
pub(super) fn spliced(source: &[u8], mut splices: Vec<Splice>) -> Option<Vec<u8>> {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let more: usize = splices.iter().map(|splice| splice.text.len()).sum();
    let mut out = Vec::with_capacity(source.len() + more);
    let mut at = 0;
    for splice in splices {
        out.extend_from_slice(source.get(at..splice.range.start)?);
        out.extend_from_slice(&splice.text);
        at = splice.range.end;
    }
    out.extend_from_slice(source.get(at..)?);
    Some(out)
}

/// The line break at an offset, or the one before it: a text may mix two kinds.
pub(super) fn newline_at(source: &[u8], at: usize) -> Option<&'static str> {
    let before = |back: usize| at.checked_sub(back).and_then(|at| source.get(at).copied());
    match (source.get(at), before(1), before(2)) {
        (Some(b'\r'), ..) => Some("\r\n"),
        (Some(b'\n'), ..) => Some("\n"),
        (_, Some(b'\n'), Some(b'\r')) => Some("\r\n"),
        (_, Some(b'\n'), _) => Some("\n"),
        _ => None,
    }
}

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Where the line begins on which an offset is, behind a byte order mark.
fn line_start(source: &[u8], at: usize) -> usize {
    let before = source.get(..at).unwrap_or_default();
    match before.iter().rposition(|b| *b == b'\n') {
        Some(newline) => newline + 1,
        None if before.starts_with(MARK) => MARK.len(),
        None => 0,
    }
}

/// Where the line ends on which an offset is, before its line break.
fn line_end(source: &[u8], at: usize) -> usize {
    let rest = source.get(at..).unwrap_or_default();
    let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    let cr = rest.get(..end).is_some_and(|line| line.ends_with(b"\r")) && end < rest.len();
    at + end - usize::from(cr)
}

fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|b| matches!(b, b' ' | b'\t' | b'\r'))
}

/// True for nothing, blanks, or a comment behind blanks.
fn is_blank_or_comment(text: &[u8]) -> bool {
    let rest = text.trim_ascii_start();
    rest.is_empty() || (rest.starts_with(b"#") && rest.len() < text.len())
}

/// The end of the line on which a node's key or a node ends, if nothing but a comment follows.
fn clean_line_end(source: &[u8], at: usize) -> Result<usize, Odd> {
    let end = line_end(source, at);
    let rest = source.get(at..end).unwrap_or_default();
    let single = !rest.iter().any(|b| *b == b'\r' || !b.is_ascii());
    // A comment may say anything; a line break of another alphabet would end it.
    let comment_only = is_blank_or_comment(rest);
    if comment_only && (single || !has_odd_break(rest)) { Ok(end) } else { Err(Odd) }
}

fn has_odd_break(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}'])
}

/// Where lines of a new collection go that is to be the value of a key in block style, and the key's
/// column; `None` where the value is better written in braces.
pub(super) fn below(
    source: &[u8],
    key: SyntaxNode<'_>,
    node: SyntaxNode<'_>,
) -> Option<(Range<usize>, usize)> {
    let (prefix, column) = prefix(source, key).ok()?;
    if prefix == Prefix::Other || in_flow(key) {
        return None;
    }
    let span = node.span();
    if span.is_empty() {
        // Behind the colon, or behind the comment that follows it.
        let colon = source.get(..span.start)?.last() == Some(&b':');
        let end = clean_line_end(source, span.start).ok().filter(|_| colon)?;
        return Some((end..end, column));
    }
    let written = source.get(span.clone())?;
    let empty = written.starts_with(b"{") && written.ends_with(b"}") && {
        let inner = written.get(1..written.len() - 1).unwrap_or_default();
        inner.iter().all(|b| *b == b' ')
    };
    if !empty {
        return None;
    }
    let between = source.get(key.span().end..span.start)?;
    let blanks = between.iter().rev().take_while(|b| **b == b' ').count();
    if between.get(..between.len() - blanks)?.trim_ascii() != b":" {
        return None;
    }
    let end = line_end(source, span.end);
    let rest = source.get(span.end..end)?;
    is_blank(rest).then_some((span.start - blanks..end, column))
}

/// Whether a node stands in a collection in brackets.
pub(super) fn in_flow(node: SyntaxNode<'_>) -> bool {
    let nodes = node.tree.nodes.get(..node.index).unwrap_or_default();
    let mut around = nodes.iter().rev().filter(|n| n.next as usize > node.index);
    around.any(|n| n.flow)
}

/// A text in place of a node.
pub(super) fn instead(
    source: &[u8],
    key: Option<SyntaxNode<'_>>,
    node: SyntaxNode<'_>,
    mut text: Vec<u8>,
    newline: &str,
) -> Result<Splice, Odd> {
    let range = node.span();
    if let (Some(key), SyntaxStyle::Block) = (key, node.style()) {
        // The lines of a collection may be indented too little for a scalar.
        let start = key.span().end;
        let between = source.get(start..range.start).ok_or(Odd)?;
        let colon = between.iter().position(|b| *b == b':').ok_or(Odd)?;
        if !between.trim_ascii_end().ends_with(b":") {
            return Err(Odd);
        }
        text.insert(0, b' ');
        return Ok(Splice { range: start + colon + 1..range.end, text });
    }
    if range.is_empty() {
        let before = source.get(..range.start).unwrap_or_default();
        // An empty value in flow style may stand behind blanks.
        let blanks = before.iter().rev().take_while(|b| **b == b' ').count();
        match before.len().checked_sub(blanks + 1).and_then(|at| before.get(at)) {
            Some(b':' | b'-') if blanks == 0 => text.insert(0, b' '),
            Some(b':' | b'-') => {}
            _ => return Err(Odd),
        }
        return Ok(Splice { range, text });
    }
    let block = matches!(node.style(), SyntaxStyle::Literal | SyntaxStyle::Folded);
    if block && source.get(range.end - 1) == Some(&b'\n') {
        text.extend_from_slice(newline.as_bytes());
    }
    Ok(Splice { range, text })
}

/// Entries behind the opening brace.
pub(super) fn into_flow(
    source: &[u8],
    node: SyntaxNode<'_>,
    entries: &[(Str, Value)],
) -> Result<Splice, Odd> {
    let first = node.entries().next();
    let root = node.tree.nodes.first().is_some_and(|root| root.flow);
    let json = match first {
        Some((key, _)) => key.style() == SyntaxStyle::DoubleQuoted,
        None => root,
    };
    let texts: Result<Vec<Vec<u8>>, Odd> =
        entries.iter().map(|(key, value)| text::entry(key, value, json)).collect();
    let Some((key, _)) = first else {
        // `{` comes behind anchor and tag.
        let written = source.get(node.span()).unwrap_or_default();
        let brace = written.iter().position(|b| *b == b'{').ok_or(Odd)?;
        let at = node.span().start + brace + 1;
        return Ok(Splice { range: at..at, text: texts?.join(&b", "[..]) });
    };
    let at = key.span().start;
    let line = line_start(source, at);
    let lead = source.get(line..at).unwrap_or_default();
    let separator = if is_blank(lead) && line > node.span().start {
        let mut separator = b",\n".to_vec();
        if source.get(..line).is_some_and(|before| before.ends_with(b"\r\n")) {
            separator = b",\r\n".to_vec();
        }
        separator.extend_from_slice(lead);
        separator
    } else {
        b", ".to_vec()
    };
    let before = source.get(..at).unwrap_or_default().trim_ascii_end();
    if !before.ends_with(b"{") && !has_comment(source, node.span().start, at) {
        return Err(Odd);
    }
    let mut text = texts?.join(&separator[..]);
    text.extend_from_slice(&separator);
    Ok(Splice { range: at..at, text })
}

/// Whether a comment may stand between two offsets.
fn has_comment(source: &[u8], from: usize, to: usize) -> bool {
    source.get(from..to).is_some_and(|text| text.contains(&b'#'))
}

/// What stands before a key on its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Prefix {
    Blank,
    /// The dashes of sequences.
    Dashes,
    Other,
}

fn prefix(source: &[u8], key: SyntaxNode<'_>) -> Result<(Prefix, usize), Odd> {
    let start = key.span().start;
    let line = line_start(source, start);
    let before = source.get(line..start).ok_or(Odd)?;
    let kind = if before.iter().all(|b| *b == b' ') {
        Prefix::Blank
    } else if before.iter().all(|b| matches!(b, b' ' | b'-')) && before.ends_with(b" ") {
        Prefix::Dashes
    } else {
        Prefix::Other
    };
    Ok((kind, before.len()))
}

/// A place between the entries of a mapping in block style.
#[derive(Debug)]
pub(super) struct Site {
    at: usize,
    column: usize,
    kind: SiteKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SiteKind {
    /// At the start of a line.
    Line,
    /// Before a key that something else stands before.
    Inline,
    /// At the end of a line, which may be the source's end too.
    End,
}

impl Site {
    pub(super) fn splice(
        &self,
        source: &[u8],
        entries: &[(Str, Value)],
        newline: &str,
    ) -> Result<Splice, Odd> {
        let range = self.at..self.at;
        let newline = newline_at(source, self.at).unwrap_or(newline);
        let mut text = text::entry_lines(entries, self.column, newline)?;
        match self.kind {
            SiteKind::End => return Ok(Splice::lines_at_end(source, range, text, newline)),
            SiteKind::Line => text.extend_from_slice(newline.as_bytes()),
            SiteKind::Inline => {
                text.drain(..self.column.min(text.len()));
                text.extend_from_slice(newline.as_bytes());
                text.resize(text.len() + self.column, b' ');
            }
        }
        Ok(Splice { range, text })
    }
}

/// Entries that go to one place.
type Entries = Vec<(Str, Value)>;

/// Finds the places for new entries: those that keep the keys sorted if they are, otherwise the end.
pub(super) fn sites(
    source: &[u8],
    node: SyntaxNode<'_>,
    new: &[(Str, Value)],
) -> Result<Vec<(Site, Entries)>, Odd> {
    let entries: Vec<(SyntaxNode<'_>, SyntaxNode<'_>)> = node.entries().collect();
    let sorted = entries.is_sorted_by(|a, b| a.0.text() < b.0.text());
    let mut sites: Vec<(usize, Entries)> = Vec::new();
    for entry in new {
        let before = entries.iter().position(|(key, _)| key.text() > entry.0.as_bytes());
        let index = before.filter(|_| sorted).unwrap_or(entries.len());
        match sites.last_mut() {
            Some((last, list)) if *last == index => list.push(entry.clone()),
            _ => sites.push((index, vec![entry.clone()])),
        }
    }
    let site = |(index, list)| Ok((site(source, node, &entries, index)?, list));
    sites.into_iter().map(site).collect()
}

fn site(
    source: &[u8],
    node: SyntaxNode<'_>,
    entries: &[(SyntaxNode<'_>, SyntaxNode<'_>)],
    index: usize,
) -> Result<Site, Odd> {
    let (first, _) = entries.first().ok_or(Odd)?;
    let (kind, column) = prefix(source, *first)?;
    if kind == Prefix::Other {
        return Err(Odd);
    }
    if index == entries.len()
        && let Some(at) = end_of(source, node)?
    {
        return Ok(Site { at, column, kind: SiteKind::End });
    }
    let index = if index == entries.len() { 0 } else { index };
    let (key, _) = entries.get(index).ok_or(Odd)?;
    if prefix(source, *key)?.0 == Prefix::Dashes {
        return Ok(Site { at: key.span().start, column, kind: SiteKind::Inline });
    }
    if prefix(source, *key)? != (Prefix::Blank, column) {
        return Err(Odd);
    }
    let bound = match index.checked_sub(1).and_then(|before| entries.get(before)) {
        Some((_, value)) => value.span().end,
        None => before_first(node),
    };
    let at = above_comments(source, line_start(source, key.span().start), bound, column);
    Ok(Site { at, column, kind: SiteKind::Line })
}

/// Where the node before a mapping ends: the key whose value it is.
fn before_first(node: SyntaxNode<'_>) -> usize {
    let before = node.index.checked_sub(1).and_then(|index| node.tree.nodes.get(index));
    match before {
        Some(before) => before.end as usize,
        None => usize::MAX,
    }
}

/// Goes up over the comments that stand right above a line and belong to it.
fn above_comments(source: &[u8], mut line: usize, bound: usize, column: usize) -> usize {
    while line > 0 && bound < line {
        let above = line_start(source, line - 1);
        let text = source.get(above..line).unwrap_or_default();
        let indent = text.iter().take_while(|b| **b == b' ').count();
        if above < bound || indent != column || text.get(indent) != Some(&b'#') {
            break;
        }
        line = above;
    }
    line
}

/// Behind the last entry of a mapping; `None` where a line there would become part of a scalar.
fn end_of(source: &[u8], node: SyntaxNode<'_>) -> Result<Option<usize>, Odd> {
    let end = node.span().end;
    let last = node.tree.nodes.get(node.tree.after(node.index).saturating_sub(1)).ok_or(Odd)?;
    let scalar =
        SyntaxNode::at(node.tree, node.tree.after(node.index).saturating_sub(1)).ok_or(Odd)?;
    let block = matches!(scalar.style(), SyntaxStyle::Literal | SyntaxStyle::Folded);
    if block && last.end as usize >= end {
        let closed = source.get(..last.end as usize).is_some_and(|text| text.ends_with(b"\n"));
        return Ok(closed.then_some(last.end as usize));
    }
    clean_line_end(source, end).map(Some)
}
