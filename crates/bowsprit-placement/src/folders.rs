//! A folder for each cluster, as GitOps tools take them: rendered manifests in files.

use crate::document::{map, strings, to_yaml};
use bowsprit_value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A name that can't be that of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderError {
    /// The name of a cluster or release.
    pub name: String,
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} can't be the name of a folder", self.name)
    }
}

impl std::error::Error for FolderError {}

/// A document of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file that it belongs into, such as the path of its template.
    pub path: String,
    /// The document's text.
    pub text: String,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the folder of all clusters.
    pub path: String,
    /// Its content.
    pub content: String,
}

/// The path of a release's index, below the folder of all clusters.
pub fn index(release: &str) -> String {
    format!("index-{release}.yaml")
}

/// The files that an index lists, of all clusters. Paths that lead out of the folder are left out.
pub fn listed(index: &[u8]) -> Vec<String> {
    let Ok(index) = bowsprit_yaml::decode(index) else { return Vec::new() };
    let clusters = index.as_map().and_then(|index| index.get(b"clusters"));
    let clusters = clusters.as_ref().and_then(Value::as_list).into_iter().flatten();
    let files = clusters.filter_map(|cluster| cluster.as_map()?.get(b"files"));
    let mut all = Vec::new();
    for files in files {
        let paths = files.as_list().into_iter().flatten().filter_map(Value::as_str);
        all.extend(paths.map(|path| path.to_string()).filter(|path| {
            !path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
        }));
    }
    all
}

/// The files of all clusters, sorted by path, and the index, which says which cluster gets which files and
/// which clusters get the same.
///
/// ```
/// use bowsprit_placement::folders::{Entry, layout};
///
/// let entry = Entry { path: "web/templates/a.yaml".into(), text: "kind: A\n".into() };
/// let clusters = ["east", "west"].map(|name| (name.to_owned(), vec![entry.clone()]));
/// let files = layout("demo", &clusters)?;
/// let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
/// assert_eq!(paths, ["east/demo/web/a.yaml", "index-demo.yaml", "west/demo/web/a.yaml"]);
/// assert!(files[1].content.contains("sameAs: east"));
/// # Ok::<(), bowsprit_placement::folders::FolderError>(())
/// ```
///
/// # Errors
///
/// Fails where the name of the release or of a cluster can't be that of a folder.
pub fn layout(release: &str, clusters: &[(String, Vec<Entry>)]) -> Result<Vec<File>, FolderError> {
    let names = std::iter::once(release).chain(clusters.iter().map(|(name, _)| name.as_str()));
    if let Some(name) = names.into_iter().find(|name| !is_folder(name)) {
        return Err(FolderError { name: name.to_owned() });
    }
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut clusters_of_index = Vec::new();
    let mut seen: Vec<(&[Entry], &str)> = Vec::new();
    for (cluster, entries) in clusters {
        let mut own = BTreeSet::new();
        for entry in entries {
            let path = format!("{cluster}/{release}/{}", short(&entry.path));
            let file = files.entry(path.clone()).or_default();
            file.push_str("---\n");
            file.push_str(&entry.text);
            if !entry.text.ends_with('\n') {
                file.push('\n');
            }
            own.insert(path);
        }
        let mut fields = vec![("name", Value::from(cluster.as_str())), ("files", strings(&own))];
        match seen.iter().find(|(other, _)| *other == entries.as_slice()) {
            Some((_, name)) => fields.push(("sameAs", Value::from(*name))),
            None => seen.push((entries, cluster)),
        }
        clusters_of_index.push(map(fields));
    }
    let list =
        map([("release", Value::from(release)), ("clusters", Value::list(clusters_of_index))]);
    files.insert(self::index(release), to_yaml(&list));
    Ok(files.into_iter().map(|(path, content)| File { path, content }).collect())
}

/// A template's path without the folders that all have.
fn short(path: &str) -> String {
    let parts =
        path.split('/').filter(|part| !matches!(*part, "templates" | "charts" | "" | "." | ".."));
    parts.collect::<Vec<_>>().join("/")
}

/// Whether a name is one folder and no way out.
fn is_folder(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, text: &str) -> Entry {
        Entry { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn an_index_lists_what_was_written() {
        let clusters = [
            ("east".to_owned(), vec![entry("web/templates/a.yaml", "kind: A")]),
            ("west".to_owned(), vec![entry("web/charts/db/templates/a.yaml", "kind: B\n")]),
        ];
        let files = layout("demo", &clusters).unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["east/demo/web/a.yaml", "index-demo.yaml", "west/demo/web/db/a.yaml"]);
        assert_eq!(files[0].content, "---\nkind: A\n");
        let listed = listed(files[1].content.as_bytes());
        assert_eq!(listed, ["east/demo/web/a.yaml", "west/demo/web/db/a.yaml"]);
    }

    #[test]
    fn no_name_leads_out() {
        for name in ["", "..", "a/b", ".git", "a\\b"] {
            assert!(layout("demo", &[(name.to_owned(), Vec::new())]).is_err(), "{name}");
        }
        let index = b"clusters: [{files: [../a, /b, c/../d, e//f, ok/g]}]";
        assert_eq!(listed(index), ["ok/g"]);
    }
}
