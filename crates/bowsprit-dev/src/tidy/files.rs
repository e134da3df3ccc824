//! Which files there are, and what they are.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders whose files are not ours or are not text of ours.
const SKIPPED: &[&str] = &[".git", "target", "node_modules"];

/// Binaries that are wanted, each with how it is made.
const BINARIES: &[(&str, &str)] =
    &[("crates/bowsprit-validate/schemas.zz", "tools/schemas/bundle.sh")];

/// A text file larger than this is data that belongs into fixtures.
const TEXT_LIMIT: u64 = 512 * 1024;

/// Every file of the repository, by its path from the root, sorted.
pub(super) fn walk(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for entry in entries {
            let entry = entry.map_err(|e| format!("{}: {e}", folder.display()))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|e| format!("{}: {e}", path.display()))?;
            if !kind.is_dir() {
                files.push(path.strip_prefix(root).unwrap_or(&path).to_path_buf());
            } else if !SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
                folders.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

pub(super) fn check(root: &Path, files: &[PathBuf]) -> Result<Vec<String>, String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| !file.starts_with("fixtures")) {
        if BINARIES.iter().any(|(binary, _)| file == Path::new(binary)) {
            continue;
        }
        let path = root.join(file);
        let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        if bytes.contains(&0) || std::str::from_utf8(&bytes).is_err() {
            complaints.push(format!("{}: a stray binary", file.display()));
        } else if bytes.len() as u64 > TEXT_LIMIT && !file.ends_with("Cargo.lock") {
            complaints.push(format!("{}: {} bytes of text", file.display(), bytes.len()));
        }
        if has_folder_twin(root, file) {
            complaints.push(format!(
                "{}: has children beside it; a module with children is a mod.rs",
                file.display()
            ));
        }
    }
    Ok(complaints)
}

fn has_folder_twin(root: &Path, file: &Path) -> bool {
    let is_root = file.ends_with("lib.rs") || file.ends_with("main.rs");
    file.extension().is_some_and(|e| e == "rs")
        && !is_root
        && root.join(file.with_extension("")).is_dir()
}
