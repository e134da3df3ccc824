//! Decimal fractions of any length, as shopspring/decimal computes with them.
//!
//! Only the results of `addf` and its relatives are seen, so how a number is split into coefficient
//! and exponent may differ from Go; its value does not.

use bowsprit_value::{FuncError, fmt};
use num_bigint::BigInt;

/// Digits after the point that a quotient is rounded to.
const DIVISION_PRECISION: i32 = 16;

/// `coefficient * 10^exponent`.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    coefficient: Coefficient,
    exponent: i32,
}

#[derive(Clone, Debug)]
enum Coefficient {
    Small(i128),
    Big(BigInt),
}

impl Decimal {
    pub(super) const ZERO: Decimal = Decimal::new(0, 0);
    pub(super) const ONE: Decimal = Decimal::new(1, 0);

    const fn new(coefficient: i128, exponent: i32) -> Decimal {
        Decimal { coefficient: Coefficient::Small(coefficient), exponent }
    }

    /// The shortest decimal that reads as this float.
    pub(super) fn from_float(f: f64) -> Result<Decimal, FuncError> {
        if !f.is_finite() {
            let name = if f.is_nan() {
                "NaN"
            } else if f > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            return Err(FuncError::new(format!("Cannot create a Decimal from {name}")));
        }
        if f.trunc() == f && f.abs() < 1e15 {
            return Ok(Decimal::new(i128::from(f as i64), 0));
        }
        let mut text = Vec::with_capacity(32);
        fmt::append_float(&mut text, f, b'e', None, 64);
        let mut digits = Digits::default();
        text.into_iter().for_each(|byte| digits.push(byte));
        Ok(digits.decimal())
    }

    /// Bytes that the coefficient takes.
    pub(super) fn size(&self) -> usize {
        match &self.coefficient {
            Coefficient::Small(_) => 16,
            Coefficient::Big(n) => usize::try_from(n.bits() / 8).unwrap_or(usize::MAX),
        }
    }

    pub(super) fn add(self, other: Decimal) -> Result<Decimal, FuncError> {
        let (a, b, exponent) = align(self, other);
        Ok(Decimal { coefficient: a.add(b), exponent })
    }

    pub(super) fn sub(self, other: Decimal) -> Result<Decimal, FuncError> {
        let (a, b, exponent) = align(self, other);
        Ok(Decimal { coefficient: a.add(b.neg()), exponent })
    }

    pub(super) fn mul(self, other: Decimal) -> Result<Decimal, FuncError> {
        let exponent = i64::from(self.exponent) + i64::from(other.exponent);
        let exponent = i32::try_from(exponent)
            .map_err(|_| FuncError::new(format!("exponent {exponent} overflows an int32!")))?;
        Ok(Decimal { coefficient: self.coefficient.mul(other.coefficient), exponent })
    }

    /// The quotient with sixteen decimals, halves away from zero.
    pub(super) fn div(self, other: Decimal) -> Result<Decimal, FuncError> {
        if other.coefficient.is_zero() {
            return Err(FuncError::new("decimal division by 0"));
        }
        let shift =
            i64::from(self.exponent) - i64::from(other.exponent) + i64::from(DIVISION_PRECISION);
        let overflow = || FuncError::new("overflow in decimal QuoRem");
        let shift = i32::try_from(shift).map_err(|_| overflow())?;
        let (mut a, mut b) = (self.coefficient, other.coefficient);
        if shift < 0 {
            b = b.scale(shift.unsigned_abs());
        } else {
            a = a.scale(shift.unsigned_abs());
        }
        Ok(Decimal { coefficient: a.div_round(b), exponent: -DIVISION_PRECISION })
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        if let Coefficient::Small(n) = self.coefficient {
            const EXACT: u128 = 1 << 53;
            if self.exponent == 0 && n.unsigned_abs() <= EXACT {
                return n as f64;
            }
        }
        let text = match &self.coefficient {
            Coefficient::Small(n) => format!("{n}e{}", self.exponent),
            Coefficient::Big(n) => format!("{n}e{}", self.exponent),
        };
        text.parse().unwrap_or(f64::NAN)
    }
}

/// Both coefficients at the smaller of both exponents.
fn align(a: Decimal, b: Decimal) -> (Coefficient, Coefficient, i32) {
    let exponent = a.exponent.min(b.exponent);
    let shift = |d: &Decimal| d.exponent.abs_diff(exponent);
    let (by_a, by_b) = (shift(&a), shift(&b));
    (a.coefficient.scale(by_a), b.coefficient.scale(by_b), exponent)
}

impl Coefficient {
    fn is_zero(&self) -> bool {
        match self {
            Coefficient::Small(n) => *n == 0,
            Coefficient::Big(n) => n.sign() == num_bigint::Sign::NoSign,
        }
    }

    fn big(self) -> BigInt {
        match self {
            Coefficient::Small(n) => BigInt::from(n),
            Coefficient::Big(n) => n,
        }
    }

