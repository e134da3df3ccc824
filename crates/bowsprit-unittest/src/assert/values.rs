//! Assertions about what a path leads to.

use super::text::{Failure, error};
use super::{Bound, Check, Context, Verdict};
use crate::diff::unified;
use crate::document::Document;
use crate::yaml::{map_strings, printed, shown, uniform};
use bowsprit_sprig::goregex::GoRegex;
use bowsprit_value::{IntKind, List, Map, Value, deep_equal};
use std::convert::Infallible;

const NONE: &str = "no manifest found";

pub(super) fn run(context: &mut Context<'_>, check: &Check) -> Verdict {
    if let Check::Regex { pattern, .. } = check
        && pattern.is_empty()
    {
        return Verdict::failed(error("expected field 'pattern' to be filled", None, None));
    }
    let mut verdict = Verdict::default();
    for (number, doc) in context.docs.iter().enumerate() {
        verdict.and(number, check.document(context, doc, number));
        if !verdict.passed && context.fail_fast {
            break;
        }
    }
    if context.docs.is_empty() {
        verdict.passed = context.negative;
        if !context.negative {
            verdict.lines = check.nothing(context.negative);
        }
    }
    verdict
}

impl Check {
    fn path(&self) -> &str {
        match self {
            Check::Equal { path, .. }
            | Check::Bound { path, .. }
            | Check::Regex { path, .. }
            | Check::Contains { path, .. }
            | Check::Subset { path, .. }
            | Check::NullOrEmpty { path }
            | Check::Type { path, .. } => path,
            _ => "",
        }
    }

    /// What is said where there is no document.
    fn nothing(&self, not: bool) -> Vec<String> {
        let value = Value::from(NONE);
        match self {
            Check::Equal { path, value: expected, .. } => {
                not_equal(path, expected, &value, not).at(None, None)
            }
            Check::Bound { path, bound, .. } => {
                out_of_bound(path, "no manifests found", *bound, not).at(None, None)
            }
            Check::Regex { path, pattern, .. } => mismatch(path, pattern, NONE, not).at(None, None),
            Check::Contains { path, content, .. } => {
                not_contained(path, content, &value, not).at(Some(0), None)
            }
            Check::Subset { path, content } => {
                not_subset(path, content, &value, not).at(None, None)
            }
            Check::NullOrEmpty { path } => not_empty(path, &value, not).at(None, None),
            Check::Type { path, of } => other_type(path, of, NONE, not).at(None, None),
            _ => Vec::new(),
        }
    }

    fn document(&self, context: &Context<'_>, doc: &Document, number: usize) -> Verdict {
        let path = self.path();
        let found = match doc.find(path) {
            Ok(found) => found,
            Err(text) => return Verdict::failed(error(&text, Some(number), None)),
        };
        let regex = match self {
            Check::Regex { pattern, .. } => match GoRegex::compile(pattern) {
                Ok(regex) => Some(regex),
                Err(text) => return Verdict::failed(error(&text.to_string(), None, None)),
            },
            _ => None,
        };
        if found.is_empty() && !context.negative {
            let quoted = matches!(self, Check::Bound { .. });
            let path = if quoted { format!("'{path}'") } else { path.to_owned() };
            let text = format!("unknown path {path}");
            return Verdict::failed(error(&text, Some(number), None));
        }
        let mut verdict = Verdict { passed: found.is_empty(), lines: Vec::new() };
        let mut counted = 0;
        for (at, actual) in found.iter().enumerate() {
            let place = (number, at);
            let next = match self {
                Check::Equal { path, value, decode_base64 } => {
                    equal(context, path, value, *decode_base64, actual, place)
                }
                Check::Regex { path, pattern, decode_base64 } => {
                    let pattern = (pattern.as_str(), regex.as_ref());
                    matching(context, path, pattern, *decode_base64, actual, place)
                }
                Check::Contains { path, content, count, any } => {
                    contains(context, path, content, (*count, *any), actual, place)
                }
                Check::Subset { path, content } => subset(context, path, content, actual, place),
                Check::NullOrEmpty { path } => null_or_empty(context, path, actual, place),
                Check::Type { path, of } => of_type(context, path, of, actual, place),
                Check::Bound { path, value, bound } => {
                    match bounded(context, path, value, *bound, actual, place) {
                        Ok(next) => next,
                        // Values of other types are told of, but spoil nothing by themselves.
                        Err(lines) => {
                            verdict.lines.extend(lines);
                            counted += 1;
                            continue;
                        }
                    }
                }
                _ => Verdict::passed(),
            };
            let failed = !next.passed;
            verdict.and(counted, next);
            counted += 1;
            let single = matches!(self, Check::Equal { .. } | Check::NullOrEmpty { .. });
            if context.fail_fast && (if single { failed } else { !verdict.passed }) {
                break;
            }
        }
        verdict
    }
}

