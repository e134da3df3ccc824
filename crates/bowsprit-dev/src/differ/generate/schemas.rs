//! Values against JSON schemas.

use serde_json::{Map, Value, json};

use super::values::{scalar, text};
use crate::differ::rng::Rng;

const DRAFTS: &[&str] = &[
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
    "http://json-schema.org/schema#",
];
const TYPES: &[&str] = &["null", "boolean", "integer", "number", "string", "array", "object"];
const KEYS: &[&str] = &["a", "b", "c", "x/y", "é", "q'"];
const FORMATS: &[&str] = &[
    "date",
    "email",
    "ipv4",
    "ipv6",
    "uri",
    "regex",
    "uuid",
    "hostname",
    "date-time",
    "duration",
    "json-pointer",
    "time",
    "nope",
    "semver",
    "uri-reference",
    "period",
];

fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.below(if depth == 0 { 4 } else { 8 }) {
        0 => json!(rng.pick(&[
            "a",
            "ab",
            "abc",
            "",
            "é",
            "2020-01-02",
            "1.2.3.4",
            "x@y.z",
            "^a",
            "10",
            "http://a/b",
            "1.2.3"
        ])),
        1 => rng
            .pick(&[
                &json!(0),
                &json!(1),
                &json!(1.5),
                &json!(-3),
                &json!(10),
                &json!(1e30),
                &json!(0.3),
            ])
            .clone(),
        2 => rng.pick(&[&json!(true), &json!(false), &json!(null)]).clone(),
        3 => scalar(rng),
        4 | 5 => Value::Array((0..rng.below(4)).map(|_| value(rng, depth - 1)).collect()),
        _ => Value::Object(
            (0..rng.below(4)).map(|_| (rng.pick(KEYS).to_owned(), value(rng, depth - 1))).collect(),
        ),
    }
}

fn schemas(rng: &mut Rng, depth: usize) -> Value {
    Value::Array((0..=rng.below(2)).map(|_| schema(rng, depth)).collect())
}

fn by_key(rng: &mut Rng, keys: &[&str], depth: usize) -> Value {
    Value::Object(
        (0..rng.below(3)).map(|_| (rng.pick(keys).to_owned(), schema(rng, depth))).collect(),
    )
}

fn reference(rng: &mut Rng) -> Value {
    json!(rng.pick(&[
        "#",
        "#/definitions/d0",
        "#/$defs/d1",
        "#/properties/a",
        "#anc",
        "#/nope",
        "#/definitions/d0/x"
    ]))
}

fn schema(rng: &mut Rng, depth: usize) -> Value {
    if depth == 0 || rng.chance(6) {
        return rng
            .pick(&[
                &json!(true),
                &json!(false),
                &json!({}),
                &json!({"type": "string"}),
                &json!({"minimum": 1}),
                &json!({"const": "a"}),
            ])
            .clone();
    }
    let mut map = Map::new();
    for _ in 0..=rng.below(3) {
        let (key, value) = keyword(rng, depth - 1);
        map.insert(key.to_owned(), value);
    }
    if rng.chance(2) {
        map.insert(
            rng.pick(&["type", "minimum", "required", "properties", "pattern", "enum"]).to_owned(),
            value(rng, 1),
        );
    }
    Value::Object(map)
}

fn keyword(rng: &mut Rng, depth: usize) -> (&'static str, Value) {
    let size = json!(rng.below(4));
    match rng.below(16) {
        0 | 1 => (
            "type",
            if rng.chance(70) {
                json!(rng.pick(TYPES))
            } else {
                json!(rng.several(1, 3, |r| r.pick(TYPES).to_owned()))
            },
        ),
        2 => ("enum", Value::Array((0..=rng.below(3)).map(|_| value(rng, 1)).collect())),
        3 => ("const", value(rng, 1)),
        4 => (
            rng.pick(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
            rng.pick(&[&json!(0.3), &json!(1), &json!(2), &json!(10), &json!(1.5)]).clone(),
        ),
        5 => (
            rng.pick(&[
                "minLength",
                "maxLength",
                "minItems",
                "maxItems",
                "minProperties",
                "maxProperties",
                "minContains",
                "maxContains",
            ]),
            size,
        ),
        6 => (
            "pattern",
            json!(rng.pick(&[
                "^a", "b$", "[0-9]+", "^\\w+$", "\\p{L}", "(?i)AB", "é", "^.{2}$", "(", "(?=a)"
            ])),
        ),
        7 => ("required", json!(rng.several(0, 3, |r| r.pick(KEYS).to_owned()))),
        8 | 9 => ("properties", by_key(rng, KEYS, depth)),
        10 => (
            rng.pick(&[
                "additionalProperties",
                "propertyNames",
                "items",
                "contains",
                "not",
                "if",
                "then",
                "else",
                "unevaluatedProperties",
                "unevaluatedItems",
                "additionalItems",
            ]),
            schema(rng, depth),
        ),
        11 => (rng.pick(&["allOf", "anyOf", "oneOf", "items", "prefixItems"]), schemas(rng, depth)),
        12 => (rng.pick(&["patternProperties"]), by_key(rng, &["^a", "b", "é|c", "."], depth)),
        13 => (rng.pick(&["$ref", "$ref", "$dynamicRef", "$recursiveRef"]), reference(rng)),
        14 => match rng.below(4) {
            0 => ("uniqueItems", json!(rng.chance(70))),
            1 => ("dependentRequired", json!({"a": ["b"]})),
            2 => ("dependencies", json!({"a": ["c"], "b": schema(rng, depth)})),
            _ => ("dependentSchemas", by_key(rng, KEYS, depth)),
        },
        _ => ("format", json!(rng.pick(FORMATS))),
    }
}

pub(super) fn request(rng: &mut Rng) -> Value {
    let depth = 1 + rng.below(4);
    let mut top = schema(rng, depth);
    if let Some(map) = top.as_object_mut() {
        if rng.chance(60) {
            map.insert("$schema".to_owned(), json!(rng.pick(DRAFTS)));
        }
        if rng.chance(40) {
            map.insert("definitions".to_owned(), by_key(rng, &["d0", "d1"], 1));
            map.insert("$defs".to_owned(), by_key(rng, &["d0", "d1"], 1));
        }
        if rng.chance(60) {
            map.insert("properties".to_owned(), by_key(rng, KEYS, depth));
        }
    }
    let schema = if rng.chance(1) { text(rng) } else { top.to_string() };
    let values: Map<String, Value> =
        (0..rng.below(5)).map(|_| (rng.pick(KEYS).to_owned(), value(rng, 2))).collect();
    json!({"kind": "values", "files": {"values.schema.json": schema}, "values": values})
}
