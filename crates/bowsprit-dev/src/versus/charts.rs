//! Which charts are compared, and whether both sides print the same.

use std::fs;
use std::path::{Path, PathBuf};

use super::tool;

/// Charts whose whole processes are timed when a folder of charts is given.
const NAMED: &[&str] = &["podinfo", "postgresql", "kube-prometheus-stack"];
/// This one also as a folder.
const UNPACKED: &str = "kube-prometheus-stack";
/// The chart of the large umbrellas.
const BASE: &str = "postgresql";

#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

#[derive(Debug, Default)]
pub(super) struct Charts {
    pub(super) named: Vec<Named>,
    /// All charts of the folders given.
    pub(super) all: Vec<PathBuf>,
    /// A chart's folder that umbrellas are made of.
    pub(super) base: Option<PathBuf>,
}

impl Charts {
    pub(super) fn find(given: &[PathBuf], root: &Path, home: &Path) -> Result<Charts, String> {
        let default = [root.join("../shared/corpus/charts")];
        let given = if given.is_empty() { &default[..] } else { given };
        let mut charts = Charts::default();
        for path in given {
            let path = path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?;
            if path.is_dir() && !path.join("Chart.yaml").exists() {
                charts.add_folder(&path, home)?;
            } else {
                charts.named.push(Named { name: stem(&path), path });
            }
        }
        Ok(charts)
    }

    fn add_folder(&mut self, folder: &Path, home: &Path) -> Result<(), String> {
        let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut paths: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| path.extension().is_some_and(|e| e == "tgz") || path.is_dir());
        paths.sort();
        for name in NAMED {
            let Some(path) = paths.iter().find(|path| chart_name(path) == *name) else { continue };
            let folder = if *name == UNPACKED || *name == BASE {
                unpack(path, name, home)?
            } else {
                path.clone()
            };
            if *name == BASE {
                self.base = Some(folder.clone());
            }
            self.named.push(Named { name: stem(path), path: path.clone() });
            if *name == UNPACKED {
                self.named.push(Named { name: format!("{} (folder)", stem(path)), path: folder });
            }
        }
        self.all.append(&mut paths);
        Ok(())
    }
}

fn unpack(archive: &Path, name: &str, home: &Path) -> Result<PathBuf, String> {
    if archive.is_dir() {
        return Ok(archive.to_path_buf());
    }
    tool("tar", &["-xzf", &archive.to_string_lossy(), "-C", &home.to_string_lossy()], None)?;
    Ok(home.join(name))
}

/// `postgresql-17.1.0` of `charts/postgresql-17.1.0.tgz`.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    name.strip_suffix(".tgz").unwrap_or(&name).to_string()
}

/// The name without the version.
fn chart_name(path: &Path) -> String {
    let stem = stem(path);
    let cut = stem
        .match_indices('-')
        .find(|(at, _)| stem.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit));
    cut.map_or(stem.clone(), |(at, _)| stem.chars().take(at).collect())
}

/// How the output compares with Helm's.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Agreement {
    Same,
    /// Lines that two runs of Helm print differently; all others are the same.
    SameBut(usize),
    Different,
}

pub(super) fn compare(once: &[u8], again: &[u8], got: &[u8]) -> Agreement {
    let lines = |text: &[u8]| text.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (once, again, got) = (lines(once), lines(again), lines(got));
    if once.len() != again.len() || once.len() != got.len() {
        return Agreement::Different;
    }
    let steady = || once.iter().zip(&again).zip(&got).filter(|((a, b), _)| a == b);
    if steady().any(|((line, _), ours)| line != ours) {
        return Agreement::Different;
    }
    match once.len() - steady().count() {
        0 => Agreement::Same,
        lines => Agreement::SameBut(lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_begins_with_a_digit() {
        assert_eq!(chart_name(Path::new("a/postgresql-17.1.0.tgz")), "postgresql");
        assert_eq!(chart_name(Path::new("postgresql-ha-16.3.4.tgz")), "postgresql-ha");
        assert_eq!(chart_name(Path::new("plain")), "plain");
    }

    #[test]
    fn lines_that_helm_does_not_repeat_may_differ() {
        assert_eq!(compare(b"a\nb", b"a\nb", b"a\nb"), Agreement::Same);
        assert_eq!(compare(b"a\nb", b"a\nc", b"a\nd"), Agreement::SameBut(1));
        assert_eq!(compare(b"a\nb", b"a\nb", b"a\nd"), Agreement::Different);
        assert_eq!(compare(b"a\nb", b"a\nb", b"a"), Agreement::Different);
    }
}
