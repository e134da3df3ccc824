//! RSA: making, checking and writing keys, and signing.

use super::prime::{Limbs, Sieve, from_limbs, next_prime, power_modulo, remainder};
use super::{asn1, der, known, random};
use bowsprit_value::{Host, Meter};
use num_bigint::BigUint;
use sha2::{Digest, Sha256};

const EXPONENT: u32 = 65_537;

/// A private key.
#[derive(Debug)]
pub(super) struct RsaKey {
    n: BigUint,
    e: u64,
    d: BigUint,
    primes: Vec<BigUint>,
    /// `d` modulo each of the first two primes minus one, and the inverse of the second modulo the
    /// first.
    crt: [BigUint; 3],
}

/// The fields of a key as they are written.
pub(super) struct Parts {
    version: i64,
    n: BigUint,
    e: i64,
    d: BigUint,
    primes: Vec<BigUint>,
    crt: [Option<BigUint>; 3],
}

impl Parts {
    /// The fields, and what follows the key.
    pub(super) fn read(bytes: &[u8]) -> asn1::Result<(Parts, &[u8])> {
        let mut outer = asn1::Fields::new(bytes);
        let mut fields = outer.sequence("pkcs1PrivateKey")?;
        let (version, n, e) = (fields.int()?, fields.big_int()?, fields.int()?);
        let d = fields.big_int()?;
        let mut primes = vec![fields.big_int()?, fields.big_int()?];
        let crt = [fields.maybe_big_int()?, fields.maybe_big_int()?, fields.maybe_big_int()?];
        let mut list = fields.optional_list()?;
        while !list.rest().is_empty() {
            let mut fields = list.sequence("pkcs1AdditionalRSAPrime")?;
            primes.push(fields.big_int()?);
            fields.big_int()?;
            fields.big_int()?;
        }
        Ok((Parts { version, n, e, d, primes, crt }, outer.rest()))
    }

    fn check(&self) -> std::result::Result<(), &'static str> {
        if self.version > 1 {
            return Err("x509: unsupported private key version");
        }
        let zero = BigUint::default();
        let primes = self.primes.iter().take(2);
        let mut values =
            [&self.n, &self.d].into_iter().chain(primes).chain(self.crt.iter().flatten());
        if values.any(|v| *v == zero) {
            return Err("x509: private key contains zero or negative value");
        }
        if self.primes.iter().skip(2).any(|p| *p == zero) {
            return Err("x509: private key contains zero or negative prime");
        }
        Ok(())
    }
}

impl RsaKey {
    /// A new key of `128 * N` bits for a run, a random one unless the run takes known primes; `None` if the
    /// host's randomness gives no two primes.
    pub(super) fn generate<const N: usize>(meter: &Meter, host: &dyn Host) -> Option<RsaKey> {
        let known = known::primes(64 * N as u64, meter);
        if let Some(key) = known.and_then(|[p, q]| RsaKey::of_primes(p, q)) {
            return Some(key);
        }
        let sieve = Sieve::<N>::new();
        for _ in 0..64 {
            let p = random_prime(&sieve, host)?;
            let q = random_prime(&sieve, host)?;
            if let Some(key) = RsaKey::of_primes(p, q) {
                return Some(key);
            }
        }
        None
    }

    /// The key of two primes, unless Go would take others.
    fn of_primes(p: BigUint, q: BigUint) -> Option<RsaKey> {
        let one = BigUint::from(1_u8);
        let phi = |prime: &BigUint| prime - &one;
        let distance = if p > q { &p - &q } else { &q - &p };
        if distance.bits() + 100 <= p.bits() {
            return None;
        }
        let e = BigUint::from(EXPONENT);
        let product = phi(&p) * phi(&q);
        let lambda = &product / gcd(phi(&p), phi(&q));
        let d = e.modinv(&lambda)?;
        let n = &p * &q;
        if d.bits() <= n.bits() / 2 {
            return None;
        }
        RsaKey::with_primes(n, u64::from(EXPONENT), d, vec![p, q])
    }

    fn with_primes(n: BigUint, e: u64, d: BigUint, primes: Vec<BigUint>) -> Option<RsaKey> {
        let (p, q) = (primes.first()?, primes.get(1)?);
        let one = BigUint::from(1_u8);
        if *p <= one || *q <= one {
            return None;
        }
        let crt = [&d % (p - &one), &d % (q - &one), (q % p).modinv(p)?];
        Some(RsaKey { n, e, d, primes, crt })
    }

