//! Bringing archives, all at once and each once.

use super::error::DependencyError;
use super::event::DependencyEvent as Event;
use super::local::{check_vendored_dir, is_local, pack_local};
use super::manager::{Run, is_oci};
use super::place::{there, versions_equal};
use super::resolve::{Indexes, has_url};
use crate::error::ErrorKind;
use crate::net::Pending;
use crate::repo::{self, Repository, same_url};
use crate::sources::{ChartQuery, Located, Provenance, Sources, checked_digest, file_name};
use crate::{Error, io};
use bowsprit_chart::{Chart, Dependency, Format, Limits};
use futures_util::StreamExt;
use std::collections::BTreeSet;
use std::path::Path;

/// An archive for `charts/`.
pub(super) struct Brought {
    pub(super) file_name: String,
    /// Its bytes; `None` where it is there already.
    pub(super) archive: Option<Vec<u8>>,
}

/// An error, and whether Helm stops at once for it, without a word about what is saved.
type Failed = (DependencyError, bool);

/// What is to be done for a dependency that names a repository.
enum Step {
    /// Nothing; the event says why.
    Nothing(Option<Event>),
    Done(Option<Event>, Brought),
    Fetch(Event, Fetch),
}

/// An archive that has to be fetched.
struct Fetch {
    /// What an error names.
    shown: String,
    from: From,
}

enum From {
    Url { url: String, digest: Option<String>, repository: Box<Repository> },
    Registry { reference: String, version: String },
}

/// Brings the archives of dependencies. What Helm prints comes in the order of the dependencies.
pub(super) async fn bring(
    run: &mut Run<'_>,
    locked: &mut [Dependency],
    keep: bool,
) -> Result<Vec<Brought>, Failed> {
    let (steps, failed) = plan(run, locked, keep).await;
    let (sources, options) = (run.sources, run.options);
    let mut fetches: Vec<Pending<'_, Result<Located, Error>>> = Vec::new();
    if failed.is_none() {
        for step in &steps {
            if let Step::Fetch(_, fetch) = step {
                let verify = options.keyring.is_some();
                fetches.push(Box::pin(fetch.run(sources, &options.query, verify)));
            }
        }
    }
    let mut fetched = futures_util::stream::iter(fetches).buffered(options.jobs.max(1));
    let mut brought = Vec::new();
    for step in &steps {
        match step {
            Step::Nothing(event) => event.iter().cloned().for_each(&mut *run.say),
            Step::Done(event, done) => {
                event.iter().cloned().for_each(&mut *run.say);
                let Brought { file_name, archive } = done;
                brought.push(Brought { file_name: file_name.clone(), archive: archive.clone() });
            }
            Step::Fetch(event, fetch) => {
                (run.say)(event.clone());
                let Some(outcome) = fetched.next().await else { break };
                let what = format!("could not download {}: ", fetch.shown);
                let located =
                    outcome.map_err(|e| (DependencyError::Fetch(what.clone(), e), false))?;
                if !located.said.notice.is_empty() {
                    (run.say)(Event::Notice(located.said.notice.clone()));
                }
                let done = fetch.check(&located, options.keyring.as_deref());
                let done = done.map_err(|error| {
                    (DependencyError::Provenance(format!("{what}{error}")), false)
                })?;
                brought.push(done);
            }
        }
    }
    failed.map_or(Ok(brought), Err)
}

/// Finds out what has to be done, up to the first thing that can't be.
async fn plan(
    run: &mut Run<'_>,
    locked: &mut [Dependency],
    keep: bool,
) -> (Vec<Step>, Option<Failed>) {
    let mut steps = Vec::new();
    let mut urls = BTreeSet::new();
    let mut indexes = Indexes::new(locked);
    for needed in locked {
        if needed.repository.is_empty() {
            steps.push(Step::Nothing(Some(Event::NoRepository(needed.name.clone()))));
            if let Err((error, soft)) = check_vendored_dir(needed, &run.dir) {
                return (steps, Some((error, !soft)));
            }
            continue;
        }
        match step(run, needed, keep, &mut indexes, &mut urls).await {
            Ok(step) => steps.push(step),
            Err(failed) => return (steps, Some(failed)),
        }
    }
    (steps, None)
}

