//! Archives unpacked to disk.

use crate::io::{self, PathError};
use bowsprit_chart::{ArchiveError, Limits, load_archive_files};
use bowsprit_value::Str;
use bowsprit_yaml::Document;
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// Why an archive could not be unpacked. `Display` is Helm's text, where Helm fails.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExpandError {
    /// The archive is broken, or holds what no chart may.
    Archive(ArchiveError),
    /// `Chart.yaml` is missing, or no metadata.
    Chart(String),
    /// What it is to become is there already.
    Exists(PathBuf),
    /// The disk refuses.
    Io(PathError),
}

impl fmt::Display for ExpandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(error) => error.fmt(f),
            Self::Chart(text) => f.write_str(text),
            Self::Exists(path) => write!(
                f,
                "failed to untar: a file or directory with the name {} already exists",
                path.display()
            ),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ExpandError {}

impl From<PathError> for ExpandError {
    fn from(error: PathError) -> ExpandError {
        ExpandError::Io(error)
    }
}

/// Unpacks an archive into a folder named after its chart, below `dir`, and returns that folder. It
/// appears when everything is in it.
///
/// # Errors
///
/// For archives that Helm refuses, and where the folder is there already.
pub fn expand(archive: &Path, dir: &Path) -> Result<PathBuf, ExpandError> {
    let limits = Limits::default().archive;
    let bytes = io::read(archive, limits.inflated)?;
    let files = load_archive_files(&bytes, &limits).map_err(ExpandError::Archive)?;
    let chart_file = files.iter().find(|file| file.name.as_bytes() == b"Chart.yaml");
    let missing = || ExpandError::Chart("chart name not specified".to_owned());
    let text = chart_file.ok_or_else(missing)?;
    let document = Document::parse(text.data.as_bytes())
        .map_err(|error| ExpandError::Chart(format!("cannot load Chart.yaml: {error}")))?;
    let name = document.root().get(b"name").and_then(|node| node.as_string_target());
    let name = String::from_utf8_lossy(&name.unwrap_or_default()).into_owned();
    match name.as_str() {
        "" => return Err(missing()),
        "." | ".." => {
            return Err(ExpandError::Chart(format!("chart name {name:?} is not allowed")));
        }
        _ if !is_one_name(&name) => {
            let text = format!("chart name {name:?} must not contain path separators");
            return Err(ExpandError::Chart(text));
        }
        _ => {}
    }
    let target = dir.join(&name);
    if target.symlink_metadata().is_ok() {
        return Err(ExpandError::Exists(target));
    }
    std::fs::create_dir_all(dir).map_err(|error| PathError::new("mkdir", dir, error))?;
    let part = Part::new(dir)?;
    for file in &files {
        part.write(&file.name, file.data.as_bytes())?;
    }
    let renamed = std::fs::rename(&part.0, &target);
    renamed.map_err(|error| PathError::new("rename", &target, error))?;
    Ok(target)
}

fn is_one_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(_)), None))
}

/// A folder that is gone unless it gets another name.
struct Part(PathBuf);

impl Part {
    fn new(dir: &Path) -> Result<Part, PathError> {
        let mut number = 0;
        loop {
            let path = dir.join(format!(".bowsprit-{}-{number}.part", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Part(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(PathError::new("mkdir", &path, error)),
            }
        }
    }

    /// Names with `..`, and absolute ones, were refused when the archive was read.
    fn write(&self, name: &Str, content: &[u8]) -> Result<(), PathError> {
        let path = self.0.join(&*name.to_string_lossy());
        let dir = path.parent().unwrap_or(&self.0);
        std::fs::create_dir_all(dir).map_err(|error| PathError::new("mkdir", dir, error))?;
        std::fs::write(&path, content).map_err(|error| PathError::new("open", &path, error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Gone already, if all went well.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_single() {
        for (name, want) in
            [("web", true), ("a/b", false), ("/", false), ("a b", true), ("", false)]
        {
            assert_eq!(is_one_name(name), want, "{name}");
        }
    }
}
