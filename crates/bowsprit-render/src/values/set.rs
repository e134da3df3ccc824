//! The `--set` family: `--set`, `--set-string`, `--set-json`, `--set-file` and `--set-literal`.
//!
//! The grammar is that of Helm's `pkg/strvals`: the argument is read rune by rune, straight into the
//! values collected so far. Indexes may nest without bound, so the descent keeps its own stack.

use super::ValuesError;
use bowsprit_diag::{Label, Source, Span};
use bowsprit_value::{List, Map, Str, Value, json, strconv, unicode};

const MAX_INDEX: usize = 65536;
const MAX_NESTED_NAME_LEVEL: usize = 30;

/// Reads the file that a `--set-file` value names, or says why it can't.
pub type ReadFile<'a> = &'a mut dyn FnMut(&str) -> Result<Vec<u8>, String>;

/// Applies one `--set` argument: scalars are typed, `{a,b}` is a list.
///
/// # Errors
///
/// Fails where the argument is no list of `key=value` pairs, with Helm's text. What stood before the
/// mistake has been set by then.
///
/// ```
/// use bowsprit_render::values::set;
/// use bowsprit_value::Map;
///
/// let values = Map::new();
/// set::parse_into(b"image.tag=1,ports[1]=http", &values).unwrap();
/// assert_eq!(values.len(), 2);
/// ```
pub fn parse_into(arg: &[u8], values: &Map) -> Result<(), ValuesError> {
    Parser::new(arg, Mode::Typed).parse(values)
}

/// Applies one `--set-string` argument: as `--set`, but every scalar is a string.
///
/// # Errors
///
/// As [`parse_into`].
pub fn parse_into_string(arg: &[u8], values: &Map) -> Result<(), ValuesError> {
    Parser::new(arg, Mode::Strings).parse(values)
}

/// The lists that Go would have changed in place where an index was set, each with what became of it:
/// whoever shares the first would see the second.
#[derive(Debug, Default)]
pub struct ListWrites(pub Vec<(List, List)>);

/// As [`parse_into`], and tells which lists were changed.
///
/// # Errors
///
/// As [`parse_into`].
pub fn parse_into_shared(
    arg: &[u8],
    values: &Map,
    writes: &mut ListWrites,
) -> Result<(), ValuesError> {
    Parser { writes: Some(writes), ..Parser::new(arg, Mode::Typed) }.parse(values)
}

/// As [`parse_into_string`], and tells which lists were changed.
///
/// # Errors
///
/// As [`parse_into`].
pub fn parse_into_string_shared(
    arg: &[u8],
    values: &Map,
    writes: &mut ListWrites,
) -> Result<(), ValuesError> {
    Parser { writes: Some(writes), ..Parser::new(arg, Mode::Strings) }.parse(values)
}

/// Applies one `--set-json` argument of the form `key=JSON`; an empty value is null.
///
/// # Errors
///
/// As [`parse_into`].
pub fn parse_json(arg: &[u8], values: &Map) -> Result<(), ValuesError> {
    Parser::new(arg, Mode::Json).parse(values)
}

/// Applies one `--set-file` argument: as `--set-string`, but every scalar names a file to read.
///
/// # Errors
///
/// As [`parse_into`], and where a file can't be read.
pub fn parse_into_file(arg: &[u8], values: &Map, read: ReadFile<'_>) -> Result<(), ValuesError> {
    Parser::new(arg, Mode::File(read)).parse(values)
}

/// Applies one `--set-literal` argument: all after the key's `=` is the string.
///
/// # Errors
///
/// As [`parse_into`].
pub fn parse_literal_into(arg: &[u8], values: &Map) -> Result<(), ValuesError> {
    Parser::new(arg, Mode::Literal).parse(values)
}

/// As the functions above, at a level of compatibility: whether an index without its `]` is an error, or
/// the end.
pub(crate) fn parse_as(
    arg: &[u8],
    mode: Mode<'_>,
    values: &Map,
    open_index_fails: bool,
) -> Result<(), ValuesError> {
    Parser { open_index_fails, ..Parser::new(arg, mode) }.parse(values)
}

