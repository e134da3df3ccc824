//! Templates of the whole language, mistakes included.

use serde_json::{Value, json};

use super::calls::{expression, values};
use super::values::{mutated, text};
use crate::differ::rng::Rng;

const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    "(",
    ")",
    "|",
    ".",
    "$",
    "$x",
    ":=",
    "=",
    ",",
    "\"",
    "`",
    "'",
    "end",
    "else",
    " ",
    "\n",
    "/*",
    "*/",
    "if",
    "range",
    "define",
    "nil",
    "1",
    "\\",
    "{{ end }}",
    "{{ else }}",
    "#",
    "{",
    "é",
];

/// What is in scope where a piece of template stands.
struct Scope {
    variables: usize,
    loops: usize,
    depth: usize,
}

fn variable(rng: &mut Rng, scope: &Scope) -> String {
    if scope.variables == 0 || rng.chance(5) {
        return rng.pick(&["$", "$", "$nope", "$.Values.v", "$.Values.m"]).to_owned();
    }
    let name = format!("$v{}", rng.below(scope.variables));
    if rng.chance(25) { name + rng.pick(&[".a", ".b", ".a.b", ".Name"]) } else { name }
}

fn operand(rng: &mut Rng, scope: &Scope) -> String {
    match rng.below(12) {
        0..=2 => variable(rng, scope),
        3 => ".".to_owned(),
        4 => rng
            .pick(&[
                ".a",
                ".b",
                ".a.b",
                ".Values",
                ".Values.m.a",
                ".Chart.Name",
                ".nope",
                ".Values.none.x",
                ".Values.l",
                ".Files",
                ".Subcharts",
                ".Chart.Annotations",
                ".Release.Nope",
                ".Capabilities.APIVersions",
                ".Template.Name",
                ".Chart.IsRoot",
            ])
            .to_owned(),
        5 => format!("({})", pipeline(rng, scope)),
        6 => rng
            .pick(&[
                "(index .Values \"m\")",
                "(.Values.m).a",
                "(dict \"a\" 1).a",
                "(list 1 2).x",
                "(.Values.s).y",
                "(index .Values.l 0)",
                "(.Files.Get \"f.txt\")",
                "(.Capabilities.APIVersions.Has \"v1\")",
                "(call .Values.s)",
                "(.Values.m.a 1)",
                "true.x",
                "\"a\".b",
                "1.x",
                "nil",
                "nil.x",
                "(include \"t0\" .)",
                "(include \"t1\" (dict \"a\" 1))",
                "(tpl .Values.t .)",
                "(tpl \"{{ .a }}\" .Values.m)",
            ])
            .to_owned(),
        _ => expression(rng, 1),
    }
}

fn comparison(rng: &mut Rng, scope: &Scope) -> String {
    let name = rng.pick(&[
        "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not", "and", "or", "len", "index",
        "print", "kindOf", "typeOf", "default", "empty", "ternary", "hasKey", "get", "html", "js",
        "urlquery", "println", "slice", "call",
    ]);
    let args = rng.several(1, 3, |r| operand(r, scope));
    format!("{name} {}", args.join(" "))
}

fn pipeline(rng: &mut Rng, scope: &Scope) -> String {
    let scope = &Scope { depth: scope.depth.saturating_sub(1), ..*scope };
    if scope.depth == 0 {
        return expression(rng, 0);
    }
    let mut out = match rng.below(3) {
        0 => comparison(rng, scope),
        _ => operand(rng, scope),
    };
    while rng.chance(25) {
        let after = match rng.below(3) {
            0 => comparison(rng, scope),
            _ => rng
                .pick(&[
                    "quote",
                    "toString",
                    "upper",
                    "default 1",
                    "toJson",
                    "len",
                    "not",
                    "printf \"%v\"",
                    "nope",
                    "1",
                    ".x",
                    "first",
                    "trunc 2",
                    "index",
                    "$x",
                    "indent 2",
                    "eq 1",
                    "int",
                    "required \"r\"",
                ])
                .to_owned(),
        };
        out.push_str(rng.pick(&[" | ", "|", " |\n"]));
        out.push_str(&after);
    }
    out
}

fn left(rng: &mut Rng) -> &'static str {
    match rng.below(16) {
        0..=2 => "{{- ",
        3 => "{{",
        4 => "{{-",
        5 => "{{\n",
        _ => "{{ ",
    }
}

fn right(rng: &mut Rng) -> &'static str {
    match rng.below(16) {
        0..=2 => " -}}",
        3 => "}}",
        4 => "-}}",
        5 => "\n}}",
        _ => " }}",
    }
}

fn action(rng: &mut Rng, inner: &str) -> String {
    format!("{}{inner}{}", left(rng), right(rng))
}

fn block(rng: &mut Rng, scope: &mut Scope, out: &mut String) {
    let variables = scope.variables;
    scope.depth -= 1;
    nodes(rng, scope, out);
    scope.depth += 1;
    scope.variables = variables;
}

