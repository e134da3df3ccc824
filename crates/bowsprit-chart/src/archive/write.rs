//! Writing tar and gzip as Go's `archive/tar` and Helm do.

use super::stream::BLOCK;
use flate2::{Compression, GzBuilder};
use std::io::Write;

const NAME: usize = 100;
const PREFIX: usize = 155;
/// By these bytes Helm knows its own archives.
const EXTRA: &[u8] = b"rr\x28\0aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";

/// A tar that grows in memory. All files have mode 0644, no owner and the same time.
#[derive(Debug)]
pub(crate) struct TarWriter {
    out: Vec<u8>,
    modified: u64,
}

impl TarWriter {
    pub(crate) fn new(modified: u64) -> TarWriter {
        TarWriter { out: Vec::new(), modified }
    }

    /// Adds a file. Names that do not fit into a plain header get a PAX record, as in Go.
    pub(crate) fn file(&mut self, name: &[u8], data: &[u8]) {
        let mut block = [0; BLOCK];
        if name.len() <= NAME && name.is_ascii() && !name.contains(&0) {
            put(&mut block, 0, name);
        } else if let Some((prefix, suffix)) = split(name) {
            put(&mut block, 0, suffix);
            put(&mut block, 345, prefix);
        } else {
            self.pax_path(name);
            put(&mut block, 0, &cut(&ascii(name)));
        }
        octal(&mut block, 100, 8, 0o644);
        octal(&mut block, 108, 8, 0);
        octal(&mut block, 116, 8, 0);
        octal(&mut block, 124, 12, data.len() as u64);
        octal(&mut block, 136, 12, self.modified);
        octal(&mut block, 329, 8, 0);
        octal(&mut block, 337, 8, 0);
        self.entry(block, b'0', data);
    }

    /// A record with the name of the next file.
    fn pax_path(&mut self, name: &[u8]) {
        let data = pax_record(b"path", name);
        let cut_at = name.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
        let (dir, base) = name.split_at_checked(cut_at).unwrap_or_default();
        let mut block = [0; BLOCK];
        let pax_name = [dir, b"PaxHeaders.0/", base].concat();
        put(&mut block, 0, &cut(&ascii(&pax_name)));
        for (at, len) in [(100, 8), (108, 8), (116, 8), (136, 12)] {
            octal(&mut block, at, len, 0);
        }
        octal(&mut block, 124, 12, data.len() as u64);
        self.entry(block, b'x', &data);
    }

    fn entry(&mut self, mut block: [u8; BLOCK], flag: u8, data: &[u8]) {
        put(&mut block, 156, &[flag]);
        put(&mut block, 257, b"ustar\x0000");
        put(&mut block, 148, b"        ");
        let sum: u64 = block.iter().map(|&b| u64::from(b)).sum();
        octal(&mut block, 148, 7, sum);
        self.out.extend_from_slice(&block);
        self.out.extend_from_slice(data);
        self.out.resize(self.out.len().next_multiple_of(BLOCK), 0);
    }

    /// The whole archive.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.out.resize(self.out.len() + 2 * BLOCK, 0);
        self.out
    }
}

fn put(block: &mut [u8; BLOCK], at: usize, bytes: &[u8]) {
    let field = block.iter_mut().skip(at);
    field.zip(bytes).for_each(|(to, from)| *to = *from);
}

/// Digits that fill a field but for its final NUL.
fn octal(block: &mut [u8; BLOCK], at: usize, len: usize, number: u64) {
    let digits = format!("{number:0width$o}\0", width = len - 1);
    put(block, at, digits.as_bytes());
}

/// `splitUSTARPath`.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if !name.is_ascii() || name.contains(&0) {
        return None;
    }
    let length = name.len().min(PREFIX + 1);
    let at = name.get(..length)?.iter().rposition(|&b| b == b'/').filter(|&at| at > 0)?;
    let suffix = name.get(at + 1..)?;
    (!suffix.is_empty() && suffix.len() <= NAME)
        .then(|| (name.get(..at).unwrap_or_default(), suffix))
}

fn ascii(name: &[u8]) -> Vec<u8> {
    name.iter().copied().filter(|b| b.is_ascii() && *b != 0).collect()
}

fn cut(name: &[u8]) -> Vec<u8> {
    name.get(..NAME).unwrap_or(name).to_vec()
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn pax_record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut total = rest + rest.to_string().len();
    total = rest + total.to_string().len();
    let mut record = total.to_string().into_bytes();
    record.push(b' ');
    record.extend_from_slice(key);
    record.push(b'=');
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

/// Compresses with Helm's mark in the header. No time and no name is kept, so that the same bytes give
/// the same archive.
pub(crate) fn gzip(tar: &[u8]) -> Vec<u8> {
    let out = Vec::with_capacity(tar.len() / 4);
    let builder = GzBuilder::new().extra(EXTRA).comment("Helm").operating_system(255).mtime(0);
    let mut writer = builder.write(out, Compression::default());
    // Writing to memory does not fail.
    let written = writer.write_all(tar).and_then(|()| writer.finish());
    written.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ArchiveLimits, load_archive_files};

    #[test]
    fn names_of_all_lengths_come_back() {
        let long = format!("c/{}/{}", "d".repeat(120), "f".repeat(90));
        let longer = format!("c/{}", "x".repeat(300));
        let names = ["c/a.yaml", "c/é.yaml", &long, &longer];
        let mut tar = TarWriter::new(1);
        names.iter().for_each(|name| tar.file(name.as_bytes(), name.as_bytes()));
        let archive = gzip(&tar.finish());
        let files = load_archive_files(&archive, &ArchiveLimits::default()).unwrap();
        let found: Vec<String> =
            files.iter().map(|file| format!("c/{}", file.name.to_string_lossy())).collect();
        assert_eq!(found, names);
        assert!(files.iter().zip(names).all(|(file, name)| &file.data[..] == name.as_bytes()));
    }

    #[test]
    fn pax_records_count_their_own_length() {
        assert_eq!(pax_record(b"path", b"abc"), b"12 path=abc\n");
        let value = [b'x'; 91];
        let record = pax_record(b"path", &value);
        assert_eq!(record.len(), 101);
        assert!(record.starts_with(b"101 path="));
        let record = pax_record(b"path", &[b'x'; 90]);
        assert!(record.starts_with(b"99 path=") && record.len() == 99, "{}", record.len());
    }

    #[test]
    fn the_gzip_header_is_helms() {
        let archive = gzip(b"");
        let head = [b"\x1f\x8b\x08\x14\0\0\0\0\0\xff\x2c\0", EXTRA, b"Helm\0"].concat();
        assert!(archive.starts_with(&head), "{}", archive.escape_ascii());
    }
}
