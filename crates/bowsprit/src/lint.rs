//! Checks of charts on disk: [`bowsprit_lint`], and where its sources come from.
//!
//! ```no_run
//! use bowsprit::lint::{Linted, Options, lint, open, print};
//! use bowsprit::value::Hermetic;
//!
//! let options = Options::default();
//! let charts: Vec<Linted> = ["charts/web", "charts/db-1.2.3.tgz"]
//!     .into_iter()
//!     .map(|path| match open(path) {
//!         Ok(source) => lint(&source, &options, &Hermetic::default()),
//!         Err(error) => Linted::not_examined(path, error),
//!     })
//!     .collect();
//! let printed = print(&charts, false);
//! assert!(printed.text.starts_with("==> Linting charts/web\n"));
//! ```

pub use bowsprit_lint::*;

use crate::compiled_cache::{Cached, CompiledCache};
use bowsprit_chart::{Limits, ReadFailure, Warned, path};
use bowsprit_loader::{ApiVersions, PathError};
use bowsprit_render::Engine;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Looks at the chart that a path names: a folder, or an archive by the end of its name.
///
/// # Errors
///
/// Where there is no chart to be examined, with Helm's words.
pub fn open(name: &str) -> Result<Source, CannotExamine> {
    Ok(opened(name, None)?.0)
}

/// As [`open`], with the chart of a folder from a cache of charts that were compiled by [`engine`]. What is given
/// beside the source tells, after the checks, whether that was right, and keeps the chart; there is nothing for
/// an archive, nor for a chart with a folder `crds`, all of which is read anyway.
///
/// # Errors
///
/// As [`open`].
///
/// ```no_run
/// use bowsprit::compiled_cache::CompiledCache;
/// use bowsprit::lint::{Options, engine, lint, open_by};
/// use bowsprit::value::Hermetic;
///
/// let options = Options::default();
/// let cache = CompiledCache::of_program("/home/me/.cache/lint").expect("a system with /proc");
/// let (source, kept) = open_by("charts/web", &cache, &engine(&options))?;
/// let linted = lint(&source, &options, &Hermetic::default());
/// if let Some(kept) = kept {
///     assert!(kept.is_right(&source));
///     kept.keep(&source)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn open_by(
    name: &str,
    cache: &CompiledCache,
    engine: &Engine,
) -> Result<(Source, Option<Kept>), CannotExamine> {
    opened(name, Some((cache, engine)))
}

/// How the chart of a [`Source`] is kept in a cache.
#[derive(Debug)]
pub struct Kept(Cached);

impl Kept {
    /// Whether the chart came out of the cache.
    pub fn is_from_cache(&self) -> bool {
        self.0.is_from_cache()
    }

    /// Whether what the checks saw of the chart is what lies there. If not, they must be made again without the
    /// cache.
    pub fn is_right(&self, source: &Source) -> bool {
        !self.0.is_from_cache() || self.0.chart.is_intact() && source.unread.text().is_none()
    }

    /// Keeps the chart, where that pays; see [`Cached::keep`].
    ///
    /// # Errors
    ///
    /// As [`Cached::keep`].
    pub fn keep(&self, source: &Source) -> io::Result<()> {
        let is_known = || source.unread.text().is_none();
        if !is_known() {
            return Ok(());
        }
        self.0.keep()?;
        // To be kept, files may have been read that nobody had looked at.
        if is_known() { Ok(()) } else { self.discard() }
    }

    /// Removes what the cache has of the chart.
    ///
    /// # Errors
    ///
    /// As [`Cached::discard`].
    pub fn discard(&self) -> io::Result<()> {
        self.0.discard()
    }
}

