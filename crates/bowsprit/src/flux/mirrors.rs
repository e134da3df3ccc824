//! Folders that stand for URLs.

use super::{layout, repository};
use bowsprit_chart::{Chart, path};
use bowsprit_flux::{ChartImage, ChartVersion, Charts, FetchError, FolderChart, ImageRef, Source};
use bowsprit_loader::{Options, load_path};
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Folders that stand for the URLs of Flux's sources.
///
/// A URL is looked up as it is, then among those that it goes on from with a `/`, the longest first:
/// with `https://example.com/charts=DIR`, `https://example.com/charts/web` is `DIR/web`. Last comes `*`,
/// whose folder has one for each URL, named like the URL without its scheme, or like its last part; or
/// is itself the folder for all.
#[derive(Clone, Debug, Default)]
pub struct Mirrors {
    by_url: Vec<(String, PathBuf)>,
    all: Option<PathBuf>,
}

/// A mapping that is none. `Display` says what one looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorError {
    /// What was given.
    pub given: String,
}

impl fmt::Display for MirrorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid mirror {:?}: want URL=DIR, or *=DIR for all", self.given)
    }
}

impl std::error::Error for MirrorError {}

impl Mirrors {
    /// No folders: nothing can be fetched.
    pub fn new() -> Mirrors {
        Mirrors::default()
    }

    /// Adds a mapping `URL=DIR`, or `*=DIR`.
    ///
    /// # Errors
    ///
    /// Where the text is no mapping.
    pub fn add(&mut self, mapping: &str) -> Result<(), MirrorError> {
        // URLs may have queries; folders hardly ever have an equals sign.
        match mapping.rsplit_once('=') {
            Some(("*", dir)) if !dir.is_empty() => self.all = Some(PathBuf::from(dir)),
            Some((url, dir)) if !url.is_empty() && !dir.is_empty() => {
                self.by_url.push((trimmed(url).to_owned(), PathBuf::from(dir)));
            }
            _ => return Err(MirrorError { given: mapping.to_owned() }),
        }
        Ok(())
    }

    /// Whether a folder stands for a URL.
    pub fn has(&self, url: &str) -> bool {
        self.folder_of(url).is_ok()
    }

    /// True without mappings.
    pub fn is_empty(&self) -> bool {
        self.by_url.is_empty() && self.all.is_none()
    }

    /// The folder that stands for a URL.
    pub(super) fn folder_of(&self, url: &str) -> Result<PathBuf, FetchError> {
        let url = trimmed(url);
        let mut best: Option<(usize, PathBuf)> = None;
        for (prefix, dir) in &self.by_url {
            let Some(rest) = url.strip_prefix(prefix.as_str()) else { continue };
            let longer = best.as_ref().is_none_or(|(length, _)| prefix.len() > *length);
            if longer && (rest.is_empty() || rest.starts_with('/')) {
                best = Some((prefix.len(), inside(dir, rest)));
            }
        }
        if let Some((_, dir)) = best {
            return Ok(dir);
        }
        let Some(all) = &self.all else {
            let text = format!("there is no mirror for {url}: give one with --mirror {url}=DIR");
            return Err(FetchError(text));
        };
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let last = rest.rsplit('/').next().unwrap_or(rest);
        let named =
            [inside(all, rest), inside(all, last), inside(all, last.trim_end_matches(".git"))];
        Ok(named.into_iter().find(|dir| dir.is_dir()).unwrap_or_else(|| all.clone()))
    }
}

