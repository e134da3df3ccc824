//! Writing TOML: BurntSushi's encoder over values, with a stack in place of its recursion.

use super::scalar::{LOCAL_DATE, LOCAL_DATETIME, LOCAL_TIME};
use super::{append_key, append_string};
use bowsprit_sprig::{Duration, Time, Zone};
use bowsprit_value::fmt::{append_float, append_int};
use bowsprit_value::{Entries, FuncError, FuncErrorKind, Kind, List, Meter, Object, Str, Value};
use std::collections::BTreeSet;

/// Why a value has no text.
#[derive(Debug)]
pub(super) enum Failure {
    /// The library's error.
    Refused(Str),
    /// Go panics, or a limit is reached.
    Stopped(FuncError),
}

impl From<FuncError> for Failure {
    fn from(error: FuncError) -> Failure {
        Failure::Stopped(error)
    }
}

type Result<T> = std::result::Result<T, Failure>;

#[cold]
fn refused(text: impl Into<Str>) -> Failure {
    Failure::Refused(text.into())
}

const CHARGE_EVERY: usize = 4096;
/// From this depth on maps that contain themselves are looked for.
const SHALLOW: usize = 1000;

/// The text of a value; what is no table stands alone.
pub(super) fn encode(value: &Value, meter: &Meter) -> Result<Str> {
    let mut encoder = Encoder::new(meter);
    encoder.document(value)?;
    encoder.run()?;
    encoder.settle()?;
    Ok(Str::from(encoder.out))
}

/// How TOML writes a value below a key.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// Not at all.
    Nil,
    /// Behind the key.
    Plain,
    /// As `[table]`.
    Table,
    /// As `[[table]]`.
    Tables,
}

