//! Which names and values Kubernetes takes.

use std::fmt;

/// Which part of a label or an annotation is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What stands before the `/`.
    Prefix,
    /// The name itself.
    Name,
    /// The value.
    Value,
}

/// A label or an annotation that Kubernetes does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidName {
    /// The label's or annotation's name, with its prefix.
    pub key: String,
    /// The wrong part.
    pub part: Part,
    /// Its text.
    pub text: String,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, text) = (&self.key, &self.text);
        match self.part {
            Part::Prefix => write!(
                f,
                "{key:?}: the prefix {text:?} must be a DNS name in lower case of at most 253 characters"
            ),
            Part::Name => write!(
                f,
                "{key:?}: the name {text:?} must have 1 to 63 letters, digits, '-', '_' or '.', and \
                 begin and end with a letter or a digit"
            ),
            Part::Value => write!(
                f,
                "{key:?}: the value {text:?} must be empty or have at most 63 letters, digits, '-', \
                 '_' or '.', and begin and end with a letter or a digit"
            ),
        }
    }
}

impl std::error::Error for InvalidName {}

/// Checks a label as the API server does.
///
/// # Errors
///
/// Fails with the first part that is wrong.
pub fn check_label(key: &str, value: &str) -> Result<(), InvalidName> {
    check_annotation(key)?;
    if value.is_empty() || is_name(value) {
        return Ok(());
    }
    Err(InvalidName { key: key.to_owned(), part: Part::Value, text: value.to_owned() })
}

/// Checks the name of an annotation as the API server does; it may have any value.
///
/// # Errors
///
/// Fails with the first part that is wrong.
pub fn check_annotation(key: &str) -> Result<(), InvalidName> {
    let fail =
        |part, text: &str| Err(InvalidName { key: key.to_owned(), part, text: text.to_owned() });
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix
        && !is_dns(prefix)
    {
        return fail(Part::Prefix, prefix);
    }
    if is_name(name) { Ok(()) } else { fail(Part::Name, name) }
}

fn is_name(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let ends = [text.bytes().next(), text.bytes().last()];
    text.len() <= 63
        && text.bytes().all(inside)
        && ends.into_iter().all(|b| b.is_some_and(|b| b.is_ascii_alphanumeric()))
}

fn is_dns(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let label = |label: &str| {
        let ends = [label.bytes().next(), label.bytes().last()];
        ends.into_iter().all(|b| b.is_some_and(letter))
            && label.bytes().all(|b| letter(b) || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_those_of_kubernetes() {
        for (key, value) in [("a", ""), ("x.io/A_b.c-1", "v1.2_3-x"), ("a", &"x".repeat(63))] {
            assert_eq!(check_label(key, value), Ok(()), "{key}={value}");
        }
        for (key, value, part) in [
            ("", "x", Part::Name),
            ("X.io/a", "x", Part::Prefix),
            ("a/b/c", "x", Part::Name),
            ("/a", "x", Part::Prefix),
            ("-a", "x", Part::Name),
            ("a", "x y", Part::Value),
            ("a", "x-", Part::Value),
            ("a", &"x".repeat(64), Part::Value),
        ] {
            assert_eq!(check_label(key, value).unwrap_err().part, part, "{key}={value}");
        }
        assert!(check_annotation("a/b").is_ok());
    }
}
