//! Policies on real API servers.

mod karmada;
mod seeds;

use std::path::PathBuf;

use serde_json::Value as Json;

use crate::apply::server::{Server, corpus_dir};

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

/// Waits, half a minute at most.
fn wait(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..300 {
        if happened() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("waited in vain: {what}");
}
