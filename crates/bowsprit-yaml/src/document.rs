//! A decoded document whose values still know where they stand and what they were in YAML.

use crate::error::{Error, ErrorKind, Stage};
use crate::gosyntax::{Parts, Twins};
use crate::resolve::Resolved;
use crate::tree::{Text, Tree};
use crate::utf8::valid_utf8;
use crate::walk::{Build, Scalar, Stop, Walk};
use bowsprit_value::fmt::append_float;
use bowsprit_value::{IntKind, Map, Str, Value};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Range;
use std::vec::Drain;

/// Containers that may be nested in JSON, as Go's decoder counts them.
pub(crate) const MAX_JSON_DEPTH: usize = 10_000;

/// A value as goyaml decodes it into an `interface {}`.
#[derive(Clone, Debug)]
pub(crate) enum Any {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    /// A string of the tree.
    Text(Text),
    /// A string that `!!binary` gave.
    Binary(Box<[u8]>),
    /// A range of `Document::items`.
    List(Range<u32>),
    /// A range of `Document::pairs`, sorted by the keys' JSON form.
    Map(Range<u32>),
}

/// A mapping key: what it was, and its text as JSON has it.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) kind: Resolved,
    pub(crate) name: Str,
    /// The bytes before wrong UTF-8 was mended.
    wrong: Option<Box<[u8]>>,
    value_node: u32,
    set_at: u32,
}

impl Key {
    /// The bytes that Go hands to JSON.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.wrong.as_deref().unwrap_or(self.name.as_bytes())
    }

    /// Tells keys of the same name apart that are of different Go types or values.
    fn identity(&self) -> (u8, u64) {
        match self.kind {
            Resolved::Null => (0, 0),
            Resolved::Str | Resolved::Timestamp => (1, 0),
            Resolved::Bool(_) => (2, 0),
            Resolved::Int(_) => (3, 0),
            Resolved::Uint(_) => (4, 0),
            Resolved::Float(f) => (5, (f + 0.0).to_bits()),
        }
    }

    /// Whether Go takes both for one key.
    fn is(&self, other: &Key) -> bool {
        self.order(other) == Ordering::Equal && self.identity() == other.identity()
    }

    /// Null is no string, and so never the same as any other key.
    fn order(&self, other: &Key) -> Ordering {
        let null = |key: &Key| key.kind == Resolved::Null;
        null(self).cmp(&null(other)).then_with(|| self.name.cmp(&other.name))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) value: Any,
    pub(crate) node: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) key: Key,
    pub(crate) value: u32,
}

/// What goyaml makes of a document, with spans.
///
/// Aliases and merge keys are resolved, of equal keys the last one is kept. Mapping entries come in
/// the order of Go's JSON: sorted by the bytes of their keys.
///
/// ```
/// use bowsprit_yaml::Document;
///
/// let document = Document::parse(b"name: demo\nversion: 1.10\n")?;
/// let version = document.root().get(b"version").unwrap();
/// assert_eq!(version.as_f64(), Some(1.1));
/// assert_eq!(version.source(), b"1.10");
/// assert_eq!(version.line(), 2);
/// # Ok::<(), bowsprit_yaml::Error>(())
/// ```
#[derive(Debug)]
pub struct Document<'b> {
    tree: Tree<'b>,
    pub(crate) values: Vec<Entry>,
    pub(crate) items: Vec<u32>,
    pub(crate) pairs: Vec<Pair>,
    twins: Twins,
    pub(crate) root: u32,
}

#[derive(Default)]
struct Arena {
    values: Vec<Entry>,
    items: Vec<u32>,
    pairs: Vec<Pair>,
    twins: Twins,
    scratch: Vec<u8>,
    sets: u32,
    strict: bool,
    /// Duplicate keys in strict mode: when they were set, and what goyaml says.
    duplicates: Vec<(u32, String)>,
    lines: Vec<u32>,
}

impl Arena {
    fn push(&mut self, value: Any, node: usize) -> u32 {
        self.values.push(Entry { value, node: node as u32 });
        (self.values.len() - 1) as u32
    }