pub(crate) enum Mode<'r> {
    Typed,
    Strings,
    Json,
    Literal,
    File(ReadFile<'r>),
}

/// Why a key ended early. Go passes `io.EOF` up through every level and ends there without an error.
enum Stop {
    Eof,
    Failed(String),
}

type Step<T> = Result<T, Stop>;

fn failed<T>(text: impl Into<String>) -> Step<T> {
    Err(Stop::Failed(text.into()))
}

/// The list that an index descends into: the items, and whether they came out of the values, so that
/// Go would have changed them in place.
struct Target {
    items: Vec<Value>,
    index: usize,
    existed: bool,
}

/// What is left to do once the rest of a key has been read.
enum Frame {
    /// `key.`: put the inner table under the key.
    Dot { data: Map, key: Vec<u8>, inner: Map },
    /// `key[i]`: put the list under the key. `had` is the length of the list that stood there.
    Index { data: Map, key: Vec<u8>, had: Option<usize>, old: Option<List> },
    /// `[i][j]`: put the inner list into the outer.
    Nested(Target),
    /// `[i].`: put the inner table into the list.
    Item { target: Target, inner: Map },
}

/// What was read at the end of a path, on its way back up.
enum Outcome {
    /// A key was handled; the tables are changed in place.
    Key(Step<()>),
    /// An index was handled: the list as it is now.
    List { items: Vec<Value>, existed: bool, end: Step<()> },
}

/// Where the descent goes on.
enum Next {
    Key(Map, usize),
    Item(Target, usize),
    Up(Outcome),
}

struct Parser<'a, 'r> {
    input: &'a [u8],
    pos: usize,
    /// The piece that was read last.
    piece: Span,
    mode: Mode<'r>,
    writes: Option<&'r mut ListWrites>,
    open_index_fails: bool,
}

impl<'a, 'r> Parser<'a, 'r> {
    fn new(input: &'a [u8], mode: Mode<'r>) -> Self {
        Parser {
            input,
            pos: 0,
            piece: Span::default(),
            mode,
            writes: None,
            open_index_fails: false,
        }
    }

    fn parse(mut self, values: &Map) -> Result<(), ValuesError> {
        loop {
            match self.pair(values) {
                Ok(()) => {}
                Err(Stop::Eof) => return Ok(()),
                Err(Stop::Failed(text)) => {
                    let source = Source::new("argument", self.input);
                    return Err(ValuesError::set(text).at(Label::primary(&source, self.piece, "")));
                }
            }
        }
    }

    /// One `key=value`, from the top of the values.
    fn pair(&mut self, values: &Map) -> Step<()> {
        let mut frames = Vec::new();
        let mut next = Next::Key(values.clone(), 0);
        loop {
            next = match next {
                Next::Key(data, level) => self.key(data, level, &mut frames),
                Next::Item(target, level) => self.list_item(target, level, &mut frames),
                Next::Up(outcome) => match (frames.pop(), outcome) {
                    (Some(frame), outcome) => {
                        Next::Up(unwind(frame, outcome, self.writes.as_deref_mut()))
                    }
                    (None, Outcome::Key(end) | Outcome::List { end, .. }) => return end,
                },
            };
        }
    }

    fn key(&mut self, data: Map, level: usize, frames: &mut Vec<Frame>) -> Next {
        let stops: &[u8] = if matches!(self.mode, Mode::Literal) { b"=[." } else { b"=[,." };
        let (key, last) = self.runes_until(stops);
        let end = match last {
            None if key.is_empty() => Err(Stop::Eof),
            None => failed(format!("key {} has no value", quote(&key))),
            Some(b'[') => return self.key_list(data, key, level, frames),
            Some(b'.') => return key_table(data, key, level, frames),
            Some(b',') => failed(format!("key {} has no value (cannot end with ,)", quote(&key))),
            Some(_) => self.key_value(&data, key),
        };
        Next::Up(Outcome::Key(end))
    }

