//! The syntax of gobwas/glob, faults included: an open brace need not be closed, and a NUL ends a
//! token.

use bowsprit_value::unicode::{RUNE_ERROR, decode_rune};

use super::GlobError;

/// How deep braces may nest.
const MAX_DEPTH: usize = 32;
/// How many nodes a pattern may have in all.
const MAX_NODES: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Nothing,
    Pattern(Vec<Node>),
    List { chars: Vec<char>, not: bool },
    Range { lo: char, hi: char, not: bool },
    Text(Vec<u8>),
    Any,
    Super,
    Single,
    AnyOf(Vec<Node>),
}

/// Parses a pattern; the result is a [`Node::Pattern`].
pub(super) fn parse(pattern: &[u8]) -> Result<Node, GlobError> {
    let mut lexer = Lexer { text: pattern, at: 0 };
    let mut parser = Parser { open: Vec::new(), children: Vec::new(), nodes: 0 };
    while let Some(c) = lexer.next()? {
        let node = match c {
            '{' => {
                parser.open_terms()?;
                continue;
            }
            ',' if parser.in_terms() => {
                parser.next_term();
                continue;
            }
            '}' if parser.in_terms() => {
                parser.close_terms();
                continue;
            }
            '[' => lexer.class()?,
            '?' => Node::Single,
            '*' if lexer.take('*')? => Node::Super,
            '*' => Node::Any,
            _ => {
                lexer.at -= c.len_utf8();
                let breakers = if parser.in_terms() { "?*[{}," } else { "?*[{" };
                match lexer.text(breakers)? {
                    text if text.is_empty() => continue,
                    text => Node::Text(text),
                }
            }
        };
        parser.push(node)?;
    }
    Ok(parser.finish())
}

/// The patterns that are being read: `children` belong to the innermost one.
struct Parser {
    /// For each open brace, the pattern around it and the alternatives that are complete.
    open: Vec<(Vec<Node>, Vec<Node>)>,
    children: Vec<Node>,
    nodes: usize,
}

impl Parser {
    fn in_terms(&self) -> bool {
        !self.open.is_empty()
    }

    fn count(&mut self) -> Result<(), GlobError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES { Err(GlobError::TooComplex) } else { Ok(()) }
    }

    fn push(&mut self, node: Node) -> Result<(), GlobError> {
        self.children.push(node);
        self.count()
    }

    fn open_terms(&mut self) -> Result<(), GlobError> {
        if self.open.len() == MAX_DEPTH {
            return Err(GlobError::TooComplex);
        }
        self.open.push((std::mem::take(&mut self.children), Vec::new()));
        self.count()
    }

    fn next_term(&mut self) {
        let term = Node::Pattern(std::mem::take(&mut self.children));
        if let Some((_, terms)) = self.open.last_mut() {
            terms.push(term);
        }
    }

    fn close_terms(&mut self) {
        self.next_term();
        if let Some((outer, terms)) = self.open.pop() {
            self.children = outer;
            self.children.push(Node::AnyOf(terms));
        }
    }

    fn finish(mut self) -> Node {
        while self.in_terms() {
            self.close_terms();
        }
        Node::Pattern(self.children)
    }
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    /// The next character, without taking it. The library takes U+FFFD for a fault, and NUL for
    /// the end.
    fn peek(&self) -> Result<Option<char>, GlobError> {
        match decode_rune(self.text.get(self.at..).unwrap_or_default()) {
            (_, 0) => Ok(None),
            (RUNE_ERROR, _) => Err(GlobError::Syntax),
            (c, _) => Ok(Some(c)),
        }
    }

    /// Takes the next character.
    fn next(&mut self) -> Result<Option<char>, GlobError> {
        let next = self.peek()?;
        self.at += next.map_or(0, char::len_utf8);
        Ok(next.filter(|&c| c != '\0'))
    }

    fn take(&mut self, wanted: char) -> Result<bool, GlobError> {
        let found = self.peek()? == Some(wanted);
        self.at += usize::from(found);
        Ok(found)
    }

    /// Takes text up to one of the breakers.
    fn text(&mut self, breakers: &str) -> Result<Vec<u8>, GlobError> {
        let mut text = Vec::new();
        let mut escaped = false;
        while let Some(c) = self.next()? {
            if !escaped && c == '\\' {
                escaped = true;
                continue;
            }
            if !escaped && breakers.contains(c) {
                self.at -= c.len_utf8();
                break;
            }
            escaped = false;
            text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(text)
    }

    /// Reads a class after its bracket.
    fn class(&mut self) -> Result<Node, GlobError> {
        let end = GlobError::Syntax;
        let mut first = self.next()?.ok_or(end)?;
        let not = first == '!';
        if not {
            first = self.next()?.ok_or(end)?;
        }
        let node = if self.take('-')? {
            let hi = self.next()?.ok_or(end)?;
            if hi < first {
                return Err(GlobError::Syntax);
            }
            Node::Range { lo: first, hi, not }
        } else {
            self.at -= first.len_utf8();
            let text = self.text("]")?;
            let chars: Vec<char> = String::from_utf8_lossy(&text).chars().collect();
            if chars.is_empty() {
                return Err(GlobError::Syntax);
            }
            Node::List { chars, not }
        };
        match self.next()? {
            Some(']') => Ok(node),
            _ => Err(GlobError::Syntax),
        }
    }
}
