//! Reading a document: BurntSushi's parser, with its notion of which keys may be defined again.

use super::lex::{Item, Kind, LexError, Lexer};
use super::scalar::{Message, Zones, datetime, scalar, string};
use super::tree::{MarkId, Marks, NodeId, Tree};
use super::{SyntaxError, append_key};
use bowsprit_value::strconv::append_quote;
use bowsprit_value::{Host, Str, Value};

type Parsed<T> = Result<T, SyntaxError>;

/// Reads a document.
pub(super) fn decode(text: &[u8], host: &dyn Host) -> Parsed<Value> {
    let text = text
        .strip_prefix(b"\xff\xfe")
        .or_else(|| text.strip_prefix(b"\xfe\xff"))
        .or_else(|| text.strip_prefix(b"\xef\xbb\xbf"))
        .unwrap_or(text);
    if text.iter().take(6).any(|b| *b == 0) {
        let message = b"files cannot contain NULL bytes; probably using UTF-16; \
            TOML files must be UTF-8";
        return Err(SyntaxError { line: 1, last_key: Vec::new(), message: message.to_vec() });
    }
    let mut parser = Parser::new(text, host);
    loop {
        let item = parser.next()?;
        match item.kind {
            Kind::Eof => return Ok(parser.tree.into_value()),
            Kind::Table => parser.table(Kind::TableEnd)?,
            Kind::ArrayTable => parser.table(Kind::ArrayTableEnd)?,
            _ => parser.entry()?,
        }
    }
}

/// One part of the path of the table that keys go into.
#[derive(Debug)]
struct Part {
    name: Str,
    mark: MarkId,
    /// The table; `None` where the key is already something else.
    table: Option<NodeId>,
}

/// An array or inline table that is being read.
#[derive(Debug)]
enum Frame {
    Array(Vec<NodeId>),
    Inline(Inline),
}

#[derive(Debug)]
struct Inline {
    /// The table as a value, if it ends up in an array; its entries are also set in the document.
    table: NodeId,
    outer_key: Str,
    /// Number of parts of the context: outside, inside, and inside the dots of the present key.
    outer: usize,
    inner: usize,
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    host: &'a dyn Host,
    zones: Option<Zones>,
    tree: Tree,
    marks: Marks,
    context: Vec<Part>,
    current_key: Str,
    /// The line of the last key.
    line: i64,
}

