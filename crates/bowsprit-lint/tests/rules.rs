//! bowsprit's own rules on small charts.

use bowsprit_chart::{Chart, File, Limits, ReadFailure, Warned};
use bowsprit_lint::{
    Entry, Message, Options, Selection, Since, Source, Usage, ValuesText, lint, value_usage,
};
use bowsprit_value::Hermetic;
use std::sync::Arc;

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\nicon: https://e.x/i.png\n";

fn chart(files: &[(&str, &str)]) -> Arc<Chart> {
    let mut all = vec![File::new("Chart.yaml", CHART)];
    all.retain(|_| files.iter().all(|(name, _)| *name != "Chart.yaml"));
    all.extend(files.iter().map(|(name, text)| File::new(*name, *text)));
    Arc::new(Chart::from_files(all, &Limits::default()).expect("a chart").output)
}

fn source(files: &[(&str, &str)]) -> Source {
    let entry = |name: &str| {
        let text = files.iter().find(|(file, _)| *file == name).map(|(_, text)| *text);
        let text = text.or((name == "Chart.yaml").then_some(CHART));
        text.map_or(Entry::Missing, |text| Entry::File(text.into()))
    };
    Source {
        name: "web".into(),
        dir: "/web".into(),
        chart_yaml: entry("Chart.yaml"),
        values: entry("values.yaml"),
        schema: entry("values.schema.json"),
        templates: Entry::Directory,
        crds: Entry::Missing,
        changelog: entry("CHANGELOG.md"),
        since: None,
        chart: Ok(Warned { output: chart(files), warnings: Vec::new() }),
        unread: ReadFailure::default(),
        compiled: None,
    }
}

fn options(rule: &str) -> Options {
    let mut options = Options::default();
    options.rules = Selection::new(&[rule], &[]).expect("a rule");
    options
}

fn own(source: &Source, options: &Options) -> Vec<String> {
    let linted = lint(source, options, &Hermetic::default());
    let own = linted.messages.into_iter().filter(|m| m.code.starts_with("BS"));
    own.map(|m: Message| m.to_string()).collect()
}

fn found(rule: &str, files: &[(&str, &str)]) -> Vec<String> {
    own(&source(files), &options(rule))
}

/// The keys of a text that no template reads.
fn unused(values: &str, templates: &[(&str, &str)]) -> Vec<String> {
    let keys = value_usage(&chart(templates), values.as_bytes()).expect("templates to follow");
    let unused = keys.into_iter().filter_map(|key| match key.usage {
        Usage::Unused(near) => Some(match near {
            Some(near) => format!("{} ({near})", key.path),
            None => key.path,
        }),
        Usage::Read | Usage::Doubtful(_) => None,
    });
    unused.collect()
}

