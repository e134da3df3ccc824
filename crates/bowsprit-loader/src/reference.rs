//! What a chart is asked for by: a path, or something that is to be downloaded.

use crate::error::{Error, ErrorKind};
use crate::io;
use std::path::{Path, PathBuf};

/// Finds the file or directory that a reference stands for.
///
/// What exists on disk comes first. What does not, and looks like a path, is not found; the rest is
/// taken for a URL, an OCI reference or a chart of a repository, for which there is `Sources`, behind the
/// feature `network`.
///
/// # Errors
/// With Helm's words, where Helm fails without asking anybody.
pub fn locate(reference: &str) -> Result<PathBuf, Error> {
    let name = reference.trim();
    match local(name)? {
        Some(path) => Ok(path),
        None => remote(name).and_then(|_| Err(ErrorKind::Unsupported(name.to_owned()).into())),
    }
}

/// What is on disk; none for what has to be asked for.
pub(crate) fn local(name: &str) -> Result<Option<PathBuf>, Error> {
    let path = Path::new(name);
    if path.metadata().is_ok() {
        return Ok(Some(io::absolute(path)?));
    }
    if path.is_absolute() || name.starts_with('.') {
        return Err(ErrorKind::NotFound(name.to_owned()).into());
    }
    Ok(None)
}

/// Who has to be asked for a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// A registry.
    Oci,
    /// A server.
    Url,
    /// A repository that has been added.
    Repository { name: String, chart: String },
}

/// What a reference means that is no path.
pub(crate) fn remote(name: &str) -> Result<Reference, Error> {
    let Some(url) = Url::parse(name) else {
        return Err(ErrorKind::InvalidUrl(name.to_owned()).into());
    };
    let has_host = url.authority.is_some_and(|host| !host.is_empty());
    if url.scheme == "oci" && has_host {
        return Ok(Reference::Oci);
    }
    if !url.scheme.is_empty() && has_host && !url.path.is_empty() {
        return Ok(Reference::Url);
    }
    let path = String::from_utf8_lossy(&unescape(url.path)).into_owned();
    match path.split_once('/') {
        Some((name, chart)) => {
            Ok(Reference::Repository { name: name.to_owned(), chart: chart.to_owned() })
        }
        None => Err(ErrorKind::NoRepository(url.to_text()).into()),
    }
}

/// The scheme of a URL in lower case; empty where there is none.
#[cfg(feature = "network")]
pub(crate) fn scheme(url: &str) -> String {
    Url::parse(url).map_or(String::new(), |url| url.scheme)
}

/// Whether a URL is absolute.
#[cfg(feature = "network")]
pub(crate) fn has_scheme(url: &str) -> bool {
    !scheme(url).is_empty()
}

/// The parts of a URL that decide what it refers to, as Go's `net/url` finds them.
#[derive(Debug, PartialEq, Eq)]
struct Url<'u> {
    scheme: String,
    /// What follows a scheme without a slash.
    opaque: &'u str,
    authority: Option<&'u str>,
    path: &'u str,
    /// From `?` or `#` on.
    tail: &'u str,
}

impl<'u> Url<'u> {
    fn parse(text: &'u str) -> Option<Url<'u>> {
        if text.bytes().any(|b| b < b' ' || b == 0x7f) {
            return None;
        }
        let (scheme, rest) = split_scheme(text)?;
        let cut = rest.find(['?', '#']).unwrap_or(rest.len());
        let (rest, tail) = rest.split_at_checked(cut)?;
        let fragment = tail.find('#').and_then(|at| tail.get(at + 1..)).unwrap_or_default();
        let mut url = Url { scheme, opaque: "", authority: None, path: rest, tail };
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                (url.opaque, url.path) = (rest, "");
                return valid_escapes(fragment).then_some(url);
            }
            if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
                return None;
            }
        } else if let Some(after) = rest.strip_prefix("//")
            && (!url.scheme.is_empty() || !after.starts_with('/'))
        {
            let (authority, path) =
                after.split_at_checked(after.find('/').unwrap_or(after.len()))?;
            (url.authority, url.path) = (Some(authority), path);
        }
        let valid = valid_escapes(url.path) && valid_escapes(fragment);
        (valid && url.authority.is_none_or(valid_authority)).then_some(url)
    }

    fn to_text(&self) -> String {
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text.push_str(&self.scheme);
            text.push(':');
        }
        text.push_str(self.opaque);
        if let Some(authority) = self.authority.filter(|authority| !authority.is_empty()) {
            text.push_str("//");
            text.push_str(authority);
        }
        text.push_str(&escaped_path(self.path));
        text.push_str(self.tail.strip_suffix('#').unwrap_or(self.tail));
        text
    }
}

