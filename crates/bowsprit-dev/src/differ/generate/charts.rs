//! `--set` strings, trees of charts with values, and rendered manifests.

use serde_json::{Map, Value, json};

use super::values::{any, scalar};
use super::yaml;
use crate::differ::rng::Rng;

const SET: &[&str] = &[
    "a",
    "b",
    "c",
    "a.b",
    "x",
    ".",
    "=",
    "=",
    ",",
    "[0]",
    "[1]",
    "[2]",
    "[",
    "]",
    "{",
    "}",
    "{a,b}",
    "\\",
    "\\.",
    "\\,",
    "\\=",
    "\\[",
    "1",
    "0",
    "01",
    "-1",
    "1.5",
    "1e3",
    "true",
    "false",
    "null",
    "nil",
    "\"",
    "'",
    " ",
    "é",
    "[-1]",
    "[x]",
    "{}",
    "==",
    "[0][0]",
    "9223372036854775808",
    "0x1",
    "\n",
    "\t",
    ":",
    "{a,{b}}",
    "[0].a",
];

fn set_path(rng: &mut Rng) -> String {
    let mut out = rng.pick(&["a", "b", "c", "x", "d", "a\\.b", "", "é"]).to_owned();
    for _ in 0..rng.below(3) {
        out.push_str(rng.pick(&[".a", ".b", "[0]", "[1]", "[2]", ".x", "[0][1]", ".", ".a\\,b"]));
    }
    out
}

fn set_text(rng: &mut Rng) -> String {
    if rng.chance(35) {
        return rng.text(1, 9, SET);
    }
    rng.several(1, 3, |r| {
        let value = r.pick(&[
            "1",
            "x",
            "",
            "null",
            "true",
            "{a,b}",
            "{}",
            "{1,null,}",
            "a\\,b",
            "1.5",
            "007",
            "-0",
            "a b",
            "{a",
            "a=b",
            "a{b}",
            "\"q\"",
            "0",
            "1e5",
            "{a,{b,c}}",
            " 1",
            "é",
        ]);
        format!("{}={value}", set_path(r))
    })
    .join(",")
}

fn set_json(rng: &mut Rng) -> String {
    let value = any(rng, 2).to_string();
    match rng.below(6) {
        0 => format!("{{\"a\": {value}}}"),
        1 => rng.text(1, 8, SET),
        2 => format!(
            "{}={value}{}",
            set_path(rng),
            rng.pick(&["}", ",", ",b=1", " ", ",b=[1]", "x"])
        ),
        _ => format!("{}={value}", set_path(rng)),
    }
}

/// Values whose keys the `--set` strings meet.
fn tree(rng: &mut Rng, depth: usize) -> Value {
    if depth == 0 || rng.chance(30) {
        return if rng.chance(80) {
            rng.pick(&[
                &json!(1),
                &json!("x"),
                &json!(null),
                &json!(true),
                &json!({}),
                &json!([]),
                &json!([1, null]),
            ])
            .clone()
        } else {
            // The oracle hands a chart's values on as they are spelt, bowsprit as it spells them; YAML
            // reads these two characters in another way when they are escaped, and -0 is no -0.0.
            match scalar(rng) {
                Value::String(text) => json!(text.replace(['\u{2028}', '\u{2029}'], "")),
                other if other == json!(-0.0) => json!(0.0),
                other => other,
            }
        };
    }
    if rng.chance(25) {
        let count = rng.below(4);
        return Value::Array((0..count).map(|_| tree(rng, depth - 1)).collect());
    }
    Value::Object(tree_map(rng, depth - 1, &["a", "b", "c", "x", "d"]))
}

fn tree_map(rng: &mut Rng, depth: usize, keys: &[&str]) -> Map<String, Value> {
    let count = rng.below(5);
    (0..count).map(|_| (rng.pick(keys).to_owned(), tree(rng, depth))).collect()
}

