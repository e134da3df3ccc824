//! Policies for what charts render: on charts of the corpus, and as users print them.

use std::collections::BTreeMap;
use std::process::Command;

use bowsprit::manifest::{Identity, Object};
use bowsprit::placement::karmada::{
    Clusters, Member, Overriders, Request, Variant, delivered, normal, policies,
};
use bowsprit::placement::to_yaml;
use bowsprit::value::{Value, deep_equal};
use bowsprit_testkit::repository;

use crate::program::program;
use crate::shared::shared;
use crate::variations::{Random, archives, renders};

#[derive(Default)]
struct Tally {
    charts: usize,
    renders: usize,
    changed: usize,
    kinds: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn count(&mut self, documents: &[Value]) {
        for document in documents {
            let rules = document.as_map().and_then(|map| map.get(b"spec"));
            let rules = rules.and_then(|spec| spec.as_map()?.get(b"overrideRules"));
            for rule in rules.as_ref().and_then(Value::as_list).into_iter().flatten() {
                let overriders = rule.as_map().and_then(|rule| rule.get(b"overriders")).unwrap();
                let overriders = Overriders::of_value(&overriders).unwrap();
                self.changed += 1;
                for (name, count) in [
                    ("image", overriders.image.len()),
                    ("args", overriders.args.len() + overriders.command.len()),
                    ("labels", overriders.labels.len()),
                    ("annotations", overriders.annotations.len()),
                    ("plaintext", overriders.plaintext.len()),
                ] {
                    *self.kinds.entry(name).or_default() += count;
                }
            }
        }
    }
}

fn by_identity(objects: impl IntoIterator<Item = Value>) -> BTreeMap<Identity, Value> {
    objects.into_iter().map(|object| (Identity::of(&object), normal(&object))).collect()
}

/// What every cluster gets by the policies is what was rendered for it.
fn check(name: &str, base: &[Object], others: &[Vec<Object>], tally: &mut Tally) {
    let variants: Vec<Variant<'_>> = others
        .iter()
        .enumerate()
        .map(|(at, objects)| Variant { clusters: vec![format!("m{at}")], objects })
        .collect();
    let clusters: Vec<String> =
        (0..others.len()).map(|at| format!("m{at}")).chain(["plain".to_owned()]).collect();
    let request = Request::new("demo", "prod", base, Clusters::Names(clusters.clone()));
    let request = request.with_variants(&variants);
    let placed = policies(&request).unwrap_or_else(|error| panic!("{name}: {error}"));
    let all: Vec<Object> = base.iter().chain(&placed.extra).cloned().collect();
    for (at, cluster) in clusters.iter().enumerate() {
        let member = Member { name: cluster.clone(), ..Member::default() };
        let got = delivered(&all, &placed.documents, "prod", &request.kinds, &member)
            .unwrap_or_else(|error| panic!("{name}, {cluster}: {error}"));
        let want = others.get(at).map_or(base, Vec::as_slice);
        let mut got = by_identity(got);
        let want = by_identity(want.iter().map(|object| object.value.clone()));
        // Karmada brings namespaces to every cluster.
        got.retain(|identity, _| identity.kind != "Namespace" || want.contains_key(identity));
        let (got_names, want_names): (Vec<_>, Vec<_>) =
            (got.keys().collect(), want.keys().collect());
        assert_eq!(got_names, want_names, "{name}, {cluster}");
        for (identity, want) in &want {
            let got = &got[identity];
            assert!(
                deep_equal(got, want),
                "{name}, {cluster}: {identity}\n{}\nshould be\n{}",
                to_yaml(got),
                to_yaml(want)
            );
        }
    }
    tally.count(&placed.documents);
}

#[test]
fn overrides_give_every_cluster_what_is_rendered_for_it() {
    const CHARTS: usize = 60;
    let Some(dir) = shared("corpus/charts") else { return };
    let archives = archives(&dir);
    let step = (archives.len() / CHARTS).max(1);
    let mut tally = Tally::default();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for archive in archives.iter().step_by(step) {
        let Some((base, others)) = renders(archive, &mut random) else { continue };
        check(&archive.display().to_string(), &base, &others, &mut tally);
        tally.charts += 1;
        tally.renders += others.len();
    }
    println!(
        "{} charts, {} renders, {} rules for objects, overriders: {:?}",
        tally.charts, tally.renders, tally.changed, tally.kinds
    );
    assert!(tally.charts >= 30, "{} charts", tally.charts);
    assert!(tally.changed >= 100, "{} rules", tally.changed);
    assert!(tally.kinds.values().all(|count| *count > 0), "{:?}", tally.kinds);
}

