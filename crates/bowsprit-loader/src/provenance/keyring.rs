//! Rings of keys, and the key that signs.

use super::MAX_KEYRING;
use super::cleartext;
use super::error::{Kind, ProvenanceError};
use crate::io;
use pgp::armor::Dearmor;
use pgp::composed::{
    ArmorOptions, Deserializable, DetachedSignature, SignedPublicKey, SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Packet, PacketParser, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{KeyDetails, KeyVersion, Password, Timestamp};
use std::borrow::Cow;
use std::fmt;
use std::io::Read;
use std::path::Path;

/// A ring of PGP keys, public or secret.
pub struct Keyring {
    pub(super) keys: Vec<RingKey>,
}

/// A key of a ring.
pub(super) struct RingKey {
    pub(super) public: SignedPublicKey,
    secret: Option<SignedSecretKey>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.iter().map(|key| key.public.fingerprint().to_string());
        f.debug_list().entries(keys).finish()
    }
}

impl Keyring {
    /// Reads a ring: what `gpg --export` writes, armored or not, or an old `pubring.gpg`.
    ///
    /// # Errors
    /// When the file can't be read, or when there is something in it but no key.
    pub fn load(path: &Path) -> Result<Keyring, ProvenanceError> {
        Keyring::parse(&io::read(path, MAX_KEYRING)?)
    }

    /// A ring in memory. Keys that are not understood are passed over.
    ///
    /// # Errors
    /// When there are bytes, but no key in them.
    pub fn parse(bytes: &[u8]) -> Result<Keyring, ProvenanceError> {
        if bytes.is_empty() {
            return Ok(Keyring { keys: Vec::new() });
        }
        if bytes.get(8..12) == Some(b"KBXf") {
            return Err(Kind::Keybox.into());
        }
        let mut keys = Vec::new();
        let mut last = None;
        for packets in split(&dearmored(bytes)?) {
            match RingKey::parse(packets) {
                Ok(key) => keys.push(key),
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) if keys.is_empty() => Err(Kind::InvalidData(error.to_string()).into()),
            _ => Ok(Keyring { keys }),
        }
    }

    /// Picks the key to sign with: the one with exactly this identity, or the only one whose identity
    /// contains the text. `passphrase` is asked, with the key's identity, if the key is locked.
    ///
    /// # Errors
    /// When there is no such key, more than one, or only its public part, and when it can't be unlocked.
    pub fn signer<E: fmt::Display>(
        self,
        id: &str,
        passphrase: impl FnOnce(&str) -> Result<Vec<u8>, E>,
    ) -> Result<Signer, ProvenanceError> {
        let index = self.find(id)?.ok_or(Kind::KeyMissing)?;
        let key = self.keys.into_iter().nth(index).ok_or(Kind::KeyMissing)?;
        let name = key.identities().into_iter().find(|name| !name.is_empty());
        let secret = key.secret.ok_or(Kind::KeyPublic)?;
        let mut password = Password::empty();
        if secret.primary_key.secret_params().is_encrypted() {
            let name = name.unwrap_or_else(|| "Unknown".to_owned());
            let bytes = passphrase(&name).map_err(|error| Kind::Encode(error.to_string()))?;
            password = Password::from(bytes.as_slice());
            match secret.primary_key.unlock(&password, |_, _| Ok(())) {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => {
                    return Err(Kind::Locked("checksum failure".to_owned()).into());
                }
            }
        }
        Ok(Signer { secret, password })
    }

    /// `NewFromKeyring`: the index of the key that an id means.
    fn find(&self, id: &str) -> Result<Option<usize>, ProvenanceError> {
        let names: Vec<(usize, String)> = self
            .keys
            .iter()
            .enumerate()
            .flat_map(|(at, key)| key.identities().into_iter().map(move |name| (at, name)))
            .collect();
        if let Some((at, _)) = names.iter().find(|(_, name)| name == id) {
            return Ok(Some(*at));
        }
        let mut similar = names.iter().filter(|(_, name)| name.contains(id));
        let first = similar.next();
        if similar.next().is_some() {
            return Err(Kind::KeyAmbiguous(id.to_owned()).into());
        }
        Ok(first.map(|(at, _)| *at))
    }
}

/// The bytes of a ring that may be armored.
fn dearmored(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ProvenanceError> {
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut inside = Vec::new();
    let read = Dearmor::new(bytes).read_to_end(&mut inside);
    read.map_err(|_| Kind::InvalidData("tag byte does not have MSB set".to_owned()))?;
    Ok(Cow::Owned(inside))
}

/// The packets of each key, so that a broken one does not spoil those behind it. GnuPG's notes to itself
/// about trust, and what is unknown, are left out.
fn split(bytes: &[u8]) -> Vec<Vec<pgp::errors::Result<Packet>>> {
    let mut keys: Vec<Vec<pgp::errors::Result<Packet>>> = Vec::new();
    for packet in PacketParser::new(bytes) {
        match &packet {
            Ok(Packet::Trust(_) | Packet::Marker(_) | Packet::Padding(_)) => continue,
            Ok(Packet::PublicKey(_) | Packet::SecretKey(_)) => keys.push(Vec::new()),
            Err(pgp::errors::Error::Unsupported { .. }) => continue,
            _ => {}
        }
        match keys.last_mut() {
            Some(key) => key.push(packet),
            None => keys.push(vec![packet]),
        }
    }
    keys
}

impl RingKey {
    fn parse(packets: Vec<pgp::errors::Result<Packet>>) -> pgp::errors::Result<RingKey> {
        let is_secret = matches!(packets.first(), Some(Ok(Packet::SecretKey(_))));
        let packets = packets.into_iter().peekable();
        if is_secret {
            let secret = SignedSecretKey::from_packets(packets).next();
            let secret = secret.unwrap_or_else(|| Err(nothing()))?;
            return Ok(RingKey { public: secret.to_public_key(), secret: Some(secret) });
        }
        let public = SignedPublicKey::from_packets(packets).next();
        Ok(RingKey { public: public.unwrap_or_else(|| Err(nothing()))?, secret: None })
    }
}

fn nothing() -> pgp::errors::Error {
    "first packet was not a public/private key".to_owned().into()
}

/// A key that can sign.
pub struct Signer {
    secret: SignedSecretKey,
    password: Password,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.secret.fingerprint().to_string()).finish()
    }
}

impl Signer {
    /// The text and its signature in one, as Helm writes them.
    pub(super) fn clear_sign(&self, text: &str) -> Result<String, ProvenanceError> {
        let key = &self.secret.primary_key;
        if key.version() != KeyVersion::V4 {
            return Err(Kind::Unsupported(format!("keys of version {:?}", key.version())).into());
        }
        let failed = |error: pgp::errors::Error| Kind::InvalidSignature(error.to_string());
        let hash = HashAlgorithm::Sha512;
        let mut config = SignatureConfig::v4(SignatureType::Text, key.algorithm(), hash);
        config.hashed_subpackets = vec![
            Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::now()))
                .map_err(failed)?,
            Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))
                .map_err(failed)?,
        ];
        config.unhashed_subpackets = vec![
            Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id())).map_err(failed)?,
        ];
        let signed = cleartext::signed_text(text);
        let signature = config.sign(key, &self.password, signed.as_bytes()).map_err(failed)?;
        let armored = DetachedSignature::new(signature)
            .to_armored_string(ArmorOptions::default())
            .map_err(failed)?;
        Ok(cleartext::encode(text, "SHA512", &armored))
    }
}
