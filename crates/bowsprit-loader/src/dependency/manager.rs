//! `helm dependency update` and `build`.

use super::error::{DependencyError, quote};
use super::event::DependencyEvent as Event;
use super::fetch::{self, Brought};
use super::list::load_any;
use super::{local, place, resolve};
use crate::repo::{Repository, RepositoryFile, UNMANAGED, same_url};
use crate::sources::{ChartQuery, Sources};
use crate::{files, io, reference, time};
use bowsprit_chart::{
    API_VERSION_V1, Chart, Dependency, Level, Lock, LogLine, OutOfSync, PackOptions,
    legacy_lock_digest, lock_digest,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How dependencies are brought.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DependencyOptions {
    /// How registries are asked, and who answers is trusted.
    pub query: ChartQuery,
    /// Checks archives that have a provenance file against this keyring.
    pub keyring: Option<PathBuf>,
    /// Takes the indexes in the cache for the newest.
    pub skip_refresh: bool,
    /// Asks nobody: takes what is in `charts/` and in the caches.
    pub offline: bool,
    /// Says more.
    pub debug: bool,
    /// How many archives are fetched at the same time.
    pub jobs: usize,
    /// How directories are packed.
    pub pack: PackOptions,
}

impl Default for DependencyOptions {
    fn default() -> DependencyOptions {
        DependencyOptions {
            query: ChartQuery::default(),
            keyring: None,
            skip_refresh: false,
            offline: false,
            debug: false,
            jobs: 16,
            pack: PackOptions::default(),
        }
    }
}

/// Told of every step.
pub(super) type Say<'s> = &'s mut (dyn FnMut(Event) + Send);

/// Finds the newest versions of what a chart's `Chart.yaml` asks for, brings them into `charts/` and
/// writes the lock, unless it says the same already.
///
/// # Errors
/// With Helm's words where Helm fails; `charts/` and the lock are as they were then.
pub async fn update_dependencies(
    dir: &Path,
    sources: &Sources,
    options: &DependencyOptions,
    say: Say<'_>,
) -> Result<(), DependencyError> {
    let mut run = Run::start(dir, sources, options, say)?;
    run.update().await
}

/// Brings what the lock of a chart names into `charts/`. Without a lock it does what
/// [`update_dependencies`] does. Archives that are there already, with the name and the version that the
/// lock asks for, are kept, and if that is all nobody is asked.
///
/// # Errors
/// As [`update_dependencies`], and for a lock that was made for other dependencies.
pub async fn build_dependencies(
    dir: &Path,
    sources: &Sources,
    options: &DependencyOptions,
    say: Say<'_>,
) -> Result<(), DependencyError> {
    let mut run = Run::start(dir, sources, options, say)?;
    match run.chart.lock.clone() {
        Some(lock) => run.build(lock).await,
        None => run.update().await,
    }
}

/// One update or build.
pub(super) struct Run<'r> {
    pub(super) dir: PathBuf,
    pub(super) chart: Chart,
    pub(super) sources: &'r Sources,
    pub(super) options: &'r DependencyOptions,
    pub(super) say: Say<'r>,
    pub(super) known: Vec<Repository>,
    /// Repositories that have not been added, but that dependencies name by URL.
    pub(super) unmanaged: Vec<Repository>,
}

