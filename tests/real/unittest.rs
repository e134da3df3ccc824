//! `bowsprit unittest` beside helm-unittest: suites with assertions of all kinds, right and wrong ones, over
//! ten charts. Verdicts, texts, exit codes and snapshot files must be the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use bowsprit::unittest::JsonPath;
use bowsprit::value::{Hermetic, Meter, Value, json};
use bowsprit::{Compat, Engine, RenderRequest, loader, yaml};
use bowsprit_testkit::repository;

use crate::program::program;
use crate::tools::{skipped, tool};

/// Charts of other authors, without random values in what they print.
const CHARTS: [&str; 10] = [
    "apache-11.4.30",
    "argo-workflows-13.0.7",
    "cluster-autoscaler-9.59.0",
    "external-dns-1.21.1",
    "goldilocks-11.0.0",
    "falcosidekick-0.14.0",
    "cert-manager-v0.0.0",
    "podinfo-6.14.1",
    "external-secrets-2.9.0",
    "crossplane-0.0.1",
];

/// SplitMix64, so that the suites are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.roll(from.len())]
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }
}

fn to_json(value: &Value) -> String {
    let mut out = Vec::new();
    json::encode(value, &json::Options::default(), &mut out, &Meter::default()).unwrap();
    String::from_utf8(out).unwrap()
}

fn text(text: &str) -> String {
    to_json(&Value::from(text))
}

/// All values of a document with their paths, the document itself left out.
fn nodes(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Map(map) => {
            for (key, value) in map.entries().iter() {
                let plain = key.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
                let path = match plain && !key.is_empty() {
                    true if path.is_empty() => key.to_string(),
                    true => format!("{path}.{key}"),
                    false => format!("{path}['{key}']"),
                };
                found.push((path.clone(), value.clone()));
                nodes(value, &path, found);
            }
        }
        Value::List(list) => {
            for (at, item) in list.iter().enumerate() {
                let path = format!("{path}[{at}]");
                found.push((path.clone(), item.clone()));
                nodes(item, &path, found);
            }
        }
        _ => {}
    }
}

const PATHS: &[&str] = &[
    "..name",
    "..image",
    "$..labels",
    "metadata..*",
    "..[0]",
    "spec..[?(@.name)]",
    "*",
    "spec.*",
    "..containers[?(@.name)]",
    "..[?(@.name == 'x')]",
    "..ports[?(@.port >= 80 && @.name)].name",
    "metadata.labels[?(@ == 'Helm')]",
    "..containers[?(@.image =~ /a.*/)].name",
    "..env[?(!@.value)].name",
    "..[?(@.kind=='Role'||@.kind=='ClusterRole')].name",
    "..ports[?($.kind == 'Service')]",
    "..[?(@.a == null)]",
    "..[?(@.x != 1)].name",
    "..[?(",
    "..[?(@.a ==)]",
    "spec.[x]",
    ".a",
    "a..",
    "a b",
    "a[?(@.b)",
    "..rules[*].verbs[0:2]",
    "..rules[-1:]",
    "..rules[::2]",
    "..rules[0,1]",
    "metadata.labels[*]~",
    "metadata.name~",
    "metadata['name','labels']",
    "nowhere",
    "",
];

const WRONG: [&str; 8] = ["1", "\"x\"", "null", "[1]", "{\"a\": 1}", "true", "1.5", "\"1\""];

const KINDS: [&str; 36] = [
    "equal",
    "notEqual",
    "exists",
    "notExists",
    "isNull",
    "isNotNull",
    "isNullOrEmpty",
    "isNotNullOrEmpty",
    "isEmpty",
    "isNotEmpty",
    "isType",
    "isNotType",
    "matchRegex",
    "notMatchRegex",
    "contains",
    "notContains",
    "isSubset",
    "isNotSubset",
    "isKind",
    "isAPIVersion",
    "hasDocuments",
    "lengthEqual",
    "notLengthEqual",
    "greaterOrEqual",
    "lessOrEqual",
    "notGreaterOrEqual",
    "notLessOrEqual",
    "containsDocument",
    "matchSnapshot",
    "matchSnapshotRaw",
    "matchRegexRaw",
    "notMatchRegexRaw",
    "equalRaw",
    "notEqualRaw",
    "failedTemplate",
    "notFailedTemplate",
];

