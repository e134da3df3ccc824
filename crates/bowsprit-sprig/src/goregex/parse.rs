//! Go's regular expression syntax with its Perl flags, read the way Go reads it: the order in which
//! things are looked at decides which error a bad pattern gets.

use super::class::{self, Class, MAX_RUNE, RuneRange, decode_rune, equal_fold, simple_fold};
use super::error::{Error, ErrorCode};
use super::syntax::{Assertion, NodeId, Op, Tree};

/// Levels of the tree, as in Go.
const MAX_HEIGHT: u32 = 1000;
/// Copies of one thing by nested counted repetitions, as in Go.
const MAX_REPEAT: u32 = 1000;
/// Instructions. Go grants 3.3 million, which is more than a template may ask for.
const MAX_SIZE: u64 = 500_000;
/// Ranges put into classes; Go grants 16 million in the finished ones.
const MAX_RANGES: usize = 1 << 20;
/// Capture slots times instructions, which bounds the memory of a search.
const MAX_SLOTS: u64 = 1 << 22;

// The flags of Go's parser that a pattern can change.
const FOLD_CASE: u8 = 1;
const DOT_NL: u8 = 2;
const ONE_LINE: u8 = 4;
const NON_GREEDY: u8 = 8;

/// Parses a pattern.
pub(super) fn parse(pattern: &[u8]) -> Result<Tree, Error> {
    let mut parser = Parser {
        text: pattern,
        at: 0,
        flags: ONE_LINE,
        stack: Vec::new(),
        tree: Tree::default(),
        last_repeat: None,
        ranges: 0,
    };
    parser.run()?;
    Ok(parser.tree)
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    flags: u8,
    stack: Vec<Entry>,
    tree: Tree,
    /// Where the repetition operator just before `at` starts.
    last_repeat: Option<usize>,
    /// Ranges put into classes so far.
    ranges: usize,
}

#[derive(Clone, Copy)]
enum Entry {
    Node(NodeId),
    /// An open group with the flags to restore; number 0 does not capture.
    Paren {
        group: usize,
        flags: u8,
    },
    /// Separates the alternatives below from what is being read.
    Bar,
}

impl<'a> Parser<'a> {
    fn run(&mut self) -> Result<(), Error> {
        while let Some(byte) = self.peek(0) {
            let repeat = self.token(byte)?;
            self.last_repeat = repeat;
        }
        self.concat()?;
        self.close_alternatives()?;
        match *self.stack.as_slice() {
            [Entry::Node(root)] => self.tree.root = root,
            _ => return Err(self.whole(ErrorCode::MissingParen)),
        }
        let slots = 2 * (self.tree.groups.len() as u64 + 1);
        if slots * self.tree.node(self.tree.root).size > MAX_SLOTS {
            return Err(self.whole(ErrorCode::Large));
        }
        Ok(())
    }

    /// Reads one token; a repetition operator gives its position.
    fn token(&mut self, byte: u8) -> Result<Option<usize>, Error> {
        match byte {
            b'(' if self.peek(1) == Some(b'?') => self.perl_group()?,
            b'(' => {
                self.at += 1;
                self.open_group(b"");
            }
            b'|' => {
                self.at += 1;
                self.concat()?;
                if !self.swap_bar() {
                    self.stack.push(Entry::Bar);
                }
            }
            b')' => self.close_group()?,
            b'^' if self.flags & ONE_LINE != 0 => self.assertion(1, Assertion::BeginText)?,
            b'^' => self.assertion(1, Assertion::BeginLine)?,
            b'$' if self.flags & ONE_LINE != 0 => self.assertion(1, Assertion::EndText)?,
            b'$' => self.assertion(1, Assertion::EndLine)?,
            b'.' => {
                self.at += 1;
                let any: &[RuneRange] = match self.flags & DOT_NL {
                    0 => &[(0, 0x9), (0xb, MAX_RUNE)],
                    _ => &[(0, MAX_RUNE)],
                };
                self.push_class(Class::of(any))?;
            }
            b'[' => self.class()?,
            b'*' => return self.repeat(1, 0, None),
            b'+' => return self.repeat(1, 1, None),
            b'?' => return self.repeat(1, 0, Some(1)),
            b'{' => return self.counted_repeat(),
            b'\\' => self.backslash()?,
            _ => {
                let rune = self.next_rune(self.text.len())?;
                self.literal(rune)?;
            }
        }
        Ok(None)
    }

