//! Calls of every function, with arguments that fit and that don't.

use bowsprit::render::sprig_functions;
use bowsprit::value::{Elem, Func, Type};
use serde_json::{Value, json};

use super::literal;
use super::values::{any, number, text};
use crate::differ::rng::Rng;

/// Random by nature, or slow by intention.
const SKIPPED: &[&str] = &[
    "now",
    "ago",
    "randAlpha",
    "randAlphaNum",
    "randAscii",
    "randBytes",
    "randInt",
    "randNumeric",
    "shuffle",
    "uuidv4",
    "bcrypt",
    "htpasswd",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "encryptAES",
    "keys",
    "values",
    "derivePassword",
    "env",
    "expandenv",
];

/// What Helm adds to sprig's functions and Go's.
const HELM: &[(&str, &[Type])] = &[
    ("toYaml", &[Type::Any]),
    ("toYamlPretty", &[Type::Any]),
    ("mustToYaml", &[Type::Any]),
    ("fromYaml", &[Type::String]),
    ("fromYamlArray", &[Type::String]),
    ("toToml", &[Type::Any]),
    ("mustToToml", &[Type::Any]),
    ("fromToml", &[Type::String]),
    ("toJson", &[Type::Any]),
    ("mustToJson", &[Type::Any]),
    ("fromJson", &[Type::String]),
    ("fromJsonArray", &[Type::String]),
    ("include", &[Type::String, Type::Any]),
    ("tpl", &[Type::String, Type::Any]),
    ("required", &[Type::String, Type::Any]),
    ("fail", &[Type::String]),
    ("lookup", &[Type::String, Type::String, Type::String, Type::String]),
    ("getHostByName", &[Type::String]),
];

/// A function's name, its parameters, and whether the last one repeats.
type Signature = (&'static str, &'static [Type], bool);

fn signatures() -> Vec<Signature> {
    let mut found: Vec<Signature> = sprig_functions()
        .iter()
        .map(|func: &Func| (func.name, func.params, func.variadic))
        .chain(HELM.iter().map(|(name, params)| (*name, *params, false)))
        .filter(|(name, ..)| !SKIPPED.contains(name))
        .collect();
    found.sort_by_key(|(name, ..)| *name);
    found.dedup_by_key(|(name, ..)| *name);
    found
}

thread_local! {
    static SIGNATURES: Vec<Signature> = signatures();
}

fn any_function(rng: &mut Rng) -> Signature {
    SIGNATURES.with(|all| all[rng.below(all.len())])
}

/// Functions whose result grows with a number get small ones.
fn is_greedy(name: &str) -> bool {
    [
        "repeat",
        "until",
        "untilStep",
        "seq",
        "indent",
        "nindent",
        "wrap",
        "wrapWith",
        "chunk",
        "mustChunk",
    ]
    .contains(&name)
}

fn call(rng: &mut Rng, depth: usize) -> String {
    let (name, params, variadic) = any_function(rng);
    let mut args: Vec<String> = Vec::new();
    let fixed = params.len() - usize::from(variadic);
    let mut count = fixed + if variadic { rng.below(4) } else { 0 };
    if rng.chance(4) {
        count = rng.below(count + 3);
    }
    for index in 0..count {
        let ty =
            params.get(index.min(params.len().saturating_sub(1))).copied().unwrap_or(Type::Any);
        let is_number = matches!(ty, Type::Int(_));
        args.push(match () {
            () if is_greedy(name) && is_number => {
                rng.pick(&["0", "1", "2", "5", "-1", "40", "(int 3)"]).to_owned()
            }
            () if rng.chance(85) => typed(rng, ty, depth),
            () if is_greedy(name) => rng.pick(&["\"a\"", "nil", "1.5", "(list 1)"]).to_owned(),
            () => expression(rng, depth),
        });
    }
    if !args.is_empty() && rng.chance(20) {
        let last = args.pop().unwrap_or_default();
        return format!("{last} | {name} {}", args.join(" ")).trim_end().to_owned();
    }
    format!("{name} {}", args.join(" ")).trim_end().to_owned()
}

fn nested(rng: &mut Rng, depth: usize) -> String {
    format!("({})", call(rng, depth - 1))
}

/// An argument of a type.
fn typed(rng: &mut Rng, ty: Type, depth: usize) -> String {
    match ty {
        Type::Bool => rng.pick(&["true", "false", ".Values.b", "(eq 1 1)"]).to_owned(),
        Type::Int(_) => integer(rng),
        Type::Float64 => {
            rng.pick(&["1.5", "0.0", "-2.25", "(float64 3)", "1e10", ".Values.n"]).to_owned()
        }
        Type::String => match rng.below(6) {
            0 => ".Values.s".to_owned(),
            1 => rng
                .pick(&["\"t\"", "(printf \"%d\" 5)", "(toString 1.5)", "(quote \"a\")"])
                .to_owned(),
            _ => literal(&text(rng)),
        },
        Type::List(Elem::Any) => list(rng, depth),
        Type::Map(_) => map(rng, depth),
        Type::Named(name) if name.contains("Time") => {
            "(toDate \"2006-01-02\" \"2021-03-04\")".to_owned()
        }
        _ => expression(rng, depth),
    }
}