    fn key_name(&mut self, scalar: Scalar<'_>) -> Str {
        match scalar.resolved {
            Resolved::Null => Str::default(),
            Resolved::Bool(true) => Str::from_static("true"),
            Resolved::Bool(false) => Str::from_static("false"),
            Resolved::Str | Resolved::Timestamp => Str::from_bytes(&valid_utf8(scalar.text)),
            number => {
                self.scratch.clear();
                push_number_key(number, &mut self.scratch);
                Str::from_bytes(&self.scratch)
            }
        }
    }

    /// Complains about keys that are equal in Go; those that only JSON makes equal are fine.
    fn note_duplicates(&mut self, pairs: &[Pair]) {
        let mut seen = BTreeSet::new();
        let mut previous: Option<&Key> = None;
        for Pair { key, .. } in pairs {
            if previous.is_some_and(|previous| previous.order(key) != Ordering::Equal) {
                seen.clear();
            }
            previous = Some(key);
            if !seen.insert(key.identity()) {
                self.note_duplicate(key);
            }
        }
    }

    fn note_duplicate(&mut self, key: &Key) {
        let line = self.lines.get(key.value_node as usize).map_or(0, |l| l + 1);
        let mut name = Vec::new();
        match key.kind {
            Resolved::Str | Resolved::Timestamp => {
                bowsprit_value::strconv::append_quote(&mut name, key.name.as_bytes());
            }
            Resolved::Null => name.extend_from_slice(b"<nil>"),
            Resolved::Uint(n) => name.extend_from_slice(format!("{n:#x}").as_bytes()),
            Resolved::Float(f) => append_float(&mut name, f, b'g', None, 64),
            _ => name.extend_from_slice(key.name.as_bytes()),
        }
        let name = String::from_utf8_lossy(&name);
        self.duplicates.push((key.set_at, format!("line {line}: key {name} already set in map")));
    }
}

