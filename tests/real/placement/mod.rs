//! Policies on real API servers, and in the hands of the controllers that they are written for.

mod karmada;
mod kubestellar;
mod members;
mod seeds;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::apply::server::{Server, corpus_dir, scratch};

/// A file or folder of the shared definitions; none, said loudly, where they are not there.
fn definitions(path: &str) -> Option<PathBuf> {
    Some(corpus_dir()?.join("../crds").join(path))
}

/// The documents of a text as JSON.
fn documents(text: &str) -> Vec<Json> {
    let documents = bowsprit::manifest::split(text.as_bytes());
    let json = documents.map(|document| bowsprit::yaml::yaml_to_json(document).unwrap());
    let read = json.map(|json| serde_json::from_slice(&json).unwrap());
    read.filter(|object: &Json| !object.is_null()).collect()
}

/// Installs definitions, and waits until they are served.
fn define(server: &Server, objects: Vec<Json>) {
    let mut paths = Vec::new();
    for object in objects {
        let name = object["metadata"]["name"].as_str().unwrap();
        put(
            server,
            &format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"),
            &object,
        );
        let spec = &object["spec"];
        let version = spec["versions"][0]["name"].as_str().unwrap();
        let (group, plural) = (spec["group"].as_str().unwrap(), &spec["names"]["plural"]);
        paths.push(format!("/apis/{group}/{version}/{}", plural.as_str().unwrap()));
    }
    for path in paths {
        wait(&format!("{path} is served"), || server.get(&path).is_object());
    }
}

/// Installs the definitions of a file or folder whose names begin so.
fn define_from(server: &Server, path: &str, prefix: &str) -> Option<()> {
    let path = definitions(path)?;
    let files = match path.is_dir() {
        true => std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect(),
        false => vec![path],
    };
    let named = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().starts_with(prefix);
    for file in files.iter().filter(|file| named(file)) {
        define(server, documents(&std::fs::read_to_string(file).unwrap()));
    }
    Some(())
}

/// Applies an object, which the server has to take.
fn put(server: &Server, path: &str, object: &Json) -> Json {
    let path = format!("{path}?fieldManager=tests&force=true&fieldValidation=Strict");
    let body = object.to_string();
    let (status, answer) =
        server.request_as("PATCH", &path, Some(&body), "application/apply-patch+yaml");
    assert!(status < 300, "{path}: {answer}");
    answer
}

/// Where an object of one of these tests lies.
fn path_of(object: &Json, namespace: &str) -> String {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let root = if api_version.contains('/') { "/apis" } else { "/api" };
    let plural = match kind.to_lowercase() {
        kind if kind.ends_with("policy") => kind.replace("policy", "policies"),
        kind => format!("{kind}s"),
    };
    let own = text(&object["metadata"]["namespace"]);
    let namespace = match (own.is_empty(), kind.as_str()) {
        (_, "Namespace" | "BindingPolicy") => String::new(),
        (true, kind) if kind.starts_with("Cluster") => String::new(),
        (true, _) => format!("/namespaces/{namespace}"),
        (false, _) => format!("/namespaces/{own}"),
    };
    format!("{root}/{api_version}{namespace}/{plural}/{}", text(&object["metadata"]["name"]))
}

/// A program that runs until the test ends.
struct Running(Child);

impl Running {
    /// Starts a program that logs into a file of this name.
    fn start(program: &Path, name: &str, args: &[&std::ffi::OsStr]) -> Running {
        let log = std::fs::File::create(scratch(name).join("log")).unwrap();
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Running(command.spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Who an object is: kind, namespace, name.
type Key = (String, String, String);

fn key(object: &Json) -> Key {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    (text(&object["kind"]), text(&metadata["namespace"]), text(&metadata["name"]))
}

/// What lies on a server under a release's labels.
fn of_release(server: &Server, release: &str) -> BTreeSet<Key> {
    let all = server.objects();
    let instance = |object: &Json| {
        object["metadata"]["labels"]["app.kubernetes.io/instance"].as_str().map(str::to_owned)
    };
    let own = all.values().filter(|object| instance(object).as_deref() == Some(release));
    own.map(key).collect()
}

/// Waits, for a minute at most.
fn wait(what: &str, mut happened: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !happened() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until objects are there, these and no others.
fn wait_for(what: &str, wanted: &BTreeSet<Key>, mut found: impl FnMut() -> BTreeSet<Key>) {
    let begin = Instant::now();
    loop {
        let found = found();
        if found == *wanted {
            return;
        }
        let missing: Vec<&Key> = wanted.difference(&found).collect();
        let others: Vec<&Key> = found.difference(wanted).collect();
        assert!(
            begin.elapsed() < PATIENCE,
            "waited in vain: {what}; missing: {missing:?}, not wanted: {others:?}"
        );
        std::thread::sleep(Duration::from_millis(300));
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