/// What the program prints, and what it says beside that.
fn run(args: &[&str]) -> (bool, String, String) {
    let output = Command::new(program()).args(args).current_dir(repository()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

const CHART: &str = "fixtures/charts/mychart";

#[test]
fn a_binding_policy_is_printed() {
    let (ok, out, err) = run(&[
        "place",
        "kubestellar",
        "demo",
        CHART,
        "-n",
        "web",
        "--clusters",
        "env=staging,r!=x",
    ]);
    assert!(ok, "{err}");
    // The chart has the Namespace itself, and its own idea of the manager.
    let want = "---
apiVersion: control.kubestellar.io/v1alpha1
kind: BindingPolicy
metadata:
  name: demo
spec:
  clusterSelectors:
  - matchExpressions:
    - key: r
      operator: NotIn
      values:
      - x
    matchLabels:
      env: staging
  downsync:
  - objectSelectors:
    - matchLabels:
        app.kubernetes.io/instance: demo
";
    assert_eq!(out, want);
}

#[test]
fn what_a_policy_would_miss_is_refused() {
    let place = ["place", "kubestellar", "demo", CHART, "-n", "web"];
    let fails = |more: &[&str]| {
        let (ok, out, err) = run(&[&place[..], more].concat());
        assert!(!ok && out.is_empty(), "{more:?}: {out}");
        err
    };
    assert!(fails(&[]).contains("say which clusters with --clusters"));
    assert!(fails(&["--clusters", "a,,b"]).contains("--clusters: \"\" is no label selector"));
    let err = fails(&["--clusters", "a=b", "--select", "team=x"]);
    assert!(err.contains("they are not matched by team=x:\n  Namespace web\n"), "{err}");
    assert!(
        fails(&["--clusters", "a=b", "--select", "team"]).contains("--select \"team\": must be")
    );
}

#[test]
fn overrides_are_printed_for_single_clusters() {
    let dir = std::env::temp_dir().join(format!("bowsprit-place-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("m1.yaml");
    std::fs::write(&file, "replicas: 5\n").unwrap();
    let over = format!("m1={}", file.display());
    let karmada = ["place", "karmada", "demo", CHART, "-n", "web", "--override"];
    let (ok, out, err) = run(&[&karmada[..], &[&over, "--clusters", "m1,m2"]].concat());
    assert!(ok, "{err}");
    assert!(
        out.contains("      plaintext:\n      - operator: replace\n        path: /spec/replicas\n        value: 5\n"),
        "{out}"
    );
    assert!(out.contains("  dependentOverrides:\n  - demo-"), "{out}");
    let (ok, _, err) = run(&[&karmada[..], &[&over, "--clusters", "m2"]].concat());
    assert!(!ok && err.contains("an override for m1, which is not among the clusters"), "{err}");
    let (ok, _, err) = run(&[&karmada[..], &["m1", "--clusters", "m1"]].concat());
    assert!(!ok && err.contains("--override \"m1\": must be of the form CLUSTER=FILE"), "{err}");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn folders_are_written_and_cleaned() {
    let dir = std::env::temp_dir().join(format!("bowsprit-folders-{}", std::process::id()));
    let out = dir.to_str().unwrap();
    let folders = |clusters: &str| {
        let args = ["place", "folders", "demo", CHART, "-n", "web", "--output-dir", out];
        let (ok, out, err) = run(&[&args[..], &["--clusters", clusters]].concat());
        assert!(ok, "{err}");
        out
    };
    assert!(folders("east,west").contains("/east/demo/mychart/namespace.yaml\n"));
    assert_eq!(folders("east,west"), "nothing has changed\n");
    let index = std::fs::read_to_string(dir.join("index-demo.yaml")).unwrap();
    assert!(index.contains("  name: west\n  sameAs: east\n"), "{index}");
    assert!(folders("west").contains("removed "));
    assert!(!dir.join("east").exists() && dir.join("west").exists());
    std::fs::remove_dir_all(&dir).unwrap();
}
