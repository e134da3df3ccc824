//! What Helm has beside server-side apply: objects that are created and patched by the client, objects that
//! are replaced, and post-renderers.

use std::collections::BTreeMap;
use std::process::Output;

use serde_json::{Value as Json, json};

use super::corpus::comparable;
use super::server::{Server, chart, scratch, servers};

const OBJECTS: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {tier: '{{ .Values.a }}'}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {type: {{ .Values.strategy }}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: first, image: 'one:{{ .Values.a }}', env: [{name: A, value: '{{ .Values.a }}'}, {name: B, value: b}]}
{{- if .Values.extra }}
      - {name: extra, image: two, args: [x, z]}
{{- end }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: map}
data: {a: '{{ .Values.a }}'{{ if .Values.extra }}, extra: x{{ end }}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: {{ .Values.port }}}]}
{{- if .Values.extra }}
---
apiVersion: v1
kind: Secret
metadata: {name: extra}
{{- end }}
";

fn sample(name: &str) -> String {
    let values = "a: x\nextra: true\nstrategy: RollingUpdate\nport: 80\n";
    chart(name, &[("values.yaml", values), ("templates/all.yaml", OBJECTS)])
}

/// What others do to objects meanwhile.
fn meddle(server: &Server, ns: &str) {
    let pod = json!({"containers": [{"name": "injected", "image": "three"}]});
    let deployment = json!({
        "metadata": {"annotations": {"other": "yes"}}, "spec": {"template": {"spec": pod}},
    });
    for (path, body) in [
        (format!("/apis/apps/v1/namespaces/{ns}/deployments/web"), deployment),
        (
            format!("/api/v1/namespaces/{ns}/configmaps/map"),
            json!({"data": {"a": "drift", "other": "o"}}),
        ),
    ] {
        let body = body.to_string();
        let content = "application/strategic-merge-patch+json";
        let (code, answer) = server.request_as("PATCH", &path, Some(&body), content);
        assert_eq!(code, 200, "{answer}");
    }
}

fn held(server: &Server, ns: &str) -> BTreeMap<String, Json> {
    let mut objects = server.objects_in(ns);
    objects.retain(|_, object| object["type"] != "helm.sh/release.v1");
    objects.values_mut().for_each(|object| *object = comparable(object));
    objects
}

/// The line of an error that both programs have to agree on.
fn error(output: &Output) -> String {
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.starts_with("Error:"));
    line.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn objects_are_patched_as_helm_patches_them() {
    let Some([one, two]) = servers() else { return };
    let (ns, chart) = ("patched", sample("patched"));
    let both = |args: &[&str]| {
        let args = [args, &["-n", ns]].concat();
        one.bowsprit_ok(&args);
        two.helm_ok(&args);
        let (ours, helms) = (held(one, ns), held(two, ns));
        assert_eq!(ours, helms, "{args:?}");
        ours
    };
    let method = |revision| {
        let records = [one, two].map(|server| server.record(ns, "web", revision));
        let [ours, helms] = records.map(|record| record["apply_method"].clone());
        assert_eq!(ours, helms);
        ours
    };
    both(&["install", "web", &chart, "--create-namespace", "--server-side=false"]);
    assert_eq!(method(1), "csa");
    [one, two].iter().for_each(|server| meddle(server, ns));
    // What the chart says holds again, what left it goes, what others added stays.
    let objects =
        both(&["upgrade", "web", &chart, "--set", "a=y,extra=false,strategy=Recreate,port=81"]);
    assert_eq!(method(2), "csa");
    let deployment = objects.iter().find(|(key, _)| key.contains("deployments")).unwrap().1;
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    let names: Vec<&Json> = containers.iter().map(|container| &container["name"]).collect();
    assert!(names.contains(&&json!("injected")) && !names.contains(&&json!("extra")), "{names:?}");
    both(&["rollback", "web", "1"]);
    both(&["upgrade", "web", &chart, "--set", "a=z", "--force-replace"]);
    assert!(!format!("{:?}", held(one, ns)).contains("injected"));
    for args in [
        &["--server-side=true", "--force-replace"][..],
        &["--server-side=false", "--force-conflicts"],
        &["--force-replace", "--force-conflicts"],
        &["--server-side=maybe"],
    ] {
        let args = [&["upgrade", "web", &chart, "-n", ns][..], args].concat();
        assert_eq!(error(&one.bowsprit(&args)), error(&two.helm(&args)), "{args:?}");
    }
    one.bowsprit_ok(&[
        "upgrade",
        "web",
        &chart,
        "-n",
        ns,
        "--server-side=true",
        "--set",
        "extra=false",
    ]);
    let objects = held(one, ns);
    assert!(!format!("{objects:?}").contains("extra"), "{objects:?}");
    for server in [one, two] {
        server.helm_ok(&["uninstall", "web", "-n", ns]);
        server.delete_namespace(ns);
    }
}

