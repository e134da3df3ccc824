//! `bowsprit flux` and `bowsprit convert`, on charts that these tests make.

// Helpers of tests fail as the tests do, and a test that is skipped has to say so.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use crate::program::program;
use bowsprit_testkit::repository;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Run {
    out: String,
    err: String,
    ok: bool,
}

fn run(dir: &Path, args: &[&str]) -> Run {
    let output = Command::new(program()).args(args).current_dir(dir).output().unwrap();
    Run {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        ok: output.status.success(),
    }
}

fn good(dir: &Path, args: &[&str]) -> String {
    let run = run(dir, args);
    assert!(run.ok, "{args:?}: {}", run.err);
    run.out
}

/// A folder with a chart `podinfo`, of the version that the tutorial asks for, in `mirror/podinfo`.
fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flux-cli").join(name);
    let _ = fs::remove_dir_all(&dir);
    let chart = dir.join("mirror/podinfo/podinfo");
    fs::create_dir_all(chart.join("templates")).unwrap();
    write(&chart, "Chart.yaml", "apiVersion: v2\nname: podinfo\nversion: 5.0.3\n");
    write(&chart, "values.yaml", "replicaCount: 1\nui: {color: blue}\n");
    write(
        &chart,
        "templates/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  \
         replicas: {{ .Values.replicaCount }}\n  template:\n    metadata:\n      annotations:\n        \
         color: {{ .Values.ui.color }}\n",
    );
    dir
}

fn write(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).unwrap();
}

