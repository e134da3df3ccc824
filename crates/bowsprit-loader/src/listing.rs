//! Directories that are being read. Where the system allows, what is in one is opened by way of it, so that long
//! paths are not walked again for each file.

use crate::io::PathError;
use std::ffi::{OsStr, OsString};
use std::fs::{File, FileType};
use std::path::{Path, PathBuf};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Link,
    Other,
}

impl From<FileType> for Kind {
    fn from(ty: FileType) -> Kind {
        match ty {
            ty if ty.is_file() => Kind::File,
            ty if ty.is_dir() => Kind::Directory,
            ty if ty.is_symlink() => Kind::Link,
            _ => Kind::Other,
        }
    }
}

/// What a directory's list says of an entry. Most systems tell there what kind it is, which saves asking.
pub(crate) struct Listed {
    pub(crate) name: OsString,
    pub(crate) kind: Option<Kind>,
}

/// The entries of a directory, which may lie in an open one, in the order of their bytes; and the directory itself
/// if it is to be kept open.
pub(crate) fn listed(
    path: &Path,
    folder: Option<&Folder>,
    keep: bool,
) -> Result<(Option<Folder>, Vec<Listed>), PathError> {
    let (folder, mut entries) =
        entries(path, folder, keep).map_err(|error| PathError::new("open", path, error))?;
    entries.sort_by(|a, b| a.name.as_encoded_bytes().cmp(b.name.as_encoded_bytes()));
    Ok((folder, entries))
}

/// Where an entry of a directory lies. Its path is only made where it is needed.
#[derive(Clone, Copy)]
pub(crate) struct Place<'d> {
    pub(crate) dir: &'d Path,
    /// The directory, if it is open.
    pub(crate) folder: Option<&'d Folder>,
    pub(crate) name: &'d OsStr,
}

impl Place<'_> {
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join(self.name)
    }

    /// Opens the file.
    pub(crate) fn open(&self) -> Result<File, PathError> {
        let found = match self.folder {
            Some(folder) => folder.open(self.name),
            None => File::open(self.path()),
        };
        found.map_err(|error| PathError::new("open", &self.path(), error))
    }
}

#[cfg(unix)]
pub(crate) use unix::Folder;
#[cfg(unix)]
use unix::entries;

#[cfg(unix)]
mod unix {
    use super::{Kind, Listed};
    use nix::dir::{Dir, Type};
    use nix::errno::Errno;
    use nix::fcntl::{OFlag, openat};
    use nix::sys::stat::Mode;
    use std::ffi::{OsStr, OsString};
    use std::fs::File;
    use std::io::Result;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    const FLAGS: OFlag = OFlag::O_RDONLY.union(OFlag::O_CLOEXEC);

    /// An open directory.
    pub(crate) struct Folder(Dir);

    impl Folder {
        pub(super) fn open(&self, name: &OsStr) -> Result<File> {
            loop {
                match openat(&self.0, name, FLAGS, Mode::empty()) {
                    Ok(fd) => return Ok(File::from(fd)),
                    Err(Errno::EINTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }

    pub(super) fn entries(
        path: &Path,
        folder: Option<&Folder>,
        keep: bool,
    ) -> Result<(Option<Folder>, Vec<Listed>)> {
        let flags = FLAGS.union(OFlag::O_DIRECTORY);
        let mut dir = match (folder, path.file_name()) {
            (Some(folder), Some(name)) => Dir::openat(&folder.0, name, flags, Mode::empty())?,
            _ => Dir::open(path, flags, Mode::empty())?,
        };
        let mut entries = Vec::new();
        for entry in dir.iter() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let kind = entry.file_type().map(|ty| match ty {
                Type::File => Kind::File,
                Type::Directory => Kind::Directory,
                Type::Symlink => Kind::Link,
                _ => Kind::Other,
            });
            entries.push(Listed { name: OsString::from(name), kind });
        }
        Ok((keep.then_some(Folder(dir)), entries))
    }
}

#[cfg(not(unix))]
pub(crate) use by_path::Folder;
#[cfg(not(unix))]
use by_path::entries;

#[cfg(not(unix))]
mod by_path {
    use super::{Kind, Listed};
    use std::ffi::OsStr;
    use std::fs::File;
    use std::io::Result;
    use std::path::Path;

    /// There is none.
    pub(crate) enum Folder {}

    impl Folder {
        pub(super) fn open(&self, _name: &OsStr) -> Result<File> {
            match *self {}
        }
    }

    pub(super) fn entries(
        path: &Path,
        _folder: Option<&Folder>,
        _keep: bool,
    ) -> Result<(Option<Folder>, Vec<Listed>)> {
        let mut entries = Vec::new();
        for entry in path.read_dir()? {
            let entry = entry?;
            let kind = entry.file_type().ok().map(Kind::from);
            entries.push(Listed { name: entry.file_name(), kind });
        }
        Ok((None, entries))
    }
}