    // Reading.

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes the next rune of the text before `end`.
    fn next_rune(&mut self, end: usize) -> Result<u32, Error> {
        let rest = self.text.get(self.at..end).unwrap_or_default();
        let (rune, len) = decode_rune(rest);
        if rune == 0xfffd && len == 1 {
            return Err(Error::new(ErrorCode::InvalidUtf8, rest));
        }
        self.at += len;
        Ok(rune)
    }

    fn whole(&self, code: ErrorCode) -> Error {
        Error::new(code, self.text)
    }

    /// An error about what was read since `start`.
    fn since(&self, start: usize, code: ErrorCode) -> Error {
        Error::new(code, self.text.get(start..self.at).unwrap_or_default())
    }

    // The stack of parsed expressions.

    fn push(&mut self, op: Op) -> Result<(), Error> {
        let id = self.add(op)?;
        self.stack.push(Entry::Node(id));
        Ok(())
    }

    fn add(&mut self, op: Op) -> Result<NodeId, Error> {
        let node = self.tree.measure(op);
        if node.size > MAX_SIZE {
            return Err(self.whole(ErrorCode::Large));
        }
        if node.height > MAX_HEIGHT {
            return Err(self.whole(ErrorCode::NestingDepth));
        }
        let id = NodeId::try_from(self.tree.nodes.len());
        let id = id.map_err(|_| self.whole(ErrorCode::Large))?;
        self.tree.nodes.push(node);
        Ok(id)
    }

    fn op(&self, id: NodeId) -> Op {
        self.tree.node(id).op
    }

    fn literal(&mut self, rune: u32) -> Result<(), Error> {
        let fold = self.flags & FOLD_CASE != 0;
        self.push_literal(rune, fold)
    }

    fn push_literal(&mut self, rune: u32, fold: bool) -> Result<(), Error> {
        let start = self.tree.runes.len();
        self.tree.runes.push(rune);
        self.push(Op::Literal { start, len: 1, fold })
    }

    fn assertion(&mut self, len: usize, assertion: Assertion) -> Result<(), Error> {
        self.at += len;
        self.push(Op::Assert(assertion))
    }

    /// Pushes a clean class; one rune alone or in its two cases becomes a literal.
    fn push_class(&mut self, class: Class) -> Result<(), Error> {
        match *class.ranges.as_slice() {
            [(a, b)] if a == b => return self.push_literal(a, false),
            [(a, b)] if a + 1 == b && is_pair(a, b) => return self.push_literal(a, true),
            [(a, b), (c, d)] if a == b && c == d && is_pair(a, c) => {
                return self.push_literal(a, true);
            }
            _ => {}
        }
        self.tree.classes.push(class);
        self.push(Op::Class(self.tree.classes.len() - 1))
    }

    /// The start of the nodes on top of the stack.
    fn top_start(&self) -> usize {
        let pseudo = |entry: &Entry| !matches!(entry, Entry::Node(_));
        self.stack.iter().rposition(pseudo).map_or(0, |at| at + 1)
    }

    /// Replaces the nodes on top of the stack with their concatenation.
    fn concat(&mut self) -> Result<(), Error> {
        let top = self.top_start();
        let start = self.tree.children.len();
        for at in top..self.stack.len() {
            let Some(&Entry::Node(id)) = self.stack.get(at) else {
                continue;
            };
            let last = self.tree.children.len().checked_sub(1).filter(|&at| at >= start);
            let last = last.and_then(|at| self.tree.children.get(at).copied());
            if !last.is_some_and(|last| self.join_literals(last, id)) {
                self.tree.children.push(id);
            }
        }
        self.stack.truncate(top);
        let len = self.tree.children.len() - start;
        self.collapse(start, len, Op::Concat { start, len })
    }

    /// Pushes `op` of the given children, or the child itself if it is the only one.
    fn collapse(&mut self, start: usize, len: usize, op: Op) -> Result<(), Error> {
        match *self.tree.children(start, len) {
            [] => self.push(Op::Empty),
            [only] => {
                self.tree.children.truncate(start);
                self.stack.push(Entry::Node(only));
                Ok(())
            }
            _ => self.push(op),
        }
    }

