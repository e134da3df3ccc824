//! What there is of a chart before anything is made of it.

use crate::rules::Since;
use bowsprit_chart::{
    ArchiveLimits, Bytes, Chart, File, Format, HELM_IGNORE, Limits, LogLine, Metadata, ReadFailure,
    Rules, Warned, load_archive_files,
};
use bowsprit_render::CompiledChart;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What stands at a path.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Nothing.
    Missing,
    /// A directory.
    Directory,
    /// A file that can't be read, and what the system says.
    Unreadable(String),
    /// A file.
    File(Bytes),
}

impl Entry {
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Entry::File(bytes) => Some(bytes.as_bytes()),
            _ => None,
        }
    }
}

/// Why a chart does not load, and what was logged before.
#[derive(Clone, Debug)]
pub struct LoadFailure {
    /// Helm's text.
    pub text: String,
    /// What Helm logs.
    pub log: Vec<LogLine>,
}

/// A chart as the rules look at it: some files as they lie there, and what loading makes of all.
#[derive(Clone, Debug)]
pub struct Source {
    /// What the user calls it.
    pub name: String,
    /// Its absolute path; that of the archive for a packaged chart.
    pub dir: String,
    /// `Chart.yaml`.
    pub chart_yaml: Entry,
    /// `values.yaml`.
    pub values: Entry,
    /// `values.schema.json`.
    pub schema: Entry,
    /// `templates`.
    pub templates: Entry,
    /// `crds`.
    pub crds: Entry,
    /// `CHANGELOG.md`.
    pub changelog: Entry,
    /// What it was at a git reference, if that was asked.
    pub since: Option<Since>,
    /// The chart, read as `v1` and `v2` charts are.
    pub chart: Result<Warned<Arc<Chart>>, LoadFailure>,
    /// Of files that the chart's loader left unread.
    pub unread: ReadFailure,
    /// The chart compiled by an [`engine`](crate::engine), if it has been already.
    pub compiled: Option<CompiledChart>,
}

/// A chart that can't be examined at all. `Display` is Helm's text, as it stands after `Error `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannotExamine(pub String);

impl std::fmt::Display for CannotExamine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CannotExamine {}

impl Source {
    /// A packaged chart, looked at as if it had been unpacked into a folder, as Helm does.
    ///
    /// # Errors
    ///
    /// For archives that are broken or name no chart, with Helm's words.
    pub fn from_archive(
        name: &str,
        path: &str,
        archive: &[u8],
        limits: &Limits,
    ) -> Result<Source, CannotExamine> {
        let failed = |text: String| CannotExamine(format!("unable to extract tarball: {text}"));
        let files = unpacked(archive, &limits.archive).map_err(failed)?;
        let entry = |name: &str| match files.iter().find(|f| f.name.as_bytes() == name.as_bytes()) {
            Some(file) => Entry::File(file.data.clone()),
            None => {
                let below = format!("{name}/");
                let found = files.iter().any(|f| f.name.as_bytes().starts_with(below.as_bytes()));
                if found { Entry::Directory } else { Entry::Missing }
            }
        };
        let source = Source {
            name: name.to_owned(),
            dir: path.to_owned(),
            chart_yaml: entry("Chart.yaml"),
            values: entry("values.yaml"),
            schema: entry("values.schema.json"),
            templates: entry("templates"),
            crds: entry("crds"),
            changelog: entry("CHANGELOG.md"),
            since: None,
            chart: load(&files, limits),
            unread: ReadFailure::default(),
            compiled: None,
        };
        Ok(source)
    }
}

/// The archive's files as they would lie in a folder, in the order in which a folder is walked.
fn unpacked(archive: &[u8], limits: &ArchiveLimits) -> Result<Vec<File>, String> {
    let mut files = load_archive_files(archive, limits).map_err(|error| error.to_string())?;
    let mut name = String::new();
    for file in files.iter().filter(|file| file.name.as_bytes() == b"Chart.yaml") {
        let metadata = Metadata::parse(file.data.as_bytes());
        name = metadata.map_err(|error| format!("cannot load Chart.yaml: {error}"))?.name;
    }
    let quoted =
        || String::from_utf8_lossy(&bowsprit_value::strconv::quote(name.as_bytes())).into_owned();
    match name.as_str() {
        "" => return Err("chart name not specified".to_owned()),
        "." | ".." => return Err(format!("chart name {} is not allowed", quoted())),
        name if bowsprit_chart::path::base(name.as_bytes()) != name.as_bytes() => {
            return Err(format!("chart name {} must not contain path separators", quoted()));
        }
        _ => {}
    }
    files.sort_by(|a, b| walk_order(a.name.as_bytes(), b.name.as_bytes()));
    // Of equal names the last one lies there.
    files.reverse();
    files.dedup_by(|earlier, kept| earlier.name == kept.name);
    files.reverse();
    Ok(files)
}

/// The order of two paths in which a folder is walked: by their parts.
fn walk_order(a: &[u8], b: &[u8]) -> Ordering {
    match a.iter().zip(b).find(|(a, b)| a != b) {
        // A part that ends comes before one that goes on.
        Some((b'/', _)) => Ordering::Less,
        Some((_, b'/')) => Ordering::Greater,
        Some((a, b)) => a.cmp(b),
        None => a.len().cmp(&b.len()),
    }
}

fn load(files: &[File], limits: &Limits) -> Result<Warned<Arc<Chart>>, LoadFailure> {
    let mut log = Vec::new();
    let ignore = files.iter().find(|file| file.name.as_bytes() == HELM_IGNORE.as_bytes());
    let rules = match ignore.map(|file| Rules::parse(file.data.as_bytes())) {
        Some(Ok(rules)) => rules,
        Some(Err(error)) => return Err(LoadFailure { text: error.to_string(), log }),
        None => Rules::default(),
    };
    let rules = rules.with_defaults();
    let mut dirs: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
    let kept = files.iter().filter(|file| {
        let name = file.name.as_bytes();
        let slashes = name.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at);
        for at in slashes {
            let dir = name.get(..at).unwrap_or_default();
            let ignored = dirs.get(dir).copied().unwrap_or_else(|| {
                let ignored = rules.ignores(dir, true, &mut log);
                dirs.insert(dir.to_vec(), ignored);
                ignored
            });
            if ignored {
                return false;
            }
        }
        !rules.ignores(name, false, &mut log)
    });
    let kept: Vec<File> = kept.cloned().collect();
    match Chart::from_files_as(Format::V2, kept, limits) {
        Ok(Warned { output, warnings }) => {
            log.extend(warnings);
            Ok(Warned { output: Arc::new(output), warnings: log })
        }
        Err(error) => {
            let text = error.to_string();
            log.extend(error.into_parts().1);
            Err(LoadFailure { text, log })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::walk_order;

    #[test]
    fn paths_are_ordered_by_their_parts() {
        let paths = [
            "a", "a/b", "a/b.c", "a/b/", "a/b/c", "a-b", "a-b/c", "a.b", "a/", "ab", "b", "/a",
            "\u{1}", "a//b",
        ];
        for a in paths {
            for b in paths {
                let by_parts = a.split('/').cmp(b.split('/'));
                assert_eq!(walk_order(a.as_bytes(), b.as_bytes()), by_parts, "{a} {b}");
            }
        }
    }
}
