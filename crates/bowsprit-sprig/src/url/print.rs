//! Go's `URL.String`.

use super::escape::{Part, escape, escaped};
use super::{Url, User};
use memchr::memchr;

pub(super) fn user(user: &User) -> Vec<u8> {
    let mut out = escaped(&user.name, Part::User);
    if let Some(password) = &user.password {
        out.push(b':');
        escape(password, Part::User, &mut out);
    }
    out
}

pub(super) fn url(url: &Url) -> Vec<u8> {
    let mut out = Vec::new();
    if !url.scheme.is_empty() {
        out.extend_from_slice(&url.scheme);
        out.push(b':');
    }
    if url.opaque.is_empty() {
        push_authority(url, &mut out);
        push_path(url, &mut out);
    } else {
        out.extend_from_slice(&url.opaque);
    }
    if !url.query.is_empty() {
        out.push(b'?');
        out.extend_from_slice(&url.query);
    }
    if !url.fragment.is_empty() {
        out.push(b'#');
        escape(&url.fragment, Part::Fragment, &mut out);
    }
    out
}

fn push_authority(url: &Url, out: &mut Vec<u8>) {
    let named = !url.host.is_empty() || url.user.is_some();
    if named || !url.scheme.is_empty() && !url.path.is_empty() {
        out.extend_from_slice(b"//");
    }
    if let Some(info) = &url.user {
        out.extend_from_slice(&user(info));
        out.push(b'@');
    }
    escape(&url.host, Part::Host, out);
}

fn push_path(url: &Url, out: &mut Vec<u8>) {
    let path = match url.path.as_slice() {
        b"*" => b"*".to_vec(),
        path => escaped(path, Part::Path),
    };
    if !path.is_empty() && !path.starts_with(b"/") && !url.host.is_empty() {
        out.push(b'/');
    }
    // What stands before a colon in the first segment would be read as a scheme.
    let segment = path.get(..memchr(b'/', &path).unwrap_or(path.len())).unwrap_or_default();
    if out.is_empty() && segment.contains(&b':') {
        out.extend_from_slice(b"./");
    }
    out.extend_from_slice(&path);
}
