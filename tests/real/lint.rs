//! `bowsprit lint` beside `helm lint`, on charts that break one rule each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::program::program;
use crate::tools::tool;

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\n";
const OBJECT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

/// A folder that goes away with its value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("bowsprit-lint-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(program: &Path, folder: &Path, args: &[&str]) -> Output {
    Command::new(program)
        .arg("lint")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn text(output: &Output) -> String {
    format!(
        "exit {:?}\n{}\n--\n{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn check(helm: &Path, folder: &Folder, case: &str, args: &[&str]) {
    let want = text(&run(helm, &folder.0, args));
    let got = text(&run(program(), &folder.0, args));
    assert_eq!(got, want, "{case}: {args:?}");
}

/// Each case: its name, and the files that are written over those of a good chart.
const CASES: &[(&str, &[(&str, &str)])] = &[
    ("good", &[]),
    ("no-name", &[("Chart.yaml", "apiVersion: v2\nversion: 1.2.3\n")]),
    ("name-is-path", &[("Chart.yaml", "apiVersion: v2\nname: a/b\nversion: 1.2.3\n")]),
    ("empty", &[("Chart.yaml", "")]),
    ("api-version", &[("Chart.yaml", "apiVersion: v4\nname: web\nversion: 1.2.3\n")]),
    ("v3", &[("Chart.yaml", "apiVersion: v3\nname: web\nversion: 1.2.3\n")]),
    ("no-api-version", &[("Chart.yaml", "name: web\nversion: 1.2.3\ntype: application\n")]),
    (
        "version-number",
        &[("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0\nappVersion: 2\n")],
    ),
    ("version-bad", &[("Chart.yaml", "apiVersion: v2\nname: web\nversion: abc\n")]),
    ("version-zero", &[("Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.0.0-0\n")]),
    ("version-loose", &[("Chart.yaml", "apiVersion: v2\nname: web\nversion: v1.2\n")]),
    (
        "unknown-key",
        &[(
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.2.3\nfoo: 1\nmaintainers: [{nam: x}]\n",
        )],
    ),
    ("key-twice", &[("Chart.yaml", "apiVersion: v2\nname: web\nname: web\nversion: 1.2.3\n")]),
    ("no-yaml", &[("Chart.yaml", "a: [\n")]),
    ("wrong-type", &[("Chart.yaml", "apiVersion: v2\nname: [web]\nversion: 1.2.3\n")]),
    (
        "people",
        &[(
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.2.3\nmaintainers: [{name: x, email: bad}]\n",
        )],
    ),
    (
        "people-url",
        &[(
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.2.3\nmaintainers: [{name: x, url: 'no url'}]\n",
        )],
    ),
    (
        "people-null",
        &[("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\nmaintainers: [null]\n")],
    ),
    (
        "people-nameless",
        &[(
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.2.3\nmaintainers: [{email: a@b.c}]\n",
        )],
    ),
    (
        "urls",
        &[(
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.2.3\nicon: foo\nsources: ['', foo]\n",
        )],
    ),
    (
        "icon",
        &[("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\nicon: https://e.x/i.png\n")],
    ),
    (
        "v1",
        &[(
            "Chart.yaml",
            "apiVersion: v1\nname: web\nversion: 1.2.3\ntype: application\ndependencies: [{name: a, version: 1.x.x}]\n",
        )],
    ),
    ("values-yaml", &[("values.yaml", "a: [\n")]),
    ("values-list", &[("values.yaml", "- a\n")]),
    ("values-null", &[("values.yaml", "a:\n  b: 1\n")]),
    (
        "schema",
        &[
            ("values.yaml", "a: 1\n"),
            (
                "values.schema.json",
                r#"{"type":"object","required":["zz"],"properties":{"a":{"type":"string"}}}"#,
            ),
        ],
    ),
    ("schema-broken", &[("values.yaml", "a: 1\n"), ("values.schema.json", "{")]),
    ("template-parse", &[("templates/a.yaml", "a: {{ if }}\n")]),
    ("template-fails", &[("templates/a.yaml", "a: {{ .Values.nope.x }}\n")]),
    (
        "required",
        &[(
            "templates/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: {{ required \"need a\" .Values.a | quote }}\n  b: {{ required \"need b\" \"\" }}\n  c: {{ fail \"no\" }}\n",
        )],
    ),
    (
        "missing-key",
        &[(
            "templates/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a{{ .Values.nope }}\n",
        )],
    ),
    (
        "extension",
        &[("templates/a.json", "{}"), ("templates/b", "x"), ("templates/c.YAML", "a: [")],
    ),
    ("indent", &[("templates/a.yaml", "\n  kind: X\n  metadata: {name: a}\n")]),
    ("rendered-no-yaml", &[("templates/a.yaml", "a: [\n"), ("templates/b.yaml", "b: {\n")]),
    (
        "json",
        &[(
            "templates/a.yaml",
            "{\"kind\": \"A\", \"metadata\": {\"name\": \"a\"}}\n{\"kind\": \"B\"}\n",
        )],
    ),
    ("json-broken", &[("templates/a.yaml", "{ \"a\": }\n")]),
    ("flow", &[("templates/a.yaml", "{kind: A, metadata: {name: a}}\n")]),
    ("separator", &[("templates/a.yaml", "kind: A\nmetadata: {name: a}\n--- b\nc: 1\n")]),
    (
        "names",
        &[(
            "templates/a.yaml",
            "kind: A\nmetadata: {name: Bad_Name}\n---\nkind: Service\nmetadata: {name: 1a}\n---\nkind: Namespace\nmetadata: {name: a.b}\n---\nkind: Role\nmetadata: {name: 'a/%b'}\n---\nkind: ClusterRole\nmetadata: {name: 'a:b'}\n---\nkind: B\n---\nkind: CertificateSigningRequest\n---\nkind: ServiceAccount\nmetadata: {name: A}\n",
        )],
    ),
    (
        "long-name",
        &[(
            "templates/a.yaml",
            "kind: Service\nmetadata: {name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA}\n",
        )],
    ),
    (
        "deprecated",
        &[(
            "templates/a.yaml",
            "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: {matchLabels: {}}}\n---\napiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: b}\n---\napiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: c}\n",
        )],
    ),
    (
        "selector",
        &[("templates/a.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n")],
    ),
    (
        "list",
        &[(
            "templates/a.yaml",
            "kind: List\nmetadata: {name: a}\nitems:\n- metadata: {annotations: {helm.sh/resource-policy: keep}}\n",
        )],
    ),
    (
        "types",
        &[("templates/a.yaml", "kind: [A]\nmetadata: {name: a}\n"), ("templates/b.yaml", "- a\n")],
    ),
    (
        "crds",
        &[
            (
                "crds/a.yaml",
                "apiVersion: v1\nkind: ConfigMap\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n",
            ),
            ("crds/b.yaml", "a: [\n"),
            ("crds/c.txt", "x"),
        ],
    ),
    ("crds-file", &[("crds", "x")]),
    (
        "sub-not-listed",
        &[
            ("charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n"),
            ("charts/s/templates/a.yaml", "a: {{ fail \"sub\" }}\n"),
        ],
    ),
    (
        "sub-missing",
        &[(
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.2.3\ndependencies: [{name: s, version: 1.x.x}, {name: t, version: 1.x.x}]\n",
        )],
    ),
    (
        "sub-twice",
        &[(
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.2.3\ndependencies: [{name: s, version: 1.x.x}, {name: s, version: 1.x.x}]\n",
        )],
    ),
    ("sub-broken", &[("charts/s/Chart.yaml", "apiVersion: v2\nname: s\n")]),
    ("requirements", &[("requirements.yaml", "dependencies: []\n")]),
    ("helmignore", &[(".helmignore", "templates/b.yaml\n"), ("templates/b.yaml", "a: [\n")]),
    (
        "kube-version",
        &[("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\nkubeVersion: '<1.0'\n")],
    ),
    ("library", &[("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\ntype: library\n")]),
    ("type-unknown", &[("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\ntype: other\n")]),
];

fn chart(folder: &Folder, name: &str, files: &[(&str, &str)]) {
    let given = |file: &str| files.iter().any(|(name, _)| *name == file);
    let defaults =
        [("Chart.yaml", CHART), ("values.yaml", "a: null\n"), ("templates/a.yaml", OBJECT)];
    for (file, text) in defaults.iter().filter(|(file, _)| !given(file)).chain(files) {
        folder.write(&format!("{name}/{file}"), text);
    }
}

#[test]
fn every_rule_has_helms_text() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("rules");
    for (name, files) in CASES {
        chart(&folder, name, files);
        check(&helm, &folder, name, &[name]);
        check(&helm, &folder, name, &[name, "--strict", "--quiet", "--kube-version", "1.22"]);
    }
    let values = ["--set", "values.a.b=null,a.c=1", "--skip-schema-validation"];
    check(
        &helm,
        &folder,
        "values",
        &["schema", "values-null", "schema", values[0], values[1], values[2]],
    );
    check(&helm, &folder, "values", &["schema", "--set", "zz=1,a=x"]);
    check(&helm, &folder, "values", &["values-null", "--set", "a.b=null"]);
}

