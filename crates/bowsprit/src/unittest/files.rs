//! Paths as Go's `filepath` sees them, on all systems with `/`.

use bowsprit_chart::path;
use std::path::Path;

/// `filepath.Join`.
pub(super) fn join(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return String::new();
    }
    clean(&parts.join("/"))
}

/// `filepath.Clean`.
pub(super) fn clean(text: &str) -> String {
    String::from_utf8_lossy(&path::clean(text.as_bytes())).into_owned()
}

/// The path as seen from the working directory.
pub(super) fn relative(file: &str) -> String {
    let Ok(cwd) = std::env::current_dir() else { return file.to_owned() };
    let cwd = cwd.to_string_lossy().replace('\\', "/");
    let absolute = absolute(file);
    let from: Vec<&str> = cwd.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = absolute.split('/').filter(|part| !part.is_empty()).collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut parts = vec![".."; from.len() - common];
    parts.extend(to.get(common..).unwrap_or_default());
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// `filepath.Abs`.
pub(super) fn absolute(file: &str) -> String {
    if file.starts_with('/') || Path::new(file).is_absolute() {
        return clean(file);
    }
    match std::env::current_dir() {
        Ok(cwd) => join(&[&cwd.to_string_lossy().replace('\\', "/"), file]),
        Err(_) => clean(file),
    }
}
