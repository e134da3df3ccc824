//! Reading certificates as Go's `x509.ParseCertificate` does, with its error texts.

use super::super::der::{self, Reader};
use super::super::ec::Curve;
use super::super::key;
use super::extension::Extension;
use crate::date::parse_utc;
use std::collections::BTreeSet;

/// What of a certificate matters for signing with it.
pub(super) struct Parsed<'a> {
    /// The subject's name in DER.
    pub(super) subject: &'a [u8],
    /// The public key's info in DER, if Go knows its algorithm.
    pub(super) known_key: Option<&'a [u8]>,
    pub(super) subject_key_id: &'a [u8],
}

pub(super) type Result<T> = std::result::Result<T, Vec<u8>>;

/// The error of that text where there is no value.
pub(super) trait Otherwise<T> {
    fn otherwise(self, text: &str) -> Result<T>;
}

impl<T> Otherwise<T> for Option<T> {
    fn otherwise(self, text: &str) -> Result<T> {
        self.ok_or_else(|| [b"x509: ", text.as_bytes()].concat())
    }
}

pub(super) fn fail<T>(text: &str) -> Result<T> {
    None.otherwise(text)
}

pub(super) fn certificate(bytes: &[u8]) -> Result<Parsed<'_>> {
    let mut outer = Reader(bytes);
    let mut input = outer.take(der::SEQUENCE).otherwise("malformed certificate")?;
    let mut tbs = input.take(der::SEQUENCE).otherwise("malformed tbs certificate")?;
    let version = version(&mut tbs)?;
    let serial = tbs.integer().otherwise("malformed serial number")?;
    if serial.first().is_some_and(|b| b & 0x80 != 0) {
        return fail("negative serial number");
    }
    let inner = tbs.take(der::SEQUENCE).otherwise("malformed signature algorithm identifier")?;
    let outer_algorithm = input.take(der::SEQUENCE).otherwise("malformed algorithm identifier")?;
    if inner != outer_algorithm {
        return fail("inner and outer signature algorithm identifiers don't match");
    }
    algorithm(inner)?;
    let (issuer, _) = tbs.whole(der::SEQUENCE).otherwise("malformed issuer")?;
    name(issuer)?;
    let mut validity = tbs.take(der::SEQUENCE).otherwise("malformed validity")?;
    time(&mut validity)?;
    time(&mut validity)?;
    let (subject, subject_whole) = tbs.whole(der::SEQUENCE).otherwise("malformed issuer")?;
    name(subject)?;
    let (info, info_whole) = tbs.whole(der::SEQUENCE).otherwise("malformed spki")?;
    let known = public_key(info)?;
    let subject_key_id = extensions(&mut tbs, version)?;
    input.bits().otherwise("malformed signature")?;
    if !outer.is_empty() {
        return fail("trailing data");
    }
    Ok(Parsed { subject: subject_whole, known_key: known.then_some(info_whole), subject_key_id })
}

/// 1 to 3.
fn version(tbs: &mut Reader<'_>) -> Result<u8> {
    let Some(mut field) = tbs.optional(der::explicit(0)).otherwise("malformed version")? else {
        return Ok(1);
    };
    let bytes = field.integer().otherwise("malformed version")?;
    if !field.is_empty() {
        return fail("malformed version");
    }
    match bytes {
        [n @ 0..=2] => Ok(n + 1),
        [0x80..=0xff, ..] => fail("malformed version"),
        _ if bytes.len() > 8 => fail("malformed version"),
        _ => fail("invalid version"),
    }
}

/// An algorithm's object identifier and parameters.
fn algorithm(mut field: Reader<'_>) -> Result<(&[u8], &[u8])> {
    let oid = field.oid().otherwise("malformed OID")?;
    if field.is_empty() {
        return Ok((oid, &[]));
    }
    let (_, _, parameters) = field.any().otherwise("malformed parameters")?;
    Ok((oid, parameters))
}

fn time(field: &mut Reader<'_>) -> Result<()> {
    const UTC: &[u8] = b"060102150405Z0700";
    let parses = |layout, text: &[u8]| parse_utc(layout, text).is_some();
    let exact = |layout, text: &[u8]| {
        parse_utc(layout, text).is_some_and(|t| t.format(layout).as_bytes() == text)
    };
    if field.peek(der::UTC_TIME) {
        // Without seconds is against the standard, but read all the same.
        let known = field.take(der::UTC_TIME).is_some_and(|text| {
            exact(UTC, text.0) || !parses(UTC, text.0) && exact(b"0601021504Z0700", text.0)
        });
        return known.then_some(()).otherwise("malformed UTCTime");
    }
    if field.peek(der::GENERALIZED_TIME) {
        let text = field.take(der::GENERALIZED_TIME);
        let known = text.is_some_and(|text| exact(b"20060102150405Z0700", text.0));
        return known.then_some(()).otherwise("malformed GeneralizedTime");
    }
    fail("unsupported time format")
}

fn name(mut field: Reader<'_>) -> Result<()> {
    const WRONG: &str = "invalid RDNSequence";
    while !field.is_empty() {
        let mut set = field.take(der::SET).otherwise(WRONG)?;
        while !set.is_empty() {
            let mut attribute =
                set.take(der::SEQUENCE).otherwise("invalid RDNSequence: invalid attribute")?;
            attribute.oid().otherwise("invalid RDNSequence: invalid attribute type")?;
            let (tag, value, _) =
                attribute.any().otherwise("invalid RDNSequence: invalid attribute value")?;
            if let Some(text) = wrong_text(tag, value.0) {
                return fail(&format!("invalid RDNSequence: invalid attribute value: {text}"));
            }
        }
    }
    Ok(())
}