/// Values, a template, and the keys that it does not read.
const FOLLOWED: &[(&str, &str, &[&str])] = &[
    ("a: 1", "{{ .Values.a }}", &[]),
    ("ab: 1\nabb: 2", "{{ .Values.ab }}", &["abb (ab)"]),
    ("a: {b: 1, c: 2}", "{{ .Values.a.b }}", &["a.c"]),
    ("a: {b: 1}", "{{ toYaml .Values.a }}", &[]),
    ("a: {b: 1}", "{{ with .Values.a }}{{ .b }}{{ end }}", &[]),
    ("a: {b: 1, bb: 1}", "{{ with .Values.a }}{{ .b }}{{ end }}", &["a.bb"]),
    ("a: {b: 1}", "{{ if .Values.x }}{{ $y := .Values.a }}{{ $y.b }}{{ end }}", &[]),
    ("a: [{b: 1, c: 2}]", "{{ range .Values.a }}{{ .b }}{{ end }}", &["a.c"]),
    ("a: [{b: 1}]", "{{ range $i, $e := .Values.a }}{{ $e.b }}{{ end }}", &[]),
    (
        "a: {x: {b: 1, c: 2}}",
        "{{ range $k, $v := .Values.a }}{{ $k }}{{ $v.b }}{{ end }}",
        &["a.x.c"],
    ),
    ("a: {b: 1}", "{{ index .Values \"a\" \"b\" }}", &[]),
    ("a: {b: 1, c: 1}", "{{ get .Values.a \"b\" }}", &["a.c"]),
    ("a: {b: 1}", "{{ dig \"a\" \"b\" 0 .Values.AsMap }}", &[]),
    ("a: {b: 1}", "{{ index .Values (printf \"%s\" .Values.k) \"b\" }}", &[]),
    ("a: {b: 1}", "{{ tpl (toYaml .Values.a) . }}", &[]),
    ("a: '{{ .Values.b }}'\nb: 1", "{{ tpl .Values.a . }}", &[]),
    (
        "a: {b: 1}",
        "{{ define \"x\" }}{{ .v.b }}{{ end }}{{ include \"x\" (dict \"v\" .Values.a) }}",
        &[],
    ),
    (
        "a: {b: 1, c: 1}",
        "{{ define \"x\" }}{{ .v.b }}{{ end }}{{ include \"x\" (dict \"v\" .Values.a) }}",
        &["a.c"],
    ),
    ("a: {b: 1}", "{{ define \"x\" }}{{ .Values.a.b }}{{ end }}{{ template \"x\" . }}", &[]),
    ("a: {b: 1}", "{{ (default .Values.d .Values.a).b }}", &[]),
    (
        "a: {b: 1}\nd: {b: 1, c: 1}",
        "{{ $x := merge (dict) .Values.a .Values.d }}{{ $x.b }}",
        &["d.c"],
    ),
    (
        "a: {b: 1}\nd: {b: 2}",
        "{{ $_ := mergeOverwrite .Values.a .Values.d }}{{ .Values.a.b }}",
        &[],
    ),
    ("a: {b: 1}", "{{ $d := dict }}{{ $_ := set $d \"x\" .Values.a }}{{ $d.x.b }}", &[]),
    (
        "a: {b: 1}",
        "{{ $x := .Values.q }}{{ if .Values.z }}{{ $x = .Values.a }}{{ end }}{{ $x.b }}",
        &[],
    ),
    ("a: {b: 1}", "{{ if and .Values.a .Values.a.b }}x{{ end }}", &[]),
    ("a: {b: 1}", "{{ (and .Values.z .Values.a).b }}{{ (or .Values.z .Values.a).c }}", &[]),
    (
        "a: {b: 1}",
        "{{ $n := \"x\" }}{{ include (print $n \"y\") . }}{{ define \"xy\" }}{{ .Values.a.b }}{{ end }}",
        &[],
    ),
    ("a: {b: 1}", "{{ range list .Values.a }}{{ .b }}{{ end }}", &[]),
    ("a: {b: 1}", "{{ if hasKey .Values.a \"b\" }}x{{ end }}", &[]),
    (
        "a: {b: {c: 1}}",
        "{{ with .Values.a }}{{ with .b }}{{ .c }}{{ else }}{{ .d }}{{ end }}{{ end }}",
        &[],
    ),
    (
        "a: {b: 1}",
        "{{ range .Values.l }}{{ if .x }}{{ continue }}{{ end }}{{ $.Values.a.b }}{{ end }}",
        &[],
    ),
    ("on: true", "{{ .Values.on | quote }}", &[]),
];

#[test]
fn values_are_followed_through_templates() {
    for (values, template, want) in FOLLOWED {
        let got = unused(values, &[("templates/a.yaml", template)]);
        assert_eq!(got, *want, "{values} in {template}");
    }
}

#[test]
fn subcharts_and_globals_read_too() {
    let files = [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: s, version: 1.x.x, alias: t, condition: t.on}\n- {name: gone, version: 1.x.x}\n",
        ),
        ("charts/s/Chart.yaml", "apiVersion: v2\nname: s\nversion: 1.0.0\n"),
        ("charts/s/templates/a.yaml", "{{ .Values.x }}{{ .Values.global.g }}"),
        ("templates/a.yaml", "{{ .Values.t.y }}{{ .Values.global.h }}"),
    ];
    let values = "t: {on: true, x: 1, y: 2, z: 3, global: {g: 1}}\ngone: {any: 1}\nglobal: {g: 1, h: 2, i: 3}\ns: {x: 1}\n";
    assert_eq!(unused(values, &files), ["t.z", "global.i", "s"]);
}

