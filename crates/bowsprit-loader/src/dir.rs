//! Charts in directories.

use crate::error::{Error, ErrorKind};
use crate::io;
use crate::listing::{Folder, Kind, Listing, Place, listed};
use crate::{ApiVersions, Options, Symlinks, unread};
use bowsprit_chart::{
    Bytes, Chart, File, Format, HELM_IGNORE, Level, LogLine, Rules, Twins, Warned,
};
use std::path::{Path, PathBuf};

/// `LoadDir`, the outer one first: it reads `Chart.yaml` before anything else.
pub(crate) fn load(dir: &Path, options: &Options) -> Result<Warned<Chart>, Error> {
    let root = io::absolute(dir)?;
    let mut walk = Walk::new(&root, options)?;
    match walk.run() {
        Ok(format) => finish(format, walk.files, walk.log, options),
        Err(kind) => Err(Error::new(kind, walk.log)),
    }
}

fn finish(
    format: Format,
    files: Vec<File>,
    log: Vec<LogLine>,
    options: &Options,
) -> Result<Warned<Chart>, Error> {
    let with = |mut log: Vec<LogLine>, more: Vec<LogLine>| {
        log.extend(more);
        log
    };
    match Chart::from_files_as(format, files, &options.limits) {
        Ok(Warned { output, warnings }) => Ok(Warned { output, warnings: with(log, warnings) }),
        Err(error) => {
            let (kind, more) = error.into_parts();
            Err(Error::new(ErrorKind::Chart(kind), with(log, more)))
        }
    }
}

/// A directory whose entries are being visited.
struct Dir {
    path: PathBuf,
    /// Its name in the chart with a final slash; empty for the root.
    prefix: Vec<u8>,
    entries: Listing,
    /// Open, so that what is inside can be opened by way of it.
    folder: Option<Folder>,
}

/// So many directories are kept open at once, those furthest out; the system has a limit.
const MAX_OPEN: usize = 32;

struct Walk<'o> {
    root: PathBuf,
    /// Where links may lead; `None` without restriction.
    confines: Option<PathBuf>,
    options: &'o Options,
    rules: Rules,
    files: Vec<File>,
    entries: usize,
    bytes: u64,
    log: Vec<LogLine>,
    /// Where files are read, so that each takes as much memory as it has bytes, and equal ones once.
    buffer: Vec<u8>,
    /// Where directories are listed.
    room: Vec<u8>,
    twins: Twins,
    /// How many files are left unread.
    unread: usize,
}

impl<'o> Walk<'o> {
    fn new(root: &Path, options: &'o Options) -> Result<Walk<'o>, Error> {
        let confines = match options.symlinks {
            Symlinks::Follow => None,
            Symlinks::InsideChart => Some(resolve(root)?),
        };
        Ok(Walk {
            root: root.to_owned(),
            confines,
            options,
            rules: Rules::default(),
            files: Vec::new(),
            entries: 0,
            bytes: 0,
            log: Vec::new(),
            buffer: Vec::new(),
            room: Vec::new(),
            twins: Twins::default(),
            unread: 0,
        })
    }

    fn run(&mut self) -> Result<Format, ErrorKind> {
        let format = match self.options.api_versions {
            ApiVersions::Known => self.detect()?,
            ApiVersions::Any => Format::V2,
        };
        let ignore = self.root.join(HELM_IGNORE);
        if ignore.metadata().is_ok() {
            let text = self.read_early(&ignore)?;
            self.rules = Rules::parse(&text).map_err(ErrorKind::Ignore)?;
        }
        self.rules = std::mem::take(&mut self.rules).with_defaults();
        self.walk()?;
        Ok(format)
    }

    fn detect(&self) -> Result<Format, ErrorKind> {
        let text = self.read_early(&self.root.join("Chart.yaml")).map_err(|kind| match kind {
            ErrorKind::Io(error) => ErrorKind::Undetected(error),
            kind => kind,
        })?;
        Format::detect(&text).map_err(ErrorKind::Chart)
    }

    /// Reads a file that is needed before the walk comes to it.
    fn read_early(&self, path: &Path) -> Result<Vec<u8>, ErrorKind> {
        if let Some(confines) = self.confines.as_ref().filter(|_| is_link(path)) {
            check_confined(path, &resolve(path)?, confines)?;
        }
        // Reading what is neither file nor directory might not end.
        if path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            return Err(ErrorKind::Irregular(path.to_owned()));
        }
        let limit = self.options.limits.archive.file_size;
        let data = io::read(path, limit.saturating_add(1))?;
        if data.len() as u64 > limit {
            let name = path.file_name().unwrap_or_default();
            return Err(self.too_large(name.to_string_lossy().into_owned()));
        }
        Ok(data)
    }