    /// Go's `ParsePKCS1PrivateKey`, but for its hints at other formats.
    pub(super) fn parse(bytes: &[u8]) -> asn1::Result<std::result::Result<RsaKey, &'static str>> {
        let (parts, rest) = Parts::read(bytes)?;
        if !rest.is_empty() {
            return asn1::syntax("trailing data");
        }
        Ok(parts.check().and_then(|()| RsaKey::checked(parts)))
    }

    /// Go's `PrivateKey.Validate`.
    fn checked(parts: Parts) -> std::result::Result<RsaKey, &'static str> {
        let Parts { n, e, d, primes, crt, .. } = parts;
        let one = BigUint::from(1_u8);
        if n <= one {
            return Err("modulus must be > 1");
        }
        if d >= n {
            return Err("input overflows the modulus");
        }
        check_public(&n, e)?;
        let e = e.unsigned_abs();
        let broken = "crypto/rsa: invalid prime";
        if primes.len() > 2 {
            if primes.iter().any(|p| *p <= one) {
                return Err("crypto/rsa: prime factor is <= 1");
            }
            let key = RsaKey::with_primes(n, e, d, primes);
            return key
                .filter(|key| key.additional_primes().is_some())
                .ok_or("crypto/rsa: prime factors are not relatively prime");
        }
        let (Some(p), Some(q)) = (primes.first(), primes.get(1)) else { return Err(broken) };
        if *p <= one || *q <= one {
            return Err("modulus must be > 1");
        }
        let given = match crt {
            [Some(dp), Some(dq), Some(inverse)] => Some([dp, dq, inverse]),
            _ if !p.bit(0) => return Err("crypto/rsa: p is even"),
            _ => None,
        };
        if given.as_ref().is_some_and(|[_, _, inverse]| inverse >= p) {
            return Err("input overflows the modulus");
        }
        if *p >= n || *q >= n {
            return Err(broken);
        }
        if p * q != n {
            return Err("crypto/rsa: p * q != n");
        }
        let mut key = match RsaKey::with_primes(n, e, d, primes) {
            Some(key) => key,
            None => return Err("crypto/rsa: invalid CRT coefficient"),
        };
        if let Some(given) = given {
            key.check_crt(given)?;
        } else if !key.exponents_match() {
            return Err("crypto/rsa: invalid CRT exponent");
        }
        key.check_sizes()?;
        Ok(key)
    }

    fn exponents_match(&self) -> bool {
        let one = BigUint::from(1_u8);
        self.primes.iter().zip(&self.crt).take(2).all(|(prime, exponent)| {
            let modulus = prime - &one;
            (exponent * self.e) % &modulus == &one % &modulus
        })
    }

    /// Checks the values that came with the key against those that it implies.
    fn check_crt(&mut self, given: [BigUint; 3]) -> std::result::Result<(), &'static str> {
        let implied = std::mem::replace(&mut self.crt, given);
        let one = BigUint::from(1_u8);
        let reduced = |i: usize| match (self.primes.get(i), self.crt.get(i)) {
            (Some(prime), Some(exponent)) => *exponent < prime - &one,
            _ => false,
        };
        if !reduced(0) || !reduced(1) || !self.exponents_match() {
            return Err("crypto/rsa: invalid CRT exponent");
        }
        let wrong = |i: usize| self.crt.get(i) != implied.get(i);
        if wrong(2) {
            return Err("crypto/rsa: invalid CRT coefficient");
        }
        if wrong(0) {
            return Err("crypto/rsa: d does not match dP");
        }
        if wrong(1) {
            return Err("crypto/rsa: d does not match dQ");
        }
        Ok(())
    }

    fn check_sizes(&self) -> std::result::Result<(), &'static str> {
        if let [p, q] = self.primes.as_slice() {
            if p == q {
                return Err("crypto/rsa: p == q");
            }
            let distance = if p > q { p - q } else { q - p };
            if distance.bits() + 100 <= self.n.bits() / 2 {
                return Err("crypto/rsa: |p - q| too small");
            }
        }
        if self.d.bits() <= self.n.bits() / 2 {
            return Err("crypto/rsa: d too small");
        }
        Ok(())
    }

    /// PKCS#1, as Go's `MarshalPKCS1PrivateKey` writes it.
    pub(super) fn to_pkcs1(&self) -> Vec<u8> {
        let more = self.additional_primes().unwrap_or_default();
        let version = u64::from(!more.is_empty());
        let mut parts = vec![der::small_integer(version), der::integer(&self.n)];
        parts.push(der::small_integer(self.e));
        parts.push(der::integer(&self.d));
        parts.extend(self.primes.iter().take(2).chain(&self.crt).map(der::integer));
        if !more.is_empty() {
            parts.push(der::element(der::SEQUENCE, &slices(&more)));
        }
        der::sequence(&slices(&parts))
    }

    /// The primes from the third on, as they are written; `None` if they have a common factor.
    fn additional_primes(&self) -> Option<Vec<Vec<u8>>> {
        let one = BigUint::from(1_u8);
        let mut product = self.primes.iter().take(2).product::<BigUint>();
        let mut out = Vec::new();
        for prime in self.primes.iter().skip(2) {
            let coefficient = (&product % prime).modinv(prime)?;
            out.push(der::sequence(&[
                &der::integer(prime),
                &der::integer(&(&self.d % (prime - &one))),
                &der::integer(&coefficient),
            ]));
            product *= prime;
        }
        Some(out)
    }

    /// The size of the modulus.
    pub(super) fn bits(&self) -> u64 {
        self.n.bits()
    }

    /// The public key as PKCS#1 has it.
    pub(super) fn public_der(&self) -> Vec<u8> {
        der::sequence(&[&der::integer(&self.n), &der::small_integer(self.e)])
    }

    /// A PKCS #1 v1.5 signature over a message's SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, String> {
        // The DER of a DigestInfo up to the digest.
        const PREFIX: &[u8] =
            b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
        let bits = self.n.bits();
        if bits < 1024 {
            return Err(format!(
                "crypto/rsa: {bits}-bit keys are insecure \
                 (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)"
            ));
        }
        let size = bits.div_ceil(8) as usize;
        let digest = Sha256::digest(message);
        let mut block = vec![0xff; size];
        let tail = [&[0], PREFIX, &digest].concat();
        block.splice(size.saturating_sub(tail.len()).., tail);
        block.splice(..2, [0, 1]);
        let signature = self.private_power(&BigUint::from_bytes_be(&block)).to_bytes_be();
        let mut out = vec![0; size.saturating_sub(signature.len())];
        out.extend(signature);
        Ok(out)
    }

    fn private_power(&self, m: &BigUint) -> BigUint {
        let ([p, q], [dp, dq, inverse]) = (self.primes.as_slice(), &self.crt) else {
            return power_modulo(m, &self.d, &self.n);
        };
        let of_p = power_modulo(m, dp, p);
        let of_q = power_modulo(m, dq, q);
        let difference = (of_p + p - &of_q % p) % p;
        of_q + (difference * inverse) % p * q
    }
}

