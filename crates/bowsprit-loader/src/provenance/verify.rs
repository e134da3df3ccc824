//! Whether a signature holds, and for which file.
//!
//! The rules are those of the OpenPGP library that Helm uses: the key must be one of the ring with a
//! self-signature that lets it sign; it, its identity and the signature must be neither expired nor
//! revoked. A revocation counts even where it can't be checked, and broken hashes do not count.

use super::cleartext::{self, Block};
use super::error::{Kind, ProvenanceError};
use super::keyring::{Keyring, RingKey};
use bowsprit_yaml::{Document, NodeType};
use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Packet, PacketParser, PublicKey, Signature, SignatureType, SubpacketData};
use pgp::types::{Duration, KeyDetails, SignedUser, Tag, Timestamp, VerifyingKey};
use std::fmt;
use std::io::{BufReader, Read};

/// What was verified. `Display` is what `helm verify` prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The identities of the key that signed, sorted.
    pub signed_by: Vec<String>,
    /// The fingerprint of that key, in upper case.
    pub fingerprint: String,
    /// The hash of the file, with `sha256:` before it.
    pub file_hash: String,
    /// The name of the file.
    pub file_name: String,
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.signed_by {
            writeln!(f, "Signed by: {name}")?;
        }
        writeln!(f, "Using Key With Fingerprint: {}", self.fingerprint)?;
        writeln!(f, "Chart Hash Verified: {}", self.file_hash)
    }
}

impl Keyring {
    /// Checks an archive against the text of its provenance file.
    ///
    /// # Errors
    /// Unless the text is signed by a key of this ring, and names the file with the hash of the archive.
    pub fn verify(
        &self,
        archive: &[u8],
        provenance: &[u8],
        file_name: &str,
    ) -> Result<Verification, ProvenanceError> {
        let text = std::str::from_utf8(provenance).map_err(|_| Kind::SignatureBlock)?;
        let block = cleartext::decode(text).ok_or(Kind::SignatureBlock)?;
        let key = self.check(&block, Timestamp::now())?;
        let found = super::digest(archive);
        let said = sum(&block.text, file_name)?;
        if said != found {
            let name = file_name.to_owned();
            return Err(Kind::Mismatch { name, said, found }.into());
        }
        Ok(Verification {
            signed_by: key.identities(),
            fingerprint: format!("{:X}", key.public.fingerprint()),
            file_hash: found,
            file_name: file_name.to_owned(),
        })
    }

    /// `CheckDetachedSignature`: the key that made the first signature that is by any key of the ring.
    fn check(&self, block: &Block, now: Timestamp) -> Result<&RingKey, ProvenanceError> {
        let signed = block.text.replace('\n', "\r\n");
        for signature in signatures(&block.signature)? {
            let ids = signature.issuer_key_id();
            let fingerprints = signature.issuer_fingerprint();
            if ids.is_empty() && fingerprints.is_empty() {
                return Err(Kind::InvalidData("signature doesn't have an issuer".into()).into());
            }
            let by = |key: &dyn Named| {
                ids.iter().any(|id| **id == key.id())
                    || fingerprints.iter().any(|f| **f == key.print())
            };
            for key in &self.keys {
                let subkeys = key.public.public_subkeys.iter().filter(|sub| by(&sub.key));
                let binding = key.binding();
                if by(&key.public.primary_key) && binding.as_ref().is_some_and(|b| b.may_sign()) {
                    verify_text(&signature, &key.public.primary_key, &signed)?;
                    check_details(key, None, &signature, now)?;
                    return Ok(key);
                }
                for subkey in subkeys {
                    let Some(bound) = bound_subkey(&key.public, subkey) else { continue };
                    verify_text(&signature, &subkey.key, &signed)?;
                    check_details(key, Some((subkey, bound)), &signature, now)?;
                    return Ok(key);
                }
            }
        }
        Err(Kind::UnknownEntity.into())
    }
}

/// What of a key is compared with the issuer of a signature.
trait Named {
    fn id(&self) -> pgp::types::KeyId;
    fn print(&self) -> pgp::types::Fingerprint;
}

impl<K: KeyDetails> Named for K {
    fn id(&self) -> pgp::types::KeyId {
        self.legacy_key_id()
    }

    fn print(&self) -> pgp::types::Fingerprint {
        self.fingerprint()
    }
}

