//! Files that are left unread until somebody looks at them.

use crate::listing::Place;
use bowsprit_chart::{Bytes, ReadFailure};
use std::fs::File;

/// So many are left open; the system has a limit.
pub(crate) const MOST: usize = 128;

/// Smaller ones are read at once: to ask for their size costs about as much.
#[cfg(unix)]
const LARGE: u64 = 16 * 1024;

/// Whether a file is nothing to a chart but one of its `.Files`.
pub(crate) fn is_only_shown(name: &[u8]) -> bool {
    let mut parts = name.rsplit(|b| *b == b'/');
    let base = parts.next().unwrap_or_default();
    base.ends_with(b".md") && !parts.any(|part| matches!(part, b"templates" | b"crds"))
}

/// The content of a large file, to be read later.
#[cfg(unix)]
pub(crate) fn content(file: File, place: Place<'_>, failure: &ReadFailure) -> Result<Bytes, File> {
    use crate::io::PathError;
    use std::os::unix::fs::FileExt;

    let Some(len) = file.metadata().ok().map(|metadata| metadata.len()).filter(|len| *len >= LARGE)
    else {
        return Err(file);
    };
    let (mut mark, Ok(len)) = ([0; 3], usize::try_from(len)) else { return Err(file) };
    // What begins with a byte order mark is shorter than the file.
    if file.read_exact_at(&mut mark, 0).is_err() || mark == *b"\xef\xbb\xbf" {
        return Err(file);
    }
    let path = place.path();
    let fetch = move || {
        let mut content = vec![0; len];
        match file.read_exact_at(&mut content, 0) {
            Ok(()) => Ok(content),
            Err(error) => Err(PathError::new("read", &path, error).to_string()),
        }
    };
    Ok(Bytes::unread(len, fetch, failure))
}

#[cfg(not(unix))]
pub(crate) fn content(file: File, _: Place<'_>, _: &ReadFailure) -> Result<Bytes, File> {
    Err(file)
}

#[cfg(test)]
mod tests {
    use super::is_only_shown;

    #[test]
    fn only_documents_are_left_unread() {
        assert!(is_only_shown(b"README.md") && is_only_shown(b"charts/db/docs/a.md"));
        for name in ["templates/a.md", "charts/db/templates/x/a.md", "crds/a.md", "a.txt", "md"] {
            assert!(!is_only_shown(name.as_bytes()), "{name}");
        }
    }
}
