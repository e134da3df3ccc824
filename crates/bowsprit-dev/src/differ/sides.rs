//! The two that are compared.

use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use bowsprit::eval::Evaluator;
use bowsprit::host::OsHost;
use bowsprit::value::{Host, Limits, Timestamp};
use serde_json::Value;

/// A program that answers requests on its standard input, one a line.
pub(super) struct Program {
    child: Child,
    requests: Option<Sender<String>>,
    answers: Receiver<String>,
}

impl Program {
    pub(super) fn start(path: &Path, args: &[&str]) -> Result<Program, String> {
        let mut child = Command::new(path)
            .args(args)
            // Where the oracle's local zone is, too.
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", path.display()))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(format!("{}: no pipes", path.display()));
        };
        let (requests, to_write) = channel();
        let (to_read, answers) = channel();
        thread::spawn(move || write_lines(stdin, &to_write));
        thread::spawn(move || read_lines(stdout, &to_read));
        Ok(Program { child, requests: Some(requests), answers })
    }

    /// The answers to some requests, in their order.
    pub(super) fn ask(&self, requests: &[Value]) -> Result<Vec<Value>, String> {
        self.send(requests)?;
        self.receive(requests.len())
    }

    /// Hands requests over and goes on.
    pub(super) fn send(&self, requests: &[Value]) -> Result<(), String> {
        requests.iter().try_for_each(|request| {
            let line = format!("{request}\n");
            self.requests.as_ref().and_then(|to| to.send(line).ok()).ok_or_else(gone)
        })
    }

    /// The answers to the requests that were handed over first.
    pub(super) fn receive(&self, count: usize) -> Result<Vec<Value>, String> {
        let mut answers = Vec::with_capacity(count);
        for _ in 0..count {
            let line = self.answers.recv().map_err(|_| gone())?;
            answers.push(serde_json::from_str(&line).map_err(|e| format!("{e}: {line}"))?);
        }
        Ok(answers)
    }
}

fn gone() -> String {
    "the program has gone".to_owned()
}

impl Drop for Program {
    fn drop(&mut self) {
        self.requests = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_lines(mut stdin: ChildStdin, lines: &Receiver<String>) {
    for line in lines {
        if stdin.write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_lines(stdout: ChildStdout, lines: &Sender<String>) {
    for line in BufReader::new(stdout).lines() {
        if line.is_err() || line.is_ok_and(|line| lines.send(line).is_err()) {
            return;
        }
    }
}

/// The oracle's world: this moment, in UTC.
pub(super) struct Here(OsHost);

impl Host for Here {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn fill_random(&self, buf: &mut [u8]) {
        self.0.fill_random(buf);
    }
}

/// bowsprit: a binary, or what is linked into this one.
pub(super) enum Bowsprit {
    Linked(Box<Evaluator<Here>>),
    Binary(Program),
}

impl Bowsprit {
    pub(super) fn new(binary: Option<&Path>) -> Result<Bowsprit, String> {
        if let Some(path) = binary {
            return Program::start(path, &["eval", "--jsonl"]).map(Bowsprit::Binary);
        }
        let limits = Limits { steps: 200_000_000, bytes: 1 << 30, output: 1 << 28, depth: 1000 };
        Ok(Bowsprit::Linked(Box::new(Evaluator::new(Here(OsHost::new()), limits))))
    }

    pub(super) fn ask(&self, requests: &[Value]) -> Result<Vec<Value>, String> {
        match self {
            Bowsprit::Binary(program) => program.ask(requests),
            Bowsprit::Linked(evaluator) => {
                Ok(requests.iter().map(|request| linked(evaluator, request)).collect())
            }
        }
    }
}

/// A panic is an answer, and never Helm's.
fn linked(evaluator: &Evaluator<Here>, request: &Value) -> Value {
    let line = request.to_string();
    let answer = catch_unwind(AssertUnwindSafe(|| evaluator.answer(line.as_bytes())));
    let answer = answer.map_err(|_| "panic".to_owned());
    answer
        .and_then(|answer| serde_json::from_slice(&answer).map_err(|e| e.to_string()))
        .unwrap_or_else(|defect| serde_json::json!({ "defect": defect }))
}