fn signatures(armored: &str) -> Result<Vec<Signature>, ProvenanceError> {
    let mut bytes = Vec::new();
    let mut armor = pgp::armor::Dearmor::new(armored.as_bytes());
    armor.read_to_end(&mut bytes).map_err(|_| Kind::SignatureBlock)?;
    let mut found = Vec::new();
    for packet in PacketParser::new(BufReader::new(bytes.as_slice())) {
        match packet {
            Ok(Packet::Signature(signature)) => found.push(signature),
            Ok(_) => return Err(Kind::InvalidData("non signature packet found".into()).into()),
            Err(error) => return Err(Kind::InvalidData(error.to_string()).into()),
        }
    }
    Ok(found)
}

fn verify_text(
    signature: &Signature,
    key: &impl VerifyingKey,
    text: &str,
) -> Result<(), ProvenanceError> {
    if !matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary)) {
        return Err(Kind::InvalidSignature("not a signature of a document".into()).into());
    }
    check_hash(signature)?;
    signature
        .verify(key, text.as_bytes())
        .map_err(|_| Kind::InvalidSignature(format!("{} verification failure", family(key))).into())
}

fn family(key: &impl KeyDetails) -> String {
    let name = format!("{:?}", key.algorithm());
    ["RSA", "DSA", "ECDSA"]
        .into_iter()
        .find(|family| name.eq_ignore_ascii_case(family))
        .map_or_else(|| "EdDSA".to_owned(), str::to_owned)
}

/// Hashes for which collisions can be made prove nothing about who wrote a text.
fn check_hash(signature: &Signature) -> Result<(), ProvenanceError> {
    match signature.hash_alg() {
        Some(HashAlgorithm::Md5) => Err(Kind::WeakHash("MD5".into()).into()),
        Some(HashAlgorithm::Sha1) => Err(Kind::WeakHash("SHA1".into()).into()),
        Some(HashAlgorithm::Ripemd160) => Err(Kind::WeakHash("RIPEMD160".into()).into()),
        Some(_) => Ok(()),
        None => Err(Kind::Unsupported("signature version".into()).into()),
    }
}

/// The self-signature of a key that says what it may be used for, with the identity it belongs to.
pub(super) struct Binding<'k> {
    signature: &'k Signature,
    user: &'k SignedUser,
}

impl Binding<'_> {
    fn may_sign(&self) -> bool {
        self.signature.key_flags().sign()
    }
}

impl RingKey {
    /// Users whose self-signature holds, with the newest of these.
    fn users(&self) -> Vec<Binding<'_>> {
        let key = &self.public.primary_key;
        let mut found = Vec::new();
        for user in &self.public.details.users {
            let own = user.signatures.iter().filter(|signature| {
                signature.typ() != Some(SignatureType::CertRevocation)
                    && is_own(signature, key)
                    && signature.verify_certification(key, Tag::UserId, &user.id).is_ok()
            });
            let newest = own.max_by_key(|signature| signature.created());
            found.extend(newest.map(|signature| Binding { signature, user }));
        }
        found
    }

    /// The identities of the key, sorted.
    pub(super) fn identities(&self) -> Vec<String> {
        let name = |b: Binding<'_>| String::from_utf8_lossy(b.user.id.id()).into_owned();
        let mut names: Vec<String> = self.users().into_iter().map(name).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The self-signature of the primary identity: the one that says so, else the newest; revoked ones
    /// last.
    fn binding(&self) -> Option<Binding<'_>> {
        let rank = |b: &Binding<'_>| {
            (!self.is_user_revoked(b), b.signature.is_primary(), b.signature.created())
        };
        self.users().into_iter().max_by_key(rank)
    }

    fn is_user_revoked(&self, binding: &Binding<'_>) -> bool {
        let key = &self.public.primary_key;
        binding.user.signatures.iter().any(|signature| {
            signature.typ() == Some(SignatureType::CertRevocation)
                && is_own(signature, key)
                && signature.verify_certification(key, Tag::UserId, &binding.user.id).is_ok()
                && signature.created() >= binding.signature.created()
        })
    }
}

fn is_own(signature: &Signature, key: &PublicKey) -> bool {
    signature.issuer_key_id().iter().any(|id| **id == key.legacy_key_id())
        || signature.issuer_fingerprint().iter().any(|print| **print == key.fingerprint())
}

