//! Flux's Kustomization: the objects that kustomize-controller applies from a folder of a source.
//!
//! A documented subset of kustomize: of a `kustomization.yaml` the fields `resources`, `namespace`,
//! `patches` (and the two older lists), `images`, `labels` outside of selectors and
//! `commonAnnotations`; of Flux's object `path`, `targetNamespace`, `commonMetadata`, `patches`, `images`
//! and `postBuild`. Everything else that would change objects is an error that names it, and so is what
//! is encrypted with SOPS.

mod folder;
mod substitute;

use crate::access::{flag, map_at, maps, some_text, strings, text};
use crate::error::{Failure, Reason};
use crate::inventory::{Inventory, ObjectRef, not_found};
use crate::postrender::node::Node;
use crate::postrender::resource::{ResId, check_ids, is_cluster_scoped, parse_all};
use crate::postrender::{kustomize, with_metadata};
use crate::release;
use crate::source::Source;
use crate::sources::Charts;
use bowsprit_value::{Map, Meter};
use folder::Folders;
use std::collections::BTreeMap;

/// Fields of a Kustomization that would change its objects and are not followed.
const UNSUPPORTED: &[&str] = &["components", "namePrefix", "nameSuffix"];
/// Objects with this label or annotation are left alone by `postBuild`.
const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
/// Kustomizations that bring others.
const MAX_BUILT: usize = 10_000;

/// What kustomize-controller applies for a Kustomization.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Kustomized {
    /// The Kustomization.
    pub key: ObjectRef,
    /// The objects, as YAML documents.
    pub documents: Vec<String>,
}

impl Kustomized {
    /// All objects in one text.
    pub fn text(&self) -> String {
        self.documents.iter().map(|document| format!("---\n{document}")).collect()
    }
}

/// Builds a Kustomization.
///
/// # Errors
///
/// Where its source or folder is not there, or has something in it that is not supported.
pub fn build(
    key: &ObjectRef,
    inventory: &Inventory,
    charts: &dyn Charts,
) -> Result<Kustomized, Failure> {
    let object =
        inventory.get(key).ok_or_else(|| Failure::new(Reason::BuildFailed, not_found(key)))?;
    let spec = map_at(object, &["spec"]);
    let source = ObjectRef::of(&map_at(&spec, &["sourceRef"]), "GitRepository", &key.namespace);
    let Some(source_object) = inventory.get(&source) else {
        return Err(Failure::new(Reason::ArtifactFailed, not_found(&source)));
    };
    let source = Source::of(&source, &map_at(source_object, &["spec"]), inventory);
    let failed = |error: String| Failure::new(Reason::BuildFailed, error);
    if let Some(field) = UNSUPPORTED.iter().find(|field| spec.contains(field.as_bytes())) {
        return Err(failed(format!("spec.{field} is not supported")));
    }
    // Whether the source is there at all.
    charts
        .files(&source, "")
        .map_err(|error| Failure::new(Reason::ArtifactFailed, error.to_string()))?;
    let folders = Folders { charts, source: &source };
    let objects = folders.build(&text(&spec, "path")).map_err(failed)?;
    let objects = transform(key, &spec, objects).map_err(failed)?;
    let mut documents = Vec::new();
    for object in objects {
        documents.push(document(key, &spec, inventory, &object).map_err(failed)?);
    }
    Ok(Kustomized { key: key.clone(), documents })
}

fn transform(key: &ObjectRef, spec: &Map, objects: Vec<Node>) -> Result<Vec<Node>, String> {
    let mut objects = kustomize::run(objects, &release::kustomize(spec))?;
    objects.iter_mut().for_each(Node::settle);
    if let Some(namespace) = some_text(spec, "targetNamespace") {
        set_namespace(&mut objects, &namespace);
        check_ids(&objects)?;
    }
    let common = map_at(spec, &["commonMetadata"]);
    let (labels, annotations) = (strings(&common, "labels"), strings(&common, "annotations"));
    objects = with_metadata(objects, labels.as_ref(), annotations.as_ref())?;
    let origin: BTreeMap<String, String> = [("name", &key.name), ("namespace", &key.namespace)]
        .map(|(what, value)| (format!("kustomize.toolkit.fluxcd.io/{what}"), value.clone()))
        .into();
    with_metadata(objects, Some(&origin), None)
}