    /// Appends a literal to the one before it.
    fn join_literals(&mut self, first: NodeId, second: NodeId) -> bool {
        let (
            Op::Literal { start, len, fold },
            Op::Literal { start: next, len: more, fold: next_fold },
        ) = (self.op(first), self.op(second))
        else {
            return false;
        };
        if fold != next_fold {
            return false;
        }
        let runes = &mut self.tree.runes;
        let mut joined = start;
        if start + len != next {
            let end = runes.len();
            if start + len != end {
                joined = end;
                runes.extend_from_within(start..start + len);
            }
            runes.extend_from_within(next..next + more);
        }
        let node = self.tree.measure(Op::Literal { start: joined, len: len + more, fold });
        if let Some(first) = self.tree.nodes.get_mut(first as usize) {
            *first = node;
        }
        true
    }

    /// Replaces the alternatives on top of the stack with their alternation.
    fn close_alternatives(&mut self) -> Result<(), Error> {
        if self.swap_bar() {
            self.stack.pop();
        }
        let top = self.top_start();
        let start = self.tree.children.len();
        for entry in self.stack.drain(top..) {
            if let Entry::Node(id) = entry {
                self.tree.children.push(id);
            }
        }
        let len = self.tree.children.len() - start;
        self.collapse(start, len, Op::Alternate { start, len })
    }

    /// Moves the topmost node below the bar that it sits on, if it does.
    fn swap_bar(&mut self) -> bool {
        let n = self.stack.len();
        let below = n.checked_sub(2).and_then(|at| self.stack.get(at));
        if !matches!(below, Some(Entry::Bar)) {
            return false;
        }
        if self.merge_classes() {
            self.stack.pop();
        } else {
            self.stack.swap(n - 1, n - 2);
        }
        true
    }

    /// Turns `a|[b-c]` into one class.
    fn merge_classes(&mut self) -> bool {
        let [.., Entry::Node(first), Entry::Bar, Entry::Node(second)] = *self.stack.as_slice()
        else {
            return false;
        };
        if !self.is_class(first) || !self.is_class(second) {
            return false;
        }
        let index = match self.op(first) {
            Op::Class(index) => index,
            op => {
                self.tree.classes.push(Class::default());
                let index = self.tree.classes.len() - 1;
                self.add_to_class(index, op);
                index
            }
        };
        self.add_to_class(index, self.op(second));
        let node = self.tree.measure(Op::Class(index));
        if let Some(first) = self.tree.nodes.get_mut(first as usize) {
            *first = node;
        }
        true
    }

    fn is_class(&self, id: NodeId) -> bool {
        matches!(self.op(id), Op::Class(_) | Op::Literal { len: 1, .. })
    }

    fn add_to_class(&mut self, index: usize, op: Op) {
        let added = match op {
            Op::Literal { start, fold, .. } => {
                let mut class = Class::default();
                for &rune in self.tree.runes.get(start).iter().copied() {
                    class.add_range(rune, rune, fold);
                }
                class
            }
            Op::Class(other) => {
                let other = self.tree.classes.get_mut(other);
                other.map(std::mem::take).unwrap_or_default()
            }
            _ => return,
        };
        if let Some(class) = self.tree.classes.get_mut(index) {
            class.add_set(&added.ranges, false, false);
        }
    }

    /// Counts ranges that were put into a class.
    fn charge(&mut self, ranges: usize) -> Result<(), Error> {
        self.ranges += ranges;
        if self.ranges > MAX_RANGES { Err(self.whole(ErrorCode::Large)) } else { Ok(()) }
    }

    // Repetition.

    /// Repeats the topmost node; `len` is the length of the operator.
    fn repeat(&mut self, len: usize, min: u32, max: Option<u32>) -> Result<Option<usize>, Error> {
        let start = self.at;
        self.at += len;
        let mut lazy = self.flags & NON_GREEDY != 0;
        if self.peek(0) == Some(b'?') {
            self.at += 1;
            lazy = !lazy;
        }
        if let Some(last) = self.last_repeat {
            return Err(self.since(last, ErrorCode::InvalidRepeatOp));
        }
        let Some(&Entry::Node(sub)) = self.stack.last() else {
            return Err(self.since(start, ErrorCode::MissingRepeatArgument));
        };
        let repeat = self.add(Op::Repeat { sub, min, max, lazy })?;
        self.stack.pop();
        self.stack.push(Entry::Node(repeat));
        let counted = len > 1 && min.max(max.unwrap_or(0)) >= 2;
        if counted && self.tree.node(repeat).copies > MAX_REPEAT {
            return Err(self.since(start, ErrorCode::InvalidRepeatSize));
        }
        Ok(Some(start))
    }

