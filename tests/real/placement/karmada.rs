//! Overrides on objects as a real API server keeps them, which is how Karmada meets them.

use bowsprit::manifest::{Identity, Object};
use bowsprit::placement::karmada::{difference, normal};
use bowsprit::placement::{Kinds, Scope};
use bowsprit::value::{Meter, Value, json};
use serde_json::{Value as Json, json};

use super::{path_of, put};
use crate::apply::server::{Server, corpus_dir, servers};
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
