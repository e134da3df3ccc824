//! Random text, from the host's randomness.

use super::reserved;
use crate::encoding::base64_encode;
use bowsprit_value::unicode::{push_rune, runes};
use bowsprit_value::{Args, FuncError, Host, Str, Value};

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8] = b"0123456789";
const ALPHANUMERICS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Numbers below a bound, all equally likely.
struct Draw<'h> {
    host: &'h dyn Host,
    pool: [u8; 256],
    used: usize,
}

impl<'h> Draw<'h> {
    fn new(host: &'h dyn Host) -> Draw<'h> {
        Draw { host, pool: [0; 256], used: 256 }
    }

    fn byte(&mut self) -> u8 {
        if self.used >= self.pool.len() {
            self.host.fill_random(&mut self.pool);
            self.used = 0;
        }
        let byte = self.pool.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        byte
    }

    /// A number below a bound that is not 0. Numbers from the uneven end of the range are drawn anew.
    fn below(&mut self, bound: u64) -> u64 {
        let bits = u64::BITS - bound.saturating_sub(1).leading_zeros();
        let bytes = bits.div_ceil(8);
        let range = 1u128 << (8 * bytes);
        let usable = range - range % u128::from(bound.max(1));
        loop {
            let drawn = (0..bytes).fold(0u64, |n, _| n << 8 | u64::from(self.byte()));
            if u128::from(drawn) < usable {
                return drawn % bound.max(1);
            }
        }
    }

    fn one_of(&mut self, alphabet: &[u8]) -> u8 {
        let index = self.below(alphabet.len() as u64);
        usize::try_from(index).ok().and_then(|i| alphabet.get(i).copied()).unwrap_or_default()
    }
}

fn text(args: &Args<'_>, host: &dyn Host, alphabet: &[u8]) -> Result<Value, FuncError> {
    // goutils' complaint about a negative length is dropped by sprig.
    let Ok(count) = usize::try_from(args.int(0)) else { return Ok(Value::Str(Str::default())) };
    let mut out = reserved(args, count)?;
    let mut draw = Draw::new(host);
    for _ in 0..count {
        out.push(draw.one_of(alphabet));
    }
    Ok(Value::str(out))
}

pub(super) fn rand_alpha_num(args: &mut Args<'_>, host: &dyn Host) -> Result<Value, FuncError> {
    text(args, host, ALPHANUMERICS)
}

pub(super) fn rand_alpha(args: &mut Args<'_>, host: &dyn Host) -> Result<Value, FuncError> {
    text(args, host, LETTERS)
}

pub(super) fn rand_numeric(args: &mut Args<'_>, host: &dyn Host) -> Result<Value, FuncError> {
    text(args, host, DIGITS)
}

pub(super) fn rand_ascii(args: &mut Args<'_>, host: &dyn Host) -> Result<Value, FuncError> {
    let printable: Vec<u8> = (b' '..=b'~').collect();
    text(args, host, &printable)
}

pub(super) fn rand_bytes(args: &mut Args<'_>, host: &dyn Host) -> Result<Value, FuncError> {
    let out_of_range = |_| FuncError::new("runtime error: makeslice: len out of range");
    let count = usize::try_from(args.int(0)).map_err(out_of_range)?;
    let mut bytes = reserved(args, count)?;
    bytes.resize(count, 0);
    host.fill_random(&mut bytes);
    let mut out = reserved(args, count.div_ceil(3).saturating_mul(4))?;
    base64_encode(&bytes, &mut out);
    Ok(Value::str(out))
}

pub(super) fn rand_int(args: &mut Args<'_>, host: &dyn Host) -> Result<Value, FuncError> {
    let (least, end) = (args.int(0), args.int(1));
    match u64::try_from(end.wrapping_sub(least)) {
        Ok(range) if range > 0 => {
            let drawn = Draw::new(host).below(range).cast_signed();
            Ok(Value::int(least.wrapping_add(drawn)))
        }
        _ => Err(FuncError::new("invalid argument to Intn")),
    }
}

pub(super) fn shuffle(args: &mut Args<'_>, host: &dyn Host) -> Result<Value, FuncError> {
    let s = args.str(0).as_bytes();
    args.charge(s.len().saturating_mul(size_of::<char>()))?;
    let mut all: Vec<char> = runes(s).map(|(c, _)| c).collect();
    let mut draw = Draw::new(host);
    for i in (1..all.len()).rev() {
        let j = usize::try_from(draw.below(i as u64 + 1)).unwrap_or(i);
        all.swap(i, j.min(i));
    }
    let mut out = Vec::with_capacity(s.len());
    all.into_iter().for_each(|c| push_rune(&mut out, c));
    Ok(Value::str(out))
}

pub(super) fn uuidv4(_: &mut Args<'_>, host: &dyn Host) -> Result<Value, FuncError> {
    let mut bytes = [0; 16];
    host.fill_random(&mut bytes);
    let version = u128::from_be_bytes(bytes) & !(0xf << 76) | 4 << 76;
    let id = version & !(3 << 62) | 2 << 62;
    Ok(Value::from(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        id >> 96,
        id >> 80 & 0xffff,
        id >> 64 & 0xffff,
        id >> 48 & 0xffff,
        id & 0xffff_ffff_ffff
    )))
}
