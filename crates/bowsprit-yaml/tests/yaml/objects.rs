//! Values that are more than plain data.

use bowsprit_value::{Field, Kind, List, ListType, Map, MapType, Meter, Object, Str, Value};
use bowsprit_yaml::{encode, encode_pretty};

#[derive(Debug)]
struct Version;

impl Object for Version {
    fn type_name(&self) -> &'static str {
        "common.KubeVersion"
    }

    fn field(&self, _: &[u8]) -> Field {
        Field::Missing
    }

    fn to_json(&self) -> Option<Value> {
        let entries = [("Version", "v1.36.0"), ("Minor", "36"), ("Major", "1")];
        Some(Value::Map(Map::from_entries(entries.map(|(k, v)| (Str::from(k), Value::from(v))))))
    }

    fn to_yaml_pretty(&self) -> Option<Vec<(Str, Value)>> {
        let entries = [("version", "v1.36.0"), ("major", "1"), ("minor", "36")];
        Some(entries.map(|(k, v)| (Str::from(k), Value::from(v))).to_vec())
    }
}

#[derive(Debug)]
struct Text(&'static str, &'static str);

impl Object for Text {
    fn type_name(&self) -> &'static str {
        self.0
    }

    fn to_json(&self) -> Option<Value> {
        (!self.1.is_empty()).then(|| Value::from(self.1))
    }

    fn kind(&self) -> Kind {
        Kind::Func
    }
}

fn plain(value: &Value) -> Result<String, String> {
    let mut out = Vec::new();
    encode(value, &mut out, &Meter::default()).map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn pretty(value: &Value) -> Result<String, String> {
    let mut out = Vec::new();
    encode_pretty(value, &mut out, &Meter::default()).map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn ok(text: &str) -> Result<String, String> {
    Ok(text.into())
}

#[test]
fn structs_are_maps_in_their_own_order() {
    let value = Value::Map(Map::from_entries([("k".into(), Value::object(Version))]));
    assert_eq!(plain(&value), ok("k:\n  Major: \"1\"\n  Minor: \"36\"\n  Version: v1.36.0\n"));
    assert_eq!(pretty(&value), ok("k:\n  version: v1.36.0\n  major: \"1\"\n  minor: \"36\"\n"));
    let list = Value::list(vec![Value::object(Version)]);
    assert_eq!(pretty(&list), ok("- version: v1.36.0\n  major: \"1\"\n  minor: \"36\"\n"));
}

#[test]
fn times_are_quoted_only_by_way_of_json() {
    let time = Value::object(Text("time.Time", "2020-01-02T03:04:05Z"));
    assert_eq!(plain(&time), ok("\"2020-01-02T03:04:05Z\"\n"));
    assert_eq!(pretty(&time), ok("2020-01-02T03:04:05Z\n"));
    let version = Value::object(Text("*semver.Version", "1.2.3"));
    assert_eq!(plain(&version), ok("1.2.3\n"));
}

#[test]
fn functions_have_no_yaml() {
    let func = Value::list(vec![Value::object(Text("func()", ""))]);
    let error = "error marshaling into JSON: json: unsupported type: func()";
    assert_eq!(plain(&func), Err(error.into()));
    assert_eq!(pretty(&func), Err("cannot marshal type: func()".into()));
}

#[test]
fn nil_containers_and_bytes() {
    let value = Value::list(vec![
        Value::List(List::nil(ListType::STRINGS)),
        Value::Map(Map::nil(MapType::ANY)),
        Value::Bytes(b"hi"[..].into()),
        Value::Bytes([][..].into()),
    ]);
    assert_eq!(plain(&value), ok("- null\n- null\n- aGk=\n- \"\"\n"));
    assert_eq!(pretty(&value), ok("- []\n- {}\n- - 104\n  - 105\n- []\n"));
}

#[test]
fn wrong_utf8_is_mended_or_tagged() {
    let value =
        Value::Map(Map::from_entries([(Str::from(vec![b'a', 0xff]), Value::str(vec![0xff]))]));
    assert_eq!(plain(&value), ok("a\u{fffd}: \u{fffd}\n"));
    assert_eq!(pretty(&value), ok("!!binary Yf8=: !!binary /w==\n"));
}

#[test]
fn the_reader_refuses_what_json_lets_through() {
    for text in ["a\u{7f}", "a\u{81}", "a\u{ffff}"] {
        assert_eq!(
            plain(&Value::from(text)),
            Err("yaml: control characters are not allowed".into())
        );
    }
    // NEL is a line break to goyaml, and folded on the way through.
    assert_eq!(plain(&Value::from("a\u{85}b")), ok("a b\n"));
    let key = |n: usize| Value::Map(Map::from_entries([(Str::from("k".repeat(n)), Value::Nil)]));
    assert!(plain(&key(1022)).is_ok());
    assert_eq!(plain(&key(1023)), Err("yaml: did not find expected ',' or '}'".into()));
}
