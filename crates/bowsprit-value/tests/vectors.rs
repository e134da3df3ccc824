//! What Go answered, case by case: `fmt`, `strconv` and `encoding/json`.
//!
//! A case is a line of JSON. Values other than null, booleans and text are written with their Go type:
//! `{"int64": "5"}`, `{"list": […]}`, `{"map": [[key, value], …]}`; `{"hex": "ff"}` is a string that is not
//! UTF-8, and `null` after the type is its nil.
#![allow(clippy::unwrap_used)]

use bowsprit_value::{
    Elem, IntKind, List, ListType, Map, MapType, Meter, Str, Value, deep_equal, fmt, json, strconv,
};

/// Runs every case of a file and lists those that came out otherwise.
pub(crate) fn failures(lines: &[u8]) -> (usize, Vec<String>) {
    let mut count = 0;
    let mut failed = Vec::new();
    for line in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let case = Case(json::decode_map(line).unwrap());
        count += 1;
        if let Err(got) = case.run() {
            failed.push(format!("{}\n    got {got}", String::from_utf8_lossy(line)));
        }
    }
    (count, failed)
}

struct Case(Map);

impl Case {
    fn get(&self, key: &str) -> Value {
        self.0.get(key.as_bytes()).unwrap_or_default()
    }

    fn text(&self, key: &str) -> Str {
        match typed(&self.get(key)) {
            Value::Str(s) => s,
            other => panic!("{key}: {other:?}"),
        }
    }

    fn number(&self, key: &str) -> i64 {
        match self.get(key) {
            Value::Float(f) => f as i64,
            other => panic!("{key}: {other:?}"),
        }
    }

    fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), Value::Bool(true))
    }

    fn args(&self) -> Vec<Value> {
        self.get("args").as_list().map(|l| l.iter().map(typed).collect()).unwrap_or_default()
    }

    fn run(&self) -> Result<(), String> {
        let meter = Meter::default();
        let mut out = Vec::new();
        match self.text("op").to_str().unwrap() {
            "printf" => {
                let format = self.text("format");
                fmt::sprintf(format.as_bytes(), &self.args(), &mut out, &meter).unwrap();
                self.expect_text("want", out)
            }
            "print" => {
                fmt::sprint(&self.args(), &mut out, &meter).unwrap();
                self.expect_text("want", out)
            }
            "println" => {
                fmt::sprintln(&self.args(), &mut out, &meter).unwrap();
                self.expect_text("want", out)
            }
            "float" => {
                let Value::Float(v) = typed(&self.get("value")) else { panic!() };
                let precision = usize::try_from(self.number("prec")).ok();
                let verb = self.text("verb").as_bytes()[0];
                fmt::append_float(&mut out, v, verb, precision, self.number("bits") as u32);
                self.expect_text("want", out)
            }
            "encode" => self.encode(),
            "decode" | "decodeMap" | "decodeList" | "decodePrefix" => self.decode(),
            "quote" => self.quote(),
            "quoteRune" => {
                let c = self.text("text").to_str().and_then(|s| s.chars().next()).unwrap();
                self.expect_text("want", strconv::quote_rune(c))?;
                strconv::append_quote_rune_to_ascii(&mut out, c);
                self.expect_text("ascii", out)
            }
            "unquote" => {
                let got = strconv::unquote(self.text("text").as_bytes());
                match (got, self.get("error").is_nil()) {
                    (Some(out), true) => self.expect_text("want", out),
                    (None, false) => Ok(()),
                    (got, _) => Err(format!("{got:?}")),
                }
            }
            op => self.parse_number(op),
        }
    }

    fn expect_text(&self, key: &str, got: impl Into<Str>) -> Result<(), String> {
        let got = got.into();
        if self.text(key) == got { Ok(()) } else { Err(format!("{key}: {got:?}")) }
    }

    fn expect_value(&self, key: &str, got: &Value) -> Result<(), String> {
        if deep_equal(&typed(&self.get(key)), got) { Ok(()) } else { Err(format!("{got:?}")) }
    }

    fn encode(&self) -> Result<(), String> {
        let indent = self.flag("indent").then_some(json::Indent { prefix: "", indent: "  " });
        let options = json::Options { escape_html: self.flag("html"), indent };
        let mut out = Vec::new();
        match json::encode(&typed(&self.get("value")), &options, &mut out, &Meter::default()) {
            Ok(()) => self.expect_text("want", out),
            Err(e) => self.expect_text("error", e.text().clone()),
        }
    }

    fn decode(&self) -> Result<(), String> {
        let text = self.text("text");
        let op = self.text("op");
        let got = match op.to_str().unwrap() {
            "decode" => json::decode(text.as_bytes()),
            "decodeMap" => json::decode_map(text.as_bytes()).map(Value::Map),
            "decodeList" => json::decode_list(text.as_bytes()).map(Value::List),
            _ => match json::decode_prefix(text.as_bytes()) {
                Ok((value, used)) => {
                    if self.get("error").is_nil() && used as i64 != self.number("used") {
                        return Err(format!("used {used}"));
                    }
                    Ok(value)
                }
                Err(e) => Err(e),
            },
        };
        match got {
            _ if self.get("want").is_nil() && self.get("error").is_nil() => {
                got.map_or_else(|e| Err(e.to_string()), |v| self.expect_value("want", &v))
            }
            Ok(value) => self.expect_value("want", &value),
            Err(e) => {
                if op == "decode" {
                    self.expect_value("partial", e.partial())?;
                }
                self.expect_text("error", e.text().clone())
            }
        }
    }

    fn quote(&self) -> Result<(), String> {
        let text = self.text("text");
        self.expect_text("want", strconv::quote(text.as_bytes()))?;
        self.expect_text("ascii", strconv::quote_to_ascii(text.as_bytes()))?;
        if strconv::can_backquote(text.as_bytes()) == self.flag("back") {
            Ok(())
        } else {
            Err("back".into())
        }
    }

    fn parse_number(&self, op: &str) -> Result<(), String> {
        let text = self.text("text");
        let s = text.as_bytes();
        let radix = || (self.number("base") as u32, self.number("bits") as u32);
        let shown = |v: f64| {
            let mut out = Vec::new();
            fmt::append_float(&mut out, v, b'g', None, 64);
            String::from_utf8(out).unwrap()
        };
        let (nearest, result) = match op {
            "parseInt" => {
                let got = strconv::parse_int(s, radix().0, radix().1);
                let nearest = got.as_ref().map_or_else(|e| e.nearest_int(), |v| *v);
                (nearest.to_string(), got.map(drop))
            }
            "atoi" => {
                let got = strconv::atoi(s);
                let nearest = got.as_ref().map_or_else(|e| e.nearest_int(), |v| *v);
                (nearest.to_string(), got.map(drop))
            }
            "parseUint" => {
                let got = strconv::parse_uint(s, radix().0, radix().1);
                let nearest = got.as_ref().map_or_else(|e| e.nearest_int() as u64, |v| *v);
                (nearest.to_string(), got.map(drop))
            }
            "parseFloat" => {
                let got = strconv::parse_float(s);
                (shown(got.as_ref().map_or_else(|e| e.nearest_float(), |v| *v)), got.map(drop))
            }
            _ => panic!("unknown operation {op}"),
        };
        self.expect_text("nearest", nearest)?;
        match result {
            Ok(()) if self.get("error").is_nil() => Ok(()),
            Ok(()) => Err("no error".into()),
            Err(e) => self.expect_text("error", e.text()),
        }
    }
}

