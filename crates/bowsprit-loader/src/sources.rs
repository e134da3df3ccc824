//! Charts from wherever they are: the way from a reference to a file.

use crate::error::{Error, ErrorKind};
use crate::io::PathError;
use crate::net::{Client, Credentials, FileSink, MemorySink, Pending, Tls, origin, sink};
use crate::oci::{
    CredentialStore, OciError, OciReference, Pulled, Pushed, Registry, RegistryOptions, Resolved,
};
use crate::paths::HelmPaths;
use crate::reference::{self, Reference};
use crate::repo::{
    self, HasUrl, IndexLimits, OneChart, Repository, RepositoryFile, read_index_file,
};
use crate::time;
use bowsprit_chart::{ChartVersion, LogLine, Warned};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whether a chart's provenance is brought along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provenance {
    /// It is not asked for.
    #[default]
    Ignore,
    /// It is brought if it is there.
    Try,
    /// It must be there.
    Require,
}

/// How a chart is looked for and brought.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ChartQuery {
    /// A version or a range; empty for the newest.
    pub version: String,
    /// A repository's URL that need not have been added; empty for none.
    pub repository_url: String,
    /// Name and password that were given for this chart.
    pub credentials: Option<Credentials>,
    /// Gives them to every host that the chart comes from.
    pub pass_credentials: bool,
    /// Whom to trust and how to identify.
    pub tls: Tls,
    /// Speaks HTTP without TLS to registries.
    pub plain_http: bool,
    /// Whether the provenance is brought along.
    pub provenance: Provenance,
}

/// What Helm prints while it brings a chart.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Said {
    /// For standard output.
    pub notice: String,
    /// For the log.
    pub log: Vec<LogLine>,
}

/// A chart that is on disk now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Located {
    /// The directory or the archive.
    pub path: PathBuf,
    /// The name that the archive has at its source; none for what was on disk before.
    pub file_name: Option<String>,
    /// The provenance, where it was asked for and found.
    pub provenance: Option<PathBuf>,
    /// What Helm prints of it.
    pub said: Said,
}

impl Located {
    /// What was on disk before.
    pub fn on_disk(path: PathBuf) -> Located {
        Located { path, file_name: None, provenance: None, said: Said::default() }
    }
}

/// Where a chart can be had.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Place {
    /// On disk.
    Path(PathBuf),
    /// At a URL.
    Url {
        /// The URL of the archive.
        url: String,
        /// The archive's SHA-256 in hexadecimal digits, where an index says it.
        digest: Option<String>,
        /// With whose credentials and trust it is asked for.
        repository: Box<Repository>,
        /// What errors say of these credentials.
        source: String,
    },
    /// In a registry.
    Registry(Box<Resolved>),
}

/// Brings charts from repositories and registries, and keeps them in Helm's caches.
#[derive(Clone)]
pub struct Sources {
    paths: HelmPaths,
    client: Client,
    limits: IndexLimits,
    /// Bytes that an archive may have.
    chart_limit: u64,
    /// Folders with credential helpers.
    search: Option<std::ffi::OsString>,
    mirrors: Vec<(String, String)>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Sources { paths, client, .. } = self;
        f.debug_struct("Sources")
            .field("paths", paths)
            .field("client", client)
            .finish_non_exhaustive()
    }
}

/// As much as an archive may inflate to.
const CHART_LIMIT: u64 = 100 << 20;

impl Sources {
    /// Sources that share files with Helm and ask by a client.
    pub fn new(paths: HelmPaths, client: Client) -> Sources {
        Sources {
            paths,
            client,
            limits: IndexLimits::default(),
            chart_limit: CHART_LIMIT,
            search: None,
            mirrors: Vec::new(),
        }
    }

    /// Other limits on indexes.
    #[must_use]
    pub fn index_limits(mut self, limits: IndexLimits) -> Sources {
        self.limits = limits;
        self
    }

    /// Other limits on the bytes of an archive.
    #[must_use]
    pub fn chart_limit(mut self, bytes: u64) -> Sources {
        self.chart_limit = bytes;
        self
    }

    /// Looks for credential helpers in the folders of a `PATH`. Without it none is started.
    #[must_use]
    pub fn helpers(mut self, path: Option<std::ffi::OsString>) -> Sources {
        self.search = path;
        self
    }

