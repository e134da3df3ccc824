//! A look at a document in plain block style, without making anything of it.
//!
//! Most rendered documents are block mappings and sequences of plain and quoted scalars, with literal
//! texts between them. [`skim`] goes over such a text once, line by line, and is sure that goyaml reads it
//! and JSON can hold it. It knows a part of YAML only, and errs to one side: whatever it does not know
//! (tags, merges, tabs, anchors in unusual places, all that is wrong) it leaves to [`crate::Document`].

use crate::resolve::{Resolved, resolve_plain};
use crate::scan::{break_width, is_plain_text};
use crate::tree::MAX_SOURCE;

/// Levels of nesting that are followed; definitions of custom resources have some forty.
const MAX_LEVELS: usize = 96;
/// Entries are told of down to here: those of the root, of its mappings, and of theirs.
const VISIBLE: usize = 3;
/// A key has to end within 1024 characters.
const MAX_KEY: usize = 1000;
/// Anchors that are kept in mind.
const MAX_ANCHORS: usize = 64;
/// What aliases stand for is decoded each time; with so many nodes in all goyaml begins to object to less
/// than 99 nodes behind aliases for each other one.
const MAX_DECODED: usize = 300_000;

/// The value of an entry that [`skim`] comes across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skimmed<'b> {
    /// Nothing stands there.
    Null,
    /// A mapping, whose entries follow.
    Mapping,
    /// A plain scalar that is a string.
    Text(&'b [u8]),
    /// A scalar in quotes, without them.
    Quoted(&'b [u8]),
    /// Anything else: a sequence, a number, a text over several lines, an alias.
    Other,
}

/// Goes over a text of one document. True where it is sure that goyaml and JSON take it; then `visit` has
/// got to know all entries of the root mapping and of the mappings below it, three levels deep, as they
/// come: the level from 0 on, the key, the value. Keys may come twice.
///
/// ```
/// use bowsprit_yaml::{Skimmed, skim};
///
/// let mut seen = Vec::new();
/// assert!(skim(b"a:\n  b: c # d\ne: 1\n", |level, key, value| seen.push((level, key, value))));
/// assert_eq!(
///     seen,
///     [
///         (0, &b"a"[..], Skimmed::Mapping),
///         (1, b"b", Skimmed::Text(b"c")),
///         (0, b"e", Skimmed::Other),
///     ]
/// );
/// assert!(!skim(b"a: b: c", |_, _, _| ()));
/// ```
pub fn skim<'b>(text: &'b [u8], visit: impl FnMut(usize, &'b [u8], Skimmed<'b>)) -> bool {
    if text.len() > MAX_SOURCE || !has_plain_lines(text) {
        return false;
    }
    let levels = [Level::default(); MAX_LEVELS];
    let mut skim = Skim {
        text,
        visit,
        levels,
        open: 0,
        sequences: 0,
        started: false,
        waiting: None,
        anchors: Vec::new(),
        anchored: false,
        nodes: 0,
        flow_nodes: 0,
        aliased: 0,
    };
    skim.lines().is_some()
}

/// Whether all characters are allowed and LF is the only one that ends a line.
fn has_plain_lines(text: &[u8]) -> bool {
    const BLOCK: usize = 64;
    let mut ascii = true;
    for block in text.chunks(BLOCK) {
        let odd = block
            .iter()
            .fold(false, |odd, &b| odd | ((b.wrapping_sub(0x20) >= 0x5f) & (b != b'\n')));
        if odd {
            if block.iter().any(|&b| (b < 0x20 && b != b'\n' && b != b'\t') || b == 0x7f) {
                return false;
            }
            ascii &= block.is_ascii();
        }
    }
    let breaks = |(at, &b): (usize, &u8)| b >= 0x80 && break_width(text, at) > 0;
    ascii || (is_plain_text(text) && !text.iter().enumerate().any(breaks))
}

#[derive(Clone, Copy, Default)]
struct Level {
    column: usize,
    sequence: bool,
}

/// A key or a dash whose value has not come yet.
#[derive(Clone, Copy)]
enum Waiting<'b> {
    Key(&'b [u8]),
    Item,
}