#[test]
fn unused_values_are_named_with_their_place() {
    let files = [
        ("values.yaml", "replicaCount: 1\n"),
        ("templates/a.yaml", "a: {{ .Values.replicaCount }}"),
    ];
    let mut options = options("BS001");
    let text = b"# mine\nreplicaCuont: 2\n".to_vec();
    options.values_texts.push(ValuesText { name: "prod.yaml".into(), text });
    assert_eq!(
        own(&source(&files), &options),
        [
            "[WARNING] prod.yaml:2:1: no template reads the value replicaCuont (BS001); did you mean replicaCount?"
        ]
    );
}

#[test]
fn slips_in_tables_that_are_used_whole_are_doubtful() {
    let files = [
        (
            "values.yaml",
            "resources:\n  limits: {memory: 1Gi}\n  requests: {}\nlabels: {team1: a}\n",
        ),
        ("templates/a.yaml", "a: {{ toYaml .Values.resources }}{{ toYaml .Values.labels }}"),
    ];
    let mut options = options("BS001");
    let text = b"resources:\n  limitz: {memory: 2Gi}\n  claims: []\nlabels: {team2: b}\n".to_vec();
    options.values_texts.push(ValuesText { name: "prod.yaml".into(), text });
    assert_eq!(
        own(&source(&files), &options),
        [
            "[WARNING] prod.yaml:2:3: the chart's own values have no resources.limitz (BS001); did you mean resources.limits?"
        ]
    );
}

#[test]
fn values_that_are_not_defined() {
    let template = "a: {{ .Values.image.tga }}\nb: {{ .Values.nope }}{{ .Values.spoken }}{{ .Values.free.x }}\n";
    let files = [
        ("values.yaml", "image:\n  tag: x\nfree: {}\n# spoken: 1\n"),
        ("templates/a.yaml", template),
    ];
    assert_eq!(
        found("BS002", &files),
        [
            "[INFO] templates/a.yaml:1:7: the value image.tga is read here but is not in values.yaml (BS002); did you mean tag?",
            "[INFO] templates/a.yaml:2:7: the value nope is read here but is not in values.yaml (BS002)",
        ]
    );
}

#[test]
fn numbers_with_exponents() {
    let files = [
        ("values.yaml", "a: 1000000\nb: 1000001\nc: 100\nd: 3000000\n"),
        (
            "templates/a.yaml",
            "kind: A\nmetadata: {name: a}\na: {{ .Values.a }}\nb: {{ int .Values.b }}\nd: 13e+06\n",
        ),
    ];
    assert_eq!(
        found("BS003", &files),
        [
            "[WARNING] values.yaml:1:4: the number 1000000 comes out as 1e+06 in web/templates/a.yaml (BS003); write \"1000000\" in quotes, or convert it with int64 in the template"
        ]
    );
}

#[test]
fn yaml11_words() {
    let values = "on: 1\nlist: [no, 'yes', y]\ny: 1\nok: true\n";
    let got = found("BS004", &[("values.yaml", values), ("templates/a.yaml", "")]);
    assert_eq!(got.len(), 3, "{got:?}");
    assert!(
        got[0].starts_with("[WARNING] values.yaml:1:1: the key on without quotes becomes \"true\"")
    );
    assert!(
        got[1].starts_with("[WARNING] values.yaml:2:8: no without quotes is the boolean false")
    );
    assert!(got[2].starts_with("[WARNING] values.yaml:3:1: the key y without quotes"));
}