fn field(doc: &Value, path: &str) -> String {
    let found = JsonPath::parse(path).unwrap().find(doc).unwrap();
    found.first().and_then(|v| v.as_str().map(ToString::to_string)).unwrap_or_default()
}

/// One assertion about a document, as JSON.
fn assertion(dice: &mut Dice, doc: &Value, count: usize, number: usize) -> String {
    let mut all = Vec::new();
    nodes(doc, "", &mut all);
    let kind = KINDS[dice.roll(KINDS.len())];
    let (path, value) = match kind {
        "contains" | "notContains" | "lengthEqual" | "notLengthEqual" => {
            all.iter().find(|(_, v)| matches!(v, Value::List(_)) && dice.once_in(3))
        }
        "isSubset" | "isNotSubset" => {
            all.iter().find(|(_, v)| matches!(v, Value::Map(_)) && dice.once_in(3))
        }
        _ => None,
    }
    .unwrap_or(&all[dice.roll(all.len())])
    .clone();
    let path = if dice.once_in(5) { dice.pick(PATHS).to_owned() } else { path };
    let path = text(&path);
    let right = !dice.once_in(3);
    let expected = if right { to_json(&value) } else { dice.pick(&WRONG).to_owned() };
    let part = match &value {
        Value::List(list) if right => list.get(0).map(to_json).unwrap_or(expected.clone()),
        Value::Map(map) if right => match map.entries().get(0) {
            Some((key, value)) => format!("{{{}: {}}}", text(&key.to_string()), to_json(value)),
            None => "{}".to_owned(),
        },
        _ => expected.clone(),
    };
    let any = if dice.once_in(3) { ", \"any\": true" } else { "" };
    let len = value.as_list().map_or(1, |list| list.len() + usize::from(!right));
    let params = match kind {
        "equal" | "notEqual" => format!("\"path\": {path}, \"value\": {expected}"),
        "greaterOrEqual" | "lessOrEqual" | "notGreaterOrEqual" | "notLessOrEqual" => {
            format!("\"path\": {path}, \"value\": {expected}")
        }
        "isType" | "isNotType" => {
            let types = ["string", "int", "bool", "map[string]interface {}", "[]interface {}"];
            format!("\"path\": {path}, \"type\": \"{}\"", dice.pick(&types))
        }
        "matchRegex" | "notMatchRegex" => {
            let pattern = dice.pick(&["^.*$", "[a-z]+", r"^\\d+$", "(", "(?i)RELEASE"]);
            format!("\"path\": {path}, \"pattern\": \"{pattern}\"")
        }
        "matchRegexRaw" | "notMatchRegexRaw" => "\"pattern\": \"nil\"".to_owned(),
        "equalRaw" | "notEqualRaw" => "\"value\": \"<nil>\"".to_owned(),
        "contains" | "notContains" => format!("\"path\": {path}, \"content\": {part}{any}"),
        "isSubset" | "isNotSubset" => format!("\"path\": {path}, \"content\": {part}"),
        "isKind" => format!("\"of\": {}", text(if right { "Service" } else { "" })),
        "isAPIVersion" => format!("\"of\": {}", text(&field(doc, "apiVersion"))),
        "hasDocuments" => format!("\"count\": {}", count + usize::from(!right)),
        "lengthEqual" | "notLengthEqual" => format!("\"path\": {path}, \"count\": {len}"),
        "containsDocument" => format!(
            "\"kind\": {}, \"apiVersion\": {}, \"name\": {}{any}",
            text(&field(doc, "kind")),
            text(&field(doc, "apiVersion")),
            text(&if right { field(doc, "metadata.name") } else { "other".to_owned() }),
        ),
        "matchSnapshot" if dice.once_in(4) => {
            format!("\"path\": {path}, \"matchRegex\": {{\"pattern\": \"[a-f]\"}}")
        }
        "matchSnapshotRaw" | "failedTemplate" | "notFailedTemplate" => String::new(),
        _ => format!("\"path\": {path}"),
    };
    let more = narrowing(dice, doc, number);
    format!("{{\"{kind}\": {{{params}}}{more}}}")
}

