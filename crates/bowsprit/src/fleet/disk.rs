//! A fleet's files and charts on disk.

use crate::host::{OsHost, SeededHost};
use crate::pipeline;
use bowsprit_fleet::{FleetFile, ReleaseSpec, Rendered, Target, TargetSource, World};
use bowsprit_loader as loader;
use bowsprit_render::{Capabilities, CompiledChart, Engine, RenderRequest};
use bowsprit_value::{Host, Timestamp};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Finds the local path of a chart by its reference and version.
pub type Locate<'a> = Box<dyn Fn(&str, Option<&str>) -> Result<PathBuf, String> + Sync + 'a>;

/// Files beside a fleet file, and charts that a function finds.
pub struct Disk<'a> {
    root: PathBuf,
    engine: Engine,
    locate: Locate<'a>,
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
        Disk { root, engine, locate }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
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

    fn chart(&self, reference: &str, version: Option<&str>) -> Result<CompiledChart, String> {
        let local = reference.starts_with('.') || self.path(reference).exists();
        let path = if local { self.path(reference) } else { (self.locate)(reference, version)? };
        let failed = |error: String| format!("chart {reference}: {error}");
        let loaded = loader::load_path(&path, &loader::Options::default());
        let chart = loaded.map_err(|e| failed(e.to_string()))?.output;
        if let (true, Some(version)) = (local, version) {
            check_version(&chart.metadata.version, version).map_err(failed)?;
        }
        Ok(self.engine.compile(Arc::new(chart)))
    }

    fn snapshot(&self, path: &str) -> Result<Capabilities, String> {
        Err(format!("{path}: snapshots of clusters can't be read yet"))
    }

    fn render(
        &self,
        spec: &ReleaseSpec,
        chart: &CompiledChart,
        request: &RenderRequest,
    ) -> Result<Rendered, String> {
        let host: Box<dyn Host> = match spec.seed {
            Some(seed) => Box::new(SeededHost::at(seed, Timestamp::default())),
            None => Box::new(OsHost::new()),
        };
        let options = pipeline::Options {
            include_crds: spec.include_crds,
            skip_tests: true,
            ..pipeline::Options::default()
        };
        let rendered = pipeline::render(chart, request, &options, &*host);
        let rendered = rendered.map_err(|e| e.to_string())?;
        let warnings = rendered.warnings.iter().map(ToString::to_string).collect();
        let text = pipeline::print(&rendered.output, &options);
        Ok(Rendered { release: rendered.output, text, warnings })
    }
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
