//! What bowsprit writes for Flux and Karmada, against a real API server with their definitions.
//!
//! The definitions are other people's files, read in place from `crds` in `$SHARED` or `../shared`.
//! Helm applies them and the objects, as charts, and the server says whether it takes them.

// Helpers of tests fail as the tests do, and a test that is skipped has to say so.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use crate::program::program;
use crate::tools::tool;
use bowsprit_testkit::repository;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// An API server that ends with the test.
struct Server {
    process: Child,
    kubeconfig: PathBuf,
}

impl Server {
    fn start(wds: &Path, dir: &Path) -> Server {
        let kubeconfig = dir.join("kubeconfig");
        let mut process = Command::new(wds)
            .arg("-kubeconfig")
            .arg(&kubeconfig)
            .arg("-until-eof")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut ready).unwrap();
        assert!(ready.starts_with("ready "), "{ready}");
        Server { process, kubeconfig }
    }
}

impl Server {
    fn install(&self, helm: &Path, dir: &Path, name: &str) {
        let output = Command::new(helm)
            .args(["install", name, name, "--kubeconfig"])
            .arg(&self.kubeconfig)
            .current_dir(dir)
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn chart(dir: &Path, name: &str) -> PathBuf {
    let chart = dir.join(name);
    fs::create_dir_all(chart.join("templates")).unwrap();
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\n");
    fs::write(chart.join("Chart.yaml"), metadata).unwrap();
    chart
}

fn bowsprit(dir: &Path, args: &[&str]) -> String {
    let output = Command::new(program()).args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const OBJECTS: &str = "\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: podinfo, namespace: default}
spec: {interval: 1m, url: https://stefanprodan.github.io/podinfo, secretRef: {name: pull}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: podinfo, namespace: default}
spec:
  interval: 5m
  chart: {spec: {chart: podinfo, version: 6.x, sourceRef: {kind: HelmRepository, name: podinfo}}}
  valuesFrom: [{kind: ConfigMap, name: site, optional: true}]
  values: {ui: {color: red}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: podinfo-dev, namespace: default}
spec: {interval: 5m, path: ./dev, prune: true, sourceRef: {kind: GitRepository, name: podinfo}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: podinfo, namespace: default}
spec: {interval: 1m, url: https://github.com/stefanprodan/podinfo}
";

#[test]
fn the_api_server_takes_what_is_written() {
    let (Some(wds), Some(helm)) = (tool("wds"), tool("helm")) else { return };
    let shared =
        std::env::var_os("SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let crds = repository().join(shared).join("crds");
    if !crds.is_dir() {
        eprintln!(
            "!!!! SKIPPED: there are no definitions of Flux and Karmada in {} !!!!",
            crds.display()
        );
        return;
    }
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flux-real");
    let _ = fs::remove_dir_all(&dir);
    let definitions = chart(&dir, "definitions");
    for group in ["flux", "karmada"] {
        for entry in fs::read_dir(crds.join(group)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{group}-{}", path.file_name().unwrap().to_string_lossy());
            let wanted =
                group == "flux" || name.contains("policy.") || name.contains("interpreter");
            let to = definitions.join("crds");
            fs::create_dir_all(&to).unwrap();
            if wanted && !name.contains("webhook") {
                fs::copy(&path, to.join(name)).unwrap();
            }
        }
    }
    let objects = chart(&dir, "objects");
    fs::write(dir.join("objects.yaml"), OBJECTS).unwrap();
    let mut texts = Vec::new();
    let place = ["flux", "place", "-f", "objects.yaml", "--clusters", "member1,member2"];
    let more = ["--set", "member1:replicaCount=2,ui.message=hi", "--interpreter"];
    texts.push(bowsprit(&dir, &[&place[..], &more].concat()));
    let fleet = bowsprit(&dir, &["convert", "objects.yaml", "--to", "fleet"]);
    fs::write(dir.join("bowsprit.yaml"), fleet).unwrap();
    let url = "podinfo=https://stefanprodan.github.io/podinfo";
    let convert = ["convert", "bowsprit.yaml", "--to", "helmrelease", "--repository", url];
    texts.push(bowsprit(&dir, &[&convert[..], &["-n", "default"]].concat()));
    let oci = r#"[{"name":"other","namespace":"default","chart":"podinfo-6.14.1"}]"#;
    fs::write(dir.join("list.json"), oci).unwrap();
    let convert = ["convert", "list.json", "--to", "helmrelease", "--repository"];
    texts.push(bowsprit(&dir, &[&convert[..], &["oci://registry.example/charts"]].concat()));
    for (number, text) in texts.iter().enumerate() {
        assert!(text.contains("apiVersion: ") && !text.contains("{{"), "{text}");
        fs::write(objects.join(format!("templates/{number}.yaml")), text).unwrap();
    }
    let server = Server::start(&wds, &dir);
    for name in ["definitions", "objects"] {
        server.install(&helm, &dir, name);
    }
    compare_with_the_server(&server, &helm, &dir);
}

/// `flux diff --live` finds what is missing, and nothing once it is there.
fn compare_with_the_server(server: &Server, helm: &Path, dir: &Path) {
    let mirrored = chart(&dir.join("mirror"), "settings");
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: {{ .Values.color }}}\n";
    fs::write(mirrored.join("templates/settings.yaml"), template).unwrap();
    let release = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: git}\n\
                   spec: {url: https://git.example/charts}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n\
                   metadata: {name: web}\nspec:\n  chart: {spec: {chart: settings, sourceRef: {kind: GitRepository, name: git}}}\n  \
                   values: {color: red}\n";
    fs::write(dir.join("web.yaml"), release).unwrap();
    let kubeconfig = server.kubeconfig.to_string_lossy().into_owned();
    let mirror = "--mirror=https://git.example/charts=mirror";
    let diff = |file: &str| {
        let args = ["flux", "diff", file, mirror, "--live", "--kubeconfig", &kubeconfig];
        bowsprit(dir, &args)
    };
    let before = diff("web.yaml");
    assert!(before.ends_with("1 added, 0 changed, 0 removed, 0 unchanged\n"), "{before}");
    let manifest = bowsprit(dir, &["flux", "render", "-f", "web.yaml", mirror]);
    fs::write(chart(dir, "web").join("templates/manifest.yaml"), manifest).unwrap();
    server.install(helm, dir, "web");
    assert_eq!(diff("web.yaml"), "0 added, 0 changed, 0 removed, 1 unchanged\n");
    fs::write(dir.join("green.yaml"), release.replace("red", "green")).unwrap();
    let changed = diff("green.yaml");
    assert!(changed.contains("-  color: red\n+  color: green\n"), "{changed}");
    let args = ["flux", "diff", "green.yaml", mirror, "--live", "--format", "markdown"];
    let comment = bowsprit(dir, &[&args[..], &["--kubeconfig", &kubeconfig]].concat());
    let row = "| changed | ConfigMap default/settings | `data.color` |";
    assert!(comment.contains(row) && comment.contains("```diff\n"), "{comment}");
    convert_what_is_installed(server, helm, dir);
}

/// What `helm list` says becomes HelmReleases that render what is installed.
fn convert_what_is_installed(server: &Server, helm: &Path, dir: &Path) {
    let listed = Command::new(helm)
        .args(["list", "-A", "-o", "json", "--kubeconfig"])
        .arg(&server.kubeconfig)
        .output()
        .unwrap();
    assert!(listed.status.success());
    fs::write(dir.join("installed.json"), listed.stdout).unwrap();
    let repository = "https://charts.example/installed";
    let convert = ["convert", "installed.json", "--to", "helmrelease", "--repository", repository];
    let releases = bowsprit(dir, &convert);
    for name in ["definitions", "objects", "web"] {
        let reference = format!("chart: {name}\n");
        assert!(releases.contains(&reference), "{releases}");
    }
    fs::write(dir.join("installed.yaml"), &releases).unwrap();
    let mirror = format!("--mirror={repository}=.");
    let show = ["flux", "render", "-f", "installed.yaml", "--helm-release", "web", &mirror];
    let rendered = bowsprit(dir, &show);
    assert!(
        rendered.contains("name: settings\n") && rendered.contains("color: red\n"),
        "{rendered}"
    );
    let fleet = bowsprit(dir, &["convert", "installed.yaml", "--to", "fleet"]);
    fs::write(dir.join("installed-fleet.yaml"), &fleet).unwrap();
    let name = format!("charts-example-installed={repository}");
    let back = ["convert", "installed-fleet.yaml", "--to", "helmrelease", "--repository", &name];
    let back = bowsprit(dir, &back);
    assert!(back.contains("chart: web\n") && back.contains("version: 0.1.0\n"), "{back} {fleet}");
}
