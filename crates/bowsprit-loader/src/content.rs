//! The cache of downloads, named by their digests.

use crate::net::sink::hex;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;

/// Whether a cached file is there and still what its name says. Helm does not look; a file that was
/// damaged or swapped is brought again.
pub(crate) fn is_intact(file: &Path, digest: &str) -> bool {
    let Ok(mut opened) = std::fs::File::open(file) else { return false };
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        match opened.read(&mut chunk) {
            Ok(0) => return hex(&hash.finalize()) == digest,
            Ok(count) => hash.update(chunk.get(..count).unwrap_or_default()),
            Err(_) => return false,
        }
    }
}
