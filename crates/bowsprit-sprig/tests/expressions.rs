//! Nested calls of functions and methods, with what Helm printed for them by `%v`:
//! `fixtures/vectors/expressions.jsonl`.
//!
//! An expression is null, a boolean, a number (an `int`), a text, a list of expressions, a call of a
//! function (`f`) or of a method (`m`) of a receiver (`r`), both with arguments (`a`). The function
//! `int64` stands for the conversion of the same name.
#![allow(clippy::unwrap_used)]

use bowsprit_value::{Args, FuncError, FuncImpl, Hermetic, Meter, Value, fmt};
use serde_json::Value as Json;

fn evaluate(json: &Json, meter: &Meter) -> Result<Value, FuncError> {
    let all = |items: &Json| -> Result<Vec<Value>, FuncError> {
        items.as_array().unwrap().iter().map(|item| evaluate(item, meter)).collect()
    };
    Ok(match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => Value::int(n.as_i64().unwrap()),
        Json::String(s) => Value::from(s.as_str()),
        Json::Array(_) => Value::list(all(json)?),
        Json::Object(call) => match call.get("m") {
            Some(name) => {
                let receiver = evaluate(&call["r"], meter)?;
                method(&receiver, name.as_str().unwrap(), &mut all(&call["a"])?, meter)?
            }
            None => function(call["f"].as_str().unwrap(), &mut all(&call["a"])?, meter)?,
        },
    })
}

fn function(name: &str, args: &mut [Value], meter: &Meter) -> Result<Value, FuncError> {
    if let ("int64", [Value::Int(_, n)]) = (name, &*args) {
        return Ok(Value::int64(*n));
    }
    let func = bowsprit_sprig::functions().find(|f| f.name == name).unwrap();
    let mut args = Args::new(args, meter);
    match func.body {
        FuncImpl::Pure(body) => body(&mut args),
        FuncImpl::Host(body) => body(&mut args, &Hermetic::default()),
        FuncImpl::Engine(_) => panic!("{name} belongs to the engine"),
    }
}

fn method(
    receiver: &Value,
    name: &str,
    args: &mut [Value],
    meter: &Meter,
) -> Result<Value, FuncError> {
    let Value::Object(object) = receiver else { panic!("{receiver:?} has no methods") };
    let method = object.methods().iter().find(|m| m.name == name).unwrap();
    (method.call)(receiver, &mut Args::new(args, meter))
}

#[test]
fn expressions_print_as_in_helm() {
    let cases = bowsprit_testkit::fixture("vectors/expressions.jsonl").unwrap();
    let mut wrong = Vec::new();
    for line in String::from_utf8(cases).unwrap().lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let meter = Meter::default();
        let printed = evaluate(&case["expr"], &meter).and_then(|value| {
            let mut out = Vec::new();
            fmt::print_value(&value, &mut out, &meter)?;
            Ok(String::from_utf8_lossy(&out).into_owned())
        });
        let answer = printed.map_err(|error| error.to_string());
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