fn check_public(n: &BigUint, e: i64) -> std::result::Result<(), &'static str> {
    if !n.bit(0) {
        return Err("crypto/rsa: public modulus is even");
    }
    if e < 2 {
        return Err("crypto/rsa: public exponent too small or negative");
    }
    if e & 1 == 0 {
        return Err("crypto/rsa: public exponent is even");
    }
    if e > i64::from(i32::MAX) {
        return Err("crypto/rsa: public exponent too large");
    }
    Ok(())
}

fn slices(parts: &[Vec<u8>]) -> Vec<&[u8]> {
    parts.iter().map(Vec::as_slice).collect()
}

/// A random prime with its two top bits set, so that two of them make a modulus of full length.
fn random_prime<const N: usize>(sieve: &Sieve<N>, host: &dyn Host) -> Option<BigUint> {
    (0..64)
        .find_map(|_| {
            let mut start: Limbs<N> = random::limbs(host);
            *start.first_mut()? |= 1;
            *start.last_mut()? |= 3 << 62;
            next_prime(&start, sieve, |p| remainder(p, EXPONENT) != 1)
        })
        .map(|p| from_limbs(&p))
}

fn gcd(mut a: BigUint, mut b: BigUint) -> BigUint {
    while b.bits() > 0 {
        (a, b) = (b.clone(), a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::Hermetic;

    fn key() -> RsaKey {
        RsaKey::generate::<8>(&Meter::default(), &Hermetic::default()).unwrap()
    }

    #[test]
    fn signatures_are_undone_by_the_public_exponent() {
        let key = key();
        assert_eq!(key.n.bits(), 1024);
        let signature = BigUint::from_bytes_be(&key.sign(b"message").unwrap());
        let block = signature.modpow(&BigUint::from(key.e), &key.n).to_bytes_be();
        assert!(block.starts_with(&[1, 0xff, 0xff]));
        assert!(block.ends_with(&Sha256::digest(b"message")));
    }

    #[test]
    fn keys_survive_being_written_and_are_checked_when_read() {
        let bytes = key().to_pkcs1();
        let read = RsaKey::parse(&bytes).unwrap().unwrap();
        assert_eq!(read.to_pkcs1(), bytes);
        let mut wrong = bytes.clone();
        *wrong.last_mut().unwrap() ^= 1;
        assert_eq!(
            RsaKey::parse(&wrong).unwrap().err(),
            Some("crypto/rsa: invalid CRT coefficient")
        );
        assert!(RsaKey::parse(bytes.get(..40).unwrap()).is_err());
    }

    #[test]
    fn a_host_without_randomness_gives_no_key() {
        #[derive(Debug)]
        struct Zeros;
        impl Host for Zeros {
            fn now(&self) -> bowsprit_value::Timestamp {
                bowsprit_value::Timestamp::default()
            }
            fn fill_random(&self, buf: &mut [u8]) {
                buf.fill(0);
            }
        }
        assert!(RsaKey::generate::<2>(&Meter::default(), &Zeros).is_none());
    }
}
