//! The program under test.
//!
//! Cargo tells the path of a binary to the tests of its own package only, and these tests are a
//! package of their own. So they ask Cargo to build the binary, which takes a moment when it is
//! fresh, and read from Cargo's messages where it lies: profile and target folder need no guess.
//! With BOWSPRIT set to a path, that program is tested instead; with Helm's path, the tests are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use bowsprit_testkit::repository;
use serde_json::Value;

/// The path of a fresh `bowsprit`, built in the profile of this test, or what BOWSPRIT says.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("BOWSPRIT") {
        // From the root, not from the folder in which Cargo runs tests.
        Some(path) => repository().join(path).canonicalize().expect("BOWSPRIT is a path"),
        None => build().unwrap_or_else(|error| panic!("bowsprit: {error}")),
    })
}

fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(cargo);
    // What Cargo tells tests of their package is no matter of this build. Build scripts that ask for it
    // (ring's does) would run again, here and in the next build from outside, and all above them anew.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&*name);
        }
    }
    let output = cargo
        // Of the whole workspace, so that dependencies have the features with which the tests were built.
        .args(["build", "--workspace", "--bin", "bowsprit"])
        .args(if cfg!(debug_assertions) { &[][..] } else { &["--release"] })
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(repository())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cargo build: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo build: {}", output.status));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| "cargo build named no executable".into())
}