/// What else an assertion may say: that it is turned round, and which document it means.
fn narrowing(dice: &mut Dice, doc: &Value, number: usize) -> String {
    let mut more = String::new();
    if dice.once_in(6) {
        more.push_str(", \"not\": true");
    }
    match dice.roll(12) {
        0 | 1 => more.push_str(&format!(", \"documentIndex\": {number}")),
        2 => more.push_str(", \"documentIndex\": 7"),
        3 | 4 => {
            let name = text(&field(doc, "metadata.name"));
            let selector = format!("{{\"path\": \"metadata.name\", \"value\": {name}}}");
            more.push_str(&format!(", \"documentSelector\": {selector}"));
        }
        _ => {}
    }
    more
}

const SETTINGS: [&str; 12] = [
    "release: {name: other, namespace: ns, revision: 3}",
    "release: {upgrade: true}",
    "release: {name: Bad_Name}",
    "chart: {version: 9.9.9, appVersion: '8.8'}",
    "capabilities: {majorVersion: 1, minorVersion: 29}",
    "capabilities: {apiVersions: [monitoring.coreos.com/v1, networking.k8s.io/v1]}",
    "capabilities: {minorVersion: '31', apiVersions: null}",
    "set: {replicaCount: 3, 'a.b[1].c': x}",
    "set: {nameOverride: zed}",
    "set: {image: text}",
    "skip: {reason: not today}",
    "documentSelector: {path: kind, value: Deployment, matchMany: true, skipEmptyTemplates: true}",
];

fn suite(dice: &mut Dice, file: &str, docs: &[Value]) -> String {
    let (_, template) = file.split_once('/').unwrap();
    let mut out = format!("suite: {file}\n");
    match dice.roll(8) {
        0 => {}
        1 => out.push_str("templates: ['templates/**/*.yaml']\n"),
        _ => out.push_str(&format!("templates: ['{template}']\n")),
    }
    out.push_str("tests:\n");
    for number in 0..6 {
        out.push_str(&format!("- it: is test {number}\n"));
        if dice.once_in(3) {
            out.push_str(&format!("  {}\n", dice.pick(&SETTINGS)));
        }
        out.push_str("  asserts:\n");
        for _ in 0..=dice.roll(4) {
            let at = dice.roll(docs.len());
            out.push_str(&format!("  - {}\n", assertion(dice, &docs[at], docs.len(), at)));
        }
    }
    out
}

/// The documents of each template, as a first render has them.
fn documents(chart: &Path) -> BTreeMap<String, Vec<Value>> {
    let chart = loader::load_path(chart, &loader::Options::default()).unwrap().output;
    let compiled = Engine::builder().compat(Compat::V3_22).build().compile(Arc::new(chart));
    let request = RenderRequest::new("release-name", "ns").skip_schema_validation(true);
    let release = compiled.render(&request, &Hermetic::default()).unwrap().output;
    let mut documents: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for manifest in &release.manifests {
        let value = yaml::decode_any(manifest.content.as_bytes()).unwrap();
        if value.as_map().is_some_and(|map| !map.is_empty()) {
            documents.entry(manifest.path.to_string()).or_default().push(value);
        }
    }
    documents
}

