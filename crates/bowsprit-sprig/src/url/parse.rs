//! Go's `url.Parse`.

use super::address::{self, Address};
use super::escape::{Part, quoted, unescape};
use super::{Url, User};
use bowsprit_value::unicode::runes;
use memchr::{memchr, memmem, memrchr};

/// An error's text, which may quote bytes that are no UTF-8.
type Text = Vec<u8>;

fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match memchr(at, text) {
        Some(i) => {
            let (head, tail) = text.split_at(i);
            (head, tail.get(1..))
        }
        None => (text, None),
    }
}

pub(super) fn parse(text: &[u8]) -> Result<Url, Text> {
    let (before, fragment) = cut(text, b'#');
    let mut url = parse_before_fragment(before).map_err(|error| wrapped(before, error))?;
    if let Some(fragment) = fragment {
        url.fragment = unescape(fragment, Part::Fragment).map_err(|error| wrapped(text, error))?;
    }
    Ok(url)
}

#[cold]
fn wrapped(text: &[u8], error: Text) -> Text {
    let mut out = quoted("parse ", text, ": ");
    out.extend_from_slice(&error);
    out
}

fn parse_before_fragment(text: &[u8]) -> Result<Url, Text> {
    if text.iter().any(u8::is_ascii_control) {
        return Err("net/url: invalid control character in URL".into());
    }
    let mut url = Url::default();
    if text == b"*" {
        url.path = text.to_vec();
        return Ok(url);
    }
    let (scheme, rest) = split_scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (rest, query) = cut(rest, b'?');
    url.query = query.unwrap_or_default().to_vec();
    if !rest.starts_with(b"/") {
        if !scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Ok(url);
        }
        if cut(rest, b'/').0.contains(&b':') {
            return Err("first path segment in URL cannot contain colon".into());
        }
    }
    let mut path = rest;
    if (!scheme.is_empty() || !rest.starts_with(b"///")) && rest.starts_with(b"//") {
        let after = rest.get(2..).unwrap_or_default();
        let end = memchr(b'/', after).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        (url.user, url.host) = parse_authority(&url.scheme, authority)?;
        path = tail;
    }
    url.path = unescape(path, Part::Path)?;
    Ok(url)
}

/// The scheme, empty where there is none, and what follows its colon.
fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), Text> {
    for (i, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if i > 0 => {}
            b':' if i == 0 => return Err("missing protocol scheme".into()),
            b':' => {
                return Ok((
                    text.get(..i).unwrap_or_default(),
                    text.get(i + 1..).unwrap_or_default(),
                ));
            }
            _ => break,
        }
    }
    Ok((&[], text))
}

fn parse_authority(scheme: &[u8], authority: &[u8]) -> Result<(Option<User>, Vec<u8>), Text> {
    let Some(at) = memrchr(b'@', authority) else {
        return Ok((None, parse_host(scheme, authority)?));
    };
    let (user, host) = authority.split_at(at);
    let host = parse_host(scheme, host.get(1..).unwrap_or_default())?;
    if !runes(user).all(|(c, _)| in_user_info(c)) {
        return Err("net/url: invalid userinfo".into());
    }
    let (name, password) = cut(user, b':');
    let name = unescape(name, Part::User)?;
    let password = password.map(|password| unescape(password, Part::User)).transpose()?;
    Ok((Some(User { name, password }), host))
}

fn in_user_info(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c)
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, Text> {
    match memrchr(b'[', host) {
        Some(0) => return parse_literal(host),
        Some(_) => return Err("invalid IP-literal".into()),
        None => {}
    }
    if let Some(first) = memchr(b':', host) {
        // Only these schemes are strict about a second colon.
        let strict = matches!(scheme, b"http" | b"https");
        let colon = if strict { first } else { memrchr(b':', host).unwrap_or(first) };
        let port = host.get(colon..).unwrap_or_default();
        if !valid_optional_port(port) {
            return Err(quoted("invalid port ", port, " after host"));
        }
    }
    unescape(host, Part::Host)
}

/// A host in brackets: an IPv6 address, maybe with a zone.
fn parse_literal(host: &[u8]) -> Result<Vec<u8>, Text> {
    let Some(close) = memrchr(b']', host) else { return Err("missing ']' in host".into()) };
    let port = host.get(close + 1..).unwrap_or_default();
    if !valid_optional_port(port) {
        return Err(quoted("invalid port ", port, " after host"));
    }
    let port = unescape(port, Part::Host)?;
    let name = host.get(1..close).unwrap_or_default();
    let name = match memmem::find(name, b"%25") {
        Some(zone) => {
            let (address, zone) = name.split_at(zone);
            let mut name = unescape(address, Part::Host)?;
            name.extend_from_slice(&unescape(zone, Part::Zone)?);
            name
        }
        None => unescape(name, Part::Host)?,
    };
    match address::parse(&name) {
        Ok(Address::V6) => Ok([b"[", name.as_slice(), b"]", &port].concat()),
        Ok(Address::V4) => Err("invalid IP-literal".into()),
        Err(error) => Err([b"invalid host: ", error.as_slice()].concat()),
    }
}

fn valid_optional_port(port: &[u8]) -> bool {
    match port.split_first() {
        None => true,
        Some((b':', digits)) => digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    }
}

/// Go's `URL.Hostname`: the host without port and brackets.
pub(super) fn host_name(host: &[u8]) -> &[u8] {
    let mut name = host;
    if let Some(colon) = memrchr(b':', host) {
        let (head, port) = host.split_at(colon);
        if valid_optional_port(port) {
            name = head;
        }
    }
    name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        String::from_utf8(parse(text.as_bytes()).unwrap_err()).unwrap()
    }

    #[test]
    fn parts_are_found() {
        let url = parse(b"HTTP://us%40er:p@ex.com:80/a%20b?q=1#f%21").unwrap();
        assert_eq!((url.scheme, url.host), (b"http".to_vec(), b"ex.com:80".to_vec()));
        assert_eq!((url.path, url.query), (b"/a b".to_vec(), b"q=1".to_vec()));
        assert_eq!(url.fragment, b"f!");
        assert_eq!(
            url.user.map(|u| (u.name, u.password)),
            Some((b"us@er".to_vec(), Some(b"p".to_vec())))
        );
        assert_eq!(parse(b"mailto:a@b").unwrap().opaque, b"a@b");
        assert_eq!(host_name(b"[::1]:80"), b"::1");
    }

    #[test]
    fn errors_are_go_s() {
        assert_eq!(error("http://[bad"), "parse \"http://[bad\": missing ']' in host");
        assert_eq!(error("a:b:c/%zz#%"), "parse \"a:b:c/%zz#%\": invalid URL escape \"%\"");
        assert_eq!(error(":x"), "parse \":x\": missing protocol scheme");
        assert_eq!(error("http://a:b"), "parse \"http://a:b\": invalid port \":b\" after host");
        assert_eq!(
            error("http://a b"),
            "parse \"http://a b\": invalid character \" \" in host name"
        );
        assert_eq!(
            error("http://[1.2]/"),
            "parse \"http://[1.2]/\": invalid host: ParseAddr(\"1.2\"): IPv4 address too short"
        );
    }
}
