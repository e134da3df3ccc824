//! Names that Kubernetes' kinds may have.

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_1035: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";

/// Go's `%q`.
fn quote(text: &str) -> String {
    String::from_utf8_lossy(&bowsprit_value::strconv::quote(text.as_bytes())).into_owned()
}

/// What Kubernetes says of a name that a kind's objects can't have; nothing for good names.
///
/// ```
/// use bowsprit_validate::names::complaints;
///
/// assert!(complaints("ConfigMap", "a.b").is_empty());
/// assert_eq!(complaints("Role", "a/b"), ["may not contain '/'"]);
/// ```
pub fn complaints(kind: &str, name: &str) -> Vec<String> {
    match kind.to_lowercase().as_str() {
        "service" => label_1035(name),
        "namespace" => label(name),
        "certificatesigningrequest" => Vec::new(),
        "role" | "clusterrole" | "rolebinding" | "clusterrolebinding" => path_segment(name),
        _ => subdomain(name),
    }
}

/// What is wrong with an object's name, in the words of `helm lint`.
pub fn wrong_name(kind: &str, name: &str) -> Option<String> {
    let complaints = complaints(kind, name);
    let mut errors: Vec<String> = complaints
        .iter()
        .map(|text| format!("metadata.name: Invalid value: {}: {text}", quote(name)))
        .collect();
    let errors = match errors.len() {
        0 => return None,
        1 => errors.pop().unwrap_or_default(),
        _ => format!("[{}]", errors.join(", ")),
    };
    Some(format!(
        "object name does not conform to Kubernetes naming requirements: {}: {errors}",
        quote(name)
    ))
}

fn is_label(name: &str) -> bool {
    let is_edge = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.first().is_some_and(is_edge)
        && bytes.last().is_some_and(is_edge)
        && bytes.iter().all(|b| is_edge(b) || *b == b'-')
}

fn is_subdomain(name: &str) -> bool {
    name.split('.').all(is_label)
}

fn too_long(name: &str, limit: usize) -> Option<String> {
    (name.len() > limit).then(|| format!("must be no more than {limit} characters"))
}

fn subdomain(name: &str) -> Vec<String> {
    let wrong = (!is_subdomain(name)).then(|| {
        format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
             '-' or '.', and must start and end with an alphanumeric character (e.g. \
             'example.com', regex used for validation is '{LABEL}(\\.{LABEL})*')"
        )
    });
    too_long(name, 253).into_iter().chain(wrong).collect()
}

fn label(name: &str) -> Vec<String> {
    let wrong = (!is_label(name)).then(|| {
        if is_subdomain(name) {
            return "must not contain dots".to_owned();
        }
        format!(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', \
             and must start and end with an alphanumeric character (e.g. 'my-name',  or \
             '123-abc', regex used for validation is '{LABEL}')"
        )
    });
    too_long(name, 63).into_iter().chain(wrong).collect()
}

fn label_1035(name: &str) -> Vec<String> {
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let wrong = (!(is_label(name) && starts)).then(|| {
        format!(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start \
             with an alphabetic character, and end with an alphanumeric character (e.g. \
             'my-name',  or 'abc-123', regex used for validation is '{LABEL_1035}')"
        )
    });
    too_long(name, 63).into_iter().chain(wrong).collect()
}

fn path_segment(name: &str) -> Vec<String> {
    if matches!(name, "." | "..") {
        return vec![format!("may not be '{name}'")];
    }
    let found = ["/", "%"].into_iter().filter(|part| name.contains(part));
    found.map(|part| format!("may not contain '{part}'")).collect()
}

/// What is wrong with the key of a label or annotation: a name of 63 bytes at most, and before a slash
/// a domain.
pub(crate) fn wrong_label_key(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if prefix.is_some_and(|prefix| !is_subdomain(prefix) || prefix.len() > 253) {
        return Some(format!("the part before the slash of {} is no domain", quote(key)));
    }
    (name.is_empty() || !is_qualified(name)).then(|| {
        format!(
            "{} must consist of letters, digits, '-', '_' and '.', begin and end with a letter or \
             digit, and have 63 bytes at most",
            quote(name)
        )
    })
}

/// What is wrong with the value of a label.
pub(crate) fn wrong_label_value(value: &str) -> Option<String> {
    (!value.is_empty() && !is_qualified(value)).then(|| {
        format!(
            "the value {} must consist of letters, digits, '-', '_' and '.', begin and end with a \
             letter or digit, and have 63 bytes at most",
            quote(value)
        )
    })
}

fn is_qualified(name: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}