    fn counted_repeat(&mut self) -> Result<Option<usize>, Error> {
        let Some((min, max, len)) = scan_repeat(self.rest()) else {
            self.at += 1;
            self.literal(u32::from(b'{'))?;
            return Ok(None);
        };
        let too_many = |count: u32| count > MAX_REPEAT;
        if too_many(min) || max.is_some_and(|max| too_many(max) || min > max) {
            let start = self.at;
            self.at += len;
            return Err(self.since(start, ErrorCode::InvalidRepeatSize));
        }
        self.repeat(len, min, max)
    }

    // Groups.

    fn open_group(&mut self, name: &[u8]) {
        self.tree.groups.push(name.into());
        self.stack.push(Entry::Paren { group: self.tree.groups.len(), flags: self.flags });
    }

    fn close_group(&mut self) -> Result<(), Error> {
        self.at += 1;
        self.concat()?;
        self.close_alternatives()?;
        let [.., Entry::Paren { group, flags }, Entry::Node(sub)] = *self.stack.as_slice() else {
            return Err(self.whole(ErrorCode::UnexpectedParen));
        };
        self.stack.truncate(self.stack.len() - 2);
        self.flags = flags;
        if group == 0 {
            self.stack.push(Entry::Node(sub));
            return Ok(());
        }
        self.push(Op::Capture { group, sub })
    }

    /// Reads `(?flags)`, `(?flags:`, `(?P<name>` or `(?<name>`.
    fn perl_group(&mut self) -> Result<(), Error> {
        let rest = self.rest();
        if rest.len() > 4 && rest.starts_with(b"(?P<") {
            return self.named_group(4);
        }
        if rest.len() > 3 && rest.starts_with(b"(?<") {
            return self.named_group(3);
        }
        let start = self.at;
        self.at += 2;
        let mut flags = self.flags;
        let mut negative = false;
        let mut saw_flag = false;
        while self.at < self.text.len() {
            let flag = self.next_rune(self.text.len())?;
            let flag = char::from_u32(flag).unwrap_or_default();
            match flag {
                'i' => flags |= FOLD_CASE,
                'm' => flags &= !ONE_LINE,
                's' => flags |= DOT_NL,
                'U' => flags |= NON_GREEDY,
                // The flags are kept inverted after the sign, so that setting means clearing.
                '-' if !negative => {
                    negative = true;
                    saw_flag = false;
                    flags = !flags;
                    continue;
                }
                ':' | ')' if !negative || saw_flag => {
                    if flag == ':' {
                        let flags = self.flags;
                        self.stack.push(Entry::Paren { group: 0, flags });
                    }
                    self.flags = if negative { !flags } else { flags };
                    return Ok(());
                }
                _ => break,
            }
            saw_flag = true;
        }
        Err(self.since(start, ErrorCode::InvalidPerlOp))
    }

    fn named_group(&mut self, prefix: usize) -> Result<(), Error> {
        let rest = self.rest();
        let Some(end) = rest.iter().position(|&b| b == b'>') else {
            check_utf8(rest)?;
            return Err(Error::new(ErrorCode::InvalidNamedCapture, rest));
        };
        let name = rest.get(prefix..end).unwrap_or_default();
        check_utf8(name)?;
        self.at += end + 1;
        let valid = |&b: &u8| b == b'_' || b.is_ascii_alphanumeric();
        if name.is_empty() || !name.iter().all(valid) {
            return Err(self.since(self.at - end - 1, ErrorCode::InvalidNamedCapture));
        }
        self.open_group(name);
        Ok(())
    }

    // Escapes.

    fn backslash(&mut self) -> Result<(), Error> {
        match self.peek(1) {
            Some(b'A') => return self.assertion(2, Assertion::BeginText),
            Some(b'b') => return self.assertion(2, Assertion::WordBoundary),
            Some(b'B') => return self.assertion(2, Assertion::NoWordBoundary),
            Some(b'z') => return self.assertion(2, Assertion::EndText),
            Some(b'C') => {
                let start = self.at;
                self.at += 2;
                return Err(self.since(start, ErrorCode::InvalidEscape));
            }
            Some(b'Q') => return self.quoted(),
            _ => {}
        }
        let mut class = Class::default();
        if self.class_escape(&mut class)? {
            class.clean();
            return self.push_class(class);
        }
        let rune = self.escape()?;
        self.literal(rune)
    }

