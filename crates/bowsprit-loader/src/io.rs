//! The file system with Go's error texts.

use crate::listing::Place;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A failed operation on a path; `Display` is that of Go's `fs.PathError`.
#[derive(Debug)]
pub struct PathError {
    operation: &'static str,
    path: PathBuf,
    source: std::io::Error,
}

impl PathError {
    /// An operation, named as Go does, that the system refused.
    pub fn new(operation: &'static str, path: &Path, source: std::io::Error) -> PathError {
        PathError { operation, path: path.to_owned(), source }
    }

    /// The path that could not be used.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.operation, self.path.display(), reason(&self.source))
    }
}

impl std::error::Error for PathError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The system's words for an error, which Go writes in lower case and without the number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}

pub(crate) fn stat(path: &Path) -> Result<Metadata, PathError> {
    path.metadata().map_err(|error| PathError::new("stat", path, error))
}

pub(crate) fn lstat(path: &Path) -> Result<Metadata, PathError> {
    path.symlink_metadata().map_err(|error| PathError::new("lstat", path, error))
}

/// Reads a file up to a number of bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, PathError> {
    let file = File::open(path).map_err(|error| PathError::new("open", path, error))?;
    let size = file.metadata().map_or(0, |metadata| metadata.len()).min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
    let read = file.take(limit).read_to_end(&mut bytes);
    read.map_err(|error| PathError::new("read", path, error))?;
    Ok(bytes)
}

/// How much of a file is read in one go where its size isn't known.
const CHUNK: usize = 64 * 1024;

/// Reads an open file up to a number of bytes, through a buffer that is used again: for the many small files
/// of a chart the system is asked for what they hold and for nothing else.
pub(crate) fn read_through<'b>(
    (mut file, place): (File, Place<'_>),
    limit: u64,
    buffer: &'b mut Vec<u8>,
) -> Result<&'b [u8], PathError> {
    if buffer.len() < CHUNK {
        buffer.resize(CHUNK, 0);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut filled = 0;
    while filled < limit {
        if filled == buffer.len() {
            buffer.resize(filled.saturating_mul(2), 0);
        }
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let failed = |error| PathError::new("read", &place.path(), error);
        let asked = room.len();
        match file.read(room) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                if read < asked && is_at_end(&mut file, filled as u64).map_err(failed)? {
                    break;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(buffer.get(..filled.min(limit)).unwrap_or_default())
}

/// Whether a file that was read up to a place ends there. To ask for the end costs less than to read nothing at
/// it, for which the system looks for a page first. Contents that are made while they are read, such as those in
/// `/proc`, have no end or another one, and are to be read on.
fn is_at_end(file: &mut File, place: u64) -> std::io::Result<bool> {
    match file.seek(SeekFrom::End(0)) {
        Ok(end) if end == place => Ok(true),
        Ok(_) => file.seek(SeekFrom::Start(place)).map(|_| false),
        Err(_) => Ok(false),
    }
}

/// `filepath.Abs`: joined to the working directory and cleaned by text alone.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, PathError> {
    let absolute = if path.is_absolute() {
        path.to_owned()
    } else {
        let dir = std::env::current_dir();
        dir.map_err(|error| PathError::new("getwd", path, error))?.join(path)
    };
    Ok(clean(&absolute))
}

/// `filepath.Clean` of an absolute path.
fn clean(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// `filepath.Clean` of any path.
pub(crate) fn cleaned(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for component in path.components() {
        match (component, out.components().next_back()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                out.pop();
            }
            (Component::ParentDir, Some(Component::RootDir)) => {}
            (other, _) => out.push(other),
        }
    }
    if out.as_os_str().is_empty() { PathBuf::from(".") } else { out }
}

/// Why a link leads nowhere; `Display` is Go's.
#[derive(Debug)]
pub enum LinkError {
    /// Something on the way can't be read.
    Path(PathError),
    /// Something on the way is no directory.
    NotADirectory,
    /// The links lead in circles.
    TooMany,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Path(error) => error.fmt(f),
            LinkError::NotADirectory => f.write_str("not a directory"),
            LinkError::TooMany => f.write_str("EvalSymlinks: too many links"),
        }
    }
}

impl std::error::Error for LinkError {}

impl From<PathError> for LinkError {
    fn from(error: PathError) -> LinkError {
        LinkError::Path(error)
    }
}

const MAX_LINKS: usize = 255;

/// `filepath.EvalSymlinks` of an absolute path, one link at a time so that errors name the same place.
pub(crate) fn eval_symlinks(path: &Path) -> Result<PathBuf, LinkError> {
    use std::path::Component;
    let mut links = 0;
    let mut resolved = PathBuf::new();
    // The components still to be walked, the next one last.
    let mut pending: Vec<PathBuf> = components(path);
    while let Some(part) = pending.pop() {
        match part.components().next() {
            None | Some(Component::CurDir) => continue,
            Some(Component::ParentDir) => {
                resolved.pop();
                continue;
            }
            Some(Component::Normal(name)) => resolved.push(name),
            Some(root) => {
                resolved.push(root);
                continue;
            }
        }
        let metadata = lstat(&resolved)?;
        if !metadata.is_symlink() {
            if !metadata.is_dir() && !pending.is_empty() {
                return Err(LinkError::NotADirectory);
            }
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(LinkError::TooMany);
        }
        let target = std::fs::read_link(&resolved);
        let target = target.map_err(|error| PathError::new("readlink", &resolved, error))?;
        resolved.pop();
        pending.extend(components(&target));
    }
    Ok(resolved)
}

/// The components of a path, the first one last.
fn components(path: &Path) -> Vec<PathBuf> {
    path.components().rev().map(|component| PathBuf::from(component.as_os_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_gos() {
        let error = stat(Path::new("/no/such")).unwrap_err();
        assert_eq!(error.to_string(), "stat /no/such: no such file or directory");
        let error = read(Path::new("/"), 10).unwrap_err();
        assert_eq!(error.to_string(), "read /: is a directory");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_has_no_size_is_read_to_its_end() {
        let mut buffer = Vec::new();
        let mut read = |dir: &str, name: &str| {
            let (dir, name) = (Path::new(dir), std::ffi::OsStr::new(name));
            let file = File::open(dir.join(name)).unwrap();
            read_through((file, Place { dir, folder: None, name }), 1 << 20, &mut buffer)
                .unwrap()
                .to_vec()
        };
        // Some kilobytes, of which the system gives a page at a time, and no size.
        let maps = read("/proc/self", "smaps");
        assert!(maps.len() > 4096 && maps.ends_with(b"\n"), "{}", maps.len());
        // The size is said to be a page.
        let dir = "/sys/kernel/mm/transparent_hugepage";
        if Path::new(dir).exists() {
            assert!(read(dir, "enabled").ends_with(b"\n"));
        }
    }

    #[test]
    fn paths_are_cleaned_by_text() {
        assert_eq!(clean(Path::new("/a/./b/../c//d/")), Path::new("/a/c/d"));
        assert_eq!(clean(Path::new("/../a")), Path::new("/a"));
        for (path, want) in [
            ("a/./b/../c", "a/c"),
            ("a/..", "."),
            ("../a/../..", "../.."),
            ("/..", "/"),
            ("./x", "x"),
        ] {
            assert_eq!(cleaned(Path::new(path)), Path::new(want));
        }
    }
}
