//! The matchers of gobwas/glob. Each can match a whole text, and find itself in a text: where it
//! begins first, and all the lengths that it can have there. The library's ways of finding are not
//! always right, and count runes as bytes here and there; both are kept.

use std::sync::Arc;

use bowsprit_value::unicode::decode_rune;

#[derive(Clone, Debug)]
pub(super) enum Matcher {
    /// Anything without a slash.
    Any,
    /// Anything.
    Super,
    /// One character but a slash.
    Single,
    Nothing,
    List {
        chars: Vec<char>,
        not: bool,
    },
    Range {
        lo: char,
        hi: char,
        not: bool,
    },
    Text {
        text: Vec<u8>,
        runes: usize,
    },
    Contains {
        needle: Vec<u8>,
        not: bool,
    },
    Prefix(Vec<u8>),
    Suffix(Vec<u8>),
    PrefixSuffix {
        prefix: Vec<u8>,
        suffix: Vec<u8>,
    },
    /// A prefix, then no slash.
    PrefixAny(Vec<u8>),
    /// No slash, then a suffix.
    SuffixAny(Vec<u8>),
    /// At least so many runes.
    Min(usize),
    /// At most so many runes.
    Max(usize),
    AnyOf(Vec<Matcher>),
    EveryOf(Vec<Matcher>),
    /// Matchers of fixed length, one after the other.
    Row {
        matchers: Vec<Matcher>,
        len: usize,
    },
    BTree(Arc<BTree>),
}

/// A matcher with what has to match before and after it.
#[derive(Clone, Debug)]
pub(super) struct BTree {
    pub(super) value: Matcher,
    pub(super) left: Option<Matcher>,
    pub(super) right: Option<Matcher>,
    left_len: Option<usize>,
    right_len: Option<usize>,
    len: Option<usize>,
    height: usize,
}

