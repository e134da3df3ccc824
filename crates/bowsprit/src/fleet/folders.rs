//! Renders as files: the rendered-manifests pattern.

use bowsprit_fleet::{FleetFile, Outcome, Output, Plan, ring_of};
use serde_json::{Map as JsonMap, Value as Json, json};
use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

/// The name of the file that says which cluster gets what.
const INDEX: &str = "index.json";

/// How files are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// A folder for each cluster with a file for each release, as GitOps controllers expect it.
    #[default]
    Clusters,
    /// The same, where equal files are one file with several names (hard links), which spares the time and
    /// the room to write them a thousand times. Who edits one in place edits all.
    Links,
    /// A folder for each release with a file for each different render; the index names the clusters.
    Groups,
}

/// Writes renders below a folder.
///
/// Every file is written beside its place and moved there, so that none is ever half written. What an
/// earlier run wrote and this one does not is removed at the end, if all went well; other files are left
/// alone.
#[derive(Debug)]
pub struct Folders {
    root: PathBuf,
    layout: Layout,
    index: PathBuf,
    previous: BTreeSet<String>,
    written: BTreeSet<String>,
    clusters: JsonMap<String, Json>,
    releases: Vec<Json>,
    /// The first file of each content.
    first: HashMap<String, String>,
}

impl Folders {
    /// Begins to write below a folder, which is made if need be. Shards have an index of their own.
    ///
    /// # Errors
    ///
    /// Fails where the folder can't be made or its index can't be read.
    pub fn create(
        root: &Path,
        layout: Layout,
        shard: Option<(usize, usize)>,
    ) -> Result<Folders, String> {
        std::fs::create_dir_all(root).map_err(|e| format!("{}: {e}", root.display()))?;
        let index = match shard {
            Some((at, count)) => root.join(format!("index-{at}-of-{count}.json")),
            None => root.join(INDEX),
        };
        let previous = match std::fs::read(&index) {
            Ok(text) => previous(&text)
                .ok_or_else(|| format!("{}: no index of a fleet", index.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeSet::new(),
            Err(error) => return Err(format!("{}: {error}", index.display())),
        };
        Ok(Folders {
            root: root.to_owned(),
            layout,
            index,
            previous,
            written: BTreeSet::new(),
            clusters: JsonMap::new(),
            releases: Vec::new(),
            first: HashMap::new(),
        })
    }

    /// Writes what one render gave.
    ///
    /// # Errors
    ///
    /// Fails where a file can't be written, or a cluster's name can't be a folder's.
    pub fn add(
        &mut self,
        file: &FleetFile,
        plan: &Plan,
        outcome: &Outcome<'_>,
    ) -> Result<(), String> {
        let Ok(output) = &outcome.result else { return Ok(()) };
        let spec = &outcome.release.spec;
        let short = output.digest.get(..12).unwrap_or_default();
        let shared = format!("{}/{short}.yaml", folder_name(&spec.name)?);
        let mut names = Vec::new();
        for target in outcome.group.targets.iter().filter_map(|at| plan.targets.get(*at)) {
            let path = match self.layout {
                Layout::Groups => shared.clone(),
                Layout::Clusters | Layout::Links => {
                    let cluster = folder_name(&target.name)?;
                    format!("{cluster}/{}.{}.yaml", spec.namespace, folder_name(&spec.name)?)
                }
            };
            if self.written.insert(path.clone()) {
                self.put(&path, output)?;
            }
            names.push(target.name.clone());
            let entry = self.clusters.entry(target.name.clone());
            let entry = entry.or_insert_with(
                || json!({"labels": target.labels, "ring": ring_of(file, target), "releases": {}}),
            );
            if let Some(releases) = entry.get_mut("releases").and_then(Json::as_object_mut) {
                releases.insert(format!("{}/{}", spec.namespace, spec.name), json!(path));
            }
        }
        let chart = &output.rendered.release.chart.metadata;
        self.releases.push(json!({
            "release": spec.name, "namespace": spec.namespace, "chart": chart.name,
            "version": chart.version, "digest": output.digest, "clusters": names,
            "layers": outcome.group.layers.iter().map(|l| l.origin.as_str()).collect::<Vec<_>>(),
        }));
        Ok(())
    }

    /// Writes a file, or gives one that has the same content another name.
    fn put(&mut self, path: &str, output: &Output) -> Result<(), String> {
        let full = self.root.join(path);
        if self.layout == Layout::Links {
            match self.first.get(&output.digest) {
                Some(first) if link(&self.root.join(first), &full) => return Ok(()),
                Some(_) => {}
                None => {
                    self.first.insert(output.digest.clone(), path.to_owned());
                }
            }
        }
        write(&full, &output.rendered.text)
    }

    /// Writes the index and, unless something failed, removes what an earlier run left behind. Gives the
    /// number of files written and removed.
    ///
    /// # Errors
    ///
    /// Fails where the index can't be written or a file can't be removed.
    pub fn finish(self, fleet: &str, complete: bool) -> Result<(usize, usize), String> {
        let stale: Vec<&String> = self.previous.difference(&self.written).collect();
        // What could not be rendered this time must be found and removed another time.
        let files: BTreeSet<&String> = match complete {
            true => self.written.iter().collect(),
            false => self.written.union(&self.previous).collect(),
        };
        let index = json!({
            "fleet": fleet, "files": files, "clusters": self.clusters, "renders": self.releases,
        });
        let text = format!("{index:#}\n");
        write(&self.index, text.as_bytes())?;
        let mut removed = 0;
        for path in stale.into_iter().filter(|_| complete) {
            let full = self.root.join(path);
            match std::fs::remove_file(&full) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{}: {error}", full.display())),
            }
            if let Some(folder) = full.parent() {
                // Only empty folders go.
                let _ = std::fs::remove_dir(folder);
            }
        }
        Ok((self.written.len(), removed))
    }
}

/// The files that an index lists; none where it is no index, or lists places outside its folder.
fn previous(text: &[u8]) -> Option<BTreeSet<String>> {
    let index: Json = serde_json::from_slice(text).ok()?;
    let files = index.get("files")?.as_array()?;
    let inside =
        |path: &str| Path::new(path).components().all(|c| matches!(c, Component::Normal(_)));
    files.iter().map(|file| file.as_str().filter(|p| inside(p)).map(str::to_owned)).collect()
}

/// A name that is one folder or file and no way out.
fn folder_name(name: &str) -> Result<&str, String> {
    let fine = !name.is_empty()
        && !name.starts_with('.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fine { Ok(name) } else { Err(format!("{name:?} can't be the name of a folder")) }
}

/// Gives a file another name; false where the file system can't.
fn link(first: &Path, path: &Path) -> bool {
    let beside = path.with_extension("partial");
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let linked = made
        .and_then(|()| std::fs::hard_link(first, &beside))
        .and_then(|()| std::fs::rename(&beside, path));
    // Where both are names of the same file already, renaming does nothing.
    let _ = std::fs::remove_file(&beside);
    linked.is_ok()
}

fn write(path: &Path, text: &[u8]) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    if std::fs::read(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let beside = path.with_extension("partial");
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })
}
