//! What happens to rendered templates before Helm sorts them: one post-renderer, made of the
//! HelmRelease's own, its common metadata, and the labels by which Flux knows its objects again.
//!
//! Helm 4 merges all files into one stream, marks each document with the file it comes from, and takes
//! the stream apart again when the post-renderer is done. kustomize's part in it is ours: patches and
//! images, which are all that a HelmRelease can ask for. See [`kustomize`] and its siblings.

mod images;
pub(crate) mod json6902;
pub(crate) mod kustomize;
mod multikey;
pub(crate) mod node;
pub(crate) mod pattern;
pub(crate) mod resource;
mod schema;
mod strategic;

use crate::release::{CommonMetadata, HelmRelease, Kustomize, PostRenderStrategy};
use bowsprit_manifest::{Hook, Identity, Manifest, Order, Sorted, sort_manifests, split};
use bowsprit_value::{Meter, Str};
use node::{Fields, Node};
use resource::{check_ids, parse_all, to_resources};
use std::collections::BTreeMap;

/// The annotation in which Helm keeps a document's file.
pub(crate) const FILENAME: &str = "postrenderer.helm.sh/postrender-filename";
/// What Flux labels its objects with.
pub(crate) const ORIGIN: [&str; 2] =
    ["helm.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/namespace"];

/// Rendered files by their names.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The steps of a post-renderer.
#[derive(Clone, Debug)]
pub(crate) struct PostRenderer<'r> {
    kustomize: &'r [Kustomize],
    common: Option<&'r CommonMetadata>,
    origin: BTreeMap<String, String>,
    strategy: PostRenderStrategy,
}

impl<'r> PostRenderer<'r> {
    /// The post-renderer of a HelmRelease.
    pub(crate) fn of(release: &'r HelmRelease) -> PostRenderer<'r> {
        PostRenderer {
            kustomize: &release.post_renderers,
            common: release.common_metadata.as_ref(),
            origin: origin_labels(release),
            strategy: release.post_render_strategy,
        }
    }

    /// The post-rendered files, as Helm goes on with them.
    pub(crate) fn run(&self, files: Files) -> Result<Files, String> {
        match self.strategy {
            PostRenderStrategy::Combined => {
                let stream = merge(&files).map_err(|e| e.told("manifests", "files"))?;
                let stream = self
                    .steps(stream)
                    .map_err(|e| format!("error while running post render on files: {e}"))?;
                take_apart(stream, "")
                    .map_err(|e| format!("error while parsing post rendered output: {e}"))
            }
            PostRenderStrategy::NoHooks | PostRenderStrategy::Separate => self.by_groups(&files),
        }
    }

    fn by_groups(&self, files: &Files) -> Result<Files, String> {
        let sources = files.iter().map(|(name, text)| (name.as_str(), text.as_slice()));
        let sorted = sort_manifests(sources, Order::Install).map_err(|e| e.to_string())?.sorted;
        let Sorted { manifests, hooks } = &sorted;
        let mut all = Files::new();
        let hooks = group(hooks.iter().map(|Hook { path, manifest, .. }| (&**path, &**manifest)));
        let manifests =
            group(manifests.iter().map(|Manifest { path, content, .. }| (&**path, &**content)));
        let separate = self.strategy == PostRenderStrategy::Separate;
        for (name, files, rendered) in [("hooks", hooks, separate), ("manifests", manifests, true)]
        {
            let files =
                if rendered && !files.is_empty() { self.group(name, &files)? } else { files };
            for (file, text) in files {
                append(&mut all, file, &text);
            }
        }
        Ok(all)
    }

    fn group(&self, name: &str, files: &Files) -> Result<Files, String> {
        let stream = merge(files).map_err(|e| e.told(name, name))?;
        let stream = self
            .steps(stream)
            .map_err(|e| format!("error while running post render on {name}: {e}"))?;
        take_apart(stream, name)
            .map_err(|e| format!("error while parsing post rendered output for {name}: {e}"))
    }

    fn steps(&self, mut stream: Vec<Node>) -> Result<Vec<Node>, String> {
        for kustomize in self.kustomize {
            stream = kustomize::run(stream, kustomize)?;
            stream.iter_mut().for_each(Node::settle);
        }
        if let Some(CommonMetadata { labels, annotations }) = self.common {
            stream = with_metadata(stream, labels.as_ref(), annotations.as_ref())?;
        }
        with_metadata(stream, Some(&self.origin), None)
    }
}

/// The labels by which Flux finds the objects of a HelmRelease.
pub(crate) fn origin_labels(release: &HelmRelease) -> BTreeMap<String, String> {
    let values = [&release.name, &release.namespace];
    ORIGIN.into_iter().map(str::to_owned).zip(values.into_iter().cloned()).collect()
}

/// Whether an object's kind has a namespace, as far as that is known.
pub(crate) fn is_namespaced(identity: &Identity) -> bool {
    !resource::is_cluster_scoped(identity.group(), &identity.kind)
}

/// Joins the documents of equal files, in the order in which they come.
fn group<'d>(documents: impl Iterator<Item = (&'d str, &'d str)>) -> Files {
    let mut files = Files::new();
    for (file, text) in documents {
        append(&mut files, file.to_owned(), text.as_bytes());
    }
    files
}

