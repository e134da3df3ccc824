//! Files that are there for a while.

use std::cell::{Cell, OnceCell};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A folder that nobody else can look into, and that goes when this value does.
#[derive(Debug)]
pub(super) struct Scratch {
    dir: PathBuf,
    /// Made when it is needed first.
    made: OnceCell<()>,
    next: Cell<u32>,
}

impl Scratch {
    /// A new folder among the temporary ones, which is not there yet.
    pub(super) fn new() -> std::io::Result<Scratch> {
        let dir = std::env::temp_dir().join(format!("bowsprit-{}", random()?));
        Ok(Scratch { dir, made: OnceCell::new(), next: Cell::new(0) })
    }

    /// Where it lies.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A path in it that is not in use.
    pub(super) fn path(&self) -> std::io::Result<PathBuf> {
        if self.made.get().is_none() {
            make_private(&self.dir)?;
            // Nobody else sets it: this is not shared between threads.
            let _ = self.made.set(());
        }
        let number = self.next.get();
        self.next.set(number + 1);
        Ok(self.dir.join(number.to_string()))
    }

    /// A file with this content.
    pub(super) fn file(&self, content: &[u8]) -> std::io::Result<PathBuf> {
        let path = self.path()?;
        let mut file = private_file(&path)?;
        file.write_all(content)?;
        // SSH wants a key to end with a line break, which tools cut off.
        if !content.ends_with(b"\n") {
            file.write_all(b"\n")?;
        }
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.made.get().is_some() {
            // There is nobody to tell, and temporary folders are cleaned by the system too.
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// A name that nobody can foresee.
fn random() -> std::io::Result<String> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(unix)]
fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn make_private(dir: &Path) -> std::io::Result<()> {
    fs::create_dir(dir)
}

#[cfg(unix)]
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private_file(path: &Path) -> std::io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(path)
}