fn trimmed(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// A path within a folder, which it can't leave.
pub(super) fn inside(dir: &Path, rest: &str) -> PathBuf {
    let cleaned = path::clean(format!("/{rest}").as_bytes());
    let cleaned = String::from_utf8_lossy(&cleaned).into_owned();
    match cleaned.trim_start_matches('/') {
        "" => dir.to_owned(),
        below => dir.join(below),
    }
}

/// Reads the chart in a folder or an archive.
pub(super) fn load(path: &Path) -> Result<Chart, FetchError> {
    let loaded = load_path(path, &Options::default());
    Ok(loaded.map_err(|error| FetchError(error.to_string()))?.output)
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, FetchError> {
    fs::read(path).map_err(|error| FetchError(format!("open {}: {error}", path.display())))
}

impl Charts for Mirrors {
    fn versions(
        &self,
        source: &Source,
        chart: &str,
    ) -> Result<Option<Vec<ChartVersion>>, FetchError> {
        repository::versions(&self.folder_of(&source.url)?, chart)
    }

    fn archive(
        &self,
        source: &Source,
        chart: &str,
        version: &ChartVersion,
    ) -> Result<Chart, FetchError> {
        repository::archive(&self.folder_of(&source.url)?, &source.url, chart, version)
    }

    fn tags(&self, source: &Source) -> Result<Vec<String>, FetchError> {
        let (dir, chart) = self.image_folder(&source.url)?;
        if layout::is_layout(&dir) {
            return layout::tags(&dir);
        }
        let versions = repository::versions(&dir, &chart)?.unwrap_or_default();
        Ok(versions.into_iter().map(|entry| entry.version.replace('+', "_")).collect())
    }

    fn image(&self, source: &Source, image: &ImageRef) -> Result<ChartImage, FetchError> {
        let (dir, chart) = self.image_folder(&source.url)?;
        if layout::is_layout(&dir) {
            return layout::image(&dir, image, source.layer.as_deref());
        }
        repository::image(&dir, &chart, image)
    }

    fn folder(&self, source: &Source, path: &str) -> Result<FolderChart, FetchError> {
        chart_in(&self.folder_of(&source.url)?, path)
    }

    fn file(&self, source: &Source, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        file_in(&self.folder_of(&source.url)?, path)
    }

    fn files(&self, source: &Source, path: &str) -> Result<Option<Vec<String>>, FetchError> {
        files_in(&self.folder_of(&source.url)?, path)
    }
}

/// The chart at a path within a folder.
pub(super) fn chart_in(root: &Path, path: &str) -> Result<FolderChart, FetchError> {
    let path = inside(root, path);
    if !path.exists() {
        return Err(FetchError(format!("no chart found at {}", path.display())));
    }
    Ok(FolderChart { chart: load(&path)?, packaged: !path.is_dir() })
}

/// A file within a folder; none where it is not there.
pub(super) fn file_in(root: &Path, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
    let path = inside(root, path);
    match fs::read(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FetchError(format!("open {}: {error}", path.display()))),
    }
}

/// The files below a folder within a folder.
pub(super) fn files_in(root: &Path, path: &str) -> Result<Option<Vec<String>>, FetchError> {
    let start = inside(root, path);
    if !start.is_dir() {
        return Ok(None);
    }
    let (mut names, mut pending) = (Vec::new(), vec![start]);
    while let Some(dir) = pending.pop() {
        let failed = |error| FetchError(format!("open {}: {error}", dir.display()));
        for entry in fs::read_dir(&dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            // Links could lead in a circle, or out of the folder.
            match entry.file_type().map_err(failed)? {
                kind if kind.is_dir() => pending.push(path),
                kind if kind.is_file() => {
                    let name = path.strip_prefix(root).unwrap_or(&path);
                    names.push(name.to_string_lossy().into_owned());
                }
                _ => {}
            }
        }
    }
    names.sort();
    Ok(Some(names))
}

impl Mirrors {
    /// The folder of an OCI repository, and the chart in it: a folder may hold the archives of several,
    /// being the mirror of what is above them in the registry.
    fn image_folder(&self, url: &str) -> Result<(PathBuf, String), FetchError> {
        let url = trimmed(url);
        let chart = url.rsplit('/').next().unwrap_or(url).to_owned();
        let dir = self.folder_of(url)?;
        if dir.is_dir() {
            return Ok((dir, chart));
        }
        let above = dir.parent().map(Path::to_owned).filter(|above| above.is_dir());
        match above {
            Some(above) => Ok((above, chart)),
            None => Err(FetchError(format!("{}: no such folder", dir.display()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_url_wins() {
        let mut mirrors = Mirrors::new();
        for mapping in ["https://a.io=one", "https://a.io/charts/=two", "*=/nowhere"] {
            mirrors.add(mapping).unwrap();
        }
        let folder = |url: &str| mirrors.folder_of(url).unwrap();
        assert_eq!(folder("https://a.io/charts"), Path::new("two"));
        assert_eq!(folder("https://a.io/charts/web/"), Path::new("two/web"));
        assert_eq!(folder("https://a.io/chartsx"), Path::new("one/chartsx"));
        assert_eq!(folder("https://b.io/x"), Path::new("/nowhere"));
        assert!(mirrors.add("nothing").is_err() && mirrors.add("=x").is_err());
    }

    #[test]
    fn paths_stay_inside() {
        let dir = Path::new("/mirror");
        assert_eq!(inside(dir, "../../etc"), Path::new("/mirror/etc"));
        assert_eq!(inside(dir, "./"), Path::new("/mirror"));
    }
}
