//! What lies where: archives that need not be read to know which they are.

use super::stored::write_new;
use super::system::{Stamp, stamp};
use super::tree::settled;
use bowsprit_value::codec::{Decoder, Encoder};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The SHA-256 of an archive.
pub(super) type Sum = [u8; 32];

/// The file in which it stands what lies at a path. Which file that path leads to is part of the stamp.
fn file(dir: &Path, archive: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(archive).ok()?;
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(dir.join(name).with_extension("place"))
}

/// The digest of an archive that has not been changed since it was noted.
pub(super) fn find(dir: &Path, archive: &Path) -> Option<Sum> {
    let noted = fs::read(file(dir, archive)?).ok()?;
    let mut decoder = Decoder::new(&noted);
    let sum = *decoder.raw(size_of::<Sum>())?.first_chunk()?;
    let was = Stamp::decode(&mut decoder)?;
    (stamp(&archive.metadata().ok()?) == Some(was)).then_some(sum)
}

/// Notes the digest of an archive that has not been changed since a time, nor shortly before.
pub(super) fn note(dir: &Path, archive: &Path, sum: &Sum, since: SystemTime) -> io::Result<()> {
    let stamp = stamp(&archive.metadata()?);
    let (Some(stamp), Some(settled)) = (stamp, settled(since)) else { return Ok(()) };
    let Some(file) = file(dir, archive) else { return Ok(()) };
    if stamp.is_after(settled) {
        return Ok(());
    }
    let mut encoder = Encoder::default();
    encoder.raw(sum);
    stamp.encode(&mut encoder);
    let noted = encoder.finish().unwrap_or_default();
    write_new(&file, |file| file.write_all(&noted))
}
