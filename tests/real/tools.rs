//! The programs that these tests need.

use std::path::PathBuf;

use bowsprit_testkit::repository;

/// The path of a program in the folder BOWSPRIT_TOOLS; none, said loudly, where the variable is unset.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let Some(dir) = std::env::var_os("BOWSPRIT_TOOLS") else {
        skipped(&format!("BOWSPRIT_TOOLS is not set, so there is no {name} to test with"));
        return None;
    };
    let folder = repository().join(dir);
    let path = folder.join(name);
    // Left by .ci/tools.sh where a network does not have the program.
    if folder.join(format!("{name}.missing")).exists() {
        skipped(&format!("{name} could not be had"));
        return None;
    }
    assert!(path.is_file(), "{}: not there; .ci/tools.sh {name} builds it", path.display());
    Some(path)
}

/// Says loudly that a test did not run.
#[allow(clippy::print_stderr, reason = "a test that is skipped has to say so")]
pub(crate) fn skipped(why: &str) {
    eprintln!("!!!! SKIPPED: {why} !!!!");
}

/// Helm is the one that the expectations speak of.
#[test]
fn helm_has_the_pinned_version() {
    let Some(helm) = tool("helm") else { return };
    let output = std::process::Command::new(helm).args(["version", "--short"]).output().unwrap();
    let version = String::from_utf8_lossy(&output.stdout);
    assert!(version.starts_with("v4.2"), "{version}");
    let program = std::process::Command::new(crate::program::program()).arg("version").output();
    assert!(program.unwrap().status.success());
}