fn integer(rng: &mut Rng) -> String {
    match rng.below(8) {
        0..=4 => rng
            .pick(&["0", "1", "2", "3", "5", "-1", "-3", "10", "100", "'a'", "0x10", "1_000"])
            .to_owned(),
        5 => format!("(int {})", rng.below(20)),
        6 => rng
            .pick(&[
                "9223372036854775807",
                "(int64 -9223372036854775808)",
                ".Values.i",
                "(len \"abc\")",
                "1e3",
            ])
            .to_owned(),
        _ => ".Values.n".to_owned(),
    }
}

fn list(rng: &mut Rng, depth: usize) -> String {
    match rng.below(6) {
        0 => ".Values.l".to_owned(),
        1 => rng
            .pick(&[
                "(until 3)",
                "(splitList \",\" \"c,a,b\")",
                "(list)",
                "(tuple 1 2)",
                "(untilStep 0 6 2)",
                "(list \"b\" \"a\" \"b\")",
                "(list nil \"\" 0)",
                "(regexFindAll \"a\" \"aaa\" -1)",
                "(chunk 2 (list 1 2 3))",
            ])
            .to_owned(),
        _ => {
            let items = rng.several(0, 4, |r| expression(r, depth.saturating_sub(1)));
            format!("(list {})", items.join(" "))
        }
    }
}

fn map(rng: &mut Rng, depth: usize) -> String {
    match rng.below(6) {
        0 => ".Values.m".to_owned(),
        1 => rng
            .pick(&[
                "(dict)",
                "(dict \"a\" (dict \"b\" 1))",
                "(split \".\" \"a.b\")",
                "(urlParse \"http://a/b?c#d\")",
                "(dict \"a\" nil)",
                ".Values",
            ])
            .to_owned(),
        _ => {
            let items = rng.several(0, 3, |r| {
                format!(
                    "{} {}",
                    r.pick(&["\"a\"", "\"b\"", "\"x\"", "\"name\"", "\"é\""]),
                    expression(r, depth.saturating_sub(1))
                )
            });
            format!("(dict {})", items.join(" "))
        }
    }
}

/// Any operand, calls included.
pub(super) fn expression(rng: &mut Rng, depth: usize) -> String {
    match rng.below(if depth == 0 { 9 } else { 13 }) {
        0 | 1 => literal(&text(rng)),
        2 => integer(rng),
        3 => {
            let number = number(rng).to_string();
            if number.len() > 25 { "1e300".to_owned() } else { number }
        }
        4 => rng.pick(&["true", "false", "nil", "1i", "'x'", "`raw`"]).to_owned(),
        5 => format!(
            ".Values.{}",
            rng.pick(&["v", "s", "n", "i", "l", "m", "b", "none", "m.a", "m.a.b"])
        ),
        6 => list(rng, depth),
        7 => map(rng, depth),
        8 => rng
            .pick(&[
                "(semver \"1.2.3\")",
                "(toDate \"2006\" \"2020\")",
                "(int64 7)",
                "(float64 2)",
                ".Release.Name",
                ".Chart",
                ".Release",
                ".Chart.Version",
                ".Capabilities.KubeVersion",
                ".Files",
                ".Template",
                ".Release.Revision",
                "(len .Values.s)",
                "(int 1)",
                "(atoi \"12\")",
            ])
            .to_owned(),
        _ => nested(rng, depth),
    }
}

pub(super) fn values(rng: &mut Rng) -> Value {
    let list: Vec<Value> = (0..rng.below(4)).map(|_| any(rng, 1)).collect();
    json!({
        "v": any(rng, 3),
        "s": text(rng),
        "n": number(rng),
        "b": rng.chance(50),
        "l": list,
        "m": super::values::map(rng, 2),
    })
}

pub(super) fn request(rng: &mut Rng) -> Value {
    let call = call(rng, 2);
    let template = match rng.below(6) {
        0 | 1 => format!("{{{{ {call} }}}}"),
        2 => format!("{{{{ {call} | toJson }}}}"),
        3 => format!("{{{{ printf \"%T %v\" ({call}) ({call}) }}}}"),
        4 => format!("{{{{ with {call} }}}}{{{{ . | quote }}}}{{{{ else }}}}none{{{{ end }}}}"),
        _ => format!("{{{{ {call} | toYaml }}}}"),
    };
    json!({
        "kind": "template",
        "template": template,
        "values": values(rng),
        "set": [format!("i={}", rng.below(100))],
    })
}