    /// Reads `\Q...\E`.
    fn quoted(&mut self) -> Result<(), Error> {
        self.at += 2;
        let end = self.rest().windows(2).position(|pair| pair == b"\\E");
        let (end, next) = match end {
            Some(len) => (self.at + len, self.at + len + 2),
            None => (self.text.len(), self.text.len()),
        };
        while self.at < end {
            let rune = self.next_rune(end)?;
            self.literal(rune)?;
        }
        self.at = next;
        Ok(())
    }

    /// Reads `\d`, `\pL` and the like, if they come next.
    fn class_escape(&mut self, class: &mut Class) -> Result<bool, Error> {
        if self.peek(0) != Some(b'\\') {
            return Ok(false);
        }
        let (set, negated) = match self.peek(1) {
            Some(b'p' | b'P') => return self.unicode_class(class).map(|()| true),
            Some(b'd') => (class::DIGIT, false),
            Some(b'D') => (class::DIGIT, true),
            Some(b's') => (class::SPACE, false),
            Some(b'S') => (class::SPACE, true),
            Some(b'w') => (class::WORD, false),
            Some(b'W') => (class::WORD, true),
            _ => return Ok(false),
        };
        self.at += 2;
        class.add_set(set, self.flags & FOLD_CASE != 0, negated);
        Ok(true)
    }

    fn unicode_class(&mut self, class: &mut Class) -> Result<(), Error> {
        let start = self.at;
        let mut negated = self.peek(1) == Some(b'P');
        self.at += 2;
        let name_start = self.at;
        let first = self.next_rune(self.text.len())?;
        let mut name = self.text.get(name_start..self.at).unwrap_or_default();
        if first == u32::from(b'{') {
            let rest = self.text.get(start..).unwrap_or_default();
            let Some(end) = rest.iter().position(|&b| b == b'}') else {
                check_utf8(rest)?;
                return Err(Error::new(ErrorCode::InvalidCharRange, rest));
            };
            self.at = start + end + 1;
            name = rest.get(3..end).unwrap_or_default();
            check_utf8(name)?;
        }
        if let Some(rest) = name.strip_prefix(b"^") {
            negated = !negated;
            name = rest;
        }
        let Some(set) = class::unicode(name, self.flags & FOLD_CASE != 0) else {
            return Err(self.since(start, ErrorCode::InvalidCharRange));
        };
        class.add_set(&set.ranges, false, negated);
        self.charge(set.ranges.len())
    }

    /// Reads a backslash with what it makes of the next character.
    fn escape(&mut self) -> Result<u32, Error> {
        let start = self.at;
        self.at += 1;
        if self.at == self.text.len() {
            return Err(Error::new(ErrorCode::TrailingBackslash, b""));
        }
        let rune = self.next_rune(self.text.len())?;
        let c = char::from_u32(rune).unwrap_or_default();
        let found = match c {
            '0' => Some(self.octal(0)),
            '1'..='7' if matches!(self.peek(0), Some(b'0'..=b'7')) => {
                Some(self.octal(rune - u32::from(b'0')))
            }
            'x' => self.hexadecimal()?,
            'a' => Some(0x7),
            'f' => Some(0xc),
            'n' => Some(0xa),
            'r' => Some(0xd),
            't' => Some(0x9),
            'v' => Some(0xb),
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(rune),
            _ => None,
        };
        found.ok_or_else(|| self.since(start, ErrorCode::InvalidEscape))
    }

    /// Up to two more octal digits.
    fn octal(&mut self, mut value: u32) -> u32 {
        for _ in 0..2 {
            let Some(digit @ b'0'..=b'7') = self.peek(0) else {
                break;
            };
            value = value * 8 + u32::from(digit - b'0');
            self.at += 1;
        }
        value
    }

