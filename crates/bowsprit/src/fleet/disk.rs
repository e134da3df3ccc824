//! A fleet's files and charts on disk.

use crate::host::{OsHost, SeededHost};
use crate::pipeline;
use bowsprit_fleet::{
    Delivery, FleetFile, RELEASE_LABEL, ReleaseSpec, Rendered, Target, TargetSource, World,
    release_id,
};
use bowsprit_label::Options as LabelOptions;
use bowsprit_loader as loader;
use bowsprit_render::{
    Capabilities, CompiledChart, Engine, Release, RenderRequest, Target as Snapshot,
};
use bowsprit_value::{Host, Timestamp};
use std::collections::HashMap;
use std::hash::Hash;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A chart that is not beside the fleet file.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ChartSource<'s> {
    /// A path, a URL, `repo/name` or `oci://…`; a name where there is a repository.
    pub reference: &'s str,
    /// The URL of a repository.
    pub repository: Option<&'s str>,
    /// A version or a range.
    pub version: Option<&'s str>,
}

/// Finds the local path of a chart, which it downloads if need be.
pub type Locate<'a> = Box<dyn Fn(ChartSource<'_>) -> Result<PathBuf, String> + Sync + 'a>;

/// Repository, reference and version.
type ChartKey = (Option<String>, String, Option<String>);

/// Files beside a fleet file, and charts that a function finds. Each chart and snapshot is read once.
pub struct Disk<'a> {
    root: PathBuf,
    engine: Engine,
    locate: Locate<'a>,
    usual_labels: bool,
    charts: Once<ChartKey, CompiledChart>,
    snapshots: Once<String, Snapshot>,
}

/// What is made once for each key, by whoever comes first; others wait.
pub(super) struct Once<K, V>(Mutex<HashMap<K, Made<V>>>);

/// What is made, or why it could not be.
type Made<V> = Arc<OnceLock<Result<V, String>>>;

impl<K: Eq + Hash, V: Clone> Once<K, V> {
    pub(super) fn new() -> Once<K, V> {
        Once(Mutex::new(HashMap::new()))
    }

    pub(super) fn get(
        &self,
        key: K,
        make: impl FnOnce() -> Result<V, String>,
    ) -> Result<V, String> {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(key).or_default())
        };
        cell.get_or_init(make).clone()
    }
}

impl std::fmt::Debug for Disk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("root", &self.root).finish_non_exhaustive()
    }
}