    fn key_list(&mut self, data: Map, key: Vec<u8>, level: usize, frames: &mut Vec<Frame>) -> Next {
        let index = match self.key_index() {
            Ok(index) => index,
            Err(stop) => return Next::Up(Outcome::Key(Err(stop))),
        };
        // Out of the table, so that nobody else holds the list and it can be changed in place.
        let mut old = None;
        let items = match data.remove(&key) {
            None => None,
            Some(Value::List(list)) => {
                old = self.writes.is_some().then(|| list.clone());
                Some(list.into_items())
            }
            Some(other) => return Next::Up(Outcome::Key(wrong_type(&other, "[]interface {}"))),
        };
        let had = items.as_ref().map(Vec::len);
        frames.push(Frame::Index { data, key, had, old });
        descend(items.unwrap_or_default(), had.is_some(), index, level)
    }

    fn key_value(&mut self, data: &Map, key: Vec<u8>) -> Step<()> {
        if matches!(self.mode, Mode::Json) {
            let value = self.json_value()?;
            set(data, key, value);
            return Ok(());
        }
        match self.value_list() {
            ListRead::Eof => {
                set(data, key, Value::from(""));
                Err(Stop::Eof)
            }
            ListRead::NotList => {
                let text = self.scalar();
                let value = self.read(text)?;
                set(data, key, value);
                Ok(())
            }
            ListRead::Done(list) => {
                let list = list?;
                set(data, key, Value::list(list));
                Ok(())
            }
        }
    }

    fn key_index(&mut self) -> Step<i64> {
        let (text, last) = self.runes_until(b"]");
        if last.is_none() {
            return match self.open_index_fails {
                true => failed("error parsing index: EOF"),
                false => Err(Stop::Eof),
            };
        }
        strconv::atoi(&text).map_err(|e| {
            Stop::Failed(format!("error parsing index: {}", e.text().to_string_lossy()))
        })
    }

    /// What follows `]`.
    fn list_item(&mut self, target: Target, level: usize, frames: &mut Vec<Frame>) -> Next {
        let (extra, last) = self.runes_until(b"[.=");
        if !extra.is_empty() {
            let text = format!("unexpected data at end of array index: {}", quote_runes(&extra));
            return target.up(failed(text));
        }
        match last {
            None => target.up(Err(Stop::Eof)),
            Some(b'[') => self.nested_list(target, level, frames),
            Some(b'.') => nested_table(target, level, frames),
            Some(_) => match self.item_value() {
                Ok(value) => Next::Up(target.set(value)),
                Err(stop) => target.up(Err(stop)),
            },
        }
    }

    fn item_value(&mut self) -> Step<Value> {
        match self.mode {
            Mode::Json => return self.json_value(),
            Mode::Literal => return Ok(Value::Str(self.rest())),
            _ => {}
        }
        match self.value_list() {
            ListRead::Eof => Ok(Value::from("")),
            ListRead::NotList => {
                let text = self.scalar();
                self.read(text)
            }
            ListRead::Done(list) => list.map(Value::list),
        }
    }

    fn nested_list(&mut self, mut target: Target, level: usize, frames: &mut Vec<Frame>) -> Next {
        let index = match self.key_index() {
            Ok(index) => index,
            Err(stop) => return target.up(Err(stop)),
        };
        let (items, existed) = match target.items.get_mut(target.index).map(std::mem::take) {
            None | Some(Value::Nil) => (Vec::new(), false),
            Some(Value::List(list)) => (list.into_items(), true),
            Some(other) => return Next::Up(Outcome::Key(wrong_type(&other, "[]interface {}"))),
        };
        frames.push(Frame::Nested(target));
        descend(items, existed, index, level)
    }

