//! What the command does that Helm has no word for, so no golden case can show it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

use bowsprit_testkit::repository;
use serde_json::{Value, json};

use crate::program::program;

fn bowsprit(args: &[&str]) -> Output {
    Command::new(program())
        .args(args)
        .current_dir(repository().join("fixtures/charts"))
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn stdout(args: &[&str]) -> String {
    let output = bowsprit(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// `bowsprit eval --jsonl` with its two ends.
struct Evaluator(Child);

impl Evaluator {
    fn start() -> Self {
        let child = Command::new(program())
            .args(["eval", "--jsonl"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Self(child.expect("the program starts"))
    }

    fn send(&mut self, line: &str) {
        let stdin = self.0.stdin.as_mut().expect("a pipe");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("the program reads");
    }

    fn answers(mut self) -> Vec<Value> {
        drop(self.0.stdin.take());
        let output = self.0.wait_with_output().expect("the program ends");
        let text = String::from_utf8(output.stdout).expect("JSON is text");
        text.lines().map(|line| serde_json::from_str(line).expect("an answer is JSON")).collect()
    }
}

#[test]
fn eval_answers_each_line_with_its_id() {
    let mut evaluator = Evaluator::start();
    evaluator
        .send(r#"{"id": 1, "kind": "template", "template": "{{ add 1 2 }} {{ .Release.Name }}"}"#);
    evaluator.send("no JSON");
    evaluator
        .send(r#"{"id": {"a": [2]}, "kind": "semver", "constraint": "^1.2", "version": "1.3.0"}"#);
    evaluator.send(r#"{"id": "x", "kind": "template", "template": "{{ fail \"no\" }}"}"#);
    let answers = evaluator.answers();
    assert_eq!(answers.len(), 4, "{answers:?}");
    assert_eq!(answers[0], json!({"id": 1, "out": "3 release-name"}));
    assert_eq!(answers[1]["fatal"], true);
    assert_eq!(answers[2], json!({"id": {"a": [2]}, "out": true}));
    assert_eq!(
        answers[3],
        json!({"id": "x", "error": "execution error at (chart/templates/x.yaml:1:3): no"})
    );
}

#[test]
fn eval_answers_before_the_next_question() {
    let mut evaluator = Evaluator::start();
    let mut lines = BufReader::new(evaluator.0.stdout.take().expect("a pipe")).lines();
    for n in 0..3 {
        evaluator.send(&format!(r#"{{"id": {n}, "kind": "template", "template": "{{{{ 1 }}}}"}}"#));
        let answer = lines.next().expect("an answer").expect("text");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer, json!({"id": n, "out": "1"}));
    }
    drop(evaluator.0.stdin.take());
    assert!(evaluator.0.wait().expect("the program ends").success());
}

#[test]
fn eval_prints_one_template() {
    assert_eq!(stdout(&["eval", "--set", "a=x", "{{ .Values.a | quote }}"]).trim_end(), "\"x\"");
    let from_chart = ["eval", "--chart", "mychart", "{{ include \"mychart.web\" . }}"];
    assert_eq!(stdout(&from_chart).trim_end(), "mychart-web");
}

#[test]
fn a_seed_makes_random_charts_repeatable() {
    let seeded = |seed: &str| stdout(&["template", "demo", "random", "--seed", seed]);
    assert_eq!(seeded("1"), seeded("1"));
    assert_ne!(seeded("1"), seeded("2"));
}

#[test]
fn limits_are_errors() {
    let output = bowsprit(&["eval", "--max-steps", "1000", "{{ range until 100000 }}x{{ end }}"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("limit reached"), "{stderr}");
}

#[test]
fn the_version_names_helms() {
    assert!(stdout(&["version"]).contains("4.2.4"));
}
