//! A folder of a source, as kustomize builds it: with a `kustomization.yaml`, or all that is in it.

use crate::access::{flag, map, maps, strings, text, texts};
use crate::postrender::kustomize;
use crate::postrender::node::Node;
use crate::postrender::resource::{parse_all, to_resources};
use crate::release::{self, Patch};
use crate::source::Source;
use crate::sources::Charts;
use bowsprit_value::{Map, Value};
use std::collections::BTreeSet;

/// Names that a kustomization's file may have.
const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// The fields of a kustomization that are followed here.
const FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "namespace",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "commonAnnotations",
    "labels",
];
/// Folders within folders.
const MAX_DEPTH: usize = 50;

/// Reads folders of one source.
pub(super) struct Folders<'c> {
    pub(super) charts: &'c dyn Charts,
    pub(super) source: &'c Source,
}

impl Folders<'_> {
    /// All objects of a folder.
    pub(super) fn build(&self, path: &str) -> Result<Vec<Node>, String> {
        self.at(path, 0)
    }

    fn at(&self, path: &str, depth: usize) -> Result<Vec<Node>, String> {
        if depth > MAX_DEPTH {
            return Err(format!("{path}: folders refer to each other without end"));
        }
        let path = clean(path);
        let files = self.charts.files(self.source, &path).map_err(|error| error.to_string())?;
        let files = files.ok_or_else(|| format!("kustomization path not found: {path}"))?;
        for name in FILES {
            let file = join(&path, name);
            if files.contains(&file) {
                return self.kustomization(&path, &file, depth);
            }
        }
        self.everything(&path, &files, depth)
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, String> {
        let found = self.charts.file(self.source, file).map_err(|error| error.to_string())?;
        found.ok_or_else(|| format!("{file}: no such file"))
    }

    fn objects(&self, file: &str) -> Result<Vec<Node>, String> {
        let objects = parse_all(&self.read(file)?).and_then(to_resources);
        let objects = objects.map_err(|error| format!("{file}: {error}"))?;
        for object in &objects {
            if object.at_path(&["sops", "mac"]).is_some() {
                let id = crate::postrender::resource::ResId::of(object);
                return Err(format!(
                    "{file}: {} {} is encrypted with SOPS, which is not decrypted here",
                    id.kind, id.name
                ));
            }
        }
        Ok(objects)
    }

    /// Without a kustomization, all YAML files below belong to it; folders with one are built on their
    /// own.
    fn everything(&self, path: &str, files: &[String], depth: usize) -> Result<Vec<Node>, String> {
        let own: BTreeSet<&str> = files
            .iter()
            .filter_map(|file| {
                let (dir, name) = file.rsplit_once('/')?;
                FILES.contains(&name).then_some(dir)
            })
            .collect();
        let mut built: BTreeSet<&str> = BTreeSet::new();
        let mut all = Vec::new();
        for file in files {
            let within = own.iter().filter(|dir| file.starts_with(&format!("{dir}/")));
            if let Some(dir) = within.min_by_key(|dir| dir.len()) {
                if built.insert(dir) {
                    all.extend(self.at(dir, depth + 1)?);
                }
                continue;
            }
            let below = file.strip_prefix(path).unwrap_or(file);
            let hidden = below.split('/').any(|part| part.starts_with('.'));
            if !hidden && (file.ends_with(".yaml") || file.ends_with(".yml")) {
                all.extend(self.objects(file)?);
            }
        }
        Ok(all)
    }

    fn kustomization(&self, path: &str, file: &str, depth: usize) -> Result<Vec<Node>, String> {
        let fail = |error: String| format!("{file}: {error}");
        let value = bowsprit_yaml::decode(&self.read(file)?).map_err(|e| fail(e.to_string()))?;
        let Value::Map(kustomization) = value else {
            return Err(fail("not a kustomization".to_owned()));
        };
        for (field, _) in kustomization.peek().iter() {
            let field = field.to_string();
            if !FIELDS.contains(&field.as_str()) {
                return Err(fail(format!("the field {field} is not supported")));
            }
        }
        let mut objects = Vec::new();
        let mut resources = texts(&kustomization, "resources");
        resources.extend(texts(&kustomization, "bases"));
        for resource in resources {
            if resource.contains("://") || resource.starts_with("github.com/") {
                return Err(fail(format!("the remote resource {resource} is not supported")));
            }
            let below = clean(&join(path, &resource));
            let is_folder = self
                .charts
                .files(self.source, &below)
                .map_err(|error| error.to_string())?
                .is_some();
            objects.extend(if is_folder {
                self.at(&below, depth + 1)?
            } else {
                self.objects(&below)?
            });
        }
        self.transform(path, &kustomization, objects).map_err(fail)
    }

    fn transform(
        &self,
        path: &str,
        kustomization: &Map,
        objects: Vec<Node>,
    ) -> Result<Vec<Node>, String> {
        let mut steps = release::kustomize(kustomization);
        steps.patches = self.patches(path, kustomization)?;
        let mut objects = kustomize::run(objects, &steps)?;
        objects.iter_mut().for_each(Node::settle);
        let namespace = text(kustomization, "namespace");
        if !namespace.is_empty() {
            super::set_namespace(&mut objects, &namespace);
        }
        for labels in maps(kustomization, "labels") {
            if flag(&labels, "includeSelectors") || flag(&labels, "includeTemplates") {
                return Err("labels in selectors and templates are not supported".to_owned());
            }
            let pairs = strings(&labels, "pairs");
            objects = crate::postrender::with_metadata(objects, pairs.as_ref(), None)?;
        }
        let annotations = strings(kustomization, "commonAnnotations");
        crate::postrender::with_metadata(objects, None, annotations.as_ref())
    }

    /// The patches, with the text of those that are files.
    fn patches(&self, path: &str, kustomization: &Map) -> Result<Vec<Patch>, String> {
        let mut patches = release::kustomize(kustomization).patches;
        let entries = maps(kustomization, "patches");
        for (patch, entry) in patches.iter_mut().zip(&entries) {
            if map(entry, "options").is_some_and(|options| !options.is_empty()) {
                return Err("options of patches are not supported".to_owned());
            }
            let file = text(entry, "path");
            if patch.patch.is_empty() && !file.is_empty() {
                patch.patch = self.patch_file(path, &file)?;
            }
        }
        // The older lists name files as well.
        for patch in patches.iter_mut().skip(entries.len()) {
            let text = patch.patch.trim();
            if !text.contains('\n') && (text.ends_with(".yaml") || text.ends_with(".yml")) {
                patch.patch = self.patch_file(path, text)?;
            }
        }
        Ok(patches)
    }

    fn patch_file(&self, path: &str, file: &str) -> Result<String, String> {
        let text = self.read(&clean(&join(path, file)))?;
        Ok(crate::access::lossy(&text).into_owned())
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

/// A path from the source's root, without dots.
fn clean(path: &str) -> String {
    let path = bowsprit_chart::path::clean(format!("/{path}").as_bytes());
    String::from_utf8_lossy(&path).trim_start_matches('/').to_owned()
}
