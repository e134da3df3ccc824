//! `--output-dir`: a release as files.

use super::print::{broken_hooks, push_document, wanted_hooks};
use super::{Error, Options};
use bowsprit_chart::path;
use bowsprit_manifest::Hook;
use bowsprit_render::Release;
use std::collections::HashSet;

/// What happens to what a file holds already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// It is lost.
    Truncate,
    /// It stays, and the file must be there.
    Append,
    /// It stays if there is such a file.
    AppendIfExists,
}

/// One write into a file. The directories on the way may have to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileWrite {
    /// The file, as Helm prints it when it is written.
    pub path: String,
    /// What is written.
    pub content: Vec<u8>,
    /// What happens to what is there.
    pub mode: WriteMode,
}

/// The writes of `--output-dir DIR`, to be made one after the other. With `release_name` (the flag
/// `--release-name`) the files lie in a folder of the release's name, custom resource definitions
/// excepted. Helm ends the list that it prints with an empty line.
pub fn file_writes(
    release: &Release,
    options: &Options,
    dir: &str,
    release_name: bool,
) -> Vec<FileWrite> {
    let mut writes = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |dir: &str, file: &str, content: &[u8]| {
        let mode =
            if seen.insert(file.to_owned()) { WriteMode::Truncate } else { WriteMode::Append };
        writes.push(write(dir, file, content, mode));
    };
    if options.include_crds {
        for crd in release.crds() {
            add(dir, &crd.filename.to_string_lossy(), crd.file.data.as_bytes());
        }
    }
    let dir = if release_name { join(dir, &release.options.name) } else { dir.to_owned() };
    for manifest in &release.manifests {
        add(&dir, &manifest.path, manifest.content.as_bytes());
    }
    push_hooks(&mut writes, &release.hooks, options, &dir);
    writes
}

/// The writes that `helm template --debug --output-dir DIR` makes of a release that could not be made:
/// its hooks.
pub fn broken_file_writes(
    error: &Error,
    options: &Options,
    dir: &str,
    release_name: Option<&str>,
) -> Vec<FileWrite> {
    let dir = release_name.map_or_else(|| dir.to_owned(), |name| join(dir, name));
    let mut writes = Vec::new();
    push_hooks(&mut writes, broken_hooks(error), options, &dir);
    writes
}

/// Helm looks whether a hook's file is there before it writes, even if it wrote the file itself.
fn push_hooks(writes: &mut Vec<FileWrite>, hooks: &[Hook], options: &Options, dir: &str) {
    for hook in wanted_hooks(hooks, options) {
        let content = hook.manifest.as_bytes();
        writes.push(write(dir, &hook.path, content, WriteMode::AppendIfExists));
    }
}

fn write(dir: &str, file: &str, content: &[u8], mode: WriteMode) -> FileWrite {
    let mut text = Vec::with_capacity(content.len() + file.len() + 20);
    push_document(&mut text, file.as_bytes(), content);
    FileWrite { path: format!("{dir}/{file}"), content: text, mode }
}

/// `filepath.Join`.
fn join(dir: &str, name: &str) -> String {
    let joined = if name.is_empty() { dir.to_owned() } else { format!("{dir}/{name}") };
    String::from_utf8_lossy(&path::clean(joined.as_bytes())).into_owned()
}