/// The value that a case writes down.
fn typed(v: &Value) -> Value {
    let Value::Map(map) = v else { return v.clone() };
    let entries = map.entries();
    let (tag, content) = entries.get(0).unwrap();
    let items = || content.as_list().unwrap().iter();
    let pairs = || {
        items().map(|pair| {
            let pair = pair.as_list().unwrap();
            (typed(pair.get(0).unwrap()).as_str().unwrap().clone(), typed(pair.get(1).unwrap()))
        })
    };
    let list = |elem| match content {
        Value::Nil => Value::List(List::nil(ListType::of(elem))),
        _ => Value::List(List::typed(ListType::of(elem), items().map(typed).collect())),
    };
    let map = |elem| match content {
        Value::Nil => Value::Map(Map::nil(MapType::of(elem))),
        _ => Value::Map(Map::typed(MapType::of(elem), pairs())),
    };
    let float = |v: &Value| strconv::parse_float(v.as_str().unwrap().as_bytes()).unwrap();
    match tag.to_str().unwrap() {
        "hex" => Value::str(unhex(content)),
        "bytes" => Value::Bytes(unhex(content).into()),
        "float64" => Value::Float(float(content)),
        "complex128" => {
            let parts: Vec<f64> = items().map(float).collect();
            Value::Complex((parts[0], parts[1]).into())
        }
        "list" => list(Elem::Any),
        "[]string" => list(Elem::String),
        "[]int" => list(Elem::Int),
        "[][]interface {}" => list(Elem::List),
        "map" => map(Elem::Any),
        "map[string]string" => map(Elem::String),
        name => integer(name, content.as_str().unwrap().as_bytes()),
    }
}

fn integer(name: &str, text: &[u8]) -> Value {
    use IntKind::*;
    let kinds = [Int, Int8, Int16, Int32, Int64, Uint, Uint8, Uint16, Uint32, Uint64];
    let kind = kinds.into_iter().find(|k| k.name() == name).unwrap();
    Value::Int(
        kind,
        if kind.is_unsigned() {
            strconv::parse_uint(text, 10, 64).unwrap() as i64
        } else {
            strconv::parse_int(text, 10, 64).unwrap()
        },
    )
}

fn unhex(v: &Value) -> Vec<u8> {
    let digits = v.as_str().unwrap().as_bytes();
    let pairs = digits.chunks(2);
    pairs.map(|pair| strconv::parse_uint(pair, 16, 8).unwrap() as u8).collect()
}

fn check(name: &str, lines: &[u8]) {
    let (count, failed) = failures(lines);
    assert!(count > 100, "{name} has lost its cases");
    assert!(failed.is_empty(), "{name}: {} of {count}:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn fmt_answers() {
    check("fmt", include_bytes!("../../../fixtures/vectors/fmt.jsonl"));
}

#[test]
fn json_answers() {
    check("json", include_bytes!("../../../fixtures/vectors/json.jsonl"));
}

#[test]
fn strconv_answers() {
    check("strconv", include_bytes!("../../../fixtures/vectors/strconv.jsonl"));
}
