//! Provenance files: a packaged chart's metadata and hash, signed with a PGP key.
//!
//! What Helm and `gpg --clearsign` write is accepted, and Helm accepts what is written here. Verification
//! fails closed: whatever is missing, expired, revoked, weak or not understood is an error.

mod cleartext;
mod error;
mod keyring;
mod verify;

pub use error::ProvenanceError;
pub use keyring::{Keyring, Signer};
pub use verify::Verification;

use crate::io;
use bowsprit_chart::Metadata;
use bowsprit_value::{Map, Meter, Str, Value};
use error::Kind;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Bytes that a provenance file may have. It holds a `Chart.yaml` and a signature.
const MAX_PROVENANCE: u64 = 5 << 20;
/// Bytes that a keyring may have.
const MAX_KEYRING: u64 = 256 << 20;
/// Bytes that a packaged chart may have: what Helm lets it be when it is inflated.
const MAX_ARCHIVE: u64 = 100 << 20;

/// Checks a packaged chart on disk against its provenance file and a keyring (`VerifyChart`).
///
/// # Errors
/// Unless the provenance file names the chart's file with its hash and is signed by a key of the ring.
pub fn verify_chart(
    path: &Path,
    provenance: &Path,
    keyring: &Path,
) -> Result<Verification, ProvenanceError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    verify_chart_as(&name, path, provenance, keyring)
}

/// As [`verify_chart`], for an archive that has another name on disk than its provenance file gives it.
///
/// # Errors
/// As [`verify_chart`].
pub fn verify_chart_as(
    name: &str,
    path: &Path,
    provenance: &Path,
    keyring: &Path,
) -> Result<Verification, ProvenanceError> {
    let found = io::stat(path)?;
    if found.is_dir() {
        return Err(Kind::Unpacked.into());
    }
    if !Path::new(name).extension().is_some_and(|ext| ext.eq_ignore_ascii_case("tgz")) {
        return Err(Kind::NoArchive.into());
    }
    io::stat(provenance).map_err(|source| Kind::Missing { path: provenance.to_owned(), source })?;
    let keyring = Keyring::load(keyring).map_err(|error| error.while_loading_keyring())?;
    let archive = io::read(path, MAX_ARCHIVE + 1)?;
    if archive.len() as u64 > MAX_ARCHIVE {
        return Err(Kind::TooLarge { path: path.to_owned(), limit: MAX_ARCHIVE }.into());
    }
    let text = io::read(provenance, MAX_PROVENANCE + 1)?;
    if text.len() as u64 > MAX_PROVENANCE {
        return Err(Kind::TooLarge { path: provenance.to_owned(), limit: MAX_PROVENANCE }.into());
    }
    keyring.verify(&archive, &text, name)
}

/// Signs a packaged chart: the text of its provenance file.
///
/// # Errors
/// When the metadata can't be written or the key can't sign.
pub fn sign_chart(
    signer: &Signer,
    archive: &[u8],
    file_name: &str,
    metadata: &Metadata,
) -> Result<String, ProvenanceError> {
    let mut message = metadata.to_yaml().map_err(|error| Kind::Encode(error.to_string()))?;
    message.extend_from_slice(b"\n...\n");
    let sums = Map::from_entries([(Str::from(file_name), Value::str(digest(archive)))]);
    let files = Map::from_entries([(Str::from("files"), sums.into())]);
    bowsprit_yaml::encode(&files.into(), &mut message, &Meter::default())
        .map_err(|error| Kind::Encode(error.to_string()))?;
    let message = String::from_utf8(message).map_err(|error| Kind::Encode(error.to_string()))?;
    signer.clear_sign(&message)
}

/// `sha256:` and hexadecimal.
fn digest(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The keyring that Helm takes when none is named: `pubring.gpg` of GnuPG's folder.
pub fn default_keyring() -> PathBuf {
    let home = || std::env::var_os("HOME").map_or(PathBuf::new(), PathBuf::from);
    let folder = std::env::var_os("GNUPGHOME").map(PathBuf::from);
    folder.unwrap_or_else(|| home().join(".gnupg")).join("pubring.gpg")
}
