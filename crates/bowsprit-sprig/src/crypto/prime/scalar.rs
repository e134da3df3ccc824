//! Arithmetic modulo one number, for all processors.

use super::{Limbs, double, subtract};

/// Arithmetic modulo an odd number, on numbers times 2^(64 N).
pub(super) struct Montgomery<const N: usize> {
    modulus: Limbs<N>,
    /// -1/modulus modulo 2^64.
    inverse: u64,
    one: Limbs<N>,
}

impl<const N: usize> Montgomery<N> {
    /// For an odd modulus with its top bit set.
    pub(super) fn new(modulus: &Limbs<N>) -> Montgomery<N> {
        // The top bit is set, so one subtraction reduces 2^(64 N).
        let one = subtract(&[0; N], modulus).0;
        Montgomery { modulus: *modulus, inverse: super::negative_inverse(modulus), one }
    }

    pub(super) fn multiply(&self, a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        let mut product = [[0; N]; 2];
        let out = product.as_flattened_mut();
        for (i, &factor) in b.iter().enumerate() {
            let Some(out) = out.get_mut(i..) else { continue };
            let carry = add_row(factor, a, out);
            if let Some(out) = out.get_mut(N) {
                *out = carry;
            }
        }
        self.reduce(product)
    }

    #[inline(never)]
    pub(super) fn square(&self, a: &Limbs<N>) -> Limbs<N> {
        let mut product = [[0; N]; 2];
        let out = product.as_flattened_mut();
        // Each pair of different limbs once.
        let mut limbs = a.as_slice();
        let mut at = 1;
        while let [factor, rest @ ..] = limbs {
            let Some(out) = out.get_mut(at..) else { break };
            let carry = add_row(*factor, rest, out);
            if let Some(out) = out.get_mut(rest.len()) {
                *out = carry;
            }
            (limbs, at) = (rest, at + 2);
        }
        let mut carry = 0;
        for (&limb, out) in a.iter().zip(out.as_chunks_mut::<2>().0) {
            let square = u128::from(limb) * u128::from(limb);
            let sum = (u128::from(out[0]) << 1) + u128::from(square as u64) + carry;
            out[0] = sum as u64;
            let sum = (u128::from(out[1]) << 1) + (square >> 64) + (sum >> 64);
            out[1] = sum as u64;
            carry = sum >> 64;
        }
        self.reduce(product)
    }

    /// The product divided by 2^(64 N).
    #[inline(always)]
    fn reduce(&self, mut product: [Limbs<N>; 2]) -> Limbs<N> {
        let all = product.as_flattened_mut();
        let mut top = 0;
        for i in 0..N {
            let Some(out) = all.get_mut(i..) else { continue };
            let Some(low) = out.first() else { continue };
            let carry = add_row(low.wrapping_mul(self.inverse), &self.modulus, out);
            if let Some(out) = out.get_mut(N) {
                let sum = u128::from(*out) + u128::from(carry) + u128::from(top);
                *out = sum as u64;
                top = (sum >> 64) as u64;
            }
        }
        let [_, high] = product;
        let (reduced, borrow) = subtract(&high, &self.modulus);
        if top > 0 || !borrow { reduced } else { high }
    }

    /// A small number to the power of another.
    pub(super) fn power(&self, base: u64, exponent: &Limbs<N>) -> Limbs<N> {
        // Powers of two need no multiplications.
        let two = base == 2;
        let base = self.small(base);
        let mut power = self.one;
        for limb in exponent.iter().rev() {
            for bit in (0..64).rev() {
                power = self.square(&power);
                if limb >> bit & 1 == 1 {
                    power = if two {
                        double(&power, &self.modulus)
                    } else {
                        self.multiply(&power, &base)
                    };
                }
            }
        }
        self.plain(&power)
    }

    /// A number below the modulus to the power of another.
    pub(super) fn power_of(&self, base: &Limbs<N>, exponent: &Limbs<N>) -> Limbs<N> {
        // 2^(128 N), by which a number comes into Montgomery form.
        let factor = (0..64 * N).fold(self.one, |power, _| double(&power, &self.modulus));
        let base = self.multiply(base, &factor);
        let mut powers = [self.one; 16];
        for at in 1..powers.len() {
            powers[at] = self.multiply(&powers[at - 1], &base);
        }
        let mut power = self.one;
        for limb in exponent.iter().rev() {
            for shift in (0..64).step_by(4).rev() {
                for _ in 0..4 {
                    power = self.square(&power);
                }
                power = self.multiply(&power, &powers[(limb >> shift & 15) as usize]);
            }
        }
        self.plain(&power)
    }

    /// A number out of Montgomery form.
    fn plain(&self, n: &Limbs<N>) -> Limbs<N> {
        let mut unit = [0; N];
        unit[0] = 1;
        self.multiply(n, &unit)
    }

    /// A small number in Montgomery form.
    fn small(&self, n: u64) -> Limbs<N> {
        let mut out = [0; N];
        for bit in (0..64 - n.leading_zeros()).rev() {
            out = double(&out, &self.modulus);
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

/// Adds a multiple of `limbs` to as many limbs of `out`; the carry belongs into the next.
#[inline(always)]
fn add_row(factor: u64, limbs: &[u64], out: &mut [u64]) -> u64 {
    let mut carry = 0;
    for (out, &limb) in out.iter_mut().zip(limbs) {
        let sum = u128::from(factor) * u128::from(limb) + u128::from(*out) + u128::from(carry);
        (*out, carry) = (sum as u64, (sum >> 64) as u64);
    }
    carry
}