    /// What follows `\x`: two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Result<Option<u32>, Error> {
        let end = self.text.len();
        if self.at == end {
            return Ok(None);
        }
        let digit = |rune: u32| char::from_u32(rune).and_then(|c| c.to_digit(16));
        let first = self.next_rune(end)?;
        if first != u32::from(b'{') {
            let second = self.next_rune(end)?;
            return Ok(digit(first).zip(digit(second)).map(|(a, b)| a * 16 + b));
        }
        let mut value = None;
        while self.at < end {
            let rune = self.next_rune(end)?;
            if rune == u32::from(b'}') {
                return Ok(value);
            }
            let Some(digit) = digit(rune) else {
                break;
            };
            let next = value.unwrap_or(0) * 16 + digit;
            if next > MAX_RUNE {
                break;
            }
            value = Some(next);
        }
        Ok(None)
    }

    // Classes.

    /// Reads `[...]`.
    fn class(&mut self) -> Result<(), Error> {
        let start = self.at;
        self.at += 1;
        let negated = self.peek(0) == Some(b'^');
        self.at += usize::from(negated);
        let mut class = Class::default();
        let mut first = true;
        while first || self.peek(0) != Some(b']') {
            first = false;
            if self.posix_class(&mut class)? || self.class_escape(&mut class)? {
                continue;
            }
            self.class_range(start, &mut class)?;
        }
        self.at += 1;
        class.clean();
        if negated {
            class.negate();
        }
        self.push_class(class)
    }

    /// Reads `[:name:]`, if it comes next.
    fn posix_class(&mut self, class: &mut Class) -> Result<bool, Error> {
        let rest = self.rest();
        if rest.len() <= 2 || !rest.starts_with(b"[:") {
            return Ok(false);
        }
        let name = rest.get(2..).unwrap_or_default();
        let Some(len) = name.windows(2).position(|pair| pair == b":]") else {
            return Ok(false);
        };
        let start = self.at;
        self.at += len + 4;
        let name = name.get(..len).unwrap_or_default();
        let (name, negated) = match name.strip_prefix(b"^") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let Some(set) = class::posix(name) else {
            return Err(self.since(start, ErrorCode::InvalidCharRange));
        };
        class.add_set(set, self.flags & FOLD_CASE != 0, negated);
        Ok(true)
    }

    /// Reads one character or a range of them.
    fn class_range(&mut self, class_start: usize, class: &mut Class) -> Result<(), Error> {
        let start = self.at;
        let lo = self.class_rune(class_start)?;
        let mut hi = lo;
        let dash = self.peek(0) == Some(b'-');
        if dash && self.peek(1).is_some_and(|b| b != b']') {
            self.at += 1;
            hi = self.class_rune(class_start)?;
            if hi < lo {
                return Err(self.since(start, ErrorCode::InvalidCharRange));
            }
        }
        let fold = self.flags & FOLD_CASE != 0;
        class.add_range(lo, hi, fold);
        // About every fourth code point has another case, up to a few thousand.
        self.charge(if fold { 1 + (hi - lo).min(8192) as usize / 4 } else { 1 })
    }

    fn class_rune(&mut self, class_start: usize) -> Result<u32, Error> {
        match self.peek(0) {
            None => {
                let class = self.text.get(class_start..).unwrap_or_default();
                Err(Error::new(ErrorCode::MissingBracket, class))
            }
            Some(b'\\') => self.escape(),
            Some(_) => self.next_rune(self.text.len()),
        }
    }
}

/// Whether two runes are the same letter in its only two cases.
fn is_pair(a: u32, b: u32) -> bool {
    a != b && equal_fold(a, b) && simple_fold(simple_fold(a)) == a
}

/// Reads `{2}`, `{2,}` or `{2,3}`: minimum, maximum, length. A number beyond Go's counting is a
/// large one.
fn scan_repeat(text: &[u8]) -> Option<(u32, Option<u32>, usize)> {
    let (min, mut at) = scan_number(text, 1)?;
    let mut max = Some(min);
    if text.get(at) == Some(&b',') {
        at += 1;
        if text.get(at) == Some(&b'}') {
            max = None;
        } else {
            let (number, end) = scan_number(text, at)?;
            max = Some(number);
            at = end;
        }
    }
    (text.get(at) == Some(&b'}')).then_some((min, max, at + 1))
}

fn scan_number(text: &[u8], start: usize) -> Option<(u32, usize)> {
    let rest = text.get(start..)?;
    let len = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let digits = rest.get(..len)?;
    if len == 0 || (len > 1 && digits.starts_with(b"0")) {
        return None;
    }
    let number = digits
        .iter()
        .fold(0u32, |number, b| number.saturating_mul(10).saturating_add(u32::from(b - b'0')));
    Some((number, start + len))
}

fn check_utf8(text: &[u8]) -> Result<(), Error> {
    match std::str::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(error) => {
            let rest = text.get(error.valid_up_to()..).unwrap_or_default();
            Err(Error::new(ErrorCode::InvalidUtf8, rest))
        }
    }
}
