//! The JSONPath of Kubernetes: a text with actions in braces that select parts of a value.
//!
//! This is the language of `kubectl -o jsonpath` and `helm show values --jsonpath`: fields
//! (`{.image.tag}`), quoted keys (`{['a.b']}`), indexes and slices (`{.list[0]}`, `{.list[-2:]}`),
//! wildcards, descent (`{..name}`), unions, filters (`{.list[?(@.name=="a")]}`), and
//! `{range ...}{end}`. Maps are walked in the order of their keys.
//!
//! ```
//! use bowsprit::jsonpath::JsonPath;
//!
//! let values = bowsprit::yaml::decode(b"ports: [{name: http, port: 80}, {name: tls, port: 443}]")?;
//! let path = JsonPath::parse("{range .ports[*]}{.name}={.port};{end}")?;
//! let mut out = Vec::new();
//! path.execute(&values, &mut out)?;
//! assert_eq!(out, b"http=80;tls=443;");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod eval;
mod parse;

use bowsprit_value::Value;
use std::fmt;

/// A template that was parsed.
#[derive(Clone, Debug)]
pub struct JsonPath {
    nodes: Vec<Node>,
}

/// Why a template can't be parsed, or finds nothing. `Display` is Kubernetes' text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPathError(String);

impl JsonPathError {
    #[cold]
    fn new(text: impl Into<String>) -> JsonPathError {
        JsonPathError(text.into())
    }
}

impl fmt::Display for JsonPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for JsonPathError {}

impl JsonPath {
    /// Parses a template.
    ///
    /// # Errors
    /// For a template that is not of this language.
    pub fn parse(text: &str) -> Result<JsonPath, JsonPathError> {
        Ok(JsonPath { nodes: parse::parse(text)? })
    }

    /// Appends what the template makes of a value; nothing, if there is an error.
    ///
    /// # Errors
    /// For fields that are not there, indexes out of bounds and comparisons of different types.
    pub fn execute(&self, value: &Value, out: &mut Vec<u8>) -> Result<(), JsonPathError> {
        let start = out.len();
        let printed = eval::execute(&self.nodes, value, out);
        if printed.is_err() {
            out.truncate(start);
        }
        printed
    }
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// An action: what its pieces select, one after the other.
    List(Vec<Node>),
    Text(String),
    Field(String),
    Array([Param; 3]),
    Filter {
        left: Vec<Node>,
        operator: String,
        right: Vec<Node>,
    },
    Int(i64),
    Float(f64),
    Bool(bool),
    Wildcard,
    Recursive,
    Union(Vec<Vec<Node>>),
    Identifier(String),
}

/// A number of a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Param {
    value: i64,
    known: bool,
    /// It follows from the first number alone.
    derived: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(template: &str) -> String {
        let text = b"a: {b: [1, 2.5, 1000000, x]}\nc: true\nbig: 12345678901\n\"n\": null\n\
            l: [{k: x, v: 1.5}, {k: \"y\", v: 2.5}]\n\"d.e\": q\n";
        let values = bowsprit_yaml::decode(text).unwrap();
        let mut out = Vec::new();
        let printed = JsonPath::parse(template).and_then(|path| path.execute(&values, &mut out));
        match printed {
            Ok(()) => String::from_utf8(out).unwrap(),
            Err(error) => format!("error: {error}"),
        }
    }

    /// What Helm prints; where it prints nothing, the reason that it does not tell.
    #[test]
    fn templates_print_what_kubernetes_prints() {
        for (template, want) in [
            ("{.a}", r#"{"b":[1,2.5,1000000,"x"]}"#),
            ("{.a.b[*]}", "1 2.5 1e+06 x"),
            ("{.a.b[0:2]}", "1 2.5"),
            ("{.a.b[-1]}", "x"),
            ("{.a.b[::2]}", "1 1e+06"),
            ("{..b}", r#"[1,2.5,1000000,"x"]"#),
            ("{range .a.b[*]}{@}{\"\\n\"}{end}", "1\n2.5\n1e+06\nx\n"),
            ("{range .l[*]}{range @.*}<{@}>{end};{end}.", "<x><1.5>;<y><2.5>;."),
            ("x", "x"),
            ("{.big}", "1.2345678901e+10"),
            ("{.n}", "null"),
            ("a{.c}z", "atruez"),
            ("{.a['b'][1]}", "2.5"),
            ("{['d.e']}", "error: d is not found"),
            ("{.d\\.e}", "q"),
            ("{.a.b[0,2]}", "1 1e+06"),
            ("{$.c}", "true"),
            ("{.l[?(@.k==\"y\")].v}", "2.5"),
            ("{.l[?(@.v>2.0)].k}", "y"),
            ("{.l[?(@.k)].k}", "x y"),
            ("{.l[?(@.v>2)].k}", "error: incompatible types for comparison"),
            ("{.a.nope}", "error: nope is not found"),
            ("{.a.b[7]}", "error: array index out of bounds: index 7, length 4"),
            ("{", "error: unclosed action"),
            ("{.a[\"b\"]}", "error: invalid array index \"b\""),
            ("{[a]}", "error: invalid array index a"),
            ("{end}", "error: not in range, nothing to end"),
            ("{nope}", "error: unrecognized identifier nope"),
            ("{.a.b[0:}", "error: unterminated array"),
            ("{.l[?(@.k==\"y\"].v}", "error: unterminated filter"),
            ("{%}", "error: unrecognized character in action: U+0025 '%'"),
        ] {
            assert_eq!(run(template), want, "{template}");
        }
    }
}
