//! Elliptic-curve keys on NIST's curves.

use super::{asn1, der};
use bowsprit_value::Host;
use num_bigint::BigUint;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A curve that Go's certificates know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P224,
    P256,
    P384,
    P521,
}

/// A private key.
#[derive(Debug)]
pub(super) struct EcKey {
    curve: Curve,
    secret: Vec<u8>,
    /// The point, uncompressed.
    public: Vec<u8>,
}

impl Curve {
    const ALL: [Curve; 4] = [Curve::P224, Curve::P256, Curve::P384, Curve::P521];

    pub(super) const fn oid(self) -> &'static [u8] {
        match self {
            Curve::P224 => b"\x2b\x81\x04\x00\x21",
            Curve::P256 => b"\x2a\x86\x48\xce\x3d\x03\x01\x07",
            Curve::P384 => b"\x2b\x81\x04\x00\x22",
            Curve::P521 => b"\x2b\x81\x04\x00\x23",
        }
    }

    pub(super) fn from_oid(oid: &[u8]) -> Option<Curve> {
        Curve::ALL.into_iter().find(|curve| curve.oid() == oid)
    }

    /// Bytes of a scalar or coordinate.
    const fn size(self) -> usize {
        match self {
            Curve::P224 => 28,
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }

    /// The object identifier of ECDSA with the hash that Go takes for this curve.
    pub(super) const fn signature_oid(self) -> &'static [u8] {
        match self {
            Curve::P224 | Curve::P256 => b"\x2a\x86\x48\xce\x3d\x04\x03\x02",
            Curve::P384 => b"\x2a\x86\x48\xce\x3d\x04\x03\x03",
            Curve::P521 => b"\x2a\x86\x48\xce\x3d\x04\x03\x04",
        }
    }

    /// The uncompressed public point of a secret; `None` for zero and what exceeds the order.
    fn public(self, secret: &[u8]) -> Option<Vec<u8>> {
        macro_rules! public {
            ($curve:ident) => {{
                let key = $curve::ecdsa::SigningKey::from_slice(secret).ok()?;
                key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
            }};
        }
        Some(match self {
            Curve::P224 => public!(p224),
            Curve::P256 => public!(p256),
            Curve::P384 => public!(p384),
            Curve::P521 => public!(p521),
        })
    }

    fn field_modulus(self) -> BigUint {
        let power = |n: u32| BigUint::from(1_u8) << n;
        match self {
            Curve::P224 => power(224) - power(96) + 1_u8,
            Curve::P256 => power(256) - power(224) + power(192) + power(96) - 1_u8,
            Curve::P384 => power(384) - power(128) - power(96) + power(32) - 1_u8,
            Curve::P521 => power(521) - 1_u8,
        }
    }

    /// What Go says about bytes that are no uncompressed point of the curve.
    pub(super) fn point_error(self, point: &[u8]) -> Option<String> {
        let fine = match self {
            Curve::P224 => p224::PublicKey::from_sec1_bytes(point).is_ok(),
            Curve::P256 => p256::PublicKey::from_sec1_bytes(point).is_ok(),
            Curve::P384 => p384::PublicKey::from_sec1_bytes(point).is_ok(),
            Curve::P521 => p521::PublicKey::from_sec1_bytes(point).is_ok(),
        };
        if fine {
            return None;
        }
        let coordinates = point.get(1..).unwrap_or_default();
        if coordinates.len() != 2 * self.size() {
            return Some(format!("invalid {self:?} point encoding"));
        }
        let modulus = self.field_modulus();
        let beyond = coordinates.chunks(self.size()).any(|c| BigUint::from_bytes_be(c) >= modulus);
        Some(match (beyond, self) {
            // Go's assembly has its own words.
            (true, Curve::P256) => "invalid P256 element encoding".to_owned(),
            (true, _) => format!("invalid {self:?}Element encoding"),
            (false, _) => format!("{self:?} point not on curve"),
        })
    }
}

impl EcKey {
    /// A random key; `None` if the host's randomness gives no scalar.
    pub(super) fn generate(curve: Curve, host: &dyn Host) -> Option<EcKey> {
        (0..64).find_map(|_| {
            let mut secret = vec![0; curve.size()];
            host.fill_random(&mut secret);
            let public = curve.public(&secret)?;
            Some(EcKey { curve, secret, public })
        })
    }

    pub(super) fn curve(&self) -> Curve {
        self.curve
    }

    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    /// Go's `parseECPrivateKey`; the curve may be named outside of the key.
    pub(super) fn parse(
        bytes: &[u8],
        curve: Option<&[u8]>,
    ) -> asn1::Result<std::result::Result<EcKey, String>> {
        let mut fields = asn1::Fields::new(bytes).sequence("ecPrivateKey")?;
        let version = fields.int()?;
        let secret = fields.octets()?;
        let named = fields.oid(asn1::Field::OID.optional().explicit(0))?;
        fields.check_bit_string(asn1::Field::BIT_STRING.optional().explicit(1))?;
        if version != 1 {
            return Ok(Err(format!("x509: unknown EC private key version {version}")));
        }
        let Some(curve) = curve.or(named).and_then(Curve::from_oid) else {
            return Ok(Err("x509: unknown elliptic curve".to_owned()));
        };
        Ok(EcKey::from_secret(curve, secret))
    }

    fn from_secret(curve: Curve, secret: &[u8]) -> std::result::Result<EcKey, String> {
        let size = curve.size();
        let (extra, secret) = secret.split_at(secret.len().saturating_sub(size));
        if extra.iter().any(|b| *b != 0) {
            return Err("x509: invalid private key length".to_owned());
        }
        let mut padded = vec![0; size - secret.len()];
        padded.extend_from_slice(secret);
        match curve.public(&padded) {
            Some(public) => Ok(EcKey { curve, secret: padded, public }),
            None if padded.iter().all(|b| *b == 0) => {
                Err("ecdsa: invalid public key encoding".to_owned())
            }
            None => Err("input overflows the modulus".to_owned()),
        }
    }

    /// SEC 1, as Go's `MarshalECPrivateKey` writes it.
    pub(super) fn to_sec1(&self) -> Vec<u8> {
        der::sequence(&[
            &der::small_integer(1),
            &der::octets(&self.secret),
            &der::element(der::explicit(0), &[&der::oid(self.curve.oid())]),
            &der::element(der::explicit(1), &[&der::bits(&self.public)]),
        ])
    }

    /// A deterministic ECDSA signature in DER, of the message's hash that goes with the curve.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        macro_rules! sign {
            ($curve:ident, $hash:ident) => {{
                use $curve::ecdsa::signature::hazmat::PrehashSigner;
                let key = $curve::ecdsa::SigningKey::from_slice(&self.secret).ok()?;
                let signature: $curve::ecdsa::Signature =
                    key.sign_prehash(&$hash::digest(message)).ok()?;
                signature.to_bytes().to_vec()
            }};
        }
        let raw = match self.curve {
            Curve::P224 => sign!(p224, Sha256),
            Curve::P256 => sign!(p256, Sha256),
            Curve::P384 => sign!(p384, Sha384),
            Curve::P521 => sign!(p521, Sha512),
        };
        let (r, s) = raw.split_at_checked(raw.len() / 2)?;
        let number = |bytes| der::integer(&BigUint::from_bytes_be(bytes));
        Some(der::sequence(&[&number(r), &number(s)]))
    }
}