    fn value_list(&mut self) -> ListRead {
        if matches!(self.mode, Mode::Literal) {
            return ListRead::NotList;
        }
        match self.input.get(self.pos) {
            None => return ListRead::Eof,
            Some(b'{') => self.pos += 1,
            Some(_) => return ListRead::NotList,
        }
        ListRead::Done(self.list_items())
    }

    fn list_items(&mut self) -> Step<Vec<Value>> {
        let mut items = Vec::new();
        loop {
            let (text, last) = self.runes_until(b",}");
            match last {
                None => return failed("list must terminate with '}'"),
                Some(b'}') => {
                    if self.input.get(self.pos) == Some(&b',') {
                        self.pos += 1;
                    }
                    items.push(self.read(text)?);
                    return Ok(items);
                }
                Some(_) => items.push(self.read(text)?),
            }
        }
    }

    /// The runes of a scalar value, up to a comma or the end.
    fn scalar(&mut self) -> Vec<u8> {
        match self.mode {
            Mode::Literal => self.rest().as_bytes().to_vec(),
            _ => self.runes_until(b",").0,
        }
    }

    fn rest(&mut self) -> Str {
        let text = self.runes_until(b"").0;
        Str::from(text)
    }

    fn read(&mut self, text: Vec<u8>) -> Step<Value> {
        match &mut self.mode {
            Mode::Typed => Ok(typed_value(text)),
            Mode::Strings | Mode::Literal | Mode::Json => Ok(Value::str(text)),
            Mode::File(read) => {
                let bytes = read(&String::from_utf8_lossy(&text)).map_err(Stop::Failed)?;
                Ok(Value::str(bytes))
            }
        }
    }

    fn json_value(&mut self) -> Step<Value> {
        if self.skip_blanks_and_comma() {
            return Ok(Value::Nil);
        }
        let rest = self.input.get(self.pos..).unwrap_or_default();
        match json::decode_prefix(rest) {
            Ok((value, used)) => {
                self.pos += used;
                self.skip_blanks_and_comma();
                Ok(value)
            }
            Err(e) => {
                self.piece = Span::new(self.pos, self.input.len());
                failed(e.to_string())
            }
        }
    }

    /// Skips blanks and one comma. True where there was a comma or nothing more.
    fn skip_blanks_and_comma(&mut self) -> bool {
        while let Some((c, width)) = self.rune() {
            if c != ',' && !unicode::is_space(c) {
                return false;
            }
            self.pos += width;
            if c == ',' {
                return true;
            }
        }
        true
    }

    fn rune(&self) -> Option<(char, usize)> {
        let rest = self.input.get(self.pos..)?;
        (!rest.is_empty()).then(|| unicode::decode_rune(rest))
    }

    /// The runes before one of the stops, which is eaten; no stop where the input ends first.
    fn runes_until(&mut self, stops: &[u8]) -> (Vec<u8>, Option<u8>) {
        self.piece = Span::at(self.pos);
        let escapes = !matches!(self.mode, Mode::Literal);
        let mut runes = Vec::new();
        while let Some(&byte) = self.input.get(self.pos) {
            self.piece.end = self.pos;
            if stops.contains(&byte) {
                self.pos += 1;
                return (runes, Some(byte));
            }
            if byte == b'\\' && escapes {
                self.pos += 1;
            }
            let Some((c, width)) = self.rune() else { break };
            self.pos += width;
            runes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        self.piece.end = self.pos;
        (runes, None)
    }
}

enum ListRead {
    Eof,
    NotList,
    Done(Step<Vec<Value>>),
}

impl Target {
    fn up(self, end: Step<()>) -> Next {
        Next::Up(self.outcome(end))
    }

    fn outcome(self, end: Step<()>) -> Outcome {
        Outcome::List { items: self.items, existed: self.existed, end }
    }

    /// The list with the item set. Go checks the index no sooner than here.
    fn set(mut self, value: Value) -> Outcome {
        if self.index > MAX_INDEX {
            let index = self.index;
            return self.outcome(failed(format!(
                "index of {index} is greater than maximum supported index of {MAX_INDEX}"
            )));
        }
        self.put(value);
        self.outcome(Ok(()))
    }

