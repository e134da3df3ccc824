//! Strong tests of eight numbers at once, on processors that multiply eight pairs of 52-bit numbers
//! with one instruction (AVX-512 IFMA).
//!
//! Each number has its own lane, so that nothing ever moves between lanes. Numbers are in digits of 52
//! bits, little-endian, in Montgomery form for the radix 2^(52 L), which leaves ten bits above the
//! modulus: products need no final subtraction, and with bases up to 11 powers stay below 13 times the
//! modulus. Sums of digits run over into the upper bits of their 64 and are carried once for a whole
//! product.

use super::Limbs;
use fearless_simd::{Avx512, Level, SimdFrom, u64x8};
use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mask_blend_epi64, _mm512_mullo_epi64, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_srli_epi64, _mm512_test_epi64_mask,
};

pub(super) const LANES: usize = 8;

const DIGIT: usize = 52;
const MASK: u64 = (1 << DIGIT) - 1;

/// The proof that the processor has the instructions.
#[derive(Clone, Copy)]
pub(super) struct Lanes(Avx512);

impl Lanes {
    pub(super) fn detect() -> Option<Lanes> {
        Level::new().as_avx512().map(Lanes)
    }

    /// Each base to the power of its exponent modulo its modulus. The moduli are odd with their top bit
    /// set, the bases at most 11.
    pub(super) fn powers<const N: usize>(
        self,
        moduli: &[Limbs<N>; LANES],
        bases: [u64; LANES],
        exponents: &[Limbs<N>; LANES],
    ) -> [Limbs<N>; LANES] {
        let token = self.0;
        let vector = |lanes: [u64; LANES]| u64x8::simd_from(token, lanes).into();
        // Products take two digits at a time.
        let len = (64 * N + 10).div_ceil(DIGIT).next_multiple_of(2);
        let digits = |numbers: &[Limbs<N>; LANES]| -> Vec<__m512i> {
            (0..len).map(|i| vector(numbers.each_ref().map(|n| digit(n, i)))).collect()
        };
        let ones = moduli.each_ref().map(|modulus| radix(modulus, len * DIGIT - 64 * N));
        let mut work = Work {
            modulus: digits(moduli),
            inverse: vector(moduli.each_ref().map(|n| super::negative_inverse(n) & MASK)),
            power: digits(&ones),
            product: vec![vector([0; LANES]); 2 * len],
        };
        let base = vector(bases);
        for word in (0..N).rev() {
            let bits = vector(exponents.each_ref().map(|n| n.get(word).copied().unwrap_or(0)));
            raise(token, &mut work, base, bits);
        }
        leave(token, &mut work);
        let lanes: Vec<[u64; LANES]> =
            work.power.iter().map(|&v| u64x8::simd_from(token, v).into()).collect();
        std::array::from_fn(|lane| {
            undigit(lanes.iter().map(|digits| digits.get(lane).copied().unwrap_or(0)))
        })
    }
}

fn digit<const N: usize>(n: &Limbs<N>, index: usize) -> u64 {
    let (word, bit) = (index * DIGIT / 64, index * DIGIT % 64);
    let limb = |i: usize| u128::from(n.get(i).copied().unwrap_or(0));
    ((limb(word + 1) << 64 | limb(word)) >> bit) as u64 & MASK
}

fn undigit<const N: usize>(digits: impl Iterator<Item = u64>) -> Limbs<N> {
    let mut out = [0; N];
    for (index, digit) in digits.enumerate() {
        let (word, bit) = (index * DIGIT / 64, index * DIGIT % 64);
        let wide = u128::from(digit) << bit;
        for (limb, part) in out.iter_mut().skip(word).zip([wide as u64, (wide >> 64) as u64]) {
            *limb |= part;
        }
    }
    out
}

/// 2^(64 N + spare) modulo a number with its top bit set.
fn radix<const N: usize>(modulus: &Limbs<N>, spare: usize) -> Limbs<N> {
    let one = super::subtract(&[0; N], modulus).0;
    (0..spare).fold(one, |power, _| super::double(&power, modulus))
}

struct Work {
    modulus: Vec<__m512i>,
    /// -1/modulus modulo 2^52.
    inverse: __m512i,
    power: Vec<__m512i>,
    /// Twice as many digits; zero between products.
    product: Vec<__m512i>,
}

fearless_simd::kernel!(
    /// Squares the power 64 times, each time followed by the base where the exponent has a bit.
    fn raise(token: Avx512, work: &mut Work, base: __m512i, exponent: __m512i) -> () {
        let one = _mm512_set1_epi64(1);
        for bit in (0..64).rev() {
            square(token, &work.power, &mut work.product);
            reduce(token, work);
            let set = _mm512_test_epi64_mask(exponent, _mm512_set1_epi64(1 << bit));
            carry(token, work, _mm512_mask_blend_epi64(set, one, base));
        }
    }
);

