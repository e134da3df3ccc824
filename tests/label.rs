//! Labels on all that public charts render.

use std::path::Path;

use bowsprit::label::{Options, Place, Report, Text, inject};
use bowsprit::manifest::{LabelSelector, Object, objects, string_map};
use bowsprit::value::{Map, Value, deep_equal};
use bowsprit::yaml::{Edits, Step};

use crate::shared::shared;

/// What a case of the corpus must hold, with which labels.
#[derive(Default)]
struct Tally {
    cases: usize,
    objects: usize,
    selectors: usize,
    conflicts: usize,
}

impl Tally {
    /// Checks all cases of a chart.
    fn add(mut self, chart: &Path) -> Tally {
        for case in folders(chart) {
            let Ok(text) = std::fs::read_to_string(case.join("expected.yaml")) else { continue };
            // What a chart that can't be rendered leaves behind need not be YAML.
            let failed = std::fs::read_to_string(case.join("case.json")).unwrap();
            let failed: serde_json::Value = serde_json::from_str(&failed).unwrap();
            if failed["exit"] != 0 {
                continue;
            }
            for options in variants() {
                check(&case, &text, &options, &mut self);
            }
            self.cases += 1;
        }
        self
    }

    fn sum(mut self, other: Tally) -> Tally {
        self.cases += other.cases;
        self.objects += other.objects;
        self.selectors += other.selectors;
        self.conflicts += other.conflicts;
        self
    }
}

#[test]
fn every_case_of_the_corpus_keeps_its_objects_and_selectors() {
    let Some(cases) = shared("corpus/cases") else { return };
    let charts = folders(&cases);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let tally = std::thread::scope(|scope| {
        let parts = (0..workers).map(|worker| charts.iter().skip(worker).step_by(workers));
        let started: Vec<_> = parts
            .map(|part| {
                scope.spawn(|| part.fold(Tally::default(), |tally, chart| tally.add(chart)))
            })
            .collect();
        started.into_iter().map(|worker| worker.join().unwrap()).fold(Tally::default(), Tally::sum)
    });
    assert!(tally.cases > 700, "{} cases", tally.cases);
    assert!(tally.selectors > 1000, "{} selectors", tally.selectors);
    println!(
        "{} cases, {} objects labelled, {} selectors of workloads, {} conflicts",
        tally.cases, tally.objects, tally.selectors, tally.conflicts
    );
}

#[test]
fn every_custom_resource_definition_of_the_corpus_can_be_labelled() {
    let Some(charts) = shared("corpus/charts") else { return };
    let mut tally = Tally::default();
    let mut archives: Vec<_> =
        std::fs::read_dir(charts).unwrap().map(|e| e.unwrap().path()).collect();
    archives.sort();
    for archive in archives {
        let options = bowsprit::loader::Options::default();
        let Ok(chart) = bowsprit::loader::load_path(&archive, &options) else { continue };
        for crd in chart.output.crd_objects() {
            let text = String::from_utf8_lossy(crd.file.data.as_bytes()).into_owned();
            // Some folders hold files that are no YAML, which Helm prints all the same.
            if objects(text.as_bytes()).is_ok() {
                check(&archive, &text, &Options::release("demo", "app"), &mut tally);
            }
        }
    }
    assert!(tally.objects > 300, "{} objects", tally.objects);
}

/// The labels of a release, kept and overwritten, and labels that selectors do speak of.
fn variants() -> [Options; 3] {
    let kept = Options::release("a-release", "some-app");
    let mut overwritten = kept.clone();
    overwritten.on_conflict = "overwrite".parse().unwrap();
    overwritten.volume_claim_templates = true;
    overwritten.set_annotation("example.com/owner", "a: team # of \"four\"\n").unwrap();
    let mut hostile = overwritten.clone();
    for key in
        ["app", "app.kubernetes.io/name", "app.kubernetes.io/component", "release", "k8s-app"]
    {
        hostile.set_label(key, "something-else").unwrap();
    }
    [kept, overwritten, hostile]
}

fn folders(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut all: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.is_dir());
    all.sort();
    all
}