/// The newest binding of a subkey, if it holds and lets the subkey sign.
fn bound_subkey<'k>(
    key: &SignedPublicKey,
    subkey: &'k SignedPublicSubKey,
) -> Option<&'k Signature> {
    let bindings = subkey.signatures.iter().filter(|signature| {
        signature.typ() == Some(SignatureType::SubkeyBinding)
            && signature.verify_subkey_binding(&key.primary_key, &subkey.key).is_ok()
    });
    let newest = bindings.max_by_key(|signature| signature.created())?;
    let back = newest.embedded_signature()?;
    back.verify_primary_key_binding(&subkey.key, &key.primary_key).ok()?;
    newest.key_flags().sign().then_some(newest)
}

/// `checkMessageSignatureDetails`, after the signature itself holds.
fn check_details(
    key: &RingKey,
    subkey: Option<(&SignedPublicSubKey, &Signature)>,
    signature: &Signature,
    now: Timestamp,
) -> Result<(), ProvenanceError> {
    let binding = key.binding().ok_or(Kind::UnknownEntity)?;
    let mut all = vec![signature, binding.signature];
    if let Some((_, bound)) = subkey {
        all.push(bound);
        all.extend(bound.embedded_signature());
    }
    for signature in &all {
        check_critical(signature)?;
    }
    let sub_revoked = subkey.is_some_and(|(sub, _)| {
        sub.signatures.iter().any(|s| s.typ() == Some(SignatureType::SubkeyRevocation))
    });
    let revoked = !key.public.details.revocation_signatures.is_empty();
    if revoked || sub_revoked || key.is_user_revoked(&binding) {
        return Err(Kind::KeyRevoked.into());
    }
    if is_key_expired(&key.public.primary_key, binding.signature, now)
        || subkey.is_some_and(|(sub, bound)| is_key_expired(&sub.key, bound, now))
    {
        return Err(Kind::KeyExpired.into());
    }
    if all.iter().any(|signature| is_expired(signature, now)) {
        return Err(Kind::SignatureExpired.into());
    }
    Ok(())
}

/// What a signature says must be understood is not ignored.
fn check_critical(signature: &Signature) -> Result<(), ProvenanceError> {
    let config = signature.config().ok_or(Kind::Unsupported("signature version".into()))?;
    for subpacket in config.hashed_subpackets().filter(|subpacket| subpacket.is_critical) {
        let unknown = match &subpacket.data {
            SubpacketData::Notation(notation) => {
                let name = String::from_utf8_lossy(&notation.name);
                format!("unknown critical notation: {name}")
            }
            SubpacketData::Other(tag, _) | SubpacketData::Experimental(tag, _) => {
                format!("unknown critical signature subpacket type {tag}")
            }
            _ => continue,
        };
        return Err(Kind::InvalidSignature(unknown).into());
    }
    Ok(())
}

fn is_key_expired(key: &impl KeyDetails, binding: &Signature, now: Timestamp) -> bool {
    let created = key.created_at();
    created > now || is_over(created, binding.key_expiration_time(), now)
}

fn is_expired(signature: &Signature, now: Timestamp) -> bool {
    signature.created().is_none_or(|created| {
        created > now || is_over(created, signature.signature_expiration_time(), now)
    })
}

/// Whether a time has passed; none, and zero, never pass.
fn is_over(from: Timestamp, lifetime: Option<Duration>, now: Timestamp) -> bool {
    let lifetime = lifetime.map_or(0, |lifetime| u64::from(lifetime.as_secs()));
    lifetime != 0 && u64::from(now.as_secs()) > u64::from(from.as_secs()) + lifetime
}

/// The hash that a message names for a file: `files` of the YAML behind the metadata.
fn sum(message: &str, file_name: &str) -> Result<String, ProvenanceError> {
    let part = message.split("\n...\n").nth(1).ok_or(Kind::MessageBlock)?;
    let broken = |error: bowsprit_yaml::Error| Kind::Sums(error.to_string());
    let document = Document::parse(part.as_bytes()).map_err(broken)?;
    let root = document.root();
    let mut found = None;
    for (key, files) in root.entries() {
        if key.as_bytes().eq_ignore_ascii_case(b"files") && files.node_type() == NodeType::Mapping {
            found = files.get(file_name.as_bytes()).and_then(|node| node.as_string_target());
        }
    }
    let sum = found.ok_or_else(|| Kind::NoSum(file_name.to_owned()))?;
    Ok(String::from_utf8_lossy(&sum).into_owned())
}
