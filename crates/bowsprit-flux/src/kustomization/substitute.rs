//! `postBuild`: variables in the text of objects, as Flux's envsubst replaces them.

use std::collections::BTreeMap;

/// Replaces `${name}` and its kin. `$$` is a dollar sign; a name without a value becomes empty.
///
/// Supported are `${name}`, `${name:-default}`, `${name:=default}`, `${name-default}`,
/// `${name=default}`, `${#name}`, `${name^}`, `${name^^}`, `${name,}`, `${name,,}`,
/// `${name:offset}` and `${name:offset:length}`.
pub(super) fn substitute(
    text: &str,
    variables: &BTreeMap<String, String>,
) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let after = after.get(1..).unwrap_or_default();
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inside) = after.strip_prefix('{') {
            let (expression, after) = inside.split_at_checked(end(inside)?).unwrap_or((inside, ""));
            out.push_str(&value(expression, variables)?);
            rest = after.get(1..).unwrap_or_default();
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Where the brace is that closes an expression; defaults may have expressions in them.
fn end(inside: &str) -> Result<usize, String> {
    let mut depth = 0usize;
    let mut previous = ' ';
    for (at, c) in inside.char_indices() {
        match c {
            '{' if previous == '$' => depth += 1,
            '}' if depth == 0 => return Ok(at),
            '}' => depth -= 1,
            _ => {}
        }
        previous = c;
    }
    Err("variable substitution failed: missing closing brace".to_owned())
}

fn value(expression: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let (length, expression) = match expression.strip_prefix('#') {
        Some(rest) => (true, rest),
        None => (false, expression),
    };
    let name_end = expression
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(expression.len());
    let (name, operation) = expression.split_at_checked(name_end).unwrap_or((expression, ""));
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("variable substitution failed: unable to parse variable name".to_owned());
    }
    let found = variables.get(name);
    let text = found.cloned().unwrap_or_default();
    if length {
        return Ok(text.chars().count().to_string());
    }
    operate(&text, found.is_some(), operation, variables)
}

fn operate(
    text: &str,
    is_set: bool,
    operation: &str,
    variables: &BTreeMap<String, String>,
) -> Result<String, String> {
    for (sign, empty_counts) in [(":-", true), (":=", true), ("-", false), ("=", false)] {
        if let Some(default) = operation.strip_prefix(sign) {
            let missing = if empty_counts { text.is_empty() } else { !is_set };
            return if missing { substitute(default, variables) } else { Ok(text.to_owned()) };
        }
    }
    let first = |change: fn(&str) -> String| {
        let end = text.chars().next().map_or(0, char::len_utf8);
        let (head, tail) = text.split_at_checked(end).unwrap_or((text, ""));
        change(head) + tail
    };
    match operation {
        "" => Ok(text.to_owned()),
        "^^" => Ok(text.to_uppercase()),
        ",," => Ok(text.to_lowercase()),
        "^" => Ok(first(str::to_uppercase)),
        "," => Ok(first(str::to_lowercase)),
        _ => match operation.strip_prefix(':') {
            Some(range) => slice(text, range).ok_or_else(|| unsupported(operation)),
            None => Err(unsupported(operation)),
        },
    }
}

fn unsupported(operation: &str) -> String {
    format!("variable substitution failed: the function {operation:?} is not supported")
}

fn slice(text: &str, range: &str) -> Option<String> {
    let (offset, length) = match range.split_once(':') {
        Some((offset, length)) => (offset, Some(length.trim().parse::<usize>().ok()?)),
        None => (range, None),
    };
    let rest = text.chars().skip(offset.trim().parse().ok()?);
    Some(rest.take(length.unwrap_or(usize::MAX)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let variables: BTreeMap<String, String> =
            [("a", "one"), ("empty", "")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        for (text, want) in [
            ("x ${a} y", "x one y"),
            ("$${a} $a ${b}", "${a} $a "),
            ("${b:-two} ${b:=${a}} ${a:-two}", "two one one"),
            ("${empty:-x}${empty-x}", "x"),
            ("${a^^} ${a^} ${#a} ${a:1} ${a:0:2}", "ONE One 3 ne on"),
        ] {
            assert_eq!(substitute(text, &variables).as_deref(), Ok(want), "{text}");
        }
        assert!(substitute("${a/x/y}", &variables).is_err());
        assert!(substitute("${a", &variables).is_err());
    }
}
