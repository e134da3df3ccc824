//! Writing certificates, field for field as Go's `x509.CreateCertificate` does for sprig.

use super::super::der;
use super::super::key::{self, PrivateKey};
use super::super::random;
use super::parse::Parsed;
use crate::date::{Time, Zone};
use bowsprit_value::{Host, Str};
use num_bigint::BigUint;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// What a certificate says.
pub(super) struct Subject {
    pub(super) name: Str,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) names: Vec<Str>,
    pub(super) days: i64,
    /// It may sign others.
    pub(super) authority: bool,
}

impl Subject {
    pub(super) fn authority(name: &Str, days: i64) -> Subject {
        Subject {
            name: name.clone(),
            addresses: Vec::new(),
            names: Vec::new(),
            days,
            authority: true,
        }
    }
}

/// Who signs.
pub(super) enum Issuer<'a> {
    Itself,
    Other(Parsed<'a>),
}

const COMMON_NAME: &[u8] = b"\x55\x04\x03";
const KEY_USAGE: &[u8] = b"\x55\x1d\x0f";
const EXTENDED_KEY_USAGE: &[u8] = b"\x55\x1d\x25";
const BASIC_CONSTRAINTS: &[u8] = b"\x55\x1d\x13";
const SUBJECT_KEY_ID: &[u8] = b"\x55\x1d\x0e";
const AUTHORITY_KEY_ID: &[u8] = b"\x55\x1d\x23";
const ALTERNATIVE_NAME: &[u8] = b"\x55\x1d\x11";
const SERVER_AUTH: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x03\x01";
const CLIENT_AUTH: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x03\x02";
const SHA256_WITH_RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
const EMPTY: &[u8] = &[der::SEQUENCE, 0];

type Result<T> = std::result::Result<T, String>;

/// The signed certificate in DER; the error is Go's text.
pub(super) fn certificate(
    subject: &Subject,
    key: &PrivateKey,
    issuer: &Issuer<'_>,
    signer: &PrivateKey,
    host: &dyn Host,
) -> Result<Vec<u8>> {
    let serial = BigUint::from_bytes_be(&random::bytes::<16>(host));
    let algorithm = signature_algorithm(signer)?;
    let public = PublicKey::of(key)?;
    let name = distinguished_name(&subject.name)?;
    let issuer_name = match issuer {
        Issuer::Itself => &name,
        Issuer::Other(parsed) => parsed.subject,
    };
    let authority_key_id = match issuer {
        Issuer::Other(parsed) if parsed.subject != name => parsed.subject_key_id,
        _ => &[],
    };
    if let Issuer::Other(parsed) = issuer {
        let own = PublicKey::of(signer)?.info();
        if parsed.known_key.is_some_and(|known| known != own) {
            return Err("x509: provided PrivateKey doesn't match parent's PublicKey".to_owned());
        }
    }
    let extensions = extensions(subject, &name, &public, authority_key_id)?;
    let signed = der::sequence(&[
        &der::element(der::explicit(0), &[&der::small_integer(2)]),
        &der::integer(&serial),
        &algorithm,
        issuer_name,
        &validity(subject.days, host)?,
        &name,
        &public.info(),
        &der::element(der::explicit(3), &[&der::sequence(&[&extensions])]),
    ]);
    let signature = sign(signer, &signed)?;
    Ok(der::sequence(&[&signed, &algorithm, &der::bits(&signature)]))
}

const NO_SIGNER: &str = "x509: certificate private key does not implement crypto.Signer";

fn signature_algorithm(signer: &PrivateKey) -> Result<Vec<u8>> {
    match signer {
        PrivateKey::Rsa(_) => {
            Ok(der::sequence(&[&der::oid(SHA256_WITH_RSA), &der::element(der::NULL, &[])]))
        }
        PrivateKey::Ec(key) => Ok(der::sequence(&[&der::oid(key.curve().signature_oid())])),
        PrivateKey::Ed25519(_) => Ok(der::sequence(&[&der::oid(key::ED25519)])),
        PrivateKey::X25519(_) | PrivateKey::Dsa(_) => Err(NO_SIGNER.to_owned()),
    }
}

fn sign(signer: &PrivateKey, message: &[u8]) -> Result<Vec<u8>> {
    match signer {
        PrivateKey::Rsa(key) => key.sign(message),
        PrivateKey::Ec(key) => key.sign(message).ok_or_else(|| NO_SIGNER.to_owned()),
        PrivateKey::Ed25519(seed) => {
            let pair = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new(*seed));
            Ok(pair.sk.sign(message, None).to_vec())
        }
        PrivateKey::X25519(_) | PrivateKey::Dsa(_) => Err(NO_SIGNER.to_owned()),
    }
}

/// A public key as certificates hold it.
struct PublicKey {
    algorithm: Vec<u8>,
    bytes: Vec<u8>,
}

