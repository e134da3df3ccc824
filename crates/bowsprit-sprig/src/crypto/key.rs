//! Private keys of any kind: making them, and reading and writing them as PEM.

use super::dsa::DsaKey;
use super::ec::{Curve, EcKey};
use super::rsa::{self, RsaKey};
use super::{Result, asn1, der, pem, random};
use bowsprit_value::{Args, FuncError, Host, Str, Value};

/// A private key.
#[derive(Debug)]
pub(super) enum PrivateKey {
    Rsa(RsaKey),
    Ec(EcKey),
    /// The seed.
    Ed25519([u8; 32]),
    /// Can be read and written, but signs nothing.
    X25519([u8; 32]),
    Dsa(DsaKey),
}

pub(super) const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
pub(super) const ECDSA: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
pub(super) const ED25519: &[u8] = b"\x2b\x65\x70";
pub(super) const X25519: &[u8] = b"\x2b\x65\x6e";
pub(super) const DSA: &[u8] = b"\x2a\x86\x48\xce\x38\x04\x01";

// Microseconds that it takes to make a key, on average.
const RSA_2048_COST: u64 = 100_000;
const RSA_4096_COST: u64 = 1_000_000;
const DSA_COST: u64 = 500_000;
const CURVE_COST: u64 = 1_000;

pub(super) fn gen_private_key(args: &mut Args<'_>, host: &dyn Host) -> Result {
    let charge = |cost| args.meter().charge_steps(cost);
    let key = match args.str(0).as_bytes() {
        b"" | b"rsa" => {
            charge(RSA_4096_COST)?;
            RsaKey::generate::<32>(args.meter(), host).map(PrivateKey::Rsa)
        }
        b"dsa" => {
            charge(DSA_COST)?;
            DsaKey::generate(host).map(PrivateKey::Dsa)
        }
        b"ecdsa" => {
            charge(CURVE_COST)?;
            EcKey::generate(Curve::P256, host).map(PrivateKey::Ec)
        }
        b"ed25519" => {
            charge(CURVE_COST)?;
            Some(PrivateKey::Ed25519(random::bytes(host)))
        }
        other => return Ok(Value::str([b"Unknown type ", other].concat())),
    };
    Ok(match key {
        Some(key) => Value::Str(key.to_pem()),
        None => Value::from("failed to generate private key: the host gives no random numbers"),
    })
}

impl PrivateKey {
    /// The key that certificates get: RSA with 2048 bits.
    pub(super) fn for_certificate(
        args: &Args<'_>,
        host: &dyn Host,
    ) -> std::result::Result<PrivateKey, FuncError> {
        args.meter().charge_steps(RSA_2048_COST)?;
        RsaKey::generate::<16>(args.meter(), host).map(PrivateKey::Rsa).ok_or_else(|| {
            FuncError::new("error generating rsa key: the host gives no random numbers")
        })
    }

    /// Microseconds that a signature takes, about.
    pub(super) fn signing_cost(&self) -> u64 {
        match self {
            // Grows with the cube of the size: 15 ms with 4096 bits.
            PrivateKey::Rsa(key) => key.bits().saturating_pow(3) / 4_000_000,
            _ => CURVE_COST,
        }
    }

    pub(super) fn to_pem(&self) -> Str {
        let (label, bytes) = match self {
            PrivateKey::Rsa(key) => ("RSA PRIVATE KEY", key.to_pkcs1()),
            PrivateKey::Ec(key) => ("EC PRIVATE KEY", key.to_sec1()),
            PrivateKey::Dsa(key) => ("DSA PRIVATE KEY", key.to_der()),
            PrivateKey::Ed25519(seed) => ("PRIVATE KEY", pkcs8(ED25519, seed)),
            PrivateKey::X25519(scalar) => ("PRIVATE KEY", pkcs8(X25519, scalar)),
        };
        Str::from(pem::encode(label, &bytes))
    }

    /// sprig's `parsePrivateKeyPEM`.
    pub(super) fn from_pem(text: &[u8]) -> std::result::Result<PrivateKey, Vec<u8>> {
        let Some(block) = pem::decode(text) else { return Err(b"no PEM data in input".to_vec()) };
        let bytes = &block.bytes;
        let failed = |what: &str, error: String| format!("{what}: {error}").into_bytes();
        if block.label == b"PRIVATE KEY" {
            return parse_pkcs8(bytes).map_err(|e| failed("decoding PEM as PKCS#8", e));
        }
        let Some(kind) = block.label.strip_suffix(b" PRIVATE KEY") else {
            return Err([b"no private key data in PEM block of type ", &block.label[..]].concat());
        };
        match kind {
            b"RSA" => parse_pkcs1(bytes)
                .map(PrivateKey::Rsa)
                .map_err(|e| failed("parsing RSA private key from PEM", e)),
            b"EC" => parse_sec1(bytes, None)
                .map(PrivateKey::Ec)
                .map_err(|e| failed("parsing EC private key from PEM", e)),
            b"DSA" => DsaKey::parse(bytes)
                .map(PrivateKey::Dsa)
                .map_err(|e| failed("parsing DSA private key from PEM", e)),
            _ => Err([b"invalid private key type ", &block.label[..]].concat()),
        }
    }
}

