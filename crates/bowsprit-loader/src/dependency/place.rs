//! What is in `charts/`.

use super::list::load_any;
use super::local::is_local;
use crate::io::PathError;
use bowsprit_chart::Dependency;
use bowsprit_semver::Version;
use std::path::{Path, PathBuf};

/// Whether the archive that a lock names is in `charts/`: the file's name, if so.
pub(super) fn there(dir: &Path, locked: &Dependency) -> Option<String> {
    // Names and versions come from a file that nobody has checked.
    let safe = |text: &str| !text.contains(['/', '\\', '\0']);
    let name = format!("{}-{}.tgz", locked.name, locked.version);
    let path = dir.join("charts").join(&name);
    if !safe(&name) || !path.is_file() {
        return None;
    }
    let found = load_any(&path).ok()?.output.metadata;
    (found.name == locked.name && versions_equal(&locked.version, &found.version)).then_some(name)
}

/// Whether nothing has to be fetched for a lock.
pub(super) fn all_there(dir: &Path, locked: &[Dependency]) -> bool {
    let elsewhere =
        |needed: &&Dependency| !needed.repository.is_empty() && !is_local(&needed.repository);
    locked.iter().filter(elsewhere).all(|needed| there(dir, needed).is_some())
}

/// `versionEquals`.
pub(super) fn versions_equal(a: &str, b: &str) -> bool {
    match (Version::parse(a), Version::parse(b)) {
        (Ok(a), Ok(b)) => a.equal(&b),
        (Err(_), _) => a == b,
        _ => false,
    }
}

/// The files in a folder, before it changes.
pub(super) fn files_before(charts: &Path) -> Result<Vec<PathBuf>, PathError> {
    let failed = |error| PathError::new("open", charts, error);
    let mut files = Vec::new();
    for entry in charts.read_dir().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files.push(charts.join(entry.file_name()));
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file has this content and is no link.
pub(super) fn is_same(path: &Path, content: &[u8]) -> bool {
    let found = path.symlink_metadata();
    found.is_ok_and(|found| found.is_file() && found.len() == content.len() as u64)
        && std::fs::read(path).is_ok_and(|bytes| bytes == content)
}