type Place = (usize, usize);

fn not_equal(path: &str, expected: &Value, actual: &Value, not: bool) -> Failure {
    let (expected, actual) = (shown(expected), shown(actual));
    let failure = Failure::new(not).path(path).expected(" to equal", &expected);
    if not {
        return failure;
    }
    failure.section("Actual", &actual).section("Diff", &unified(&expected, &actual))
}

fn decoded(text: &[u8], (number, at): Place) -> Result<Vec<u8>, Verdict> {
    crate::base64::decode(text).ok_or_else(|| {
        let text = String::from_utf8_lossy(text);
        let text = format!("unable to decode base64 expected content {text}");
        Verdict::failed(error(&text, Some(number), Some(at)))
    })
}

fn equal(
    context: &Context<'_>,
    path: &str,
    expected: &Value,
    decode: bool,
    actual: &Value,
    place: Place,
) -> Verdict {
    let actual = match actual {
        Value::Str(text) if decode => match decoded(text.as_bytes(), place) {
            Ok(bytes) => Value::str(uniform(&bytes)),
            Err(verdict) => return verdict,
        },
        actual => map_strings(actual, &uniform),
    };
    if deep_equal(expected, &actual) != context.negative {
        return Verdict::passed();
    }
    let failure = not_equal(path, expected, &actual, context.negative);
    Verdict::failed(failure.at(Some(place.0), Some(place.1)))
}

fn mismatch(path: &str, pattern: &str, actual: &str, not: bool) -> Failure {
    Failure::new(not).path(path).expected(" to match", pattern).section("Actual", actual)
}

fn matching(
    context: &Context<'_>,
    path: &str,
    (pattern, regex): (&str, Option<&GoRegex>),
    decode: bool,
    actual: &Value,
    place: Place,
) -> Verdict {
    let at = (Some(place.0), Some(place.1));
    let Value::Str(text) = actual else {
        let text = format!("expect '{path}' to be a string, got:\n{}", shown(actual));
        return Verdict::failed(error(&text, at.0, at.1));
    };
    let text = match decode.then(|| decoded(text.as_bytes(), place)) {
        None => text.as_bytes().to_vec(),
        Some(Ok(bytes)) => bytes,
        Some(Err(verdict)) => return verdict,
    };
    let found = regex.is_some_and(|regex| {
        let Ok(found) = regex.is_match::<Infallible>(&text, &mut |_| Ok(()));
        found
    });
    if found != context.negative {
        return Verdict::passed();
    }
    let text = String::from_utf8_lossy(&text);
    Verdict::failed(mismatch(path, pattern, &text, context.negative).at(at.0, at.1))
}

fn not_contained(path: &str, content: &Value, actual: &Value, not: bool) -> Failure {
    let expected = shown(&Value::list(vec![content.clone()]));
    Failure::new(not)
        .path(path)
        .expected(" to contain", &expected)
        .section("Actual", &shown(actual))
}

/// Whether all that one table has is in another.
fn is_subset(part: &Map, whole: &Map) -> bool {
    let entries = part.entries();
    entries
        .iter()
        .all(|(key, value)| deep_equal(&whole.get(key.as_bytes()).unwrap_or_default(), value))
}