    /// Visits everything, depth first, names in the order of their bytes.
    fn walk(&mut self) -> Result<(), ErrorKind> {
        // Helm ignores a root that can't be listed and then misses Chart.yaml.
        let (folder, entries) = listed(&self.root, None, true, &mut self.room).unwrap_or_default();
        let path = self.root.clone();
        let mut stack = vec![Dir { path, prefix: Vec::new(), entries, folder }];
        let mut chart_name = Vec::new();
        loop {
            let depth = stack.len();
            let Some(dir) = stack.last_mut() else { break };
            let Some((name, kind)) = dir.entries.next() else {
                stack.pop();
                continue;
            };
            chart_name.clear();
            chart_name.extend_from_slice(&dir.prefix);
            chart_name.extend_from_slice(name.as_encoded_bytes());
            let place = Place { dir: &dir.path, folder: dir.folder.as_ref(), name };
            if let Some(child) = self.visit(place, &chart_name, kind, depth < MAX_OPEN)? {
                stack.push(child);
            }
        }
        Ok(())
    }

    /// Loads a file, or returns the directory to be walked next, kept open if that is asked.
    fn visit(
        &mut self,
        place: Place<'_>,
        name: &[u8],
        kind: Option<Kind>,
        keep: bool,
    ) -> Result<Option<Dir>, ErrorKind> {
        self.entries += 1;
        let limits = &self.options.limits.archive;
        if self.entries > limits.entries {
            return Err(ErrorKind::Entries(limits.entries));
        }
        let mut kind = match kind {
            Some(kind) => kind,
            None => io::lstat(&place.path())?.file_type().into(),
        };
        if kind == Kind::Link {
            kind = self.follow(&place.path())?;
        }
        if self.rules.ignores(name, kind == Kind::Directory, &mut self.log) {
            return Ok(None);
        }
        if kind != Kind::Directory {
            self.load_file(place, name, kind)?;
            return Ok(None);
        }
        let path = place.path();
        let (folder, entries) = listed(&path, place.folder, keep, &mut self.room)?;
        let prefix = [name, b"/"].concat();
        Ok(Some(Dir { path, prefix, entries, folder }))
    }

    /// The link is resolved and logged even if a rule will ignore it.
    fn follow(&mut self, path: &Path) -> Result<Kind, ErrorKind> {
        let resolved = resolve(path)?;
        if let Some(confines) = &self.confines {
            check_confined(path, &resolved, confines)?;
        }
        self.log.push(LogLine {
            level: Level::Info,
            message: "found symbolic link in path. Contents of linked file included and used"
                .into(),
            attrs: vec![
                ("path", path.display().to_string()),
                ("resolved", resolved.display().to_string()),
            ],
        });
        Ok(io::lstat(&resolved)?.file_type().into())
    }

    fn load_file(&mut self, place: Place<'_>, name: &[u8], kind: Kind) -> Result<(), ErrorKind> {
        if kind != Kind::File {
            return Err(ErrorKind::Irregular(place.path()));
        }
        let limit = self.options.limits.archive.file_size;
        let reading = |source| ErrorKind::Reading {
            name: String::from_utf8_lossy(name).into_owned(),
            source,
        };
        let file = place.open().map_err(reading)?;
        let data = match self.left_unread(file, place, name) {
            Ok(unread) => unread,
            Err(file) => {
                let limit = limit.saturating_add(1);
                let read = io::read_through((file, place), limit, &mut self.buffer);
                self.twins.take(read.map_err(reading)?)
            }
        };
        let len = data.len() as u64;
        if len > limit {
            let base = name.rsplit(|&b| b == b'/').next().unwrap_or_default();
            return Err(self.too_large(String::from_utf8_lossy(base).into_owned()));
        }
        self.bytes = self.bytes.saturating_add(len);
        let limit = self.options.limits.archive.inflated;
        if self.bytes > limit {
            return Err(ErrorKind::Size(limit));
        }
        self.files.push(File::unmarked(name, data));
        Ok(())
    }

    /// The content of a file that nobody needs to look at now; else gives the file back.
    fn left_unread(
        &mut self,
        file: std::fs::File,
        place: Place<'_>,
        name: &[u8],
    ) -> Result<Bytes, std::fs::File> {
        let Some(failure) = &self.options.unread else { return Err(file) };
        if self.unread >= unread::MOST || !unread::is_only_shown(name) {
            return Err(file);
        }
        let unread = unread::content(file, place, failure)?;
        self.unread += 1;
        Ok(unread)
    }

    fn too_large(&self, name: String) -> ErrorKind {
        ErrorKind::FileSize { name, limit: self.options.limits.archive.file_size }
    }
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

fn resolve(path: &Path) -> Result<PathBuf, ErrorKind> {
    io::eval_symlinks(path).map_err(|source| ErrorKind::Symlink { path: path.to_owned(), source })
}

fn check_confined(path: &Path, resolved: &Path, confines: &Path) -> Result<(), ErrorKind> {
    if resolved.starts_with(confines) {
        return Ok(());
    }
    Err(ErrorKind::SymlinkLeaves { path: path.to_owned(), resolved: resolved.to_owned() })
}
