//! Splitting and replacing.

use super::reserved;
use bowsprit_value::unicode::decode_rune;
use bowsprit_value::{Args, FuncError, List, ListType, Map, MapType, Str, Value};
use memchr::memmem::Finder;

/// Go's `strings.SplitN`, lazily; with an empty separator the parts are runes.
struct Parts<'s> {
    rest: Option<&'s [u8]>,
    finder: Finder<'s>,
    /// How many parts may still come; the last one takes the rest.
    left: usize,
}

impl<'s> Parts<'s> {
    fn new(separator: &'s [u8], s: &'s [u8], limit: i64) -> Parts<'s> {
        let left = usize::try_from(limit).unwrap_or(usize::MAX);
        // Splitting nothing into runes gives nothing, splitting it at something gives one part.
        let none = separator.is_empty() && s.is_empty();
        Parts { rest: (!none).then_some(s), finder: Finder::new(separator), left }
    }

    /// The end of the next part and the start of what follows it.
    fn boundary(&self, rest: &[u8]) -> Option<(usize, usize)> {
        if self.left == 1 {
            return None;
        }
        let width = self.finder.needle().len();
        if width == 0 {
            let (_, rune) = decode_rune(rest);
            return (rune < rest.len()).then_some((rune, rune));
        }
        self.finder.find(rest).map(|at| (at, at + width))
    }
}

impl<'s> Iterator for Parts<'s> {
    type Item = &'s [u8];

    fn next(&mut self) -> Option<&'s [u8]> {
        if self.left == 0 {
            return None;
        }
        let rest = self.rest.take()?;
        let Some((end, next)) = self.boundary(rest) else { return Some(rest) };
        self.left -= 1;
        self.rest = rest.get(next..);
        rest.get(..end)
    }
}

/// Charged one by one, since each part costs more than its bytes.
fn collect<'s, T>(
    args: &'s Args<'_>,
    parts: Parts<'s>,
    mut make: impl FnMut(usize, &'s [u8]) -> T,
) -> Result<Vec<T>, FuncError> {
    let mut all = Vec::new();
    for (i, part) in parts.enumerate() {
        args.charge(size_of::<T>() + part.len())?;
        all.push(make(i, part));
    }
    Ok(all)
}

pub(super) fn split_list(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let parts = Parts::new(args.str(0).as_bytes(), args.str(1).as_bytes(), -1);
    let all = collect(args, parts, |_, part| Value::str(part))?;
    Ok(Value::List(List::typed(ListType::STRINGS, all)))
}

pub(super) fn split(args: &mut Args<'_>) -> Result<Value, FuncError> {
    numbered(args, Parts::new(args.str(0).as_bytes(), args.str(1).as_bytes(), -1))
}

pub(super) fn splitn(args: &mut Args<'_>) -> Result<Value, FuncError> {
    numbered(args, Parts::new(args.str(0).as_bytes(), args.str(2).as_bytes(), args.int(1)))
}

fn numbered(args: &Args<'_>, parts: Parts<'_>) -> Result<Value, FuncError> {
    let entries = collect(args, parts, |i, part| (Str::from(format!("_{i}")), Value::str(part)))?;
    Ok(Value::Map(Map::typed(MapType::STRINGS, entries)))
}

pub(super) fn replace(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let (old, new, s) = (args.str(0).as_bytes(), args.str(1).as_bytes(), args.str(2));
    if old == new {
        return Ok(Value::Str(s.clone()));
    }
    if old.is_empty() {
        return interspersed(args, new, s.as_bytes());
    }
    let finder = Finder::new(old);
    let Some(first) = finder.find(s.as_bytes()) else { return Ok(Value::Str(s.clone())) };
    args.charge(s.len())?;
    let mut out = Vec::with_capacity(s.len());
    let mut start = 0;
    let mut next = Some(first);
    while let Some(at) = next {
        args.charge(new.len())?;
        out.extend_from_slice(s.as_bytes().get(start..at).unwrap_or_default());
        out.extend_from_slice(new);
        start = at + old.len();
        next = s.as_bytes().get(start..).and_then(|rest| finder.find(rest)).map(|i| start + i);
    }
    out.extend_from_slice(s.as_bytes().get(start..).unwrap_or_default());
    Ok(Value::str(out))
}

/// The new text before every rune and at the end.
fn interspersed(args: &Args<'_>, new: &[u8], s: &[u8]) -> Result<Value, FuncError> {
    let runes = Parts::new(b"", s, -1);
    let count = Parts::new(b"", s, -1).count() + 1;
    let mut out = reserved(args, new.len().saturating_mul(count).saturating_add(s.len()))?;
    for rune in runes {
        out.extend_from_slice(new);
        out.extend_from_slice(rune);
    }
    out.extend_from_slice(new);
    Ok(Value::str(out))
}
