//! The files of the cache: a checksum, what the chart's directory looked like, and the image.

use super::tree::Tree;
use bowsprit_chart::Bytes;
use bowsprit_value::codec::{Decoder, Encoder};
use flate2::Crc;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A kept chart.
pub(super) struct Stored {
    pub(super) tree: Tree,
    pub(super) image: Bytes,
}

const SUM: usize = 4;
const LARGEST: u64 = 1 << 30;
/// How old a file gets before its use is written down.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn sum(bytes: &[u8]) -> [u8; SUM] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

impl Stored {
    /// What a file has; `None` if it is missing or damaged.
    pub(super) fn read(path: &Path) -> Option<Stored> {
        let mut file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        if metadata.len() > LARGEST {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?.saturating_add(1));
        file.read_to_end(&mut bytes).ok()?;
        let (found, rest) = bytes.split_first_chunk::<SUM>()?;
        if *found != sum(rest) {
            return None;
        }
        let mut decoder = Decoder::new(rest);
        let tree = Tree::decode(&mut decoder)?;
        let start = SUM + decoder.place();
        // What is used stays when room is made. That it could not be written down does no harm.
        let old = metadata.modified().ok().and_then(|time| time.elapsed().ok());
        if old.is_some_and(|old| old > DAY) {
            let _ = file.set_modified(SystemTime::now());
        }
        let end = bytes.len();
        Some(Stored { tree, image: Bytes::from(bytes).slice(start..end) })
    }

    /// Writes a file that is there as a whole or not at all.
    pub(super) fn write(path: &Path, tree: &Tree, image: &[u8]) -> io::Result<()> {
        let mut head = Encoder::default();
        tree.encode(&mut head);
        let head = head.finish().unwrap_or_default();
        let mut crc = Crc::new();
        crc.update(&head);
        crc.update(image);
        let nanos = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.subsec_nanos());
        let temporary = path.with_extension(format!("{}-{nanos}", std::process::id()));
        let written = File::create_new(&temporary).and_then(|mut file| {
            file.write_all(&crc.sum().to_le_bytes())?;
            file.write_all(&head)?;
            file.write_all(image)
        });
        let moved = written.and_then(|()| fs::rename(&temporary, path));
        if moved.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&temporary);
        }
        moved
    }
}

/// Removes the oldest files until the rest takes no more than `limit`, and what writers that were killed
/// have left.
pub(super) fn prune(dir: &Path, limit: u64) -> io::Result<()> {
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in dir.read_dir()? {
        let entry = entry?;
        let Ok(metadata) = entry.metadata() else { continue };
        let path = entry.path();
        if metadata.is_file() && path.extension().is_some() {
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            files.push((used, metadata.len(), path));
        }
    }
    files.sort();
    let mut all: u64 = files.iter().map(|(_, len, _)| len).sum();
    for (used, len, path) in files {
        let is_chart = path.extension().is_some_and(|ext| ext == "chart");
        let is_left = !is_chart && used.elapsed().is_ok_and(|old| old > DAY);
        if all > limit || is_left {
            // Another process may have removed it.
            let _ = fs::remove_file(path);
            all = all.saturating_sub(len);
        }
    }
    Ok(())
}
