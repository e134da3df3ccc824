//! Real charts, applied by bowsprit to one server and by Helm to another: the same objects arrive, and
//! afterwards nothing is left.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

use super::server::{Server, corpus_dir, servers};

const WANTED: usize = 20;

/// A chart and the arguments of a case of it that gives the same in every run.
struct Subject {
    name: String,
    chart: String,
    /// Values files and flags of another case; empty where there is none.
    other: Vec<String>,
}

fn case(dir: &Path) -> Option<(String, Vec<String>)> {
    let text = std::fs::read_to_string(dir.join("case.json")).ok()?;
    let case: Json = serde_json::from_str(&text).ok()?;
    let stable = case["volatile"].as_array().is_none_or(Vec::is_empty);
    if case["exit"] != 0 || !stable {
        return None;
    }
    let args: Vec<String> = case["args"]
        .as_array()?
        .iter()
        .map(|arg| {
            let arg = arg.as_str().unwrap();
            let file = dir.join(arg);
            if file.is_file() { file.to_str().unwrap().to_owned() } else { arg.to_owned() }
        })
        .collect();
    Some((case["chart"].as_str()?.to_owned(), args))
}

fn subjects(corpus: &Path) -> Vec<Subject> {
    let mut names: Vec<String> = std::fs::read_dir(corpus.join("cases"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let subject = |name: &String| {
        let cases = corpus.join("cases").join(name);
        let (chart, args) = case(&cases.join("default"))?;
        // Definitions take the server seconds each, and are the same business every time.
        let size = corpus.join("charts").join(&chart).metadata().ok()?.len();
        if !args.is_empty() || size > 200_000 {
            return None;
        }
        let others = ["inject", "mixed", "hand-full"].iter();
        let other = others.filter_map(|other| case(&cases.join(other))).map(|(_, args)| args).find(
            |args| {
                args.chunks(2).all(|pair| {
                    matches!(pair[0].as_str(), "-f" | "--values" | "--set" | "--set-string")
                })
            },
        );
        let chart = corpus.join("charts").join(chart).to_str()?.to_owned();
        Some(Subject { name: name.clone(), chart, other: other.unwrap_or_default() })
    };
    names.iter().filter_map(subject).collect()
}

/// What of an object has to be the same on both servers.
fn comparable(object: &Json) -> Json {
    const OURS: [&str; 3] =
        ["app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "app.kubernetes.io/part-of"];
    fn strip(json: &mut Json) {
        match json {
            Json::Object(map) => {
                if let Some(labels) = map.get_mut("labels").and_then(Json::as_object_mut) {
                    OURS.iter().for_each(|label| drop(labels.remove(*label)));
                }
                // Whether it is empty or missing depends on nothing else.
                if map
                    .get("labels")
                    .is_some_and(|labels| labels.as_object().is_some_and(|l| l.is_empty()))
                {
                    map.remove("labels");
                }
                map.values_mut().for_each(strip);
            }
            Json::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"]
        {
            metadata.remove(field);
        }
    }
    if let Some(root) = object.as_object_mut() {
        root.remove("status");
    }
    // What the server draws.
    if let Some(spec) = object["spec"].as_object_mut() {
        for field in ["clusterIP", "clusterIPs", "healthCheckNodePort"] {
            spec.remove(field);
        }
        for port in spec.get_mut("ports").and_then(Json::as_array_mut).into_iter().flatten() {
            port.as_object_mut().map(|port| port.remove("nodePort"));
        }
    }
    for webhook in object["webhooks"].as_array_mut().into_iter().flatten() {
        webhook["clientConfig"].as_object_mut().map(|config| config.remove("caBundle"));
    }
    strip(&mut object);
    object
}

/// What a server holds of a release: the objects of its namespace, and others that carry its mark.
fn held(server: &Server, ns: &str) -> BTreeMap<String, Json> {
    let mut objects = server.objects();
    objects.retain(|_, object| {
        let metadata = &object["metadata"];
        let ours = metadata["namespace"] == ns
            || metadata["annotations"]["meta.helm.sh/release-namespace"] == ns;
        ours && object["type"] != "helm.sh/release.v1"
    });
    objects
}

fn compare(what: &str, one: &BTreeMap<String, Json>, two: &BTreeMap<String, Json>) {
    let keys = |objects: &BTreeMap<String, Json>| objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(one), keys(two), "{what}");
    for (key, object) in one {
        let (ours, helms) = (comparable(object), comparable(&two[key]));
        assert_eq!(ours, helms, "{what}: {key}");
    }
}

#[test]
fn charts_arrive_as_helm_brings_them() {
    let (Some(servers), Some(corpus)) = (servers(), corpus_dir()) else { return };
    let [one, two] = servers;
    let mut done = 0;
    let mut skipped = Vec::new();
    let mut upgraded = 0;
    for subject in subjects(&corpus) {
        if done == WANTED {
            break;
        }
        let ns = format!("corpus-{}", subject.name);
        let helm = ["upgrade", "--install", "rel", &subject.chart, "-n", &ns, "--no-hooks"];
        let output = two.helm(&[&helm[..], &["--create-namespace"]].concat());
        // Helm never changes a definition that is there.
        let crds = ["--hooks", "skip", "--crds", "create"];
        let bowsprit = [&["apply", "rel", &subject.chart, "-n", &ns][..], &crds].concat();
        if !output.status.success() {
            // What Helm can't install, for kinds that nobody serves here or for values that it needs.
            one.bowsprit_fails(&bowsprit);
            skipped.push(subject.name.clone());
            clean(two, &ns);
            continue;
        }
        one.bowsprit_ok(&bowsprit);
        let what = format!("{} installed", subject.name);
        compare(&what, &held(one, &ns), &held(two, &ns));
        if !subject.other.is_empty() {
            let other: Vec<&str> = subject.other.iter().map(String::as_str).collect();
            let output = two.helm(&[&helm[..], &other].concat());
            let args = [&bowsprit[..], &other].concat();
            if output.status.success() {
                one.bowsprit_ok(&args);
                let what = format!("{} upgraded", subject.name);
                compare(&what, &held(one, &ns), &held(two, &ns));
                upgraded += 1;
            } else {
                one.bowsprit_fails(&args);
            }
        }
        one.bowsprit_ok(&["uninstall", "rel", "-n", &ns, "--hooks", "skip"]);
        two.helm_ok(&["uninstall", "rel", "-n", &ns, "--no-hooks"]);
        let (left, helms) = (held(one, &ns), held(two, &ns));
        // What Helm leaves too is to be kept, or waits for a finalizer's controller that isn't there.
        let more = left.keys().find(|key| !helms.contains_key(*key));
        assert_eq!(more, None, "{} uninstalled", subject.name);
        clean(one, &ns);
        clean(two, &ns);
        done += 1;
    }
    #[allow(clippy::print_stdout)]
    {
        println!(
            "{done} charts installed, {upgraded} of them upgraded, all uninstalled: the same objects as Helm's, \
             and nothing left; refused by both: {}",
            skipped.join(" ")
        );
    }
    assert_eq!(done, WANTED);
}

/// Takes away what both tools leave: the namespace, what policies keep, and what a failure left.
fn clean(server: &Server, ns: &str) {
    server.request("DELETE", &format!("/api/v1/namespaces/{ns}"), None);
}
