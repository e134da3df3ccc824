//! Chart repositories: an `index.yaml` on a web server, and the archives that it names.

mod cut;
mod file;
mod index;
mod make;
mod search;
mod whole;

pub use file::{Repository, RepositoryFile, RepositoryLock};
pub use index::{
    IndexError, IndexHead, IndexLimits, NoVersion, Visitor, choose, read_index_file, sort_versions,
};
pub use make::{IndexOptions, write_index};
pub use search::{Found, Matcher, Search};
pub use whole::Index;

use crate::io::PathError;
use crate::net::client::Call;
use crate::net::{Client, FetchError, FileSink, origin, redacted, sink};
use crate::paths::HelmPaths;
use bowsprit_chart::{ChartVersion, LogLine, Warned};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How the index of a repository that has not been added is called in the cache.
pub(crate) const UNMANAGED: &str = "helm-manager-";

/// Why a repository could not be used. `{}` is Helm's text; `{:#}` adds what
/// [`FetchError`] adds.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// What precedes the reason, such as `looks like "…" is not a valid chart repository…: `.
    Because(String, Box<Error>),
    /// A request failed.
    Fetch(FetchError),
    /// The index is none.
    Index(IndexError),
    /// The index has no fitting chart.
    NoVersion(NoVersion),
    /// The disk refuses.
    Io(PathError),
    /// Anything else.
    Other(String),
}

impl Error {
    /// The reason behind this error.
    #[must_use]
    pub fn because(self, text: impl Into<String>) -> Error {
        Error::Because(text.into(), Box::new(self))
    }

    /// The failed request, where there is one.
    pub fn fetch(&self) -> Option<&FetchError> {
        match self {
            Error::Because(_, error) => error.fetch(),
            Error::Fetch(error) => Some(error),
            _ => None,
        }
    }
}

impl From<FetchError> for Error {
    fn from(error: FetchError) -> Error {
        Error::Fetch(error)
    }
}

impl From<IndexError> for Error {
    fn from(error: IndexError) -> Error {
        Error::Index(error)
    }
}

impl From<PathError> for Error {
    fn from(error: PathError) -> Error {
        Error::Io(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Because(text, error) => {
                f.write_str(text)?;
                error.fmt(f)
            }
            Error::Fetch(error) => error.fmt(f),
            Error::Index(error) => error.fmt(f),
            Error::NoVersion(error) => error.fmt(f),
            Error::Io(error) => error.fmt(f),
            Error::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Because(_, error) => Some(error),
            Error::Fetch(error) => Some(error),
            Error::Index(error) => Some(error),
            Error::NoVersion(error) => Some(error),
            Error::Io(error) => Some(error),
            Error::Other(_) => None,
        }
    }
}

/// The URL of something in a repository: absolute ones stay as they are, others are below the
/// repository's URL, whose query they inherit.
///
/// # Errors
///
/// For what is no URL, with Helm's words.
pub fn resolve_url(repository: &str, reference: &str) -> Result<String, Error> {
    let failed = |url: &str| Error::Other(format!("failed to parse {} as URL", redacted(url)));
    if crate::reference::has_scheme(reference) {
        return Ok(reference.to_owned());
    }
    let mut base = url::Url::parse(repository).map_err(|_| failed(repository))?;
    let path = format!("{}/", base.path().trim_end_matches('/'));
    base.set_path(&path);
    let query = base.query().map(str::to_owned);
    let mut joined = base.join(reference).map_err(|_| failed(reference))?;
    joined.set_query(query.as_deref());
    Ok(joined.into())
}

/// Asks a repository, or whoever has its charts. Name and password go to the repository's own host
/// only, unless its configuration says otherwise.
pub(crate) fn call(repository: &Repository, url: &str, source: &str) -> Result<Call, Error> {
    let scheme = crate::reference::scheme(url);
    if !matches!(scheme.as_str(), "http" | "https") {
        return Err(Error::Other(format!("scheme {scheme:?} not supported")));
    }
    let mut call = Call::get(url);
    call.tls = Arc::new(repository.tls());
    let at_home = origin(url).is_some_and(|o| origin(&repository.url) == Some(o));
    if let Some(credentials) = repository.credentials(source)
        && (at_home || repository.pass_credentials_all)
    {
        call = call.basic(&credentials);
    }
    Ok(call)
}

/// Downloads the index of a repository into a file, reading it on the way.
///
/// # Errors
///
/// Where it can't be had, or is none. The file is left as it was then.
pub async fn fetch_index(
    client: &Client,
    repository: &Repository,
    limits: &IndexLimits,
    timeout: Option<Duration>,
    file: &Path,
    visitor: &mut (dyn Visitor + Send),
) -> Result<Warned<IndexHead>, Error> {
    let scheme = crate::reference::scheme(&repository.url);
    if !matches!(scheme.as_str(), "http" | "https") {
        return Err(Error::Other(format!("could not find protocol handler for: {scheme}")));
    }
    let url = resolve_url(&repository.url, "index.yaml")?;
    let mut call = call(repository, &url, "the repository's configuration")?;
    call.limit = limits.bytes;
    call.total = timeout;
    call.what = match repository.name.as_str() {
        "" => "index.yaml".to_owned(),
        // A name that nobody has given.
        name if name.starts_with(UNMANAGED) => redacted(&url),
        name => format!("{name}/index.yaml"),
    };
    let dir = file.parent().unwrap_or(Path::new("."));
    let mut sink = FileSink::create_in(dir)?;
    client.download(&call, &mut sink).await?;
    let head = index::read_index_as(sink.temporary(), &redacted(&repository.url), limits, visitor)?;
    sink.keep(file)?;
    Ok(head)
}

