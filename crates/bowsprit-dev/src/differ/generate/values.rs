//! Random values, and what becomes of them as YAML and JSON.

use serde_json::{Map, Value, json};

use crate::differ::rng::Rng;

/// Texts that mean something to YAML, JSON, numbers or Unicode.
const ODD: &[&str] = &[
    "",
    " ",
    "a",
    "b",
    "abc",
    "Hello World",
    "0",
    "1",
    "-1",
    "1.0",
    "1e3",
    "0x1F",
    "0o17",
    "017",
    "08",
    "1_000",
    ".5",
    "5.",
    "+1",
    ".inf",
    "-.Inf",
    ".nan",
    "NaN",
    "Infinity",
    "true",
    "True",
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "~",
    "null",
    "Null",
    "NULL",
    "nil",
    "<nil>",
    "=",
    "<<",
    "-",
    "--",
    "---",
    "...",
    "?",
    ":",
    "a: b",
    "a:b",
    "a #b",
    "#a",
    "- a",
    "? a",
    "[",
    "]",
    "{",
    "}",
    "{}",
    "[]",
    "&a",
    "*a",
    "!a",
    "!!str",
    "|",
    ">",
    "%a",
    "@a",
    "`a",
    "'",
    "\"",
    "''",
    "a'b",
    "a\"b",
    "\\",
    "\\n",
    "\n",
    "a\n",
    "\na",
    "a\nb",
    "a\n\nb\n",
    "a\n\n",
    " a",
    "a ",
    "\ta",
    "a\tb",
    "\t",
    "a\r\nb",
    "\r",
    "\u{0}",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{feff}a",
    "\u{fffd}",
    "\u{fffe}",
    "é",
    "ß",
    "日本語",
    "😀",
    "e\u{301}",
    "İ",
    "ǆ",
    "2020-01-02",
    "2020-01-02T03:04:05Z",
    "12:30:45",
    "190:20:30",
    "1:1",
    "<a&b>",
    "a/b/../c",
    "/x/y.tar.gz",
    "http://u:p@h:8/p?q=1#f",
    "1.2.3",
    "v1.2.3-beta.1+x",
    "^1.2",
    "a,b,c",
    "a=b",
    "x.y[0]",
    "%d",
    "%s",
    "{{ .a }}",
    "$1",
    "(a+)(b*)",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "1e400",
    "0b101",
    "0x",
    "1e",
    "snake_case_word",
    "kebab-case",
    "CamelCaseWord",
    "a b  c",
    "aGVsbG8=",
    "nbswy3dp",
    "key",
];

pub(super) fn text(rng: &mut Rng) -> String {
    match rng.below(20) {
        0..=13 => rng.pick(ODD).to_owned(),
        14..=16 => [rng.pick(ODD), rng.pick(ODD)].concat(),
        17 => rng.several(0, 30, |r| r.pick(ODD).to_owned()).join(" "),
        18 => rng.several(0, 8, any_char).concat(),
        _ => rng.text(1, 60, &["word ", "a", "longish-token ", " ", "\n", "x: y "]),
    }
}

/// Any character of Unicode, small ones more often.
fn any_char(rng: &mut Rng) -> String {
    let limit = [0x80, 0x100, 0x3000, 0xffff, 0x11_0000][rng.below(5)];
    char::from_u32(rng.below(limit) as u32).unwrap_or('\u{fffd}').to_string()
}

const NUMBERS: &[f64] = &[
    0.0,
    1.0,
    -1.0,
    2.0,
    3.0,
    7.0,
    10.0,
    42.0,
    100.0,
    255.0,
    1024.0,
    65535.0,
    99_999.0,
    1e6,
    1e7,
    1e9,
    0.5,
    -0.5,
    1.5,
    2.5,
    0.1,
    1e-7,
    1e-5,
    1e20,
    1e21,
    1e22,
    1e100,
    1e308,
    5e-324,
    2_147_483_648.0,
    4_294_967_296.0,
    9_007_199_254_740_993.0,
    9_223_372_036_854_775_807.0,
    1.8e19,
    123_456_789.0,
    0.000_001,
    3.125,
    -0.0,
    1_234_567.891,
    999_999.5,
    1_000_000.0,
    20_971_520.0,
    100_000_000_000_000_000_000.0,
];

