//! Plans and schemas seen from outside: what is shared, what stays untouched, what is refused.
#![allow(clippy::unwrap_used)]

use bowsprit_chart::{Chart, File, Level, Limits};
use bowsprit_render::plan::{Plan, plan};
use bowsprit_render::values::schema::CompiledSchema;
use bowsprit_render::values::{ValuesErrorKind, validate_plan};
use bowsprit_value::{Map, Str, Value};
use std::sync::Arc;

fn chart(files: &[(&str, &str)]) -> Arc<Chart> {
    let files = files.iter().map(|(name, text)| File::new(*name, *text)).collect();
    Arc::new(Chart::from_files(files, &Limits::default()).unwrap().output)
}

fn planned(chart: &Arc<Chart>) -> Plan {
    plan(chart, &Map::new(), &mut Vec::new()).unwrap()
}

fn at(values: &Map, path: &str) -> Option<Value> {
    path.split('.')
        .try_fold(Value::Map(values.clone()), |value, name| value.as_map()?.get(name.as_bytes()))
}

fn table(values: &Map, path: &str) -> Map {
    at(values, path).and_then(|value| value.as_map().cloned()).unwrap()
}

fn set(values: &Map, path: &str, key: &str) {
    table(values, path).insert(Str::from(key), Value::int(1));
}

const SUB: &str = "apiVersion: v2\nname: sub\nversion: 0.1.0\n";

fn family() -> Arc<Chart> {
    chart(&[
        ("Chart.yaml", "apiVersion: v2\nname: top\nversion: 0.1.0\n"),
        ("values.yaml", "global: {t: {u: {a: 1}, l: [{m: 1}]}}\nx: {w: {}}\n"),
        ("charts/sub/Chart.yaml", SUB),
        ("charts/sub/values.yaml", "k: {v: {}}\n"),
    ])
}

#[test]
fn the_parents_table_is_the_subcharts_values() {
    let plan = planned(&family());
    let values = plan.values_of(1).unwrap();
    values.insert(Str::from("new"), Value::int(1));
    set(&values, "k.v", "deep");
    assert!(at(&plan.values, "sub.new").is_some());
    assert!(at(&plan.values, "sub.k.v.deep").is_some());
}

#[test]
fn globals_are_shared_below_their_first_level_only() {
    let plan = planned(&family());
    set(&plan.values, "global", "one");
    set(&plan.values, "global.t", "two");
    set(&plan.values, "global.t.u", "three");
    assert!(at(&plan.values, "sub.global.one").is_none());
    assert!(at(&plan.values, "sub.global.t.two").is_none());
    assert!(at(&plan.values, "sub.global.t.u.three").is_some());
}

#[test]
fn plans_share_nothing_with_the_chart_the_user_or_each_other() {
    let chart = family();
    let user = Map::from_entries([(
        Str::from("x"),
        Value::Map(Map::from_entries([(Str::from("mine"), Value::Map(Map::new()))])),
    )]);
    let one = plan(&chart, &user, &mut Vec::new()).unwrap();
    set(&one.values, "x.mine", "written");
    set(&one.values, "x.w", "written");
    set(&one.values, "sub.k", "written");
    let two = plan(&chart, &user, &mut Vec::new()).unwrap();
    for path in ["x.mine.written", "x.w.written", "sub.k.written"] {
        assert!(at(&one.values, path).is_some(), "{path}");
        assert!(at(&two.values, path).is_none(), "{path}");
    }
    assert!(at(&user, "x.mine.written").is_none());
    assert!(at(&chart.values, "x.w.written").is_none());
}

#[test]
fn aliases_are_instances_of_one_chart() {
    let chart = chart(&[
        (
            "Chart.yaml",
            "apiVersion: v2\nname: top\nversion: 0.1.0\ndependencies:\n\
             - {name: sub, version: ^0.1, alias: one}\n\
             - {name: sub, version: ^0.1, alias: two, condition: two.enabled}\n\
             - {name: sub, version: ^0.1, import-values: [data]}\n",
        ),
        ("values.yaml", "two: {enabled: false}\n"),
        ("charts/sub/Chart.yaml", SUB),
        ("charts/sub/values.yaml", "exports: {data: {imported: 1}}\n"),
    ]);
    let plan = planned(&chart);
    let paths: Vec<_> = plan.instances.iter().map(|i| i.path.as_str()).collect();
    assert_eq!(paths, ["top", "top/charts/one", "top/charts/sub"]);
    assert!(Arc::ptr_eq(&plan.instances[1].chart, &plan.instances[2].chart));
    assert!(at(&plan.values, "imported").is_some());
    let left = plan.instances[0].dependencies.as_deref().unwrap();
    assert_eq!(left.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["one", "sub"]);
    assert_eq!(chart.metadata.dependencies.as_ref().unwrap().len(), 3);
}

