//! Writes archives, also such as no archiver would.

use flate2::{Compression, write::GzEncoder};
use std::io::Write;

/// A header block; `change` edits it before its checksum is made.
pub(crate) fn header(
    name: &[u8],
    size: u64,
    flag: u8,
    change: impl FnOnce(&mut [u8; 512]),
) -> Vec<u8> {
    let mut block = [0u8; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..108].copy_from_slice(b"0000644\0");
    block[108..116].copy_from_slice(b"0000000\0");
    block[116..124].copy_from_slice(b"0000000\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[136..148].copy_from_slice(b"00000000000\0");
    block[156] = flag;
    block[257..265].copy_from_slice(b"ustar\x0000");
    change(&mut block);
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.to_vec()
}

pub(crate) fn padded(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    data.resize(data.len().next_multiple_of(512), 0);
    data
}

/// A regular file; long names by a PAX record.
pub(crate) fn file(name: &str, data: &[u8]) -> Vec<u8> {
    if name.len() > 100 {
        return [pax(b'x', &[("path", name)]), file("c/long", data)].concat();
    }
    [header(name.as_bytes(), data.len() as u64, b'0', |_| {}), padded(data)].concat()
}

/// A header of PAX records for the next entry (`x`) or for all (`g`).
pub(crate) fn pax(flag: u8, records: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::new();
    for (key, value) in records {
        let rest = format!(" {key}={value}\n");
        let mut len = rest.len() + 1;
        while format!("{len}{rest}").len() != len {
            len += 1;
        }
        text += &format!("{len}{rest}");
    }
    [header(b"pax", text.len() as u64, flag, |_| {}), padded(text.as_bytes())].concat()
}

/// Two zero blocks.
pub(crate) fn end() -> Vec<u8> {
    vec![0; 1024]
}

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// An archive of entries, with its end.
pub(crate) fn tgz(entries: &[Vec<u8>]) -> Vec<u8> {
    gzip(&[entries.concat(), end()].concat())
}

/// An archive of a chart's files, below a directory of its own.
pub(crate) fn chart(files: &[(&str, &[u8])]) -> Vec<u8> {
    let entries: Vec<_> =
        files.iter().map(|(name, data)| file(&format!("c/{name}"), data)).collect();
    tgz(&entries)
}