/// `None` where there is a colon but no scheme before it.
fn split_scheme(text: &str) -> Option<(String, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')));
    let Some((scheme, rest)) = end.and_then(|end| text.split_at_checked(end)) else {
        return Some((String::new(), text));
    };
    let Some(rest) = rest.strip_prefix(':') else { return Some((String::new(), text)) };
    match scheme.bytes().next() {
        None => None,
        Some(first) if first.is_ascii_alphabetic() => Some((scheme.to_ascii_lowercase(), rest)),
        Some(_) => Some((String::new(), text)),
    }
}

fn valid_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2).unwrap_or_default();
        digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit)
    })
}

fn valid_authority(authority: &str) -> bool {
    let host = authority.rsplit('@').next().unwrap_or_default();
    let port = match host.rsplit_once(']') {
        Some((_, port)) => port.strip_prefix(':').or(port.is_empty().then_some("")),
        None => Some(host.rsplit_once(':').map_or("", |(_, port)| port)),
    };
    let illegal =
        |c: char| matches!(c, ' ' | '"' | '<' | '>' | '%' | '\\' | '^' | '`' | '{' | '|' | '}');
    port.is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit())) && !host.contains(illegal)
}

pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let hex = |b: u8| char::from(b).to_digit(16).unwrap_or(0) as u8;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                out.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => {
                out.push(first);
                rest = after;
            }
        }
    }
    out
}

/// `EscapedPath`: as it is written, if that is a valid way to write it, else Go's own way.
fn escaped_path(path: &str) -> String {
    let plain = |b: u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'-' | b'_' | b'.' | b'~' | b'$' | b'&' | b'+' | b',' | b'/' | b':')
            || matches!(b, b';' | b'=' | b'@')
    };
    let valid =
        |b: u8| plain(b) || matches!(b, b'!' | b'\'' | b'(' | b')' | b'*' | b'[' | b']' | b'%');
    if path.bytes().all(valid) {
        return path.to_owned();
    }
    let mut out = String::new();
    for byte in unescape(path) {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_that_are_nowhere() {
        let no_repository = |got: &str| {
            format!("non-absolute URLs should be in form of repo_name/path_to_chart, got: {got}")
        };
        for (reference, got) in [
            ("nosuch", "nosuch"),
            (" nosuch\t", "nosuch"),
            ("", ""),
            ("a:b", "a:b"),
            ("A b", "A%20b"),
            ("C:\\x", "c:\\x"),
            ("a?b#c", "a?b#c"),
            ("https://x.invalid", "https://x.invalid"),
            ("é", "%C3%A9"),
            ("a%41", "a%41"),
            ("x://", "x:"),
            ("a#", "a"),
            ("a?", "a?"),
            ("a\"b*", "a%22b%2A"),
            ("http://u:p@h", "http://u:p@h"),
        ] {
            assert_eq!(locate(reference).unwrap_err().to_string(), no_repository(got));
        }
        for (reference, want) in [
            ("./nosuch", "path \"./nosuch\" not found"),
            ("/no/such", "path \"/no/such\" not found"),
            (".x", "path \".x\" not found"),
            ("%zz", "invalid chart URL format: %zz"),
            ("1:2/x", "invalid chart URL format: 1:2/x"),
            ("a#%zz", "invalid chart URL format: a#%zz"),
            ("http://h:x", "invalid chart URL format: http://h:x"),
            (":x", "invalid chart URL format: :x"),
            ("http://[::1]x/y", "invalid chart URL format: http://[::1]x/y"),
        ] {
            assert_eq!(locate(reference).unwrap_err().to_string(), want);
        }
        for reference in ["oci://x/y", "https://x/y.tgz", "repo/chart", "a%2Fb", "file:///x"] {
            let want = format!(
                "chart references by URL, repository or OCI registry are not supported yet: {reference}"
            );
            assert_eq!(locate(reference).unwrap_err().to_string(), want);
        }
    }
}