pub(super) fn set(rng: &mut Rng) -> Value {
    let mut request = json!({"kind": "values"});
    if rng.chance(50) {
        request["values"] = Value::Object(tree_map(rng, 3, &["a", "b", "c", "x"]));
    }
    if rng.chance(20) {
        request["chartValues"] = Value::Object(tree_map(rng, 3, &["a", "b", "c", "x"]));
    }
    for _ in 0..=rng.below(2) {
        let (field, text) = match rng.below(8) {
            0..=3 => ("set", set_text(rng)),
            4 => ("setString", set_text(rng)),
            5 => ("setLiteral", set_text(rng)),
            _ => ("setJSON", set_json(rng)),
        };
        match request[field].as_array_mut() {
            Some(list) => list.push(Value::String(text)),
            None => request[field] = json!([text]),
        }
    }
    if rng.chance(15) {
        request["kind"] = json!("template");
        request["template"] =
            json!("{{ .Values | toYaml }}|{{ typeOf .Values.a }}|{{ .Values.b }}");
    }
    request
}

const NAMES: &[&str] = &["s", "t", "u"];
const KEYS: &[&str] = &["a", "b", "s", "t", "u", "global", "enabled", "exports", "tags", "x"];

fn chart_values(rng: &mut Rng, depth: usize) -> Value {
    let mut map = tree_map(rng, depth, KEYS);
    for name in NAMES {
        if rng.chance(25) {
            map.insert((*name).to_owned(), Value::Object(tree_map(rng, 2, KEYS)));
        }
    }
    for key in ["global", "tags", "exports"] {
        if rng.chance(20) {
            map.insert(key.to_owned(), Value::Object(tree_map(rng, 2, KEYS)));
        }
    }
    Value::Object(map)
}

fn dependency(rng: &mut Rng, name: &str) -> Value {
    let mut out =
        json!({"name": name, "version": rng.pick(&["0.1.0", "*", "", ">=0", "^0.1", "2"])});
    if rng.chance(30) {
        out["condition"] = json!(rng.pick(&[
            "s.enabled",
            "t.enabled",
            "enabled",
            "a",
            "s.enabled,t.enabled",
            "global.a",
            "x.y,",
            " a",
            "tags.a"
        ]));
    }
    if rng.chance(20) {
        out["tags"] = json!([rng.pick(&["a", "b", "s", "x"])]);
    }
    if rng.chance(20) {
        out["alias"] = json!(rng.pick(&["u", "t", "z", "s", "z-1"]));
    }
    if rng.chance(30) {
        out["import-values"] = rng
            .pick(&[
                &json!(["a"]),
                &json!(["x", "nope"]),
                &json!([{"child": "a", "parent": "b"}]),
                &json!([{"child": "exports.a", "parent": "."}]),
                &json!([{"child": "x", "parent": "s.x"}, "b"]),
                &json!([{"child": "global", "parent": "global"}]),
                &json!([{"child": "", "parent": "a"}]),
            ])
            .clone();
    }
    out
}

fn chart(rng: &mut Rng, depth: usize) -> Value {
    let mut out = json!({"values": chart_values(rng, 3)});
    let mut subcharts = Map::new();
    let mut dependencies = Vec::new();
    for name in NAMES {
        if depth > 0 && rng.chance(45) {
            subcharts.insert((*name).to_owned(), chart(rng, depth - 1));
            while rng.chance(70) && dependencies.len() < 5 {
                dependencies.push(dependency(rng, name));
                if rng.chance(75) {
                    break;
                }
            }
        }
    }
    if !dependencies.is_empty() {
        out["chart"] = json!({"dependencies": dependencies});
    }
    if !subcharts.is_empty() {
        out["subcharts"] = Value::Object(subcharts);
    }
    if rng.chance(5) {
        out["chart"]["apiVersion"] = json!("v1");
    }
    out
}

