//! DSA keys: only made, never used, since certificates can't be signed with them.

use super::prime::{
    Limbs, Sieve, from_limbs, is_prime, next_prime, power_modulo, remainder, small_primes, to_limbs,
};
use super::{asn1, der, random};
use bowsprit_value::Host;
use num_bigint::BigUint;

/// The key in the order in which it is written: p, q, g, y, x.
#[derive(Debug)]
pub(super) struct DsaKey([BigUint; 5]);

// Limbs of the two primes: 2048 and 256 bits.
const P: usize = 32;
const Q: usize = 4;
// Trial division by larger primes costs more than the tests that it saves.
const TRIALS: usize = 4500;

impl DsaKey {
    /// Random parameters of 2048 and 256 bits and a random key for them; `None` if the host's
    /// randomness gives no primes.
    pub(super) fn generate(host: &dyn Host) -> Option<DsaKey> {
        let sieve = Sieve::<Q>::new();
        let q = loop_limbs(host, |start| next_prime(start, &sieve, |_| true))?;
        let q = from_limbs(&q);
        let p = modulus(&q, host)?;
        let g = generator(&p, &q)?;
        let x = random::below(&q, host);
        let y = power_modulo(&g, &x, &p);
        Some(DsaKey([p, q, g, y, x]))
    }

    /// Reads sprig's own format.
    pub(super) fn parse(bytes: &[u8]) -> asn1::Result<DsaKey> {
        let mut fields = asn1::Fields::new(bytes).sequence("DSAKeyFormat")?;
        fields.int()?;
        let mut numbers = <[BigUint; 5]>::default();
        for number in &mut numbers {
            *number = fields.big_int()?;
        }
        Ok(DsaKey(numbers))
    }

    /// Writes sprig's own format.
    pub(super) fn to_der(&self) -> Vec<u8> {
        let [p, q, g, y, x] = self.0.each_ref().map(der::integer);
        der::sequence(&[&der::small_integer(0), &p, &q, &g, &y, &x])
    }
}

/// Draws odd numbers with the top bit set until one leads to a result.
fn loop_limbs<const N: usize>(
    host: &dyn Host,
    search: impl Fn(&Limbs<N>) -> Option<Limbs<N>>,
) -> Option<Limbs<N>> {
    (0..64).find_map(|_| {
        let mut start: Limbs<N> = random::limbs(host);
        *start.first_mut()? |= 1;
        *start.last_mut()? |= 1 << 63;
        search(&start)
    })
}

/// A prime that is 1 modulo 2q.
fn modulus(q: &BigUint, host: &dyn Host) -> Option<BigUint> {
    let double = q * 2_u8;
    let trials = small_primes(TRIALS);
    // About one draw in 700 is prime; Go gives up on a q after 8192 and takes another.
    (0..32 * 1024).find_map(|_| {
        let mut draw: Limbs<P> = random::limbs(host);
        *draw.last_mut()? |= 1 << 63;
        let draw = from_limbs(&draw);
        let candidate = &draw - &draw % &double + 1_u8;
        let limbs = to_limbs::<P>(&candidate);
        let prime = limbs.last()? >> 63 == 1
            && trials.iter().all(|&small| remainder(&limbs, small) != 0)
            && is_prime(&limbs);
        prime.then_some(candidate)
    })
}

fn generator(p: &BigUint, q: &BigUint) -> Option<BigUint> {
    let one = BigUint::from(1_u8);
    let exponent = (p - &one) / q;
    (2_u8..).map(|h| power_modulo(&BigUint::from(h), &exponent, p)).find(|g| *g != one)
}