impl PublicKey {
    fn of(key: &PrivateKey) -> Result<PublicKey> {
        let unsupported = |name: &str| Err(format!("x509: unsupported public key type: {name}"));
        let (algorithm, bytes) = match key {
            PrivateKey::Rsa(key) => {
                let parts = [&der::oid(key::RSA)[..], &[der::NULL, 0]];
                (der::sequence(&parts), key.public_der())
            }
            PrivateKey::Ec(key) => {
                let parts = [der::oid(key::ECDSA), der::oid(key.curve().oid())].concat();
                (der::sequence(&[&parts]), key.public().to_vec())
            }
            PrivateKey::Ed25519(seed) => {
                let pair = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new(*seed));
                (der::sequence(&[&der::oid(key::ED25519)]), pair.pk.to_vec())
            }
            PrivateKey::X25519(_) => return unsupported("*ecdh.PublicKey"),
            PrivateKey::Dsa(_) => return unsupported("*dsa.PublicKey"),
        };
        Ok(PublicKey { algorithm, bytes })
    }

    fn info(&self) -> Vec<u8> {
        der::sequence(&[&self.algorithm, &der::bits(&self.bytes)])
    }
}

/// A name that has a common name alone; an empty one has nothing.
fn distinguished_name(name: &Str) -> Result<Vec<u8>> {
    if name.is_empty() {
        return Ok(EMPTY.to_vec());
    }
    let text = name.to_str().ok_or("asn1: string not valid UTF-8")?;
    let printable = |b: u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'\''..=b')' | b'+'..=b'/' | b' ' | b':' | b'=' | b'?')
    };
    let tag = if text.bytes().all(printable) { der::PRINTABLE_STRING } else { der::UTF8_STRING };
    let value = der::element(tag, &[text.as_bytes()]);
    let attribute = der::sequence(&[&der::oid(COMMON_NAME), &value]);
    Ok(der::sequence(&[&der::element(der::SET, &[&attribute])]))
}

fn validity(days: i64, host: &dyn Host) -> Result<Vec<u8>> {
    const DAY: i64 = 24 * 3600 * 1_000_000_000;
    let start = Time::new(host.now(), Zone::UTC);
    let end = start.after(days.wrapping_mul(DAY));
    Ok(der::sequence(&[&time(&start)?, &time(&end)?]))
}

/// Two digits of the year from 1950 to 2049, four in other years.
fn time(time: &Time) -> Result<Vec<u8>> {
    match time.year() {
        1950..2050 => Ok(der::element(der::UTC_TIME, &[time.format(b"060102150405Z").as_bytes()])),
        0..=9999 => {
            let text = time.format(b"20060102150405Z");
            Ok(der::element(der::GENERALIZED_TIME, &[text.as_bytes()]))
        }
        _ => Err("asn1: structure error: cannot represent time as GeneralizedTime".to_owned()),
    }
}

fn extensions(
    subject: &Subject,
    name: &[u8],
    public: &PublicKey,
    authority_key_id: &[u8],
) -> Result<Vec<u8>> {
    // digitalSignature and keyEncipherment; authorities sign certificates too.
    let usage: &[u8] = if subject.authority { &[2, 0xa4] } else { &[5, 0xa0] };
    let mut out = extension(KEY_USAGE, true, &der::element(der::BIT_STRING, &[usage]));
    let purposes = der::sequence(&[&der::oid(SERVER_AUTH), &der::oid(CLIENT_AUTH)]);
    out.extend(extension(EXTENDED_KEY_USAGE, false, &purposes));
    let constraints: &[u8] = if subject.authority { &[der::BOOLEAN, 1, 0xff] } else { &[] };
    out.extend(extension(BASIC_CONSTRAINTS, true, &der::sequence(&[constraints])));
    if subject.authority {
        let digest = Sha256::digest(&public.bytes);
        let id = der::octets(digest.get(..20).unwrap_or_default());
        out.extend(extension(SUBJECT_KEY_ID, false, &id));
    }
    if !authority_key_id.is_empty() {
        let id = der::sequence(&[&der::element(der::context(0), &[authority_key_id])]);
        out.extend(extension(AUTHORITY_KEY_ID, false, &id));
    }
    if !subject.names.is_empty() || !subject.addresses.is_empty() {
        out.extend(extension(ALTERNATIVE_NAME, name == EMPTY, &alternative_names(subject)?));
    }
    Ok(out)
}

fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[der::BOOLEAN, 1, 0xff] } else { &[] };
    der::sequence(&[&der::oid(oid), critical, &der::octets(value)])
}

fn alternative_names(subject: &Subject) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for name in &subject.names {
        if !name.as_bytes().is_ascii() {
            let quoted = bowsprit_value::strconv::quote(name.as_bytes());
            let quoted = String::from_utf8_lossy(&quoted);
            return Err(format!("x509: {quoted} cannot be encoded as an IA5String"));
        }
        out.extend(der::element(der::context(2), &[name.as_bytes()]));
    }
    for address in &subject.addresses {
        // IPv4 takes four bytes even where it is written as IPv6.
        out.extend(match address.to_canonical() {
            IpAddr::V4(v4) => der::element(der::context(7), &[&v4.octets()]),
            IpAddr::V6(v6) => der::element(der::context(7), &[&v6.octets()]),
        });
    }
    Ok(der::sequence(&[&out]))
}