pub(super) fn values(rng: &mut Rng) -> Value {
    let mut request = chart(rng, 2);
    if let Some(map) = request.as_object_mut()
        && let Some(values) = map.shift_remove("values")
    {
        map.insert("chartValues".to_owned(), values);
    }
    request["kind"] = json!("values");
    if rng.chance(70) {
        request["values"] = chart_values(rng, 3);
    }
    if rng.chance(25) {
        request["set"] = json!([rng.pick(&[
            "s.enabled=true",
            "s.enabled=false",
            "tags.a=false",
            "a=null",
            "s=null",
            "global.a=1",
            "global=null",
            "s.t.a=null",
            "tags.a=true,t=1",
            "s.global.a=x",
            "t.enabled=null"
        ])]);
    }
    request
}

const KINDS: &[&str] = &[
    "Pod",
    "Service",
    "Namespace",
    "ConfigMap",
    "CustomResourceDefinition",
    "Foo",
    "Deployment",
    "Job",
    "APIService",
    "List",
    "ServiceAccount",
    "Secret",
    "\"\"",
    "1",
    "Test",
];

fn manifest(rng: &mut Rng) -> String {
    if rng.chance(10) {
        return yaml::document(rng);
    }
    let mut out = format!(
        "apiVersion: {}\nkind: {}\nmetadata:\n",
        rng.pick(&["v1", "apps/v1", "", "1", "a/b/c"]),
        rng.pick(KINDS)
    );
    out.push_str(&format!(
        "  name: {}\n",
        rng.pick(&["a", "b", "c", "\"1\"", "1", "true", "", "z-1"])
    ));
    if rng.chance(45) {
        out.push_str("  annotations:\n");
        for _ in 0..=rng.below(3) {
            let (key, value) = match rng.below(6) {
                0..=2 => (
                    "hook",
                    rng.pick(&[
                        "pre-install",
                        "post-install,pre-upgrade",
                        "test",
                        "crd-install",
                        "PRE-INSTALL",
                        " test-success , post-delete",
                        "nope",
                        "",
                        "pre-install,nope",
                        "test-failure",
                        "1",
                    ]),
                ),
                3 => (
                    "hook-weight",
                    rng.pick(&[
                        "\"1\"",
                        "\"-5\"",
                        "5",
                        "\"x\"",
                        "\"\"",
                        "\"0x1\"",
                        "\" 1\"",
                        "\"99999999999999999999\"",
                        "\"+3\"",
                    ]),
                ),
                4 => (
                    "hook-delete-policy",
                    rng.pick(&[
                        "before-hook-creation",
                        "hook-succeeded, hook-failed",
                        "Nope",
                        "\"\"",
                    ]),
                ),
                _ => (
                    "hook-output-log-policy",
                    rng.pick(&["hook-failed", "hook-succeeded,hook-failed", "x"]),
                ),
            };
            out.push_str(&format!("    helm.sh/{key}: {value}\n"));
        }
    }
    out
}

pub(super) fn manifests(rng: &mut Rng) -> Value {
    let mut files = Map::new();
    for _ in 0..=rng.below(3) {
        let path = rng.pick(&[
            "chart/templates/a.yaml",
            "chart/templates/b.yaml",
            "chart/templates/_p.yaml",
            "chart/charts/s/templates/c.yaml",
            "chart/templates/NOTES.txt",
            "chart/templates/sub/a.yml",
            "chart/templates/d",
        ]);
        let mut text =
            rng.pick(&["", "", "---\n", "\n", "# c\n---\n", " \n", "---", "\n---\n"]).to_owned();
        for _ in 0..=rng.below(3) {
            text.push_str(&manifest(rng));
            text.push_str(rng.pick(&[
                "---\n",
                "\n---\n",
                "--- \n",
                "---\r\n",
                "----\n",
                " ---\n",
                "\n\n---\n# c\n",
                "---x\n",
                "---\n---\n",
            ]));
        }
        files.insert(path.to_owned(), Value::String(text));
    }
    json!({"kind": "manifests", "files": files, "order": rng.pick(&["install", "install", "uninstall"])})
}
