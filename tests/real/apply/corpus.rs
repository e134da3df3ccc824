//! Real charts, applied by bowsprit to one server and by Helm to another: the same objects arrive, and
//! afterwards nothing is left.
//!
//! Several charts are under way at once. Those whose objects carry fixed names that another chart has at
//! that moment wait until they are alone; charts with definitions are left out, since all others would see
//! what they serve.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock, RwLock};

use serde_json::Value as Json;

use super::server::{Server, corpus_dir, servers};

const WANTED: usize = 60;
const WORKERS: usize = 4;
/// How this test's namespaces begin.
const PREFIX: &str = "corpus-";

/// A chart and the arguments of a case of it that gives the same in every run.
struct Subject {
    name: String,
    chart: String,
    /// Values files and flags of other cases.
    others: Vec<Vec<String>>,
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
        if !args.is_empty() || brings_definitions(&cases, &corpus.join("charts").join(&chart)) {
            return None;
        }
        let others = ["hand-full", "mixed", "inject", "enable-all", "cli-1", "cli-2"].iter();
        let others = others.filter_map(|other| case(&cases.join(other)));
        let others = others.filter_map(|(_, args)| only_values(&args)).collect();
        let chart = corpus.join("charts").join(chart).to_str()?.to_owned();
        Some(Subject { name: name.clone(), chart, others })
    };
    names.iter().filter_map(subject).collect()
}

/// The flags that give values, without those that say what a cluster can do; none where there are others.
fn only_values(args: &[String]) -> Option<Vec<String>> {
    let mut values = Vec::new();
    for pair in args.chunks(2) {
        match pair[0].as_str() {
            "-f" | "--values" | "--set" | "--set-string" => values.extend_from_slice(pair),
            "-a" | "--api-versions" | "--kube-version" if pair.len() == 2 => {}
            _ => return None,
        }
    }
    (!values.is_empty()).then_some(values)
}

/// Whether a chart has definitions in `crds/` or renders some in any of its cases. They take the server
/// seconds each, are the same business every time, and are deleted by the server after its answer.
fn brings_definitions(cases: &Path, chart: &Path) -> bool {
    let files = Command::new("tar").arg("tzf").arg(chart).output().unwrap();
    let renders_some = |case: std::fs::DirEntry| {
        let rendered = std::fs::read_to_string(case.path().join("expected.yaml"));
        rendered.unwrap_or_default().lines().any(|line| {
            line.strip_prefix("kind: ")
                .is_some_and(|kind| kind.trim_matches('"') == "CustomResourceDefinition")
        })
    };
    String::from_utf8_lossy(&files.stdout).contains("/crds/")
        || std::fs::read_dir(cases).unwrap().any(|case| renders_some(case.unwrap()))
}