    /// Registries that are asked before others: host and mirror.
    #[must_use]
    pub fn mirrors(mut self, mirrors: Vec<(String, String)>) -> Sources {
        self.mirrors = mirrors;
        self
    }

    /// Where the files are.
    pub fn paths(&self) -> &HelmPaths {
        &self.paths
    }

    /// Who asks.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A program among the folders of `PATH`.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        let name = if cfg!(windows) { format!("{name}.exe") } else { name.to_owned() };
        let search = self.search.as_deref()?;
        std::env::split_paths(search).map(|dir| dir.join(&name)).find(|path| path.is_file())
    }

    /// What indexes may cost.
    pub fn limits(&self) -> &IndexLimits {
        &self.limits
    }

    /// A client for registries, with what a query says of them.
    pub fn registry(&self, query: &ChartQuery) -> Registry {
        let store = CredentialStore::new(&self.paths, self.search.as_deref());
        let options = RegistryOptions {
            plain_http: query.plain_http,
            tls: query.tls.clone(),
            credentials: query.credentials.clone(),
            mirrors: self.mirrors.clone(),
        };
        Registry::new(self.client.clone(), store, options)
    }

    /// The repositories that have been added.
    ///
    /// # Errors
    ///
    /// Where the file can't be read.
    pub fn repositories(&self) -> Result<RepositoryFile, Error> {
        let file = RepositoryFile::load(&self.paths.repository_config);
        Ok(file.map_err(ErrorKind::Repository)?.unwrap_or_default())
    }

    /// Finds the chart that a reference means and brings it to disk: what is on disk stays there,
    /// downloads go to the content cache.
    ///
    /// # Errors
    ///
    /// With Helm's words, where Helm fails; and where what comes is not what the index promised.
    pub async fn locate(&self, reference: &str, query: &ChartQuery) -> Result<Located, Error> {
        let mut said = Said::default();
        let place = self.resolve(reference, query, &mut said).await?;
        self.bring(place, reference, query, said).await
    }

    /// Finds out where the chart is that a reference means.
    ///
    /// # Errors
    ///
    /// Where nobody has it.
    pub async fn resolve(
        &self,
        reference: &str,
        query: &ChartQuery,
        said: &mut Said,
    ) -> Result<Place, Error> {
        let name = reference.trim();
        if query.repository_url.is_empty() {
            if let Some(path) = reference::local(name)? {
                return Ok(Place::Path(path));
            }
        } else {
            let url = self.in_repository_at(name, query, said).await?;
            return self.at_url(&url, query, Some(&query.repository_url));
        }
        match reference::remote(name)? {
            Reference::Oci => {
                let registry = self.registry(query);
                let found = registry.choose(name, query.version.trim()).await;
                let found = found.map_err(ErrorKind::Registry)?;
                let resolved = registry.resolve(&found).await.map_err(ErrorKind::Registry)?;
                Ok(Place::Registry(Box::new(resolved)))
            }
            Reference::Url => self.at_url(name, query, None),
            Reference::Repository { name, chart } => self.in_repository(&name, &chart, query, said),
        }
    }

    /// A chart of a repository that has been added, by the index in the cache.
    fn in_repository(
        &self,
        name: &str,
        chart: &str,
        query: &ChartQuery,
        said: &mut Said,
    ) -> Result<Place, Error> {
        let other = |text: String| Error::from(ErrorKind::Repository(repo::Error::Other(text)));
        let file = self.repositories()?;
        let repository = file.get(name).ok_or_else(|| other(format!("repo {name} not found")))?;
        if repository.url.is_empty() {
            return Err(other(format!("no URL found for repository {name}")));
        }
        let scheme = reference::scheme(&repository.url);
        if !matches!(scheme.as_str(), "http" | "https" | "oci") {
            return Err(other(format!("could not find protocol handler for: {scheme}")));
        }
        let wanted = query.version.trim();
        let chosen = self.cached_version(name, chart, wanted).map_err(|error| match error {
            repo::Error::NoVersion(_) => ErrorKind::Repository(error.because(format!(
                "chart {chart:?} matching {wanted} not found in {name} index. \
                 (try 'helm repo update'): "
            ))),
            error => ErrorKind::Repository(
                error.because("no cached repo found. (try 'helm repo update'): "),
            ),
        })?;
        said.log.extend(chosen.warnings);
        let version = chosen.output;
        let Some(url) = version.urls.iter().flatten().next() else {
            return Err(other(format!("chart \"{name}/{chart}\" has no downloadable URLs")));
        };
        let url = repo::resolve_url(&repository.url, url)
            .map_err(|_| other(format!("invalid chart URL format: {name}/{chart}")))?;
        let digest = checked_digest(&version.digest).map_err(other)?;
        let (repository, source) = configured(repository, query, &self.paths);
        Ok(Place::Url { url, digest, repository: Box::new(repository), source })
    }

    /// A version of a chart in the cached index of a repository. Only this chart is parsed.
    ///
    /// # Errors
    ///
    /// Where there is no such index, chart or version.
    pub fn cached_version(
        &self,
        repository: &str,
        chart: &str,
        wanted: &str,
    ) -> Result<Warned<ChartVersion>, repo::Error> {
        let mut one = OneChart::named(chart);
        let file = self.paths.index_file(repository);
        let read = read_index_file(&file, &self.limits, &mut one);
        let mut log = read.map_err(|error| match error {
            repo::IndexError::Io(error) => repo::Error::Io(error),
            error => {
                repo::Error::Index(error).because(format!("error loading {}: ", file.display()))
            }
        })?;
        let chosen = one.choose(wanted).map_err(repo::Error::NoVersion)?;
        log.warnings.extend(chosen.warnings);
        Ok(Warned { output: chosen.output, warnings: log.warnings })
    }

    /// A chart of a repository that has not been added: the URL of its archive.
    async fn in_repository_at(
        &self,
        chart: &str,
        query: &ChartQuery,
        said: &mut Said,
    ) -> Result<String, Error> {
        let at = &query.repository_url;
        let repository = given(at, query);
        // Nobody else needs this index.
        let mut one = OneChart::named(chart);
        let file = self
            .paths
            .repository_cache
            .join(format!(".{}-index.yaml", sink::sha256(at.as_bytes())));
        let fetched =
            repo::fetch_index(&self.client, &repository, &self.limits, None, &file, &mut one).await;
        let head = fetched.map_err(|error| {
            ErrorKind::Repository(error.because(format!(
                "looks like {at:?} is not a valid chart repository or cannot be reached: "
            )))
        })?;
        // Whether it can be removed makes no difference now.
        let _ = std::fs::remove_file(&file);
        said.log.extend(head.warnings);
        let wanted = query.version.trim();
        let mut name = format!("chart {chart:?}");
        if !wanted.is_empty() {
            name.push_str(&format!(" version {wanted:?}"));
        }
        let other = |text: String| Error::from(ErrorKind::Repository(repo::Error::Other(text)));
        let chosen = one.choose(wanted);
        let chosen = chosen.map_err(|_| other(format!("{name} not found in {at} repository")))?;
        said.log.extend(chosen.warnings);
        let Some(url) = chosen.output.urls.into_iter().flatten().next() else {
            return Err(other(format!("{name} has no downloadable URLs")));
        };
        let url = repo::resolve_url(at, &url);
        Ok(url
            .map_err(|e| ErrorKind::Repository(e.because("failed to make chart URL absolute: ")))?)
    }

    /// An archive at a URL. If a repository that has been added has this URL, its credentials count;
    /// `home` is the repository that was named instead.
    fn at_url(&self, url: &str, query: &ChartQuery, home: Option<&str>) -> Result<Place, Error> {
        let digest = None;
        for repository in &self.repositories()?.repositories {
            let mut has = HasUrl { url: url.to_owned(), found: false };
            let file = self.paths.index_file(&repository.name);
            let read = read_index_file(&file, &self.limits, &mut has);
            read.map_err(|error| {
                ErrorKind::Repository(
                    repo::Error::from(error)
                        .because("no cached repo found. (try 'helm repo update'): "),
                )
            })?;
            if has.found {
                let (repository, source) = configured(repository, query, &self.paths);
                let repository = Box::new(repository);
                return Ok(Place::Url { url: url.to_owned(), digest, repository, source });
            }
        }
        let mut repository = given(home.unwrap_or(url), query);
        if origin(&repository.url) != origin(url) && !query.pass_credentials {
            (repository.username, repository.password) = (String::new(), String::new());
        }
        let source = "--username".to_owned();
        Ok(Place::Url { url: url.to_owned(), digest, repository: Box::new(repository), source })
    }

    /// Brings an archive whose URL is known, with what is known of its repository.
    ///
    /// # Errors
    ///
    /// Where it can't be had whole, or its digest is another one.
    pub(crate) async fn fetch(
        &self,
        url: &str,
        digest: Option<&str>,
        repository: &Repository,
        query: &ChartQuery,
    ) -> Result<Located, Error> {
        let config = self.paths.repository_config.display();
        let place = Place::Url {
            url: url.to_owned(),
            digest: digest.map(str::to_owned),
            repository: Box::new(repository.clone()),
            source: format!("{config}, entry {:?}", repository.name),
        };
        self.bring(place, url, query, Said::default()).await
    }

    async fn bring(
        &self,
        place: Place,
        reference: &str,
        query: &ChartQuery,
        mut said: Said,
    ) -> Result<Located, Error> {
        match place {
            Place::Path(path) => Ok(Located { said, ..Located::on_disk(path) }),
            Place::Registry(resolved) => {
                let pulled = self.pull(*resolved, query).await?;
                said.notice.push_str(&pulled.resolved.notice());
                let provenance = pulled.provenance.clone();
                if provenance.is_none() && query.provenance != Provenance::Ignore {
                    self.no_provenance(&pulled, reference, query, &mut said)?;
                }
                let file_name = Some(oci_file_name(&pulled.resolved));
                Ok(Located { path: pulled.chart, file_name, provenance, said })
            }
            Place::Url { url, digest, repository, source } => {
                let path = self.download(&url, digest.as_deref(), &repository, &source).await?;
                let key = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let provenance = match query.provenance {
                    Provenance::Ignore => None,
                    _ => {
                        let found = self.provenance(&url, &key, &repository, &source).await;
                        self.judge(found, &url, reference, query, &mut said)?
                    }
                };
                Ok(Located { path, file_name: Some(file_name(&url)), provenance, said })
            }
        }
    }

    /// Brings what was found in a registry.
    ///
    /// # Errors
    ///
    /// Where it can't be had whole, or is not what its digest promises.
    pub async fn pull(&self, resolved: Resolved, query: &ChartQuery) -> Result<Pulled, Error> {
        let with = query.provenance != Provenance::Ignore;
        let registry = self.registry(query);
        let pulled = registry.pull(resolved, &self.paths, with, self.chart_limit).await;
        Ok(pulled.map_err(ErrorKind::Registry)?)
    }

    /// Brings an archive into the content cache. What is there already, by the digest that is known, is
    /// not brought again.
    ///
    /// # Errors
    ///
    /// Where it can't be had whole, or its digest is another one.
    pub async fn download(
        &self,
        url: &str,
        digest: Option<&str>,
        repository: &Repository,
        source: &str,
    ) -> Result<PathBuf, Error> {
        if let Some(digest) = digest {
            let file = self.paths.chart_content(digest);
            if crate::content::is_intact(&file, digest) {
                return Ok(file);
            }
        }
        let mut call = repo::call(repository, url, source).map_err(ErrorKind::Repository)?;
        call.limit = self.chart_limit;
        call.what = file_name(url);
        let accept = "application/gzip,application/octet-stream";
        call.headers.push(crate::net::Header::new("accept", accept));
        let mut sink = FileSink::create_in(&self.paths.content_cache)?;
        let fetched = self.client.download(&call, &mut sink).await;
        fetched.map_err(|error| ErrorKind::Repository(error.into()))?;
        let found = sink.digest();
        if let Some(wanted) = digest.filter(|wanted| *wanted != found) {
            return Err(ErrorKind::WrongDigest {
                url: crate::net::redacted(url),
                wanted: wanted.to_owned(),
                found,
            }
            .into());
        }
        let file = self.paths.chart_content(&found);
        sink.keep(&file)?;
        Ok(file)
    }

    async fn provenance(
        &self,
        url: &str,
        digest: &str,
        repository: &Repository,
        source: &str,
    ) -> Result<PathBuf, repo::Error> {
        let file = self.paths.provenance_content(digest);
        if file.metadata().is_ok_and(|metadata| metadata.len() > 0) {
            return Ok(file);
        }
        let mut call = repo::call(repository, &format!("{url}.prov"), source)?;
        call.limit = 4 << 20;
        let mut memory = MemorySink::default();
        self.client.download(&call, &mut memory).await?;
        sink::write_atomically(&file, &memory.0, 0o644)?;
        Ok(file)
    }

    fn judge(
        &self,
        found: Result<PathBuf, repo::Error>,
        url: &str,
        reference: &str,
        query: &ChartQuery,
        said: &mut Said,
    ) -> Result<Option<PathBuf>, Error> {
        match found {
            Ok(file) => Ok(Some(file)),
            Err(error) if query.provenance == Provenance::Require => {
                let url = crate::net::redacted(url);
                let text = format!("failed to fetch provenance \"{url}.prov\"");
                Err(ErrorKind::NoProvenance(text, Some(Box::new(error))).into())
            }
            Err(error) => {
                let text = format!("WARNING: Verification not found for {reference}: {error}\n");
                said.notice.push_str(&text);
                Ok(None)
            }
        }
    }

    fn no_provenance(
        &self,
        pulled: &Pulled,
        reference: &str,
        query: &ChartQuery,
        said: &mut Said,
    ) -> Result<(), Error> {
        let missing = format!(
            "manifest does not contain a layer with mediatype {}",
            crate::oci::PROVENANCE_MEDIA_TYPE
        );
        if query.provenance == Provenance::Require {
            let url = format!("oci://{}.prov", pulled.resolved.reference);
            return Err(ErrorKind::NoProvenance(
                format!("failed to fetch provenance {url:?}"),
                None,
            )
            .into());
        }
        let text = format!("WARNING: Verification not found for {reference}: {missing}\n");
        said.notice.push_str(&text);
        Ok(())
    }

    /// Brings the index of a repository into the cache.
    ///
    /// # Errors
    ///
    /// Where it can't be had, or is none; what was in the cache before stays there.
    pub async fn update(
        &self,
        repository: &Repository,
        timeout: Option<Duration>,
    ) -> Result<Vec<LogLine>, repo::Error> {
        repo::update(&self.client, &self.paths, repository, &self.limits, timeout).await
    }
}

