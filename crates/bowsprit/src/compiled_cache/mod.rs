//! Compiled charts that outlast the process.
//!
//! Loading and compiling is most of what a single render costs. A [`CompiledCache`] keeps the outcome in a
//! folder, so that the next process that renders the same chart begins where this one has been.
//!
//! A kept chart is used only for what it was made of: the bytes of an archive, by their SHA-256 digest; a
//! directory whose files and folders have the sizes, times and numbers that they had, all of them older than
//! the load by some seconds, as version control does. An archive's digest is known in the same way if the
//! same file has been there before. A kept chart belongs to one build of one program, and its folder to one
//! user: a folder that others can write or read is not used. What is damaged counts as missing; of the parts
//! that are read late [`CompiledChart::is_intact`] tells, and [`Cached::discard`] removes them.
//!
//! Only a chart that is seen for the second time is kept, so that jobs which render once write next to
//! nothing. Charts with anything to log or with links inside are not kept, nor are templates that can't be
//! parsed: those are parsed anew each time, so that their errors stay.
//!
//! ```no_run
//! use bowsprit::compiled_cache::CompiledCache;
//! use bowsprit::{Engine, RenderRequest, loader};
//! use bowsprit::host::OsHost;
//!
//! let options = loader::Options::default();
//! let engine = Engine::new();
//! let cache = CompiledCache::of_program("/home/me/.cache/web").expect("a system with /proc");
//! let cached = cache.load("web-1.0.0.tgz".as_ref(), &options, &engine)?;
//! let request = RenderRequest::new("demo", "default");
//! let release = cached.chart.render(&request, &OsHost::new())?;
//! assert!(cached.chart.is_intact());
//! cached.keep()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod places;
mod seen;
mod stored;
mod system;
mod tree;

use bowsprit_chart::{Bytes, Chart, LogLine, Warned};
use bowsprit_loader::{self as loader, Options};
use bowsprit_render::{CompiledChart, Engine};
use places::Sum;
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use stored::Stored;
use tree::Tree;

/// Larger archives are not looked for, since reading all of them first would not pay.
const LARGEST_ARCHIVE: u64 = 64 << 20;

/// A folder with compiled charts.
#[derive(Clone, Debug)]
pub struct CompiledCache {
    dir: PathBuf,
    build: String,
    limit: u64,
}

/// A chart that was loaded, from the cache or from where it lies.
#[derive(Debug)]
pub struct Cached {
    /// The chart.
    pub chart: CompiledChart,
    /// What Helm logs of it.
    pub warnings: Vec<LogLine>,
    ticket: Option<Ticket>,
}

/// How a chart can be kept.
#[derive(Debug)]
struct Ticket {
    cache: CompiledCache,
    key: Key,
    origin: Origin,
    found: Found,
    /// When loading began.
    began: SystemTime,
}

/// What a chart came from.
#[derive(Debug)]
enum Origin {
    Directory(PathBuf),
    /// An archive at a path; with its digest if that had to be found out.
    Archive(PathBuf, Option<Sum>),
}

/// What there was of a chart.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// What was made of files that have changed since.
    Stale,
    /// A chart of which so many templates had been compiled.
    Chart(usize),
}

type Key = [u8; 32];

impl CompiledCache {
    /// What a cache may take, in bytes, unless it is told otherwise.
    pub const LIMIT: u64 = 256 << 20;

    /// A cache in a folder, which is made when something is kept; others must not be able to look into
    /// it. `build` must be another one for every build of the program: what one build keeps another
    /// can't read.
    pub fn new(dir: impl Into<PathBuf>, build: impl Into<String>) -> CompiledCache {
        CompiledCache { dir: dir.into(), build: build.into(), limit: CompiledCache::LIMIT }
    }

    /// A cache for the program that is running, which is told from others by its file. `None` on systems
    /// where that can't be found out.
    pub fn of_program(dir: impl Into<PathBuf>) -> Option<CompiledCache> {
        Some(CompiledCache::new(dir, system::program()?))
    }

