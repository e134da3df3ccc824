//! Inputs that want to exhaust the stack, the memory or the patience. Tests run on stacks of 2 MB.

use bowsprit_value::{Limits, Map, Meter, Value};
use bowsprit_yaml::{
    Document, ErrorKind, decode, encode, encode_pretty, read_values, yaml_to_json,
};

fn error(text: &str) -> String {
    decode(text.as_bytes()).map_or_else(|e| e.to_string(), |_| "no error".into())
}

fn encoded(value: &Value) -> Result<String, String> {
    let mut out = Vec::new();
    encode(value, &mut out, &Meter::default()).map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[test]
fn nesting_is_bounded_as_in_go() {
    let flow = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(decode(flow(9_000).as_bytes()).is_ok());
    let too_deep = "error converting YAML to JSON: yaml: exceeded max depth of 10000";
    for text in [flow(20_000), "[".repeat(1_000_000), "{a: ".repeat(20_000), "- ".repeat(20_000)] {
        assert_eq!(error(&text), too_deep);
    }
    let both = format!("{}{}", "- ".repeat(6_000), flow(6_000));
    let in_json =
        "error unmarshaling JSON: while decoding JSON: invalid character '[' exceeded max depth";
    assert_eq!(error(&both), in_json);
    assert_eq!(yaml_to_json(both.as_bytes()).map(|json| json.len()), Ok(24_000));
}

#[test]
fn deep_values_are_written_or_refused() {
    let nested = |n: usize| (0..n).fold(Value::Nil, |v, _| Value::list(vec![v]));
    assert_eq!(encoded(&nested(9_000)).map(|text| text.len()), Ok(2 * 9_000 + 5));
    assert_eq!(encoded(&nested(1_000_000)), Err("yaml: exceeded max depth of 10000".into()));
    assert!(encode_pretty(&nested(1_000_000), &mut Vec::new(), &Meter::default()).is_err());
}

#[test]
fn cycles_are_refused() {
    let map = Map::new();
    map.insert("self".into(), Value::list(vec![Value::Map(map.clone())]));
    let value = Value::Map(map.clone());
    let text = encoded(&value);
    assert_eq!(
        text,
        Err("error marshaling into JSON: json: unsupported value: \
             encountered a cycle via map[string]interface {}"
            .into())
    );
    assert!(encode_pretty(&value, &mut Vec::new(), &Meter::default()).is_err());
    map.remove(b"self");
}

#[test]
fn alias_bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x]\n");
    for i in 1..30 {
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(","));
    }
    let want = "error converting YAML to JSON: yaml: document contains excessive aliasing";
    assert_eq!(error(&bomb), want);
    assert_eq!(
        error("a: &a {b: [*a]}"),
        "error converting YAML to JSON: yaml: anchor 'a' value contains itself"
    );
}

#[test]
fn long_lines_and_many_keys_take_linear_time() {
    let mut text = String::new();
    for i in 0..30_000 {
        text += &format!("k{i}: &a{i} 'it''s \u{201c}quoted\u{201d}'\n");
    }
    text += &format!("# {}\n", "\u{201c}".repeat(100_000));
    text += &format!("last: \"{}\"\n", "\\u0041 ".repeat(30_000));
    let value = decode(text.as_bytes()).expect("plain enough");
    assert_eq!(value.as_map().map(Map::len), Some(30_001));
    assert!(encoded(&value).is_ok());
    let strange = text.replacen('k', "\u{feff}k", 3);
    assert!(decode(strange.as_bytes()).is_ok());
}

#[test]
fn output_is_charged() {
    let line = Value::list(vec![Value::from("x".repeat(100)); 1000]);
    let meter = Meter::new(Limits { bytes: 10_000, ..Limits::default() });
    let value = Value::list(vec![line; 1000]);
    let mut out = Vec::new();
    let error = encode(&value, &mut out, &meter).expect_err("over the limit");
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(out.len() < 300_000);
}

#[test]
fn wrong_bytes_never_panic() {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    for _ in 0..6_000 {
        let len = usize::from(next() % 60);
        let text: Vec<u8> = (0..len)
            .map(|_| match next() {
                b @ 0..128 => b"abk01 \n\n  -?:,[]{}#&*!|>'\"%@`\\\t\r<~=.+_ "[usize::from(b) % 39],
                b => b,
            })
            .collect();
        let _ = decode(&text);
        let _ = read_values(&text);
        let _ = yaml_to_json(&text);
        let _ = Document::parse_strict(&text);
        let value = Value::str(text);
        for write in [encode, encode_pretty] {
            assert!(
                write(&value, &mut Vec::new(), &Meter::default())
                    .map_or_else(|e| e.kind() != ErrorKind::Limit, |()| true)
            );
        }
    }
}