async fn step(
    run: &mut Run<'_>,
    needed: &mut Dependency,
    keep: bool,
    indexes: &mut Indexes,
    urls: &mut BTreeSet<String>,
) -> Result<Step, Failed> {
    let (name, from) = (needed.name.clone(), needed.repository.clone());
    if is_local(&from) {
        let packed = pack_local(needed, &run.dir, &run.options.pack);
        let (chart, archive) = packed.map_err(|error| (error, false))?;
        needed.version.clone_from(&chart.metadata.version);
        let event = run.options.debug.then_some(Event::Archiving(name, from));
        let file_name = chart.archive_name();
        return Ok(Step::Done(event, Brought { file_name, archive: Some(archive) }));
    }
    if (keep || run.options.offline)
        && let Some(file_name) = there(&run.dir, needed)
    {
        let event = Event::AlreadyThere(name, format!("charts/{file_name}"));
        return Ok(Step::Done(Some(event), Brought { file_name, archive: None }));
    }
    let fetch = if is_oci(&from) {
        let reference = format!("{}/{name}", from.trim_end_matches('/'));
        let version = needed.version.clone();
        Fetch { shown: reference.clone(), from: From::Registry { reference, version } }
    } else {
        let prefix = |error| match error {
            DependencyError::Invalid(text) => {
                DependencyError::Invalid(format!("could not find : {text}"))
            }
            DependencyError::Fetch(text, error) => {
                DependencyError::Fetch(format!("could not find : {text}"), error)
            }
            error => error,
        };
        let found = find_url(run, needed, indexes).await;
        let fetch = found.map_err(|error| (prefix(error), false))?;
        if !urls.insert(fetch.shown.clone()) {
            return Ok(Step::Nothing(Some(Event::AlreadyDownloaded(name, from))));
        }
        fetch
    };
    if run.options.offline && !fetch.is_cached(run.sources) {
        let what = format!("{name} {}", needed.version);
        return Err((DependencyError::Offline(what), true));
    }
    Ok(Step::Fetch(Event::Downloading(name, from), fetch))
}

/// `findChartURL`.
async fn find_url(
    run: &Run<'_>,
    needed: &Dependency,
    indexes: &mut Indexes,
) -> Result<Fetch, DependencyError> {
    let url = &needed.repository;
    let invalid = |text: String| DependencyError::Invalid(text);
    let failed = |error: repo::Error| {
        DependencyError::Fetch(String::new(), ErrorKind::Repository(error).into())
    };
    let managed = run.known.iter().find(|known| same_url(&known.url, url));
    let repository = managed.or_else(|| run.unmanaged.iter().find(|other| other.url == *url));
    let Some(repository) = repository else {
        return Err(invalid(format!("no repository definition for {url}")));
    };
    if managed.is_none() && !run.sources.paths().index_file(&repository.name).exists() {
        run.sources.update(repository, None).await.map_err(failed)?;
    }
    let versions = indexes.versions(run.sources, &repository.name, &needed.name).map_err(failed)?;
    let versions = versions.ok_or_else(|| invalid("entry not found".to_owned()))?;
    let entry = versions.iter().find(|entry| {
        let wanted = &needed.version;
        has_url(entry) && (wanted.is_empty() || versions_equal(wanted, &entry.metadata.version))
    });
    let entry = entry.ok_or_else(|| invalid("no matching version".to_owned()))?;
    let first = entry.urls.iter().flatten().next().map_or("", String::as_str);
    let url = repo::resolve_url(url, first).map_err(failed)?;
    // Helm does not look at it. A digest that is none is as good as no digest.
    let digest = checked_digest(&entry.digest).unwrap_or_default();
    let repository = Box::new(repository.clone());
    Ok(Fetch { shown: url.clone(), from: From::Url { url, digest, repository } })
}

impl Fetch {
    async fn run(
        &self,
        sources: &Sources,
        query: &ChartQuery,
        verify: bool,
    ) -> Result<Located, Error> {
        let mut query = query.clone();
        if verify {
            query.provenance = Provenance::Try;
        }
        match &self.from {
            From::Registry { reference, version } => {
                query.version.clone_from(version);
                sources.locate(reference, &query).await
            }
            From::Url { url, digest, repository } => {
                let digest = digest.as_deref();
                sources.fetch(url, digest, repository, &query).await
            }
        }
    }

    /// Whether the archive is in the cache, as far as that can be known.
    fn is_cached(&self, sources: &Sources) -> bool {
        match &self.from {
            From::Url { digest: Some(digest), .. } => {
                sources.paths().chart_content(digest).is_file()
            }
            _ => false,
        }
    }

    /// What was fetched must be a chart, and as its signature says.
    fn check(&self, located: &Located, keyring: Option<&Path>) -> Result<Brought, String> {
        let name = match (&located.file_name, &self.from) {
            (Some(name), _) => name.clone(),
            (None, From::Url { url, .. }) => file_name(url),
            (None, From::Registry { .. }) => return Err("it has no name".to_owned()),
        };
        let archive = read(&located.path)?;
        let limits = Limits::default();
        Chart::from_archive_as(Format::V2, &archive, &limits)
            .map_err(|error| format!("could not verify {name} for moving: {error}"))?;
        if let (Some(keyring), Some(provenance)) = (keyring, &located.provenance) {
            verify(&archive, provenance, keyring, &name)?;
        }
        Ok(Brought { file_name: name, archive: Some(archive) })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    io::read(path, u64::MAX).map_err(|error| error.to_string())
}

#[cfg(feature = "provenance")]
fn verify(archive: &[u8], provenance: &Path, keyring: &Path, name: &str) -> Result<(), String> {
    let ring = crate::Keyring::load(keyring)
        .map_err(|error| format!("failed to load keyring: {error}"))?;
    let verified = ring.verify(archive, &read(provenance)?, name);
    verified.map(drop).map_err(|error| error.to_string())
}

#[cfg(not(feature = "provenance"))]
fn verify(_: &[u8], _: &Path, _: &Path, _: &str) -> Result<(), String> {
    Err("signatures can't be checked: the feature `provenance` is off".to_owned())
}
