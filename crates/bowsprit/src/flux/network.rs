//! Charts of HelmReleases from where Flux would bring them.

use super::mirrors::{self, Mirrors};
use super::scratch::Scratch;
use bowsprit_chart::Chart;
use bowsprit_flux::{
    Access, ChartImage, ChartVersion, Charts, FetchError, FolderChart, ImageRef, Source,
};
use bowsprit_loader::net::{Credentials, Tls};
use bowsprit_loader::oci::{OciReference, Registry};
use bowsprit_loader::repo::{
    OneChart, Repository, fetch_index, read_index_file, resolve_url, same_url,
};
use bowsprit_loader::{Blocking, ChartQuery, GitQuery, Interrupted, Sources, Watch};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Charts of HelmReleases from where Flux would bring them, unless a folder stands for a URL: chart
/// repositories, registries, and Git repositories by the program `git`.
///
/// A source gets the credentials of the Secrets that it names; without Secrets, those that Helm and
/// Docker have stored on this machine. What is brought is kept until the value is dropped: an index is
/// fetched once, however many releases take charts of it.
///
/// It waits for the network by itself, so it can't be used on the threads of an asynchronous runtime.
pub struct Network {
    mirrors: Mirrors,
    sources: Option<Sources>,
    runtime: OnceCell<Blocking>,
    watch: Option<Watch>,
    scratch: std::io::Result<Scratch>,
    /// Index files by URL.
    indexes: RefCell<HashMap<String, PathBuf>>,
    registries: RefCell<HashMap<String, Registry>>,
    /// Files by what is in them.
    files: RefCell<HashMap<String, String>>,
    checkouts: RefCell<HashMap<GitQuery, Result<Checkout, FetchError>>>,
    interrupted: Cell<Option<Interrupted>>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Network { mirrors, sources, .. } = self;
        f.debug_struct("Network")
            .field("mirrors", mirrors)
            .field("sources", sources)
            .finish_non_exhaustive()
    }
}

/// The files of a Git repository.
#[derive(Clone, Debug)]
struct Checkout {
    root: PathBuf,
    commit: String,
}

/// Whoever fails has a text.
fn failed(error: impl fmt::Display) -> FetchError {
    FetchError(format!("{error:#}"))
}

impl Network {
    /// Charts from folders, and what no folder stands for by these sources; without any that is an
    /// error.
    pub fn new(mirrors: Mirrors, sources: Option<Sources>) -> Network {
        Network {
            mirrors,
            sources,
            runtime: OnceCell::new(),
            watch: None,
            scratch: Scratch::new(),
            indexes: RefCell::default(),
            registries: RefCell::default(),
            files: RefCell::default(),
            checkouts: RefCell::default(),
            interrupted: Cell::new(None),
        }
    }

    /// Lets a watch look after signals while nothing is waited for.
    #[must_use]
    pub fn watched(mut self, watch: &Watch) -> Network {
        self.watch = Some(watch.clone());
        self
    }

    /// The temporary folder, which is there once something was brought and holds credentials too. It goes
    /// with this value; whoever ends the program otherwise removes it.
    pub fn temporary_folder(&self) -> Option<&Path> {
        self.scratch.as_ref().ok().map(Scratch::dir)
    }

    /// The folders alone.
    pub fn mirrors(&self) -> &Mirrors {
        &self.mirrors
    }

    /// The signal that came while something was awaited. All that is asked for later fails.
    pub fn interrupted(&self) -> Option<Interrupted> {
        self.interrupted.get()
    }