/// Updates of several repositories, in the order in which they end.
#[derive(Debug)]
pub struct Updates<'s>(FuturesUnordered<Pending<'s, Update<'s>>>);

type Update<'s> = (&'s Repository, Result<Vec<LogLine>, repo::Error>);

impl<'s> Updates<'s> {
    /// The next one that is done; none when all are.
    pub async fn next(&mut self) -> Option<Update<'s>> {
        self.0.next().await
    }
}

impl Sources {
    /// Brings the indexes of several repositories at once.
    pub fn update_all<'s>(
        &'s self,
        repositories: &'s [Repository],
        timeout: Option<Duration>,
    ) -> Updates<'s> {
        let update = |repository: &'s Repository| -> Pending<'s, Update<'s>> {
            Box::pin(async move { (repository, self.update(repository, timeout).await) })
        };
        Updates(repositories.iter().map(update).collect())
    }

    /// Pushes a packaged chart to a registry, with the provenance that lies beside it. `remote` is the
    /// path below which the chart's name goes.
    ///
    /// # Errors
    ///
    /// For what is no packaged chart, and where the registry refuses.
    pub async fn push(
        &self,
        archive: &Path,
        remote: &str,
        query: &ChartQuery,
    ) -> Result<Pushed, Error> {
        let other = |text: String| Error::from(ErrorKind::Registry(OciError::Invalid(text)));
        let shown = archive.display();
        let metadata = match archive.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(other(format!("{shown}: no such file")));
            }
            Err(error) => return Err(PathError::new("stat", archive, error).into()),
        };
        if metadata.is_dir() {
            let text = "cannot push directory, must provide chart archive (.tgz)";
            return Err(other(text.to_owned()));
        }
        let chart = crate::load_path(archive, &crate::Options::default())?.output;
        let read =
            |path: &Path| std::fs::read(path).map_err(|error| PathError::new("open", path, error));
        let mut beside = archive.as_os_str().to_owned();
        beside.push(".prov");
        let provenance = match PathBuf::from(beside) {
            beside if beside.exists() => Some(read(&beside)?),
            _ => None,
        };
        let created = metadata.modified().map_or(String::new(), time::rfc3339);
        let remote = remote.trim_end_matches('/');
        let target = format!("{remote}/{}:{}", chart.metadata.name, chart.metadata.version);
        let target = OciReference::parse(&target).map_err(ErrorKind::Registry)?;
        let content = read(archive)?;
        let registry = self.registry(query);
        let pushed = registry.push(&target, &chart.metadata, content, provenance, &created).await;
        Ok(pushed.map_err(ErrorKind::Registry)?)
    }
}