fn opened(
    name: &str,
    cache: Option<(&CompiledCache, &Engine)>,
) -> Result<(Source, Option<Kept>), CannotExamine> {
    let limits = Limits::default();
    if is_archive(name) {
        let opened = |e| CannotExamine(format!("unable to open tarball: {e}"));
        let mut file =
            File::open(name).map_err(|e| opened(PathError::new("open", Path::new(name), e)))?;
        let mut bytes = Vec::new();
        let read = Read::by_ref(&mut file).take(limits.archive.inflated).read_to_end(&mut bytes);
        read.map_err(|e| {
            let error = PathError::new("read", Path::new(name), e);
            CannotExamine(format!("unable to extract tarball: {error}"))
        })?;
        let dir = absolute(name).display().to_string();
        return Ok((Source::from_archive(name, &dir, &bytes, &limits)?, None));
    }
    let chart_yaml = joined(name, "Chart.yaml");
    if let Err(error) = Path::new(&chart_yaml).metadata() {
        let error = PathError::new("stat", Path::new(&chart_yaml), error);
        return Err(CannotExamine(format!("unable to check Chart.yaml file in chart: {error}")));
    }
    let dir = absolute(name);
    let mut options = bowsprit_loader::Options::default();
    options.api_versions = ApiVersions::Any;
    let unread = ReadFailure::default();
    options.unread = Some(unread.clone());
    let mut kept = None;
    let crds = entry(&dir.join("crds"));
    let loaded = match cache.filter(|_| matches!(crds, Entry::Missing)) {
        Some((cache, engine)) => cache.load(&dir, &options, engine).map(|cached| {
            let output = Arc::clone(cached.chart.chart());
            let warnings = cached.warnings.clone();
            kept = Some(Kept(cached));
            Warned { output, warnings }
        }),
        None => bowsprit_loader::load_path(&dir, &options)
            .map(|Warned { output, warnings }| Warned { output: Arc::new(output), warnings }),
    };
    let failed = |error: bowsprit_loader::Error| LoadFailure {
        text: error.to_string(),
        log: error.log().to_vec(),
    };
    let source = Source {
        name: name.to_owned(),
        chart_yaml: entry(&dir.join("Chart.yaml")),
        values: entry(&dir.join("values.yaml")),
        schema: entry(&dir.join("values.schema.json")),
        templates: entry(&dir.join("templates")),
        crds,
        changelog: entry(&dir.join("CHANGELOG.md")),
        since: None,
        dir: dir.display().to_string(),
        chart: loaded.map_err(failed),
        unread,
        compiled: kept.as_ref().map(|kept| kept.0.chart.clone()),
    };
    Ok((source, kept))
}

/// What the chart in a folder was at a git reference, or rather where the present commit and the
/// reference parted. Asks the program `git`.
///
/// # Errors
///
/// Where the folder is in no repository, where the reference names no commit, and without git.
pub fn since(folder: &str, reference: &str) -> Result<Since, String> {
    if is_archive(folder) || !Path::new(folder).is_dir() {
        return Err(format!(
            "{folder}: only a chart's folder can be compared with a git reference"
        ));
    }
    let commit = format!("{reference}^{{commit}}");
    let base = git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])
        .map_err(|error| match error.is_empty() {
            true => format!("{folder}: git knows no commit {reference}"),
            false => format!("{folder}: {}", error.trim_start_matches("fatal: ")),
        })?;
    let base = line(&base);
    // Without a common commit the reference itself has to do.
    let base = git(folder, &["merge-base", &base, "HEAD"]).map_or(base, |parted| line(&parted));
    let changed = git(folder, &["diff", "--name-only", "--relative", &base, "--", "."])?;
    let new = git(folder, &["ls-files", "--others", "--exclude-standard", "--", "."])?;
    let names = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut changed = names(&changed);
    changed.extend(names(&new));
    changed.sort();
    let chart_yaml = git(folder, &["show", &format!("{base}:./Chart.yaml")]).ok();
    Ok(Since { reference: reference.to_owned(), chart_yaml, changed })
}

fn line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn git(folder: &str, args: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("git")
        .args(["-c", "core.quotePath=false", "-C", folder])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("git: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(line(&output.stderr))
}

/// The charts below a chart's `charts/`, packaged or not, at any depth, as `--with-subcharts` finds them.
pub fn subcharts(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![joined(name, "charts")];
    while let Some(path) = pending.pop() {
        let Ok(metadata) = Path::new(&path).symlink_metadata() else { continue };
        let (dir, base) = path.rsplit_once('/').unwrap_or((".", &path));
        if base == "Chart.yaml" {
            found.push(dir.to_owned());
        } else if is_archive(&path) {
            found.push(path.clone());
        }
        if !metadata.is_dir() {
            continue;
        }
        let entries = Path::new(&path).read_dir().into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        pending.extend(names.iter().rev().map(|name| format!("{path}/{name}")));
    }
    found
}

fn is_archive(name: &str) -> bool {
    name.ends_with(".tgz") || name.ends_with(".tar.gz")
}

/// Go's `filepath.Join`.
fn joined(dir: &str, name: &str) -> String {
    let path = if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
    String::from_utf8_lossy(&path::clean(path.as_bytes())).into_owned()
}

/// Go's `filepath.Abs`.
fn absolute(name: &str) -> PathBuf {
    if name.starts_with('/') {
        return PathBuf::from(joined(name, ""));
    }
    let dir = std::env::current_dir().unwrap_or_default();
    PathBuf::from(joined(&dir.display().to_string(), name))
}

fn entry(path: &Path) -> Entry {
    let Ok(metadata) = path.metadata() else { return Entry::Missing };
    if metadata.is_dir() {
        return Entry::Directory;
    }
    if !metadata.is_file() {
        return Entry::Unreadable(format!("read {}: not a regular file", path.display()));
    }
    match std::fs::read(path) {
        Ok(bytes) => Entry::File(bytes.into()),
        Err(error) => Entry::Unreadable(PathError::new("open", path, error).to_string()),
    }
}
