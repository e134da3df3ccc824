//! Post-rendering against the real kustomize, whose library helm-controller uses.
//!
//! `fixtures/kustomize` has objects, and post-renderers to run over them.

// Helpers of tests fail as the tests do.
#![allow(clippy::unwrap_used)]

use crate::tools::tool;
use bowsprit::Engine;
use bowsprit::chart::{Chart, File, Limits};
use bowsprit::flux::{
    ChartImage, ChartVersion, Charts, FetchError, FolderChart, ImageRef, Inventory, Options,
    Source, render,
};
use bowsprit::manifest::objects;
use bowsprit::value::{Hermetic, Map, Meter, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// One chart, which holds the objects.
struct Objects(Vec<u8>);

impl Charts for Objects {
    fn versions(&self, _: &Source, _: &str) -> Result<Option<Vec<ChartVersion>>, FetchError> {
        Ok(None)
    }

    fn archive(&self, _: &Source, _: &str, _: &ChartVersion) -> Result<Chart, FetchError> {
        Err(FetchError("no archive".to_owned()))
    }

    fn tags(&self, _: &Source) -> Result<Vec<String>, FetchError> {
        Ok(Vec::new())
    }

    fn image(&self, _: &Source, _: &ImageRef) -> Result<ChartImage, FetchError> {
        Err(FetchError("no image".to_owned()))
    }

    fn folder(&self, _: &Source, _: &str) -> Result<FolderChart, FetchError> {
        let files = vec![
            File::new("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
            File::new("templates/objects.yaml", self.0.clone()),
        ];
        let chart = Chart::from_files(files, &Limits::default()).unwrap().output;
        Ok(FolderChart { chart, packaged: false })
    }

    fn file(&self, _: &Source, _: &str) -> Result<Option<Vec<u8>>, FetchError> {
        Ok(None)
    }

    fn files(&self, _: &Source, _: &str) -> Result<Option<Vec<String>>, FetchError> {
        Ok(None)
    }
}

fn yaml(value: Value) -> String {
    let mut out = Vec::new();
    bowsprit::yaml::encode(&value, &mut out, &Meter::default()).unwrap();
    String::from_utf8(out).unwrap()
}

fn map<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::Map(Map::from_entries(entries.map(|(key, value)| (key.into(), value))))
}

/// What a HelmRelease with this post-renderer installs, or why nothing.
fn bowsprit(objects: &[u8], kustomize: &Map) -> Result<String, String> {
    let spec = map([
        ("chartRef", Value::Nil),
        (
            "chart",
            map([(
                "spec",
                map([
                    ("chart", "c".into()),
                    ("sourceRef", map([("kind", "Bucket".into()), ("name", "b".into())])),
                ]),
            )]),
        ),
        ("postRenderers", Value::list(vec![map([("kustomize", Value::Map(kustomize.clone()))])])),
    ]);
    let release = map([
        ("apiVersion", "helm.toolkit.fluxcd.io/v2".into()),
        ("kind", "HelmRelease".into()),
        ("metadata", map([("name", "r".into())])),
        ("spec", spec),
    ]);
    let text = format!(
        "{}---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: Bucket\nmetadata: {{name: b}}\n",
        yaml(release)
    );
    let mut inventory = Inventory::new("default");
    inventory.read("case", text.as_bytes()).unwrap();
    let (charts, engine) = (Objects(objects.to_vec()), Engine::new());
    let release = &inventory.helm_releases()[0];
    let host = Hermetic::default();
    render(release, &inventory, &charts, &engine, &host, &Options::default())
        .map(|rendered| rendered.manifest())
        .map_err(|failure| failure.message)
}

/// The objects by who they are, without Flux's labels.
fn by_identity(text: &str) -> BTreeMap<String, String> {
    let objects = objects(text.as_bytes()).unwrap().into_iter();
    let entries = objects.map(|object| {
        let root = object.value.as_map().unwrap();
        let metadata = root.get(b"metadata").unwrap().as_map().unwrap().clone();
        if let Some(Value::Map(labels)) = metadata.get(b"labels") {
            labels.remove(b"helm.toolkit.fluxcd.io/name");
            labels.remove(b"helm.toolkit.fluxcd.io/namespace");
            if labels.is_empty() {
                metadata.remove(b"labels");
            }
        }
        (format!("{} {}", object.identity.api_version, object.identity), yaml(object.value))
    });
    entries.collect()
}

#[test]
fn patches_and_images_are_those_of_kustomize() {
    let Some(kustomize) = tool("kustomize") else { return };
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kustomize");
    fs::create_dir_all(&dir).unwrap();
    let objects = bowsprit_testkit::fixture("kustomize/objects.yaml").unwrap();
    let cases = bowsprit_testkit::fixture("kustomize/cases.yaml").unwrap();
    let cases = bowsprit::yaml::decode(&cases).unwrap();
    fs::write(dir.join("helm-output.yaml"), &objects).unwrap();
    let mut complaints = Vec::new();
    for case in cases.as_list().unwrap().iter() {
        let case = case.as_map().unwrap();
        let name = case.get(b"name").unwrap().as_str().unwrap().to_string();
        let empty = || Value::list(Vec::new());
        let steps = Map::from_entries(
            ["patches", "images"]
                .map(|field| (field.into(), case.get(field.as_bytes()).unwrap_or_else(empty))),
        );
        let file = Map::from_entries(steps.entries().iter().map(|(k, v)| (k.clone(), v.clone())));
        file.insert("resources".into(), Value::list(vec!["helm-output.yaml".into()]));
        fs::write(dir.join("kustomization.yaml"), yaml(file.into())).unwrap();
        let output = Command::new(&kustomize).arg("build").arg(&dir).output().unwrap();
        let theirs = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        match (output.status.success(), bowsprit(&objects, &steps)) {
            (true, Ok(ours)) => {
                let (ours, theirs) = (by_identity(&ours), by_identity(&theirs));
                if ours != theirs {
                    complaints.push(format!("{name}: want {theirs:#?}, got {ours:#?}"));
                }
            }
            (false, Err(ours)) => {
                let theirs = error.trim().strip_prefix("Error: ").unwrap_or(&error).to_owned();
                if !case.contains(b"text") && !ours.ends_with(&theirs) {
                    complaints.push(format!("{name}: want the error {theirs}, got {ours}"));
                }
            }
            (true, Err(ours)) => complaints.push(format!("{name}: got the error {ours}")),
            (false, Ok(_)) => complaints.push(format!("{name}: want the error {error}")),
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