#[test]
fn random_functions() {
    let template =
        "a: {{ randAlphaNum 5 }}\nb: {{ now | date \"2006\" }}\nc: {{ \"now\" | upper }}\n";
    let got =
        found("BS005", &[("templates/a.yaml", template), ("templates/NOTES.txt", "{{ now }}")]);
    assert_eq!(got.len(), 2, "{got:?}");
    assert!(
        got[0].starts_with("[WARNING] templates/a.yaml:1:7: randAlphaNum gives something else")
    );
    assert!(got[1].starts_with("[WARNING] templates/a.yaml:2:7: now gives"));
}

#[test]
fn labels_and_hooks() {
    let template = "kind: ConfigMap\nmetadata: {name: a, labels: {x: y}}\n---\nkind: Job\nmetadata: {name: b, annotations: {helm.sh/hook: 'pre-install, test'}}\n---\nkind: Job\nmetadata: {name: c, annotations: {helm.sh/hook: test}}\n";
    let files = [("templates/a.yaml", template)];
    let mut wants_x = options("BS006");
    wants_x.required_labels = vec!["x".into(), "z".into()];
    assert_eq!(
        own(&source(&files), &wants_x),
        [
            "[WARNING] templates/a.yaml: ConfigMap/a lacks the labels z (BS006); set them in the template, or inject them with bowsprit label"
        ]
    );
    let hooks = found("BS007", &files);
    assert_eq!(hooks.len(), 1, "{hooks:?}");
    assert!(hooks[0].contains("the hook Job/b waits for a Job to end"));
}

#[test]
fn versions_since() {
    let mut source = source(&[("templates/a.yaml", "")]);
    let then =
        |version: &str| format!("apiVersion: v2\nname: web\nversion: {version}\n").into_bytes();
    let since = |chart_yaml, changed: &[&str]| Since {
        reference: "main".into(),
        chart_yaml,
        changed: changed.iter().map(|file| (*file).to_owned()).collect(),
    };
    let options = options("BS008");
    source.since = Some(since(Some(then("1.2.3")), &["templates/a.yaml", "values.yaml"]));
    assert_eq!(
        own(&source, &options),
        [
            "[ERROR] Chart.yaml:3: templates/a.yaml and 1 more changed since main, but the version is still 1.2.3 (BS008); raise it above 1.2.3"
        ]
    );
    source.since = Some(since(Some(then("1.10.0")), &["values.yaml"]));
    assert!(own(&source, &options)[0].contains("went down from 1.10.0"));
    for fine in
        [since(Some(then("1.2.2")), &["a"]), since(Some(then("1.2.3")), &[]), since(None, &["a"])]
    {
        source.since = Some(fine);
        assert!(own(&source, &options).is_empty());
    }
}

#[test]
fn changelogs() {
    let template = ("templates/a.yaml", "");
    assert!(found("BS009", &[template])[0].contains("there is no CHANGELOG.md"));
    assert!(
        found("BS009", &[template, ("CHANGELOG.md", "## 1.2.2\n")])[0]
            .contains("nothing of version 1.2.3")
    );
    assert!(found("BS009", &[template, ("CHANGELOG.md", "## 1.2.3\n")]).is_empty());
}

#[test]
fn keys_beside_the_schema() {
    let schema = r##"{"properties": {"a": {"$ref": "#/$defs/a"}, "free": {"type": "object"},
        "list": {"items": {"properties": {"x": {}}}}},
        "$defs": {"a": {"allOf": [{"properties": {"b": {}}}, {"properties": {"c": {}}}]}}}"##;
    let values =
        "a: {b: 1, c: 2, d: 3}\nfree: {x: 1}\nlsit: []\nlist: [{x: 1, y: 2}]\nglobal: {}\n";
    let files = [("values.yaml", values), ("values.schema.json", schema), ("templates/a.yaml", "")];
    let got = found("BS010", &files);
    let paths: Vec<&str> = got.iter().filter_map(|m| m.split("describe ").nth(1)).collect();
    assert_eq!(paths, ["a.d (BS010)", "lsit (BS010); did you mean list?", "list.y (BS010)"]);
}