const PLUGIN: &str = "apiVersion: v1
type: postrenderer/v1
name: NAME
version: 0.1.0
runtime: subprocess
runtimeConfig:
  platformCommand:
    - {os: linux, command: /nowhere, arch: sparc}
    - {command: COMMAND}
";

fn plugin(dir: &std::path::Path, name: &str, command: &str) {
    let dir = dir.join(name);
    std::fs::create_dir_all(&dir).unwrap();
    let text = PLUGIN.replace("NAME", name).replace("COMMAND", command);
    std::fs::write(dir.join("plugin.yaml"), text).unwrap();
}

/// The objects of a manifest, by their sources.
fn objects(text: &str) -> Vec<(String, Json)> {
    bowsprit::manifest::split(text.as_bytes())
        .map(|document| {
            let source =
                String::from_utf8_lossy(document).lines().next().unwrap_or_default().to_owned();
            let json = bowsprit::yaml::yaml_to_json(document).unwrap();
            (source, serde_json::from_slice(&json).unwrap())
        })
        .collect()
}

/// Post-renderers see hooks too, and what they give is the release.
#[test]
fn post_renderers_are_helms() {
    let Some([one, two]) = servers() else { return };
    let (ns, plugins) = ("post-rendered", scratch("plugins"));
    plugin(&plugins, "edits", "sed, args: ['-e', 's/before/after $HELM_PLUGIN_NAME/']");
    plugin(&plugins, "fails", "sh, args: ['-c', 'exit 3']");
    plugin(&plugins, "nothing", "sh, args: ['-c', 'cat > /dev/null']");
    let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hook # before\n  annotations:\n    \
                helm.sh/hook: pre-install\ndata: {a: before}\n";
    let pod = "# all of it\napiVersion: v1\nkind: Pod\nmetadata: {name: pod}\nspec:\n  automountServiceAccountToken: false\n  containers:\n  - name: \
               c\n    image: one\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec: {ports: \
               [{port: 80}]}\n";
    let chart =
        chart("post-rendered", &[("templates/hook.yaml", hook), ("templates/pod.yaml", pod)]);
    let run = |server: &Server, helm: bool, args: &[&str]| {
        let mut command =
            if helm { server.helm_command(args) } else { server.bowsprit_command(args) };
        command.env("HELM_PLUGINS", &plugins).output().unwrap()
    };
    let changing =
        ["--post-renderer", "edits", "--post-renderer-args", "-e", "--post-renderer-args"];
    let changing = [&changing[..], &["s/image:.one/image: new/"]].concat();
    let template = [&["template", "web", &chart][..], &changing].concat();
    let [ours, helms] = [false, true].map(|helm| {
        let output = run(one, helm, &template);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    });
    assert_eq!(objects(&ours), objects(&helms), "{ours}\n{helms}");
    assert!(
        ours.contains("a: after edits")
            && ours.contains("image: new")
            && ours.contains("# all of it"),
        "{ours}"
    );
    for name in ["fails", "nothing", "missing"] {
        let args = ["template", "web", &chart, "--post-renderer", name];
        assert_eq!(error(&run(one, false, &args)), error(&run(one, true, &args)), "{name}");
    }
    let install = ["install", "web", &chart, "-n", ns, "--create-namespace"];
    let install = [&install[..], &changing].concat();
    for (server, helm) in [(one, false), (two, true)] {
        let output = run(server, helm, &install);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(held(one, ns), held(two, ns));
    for server in [one, two] {
        server.bowsprit_ok(&["uninstall", "web", "-n", ns]);
        server.delete_namespace(ns);
    }
}