/// The entries of a map or the fields of a struct.
enum Entered {
    Map(Entries, usize),
    Struct(Vec<(&'static str, Value)>),
}

impl Entered {
    fn get(&self, index: usize) -> Option<(&[u8], &Value)> {
        match self {
            Entered::Map(entries, _) => entries.get(index).map(|(k, v)| (k.as_bytes(), v)),
            Entered::Struct(fields) => fields.get(index).map(|(k, v)| (k.as_bytes(), v)),
        }
    }
}

/// The entries of a table in the order of the text: first those behind keys, then the tables.
struct Body {
    entered: Entered,
    plain: Vec<(usize, Shape)>,
    tables: Vec<(usize, Shape)>,
    next: usize,
}

impl Body {
    /// The next entry, with its index among the fields and its shape.
    fn advance(&mut self) -> Option<(usize, Shape)> {
        let at = self.next;
        self.next += 1;
        let tables = || self.tables.get(at.checked_sub(self.plain.len())?);
        self.plain.get(at).or_else(tables).copied()
    }

    /// Whether a comma follows the entry that was written last. The library counts the unexported
    /// fields of a struct, and those that are left out, in one place but not in the other.
    fn comma(&self, index: usize) -> bool {
        match self.entered {
            Entered::Map(..) => self.next < self.plain.len() + self.tables.len(),
            Entered::Struct(_) => index + 1 != self.plain.len() + self.tables.len(),
        }
    }
}

enum Frame {
    /// Below a header.
    Table { body: Body, depth: usize, path: usize, line_open: bool },
    /// The tables of an array that are to come.
    Tables { list: List, next: usize, depth: usize, path: usize },
    /// Between braces.
    Inline { body: Body, comma: bool },
    /// Between brackets.
    Array { list: List, next: usize },
}

struct Encoder<'a> {
    out: Vec<u8>,
    meter: &'a Meter,
    charged: usize,
    frames: Vec<Frame>,
    /// The key of the table that is being written; frames know how much of it is theirs.
    path: Vec<u8>,
    open_maps: BTreeSet<usize>,
}

impl<'a> Encoder<'a> {
    fn new(meter: &'a Meter) -> Encoder<'a> {
        Encoder {
            out: Vec::new(),
            meter,
            charged: 0,
            frames: Vec::new(),
            path: Vec::new(),
            open_maps: BTreeSet::new(),
        }
    }

    fn settle(&mut self) -> Result<()> {
        let written = self.out.len() - self.charged;
        self.charged = self.out.len();
        Ok(self.meter.charge_bytes(written)?)
    }

    fn document(&mut self, value: &Value) -> Result<()> {
        if value.is_nil() {
            let text = "reflect: call of reflect.Value.Type on zero Value";
            return Err(FuncError::new(text).into());
        }
        if let Value::Complex(_) = value {
            return Err(refused("unsupported type for key '': complex128"));
        }
        match self.shape(value)? {
            Shape::Tables => Err(refused("toml: top-level values must be Go maps or structs")),
            Shape::Table => self.begin_table(value, 0),
            Shape::Plain => self.element(value),
            Shape::Nil if matches!(value, Value::List(_)) => self.element(value),
            Shape::Nil => Ok(()),
        }
    }

    fn run(&mut self) -> Result<()> {
        while let Some(frame) = self.frames.pop() {
            if self.out.len() - self.charged > CHARGE_EVERY {
                self.settle()?;
            }
            match frame {
                Frame::Table { body, depth, path, line_open } => {
                    if line_open {
                        self.out.push(b'\n');
                    }
                    self.table(body, depth, path)?;
                }
                Frame::Tables { list, next, depth, path } => {
                    self.tables(list, next, depth, path)?;
                }
                Frame::Inline { body, comma } => {
                    if comma {
                        self.out.extend_from_slice(b", ");
                    }
                    self.inline(body)?;
                }
                Frame::Array { list, next } => self.array(list, next)?,
            }
        }
        Ok(())
    }

    /// Writes a table up to the first value with parts.
    fn table(&mut self, mut body: Body, depth: usize, path: usize) -> Result<()> {
        while let Some((index, shape)) = body.advance() {
            let Some((key, value)) = body.entered.get(index) else { continue };
            if shape == Shape::Plain {
                indent(&mut self.out, depth);
                append_key(&mut self.out, key);
                self.out.extend_from_slice(b" = ");
                if append_scalar(&mut self.out, value) {
                    self.out.push(b'\n');
                    continue;
                }
            } else if shape != Shape::Nil {
                self.path.truncate(path);
                if depth > 0 {
                    self.path.push(b'.');
                }
                append_key(&mut self.path, key);
            } else {
                continue;
            }
            let value = value.clone();
            let line_open = shape == Shape::Plain;
            self.frames.push(Frame::Table { body, depth, path, line_open });
            return self.below(&value, shape, depth + 1);
        }
        self.leave(&body.entered);
        Ok(())
    }

    fn below(&mut self, value: &Value, shape: Shape, depth: usize) -> Result<()> {
        match (shape, value) {
            (Shape::Tables, Value::List(list)) => {
                let (list, path) = (list.clone(), self.path.len());
                self.frames.push(Frame::Tables { list, next: 0, depth, path });
                Ok(())
            }
            (Shape::Table, _) => {
                if depth == 1 && !self.out.is_empty() {
                    self.out.push(b'\n');
                }
                self.header("[", "]\n", depth);
                self.begin_table(value, depth)
            }
            _ => self.element(value),
        }
    }

    /// Writes the brackets around the present key.
    fn header(&mut self, open: &str, close: &str, depth: usize) {
        indent(&mut self.out, depth.saturating_sub(1));
        self.out.extend_from_slice(open.as_bytes());
        self.out.extend_from_slice(&self.path);
        self.out.extend_from_slice(close.as_bytes());
    }

    fn tables(&mut self, list: List, next: usize, depth: usize, path: usize) -> Result<()> {
        let Some(item) = list.get(next).cloned() else { return Ok(()) };
        self.path.truncate(path);
        if !self.out.is_empty() {
            self.out.push(b'\n');
        }
        self.header("[[", "]]\n", depth);
        self.frames.push(Frame::Tables { list, next: next + 1, depth, path });
        self.begin_table(&item, depth)
    }

    fn begin_table(&mut self, value: &Value, depth: usize) -> Result<()> {
        let body = self.enter(value)?;
        let path = self.path.len();
        self.frames.push(Frame::Table { body, depth, path, line_open: false });
        Ok(())
    }

    fn inline(&mut self, mut body: Body) -> Result<()> {
        while let Some((index, shape)) = body.advance() {
            let comma = body.comma(index);
            let Some((key, value)) = body.entered.get(index) else { continue };
            if shape == Shape::Nil {
                continue;
            }
            append_key(&mut self.out, key);
            self.out.extend_from_slice(b" = ");
            if !append_scalar(&mut self.out, value) {
                let value = value.clone();
                self.frames.push(Frame::Inline { body, comma });
                return self.element(&value);
            }
            if comma {
                self.out.extend_from_slice(b", ");
            }
        }
        self.out.push(b'}');
        self.leave(&body.entered);
        Ok(())
    }

    fn array(&mut self, list: List, mut next: usize) -> Result<()> {
        while let Some(item) = list.get(next) {
            if next > 0 {
                self.out.extend_from_slice(b", ");
            }
            next += 1;
            if !append_scalar(&mut self.out, item) {
                let item = item.clone();
                self.frames.push(Frame::Array { list, next });
                return self.element(&item);
            }
        }
        self.out.push(b']');
        Ok(())
    }

    /// Writes a value behind a key or within brackets, or begins to.
    fn element(&mut self, value: &Value) -> Result<()> {
        if append_scalar(&mut self.out, value) {
            return Ok(());
        }
        if let Value::List(list) = value {
            self.out.push(b'[');
            self.frames.push(Frame::Array { list: list.clone(), next: 0 });
            return Ok(());
        }
        self.out.push(b'{');
        let body = self.enter(value)?;
        self.frames.push(Frame::Inline { body, comma: false });
        Ok(())
    }

    /// Sorts the entries of a map or struct by their shape.
    fn enter(&mut self, value: &Value) -> Result<Body> {
        let entered = match value {
            Value::Map(map) => {
                self.enter_map(map.id())?;
                Entered::Map(map.peek(), map.id())
            }
            Value::Object(object) => Entered::Struct(object.fields()),
            _ => Entered::Struct(Vec::new()),
        };
        let mut body = Body { entered, plain: Vec::new(), tables: Vec::new(), next: 0 };
        let mut index = 0;
        while let Some((key, value)) = body.entered.get(index) {
            let exported = match body.entered {
                Entered::Map(..) => true,
                Entered::Struct(_) => key.first().is_some_and(u8::is_ascii_uppercase),
            };
            if exported {
                let shape = self.shape(value)?;
                let tables = matches!(shape, Shape::Table | Shape::Tables);
                let group = if tables { &mut body.tables } else { &mut body.plain };
                group.push((index, shape));
            }
            index += 1;
        }
        Ok(body)
    }

    /// Go's stack overflows where a map contains itself; nobody can tell what it would have written.
    fn enter_map(&mut self, id: usize) -> Result<()> {
        if self.frames.len() >= SHALLOW && !self.open_maps.insert(id) {
            return Err(FuncError::with_kind(FuncErrorKind::Limit, "cyclic value").into());
        }
        Ok(())
    }

    fn leave(&mut self, entered: &Entered) {
        if let Entered::Map(_, id) = entered
            && !self.open_maps.is_empty()
        {
            self.open_maps.remove(id);
        }
    }

    fn shape(&self, value: &Value) -> Result<Shape> {
        match value {
            Value::List(list) => self.list_shape(list),
            _ => shape(value),
        }
    }

    /// An array of tables, if there is nothing else in the list. All lists in it are looked through
    /// for what can't be written.
    fn list_shape(&self, list: &List) -> Result<Shape> {
        if list.is_nil() || list.is_empty() {
            return shape(&Value::List(list.clone()));
        }
        let mut all = Shape::Tables;
        let mut stack = vec![list.iter()];
        while let Some(items) = stack.last_mut() {
            let Some(item) = items.next() else {
                stack.pop();
                continue;
            };
            let shape = shape(item)?;
            if shape == Shape::Nil {
                return Err(refused("toml: cannot encode array with nil element"));
            }
            if stack.len() == 1 && shape != Shape::Table {
                all = Shape::Plain;
            }
            if let Value::List(inner) = item {
                self.meter.charge_steps(inner.len() as u64)?;
                stack.push(inner.iter());
            }
        }
        Ok(all)
    }
}

/// The shape of a value that is taken for plain if it is a list.
fn shape(value: &Value) -> Result<Shape> {
    Ok(match value {
        Value::Nil => Shape::Nil,
        Value::List(list) if list.is_nil() => Shape::Nil,
        Value::Map(map) if map.is_nil() => Shape::Nil,
        Value::Map(_) => Shape::Table,
        Value::Complex(_) => return Err(refused("unsupported type: complex128")),
        Value::Object(object) => match object.kind() {
            Kind::Int(_) => Shape::Plain,
            Kind::Struct | Kind::Ptr if is_text(object.as_ref()) => Shape::Plain,
            Kind::Struct | Kind::Ptr => Shape::Table,
            kind => return Err(refused(format!("unsupported type: {kind}"))),
        },
        _ => Shape::Plain,
    })
}

/// Whether Go would ask the struct itself for its text.
fn is_text(object: &dyn Object) -> bool {
    object.methods().iter().any(|method| method.name == "MarshalText")
}

fn indent(out: &mut Vec<u8>, depth: usize) {
    out.resize(out.len() + 2 * depth, b' ');
}

/// Writes what has no parts; false for the rest.
fn append_scalar(out: &mut Vec<u8>, value: &Value) -> bool {
    match value {
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Int(kind, n) => append_int(
            out,
            *n < 0 && !kind.is_unsigned(),
            if kind.is_unsigned() { n.cast_unsigned() } else { n.unsigned_abs() },
        ),
        Value::Float(f) => append_number(out, *f),
        Value::Str(s) => append_string(out, s.as_bytes()),
        Value::Bytes(bytes) => append_bytes(out, bytes),
        Value::Object(object) => return append_object(out, value, object.as_ref()),
        Value::Nil | Value::Complex(_) | Value::List(_) | Value::Map(_) => return false,
    }
    true
}

fn append_number(out: &mut Vec<u8>, f: f64) {
    if !f.is_finite() {
        if f.is_sign_negative() {
            out.push(b'-');
        }
        return out.extend_from_slice(if f.is_nan() { b"nan" } else { b"inf" });
    }
    let start = out.len();
    append_float(out, f, b'g', None, 64);
    let text = out.get(start..).unwrap_or_default();
    if !text.iter().any(|b| matches!(b, b'.' | b'e')) {
        out.extend_from_slice(b".0");
    }
}

fn append_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'[');
    for (i, b) in bytes.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        append_int(out, false, u64::from(*b));
    }
    out.push(b']');
}

