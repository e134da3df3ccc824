//! The legal arrows between the crates. There are no others; a new one needs its own commit and a
//! sentence saying why.

use std::path::Path;

use serde_json::Value;

use super::metadata::metadata;

/// Crates without I/O, which build for `wasm32-unknown-unknown`, and what each may use.
pub(super) const CORE: &[(&str, &[&str])] = &[
    ("bowsprit-diag", &[]),
    ("bowsprit-value", &[]),
    ("bowsprit-semver", &[]),
    ("bowsprit-yaml", &["value"]),
    ("bowsprit-template", &["value"]),
    ("bowsprit-sprig", &["value", "semver"]),
    ("bowsprit-chart", &["value", "yaml", "semver"]),
    ("bowsprit-manifest", &["value", "yaml"]),
    (
        "bowsprit-render",
        &["diag", "value", "semver", "yaml", "template", "sprig", "chart", "manifest"],
    ),
    ("bowsprit-report", &[]),
    ("bowsprit-validate", &["value", "yaml", "sprig", "report"]),
    (
        "bowsprit-lint",
        &[
            "diag", "value", "semver", "yaml", "template", "sprig", "chart", "manifest", "render",
            "report", "validate",
        ],
    ),
    ("bowsprit-explain", &["value", "yaml", "template", "chart", "manifest", "render", "report"]),
    ("bowsprit-label", &["value", "yaml", "manifest"]),
    ("bowsprit-placement", &["value", "yaml", "manifest"]),
    (
        "bowsprit-unittest",
        &["value", "semver", "yaml", "template", "sprig", "chart", "render", "report"],
    ),
];

/// Crates that may do I/O and start threads, and what each may use.
const EDGE: &[(&str, &[&str])] = &[
    ("bowsprit-loader", &["value", "yaml", "semver", "chart"]),
    ("bowsprit-fleet", &["value", "yaml", "manifest", "render", "placement"]),
    ("bowsprit-apply", &["value", "yaml", "manifest"]),
    ("bowsprit-flux", &["value", "semver", "yaml", "chart", "manifest", "placement", "render"]),
    (
        "bowsprit",
        &[
            "apply",
            "diag",
            "value",
            "semver",
            "yaml",
            "template",
            "sprig",
            "chart",
            "manifest",
            "label",
            "placement",
            "render",
            "loader",
            "flux",
            "fleet",
            "report",
            "validate",
            "lint",
            "unittest",
            "explain",
        ],
    ),
    ("bowsprit-cli", &[""]),
];

/// Crates that are never published. They may use any other.
const UNPUBLISHED: &[&str] =
    &["bowsprit-testkit", "bowsprit-dev", "bowsprit-tests", "bowsprit-benches"];

/// A core crate takes algorithms from outside, not glue.
const EXTERNAL_LIMIT: usize = 5;

/// sprig's functions need five curves and keys, four hashes, three ciphers, two password schemes and
/// the time zones, and on crates.io each of these algorithms is a crate of its own.
const EXTERNAL_LIMIT_SPRIG: usize = 16;

pub(super) fn check(root: &Path) -> Result<Vec<String>, String> {
    let metadata = metadata(root, &["--no-deps"])?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata: no packages")?;
    let mut complaints = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
        if UNPUBLISHED.contains(&name) {
            complaints.extend(check_unpublished(name, package, dependencies));
        } else if let Some(legal) = legal(name) {
            complaints.extend(check_arrows(name, legal, dependencies));
        } else {
            complaints.push(format!("{name}: not in the list of crates in tidy/arrows.rs"));
        }
        if CORE.iter().any(|(core, _)| *core == name) {
            complaints.extend(check_core(name, package, dependencies));
        }
    }
    Ok(complaints)
}

fn legal(name: &str) -> Option<&'static [&'static str]> {
    CORE.iter().chain(EDGE).find(|(crate_name, _)| *crate_name == name).map(|(_, legal)| *legal)
}

fn is_ours(dependency: &str) -> bool {
    dependency == "bowsprit" || dependency.starts_with("bowsprit-")
}

fn check_arrows(name: &str, legal: &[&str], dependencies: &[Value]) -> Vec<String> {
    let mut complaints = Vec::new();
    for dependency in dependencies {
        let to = dependency["name"].as_str().unwrap_or_default();
        // The facade is the empty suffix.
        let suffix = to.strip_prefix("bowsprit").unwrap_or_default();
        let suffix = suffix.strip_prefix('-').unwrap_or(suffix);
        let for_tests = dependency["kind"] == "dev" && to == "bowsprit-testkit";
        if is_ours(to) && !for_tests && !legal.contains(&suffix) {
            complaints.push(format!("{name} → {to}: no legal arrow"));
        }
    }
    complaints
}

fn check_core(name: &str, package: &Value, dependencies: &[Value]) -> Vec<String> {
    let mut complaints = Vec::new();
    let external = dependencies.iter().filter(|dependency| {
        dependency["kind"].is_null() && !is_ours(dependency["name"].as_str().unwrap_or_default())
    });
    let external = external.count();
    let limit = if name == "bowsprit-sprig" { EXTERNAL_LIMIT_SPRIG } else { EXTERNAL_LIMIT };
    if external > limit {
        complaints.push(format!("{name}: {external} external dependencies, {limit} are allowed"));
    }
    let targets = package["targets"].as_array().map_or(&[][..], Vec::as_slice);
    if targets.iter().any(|target| target["kind"][0] == "custom-build") {
        complaints.push(format!("{name}: has a build script"));
    }
    complaints
}

fn check_unpublished(name: &str, package: &Value, dependencies: &[Value]) -> Vec<String> {
    let mut complaints = Vec::new();
    if package["publish"].as_array().is_none_or(|registries| !registries.is_empty()) {
        complaints.push(format!("{name}: lacks `publish = false`"));
    }
    let uses_ours = dependencies.iter().any(|d| is_ours(d["name"].as_str().unwrap_or_default()));
    if name == "bowsprit-testkit" && uses_ours {
        complaints.push("bowsprit-testkit: uses a bowsprit crate, which makes a cycle".into());
    }
    complaints
}
