//! YAML: some that a grammar makes, and the same with mistakes in it.

use serde_json::{Value, json};

use super::values::{mutated, text};
use crate::differ::rng::Rng;

const PLAIN: &[&str] = &[
    "a",
    "b c",
    "1",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    "0o7",
    "010",
    "0b11",
    "1_000",
    "true",
    "yes",
    "No",
    "on",
    "~",
    "null",
    ".inf",
    "-.inf",
    ".nan",
    "2020-01-02",
    "2001-12-14t21:59:43.10-05:00",
    "12:30:45",
    "=",
    "<<",
    "a:b",
    "a#b",
    "http://x/y",
    "!!str 1",
    "!!int \"3\"",
    "!!float 1",
    "!!binary aGk=",
    "!x y",
    "!!null a",
    "!!bool yes",
    "&x 1",
    "*x",
    "&y",
    "*y",
    "!!set {a, b}",
    "!!omap []",
    "''",
    "'it''s'",
    "\"\"",
    "\"a\\n\\tb\\u00e9\\x41\\U0001F600\"",
    "\"a\\\n  b\"",
    "'a\n  b'",
    "\"\\q\"",
    "a\n   b",
    "é日本",
    "{}",
    "[]",
    "-",
    "?",
    "...",
    "---",
    "%a",
    "@a",
    "`",
    "9223372036854775808",
    "18446744073709551616",
    "0.1e-7",
    "-0",
    "+1",
    "+.5",
    "1e400",
    "123456789012345678901234567890",
    "!!timestamp 2020-01-01",
];
const KEYS: &[&str] = &[
    "a",
    "b",
    "c",
    "\"q\"",
    "'s'",
    "1",
    "true",
    "~",
    "1.5",
    "<<",
    "? x",
    "&k k",
    "*x",
    "[a]",
    "{a: 1}",
    "a b",
    "é",
    "-x",
    "2020-01-02",
    "!!str 1",
    "0x1",
    "yes",
    "''",
];
const PIECES: &[&str] = &[
    ":",
    ": ",
    "- ",
    "\n",
    " ",
    "  ",
    "\t",
    "#",
    " #",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a",
    "*a",
    "!",
    "|",
    ">",
    "|2-",
    ">+",
    "'",
    "\"",
    "%YAML 1.1\n",
    "---\n",
    "...\n",
    "? ",
    "<<: ",
    "\r\n",
    "\u{feff}",
    "\u{0}",
    "\u{85}",
    "\\",
    "@",
    "`",
    "\u{7f}",
    "!!",
];

fn flow(rng: &mut Rng, depth: usize) -> String {
    if depth == 0 || rng.chance(40) {
        return if rng.chance(80) { rng.pick(PLAIN).to_owned() } else { text(rng) };
    }
    let comma = rng.pick(&[",", ", ", " , ", ",\n  "]);
    if rng.chance(50) {
        let items = rng.several(0, 3, |r| flow(r, depth - 1));
        return format!("[{}]", items.join(comma));
    }
    let colon = rng.pick(&[": ", ":", " : "]);
    let items = rng.several(0, 3, |r| format!("{}{colon}{}", r.pick(KEYS), flow(r, depth - 1)));
    format!("{{{}}}", items.join(comma))
}

fn block_scalar(rng: &mut Rng, indent: usize) -> String {
    let head =
        rng.pick(&["|", ">", "|-", ">-", "|+", ">+", "|2", ">1-", "|+2", "| # c", "|9", "|0"]);
    let mut out = head.to_owned();
    for line in rng.several(0, 5, |r| {
        r.pick(&["x", "  y", "", " ", "a b", "\tt", "# no", "- l", "k: v", "..."]).to_owned()
    }) {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(&" ".repeat(indent + rng.below(3)));
        }
        out.push_str(&line);
    }
    out
}

fn node(rng: &mut Rng, indent: usize, depth: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match if depth == 0 { rng.below(3) } else { rng.below(9) } {
        0 | 1 => out.push_str(&flow(rng, depth.min(2))),
        2 => out.push_str(&block_scalar(rng, indent)),
        3..=5 => {
            if rng.chance(8) {
                out.push_str(rng.pick(&["&x", "!!map", "!t", "&x !!map"]));
            }
            for _ in 0..=rng.below(3) {
                out.push_str(&format!("\n{pad}{}: ", rng.pick(KEYS)));
                let below = indent + 1 + rng.below(3);
                node(rng, below, depth - 1, out);
            }
        }
        6 | 7 => {
            for _ in 0..=rng.below(3) {
                out.push_str(&format!("\n{pad}- "));
                node(rng, indent + 2, depth - 1, out);
            }
        }
        _ => out.push_str(&format!("# comment\n{pad}{}", flow(rng, 1))),
    }
    if rng.chance(5) {
        out.push_str(rng.pick(&[" # c", "\n# c", "\n\n", " ", "\t"]));
    }
}

pub(super) fn document(rng: &mut Rng) -> String {
    let mut out = String::new();
    if rng.chance(10) {
        out.push_str(rng.pick(&[
            "---\n",
            "%YAML 1.2\n---\n",
            "# c\n",
            "--- ",
            "\n",
            "%TAG ! x:\n---\n",
        ]));
    }
    let depth = rng.below(4);
    node(rng, 0, depth, &mut out);
    let mut out = out.trim_start_matches('\n').to_owned();
    if rng.chance(50) {
        out = mutated(rng, &out, PIECES);
    }
    if rng.chance(60) {
        out.push('\n');
    }
    if rng.chance(8) {
        out.push_str(rng.pick(&["---\na: 1\n", "...\n", "---\n", "... #\nb"]));
    }
    out
}

pub(super) fn request(rng: &mut Rng) -> Value {
    let yaml = if rng.chance(3) { text(rng) } else { document(rng) };
    match rng.below(10) {
        0..=3 => json!({"kind": "yaml", "yaml": yaml}),
        4 => json!({"kind": "yamltojson", "yaml": yaml}),
        5 => json!({"kind": "valuesyaml", "yaml": yaml}),
        6 => {
            json!({"kind": "template", "template": "{{ fromYaml .Values.t }}", "values": {"t": yaml}})
        }
        7 => {
            json!({"kind": "template", "template": "{{ fromYamlArray .Values.t | toJson }}", "values": {"t": yaml}})
        }
        8 => json!({"kind": "template", "template": "{{ .Values | toJson }}", "valuesYAML": yaml}),
        _ => {
            json!({"kind": "template", "template": "{{ .Values | toYaml }}", "chartValuesYAML": yaml})
        }
    }
}