/// Takes the names of the charts and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Validate;

impl Visitor for Validate {
    fn wants(&mut self, _: &str) -> bool {
        true
    }

    fn version(&mut self, _: &str, _: ChartVersion) {}

    fn restart(&mut self) {}
}

/// Brings the index of a repository into the cache, with the list of its charts beside it.
///
/// # Errors
///
/// As [`fetch_index`].
pub async fn update(
    client: &Client,
    paths: &HelmPaths,
    repository: &Repository,
    limits: &IndexLimits,
    timeout: Option<Duration>,
) -> Result<Vec<LogLine>, Error> {
    let file = paths.index_file(&repository.name);
    let head = fetch_index(client, repository, limits, timeout, &file, &mut Validate).await?;
    let mut names = String::new();
    for name in &head.output.charts {
        names.push_str(name);
        names.push('\n');
    }
    sink::write_atomically(&paths.charts_file(&repository.name), names.as_bytes(), 0o644)?;
    Ok(head.warnings)
}

/// Takes the versions of one chart.
#[derive(Clone, Debug, Default)]
pub struct OneChart {
    name: String,
    found: Option<Vec<ChartVersion>>,
}

impl OneChart {
    /// Looks for a chart.
    pub fn named(name: impl Into<String>) -> OneChart {
        OneChart { name: name.into(), found: None }
    }

    /// Its versions, the newest first; none where there is no such chart.
    pub fn versions(self) -> Option<Vec<ChartVersion>> {
        let mut found = self.found?;
        sort_versions(&mut found);
        Some(found)
    }

    /// The version that is wanted, as [`choose`] finds it.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn choose(self, wanted: &str) -> Result<Warned<ChartVersion>, NoVersion> {
        let name = self.name.clone();
        let versions = self.versions().ok_or(NoVersion::Name)?;
        let chosen = choose(&versions, &name, wanted)?;
        Ok(Warned { output: chosen.output.clone(), warnings: chosen.warnings })
    }
}

impl Visitor for OneChart {
    fn wants(&mut self, chart: &str) -> bool {
        let wanted = chart == self.name;
        if wanted {
            self.found.get_or_insert_default();
        }
        wanted
    }

    fn version(&mut self, _: &str, version: ChartVersion) {
        self.found.get_or_insert_default().push(version);
    }

    fn restart(&mut self) {
        self.found = None;
    }
}

/// Takes no more than whether a URL is among those of the charts.
#[derive(Clone, Debug)]
pub(crate) struct HasUrl {
    pub(crate) url: String,
    pub(crate) found: bool,
}

impl Visitor for HasUrl {
    fn wants(&mut self, _: &str) -> bool {
        !self.found
    }

    fn version(&mut self, _: &str, version: ChartVersion) {
        self.found |= version.urls.iter().flatten().any(|url| same_url(url, &self.url));
    }

    fn restart(&mut self) {
        self.found = false;
    }
}

/// Compares URLs but for what makes no difference: slashes at the end, and `.` and `..`.
pub fn same_url(a: &str, b: &str) -> bool {
    let clean = |text: &str| {
        let parsed = url::Url::parse(text);
        parsed.map_or_else(|_| text.to_owned(), Into::into).trim_end_matches('/').to_owned()
    };
    a == b || clean(a) == clean(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_joined_as_helm_joins_them() {
        for (repository, reference, want) in [
            ("http://h/r", "a.tgz", "http://h/r/a.tgz"),
            ("http://h/r/", "charts/a.tgz", "http://h/r/charts/a.tgz"),
            ("http://h/r?token=x", "index.yaml", "http://h/r/index.yaml?token=x"),
            ("http://h/r", "/a.tgz", "http://h/a.tgz"),
            ("http://h/r", "../a.tgz", "http://h/a.tgz"),
            ("http://h/r", "https://o/a.tgz", "https://o/a.tgz"),
            ("http://h", "a.tgz", "http://h/a.tgz"),
        ] {
            assert_eq!(resolve_url(repository, reference).unwrap(), want);
        }
        assert!(same_url("http://h/a/", "http://h/a"));
        assert!(!same_url("http://h/a", "http://h/b"));
    }

    #[test]
    fn credentials_stay_at_home() {
        let mut repository = Repository::new("a", "https://h/r");
        (repository.username, repository.password) = ("u".to_owned(), "p".to_owned());
        let given = |repository: &Repository, url: &str| {
            call(repository, url, "x").unwrap().headers.iter().any(|h| h.name == "authorization")
        };
        assert!(given(&repository, "https://h/r/a.tgz"));
        for url in ["https://o/a.tgz", "http://h/a.tgz", "https://h:444/a.tgz"] {
            assert!(!given(&repository, url), "{url}");
        }
        repository.pass_credentials_all = true;
        assert!(given(&repository, "https://o/a.tgz"));
        assert_eq!(
            call(&repository, "file:///etc/passwd", "x").unwrap_err().to_string(),
            "scheme \"file\" not supported"
        );
    }
}
