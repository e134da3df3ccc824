//! Searching a template function's quoted name hits one line of `src/`: its row in a table.

use std::collections::BTreeMap;

use super::source::Source;

/// Crates whose tables name template functions.
const TABLES: &[&str] =
    &["crates/bowsprit-template/src", "crates/bowsprit-sprig/src", "crates/bowsprit-render/src"];

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut rows: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for source in sources.iter().filter(|s| TABLES.iter().any(|t| s.path.starts_with(t))) {
        for (number, line) in source.text.lines().enumerate() {
            if let Some(name) = row_name(line) {
                rows.entry(name).or_default().push(format!(
                    "{}:{}",
                    source.path.display(),
                    number + 1
                ));
            }
        }
    }
    rows.retain(|_, places| places.len() > 1);
    rows.iter()
        .map(|(name, places)| {
            format!("\"{name}\" has {} rows: {}", places.len(), places.join(", "))
        })
        .collect()
}

/// The name in a row such as `("semverCompare", …, semver_compare),`.
fn row_name(line: &str) -> Option<&str> {
    let (name, rest) = line.trim_start().strip_prefix("(\"")?.split_once("\", ")?;
    let is_row = rest.ends_with("),") && rest.contains("::");
    // Fields of Helm's structs begin with capitals, functions don't.
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric());
    (is_row && is_name).then_some(name)
}
