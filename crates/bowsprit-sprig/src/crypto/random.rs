//! Random numbers from the host, the only source there is.

use bowsprit_value::Host;
use num_bigint::BigUint;

pub(super) fn bytes<const N: usize>(host: &dyn Host) -> [u8; N] {
    let mut buf = [0; N];
    host.fill_random(&mut buf);
    buf
}

/// Little-endian limbs of a random number.
pub(super) fn limbs<const N: usize>(host: &dyn Host) -> [u64; N] {
    let mut limbs = [0; N];
    for limb in &mut limbs {
        *limb = u64::from_le_bytes(bytes(host));
    }
    limbs
}

/// A number from 1 up to, but not including, a bound above 1.
pub(super) fn below(bound: &BigUint, host: &dyn Host) -> BigUint {
    let bits = bound.bits();
    let mut buf = vec![0; bits.div_ceil(8) as usize];
    // A draw fits in at least one of two cases; a host that repeats itself must not hang us.
    for _ in 0..256 {
        host.fill_random(&mut buf);
        if let Some(first) = buf.first_mut() {
            *first &= 0xff >> ((8 - bits % 8) % 8);
        }
        let n = BigUint::from_bytes_be(&buf);
        if n.bits() > 0 && n < *bound {
            return n;
        }
    }
    BigUint::from(1_u8)
}
