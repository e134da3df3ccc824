//! `--error-format rich`: what stands behind Helm's text, as snapshots in `fixtures/rich`.
//!
//! Every case has a file of its name. After a change that is meant, record them anew and look at the
//! difference: `RECORD=1 cargo test -p bowsprit-tests rich`.

use std::fs;
use std::process::Command;

use bowsprit_testkit::{diff, repository};

use crate::program::program;

/// The name of a case and its arguments, in `fixtures/charts`.
const CASES: &[(&str, &str)] = &[
    ("nil-pointer", "template demo failing/nil-pointer"),
    ("include-chain", "template demo compat --set error=field"),
    ("missing-value", "template demo failing/nil-pointer --debug"),
    ("wrong-type", "template demo failing/wrong-type --set cases.field=true"),
    ("required", "template demo failing/required"),
    ("fail", "template demo failing/fail"),
    ("call", "template demo compat --set error=call"),
    ("tpl", "template demo compat --set error=tpl --helm-compat 3.22"),
    ("parse-function", "template demo failing/parse-function"),
    ("parse-unclosed", "template demo failing/parse-unclosed"),
    ("parse-quote", "template demo failing/parse-quote"),
    ("broken-yaml", "template demo failing/broken-yaml"),
    ("broken-tab", "template demo failing/broken-tab"),
    ("broken-head", "template demo compat --set error=head"),
    ("schema", "template demo failing/schema-broken"),
    ("schema-default", "template demo failing/schema-default --set-string image.tag=x"),
    ("schema-set", "template demo failing/schema-default --set image.tag=7,replicas=1"),
    ("schema-json", "template demo failing/schema-not-json"),
    ("chart-yaml", "template demo failing/chart-broken"),
    ("chart-values", "template demo failing/values-broken"),
    ("set-index", "template demo mychart --set a.b=1,list[x]=1"),
    ("set-key", "template demo mychart --set-string a=1,b"),
    ("set-json", "template demo mychart --set-json a=[1,"),
    ("values-missing", "template demo mychart -f nowhere.yaml"),
    ("helm-3", "template demo compat --set error=field --helm-compat 3.22"),
];

/// What a case prints, the root of the repository masked.
fn run(args: &str, format: &str) -> String {
    let root = repository();
    let output = Command::new(program())
        .args(args.split_whitespace())
        .args(["--error-format", format, "--color", "never"])
        .current_dir(root.join("fixtures/charts"))
        .env_clear()
        .env("TZ", "UTC")
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(1), "{args}");
    let text = String::from_utf8(output.stderr).expect("errors are UTF-8");
    text.replace(&root.display().to_string(), "<REPOSITORY>")
}

#[test]
fn rich_errors_are_as_recorded() {
    let folder = repository().join("fixtures/rich");
    let record = std::env::var_os("RECORD").is_some();
    let mut failures = String::new();
    for (name, args) in CASES {
        let found = run(args, "rich");
        let path = folder.join(format!("{name}.txt"));
        if record {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &found).unwrap();
            continue;
        }
        let wanted = fs::read_to_string(&path).unwrap_or_default();
        if wanted != found {
            let difference = diff(wanted.as_bytes(), found.as_bytes());
            failures.push_str(&format!("\n{name}: bowsprit {args}\n{difference}"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn rich_errors_begin_with_helms_text() {
    for (name, args) in CASES {
        let (plain, rich) = (run(args, "plain"), run(args, "rich"));
        assert!(rich.starts_with(plain.trim_end()), "{name}:\n{plain}\n{rich}");
    }
}

#[test]
fn a_chain_of_equal_places_is_shown_once() {
    let text = run("template demo failing/recursion", "rich");
    assert_eq!(text.matches("\n ::: included from").count(), 1);
    assert!(text.ends_with("more templates lie between these, not shown here\n"));
}

#[test]
fn an_unknown_format_is_refused() {
    let output = Command::new(program())
        .args(["template", "demo", "chart", "--error-format", "loud"])
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(text, "Error: --error-format: \"loud\" is none of rich and plain\n");
}
