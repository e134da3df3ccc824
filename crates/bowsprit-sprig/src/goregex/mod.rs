//! Go's regular expressions: package regexp of Go 1.26, as sprig's functions use it.
//!
//! Syntax, error texts, priorities of matches, the rules for empty matches and the treatment of
//! bytes that are not UTF-8 (each counts as one U+FFFD) are Go's. A search takes time at most
//! proportional to text times pattern. The regex crate would need its syntax translated and its
//! rules for empty matches replaced, and takes several times as long to compile a pattern that a
//! chart uses once.
//!
//! Known differences: a pattern of more than 500,000 instructions, or with very many groups or
//! class ranges, is refused as `expression too large`; Go's limits are higher.

mod class;
mod error;
mod expand;
mod parse;
mod program;
mod search;
mod syntax;
mod tables;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub use error::{Error, ErrorCode};

use expand::Template;
use program::Program;
use search::{Counter, Searcher, Text};

/// Takes note of work in steps; an error stops the search, which passes it on.
pub type Charge<'c, E> = dyn FnMut(u64) -> Result<(), E> + 'c;

/// A compiled regular expression.
///
/// A single search takes time at most proportional to text times pattern, but a hostile pattern
/// makes even that long, and finding all matches may take as many searches as the text has bytes.
/// So every search charges for its work, from time to time and at the end.
#[derive(Clone, Debug)]
pub struct GoRegex {
    program: Program,
    /// Whether the pattern is the empty one, on which `split` depends.
    empty: bool,
}

impl GoRegex {
    /// Compiles a pattern. The error's text is Go's.
    pub fn compile(pattern: impl AsRef<[u8]>) -> Result<GoRegex, Error> {
        let pattern = pattern.as_ref();
        Ok(GoRegex { program: Program::new(parse::parse(pattern)?), empty: pattern.is_empty() })
    }

    /// How many instructions the pattern takes, for those who charge for compiling.
    pub fn size(&self) -> usize {
        self.program.insts.len()
    }

    /// Whether the text contains a match: `MatchString`.
    pub fn is_match<E>(&self, text: &[u8], charge: &mut Charge<'_, E>) -> Result<bool, E> {
        Ok(self.find(text, charge)?.is_some())
    }

    /// Where the leftmost match lies: `FindStringIndex`.
    pub fn find<E>(
        &self,
        text: &[u8],
        charge: &mut Charge<'_, E>,
    ) -> Result<Option<Range<usize>>, E> {
        let mut searcher = self.searcher(Text::new(text), 0, charge)?;
        let found = searcher.find(0)?;
        searcher.counter.settle()?;
        Ok(found.map(|(start, end)| start..end))
    }