#[test]
fn what_is_no_chart_is_said_as_helm_says_it() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("none");
    chart(&folder, "good", &[]);
    folder.write("bad.tgz", "no archive");
    folder.write("dir/x", "");
    fs::create_dir_all(folder.0.join("chart-is-dir/Chart.yaml")).expect("a folder");
    fs::create_dir_all(folder.0.join("no-templates")).expect("a folder");
    folder.write("no-templates/Chart.yaml", CHART);
    folder.write("templates-file/Chart.yaml", CHART);
    folder.write("templates-file/templates", "x");
    folder.write("values-dir/Chart.yaml", CHART);
    folder.write("values-dir/values.yaml/x", "");
    for path in [
        "nosuch",
        "nosuch.tgz",
        "bad.tgz",
        "dir",
        "no-templates",
        "templates-file",
        "good/Chart.yaml",
        "./good/",
        "good/../good",
        "values-dir",
    ] {
        check(&helm, &folder, path, &[path]);
        check(&helm, &folder, path, &[path, "--quiet"]);
    }
    check(&helm, &folder, "many", &["good", "nosuch", "no-templates"]);
    check(&helm, &folder, "kube-version", &["good", "--kube-version", "bad"]);
    check(&helm, &folder, "values", &["good", "-f", "nosuch.yaml"]);
    check(&helm, &folder, "nothing", &[]);
}

#[test]
fn subcharts_are_examined_in_helms_order() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("subcharts");
    let dependencies = format!(
        "{CHART}dependencies: [{{name: s, version: 1.x.x}}, {{name: t, version: 1.x.x}}]\n"
    );
    chart(&folder, "top", &[("Chart.yaml", &dependencies)]);
    for (path, name) in
        [("top/charts/s", "s"), ("top/charts/s/charts/u", "u"), ("top/charts/t", "t")]
    {
        folder.write(
            &format!("{path}/Chart.yaml"),
            &format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n"),
        );
        folder.write(&format!("{path}/templates/a.yaml"), OBJECT);
    }
    folder.write("top/charts/x.tgz", "no archive");
    check(&helm, &folder, "broken", &["top", "--with-subcharts"]);
    fs::remove_file(folder.0.join("top/charts/x.tgz")).expect("it was there");
    check(&helm, &folder, "good", &["top", "--with-subcharts"]);
    check(&helm, &folder, "good", &["./top/", "--with-subcharts", "--strict"]);
}