/// Steps that a match may still take.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new() -> Budget {
        Budget(1 << 18)
    }

    /// Pays for looking through a text; false if there is not enough left.
    fn pay(&mut self, text: &[u8]) -> bool {
        let left = self.0.checked_sub(text.len() + 1);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// Where a matcher begins, and the lengths it can have there, ascending.
type Found = Option<(usize, Vec<usize>)>;

impl BTree {
    pub(super) fn matcher(
        value: Matcher,
        left: Option<Matcher>,
        right: Option<Matcher>,
    ) -> Matcher {
        let side_len = |side: &Option<Matcher>| side.as_ref().map_or(Some(0), Matcher::len);
        let (left_len, right_len) = (side_len(&left), side_len(&right));
        let lens = value.len().zip(left_len.zip(right_len));
        let sides = [&left, &right].into_iter().flatten().map(Matcher::height);
        Matcher::BTree(Arc::new(BTree {
            left_len,
            right_len,
            len: lens.map(|(value, (left, right))| value + left + right),
            height: 1 + sides.fold(value.height(), usize::max),
            value,
            left,
            right,
        }))
    }

    fn matches(&self, s: &[u8], budget: &mut Budget) -> bool {
        if self.len.is_some_and(|len| len > s.len()) {
            return false;
        }
        let mut offset = self.left_len.unwrap_or(0);
        let limit = s.len().saturating_sub(self.right_len.unwrap_or(0));
        while offset < limit {
            let middle = s.get(offset..limit).unwrap_or_default();
            let Some((index, lens)) = self.value.find(middle, budget) else {
                return false;
            };
            let start = offset + index;
            let (before, rest) = s.split_at(start.min(s.len()));
            let left = match &self.left {
                Some(left) => left.matches(before, budget),
                None => before.is_empty(),
            };
            let right = |len: usize, budget: &mut Budget| {
                let after = rest.get(len..).unwrap_or_default();
                match &self.right {
                    Some(right) => right.matches(after, budget),
                    None => after.is_empty(),
                }
            };
            if left && lens.iter().rev().any(|&len| right(len, budget)) {
                return true;
            }
            offset = start + decode_rune(rest).1;
        }
        false
    }
}

impl Matcher {
    pub(super) fn text(text: Vec<u8>) -> Matcher {
        Matcher::Text { runes: runes(&text).count(), text }
    }

    /// The length in runes, if it is fixed.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Matcher::Single | Matcher::List { .. } | Matcher::Range { .. } => Some(1),
            Matcher::Nothing => Some(0),
            Matcher::Text { runes, .. } => Some(*runes),
            Matcher::Row { len, .. } => Some(*len),
            Matcher::BTree(tree) => tree.len,
            Matcher::AnyOf(matchers) => any_of_len(matchers),
            // The library's reckoning for the others comes to nothing.
            _ => None,
        }
    }

    /// Levels of matchers from here down.
    pub(super) fn height(&self) -> usize {
        match self {
            Matcher::AnyOf(matchers)
            | Matcher::EveryOf(matchers)
            | Matcher::Row { matchers, .. } => {
                1 + matchers.iter().map(Matcher::height).fold(0, usize::max)
            }
            Matcher::BTree(tree) => tree.height,
            _ => 1,
        }
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, s: &[u8], budget: &mut Budget) -> bool {
        if !budget.pay(s) {
            return false;
        }
        match self {
            Matcher::Any => !s.contains(&b'/'),
            Matcher::Super => true,
            Matcher::Nothing => s.is_empty(),
            Matcher::Single | Matcher::List { .. } | Matcher::Range { .. } => {
                // The empty text counts as one U+FFFD here.
                let (c, width) = decode_rune(s);
                s.len() <= width && self.accepts(c)
            }
            Matcher::Text { text, .. } => s == text,
            Matcher::Contains { needle, not } => index(s, needle).is_some() != *not,
            Matcher::Prefix(prefix) => s.starts_with(prefix),
            Matcher::Suffix(suffix) => s.ends_with(suffix),
            Matcher::PrefixSuffix { prefix, suffix } => {
                s.starts_with(prefix) && s.ends_with(suffix)
            }
            Matcher::PrefixAny(prefix) => {
                s.strip_prefix(prefix.as_slice()).is_some_and(|rest| !rest.contains(&b'/'))
            }
            Matcher::SuffixAny(suffix) => {
                s.strip_suffix(suffix.as_slice()).is_some_and(|rest| !rest.contains(&b'/'))
            }
            Matcher::Min(min) => runes(s).take(*min).count() == *min && *min > 0,
            Matcher::Max(max) => runes(s).take(max + 1).count() <= *max,
            Matcher::AnyOf(matchers) => matchers.iter().any(|m| m.matches(s, budget)),
            Matcher::EveryOf(matchers) => matchers.iter().all(|m| m.matches(s, budget)),
            Matcher::Row { matchers, len } => {
                runes(s).count() == *len && row_matches(matchers, s, budget)
            }
            Matcher::BTree(tree) => tree.matches(s, budget),
        }
    }

    /// Whether a matcher of a single character takes this one.
    fn accepts(&self, c: char) -> bool {
        match self {
            Matcher::Single => c != '/',
            Matcher::List { chars, not } => chars.contains(&c) != *not,
            Matcher::Range { lo, hi, not } => (*lo <= c && c <= *hi) != *not,
            _ => false,
        }
    }

    fn find(&self, s: &[u8], budget: &mut Budget) -> Found {
        if !budget.pay(s) {
            return None;
        }
        match self {
            Matcher::Any => {
                let end = s.iter().position(|&b| b == b'/').unwrap_or(s.len());
                Some((0, all_lens(s.get(..end)?)))
            }
            Matcher::Super => Some((0, all_lens(s))),
            Matcher::Single | Matcher::List { .. } | Matcher::Range { .. } => {
                let (at, c) = runes(s).find(|&(_, c)| self.accepts(c))?;
                Some((at, vec![c.len_utf8()]))
            }
            Matcher::Nothing => Some((0, vec![0])),
            Matcher::Text { text, .. } => Some((index(s, text)?, vec![text.len()])),
            Matcher::Contains { needle, not } => find_contains(s, needle, *not),
            Matcher::Prefix(prefix) => find_prefix(s, prefix, |_| false),
            Matcher::PrefixAny(prefix) => find_prefix(s, prefix, |b| b == b'/'),
            Matcher::Suffix(suffix) => Some((0, vec![index(s, suffix)? + suffix.len()])),
            Matcher::SuffixAny(suffix) => {
                let at = index(s, suffix)?;
                let before = s.get(..at)?;
                let start = before.iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1);
                Some((start, vec![at + suffix.len() - start]))
            }
            Matcher::PrefixSuffix { prefix, suffix } => find_prefix_suffix(s, prefix, suffix),
            Matcher::Min(min) => {
                let ends = runes(s).skip(min.saturating_sub(1)).map(|(at, c)| at + c.len_utf8());
                let lens: Vec<usize> = ends.collect();
                (s.len() >= *min && !lens.is_empty()).then_some((0, lens))
            }
            Matcher::Max(max) => {
                let ends = runes(s).take(*max).map(|(at, c)| at + c.len_utf8());
                Some((0, std::iter::once(0).chain(ends).collect()))
            }
            Matcher::AnyOf(matchers) => find_any_of(matchers, s, budget),
            Matcher::EveryOf(matchers) => find_every_of(matchers, s, budget),
            Matcher::Row { matchers, len } => find_row(matchers, *len, s, budget),
            Matcher::BTree(_) => None,
        }
    }
}