    /// Times `10^power`.
    fn scale(self, power: u32) -> Coefficient {
        if power == 0 || self.is_zero() {
            return self;
        }
        if let Coefficient::Small(n) = self {
            let scaled = 10i128.checked_pow(power).and_then(|p| n.checked_mul(p));
            if let Some(scaled) = scaled {
                return Coefficient::Small(scaled);
            }
        }
        Coefficient::Big(self.big() * BigInt::from(10).pow(power))
    }

    fn neg(self) -> Coefficient {
        match self {
            Coefficient::Small(n) if n != i128::MIN => Coefficient::Small(-n),
            other => Coefficient::Big(-other.big()),
        }
    }

    fn add(self, other: Coefficient) -> Coefficient {
        if let (Coefficient::Small(a), Coefficient::Small(b)) = (&self, &other)
            && let Some(sum) = a.checked_add(*b)
        {
            return Coefficient::Small(sum);
        }
        Coefficient::Big(self.big() + other.big())
    }

    fn mul(self, other: Coefficient) -> Coefficient {
        if let (Coefficient::Small(a), Coefficient::Small(b)) = (&self, &other)
            && let Some(product) = a.checked_mul(*b)
        {
            return Coefficient::Small(product);
        }
        Coefficient::Big(self.big() * other.big())
    }

    /// The quotient by a divisor that is not zero, halves away from zero.
    fn div_round(self, divisor: Coefficient) -> Coefficient {
        if let (Coefficient::Small(a), Coefficient::Small(b)) = (&self, &divisor)
            && let Some(quotient) = div_round_small(*a, *b)
        {
            return Coefficient::Small(quotient);
        }
        let (a, b) = (self.big(), divisor.big());
        let negative = a.sign() != b.sign();
        let (quotient, rest) = (&a / &b, &a % &b);
        let up = (rest * 2u32).magnitude() >= b.magnitude();
        Coefficient::Big(match (up, negative) {
            (false, _) => quotient,
            (true, false) => quotient + 1,
            (true, true) => quotient - 1,
        })
    }
}

fn div_round_small(a: i128, b: i128) -> Option<i128> {
    let (quotient, rest) = (a.checked_div(b)?, a.checked_rem(b)?);
    if rest.unsigned_abs() >= b.unsigned_abs().div_ceil(2) {
        let away = if (a < 0) == (b < 0) { 1 } else { -1 };
        return quotient.checked_add(away);
    }
    Some(quotient)
}

/// A float in scientific notation, read byte by byte.
#[derive(Default)]
struct Digits {
    coefficient: i64,
    exponent: i32,
    negative: bool,
    exponent_negative: bool,
    part: Part,
    decimals: i32,
}

#[derive(Clone, Copy, Default)]
enum Part {
    #[default]
    Integer,
    Fraction,
    Exponent,
}

impl Digits {
    fn push(&mut self, byte: u8) {
        match (byte, self.part) {
            (b'-', Part::Exponent) => self.exponent_negative = true,
            (b'-', _) => self.negative = true,
            (b'.', _) => self.part = Part::Fraction,
            (b'e', _) => self.part = Part::Exponent,
            (digit, part) => {
                let digit = digit.wrapping_sub(b'0');
                match part {
                    _ if digit > 9 => {}
                    Part::Exponent => self.exponent = self.exponent * 10 + i32::from(digit),
                    _ => self.coefficient = self.coefficient * 10 + i64::from(digit),
                }
                self.decimals += i32::from(matches!(part, Part::Fraction));
            }
        }
    }

    fn decimal(&self) -> Decimal {
        let sign = |negative: bool| if negative { -1 } else { 1 };
        let exponent = self.exponent * sign(self.exponent_negative) - self.decimals;
        Decimal::new(i128::from(self.coefficient) * i128::from(sign(self.negative)), exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(f: f64) -> Decimal {
        Decimal::from_float(f).unwrap()
    }

    #[test]
    fn fractions_are_exact() {
        assert_eq!(decimal(0.1).add(decimal(0.2)).unwrap().to_float(), 0.3);
        assert_eq!(decimal(1.1).mul(decimal(1.1)).unwrap().to_float(), 1.21);
        assert_eq!(decimal(-0.3).sub(decimal(-0.1)).unwrap().to_float(), -0.2);
        assert_eq!(decimal(1e308).add(decimal(5e-324)).unwrap().to_float(), 1e308);
        assert_eq!(decimal(1e308).mul(decimal(10.0)).unwrap().to_float(), f64::INFINITY);
    }

    #[test]
    fn quotients_have_sixteen_decimals() {
        let div = |a, b| decimal(a).div(decimal(b)).unwrap().to_float();
        assert_eq!(div(1.0, 3.0), 0.3333333333333333);
        assert_eq!(div(2.0, 3.0), 0.6666666666666667);
        assert_eq!(div(-2.0, 3.0), -0.6666666666666667);
        assert_eq!(div(1.0, 1e17), 0.0);
        assert_eq!(div(5.0, 1e17), 1e-16);
        assert_eq!(div(1e300, 1e-300), f64::INFINITY);
        assert!(decimal(1.0).div(Decimal::ZERO).is_err());
        assert!(Decimal::from_float(f64::NAN).is_err());
    }
}