    fn sources(&self, source: &Source) -> Result<(&Sources, Access), FetchError> {
        let url = &source.url;
        let sources = self.sources.as_ref().ok_or_else(|| {
            FetchError(format!(
                "{url} is not asked, for this is offline: name a folder that stands for it with \
                 --mirror {url}=DIR"
            ))
        })?;
        Ok((sources, source.access.clone().map_err(FetchError)?))
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, FetchError> {
        let interrupted = || FetchError("interrupted".to_owned());
        if self.interrupted.get().is_some() {
            return Err(interrupted());
        }
        if self.runtime.get().is_none() {
            // Nobody else sets it: this is not shared between threads.
            let runtime = Blocking::new().map_err(failed)?;
            let runtime = match &self.watch {
                Some(watch) => runtime.watched(watch),
                None => runtime,
            };
            let _ = self.runtime.set(runtime);
        }
        let runtime = self.runtime.get().ok_or_else(interrupted)?;
        runtime.wait_for_signals(future).map_err(|signal| {
            self.interrupted.set(Some(signal));
            interrupted()
        })
    }

    fn scratch(&self) -> Result<&Scratch, FetchError> {
        self.scratch.as_ref().map_err(failed)
    }

    /// A file with a secret or a certificate; none for an empty text.
    fn file_of(&self, text: &str) -> Result<String, FetchError> {
        if text.is_empty() {
            return Ok(String::new());
        }
        if let Some(known) = self.files.borrow().get(text) {
            return Ok(known.clone());
        }
        let path = self.scratch()?.file(text.as_bytes()).map_err(failed)?.display().to_string();
        self.files.borrow_mut().insert(text.to_owned(), path.clone());
        Ok(path)
    }

    fn tls(&self, access: &Access) -> Result<Tls, FetchError> {
        Ok(Tls {
            cert_file: self.file_of(&access.certificate)?,
            key_file: self.file_of(&access.key)?,
            ca_file: self.file_of(&access.authorities)?,
            insecure: false,
        })
    }

    /// The repository, and what errors say of its credentials.
    fn repository(
        &self,
        sources: &Sources,
        source: &Source,
        access: &Access,
    ) -> Result<(Repository, String), FetchError> {
        if access.origin.is_empty() {
            let known = sources.repositories().map_err(failed)?.repositories;
            if let Some(known) = known.into_iter().find(|known| same_url(&known.url, &source.url)) {
                let file = sources.paths().repository_config.display();
                let said = format!("{file}, entry {:?}", known.name);
                return Ok((known, said));
            }
        }
        let mut repository = Repository::new("", &source.url);
        repository.username.clone_from(&access.username);
        repository.password.clone_from(&access.password);
        repository.pass_credentials_all = access.pass_credentials;
        let tls = self.tls(access)?;
        repository.cert_file = tls.cert_file;
        repository.key_file = tls.key_file;
        repository.ca_file = tls.ca_file;
        Ok((repository, access.origin.clone()))
    }

    fn query(&self, access: &Access, host: &str) -> Result<ChartQuery, FetchError> {
        let mut query = ChartQuery::default();
        query.plain_http = access.insecure;
        query.tls = self.tls(access)?;
        let source = access.origin.clone();
        query.credentials = access.login(host).map(|(username, password)| Credentials {
            username,
            password,
            source,
        });
        Ok(query)
    }

    /// A client for the registry of a source, which keeps what it has learnt.
    fn registry(
        &self,
        source: &Source,
    ) -> Result<(Registry, ChartQuery, OciReference), FetchError> {
        let (sources, access) = self.sources(source)?;
        let reference = OciReference::parse(&source.url).map_err(failed)?;
        let query = self.query(&access, &reference.registry)?;
        let mut registries = self.registries.borrow_mut();
        let registry =
            registries.entry(source.url.clone()).or_insert_with(|| sources.registry(&query));
        Ok((registry.clone(), query, reference))
    }

    fn checkout(&self, source: &Source) -> Result<Checkout, FetchError> {
        let (sources, access) = self.sources(source)?;
        if source.kind != "GitRepository" {
            return Err(FetchError(format!(
                "{}: sources of the kind {} are not fetched: name a folder that stands for it with \
                 --mirror {}=DIR",
                source.url, source.kind, source.url
            )));
        }
        let query = self.git_query(source, &access)?;
        if let Some(known) = self.checkouts.borrow().get(&query) {
            return known.clone();
        }
        let root = self.scratch()?.path().map_err(failed)?;
        let brought = match self.wait(sources.git(&query, &root)) {
            Ok(Ok(commit)) => Ok(Checkout { root, commit }),
            Ok(Err(error)) => Err(failed(error)),
            Err(interrupted) => Err(interrupted),
        };
        self.checkouts.borrow_mut().insert(query, brought.clone());
        brought
    }

    fn git_query(&self, source: &Source, access: &Access) -> Result<GitQuery, FetchError> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let revision = &source.revision;
        let mut query = GitQuery::default();
        query.url.clone_from(&source.url);
        query.branch = text(&revision.branch);
        query.tag = text(&revision.tag);
        query.semver = text(&revision.semver);
        query.name = text(&revision.name);
        query.commit = text(&revision.commit);
        query.username.clone_from(&access.username);
        query.password.clone_from(&access.password);
        query.bearer_token.clone_from(&access.bearer_token);
        query.ca_file = self.file_of(&access.authorities)?;
        query.identity_file = self.file_of(&access.identity)?;
        query.known_hosts_file = self.file_of(&access.known_hosts)?;
        query.ignore = text(&source.ignore);
        Ok(query)
    }

