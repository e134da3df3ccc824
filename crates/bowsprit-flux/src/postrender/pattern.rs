//! Go's regular expressions and Kubernetes' selectors.

use bowsprit_render::sprig_functions;
use bowsprit_value::{Args, FuncImpl, Meter, Value};
use std::collections::BTreeMap;

/// Whether Go's regular expression matches anywhere in the text. The error is Go's.
pub(crate) fn matches(pattern: &str, text: &str) -> Result<bool, String> {
    let functions = sprig_functions();
    let function = functions.iter().find(|func| func.name == "mustRegexMatch");
    let Some(FuncImpl::Pure(function)) = function.map(|func| func.body) else {
        return Err("regular expressions are not there".to_owned());
    };
    let meter = Meter::default();
    let mut args = [Value::from(pattern), Value::from(text)];
    match function(&mut Args::new(&mut args, &meter)) {
        Ok(value) => Ok(matches!(value, Value::Bool(true))),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the whole text matches; an empty pattern matches all.
pub(crate) fn matches_whole(pattern: &str, text: &str) -> Result<bool, String> {
    Ok(pattern.is_empty() || matches(&format!("^(?:{pattern})$"), text)?)
}

/// Labels, or annotations.
pub(crate) type Labels = BTreeMap<String, String>;

/// One requirement of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
    Greater(String, i64),
    Less(String, i64),
}

impl Requirement {
    fn holds(&self, labels: &Labels) -> bool {
        let number = |key: &String| labels.get(key).and_then(|value| value.parse::<i64>().ok());
        match self {
            Requirement::In(key, values) => labels.get(key).is_some_and(|v| values.contains(v)),
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|v| !values.contains(v)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::Absent(key) => !labels.contains_key(key),
            Requirement::Greater(key, limit) => number(key).is_some_and(|n| n > *limit),
            Requirement::Less(key, limit) => number(key).is_some_and(|n| n < *limit),
        }
    }
}

/// Whether labels fit a selector such as `app=web,tier in (a, b),!old`; an empty one fits all.
pub(crate) fn selects(selector: &str, labels: &Labels) -> Result<bool, String> {
    Ok(parse(selector)?.iter().all(|requirement| requirement.holds(labels)))
}

fn parse(selector: &str) -> Result<Vec<Requirement>, String> {
    let mut requirements = Vec::new();
    let mut rest = selector.trim();
    while !rest.is_empty() {
        // A comma within parentheses belongs to a list of values.
        let mut depth = 0usize;
        let end = rest.find(|c: char| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        });
        let (piece, after) = match end {
            Some(at) => {
                (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default())
            }
            None => (rest, ""),
        };
        requirements.push(requirement(piece.trim()).ok_or_else(|| {
            format!("unable to parse requirement: {piece:?} in the selector {selector:?}")
        })?);
        rest = after.trim_start();
        if end.is_some() && rest.is_empty() {
            return Err(format!("found '', expected: identifier after ',' in {selector:?}"));
        }
    }
    Ok(requirements)
}

fn requirement(text: &str) -> Option<Requirement> {
    let name = |text: &str| {
        let text = text.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        (!text.is_empty() && text.chars().all(plain)).then(|| text.to_owned())
    };
    if let Some(key) = text.strip_prefix('!') {
        return Some(Requirement::Absent(name(key)?));
    }
    for (operator, equal) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((key, value)) = text.split_once(operator) {
            let (key, values) = (name(key)?, vec![value.trim().to_owned()]);
            return Some(if equal {
                Requirement::In(key, values)
            } else {
                Requirement::NotIn(key, values)
            });
        }
    }
    if let Some((key, value)) = text.split_once('>') {
        return Some(Requirement::Greater(name(key)?, value.trim().parse().ok()?));
    }
    if let Some((key, value)) = text.split_once('<') {
        return Some(Requirement::Less(name(key)?, value.trim().parse().ok()?));
    }
    match text.split_once('(') {
        None => Some(Requirement::Exists(name(text)?)),
        Some((before, values)) => {
            let values = values.trim_end().strip_suffix(')')?;
            let values = values.split(',').map(|value| value.trim().to_owned()).collect();
            let mut words = before.split_whitespace();
            let (key, operator) = (name(words.next()?)?, words.next()?);
            match (operator, words.next()) {
                ("in", None) => Some(Requirement::In(key, values)),
                ("notin", None) => Some(Requirement::NotIn(key, values)),
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_select() {
        let labels: Labels =
            [("a", "1"), ("x.io/b", "c")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        for (selector, want) in [
            ("", true),
            ("a=1", true),
            ("a == 1, x.io/b", true),
            ("a!=1", false),
            ("z!=1", true),
            ("!a", false),
            ("!z,a>0", true),
            ("a in (1, 2),x.io/b notin (d)", true),
            ("a in (3)", false),
        ] {
            assert_eq!(selects(selector, &labels), Ok(want), "{selector}");
        }
        for wrong in ["a=1,", "a of (1)", "a b"] {
            assert!(selects(wrong, &labels).is_err(), "{wrong}");
        }
    }

    #[test]
    fn patterns_are_anchored() {
        assert_eq!(matches_whole("a|b.*", "bc"), Ok(true));
        assert_eq!(matches_whole("a", "ab"), Ok(false));
        assert_eq!(matches_whole("", "ab"), Ok(true));
        assert!(matches_whole("(", "").is_err());
    }
}