fn check(case: &Path, text: &str, options: &Options, tally: &mut Tally) {
    let place = case.display();
    let labelled =
        inject(&[Text { path: "", text }], options).unwrap_or_else(|e| panic!("{place}: {e}"));
    let out = &labelled.texts[0];
    let again = inject(&[Text { path: "", text: out }], options).unwrap();
    assert!(again.texts[0] == *out, "{place}: labelling twice is not labelling once");
    let before = objects(text.as_bytes()).unwrap();
    let after = objects(out.as_bytes()).unwrap_or_else(|e| panic!("{place}: {e}"));
    assert_eq!(before.len(), after.len(), "{place}");
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(old.identity, new.identity, "{place}");
        check_object(&format!("{place}: {}", old.identity), old, new, options, &labelled.report);
        tally.selectors += check_selector(&format!("{place}: {}", old.identity), old, new);
    }
    check_bytes(&place.to_string(), text, out, options);
    tally.objects += after.len();
    tally.conflicts += labelled.report.conflicts.len();
}

/// The places of an object that may get labels.
const PLACES: [&[&str]; 4] = [
    &["metadata"],
    &["spec", "template", "metadata"],
    &["spec", "jobTemplate", "spec", "template", "metadata"],
    &["template", "metadata"],
];

fn check_object(place: &str, old: &Object, new: &Object, options: &Options, report: &Report) {
    let (bare_old, bare_new) = (bare(&old.value), bare(&new.value));
    assert!(deep_equal(&bare_old, &bare_new), "{place}: more than labels has changed");
    for path in PLACES {
        for (field, wanted) in [("labels", &options.labels), ("annotations", &options.annotations)]
        {
            let path: Vec<&str> = path.iter().copied().chain([field]).collect();
            let (before, after) =
                (string_map(old.get(&path).as_ref()), string_map(new.get(&path).as_ref()));
            for (key, value) in &before {
                let allowed = wanted.get(key).is_some_and(|wanted| after[key] == *wanted);
                assert!(after[key] == *value || allowed, "{place}: {key} of {path:?}");
            }
            let added = after.keys().filter(|key| !before.contains_key(*key));
            added.for_each(|key| assert_eq!(after.get(key), wanted.get(key), "{place}: {path:?}"));
        }
    }
    let labels = new.labels();
    for (key, value) in &options.labels {
        let excused = report.conflicts.iter().any(|conflict| {
            conflict.object == old.identity
                && conflict.key == *key
                && conflict.place == Place::Object
        });
        assert!(
            excused || labels.get(key) == Some(value),
            "{place}: lacks {key}, and nothing says so"
        );
    }
}

/// An object without the labels and annotations of all places that may get some.
fn bare(object: &Value) -> Value {
    let mut edits = Edits::new();
    let strip = |edits: &mut Edits, path: Vec<Step>, metadata: &Value| {
        let Value::Map(metadata) = metadata else { return };
        let entries = metadata.entries();
        let rest =
            entries.iter().filter(|(k, _)| !matches!(k.as_bytes(), b"labels" | b"annotations"));
        edits.set(path, Map::from_entries(rest.map(|(k, v)| (k.clone(), v.clone()))));
    };
    let get = |path: &[&str]| {
        path.iter().try_fold(object.clone(), |value, key| value.as_map()?.get(key.as_bytes()))
    };
    for path in PLACES {
        if let Some(found) = get(path) {
            strip(&mut edits, path.iter().map(|key| Step::from(*key)).collect(), &found);
        }
    }
    let claims = get(&["spec", "volumeClaimTemplates"]);
    for (index, claim) in claims.iter().filter_map(Value::as_list).flatten().enumerate() {
        let Some(found) = claim.as_map().and_then(|claim| claim.get(b"metadata")) else { continue };
        let mut path: Vec<Step> = ["spec", "volumeClaimTemplates"].map(Step::from).into();
        path.extend([Step::Index(index), Step::from("metadata")]);
        strip(&mut edits, path, &found);
    }
    // A template that had no metadata got some.
    let mut stripped = edits.apply_to(object).unwrap();
    for path in PLACES {
        let parent = path.len() - 1;
        let empty = get(path).is_some_and(|found| {
            found.as_map().is_some_and(|map| {
                map.entries()
                    .iter()
                    .all(|(k, _)| matches!(k.as_bytes(), b"labels" | b"annotations"))
            })
        });
        if empty || get(path).is_some_and(|found| found.is_nil()) {
            stripped = without(&stripped, &path[..parent], path[parent]);
        }
    }
    stripped
}