/// What of an object has to be the same on both servers.
pub(super) fn comparable(object: &Json) -> Json {
    // Our own, and those in which the server writes uids.
    const OURS: [&str; 5] = [
        "app.kubernetes.io/managed-by",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/part-of",
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
    ];
    fn strip(json: &mut Json) {
        match json {
            Json::Object(map) => {
                for field in ["labels", "matchLabels"] {
                    if let Some(labels) = map.get_mut(field).and_then(Json::as_object_mut) {
                        OURS.iter().for_each(|label| drop(labels.remove(*label)));
                    }
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
        for field in [
            "uid",
            "resourceVersion",
            "creationTimestamp",
            "deletionTimestamp",
            "managedFields",
            "generation",
        ] {
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

/// What a server holds of a release: the objects that carry its marks, which both programs put on all.
fn held(server: &Server, ns: &str) -> BTreeMap<String, Json> {
    // The charts of this test bring no kinds of their own.
    static LISTS: OnceLock<Vec<String>> = OnceLock::new();
    let lists = LISTS.get_or_init(|| server.lists());
    let mut objects = server.objects_of(lists, "app.kubernetes.io/managed-by=Helm");
    objects.retain(|_, object| {
        object["metadata"]["annotations"]["meta.helm.sh/release-namespace"] == ns
            && object["type"] != "helm.sh/release.v1"
    });
    objects
}

/// Whatever is in a namespace of this test or carries marks of one of its releases.
fn remains(server: &Server) -> BTreeMap<String, Json> {
    let mut objects = server.objects();
    objects.retain(|_, object| {
        let metadata = &object["metadata"];
        let ours = |namespace: &Json| namespace.as_str().is_some_and(|ns| ns.starts_with(PREFIX));
        ours(&metadata["namespace"])
            || ours(&metadata["annotations"]["meta.helm.sh/release-namespace"])
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

/// How it went with a chart.
enum Outcome {
    /// Neither program could install it, for kinds that nobody serves here or values that it needs.
    Refused,
    Done {
        upgraded: bool,
        /// Objects that both programs left: kept by policy, or waiting for a controller.
        left: usize,
    },
    /// Something of another chart was in the way.
    Collided,
}

fn collided(output: &Output) -> bool {
    !output.status.success()
        && String::from_utf8_lossy(&output.stderr)
            .contains("cannot be imported into the current release")
}

/// An object that may be left: a policy keeps it, or it is deleted and a finalizer's controller is missing.
fn is_excused(object: &Json) -> bool {
    let metadata = &object["metadata"];
    metadata["annotations"]["helm.sh/resource-policy"].is_string()
        || metadata["deletionTimestamp"].is_string()
}

fn carry([one, two]: &[Server; 2], subject: &Subject, number: usize) -> Outcome {
    let (ns, release) = (format!("{PREFIX}{}", subject.name), format!("r{number}"));
    let helm = ["upgrade", "--install", &release, &subject.chart, "-n", &ns, "--no-hooks"];
    let bowsprit = ["apply", &release, &subject.chart, "-n", &ns, "--hooks", "skip"];
    let output = two.helm(&[&helm[..], &["--create-namespace"]].concat());
    if collided(&output) {
        return Outcome::Collided;
    }
    if !output.status.success() {
        one.bowsprit_fails(&bowsprit);
        // Helm leaves what it had written by then.
        two.helm(&["uninstall", &release, "-n", &ns, "--no-hooks"]);
        return Outcome::Refused;
    }
    let output = one.bowsprit(&bowsprit);
    if collided(&output) {
        two.helm_ok(&["uninstall", &release, "-n", &ns, "--no-hooks"]);
        return Outcome::Collided;
    }
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", subject.name);
    let installed = held(two, &ns);
    compare(&format!("{} installed", subject.name), &held(one, &ns), &installed);
    let upgraded = upgrade([one, two], subject, [&bowsprit, &helm], [&release, &ns], &installed);
    one.bowsprit_ok(&["uninstall", &release, "-n", &ns, "--hooks", "skip"]);
    two.helm_ok(&["uninstall", &release, "-n", &ns, "--no-hooks"]);
    let (left, helms) = (held(one, &ns), held(two, &ns));
    for (key, object) in &left {
        assert!(helms.contains_key(key), "{}: Helm does not leave {key}", subject.name);
        assert!(is_excused(object), "{}: {key} is left", subject.name);
    }
    match upgraded {
        Upgrade::Collided => Outcome::Collided,
        Upgrade::Changed => Outcome::Done { upgraded: true, left: left.len() },
        Upgrade::Nothing => Outcome::Done { upgraded: false, left: left.len() },
    }
}

/// How an upgrade with other values went.
enum Upgrade {
    /// Objects changed, and are the same on both servers.
    Changed,
    /// Neither program takes any of the values, or none of them changes anything.
    Nothing,
    Collided,
}

/// Upgrades with other values, until some change what is there.
fn upgrade(
    [one, two]: [&Server; 2],
    subject: &Subject,
    [bowsprit, helm]: [&[&str]; 2],
    [release, ns]: [&str; 2],
    installed: &BTreeMap<String, Json>,
) -> Upgrade {
    // Other names for most objects: old ones go, new ones come.
    let renamed = format!("fullnameOverride={release}-renamed,replicaCount=3");
    let marked = "commonLabels.marked=yes,podAnnotations.marked=yes";
    let plain = [renamed.as_str(), marked].map(|set| vec!["--set".to_owned(), set.to_owned()]);
    let mut refused = None;
    for values in subject.others.iter().chain(&plain) {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        // Helm would leave half of what it refuses.
        let output = one.bowsprit(&[bowsprit, &values].concat());
        if collided(&output) {
            return Upgrade::Collided;
        }
        if !output.status.success() {
            refused = Some(values.join(" "));
            continue;
        }
        let output = two.helm(&[helm, &values].concat());
        if collided(&output) {
            return Upgrade::Collided;
        }
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {values:?}: {error}", subject.name);
        let helms = held(two, ns);
        compare(&format!("{} upgraded with {values:?}", subject.name), &held(one, ns), &helms);
        let settled = |objects: &BTreeMap<String, Json>| {
            objects
                .iter()
                .map(|(key, object)| (key.clone(), comparable(object)))
                .collect::<Vec<_>>()
        };
        if settled(&helms) != settled(installed) {
            return Upgrade::Changed;
        }
    }
    if let Some(values) = refused {
        let values: Vec<&str> = values.split(' ').collect();
        assert!(
            !two.helm(&[helm, &values].concat()).status.success(),
            "{} {values:?}",
            subject.name
        );
    }
    Upgrade::Nothing
}

/// What became of all charts so far.
#[derive(Default)]
struct Tally {
    done: usize,
    upgraded: usize,
    left: usize,
    refused: Vec<String>,
    unchanged: Vec<String>,
}

/// Charts one after the other, until enough are done.
fn work(
    servers: &[Server; 2],
    queue: &Mutex<VecDeque<(usize, Subject)>>,
    alone: &RwLock<()>,
    tally: &Mutex<Tally>,
) {
    loop {
        if tally.lock().unwrap().upgraded >= WANTED {
            return;
        }
        let Some((number, subject)) = queue.lock().unwrap().pop_front() else { return };
        let mut outcome = {
            let _others = alone.read().unwrap();
            carry(servers, &subject, number)
        };
        if matches!(outcome, Outcome::Collided) {
            let _nobody = alone.write().unwrap();
            outcome = carry(servers, &subject, number);
        }
        let mut tally = tally.lock().unwrap();
        match outcome {
            Outcome::Refused => tally.refused.push(subject.name),
            Outcome::Done { upgraded, left } => {
                tally.done += 1;
                tally.upgraded += usize::from(upgraded);
                if !upgraded {
                    tally.unchanged.push(subject.name);
                }
                tally.left += left;
            }
            Outcome::Collided => panic!("{} meets objects of nobody", subject.name),
        }
    }
}

#[test]
fn charts_arrive_as_helm_brings_them() {
    let (Some(servers), Some(corpus)) = (servers(), corpus_dir()) else { return };
    let queue = Mutex::new(subjects(&corpus).into_iter().enumerate().collect());
    let (alone, tally) = (RwLock::new(()), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| work(servers, &queue, &alone, &tally));
        }
    });
    for server in servers {
        for (key, object) in remains(server) {
            assert!(is_excused(&object), "{key} is left on {}", server.address);
        }
        let namespaces = server.objects_of(&["/api/v1/namespaces".to_owned()], "");
        for namespace in namespaces.values() {
            let name = namespace["metadata"]["name"].as_str().unwrap();
            if name.starts_with(PREFIX) {
                server.request("DELETE", &format!("/api/v1/namespaces/{name}"), None);
            }
        }
    }
    let Tally { done, upgraded, left, refused, unchanged } = tally.into_inner().unwrap();
    #[allow(clippy::print_stdout)]
    {
        println!(
            "{done} charts installed, {upgraded} of them upgraded with other values, all uninstalled: the same \
             objects as Helm's, and nothing left but {left} objects that policies or finalizers keep on both; \
             no values change: {}; refused by both: {}",
            unchanged.join(" "),
            refused.join(" ")
        );
    }
    assert!(upgraded >= WANTED);
}