/// What an anchor names.
#[derive(Clone, Copy)]
struct Anchor<'b> {
    name: &'b [u8],
    /// How many containers were open around the value.
    open: usize,
    /// How many nodes had been decoded when the value began.
    begins: usize,
    /// How many it has, those behind aliases among them. It can't be referred to before it is complete.
    nodes: Option<usize>,
}

/// Where a plain scalar ends, and what ends it.
#[derive(Clone, Copy)]
enum End {
    Line(usize),
    Comment(usize),
    /// The colon behind a key.
    Colon(usize),
}

struct Skim<'b, V> {
    text: &'b [u8],
    visit: V,
    /// Open containers, the innermost last.
    levels: [Level; MAX_LEVELS],
    open: usize,
    /// How many of them are sequences.
    sequences: usize,
    started: bool,
    /// Belongs to the innermost container.
    waiting: Option<Waiting<'b>>,
    anchors: Vec<Anchor<'b>>,
    /// The value that is waited for has an anchor.
    anchored: bool,
    /// How many nodes have come, but for those of flow collections.
    nodes: usize,
    /// At least as many as flow collections have.
    flow_nodes: usize,
    /// At least as many as aliases have stood for.
    aliased: usize,
}

/// What ends a plain scalar or may do so.
static PLAIN_STOP: [bool; 256] = {
    let mut table = [false; 256];
    table[b'\n' as usize] = true;
    table[b'\t' as usize] = true;
    table[b':' as usize] = true;
    table[b'#' as usize] = true;
    table
};

/// What a plain scalar begins with that is neither an indicator nor rare.
const fn starts_plain(b: u8) -> bool {
    !matches!(
        b,
        b'?' | b':'
            | b','
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'#'
            | b'&'
            | b'*'
            | b'!'
            | b'|'
            | b'>'
            | b'\''
            | b'"'
            | b'%'
            | b'@'
            | b'`'
            | b' '
            | b'\t'
            | b'\n'
    )
}

/// Whether a key is a string, and none that merges.
fn is_text_key(key: &[u8]) -> bool {
    key.len() <= MAX_KEY && !key.starts_with(b"<<") && resolve_plain(key) == Resolved::Str
}

impl<'b, V: FnMut(usize, &'b [u8], Skimmed<'b>)> Skim<'b, V> {
    fn at(&self, at: usize) -> u8 {
        // A line feed ends the text as it ends a line.
        self.text.get(at).copied().unwrap_or(b'\n')
    }