#[test]
fn a_failing_plan_logs_what_helm_logs() {
    let chart = chart(&[
        (
            "Chart.yaml",
            "apiVersion: v2\nname: top\nversion: 0.1.0\ndependencies: [{name: sub, version: '*'}]\n",
        ),
        ("values.yaml", "sub: [1]\n"),
        ("charts/sub/Chart.yaml", SUB),
    ]);
    let mut log = Vec::new();
    let error = plan(&chart, &Map::new(), &mut log).unwrap_err();
    let text = "chart dependencies processing failed: type mismatch on sub: [%!t(float64=1)]";
    assert_eq!(error.to_string(), text);
    assert_eq!(error.kind(), ValuesErrorKind::TypeMismatch);
    assert_eq!(log.last().map(|line| line.level), Some(Level::Error));
}

#[test]
fn aliases_of_aliases_meet_a_limit() {
    let mut files = Vec::new();
    let mut folder = String::new();
    for level in 0..20 {
        let text = format!(
            "apiVersion: v2\nname: c{level}\nversion: 0.1.0\ndependencies:\n\
             - {{name: c{0}, version: '*', alias: a}}\n- {{name: c{0}, version: '*', alias: b}}\n",
            level + 1
        );
        files.push(File::new(format!("{folder}Chart.yaml").as_str(), text));
        folder.push_str("charts/c/");
    }
    files.push(File::new(format!("{folder}Chart.yaml").as_str(), SUB));
    let chart = Arc::new(Chart::from_files(files, &Limits::default()).unwrap().output);
    let error = plan(&chart, &Map::new(), &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ValuesErrorKind::Limit);
}

fn refusal(schema: &str) -> (ValuesErrorKind, String) {
    let values = Map::from_entries([(Str::from("a"), Value::Map(Map::new()))]);
    let outcome = CompiledSchema::compile(schema.as_bytes(), None);
    let error = outcome.and_then(|schema| schema.validate(&values)).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn schemas_load_nothing() {
    for url in ["file:///etc/passwd", "file:///dev/zero", "http://127.0.0.1:9/", "other.json"] {
        let (kind, _) = refusal(&format!(r#"{{"$ref": "{url}"}}"#));
        assert_eq!(kind, ValuesErrorKind::Denied, "{url}");
    }
    let (kind, text) = refusal(r#"{"$ref": "ftp://x/y"}"#);
    assert_eq!(kind, ValuesErrorKind::Schema);
    assert_eq!(text, "failing loading \"ftp://x/y\": no URLLoader registered for \"ftp://x/y\"");
}

#[test]
fn hostile_schemas_end_soon() {
    let chain: Vec<_> =
        (0..20_000).map(|i| format!(r##""d{i}": {{"$ref": "#/$defs/d{}"}}"##, i + 1)).collect();
    let chain =
        format!(r##"{{"$ref": "#/$defs/d0", "$defs": {{{}, "d20000": {{}}}}}}"##, chain.join(","));
    assert_eq!(refusal(&chain).0, ValuesErrorKind::Limit);

    let doubled: Vec<_> = (0..26)
        .map(|i| {
            let next = format!(r##"{{"$ref": "#/$defs/d{}"}}"##, i + 1);
            format!(r#""d{i}": {{"allOf": [{next}, {next}]}}"#)
        })
        .collect();
    let doubled =
        format!(r##"{{"$ref": "#/$defs/d0", "$defs": {{{}, "d26": {{}}}}}}"##, doubled.join(","));
    assert_eq!(refusal(&doubled).0, ValuesErrorKind::Limit);

    let nested = format!("{}{{}}{}", r#"{"allOf":["#.repeat(5000), "]}".repeat(5000));
    assert_eq!(refusal(&nested).1, "exceeded max depth");
    assert!(refusal(r##"{"$ref": "#"}"##).1.contains("causing reference cycle"));
}

#[test]
fn schemas_of_subcharts_see_their_own_values() {
    let chart = chart(&[
        ("Chart.yaml", "apiVersion: v2\nname: top\nversion: 0.1.0\n"),
        ("values.schema.json", r#"{"required": ["name"]}"#),
        ("charts/sub/Chart.yaml", SUB),
        ("charts/sub/values.schema.json", r#"{"additionalProperties": false}"#),
    ]);
    let plan = planned(&chart);
    let mut compile =
        |_: &Arc<Chart>, text: &[u8]| CompiledSchema::compile(text, None).map(Arc::new);
    let error = validate_plan(&plan, &mut compile, &mut Vec::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "values don't meet the specifications of the schema(s) in the following chart(s):\n\
         top:\n- at '': missing property 'name'\n\
         sub:\n- at '': additional properties 'global' not allowed\n"
    );
}

#[test]
fn compiled_schemas_and_plans_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<CompiledSchema>();
    crosses::<Plan>();
}