impl<'a> Parser<'a> {
    fn new(text: &'a [u8], host: &'a dyn Host) -> Parser<'a> {
        Parser {
            lexer: Lexer::new(text),
            host,
            zones: None,
            tree: Tree::new(),
            marks: Marks::new(),
            context: Vec::new(),
            current_key: Str::default(),
            line: 0,
        }
    }

    fn next(&mut self) -> Parsed<Item<'a>> {
        self.lexer.next_item().map_err(|LexError { line, message }| self.error_at(line, message))
    }

    #[cold]
    fn error_at(&self, line: i64, message: Message) -> SyntaxError {
        SyntaxError { line, last_key: self.last_key(), message }
    }

    /// An error on the line of the last key.
    #[cold]
    fn error(&self, before: &str, path: &[u8], after: &str) -> SyntaxError {
        self.error_at(self.line, [before.as_bytes(), path, after.as_bytes()].concat())
    }

    #[cold]
    fn already_defined(&self, path: &[u8]) -> SyntaxError {
        self.error("Key '", path, "' has already been defined.")
    }

    #[cold]
    fn already_something_else(&self, path: &[u8]) -> SyntaxError {
        self.error("Key '", path, "' was already created as a hash.")
    }

    fn path(&self) -> Vec<u8> {
        path(&self.context)
    }

    /// The path of a key of the context.
    #[cold]
    fn path_of(&self, key: &Str) -> Vec<u8> {
        let mut path = self.path();
        if !self.context.is_empty() {
            path.push(b'.');
        }
        append_key(&mut path, key.as_bytes());
        path
    }

    /// What errors call the last key, whose last part is never quoted.
    fn last_key(&self) -> Vec<u8> {
        let mut path = self.path();
        if !self.current_key.is_empty() {
            if !self.context.is_empty() {
                path.push(b'.');
            }
            path.extend_from_slice(self.current_key.as_bytes());
        }
        path
    }

    /// The parts of a key or of a table's name.
    fn key(&mut self, end: Kind) -> Parsed<Vec<Str>> {
        let mut item = self.next()?;
        self.line = item.line;
        let mut parts = Vec::with_capacity(1);
        while item.kind != end {
            parts.push(string(item).map_err(|message| self.error_at(item.line, message))?);
            item = self.next()?;
        }
        Ok(parts)
    }

    /// `[a.b]` or `[[a.b]]`, of which the opening brackets were read.
    fn table(&mut self, end: Kind) -> Parsed<()> {
        let mut parts = self.key(end)?;
        let last = parts.pop().unwrap_or_default();
        self.context = self.parents(parts)?;
        self.descend(last, end == Kind::ArrayTableEnd)?;
        self.mark_type(&Str::default(), false);
        Ok(())
    }

    /// The context above a table; what is missing is implied.
    fn parents(&mut self, parts: Vec<Str>) -> Parsed<Vec<Part>> {
        let mut context: Vec<Part> = Vec::with_capacity(parts.len() + 1);
        let (mut mark, mut table) = (Marks::ROOT, Tree::ROOT);
        for name in parts {
            mark = self.marks.child(mark, &name);
            let node = match self.tree.get(table, &name) {
                Some(node) => node,
                None => {
                    self.marks.change(mark, |mark| mark.implicit = true);
                    let node = self.tree.table();
                    self.tree.set(table, &name, node);
                    node
                }
            };
            let open = self.tree.open(node);
            context.push(Part { name, mark, table: open });
            match open {
                Some(open) => table = open,
                None => return Err(self.already_something_else(&path(&context))),
            }
        }
        Ok(context)
    }

    /// The table that keys go into, unless its key is something else.
    fn open(&self) -> Option<NodeId> {
        self.context.last().map_or(Some(Tree::ROOT), |part| part.table)
    }

    fn mark(&self) -> MarkId {
        self.context.last().map_or(Marks::ROOT, |part| part.mark)
    }

    /// Defines a table, or one more of an array, and makes it the context.
    fn descend(&mut self, name: Str, array: bool) -> Parsed<()> {
        if array {
            let appended = self.open().is_some_and(|open| self.tree.append_table(open, &name));
            if !appended {
                let path = self.path_of(&name);
                let end = "' was already created and cannot be used as an array.";
                return Err(self.error("Key '", &path, end));
            }
        } else {
            let table = self.tree.table();
            self.set_value(&name, table)?;
        }
        self.enter(name);
        Ok(())
    }

    /// Makes a defined key the context.
    fn enter(&mut self, name: Str) {
        let node = self.open().and_then(|open| self.tree.get(open, &name));
        let table = node.and_then(|node| self.tree.open(node));
        let mark = self.marks.child(self.mark(), &name);
        self.context.push(Part { name, mark, table });
    }

    /// Defines the tables that the dots of a key imply; returns the last part.
    fn dots(&mut self, mut parts: Vec<Str>) -> Parsed<Str> {
        self.current_key = parts.pop().unwrap_or_default();
        for name in parts {
            self.imply(&name);
            if self.open().is_none() {
                return Err(self.already_something_else(&self.path()));
            }
            self.descend(name, false)?;
        }
        Ok(self.current_key.clone())
    }

    fn imply(&mut self, name: &Str) {
        let mark = self.marks.child(self.mark(), name);
        self.marks.change(mark, |mark| mark.implicit = true);
    }

    /// Sets a key of the context; what is only implied may be defined once.
    fn set_value(&mut self, key: &Str, node: NodeId) -> Parsed<()> {
        let Some(table) = self.open() else { return Err(self.already_defined(&self.path())) };
        if self.tree.get(table, key).is_none() {
            self.tree.set(table, key, node);
            return Ok(());
        }
        let id = self.marks.find(self.mark(), key).unwrap_or(usize::MAX);
        let mark = self.marks.get(id);
        if !mark.implicit {
            return Err(self.already_defined(&self.path_of(key)));
        }
        self.marks.change(id, |mark| mark.implicit = false);
        if mark.array {
            self.tree.set(table, key, node);
        }
        Ok(())
    }

    /// Notes whether a key is a plain array. The library takes the empty key for the context itself.
    fn mark_type(&mut self, key: &Str, array: bool) {
        let id = match key.is_empty() && !self.context.is_empty() {
            true => Some(self.mark()),
            false if array => Some(self.marks.child(self.mark(), key)),
            false => self.marks.find(self.mark(), key),
        };
        if let Some(id) = id {
            self.marks.change(id, |mark| mark.array = array);
        }
    }

    /// `key = value` outside of inline tables.
    fn entry(&mut self) -> Parsed<()> {
        let outer = self.context.len();
        let parts = self.key(Kind::KeyEnd)?;
        self.dots(parts)?;
        self.value()?;
        self.context.truncate(outer);
        self.current_key = Str::default();
        Ok(())
    }

    /// Reads the value of the current key, and sets it.
    fn value(&mut self) -> Parsed<()> {
        let mut frames = Vec::new();
        let mut item = self.next()?;
        loop {
            let mut done = self.begin(item, &mut frames)?;
            item = loop {
                let next = match frames.last_mut() {
                    None => {
                        let Some((node, array)) = done else { return Ok(()) };
                        return self.define(node, array);
                    }
                    Some(Frame::Array(items)) => {
                        items.extend(done.map(|(node, _)| node));
                        self.next()?
                    }
                    Some(Frame::Inline(inline)) => {
                        if let Some((node, array)) = done {
                            self.end_pair(inline, node, array)?;
                        }
                        self.next()?
                    }
                };
                match next.kind {
                    Kind::ArrayEnd | Kind::InlineTableEnd => done = self.end(frames.pop()),
                    Kind::Key => {
                        let parts = self.key(Kind::KeyEnd)?;
                        self.dots(parts)?;
                        break self.next()?;
                    }
                    _ => break next,
                }
            };
        }
    }

    /// A whole value, with whether it is an array, or the begin of one with parts.
    fn begin(&mut self, item: Item<'a>, frames: &mut Vec<Frame>) -> Parsed<Option<(NodeId, bool)>> {
        let value = match item.kind {
            Kind::Array => {
                self.mark_type(&self.current_key.clone(), true);
                frames.push(Frame::Array(Vec::new()));
                return Ok(None);
            }
            Kind::InlineTable => {
                let in_array = matches!(frames.last(), Some(Frame::Array(_)));
                frames.push(Frame::Inline(self.begin_inline(in_array)?));
                return Ok(None);
            }
            Kind::Datetime => {
                let zones = self.zones.get_or_insert_with(|| Zones::new(self.host));
                datetime(item.text, zones)
            }
            _ => scalar(item),
        };
        let value = value.map_err(|message| self.error_at(item.line, message))?;
        Ok(Some((self.tree.value(value), false)))
    }

    fn begin_inline(&mut self, in_array: bool) -> Parsed<Inline> {
        let outer = self.context.len();
        let outer_key = std::mem::take(&mut self.current_key);
        self.imply(&outer_key);
        if self.open().is_none() {
            let above = self.path();
            let mark = self.marks.child(self.mark(), &outer_key);
            self.context.push(Part { name: outer_key, mark, table: None });
            return Err(self.already_something_else(&above));
        }
        self.descend(outer_key.clone(), in_array)?;
        let inner = self.context.len();
        Ok(Inline { table: self.tree.table(), outer_key, outer, inner })
    }

    /// What the end of an array or inline table gives.
    fn end(&mut self, frame: Option<Frame>) -> Option<(NodeId, bool)> {
        match frame? {
            Frame::Array(items) => Some((self.tree.array(items), true)),
            Frame::Inline(inline) => {
                self.context.truncate(inline.outer);
                self.current_key = inline.outer_key;
                Some((inline.table, false))
            }
        }
    }

    fn define(&mut self, node: NodeId, array: bool) -> Parsed<()> {
        let key = self.current_key.clone();
        self.set_value(&key, node)?;
        self.mark_type(&key, array);
        Ok(())
    }

    /// Sets a key of an inline table, in the document and in the table as a value.
    fn end_pair(&mut self, inline: &Inline, node: NodeId, array: bool) -> Parsed<()> {
        self.define(node, array)?;
        let mut table = inline.table;
        for part in self.context.get(inline.inner..).unwrap_or_default() {
            table = match self.tree.get(table, &part.name) {
                Some(found) => found,
                None => {
                    let new = self.tree.table();
                    self.tree.set(table, &part.name, new);
                    new
                }
            };
            if !self.tree.is_table(table) {
                let mut quoted = Vec::new();
                append_quote(&mut quoted, &self.path());
                return Err(self.error("", &quoted, " is not a table"));
            }
        }
        self.tree.set(table, &self.current_key, node);
        self.context.truncate(inline.inner);
        Ok(())
    }
}

fn path(parts: &[Part]) -> Vec<u8> {
    let mut path = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            path.push(b'.');
        }
        append_key(&mut path, part.name.as_bytes());
    }
    path
}