fn append_object(out: &mut Vec<u8>, value: &Value, object: &dyn Object) -> bool {
    if let Some(time) = value.downcast::<Time>() {
        append_time(out, time);
        return true;
    }
    if let Kind::Int(_) = object.kind()
        && value.downcast::<Duration>().is_none()
        && let Some(number @ Value::Int(..)) = object.to_json()
    {
        return append_scalar(out, &number);
    }
    if matches!(object.kind(), Kind::Int(_)) || is_text(object) {
        append_string(out, object.to_text().unwrap_or_default().as_bytes());
        return true;
    }
    false
}

/// Times that came from TOML without a zone are written without one, but in UTC.
fn append_time(out: &mut Vec<u8>, time: &Time) {
    let zone = time.zone().name();
    let local: Option<&[u8]> = match zone.to_str() {
        Some(LOCAL_DATETIME) => Some(b"2006-01-02T15:04:05.999999999"),
        Some(LOCAL_DATE) => Some(b"2006-01-02"),
        Some(LOCAL_TIME) => Some(b"15:04:05.999999999"),
        _ => None,
    };
    let text = match local {
        Some(layout) => time.clone().with_zone(Zone::UTC).format(layout),
        None => time.format(b"2006-01-02T15:04:05.999999999Z07:00"),
    };
    out.extend_from_slice(text.as_bytes());
}