/// What is wrong about a string of a type.
fn wrong_text(tag: u8, value: &[u8]) -> Option<String> {
    let printable = |b: &u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'\''..=b')' | b'+'..=b'/' | b' ' | b':' | b'=' | b'?' | b'*' | b'&')
    };
    let (fine, text) = match tag {
        20 => (true, ""),
        der::PRINTABLE_STRING => (value.iter().all(printable), "invalid PrintableString"),
        der::UTF8_STRING => (std::str::from_utf8(value).is_ok(), "invalid UTF-8 string"),
        30 => (is_bmp(value), "invalid BMPString"),
        22 => (value.is_ascii(), "invalid IA5String"),
        18 => {
            let numeric = |b: &u8| b.is_ascii_digit() || *b == b' ';
            (value.iter().all(numeric), "invalid NumericString")
        }
        other => return Some(format!("unsupported string type: {other}")),
    };
    (!fine).then(|| text.to_owned())
}

fn is_bmp(value: &[u8]) -> bool {
    let value = value.strip_suffix(&[0, 0]).unwrap_or(value);
    let (points, odd) = value.as_chunks::<2>();
    odd.is_empty()
        && points.iter().all(|point| {
            !matches!(u16::from_be_bytes(*point), 0xfffe | 0xffff | 0xfdd0..=0xfdef | 0xd800..=0xdfff)
        })
}

/// Checks a public key; false for an algorithm that Go does not know.
fn public_key(mut info: Reader<'_>) -> Result<bool> {
    let identifier =
        info.take(der::SEQUENCE).otherwise("malformed public key algorithm identifier")?;
    let (oid, parameters) = algorithm(identifier)?;
    let (bits, unused) = info.bits().otherwise("malformed subjectPublicKey")?;
    let shifted;
    // Go moves the bits to the end of the last byte.
    let key = if unused == 0 {
        bits
    } else {
        shifted = right_align(bits, unused);
        &shifted
    };
    match oid {
        key::RSA => rsa(parameters, Reader(key))?,
        key::ECDSA => ecdsa(Reader(parameters), key)?,
        key::ED25519 if !parameters.is_empty() => {
            return fail("Ed25519 key encoded with illegal parameters");
        }
        key::ED25519 if key.len() != 32 => return fail("wrong Ed25519 public key size"),
        key::ED25519 => {}
        key::DSA => dsa(Reader(parameters), Reader(key))?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn right_align(bits: &[u8], unused: u8) -> Vec<u8> {
    let before = std::iter::once(&0).chain(bits);
    bits.iter().zip(before).map(|(b, before)| b >> unused | before << (8 - unused)).collect()
}

fn positive(bytes: &[u8]) -> bool {
    bytes != [0] && bytes.first().is_some_and(|b| b & 0x80 == 0)
}

fn rsa(parameters: &[u8], mut key: Reader<'_>) -> Result<()> {
    if parameters != [der::NULL, 0] {
        return fail("RSA key missing NULL parameters");
    }
    let mut fields = key.take(der::SEQUENCE).otherwise("invalid RSA public key")?;
    let modulus = fields.integer().otherwise("invalid RSA modulus")?;
    let exponent = fields.integer().otherwise("invalid RSA public exponent")?;
    if exponent.len() > 8 {
        return fail("invalid RSA public exponent");
    }
    if !positive(modulus) {
        return fail("RSA modulus is not a positive number");
    }
    if !positive(exponent) {
        return fail("RSA public exponent is not a positive number");
    }
    Ok(())
}

fn ecdsa(mut parameters: Reader<'_>, key: &[u8]) -> Result<()> {
    let oid = parameters.oid().otherwise("invalid ECDSA parameters")?;
    let curve = Curve::from_oid(oid).otherwise("unsupported elliptic curve")?;
    if key.first() != Some(&4) {
        return Err(b"ecdsa: invalid uncompressed public key".to_vec());
    }
    match curve.point_error(key) {
        Some(text) => Err(text.into()),
        None => Ok(()),
    }
}

fn dsa(mut parameters: Reader<'_>, mut key: Reader<'_>) -> Result<()> {
    let y = key.integer().otherwise("invalid DSA public key")?;
    let mut read = || {
        let mut fields = parameters.take(der::SEQUENCE)?;
        Some([fields.integer()?, fields.integer()?, fields.integer()?])
    };
    let parameters = read().otherwise("invalid DSA parameters")?;
    if !positive(y) || !parameters.into_iter().all(positive) {
        return fail("zero or negative DSA parameter");
    }
    Ok(())
}

/// Checks the extensions; gives the subject's key identifier.
fn extensions<'a>(tbs: &mut Reader<'a>, version: u8) -> Result<&'a [u8]> {
    let mut id: &[u8] = &[];
    if version < 2 {
        return Ok(id);
    }
    tbs.optional(der::context(1)).otherwise("malformed issuerUniqueID")?;
    tbs.optional(der::context(2)).otherwise("malformed subjectUniqueID")?;
    if version < 3 {
        return Ok(id);
    }
    let Some(mut field) = tbs.optional(der::explicit(3)).otherwise("malformed extensions")? else {
        return Ok(id);
    };
    let mut list = field.take(der::SEQUENCE).otherwise("malformed extensions")?;
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    while !list.is_empty() {
        let extension =
            Extension::read(list.take(der::SEQUENCE).otherwise("malformed extension")?)?;
        if !seen.insert(extension.oid) {
            let oid = der::oid_text(extension.oid);
            return fail(&format!("certificate contains duplicate extension with OID \"{oid}\""));
        }
        found.push(extension);
    }
    for extension in &found {
        if let Some(found) = extension.check()? {
            id = found;
        }
    }
    Ok(id)
}
