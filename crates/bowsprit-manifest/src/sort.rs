//! Rendered files into sorted manifests and hooks.

use crate::dialect::{Dialect, Webhooks};
use crate::head::Head;
use crate::hook::{Hook, Role, role};
use crate::order::Order;
use crate::split::split_as;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// One rendered document that belongs to the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The template that it comes from, as in `# Source:`.
    pub path: Arc<str>,
    /// The document's text.
    pub content: String,
    /// Its head.
    pub head: Head,
}

/// Manifests and hooks, each in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    /// The objects of the release.
    pub manifests: Vec<Manifest>,
    /// The hooks; weights play no role in their order here.
    pub hooks: Vec<Hook>,
}

/// What [`sort_manifests`] gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The manifests and hooks.
    pub sorted: Sorted,
    /// The `helm.sh/hook` annotations of documents that were dropped because they name an unknown
    /// event.
    pub unknown_hooks: Vec<String>,
}

/// A rendered document that Helm can't read. `Display` gives Helm's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The template that it comes from.
    pub path: String,
    /// The document's text.
    pub document: String,
    /// What is wrong, in Helm's words.
    pub message: String,
    /// The `helm.sh/hook` annotations that were dropped before.
    pub unknown_hooks: Vec<String>,
    /// The hooks that were found before, in the order of their files. Helm prints these when it shows
    /// what it could not read.
    pub hooks: Vec<Hook>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "YAML parse error on {}: {}", self.path, self.message)
    }
}

impl std::error::Error for Error {}

/// Splits rendered files into documents and sorts these by kind; equal kinds keep the order of their
/// file's name and then of their place in it. Partials (a base name with `_` first) and blank files are
/// left out.
///
/// # Errors
///
/// Fails at the first document, by file name, that is no YAML or whose head has fields of wrong types.
pub fn sort_manifests<'f, P: AsRef<str>>(
    files: impl IntoIterator<Item = (P, &'f [u8])>,
    order: Order,
) -> Result<Outcome, Error> {
    sort_manifests_as(files, order, Dialect::default())
}

/// As [`sort_manifests`], as one of Helm's releases does it.
///
/// # Errors
///
/// As [`sort_manifests`].
pub fn sort_manifests_as<'f, P: AsRef<str>>(
    files: impl IntoIterator<Item = (P, &'f [u8])>,
    order: Order,
    dialect: Dialect,
) -> Result<Outcome, Error> {
    let mut files: Vec<(P, &[u8])> = files.into_iter().collect();
    files.sort_by(|a, b| a.0.as_ref().as_bytes().cmp(b.0.as_ref().as_bytes()));
    let mut outcome = Outcome::default();
    for (path, text) in &files {
        let path: Arc<str> = Arc::from(path.as_ref());
        if is_partial(&path) {
            continue;
        }
        for document in split_as(text, dialect) {
            let head = Head::parse_as(document, dialect).map_err(|message| Error {
                path: path.to_string(),
                document: lossy(document),
                message,
                unknown_hooks: std::mem::take(&mut outcome.unknown_hooks),
                hooks: std::mem::take(&mut outcome.sorted.hooks),
            })?;
            outcome.add(&path, head, lossy(document));
        }
    }
    outcome.sorted.order(order, dialect);
    Ok(outcome)
}

impl Sorted {
    fn order(&mut self, order: Order, dialect: Dialect) {
        let rank = |kind: &str| {
            let (place, unplaced) = rank(order, dialect, kind);
            (place, unplaced.to_owned())
        };
        self.manifests.sort_by_cached_key(|manifest| rank(&manifest.head.kind));
        self.hooks.sort_by_cached_key(|hook| rank(&hook.kind));
    }
}

impl Outcome {
    fn add(&mut self, path: &Arc<str>, head: Head, content: String) {
        match role(&head, path, &content) {
            Role::Plain => {
                self.sorted.manifests.push(Manifest { path: Arc::clone(path), content, head });
            }
            Role::Hook(hook) => self.sorted.hooks.push(*hook),
            Role::Unknown(events) => self.unknown_hooks.push(events),
        }
    }
}

/// Files that [`sort_files`] can't sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsorted {
    /// Why not.
    pub error: Error,
    /// The files as they were.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// As [`sort_manifests_as`], with files that are not needed any more: mostly a file is one document, which then
