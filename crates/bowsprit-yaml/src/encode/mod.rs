//! Values to YAML: `toYaml` as `sigs.k8s.io/yaml` does it, `toYamlPretty` as goyaml v3.

mod style;
mod write;

use crate::any::{AnyEntry, AnyMap, any_entries};
use crate::base64;
use crate::document::{Document, unsupported_float};
use crate::error::{Error, ErrorKind, Stage};
use crate::json::{
    CYCLE_DEPTH, append_json_float, append_json_string, append_value, cycle, unsupported_type,
};
use crate::order::{self, Dialect};
use crate::tree::Style;
use bowsprit_value::fmt::append_float;
use bowsprit_value::unicode::rune_count;
use bowsprit_value::{Entries, IntKind, List, Meter, Object, Str, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use style::Analysis;
use write::{Place, Writer};

/// Containers that goyaml reads from the JSON in between.
const MAX_DEPTH: usize = 10_000;
/// Longer keys are not written on one line with their value.
const MAX_SIMPLE_KEY: usize = 128;
/// The longest key, as JSON, that goyaml recognizes as one.
const MAX_JSON_KEY: usize = 1024;

/// Appends a value exactly as `sigs.k8s.io/yaml`'s `Marshal` writes it, with a final newline.
///
/// ```
/// use bowsprit_value::{Map, Meter, Value};
///
/// let map = Map::from_entries([("on".into(), Value::list(vec![1e6.into(), "a: b".into()]))]);
/// let mut out = Vec::new();
/// bowsprit_yaml::encode(&map.into(), &mut out, &Meter::default())?;
/// assert_eq!(out, b"\"on\":\n- 1000000\n- 'a: b'\n");
/// # Ok::<(), bowsprit_yaml::Error>(())
/// ```
///
/// # Errors
///
/// What has no JSON form, what goyaml cannot read back from JSON (a DEL, a key of more than 1024
/// characters), cycles, and a reached limit of the meter. What was appended until then stays.
pub fn encode(value: &Value, out: &mut Vec<u8>, meter: &Meter) -> Result<(), Error> {
    let start = out.len();
    match Encoder::new(out, Dialect::Sigs, Mode::Json, meter).run(value) {
        Err(Stop::Error(error)) => Err(error),
        Ok(()) => Ok(()),
        Err(Stop::Roundabout) => {
            out.truncate(start);
            encode_by_json(value, out, meter)
        }
    }
}

/// Appends a value exactly as goyaml v3 writes it with an indentation of 2: `toYamlPretty`.
///
/// # Errors
///
/// Values that goyaml cannot write, values nested without end, and a reached limit of the meter.
pub fn encode_pretty(value: &Value, out: &mut Vec<u8>, meter: &Meter) -> Result<(), Error> {
    match Encoder::new(out, Dialect::V3, Mode::Raw, meter).run(value) {
        Err(Stop::Error(error)) => Err(error),
        _ => Ok(()),
    }
}

/// Appends a value as [`encode`] writes it and goyaml v3, as kyaml uses it, writes that again: styles
/// and the order of keys stay those of the first, but no line is folded and sequences are not indented.
/// This is the text of what kustomize hands to Helm and Helm takes apart.
///
/// ```
/// use bowsprit_value::{Map, Meter, Value};
///
/// let map = Map::from_entries([("on".into(), Value::list(vec!["word ".repeat(30).trim_end().into()]))]);
/// let mut out = Vec::new();
/// bowsprit_yaml::encode_rewritten(&map.into(), &mut out, &Meter::default())?;
/// assert!(out.starts_with(b"\"on\":\n- word word"));
/// assert_eq!(out.iter().filter(|b| **b == b'\n').count(), 2);
/// # Ok::<(), bowsprit_yaml::Error>(())
/// ```
///
/// # Errors
///
/// As [`encode`].
pub fn encode_rewritten(value: &Value, out: &mut Vec<u8>, meter: &Meter) -> Result<(), Error> {
    let start = out.len();
    match Encoder::new(out, Dialect::Sigs, Mode::Json, meter).rewritten().run(value) {
        Err(Stop::Error(error)) => return Err(error),
        Ok(()) => return Ok(()),
        Err(Stop::Roundabout) => out.truncate(start),
    }
    let raw = by_json(value, meter)?;
    match Encoder::new(out, Dialect::Sigs, Mode::Raw, meter).rewritten().run(&raw) {
        Err(Stop::Error(error)) => Err(error),
        _ => Ok(()),
    }
}

/// The whole way, for strings that goyaml reads differently from how JSON wrote them.
#[cold]
fn encode_by_json(value: &Value, out: &mut Vec<u8>, meter: &Meter) -> Result<(), Error> {
    let raw = by_json(value, meter)?;
    match Encoder::new(out, Dialect::Sigs, Mode::Raw, meter).run(&raw) {
        Err(Stop::Error(error)) => Err(error),
        _ => Ok(()),
    }
}

/// A value written as JSON and read by goyaml.
fn by_json(value: &Value, meter: &Meter) -> Result<Value, Error> {
    let mut json = Vec::new();
    append_value(&mut json, value, meter).map_err(|e| match e.kind() {
        ErrorKind::Limit => e,
        _ => e.at_stage(Stage::Marshal),
    })?;
    Ok(match crate::tree::Tree::parse(&json)? {
        Some(tree) => Document::from_tree(tree, false)?.to_raw_value(),
        None => Value::Nil,
    })
}

/// What happens to values before they are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// They go through JSON.
    Json,
    /// They are written as they are.
    Raw,
}

