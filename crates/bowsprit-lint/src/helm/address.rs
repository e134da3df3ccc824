//! E-mail addresses and URLs as Helm's validator library takes them.

use bowsprit_value::{Args, FuncImpl, Meter, Value};

/// Whether a text is a URL that could be requested: it can be parsed and has a scheme.
///
/// ```
/// use bowsprit_lint::is_request_url;
///
/// assert!(is_request_url("https://example.com/icon.png"));
/// assert!(!is_request_url("example.com/icon.png"));
/// ```
pub fn is_request_url(text: &str) -> bool {
    if is_plain(text) {
        return true;
    }
    // A fragment is not told apart here, so that what follows `#` is part of the path.
    let scheme = parsed(&text.replace('#', "/"), "scheme");
    scheme.is_some_and(|scheme| !scheme.is_empty())
}

/// What nearly all URLs look like: `https://`, names with dots, and a path without surprises.
fn is_plain(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        label.split('-').all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    let long = |label: Option<&&str>| label.is_some_and(|label| label.len() > 1);
    labels.len() > 1
        && labels.iter().all(is_label)
        && long(labels.first())
        && long(labels.last())
        && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b))
        && text.len() < 2083
}

/// A part of what sprig's `urlParse` makes of a text; none where Go can't parse it.
fn parsed(text: &str, part: &str) -> Option<Vec<u8>> {
    let result = call("urlParse", &mut [Value::from(text)])?;
    let value = result.as_map()?.get(part.as_bytes())?;
    value.as_str().map(|text| text.as_bytes().to_vec())
}

fn call(name: &str, args: &mut [Value]) -> Option<Value> {
    let func = bowsprit_sprig::functions().find(|func| func.name == name)?;
    let FuncImpl::Pure(body) = func.body else { return None };
    let meter = Meter::default();
    body(&mut Args::new(args, &meter)).ok()
}

/// A URL of a maintainer, which needs no scheme.
pub(super) fn is_url(text: &str) -> bool {
    if is_plain(text) {
        return true;
    }
    if text.chars().count() >= 2083 || text.len() <= 3 || text.starts_with('.') {
        return false;
    }
    let with_scheme = if text.contains(':') && !text.contains("://") {
        format!("http://{text}")
    } else {
        text.to_owned()
    };
    let Some(host) = parsed(&with_scheme, "host") else { return false };
    let path = parsed(&with_scheme, "path").unwrap_or_default();
    if host.starts_with(b".") || (host.is_empty() && !path.is_empty() && !path.contains(&b'.')) {
        return false;
    }
    let pattern = url_pattern();
    let matched = call("regexMatch", &mut [Value::from(pattern.as_str()), Value::from(text)]);
    matches!(matched, Some(Value::Bool(true)))
}

/// The language of the validator's pattern: scheme, user, host, port, path. A host is an address, or a
/// word that may follow names with dots, before a last part of letters.
fn url_pattern() -> String {
    let byte = r"(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])";
    let first = r"([1-9]\d?|1\d\d|2[01]\d|22[0-3]|24\d|25[0-5])";
    let v4 = format!(r"{first}(\.{byte}){{3}}");
    let v6 = r"\[[0-9a-fA-F:.]+(%[0-9a-zA-Z]+)?\]";
    let names = r"[a-zA-Z0-9][a-zA-Z0-9_-]*[a-zA-Z0-9]([-.][a-zA-Z0-9]+)*";
    let subdomain = r"(www\.|[a-zA-Z0-9]+([-_.]?[a-zA-Z0-9])*[a-zA-Z0-9]\.[a-zA-Z0-9]+)";
    let letter = r"a-zA-Z\x{00a1}-\x{ffff}";
    let word = format!(r"([{letter}0-9]+-?-?)*[{letter}0-9]+");
    let host = format!(r"({v4}|{v6}|({names}|{subdomain})?{word}(\.[{letter}]+)?)");
    format!(r"^((ftp|tcp|udp|wss?|https?)://)?(\S+@)?{host}\.?(:\d{{1,5}})?([/?#]\S*)?$")
}

/// Whether a text is an e-mail address: a dotted or quoted part, `@`, and a domain of two parts or more.
pub(super) fn is_email(text: &str) -> bool {
    // A quoted part may hold the sign too, the domain can't.
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    is_local(local) && is_domain(domain)
}

fn is_beyond_ascii(c: char) -> bool {
    matches!(c, '\u{a0}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{ffef}')
}

fn is_local(local: &str) -> bool {
    let is_atom = |c: char| {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_beyond_ascii(c)
    };
    if local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom)) {
        return true;
    }
    let inner = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let is_quoted = |c: char| {
        matches!(c, '\u{1}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}' | ' '
            | '\t' | '!' | '#'..='[' | ']'..='~')
            || is_beyond_ascii(c)
    };
    inner.is_some_and(|inner| inner.chars().all(is_quoted))
}

fn is_domain(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let Some((before, last)) = domain.rsplit_once('.') else { return false };
    let is_edge = |c: char| c.is_ascii_alphanumeric() || is_beyond_ascii(c);
    let is_inner = |c: char| is_edge(c) || matches!(c, '-' | '.' | '_' | '~');
    let framed = |label: &str, edge: &dyn Fn(char) -> bool, inner: &dyn Fn(char) -> bool| {
        let (first, end) = (label.chars().next(), label.chars().next_back());
        first.is_some_and(edge) && end.is_some_and(edge) && label.chars().all(inner)
    };
    let is_letter = |c: char| c.is_ascii_alphabetic() || is_beyond_ascii(c);
    framed(before, &is_edge, &is_inner) && framed(last, &is_letter, &|c| c != '.' && is_inner(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["a@b.co", "a.b+c@d-e.example.org", "\"a b\"@c.de", "x@1.x", "é@b.co."] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["bad", "a@b", "@b.co", "a@b.c1", "a b@c.de", "a..b@c.de", "a@-b.co", "a@b.co-"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn urls() {
        for good in [
            "https://github.com/a/b",
            "example.com",
            "foo.bar.example.com:8080/x?y",
            "http://10.0.0.1/",
            "http://user@host.org",
            "ftp://ab",
        ] {
            assert!(is_url(good), "{good}");
        }
        for bad in ["bad", "", ".com", "http://", "https://exa mple.com", "git@x:y"] {
            assert!(!is_url(bad), "{bad}");
        }
        for good in ["https://a/b", "a:b", "file:///x", "https://e.x/#a b"] {
            assert!(is_request_url(good), "{good}");
        }
        for bad in ["foo", "", "/x", "://x", "http://[::1", "a b"] {
            assert!(!is_request_url(bad), "{bad}");
        }
    }
}
