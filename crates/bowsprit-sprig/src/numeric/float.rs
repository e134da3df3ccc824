//! Go's `math` where it differs from the Rust one's results.

/// `math.Pow(10, exponent)`: repeated squaring, whose rounding errors show in `round`.
pub(super) fn power_of_ten(exponent: i64) -> f64 {
    match exponent {
        0 => return 1.0,
        1 => return 10.0,
        _ => {}
    }
    let steps = exponent.unsigned_abs();
    // Go compares the float nearest to the exponent with 2^63.
    if steps as f64 >= 9_223_372_036_854_775_808.0 {
        return if exponent > 0 { f64::INFINITY } else { 0.0 };
    }
    let (mut power, mut power_exponent) = (1.0, 0i64);
    // 10 = 0.625 * 2^4
    let (mut square, mut square_exponent) = (0.625, 4i64);
    let mut bits = steps as f64 as u64;
    while bits != 0 {
        if square_exponent.abs() > 1 << 12 {
            power_exponent += square_exponent;
            break;
        }
        if bits & 1 == 1 {
            power *= square;
            power_exponent += square_exponent;
        }
        square *= square;
        square_exponent <<= 1;
        if square < 0.5 {
            square += square;
            square_exponent -= 1;
        }
        bits >>= 1;
    }
    if exponent < 0 { ldexp(1.0 / power, -power_exponent) } else { ldexp(power, power_exponent) }
}

/// `math.Ldexp` of a normal positive number.
fn ldexp(fraction: f64, exponent: i64) -> f64 {
    const MASK: u64 = 0x7ff;
    const BIAS: i64 = 1023;
    let bits = fraction.to_bits();
    let mut exponent = exponent + (bits >> 52 & MASK).cast_signed() - BIAS;
    if exponent < -1075 {
        return 0.0;
    }
    if exponent > BIAS {
        return f64::INFINITY;
    }
    let mut scale = 1.0;
    if exponent < -1022 {
        exponent += 53;
        scale = 1.0 / 9_007_199_254_740_992.0;
    }
    let biased = (exponent + BIAS).cast_unsigned() & MASK;
    scale * f64::from_bits(bits & !(MASK << 52) | biased << 52)
}

/// `math.Max`: +Inf beats NaN, NaN beats the rest, 0 beats -0.
pub(super) fn max(x: f64, y: f64) -> f64 {
    if x == f64::INFINITY || y == f64::INFINITY {
        f64::INFINITY
    } else if x.is_nan() || y.is_nan() {
        f64::NAN
    } else if x == 0.0 && y == 0.0 {
        if x.is_sign_negative() { y } else { x }
    } else if x > y {
        x
    } else {
        y
    }
}

/// `math.Min`: -Inf beats NaN, NaN beats the rest, -0 beats 0.
pub(super) fn min(x: f64, y: f64) -> f64 {
    -max(-x, -y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten() {
        assert_eq!(power_of_ten(2), 100.0);
        assert_eq!(power_of_ten(-2), 0.01);
        assert_eq!(power_of_ten(22), 1e22);
        assert_eq!(power_of_ten(400), f64::INFINITY);
        assert_eq!(power_of_ten(-400), 0.0);
        assert_eq!(power_of_ten(i64::MIN), 0.0);
        assert_eq!(power_of_ten(i64::MAX), f64::INFINITY);
    }

    #[test]
    fn signs_and_specials() {
        assert_eq!(max(f64::NAN, f64::INFINITY), f64::INFINITY);
        assert!(max(f64::NAN, 1.0).is_nan());
        assert!(min(0.0, -0.0).is_sign_negative() && max(-0.0, 0.0).is_sign_positive());
        assert_eq!(min(1.0, 2.0), 1.0);
    }
}
