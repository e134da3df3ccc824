//! Why a chart is not signed or not verified.

use crate::io::PathError;
use bowsprit_value::strconv;
use std::fmt;
use std::path::PathBuf;

/// Why a chart could not be signed or verified. `Display` is Helm's text.
#[derive(Debug)]
pub struct ProvenanceError(Box<Kind>);

#[derive(Debug)]
pub(super) enum Kind {
    Path(PathError),
    Unpacked,
    NoArchive,
    TooLarge {
        path: PathBuf,
        limit: u64,
    },
    Missing {
        path: PathBuf,
        source: PathError,
    },
    Keyring(ProvenanceError),
    /// The ring is in GnuPG's newer format.
    Keybox,
    InvalidData(String),
    SignatureBlock,
    MessageBlock,
    Sums(String),
    UnknownEntity,
    InvalidSignature(String),
    WeakHash(String),
    SignatureExpired,
    KeyExpired,
    KeyRevoked,
    NoSum(String),
    Mismatch {
        name: String,
        said: String,
        found: String,
    },
    KeyAmbiguous(String),
    KeyMissing,
    KeyPublic,
    Locked(String),
    Unsupported(String),
    Encode(String),
}

impl ProvenanceError {
    pub(super) fn while_loading_keyring(self) -> ProvenanceError {
        Kind::Keyring(self).into()
    }

    /// True where the files are there and say that the chart is not what was signed, or not by a key of
    /// the ring.
    pub fn is_rejection(&self) -> bool {
        matches!(
            *self.0,
            Kind::SignatureBlock
                | Kind::MessageBlock
                | Kind::Sums(_)
                | Kind::UnknownEntity
                | Kind::InvalidSignature(_)
                | Kind::WeakHash(_)
                | Kind::SignatureExpired
                | Kind::KeyExpired
                | Kind::KeyRevoked
                | Kind::NoSum(_)
                | Kind::Mismatch { .. }
        )
    }
}

impl From<Kind> for ProvenanceError {
    #[cold]
    fn from(kind: Kind) -> ProvenanceError {
        ProvenanceError(Box::new(kind))
    }
}

impl From<PathError> for ProvenanceError {
    fn from(error: PathError) -> ProvenanceError {
        Kind::Path(error).into()
    }
}

fn quote(text: &str) -> String {
    String::from_utf8_lossy(&strconv::quote(text.as_bytes())).into_owned()
}

impl fmt::Display for ProvenanceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Path(error) => error.fmt(f),
            Kind::Unpacked => f.write_str("unpacked charts cannot be verified"),
            Kind::NoArchive => f.write_str("chart must be a tgz file"),
            Kind::TooLarge { path, limit } => {
                write!(f, "{} is larger than the {limit} bytes it may have", path.display())
            }
            Kind::Missing { path, source } => {
                write!(f, "could not load provenance file {}: {source}", path.display())
            }
            Kind::Keyring(error) => write!(f, "failed to load keyring: {error}"),
            Kind::Keybox => f.write_str(
                "openpgp: invalid data: this is a keybox, which GnuPG writes since 2.1; \
                 export its keys with 'gpg --export > pubring.gpg' \
                 (to sign: 'gpg --export-secret-keys > secring.gpg')",
            ),
            Kind::InvalidData(what) => write!(f, "openpgp: invalid data: {what}"),
            Kind::SignatureBlock => f.write_str("signature block not found"),
            Kind::MessageBlock => f.write_str("message block must have at least two parts"),
            Kind::Sums(error) | Kind::Encode(error) => f.write_str(error),
            Kind::UnknownEntity => f.write_str("openpgp: signature made by unknown entity"),
            Kind::InvalidSignature(why) => write!(f, "openpgp: invalid signature: {why}"),
            Kind::WeakHash(name) => write!(f, "openpgp: weak algorithms are rejected: {name}"),
            Kind::SignatureExpired => f.write_str("openpgp: signature expired"),
            Kind::KeyExpired => f.write_str("openpgp: key expired"),
            Kind::KeyRevoked => f.write_str("openpgp: signature made by revoked key"),
            Kind::NoSum(name) => {
                write!(f, "provenance does not contain a SHA for a file named {}", quote(name))
            }
            Kind::Mismatch { name, said, found } => {
                let (said, found) = (quote(said), quote(found));
                write!(f, "sha256 sum does not match for {name}: {said} != {found}")
            }
            Kind::KeyAmbiguous(id) => {
                write!(f, "more than one key contain the id {}", quote(id))
            }
            Kind::KeyMissing => f.write_str("private key not found"),
            Kind::KeyPublic => f.write_str(
                "provided key is not a private key. Try providing a keyring with secret keys",
            ),
            Kind::Locked(why) => write!(f, "openpgp: invalid data: private key {why}"),
            Kind::Unsupported(what) => write!(f, "openpgp: unsupported feature: {what}"),
        }
    }
}

impl std::error::Error for ProvenanceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Path(error) | Kind::Missing { source: error, .. } => Some(error),
            Kind::Keyring(error) => Some(error),
            _ => None,
        }
    }
}
