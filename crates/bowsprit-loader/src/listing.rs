//! Directories that are being read. Where the system allows, what is in one is opened by way of it, so that long
//! paths are not walked again for each file.

use crate::io::PathError;
use std::ffi::OsStr;
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

/// The entries of a directory, which may lie in an open one, in the order of their bytes; and the directory itself
/// if it is to be kept open. `room` is memory for the system's answer, to be used again.
pub(crate) fn listed(
    path: &Path,
    folder: Option<&Folder>,
    keep: bool,
    room: &mut Vec<u8>,
) -> Result<(Option<Folder>, Listing), PathError> {
    let (folder, mut listing) =
        entries(path, folder, keep, room).map_err(|error| PathError::new("open", path, error))?;
    listing.sort();
    Ok((folder, listing))
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
use unix::entries;
#[cfg(unix)]
pub(crate) use unix::{Folder, Listing};

#[cfg(unix)]
mod unix {
    use super::Kind;
    use rustix::fs::{CWD, FileType, Mode, OFlags, openat};
    use rustix::io::{Errno, retry_on_intr};
    use std::ffi::{CStr, OsStr};
    use std::fs::File;
    use std::io;
    use std::ops::Range;
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

    /// What a directory's list says of its entries. Most systems tell there what kind each is, which saves asking.
    #[derive(Default)]
    pub(crate) struct Listing {
        names: Vec<u8>,
        entries: Vec<(Range<usize>, Option<Kind>)>,
        next: usize,
    }

    impl Listing {
        /// Room for the entries of most directories.
        fn with_room() -> Listing {
            let (names, entries) = (Vec::with_capacity(256), Vec::with_capacity(16));
            Listing { names, entries, next: 0 }
        }

        fn push(&mut self, name: &[u8], kind: Option<Kind>) {
            let start = self.names.len();
            self.names.extend_from_slice(name);
            self.entries.push((start..self.names.len(), kind));
        }

        pub(super) fn sort(&mut self) {
            let name = |range: &Range<usize>| self.names.get(range.clone());
            self.entries.sort_by(|(a, _), (b, _)| name(a).cmp(&name(b)));
        }

        /// The next entry's name, and what it is.
        pub(crate) fn next(&mut self) -> Option<(&OsStr, Option<Kind>)> {
            let (name, kind) = self.entries.get(self.next)?;
            self.next += 1;
            Some((OsStr::from_bytes(self.names.get(name.clone())?), *kind))
        }
    }

    pub(super) fn entries(
        path: &Path,
        folder: Option<&Folder>,
        keep: bool,
        room: &mut Vec<u8>,
    ) -> io::Result<(Option<Folder>, Listing)> {
        let flags = FLAGS.union(OFlags::DIRECTORY);
        let dir = retry_on_intr(|| match (folder, path.file_name()) {
            (Some(folder), Some(name)) => openat(&folder.0, name, flags, Mode::empty()),
            _ => openat(CWD, path, flags, Mode::empty()),
        })?;
        let mut listing = Listing::with_room();
        each(&dir, room, |name, ty| {
            let name = name.to_bytes();
            if name == b"." || name == b".." {
                return;
            }
            let kind = match ty {
                FileType::RegularFile => Some(Kind::File),
                FileType::Directory => Some(Kind::Directory),
                FileType::Symlink => Some(Kind::Link),
                FileType::Unknown => None,
                _ => Some(Kind::Other),
            };
            listing.push(name, kind);
        })?;
        Ok((keep.then_some(Folder(dir)), listing))
    }

    /// How much of a directory's list is taken at once.
    #[cfg(target_os = "linux")]
    const LIST: usize = 32 * 1024;

    /// Goes through a directory's entries. The C library would ask about the directory first, which for a chart's
    /// many small ones costs as much as their lists.
    #[cfg(target_os = "linux")]
    fn each(
        dir: &OwnedFd,
        room: &mut Vec<u8>,
        mut take: impl FnMut(&CStr, FileType),
    ) -> Result<(), Errno> {
        room.clear();
        room.reserve(LIST);
        let mut entries = rustix::fs::RawDir::new(dir, room.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            take(entry.file_name(), entry.file_type());
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn each(
        dir: &OwnedFd,
        _room: &mut Vec<u8>,
        mut take: impl FnMut(&CStr, FileType),
    ) -> Result<(), Errno> {
        for entry in rustix::fs::Dir::read_from(dir)? {
            let entry = entry?;
            take(entry.file_name(), entry.file_type());
        }
        Ok(())
    }
}

#[cfg(not(unix))]
use by_path::entries;
#[cfg(not(unix))]
pub(crate) use by_path::{Folder, Listing};

#[cfg(not(unix))]
mod by_path {
    use super::Kind;
    use std::ffi::{OsStr, OsString};
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

    /// What a directory's list says of its entries.
    #[derive(Default)]
    pub(crate) struct Listing {
        entries: Vec<(OsString, Option<Kind>)>,
        next: usize,
    }

    impl Listing {
        pub(super) fn sort(&mut self) {
            self.entries.sort_by(|(a, _), (b, _)| a.as_encoded_bytes().cmp(b.as_encoded_bytes()));
        }

        /// The next entry's name, and what it is.
        pub(crate) fn next(&mut self) -> Option<(&OsStr, Option<Kind>)> {
            let (name, kind) = self.entries.get(self.next)?;
            self.next += 1;
            Some((name, *kind))
        }
    }

    pub(super) fn entries(
        path: &Path,
        _folder: Option<&Folder>,
        _keep: bool,
        _room: &mut Vec<u8>,
    ) -> Result<(Option<Folder>, Listing)> {
        let mut listing = Listing::default();
        for entry in path.read_dir()? {
            let entry = entry?;
            let kind = entry.file_type().ok().map(Kind::from);
            listing.entries.push((entry.file_name(), kind));
        }
        Ok((None, listing))
    }
}
