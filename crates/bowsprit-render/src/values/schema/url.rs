//! As much of Go's `net/url` as schemas need: parsing, resolving references, printing.

use super::address;
use bowsprit_value::strconv;

/// What part of a URL is escaped; each has its own set of characters that stand for themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    PathSegment,
    Host,
    Zone,
    UserPassword,
    Fragment,
}

/// A parsed URL reference, without its fragment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) scheme: String,
    pub(super) opaque: String,
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    host: Vec<u8>,
    path: Vec<u8>,
    raw_path: String,
    raw_query: String,
    force_query: bool,
    omit_host: bool,
}

impl Url {
    /// Go's `url.Parse`.
    ///
    /// # Errors
    ///
    /// Gives the text of Go's error.
    pub(super) fn parse(raw: &str) -> Result<Url, String> {
        let (text, fragment) = raw.split_once('#').unwrap_or((raw, ""));
        let url = Url::parse_reference(text).map_err(|e| format!("parse {}: {e}", quote(text)))?;
        unescape(fragment, Part::Fragment).map_err(|e| format!("parse {}: {e}", quote(raw)))?;
        Ok(url)
    }

    fn parse_reference(raw: &str) -> Result<Url, String> {
        if raw.bytes().any(|b| b < b' ' || b == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut url = Url::default();
        if raw == "*" {
            url.path = b"*".to_vec();
            return Ok(url);
        }
        let (scheme, rest) = split_scheme(raw)?;
        url.scheme = scheme.to_ascii_lowercase();
        let mut rest = rest;
        if rest.ends_with('?') && rest.matches('?').count() == 1 {
            url.force_query = true;
            rest = rest.strip_suffix('?').unwrap_or(rest);
        } else if let Some((before, query)) = rest.split_once('?') {
            url.raw_query = query.to_owned();
            rest = before;
        }
        if !rest.starts_with('/') {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_owned();
                return Ok(url);
            }
            if rest.split('/').next().is_some_and(|first| first.contains(':')) {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        url.parse_hierarchy(rest)?;
        Ok(url)
    }

    fn parse_hierarchy(&mut self, rest: &str) -> Result<(), String> {
        let mut path = rest;
        if (!self.scheme.is_empty() || !rest.starts_with("///")) && rest.starts_with("//") {
            let after = rest.strip_prefix("//").unwrap_or_default();
            let end = after.find('/').unwrap_or(after.len());
            let (authority, tail) = after.split_at(end);
            path = tail;
            self.parse_authority(authority)?;
        } else if !self.scheme.is_empty() && rest.starts_with('/') {
            self.omit_host = true;
        }
        self.set_path(path)
    }

    fn parse_authority(&mut self, authority: &str) -> Result<(), String> {
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        self.host = parse_host(&self.scheme, host)?;
        let Some(user) = user else { return Ok(()) };
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b);
        if !user.bytes().all(allowed) {
            return Err("net/url: invalid userinfo".to_owned());
        }
        self.user = Some(match user.split_once(':') {
            None => (unescape(user, Part::UserPassword)?, None),
            Some((name, password)) => {
                let name = unescape(name, Part::UserPassword)?;
                (name, Some(unescape(password, Part::UserPassword)?))
            }
        });
        Ok(())
    }

    fn set_path(&mut self, path: &str) -> Result<(), String> {
        self.path = unescape(path, Part::Path)?;
        self.raw_path =
            if escape(&self.path, Part::Path) == path { String::new() } else { path.to_owned() };
        Ok(())
    }

    pub(super) fn is_absolute(&self) -> bool {
        !self.scheme.is_empty()
    }

    /// The path's encoding, where it is not the usual one; empty otherwise.
    pub(super) fn raw_path(&self) -> &str {
        &self.raw_path
    }

    fn escaped_path(&self) -> String {
        if !self.raw_path.is_empty()
            && valid_encoded(&self.raw_path)
            && unescape(&self.raw_path, Part::Path).is_ok_and(|p| p == self.path)
        {
            return self.raw_path.clone();
        }
        if self.path == b"*" {
            return "*".to_owned();
        }
        escape(&self.path, Part::Path)
    }

    /// The host without a port, and without the brackets of an IPv6 address.
    pub(super) fn hostname(&self) -> String {
        let host = String::from_utf8_lossy(&self.host);
        let colon = host.rfind(':').filter(|&i| {
            host.get(i + 1..).is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
        });
        let host = colon.and_then(|i| host.get(..i)).unwrap_or(&host);
        host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host).to_owned()
    }

    pub(super) fn host_has_brackets(&self) -> bool {
        self.host.contains(&b'[') && self.host.contains(&b']')
    }