impl<'r> Run<'r> {
    /// `loadChartDir`, and the repositories that are known.
    fn start(
        dir: &Path,
        sources: &'r Sources,
        options: &'r DependencyOptions,
        say: Say<'r>,
    ) -> Result<Run<'r>, DependencyError> {
        let dir = io::cleaned(dir);
        let found = io::stat(&dir).map_err(|error| {
            DependencyError::Invalid(format!("could not find {}: {error}", dir.display()))
        })?;
        if !found.is_dir() {
            let text = "only unpacked charts can be updated";
            return Err(DependencyError::Invalid(text.to_owned()));
        }
        let loaded = load_any(&dir)?;
        loaded.warnings.into_iter().for_each(|line| say(Event::Log(line)));
        let chart = loaded.output;
        local::check_cycles(&dir, &chart.metadata)?;
        let file: RepositoryFile = sources.repositories()?;
        let (known, unmanaged) = (file.repositories, Vec::new());
        Ok(Run { dir, chart, sources, options, say, known, unmanaged })
    }

    fn wanted(&self) -> Vec<Dependency> {
        self.chart.metadata.dependencies().cloned().collect()
    }

    async fn update(&mut self) -> Result<(), DependencyError> {
        if self.chart.metadata.dependencies.is_none() {
            return Ok(());
        }
        let mut wanted = self.wanted();
        let mut names = self.resolve_names(&mut wanted)?;
        self.ensure_missing(&mut names, &wanted).await?;
        self.refresh().await?;
        let mut locked = resolve::resolve(self, &wanted, &names).await?;
        self.download_all(&mut locked, false).await?;
        let digest = lock_digest(&wanted, &locked)
            .map_err(|error| DependencyError::Invalid(error.to_string()))?;
        if self.chart.lock.as_ref().is_some_and(|lock| lock.digest == digest) {
            return Ok(());
        }
        let lock = Lock {
            generated: time::rfc3339_nanos(SystemTime::now()),
            digest,
            dependencies: Some(locked.into_iter().map(Some).collect()),
        };
        self.write_lock(&lock)
    }

    async fn build(&mut self, lock: Lock) -> Result<(), DependencyError> {
        let mut wanted = self.wanted();
        let legacy = self.chart.metadata.api_version == API_VERSION_V1;
        let old_digest = legacy.then(|| legacy_lock_digest(&wanted).unwrap_or_default());
        self.resolve_names(&mut wanted)?;
        let mut locked: Vec<Dependency> = lock.dependencies().cloned().collect();
        if !lock_digest(&wanted, &locked).is_ok_and(|digest| digest == lock.digest) {
            if legacy {
                let message =
                    "warning: a valid Helm v3 hash was not found. Checking against Helm v2 hash...";
                (self.say)(Event::Log(LogLine {
                    level: Level::Warn,
                    message: message.to_owned(),
                    attrs: Vec::new(),
                }));
            }
            if old_digest.is_none_or(|old| old != lock.digest) {
                return Err(DependencyError::OutOfSync(OutOfSync { legacy }));
            }
        }
        if !place::all_there(&self.dir, &locked) && !self.options.offline {
            self.check_known(&locked)?;
            self.refresh().await?;
        }
        self.download_all(&mut locked, true).await
    }

    /// `resolveRepoNames`: the repository of each dependency, by name. Aliases become URLs on the way.
    fn resolve_names(
        &mut self,
        wanted: &mut [Dependency],
    ) -> Result<BTreeMap<String, String>, DependencyError> {
        let mut names = BTreeMap::new();
        let mut missing = Vec::new();
        for needed in wanted.iter_mut().filter(|needed| !needed.repository.is_empty()) {
            if local::is_local(&needed.repository) {
                local::local_path(&needed.repository, &self.dir)?;
                if self.options.debug {
                    (self.say)(Event::LocalRepository(needed.repository.clone()));
                }
                names.insert(needed.name.clone(), needed.repository.clone());
            } else if is_oci(&needed.repository) {
                names.insert(needed.name.clone(), needed.repository.clone());
            } else if let Some(known) = find(&self.known, &needed.repository) {
                if alias(&needed.repository) == Some(known.name.as_str()) {
                    needed.repository.clone_from(&known.url);
                }
                names.insert(needed.name.clone(), known.name.clone());
            } else if needed.repository.starts_with('/')
                || reference::has_scheme(&needed.repository)
            {
                names.insert(needed.repository.clone(), needed.repository.clone());
            } else {
                missing.push(needed.repository.clone());
            }
        }
        if missing.is_empty() { Ok(names) } else { Err(no_definition(&missing)) }
    }

    /// `ensureMissingRepos`: indexes of repositories that have not been added.
    async fn ensure_missing(
        &mut self,
        names: &mut BTreeMap<String, String>,
        wanted: &[Dependency],
    ) -> Result<(), DependencyError> {
        for needed in wanted.iter().filter(|needed| !needed.repository.is_empty()) {
            if names.contains_key(&needed.name) {
                continue;
            }
            let repository = unmanaged(&needed.repository);
            names.insert(needed.name.clone(), repository.name.clone());
            if !self.unmanaged.contains(&repository) {
                self.unmanaged.push(repository);
            }
        }
        if self.unmanaged.is_empty() || self.options.skip_refresh || self.options.offline {
            return Ok(());
        }
        (self.say)(Event::UpdatingUnmanaged);
        let repositories = self.unmanaged.clone();
        self.update_indexes(&repositories).await
    }

    /// `UpdateRepositories`.
    async fn refresh(&mut self) -> Result<(), DependencyError> {
        if self.known.is_empty() || self.options.skip_refresh || self.options.offline {
            return Ok(());
        }
        (self.say)(Event::Updating);
        // The last one of a URL counts.
        let mut repositories: Vec<Repository> = Vec::new();
        let trimmed = |url: &str| url.strip_suffix('/').unwrap_or(url).to_owned();
        for known in &self.known {
            match repositories.iter_mut().find(|r| trimmed(&r.url) == trimmed(&known.url)) {
                Some(same) => known.clone_into(same),
                None => repositories.push(known.clone()),
            }
        }
        self.update_indexes(&repositories).await?;
        (self.say)(Event::UpdateComplete);
        Ok(())
    }

    async fn update_indexes(&mut self, repositories: &[Repository]) -> Result<(), DependencyError> {
        for repository in repositories {
            let scheme = reference::scheme(&repository.url);
            if !matches!(scheme.as_str(), "http" | "https" | "oci") {
                let text = format!("could not find protocol handler for: {scheme}");
                return Err(DependencyError::Invalid(text));
            }
        }
        let mut updates = self.sources.update_all(repositories, None);
        while let Some((repository, outcome)) = updates.next().await {
            let managed = !repository.name.starts_with(UNMANAGED);
            let event = match outcome {
                Ok(log) => {
                    log.into_iter().for_each(|line| (self.say)(Event::Log(line)));
                    let name = if managed { &repository.name } else { &repository.url };
                    Event::Updated(name.clone())
                }
                Err(error) => {
                    let mut which = format!("{} chart repository", quote(&repository.url));
                    if managed {
                        let (name, url) = (quote(&repository.name), &repository.url);
                        which = format!("{name} chart repository ({url})");
                    }
                    Event::NotUpdated(which, error.to_string())
                }
            };
            (self.say)(event);
        }
        Ok(())
    }

    /// `hasAllRepos`.
    fn check_known(&self, locked: &[Dependency]) -> Result<(), DependencyError> {
        let mut missing = Vec::new();
        for needed in locked {
            let url = &needed.repository;
            let elsewhere = url.is_empty() || local::is_local(url) || is_oci(url);
            if !elsewhere && !self.known.iter().any(|known| same_url(&known.url, url)) {
                missing.push(url.clone());
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(DependencyError::UnknownRepositories(missing))
    }

    /// `downloadAll`: everything is brought before anything in `charts/` changes. Versions of directories
    /// are written into the dependencies.
    async fn download_all(
        &mut self,
        locked: &mut [Dependency],
        keep: bool,
    ) -> Result<(), DependencyError> {
        let charts = self.dir.join("charts");
        match charts.metadata() {
            Ok(found) if !found.is_dir() => {
                let text = format!("{} is not a directory", quote(&charts.to_string_lossy()));
                return Err(DependencyError::Invalid(text));
            }
            Ok(_) => {}
            Err(_) => files::make_dirs(&charts)?,
        }
        (self.say)(Event::Saving(locked.len()));
        let brought = match fetch::bring(self, locked, keep).await {
            Ok(brought) => brought,
            Err((error, hard)) => {
                if !hard {
                    (self.say)(Event::SaveError(error.to_string()));
                }
                return Err(error);
            }
        };
        self.put(&charts, &brought, locked)
    }

    fn put(
        &mut self,
        charts: &Path,
        brought: &[Brought],
        locked: &[Dependency],
    ) -> Result<(), DependencyError> {
        let before = place::files_before(charts)?;
        for Brought { file_name, archive } in brought {
            let Some(archive) = archive else { continue };
            let path = charts.join(file_name);
            if !place::is_same(&path, archive) {
                files::write(&path, archive)?;
            }
        }
        (self.say)(Event::DeletingOutdated);
        for path in before {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if brought.iter().any(|brought| brought.file_name == name) {
                continue;
            }
            match load_any(&path) {
                Err(error) => {
                    (self.say)(Event::NotDeleted(path.display().to_string(), error.to_string()))
                }
                Ok(loaded) => {
                    let name = &loaded.output.metadata.name;
                    let vendored =
                        locked.iter().any(|d| d.repository.is_empty() && d.name == *name);
                    if !vendored {
                        std::fs::remove_file(&path)
                            .map_err(|error| io::PathError::new("remove", &path, error))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// `writeLock`, but never through a link.
    fn write_lock(&self, lock: &Lock) -> Result<(), DependencyError> {
        let name = Lock::file_name(&self.chart.metadata);
        let path = self.dir.join(name);
        if path.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
            let target = std::fs::read_link(&path)
                .map_err(|error| io::PathError::new("readlink", &path, error))?;
            let target = target.to_string_lossy().into_owned();
            return Err(DependencyError::LockIsSymlink { name, target });
        }
        let text = lock.to_yaml().map_err(|e| DependencyError::Invalid(e.to_string()))?;
        Ok(files::write(&path, &text)?)
    }
}

pub(super) fn is_oci(repository: &str) -> bool {
    repository.starts_with("oci://")
}

/// The name behind `@` or `alias:`.
fn alias(repository: &str) -> Option<&str> {
    repository.strip_prefix('@').or_else(|| repository.strip_prefix("alias:"))
}

fn find<'k>(known: &'k [Repository], repository: &str) -> Option<&'k Repository> {
    let named = alias(repository);
    known.iter().find(|k| named == Some(k.name.as_str()) || same_url(&k.url, repository))
}

fn unmanaged(url: &str) -> Repository {
    let mut name = String::from(UNMANAGED);
    for byte in Sha256::digest(url.as_bytes()) {
        name.push_str(&format!("{byte:02x}"));
    }
    Repository::new(name, url)
}

fn no_definition(missing: &[String]) -> DependencyError {
    let mut text = format!(
        "no repository definition for {}. Please add them via 'helm repo add'",
        missing.join(", ")
    );
    let is_word = |r: &String| !r.contains("//") && alias(r).is_none();
    if missing.iter().any(is_word) {
        text.push_str(
            "\nNote that repositories must be URLs or aliases. For example, to refer to the \
             \"example\"\nrepository, use \"https://charts.example.com/\" or \"@example\" instead \
             of\n\"example\". Don't forget to add the repo, too ('helm repo add').",
        );
    }
    DependencyError::Invalid(text)
}
