//! Rendered files into sorted manifests and hooks.

use crate::dialect::{Dialect, Webhooks};
use crate::head::Head;
use crate::hook::{Hook, Role, role};
use crate::order::Order;
use crate::split::split_as;
use std::fmt;
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
        if path.rsplit('/').next().is_some_and(|base| base.starts_with('_')) {
            continue;
        }
        for document in split_as(text, dialect) {
            add(&mut outcome, &path, document, dialect)?;
        }
    }
    let Sorted { manifests, hooks } = &mut outcome.sorted;
    let rank = |kind: &str| {
        let (place, unplaced) = rank(order, dialect, kind);
        (place, unplaced.to_owned())
    };
    manifests.sort_by_cached_key(|manifest| rank(&manifest.head.kind));
    hooks.sort_by_cached_key(|hook| rank(&hook.kind));
    Ok(outcome)
}

fn rank(order: Order, dialect: Dialect, kind: &str) -> (usize, &str) {
    let is_webhook = kind.ends_with("ingWebhookConfiguration");
    if dialect.webhooks == Webhooks::Unplaced && is_webhook {
        return (order.kinds().len(), kind);
    }
    order.rank(kind)
}

fn add(
    outcome: &mut Outcome,
    path: &Arc<str>,
    document: &[u8],
    dialect: Dialect,
) -> Result<(), Error> {
    let head = Head::parse_as(document, dialect).map_err(|message| Error {
        path: path.to_string(),
        document: lossy(document),
        message,
        unknown_hooks: std::mem::take(&mut outcome.unknown_hooks),
        hooks: std::mem::take(&mut outcome.sorted.hooks),
    })?;
    let content = lossy(document);
    match role(&head, path, &content) {
        Role::Plain => {
            outcome.sorted.manifests.push(Manifest { path: Arc::clone(path), content, head })
        }
        Role::Hook(hook) => outcome.sorted.hooks.push(*hook),
        Role::Unknown(events) => outcome.unknown_hooks.push(events),
    }
    Ok(())
}

/// Only text that is UTF-8 can be read as YAML, so nothing is lost of what is.
fn lossy(document: &[u8]) -> String {
    match std::str::from_utf8(document) {
        Ok(text) => text.to_owned(),
        Err(_) => String::from_utf8_lossy(document).into_owned(),
    }
}
