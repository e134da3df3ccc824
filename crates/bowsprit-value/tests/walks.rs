//! Values that a hostile template can build: endless, very deep, exploding; and objects.
#![allow(clippy::unwrap_used)]

use bowsprit_value::{
    FuncErrorKind, IntKind, Kind, Limits, Map, Meter, Object, Str, Value, deep_equal, fmt, json,
};

fn printed(format: &str, value: &Value) -> String {
    let mut out = Vec::new();
    let args = [value.clone()];
    fmt::sprintf(format.as_bytes(), &args, &mut out, &Meter::default()).unwrap();
    String::from_utf8(out).unwrap()
}

fn encoded(value: &Value) -> Result<String, String> {
    let mut out = Vec::new();
    json::encode(value, &json::Options::default(), &mut out, &Meter::default())
        .map_err(|e| e.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_map_that_contains_itself_is_an_error() {
    let map = Map::new();
    map.insert("a".into(), Value::int(1));
    map.insert("self".into(), Value::list(vec![Value::Map(map.clone())]));
    let value = Value::Map(map.clone());
    let error = fmt::print_value(&value, &mut Vec::new(), &Meter::default()).unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (FuncErrorKind::Limit, "cyclic value".into()));
    assert_eq!(
        encoded(&value).unwrap_err(),
        "json: unsupported value: encountered a cycle via map[string]interface {}"
    );
    assert_eq!(
        encoded(&Value::list(vec![value.clone()])).unwrap_err(),
        "json: unsupported value: encountered a cycle via []interface {}"
    );
    assert!(deep_equal(&value, &value));
    map.remove(b"self");
}

#[test]
fn depth_needs_no_native_stack() {
    const DEPTH: usize = 300_000;
    let nest = || {
        let mut v = Value::Nil;
        for i in 0..DEPTH {
            v = if i % 2 == 0 {
                Value::list(vec![v])
            } else {
                Value::Map(Map::from_entries([(Str::from("k"), v)]))
            };
        }
        v
    };
    let value = nest();
    assert_eq!(printed("%v", &value).len(), DEPTH / 2 * (2 + 7) + 5);
    assert_eq!(encoded(&value).unwrap().len(), DEPTH / 2 * (2 + 6) + 4);
    assert!(deep_equal(&value, &nest()));
    let text = "[".repeat(10_001);
    assert_eq!(
        json::decode(text.as_bytes()).unwrap_err().to_string(),
        "invalid character '[' exceeded max depth"
    );
    let text = "[".repeat(10_000) + &"]".repeat(10_000);
    assert!(json::decode(text.as_bytes()).is_ok());
}

#[test]
fn exploding_output_meets_the_meter() {
    let mut v = Value::from("x");
    for _ in 0..64 {
        v = Value::list(vec![v.clone(), v]);
    }
    let meter = || Meter::new(Limits { bytes: 1 << 20, ..Limits::default() });
    let error = fmt::print_value(&v, &mut Vec::new(), &meter()).unwrap_err();
    assert_eq!(error.kind(), FuncErrorKind::Limit);
    let options = json::Options::default();
    let error = json::encode(&v, &options, &mut Vec::new(), &meter()).unwrap_err();
    assert_eq!(error.kind(), json::JsonErrorKind::Limit);
    let args = [Value::int(1), Value::int(2), Value::int(3)];
    let format = b"%999999d%999999d%999999d";
    assert!(fmt::sprintf(format, &args, &mut Vec::new(), &meter()).is_err());
}

/// A struct, or a pointer to one, of two fields.
#[derive(Debug)]
struct Pair(Kind);

impl Object for Pair {
    fn type_name(&self) -> &'static str {
        if self.0 == Kind::Ptr { "*pkg.Pair" } else { "pkg.Pair" }
    }

    fn kind(&self) -> Kind {
        self.0
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![("Name", "n".into()), ("List", Value::list(vec![Value::Nil, Value::int(1)]))]
    }

    fn json_fields(&self) -> Option<Vec<(Str, Value)>> {
        Some(self.fields().into_iter().map(|(k, v)| (Str::from_static(k), v)).collect())
    }
}

/// A named integer with a `String` method.
#[derive(Debug)]
struct Seconds;

impl Object for Seconds {
    fn type_name(&self) -> &'static str {
        "pkg.Seconds"
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntKind::Int64)
    }

    fn to_text(&self) -> Option<Str> {
        Some("3s".into())
    }

    fn to_json(&self) -> Option<Value> {
        Some(Value::int64(3))
    }
}

#[test]
fn structs_and_pointers() {
    let pair = Value::object(Pair(Kind::Struct));
    let pointer = Value::object(Pair(Kind::Ptr));
    assert_eq!(printed("%v", &pair), "{n [<nil> 1]}");
    assert_eq!(printed("%+v", &pair), "{Name:n List:[<nil> 1]}");
    assert_eq!(
        printed("%#v", &pointer),
        "&pkg.Pair{Name:\"n\", List:[]interface {}{interface {}(nil), 1}}"
    );
    assert_eq!(printed("%d", &pair), "{%!d(string=n) [<nil> 1]}");
    assert_eq!(printed("%v", &pointer), "&{n [<nil> 1]}");
    assert_eq!(printed("%v", &Value::list(vec![pointer.clone()])), "[0xc000000000]");
    assert_eq!(printed("%T", &pointer), "*pkg.Pair");
    let mut out = Vec::new();
    fmt::print_action(&pointer, &mut out, &Meter::default()).unwrap();
    assert_eq!(out, b"{n [<nil> 1]}");
    assert_eq!(encoded(&pointer).unwrap(), r#"{"Name":"n","List":[null,1]}"#);
}

#[test]
fn named_numbers() {
    let seconds = Value::object(Seconds);
    assert_eq!(printed("%v", &seconds), "3s");
    assert_eq!(printed("%5s|", &seconds), "   3s|");
    assert_eq!(printed("%d", &seconds), "3");
    assert_eq!(printed("%t", &seconds), "%!t(pkg.Seconds=3)");
    assert_eq!(printed("%v", &Value::list(vec![seconds.clone()])), "[3s]");
    assert_eq!(encoded(&seconds).unwrap(), "3");
}