    /// The first `n` matches, all of them if `n` is negative: `FindAllString`. Where this is
    /// empty, Go's result is nil.
    pub fn find_all<'t, E>(
        &self,
        text: &'t [u8],
        n: i64,
        charge: &mut Charge<'_, E>,
    ) -> Result<Vec<&'t [u8]>, E> {
        let mut found = Vec::new();
        self.all_matches(text, n, charge, |range| {
            found.push(text.get(range).unwrap_or_default());
        })?;
        Ok(found)
    }

    /// The text with all matches replaced by the template, in which `$1`, `${1}`, `$name` and
    /// `${name}` stand for groups and `$$` for a dollar sign: `ReplaceAllString`.
    pub fn replace_all<E>(
        &self,
        text: &[u8],
        template: &[u8],
        charge: &mut Charge<'_, E>,
    ) -> Result<Vec<u8>, E> {
        if !template.contains(&b'$') {
            return self.replace_all_literal(text, template, charge);
        }
        let template = Template::parse(template, &self.program.groups);
        self.replace(text, &template, charge)
    }

    /// The text with all matches replaced by `replacement` as it is: `ReplaceAllLiteralString`.
    pub fn replace_all_literal<E>(
        &self,
        text: &[u8],
        replacement: &[u8],
        charge: &mut Charge<'_, E>,
    ) -> Result<Vec<u8>, E> {
        self.replace(text, &Template::literal(replacement), charge)
    }

    /// The pieces of the text between matches, at most `n` of them unless `n` is negative:
    /// `Split`. `None` where Go's result is nil, which is if `n` is 0.
    pub fn split<'t, E>(
        &self,
        text: &'t [u8],
        n: i64,
        charge: &mut Charge<'_, E>,
    ) -> Result<Option<Vec<&'t [u8]>>, E> {
        if n == 0 {
            return Ok(None);
        }
        if text.is_empty() && !self.empty {
            return Ok(Some(vec![text]));
        }
        let mut pieces: Vec<&[u8]> = Vec::new();
        let (mut begin, mut end, mut full) = (0, 0, false);
        self.all_matches(text, n, charge, |range| {
            full = full || usize::try_from(n).is_ok_and(|n| pieces.len() + 1 >= n);
            if full {
                return;
            }
            end = range.start;
            if range.end != 0 {
                pieces.push(text.get(begin..end).unwrap_or_default());
            }
            begin = range.end;
        })?;
        if end != text.len() {
            pieces.push(text.get(begin..).unwrap_or_default());
        }
        Ok(Some(pieces))
    }

    fn searcher<'p, 't, 'c, E>(
        &'p self,
        text: Text<'t>,
        groups: usize,
        charge: &'c mut Charge<'c, E>,
    ) -> Result<Searcher<'p, 't, 'c, E>, E> {
        let mut counter = Counter::new(charge);
        // What looking through the bytes costs.
        counter.count(text.bytes.len() as u64 / 8 + 1)?;
        Ok(Searcher::new(&self.program, text, groups, counter))
    }

    /// Calls `deliver` with the first `n` matches. Go drops an empty match that touches the match
    /// before it.
    fn all_matches<E>(
        &self,
        text: &[u8],
        n: i64,
        charge: &mut Charge<'_, E>,
        mut deliver: impl FnMut(Range<usize>),
    ) -> Result<(), E> {
        let text = Text::new(text);
        let mut left = usize::try_from(n).unwrap_or(usize::MAX);
        let mut searcher = self.searcher(text, 0, charge)?;
        let mut at = 0;
        let mut previous_end = None;
        while left > 0 && at <= text.bytes.len() {
            let Some((start, end)) = searcher.find(at)? else {
                break;
            };
            let mut accepted = true;
            if end == at {
                accepted = previous_end != Some(start);
                at += text.rune(at).1.max(1);
            } else {
                at = end;
            }
            previous_end = Some(end);
            if accepted {
                deliver(start..end);
                left -= 1;
            }
        }
        searcher.counter.settle()
    }

    /// Replaces all matches by what the template makes of them.
    fn replace<E>(
        &self,
        text: &[u8],
        template: &Template<'_>,
        charge: &mut Charge<'_, E>,
    ) -> Result<Vec<u8>, E> {
        let text = Text::new(text);
        let mut searcher = self.searcher(text, template.groups(), charge)?;
        let mut out = Vec::with_capacity(text.bytes.len());
        let (mut copied, mut at) = (0, 0);
        while at <= text.bytes.len() {
            let Some((start, end)) = searcher.find(at)? else {
                break;
            };
            out.extend_from_slice(text.bytes.get(copied..start).unwrap_or_default());
            // An empty match right after a match does not count.
            if end > copied || start == 0 {
                searcher.counter.count(template.cost())?;
                searcher.set_bounds(start, end);
                template.expand(&mut out, text.bytes, &searcher.slots);
            }
            copied = end;
            let (_, len) = text.rune(at);
            at = if at + len > end { at + len } else { end.max(at + 1) };
        }
        out.extend_from_slice(text.bytes.get(copied..).unwrap_or_default());
        searcher.counter.settle()?;
        Ok(out)
    }
}

/// The text with a backslash before every character that means something in a pattern.
pub fn quote_meta(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len() + 8);
    for &byte in text {
        if b"\\.+*?()|[]{}^$".contains(&byte) {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted
}