/// Puts objects into a namespace, and with them what binds roles to their accounts.
fn set_namespace(objects: &mut [Node], namespace: &str) {
    let accounts: Vec<String> = objects
        .iter()
        .map(ResId::of)
        .filter(|id| id.kind == "ServiceAccount" && id.group.is_empty())
        .map(|id| id.name)
        .collect();
    for object in objects {
        let id = ResId::of(object);
        if id.kind == "Namespace" && id.group.is_empty() {
            if let Some(metadata) = object.map_at(&["metadata"]) {
                metadata.insert("name".into(), Node::str(namespace));
            }
        } else if !is_cluster_scoped(&id.group, &id.kind)
            && let Some(metadata) = object.map_at(&["metadata"])
        {
            metadata.insert("namespace".into(), Node::str(namespace));
        }
        let binding = id.kind == "RoleBinding" || id.kind == "ClusterRoleBinding";
        let Node::Map(fields) = object else { continue };
        if binding && let Some(Node::List(subjects)) = fields.get_mut(&b"subjects"[..]) {
            for subject in subjects {
                let name = subject.text_of(&["name"]);
                if subject.text_of(&["kind"]) == "ServiceAccount"
                    && (name == "default" || accounts.contains(&name))
                    && let Some(subject) = subject.map_at(&[])
                {
                    subject.insert("namespace".into(), Node::str(namespace));
                }
            }
        }
    }
}

fn document(
    key: &ObjectRef,
    spec: &Map,
    inventory: &Inventory,
    object: &Node,
) -> Result<String, String> {
    let mut out = Vec::new();
    bowsprit_yaml::encode(&object.to_value(), &mut out, &Meter::default())
        .map_err(|error| error.to_string())?;
    let text = crate::access::lossy(&out).into_owned();
    let post_build = map_at(spec, &["postBuild"]);
    let disabled = ["labels", "annotations"]
        .iter()
        .any(|field| object.text_of(&["metadata", field, SUBSTITUTE]) == "disabled");
    if post_build.is_empty() || disabled {
        return Ok(text);
    }
    let variables = variables(key, &post_build, inventory)?;
    if variables.is_empty() {
        return Ok(text);
    }
    let replaced = substitute::substitute(&text, &variables)?;
    // What is a number or a bool now has to be written as one.
    let mut out = Vec::new();
    for node in parse_all(replaced.as_bytes())? {
        bowsprit_yaml::encode(&node.to_value(), &mut out, &Meter::default())
            .map_err(|error| error.to_string())?;
    }
    Ok(crate::access::lossy(&out).into_owned())
}

fn variables(
    key: &ObjectRef,
    post_build: &Map,
    inventory: &Inventory,
) -> Result<BTreeMap<String, String>, String> {
    let mut variables = BTreeMap::new();
    for reference in maps(post_build, "substituteFrom") {
        let (kind, name) = (text(&reference, "kind"), text(&reference, "name"));
        let from = ObjectRef::new(&*kind, &*key.namespace, &*name);
        match inventory.entries(&from) {
            Ok(entries) => variables.extend(entries),
            Err(_) if flag(&reference, "optional") => {}
            Err(error) => return Err(format!("substitute from '{kind}/{name}' error: {error}")),
        }
    }
    variables.extend(strings(post_build, "substitute").unwrap_or_default());
    for (name, value) in &mut variables {
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !first || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!(
                "envsubst error: '{name}' var name is invalid, must match \
                 '^[_[:alpha:]][_[:alpha:][:digit:]]*$'"
            ));
        }
        value.retain(|c| c != '\n');
    }
    Ok(variables)
}

/// Builds all Kustomizations and adds their objects to the others, among them further Kustomizations.
/// Those that fail are given with their failures.
pub fn expand(
    inventory: &mut Inventory,
    charts: &dyn Charts,
) -> Vec<(ObjectRef, Result<Kustomized, Failure>)> {
    let mut built: Vec<(ObjectRef, Result<Kustomized, Failure>)> = Vec::new();
    loop {
        let next = inventory
            .of_kind("Kustomization")
            .map(|(key, _)| key)
            .find(|key| !built.iter().any(|(other, _)| other == *key))
            .cloned();
        let Some(key) = next.filter(|_| built.len() < MAX_BUILT) else { return built };
        let mut result = build(&key, inventory, charts);
        if let Ok(kustomized) = &result {
            let origin = key.to_string();
            if let Err(error) = inventory.read(&origin, kustomized.text().as_bytes()) {
                result = Err(Failure::new(Reason::BuildFailed, error.to_string()));
            }
        }
        built.push((key, result));
    }
}