/// A number as a mapping key in JSON.
pub(crate) fn push_number_key(number: Resolved, out: &mut Vec<u8>) {
    match number {
        Resolved::Int(n) => out.extend_from_slice(itoa(n).as_bytes()),
        Resolved::Uint(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Resolved::Float(f) if f.is_nan() => out.extend_from_slice(b".nan"),
        Resolved::Float(f) => {
            let start = out.len();
            append_float(out, f, b'g', None, 32);
            // Finite numbers too become infinite when they do not fit 32 bits.
            let word: &[u8] = match out.get(start..) {
                Some(b"+Inf") => b".inf",
                Some(b"-Inf") => b"-.inf",
                _ => return,
            };
            out.truncate(start);
            out.extend_from_slice(word);
        }
        _ => {}
    }
}

fn itoa(n: i64) -> String {
    n.to_string()
}

impl Build for Arena {
    type Key = Key;
    type Value = u32;
    const EXACT: bool = true;

    fn key(&mut self, _: &Tree<'_>, scalar: Scalar<'_>, value: usize) -> Result<Key, Stop> {
        let name = self.key_name(scalar);
        let wrong = (scalar.decoded && name.as_bytes() != scalar.text).then(|| scalar.text.into());
        Ok(Key { kind: scalar.resolved, name, wrong, value_node: value as u32, set_at: 0 })
    }

    fn scalar(&mut self, tree: &Tree<'_>, scalar: Scalar<'_>, node: usize) -> Result<u32, Stop> {
        let value = match scalar.resolved {
            Resolved::Null => Any::Null,
            Resolved::Bool(b) => Any::Bool(b),
            Resolved::Int(n) => Any::Int(n),
            Resolved::Uint(n) => Any::Uint(n),
            Resolved::Float(f) => Any::Float(f),
            Resolved::Str | Resolved::Timestamp if scalar.decoded => {
                Any::Binary(scalar.text.into())
            }
            Resolved::Str | Resolved::Timestamp => {
                Any::Text(tree.node(node).map_or(Text::EMPTY, |n| n.value))
            }
        };
        Ok(self.push(value, node))
    }

    fn list(&mut self, items: Drain<'_, u32>, node: usize) -> u32 {
        let start = self.items.len() as u32;
        self.items.extend(items);
        let end = self.items.len() as u32;
        self.push(Any::List(start..end), node)
    }

    fn map(&mut self, entries: Drain<'_, (Key, u32)>, node: usize) -> u32 {
        let mut pairs: Vec<Pair> = entries.map(|(key, value)| Pair { key, value }).collect();
        pairs.sort_by(|a, b| a.key.order(&b.key));
        if self.strict {
            self.note_duplicates(&pairs);
        }
        let start = self.pairs.len();
        let mut twins: Vec<Pair> = Vec::new();
        for pair in pairs {
            let last = self.pairs.get(start..).and_then(<[Pair]>::last);
            if last.is_some_and(|last| last.key.order(&pair.key) == Ordering::Equal) {
                twins.extend(self.pairs.pop());
                twins.retain(|twin| !twin.key.is(&pair.key));
            }
            self.pairs.push(pair);
        }
        let end = self.pairs.len() as u32;
        if !twins.is_empty() {
            self.pairs.append(&mut twins);
            self.twins.insert(end, self.pairs.len() as u32);
        }
        self.push(Any::Map(start as u32..end), node)
    }

    fn entry_set(&mut self, key: &mut Key) {
        self.sets += 1;
        key.set_at = self.sets;
    }

    fn container_key(&self, tree: &Tree<'_>, value: u32) -> Error {
        let mut text = b"invalid map key: ".to_vec();
        let Arena { values, items, pairs, twins, .. } = self;
        crate::gosyntax::append(&mut text, &Parts { tree, values, items, pairs, twins }, value);
        Error::content(String::from_utf8_lossy(&text).into_owned())
    }
}

impl<'b> Document<'b> {
    /// Decodes the first document of a stream; an empty stream is null.
    ///
    /// # Errors
    ///
    /// What `sigs.k8s.io/yaml` says of text that goyaml cannot decode, or of keys that JSON cannot
    /// have. Values that JSON cannot have, such as NaN, are only complained about when they are used.
    pub fn parse(bytes: &'b [u8]) -> Result<Document<'b>, Error> {
        Document::parse_with(bytes, false).map_err(|e| e.at_stage(Stage::ToJson))
    }

    /// As [`Document::parse`], but duplicate keys are errors.
    ///
    /// # Errors
    ///
    /// As [`Document::parse`].
    pub fn parse_strict(bytes: &'b [u8]) -> Result<Document<'b>, Error> {
        Document::parse_with(bytes, true).map_err(|e| e.at_stage(Stage::ToJson))
    }

    pub(crate) fn parse_with(bytes: &'b [u8], strict: bool) -> Result<Document<'b>, Error> {
        let Some(tree) = Tree::parse(bytes)? else { return Ok(Document::null()) };
        let document = Document::from_tree(tree, strict)?;
        document.check_keys()?;
        Ok(document)
    }

    fn null() -> Document<'b> {
        let tree = Tree { source: Cow::Borrowed(b""), arena: Vec::new(), nodes: Vec::new() };
        let values = vec![Entry { value: Any::Null, node: 0 }];
        let twins = Twins::default();
        Document { tree, values, items: Vec::new(), pairs: Vec::new(), twins, root: 0 }
    }

    pub(crate) fn from_tree(tree: Tree<'b>, strict: bool) -> Result<Document<'b>, Error> {
        let lines = if strict { tree.nodes.iter().map(|n| n.line).collect() } else { Vec::new() };
        let mut walk = Walk::new(&tree, Arena { strict, lines, ..Arena::default() });
        let root = match walk.run() {
            Ok(root) => root,
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Unfit) => None,
        };
        let Arena { values, items, pairs, twins, mut duplicates, .. } = walk.build;
        if !duplicates.is_empty() {
            duplicates.sort_by_key(|(set_at, _)| *set_at);
            let lines: Vec<String> = duplicates.into_iter().map(|(_, text)| text).collect();
            return Err(Error::content(format!("unmarshal errors:\n  {}", lines.join("\n  "))));
        }
        let Some(root) = root else { return Ok(Document::null()) };
        Ok(Document { tree, values, items, pairs, twins, root })
    }

    /// Refuses the keys that have no JSON form: null and integers above `int64`.
    fn check_keys(&self) -> Result<(), Error> {
        let unfit = |pair: &&Pair| matches!(pair.key.kind, Resolved::Null | Resolved::Uint(_));
        // Maps that a later key replaced are still in the arena, but no longer reachable.
        if !self.pairs.iter().any(|pair| unfit(&pair)) {
            return Ok(());
        }
        let mut pending = vec![self.root];
        while let Some(index) = pending.pop() {
            // Go converts all entries, and only then sees which of them have the same name in JSON.
            let pairs = match self.any(index) {
                Any::Map(range) => slice(&self.pairs, &self.twins.widen(range)),
                _ => &[],
            };
            if let Some(pair) = pairs.iter().find(unfit) {
                return Err(self.key_error(pair));
            }
            pending.extend(pairs.iter().rev().map(|pair| pair.value));
            pending.extend(self.list_items(index).iter().rev());
        }
        Ok(())
    }

    fn key_error(&self, pair: &Pair) -> Error {
        let mut text = b"unsupported map key of type: ".to_vec();
        match pair.key.kind {
            Resolved::Uint(n) => {
                text.extend_from_slice(format!("uint64, key: {n:#x}, value: ").as_bytes());
            }
            _ => text.extend_from_slice(b"%!s(<nil>), key: <nil>, value: "),
        }
        let value = pair.value;
        if matches!(self.any(value), Any::Null) {
            text.extend_from_slice(b"<nil>");
        } else {
            let Document { tree, values, items, pairs, twins, .. } = self;
            crate::gosyntax::append(&mut text, &Parts { tree, values, items, pairs, twins }, value);
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        Error::new(ErrorKind::Key, Stage::Plain, text)
    }

    pub(crate) fn any(&self, index: u32) -> &Any {
        self.values.get(index as usize).map_or(&Any::Null, |entry| &entry.value)
    }

    pub(crate) fn list_items(&self, index: u32) -> &[u32] {
        match self.any(index) {
            Any::List(range) => slice(&self.items, range),
            _ => &[],
        }
    }

    pub(crate) fn map_pairs(&self, index: u32) -> &[Pair] {
        match self.any(index) {
            Any::Map(range) => slice(&self.pairs, range),
            _ => &[],
        }
    }

    pub(crate) fn children(&self, index: u32) -> impl DoubleEndedIterator<Item = u32> + '_ {
        let items = self.list_items(index).iter().copied();
        items.chain(self.map_pairs(index).iter().map(|pair| pair.value))
    }

    /// The bytes of a string; empty for anything else.
    pub(crate) fn string(&self, index: u32) -> &[u8] {
        match self.any(index) {
            Any::Text(text) => self.tree.text(*text),
            Any::Binary(bytes) => bytes,
            _ => b"",
        }
    }

    /// The document's value.
    pub fn root(&self) -> Node<'_> {
        Node { document: self, index: self.root }
    }

    /// Refuses values that JSON cannot have, and containers that are nested too deeply.
    ///
    /// # Errors
    ///
    /// As [`Document::check_floats`] and, after it, [`Document::check_depth`].
    pub fn check_json(&self) -> Result<(), Error> {
        self.check_floats()?;
        self.check_depth()
    }

    /// Refuses numbers that JSON cannot have: infinities and NaN.
    ///
    /// # Errors
    ///
    /// With Helm's words, of the first such number in the order of JSON.
    pub fn check_floats(&self) -> Result<(), Error> {
        let mut pending = vec![self.root];
        while let Some(index) = pending.pop() {
            match self.any(index) {
                Any::Float(f) if !f.is_finite() => {
                    return Err(unsupported_float(*f).at_stage(Stage::ToJson));
                }
                _ => pending.extend(self.children(index).rev()),
            }
        }
        Ok(())
    }

    /// Refuses containers that are nested more than 10000 deep, as Go's JSON decoder does after the
    /// conversion to JSON.
    ///
    /// # Errors
    ///
    /// With Helm's words, of the first such container in the order of JSON.
    pub fn check_depth(&self) -> Result<(), Error> {
        let mut pending = vec![(self.root, 1usize)];
        while let Some((index, depth)) = pending.pop() {
            let text = match self.any(index) {
                Any::Map(_) => "invalid character '{' exceeded max depth",
                Any::List(_) => "invalid character '[' exceeded max depth",
                _ => continue,
            };
            if depth > MAX_JSON_DEPTH {
                return Err(Error::new(ErrorKind::Depth, Stage::FromJson, text));
            }
            pending.extend(self.children(index).rev().map(|child| (child, depth + 1)));
        }
        Ok(())
    }

    /// The document as Go's JSON gives it: all numbers `float64`.
    pub(crate) fn to_value(&self) -> Result<Value, Error> {
        self.check_json()?;
        Ok(self.build(self.root, |n| match n {
            Any::Int(n) => Value::Float(*n as f64),
            Any::Uint(n) => Value::Float(*n as f64),
            Any::Float(f) => Value::Float(*f),
            _ => Value::Nil,
        }))
    }

    /// The document with goyaml's own integers.
    pub(crate) fn to_raw_value(&self) -> Value {
        self.build(self.root, raw_number)
    }

    /// What a node of the syntax tree is worth, with goyaml's own integers.
    pub(crate) fn raw_value_of(&self, node: usize) -> Option<Value> {
        let index = self.values.iter().position(|entry| entry.node as usize == node)?;
        Some(self.build(index as u32, raw_number))
    }

    pub(crate) fn build(&self, root: u32, number: fn(&Any) -> Value) -> Value {
        let mut frames: Vec<(u32, usize)> = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        let mut current = Some(root);
        loop {
            if let Some(index) = current.take() {
                match self.any(index) {
                    Any::List(_) | Any::Map(_) => frames.push((index, 0)),
                    scalar => values.push(self.scalar_value(index, scalar, number)),
                }
            }
            let Some((index, done)) = frames.last_mut() else { break };
            let next = self.children(*index).nth(*done);
            match next {
                Some(child) => {
                    *done += 1;
                    current = Some(child);
                }
                None => {
                    let (index, done) = (*index, *done);
                    frames.pop();
                    let items = values.split_off(values.len().saturating_sub(done));
                    values.push(self.container(index, items));
                }
            }
        }
        values.pop().unwrap_or_default()
    }

    fn container(&self, index: u32, items: Vec<Value>) -> Value {
        match self.any(index) {
            Any::Map(_) => {
                let keys = self.map_pairs(index).iter().map(|pair| pair.key.name.clone());
                Value::Map(Map::from_entries(keys.zip(items)))
            }
            _ => Value::list(items),
        }
    }

    fn scalar_value(&self, index: u32, any: &Any, number: fn(&Any) -> Value) -> Value {
        match any {
            Any::Null => Value::Nil,
            Any::Bool(b) => Value::Bool(*b),
            Any::Text(_) | Any::Binary(_) => Value::str(valid_utf8(self.string(index)).as_ref()),
            other => number(other),
        }
    }
}

fn raw_number(number: &Any) -> Value {
    match number {
        Any::Int(n) => Value::int(*n),
        Any::Uint(n) => Value::Int(IntKind::Uint64, n.cast_signed()),
        Any::Float(f) => Value::Float(*f),
        _ => Value::Nil,
    }
}

/// A number as Kubernetes decodes it from JSON: whole ones are `int64` as far as that goes.
fn exact_number(number: &Any) -> Value {
    match number {
        Any::Int(n) => Value::int64(*n),
        Any::Uint(n) => Value::Float(*n as f64),
        // Beyond 1e21 JSON has an exponent, and within it not all fit.
        Any::Float(f) if f.fract() == 0.0 && f.abs() < 9_223_372_036_854_775_808.0 => {
            Value::int64(*f as i64)
        }
        Any::Float(f) => Value::Float(*f),
        _ => Value::Nil,
    }
}

/// Go's complaint about a number that JSON lacks.
pub(crate) fn unsupported_float(f: f64) -> Error {
    let text = if f.is_nan() {
        "json: unsupported value: NaN"
    } else if f > 0.0 {
        "json: unsupported value: +Inf"
    } else {
        "json: unsupported value: -Inf"
    };
    Error::new(ErrorKind::Unsupported, Stage::Plain, text)
}

fn slice<'t, T>(all: &'t [T], range: &Range<u32>) -> &'t [T] {
    all.get(range.start as usize..range.end as usize).unwrap_or_default()
}