    fn rest(&self, at: usize) -> &'b [u8] {
        self.text.get(at..).unwrap_or_default()
    }

    fn piece(&self, start: usize, end: usize) -> &'b [u8] {
        self.text.get(start..end).unwrap_or_default()
    }

    fn after_spaces(&self, at: usize) -> usize {
        let rest = self.rest(at);
        at + rest.iter().position(|&b| b != b' ').unwrap_or(rest.len())
    }

    fn after_line(&self, at: usize) -> usize {
        let rest = self.rest(at);
        at + memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1)
    }

    /// The dash of a sequence's entry.
    fn is_dash(&self, at: usize) -> bool {
        self.at(at) == b'-' && at < self.text.len() && matches!(self.at(at + 1), b' ' | b'\n')
    }

    fn lines(&mut self) -> Option<()> {
        let mut line = self.after_start()?;
        while line < self.text.len() {
            let at = self.after_spaces(line);
            line = match self.at(at) {
                b'\n' => at + 1,
                b'#' => self.after_line(at),
                _ => self.line(at, at - line)?,
            };
        }
        self.nothing();
        (!self.anchored).then_some(())
    }

    /// Where the first line behind the document's start begins, if that is marked before all but comments.
    fn after_start(&self) -> Option<usize> {
        let mut line = 0;
        loop {
            let at = self.after_spaces(line);
            line = match self.at(at) {
                b'\n' if at < self.text.len() => at + 1,
                b'#' => self.after_line(at),
                b'-' if at == line && self.is_indicator(at) => return self.line_end(at + 3),
                _ => return Some(0),
            };
        }
    }

    /// Reads a line that has something in it; gives where the next one begins.
    fn line(&mut self, mut at: usize, mut column: usize) -> Option<usize> {
        if column == 0 && self.is_indicator(at) {
            return None;
        }
        let mut dash = self.is_dash(at);
        if !dash && let Some(next) = self.lone(at, column)? {
            return Some(next);
        }
        self.settle(column, dash)?;
        if !self.anchors.is_empty() {
            self.complete_anchors();
        }
        let mut item = false;
        while dash {
            if item {
                self.push(column, true)?;
            }
            item = true;
            self.nodes += 1;
            let next = self.after_spaces(at + 1);
            if matches!(self.at(next), b'\n' | b'#') {
                self.waiting = Some(Waiting::Item);
                return Some(self.after_line(next));
            }
            column += next - at;
            at = next;
            dash = self.is_dash(at);
        }
        match self.key(at)? {
            Some((key, colon)) => {
                if item {
                    self.push(column, false)?;
                }
                self.value(key, colon + 1)
            }
            None if item && self.at(at) == b'*' => self.alias(at),
            None if item => self.scalar(at).map(|(_, next)| next),
            None => None,
        }
    }

    /// Passes a scalar that stands below its key or dash.
    fn lone(&mut self, at: usize, column: usize) -> Option<Option<usize>> {
        let below = self.waiting.is_some() && self.top().is_some_and(|top| column > top.column);
        if !below || self.key(at)?.is_some() {
            return Some(None);
        }
        let (value, next) = self.scalar(at)?;
        self.anchored = false;
        self.found(value);
        Some(Some(next))
    }

    /// Closes what is further in than a line, and opens what begins with it.
    fn settle(&mut self, column: usize, dash: bool) -> Option<()> {
        if self.waiting.is_some() {
            let top = self.top()?;
            let anchored = std::mem::take(&mut self.anchored);
            if column > top.column || (column == top.column && dash && !top.sequence) {
                self.found(if dash { Skimmed::Other } else { Skimmed::Mapping });
                return self.push(column, dash);
            }
            // What an anchor alone stands for is a question of its own.
            if anchored {
                return None;
            }
            self.nothing();
        }
        while self.top().is_some_and(|top| top.column > column) {
            self.pop();
        }
        let Some(top) = self.top() else {
            // The root is a mapping, and nothing stands further out.
            return (!std::mem::replace(&mut self.started, true) && !dash)
                .then(|| self.push(column, false))?;
        };
        if top.column == column && top.sequence == dash {
            return Some(());
        }
        // The entries of a sequence may stand below their key.
        if top.column == column && top.sequence {
            self.pop();
            return self.top().filter(|top| top.column == column && !top.sequence).map(|_| ());
        }
        None
    }

    fn top(&self) -> Option<Level> {
        self.levels.get(self.open.checked_sub(1)?).copied()
    }

    fn push(&mut self, column: usize, sequence: bool) -> Option<()> {
        *self.levels.get_mut(self.open)? = Level { column, sequence };
        self.open += 1;
        self.sequences += usize::from(sequence);
        Some(())
    }

    fn pop(&mut self) {
        self.sequences -= usize::from(self.top().is_some_and(|top| top.sequence));
        self.open -= 1;
    }

    fn told(&mut self, key: &'b [u8], value: Skimmed<'b>) {
        if self.sequences == 0 && self.open <= VISIBLE {
            (self.visit)(self.open.saturating_sub(1), key, value);
        }
    }

    /// The value that was waited for has come.
    fn found(&mut self, value: Skimmed<'b>) {
        if let Some(Waiting::Key(key)) = self.waiting.take() {
            self.told(key, value);
        }
    }

    fn nothing(&mut self) {
        self.found(Skimmed::Null);
    }

    /// A key at this place, and its colon.
    fn key(&self, at: usize) -> Option<Option<(&'b [u8], usize)>> {
        let quote = self.at(at);
        if matches!(quote, b'"' | b'\'') {
            let (end, plain) = self.quoted(at)?;
            let colon = self.after_spaces(end);
            if self.at(colon) != b':' || !matches!(self.at(colon + 1), b' ' | b'\n') {
                return Some(None);
            }
            let key = self.piece(at + 1, end - 1);
            let fits = plain && colon - at <= MAX_KEY && key != b"<<";
            return fits.then_some(Some((key, colon)));
        }
        if !starts_plain(quote) {
            return Some(None);
        }
        let End::Colon(colon) = self.plain(at)? else { return Some(None) };
        let key = self.piece(at, colon).trim_ascii_end();
        (colon - at <= MAX_KEY && is_text_key(key)).then_some(Some((key, colon)))
    }

    /// What stands behind a key; gives where the next line begins.
    fn value(&mut self, key: &'b [u8], at: usize) -> Option<usize> {
        self.nodes += 2;
        let mut start = self.after_spaces(at);
        match self.at(start) {
            b'*' => {
                self.told(key, Skimmed::Other);
                return self.alias(start);
            }
            b'&' => start = self.anchor(start)?,
            _ => {}
        }
        if matches!(self.at(start), b'\n' | b'#') {
            self.waiting = Some(Waiting::Key(key));
            return Some(self.after_line(start));
        }
        let (value, next) = self.scalar(start)?;
        self.anchored = false;
        self.told(key, value);
        Some(next)
    }

    /// Where the name of an anchor or alias ends, behind its indicator.
    fn name(&self, at: usize) -> Option<(&'b [u8], usize)> {
        let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let len = self.rest(at).iter().position(|b| !part(b)).unwrap_or(self.rest(at).len());
        let end = at + len;
        (len > 0 && matches!(self.at(end), b' ' | b'\n')).then(|| (self.piece(at, end), end))
    }

    /// Takes note of the anchor of a mapping's value; gives where that may begin.
    fn anchor(&mut self, at: usize) -> Option<usize> {
        let (name, end) = self.name(at + 1)?;
        self.anchors.retain(|anchor| anchor.name != name);
        if self.anchors.len() == MAX_ANCHORS {
            return None;
        }
        self.anchors.push(Anchor { name, open: self.open, begins: self.decoded(), nodes: None });
        self.anchored = true;
        Some(self.after_spaces(end))
    }

    /// How many nodes the decoder has seen at most.
    fn decoded(&self) -> usize {
        self.nodes + self.flow_nodes + self.aliased
    }

    /// Where an entry begins, the values of those before it and of all further in are complete.
    fn complete_anchors(&mut self) {
        let (open, decoded) = (self.open, self.decoded());
        for anchor in &mut self.anchors {
            if open <= anchor.open {
                anchor.nodes.get_or_insert(decoded - anchor.begins + 1);
            }
        }
    }

    /// Passes an alias that is all there is on the rest of its line.
    fn alias(&mut self, at: usize) -> Option<usize> {
        let (name, end) = self.name(at + 1)?;
        let nodes = self.anchors.iter().find(|anchor| anchor.name == name)?.nodes?;
        self.aliased += nodes;
        let few = self.aliased <= 100 || self.aliased / 50 < self.nodes;
        if !few || self.decoded() > MAX_DECODED {
            return None;
        }
        self.line_end(end)
    }

    /// A value that begins here and, but for a block of text, ends on this line.
    fn scalar(&mut self, at: usize) -> Option<(Skimmed<'b>, usize)> {
        let first = self.at(at);
        match first {
            b'"' | b'\'' => {
                let (end, plain) = self.quoted(at)?;
                let inner = self.piece(at + 1, end - 1);
                let value = if plain { Skimmed::Quoted(inner) } else { Skimmed::Other };
                Some((value, self.line_end(end)?))
            }
            b'[' | b'{' => {
                let end = self.flow(at)?;
                self.flow_nodes += end - at;
                let empty = self.piece(at, end) == b"{}";
                let value = if empty { Skimmed::Mapping } else { Skimmed::Other };
                Some((value, self.line_end(end)?))
            }
            b'|' | b'>' => Some((Skimmed::Other, self.block(at + 1)?)),
            _ => self.plain_value(at),
        }
    }

    fn plain_value(&self, at: usize) -> Option<(Skimmed<'b>, usize)> {
        let first = self.at(at);
        let ends_word = matches!(self.at(at + 1), b' ' | b'\n' | b'\t');
        let begins = match first {
            b'-' | b':' | b'?' => !ends_word,
            _ => starts_plain(first),
        };
        if !begins {
            return None;
        }
        let (end, next, continues) = match self.plain(at)? {
            End::Line(end) => (end, end + 1, true),
            End::Comment(end) => (end, self.after_line(end), false),
            End::Colon(_) => return None,
        };
        let text = self.piece(at, end).trim_ascii_end();
        let value = match resolve_plain(text) {
            Resolved::Str if text == b"<<" => return None,
            Resolved::Str => Skimmed::Text(text),
            // JSON has no such number.
            Resolved::Float(float) if !float.is_finite() => return None,
            _ => Skimmed::Other,
        };
        if !continues {
            return Some((value, next));
        }
        // Words and numbers are of one line, so this is nothing but text, however it goes on.
        let last = self.continued(next)?;
        Some((if last == next { value } else { Skimmed::Other }, last))
    }

    /// Passes the lines with which a plain scalar goes on: those further in than what it belongs to.
    fn continued(&self, mut line: usize) -> Option<usize> {
        let column = self.top()?.column;
        let mut last = line;
        while line < self.text.len() {
            let at = self.after_spaces(line);
            match self.at(at) {
                b'\n' => line = at + 1,
                b'#' => break,
                _ if at - line <= column => break,
                _ => match self.plain(at)? {
                    End::Line(end) => (line, last) = (end + 1, end + 1),
                    End::Comment(end) => return Some(self.after_line(end)),
                    End::Colon(_) => return None,
                },
            }
        }
        Some(last)
    }

    /// Passes a plain scalar.
    fn plain(&self, from: usize) -> Option<End> {
        let mut at = from;
        loop {
            let rest = self.rest(at);
            let Some(stop) = rest.iter().position(|&b| PLAIN_STOP[usize::from(b)]) else {
                return Some(End::Line(self.text.len()));
            };
            at += stop;
            match self.at(at) {
                b'\n' => return Some(End::Line(at)),
                b':' if matches!(self.at(at + 1), b' ' | b'\n') => return Some(End::Colon(at)),
                b'#' if at > from && self.at(at - 1) == b' ' => return Some(End::Comment(at)),
                b'\t' => return None,
                _ => at += 1,
            }
        }
    }

    /// `---` or `...`, where a line begins.
    fn is_indicator(&self, line: usize) -> bool {
        let rest = self.rest(line);
        rest.starts_with(b"---") || rest.starts_with(b"...")
    }

    /// Passes a scalar in quotes. Says whether its text stands there as it is.
    fn quoted(&self, at: usize) -> Option<(usize, bool)> {
        let quote = self.at(at);
        let mut plain = true;
        let mut at = at + 1;
        loop {
            let stop = |&b: &u8| b == quote || b == b'\n' || b == b'\\';
            at += self.rest(at).iter().position(stop)?;
            match (self.at(at), self.at(at + 1)) {
                (b'\'', b'\'') if quote == b'\'' => (at, plain) = (at + 2, false),
                (b'\\', _) if quote == b'\'' => at += 1,
                (b'\\', b'\n') => (at, plain) = (at + 1, false),
                (b'\\', escaped) => (at, plain) = (self.escape(at + 2, escaped)?, false),
                (b'\n', _) => {
                    (at, plain) = (at + 1, false);
                    if self.is_indicator(at) {
                        return None;
                    }
                }
                (found, _) if found == quote => return Some((at + 1, plain)),
                _ => return None,
            }
        }
    }

    /// Passes an escape's digits; what follows it, from `at` on, is no part of it otherwise.
    fn escape(&self, at: usize, escaped: u8) -> Option<usize> {
        let digits = match escaped {
            b'"' | b'\\' | b'\'' | b' ' | b'0' | b'a' | b'b' | b't' | b'n' | b'v' | b'f' | b'r'
            | b'e' | b'N' | b'_' | b'L' | b'P' => return Some(at),
            b'x' => 2,
            b'u' => 4,
            _ => return None,
        };
        let digits = self.text.get(at..at + digits)?;
        let value =
            digits.iter().try_fold(0, |value, &b| Some(value << 4 | char::from(b).to_digit(16)?));
        value.and_then(char::from_u32).map(|_| at + digits.len())
    }

    /// What may stand behind a value on its line: spaces and a comment. Gives where the next one begins.
    fn line_end(&self, at: usize) -> Option<usize> {
        let next = self.after_spaces(at);
        match self.at(next) {
            b'\n' => Some(next + 1),
            b'#' if next > at => Some(self.after_line(next)),
            _ => None,
        }
    }

    /// Passes a literal or folded text, behind its indicator.
    fn block(&self, mut at: usize) -> Option<usize> {
        // How to chomp and how far to indent, in either order.
        let chomps = |at| usize::from(matches!(self.at(at), b'-' | b'+'));
        let before = chomps(at);
        at += before;
        let increment = match self.at(at) {
            digit @ b'1'..=b'9' => Some(usize::from(digit - b'0')),
            _ => None,
        };
        if increment.is_some() {
            at += 1;
            at += if before == 0 { chomps(at) } else { 0 };
        }
        let mut line = self.line_end(at)?;
        // Where its text begins at least; where exactly, the first line of it says.
        let least = self.top()?.column + 1;
        let mut indent = increment.map(|increment| least - 1 + increment);
        let mut widest = 0;
        while line < self.text.len() {
            let at = self.after_spaces(line);
            let spaces = at - line;
            let found = self.at(at);
            if let Some(indent) = indent {
                if spaces < indent && found != b'\n' {
                    return (found != b'\t').then_some(line);
                }
            } else if found != b'\n' {
                let begins = least.max(widest).max(spaces);
                if found == b'\t' || spaces < begins {
                    return (found != b'\t').then_some(line);
                }
                indent = Some(begins);
            } else {
                widest = widest.max(spaces);
            }
            line = self.after_line(at);
        }
        Some(line)
    }

    /// Passes blanks, line breaks and comments in a flow collection.
    fn flow_gap(&self, mut at: usize) -> Option<usize> {
        loop {
            at = self.after_spaces(at);
            match self.at(at) {
                b'#' if matches!(self.at(at - 1), b' ' | b'\n') => at = self.after_line(at),
                b'\n' if at < self.text.len() => at += 1,
                _ => return Some(at),
            }
            if self.is_indicator(at) {
                return None;
            }
        }
    }

    /// Passes a flow collection of scalars.
    fn flow(&self, mut at: usize) -> Option<usize> {
        // One bit for each that is open: set for a mapping.
        let (mut kinds, mut depth) = (0_u32, 0_u32);
        loop {
            // A value begins here.
            at = self.flow_gap(at)?;
            let opened = matches!(self.at(at), b'[' | b'{');
            if opened {
                if depth == u32::BITS - 1 {
                    return None;
                }
                (kinds, depth) = (kinds << 1 | u32::from(self.at(at) == b'{'), depth + 1);
                at = self.flow_gap(at + 1)?;
            } else {
                at = self.flow_gap(self.flow_scalar(at)?.1)?;
            }
            let mut empty = opened;
            // What follows a value, or the bracket that opens a collection.
            loop {
                let mapping = kinds & 1 == 1;
                match self.at(at) {
                    b']' if !mapping => {}
                    b'}' if mapping => {}
                    b',' if !empty => {
                        at = self.flow_gap(at + 1)?;
                        break;
                    }
                    _ if empty => break,
                    _ => return None,
                }
                (kinds, depth, at, empty) = (kinds >> 1, depth - 1, at + 1, false);
                if depth == 0 {
                    return Some(at);
                }
                at = self.flow_gap(at)?;
            }
            if kinds & 1 == 1 {
                let quoted = matches!(self.at(at), b'"' | b'\'');
                let (key, colon) = self.flow_scalar(at)?;
                let ends = self.at(colon) == b':' && (quoted || self.at(colon + 1) == b' ');
                let one_line = colon - at <= MAX_KEY && !self.piece(at, colon).contains(&b'\n');
                if !ends || !one_line || !is_text_key(key) {
                    return None;
                }
                at = colon + 1;
            }
        }
    }

    /// Passes a scalar of a flow collection; gives it and what follows.
    fn flow_scalar(&self, at: usize) -> Option<(&'b [u8], usize)> {
        let first = self.at(at);
        if matches!(first, b'"' | b'\'') {
            let (end, _) = self.quoted(at)?;
            // Any other word will do for a key in quotes.
            return Some((b"quoted", end));
        }
        let rest = self.rest(at);
        let begins = rest.iter().find(|b| **b != b'-');
        if !begins.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_')) {
            return None;
        }
        let inside = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b'-');
        let end = at + rest.iter().position(|b| !inside(b)).unwrap_or(rest.len());
        Some((self.piece(at, end), end))
    }
}