fn any_of_len(matchers: &[Matcher]) -> Option<usize> {
    let mut common = None;
    for matcher in matchers {
        let len = matcher.len();
        // An unknown length so far is replaced by the next one.
        if common.is_none() {
            common = len;
        } else if len != common {
            return None;
        }
    }
    common
}

/// Checks the matchers of a row against consecutive runes of a text, which may go on after them.
fn row_matches(matchers: &[Matcher], s: &[u8], budget: &mut Budget) -> bool {
    let mut at = 0;
    for matcher in matchers {
        let len = matcher.len().unwrap_or(0);
        let rest = s.get(at..).unwrap_or_default();
        // Without a length the library runs on to the last rune.
        let taken = if len == 0 { usize::MAX } else { len };
        let (count, last) =
            runes(rest).take(taken).fold((0, 0), |(count, _), (last, _)| (count + 1, last));
        // The last rune is taken to be one byte long.
        let Some(piece) = rest.get(..last + 1).filter(|_| count >= len) else {
            return false;
        };
        if !matcher.matches(piece, budget) {
            return false;
        }
        at += last + 1;
    }
    true
}

fn find_row(matchers: &[Matcher], len: usize, s: &[u8], budget: &mut Budget) -> Found {
    for (at, _) in runes(s) {
        let rest = s.get(at..)?;
        if rest.len() < len {
            break;
        }
        if row_matches(matchers, rest, budget) {
            return Some((at, vec![len]));
        }
    }
    None
}

fn find_contains(s: &[u8], needle: &[u8], not: bool) -> Found {
    let found = index(s, needle);
    if not {
        return Some((0, all_lens(s.get(..found.unwrap_or(s.len()))?)));
    }
    let end = found? + needle.len();
    let lens = all_lens(s.get(end..)?).into_iter().map(|len| end + len);
    Some((0, lens.collect()))
}

fn find_prefix(s: &[u8], prefix: &[u8], stop: impl Fn(u8) -> bool) -> Found {
    let at = index(s, prefix)?;
    let rest = s.get(at + prefix.len()..)?;
    let end = rest.iter().position(|&b| stop(b)).unwrap_or(rest.len());
    let ends = runes(rest.get(..end)?).map(|(at, c)| prefix.len() + at + c.len_utf8());
    Some((at, std::iter::once(prefix.len()).chain(ends).collect()))
}

fn find_prefix_suffix(s: &[u8], prefix: &[u8], suffix: &[u8]) -> Found {
    let at = index(s, prefix)?;
    let mut rest = s.get(at..)?;
    if suffix.is_empty() {
        return Some((at, vec![rest.len()]));
    }
    let mut lens = Vec::new();
    while let Some(found) = rest.windows(suffix.len()).rposition(|w| w == suffix) {
        lens.push(found + suffix.len());
        rest = rest.get(..found)?;
    }
    lens.reverse();
    (!lens.is_empty()).then_some((at, lens))
}

fn find_any_of(matchers: &[Matcher], s: &[u8], budget: &mut Budget) -> Found {
    let mut best: Found = None;
    for matcher in matchers {
        let Some((at, lens)) = matcher.find(s, budget) else {
            continue;
        };
        match &mut best {
            Some((first, _)) if *first < at => {}
            Some((first, all)) if *first == at => {
                all.extend(lens);
                all.sort_unstable();
                all.dedup();
            }
            _ => best = Some((at, lens)),
        }
    }
    best
}

fn find_every_of(matchers: &[Matcher], s: &[u8], budget: &mut Budget) -> Found {
    let (mut start, mut offset) = (0, 0);
    let mut common: Option<Vec<usize>> = None;
    let mut rest = s;
    for matcher in matchers {
        let (at, lens) = matcher.find(rest, budget)?;
        common = Some(match common {
            None => lens,
            Some(common) => {
                // Usually 0: how far this start lies before the last one.
                let shift = |len: usize| (len + start).checked_sub(at + offset);
                let shared = |&len: &usize| shift(len).is_some_and(|len| lens.contains(&len));
                common.into_iter().filter(shared).filter_map(shift).collect()
            }
        });
        if common.as_ref().is_none_or(Vec::is_empty) {
            return None;
        }
        start = at + offset;
        rest = s.get(start..).unwrap_or_default();
        offset += at;
    }
    Some((start, common?))
}

/// The runes of a text with their positions, as Go's `range` gives them.
fn runes(s: &[u8]) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (c, width) = decode_rune(s.get(at..)?);
        let rune = (width > 0).then_some((at, c));
        at += width;
        rune
    })
}

/// The lengths of all prefixes.
fn all_lens(s: &[u8]) -> Vec<usize> {
    runes(s).map(|(at, _)| at).chain([s.len()]).collect()
}

fn index(s: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    s.windows(needle.len()).position(|window| window == needle)
}
