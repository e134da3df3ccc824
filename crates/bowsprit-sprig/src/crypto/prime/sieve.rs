//! Trial division of many candidates by many primes at once.

use super::Limbs;

/// The odd primes below a limit.
pub(in super::super) fn small_primes(limit: usize) -> Vec<u32> {
    let mut composite = vec![false; limit / 2];
    let mut primes = Vec::new();
    for i in 1..composite.len() {
        if composite.get(i).copied().unwrap_or(true) {
            continue;
        }
        let prime = 2 * i + 1;
        primes.push(prime as u32);
        for slot in composite.iter_mut().skip(prime * prime / 2).step_by(prime) {
            *slot = true;
        }
    }
    primes
}

/// Small primes, prepared for numbers of `64 * N` bits.
pub(in super::super) struct Sieve<const N: usize> {
    primes: Vec<u32>,
    groups: Vec<Group>,
}

/// Neighbouring primes whose product fits into a limb: one division serves them all.
struct Group {
    product: u64,
    /// 1/product modulo 2^64.
    inverse: u64,
    /// 2^(64 (N + 1)) / 2 modulo the product.
    scale: u64,
    primes: std::ops::Range<usize>,
}

impl<const N: usize> Sieve<N> {
    /// Candidates that a search looks at. One in 22 N odd numbers is prime, so that one search in 100,000
    /// finds none.
    const WINDOW: usize = 256 * N;

    /// A test takes time with the third power of the size, and a division with the first; so the number
    /// of primes that pay grows nearly with the square.
    pub(in super::super) fn new() -> Sieve<N> {
        let primes = small_primes((512 * N * N).max(64));
        let mut groups = Vec::new();
        let mut at = 0;
        while let Some(rest) = primes.get(at..).filter(|rest| !rest.is_empty()) {
            let (mut product, mut end) = (1_u64, at);
            for &prime in rest {
                let Some(more) = product.checked_mul(u64::from(prime)) else { break };
                (product, end) = (more, end + 1);
            }
            groups.push(Group::new::<N>(product, at..end));
            at = end;
        }
        Sieve { primes, groups }
    }

    /// The numbers that a search from an odd start looks at and that no small prime divides, as half
    /// their distances from the start.
    pub(super) fn survivors(&self, start: &Limbs<N>) -> impl Iterator<Item = u64> + use<N> {
        let mut composite = vec![false; Self::WINDOW];
        for group in &self.groups {
            let first = group.first_multiple(start);
            for &prime in self.primes.get(group.primes.clone()).unwrap_or_default() {
                let mut index = (first % u64::from(prime)) as usize;
                while let Some(slot) = composite.get_mut(index) {
                    *slot = true;
                    index += prime as usize;
                }
            }
        }
        (0..).zip(composite).filter_map(|(index, hit)| (!hit).then_some(index))
    }
}

impl Group {
    fn new<const N: usize>(product: u64, primes: std::ops::Range<usize>) -> Group {
        let inverse = super::inverse(product);
        let mut group = Group { product, inverse, scale: 0, primes };
        let double = |x: u64| {
            let twice = u128::from(x) * 2;
            let product = u128::from(product);
            (if twice >= product { twice - product } else { twice }) as u64
        };
        // 2^0 in Montgomery form, that is times 2^64.
        let one = product.wrapping_neg() % product;
        let exponent = 64 * N as u64 - 1;
        group.scale = (0..64 - exponent.leading_zeros()).rev().fold(one, |power, bit| {
            let power = group.reduce(power, power);
            if exponent >> bit & 1 == 1 { double(power) } else { power }
        });
        group
    }

    /// `a * b / 2^64` modulo the product; one of the two is below it.
    fn reduce(&self, a: u64, b: u64) -> u64 {
        let wide = u128::from(a) * u128::from(b);
        let quotient = (wide as u64).wrapping_mul(self.inverse);
        let taken = (u128::from(quotient) * u128::from(self.product)) >> 64;
        let (rest, below) = ((wide >> 64) as u64).overflowing_sub(taken as u64);
        if below { rest.wrapping_add(self.product) } else { rest }
    }

    /// The first index for which the product divides `start + 2 * index`.
    fn first_multiple<const N: usize>(&self, start: &Limbs<N>) -> u64 {
        // Exact division from the lowest limb on leaves start = multiple - carry * 2^(64 N).
        let mut carry = 0;
        for &limb in start {
            let (limb, borrow) = limb.overflowing_sub(carry);
            let quotient = limb.wrapping_mul(self.inverse);
            let taken = (u128::from(quotient) * u128::from(self.product)) >> 64;
            carry = taken as u64 + u64::from(borrow);
        }
        self.reduce(carry, self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survivors_are_those_that_no_small_prime_divides() {
        assert_eq!(small_primes(1 << 16).len(), 6541);
        let sieve = Sieve::<4>::new();
        let start = [0xdead_beef_0123_4567, 5, u64::MAX, 0xfedc_ba98_7654_3210];
        let survivors: Vec<u64> = sieve.survivors(&start).collect();
        let expected: Vec<u64> = (0..Sieve::<4>::WINDOW as u64)
            .filter(|index| {
                let n = super::super::add_small(&start, 2 * index);
                sieve.primes.iter().all(|&prime| super::super::remainder(&n, prime) != 0)
            })
            .collect();
        assert!(!survivors.is_empty());
        assert_eq!(survivors, expected);
    }
}
