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
    use rustix::fs::{CWD, FileType, Mode, OFlags, openat};
    use rustix::io::{Errno, retry_on_intr};
    use std::ffi::{CStr, OsStr, OsString};
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);

    /// An open directory.
    pub(crate) struct Folder(OwnedFd);

    impl Folder {
        pub(super) fn open(&self, name: &OsStr) -> io::Result<File> {
            let opened = retry_on_intr(|| openat(&self.0, name, FLAGS, Mode::empty()));
            Ok(File::from(opened?))
        }
    }

    pub(super) fn entries(
        path: &Path,
        folder: Option<&Folder>,
        keep: bool,
    ) -> io::Result<(Option<Folder>, Vec<Listed>)> {
        let flags = FLAGS.union(OFlags::DIRECTORY);
        let dir = retry_on_intr(|| match (folder, path.file_name()) {
            (Some(folder), Some(name)) => openat(&folder.0, name, flags, Mode::empty()),
            _ => openat(CWD, path, flags, Mode::empty()),
        })?;
        let mut entries = Vec::new();
        each(&dir, |name, ty| {
            let name = OsStr::from_bytes(name.to_bytes());
            if name == "." || name == ".." {
                return;
            }
            let kind = match ty {
                FileType::RegularFile => Some(Kind::File),
                FileType::Directory => Some(Kind::Directory),
                FileType::Symlink => Some(Kind::Link),
                FileType::Unknown => None,
                _ => Some(Kind::Other),
            };
            entries.push(Listed { name: OsString::from(name), kind });
        })?;
        Ok((keep.then_some(Folder(dir)), entries))
    }

    /// How much of a directory's list is taken at once.
    #[cfg(target_os = "linux")]
    const LIST: usize = 32 * 1024;

    /// Goes through a directory's entries. The C library would ask about the directory first, which for a chart's
    /// many small ones costs as much as their lists.
    #[cfg(target_os = "linux")]
    fn each(dir: &OwnedFd, mut take: impl FnMut(&CStr, FileType)) -> Result<(), Errno> {
        let mut list = Vec::with_capacity(LIST);
        let mut entries = rustix::fs::RawDir::new(dir, list.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            take(entry.file_name(), entry.file_type());
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn each(dir: &OwnedFd, mut take: impl FnMut(&CStr, FileType)) -> Result<(), Errno> {
        for entry in rustix::fs::Dir::read_from(dir)? {
            let entry = entry?;
            take(entry.file_name(), entry.file_type());
        }
        Ok(())
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
