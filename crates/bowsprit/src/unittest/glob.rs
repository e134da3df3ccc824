//! Files by pattern: Go's `filepath.Glob`, and `**` for any folders.

use super::files::join;
use bowsprit_chart::filepath_match;
use std::collections::BTreeSet;
use std::path::Path;

/// Folders are not followed deeper than this.
const MAX_DEPTH: usize = 100;

/// All files that match, each once.
pub(super) fn files(pattern: &str) -> Result<Vec<String>, String> {
    if !pattern.contains("**") {
        return simple(pattern);
    }
    let mut matches = vec![String::new()];
    for piece in pattern.split("**") {
        let mut seen = BTreeSet::new();
        let mut hits = Vec::new();
        for found in &matches {
            for path in simple(&format!("{found}{piece}"))? {
                walk(&path, 0, &mut |path| {
                    if seen.insert(path.to_owned()) {
                        hits.push(path.to_owned());
                    }
                });
            }
        }
        matches = hits;
    }
    Ok(matches)
}

fn walk(path: &str, depth: usize, found: &mut dyn FnMut(&str)) {
    found(path);
    if depth < MAX_DEPTH && Path::new(path).is_dir() && !Path::new(path).is_symlink() {
        for name in names(path) {
            walk(&join(&[path, &name]), depth + 1, found);
        }
    }
}

fn names(dir: &str) -> Vec<String> {
    let dir = if dir.is_empty() { "." } else { dir };
    let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

fn has_meta(text: &str) -> bool {
    text.contains(['*', '?', '[', '\\'])
}

fn simple(pattern: &str) -> Result<Vec<String>, String> {
    filepath_match(pattern.as_bytes(), b"").map_err(|_| "syntax error in pattern".to_owned())?;
    if !has_meta(pattern) {
        let there = Path::new(pattern).symlink_metadata().is_ok();
        return Ok(if there { vec![pattern.to_owned()] } else { Vec::new() });
    }
    let (dir, file) = match pattern.rfind('/') {
        Some(at) => pattern.split_at_checked(at + 1).unwrap_or(("", pattern)),
        None => ("", pattern),
    };
    let dir = match dir {
        "" => ".",
        "/" => "/",
        dir => dir.strip_suffix('/').unwrap_or(dir),
    };
    let dirs = if has_meta(dir) { simple(dir)? } else { vec![dir.to_owned()] };
    let mut found = Vec::new();
    for dir in dirs.iter().filter(|dir| Path::new(dir).is_dir()) {
        for name in names(dir) {
            if filepath_match(file.as_bytes(), name.as_bytes()).unwrap_or(false) {
                found.push(join(&[dir, &name]));
            }
        }
    }
    Ok(found)
}
