//! Overrides on objects as a real API server keeps them, which is how Karmada meets them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use bowsprit::manifest::{Identity, Object};
use bowsprit::placement::karmada::{
    Clusters, Overriders, Request, Variant, difference, normal, policies,
};
use bowsprit::placement::{Kinds, Scope};
use bowsprit::value::{Meter, Value, json};
use serde_json::{Value as Json, json};

use super::{path_of, put};
use crate::apply::server::{Server, corpus_dir, servers};
use crate::tools::tool;
use crate::variations::{Random, archives, renders};

fn to_json(value: &Value) -> Json {
    let mut text = Vec::new();
    json::encode(value, &json::Options::default(), &mut text, &Meter::default()).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Whole numbers as they are.
fn to_value(object: &Json) -> Value {
    let text = object.to_string();
    bowsprit::manifest::objects(text.as_bytes()).unwrap().remove(0).value
}

/// The collection in which objects of a kind are created.
fn collection(identity: &Identity, kinds: &Kinds, namespace: &str) -> Option<String> {
    let root = if identity.group().is_empty() { "/api" } else { "/apis" };
    let plural = kinds.plural(identity)?;
    Some(match kinds.scope(identity)? {
        Scope::Cluster => format!("{root}/{}/{plural}", identity.api_version),
        Scope::Namespaced => {
            format!("{root}/{}/namespaces/{namespace}/{plural}", identity.api_version)
        }
    })
}

/// An object as the server would keep it; none where the server refuses it.
fn kept(server: &Server, collection: &str, object: &Json) -> Result<Json, String> {
    let path = format!("{collection}?dryRun=All&fieldValidation=Ignore");
    let (status, mut answer) = server.request("POST", &path, Some(&object.to_string()));
    if status >= 300 {
        return Err(answer["message"].as_str().unwrap_or_default().to_owned());
    }
    // What every server fills in anew.
    let metadata = answer["metadata"].as_object_mut().unwrap();
    for field in ["uid", "creationTimestamp", "managedFields", "resourceVersion", "generation"] {
        metadata.remove(field);
    }
    let fields = answer.as_object_mut().unwrap();
    fields.remove("status");
    Ok(answer)
}

/// Takes away what Karmada does not bring to members, and what each of them chooses for itself.
fn pruned(mut object: Json, chosen: bool) -> Json {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    if kind == "Service" && object["spec"]["clusterIP"] != "None" {
        let spec = object["spec"].as_object_mut().unwrap();
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
    if kind == "Service" && chosen {
        let spec = object["spec"].as_object_mut().unwrap();
        spec.remove("healthCheckNodePort");
        for port in spec.get_mut("ports").and_then(Json::as_array_mut).into_iter().flatten() {
            port.as_object_mut().unwrap().remove("nodePort");
        }
    }
    if kind == "Job" {
        object["spec"].as_object_mut().unwrap().remove("selector");
        if let Some(labels) = object["spec"]["template"]["metadata"]["labels"].as_object_mut() {
            labels.retain(|key, _| !key.ends_with("controller-uid") && !key.ends_with("job-name"));
        }
    }
    object
}

#[derive(Default)]
struct Tally {
    compared: usize,
    refused: usize,
}

fn check(server: &Server, name: &str, base: &Object, other: &Object, tally: &mut Tally) {
    let kinds = Kinds::default();
    let overriders = difference(&base.value, &other.value);
    let Some(collection) = collection(&base.identity, &kinds, NAMESPACE) else { return };
    if overriders.is_empty() {
        return;
    }
    let object = |value: &Value| {
        let mut object = to_json(&normal(value));
        if kinds.scope(&base.identity) == Some(Scope::Namespaced) {
            object["metadata"]["namespace"] = NAMESPACE.into();
        }
        object
    };
    let live = kept(server, &collection, &object(&base.value));
    let want = kept(server, &collection, &object(&other.value));
    // Some random values make objects that no server takes.
    let (Ok(live), Ok(want)) = (live, want) else {
        tally.refused += 1;
        return;
    };
    let place = format!("{name}: {}\n{}", base.identity, to_json(&overriders.to_value()));
    let template = pruned(live, false);
    let got = overriders.apply(&to_value(&template)).unwrap_or_else(|e| panic!("{place}: {e}"));
    let got = kept(server, &collection, &to_json(&got)).unwrap_or_else(|e| panic!("{place}: {e}"));
    assert_eq!(pruned(got, true), pruned(want, true), "{place}");
    tally.compared += 1;
}

const NAMESPACE: &str = "overrides";

#[test]
fn overrides_fit_objects_as_api_servers_keep_them() {
    const CHARTS: usize = 24;
    let Some([server, _]) = servers() else { return };
    let Some(corpus) = corpus_dir() else { return };
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    put(server, &path_of(&namespace, ""), &namespace);
    let archives = archives(&corpus.join("charts"));
    let step = (archives.len() / CHARTS).max(1);
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut tally = Tally::default();
    for archive in archives.iter().skip(1).step_by(step) {
        let Some((base, others)) = renders(archive, &mut random) else { continue };
        for other in others.iter().flatten() {
            let same = base.iter().find(|object| object.identity == other.identity);
            if let Some(base) = same {
                check(server, &archive.display().to_string(), base, other, &mut tally);
            }
        }
    }
    server.delete_namespace(NAMESPACE);
    assert!(tally.compared >= 60, "{} compared, {} refused", tally.compared, tally.refused);
}

/// Karmada's override manager behind a pipe.
struct Manager {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Manager {
    fn start() -> Option<Manager> {
        let mut child = Command::new(tool("karmada")?)
            .arg("-overrides")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It logs what it answers as errors.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(Manager { child, stdin, stdout: BufReader::new(stdout) })
    }

    /// An object as a member gets it.
    fn ask(&mut self, object: &Json, policies: &[Json], cluster: &str) -> Result<Json, String> {
        let question = json!({"object": object, "policies": policies, "cluster": cluster});
        writeln!(self.stdin, "{question}").unwrap();
        let mut answer = String::new();
        self.stdout.read_line(&mut answer).unwrap();
        let mut answer: Json = serde_json::from_str(&answer).unwrap();
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["object"].take()),
        }
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn karmada_itself_makes_of_the_overrides_what_was_rendered() {
    const CHARTS: usize = 40;
    let Some(corpus) = corpus_dir() else { return };
    let Some(mut manager) = Manager::start() else { return };
    let archives = archives(&corpus.join("charts"));
    let step = (archives.len() / CHARTS).max(1);
    let mut random = Random(0x1234_5678_9abc_def1);
    let (mut charts, mut changed) = (0, 0);
    for archive in archives.iter().skip(2).step_by(step) {
        let Some((base, others)) = renders(archive, &mut random) else { continue };
        charts += 1;
        for other in &others {
            changed += ask_about(&mut manager, &archive.display().to_string(), &base, other);
        }
    }
    assert!(charts >= 30 && changed >= 100, "{charts} charts, {changed} objects");
}

/// Has Karmada override each object that differs; gives how many there were.
fn ask_about(manager: &mut Manager, name: &str, base: &[Object], other: &[Object]) -> usize {
    let variants = [Variant { clusters: vec!["m1".to_owned()], objects: other }];
    let clusters = Clusters::Names(vec!["m1".to_owned(), "m2".to_owned()]);
    let request = Request::new("demo", NAMESPACE, base, clusters).with_variants(&variants);
    let placed = policies(&request).unwrap_or_else(|error| panic!("{name}: {error}"));
    let documents = placed.documents.iter().map(to_json);
    let documents: Vec<Json> = documents
        .filter(|document| document["kind"].as_str().unwrap().ends_with("OverridePolicy"))
        .collect();
    let mut changed = 0;
    for old in base {
        let same = other.iter().find(|object| object.identity == old.identity);
        let Some(new) = same.filter(|new| !difference(&old.value, &new.value).is_empty()) else {
            continue;
        };
        let namespace = request.kinds.namespace(&old.identity, NAMESPACE);
        let placed = |object: &Object| {
            let mut object = to_json(&normal(&object.value));
            if let Some(namespace) = namespace {
                object["metadata"]["namespace"] = namespace.into();
            }
            object
        };
        let got = manager.ask(&placed(old), &documents, "m1");
        let got = got.unwrap_or_else(|error| panic!("{name}: {}: {error}", old.identity));
        assert_eq!(normal_json(&got), normal_json(&placed(new)), "{name}: {}", old.identity);
        let kept = manager.ask(&placed(old), &documents, "m2").unwrap();
        assert_eq!(kept, placed(old), "{name}: {}", old.identity);
        changed += 1;
    }
    changed
}

fn normal_json(object: &Json) -> Json {
    to_json(&normal(&to_value(object)))
}

fn overriders_of_all_kinds() -> Vec<Json> {
    vec![
        json!({"imageOverrider": [{"component": "Registry", "operator": "add", "value": ".local"}]}),
        json!({"imageOverrider": [{"component": "Registry", "operator": "replace", "value": "r.io"}]}),
        json!({"imageOverrider": [{"component": "Registry", "operator": "remove"}]}),
        json!({"imageOverrider": [{"component": "Repository", "operator": "add", "value": "-x"}]}),
        json!({"imageOverrider": [{"component": "Tag", "operator": "replace", "value": "2"}]}),
        json!({"imageOverrider": [{"component": "Tag", "operator": "remove"}]}),
        json!({"imageOverrider": [{"component": "Tag", "operator": "replace", "value": "2",
            "predicate": {"path": "/spec/template/spec/containers/0/image"}}]}),
        json!({"imageOverrider": [{"component": "Tag", "operator": "replace", "value": "2",
            "predicate": {"path": "/spec/none"}}]}),
        json!({"commandOverrider": [{"containerName": "x", "operator": "remove", "value": ["c"]}]}),
        json!({"argsOverrider": [{"containerName": "y", "operator": "add", "value": ["e"]},
            {"containerName": "y", "operator": "add", "value": ["f"]}]}),
        json!({"labelsOverrider": [{"operator": "add", "value": {"a": "3", "n/m": ""}}]}),
        json!({"labelsOverrider": [{"operator": "replace", "value": {"a": "3", "z": "1"}}]}),
        json!({"labelsOverrider": [{"operator": "remove", "value": {"b/c": "", "z": ""}}]}),
        json!({"annotationsOverrider": [{"operator": "add", "value": {"k": "v"}}]}),
        json!({"annotationsOverrider": [{"operator": "remove", "value": {"k": "v"}}]}),
        json!({"fieldOverrider": [{"fieldPath": "/data/json",
            "json": [{"subPath": "/b", "operator": "add", "value": [true]}]}]}),
        json!({"fieldOverrider": [{"fieldPath": "/data/yaml",
            "yaml": [{"subPath": "/b", "operator": "replace", "value": {"c": 1}}]}]}),
        json!({"fieldOverrider": [{"fieldPath": "/data/none",
            "yaml": [{"subPath": "/b", "operator": "remove"}]}]}),
        json!({"plaintext": [{"path": "/spec/replicas", "operator": "replace", "value": 3},
            {"path": "/spec/new", "operator": "add", "value": null}]}),
        json!({"plaintext": [{"path": "/spec/none", "operator": "replace", "value": 3}]}),
        json!({"plaintext": [{"path": "/spec/none/x", "operator": "add", "value": 3}]}),
        json!({"plaintext": [{"path": "/spec/none", "operator": "remove"}]}),
        json!({"plaintext": [{"path": "/spec/template/spec/containers/2", "operator": "add",
            "value": {"name": "z"}}]}),
        json!({"plaintext": [{"path": "/spec/template/spec/containers/-", "operator": "add",
            "value": {"name": "z"}}]}),
        json!({"plaintext": [{"path": "/spec/template/spec/containers/3", "operator": "add",
            "value": {"name": "z"}}]}),
        json!({"plaintext": [{"path": "/metadata/labels/b~1c", "operator": "remove"}]}),
    ]
}

/// What users write themselves is applied here as Karmada does it, mistakes included.
#[test]
fn overriders_of_all_kinds_are_applied_as_karmada_does() {
    let Some(mut manager) = Manager::start() else { return };
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "prod", "labels": {"a": "1", "b/c": "2"}},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [
            {"name": "x", "image": "quay.io/a/b:1", "command": ["c", "d", "c"]},
            {"name": "y", "image": "b@sha256:50d858e0985ecc7f60418aaf0cc5ab587f42c2570a884095a9e8ccacd0f6545c"},
        ]}}},
        "data": {"json": "{\"a\":1}", "yaml": "b: 1\na: 2\n"},
    });
    for overriders in overriders_of_all_kinds() {
        let policy = json!({
            "apiVersion": "policy.karmada.io/v1alpha1", "kind": "OverridePolicy",
            "metadata": {"name": "o", "namespace": "prod"},
            "spec": {"overrideRules": [{"overriders": overriders}]},
        });
        let want = manager.ask(&object, &[policy], "m1");
        let read = Overriders::of_value(&to_value(&overriders)).unwrap();
        let got = read.apply(&to_value(&object)).map(|value| to_json(&value));
        match (&want, &got) {
            (Ok(want), Ok(got)) => assert_eq!(got, want, "{overriders}"),
            (Err(_), Err(_)) => {}
            _ => panic!("{overriders}: Karmada gives {want:?}, and here comes {got:?}"),
        }
    }
}