fn write_suites(dice: &mut Dice, chart: &Path) {
    let folder = chart.join("tests");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for (number, (file, docs)) in documents(chart).iter().take(6).enumerate() {
        let path = folder.join(format!("s{number}_test.yaml"));
        fs::write(path, suite(dice, file, docs)).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Whether a line says what a schema has against the values.
fn is_complaint(line: &str) -> bool {
    line.trim_start().starts_with("- at '")
}

/// What a tool prints but for the time, its exit code, and the snapshots it leaves.
fn tested(command: &mut Command, folder: &Path, chart: &str) -> String {
    let output = command
        .arg(chart)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<&str> = stdout.lines().filter(|line| !line.starts_with("Time:")).collect();
    // Which of several complaints of a schema comes first is left to chance in Go.
    for complaints in lines.chunk_by_mut(|a, b| is_complaint(a) && is_complaint(b)) {
        if complaints.first().is_some_and(|line| is_complaint(line)) {
            complaints.sort_unstable();
        }
    }
    let mut text = format!("exit {:?}\n", output.status.code());
    lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    let snapshots = folder.join(chart).join("tests/__snapshot__");
    let files = fs::read_dir(snapshots).into_iter().flatten();
    let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        text.push_str(&format!("== {name}\n{}", fs::read_to_string(file).unwrap()));
    }
    text
}

#[test]
fn suites_over_ten_charts_give_the_same_verdicts() {
    let Some(helm_unittest) = tool("helm-unittest") else { return };
    let shared =
        std::env::var_os("SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let corpus = repository().join(shared).join("corpus/charts");
    if !corpus.is_dir() {
        skipped(&format!("{} is not there", corpus.display()));
        return;
    }
    let root = std::env::temp_dir().join(format!("bowsprit-unittest-{}", std::process::id()));
    let mut dice = Dice(20);
    for name in CHARTS {
        let _ = fs::remove_dir_all(&root);
        let (ours, theirs) = (root.join("ours"), root.join("theirs"));
        fs::create_dir_all(&ours).unwrap();
        let chart = loader::expand(&corpus.join(format!("{name}.tgz")), &ours).unwrap();
        write_suites(&mut dice, &chart);
        let folder = chart.file_name().unwrap().to_string_lossy().into_owned();
        copy(&chart, &theirs.join(&folder));
        for round in 0..2 {
            let want = tested(&mut Command::new(&helm_unittest), &theirs, &folder);
            let got = tested(Command::new(program()).arg("unittest"), &ours, &folder);
            let differs = want.lines().zip(got.lines()).find(|(want, got)| want != got);
            assert_eq!(differs, None, "{name}, round {round}");
            assert_eq!(want.lines().count(), got.lines().count(), "{name}, round {round}");
            assert!(want.contains(" FAIL ") && want.lines().count() > 50, "{name}: {want}");
        }
    }
    let _ = fs::remove_dir_all(&root);
}

/// The files of a chart whose suites go wrong in ways that no random suite does.
const BY_HAND: &[(&str, &str)] = &[
    ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.3\n"),
    (
        "templates/a.yaml",
        "{{- range $at, $text := list \"x\" \"y\" }}\n---\nkind: ConfigMap\ndata:\n  text: |\n    \
         {{ $text }}\n{{- end }}\n",
    ),
    (
        "tests/blocks_test.yaml",
        "suite: block scalars\ntemplates: [a.yaml]\ntests:\n- it: keeps what a separator leaves\n  \
         asserts:\n  - equal: {path: data.text, value: \"x\\n\"}\n    documentIndex: 0\n  - equal: \
         {path: data.text, value: \"y\\n\"}\n    documentIndex: 1\n",
    ),
    (
        "tests/keys_test.yaml",
        "---\nsuite: unknown keys\nzeta: 1\ntemplates: [a.yaml]\nalpha:\n- 1\ntests:\n- it: is one\n  \
         what:\n  - 1\n  asserts:\n  - exists: {path: data}\n",
    ),
    ("tests/types_test.yaml", "suite: types\nrelease: {revision: x, upgrade: maybe}\ntests: {}\n"),
];

#[test]
fn suites_that_go_wrong_are_judged_alike() {
    let Some(helm_unittest) = tool("helm-unittest") else { return };
    let root = std::env::temp_dir().join(format!("bowsprit-by-hand-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    for side in ["ours", "theirs"] {
        for (file, text) in BY_HAND {
            let path = root.join(side).join("web").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    for (file, _) in BY_HAND.iter().filter(|(file, _)| file.starts_with("tests/")) {
        for strict in ["--strict=false", "--strict"] {
            let args = ["-f", file, strict];
            let theirs = &mut Command::new(&helm_unittest);
            let want = tested(theirs.args(args), &root.join("theirs"), "web");
            let ours = &mut Command::new(program());
            let got = tested(ours.arg("unittest").args(args), &root.join("ours"), "web");
            assert_eq!(got, want, "{file} {strict}");
        }
    }
    let _ = fs::remove_dir_all(&root);
}
