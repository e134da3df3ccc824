//! Reading an assertion.

use super::node::{Node, Wrong};
use super::params::Params;
use super::{Assertion, Selector};
use crate::assert::{Bound, Check};
use bowsprit_value::{IntKind, Map, Value};

/// A type of assertion: its name, what it checks, whether it denies that, and whether it is about what was
/// rendered rather than about a failure.
type Type = (&'static str, Make, bool, bool);
type Make = fn(&mut Params) -> Check;

#[rustfmt::skip]
static TYPES: &[Type] = &[
    ("matchSnapshot",     snapshot,          false, true),
    ("matchSnapshotRaw",  |_| Check::SnapshotRaw, false, true),
    ("equal",             equal,             false, true),
    ("notEqual",          equal,             true,  true),
    ("greaterOrEqual",    at_least,          false, true),
    ("notGreaterOrEqual", at_least,          true,  true),
    ("lessOrEqual",       at_most,           false, true),
    ("notLessOrEqual",    at_most,           true,  true),
    ("equalRaw",          equal_raw,         false, true),
    ("notEqualRaw",       equal_raw,         true,  true),
    ("exists",            exists,            false, true),
    ("notExists",         exists,            true,  true),
    ("matchRegex",        regex,             false, true),
    ("notMatchRegex",     regex,             true,  true),
    ("matchRegexRaw",     regex_raw,         false, true),
    ("notMatchRegexRaw",  regex_raw,         true,  true),
    ("contains",          contains,          false, true),
    ("notContains",       contains,          true,  true),
    ("isKind",            kind,              false, true),
    ("isAPIVersion",      api_version,       false, true),
    ("hasDocuments",      has_documents,     false, true),
    ("isSubset",          subset,            false, true),
    ("isNotSubset",       subset,            true,  true),
    ("isNullOrEmpty",     null_or_empty,     false, true),
    ("isNotNullOrEmpty",  null_or_empty,     true,  true),
    ("failedTemplate",    failed,            false, false),
    ("notFailedTemplate", failed,            true,  true),
    ("containsDocument",  contains_document, false, true),
    ("lengthEqual",       length,            false, true),
    ("notLengthEqual",    length,            true,  true),
    ("isNull",            exists,            true,  true),
    ("isNotNull",         exists,            false, true),
    ("isEmpty",           null_or_empty,     false, true),
    ("isNotEmpty",        null_or_empty,     true,  true),
    ("isType",            of_type,           false, true),
    ("isNotType",         of_type,           true,  true),
];

/// Reads an item of `asserts`. The error ends the reading of the file.
pub(super) fn read(node: &Node<'_>, wrong: &mut Wrong) -> Result<Option<Assertion>, String> {
    if node.is_null() {
        return Ok(None);
    }
    let Some(map) = node.as_map() else {
        wrong.push(node, "map[string]interface {}");
        return Ok(None);
    };
    let selector = match map.get(b"documentSelector") {
        Some(Value::Map(selector)) => Some(read_selector(&selector)?),
        _ => None,
    };
    let mut found = TYPES.iter().filter(|(name, ..)| map.contains(name.as_bytes()));
    let Some((name, make, antonym, wants_success)) = found.next() else {
        return Err(no_type(&map));
    };
    if let Some((other, ..)) = found.next() {
        return Err(format!("assertion type `{name}` and `{other}` is declared duplicately"));
    }
    let mut params = Params::new(&map.get(name.as_bytes()).unwrap_or_default())?;
    let check = make(&mut params);
    params.finish()?;
    Ok(Some(Assertion {
        name,
        line: node.line(),
        template: match map.get(b"template") {
            Some(Value::Str(template)) => template.to_string(),
            _ => String::new(),
        },
        document_index: match map.get(b"documentIndex") {
            Some(Value::Int(IntKind::Int, -1)) => None,
            Some(Value::Int(IntKind::Int, index)) => Some(index),
            _ => None,
        },
        selector,
        not: matches!(map.get(b"not"), Some(Value::Bool(true))),
        antonym: *antonym,
        wants_success: *wants_success,
        check,
    }))
}

fn read_selector(map: &Map) -> Result<Selector, String> {
    let Some(Value::Str(path)) = map.get(b"path") else {
        return Err("empty 'documentSelector.path' not supported".to_owned());
    };
    let on = |key: &[u8]| matches!(map.get(key), Some(Value::Bool(true)));
    Ok(Selector {
        path: path.to_string(),
        value: map.get(b"value").unwrap_or_default(),
        match_many: on(b"matchMany"),
        skip_empty_templates: on(b"skipEmptyTemplates"),
    })
}

fn no_type(map: &Map) -> String {
    let entries = map.entries();
    let names = entries.iter().map(|(key, _)| key);
    let other = |key: &&bowsprit_value::Str| {
        !matches!(key.as_bytes(), b"template" | b"documentIndex" | b"not")
    };
    let mut others: Vec<&bowsprit_value::Str> = names.filter(other).collect();
    // Go names any one of them; the selector is the least telling.
    others.sort_by_key(|key| key.as_bytes() == b"documentSelector");
    match others.first() {
        Some(key) => format!("Assertion type `{key}` is invalid"),
        None => "no assertion type defined".to_owned(),
    }
}

fn snapshot(params: &mut Params) -> Check {
    Check::Snapshot {
        path: params.string("Path"),
        matches: params.pattern("MatchRegex"),
        not_matches: params.pattern("NotMatchRegex"),
    }
}

fn equal(params: &mut Params) -> Check {
    Check::Equal {
        path: params.string("Path"),
        value: params.any("Value"),
        decode_base64: params.bool("DecodeBase64"),
    }
}

fn at_least(params: &mut Params) -> Check {
    bound(params, Bound::Least)
}

fn at_most(params: &mut Params) -> Check {
    bound(params, Bound::Most)
}

fn bound(params: &mut Params, bound: Bound) -> Check {
    Check::Bound { path: params.string("Path"), value: params.any("Value"), bound }
}

fn equal_raw(params: &mut Params) -> Check {
    Check::EqualRaw { value: params.string("Value") }
}

fn exists(params: &mut Params) -> Check {
    Check::Exists { path: params.string("Path") }
}

fn regex(params: &mut Params) -> Check {
    Check::Regex {
        path: params.string("Path"),
        pattern: params.string("Pattern"),
        decode_base64: params.bool("DecodeBase64"),
    }
}

fn regex_raw(params: &mut Params) -> Check {
    Check::RegexRaw { pattern: params.string("Pattern") }
}

fn contains(params: &mut Params) -> Check {
    Check::Contains {
        path: params.string("Path"),
        content: params.any("Content"),
        count: params.int("Count"),
        any: params.bool("Any"),
    }
}

fn kind(params: &mut Params) -> Check {
    Check::Field { field: "kind", label: " to be kind", of: params.string("Of") }
}

fn api_version(params: &mut Params) -> Check {
    Check::Field { field: "apiVersion", label: " to be apiVersion", of: params.string("Of") }
}

fn has_documents(params: &mut Params) -> Check {
    Check::HasDocuments {
        count: params.int("Count").unwrap_or(0),
        filter_aware: params.bool("FilterAware"),
    }
}

fn subset(params: &mut Params) -> Check {
    Check::Subset { path: params.string("Path"), content: params.any("Content") }
}

fn null_or_empty(params: &mut Params) -> Check {
    Check::NullOrEmpty { path: params.string("Path") }
}

fn failed(params: &mut Params) -> Check {
    Check::Failed { message: params.string("ErrorMessage"), pattern: params.string("ErrorPattern") }
}

fn contains_document(params: &mut Params) -> Check {
    Check::ContainsDocument {
        kind: params.string("Kind"),
        api_version: params.string("APIVersion"),
        name: params.string("Name"),
        namespace: params.string("Namespace"),
        any: params.bool("Any"),
    }
}

fn length(params: &mut Params) -> Check {
    Check::Length {
        paths: params.strings("Paths"),
        path: params.string("Path"),
        count: params.int("Count"),
    }
}

fn of_type(params: &mut Params) -> Check {
    Check::Type { path: params.string("Path"), of: params.string("Type") }
}