    /// Reads the versions of a chart in an index, which is brought at the first time.
    fn index(&self, source: &Source, chart: &str) -> Result<OneChart, FetchError> {
        let (sources, access) = self.sources(source)?;
        let mut one = OneChart::named(chart);
        if let Some(file) = self.indexes.borrow().get(&source.url) {
            read_index_file(file, sources.limits(), &mut one).map_err(failed)?;
            return Ok(one);
        }
        let (repository, _) = self.repository(sources, source, &access)?;
        let file = self.scratch()?.path().map_err(failed)?;
        let (client, limits) = (sources.client(), sources.limits());
        let fetched = fetch_index(client, &repository, limits, None, &file, &mut one);
        self.wait(fetched)?.map_err(failed)?;
        self.indexes.borrow_mut().insert(source.url.clone(), file);
        Ok(one)
    }
}

impl Charts for Network {
    fn versions(
        &self,
        source: &Source,
        chart: &str,
    ) -> Result<Option<Vec<ChartVersion>>, FetchError> {
        if self.mirrors.has(&source.url) {
            return self.mirrors.versions(source, chart);
        }
        let versions = self.index(source, chart)?.versions();
        let entry = |entry: bowsprit_chart::ChartVersion| ChartVersion {
            version: entry.metadata.version,
            urls: entry.urls.unwrap_or_default(),
            created: entry.created,
            digest: entry.digest,
        };
        Ok(versions.map(|versions| versions.into_iter().map(entry).collect()))
    }

    fn archive(
        &self,
        source: &Source,
        chart: &str,
        version: &ChartVersion,
    ) -> Result<Chart, FetchError> {
        if self.mirrors.has(&source.url) {
            return self.mirrors.archive(source, chart, version);
        }
        let (sources, access) = self.sources(source)?;
        let url = version
            .urls
            .first()
            .ok_or_else(|| FetchError(format!("chart '{chart}' has no downloadable URLs")))?;
        let url = resolve_url(&source.url, url).map_err(failed)?;
        let digest = version.digest.rsplit(':').next().filter(|digest| !digest.is_empty());
        let (repository, said) = self.repository(sources, source, &access)?;
        let path = self.wait(sources.download(&url, digest, &repository, &said))?;
        mirrors::load(&path.map_err(failed)?)
    }

    fn tags(&self, source: &Source) -> Result<Vec<String>, FetchError> {
        if self.mirrors.has(&source.url) {
            return self.mirrors.tags(source);
        }
        let (registry, _, reference) = self.registry(source)?;
        self.wait(registry.tags(&reference))?.map_err(failed)
    }

    fn image(&self, source: &Source, image: &ImageRef) -> Result<ChartImage, FetchError> {
        if self.mirrors.has(&source.url) {
            return self.mirrors.image(source, image);
        }
        let (sources, _) = self.sources(source)?;
        let (registry, query, mut reference) = self.registry(source)?;
        match image {
            ImageRef::Tag(tag) => reference.tag = Some(tag.clone()),
            ImageRef::Digest(digest) => reference.digest = Some(digest.clone()),
        }
        let resolved = self.wait(registry.resolve(&reference))?.map_err(failed)?;
        if let Some(layer) =
            source.layer.as_ref().filter(|l| **l != resolved.manifest.chart.media_type)
        {
            return Err(super::layout::no_layer(layer));
        }
        let pulled = self.wait(sources.pull(resolved, &query))?.map_err(failed)?;
        let chart = mirrors::load(&pulled.chart)?;
        Ok(ChartImage { chart, digest: pulled.resolved.digest })
    }

    fn folder(&self, source: &Source, path: &str) -> Result<FolderChart, FetchError> {
        if self.mirrors.has(&source.url) {
            return self.mirrors.folder(source, path);
        }
        let root = self.checkout(source)?.root;
        mirrors::chart_in(&root, path).map_err(|error| named(error, &root, source))
    }

    fn commit(&self, source: &Source) -> Result<Option<String>, FetchError> {
        if self.mirrors.has(&source.url) {
            return self.mirrors.commit(source);
        }
        Ok(Some(self.checkout(source)?.commit))
    }

    fn file(&self, source: &Source, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        if self.mirrors.has(&source.url) {
            return self.mirrors.file(source, path);
        }
        let root = self.checkout(source)?.root;
        mirrors::file_in(&root, path).map_err(|error| named(error, &root, source))
    }

    fn files(&self, source: &Source, path: &str) -> Result<Option<Vec<String>>, FetchError> {
        if self.mirrors.has(&source.url) {
            return self.mirrors.files(source, path);
        }
        let root = self.checkout(source)?.root;
        mirrors::files_in(&root, path).map_err(|error| named(error, &root, source))
    }
}

/// Nobody knows the temporary folder, but the source.
fn named(error: FetchError, root: &Path, source: &Source) -> FetchError {
    FetchError(error.0.replace(&root.display().to_string(), &source.url))
}
