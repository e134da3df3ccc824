//! What a directory looks like, so that any change of it is noticed without reading a file.

use super::system::{Stamp, stamp};
use bowsprit_value::codec::{Decoder, Encoder};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A directory with more entries is not worth looking at.
const ENTRIES: usize = 10_000;

/// What changed so shortly before could change once more without another time.
const SETTLED: Duration = Duration::from_secs(2);

/// The time, since 1970, after which nothing may have changed that is to count as unchanged since `since`.
pub(super) fn settled(since: SystemTime) -> Option<Duration> {
    since.checked_sub(SETTLED)?.duration_since(SystemTime::UNIX_EPOCH).ok()
}

/// Everything in a directory, the directory too: its path from there, and its stamp.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tree(Vec<(String, Stamp)>);

impl Tree {
    /// The tree of a directory that has not been changed since a time, nor shortly before. `None` for others,
    /// and for those that have links or anything else in them which is no file and no directory.
    pub(super) fn of(root: &Path, since: SystemTime) -> Option<Tree> {
        let settled = settled(since)?;
        let mut entries = Vec::new();
        let mut pending = vec![PathBuf::new()];
        while let Some(path) = pending.pop() {
            let full = root.join(&path);
            let metadata = full.symlink_metadata().ok()?;
            let stamp = stamp(&metadata)?;
            if stamp.is_after(settled) || entries.len() >= ENTRIES {
                return None;
            }
            entries.push((path.to_str()?.to_owned(), stamp));
            if is_dir(&metadata)? {
                for entry in full.read_dir().ok()? {
                    pending.push(path.join(entry.ok()?.file_name()));
                }
            }
        }
        Some(Tree(entries))
    }

    /// Whether a directory looks as it did. What is new changes the directory that it is in.
    pub(super) fn is_unchanged(&self, root: &Path) -> bool {
        !self.0.is_empty()
            && self.0.iter().all(|(path, was)| {
                let full = if path.is_empty() { root.to_owned() } else { root.join(path) };
                full.symlink_metadata().is_ok_and(|metadata| stamp(&metadata) == Some(*was))
            })
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        encoder.size(self.0.len());
        for (path, stamp) in &self.0 {
            encoder.bytes(path.as_bytes());
            stamp.encode(encoder);
        }
    }

    pub(super) fn decode(decoder: &mut Decoder<'_>) -> Option<Tree> {
        let mut entries = Vec::new();
        for _ in 0..decoder.count()? {
            let path = decoder.text()?.to_owned();
            entries.push((path, Stamp::decode(decoder)?));
        }
        Some(Tree(entries))
    }
}

/// `None` for what is neither file nor directory.
fn is_dir(metadata: &Metadata) -> Option<bool> {
    if metadata.is_dir() { Some(true) } else { metadata.is_file().then_some(false) }
}