fn append(files: &mut Files, file: String, text: &[u8]) {
    match files.get_mut(&file) {
        Some(there) => {
            there.extend_from_slice(b"\n---\n");
            there.extend_from_slice(text);
        }
        None => {
            files.insert(file, text.to_vec());
        }
    }
}

/// Why documents can't be merged.
enum MergeError {
    /// Helm says so.
    Now(String),
    /// Helm does not see it, but kustomize, in the first step: a key that occurs twice.
    Later(String),
}

impl MergeError {
    fn told(self, merged: &str, rendered: &str) -> String {
        match self {
            MergeError::Now(why) => format!("error merging {merged}: {why}"),
            MergeError::Later(why) => format!(
                "error while running post render on {rendered}: map[string]interface {{}}(nil): {why}"
            ),
        }
    }
}

/// All documents of all files, each marked with its file.
fn merge(files: &Files) -> Result<Vec<Node>, MergeError> {
    let mut stream = Vec::new();
    let mut later = None;
    for (file, text) in files {
        let partial = file.rsplit('/').next().is_some_and(|base| base.starts_with('_'));
        if partial || text.trim_ascii().is_empty() {
            continue;
        }
        for document in split(text) {
            let failed = |why: String| MergeError::Now(format!("parsing {file}: {why}"));
            let nodes = match parse_all(document) {
                Ok(nodes) => nodes,
                Err(why) if why.starts_with("yaml: unmarshal errors") => {
                    later.get_or_insert(why);
                    continue;
                }
                Err(why) => return Err(failed(why)),
            };
            for mut node in nodes {
                if !matches!(node, Node::Map(_)) {
                    let source = crate::access::lossy(document);
                    return Err(failed(wrong_kind(node.kind_name(), source.trim())));
                }
                mark(&mut node, file).map_err(failed)?;
                stream.push(node);
            }
        }
    }
    later.map_or(Ok(stream), |why| Err(MergeError::Later(why)))
}

/// kyaml's complaint about something that is no map.
fn wrong_kind(kind: &str, contents: &str) -> String {
    format!("wrong node kind: expected MappingNode but got {kind}: node contents:\n{contents}")
}

/// The first value on the way that is no map: its kind, and how it is written.
fn no_map(node: &Node, path: &[&str]) -> Option<(&'static str, String)> {
    let found = (1..=path.len()).find_map(|length| {
        let value = node.at_path(path.get(..length)?)?;
        (!matches!(value, Node::Map(_)) && !value.is_null()).then_some(value)
    })?;
    let text = match found {
        Node::List(items) if items.is_empty() => "[]".to_owned(),
        other => {
            let mut out = Vec::new();
            match bowsprit_yaml::encode(&other.to_value(), &mut out, &Meter::default()) {
                Ok(()) => crate::access::lossy(&out).trim_end().to_owned(),
                Err(_) => String::new(),
            }
        }
    };
    Some((found.kind_name(), text))
}

fn mark(node: &mut Node, file: &str) -> Result<(), String> {
    const PATH: [&str; 2] = ["metadata", "annotations"];
    // What is empty counts as missing here.
    let empty = match node.at_path(&PATH) {
        Some(Node::List(items)) => items.is_empty(),
        Some(Node::Str(text)) => text.as_bytes().is_empty(),
        _ => false,
    };
    if empty && let Some(metadata) = node.map_at(&["metadata"]) {
        metadata.remove(&b"annotations"[..]);
    }
    let wrong = no_map(node, &PATH);
    let annotations = node.map_at(&PATH).ok_or_else(|| {
        let (kind, text) = wrong.unwrap_or_default();
        wrong_kind(kind, &text)
    })?;
    annotations.insert(FILENAME.into(), Node::str(file));
    Ok(())
}

