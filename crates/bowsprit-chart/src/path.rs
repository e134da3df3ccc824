//! Go's `path` on byte strings: names inside a chart use `/` on every system.
//!
//! ```
//! use bowsprit_chart::path;
//!
//! assert_eq!(path::clean(b"a/./b/../c"), b"a/c");
//! assert_eq!(path::base(b"a/c.yaml"), b"c.yaml");
//! assert_eq!(path::ext(b"a/c.yaml"), b".yaml");
//! ```

/// `path.Clean`: the shortest name of the same place, found by text alone.
pub fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut out: Vec<u8> = Vec::with_capacity(path.len().max(1));
    if rooted {
        out.push(b'/');
    }
    // Nothing before this index can be removed by a "..".
    let mut floor = out.len();
    for element in path.split(|&b| b == b'/') {
        match element {
            b"" | b"." => {}
            b".." if out.len() > floor => {
                let cut = out.iter().rposition(|&b| b == b'/').unwrap_or(0);
                out.truncate(cut.max(floor));
            }
            b".." if rooted => {}
            b".." => {
                push_element(&mut out, b"..", rooted);
                floor = out.len();
            }
            _ => push_element(&mut out, element, rooted),
        }
    }
    if out.is_empty() {
        out.push(b'.');
    }
    out
}

fn push_element(out: &mut Vec<u8>, element: &[u8], rooted: bool) {
    if out.len() > usize::from(rooted) {
        out.push(b'/');
    }
    out.extend_from_slice(element);
}

/// `path.Base`: the last element; `.` for the empty path and `/` for slashes alone.
pub fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let end = path.iter().rposition(|&b| b != b'/').map_or(0, |i| i + 1);
    let trimmed = path.get(..end).unwrap_or_default();
    let start = trimmed.iter().rposition(|&b| b == b'/').map_or(0, |i| i + 1);
    match trimmed.get(start..) {
        Some(name) if !name.is_empty() => name,
        _ => b"/",
    }
}

/// `path.Ext`: from the last dot of the last element on, the dot included; else empty.
pub fn ext(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&b| b == b'.' || b == b'/') {
        Some(i) if path.get(i) == Some(&b'.') => path.get(i..).unwrap_or_default(),
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap_or("?")
    }

    #[test]
    fn clean_is_gos() {
        for (path, want) in [
            ("", "."),
            (".", "."),
            ("a", "a"),
            ("a/", "a"),
            ("a//b", "a/b"),
            ("a/./b", "a/b"),
            ("a/b/..", "a"),
            ("a/../z", "z"),
            ("a/..", "."),
            ("a/../..", ".."),
            ("../a", "../a"),
            ("../../a/..", "../.."),
            ("..x", "..x"),
            ("/..", "/"),
            ("/../a", "/a"),
            ("/a/../..", "/"),
            ("//", "/"),
            ("/a/b/../../c", "/c"),
            ("abc/./../def", "def"),
        ] {
            assert_eq!(text(&clean(path.as_bytes())), want, "{path}");
        }
    }

    #[test]
    fn base_and_ext_are_gos() {
        for (path, want_base, want_ext) in [
            ("", ".", ""),
            ("/", "/", ""),
            ("a/", "a", ""),
            ("a/b", "b", ""),
            ("a.b/c", "c", ""),
            ("a/b.tar.gz", "b.tar.gz", ".gz"),
            (".x", ".x", ".x"),
            ("a.", "a.", "."),
        ] {
            assert_eq!(text(base(path.as_bytes())), want_base, "{path}");
            assert_eq!(text(ext(path.as_bytes())), want_ext, "{path}");
        }
    }
}
