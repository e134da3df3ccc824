//! Assertions about whole documents, texts and failures.

use super::text::{Failure, error, line};
use super::{Check, Context, Verdict};
use crate::diff::unified;
use crate::document::Document;
use crate::snapshot::{Compared, Patterns};
use crate::yaml::{shown, uniform};
use bowsprit_sprig::goregex::{GoRegex, quote_meta};
use bowsprit_value::Value;
use std::convert::Infallible;

const NONE: &str = "no manifest found";

/// Asks for each document; `one` says what is wrong with it. Where there is none, what is denied holds.
fn each(
    context: &Context<'_>,
    nothing: impl Fn() -> Vec<String>,
    mut one: impl FnMut(usize, &Document) -> Option<Vec<String>>,
) -> Verdict {
    let mut verdict = Verdict::default();
    for (number, doc) in context.docs.iter().enumerate() {
        match one(number, doc) {
            None => verdict.passed = number == 0 || verdict.passed,
            Some(lines) => {
                verdict.passed = false;
                verdict.lines.extend(lines);
                if context.fail_fast {
                    break;
                }
            }
        }
    }
    if context.docs.is_empty() {
        verdict.passed = context.negative;
        if !context.negative {
            verdict.lines = nothing();
        }
    }
    verdict
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

pub(super) fn exists(context: &Context<'_>, path: &str) -> Verdict {
    let wanted = if context.negative { "expected to NOT exists" } else { "expected to exists" };
    each(
        context,
        || line(wanted, path, None),
        |number, doc| match doc.find(path) {
            Err(text) => Some(error(&text, Some(number), None)),
            Ok(found) if found.is_empty() != context.negative => {
                Some(line(wanted, path, Some(number)))
            }
            Ok(_) => None,
        },
    )
}

pub(super) fn field(context: &Context<'_>, field: &str, label: &str, of: &str) -> Verdict {
    let failure = |actual: &Value| {
        let failure = Failure::new(context.negative).expected(label, of);
        if context.negative { failure } else { failure.section("Actual", &shown(actual)) }
    };
    each(
        context,
        || failure(&Value::from(NONE)).at(None, None),
        |number, doc| {
            let actual = doc.content.get(field.as_bytes()).unwrap_or_default();
            let same = actual.as_str().is_some_and(|text| text.as_bytes() == of.as_bytes());
            (same == context.negative).then(|| failure(&actual).at(Some(number), None))
        },
    )
}

pub(super) fn has_documents(context: &Context<'_>, count: i64, filter_aware: bool) -> Verdict {
    let actual = if filter_aware { context.docs.len() } else { context.all };
    if i64::try_from(actual).is_ok_and(|actual| actual == count) != context.negative {
        return Verdict::passed();
    }
    let label = " documents count to be";
    let failure = Failure::new(context.negative).expected(label, &count.to_string());
    let failure =
        if context.negative { failure } else { failure.section("Actual", &actual.to_string()) };
    Verdict::failed(failure.at(None, None))
}

pub(super) fn equal_raw(context: &Context<'_>, expected: &str) -> Verdict {
    let failure = |actual: &[u8]| {
        let (expected, actual) = (shown(&expected.into()), shown(&Value::str(actual.to_vec())));
        let failure = Failure::new(context.negative).expected(" to equal", &expected);
        if context.negative {
            return failure.at(None, None);
        }
        let diff = unified(&expected, &actual);
        failure.section("Actual", &actual).section("Diff", &diff).at(None, None)
    };
    each(
        context,
        || failure(NONE.as_bytes()),
        |_, doc| {
            let actual = uniform(&doc.text());
            ((actual == expected.as_bytes()) == context.negative).then(|| failure(&actual))
        },
    )
}

pub(super) fn regex_raw(context: &Context<'_>, pattern: &str) -> Verdict {
    if pattern.is_empty() {
        return Verdict::failed(error("expected field 'pattern' to be filled", None, None));
    }
    let regex = match GoRegex::compile(pattern) {
        Ok(regex) => regex,
        Err(text) if !context.docs.is_empty() => {
            return Verdict::failed(error(&text.to_string(), None, None));
        }
        Err(_) => GoRegex::compile("").unwrap_or_else(|_| unreachable!("the empty pattern")),
    };
    let failure = |actual: &str| {
        let failure = Failure::new(context.negative).expected(" to match", pattern);
        failure.section("Actual", actual).at(None, None)
    };
    each(
        context,
        || failure(NONE),
        |_, doc| {
            let actual = uniform(&doc.text());
            (finds(&regex, &actual) == context.negative).then(|| failure(&lossy(&actual)))
        },
    )
}

fn finds(regex: &GoRegex, text: &[u8]) -> bool {
    let Ok(found) = regex.is_match::<Infallible>(text, &mut |_| Ok(()));
    found
}

pub(super) fn contains_document(context: &Context<'_>, check: &Check) -> Verdict {
    let Check::ContainsDocument { kind, api_version, name, namespace, any } = check else {
        return Verdict::default();
    };
    let negative = context.negative;
    let mut wanted = format!("Kind = {kind}, apiVersion = {api_version}");
    if !name.is_empty() {
        wanted.push_str(&format!(", Name = {name}"));
    }
    if !namespace.is_empty() {
        wanted.push_str(&format!(", Namespace = {namespace}"));
    }
    let failure = |number: usize| {
        let failure = Failure::new(negative).expected(" to contain document", &wanted);
        failure.at(Some(number), None)
    };
    let fits = |doc: &Document| {
        let field = |field: &str, of: &str| match doc.content.get(field.as_bytes()) {
            Some(Value::Str(text)) => text.as_bytes() == of.as_bytes(),
            _ => true,
        };
        let inner = |path: &str, of: &str| {
            of.is_empty()
                || matches!(doc.find(path).ok().as_deref(), Some([Value::Str(text), ..])
                    if text.as_bytes() == of.as_bytes())
        };
        field("kind", kind)
            && field("apiVersion", api_version)
            && inner("metadata.name", name)
            && inner("metadata.namespace", namespace)
    };
    let mut verdict = Verdict::default();
    for (number, doc) in context.docs.iter().enumerate() {
        let passed = fits(doc) != negative;
        if !passed {
            verdict.lines.extend(failure(number));
            if context.fail_fast {
                verdict.passed = false;
                break;
            }
        } else if *any != negative {
            return Verdict::passed();
        }
        verdict.passed = passed && (number == 0 || verdict.passed);
    }
    if context.docs.is_empty() {
        verdict.passed = negative;
        if !negative {
            verdict.lines = failure(0);
        }
    }
    verdict
}

pub(super) fn failed(context: &Context<'_>, message: &str, pattern: &str) -> Verdict {
    if !message.is_empty() && !pattern.is_empty() {
        let text = "single attribute 'errorMessage' or 'errorPattern' supported at the same time";
        return Verdict::failed(error(text, None, None));
    }
    let judged = |actual: Option<&[u8]>, number: Option<usize>| {
        if !pattern.is_empty() {
            failure_matches(context.negative, pattern, actual, number)
        } else if !message.is_empty() {
            let same = actual.is_some_and(|actual| actual == message.as_bytes());
            if same != context.negative {
                return Verdict::passed();
            }
            let actual = actual.map(lossy).unwrap_or_default();
            let lines = other_failure(context.negative, " to equal", message, &actual, number);
            Verdict::failed(lines)
        } else {
            Verdict::passed()
        }
    };
    if let Some(text) = context.render_error {
        return judged(Some(text.as_bytes()), None);
    }
    let mut verdict = Verdict::passed();
    for (number, doc) in context.docs.iter().enumerate() {
        let actual = match doc.content.get(crate::document::RAW) {
            Some(Value::Str(text)) => Some(text.as_bytes().to_vec()),
            _ => None,
        };
        if message.is_empty() && pattern.is_empty() && !context.negative {
            continue;
        }
        verdict.and(number, judged(actual.as_deref(), Some(number)));
        if !verdict.passed && context.fail_fast {
            break;
        }
    }
    if context.docs.is_empty() && !context.negative {
        let label = if pattern.is_empty() { " to equal" } else { " to match" };
        let wanted = if message.is_empty() { pattern } else { message };
        verdict = Verdict::failed(other_failure(false, label, wanted, "No failed document", None));
    }
    verdict
}

fn other_failure(
    not: bool,
    label: &str,
    wanted: &str,
    actual: &str,
    number: Option<usize>,
) -> Vec<String> {
    let failure = Failure::new(not).expected(label, wanted);
    if not { failure.at(number, None) } else { failure.section("Actual", actual).at(number, None) }
}

/// A pattern with special characters also counts as the plain text that it is.
fn failure_matches(
    not: bool,
    pattern: &str,
    actual: Option<&[u8]>,
    number: Option<usize>,
) -> Verdict {
    let quoted = || GoRegex::compile(quote_meta(pattern.as_bytes()));
    let regex = match GoRegex::compile(pattern).or_else(|_| quoted()) {
        Ok(regex) => regex,
        Err(text) => return Verdict::failed(error(&text.to_string(), None, None)),
    };
    let Some(actual) = actual else { return Verdict::passed() };
    if finds(&regex, actual) != not {
        return Verdict::passed();
    }
    let special = pattern.contains(|c| r"\.+*?()|[]{}^$".contains(c));
    if special && quoted().is_ok_and(|regex| finds(&regex, actual) != not) {
        return Verdict::passed();
    }
    Verdict::failed(other_failure(not, " to match", pattern, &lossy(actual), number))
}

pub(super) fn snapshot_raw(context: &mut Context<'_>) -> Verdict {
    let negative = context.negative;
    let mut verdict = Verdict { passed: context.docs.is_empty() && !negative, lines: Vec::new() };
    let docs = std::mem::take(&mut context.docs);
    for (number, doc) in docs.iter().enumerate() {
        let text = Value::str(uniform(&doc.text()));
        let compared = compare(context, &text, Patterns::default());
        let next = if compared.passed != negative {
            Verdict::passed()
        } else {
            let label = format!(" to match snapshot {}", compared.index);
            let shown = difference(&compared, negative);
            Verdict::failed(Failure::new(negative).expected(&label, &shown).at(None, None))
        };
        verdict.and(number, next);
        if !verdict.passed && context.fail_fast {
            break;
        }
    }
    verdict
}

fn compare(context: &mut Context<'_>, content: &Value, patterns: Patterns<'_>) -> Compared {
    *context.counter += 1;
    context.snapshots.compare(context.test, *context.counter, content, patterns)
}

fn difference(compared: &Compared, not: bool) -> String {
    if not { compared.kept.clone() } else { unified(&compared.kept, &compared.new) }
}

pub(super) fn snapshot(
    context: &mut Context<'_>,
    path: &str,
    matches: &str,
    not_matches: &str,
) -> Verdict {
    let patterns = Patterns { matches, not_matches };
    let negative = context.negative;
    let mut verdict = Verdict { passed: context.docs.is_empty() && !negative, lines: Vec::new() };
    let docs = std::mem::take(&mut context.docs);
    for (number, doc) in docs.iter().enumerate() {
        verdict.and(number, snapshot_of(context, doc, number, path, patterns));
        if !verdict.passed && context.fail_fast {
            break;
        }
    }
    verdict
}

fn snapshot_of(
    context: &mut Context<'_>,
    doc: &Document,
    number: usize,
    path: &str,
    patterns: Patterns<'_>,
) -> Verdict {
    let negative = context.negative;
    let found = match doc.find(path) {
        Ok(found) => found,
        Err(text) => return Verdict::failed(error(&text, Some(number), None)),
    };
    if found.is_empty() && !negative {
        let text = format!("unknown path {path}");
        return Verdict::failed(error(&text, Some(number), None));
    }
    let mut verdict = Verdict { passed: found.is_empty(), lines: Vec::new() };
    for (at, actual) in found.iter().enumerate() {
        let place = (Some(number), Some(at));
        let compared = compare(context, actual, patterns);
        if compared.broken {
            return Verdict::failed(error("<nil>", place.0, place.1));
        }
        let next = if compared.passed != negative {
            Verdict::passed()
        } else if let Some(message) = &compared.message {
            let failure = Failure::new(negative).expected(message, &compared.kept);
            Verdict::failed(failure.at(place.0, place.1))
        } else {
            let label = format!(" to match snapshot {}", compared.index);
            let shown = difference(&compared, negative);
            let failure = Failure::new(negative).path(path).expected(&label, &shown);
            Verdict::failed(failure.at(place.0, place.1))
        };
        verdict.and(at, next);
        if !verdict.passed && context.fail_fast {
            break;
        }
    }
    verdict
}