/// A repository as the query describes it.
fn given(url: &str, query: &ChartQuery) -> Repository {
    let mut repository = Repository::new("", url);
    if let Some(credentials) = &query.credentials {
        repository.username.clone_from(&credentials.username);
        repository.password.clone_from(&credentials.password);
    }
    repository.pass_credentials_all = query.pass_credentials;
    repository.cert_file.clone_from(&query.tls.cert_file);
    repository.key_file.clone_from(&query.tls.key_file);
    repository.ca_file.clone_from(&query.tls.ca_file);
    repository.insecure_skip_tls_verify = query.tls.insecure;
    repository
}

/// A repository as its configuration describes it, completed by the query.
fn configured(known: &Repository, query: &ChartQuery, paths: &HelmPaths) -> (Repository, String) {
    let mut repository = given(&known.url, query);
    repository.name.clone_from(&known.name);
    let mut source = "--username".to_owned();
    if !known.username.is_empty() && !known.password.is_empty() {
        repository.username.clone_from(&known.username);
        repository.password.clone_from(&known.password);
        repository.pass_credentials_all = known.pass_credentials_all;
        source = format!("{}, entry {:?}", paths.repository_config.display(), known.name);
    }
    if !(known.cert_file.is_empty() && known.key_file.is_empty() && known.ca_file.is_empty()) {
        repository.cert_file.clone_from(&known.cert_file);
        repository.key_file.clone_from(&known.key_file);
        repository.ca_file.clone_from(&known.ca_file);
    }
    repository.insecure_skip_tls_verify |= known.insecure_skip_tls_verify;
    (repository, source)
}