    fn put(&mut self, value: Value) {
        if self.items.len() <= self.index {
            self.items.resize(self.index + 1, Value::Nil);
        }
        if let Some(slot) = self.items.get_mut(self.index) {
            *slot = value;
        }
    }
}

/// Goes on behind an index.
fn descend(items: Vec<Value>, existed: bool, index: i64, level: usize) -> Next {
    if index < 0 {
        let end = failed(format!("negative {index} index not allowed"));
        return Next::Up(Outcome::List { items, existed, end });
    }
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    Next::Item(Target { items, index, existed }, level)
}

fn key_table(data: Map, key: Vec<u8>, level: usize, frames: &mut Vec<Frame>) -> Next {
    let level = level + 1;
    if level > MAX_NESTED_NAME_LEVEL {
        return Next::Up(Outcome::Key(failed(format!(
            "value name nested level is greater than maximum supported nested level of \
             {MAX_NESTED_NAME_LEVEL}"
        ))));
    }
    let inner = match data.get(&key) {
        None => Map::new(),
        Some(Value::Map(map)) => map,
        Some(other) => {
            return Next::Up(Outcome::Key(wrong_type(&other, "map[string]interface {}")));
        }
    };
    frames.push(Frame::Dot { data, key, inner: inner.clone() });
    Next::Key(inner, level)
}

fn nested_table(mut target: Target, level: usize, frames: &mut Vec<Frame>) -> Next {
    let inner = match target.items.get_mut(target.index) {
        None => Map::new(),
        Some(Value::Map(map)) => map.clone(),
        Some(other) => {
            let map = Map::new();
            *other = Value::Map(map.clone());
            map
        }
    };
    frames.push(Frame::Item { target, inner: inner.clone() });
    Next::Key(inner, level)
}

fn unwind(frame: Frame, outcome: Outcome, writes: Option<&mut ListWrites>) -> Outcome {
    match (frame, outcome) {
        (Frame::Dot { data, key, inner }, Outcome::Key(end) | Outcome::List { end, .. }) => {
            if end.is_ok() && inner.is_empty() {
                return Outcome::Key(failed(format!("key map {} has no value", quote(&key))));
            }
            if !inner.is_empty() {
                set(&data, key, Value::Map(inner));
            }
            Outcome::Key(end)
        }
        (Frame::Index { data, key, had, old }, Outcome::List { mut items, end, .. }) => {
            // A list that did not grow is the one that stood there.
            if let (Some(writes), Some(old)) = (writes, old)
                && items.len() == old.len()
            {
                let list = List::new(items);
                writes.0.push((old, list.clone()));
                set(&data, key, Value::List(list));
                return Outcome::Key(end);
            }
            match had {
                // Go can't set an empty key, but has changed the list that stands there.
                Some(had) if key.is_empty() => {
                    items.truncate(had);
                    data.insert(Str::default(), Value::list(items));
                }
                _ => set(&data, key, Value::list(items)),
            }
            Outcome::Key(end)
        }
        (Frame::Nested(target), Outcome::List { items, existed, end }) => {
            unwind_nested(target, items, existed, end)
        }
        (Frame::Item { target, inner }, Outcome::Key(end) | Outcome::List { end, .. }) => match end
        {
            Ok(()) => target.set(Value::Map(inner)),
            Err(stop) => target.outcome(Err(stop)),
        },
        // A panic in Go: it passes the lists by, up to the next key.
        (Frame::Index { .. } | Frame::Nested(_), key @ Outcome::Key(_)) => key,
    }
}

fn unwind_nested(mut target: Target, items: Vec<Value>, existed: bool, end: Step<()>) -> Outcome {
    match end {
        Ok(()) => target.set(Value::list(items)),
        Err(stop) => {
            if existed {
                target.put(Value::list(items));
            }
            target.outcome(Err(stop))
        }
    }
}

/// Go drops empty keys.
fn set(data: &Map, key: Vec<u8>, value: Value) {
    if !key.is_empty() {
        data.insert(Str::from(key), value);
    }
}

/// The text of the panic that Go's failed type assertion is, as `strvals` passes it on.
fn wrong_type(found: &Value, want: &str) -> Step<()> {
    let found = match found {
        Value::Nil => "nil".into(),
        other => other.type_name(),
    };
    failed(format!(
        "unable to parse key: interface conversion: interface {{}} is {found}, not {want}"
    ))
}

fn quote(text: &[u8]) -> String {
    String::from_utf8_lossy(&strconv::quote(text)).into_owned()
}

/// `%q` of a `[]rune`.
fn quote_runes(text: &[u8]) -> String {
    let runes: Vec<_> = unicode::runes(text)
        .map(|(c, _)| String::from_utf8_lossy(&strconv::quote_rune(c)).into_owned())
        .collect();
    format!("[{}]", runes.join(" "))
}

fn typed_value(text: Vec<u8>) -> Value {
    if equal_fold(&text, "true") {
        return Value::Bool(true);
    }
    if equal_fold(&text, "false") {
        return Value::Bool(false);
    }
    if equal_fold(&text, "null") {
        return Value::Nil;
    }
    if text == b"0" {
        return Value::int64(0);
    }
    if text.first().is_some_and(|&b| b != b'0')
        && let Ok(v) = strconv::parse_int(&text, 10, 64)
    {
        return Value::int64(v);
    }
    Value::str(text)
}

/// `strings.EqualFold` with a lower-case ASCII word. The long s is the only rune outside ASCII that
/// folds to a letter of the words asked for here.
fn equal_fold(text: &[u8], word: &str) -> bool {
    if text.len() == word.len() {
        return text.eq_ignore_ascii_case(word.as_bytes());
    }
    std::str::from_utf8(text).is_ok_and(|text| {
        text.chars().map(|c| if c == 'ſ' { 's' } else { c.to_ascii_lowercase() }).eq(word.chars())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::Meter;

    fn check(args: &[&str], want: &str) {
        let values = Map::new();
        let end = args.iter().try_for_each(|arg| parse_into(arg.as_bytes(), &values));
        let got = match end {
            Ok(()) => {
                let (mut out, meter) = (Vec::new(), Meter::default());
                let options = json::Options::default();
                json::encode(&Value::Map(values), &options, &mut out, &meter).unwrap();
                String::from_utf8(out).unwrap()
            }
            Err(e) => e.to_string(),
        };
        assert_eq!(got, want, "{args:?}");
    }

    #[test]
    fn scalars_are_typed() {
        check(
            &["a=1,b=01,c=tRue,d=null,e=+5,f=1.5"],
            r#"{"a":1,"b":"01","c":true,"d":null,"e":5,"f":"1.5"}"#,
        );
        check(&["a=falſe"], r#"{"a":false}"#);
    }

    #[test]
    fn indexes_and_nesting() {
        check(&["a[2]=x"], r#"{"a":[null,null,"x"]}"#);
        check(&["a[0][1]=z"], r#"{"a":[[null,"z"]]}"#);
        check(&["a[0].b=1,a[0].c=2"], r#"{"a":[{"b":1,"c":2}]}"#);
        check(&["a[=1"], "{}");
        check(&["a[0]"], r#"{"a":[]}"#);
        check(&["a[65537]=1"], "index of 65537 is greater than maximum supported index of 65536");
        check(&["a[0]b=1"], "unexpected data at end of array index: ['b']");
    }

    #[test]
    fn panics_of_go_are_errors() {
        check(
            &["a=1,a.b=2"],
            "unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}",
        );
    }

    #[test]
    fn deep_indexes_need_no_native_stack() {
        let arg = format!("a{}=1", "[0]".repeat(200_000));
        let values = Map::new();
        assert!(parse_into(arg.as_bytes(), &values).is_ok());
    }
}
