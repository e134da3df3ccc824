//! The tables of the tests of `--set` and its like.

use bowsprit::render::values::ValuesError;
use bowsprit::render::values::set::{
    parse_into, parse_into_string, parse_json, parse_literal_into,
};
use bowsprit::value::{Map, Meter, json};
use serde_json::Value;

use super::eval::{Function, Names, assignment, value};
use super::parse::Expr;

type Parse = fn(&[u8], &Map) -> Result<(), ValuesError>;

/// How many entries of a function's tables agree, and what those give that do not.
pub(super) fn compare(function: &Function<'_>) -> (usize, Vec<String>) {
    let mut names = Names::new();
    let (mut agree, mut differ) = (0, Vec::new());
    for at in 0..function.body.len() {
        let Some((name, list, _)) = assignment(function.body, at) else { continue };
        if let Expr::Composite(_, entries) = &list {
            for (_, entry) in entries {
                match one(function.name, &name, entry, &names) {
                    Some(None) => agree += 1,
                    Some(Some(difference)) => differ.push(difference),
                    None => {}
                }
            }
        }
        names.insert(name, list);
    }
    (agree, differ)
}

/// An entry's difference, if it has one; nothing for what is no such entry.
fn one(test: &str, table: &str, entry: &Expr, names: &Names) -> Option<Option<String>> {
    let Expr::Composite(_, fields) = entry else { return None };
    let field = |name: &str| {
        let is = |key: &Option<Expr>| *key == Some(Expr::Name(name.to_owned()));
        fields.iter().find(|(key, _)| is(key)).map(|(_, held)| value(held, names))
    };
    let first = field("str").or_else(|| field("input"))??;
    let mut arguments = vec![first.as_str()?.to_owned()];
    if let Some(second) = field("input2") {
        arguments.extend(second?.as_str().filter(|text| !text.is_empty()).map(str::to_owned));
    }
    let start = match field("got") {
        Some(start) => start?,
        None => serde_json::json!({}),
    };
    let fails = field("err").is_some_and(|fails| fails == Some(Value::Bool(true)));
    let start = json::decode(start.to_string().as_bytes()).ok()?.as_map()?.clone();
    let outcome = arguments.iter().try_for_each(|text| parse(test, table)(text.as_bytes(), &start));
    let found = match outcome {
        Err(_) if fails => return Some(None),
        Err(error) => format!("error: {error}"),
        Ok(()) if fails => "no error".to_owned(),
        Ok(()) => {
            let wanted = field("expect")??;
            let found = text(&start)?;
            let same = serde_json::from_str::<Value>(&found).is_ok_and(|found| found == wanted);
            if same {
                return Some(None);
            }
            format!("{found}\nwanted: {wanted}")
        }
    };
    Some(Some(format!("{test}\n{arguments:?}\nfound: {found}")))
}

fn parse(test: &str, table: &str) -> Parse {
    if test.contains("Literal") {
        parse_literal_into
    } else if test.contains("JSON") {
        parse_json
    } else if table.contains("String") {
        parse_into_string
    } else {
        parse_into
    }
}

fn text(values: &Map) -> Option<String> {
    let mut out = Vec::new();
    let options = json::Options::default();
    json::encode(&values.clone().into(), &options, &mut out, &Meter::default()).ok()?;
    String::from_utf8(out).ok()
}
