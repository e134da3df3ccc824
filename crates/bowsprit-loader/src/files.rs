//! Writing files so that nothing is ever half there.

use crate::io::PathError;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file under another name beside it, then gives it its own. A link of that name is replaced,
/// not followed.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), PathError> {
    let (mut file, temporary) = create_beside(path)?;
    let written = file.write_all(content).map_err(|error| PathError::new("write", path, error));
    let moved = written.and_then(|()| {
        fs::rename(&temporary, path).map_err(|error| PathError::new("rename", path, error))
    });
    if moved.is_err() {
        // What can't be removed either is the lesser trouble.
        let _ = fs::remove_file(&temporary);
    }
    moved
}

/// A new file with a name that nobody has taken.
fn create_beside(path: &Path) -> Result<(File, PathBuf), PathError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_file_name(format!(".{name}.{}-{count}", std::process::id()));
        match File::create_new(&temporary) {
            Ok(file) => return Ok((file, temporary)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(PathError::new("open", path, error)),
        }
    }
}

/// Go's `MkdirAll`, which names the folder that could not be made.
pub(crate) fn make_dirs(dir: &Path) -> Result<(), PathError> {
    match dir.metadata() {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => {
            return Err(PathError::new("mkdir", dir, ErrorKind::NotADirectory.into()));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(PathError::new("mkdir", dir, error)),
    }
    let missing: Vec<&Path> =
        dir.ancestors().take_while(|d| !d.as_os_str().is_empty() && !d.exists()).collect();
    for dir in missing.into_iter().rev() {
        match fs::create_dir(dir) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(PathError::new("mkdir", dir, error));
            }
            _ => {}
        }
    }
    Ok(())
}
