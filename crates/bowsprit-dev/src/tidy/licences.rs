//! Every dependency has a licence that `deny.toml` allows, and none below the core line links C.
//!
//! `cargo deny` checks more; this part needs nothing installed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::arrows::CORE;
use super::metadata::metadata;

pub(super) fn check(root: &Path) -> Result<Vec<String>, String> {
    let allowed = allowed(root)?;
    let metadata = metadata(root, &["--all-features"])?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata: no packages")?;
    let core = core_closure(&metadata);
    let mut complaints = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or("none");
        if !is_allowed(licence, &allowed) {
            complaints.push(format!("{name}: licence `{licence}` is not in deny.toml"));
        }
        let in_core = package["id"].as_str().is_some_and(|id| core.contains(id));
        if in_core && package["links"].is_string() {
            complaints.push(format!("{name}: links a native library, below the core line"));
        }
    }
    Ok(complaints)
}

/// The quoted names of the list `allow` in deny.toml.
fn allowed(root: &Path) -> Result<Vec<String>, String> {
    let path = root.join("deny.toml");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let list = text.split_once("allow = [").and_then(|(_, rest)| rest.split_once(']'));
    let (list, _) = list.ok_or("deny.toml: no `allow = [`")?;
    Ok(list.split('"').skip(1).step_by(2).map(str::to_string).collect())
}

/// Whether an SPDX expression can be met with these licences. AND binds closer than OR.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    // `WITH` belongs to the licence before it.
    let spaced = spaced.replace(" WITH ", "\u{a0}WITH\u{a0}");
    let mut words = spaced.split_ascii_whitespace();
    any_of(&mut words, allowed)
}

fn any_of<'a>(words: &mut impl Iterator<Item = &'a str>, allowed: &[String]) -> bool {
    let (mut any, mut all) = (false, true);
    while let Some(word) = words.next() {
        match word {
            "AND" => {}
            "OR" => any |= std::mem::replace(&mut all, true),
            "(" => all &= any_of(words, allowed),
            ")" => break,
            licence => all &= allowed.contains(&licence.replace('\u{a0}', " ")),
        }
    }
    any | all
}

/// The ids of the core crates and everything that they use when they run.
fn core_closure(metadata: &Value) -> BTreeSet<&str> {
    let nodes = metadata["resolve"]["nodes"].as_array().map_or(&[][..], Vec::as_slice);
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let mut todo: Vec<&str> = packages
        .iter()
        .filter(|package| CORE.iter().any(|(name, _)| package["name"] == *name))
        .filter_map(|package| package["id"].as_str())
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = todo.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = nodes.iter().find(|node| node["id"] == id);
        let edges = node.and_then(|node| node["deps"].as_array()).map_or(&[][..], Vec::as_slice);
        let normal = edges.iter().filter(|edge| {
            edge["dep_kinds"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
        });
        todo.extend(normal.filter_map(|edge| edge["pkg"].as_str()));
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_by_one_alternative() {
        let allowed = ["MIT".to_string(), "Unicode-3.0".to_string()];
        for (expression, expected) in [
            ("MIT", true),
            ("Apache-2.0 OR MIT", true),
            ("Apache-2.0/MIT", true),
            ("MIT AND Unicode-3.0", true),
            ("MIT AND Apache-2.0", false),
            ("(Apache-2.0 OR MIT) AND Unicode-3.0", true),
            ("(Apache-2.0 OR MIT) AND NCSA", false),
            ("NCSA OR (MIT AND Unicode-3.0)", true),
            ("MIT WITH exception", false),
            ("GPL-3.0", false),
        ] {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
        }
    }
}
