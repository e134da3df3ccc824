//! Answers to the YAML requests of the vectors.

use bowsprit_value::{List, Map, Meter, Str, Value};
use serde_json::{Value as Json, json};

/// The answer's `out`, or the error; `None` for requests of other kinds.
pub(crate) fn answer(request: &Json) -> Option<Result<Json, String>> {
    let text = request["yaml"].as_str().unwrap_or_default().as_bytes();
    let result = match request["kind"].as_str()? {
        "yaml" => bowsprit_yaml::decode(text).map(|v| to_json(&v)),
        "yamltojson" => bowsprit_yaml::yaml_to_json(text).map(text_json),
        "valuesyaml" => bowsprit_yaml::read_values(text).map(|m| to_json(&Value::Map(m))),
        "toyaml" => {
            let value = from_json(&request["json"]);
            let (mut out, meter) = (Vec::new(), Meter::default());
            let written = match request["pretty"].as_bool() {
                Some(true) => bowsprit_yaml::encode_pretty(&value, &mut out, &meter),
                _ => bowsprit_yaml::encode(&value, &mut out, &meter),
            };
            written.map(|()| text_json(out))
        }
        _ => return None,
    };
    Some(result.map_err(|e| e.to_string()))
}

fn text_json(text: Vec<u8>) -> Json {
    String::from_utf8_lossy(&text).into_owned().into()
}

fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
        Json::String(s) => Value::from(s.as_str()),
        Json::Array(items) => Value::List(List::new(items.iter().map(from_json).collect())),
        Json::Object(map) => {
            let entries = map.iter().map(|(k, v)| (Str::from(k.as_str()), from_json(v)));
            Value::Map(Map::from_entries(entries))
        }
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(b) => json!(b),
        Value::Float(f) => json!(f),
        Value::Str(s) => json!(s.to_string_lossy()),
        Value::List(list) => list.iter().map(to_json).collect(),
        Value::Map(map) => {
            let entries = map.entries();
            Json::Object(entries.iter().map(|(k, v)| (k.to_string(), to_json(v))).collect())
        }
        _ => Json::Null,
    }
}
