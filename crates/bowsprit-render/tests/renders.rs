//! Renders of one compiled chart, which remember each other's plans and templates but leave no trace.
#![allow(clippy::unwrap_used)]

use bowsprit_chart::{Chart, File, Limits};
use bowsprit_render::{CompiledChart, Engine, RenderRequest, RenderedFiles};
use bowsprit_value::{Hermetic, Map};
use std::sync::Arc;

/// Reads and changes all that templates share.
const SPOILER: &str = r#"
{{- define "count" }}{{ $_ := set . "n" (add1 (.n | default 0)) }}{{ .n }}{{ end -}}
v: {{ include "count" .Values }}
t: {{ include "count" .Values.table }} {{ .Values.table.words }} {{ keys .Values.table.inner | sortAlpha }}
l: {{ include "count" (index .Values.list 0) }}
g: {{ include "count" .Values.global }}
c: {{ include "count" .Chart }} {{ .Chart.Name }} {{ include "count" .Release }}
s: {{ include "count" . }} {{ .Template.Name }} {{ .Template.BasePath }}
{{- range .Values.gone }}never{{ end }}
{{- $_ := unset .Values.table.inner "x" }}
{{- $_ := set .Values.table "words" (append .Values.table.words "more") }}
"#;

fn chart() -> Arc<Chart> {
    let files = [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: top\nversion: 0.1.0\nannotations: {a: b}\ndependencies:\n\
             - {name: sub, version: 0.1.0, condition: sub.on}\n\
             - {name: sub, version: 0.1.0, alias: other}\n",
        ),
        (
            "values.yaml",
            "global: {h: 1}\ntable: {words: [a], inner: {x: 1, y: 2}}\nlist: [{b: 1}]\nother: {list: [{}]}\n",
        ),
        ("templates/a.yaml", SPOILER),
        ("templates/b.yaml", SPOILER),
        ("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n"),
        ("charts/sub/values.yaml", "on: true\ntable: {words: [b], inner: {z: 1}}\nlist: [{}]\n"),
        ("charts/sub/templates/c.yaml", SPOILER),
    ];
    let files = files.iter().map(|(name, text)| File::new(*name, *text)).collect();
    Arc::new(Chart::from_files(files, &Limits::default()).unwrap().output)
}

fn values(text: &str) -> Map {
    bowsprit_yaml::read_values(text.as_bytes()).unwrap()
}

fn render(chart: &CompiledChart, text: &str) -> RenderedFiles {
    let request = RenderRequest::new("r", "default").values(values(text));
    chart.render_files(&request, &Hermetic::default()).unwrap().output
}

#[test]
fn the_same_values_give_the_same_files_however_often() {
    let inputs = [
        "{}",
        "table: {words: [z]}",
        "sub: {on: false}",
        "table: {inner: {x: null, w: -0.0}}",
        "table: {inner: {x: null, w: 0.0}}",
        "sub: {list: [{n: 4}]}\nglobal: {k: v}",
    ];
    let warm = Engine::new().compile(chart());
    for round in 0..3 {
        for input in inputs {
            let fresh = render(&Engine::new().compile(chart()), input);
            for _ in 0..4 {
                assert_eq!(render(&warm, input), fresh, "{round} {input}");
            }
        }
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "callers of the core have threads")]
fn threads_do_not_see_each_other() {
    let inputs = ["{}", "table: {words: [z]}", "{}", "sub: {on: false}"];
    let warm = Engine::new().compile(chart());
    let fresh = inputs.map(|input| render(&Engine::new().compile(chart()), input));
    std::thread::scope(|scope| {
        for (input, fresh) in inputs.iter().zip(&fresh) {
            let warm = &warm;
            scope.spawn(move || {
                for _ in 0..50 {
                    assert_eq!(&render(warm, input), fresh, "{input}");
                }
            });
        }
    });
}

#[test]
fn plans_that_were_given_away_do_not_change() {
    let warm = Engine::new().compile(chart());
    let request = RenderRequest::new("r", "default");
    let host = Hermetic::default();
    let fresh = warm.render_files(&request, &host).unwrap().output;
    for _ in 0..4 {
        let plan = warm.plan(&request).unwrap().output;
        assert_eq!(warm.render_plan(&plan, &request, &host, None).unwrap().output, fresh);
    }
}
