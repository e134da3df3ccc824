//! Sets of code points: building them from ranges, folding their case, and the named ones.

use super::tables::{CATEGORIES, FOLDS, SCRIPTS, Table};

/// An inclusive range of code points.
pub(super) type RuneRange = (u32, u32);

pub(super) const MAX_RUNE: u32 = 0x10_ffff;

pub(super) static DIGIT: &[RuneRange] = &[(0x30, 0x39)];
pub(super) static SPACE: &[RuneRange] = &[(0x9, 0xa), (0xc, 0xd), (0x20, 0x20)];
pub(super) static WORD: &[RuneRange] = &[(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)];

static POSIX: &[Table] = &[
    ("alnum", &[(0x30, 0x39), (0x41, 0x5a), (0x61, 0x7a)]),
    ("alpha", &[(0x41, 0x5a), (0x61, 0x7a)]),
    ("ascii", &[(0x0, 0x7f)]),
    ("blank", &[(0x9, 0x9), (0x20, 0x20)]),
    ("cntrl", &[(0x0, 0x1f), (0x7f, 0x7f)]),
    ("digit", DIGIT),
    ("graph", &[(0x21, 0x7e)]),
    ("lower", &[(0x61, 0x7a)]),
    ("print", &[(0x20, 0x7e)]),
    ("punct", &[(0x21, 0x2f), (0x3a, 0x40), (0x5b, 0x60), (0x7b, 0x7e)]),
    ("space", &[(0x9, 0xd), (0x20, 0x20)]),
    ("upper", &[(0x41, 0x5a)]),
    ("word", WORD),
    ("xdigit", &[(0x30, 0x39), (0x41, 0x46), (0x61, 0x66)]),
];

/// The long names of categories, in the form [`canonical_name`] gives them.
static CATEGORY_ALIASES: &[(&str, &str)] = &[
    ("Casedletter", "LC"),
    ("Closepunctuation", "Pe"),
    ("Cntrl", "Cc"),
    ("Combiningmark", "M"),
    ("Connectorpunctuation", "Pc"),
    ("Control", "Cc"),
    ("Currencysymbol", "Sc"),
    ("Dashpunctuation", "Pd"),
    ("Decimalnumber", "Nd"),
    ("Digit", "Nd"),
    ("Enclosingmark", "Me"),
    ("Finalpunctuation", "Pf"),
    ("Format", "Cf"),
    ("Initialpunctuation", "Pi"),
    ("Letter", "L"),
    ("Letternumber", "Nl"),
    ("Lineseparator", "Zl"),
    ("Lowercaseletter", "Ll"),
    ("Mark", "M"),
    ("Mathsymbol", "Sm"),
    ("Modifierletter", "Lm"),
    ("Modifiersymbol", "Sk"),
    ("Nonspacingmark", "Mn"),
    ("Number", "N"),
    ("Openpunctuation", "Ps"),
    ("Other", "C"),
    ("Otherletter", "Lo"),
    ("Othernumber", "No"),
    ("Otherpunctuation", "Po"),
    ("Othersymbol", "So"),
    ("Paragraphseparator", "Zp"),
    ("Privateuse", "Co"),
    ("Punct", "P"),
    ("Punctuation", "P"),
    ("Separator", "Z"),
    ("Spaceseparator", "Zs"),
    ("Spacingmark", "Mc"),
    ("Surrogate", "Cs"),
    ("Symbol", "S"),
    ("Titlecaseletter", "Lt"),
    ("Unassigned", "Cn"),
    ("Uppercaseletter", "Lu"),
];

/// A set of code points under construction; sorted and free of overlaps after [`Class::clean`].
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    pub(super) ranges: Vec<RuneRange>,
    /// How many ranges there were when the set was last cleaned.
    cleaned: usize,
}

impl Class {
    pub(super) fn of(ranges: &[RuneRange]) -> Class {
        Class { ranges: ranges.to_vec(), cleaned: 0 }
    }

    pub(super) fn add(&mut self, lo: u32, hi: u32) {
        // Two ranges are looked at because folded letters arrive in two cases.
        for last in self.ranges.iter_mut().rev().take(2) {
            if lo <= last.1 + 1 && last.0 <= hi + 1 {
                *last = (last.0.min(lo), last.1.max(hi));
                return;
            }
        }
        self.ranges.push((lo, hi));
        if self.ranges.len() > 2 * self.cleaned + 4096 {
            self.clean();
        }
    }

    /// Adds a range and everything that differs from it in case alone.
    pub(super) fn add_folded(&mut self, lo: u32, hi: u32) {
        self.add(lo, hi);
        let first = FOLDS.partition_point(|fold| fold.1 < lo);
        let folds = FOLDS.iter().skip(first);
        for fold in folds.take_while(|fold| fold.0 <= hi) {
            for rune in fold.0.max(lo)..=fold.1.min(hi) {
                let mut other = simple_fold(rune);
                while other != rune {
                    self.add(other, other);
                    other = simple_fold(other);
                }
            }
        }
    }

    pub(super) fn add_range(&mut self, lo: u32, hi: u32, fold: bool) {
        if fold {
            self.add_folded(lo, hi);
        } else {
            self.add(lo, hi);
        }
    }

    /// Adds a set, folded and then negated if so wished.
    pub(super) fn add_set(&mut self, set: &[RuneRange], fold: bool, negated: bool) {
        if !fold && !negated {
            set.iter().for_each(|&(lo, hi)| self.add(lo, hi));
            return;
        }
        let mut other = Class::default();
        set.iter().for_each(|&(lo, hi)| other.add_range(lo, hi, fold));
        other.clean();
        if negated {
            other.negate();
        }
        self.add_set(&other.ranges, false, false);
    }