    /// Go's `URL.ResolveReference`.
    pub(super) fn resolve(&self, reference: &Url) -> Url {
        let mut url = reference.clone();
        if reference.scheme.is_empty() {
            url.scheme.clone_from(&self.scheme);
        }
        if !reference.scheme.is_empty() || !reference.host.is_empty() || reference.user.is_some() {
            url.replace_path(&resolve_path(&reference.escaped_path(), ""));
            return url;
        }
        if !reference.opaque.is_empty() {
            url.clear_authority_and_path();
            return url;
        }
        if reference.path.is_empty() && !reference.force_query && reference.raw_query.is_empty() {
            url.raw_query.clone_from(&self.raw_query);
        }
        if reference.path.is_empty() && !self.opaque.is_empty() {
            url.opaque.clone_from(&self.opaque);
            url.clear_authority_and_path();
            return url;
        }
        url.host.clone_from(&self.host);
        url.user.clone_from(&self.user);
        url.omit_host = self.omit_host;
        url.replace_path(&resolve_path(&self.escaped_path(), &reference.escaped_path()));
        url
    }

    fn clear_authority_and_path(&mut self) {
        self.user = None;
        self.host.clear();
        self.path.clear();
    }

    /// The path comes out of an escaped one, so that this can't fail.
    fn replace_path(&mut self, path: &str) {
        let _ = self.set_path(path);
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out.push_str(&self.scheme);
            out.push(':');
        }
        if self.opaque.is_empty() {
            self.push_hierarchy(&mut out);
        } else {
            out.push_str(&self.opaque);
        }
        if self.force_query || !self.raw_query.is_empty() {
            out.push('?');
            out.push_str(&self.raw_query);
        }
        f.write_str(&out)
    }
}

impl Url {
    fn push_hierarchy(&self, out: &mut String) {
        let bare = self.host.is_empty() && self.user.is_none();
        if !bare || (!self.scheme.is_empty() && !self.omit_host) {
            if !bare || !self.path.is_empty() {
                out.push_str("//");
            }
            if let Some((name, password)) = &self.user {
                out.push_str(&escape(name, Part::UserPassword));
                if let Some(password) = password {
                    out.push(':');
                    out.push_str(&escape(password, Part::UserPassword));
                }
                out.push('@');
            }
            out.push_str(&escape(&self.host, Part::Host));
        }
        let path = self.escaped_path();
        if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
            out.push('/');
        }
        if out.is_empty() && path.split('/').next().is_some_and(|first| first.contains(':')) {
            out.push_str("./");
        }
        out.push_str(&path);
    }
}

fn quote(text: &str) -> String {
    String::from_utf8_lossy(&strconv::quote(text.as_bytes())).into_owned()
}

fn split_scheme(raw: &str) -> Result<(&str, &str), String> {
    for (i, c) in raw.bytes().enumerate() {
        match c {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if i > 0 => {}
            b':' if i == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok(raw.split_once(':').unwrap_or(("", raw))),
            _ => break,
        }
    }
    Ok(("", raw))
}