const RELEASE: &str = "\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: podinfo, namespace: apps}
spec: {interval: 1h, url: https://charts.example/podinfo}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec:
  interval: 1h
  chart: {spec: {chart: podinfo, version: 5.x, sourceRef: {kind: HelmRepository, name: podinfo}}}
  values:
    ui:
      color: red
";

const MIRROR: &str = "--mirror=https://charts.example/podinfo=mirror/podinfo";

#[test]
fn releases_are_rendered_with_labels() {
    let dir = folder("render");
    write(&dir, "web.yaml", RELEASE);
    let out = good(&dir, &["flux", "render", "-f", "web.yaml", MIRROR]);
    let want = "---\n# Source: podinfo/templates/deployment.yaml\napiVersion: apps/v1\nkind: Deployment\n\
                metadata:\n  labels:\n    helm.toolkit.fluxcd.io/name: web\n    \
                helm.toolkit.fluxcd.io/namespace: apps\n  name: web\nspec:\n  replicas: 1\n  \
                template:\n    metadata:\n      annotations:\n        color: red\n\n";
    assert_eq!(out, want);
    let values = good(&dir, &["flux", "render", "-f", "web.yaml", MIRROR, "--show", "values"]);
    assert_eq!(values, "ui:\n  color: red\n");
    let all = good(&dir, &["flux", "render", "-f", ".", "--mirror=*=mirror", "-o", "json"]);
    assert!(all.contains("\"chart\": \"podinfo-5.0.3\""), "{all}");
}

#[test]
fn failures_have_reasons() {
    let dir = folder("failures");
    write(&dir, "web.yaml", &RELEASE.replace("5.x", "7.x"));
    let run = run(&dir, &["flux", "render", "-f", "web.yaml", MIRROR]);
    assert!(!run.ok && run.out.is_empty());
    assert_eq!(
        run.err,
        "Error: HelmRelease apps/web: SourceNotReady: HelmChart 'apps/apps-web' is not ready: invalid \
         chart reference: failed to get chart version for remote reference: no 'podinfo' chart with \
         version matching '7.x' found\n"
    );
}

/// What a release waits for is asked of the files, as far as they tell.
#[test]
fn dependencies_are_judged() {
    let dir = folder("ready");
    let twice = |expression: &str| {
        let base = RELEASE.replace("name: web,", "name: base,");
        let (_, base) = base.split_once("---\n").unwrap();
        let wait = format!(
            "spec:\n  dependsOn: [{{name: base, readyExpr: \"{expression}\"}}]\n  interval: 1h"
        );
        let web = RELEASE.replacen("spec:\n  interval: 1h", &wait, 1);
        assert_ne!(web, RELEASE);
        write(&dir, "web.yaml", &format!("{web}---\n{base}"));
        run(&dir, &["flux", "render", "-f", "web.yaml", MIRROR, "--helm-release", "web"])
    };
    let same = "dep.spec.values.ui.color == self.spec.values.ui.color && dep.status.conditions.filter(e, \
                e.type == 'Ready').all(e, e.status == 'True') && dep.metadata.generation == \
                dep.status.observedGeneration";
    let ready = twice(same);
    assert!(ready.ok && ready.err.is_empty(), "{}", ready.err);

    let unlike = twice(&same.replace("==", "!="));
    assert!(!unlike.ok && unlike.out.is_empty());
    assert_eq!(
        unlike.err,
        "Error: HelmRelease apps/web: DependencyNotReady: dependency 'apps/base' is not ready according to \
         readyExpr eval\n"
    );
    let kind = twice("dep.spec.values.ui.color");
    assert_eq!(
        kind.err,
        "Error: HelmRelease apps/web: InvalidCELExpression: Reconciliation failed terminally due to \
         configuration error: terminal error: failed to evaluate dependency base: CEL expression output type \
         mismatch: expected bool, got dyn\n"
    );
    let later = twice("dep.status.history[0].version > 1");
    assert!(later.ok, "{}", later.err);
    assert_eq!(
        later.err,
        "WARNING: HelmRelease apps/web: whether HelmRelease apps/base is ready can't be told here \
         (dep.status.history is not known); Flux waits for `dep.status.history[0].version > 1`\n"
    );
}

#[test]
fn changes_are_shown() {
    let dir = folder("diff");
    write(&dir, "before.yaml", RELEASE);
    write(&dir, "after.yaml", &RELEASE.replace("color: red", "color: green"));
    let args = ["flux", "diff", "before.yaml", "after.yaml", MIRROR];
    let text = good(&dir, &args);
    assert!(text.contains("-        color: red\n+        color: green\n"), "{text}");
    assert!(text.ends_with("0 added, 1 changed, 0 removed, 0 unchanged\n"), "{text}");
    let markdown = good(&dir, &[&args[..], &["--format", "markdown"]].concat());
    let row = "| changed | Deployment apps/web | `spec.template.metadata.annotations.color` |";
    assert!(markdown.contains(row), "{markdown}");
    assert!(!run(&dir, &[&args[..], &["--exit-code"]].concat()).ok);
    let same = ["flux", "diff", "before.yaml", "before.yaml", MIRROR, "--exit-code"];
    assert_eq!(good(&dir, &same), "0 added, 0 changed, 0 removed, 1 unchanged\n");
}

#[test]
fn placed_releases_differ_by_cluster() {
    let dir = folder("place");
    write(&dir, "web.yaml", RELEASE);
    let place = ["flux", "place", "-f", "web.yaml", "--clusters", "m1,m2"];
    let policies = good(&dir, &[&place[..], &["--set", "m1:replicaCount=2"]].concat());
    assert!(policies.contains("path: /spec/values/replicaCount"), "{policies}");
    assert!(policies.contains("dependentOverrides:\n  - web-flux\n"), "{policies}");
    write(&dir, "all.yaml", &format!("{RELEASE}\n{policies}"));
    let rendered = |cluster: &str| {
        run(&dir, &["flux", "render", "-f", "all.yaml", MIRROR, "--cluster", cluster])
    };
    let (one, two) = (rendered("m1").out, rendered("m2").out);
    assert_eq!(two.replace("replicas: 1", "replicas: 2"), one);
    assert!(one.contains("color: red") && one.contains("replicas: 2"), "{one}");
    assert!(!rendered("m3").ok);
}

#[test]
fn releases_become_fleets_and_back() {
    let dir = folder("convert");
    write(&dir, "web.yaml", RELEASE);
    let fleet = good(&dir, &["convert", "web.yaml", "--to", "fleet", "--name", "shop"]);
    let url = "https://charts.example/podinfo";
    assert!(
        fleet.contains("- chart: podinfo\n") && fleet.contains(&format!("repository: {url}\n")),
        "{fleet}"
    );
    write(&dir, "bowsprit.yaml", &fleet);
    let args = ["convert", "bowsprit.yaml", "--to", "helmrelease", "-n", "apps"];
    write(&dir, "back.yaml", &good(&dir, &args));
    let render = |file: &str| good(&dir, &["flux", "render", "-f", file, MIRROR]);
    assert_eq!(render("back.yaml"), render("web.yaml"));
    let listed = r#"[{"name":"web","namespace":"apps","chart":"podinfo-5.0.3"}]"#;
    write(&dir, "list.json", listed);
    write(&dir, "values.yaml", "ui: {color: red}\n");
    let args = ["convert", "list.json", "--to", "helmrelease", "--repository"];
    let args =
        [&args[..], &["https://charts.example/podinfo", "--values", "web=values.yaml"]].concat();
    write(&dir, "helm.yaml", &good(&dir, &args));
    assert_eq!(render("helm.yaml"), render("web.yaml"));
}

#[test]
fn kustomizations_bring_releases() {
    let dir = folder("kustomization");
    let repository = dir.join("git/apps");
    fs::create_dir_all(&repository).unwrap();
    write(&repository, "kustomization.yaml", "resources: [web.yaml]\nnamespace: apps\n");
    write(&repository, "web.yaml", &RELEASE.replace("red", "${color:=grey}"));
    write(
        &dir,
        "cluster.yaml",
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet, namespace: flux-system}\n\
         spec: {url: https://git.example/fleet.git}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
         metadata: {name: apps, namespace: flux-system}\nspec:\n  path: ./apps\n  sourceRef: {kind: GitRepository, name: fleet}\n  \
         postBuild: {substitute: {color: violet}}\n",
    );
    let git = "--mirror=https://git.example/fleet.git=git";
    let out = good(&dir, &["flux", "render", "-f", "cluster.yaml", MIRROR, git]);
    assert!(out.contains("color: violet"), "{out}");
}

/// The YAML blocks of a tutorial, as one file.
fn blocks(markdown: &str, wanted: impl Fn(&str) -> bool) -> String {
    let blocks = markdown.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter(|block| wanted(block)).map(|block| format!("{block}---\n")).collect()
}

#[test]
fn the_tutorial_of_karmada_and_flux_renders() {
    let shared =
        std::env::var_os("SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let path = repository().join(shared).join("seeds/3-karmada-and-flux.md");
    let Ok(tutorial) = fs::read_to_string(&path) else {
        eprintln!("!!!! SKIPPED: there is no tutorial in {} !!!!", path.display());
        return;
    };
    let dir = folder("tutorial");
    let as_given = blocks(&tutorial, |block| !block.contains("Kustomization"));
    let today = as_given
        .replace("helm.toolkit.fluxcd.io/v2beta1", "helm.toolkit.fluxcd.io/v2")
        .replace("source.toolkit.fluxcd.io/v1beta2", "source.toolkit.fluxcd.io/v1");
    for (name, text) in [("given.yaml", as_given), ("today.yaml", today)] {
        write(&dir, name, &text);
        for (cluster, replicas) in [("member1", 2), ("member2", 1)] {
            let args = ["flux", "render", "-f", name, "--mirror=*=mirror", "--cluster", cluster];
            let run = run(&dir, &args);
            assert!(run.ok, "{name} {cluster}: {}", run.err);
            assert!(run.out.contains(&format!("  replicas: {replicas}\n")), "{}", run.out);
            assert!(run.out.contains("color: blue\n"), "{}", run.out);
            assert_eq!(run.err.contains("no longer served"), name == "given.yaml", "{}", run.err);
        }
    }
}