/// What a [`Node`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum NodeType {
    Null,
    Bool,
    Number,
    String,
    Sequence,
    Mapping,
}

/// A value of a [`Document`].
#[derive(Clone, Copy, Debug)]
pub struct Node<'d> {
    pub(crate) document: &'d Document<'d>,
    pub(crate) index: u32,
}

impl<'d> Node<'d> {
    pub(crate) fn any(&self) -> &'d Any {
        self.document.any(self.index)
    }

    /// The type of the value.
    pub fn node_type(&self) -> NodeType {
        match self.any() {
            Any::Null => NodeType::Null,
            Any::Bool(_) => NodeType::Bool,
            Any::Int(_) | Any::Uint(_) | Any::Float(_) => NodeType::Number,
            Any::Text(_) | Any::Binary(_) => NodeType::String,
            Any::List(_) => NodeType::Sequence,
            Any::Map(_) => NodeType::Mapping,
        }
    }

    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(self.any(), Any::Null)
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.any() {
            Any::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The value of a number, as JSON carries it.
    pub fn as_f64(&self) -> Option<f64> {
        match self.any() {
            Any::Int(n) => Some(*n as f64),
            Any::Uint(n) => Some(*n as f64),
            Any::Float(f) => Some(*f),
            _ => None,
        }
    }

    /// The value of a string; numbers and booleans have none.
    pub fn as_str(&self) -> Option<Cow<'d, [u8]>> {
        match self.any() {
            Any::Text(_) | Any::Binary(_) => Some(valid_utf8(self.document.string(self.index))),
            _ => None,
        }
    }

    /// What a Go field of type `string` gets: strings, and numbers and booleans as text, floats with
    /// the digits of a `float32`. `None` for null and containers.
    pub fn as_string_target(&self) -> Option<Cow<'d, [u8]>> {
        let mut out = Vec::new();
        match self.any() {
            Any::Text(_) | Any::Binary(_) => return self.as_str(),
            Any::Bool(b) => return Some(Cow::Borrowed(if *b { b"true" } else { b"false" })),
            Any::Int(n) => out.extend_from_slice(itoa(*n).as_bytes()),
            Any::Uint(n) => out.extend_from_slice(n.to_string().as_bytes()),
            Any::Float(f) => append_float(&mut out, *f, b'g', None, 32),
            Any::Null | Any::List(_) | Any::Map(_) => return None,
        }
        Some(Cow::Owned(out))
    }

    /// The items of a sequence; none for anything else.
    pub fn items(&self) -> impl DoubleEndedIterator<Item = Node<'d>> + use<'d> {
        let document = self.document;
        document.list_items(self.index).iter().map(move |&index| Node { document, index })
    }

    /// The entries of a mapping, in the order of their keys' bytes; none for anything else.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (&'d Str, Node<'d>)> + use<'d> {
        let document = self.document;
        let pairs = document.map_pairs(self.index).iter();
        pairs.map(move |pair| (&pair.key.name, Node { document, index: pair.value }))
    }

    /// The value of a mapping's key.
    pub fn get(&self, key: &[u8]) -> Option<Node<'d>> {
        let document = self.document;
        let pairs = document.map_pairs(self.index);
        let at = pairs.binary_search_by(|pair| pair.key.name.as_bytes().cmp(key)).ok()?;
        pairs.get(at).map(|pair| Node { document, index: pair.value })
    }

    /// Where the value stands in the source, in bytes. Behind an alias that is the anchored value.
    pub fn span(&self) -> Range<usize> {
        self.syntax().map_or(0..0, |node| node.start as usize..node.end as usize)
    }

    /// The 1-based line on which the value begins.
    pub fn line(&self) -> usize {
        self.syntax().map_or(1, |node| node.line as usize + 1)
    }

    /// The value as written.
    pub fn source(&self) -> &'d [u8] {
        self.document.tree.source.get(self.span()).unwrap_or_default()
    }

    fn syntax(&self) -> Option<&'d crate::tree::Node> {
        let entry = self.document.values.get(self.index as usize)?;
        self.document.tree.node(entry.node as usize)
    }

    /// The value as Go decodes it into an `interface {}`: all numbers `float64`.
    pub fn to_value(&self) -> Value {
        self.document.build(self.index, |n| match n {
            Any::Int(n) => Value::Float(*n as f64),
            Any::Uint(n) => Value::Float(*n as f64),
            Any::Float(f) => Value::Float(*f),
            _ => Value::Nil,
        })
    }

    /// The value as Kubernetes decodes it: whole numbers are `int64` where they fit, the others
    /// `float64`.
    pub fn to_exact_value(&self) -> Value {
        self.document.build(self.index, exact_number)
    }
}
