//! Layers of values: which hold for a cluster, and what they make together.

use crate::error::Error;
use crate::file::{Layer, LayerContent, ReleaseSpec};
use crate::target::Target;
use crate::world::World;
use bowsprit_render::values::{merge_maps, set};
use bowsprit_value::Map;
use std::collections::HashMap;
use std::sync::Arc;

/// A layer that holds for a cluster, its placeholders filled in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResolvedLayer {
    /// Where the values come from: a file's path, `values` or `--set` with the arguments.
    pub origin: String,
    /// The line of the layer in the fleet file.
    pub line: usize,
    /// The layer's place among those of the release.
    index: usize,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Table(Arc<Map>),
    Set(Vec<String>),
}

/// Reads each values file once.
pub(crate) struct Layers<'w> {
    world: &'w dyn World,
    file: String,
    tables: HashMap<(bool, String), Option<Arc<Map>>>,
}

impl<'w> Layers<'w> {
    /// Layers of the fleet file of this name.
    pub(crate) fn new(world: &'w dyn World, file: &str) -> Layers<'w> {
        Layers { world, file: file.to_owned(), tables: HashMap::new() }
    }

    /// The layers of a release that hold for a cluster.
    ///
    /// # Errors
    ///
    /// Fails where a file is missing that is not optional, or can't be read.
    pub(crate) fn resolve(
        &mut self,
        release: &ReleaseSpec,
        target: &Target,
    ) -> Result<Vec<ResolvedLayer>, Error> {
        let mut resolved = Vec::new();
        let layers = release.values.iter().enumerate();
        for (index, layer) in layers.filter(|(_, layer)| layer.selector.matches(&target.labels)) {
            let (origin, content) = match &layer.content {
                LayerContent::Values(map) => {
                    ("values".to_owned(), Content::Table(Arc::new(map.clone())))
                }
                LayerContent::Set(args) => {
                    let args: Result<Vec<String>, Error> =
                        args.iter().map(|arg| self.expand(layer, target, arg)).collect();
                    let args = args?;
                    (format!("--set {}", args.join(" ")), Content::Set(args))
                }
                LayerContent::File { path, optional } => {
                    match self.table(layer, target, path, *optional, false)? {
                        Some((path, table)) => (path, Content::Table(table)),
                        None => continue,
                    }
                }
                LayerContent::Sops { path, optional } => {
                    match self.table(layer, target, path, *optional, true)? {
                        Some((path, table)) => (format!("sops {path}"), Content::Table(table)),
                        None => continue,
                    }
                }
            };
            resolved.push(ResolvedLayer { origin, line: layer.line, index, content });
        }
        Ok(resolved)
    }

    fn expand(&self, layer: &Layer, target: &Target, text: &str) -> Result<String, Error> {
        let hint = "give the label, restrict the layer by a selector, or make its file optional";
        self.expand_at(layer.line, target, text).map_err(|error| error.hint(hint))
    }

    /// Fills in the placeholders of a text on a line of the fleet file.
    ///
    /// # Errors
    ///
    /// Names the cluster and the label that it lacks.
    pub(crate) fn expand_at(
        &self,
        line: usize,
        target: &Target,
        text: &str,
    ) -> Result<String, Error> {
        target.expand(text).map_err(|key| {
            let name = &target.name;
            let message = match key.starts_with("${") {
                true => format!("{text:?}: a placeholder is not closed"),
                false => format!("cluster {name:?} has no label {key:?}, which {text:?} asks for"),
            };
            Error::new(&self.file, message).at(line, "")
        })
    }

    fn table(
        &mut self,
        layer: &Layer,
        target: &Target,
        path: &str,
        optional: bool,
        encrypted: bool,
    ) -> Result<Option<(String, Arc<Map>)>, Error> {
        let path = match self.expand(layer, target, path) {
            Ok(path) => path,
            Err(_) if optional => return Ok(None),
            Err(error) => return Err(error),
        };
        let failed = |file: &str, message: String| Error::new(file, message).at(layer.line, "");
        let key = (encrypted, path.clone());
        if !self.tables.contains_key(&key) {
            let read = if encrypted { self.world.decrypt(&path) } else { self.world.read(&path) };
            let text = read.map_err(|message| failed(&self.file, message))?;
            let table = match text {
                None => None,
                Some(text) => Some(Arc::new(read_table(&path, &text)?)),
            };
            self.tables.insert(key.clone(), table);
        }
        match self.tables.get(&key).cloned().flatten() {
            Some(table) => Ok(Some((path, table))),
            None if optional => Ok(None),
            None => {
                let message =
                    format!("no such values file: {path} (for cluster {:?})", target.name);
                Err(failed(&self.file, message).hint("`optional: true` lets it be missing"))
            }
        }
    }
}

fn read_table(path: &str, text: &[u8]) -> Result<Map, Error> {
    bowsprit_yaml::read_values(text).map_err(|e| Error::new(path, e.to_string()))
}

/// What tells the values of two clusters apart.
pub(crate) fn key(layers: &[ResolvedLayer]) -> Vec<(usize, String)> {
    layers.iter().map(|layer| (layer.index, layer.origin.clone())).collect()
}

/// Lays the layers over each other, later ones over earlier ones, as Helm merges value files; `--set`
/// arguments change what is there when their layer comes.
///
/// # Errors
///
/// Fails where an argument can't be read.
pub fn merge_layers(layers: &[ResolvedLayer]) -> Result<Map, Error> {
    let values = Map::new();
    for layer in layers {
        match &layer.content {
            Content::Table(table) => merge_maps(&values, &table.fork()),
            Content::Set(args) => {
                for arg in args {
                    set::parse_into(arg.as_bytes(), &values)
                        .map_err(|e| Error::new(&layer.origin, e.to_string()))?;
                }
            }
        }
    }
    Ok(values)
}
