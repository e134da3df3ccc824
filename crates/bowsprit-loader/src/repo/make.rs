//! Indexes of directories with packaged charts.

use super::{Error, Index, IndexError, IndexLimits};
use crate::io::PathError;
use crate::net::sink;
use crate::{Options, load_path, time};
use bowsprit_chart::{ChartVersion, LogLine};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How an index is made.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct IndexOptions {
    /// Stands before the names of the archives; may be empty.
    pub url: String,
    /// An older index, whose entries are added where the new one has none.
    pub merge: Option<PathBuf>,
    /// Writes JSON.
    pub json: bool,
}

/// Writes `index.yaml` for the charts in a directory and one level below it. Archives that are no
/// charts are left out.
///
/// # Errors
///
/// Where files can't be read or written, and for charts that an index can't have.
pub fn write_index(dir: &Path, options: &IndexOptions) -> Result<Vec<LogLine>, Error> {
    let mut index = Index::new(time::rfc3339_nanos(SystemTime::now()));
    for (folder, name) in archives(dir)? {
        let path = dir.join(&folder).join(&name);
        let Ok(loaded) = load_path(&path, &Options::default()) else { continue };
        let bytes = std::fs::read(&path).map_err(|error| PathError::new("open", &path, error))?;
        let mut version = ChartVersion {
            metadata: loaded.output.metadata.clone(),
            urls: Some(vec![join(&join(&options.url, &folder), &name)]),
            created: time::rfc3339_nanos(SystemTime::now()),
            digest: sink::sha256(&bytes),
            ..ChartVersion::default()
        };
        let invalid = |e: &dyn std::fmt::Display| {
            Error::Other(format!(
                "failed adding to {name} to index: validate failed for {name}: {e}"
            ))
        };
        version.metadata.validate().map_err(|e| invalid(&e))?;
        index.charts.entry(version.metadata.name.clone()).or_default().push(version);
    }
    let mut log = Vec::new();
    if let Some(path) = &options.merge {
        match Index::load(path, &IndexLimits::default()) {
            Ok(old) => {
                log = old.warnings;
                index.merge(old.output);
            }
            // What is not there is made, as in Helm.
            Err(IndexError::Io(_)) if !path.exists() => {
                let empty = Index::new(time::rfc3339_nanos(SystemTime::now()));
                sink::write_atomically(path, &text(&empty, options.json), 0o644)?;
            }
            Err(error) => return Err(Error::Index(error).because("merge failed: ")),
        }
    }
    index.sort();
    sink::write_atomically(&dir.join("index.yaml"), &text(&index, options.json), 0o644)?;
    Ok(log)
}

fn text(index: &Index, json: bool) -> Vec<u8> {
    if json { index.to_json() } else { index.to_yaml() }
}

/// Folder and name of each archive, those without a folder first.
fn archives(dir: &Path) -> Result<Vec<(String, String)>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    let mut at = 0;
    while let Some(folder) = folders.get(at).cloned() {
        at += 1;
        let path = dir.join(&folder);
        let entries = match path.read_dir() {
            Ok(entries) => entries,
            // Helm's globs find nothing where nothing can be listed.
            Err(_) => continue,
        };
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        for name in names {
            if folder.is_empty() && path.join(&name).is_dir() {
                folders.push(name.clone());
            }
            if name.ends_with(".tgz") {
                found.push((folder.clone(), name));
            }
        }
    }
    Ok(found)
}

/// `urlutil.URLJoin`: the name behind the path of the URL.
fn join(base: &str, name: &str) -> String {
    if base.is_empty() || name.is_empty() {
        return format!("{base}{name}");
    }
    match url::Url::parse(base) {
        Ok(mut url) => {
            let path = format!("{}/{name}", url.path().trim_end_matches('/'));
            url.set_path(&path);
            url.into()
        }
        Err(_) => format!("{}/{name}", base.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_behind_urls() {
        for (base, name, want) in [
            ("", "a.tgz", "a.tgz"),
            ("sub", "a.tgz", "sub/a.tgz"),
            ("http://h/x/", "a.tgz", "http://h/x/a.tgz"),
            ("http://h?q=1", "a.tgz", "http://h/a.tgz?q=1"),
            ("http://h/x", "", "http://h/x"),
        ] {
            assert_eq!(join(base, name), want);
        }
    }
}
