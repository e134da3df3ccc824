//! Prime numbers: a sieve over odd candidates, then Miller-Rabin tests in Montgomery form.
//!
//! The search dominates the time of every template that makes keys, so the arithmetic works on arrays
//! whose size the compiler knows. It takes no care to run in constant time.

/// Little-endian limbs.
pub(super) type Limbs<const N: usize> = [u64; N];

const SIEVE_LIMIT: usize = 1 << 16;

/// The odd primes below the sieve's limit.
pub(super) fn small_primes() -> Vec<u32> {
    let mut composite = vec![false; SIEVE_LIMIT / 2];
    let mut primes = Vec::with_capacity(6541);
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

/// The first prime from an odd start on that suits, unless none is near.
pub(super) fn next_prime<const N: usize>(
    start: &Limbs<N>,
    primes: &[u32],
    suits: impl Fn(&Limbs<N>) -> bool,
) -> Option<Limbs<N>> {
    let mut composite = vec![false; 64 * 64 * N];
    for &prime in primes {
        let step = prime as usize;
        let rest = remainder(start, prime) as usize;
        // The first index with start + 2 * index divisible by the prime.
        let gap = (step - rest) % step;
        let first = if gap.is_multiple_of(2) { gap / 2 } else { (gap + step) / 2 };
        for slot in composite.iter_mut().skip(first).step_by(step) {
            *slot = true;
        }
    }
    let candidates = (0..).zip(&composite).filter(|(_, hit)| !**hit);
    candidates
        .map(|(index, _)| add_small(start, 2 * index))
        .find(|candidate| suits(candidate) && is_prime(candidate))
}

/// Whether an odd number with its top bit set is prime. A random composite of 256 bits or more passes
/// with a chance of less than one in 2^80.
pub(super) fn is_prime<const N: usize>(n: &Limbs<N>) -> bool {
    let Some(field) = Montgomery::new(n) else { return false };
    // Composites fail the first test nearly always; the others are for the rare rest.
    [2, 3, 5, 7].iter().all(|&base| field.miller_rabin(base))
}

/// Arithmetic modulo an odd number, on numbers times 2^(64 N).
struct Montgomery<const N: usize> {
    modulus: Limbs<N>,
    /// -1/modulus modulo 2^64.
    inverse: u64,
    one: Limbs<N>,
    minus_one: Limbs<N>,
}

impl<const N: usize> Montgomery<N> {
    fn new(modulus: &Limbs<N>) -> Option<Montgomery<N>> {
        let low = *modulus.first()?;
        if low & 1 == 0 || modulus.last()? >> 63 == 0 {
            return None;
        }
        // Newton's iteration doubles the bits that are right; an odd number inverts itself in three.
        let inverse =
            (0..6).fold(low, |x, _| x.wrapping_mul(2_u64.wrapping_sub(low.wrapping_mul(x))));
        // The top bit is set, so one subtraction reduces 2^(64 N).
        let one = subtract(&[0; N], modulus).0;
        let minus_one = subtract(modulus, &one).0;
        Some(Montgomery { modulus: *modulus, inverse: inverse.wrapping_neg(), one, minus_one })
    }

    // Inlined into its callers it takes a third longer.
    #[inline(never)]
    fn multiply(&self, a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let mut t = [0; N];
        let mut top = 0;
        for &factor in b {
            let (low, mut carry_a) = multiply_add(a[0], factor, t[0], 0);
            let m = low.wrapping_mul(self.inverse);
            let (_, mut carry_m) = multiply_add(self.modulus[0], m, low, 0);
            for j in 1..N {
                let (sum, carry) = multiply_add(a[j], factor, t[j], carry_a);
                carry_a = carry;
                (t[j - 1], carry_m) = multiply_add(self.modulus[j], m, sum, carry_m);
            }
            let sum = u128::from(top) + u128::from(carry_a) + u128::from(carry_m);
            t[N - 1] = sum as u64;
            top = (sum >> 64) as u64;
        }
        let (reduced, borrow) = subtract(&t, &self.modulus);
        if top > 0 || !borrow { reduced } else { t }
    }

    fn double(&self, a: &Limbs<N>) -> Limbs<N> {
        let mut out = [0; N];
        let mut carry = 0;
        for (out, limb) in out.iter_mut().zip(a) {
            *out = limb << 1 | carry;
            carry = limb >> 63;
        }
        let (reduced, borrow) = subtract(&out, &self.modulus);
        if carry > 0 || !borrow { reduced } else { out }
    }

    fn miller_rabin(&self, base: u64) -> bool {
        let mut less = self.modulus;
        less[0] &= !1;
        let zeros = trailing_zeros(&less);
        // Powers of two need no multiplications.
        let two = base == 2;
        let base = self.small(base);
        let mut power = self.one;
        for bit in (zeros..64 * N).rev() {
            power = self.multiply(&power, &power);
            if less[bit / 64] >> (bit % 64) & 1 == 1 {
                power = if two { self.double(&power) } else { self.multiply(&power, &base) };
            }
        }
        if power == self.one || power == self.minus_one {
            return true;
        }
        for _ in 1..zeros {
            power = self.multiply(&power, &power);
            if power == self.minus_one {
                return true;
            }
        }
        false
    }

    /// A small number in Montgomery form.
    fn small(&self, n: u64) -> Limbs<N> {
        let mut out = [0; N];
        for bit in (0..64 - n.leading_zeros()).rev() {
            out = self.double(&out);
            if n >> bit & 1 == 1 {
                out = self.add(&out, &self.one);
            }
        }
        out
    }

    fn add(&self, a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let mut out = [0; N];
        let mut carry = 0;
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            let sum = u128::from(*a) + u128::from(*b) + u128::from(carry);
            *out = sum as u64;
            carry = (sum >> 64) as u64;
        }
        let (reduced, borrow) = subtract(&out, &self.modulus);
        if carry > 0 || !borrow { reduced } else { out }
    }
}

fn trailing_zeros<const N: usize>(n: &Limbs<N>) -> usize {
    let whole = n.iter().take_while(|&&limb| limb == 0).count();
    whole * 64 + n.get(whole).map_or(0, |limb| limb.trailing_zeros() as usize)
}

/// `a * b + c + carry` as low and high half.
#[inline(always)]
fn multiply_add(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    let sum = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(carry);
    (sum as u64, (sum >> 64) as u64)
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

#[cfg(test)]
mod tests {
    use super::*;

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
        let primes = small_primes();
        assert_eq!(primes.len(), 6541);
        // 2^128 - 159 is the largest prime below 2^128, 2^128 - 173 the one before.
        let start = [u64::MAX - 174, u64::MAX];
        assert_eq!(next_prime(&start, &primes, |_| true), Some([u64::MAX - 172, u64::MAX]));
        let start = [u64::MAX - 170, u64::MAX];
        assert_eq!(next_prime(&start, &primes, |_| true), Some([u64::MAX - 158, u64::MAX]));
    }
}