pub(super) fn number(rng: &mut Rng) -> Value {
    match rng.below(10) {
        0..=6 => json!(NUMBERS[rng.below(NUMBERS.len())]),
        7 => json!(rng.next() as i64 >> rng.below(64)),
        8 => {
            let float = f64::from_bits(rng.next());
            json!(if float.is_finite() { float } else { 0.25 })
        }
        _ => json!(rng.below(2000) as f64 / 8.0 - 100.0),
    }
}

pub(super) fn scalar(rng: &mut Rng) -> Value {
    match rng.below(10) {
        0..=4 => Value::String(text(rng)),
        5..=7 => number(rng),
        8 => Value::Bool(rng.chance(50)),
        _ => Value::Null,
    }
}

const KEYS: &[&str] =
    &["a", "b", "c", "d", "x", "name", "enabled", "k-d", "1", "A", "a.b", "a/b", "é"];

pub(super) fn key(rng: &mut Rng) -> String {
    if rng.chance(80) { rng.pick(KEYS).to_owned() } else { text(rng) }
}

/// A value of some depth.
pub(super) fn any(rng: &mut Rng, depth: usize) -> Value {
    if depth == 0 || rng.chance(45) {
        return scalar(rng);
    }
    if rng.chance(45) {
        let count = rng.below(5);
        return Value::Array((0..count).map(|_| any(rng, depth - 1)).collect());
    }
    Value::Object(map(rng, depth - 1))
}

pub(super) fn map(rng: &mut Rng, depth: usize) -> Map<String, Value> {
    let count = rng.below(5);
    (0..count).map(|_| (key(rng), any(rng, depth))).collect()
}

pub(super) fn to_yaml(rng: &mut Rng) -> Value {
    let depth = 1 + rng.below(6);
    match rng.below(4) {
        0 | 1 => json!({"kind": "toyaml", "json": any(rng, depth)}),
        2 => json!({"kind": "toyaml", "pretty": true, "json": any(rng, depth)}),
        _ => {
            let call = rng.pick(&[
                "toYaml .Values.v",
                "toYamlPretty .Values.v",
                ".Values.v | toYaml | nindent 4",
                "toToml .Values",
                "fromYaml (toYaml .Values)",
                "mustToYaml .Values.v",
                "fromYamlArray (toYaml .Values.v)",
            ]);
            json!({"kind": "template", "template": format!("{{{{ {call} }}}}"),
                "values": {"v": any(rng, depth)}})
        }
    }
}

pub(super) fn to_json(rng: &mut Rng) -> Value {
    let depth = 1 + rng.below(6);
    let call = rng.pick(&[
        "toJson .Values.v",
        "toRawJson .Values.v",
        "toPrettyJson .Values.v",
        "mustToJson .Values.v",
        "mustToPrettyJson .Values.v",
        "mustToRawJson .Values",
        "fromJson (toJson .Values)",
        "fromJsonArray (toJson .Values.v)",
        "mustFromJson (toJson .Values.v)",
        ".Values.v",
        "print .Values",
        "printf \"%v|%q|%#v\" .Values.v .Values.v .Values.v",
        "quote .Values.v",
        "toString .Values.v",
        "fromJson .Values.t",
        "fromJsonArray .Values.t",
        "mustFromJson .Values.t",
        "deepCopy .Values | toJson",
    ]);
    let value = any(rng, depth);
    let mut text = value.to_string();
    if rng.chance(60) {
        text = mutated(
            rng,
            &text,
            &[
                "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u12", "\\ud800", "1", "e", "-", ".",
                "nul", "true", " ", "\n", "/",
            ],
        );
    }
    json!({"kind": "template", "template": format!("{{{{ {call} }}}}"), "values": {"v": value, "t": text}})
}

/// A text with some characters taken out, doubled or put in.
pub(super) fn mutated(rng: &mut Rng, text: &str, pieces: &[&str]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=rng.below(3) {
        let at = rng.below(chars.len() + 1);
        match rng.below(4) {
            0 if at < chars.len() => {
                chars.remove(at);
            }
            1 if at < chars.len() => {
                let to = (at + rng.below(12)).min(chars.len());
                let copy: Vec<char> = chars[at..to].to_vec();
                chars.splice(at..at, copy);
            }
            2 => chars.truncate(at.max(3)),
            _ => {
                chars.splice(at..at, rng.pick(pieces).chars());
            }
        }
    }
    chars.into_iter().collect()
}
