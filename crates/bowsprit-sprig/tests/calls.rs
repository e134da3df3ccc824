//! Calls of functions, with what sprig answered inside Helm: `fixtures/vectors/sprig.jsonl`.
//!
//! The answer is the result's `%T %#v`; where the function changes its first argument (`changes`),
//! that argument's `%#v` follows. Arguments other than null, booleans and text are written with their
//! type: `{"int": "5"}`, `{"list": […]}`, `{"map": [[key, value], …]}`; `{"hex": "ff"}` is a string
//! that is not UTF-8.
#![allow(clippy::unwrap_used)]

use bowsprit_value::{
    Args, FuncError, FuncImpl, Hermetic, IntKind, List, ListType, Map, Meter, Str, Value, fmt,
};
use serde_json::Value as Json;

fn typed(json: &Json) -> Value {
    let (kind, content) = match json {
        Json::Null => return Value::Nil,
        Json::Bool(b) => return Value::Bool(*b),
        Json::String(s) => return Value::from(s.as_str()),
        other => other.as_object().and_then(|o| o.iter().next()).unwrap(),
    };
    let items = || content.as_array().unwrap().iter().map(typed);
    match kind.as_str() {
        "int" => Value::Int(IntKind::Int, content.as_str().unwrap().parse().unwrap()),
        "int64" => Value::Int(IntKind::Int64, content.as_str().unwrap().parse().unwrap()),
        "float64" => Value::Float(content.as_str().unwrap().parse().unwrap()),
        "hex" => Value::Str(bytes(content.as_str().unwrap()).into()),
        "list" => Value::list(items().collect()),
        "strings" => Value::List(List::typed(ListType::STRINGS, items().collect())),
        "ints" => Value::List(List::typed(ListType::INTS, items().collect())),
        "map" => Value::Map(Map::from_entries(
            content.as_array().unwrap().iter().map(|e| (text(&e[0]), typed(&e[1]))),
        )),
        other => panic!("{other}"),
    }
}

fn text(json: &Json) -> Str {
    typed(json).as_str().unwrap().clone()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

fn call(case: &Json) -> Result<String, FuncError> {
    let name = case["call"].as_str().unwrap();
    let func = bowsprit_sprig::functions().find(|f| f.name == name).unwrap();
    let meter = Meter::default();
    let mut values: Vec<Value> = case["args"].as_array().unwrap().iter().map(typed).collect();
    let first = values.first().cloned();
    let mut args = Args::new(&mut values, &meter);
    let result = match func.body {
        FuncImpl::Pure(body) => body(&mut args)?,
        FuncImpl::Host(body) => body(&mut args, &Hermetic::default())?,
        FuncImpl::Engine(_) => panic!("{name} belongs to the engine"),
    };
    let mut out = Vec::new();
    fmt::sprintf(b"%T %#v", &[result.clone(), result], &mut out, &meter)?;
    if case["changes"] == true {
        fmt::sprintf(b"|%#v", &[first.unwrap()], &mut out, &meter)?;
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[test]
fn functions_answer_as_sprig_does() {
    let cases = bowsprit_testkit::fixture("vectors/sprig.jsonl").unwrap();
    let mut wrong = Vec::new();
    for line in String::from_utf8(cases).unwrap().lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let answer = call(&case).map_err(|error| error.to_string());
        let expected = match case["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(case["want"].as_str().unwrap().to_owned()),
        };
        if answer != expected {
            wrong.push(format!("{line}\n    got {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
