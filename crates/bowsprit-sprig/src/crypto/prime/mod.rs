//! Prime numbers: a sieve over odd candidates, then strong tests (Miller-Rabin) of those that are left.
//!
//! The search dominates the time of every template that makes keys, so the arithmetic works on arrays
//! whose size the compiler knows, and on eight candidates at once where the processor can. The prime that
//! a search finds is the same on all processors. Nothing takes care to run in constant time.

#[cfg(target_arch = "x86_64")]
mod lanes;
mod scalar;
mod sieve;

use num_bigint::BigUint;
use scalar::Montgomery;
pub(super) use sieve::{Sieve, small_primes};

/// Little-endian limbs.
pub(super) type Limbs<const N: usize> = [u64; N];

/// The first base finds nearly every composite, the others are for the rare rest. A random number of 1024
/// bits that passes five rounds with random bases is composite with a chance below 2^-120, a larger one with
/// less (Damgård, Landrock and Pomerance 1993). Fixed bases do where nobody chooses the numbers, as here. The
/// arithmetic in lanes takes no base above 11.
const BASES: [u64; 5] = [2, 3, 5, 7, 11];

/// The first prime from an odd start with its top bit set that suits, unless none is near.
pub(super) fn next_prime<const N: usize>(
    start: &Limbs<N>,
    sieve: &Sieve<N>,
    suits: impl Fn(&Limbs<N>) -> bool,
) -> Option<Limbs<N>> {
    let candidates = sieve.survivors(start).map(|index| add_small(start, 2 * index));
    // Behind the largest number come small ones again.
    let candidates = candidates.take_while(|n| n.last().is_some_and(|high| high >> 63 == 1));
    let mut candidates = candidates.filter(|candidate| suits(candidate));
    let tester = Tester::new();
    let [first, others @ ..] = BASES;
    loop {
        let tests: Vec<_> = candidates.by_ref().take(tester.width()).map(|n| (n, first)).collect();
        if tests.is_empty() {
            return None;
        }
        let passed = tester.strong(&tests);
        let probable = tests.iter().zip(passed).filter(|(_, passed)| *passed).map(|((n, _), _)| n);
        if let Some(prime) = probable.into_iter().find(|n| tester.all_strong(n, &others)) {
            return Some(*prime);
        }
    }
}

/// Whether an odd number with its top bit set is prime.
pub(super) fn is_prime<const N: usize>(n: &Limbs<N>) -> bool {
    n.first().is_some_and(|low| low & 1 == 1)
        && n.last().is_some_and(|high| high >> 63 == 1)
        && Tester::new().all_strong(n, &BASES)
}

/// A number to the power of another, modulo an odd one; quickly where that has the size of keys' primes.
pub(super) fn power_modulo(base: &BigUint, exponent: &BigUint, modulus: &BigUint) -> BigUint {
    match modulus.bits() {
        1024 if modulus.bit(0) && exponent < modulus => sized_power::<16>(base, exponent, modulus),
        2048 if modulus.bit(0) && exponent < modulus => sized_power::<32>(base, exponent, modulus),
        _ => base.modpow(exponent, modulus),
    }
}

fn sized_power<const N: usize>(base: &BigUint, exponent: &BigUint, modulus: &BigUint) -> BigUint {
    let base = to_limbs::<N>(&(base % modulus));
    let modulus = Montgomery::new(&to_limbs::<N>(modulus));
    from_limbs(&modulus.power_of(&base, &to_limbs(exponent)))
}

/// The limbs of a number that has no more.
pub(super) fn to_limbs<const N: usize>(n: &BigUint) -> Limbs<N> {
    let mut limbs = [0; N];
    for (limb, digit) in limbs.iter_mut().zip(n.iter_u64_digits()) {
        *limb = digit;
    }
    limbs
}

pub(super) fn from_limbs<const N: usize>(limbs: &Limbs<N>) -> BigUint {
    let bytes: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    BigUint::from_bytes_le(&bytes)
}

/// Makes strong tests, several at once where that is possible.
struct Tester {
    #[cfg(target_arch = "x86_64")]
    lanes: Option<lanes::Lanes>,
}

impl Tester {
    fn new() -> Tester {
        Tester {
            #[cfg(target_arch = "x86_64")]
            lanes: lanes::Lanes::detect(),
        }
    }

    #[cfg(test)]
    fn scalar() -> Tester {
        Tester {
            #[cfg(target_arch = "x86_64")]
            lanes: None,
        }
    }

    /// How many tests take no longer than one.
    fn width(&self) -> usize {
        #[cfg(target_arch = "x86_64")]
        if self.lanes.is_some() {
            return lanes::LANES;
        }
        1
    }

