//! Where the bytes of a download go.

use crate::io::PathError;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Takes the bytes of a download in their order.
pub trait Sink: Send {
    /// Forgets everything: the download begins anew.
    ///
    /// # Errors
    ///
    /// Where that is impossible.
    fn restart(&mut self) -> Result<(), String>;

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// Where they can't be kept, or are not what they should be.
    fn write(&mut self, piece: &[u8]) -> Result<(), String>;
}

/// Keeps everything in memory.
#[derive(Clone, Debug, Default)]
pub struct MemorySink(pub Vec<u8>);

impl Sink for MemorySink {
    fn restart(&mut self) -> Result<(), String> {
        self.0.clear();
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), String> {
        self.0.extend_from_slice(piece);
        Ok(())
    }
}

/// Writes to a file under another name, which gets its own only when everything is there.
pub struct FileSink {
    file: File,
    temporary: PathBuf,
    hash: Sha256,
    size: u64,
    kept: bool,
}

impl fmt::Debug for FileSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FileSink { temporary, size, .. } = self;
        f.debug_struct("FileSink")
            .field("temporary", temporary)
            .field("size", size)
            .finish_non_exhaustive()
    }
}

impl FileSink {
    /// A new file in a folder, which is made if need be.
    ///
    /// # Errors
    ///
    /// Where the folder can't be made or written to.
    pub fn create_in(dir: &Path) -> Result<FileSink, PathError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        std::fs::create_dir_all(dir).map_err(|error| PathError::new("mkdir", dir, error))?;
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!(".bowsprit-{}-{number}.part", std::process::id());
            let temporary = dir.join(name);
            match OpenOptions::new().read(true).write(true).create_new(true).open(&temporary) {
                Ok(file) => {
                    return Ok(FileSink {
                        file,
                        temporary,
                        hash: Sha256::new(),
                        size: 0,
                        kept: false,
                    });
                }
                // Left over from a process of the same number that was killed.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(PathError::new("open", &temporary, error)),
            }
        }
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The SHA-256 of the bytes so far, in hexadecimal digits.
    pub fn digest(&self) -> String {
        hex(&self.hash.clone().finalize())
    }

    /// The file as long as it has no name of its own.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Gives the file its name, in place of what had it before.
    ///
    /// # Errors
    ///
    /// Where the system refuses; the file is gone then.
    pub fn keep(mut self, path: &Path) -> Result<(), PathError> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(|error| PathError::new("mkdir", dir, error))?;
        }
        let renamed = std::fs::rename(&self.temporary, path);
        renamed.map_err(|error| PathError::new("rename", path, error))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing can be done about a file that can't be removed.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

impl Sink for FileSink {
    fn restart(&mut self) -> Result<(), String> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|error| PathError::new("truncate", &self.temporary, error).to_string())?;
        self.hash = Sha256::new();
        self.size = 0;
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), String> {
        let written = self.file.write_all(piece);
        written.map_err(|error| PathError::new("write", &self.temporary, error).to_string())?;
        self.hash.update(piece);
        self.size += piece.len() as u64;
        Ok(())
    }
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of bytes in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Writes a file under another name first, so that nobody ever sees a part of it.
///
/// # Errors
///
/// Where the system refuses.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8], mode: u32) -> Result<(), PathError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut sink = FileSink::create_in(dir)?;
    let failed = |error| PathError::new("write", path, error);
    sink.file.write_all(bytes).map_err(failed)?;
    set_mode(&sink.file, mode).map_err(failed)?;
    sink.keep(path)
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> std::io::Result<()> {
    Ok(())
}