/// `if`, `with` or `range`, with its branches.
fn branch(rng: &mut Rng, scope: &mut Scope, out: &mut String) {
    let word = rng.pick(&["if", "if", "with", "range"]);
    let before = scope.variables;
    let mut head = pipeline(rng, scope);
    if word == "range" {
        head = match rng.below(7) {
            0 => rng
                .pick(&[
                    "3",
                    "(int 2)",
                    "(until 3)",
                    ".Values.n",
                    "0",
                    "nil",
                    "1.5",
                    "\"abc\"",
                    "true",
                ])
                .to_owned(),
            1 | 2 => rng
                .pick(&[
                    ".Values.l",
                    ".Values.m",
                    "(list 1 2 3)",
                    "(dict \"a\" 1 \"b\" 2)",
                    ".Values",
                ])
                .to_owned(),
            _ => head,
        };
    }
    match rng.below(6) {
        0 | 1 => {
            head = format!("$v{} := {head}", scope.variables);
            scope.variables += 1;
        }
        2 => {
            head = format!("$v{}, $v{} := {head}", scope.variables, scope.variables + 1);
            scope.variables += 2;
        }
        3 if before > 0 && rng.chance(30) => head = format!("$v{} = {head}", rng.below(before)),
        _ => {}
    }
    out.push_str(&action(rng, &format!("{word} {head}")));
    scope.loops += usize::from(word == "range");
    block(rng, scope, out);
    scope.loops -= usize::from(word == "range");
    while word != "range" && rng.chance(25) {
        let again = if rng.chance(85) { word } else { "with" };
        let head = pipeline(rng, scope);
        out.push_str(&action(rng, &format!("else {again} {head}")));
        block(rng, scope, out);
    }
    if rng.chance(40) {
        out.push_str(&action(rng, "else"));
        block(rng, scope, out);
    }
    scope.variables = before;
    out.push_str(&action(rng, "end"));
}

fn node(rng: &mut Rng, scope: &mut Scope, out: &mut String) {
    match rng.below(if scope.depth == 0 { 8 } else { 13 }) {
        0 | 1 => out.push_str(&plain(rng)),
        2..=4 => {
            let inner = pipeline(rng, scope);
            out.push_str(&action(rng, &inner));
        }
        5 => {
            let assign = scope.variables > 0 && rng.chance(40);
            let name = if assign { rng.below(scope.variables) } else { scope.variables };
            let inner =
                format!("$v{name} {} {}", if assign { "=" } else { ":=" }, pipeline(rng, scope));
            scope.variables += usize::from(!assign);
            out.push_str(&action(rng, &inner));
        }
        6 => out.push_str(rng.pick(&[
            "{{/* c */}}",
            "{{- /* c */ -}}",
            "{{/* a\nb */}}",
            "{{ /* c */ }}",
            "{{/* }} */}}",
            "{{- /* x */}}",
        ])),
        7 => {
            let inner = match rng.below(6) {
                0 if scope.loops > 0 || rng.chance(10) => "break".to_owned(),
                1 if scope.loops > 0 || rng.chance(10) => "continue".to_owned(),
                2 => format!(
                    "template \"{}\" {}",
                    rng.pick(&["t0", "t1", "b0", "none"]),
                    operand(rng, scope)
                ),
                3 => format!("template \"{}\"", rng.pick(&["t0", "t1"])),
                _ => format!(
                    "include \"{}\" {}",
                    rng.pick(&["t0", "t1", "b0", "none"]),
                    operand(rng, scope)
                ),
            };
            out.push_str(&action(rng, &inner));
        }
        8..=11 => branch(rng, scope, out),
        _ => {
            let name = rng.pick(&["t0", "t1", "b0"]);
            let word = if rng.chance(70) {
                format!("block \"{name}\" {}", operand(rng, scope))
            } else {
                format!("define \"{name}\"")
            };
            out.push_str(&action(rng, &word));
            let mut inside = Scope { variables: 0, loops: 0, depth: scope.depth - 1 };
            nodes(rng, &mut inside, out);
            out.push_str(&action(rng, "end"));
        }
    }
}

fn plain(rng: &mut Rng) -> String {
    if rng.chance(5) {
        return text(rng);
    }
    rng.text(
        1,
        3,
        &["a", "b: ", "\n", " ", "  \n  ", "é", "{", "}", "x\r\n", "\t", "- ", "}}", "\"q\""],
    )
}

fn nodes(rng: &mut Rng, scope: &mut Scope, out: &mut String) {
    for _ in 0..=rng.below(3) {
        node(rng, scope, out);
    }
}

fn body(rng: &mut Rng, depth: usize) -> String {
    let mut out = String::new();
    let mut scope = Scope { variables: 0, loops: 0, depth };
    nodes(rng, &mut scope, &mut out);
    if rng.chance(20) { mutated(rng, &out, PIECES) } else { out }
}

pub(super) fn request(rng: &mut Rng) -> Value {
    let depth = 1 + rng.below(3);
    let mut main = String::new();
    for name in ["t0", "t1"] {
        if rng.chance(60) {
            main.push_str(&format!("{{{{- define \"{name}\" }}}}{}{{{{ end -}}}}\n", body(rng, 1)));
        }
    }
    main.push_str(&body(rng, depth));
    let mut values = values(rng);
    values["t"] = Value::String(body(rng, 1));
    let mut request = json!({
        "kind": "template",
        "template": main,
        "values": values,
        "set": [format!("i={}", rng.below(9))],
        "files": {"f.txt": "one\ntwo\n"},
    });
    if rng.chance(15) {
        request["files"]["templates/_h.tpl"] =
            Value::String(format!("{{{{ define \"b0\" }}}}{}{{{{ end }}}}", body(rng, 1)));
    }
    if rng.chance(10) {
        request["strict"] = Value::Bool(true);
    }
    if rng.chance(5) {
        request["lint"] = Value::Bool(true);
    }
    request
}