    /// Sorts the ranges and joins those that touch.
    pub(super) fn clean(&mut self) {
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, kept| {
            let joined = next.0 <= kept.1 + 1;
            if joined {
                kept.1 = kept.1.max(next.1);
            }
            joined
        });
        self.cleaned = self.ranges.len();
    }

    /// Turns a clean set into its complement.
    pub(super) fn negate(&mut self) {
        let mut next = 0;
        let mut negated = Vec::with_capacity(self.ranges.len() + 1);
        for &(lo, hi) in &self.ranges {
            if next < lo {
                negated.push((next, lo - 1));
            }
            next = hi + 1;
        }
        if next <= MAX_RUNE {
            negated.push((next, MAX_RUNE));
        }
        self.ranges = negated;
    }

    /// Whether a clean set holds the code point.
    pub(super) fn contains(&self, rune: u32) -> bool {
        contains(&self.ranges, rune)
    }
}

fn contains(ranges: &[RuneRange], rune: u32) -> bool {
    let at = ranges.partition_point(|range| range.1 < rune);
    ranges.get(at).is_some_and(|range| range.0 <= rune)
}

/// The next code point of the same letter in another case; going on, one comes back to the start.
pub(super) fn simple_fold(rune: u32) -> u32 {
    let at = FOLDS.partition_point(|fold| fold.1 < rune);
    match FOLDS.get(at) {
        Some(&(lo, _, 0)) if lo <= rune => lo + ((rune - lo) ^ 1),
        Some(&(lo, _, distance)) if lo <= rune => rune.wrapping_add_signed(distance),
        _ => rune,
    }
}

/// Whether two code points are the same letter, regardless of case.
pub(super) fn equal_fold(a: u32, b: u32) -> bool {
    if a == b {
        return true;
    }
    if a < 0x80 && b < 0x80 {
        let lower = a | 0x20;
        return lower == (b | 0x20) && (0x61..=0x7a).contains(&lower);
    }
    let mut other = simple_fold(a);
    while other != a && other != b {
        other = simple_fold(other);
    }
    other == b
}

/// The set that `[:name:]` stands for.
pub(super) fn posix(name: &[u8]) -> Option<&'static [RuneRange]> {
    let found = POSIX.iter().find(|table| table.0.as_bytes() == name);
    found.map(|table| table.1)
}

/// The set that `\p{name}` stands for, clean.
pub(super) fn unicode(name: &[u8], fold: bool) -> Option<Class> {
    let name = canonical_name(name);
    let alias = CATEGORY_ALIASES.iter().find(|alias| alias.0 == name);
    let name = alias.map_or(name.as_str(), |alias| alias.1);
    let mut class = match name {
        "Any" => Class::of(&[(0, MAX_RUNE)]),
        "Ascii" => Class::of(&[(0, 0x7f)]),
        "Assigned" => category(""),
        "Cn" => unassigned(),
        "C" => {
            let mut class = unassigned();
            class.ranges.extend(category("C").ranges);
            class.clean();
            class
        }
        // Go has no folding table for this one.
        "LC" | "Lc" => return Some(cased_letters()),
        "L" | "M" | "N" | "P" | "S" | "Z" => category(name),
        _ => Class::of(lookup(CATEGORIES, name).or_else(|| lookup(SCRIPTS, name))?),
    };
    if fold {
        let plain = std::mem::take(&mut class.ranges);
        plain.iter().for_each(|&(lo, hi)| class.add_folded(lo, hi));
        class.clean();
    }
    Some(class)
}

fn lookup(tables: &'static [Table], name: &str) -> Option<&'static [RuneRange]> {
    let at = tables.binary_search_by(|table| table.0.cmp(name)).ok()?;
    tables.get(at).map(|table| table.1)
}

/// The union of the categories whose names start so.
fn category(prefix: &str) -> Class {
    let mut class = Class::default();
    for (name, ranges) in CATEGORIES {
        if name.starts_with(prefix) {
            class.ranges.extend_from_slice(ranges);
        }
    }
    class.clean();
    class
}

fn unassigned() -> Class {
    let mut class = category("");
    class.negate();
    class
}

fn cased_letters() -> Class {
    let mut class = Class::default();
    for name in ["Ll", "Lt", "Lu"] {
        let ranges = lookup(CATEGORIES, name).unwrap_or_default();
        class.ranges.extend_from_slice(ranges);
    }
    class.clean();
    class
}

/// Go compares names without regard to case, spaces, hyphens and underscores.
fn canonical_name(name: &[u8]) -> String {
    let mut canonical = String::with_capacity(name.len());
    for &byte in name {
        if matches!(byte, b'_' | b'-' | b' ') {
            continue;
        }
        let byte = match canonical.is_empty() {
            true => byte.to_ascii_uppercase(),
            false => byte.to_ascii_lowercase(),
        };
        // No name has other letters; each of their bytes only has to spoil the comparison.
        canonical.push(char::from(byte));
    }
    canonical
}

/// Decodes the first code point as Go does: a byte that starts none counts as U+FFFD of length 1,
/// and the empty text gives U+FFFD of length 0.
pub(super) fn decode_rune(text: &[u8]) -> (u32, usize) {
    let (rune, len) = bowsprit_value::unicode::decode_rune(text);
    (u32::from(rune), len)
}