fn parse_host(scheme: &str, host: &str) -> Result<Vec<u8>, String> {
    match host.rfind('[') {
        Some(0) => return parse_ip_literal(host),
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    if let (Some(first), Some(last)) = (host.find(':'), host.rfind(':')) {
        let strict = scheme == "http" || scheme == "https";
        check_port(host.get(if strict { first } else { last }..).unwrap_or_default())?;
    }
    unescape(host, Part::Host)
}

fn parse_ip_literal(host: &str) -> Result<Vec<u8>, String> {
    let Some(close) = host.rfind(']') else { return Err("missing ']' in host".to_owned()) };
    let port = host.get(close + 1..).unwrap_or_default();
    check_port(port)?;
    let name = host.get(1..close).unwrap_or_default();
    let name = match name.find("%25") {
        Some(zone) => {
            let (address, zone) = name.split_at(zone);
            let mut name = unescape(address, Part::Host)?;
            name.extend(unescape(zone, Part::Zone)?);
            name
        }
        None => unescape(name, Part::Host)?,
    };
    let address = address::parse(&name).map_err(|e| format!("invalid host: {e}"))?;
    if address.is_v4 {
        return Err("invalid IP-literal".to_owned());
    }
    Ok([b"[", name.as_slice(), b"]", port.as_bytes()].concat())
}

fn check_port(port: &str) -> Result<(), String> {
    let digits = match port.as_bytes().split_first() {
        None => return Ok(()),
        Some((b':', digits)) => digits,
        Some(_) => return Err(format!("invalid port {} after host", quote(port))),
    };
    if digits.iter().all(u8::is_ascii_digit) {
        return Ok(());
    }
    Err(format!("invalid port {} after host", quote(port)))
}

/// Whether a byte can't stand for itself in a part.
fn should_escape(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    let plain: &[u8] = match part {
        Part::Host | Part::Zone => b"!$&'()*+,;=:[]<>\"",
        Part::Path => b"$&+,/:;=@",
        Part::PathSegment => b"$&+:=@",
        Part::UserPassword => b"$&+,;=",
        Part::Fragment => b"$&+,/:;=?@!()*",
    };
    !plain.contains(&byte)
}

fn valid_encoded(text: &str) -> bool {
    text.bytes().all(|b| b"!$&'()*+,;=:@[]%".contains(&b) || !should_escape(b, Part::Path))
}

/// Go's `unescape`: the bytes behind `%XX`.
///
/// # Errors
///
/// Gives the text of Go's error.
pub(super) fn unescape(text: &str, part: Part) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%' {
            let code = rest.get(..3);
            let value = code.and_then(|c| Some(hex(c.get(1)?)? << 4 | hex(c.get(2)?)?));
            let Some(value) = value else {
                return Err(bad_escape(rest.get(..rest.len().min(3)).unwrap_or_default()));
            };
            let code = code.unwrap_or_default();
            let denied = match part {
                Part::Host => value < 0x80 && code != b"%25",
                Part::Zone => code != b"%25" && value != b' ' && should_escape(value, Part::Host),
                _ => false,
            };
            if denied {
                return Err(bad_escape(code));
            }
            out.push(value);
            rest = rest.get(3..).unwrap_or_default();
            continue;
        }
        let in_host = matches!(part, Part::Host | Part::Zone);
        if in_host && byte < 0x80 && should_escape(byte, part) {
            let shown = quote(&char::from(byte).to_string());
            return Err(format!("invalid character {shown} in host name"));
        }
        out.push(byte);
        rest = tail;
    }
    Ok(out)
}

fn hex(byte: &u8) -> Option<u8> {
    char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

fn bad_escape(code: &[u8]) -> String {
    let quoted = strconv::quote(code);
    format!("invalid URL escape {}", String::from_utf8_lossy(&quoted))
}

pub(super) fn escape(bytes: &[u8], part: Part) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        if should_escape(byte, part) {
            out.push_str(&format!("%{byte:02X}"));
        } else {
            out.push(char::from(byte));
        }
    }
    out
}

/// Go's `resolvePath`: joins, and takes out the dots.
fn resolve_path(base: &str, reference: &str) -> String {
    let full = if reference.is_empty() {
        base.to_owned()
    } else if reference.starts_with('/') {
        reference.to_owned()
    } else {
        let dir = base.rfind('/').and_then(|i| base.get(..=i)).unwrap_or_default();
        format!("{dir}{reference}")
    };
    if full.is_empty() {
        return full;
    }
    let mut out = String::from("/");
    let mut first = true;
    let mut last = "";
    for element in full.split('/') {
        last = element;
        match element {
            "." => first = false,
            ".." => {
                let end = out.get(1..).and_then(|o| o.rfind('/')).map_or(1, |i| i + 1);
                out.truncate(end);
                first = out.len() == 1;
            }
            _ => {
                if !first {
                    out.push('/');
                }
                out.push_str(element);
                first = false;
            }
        }
    }
    if last == "." || last == ".." {
        out.push('/');
    }
    if out.starts_with("//") { out.split_off(1) } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(base: &str, reference: &str) -> String {
        Url::parse(base).unwrap().resolve(&Url::parse(reference).unwrap()).to_string()
    }

    #[test]
    fn references_resolve_as_in_go() {
        assert_eq!(join("file:///values.schema.json", "foo.json"), "file:///foo.json");
        assert_eq!(join("file:///values.schema.json", ""), "file:///values.schema.json");
        assert_eq!(join("http://a/b/c/d?q", "../g"), "http://a/b/g");
        assert_eq!(join("http://a/b/c/d?q", "?y"), "http://a/b/c/d?y");
        assert_eq!(join("http://a/b", "urn:x:y"), "urn:x:y");
        assert_eq!(join("http://a/b", "//h/./x"), "http://h/x");
    }

    #[test]
    fn mistakes_have_go_s_words() {
        let error = |raw| Url::parse(raw).unwrap_err();
        assert_eq!(error("http://a/%zz"), "parse \"http://a/%zz\": invalid URL escape \"%zz\"");
        assert_eq!(error(":x"), "parse \":x\": missing protocol scheme");
        assert_eq!(error("http://[::1"), "parse \"http://[::1\": missing ']' in host");
    }
}