enum Stop {
    Error(Error),
    /// The text has to be made by way of JSON.
    Roundabout,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(error)
    }
}

enum Items {
    List(List),
    Bytes(Arc<[u8]>),
    Map {
        entries: Entries,
        order: Option<Vec<u32>>,
    },
    /// A struct, its fields in their own order.
    Struct(Vec<(Str, Value)>),
    /// A map with keys of any type.
    Any(Vec<AnyEntry>),
}

/// What stands before an entry.
#[derive(Clone, Copy)]
enum Label<'i> {
    Dash,
    Name(&'i Str),
    /// A key that may be no string.
    Key(&'i Value),
}

struct Frame {
    items: Items,
    next: usize,
    indent: usize,
    /// The map to forget in the search for cycles.
    id: Option<usize>,
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Root,
    Item,
    /// After a key; true on the key's own line.
    Value,
}

struct Encoder<'o, 'm> {
    writer: Writer<'o>,
    mode: Mode,
    meter: &'m Meter,
    charged: usize,
    frames: Vec<Frame>,
    /// Maps that are open below [`CYCLE_DEPTH`].
    open: BTreeSet<usize>,
    scratch: Vec<u8>,
}

impl<'o, 'm> Encoder<'o, 'm> {
    fn new(
        out: &'o mut Vec<u8>,
        dialect: Dialect,
        mode: Mode,
        meter: &'m Meter,
    ) -> Encoder<'o, 'm> {
        let charged = out.len();
        Encoder {
            writer: Writer::new(out, dialect),
            mode,
            meter,
            charged,
            frames: Vec::new(),
            open: BTreeSet::new(),
            scratch: Vec::new(),
        }
    }

    fn rewritten(mut self) -> Self {
        self.writer.rewrite();
        self
    }

    fn run(mut self, value: &Value) -> Result<(), Stop> {
        self.node(value, Context::Root)?;
        while let Some(frame) = self.frames.pop() {
            self.charge()?;
            self.entries(frame)?;
        }
        self.writer.finish();
        self.charge()?;
        Ok(())
    }

    fn charge(&mut self) -> Result<(), Stop> {
        let len = self.writer.out.len();
        let grown = len.saturating_sub(self.charged);
        self.charged = len;
        self.meter.charge_bytes(grown).map_err(|e| Stop::Error(Error::limit(&e)))
    }

    /// Writes the entries of a container up to its end, or to the next one that is a container itself.
    fn entries(&mut self, mut frame: Frame) -> Result<(), Stop> {
        let indent = frame.indent;
        while let Some((key, value)) = frame.items.get(frame.next) {
            frame.next += 1;
            self.writer.write_indent(indent);
            let context = match key {
                Label::Dash => {
                    self.writer.write_entry_indicator(b'-');
                    Context::Item
                }
                Label::Name(name) | Label::Key(Value::Str(name)) => {
                    self.key(name, indent)?;
                    Context::Value
                }
                Label::Key(key) => {
                    self.plain_key(key, indent)?;
                    Context::Value
                }
            };
            if !self.leaf(&value, indent + 2)? {
                let value = value.into_owned();
                self.frames.push(frame);
                return self.node(&value, context);
            }
        }
        if let Some(id) = frame.id {
            self.open.remove(&id);
        }
        Ok(())
    }

    fn key(&mut self, key: &Str, indent: usize) -> Result<(), Stop> {
        let text = key.as_bytes();
        if self.mode == Mode::Json && (needs_json(text) || json_key_too_long(text)) {
            return Err(Stop::Roundabout);
        }
        if self.writer.dialect() == Dialect::V3 && std::str::from_utf8(text).is_err() {
            return self.binary_key(text, indent);
        }
        let dialect = self.writer.dialect();
        let analysis = Analysis::of(text, dialect);
        let simple_key = !analysis.multiline && text.len() <= MAX_SIMPLE_KEY;
        let place = Place { indent: indent + 2, simple_key };
        self.begin_key(simple_key);
        self.writer.write_scalar(text, analysis, style::wish(text, dialect), place);
        self.end_key(simple_key, indent);
        Ok(())
    }

    fn plain_key(&mut self, key: &Value, indent: usize) -> Result<(), Stop> {
        match key {
            Value::Object(object) => {
                let text = object.to_text().unwrap_or_default();
                self.writer.write_word(text.as_bytes());
            }
            key => {
                self.leaf(key, indent + 2)?;
            }
        }
        self.end_key(true, indent);
        Ok(())
    }

    fn begin_key(&mut self, simple: bool) {
        if !simple {
            self.writer.write_entry_indicator(b'?');
        }
    }

    fn end_key(&mut self, simple: bool, indent: usize) {
        if simple {
            self.writer.write_colon();
        } else {
            self.writer.write_indent(indent);
            self.writer.write_entry_indicator(b':');
        }
    }

    fn binary_key(&mut self, bytes: &[u8], indent: usize) -> Result<(), Stop> {
        let text = base64_lines(bytes);
        let analysis = Analysis::of(&text, Dialect::V3);
        // The tag counts as `!!` and `binary`.
        let simple_key = !analysis.multiline && text.len() + 8 <= MAX_SIMPLE_KEY;
        self.begin_key(simple_key);
        self.binary(&text, analysis, Place { indent: indent + 2, simple_key });
        self.end_key(simple_key, indent);
        Ok(())
    }

    fn binary(&mut self, text: &[u8], analysis: Analysis, place: Place) {
        self.writer.write_word(b"!!binary");
        let wish = if text.contains(&b'\n') { Style::Literal } else { Style::Plain };
        self.writer.write_scalar(text, analysis, wish, place);
    }

    /// Writes a scalar; false where the value is a container or an object.
    fn leaf(&mut self, value: &Value, indent: usize) -> Result<bool, Stop> {
        match value {
            Value::Str(s) => self.string(s.as_bytes(), indent)?,
            Value::Nil => self.writer.write_word(b"null"),
            Value::Bool(true) => self.writer.write_word(b"true"),
            Value::Bool(false) => self.writer.write_word(b"false"),
            Value::Int(kind, n) if kind.is_unsigned() => {
                self.writer.write_word(n.cast_unsigned().to_string().as_bytes());
            }
            Value::Int(_, n) => self.integer(*n),
            Value::Float(f) => self.float(*f)?,
            Value::Bytes(bytes) if self.mode == Mode::Json => {
                let mut text = Vec::new();
                base64::encode(bytes, &mut text);
                self.string(&text, indent)?;
            }
            Value::Complex(_) => return Err(self.unsupported("complex128")),
            Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Object(_) => {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn integer(&mut self, n: i64) {
        self.scratch.clear();
        push_integer(&mut self.scratch, n);
        self.writer.write_word(&self.scratch);
    }

    fn float(&mut self, f: f64) -> Result<(), Stop> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if self.mode == Mode::Json {
            if f.trunc() == f && f.abs() <= EXACT {
                self.integer(f as i64);
                return Ok(());
            }
            if !f.is_finite() {
                return Err(unsupported_float(f).at_stage(Stage::Marshal).into());
            }
        }
        self.scratch.clear();
        if self.mode == Mode::Json && f.trunc() == f && f.abs() < 1e21 {
            append_json_float(&mut self.scratch, f);
            if is_64_bit(&self.scratch) {
                self.writer.write_word(&self.scratch);
                return Ok(());
            }
            self.scratch.clear();
        }
        append_float(&mut self.scratch, f, b'g', None, 64);
        let text: &[u8] = match self.scratch.as_slice() {
            b"+Inf" => b".inf",
            b"-Inf" => b"-.inf",
            b"NaN" => b".nan",
            text => text,
        };
        self.writer.write_word(text);
        Ok(())
    }

    fn string(&mut self, text: &[u8], indent: usize) -> Result<(), Stop> {
        let place = Place { indent, simple_key: false };
        let dialect = self.writer.dialect();
        if self.mode == Mode::Json {
            if needs_json(text) {
                return Err(Stop::Roundabout);
            }
        } else if dialect == Dialect::V3 && std::str::from_utf8(text).is_err() {
            let text = base64_lines(text);
            let analysis = Analysis::of(&text, dialect);
            self.binary(&text, analysis, place);
            return Ok(());
        }
        let analysis = Analysis::of(text, dialect);
        self.writer.write_scalar(text, analysis, style::wish(text, dialect), place);
        Ok(())
    }

    fn unsupported(&self, name: &str) -> Stop {
        if self.mode == Mode::Json {
            unsupported_type(name).at_stage(Stage::Marshal).into()
        } else {
            let text = format!("cannot marshal type: {name}");
            Error::new(ErrorKind::Unsupported, Stage::Plain, text).into()
        }
    }

    /// Opens a container, or writes what is none.
    fn node(&mut self, value: &Value, context: Context) -> Result<(), Stop> {
        let (parent, scalar_indent) = match self.frames.last() {
            Some(frame) => (Some(frame.indent), frame.indent + 2),
            None => (None, 2),
        };
        if self.leaf(value, scalar_indent)? {
            return Ok(());
        }
        let nil = matches!(value, Value::List(l) if l.is_nil())
            || matches!(value, Value::Map(m) if m.is_nil());
        if nil && self.mode == Mode::Json {
            self.writer.write_word(b"null");
            return Ok(());
        }
        let (items, id, empty): (Items, Option<usize>, &[u8]) = match value {
            Value::Object(object) => return self.object(object.as_ref(), context),
            Value::List(list) => (Items::List(list.clone()), None, b"[]"),
            Value::Bytes(bytes) => (Items::Bytes(Arc::clone(bytes)), None, b"[]"),
            Value::Map(map) => (self.sorted(map.entries()), Some(map.id()), b"{}"),
            _ => return Ok(()),
        };
        if items.is_empty() {
            self.writer.write_word(empty);
            return Ok(());
        }
        let indent = self.indent(parent, items.is_sequence(), context);
        self.open_frame(Frame { items, next: 0, indent, id }, value)
    }

    fn indent(&self, parent: Option<usize>, sequence: bool, context: Context) -> usize {
        let Some(parent) = parent else { return 0 };
        // libyaml does not indent sequences below a key, goyaml v3 does.
        let indentless = sequence
            && context == Context::Value
            && !self.writer.indention
            && self.writer.dialect() == Dialect::Sigs;
        if indentless { parent } else { parent + 2 }
    }

    fn sorted(&self, entries: Entries) -> Items {
        let key = |i: u32| entries.get(i as usize).map_or(&b""[..], |(key, _)| key.as_bytes());
        let order = order::sorted(self.writer.dialect(), entries.len(), key);
        Items::Map { entries, order }
    }

    fn open_frame(&mut self, mut frame: Frame, value: &Value) -> Result<(), Stop> {
        let depth = self.frames.len() + 1;
        if depth > CYCLE_DEPTH {
            if let Some(id) = frame.id
                && !self.open.insert(id)
            {
                return Err(cycle(&value.type_name()).at_stage(Stage::Marshal).into());
            }
            if depth > MAX_DEPTH {
                let text = "exceeded max depth of 10000";
                return Err(Error::new(ErrorKind::Content, Stage::Plain, text).into());
            }
        } else {
            frame.id = None;
        }
        self.frames.push(frame);
        Ok(())
    }

    fn object(&mut self, object: &dyn Object, context: Context) -> Result<(), Stop> {
        let any: &dyn std::any::Any = object;
        if let Some(map) = any.downcast_ref::<AnyMap>().filter(|_| self.mode == Mode::Raw) {
            let entries = any_entries(&Value::object(map.clone())).unwrap_or_default();
            return self.items(Items::Any(entries), context);
        }
        if self.writer.dialect() == Dialect::V3
            && let Some(fields) = object.to_yaml_pretty()
        {
            return self.fields(fields, context);
        }
        let Some(plain) = object.to_json() else {
            return Err(self.unsupported(object.type_name()));
        };
        match &plain {
            Value::Str(text) if self.mode == Mode::Raw && object.type_name() == "time.Time" => {
                // goyaml writes times as such, and so without quotes.
                self.writer.write_word(text.as_bytes());
                Ok(())
            }
            Value::Object(inner) => Err(self.unsupported(inner.type_name())),
            plain => self.node(plain, context),
        }
    }

    fn fields(&mut self, fields: Vec<(Str, Value)>, context: Context) -> Result<(), Stop> {
        self.items(Items::Struct(fields), context)
    }

    fn items(&mut self, items: Items, context: Context) -> Result<(), Stop> {
        if items.is_empty() {
            self.writer.write_word(b"{}");
            return Ok(());
        }
        let parent = self.frames.last().map(|frame| frame.indent);
        let indent = self.indent(parent, false, context);
        self.open_frame(Frame { items, next: 0, indent, id: None }, &Value::Nil)
    }
}

impl Items {
    /// The entry that comes at a place, with its key if there are keys.
    fn get(&self, at: usize) -> Option<(Label<'_>, Cow<'_, Value>)> {
        let (key, value) = match self {
            Items::List(list) => return Some((Label::Dash, Cow::Borrowed(list.get(at)?))),
            Items::Bytes(bytes) => {
                let byte = Value::Int(IntKind::Uint8, i64::from(*bytes.get(at)?));
                return Some((Label::Dash, Cow::Owned(byte)));
            }
            Items::Any(entries) => {
                let entry = entries.get(at)?;
                return Some((Label::Key(&entry.key), Cow::Borrowed(&entry.value)));
            }
            Items::Map { entries, order: None } => entries.get(at)?,
            Items::Map { entries, order: Some(order) } => entries.get(*order.get(at)? as usize)?,
            Items::Struct(fields) => fields.get(at).map(|(key, value)| (key, value))?,
        };
        Some((Label::Name(key), Cow::Borrowed(value)))
    }

    fn is_empty(&self) -> bool {
        match self {
            Items::List(list) => list.is_empty(),
            Items::Bytes(bytes) => bytes.is_empty(),
            Items::Map { entries, .. } => entries.is_empty(),
            Items::Struct(fields) => fields.is_empty(),
            Items::Any(entries) => entries.is_empty(),
        }
    }

    fn is_sequence(&self) -> bool {
        matches!(self, Items::List(_) | Items::Bytes(_))
    }
}

/// Whether JSON or goyaml's reader may change the text, or refuse it.
fn needs_json(text: &[u8]) -> bool {
    if text.iter().all(|&b| b < 0x7f) {
        return false;
    }
    let Ok(text) = std::str::from_utf8(text) else { return true };
    text.chars().any(|c| matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}'))
}

fn json_key_too_long(key: &[u8]) -> bool {
    // No byte takes more than six characters in JSON.
    if key.len() < MAX_JSON_KEY / 6 {
        return false;
    }
    let mut json = Vec::with_capacity(key.len() + 2);
    append_json_string(&mut json, key);
    rune_count(&json) > MAX_JSON_KEY
}

fn push_integer(out: &mut Vec<u8>, n: i64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = n.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 || at == 0 {
            break;
        }
    }
    if n < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// Whether decimal digits fit into an `int64` or a `uint64`.
fn is_64_bit(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()
}

/// Base64 in lines of 70 characters, as goyaml has it in `!!binary` scalars.
fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    const LINE: usize = 70;
    let mut text = Vec::new();
    base64::encode(bytes, &mut text);
    if text.len() < LINE {
        return text;
    }
    let mut out = Vec::with_capacity(text.len() + text.len() / LINE + 1);
    for line in text.chunks(LINE) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out
}
