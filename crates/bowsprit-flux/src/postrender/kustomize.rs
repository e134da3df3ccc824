//! One run of kustomize: patches, then images.

use super::json6902::JsonPatch;
use super::node::{Fields, Node};
use super::pattern::{matches_whole, selects};
use super::resource::{ResId, check_ids, parse_all, to_resources};
use super::schema::Shape;
use super::{images, strategic};
use crate::release::{Kustomize, Patch, Target};
use bowsprit_manifest::Labels;
use bowsprit_value::{Map, Meter, Str, Value};
use bowsprit_yaml::{Blank, decode_v3};

/// Objects with this annotation are not for the cluster.
const LOCAL: &str = "config.kubernetes.io/local-config";

/// Applies the patches in their order, then the images.
pub(crate) fn run(resources: Vec<Node>, kustomize: &Kustomize) -> Result<Vec<Node>, String> {
    let mut resources = to_resources(resources).map_err(accumulating)?;
    check_ids(&resources).map_err(accumulating)?;
    resources.retain(|resource| {
        let local = resource.text_of(&["metadata", "annotations", LOCAL]);
        local.is_empty() || local == "false"
    });
    // kustomize reads all patches before it applies the first.
    let patches: Vec<Loaded<'_>> = kustomize
        .patches
        .iter()
        .map(|patch| Loaded::new(patch).map_err(|error| configuring(patch, &error)))
        .collect::<Result<_, _>>()?;
    for patch in patches {
        resources = patch.apply(resources)?;
    }
    for image in &kustomize.images {
        resources.iter_mut().for_each(|resource| images::set(resource, image));
    }
    Ok(resources)
}

/// kustomize tries to read as a folder what it can't read as a file, and tells of both.
fn accumulating(error: String) -> String {
    format!(
        "accumulating resources: accumulation err='merging resources from 'helm-output.yaml': \
         {error}': must build at directory: '/helm-output.yaml': file is not directory"
    )
}

fn configuring(patch: &Patch, error: &str) -> String {
    let config = config(patch);
    format!("trouble configuring builtin PatchTransformer with config: `\n{config}`: {error}")
}

/// A patch as kustomize shows it.
fn config(patch: &Patch) -> String {
    let config = Map::new();
    let put = |map: &Map, entries: &[(&'static str, &String)]| {
        for (key, text) in entries.iter().filter(|(_, text)| !text.is_empty()) {
            map.insert(Str::from_static(key), Value::from(text.as_str()));
        }
    };
    put(&config, &[("patch", &patch.patch)]);
    if let Some(target) = &patch.target {
        let selector = Map::new();
        put(
            &selector,
            &[
                ("group", &target.group),
                ("version", &target.version),
                ("kind", &target.kind),
                ("name", &target.name),
                ("namespace", &target.namespace),
                ("labelSelector", &target.label_selector),
                ("annotationSelector", &target.annotation_selector),
            ],
        );
        config.insert("target".into(), selector.into());
    }
    let mut text = Vec::new();
    let _ = bowsprit_yaml::encode(&config.into(), &mut text, &Meter::default());
    String::from_utf8_lossy(&text).into_owned()
}

enum Content {
    Strategic(Vec<Node>),
    Json(JsonPatch),
}

struct Loaded<'p> {
    content: Content,
    text: &'p str,
    target: Option<&'p Target>,
}