/// need not be copied.
///
/// ```
/// use bowsprit_manifest::{Dialect, Order, sort_files};
///
/// let files = [("c/templates/a.yaml".to_owned(), b"---\nkind: Service\n".to_vec())];
/// let sorted = sort_files(files.into(), Order::Install, Dialect::default()).unwrap().sorted;
/// assert_eq!(sorted.manifests[0].content, "kind: Service\n");
/// ```
///
/// # Errors
///
/// As [`sort_manifests`].
pub fn sort_files(
    files: BTreeMap<String, Vec<u8>>,
    order: Order,
    dialect: Dialect,
) -> Result<Outcome, Box<Unsorted>> {
    let mut heads = Vec::with_capacity(files.len());
    for (place, (path, text)) in files.iter().enumerate() {
        if is_partial(path) {
            continue;
        }
        for document in split_as(text, dialect) {
            let Ok(head) = Head::parse_as(document, dialect) else {
                return unsorted(files, order, dialect);
            };
            let start = document.as_ptr().addr() - text.as_ptr().addr();
            heads.push((place, start..start + document.len(), head));
        }
    }
    let (mut outcome, mut heads) = (Outcome::default(), heads.into_iter().peekable());
    for (place, (path, mut text)) in files.into_iter().enumerate() {
        let path: Arc<str> = match heads.peek() {
            Some((file, ..)) if *file == place => Arc::from(path),
            _ => continue,
        };
        while let Some((_, range, head)) = heads.next_if(|(file, ..)| *file == place) {
            let is_last = heads.peek().is_none_or(|(file, ..)| *file != place);
            let content = if is_last && range.len() > text.len() / 2 {
                cut_out(std::mem::take(&mut text), range)
            } else {
                lossy(text.get(range).unwrap_or_default())
            };
            outcome.add(&path, head, content);
        }
    }
    outcome.sorted.order(order, dialect);
    Ok(outcome)
}

#[cold]
fn unsorted(
    files: BTreeMap<String, Vec<u8>>,
    order: Order,
    dialect: Dialect,
) -> Result<Outcome, Box<Unsorted>> {
    let texts = files.iter().map(|(path, text)| (path, text.as_slice()));
    let error = match sort_manifests_as(texts, order, dialect) {
        Ok(outcome) => return Ok(outcome),
        Err(error) => error,
    };
    Err(Box::new(Unsorted { error, files }))
}

/// A part of a text, in the memory that the text had.
fn cut_out(mut text: Vec<u8>, range: Range<usize>) -> String {
    text.truncate(range.end);
    text.drain(..range.start.min(text.len()));
    String::from_utf8(text)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn is_partial(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|base| base.starts_with('_'))
}

fn rank(order: Order, dialect: Dialect, kind: &str) -> (usize, &str) {
    let is_webhook = kind.ends_with("ingWebhookConfiguration");
    if dialect.webhooks == Webhooks::Unplaced && is_webhook {
        return (order.kinds().len(), kind);
    }
    order.rank(kind)
}

/// Only text that is UTF-8 can be read as YAML, so nothing is lost of what is.
fn lossy(document: &[u8]) -> String {
    match std::str::from_utf8(document) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(document).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_sorted_as_their_texts() {
        let texts = [
            ("c/templates/a.yaml", "\n# first\nkind: Service\n"),
            (
                "c/templates/b.yaml",
                "---\nkind: Namespace\n--- # two\nkind: Role\nmetadata: {name: b}\n\n",
            ),
            ("c/templates/_p.yaml", "no: [yaml"),
            ("c/templates/blank.yaml", " \n"),
            (
                "c/templates/d.yaml",
                "kind: Job\nmetadata: {annotations: {helm.sh/hook: pre-install}}\n",
            ),
            ("c/templates/e.yaml", "kind: Pod\nmetadata: {annotations: {helm.sh/hook: never}}\n"),
        ];
        for (last, dialect) in
            [("kind: Pod", Dialect::default()), ("kind: [", Dialect::default()), ("", Dialect::V3)]
        {
            let mut files: BTreeMap<_, _> =
                texts.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into();
            files.insert("c/templates/z.yaml".into(), last.into());
            let texts = files.iter().map(|(path, text)| (path, text.as_slice()));
            let want = sort_manifests_as(texts, Order::Install, dialect);
            match (sort_files(files.clone(), Order::Install, dialect), want) {
                (Ok(sorted), Ok(want)) => assert_eq!(sorted, want),
                (Err(unsorted), Err(error)) => {
                    assert_eq!(*unsorted, Unsorted { error, files });
                }
                (sorted, _) => panic!("{last}: {sorted:?}"),
            }
        }
    }
}