/// The digits of a digest in an index; none where there is none.
pub(crate) fn checked_digest(digest: &str) -> Result<Option<String>, String> {
    if digest.is_empty() {
        return Ok(None);
    }
    let digits = digest.split_once(':').map_or(digest, |(_, digits)| digits).to_ascii_lowercase();
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) || digits.len() % 2 == 1 {
        return Err(format!("unable to decode digest: {digest:?} is not hexadecimal"));
    }
    if digits.len() != 64 {
        return Err(format!("invalid digest length: {}", digits.len() / 2));
    }
    Ok(Some(digits))
}

/// The last element of a URL's path.
pub(crate) fn file_name(url: &str) -> String {
    let path = match url::Url::parse(url) {
        Ok(url) => String::from_utf8_lossy(&reference::unescape(url.path())).into_owned(),
        Err(_) => url.to_owned(),
    };
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    // Whoever writes the URL shall not choose the folder.
    let safe = !matches!(name, "" | "." | "..") && !name.contains(['\\', '\0']);
    if safe { name.to_owned() } else { "chart.tgz".to_owned() }
}

fn oci_file_name(resolved: &Resolved) -> String {
    let reference = &resolved.reference;
    let name = reference.repository.rsplit('/').next().unwrap_or_default();
    match (&reference.tag, &reference.digest) {
        (Some(tag), _) => format!("{name}-{}.tgz", tag.replace('_', "+")),
        (None, Some(digest)) => format!("{name}@{}.tgz", digest.replace(':', "-")),
        (None, None) => format!("{name}.tgz"),
    }
}