/// A curve's secret in PKCS#8.
fn pkcs8(oid: &[u8], secret: &[u8]) -> Vec<u8> {
    der::sequence(&[
        &der::small_integer(0),
        &der::sequence(&[&der::oid(oid)]),
        &der::octets(&der::octets(secret)),
    ])
}

/// Go's hint where a key is in another format than its label says.
fn hint(bytes: &[u8], others: [Format; 2]) -> Option<String> {
    others.into_iter().find(|format| format.reads(bytes)).map(|format| {
        let function = match format {
            Format::Pkcs1 => "ParsePKCS1PrivateKey",
            Format::Pkcs8 => "ParsePKCS8PrivateKey",
            Format::Sec1 => "ParseECPrivateKey",
        };
        format!("x509: failed to parse private key (use {function} instead for this key format)")
    })
}

#[derive(Clone, Copy)]
enum Format {
    Pkcs1,
    Pkcs8,
    Sec1,
}

impl Format {
    fn reads(self, bytes: &[u8]) -> bool {
        match self {
            Format::Pkcs1 => rsa::Parts::read(bytes).is_ok(),
            Format::Pkcs8 => Pkcs8::read(bytes).is_ok(),
            Format::Sec1 => EcKey::parse(bytes, None).is_ok(),
        }
    }
}

fn parse_pkcs1(bytes: &[u8]) -> std::result::Result<RsaKey, String> {
    match RsaKey::parse(bytes) {
        Ok(key) => key.map_err(str::to_owned),
        Err(text) => Err(hint(bytes, [Format::Sec1, Format::Pkcs8]).unwrap_or(text)),
    }
}

fn parse_sec1(bytes: &[u8], curve: Option<&[u8]>) -> std::result::Result<EcKey, String> {
    EcKey::parse(bytes, curve).unwrap_or_else(|text| {
        Err(hint(bytes, [Format::Pkcs8, Format::Pkcs1])
            .unwrap_or_else(|| format!("x509: failed to parse EC private key: {text}")))
    })
}

/// PKCS#8 as far as it is the same for all kinds.
struct Pkcs8<'a> {
    algorithm: &'a [u8],
    parameters: &'a [u8],
    key: &'a [u8],
}

impl Pkcs8<'_> {
    fn read(bytes: &[u8]) -> asn1::Result<Pkcs8<'_>> {
        let mut fields = asn1::Fields::new(bytes).sequence("pkcs8")?;
        fields.int()?;
        let mut identifier = fields.sequence("AlgorithmIdentifier")?;
        let algorithm = identifier.oid(asn1::Field::OID)?.unwrap_or_default();
        let parameters = identifier.any()?;
        let key = fields.octets()?;
        Ok(Pkcs8 { algorithm, parameters, key })
    }
}

fn parse_pkcs8(bytes: &[u8]) -> std::result::Result<PrivateKey, String> {
    let outer = match Pkcs8::read(bytes) {
        Ok(outer) => outer,
        Err(text) => return Err(hint(bytes, [Format::Sec1, Format::Pkcs1]).unwrap_or(text)),
    };
    match outer.algorithm {
        RSA => parse_pkcs1(outer.key)
            .map(PrivateKey::Rsa)
            .map_err(|e| format!("x509: failed to parse RSA private key embedded in PKCS#8: {e}")),
        ECDSA => {
            let curve = asn1::Fields::new(outer.parameters).oid(asn1::Field::OID).ok().flatten();
            parse_sec1(outer.key, curve).map(PrivateKey::Ec).map_err(|e| {
                format!("x509: failed to parse EC private key embedded in PKCS#8: {e}")
            })
        }
        ED25519 => {
            let secret = curve_secret(&outer, "Ed25519")?;
            <[u8; 32]>::try_from(secret)
                .map(PrivateKey::Ed25519)
                .map_err(|_| format!("x509: invalid Ed25519 private key length: {}", secret.len()))
        }
        X25519 => {
            let secret = curve_secret(&outer, "X25519")?;
            <[u8; 32]>::try_from(secret)
                .map(PrivateKey::X25519)
                .map_err(|_| "crypto/ecdh: invalid private key size".to_owned())
        }
        other => Err(format!(
            "x509: PKCS#8 wrapping contained private key with unknown algorithm: {}",
            der::oid_text(other)
        )),
    }
}

fn curve_secret<'a>(outer: &Pkcs8<'a>, name: &str) -> std::result::Result<&'a [u8], String> {
    if !outer.parameters.is_empty() {
        return Err(format!("x509: invalid {name} private key parameters"));
    }
    asn1::Fields::new(outer.key)
        .octets()
        .map_err(|e| format!("x509: invalid {name} private key: {e}"))
}