    /// Says how many bytes the folder may take; the oldest charts go.
    #[must_use]
    pub fn limit(mut self, bytes: u64) -> CompiledCache {
        self.limit = bytes;
        self
    }

    /// Loads the chart in a directory or an archive, from the cache if it is there.
    ///
    /// # Errors
    /// As [`loader::load_path`].
    pub fn load(
        &self,
        path: &Path,
        options: &Options,
        engine: &Engine,
    ) -> Result<Cached, loader::Error> {
        let began = SystemTime::now();
        let kind = path.metadata().ok();
        match kind {
            Some(file) if file.is_file() && file.len() <= LARGEST_ARCHIVE => {
                self.archive(path, options, engine, began)
            }
            Some(dir) if dir.is_dir() => self.directory(path, options, engine, began),
            _ => uncached(path, options, engine),
        }
    }

    fn archive(
        &self,
        path: &Path,
        options: &Options,
        engine: &Engine,
        began: SystemTime,
    ) -> Result<Cached, loader::Error> {
        let is_private = system::is_private(&self.dir);
        let find = |sum: &Sum, found: &mut Found| {
            let key = self.key("archive", sum, options, engine);
            let again = {
                let (path, sum, options) = (path.to_owned(), *sum, options.clone());
                move || {
                    let archive = fs::read(&path).ok().filter(|archive| digest(archive) == sum)?;
                    Some(loader::load_archive(&path, Bytes::from(archive), &options).ok()?.output)
                }
            };
            let chart = self.find(is_private, &key, |_| true, engine, again, found)?;
            Some((Warned { output: chart, warnings: Vec::new() }, key))
        };
        let mut found = Found::Nothing;
        let noted = if is_private { places::find(&self.dir, path) } else { None };
        if let Some((chart, key)) = noted.and_then(|sum| find(&sum, &mut found)) {
            let origin = Origin::Archive(path.to_owned(), None);
            return Ok(self.cached(chart, key, origin, found, began));
        }
        let Ok(archive) = fs::read(path) else { return uncached(path, options, engine) };
        let sum = digest(&archive);
        let origin = Origin::Archive(path.to_owned(), (noted != Some(sum)).then_some(sum));
        if let Some((chart, key)) = find(&sum, &mut found) {
            return Ok(self.cached(chart, key, origin, found, began));
        }
        let key = self.key("archive", &sum, options, engine);
        let loaded = loader::load_archive(path, Bytes::from(archive), options)?;
        Ok(self.cached(compiled(loaded, engine), key, origin, found, began))
    }

    fn directory(
        &self,
        path: &Path,
        options: &Options,
        engine: &Engine,
        began: SystemTime,
    ) -> Result<Cached, loader::Error> {
        let Ok(root) = path.canonicalize() else { return uncached(path, options, engine) };
        let key = self.key("directory", root.as_os_str().as_encoded_bytes(), options, engine);
        let again = {
            let (path, options) = (path.to_owned(), options.clone());
            move || Some(loader::load_path(&path, &options).ok()?.output)
        };
        let mut found = Found::Nothing;
        let is_fresh = |tree: &Tree| tree.is_unchanged(&root);
        let is_private = system::is_private(&self.dir);
        let restored = self.find(is_private, &key, is_fresh, engine, again, &mut found);
        let loaded = match restored {
            Some(chart) => Warned { output: chart, warnings: Vec::new() },
            None => compiled(loader::load_path(path, options)?, engine),
        };
        Ok(self.cached(loaded, key, Origin::Directory(root), found, began))
    }

    fn cached(
        &self,
        loaded: Warned<CompiledChart>,
        key: Key,
        origin: Origin,
        found: Found,
        began: SystemTime,
    ) -> Cached {
        let ticket = Ticket { cache: self.clone(), key, origin, found, began };
        Cached { chart: loaded.output, warnings: loaded.warnings, ticket: Some(ticket) }
    }