impl<'a> Disk<'a> {
    /// The world of the fleet file at a path. Relative paths in the file start at its folder.
    pub fn new(file: &Path, engine: Engine, locate: Locate<'a>) -> Disk<'a> {
        let root = file.parent().map(Path::to_owned).unwrap_or_default();
        Disk {
            root,
            engine,
            locate,
            usual_labels: false,
            charts: Once::new(),
            snapshots: Once::new(),
        }
    }

    /// Labels renders as the fleet's delivery needs them: other than files, all objects get the labels
    /// that tell a release apart, as `apply` puts them.
    #[must_use]
    pub fn delivering(mut self, delivery: &Delivery) -> Disk<'a> {
        self.usual_labels = !matches!(delivery, Delivery::Files);
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn load(&self, spec: &ReleaseSpec, version: Option<&str>) -> Result<CompiledChart, String> {
        let reference = spec.chart.as_str();
        let repository = spec.repository.as_deref();
        let beside = reference.starts_with('.') || self.path(reference).exists();
        let local = repository.is_none() && beside;
        let path = match local {
            true => self.path(reference),
            false => (self.locate)(ChartSource { reference, repository, version })
                .map_err(|e| format!("chart {reference}: {e}"))?,
        };
        let failed = |error: String| format!("chart {reference}: {error}");
        let loaded = loader::load_path(&path, &loader::Options::default());
        let chart = loaded.map_err(|e| failed(e.to_string()))?.output;
        if let (true, Some(version)) = (local, version) {
            check_version(&chart.metadata.version, version).map_err(failed)?;
        }
        Ok(self.engine.compile(Arc::new(chart)))
    }

    fn read_snapshot(&self, path: &str) -> Result<Snapshot, String> {
        let read = || {
            let text = self.read(path)?.ok_or_else(|| format!("no such snapshot: {path}"))?;
            Snapshot::parse(&text).map_err(|e| format!("{path}: {e}"))
        };
        self.snapshots.get(path.to_owned(), read)
    }

    /// Puts the release's labels on its objects; gives what was not simply put.
    fn label(&self, spec: &ReleaseSpec, release: &mut Release) -> Result<Vec<String>, String> {
        let options = label_options(
            spec,
            &release.options.name,
            &release.chart.metadata.name,
            self.usual_labels,
        )?;
        let report = pipeline::label(release, &options).map_err(|e| e.to_string())?;
        Ok(report.conflicts.iter().map(ToString::to_string).collect())
    }

    /// The clusters of a fleet that are listed in files; `live` is asked for those in inventories.
    ///
    /// # Errors
    ///
    /// Fails where a list can't be read, or `live` fails.
    pub fn targets(
        &self,
        file: &FleetFile,
        live: &mut dyn FnMut(&TargetSource) -> Result<Vec<Target>, String>,
    ) -> Result<Vec<Target>, String> {
        let mut lists = Vec::new();
        for source in &file.targets {
            lists.push(match source {
                TargetSource::Inline(targets) => targets.clone(),
                TargetSource::File(path) => {
                    let text = self.read(path)?.ok_or_else(|| format!("no such file: {path}"))?;
                    bowsprit_fleet::parse_targets(path, &text).map_err(|e| format!("{e:#}"))?
                }
                other => live(other)?,
            });
        }
        bowsprit_fleet::join(lists).map_err(|e| format!("{e:#}"))
    }
}

impl World for Disk<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        match std::fs::read(self.path(path)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{path}: {error}")),
        }
    }

    fn decrypt(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let full = self.path(path);
        if !full.exists() {
            return Ok(None);
        }
        let mut sops = Command::new("sops");
        sops.args(["--decrypt", "--output-type", "yaml"]).arg(&full);
        match sops.output() {
            Ok(output) if output.status.success() => Ok(Some(output.stdout)),
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr);
                Err(format!("sops can't decrypt {path}: {}", why.trim()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
                "{path} is encrypted, and there is no program sops to decrypt it; install it or give \
                 the values another way"
            )),
            Err(error) => Err(format!("sops: {error}")),
        }
    }

    fn chart(&self, spec: &ReleaseSpec, version: Option<&str>) -> Result<CompiledChart, String> {
        let key = (spec.repository.clone(), spec.chart.clone(), version.map(str::to_owned));
        self.charts.get(key, || self.load(spec, version))
    }

    fn snapshot(&self, path: &str) -> Result<Capabilities, String> {
        let snapshot = self.read_snapshot(path)?;
        snapshot.capabilities(self.engine.compat()).map_err(|e| format!("{path}: {e}"))
    }

    fn render(
        &self,
        spec: &ReleaseSpec,
        chart: &CompiledChart,
        request: &RenderRequest,
        snapshot: Option<&str>,
    ) -> Result<Rendered, String> {
        let snapshot = snapshot.map(|path| self.read_snapshot(path)).transpose()?;
        let host = host(spec.seed, snapshot);
        let options = pipeline::Options {
            include_crds: spec.include_crds,
            skip_tests: true,
            ..pipeline::Options::default()
        };
        let rendered = pipeline::render(chart, request, &options, &*host);
        let mut rendered = rendered.map_err(|e| e.to_string())?;
        let mut warnings: Vec<String> = rendered.warnings.iter().map(ToString::to_string).collect();
        warnings.extend(self.label(spec, &mut rendered.output)?);
        let text = pipeline::print(&rendered.output, &options);
        Ok(Rendered { release: rendered.output, text, warnings })
    }
}

/// The world that templates see.
fn host(seed: Option<u64>, snapshot: Option<Snapshot>) -> Box<dyn Host> {
    fn with<H: Host + 'static>(host: H, snapshot: Option<Snapshot>) -> Box<dyn Host> {
        match snapshot {
            Some(snapshot) => Box::new(snapshot.host(host)),
            None => Box::new(host),
        }
    }
    match seed {
        Some(seed) => with(SeededHost::at(seed, Timestamp::default()), snapshot),
        None => with(OsHost::new(), snapshot),
    }
}

/// The labels of a release: the usual ones if they are wanted, and over them the fleet file's.
pub(super) fn label_options(
    spec: &ReleaseSpec,
    name: &str,
    chart: &str,
    usual: bool,
) -> Result<LabelOptions, String> {
    let mut options = LabelOptions::default();
    if usual {
        options = LabelOptions::release(name, chart);
        let id = release_id(&spec.namespace, name);
        options.set_label(RELEASE_LABEL, &id).map_err(|e| e.to_string())?;
    }
    for (key, value) in &spec.labels {
        options.set_label(key, value).map_err(|e| format!("labels: {e}"))?;
    }
    Ok(options)
}

/// A chart in a folder has the version that it has; a fleet file that asks for another is wrong.
fn check_version(found: &str, wanted: &str) -> Result<(), String> {
    let version = bowsprit_semver::Version::parse(found).map_err(|e| e.to_string())?;
    let constraint = bowsprit_semver::Constraint::parse(wanted);
    let constraint = constraint.map_err(|e| format!("version {wanted:?}: {e}"))?;
    if constraint.including_prereleases().check(&version) {
        return Ok(());
    }
    Err(format!("the chart in this folder has version {found}, and the fleet asks for {wanted}"))
}
