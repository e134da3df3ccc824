//! The files of the cache: a checksum, how long the head is, and the head; then the image's parts. The head
//! says how long each part is and has its checksum, what the chart's directory looked like, and the head of
//! the image.

use super::system;
use super::tree::Tree;
use bowsprit_chart::image;
use bowsprit_render::Image;
use bowsprit_value::codec::{Decoder, Encoder};
use flate2::Crc;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A kept chart.
pub(super) struct Stored {
    pub(super) tree: Tree,
    /// The head, and where that of the image begins in it.
    pub(super) head: Vec<u8>,
    pub(super) image: usize,
    pub(super) parts: Parts,
}

/// The parts of an image, in the file that was opened: they stay there, whatever becomes of its name.
pub(super) struct Parts {
    file: File,
    /// Where each begins, how long it is, and its checksum.
    table: Vec<(u64, u64, u32)>,
}

impl image::Parts for Parts {
    fn read(&self, number: usize, len: usize) -> Option<Vec<u8>> {
        let (start, there, checksum) = *self.table.get(number)?;
        if there != len as u64 {
            return None;
        }
        let part = system::read_at(&self.file, start, len).ok()?;
        (sum(&part) == checksum).then_some(part)
    }
}

/// Checksum and length of the head.
const BEGINNING: usize = 12;
/// No head is longer.
const LARGEST: u64 = 1 << 30;
/// How old a file gets before its use is written down.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn sum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

impl Stored {
    /// What a file has; `None` if it is missing or damaged.
    pub(super) fn read(path: &Path) -> Option<Stored> {
        let file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        let beginning = system::read_at(&file, 0, BEGINNING).ok()?;
        let (checksum, len) = beginning.split_first_chunk::<4>()?;
        let len = u64::from_le_bytes(*len.first_chunk()?);
        if len > LARGEST.min(metadata.len()) {
            return None;
        }
        let head = system::read_at(&file, BEGINNING as u64, usize::try_from(len).ok()?).ok()?;
        if sum(&head).to_le_bytes() != *checksum {
            return None;
        }
        let mut decoder = Decoder::new(&head);
        let mut table = Vec::new();
        let mut start = BEGINNING as u64 + len;
        for _ in 0..decoder.count()? {
            let (len, checksum) = (decoder.number()?, decoder.number()?);
            table.push((start, len, u32::try_from(checksum).ok()?));
            start = start.checked_add(len)?;
        }
        if start != metadata.len() {
            return None;
        }
        let tree = Tree::decode(&mut decoder)?;
        let image = decoder.place();
        // What is used stays when room is made. That it could not be written down does no harm.
        let old = metadata.modified().ok().and_then(|time| time.elapsed().ok());
        if old.is_some_and(|old| old > DAY) {
            let _ = file.set_modified(SystemTime::now());
        }
        Some(Stored { tree, head, image, parts: Parts { file, table } })
    }

    /// Writes a file that is there as a whole or not at all.
    pub(super) fn write(path: &Path, tree: &Tree, image: &Image) -> io::Result<()> {
        let mut head = Encoder::default();
        head.size(image.parts.len());
        for part in &image.parts {
            head.size(part.len());
            head.number(sum(part).into());
        }
        tree.encode(&mut head);
        head.raw(&image.head);
        let head = head.finish().unwrap_or_default();
        write_new(path, |file| {
            file.write_all(&sum(&head).to_le_bytes())?;
            file.write_all(&(head.len() as u64).to_le_bytes())?;
            file.write_all(&head)?;
            image.parts.iter().try_for_each(|part| file.write_all(part))
        })
    }
}

/// Writes a file that is there as a whole or not at all.
pub(super) fn write_new(
    path: &Path,
    content: impl FnOnce(&mut io::BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let nanos = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.subsec_nanos());
    let temporary = path.with_extension(format!("{}-{nanos}", std::process::id()));
    let written = File::create_new(&temporary).and_then(|file| {
        let mut file = io::BufWriter::new(file);
        content(&mut file)?;
        file.flush()
    });
    let moved = written.and_then(|()| fs::rename(&temporary, path));
    if moved.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    moved
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
