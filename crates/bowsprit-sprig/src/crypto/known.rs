//! Primes that need not be searched for, for runs whose keys are of no use to anybody.
//!
//! Who only checks a chart wants to know whether its templates run. A key that is made on the way has to be
//! sound, and another one than those before it, but nobody will lock anything with it.

use bowsprit_value::Meter;
use num_bigint::BigUint;

const COUNT: usize = 12;

/// The last primes before a power of two, by their distance from it, and the first ones after three quarters of
/// it: so far apart are the primes of a key that Go takes it. Those that the usual exponent does not suit are
/// left out.
struct Primes {
    bits: u64,
    below: [u16; COUNT],
    above: [u16; COUNT],
}

const PRIMES: [Primes; 2] = [
    Primes {
        bits: 1024,
        below: [105, 179, 1397, 3177, 5025, 5409, 6083, 6369, 6615, 7137, 7953, 8049],
        above: [1037, 1697, 1937, 2087, 2197, 3031, 3727, 5111, 5209, 8329, 8401, 9661],
    },
    Primes {
        bits: 2048,
        below: [1557, 2543, 7437, 8507, 9443, 9509, 11339, 11837, 12459, 12855, 13407, 14505],
        above: [439, 469, 899, 1907, 1921, 3715, 4931, 9229, 10451, 11251, 11741, 17129],
    },
];

impl Primes {
    /// A pair for each number below the square of [`COUNT`].
    fn pair(&self, number: usize) -> Option<[BigUint; 2]> {
        let (below, above) = (self.below.get(number / COUNT)?, self.above.get(number % COUNT)?);
        let power = BigUint::from(1_u8) << self.bits;
        let quarters = BigUint::from(3_u8) << (self.bits - 2);
        Some([power - *below, quarters + *above])
    }
}

/// What a run knows of such keys.
#[derive(Default)]
struct Known {
    wanted: bool,
    /// How many pairs of each size have been used.
    used: [usize; PRIMES.len()],
}

/// Lets functions that make RSA keys for a run, such as `genCA`, take well-known primes instead of searching for
/// new ones, which is nearly all of their work. The keys are valid and no two of a run are the same, but
/// **they protect nothing**: whoever has this program knows them.
pub fn use_known_primes(meter: &Meter) {
    meter.scratch(|known: &mut Known| known.wanted = true);
}

/// Two primes that have not been given to this run, if it takes known ones.
pub(super) fn primes(bits: u64, meter: &Meter) -> Option<[BigUint; 2]> {
    let at = PRIMES.iter().position(|primes| primes.bits == bits)?;
    let number = meter.scratch(|known: &mut Known| {
        let used = known.used.get_mut(at).filter(|_| known.wanted)?;
        *used += 1;
        Some(*used - 1)
    })?;
    PRIMES.get(at)?.pair(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::prime::{is_prime, to_limbs};
    use std::collections::BTreeSet;

    fn check<const N: usize>(primes: &Primes) {
        assert_eq!(primes.bits, 64 * N as u64);
        for number in 0..COUNT {
            for prime in primes.pair(number * COUNT + number).unwrap() {
                assert!(is_prime(&to_limbs::<N>(&prime)), "{prime}");
            }
        }
    }

    #[test]
    fn they_are_primes() {
        let [small, large] = &PRIMES;
        check::<16>(small);
        check::<32>(large);
    }

    #[test]
    fn no_pair_comes_twice_and_none_unasked() {
        let meter = Meter::default();
        assert_eq!(primes(1024, &meter), None);
        use_known_primes(&meter);
        let pairs: BTreeSet<_> = std::iter::from_fn(|| primes(1024, &meter)).collect();
        assert_eq!(pairs.len(), COUNT * COUNT);
        assert!(primes(2048, &meter).is_some());
        assert_eq!(primes(512, &meter), None);
        assert_eq!(primes(2048, &Meter::default()), None);
    }
}