    /// Whether a number is a strong probable prime to all bases.
    fn all_strong<const N: usize>(&self, n: &Limbs<N>, bases: &[u64]) -> bool {
        bases.chunks(self.width()).all(|bases| {
            let tests: Vec<_> = bases.iter().map(|base| (*n, *base)).collect();
            self.strong(&tests).iter().all(|passed| *passed)
        })
    }

    /// Which numbers are strong probable primes to the bases beside them; at most as many as are made
    /// at once.
    fn strong<const N: usize>(&self, tests: &[(Limbs<N>, u64)]) -> Vec<bool> {
        #[cfg(target_arch = "x86_64")]
        if let (Some(lanes), Some(&last)) = (self.lanes, tests.last()) {
            let lane = |lane: usize| tests.get(lane).copied().unwrap_or(last);
            let all: [_; lanes::LANES] = std::array::from_fn(lane);
            let exponents = all.map(|(n, _)| odd_part(&n));
            let powers = lanes.powers(&all.map(|(n, _)| n), all.map(|(_, base)| base), &exponents);
            return tests.iter().zip(&powers).map(|((n, _), power)| is_strong(n, power)).collect();
        }
        let power = |(n, base): &(Limbs<N>, u64)| Montgomery::new(n).power(*base, &odd_part(n));
        tests.iter().map(|test| is_strong(&test.0, &power(test))).collect()
    }
}

/// The odd factor of the number before an odd one.
fn odd_part<const N: usize>(n: &Limbs<N>) -> Limbs<N> {
    let mut out = [0; N];
    let zeros = zeros_before(n);
    let (words, bits) = (zeros / 64, zeros % 64);
    for (i, limb) in out.iter_mut().enumerate() {
        let part = |i: usize| match n.get(i + words) {
            Some(limb) if i + words == 0 => u128::from(limb & !1),
            limb => limb.map_or(0, |limb| u128::from(*limb)),
        };
        *limb = ((part(i + 1) << 64 | part(i)) >> bits) as u64;
    }
    out
}

/// How often two divides the number before an odd one.
fn zeros_before<const N: usize>(n: &Limbs<N>) -> usize {
    let mut limbs = *n;
    if let Some(low) = limbs.first_mut() {
        *low &= !1;
    }
    let whole = limbs.iter().take_while(|&&limb| limb == 0).count();
    whole * 64 + limbs.get(whole).map_or(0, |limb| limb.trailing_zeros() as usize)
}

/// Whether the squares of a power whose exponent is the odd part of n - 1 show n to be a strong probable
/// prime.
fn is_strong<const N: usize>(n: &Limbs<N>, power: &Limbs<N>) -> bool {
    let mut one = [0; N];
    one[0] = 1;
    let minus_one = subtract(n, &one).0;
    if *power == one || *power == minus_one {
        return true;
    }
    let mut squares = 1..zeros_before(n);
    if squares.is_empty() {
        return false;
    }
    // Each product is divided by the radix, for a one as for the power.
    let field = Montgomery::new(n);
    let (mut power, mut unit) = (*power, one);
    squares.any(|_| {
        (power, unit) = (field.square(&power), field.square(&unit));
        power == subtract(n, &unit).0
    })
}

/// The remainder by a small number.
pub(super) fn remainder<const N: usize>(n: &Limbs<N>, divisor: u32) -> u32 {
    let divisor = u64::from(divisor);
    n.iter().rev().fold(0, |rest, limb| {
        let rest = (rest << 32 | limb >> 32) % divisor;
        (rest << 32 | limb & 0xffff_ffff) % divisor
    }) as u32
}

fn add_small<const N: usize>(n: &Limbs<N>, small: u64) -> Limbs<N> {
    let mut out = *n;
    let mut carry = small;
    for limb in &mut out {
        let (sum, over) = limb.overflowing_add(carry);
        *limb = sum;
        carry = u64::from(over);
    }
    out
}

/// The difference and whether it went below zero.
fn subtract<const N: usize>(a: &Limbs<N>, b: &Limbs<N>) -> (Limbs<N>, bool) {
    let mut out = [0; N];
    let mut borrow = false;
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        let (once, first) = a.overflowing_sub(*b);
        let (twice, second) = once.overflowing_sub(u64::from(borrow));
        *out = twice;
        borrow = first || second;
    }
    (out, borrow)
}

/// Twice a number modulo another with its top bit set.
fn double<const N: usize>(a: &Limbs<N>, modulus: &Limbs<N>) -> Limbs<N> {
    let mut out = [0; N];
    let mut carry = 0;
    for (out, limb) in out.iter_mut().zip(a) {
        *out = limb << 1 | carry;
        carry = limb >> 63;
    }
    let (reduced, borrow) = subtract(&out, modulus);
    if carry > 0 || !borrow { reduced } else { out }
}

/// The inverse of an odd number modulo 2^64.
fn inverse(odd: u64) -> u64 {
    // Newton's iteration doubles the bits that are right; an odd number inverts itself in three.
    (0..5).fold(odd, |x, _| x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x))))
}