/// kustomize's transformers of labels and annotations, on the objects' own metadata.
pub(crate) fn with_metadata(
    stream: Vec<Node>,
    labels: Option<&BTreeMap<String, String>>,
    annotations: Option<&BTreeMap<String, String>>,
) -> Result<Vec<Node>, String> {
    if labels.is_none() && annotations.is_none() {
        return Ok(stream);
    }
    let mut resources = to_resources(stream)?;
    check_ids(&resources)?;
    for resource in &mut resources {
        resource.settle();
        for (field, entries) in [("labels", labels), ("annotations", annotations)] {
            let Some(entries) = entries.filter(|entries| !entries.is_empty()) else { continue };
            let id = resource::ResId::of(resource);
            let wrong = no_map(resource, &["metadata", field]);
            let fields = resource.map_at(&["metadata", field]).ok_or_else(|| {
                let (kind, text) = wrong.unwrap_or_default();
                let why = wrong_kind(kind, &text);
                format!("considering field 'metadata/{field}' of object {id}: {why}")
            })?;
            for (key, value) in entries {
                fields.insert(Str::from(key.as_str()), Node::str(value));
            }
        }
    }
    Ok(resources)
}

/// The documents by the files that they are marked with, written as Helm writes them.
fn take_apart(stream: Vec<Node>, prefix: &str) -> Result<Files, String> {
    let mut files = Files::new();
    for (place, mut node) in stream.into_iter().enumerate() {
        let file = take_mark(&mut node);
        let file = match (file.is_empty(), prefix) {
            (false, _) => file,
            (true, "") => format!("generated-by-postrender-{place}.yaml"),
            (true, prefix) => format!("generated-by-postrender-{prefix}-{place}.yaml"),
        };
        let text = files.entry(file).or_default();
        if !text.is_empty() {
            text.extend_from_slice(b"---\n");
        }
        bowsprit_yaml::encode_rewritten(&node.to_value(), text, &Meter::default())
            .map_err(|e| e.to_string())?;
    }
    Ok(files)
}

/// Removes the mark, and annotations that are empty then.
fn take_mark(node: &mut Node) -> String {
    let Node::Map(fields) = node else { return String::new() };
    let Some(Node::Map(metadata)) = fields.get_mut(&b"metadata"[..]) else { return String::new() };
    let mut file = String::new();
    let empty = match metadata.get_mut(&b"annotations"[..]) {
        Some(Node::Map(annotations)) => {
            let mark = annotations.remove(FILENAME.as_bytes());
            file = mark.as_ref().and_then(Node::text).unwrap_or_default();
            Fields::is_empty(annotations)
        }
        Some(other) => other.is_null(),
        None => false,
    };
    if empty {
        metadata.remove(&b"annotations"[..]);
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_told_as_kyaml_tells_it() {
        let merged = |text: &str| {
            let files = Files::from([("c/templates/a.yaml".to_owned(), text.as_bytes().to_vec())]);
            merge(&files).map(|nodes| nodes.len()).map_err(|error| error.told("manifests", "files"))
        };
        let head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
        let wrong = |what: &str| {
            Err(format!(
                "error merging manifests: parsing c/templates/a.yaml: wrong node kind: expected \
                 MappingNode but got {what}"
            ))
        };
        assert_eq!(merged("42\n"), wrong("ScalarNode: node contents:\n42"));
        assert_eq!(merged("- a\n- b\n"), wrong("SequenceNode: node contents:\n- a\n- b"));
        assert_eq!(merged("kind: A\nmetadata: []\n"), wrong("SequenceNode: node contents:\n[]"));
        for empty in ["[]", "\"\"", ""] {
            assert_eq!(merged(&format!("{head}  annotations: {empty}\n")), Ok(1), "{empty}");
        }
        let twice = merged(&format!("{head}data:\n  x: a\n  x: b\n")).unwrap_err();
        let want = "error while running post render on files: map[string]interface {}(nil): yaml: \
                    unmarshal errors:\n  line 7: mapping key \"x\" already defined at line 6";
        assert_eq!(twice, want);
    }
}