impl<'p> Loaded<'p> {
    fn new(patch: &'p Patch) -> Result<Loaded<'p>, String> {
        let text = patch.patch.trim();
        if text.is_empty() {
            return Err(format!("must specify one of patch and path in\n{}", config(patch)));
        }
        let unreadable = || format!("unable to parse SM or JSON patch from {}", source(text));
        let objects = parse_all(text.as_bytes()).and_then(to_resources);
        let content = match objects {
            Ok(objects) if !objects.is_empty() => Content::Strategic(objects),
            _ => {
                let value = decode_v3(text.as_bytes(), Blank::Nil).map_err(|_| unreadable())?;
                Content::Json(JsonPatch::of(&value).ok_or_else(unreadable)?)
            }
        };
        Ok(Loaded { content, text, target: patch.target.as_ref() })
    }

    fn apply(&self, resources: Vec<Node>) -> Result<Vec<Node>, String> {
        match (&self.content, self.target) {
            (Content::Json(_), None) => {
                Err(format!("must specify a target for JSON patch {}", source(self.text)))
            }
            (Content::Json(patch), Some(target)) => apply_json(resources, patch, target),
            (Content::Strategic(patches), None) => patches.iter().try_fold(resources, apply_own),
            (Content::Strategic(patches), Some(target)) => match patches.as_slice() {
                [patch] => apply_to_targets(resources, patch, target),
                _ => Err(format!(
                    "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set \
                     `patches.target` field: {}",
                    source(self.text)
                )),
            },
        }
    }
}

fn source(text: &str) -> String {
    let quoted = bowsprit_value::strconv::quote(text.as_bytes());
    format!("[patch: {}]", String::from_utf8_lossy(&quoted))
}

fn apply_json(
    mut resources: Vec<Node>,
    patch: &JsonPatch,
    target: &Target,
) -> Result<Vec<Node>, String> {
    check_patterns(target)?;
    for resource in &mut resources {
        if is_selected(resource, target)? {
            // kustomize goes by way of JSON, and writes annotations as strings afterwards.
            let blank = blank_annotations(resource);
            resource.settle();
            patch.apply(resource)?;
            stringify_annotations(resource, &blank);
        }
    }
    Ok(resources)
}

const ANNOTATIONS: [&str; 2] = ["metadata", "annotations"];

/// The annotations without a written value.
fn blank_annotations(resource: &Node) -> Vec<Str> {
    let annotations = resource.at_path(&ANNOTATIONS).and_then(Node::fields);
    let blank = annotations.into_iter().flatten().filter(|(_, node)| **node == Node::Blank);
    blank.map(|(key, _)| key.clone()).collect()
}

fn stringify_annotations(resource: &mut Node, blank: &[Str]) {
    if resource.at_path(&ANNOTATIONS).and_then(Node::fields).is_none() {
        return;
    }
    for (key, node) in resource.map_at(&ANNOTATIONS).into_iter().flatten() {
        let text = match &*node {
            Node::Null if blank.contains(key) => String::new(),
            Node::Null => "null".to_owned(),
            other => other.text().unwrap_or_default(),
        };
        *node = Node::str(&text);
    }
}

/// kustomize compiles all patterns before it looks at the first object.
fn check_patterns(target: &Target) -> Result<(), String> {
    let patterns = [&target.group, &target.version, &target.kind, &target.name, &target.namespace];
    patterns.into_iter().try_for_each(|pattern| matches_whole(pattern, "").map(drop))
}

fn apply_to_targets(
    resources: Vec<Node>,
    patch: &Node,
    target: &Target,
) -> Result<Vec<Node>, String> {
    let not_found = |error: String| {
        let quoted = bowsprit_value::strconv::quote(shown(target).as_bytes());
        let quoted = String::from_utf8_lossy(&quoted);
        format!("unable to find patch target {quoted} in `resources`: {error}")
    };
    check_patterns(target).map_err(not_found)?;
    let patch = &copied(patch);
    let mut patched = Vec::new();
    for resource in resources {
        if is_selected(&resource, target).map_err(not_found)? {
            patched.extend(merged(resource, patch)?);
        } else {
            patched.push(resource);
        }
    }
    check_ids(&patched)?;
    Ok(patched)
}

/// A patch as kustomize copies it for each target: labels and annotations become strings on the way, so that
/// a null, which would take one out, is the word `null`, and no labels at all take nothing out.
fn copied(patch: &Node) -> Node {
    let mut patch = patch.clone();
    for field in ["labels", "annotations"] {
        let Some(metadata) = patch.map_at(&["metadata"]) else { continue };
        let Some(table) = metadata.get_mut(field.as_bytes()) else { continue };
        let entries = table.fields().into_iter().flatten();
        let strings = entries.map(|(key, node)| {
            let text = match node {
                Node::Null => "null".to_owned(),
                other => other.text().unwrap_or_default(),
            };
            (key.clone(), Node::str(&text))
        });
        let strings: Fields = strings.collect();
        if strings.is_empty() {
            metadata.remove(field.as_bytes());
        } else {
            *table = Node::Map(strings);
        }
    }
    patch
}

/// A target as kustomize names it.
fn shown(target: &Target) -> String {
    let id = ResId {
        group: target.group.clone(),
        version: target.version.clone(),
        kind: target.kind.clone(),
        namespace: target.namespace.clone(),
        name: target.name.clone(),
    };
    format!("{id}:a={}:l={}", target.annotation_selector, target.label_selector)
}

/// Applies a patch without a target to the object that has its identity.
fn apply_own(resources: Vec<Node>, patch: &Node) -> Result<Vec<Node>, String> {
    let id = ResId::of(patch);
    let matching: Vec<bool> =
        resources.iter().map(|resource| ResId::of(resource).same(&id)).collect();
    match matching.iter().filter(|matches| **matches).count() {
        1 => {}
        0 => {
            return Err(format!(
                "no resource matches strategic merge patch \"{id}\": no matches for Id {id}; \
                 failed to find unique target for patch {id}"
            ));
        }
        _ => {
            return Err(format!(
                "no resource matches strategic merge patch \"{id}\": multiple matches for Id {id}; \
                 failed to find unique target for patch {id}"
            ));
        }
    }
    let mut patched = Vec::new();
    for (resource, matches) in resources.into_iter().zip(matching) {
        if matches {
            patched.extend(merged(resource, patch)?);
        } else {
            patched.push(resource);
        }
    }
    Ok(patched)
}

/// Merges, and keeps who the object is.
fn merged(resource: Node, patch: &Node) -> Result<Option<Node>, String> {
    // kustomize makes the new object and forgets it.
    if patch.text_of(&["$patch"]) == "replace" {
        return Ok(Some(resource));
    }
    let id = ResId::of(&resource);
    let api_version = resource.get("apiVersion").cloned();
    let mut patch = patch.clone();
    if let (Node::Map(fields), Some(api_version)) = (&mut patch, api_version) {
        fields.insert("apiVersion".into(), api_version);
    }
    let Some(mut merged) = strategic::merge(resource, patch, Shape::of(&id))? else {
        return Ok(None);
    };
    if let Some(fields) = merged.map_at(&[]) {
        fields.insert("kind".into(), Node::str(&id.kind));
    }
    if let Some(metadata) = merged.map_at(&["metadata"]) {
        metadata.insert("name".into(), Node::str(&id.name));
        if id.namespace.is_empty() {
            metadata.remove(&b"namespace"[..]);
        } else {
            metadata.insert("namespace".into(), Node::str(&id.namespace));
        }
    }
    Ok(Some(merged))
}

fn is_selected(resource: &Node, target: &Target) -> Result<bool, String> {
    let id = ResId::of(resource);
    let by_name = [
        (&target.namespace, id.effective_namespace()),
        (&target.name, &id.name),
        (&target.group, &id.group),
        (&target.version, &id.version),
        (&target.kind, &id.kind),
    ];
    for (pattern, text) in by_name {
        if !matches_whole(pattern, text)? {
            return Ok(false);
        }
    }
    Ok(selects(&target.label_selector, &labels(resource, "labels"))?
        && selects(&target.annotation_selector, &labels(resource, "annotations"))?)
}

fn labels(resource: &Node, field: &str) -> Labels {
    let fields = resource.at_path(&["metadata", field]).and_then(Node::fields);
    let entries = fields.into_iter().flatten();
    entries.map(|(key, value)| (key.to_string(), value.text().unwrap_or_default())).collect()
}