fn negative_inverse<const N: usize>(modulus: &Limbs<N>) -> u64 {
    inverse(modulus.first().copied().unwrap_or(1)).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, the same in each run.
    fn numbers<const N: usize>() -> impl Iterator<Item = Limbs<N>> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        std::iter::repeat_with(move || {
            std::array::from_fn(|i| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                match i {
                    0 => state | 1,
                    i if i == N - 1 => state | 1 << 63,
                    _ => state,
                }
            })
        })
    }

    fn big<const N: usize>(n: &Limbs<N>) -> BigUint {
        n.iter().rev().fold(BigUint::default(), |out, limb| (out << 64) + *limb)
    }

    /// The definition, by a library's arithmetic.
    fn strong_by_definition<const N: usize>(n: &Limbs<N>, base: u64) -> bool {
        let n = big(n);
        let one = BigUint::from(1_u8);
        let less = &n - &one;
        let zeros = less.trailing_zeros().unwrap();
        let first = BigUint::from(base).modpow(&(&less >> zeros), &n);
        first == one || (0..zeros).any(|i| first.modpow(&(&one << i), &n) == less)
    }

    fn check_powers<const N: usize>() {
        let mut numbers = numbers::<N>();
        for round in 0..6 {
            let moduli: [Limbs<N>; 8] = std::array::from_fn(|lane| match (round, lane) {
                (0, 0) => [u64::MAX; N],
                (0, 1) => {
                    std::array::from_fn(|i| if i == N - 1 { 1 << 63 } else { u64::from(i == 0) })
                }
                _ => numbers.next().unwrap(),
            });
            let bases = [2, 3, 5, 7, 11, 2, 10, 1];
            let exponents: [Limbs<N>; 8] = std::array::from_fn(|_| numbers.next().unwrap());
            let expected: Vec<BigUint> = (0..8)
                .map(|i| BigUint::from(bases[i]).modpow(&big(&exponents[i]), &big(&moduli[i])))
                .collect();
            for (i, expected) in expected.iter().enumerate() {
                let power = Montgomery::new(&moduli[i]).power(bases[i], &exponents[i]);
                assert_eq!(big(&power), *expected);
                let (base, modulus) = (big(&moduli[7 - i]), big(&moduli[i]));
                let exponent = big(&exponents[i]) % &modulus;
                let expected = base.modpow(&exponent, &modulus);
                assert_eq!(from_limbs(&to_limbs::<N>(&expected)), expected);
                assert_eq!(sized_power::<N>(&base, &exponent, &modulus), expected);
                assert_eq!(power_modulo(&base, &exponent, &modulus), expected);
            }
            #[cfg(target_arch = "x86_64")]
            if let Some(lanes) = lanes::Lanes::detect() {
                let powers = lanes.powers(&moduli, bases, &exponents);
                assert_eq!(powers.each_ref().map(big).to_vec(), expected);
            }
        }
    }

    #[test]
    fn powers_are_right_in_all_sizes() {
        check_powers::<2>();
        check_powers::<4>();
        check_powers::<8>();
        check_powers::<16>();
        check_powers::<32>();
    }

    #[test]
    fn strong_tests_follow_the_definition() {
        let mut passed = 0;
        for tester in [Tester::new(), Tester::scalar()] {
            for (i, mut n) in numbers::<2>().take(400).enumerate() {
                if i % 4 == 0 {
                    // The number before has many factors of two.
                    n[0] = n[0] << (i / 8) | 1;
                }
                let expected = strong_by_definition(&n, 3);
                assert_eq!(tester.strong(&[(n, 3)]), [expected]);
                passed += usize::from(expected);
            }
        }
        assert!(passed > 10);
    }

    #[test]
    fn known_primes_are_told_from_composites() {
        // 2^256 - 189 is prime; 2^256 - 187 is not.
        let mut n = [u64::MAX; 4];
        n[0] -= 188;
        assert!(is_prime(&n));
        n[0] += 2;
        assert!(!is_prime(&n));
        // 2^64 - 59 is prime; its neighbours are not.
        assert!(is_prime(&[u64::MAX - 58]));
        assert!(!is_prime(&[u64::MAX - 56]));
    }

    #[test]
    fn the_search_finds_the_next_prime() {
        let sieve = Sieve::new();
        // 2^128 - 159 is the largest prime below 2^128, 2^128 - 173 the one before.
        let start = [u64::MAX - 174, u64::MAX];
        assert_eq!(next_prime(&start, &sieve, |_| true), Some([u64::MAX - 172, u64::MAX]));
        let start = [u64::MAX - 170, u64::MAX];
        assert_eq!(next_prime(&start, &sieve, |_| true), Some([u64::MAX - 158, u64::MAX]));
        assert_eq!(next_prime(&[u64::MAX - 156, u64::MAX], &sieve, |_| true), None);
    }
}