fearless_simd::kernel!(
    /// Takes the power out of Montgomery form, below the modulus or equal to it.
    fn leave(token: Avx512, work: &mut Work) -> () {
        for (out, &digit) in work.product.iter_mut().zip(&work.power) {
            *out = digit;
        }
        reduce(token, work);
        carry(token, work, _mm512_set1_epi64(1));
    }
);

fearless_simd::kernel!(
    /// Adds `(low + high * 2^52) * factors` to `out`, which has two digits more than the factors.
    #[inline]
    fn add_rows(
        token: Avx512,
        low: __m512i,
        high: __m512i,
        factors: &[__m512i],
        out: &mut [__m512i],
    ) -> () {
        let [first, second, out @ ..] = out else { return };
        // What goes into two more sums stays in registers.
        let (mut first, mut second) = (first, second);
        let (mut sum, mut next) = (*first, *second);
        for (third, &factor) in out.iter_mut().zip(factors) {
            *first = _mm512_madd52lo_epu64(sum, low, factor);
            sum = _mm512_madd52hi_epu64(next, low, factor);
            sum = _mm512_madd52lo_epu64(sum, high, factor);
            next = _mm512_madd52hi_epu64(*third, high, factor);
            (first, second) = (second, third);
        }
        (*first, *second) = (sum, next);
    }
);

fearless_simd::kernel!(
    #[inline]
    fn square(token: Avx512, a: &[__m512i], product: &mut [__m512i]) -> () {
        // Each pair of different digits once.
        let mut digits = a;
        let mut out = &mut *product;
        while let [low, high, rest @ ..] = digits {
            let [_, one, two, ..] = &mut *out else { return };
            *one = _mm512_madd52lo_epu64(*one, *low, *high);
            *two = _mm512_madd52hi_epu64(*two, *low, *high);
            let Some(next) = out.get_mut(2..) else { return };
            add_rows(token, *low, *high, rest, next);
            let Some(next) = out.get_mut(4..) else { break };
            (digits, out) = (rest, next);
        }
        for (&digit, out) in a.iter().zip(product.chunks_exact_mut(2)) {
            let [even, odd] = out else { return };
            *even = _mm512_madd52lo_epu64(_mm512_add_epi64(*even, *even), digit, digit);
            *odd = _mm512_madd52hi_epu64(_mm512_add_epi64(*odd, *odd), digit, digit);
        }
    }
);

fearless_simd::kernel!(
    /// Adds multiples of the modulus until the lower half of the product is zero but for carries, which
    /// go into the upper half.
    #[inline]
    fn reduce(token: Avx512, work: &mut Work) -> () {
        let zero = _mm512_setzero_si512();
        let [n0, n1, modulus @ ..] = work.modulus.as_slice() else { return };
        let mut out = work.product.as_mut_slice();
        for _ in 0..work.power.len() / 2 {
            let [t0, t1, t2, t3, ..] = &mut *out else { return };
            let low = _mm512_madd52lo_epu64(zero, *t0, work.inverse);
            let sum = _mm512_madd52hi_epu64(*t1, low, *n0);
            let sum = _mm512_madd52lo_epu64(sum, low, *n1);
            let over = _mm512_srli_epi64::<52>(_mm512_madd52lo_epu64(*t0, low, *n0));
            let sum = _mm512_add_epi64(sum, over);
            let high = _mm512_madd52lo_epu64(zero, sum, work.inverse);
            let over = _mm512_srli_epi64::<52>(_mm512_madd52lo_epu64(sum, high, *n0));
            let sum = _mm512_madd52hi_epu64(*t2, low, *n1);
            let sum = _mm512_madd52hi_epu64(sum, high, *n0);
            let sum = _mm512_madd52lo_epu64(sum, high, *n1);
            *t2 = _mm512_add_epi64(sum, over);
            *t3 = _mm512_madd52hi_epu64(*t3, high, *n1);
            let Some(next) = out.get_mut(2..) else { return };
            out = next;
            add_rows(token, low, high, modulus, out);
        }
    }
);

fearless_simd::kernel!(
    /// Makes the power from the upper half of the product times a small factor and clears the product.
    #[inline]
    fn carry(token: Avx512, work: &mut Work, factor: __m512i) -> () {
        let zero = _mm512_setzero_si512();
        let mask = _mm512_set1_epi64(MASK as i64);
        let (low, high) = work.product.split_at_mut(work.power.len());
        let mut carry = zero;
        for ((digit, low), high) in work.power.iter_mut().zip(low).zip(high) {
            let sum = _mm512_add_epi64(_mm512_mullo_epi64(*high, factor), carry);
            *digit = _mm512_and_si512(sum, mask);
            carry = _mm512_srli_epi64::<52>(sum);
            (*low, *high) = (zero, zero);
        }
    }
);