fn contains(
    context: &Context<'_>,
    path: &str,
    content: &Value,
    (count, any): (Option<i64>, bool),
    actual: &Value,
    (number, at): Place,
) -> Verdict {
    let at = (Some(number), Some(at));
    let Value::List(list) = actual else {
        let text = format!("expect '{path}' to be an array, got:\n{}", shown(actual));
        return Verdict::failed(error(&text, at.0, at.1));
    };
    let fits = |item: &Value| match (any, item, content) {
        (true, Value::Map(item), Value::Map(content)) => is_subset(content, item),
        _ => deep_equal(item, content),
    };
    let found = list.iter().filter(|item| fits(item)).count();
    let wanted = count.map_or(found > 0, |count| {
        found > 0 && i64::try_from(found).is_ok_and(|found| found == count)
    });
    if wanted != context.negative {
        return Verdict::passed();
    }
    if let Some(count) = count.filter(|_| found > 0) {
        let actual = shown(actual);
        let text =
            format!("expect count {count} in '{path}' to be in array, got {found}:\n{actual}");
        return Verdict::failed(error(&text, at.0, at.1));
    }
    Verdict::failed(not_contained(path, content, actual, context.negative).at(at.0, at.1))
}

fn not_subset(path: &str, content: &Value, actual: &Value, not: bool) -> Failure {
    let (expected, actual) = (shown(content), shown(actual));
    Failure::new(not).path(path).expected(" to contain", &expected).section("Actual", &actual)
}

fn subset(
    context: &Context<'_>,
    path: &str,
    content: &Value,
    actual: &Value,
    (number, at): Place,
) -> Verdict {
    let at = (Some(number), Some(at));
    let (Value::Map(whole), Value::Map(part)) = (actual, content) else {
        let text = format!("expect '{path}' to be an object, got:\n{}", shown(actual));
        return Verdict::failed(error(&text, at.0, at.1));
    };
    if is_subset(part, whole) != context.negative {
        return Verdict::passed();
    }
    Verdict::failed(not_subset(path, content, actual, context.negative).at(at.0, at.1))
}

fn not_empty(path: &str, actual: &Value, not: bool) -> Failure {
    Failure::new(not).path(path).expected(" to be null or empty, got", &shown(actual))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::Bool(b) => !b,
        Value::Int(_, n) => *n == 0,
        Value::Float(f) => *f == 0.0,
        Value::Str(text) => text.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Object(_) => {
            bowsprit_yaml::any_entries(value).is_some_and(|entries| entries.is_empty())
        }
        _ => false,
    }
}

fn null_or_empty(
    context: &Context<'_>,
    path: &str,
    actual: &Value,
    (number, at): Place,
) -> Verdict {
    if is_empty(actual) != context.negative {
        return Verdict::passed();
    }
    Verdict::failed(not_empty(path, actual, context.negative).at(Some(number), Some(at)))
}

fn other_type(path: &str, of: &str, actual: &str, not: bool) -> Failure {
    Failure::new(not).path(path).expected(" to be of type", of).section("Actual", actual)
}

fn of_type(
    context: &Context<'_>,
    path: &str,
    of: &str,
    actual: &Value,
    (number, at): Place,
) -> Verdict {
    let name = if actual.is_nil() { String::new() } else { actual.type_name().to_string() };
    if (name == of) != context.negative {
        return Verdict::passed();
    }
    Verdict::failed(other_type(path, of, &name, context.negative).at(Some(number), Some(at)))
}

fn out_of_bound(path: &str, text: &str, bound: Bound, not: bool) -> Failure {
    let what = format!(" to be {} then or equal to, got", bound.name());
    Failure::new(not).path(path).expected(&what, text)
}

impl Bound {
    fn name(self) -> &'static str {
        match self {
            Bound::Least => "greater",
            Bound::Most => "less",
        }
    }
}

fn bounded(
    context: &Context<'_>,
    path: &str,
    expected: &Value,
    bound: Bound,
    actual: &Value,
    (number, at): Place,
) -> Result<Verdict, Vec<String>> {
    let type_name = |value: &Value| match value {
        Value::Nil => "%!s(<nil>)".to_owned(),
        other => other.type_name().to_string(),
    };
    let (actual_type, expected_type) = (type_name(actual), type_name(expected));
    if actual_type != expected_type {
        let text =
            format!("actual '{actual_type}' and expected '{expected_type}' types do not match");
        return Err(error(&text, Some(number), Some(at)));
    }
    let order = match (actual, expected) {
        (Value::Str(a), Value::Str(e)) => a.as_bytes().partial_cmp(e.as_bytes()),
        (Value::Int(IntKind::Int, a), Value::Int(_, e)) => a.partial_cmp(e),
        (Value::Float(a), Value::Float(e)) => a.partial_cmp(e),
        _ => {
            let name = if expected.is_nil() { "<nil>" } else { &expected_type };
            let text = format!("unsupported type '{name}'");
            let failure = out_of_bound(path, &text, bound, context.negative);
            return Ok(Verdict::failed(failure.at(Some(number), Some(at))));
        }
    };
    // As helm-unittest has it, `greater` holds whatever `not` says, and `less` follows it.
    let holds = match bound {
        Bound::Least => order.is_some_and(|order| order.is_ge()) || context.negative,
        Bound::Most => order.is_some_and(|order| order.is_le()) != context.negative,
    };
    if holds {
        return Ok(Verdict::passed());
    }
    let text = format!(
        "the actual '{}' is not {} or equal to the expected '{}'",
        printed(actual),
        bound.name(),
        printed(expected)
    );
    let failure = out_of_bound(path, &text, bound, context.negative);
    Ok(Verdict::failed(failure.at(Some(number), Some(at))))
}