    /// All that decides what a chart is compiled to.
    fn key(&self, kind: &str, what: &[u8], options: &Options, engine: &Engine) -> Key {
        let mut digest = Sha256::new();
        let compat = engine.compat();
        digest.update(format!("{}\n{kind}\n{options:?}\n{compat:?}\n", self.build));
        digest.update(what);
        digest.finalize().into()
    }

    fn file(&self, key: &Key) -> PathBuf {
        let name: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.dir.join(name).with_extension("chart")
    }

    fn find(
        &self,
        is_private: bool,
        key: &Key,
        is_fresh: impl Fn(&Tree) -> bool,
        engine: &Engine,
        again: impl Fn() -> Option<Chart> + Send + Sync + 'static,
        found: &mut Found,
    ) -> Option<CompiledChart> {
        if !is_private {
            return None;
        }
        let Stored { tree, head, image, parts } = Stored::read(&self.file(key))?;
        *found = Found::Stale;
        if !is_fresh(&tree) {
            return None;
        }
        let chart = engine.restore(head.get(image..)?, parts, again)?;
        *found = Found::Chart(chart.compiled_templates());
        Some(chart)
    }
}

fn digest(bytes: &[u8]) -> Sum {
    Sha256::digest(bytes).into()
}

fn uncached(path: &Path, options: &Options, engine: &Engine) -> Result<Cached, loader::Error> {
    let Warned { output, warnings } = compiled(loader::load_path(path, options)?, engine);
    Ok(Cached { chart: output, warnings, ticket: None })
}

fn compiled(loaded: Warned<Chart>, engine: &Engine) -> Warned<CompiledChart> {
    let chart = engine.compile(Arc::new(loaded.output));
    Warned { output: chart, warnings: loaded.warnings }
}

impl Cached {
    /// Whether the chart came out of the cache.
    pub fn is_from_cache(&self) -> bool {
        matches!(&self.ticket, Some(Ticket { found: Found::Chart(_), .. }))
    }

    /// Keeps the chart with all of its templates that renders have needed so far, if that pays: when it
    /// was seen before, or when more of it has been compiled than was kept.
    ///
    /// # Errors
    /// Fails where the folder can't be made or written; nothing but the next process' time is lost.
    pub fn keep(&self) -> io::Result<()> {
        let Some(ticket) = &self.ticket else { return Ok(()) };
        let cache = &ticket.cache;
        let is_kept = match ticket.found {
            Found::Chart(templates) if self.chart.compiled_templates() <= templates => true,
            Found::Chart(_) => self.store(ticket)?,
            Found::Stale => {
                fs::remove_file(cache.file(&ticket.key))?;
                false
            }
            Found::Nothing if !self.warnings.is_empty() => false,
            Found::Nothing => {
                system::make_private(&cache.dir)?;
                seen::note(&cache.dir, &ticket.key)? && self.store(ticket)?
            }
        };
        match &ticket.origin {
            Origin::Archive(path, Some(sum)) if is_kept => {
                places::note(&cache.dir, path, sum, ticket.began)
            }
            _ => Ok(()),
        }
    }

    /// Removes what the cache has of the chart, for when it is not intact any more.
    ///
    /// # Errors
    /// Fails where the file can't be removed.
    pub fn discard(&self) -> io::Result<()> {
        match &self.ticket {
            Some(ticket) => fs::remove_file(ticket.cache.file(&ticket.key)),
            None => Ok(()),
        }
    }

    /// Whether the chart is kept now.
    fn store(&self, ticket: &Ticket) -> io::Result<bool> {
        let tree = match &ticket.origin {
            Origin::Archive(..) => Tree::default(),
            Origin::Directory(root) => match Tree::of(root, ticket.began) {
                Some(tree) => tree,
                None => return Ok(false),
            },
        };
        let Some(image) = self.chart.image() else { return Ok(false) };
        Stored::write(&ticket.cache.file(&ticket.key), &tree, &image)?;
        stored::prune(&ticket.cache.dir, ticket.cache.limit)?;
        Ok(true)
    }
}