fn without(object: &Value, path: &[&str], key: &str) -> Value {
    let Some(parent) =
        path.iter().try_fold(object.clone(), |value, key| value.as_map()?.get(key.as_bytes()))
    else {
        return object.clone();
    };
    let Value::Map(parent) = parent else { return object.clone() };
    let entries = parent.entries();
    let rest = entries.iter().filter(|(k, _)| k.as_bytes() != key.as_bytes());
    let rest = Map::from_entries(rest.map(|(k, v)| (k.clone(), v.clone())));
    if path.is_empty() {
        return Value::Map(rest);
    }
    Edits::new().set(path.iter().copied(), rest).apply_to(object).unwrap()
}

/// Where a workload's selector matches its pods, it still does; gives 1 where there is one.
fn check_selector(place: &str, old: &Object, new: &Object) -> usize {
    let workload = matches!(
        old.identity.kind.as_str(),
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicaSet"
    );
    let selector = old.get(&["spec", "selector"]).filter(|_| workload);
    let Some(selector) = selector.as_ref().and_then(LabelSelector::of_object) else { return 0 };
    let path = ["spec", "template", "metadata", "labels"];
    let [before, after] = [old, new].map(|object| string_map(object.get(&path).as_ref()));
    assert_eq!(selector.matches(&before), selector.matches(&after), "{place}: {selector}");
    usize::from(selector.matches(&after))
}

/// All lines are still there, in their order, but for those that a label had to go into; new ones speak
/// of labels and annotations.
fn check_bytes(place: &str, before: &str, after: &str, options: &Options) {
    let names: Vec<&String> = options.labels.keys().chain(options.annotations.keys()).collect();
    let ours = |line: &str| {
        let field = matches!(line.trim(), "labels:" | "annotations:" | "metadata:");
        field
            || names.iter().any(|name| line.contains(*name))
            || line.trim_end().ends_with("a: team # of \"four\"")
    };
    // What could be rewritten: mappings in braces, nulls, and values that were overwritten.
    let open = |line: &str| {
        let field = ["labels", "annotations", "metadata"].iter().any(|word| line.contains(word));
        field || ours(line) || line.contains('{') || line.trim() == "null"
    };
    // Apart from those, before and after are the same lines in the same order.
    let rest = |text: &str| -> Vec<String> {
        text.split('\n').filter(|line| !ours(line) && !open(line)).map(str::to_owned).collect()
    };
    let (before, after) = (rest(before), rest(after));
    let differing = before.iter().zip(&after).find(|(before, after)| before != after);
    assert!(differing.is_none(), "{place}: {differing:?}");
    assert_eq!(before.len(), after.len(), "{place}");
}

fn filter(args: &[&str], input: &str) -> std::process::Output {
    use std::io::Write;
    let mut child = std::process::Command::new(crate::program::program())
        .arg("label")
        .args(args)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that refuses its flags may be gone before it has read anything.
    if let Err(error) = child.stdin.take().unwrap().write_all(input.as_bytes()) {
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
    child.wait_with_output().unwrap()
}

#[test]
fn the_filter_labels_and_proves() {
    let text = "# a\nkind: ConfigMap\nmetadata:\n  name: x   # the name\n";
    let output = filter(&["--instance", "demo"], text);
    let out = String::from_utf8(output.stdout).unwrap();
    let want =
        "  labels:\n    app.kubernetes.io/instance: demo\n    app.kubernetes.io/managed-by: Helm\n";
    assert_eq!(out, text.replace("  name", &format!("{want}  name")));
    let output = filter(&["--require-selector", "team=a"], text);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(errors.contains("ConfigMap x is not matched by team=a"), "{errors}");
    assert!(!filter(&["--on-conflict", "maybe"], text).status.success());
    assert!(!filter(&["--label", "-=x"], text).status.success());
}