fn miscounted(path: &str, count: &str, actual: &str, not: bool) -> Failure {
    Failure::new(not).path(path).expected(" to match count", count).section("Actual", actual)
}

pub(super) fn length(
    context: &Context<'_>,
    paths: &[String],
    path: &str,
    count: Option<i64>,
) -> Verdict {
    let refused = |text: &str| Verdict::failed(error(text, None, None));
    if !path.is_empty() && count.is_none_or(|count| count < 0) {
        return refused("'count' field must be set if 'path' is used");
    }
    if !path.is_empty() && !paths.is_empty() {
        return refused("'paths' couldn't be used with 'path'");
    }
    let mut verdict = Verdict::default();
    for (number, doc) in context.docs.iter().enumerate() {
        let next = if path.is_empty() {
            several_lengths(context, doc, paths, count, number)
        } else {
            one_length(context, doc, path, count, number).0
        };
        verdict.and(number, next);
        if !verdict.passed && context.fail_fast {
            break;
        }
    }
    if context.docs.is_empty() {
        verdict.passed = context.negative;
        if !context.negative {
            verdict.lines = miscounted("", "", NONE, false).at(None, None);
        }
    }
    verdict
}

fn one_length(
    context: &Context<'_>,
    doc: &Document,
    path: &str,
    count: Option<i64>,
    number: usize,
) -> (Verdict, usize) {
    let found = match doc.find(path) {
        Ok(found) => found,
        Err(text) => return (Verdict::failed(error(&text, Some(number), None)), 0),
    };
    let mut verdict = Verdict { passed: found.is_empty() && context.negative, lines: Vec::new() };
    let mut length = 0;
    for (at, actual) in found.iter().enumerate() {
        let list: Option<&List> = actual.as_list();
        if list.is_none() && count.is_none() {
            let text = format!("{path} is not array");
            verdict.lines.extend(error(&text, Some(number), Some(at)));
            continue;
        }
        length = list.map_or(0, List::len);
        let wrong = count.filter(|count| {
            (i64::try_from(length).is_ok_and(|length| length == *count)) == context.negative
        });
        let next = match wrong {
            None => Verdict::passed(),
            Some(count) => {
                let (count, length) = (count.to_string(), length.to_string());
                let failure = miscounted(path, &count, &length, context.negative);
                Verdict::failed(failure.at(Some(number), None))
            }
        };
        verdict.and(at, next);
        if !verdict.passed && context.fail_fast {
            break;
        }
    }
    (verdict, length)
}

fn several_lengths(
    context: &Context<'_>,
    doc: &Document,
    paths: &[String],
    count: Option<i64>,
    number: usize,
) -> Verdict {
    let mut lengths = std::collections::BTreeMap::new();
    let mut lines = Vec::new();
    let mut failed = false;
    for path in paths {
        let (verdict, length) = one_length(context, doc, path, count, number);
        lengths.insert(path.as_str(), length);
        if !verdict.passed {
            failed = true;
            lines.extend(verdict.lines);
        }
    }
    let Some(first) = lengths.values().next().copied().filter(|_| !failed) else {
        return Verdict::failed(lines);
    };
    for (path, length) in lengths.iter().skip(1) {
        if (*length == first) == context.negative {
            let failure = miscounted(path, "-1", &length.to_string(), context.negative);
            return Verdict::failed(failure.at(Some(number), None));
        }
    }
    Verdict::passed()
}
