//! The GitHub Action and the pre-commit hooks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bowsprit::value::Value;
use bowsprit_testkit::repository;

use crate::program::program;

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\nicon: https://example.com/i.png\n";

fn read(name: &str) -> Value {
    let text = fs::read(repository().join(name)).expect("the file is there");
    bowsprit::yaml::decode(&text).expect("YAML")
}

fn get(value: &Value, path: &[&str]) -> Value {
    path.iter().fold(value.clone(), |value, key| match &value {
        Value::Map(map) => map.get(key.as_bytes()).unwrap_or_default(),
        Value::List(list) => list.get(key.parse().expect("a number")).cloned().unwrap_or_default(),
        _ => Value::Nil,
    })
}

fn text(value: &Value, path: &[&str]) -> String {
    match get(value, path) {
        Value::Str(text) => text.to_string(),
        other => panic!("{path:?}: {other:?}"),
    }
}

/// A folder with a good chart and a bad one, and the program on a path of its own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("bowsprit-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for (chart, template) in [("good", "kind: A\nmetadata: {name: a}\n"), ("bad", "a: [\n")] {
            let templates = folder.join("charts").join(chart).join("templates");
            fs::create_dir_all(&templates).expect("a folder");
            fs::write(templates.join("a.yaml"), template).expect("a file");
            fs::write(templates.join("../Chart.yaml"), CHART).expect("a file");
            fs::write(templates.join("../values.yaml"), "{}\n").expect("a file");
        }
        fs::create_dir_all(folder.join("bin")).expect("a folder");
        std::os::unix::fs::symlink(program(), folder.join("bin/bowsprit")).expect("a link");
        Folder(folder)
    }

    fn bash(&self, script: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new("bash")
            .arg(script)
            .args(args)
            .current_dir(&self.0)
            .env("PATH", format!("{}:{path}", self.0.join("bin").display()))
            .env("GITHUB_OUTPUT", self.0.join("outputs"))
            .envs(env.iter().copied())
            .output()
            .expect("bash starts")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_action_declares_what_it_uses() {
    let action = read("action.yml");
    let source = fs::read_to_string(repository().join("action.yml")).expect("text");
    let inputs = get(&action, &["inputs"]);
    let used = source.split("inputs.").skip(1).filter_map(|rest| rest.split([' ', '}']).next());
    for name in used {
        assert!(!get(&inputs, &[name, "description"]).is_nil(), "{name} is not declared");
    }
    assert_eq!(text(&action, &["runs", "using"]), "composite");
}

#[test]
fn the_action_annotates_and_fails() {
    let folder = Folder::new("action");
    let script = folder.0.join("run.sh");
    let step = text(&read("action.yml"), &["runs", "steps", "1", "run"]);
    fs::write(&script, step).expect("a file");
    let env = [("COMMAND", "lint"), ("CHARTS", "charts/*"), ("ARGS", ""), ("REPORT", "out.sarif")];
    let output = folder.bash(&script, &[], &env);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(stdout.contains("::error file=charts/bad/templates/a.yaml,title=HL037::"), "{stdout}");
    let outputs = fs::read_to_string(folder.0.join("outputs")).expect("outputs");
    assert_eq!(outputs, "failed=true\n");
    let sarif = fs::read_to_string(folder.0.join("out.sarif")).expect("a report");
    assert!(sarif.contains("\"version\": \"2.1.0\""));
    let env =
        [("COMMAND", "lint"), ("CHARTS", "charts/good"), ("ARGS", "--strict"), ("REPORT", "")];
    assert!(folder.bash(&script, &[], &env).status.success());
    let env = [("COMMAND", "rm"), ("CHARTS", "x"), ("ARGS", ""), ("REPORT", "")];
    assert_eq!(folder.bash(&script, &[], &env).status.code(), Some(2));
}

#[test]
fn hooks_find_the_charts_of_files() {
    let hooks = read(".pre-commit-hooks.yaml");
    let folder = Folder::new("hooks");
    for number in ["0", "1"] {
        let entry = text(&hooks, &[number, "entry"]);
        let (script, command) = entry.split_once(' ').expect("a command");
        let script = repository().join(script);
        assert_eq!(text(&hooks, &[number, "id"]), format!("bowsprit-{command}"));
        let files = ["charts/good/templates/a.yaml", "charts/good/Chart.yaml", "README.md"];
        if command == "lint" {
            let output = folder.bash(&script, &[&[command][..], &files[..]].concat(), &[]);
            let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{stdout}");
            assert!(stdout.starts_with("==> Linting charts/good\n"), "{stdout}");
            assert!(stdout.contains("1 chart(s) linted"), "{stdout}");
        }
        let bad = folder.bash(&script, &[command, "charts/bad/values.yaml"], &[]);
        assert_eq!(bad.status.code(), Some(1));
        assert!(folder.bash(&script, &[command, "README.md"], &[]).status.success());
    }
}
