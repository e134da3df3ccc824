use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

use crate::error::{Error, ErrorKind};
use crate::version::{
    Numbers, Version, compare_parts, compare_prerelease, parse_loose, skip_while, suffix,
};

/// The longest constraint that is read, in bytes.
pub const MAX_CONSTRAINT_LEN: usize = 512;

/// The largest number of alternatives, separated by `||`, in a constraint.
pub const MAX_CONSTRAINT_GROUPS: usize = 32;

/// A condition on versions, such as `>=1.2, <3 || 4.x`.
///
/// `Display` gives the constraint as the Go library understood it: hyphen ranges rewritten,
/// spaces normalised.
#[derive(Clone)]
pub struct Constraint {
    /// The constraint after hyphen ranges were rewritten; the terms point into it.
    text: Box<str>,
    terms: Vec<Term>,
    groups: Vec<Group>,
    include_prerelease: bool,
}

/// Terms that have to hold together.
#[derive(Clone)]
struct Group {
    terms: Range<usize>,
    /// A prerelease in any of the terms lets prereleases through all of them.
    has_prerelease: bool,
}

/// One operator with its version.
#[derive(Clone)]
struct Term {
    operator: Operator,
    operator_span: Range<usize>,
    /// The version as written, say `4.x`.
    version_span: Range<usize>,
    numbers: Numbers,
    pre: Range<usize>,
    /// Some number is missing or a wildcard.
    dirty: bool,
    minor_dirty: bool,
    patch_dirty: bool,
}

#[derive(Clone, Copy)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// Why a version does not satisfy a term.
#[derive(Clone, Copy)]
enum Refusal {
    Prerelease,
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
    OtherMajor,
    OtherMajorMinor,
    OtherMinor,
    OtherMinorOfZero,
    OtherPatchOfZero,
}

impl Constraint {
    /// Reads a constraint as `NewConstraint` does.
    ///
    /// Errors if it is too long, has too many alternatives, or one of them does not follow the
    /// grammar; the message quotes that alternative.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Constraint, Error> {
        let text = text.as_ref();
        if text.len() > MAX_CONSTRAINT_LEN {
            return Err(ErrorKind::ConstraintTooLong.into());
        }
        let text = rewrite_ranges(text);
        if count_groups(&text) > MAX_CONSTRAINT_GROUPS {
            return Err(ErrorKind::TooManyGroups.into());
        }
        let mut constraint = Constraint {
            text: Box::default(),
            terms: Vec::with_capacity(2),
            groups: Vec::with_capacity(1),
            include_prerelease: false,
        };
        let mut start = 0;
        loop {
            let end = find(&text, start, b"||").unwrap_or(text.len());
            constraint.push_group(&text, start..end)?;
            if end == text.len() {
                break;
            }
            start = end + 2;
        }
        let text = std::str::from_utf8(&text).map_err(|_| ErrorKind::ConstraintVersion)?;
        constraint.text = text.into();
        Ok(constraint)
    }

    /// Lets prereleases satisfy every term, as the Go field `IncludePrerelease` does.
    #[must_use]
    pub fn including_prereleases(mut self) -> Constraint {
        self.include_prerelease = true;
        self
    }

    /// Whether the version satisfies this constraint.
    pub fn check(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            let include = self.include_prerelease || group.has_prerelease;
            let mut terms = self.terms_of(group).iter();
            terms.all(|term| term.check(&self.text, version, include).is_ok())
        })
    }

    /// Like [`Constraint::check`], but a refusal comes with its reasons, one message for each term
    /// that the version does not satisfy.
    pub fn validate(&self, version: &Version) -> Result<(), Vec<String>> {
        let mut messages = Vec::new();
        let mut told_prerelease = false;
        for group in &self.groups {
            let include = self.include_prerelease || group.has_prerelease;
            let mut satisfied = true;
            for term in self.terms_of(group) {
                let Err(refusal) = term.check(&self.text, version, include) else {
                    continue;
                };
                satisfied = false;
                let prerelease = matches!(refusal, Refusal::Prerelease);
                if prerelease && std::mem::replace(&mut told_prerelease, true) {
                    continue;
                }
                messages.push(refusal.message(version, term.version(&self.text)));
            }
            if satisfied {
                return Ok(());
            }
        }
        Err(messages)
    }

    fn terms_of(&self, group: &Group) -> &[Term] {
        self.terms.get(group.terms.clone()).unwrap_or_default()
    }

    fn push_group(&mut self, text: &[u8], span: Range<usize>) -> Result<(), Error> {
        let first = self.terms.len();
        // Go checks the grammar of the whole alternative before it reads the first term.
        let mut wrong_term = None;
        if !self.scan_group(text, span.clone(), &mut wrong_term) {
            let segment = text.get(span).unwrap_or_default();
            return Err(Error::with_text(ErrorKind::ImproperConstraint, segment));
        }
        if let Some(error) = wrong_term {
            return Err(error);
        }
        let terms = first..self.terms.len();
        let has_prerelease = self.terms.get(first..).is_some_and(|terms| {
            let mut terms = terms.iter();
            terms.any(|term| !term.pre.is_empty())
        });
        self.groups.push(Group { terms, has_prerelease });
        Ok(())
    }

    /// Reads the terms of one alternative; false if it does not follow the grammar.
    fn scan_group(&mut self, text: &[u8], span: Range<usize>, wrong: &mut Option<Error>) -> bool {
        let Some(text) = text.get(..span.end) else {
            return false;
        };
        let mut at = skip_while(text, span.start, is_space);
        loop {
            let (operator, version_at) = scan_operator(text, at);
            let operator_span = at..version_at;
            at = skip_while(text, version_at, is_space);
            let Some(loose) = LooseSpan::scan(text, at) else {
                return false;
            };
            match loose.term(text, operator, operator_span) {
                Ok(term) => self.terms.push(term),
                Err(error) => *wrong = wrong.take().or(Some(error)),
            }
            let end = loose.span.end;
            at = skip_while(text, end, is_space);
            if at == text.len() {
                return true;
            }
            if text.get(at) == Some(&b',') {
                at = skip_while(text, at + 1, is_space);
            } else if at == end {
                return false;
            }
        }
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.groups.iter().enumerate() {
            if index > 0 {
                f.write_str(" || ")?;
            }
            for (index, term) in self.terms_of(group).iter().enumerate() {
                if index > 0 {
                    f.write_str(" ")?;
                }
                let operator = self.text.get(term.operator_span.clone());
                f.write_str(operator.unwrap_or_default())?;
                f.write_str(term.version(&self.text))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Constraint({self})")
    }
}

impl std::str::FromStr for Constraint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Constraint, Error> {
        Constraint::parse(text)
    }
}

impl Term {
    fn version<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.version_span.clone()).unwrap_or_default()
    }

    fn check(&self, text: &str, version: &Version, include_pre: bool) -> Result<(), Refusal> {
        if !version.prerelease().is_empty() && !include_pre {
            return Err(Refusal::Prerelease);
        }
        let pre = text.get(self.pre.clone()).unwrap_or_default();
        let order = || compare_parts(version.parts(), (&self.numbers, pre));
        match self.operator {
            Operator::TildeOrEqual if self.dirty => self.check_tilde(version, order()),
            Operator::TildeOrEqual => demand(order().is_eq(), Refusal::NotEqual),
            Operator::NotEqual => self.check_not_equal(version, pre, order),
            Operator::Greater => self.check_greater(version, order),
            Operator::Less => demand(order().is_lt(), Refusal::GreaterOrEqual),
            Operator::GreaterEqual => demand(order().is_ge(), Refusal::Less),
            Operator::LessEqual => self.check_less_equal(version, order),
            Operator::Tilde => self.check_tilde(version, order()),
            Operator::Caret => self.check_caret(version, order()),
        }
    }

    fn check_not_equal(
        &self,
        version: &Version,
        pre: &str,
        order: impl Fn() -> Ordering,
    ) -> Result<(), Refusal> {
        if !self.dirty {
            return demand(order().is_ne(), Refusal::Equal);
        }
        let [major, minor, patch] = self.numbers;
        if major != version.major() || (minor != version.minor() && !self.minor_dirty) {
            return Ok(());
        }
        if self.minor_dirty {
            return Err(Refusal::Equal);
        }
        if !self.patch_dirty {
            // Only a leading wildcard comes here; then Go compares with 0.0.0.
            let differs = patch != version.patch() || order().is_ne();
            return demand(differs, Refusal::Equal);
        }
        let any_pre = !version.prerelease().is_empty() || !pre.is_empty();
        let differs = any_pre && compare_prerelease(version.prerelease(), pre).is_ne();
        demand(differs, Refusal::Equal)
    }

    fn check_greater(
        &self,
        version: &Version,
        order: impl Fn() -> Ordering,
    ) -> Result<(), Refusal> {
        let [major, minor, _] = self.numbers;
        let greater = if !self.dirty {
            order().is_gt()
        } else if version.major() != major {
            version.major() > major
        } else if self.minor_dirty {
            false
        } else if self.patch_dirty {
            version.minor() > minor
        } else {
            order().is_gt()
        };
        demand(greater, Refusal::LessOrEqual)
    }

    fn check_less_equal(
        &self,
        version: &Version,
        order: impl Fn() -> Ordering,
    ) -> Result<(), Refusal> {
        let [major, minor, _] = self.numbers;
        let less_equal = if !self.dirty {
            order().is_le()
        } else if version.major() == major {
            version.minor() <= minor || self.minor_dirty
        } else {
            version.major() < major
        };
        demand(less_equal, Refusal::Greater)
    }

    fn check_tilde(&self, version: &Version, order: Ordering) -> Result<(), Refusal> {
        demand(order.is_ge(), Refusal::Less)?;
        if self.numbers == [0; 3] && !self.minor_dirty && !self.patch_dirty {
            return Ok(());
        }
        let [major, minor, _] = self.numbers;
        demand(version.major() == major, Refusal::OtherMajor)?;
        let same = version.minor() == minor || self.minor_dirty;
        demand(same, Refusal::OtherMajorMinor)
    }

    fn check_caret(&self, version: &Version, order: Ordering) -> Result<(), Refusal> {
        demand(order.is_ge(), Refusal::Less)?;
        let [major, minor, patch] = self.numbers;
        if major > 0 || self.minor_dirty {
            return demand(version.major() == major, Refusal::OtherMajor);
        }
        demand(version.major() == 0, Refusal::OtherMajor)?;
        if minor > 0 || self.patch_dirty {
            return demand(version.minor() == minor, Refusal::OtherMinorOfZero);
        }
        demand(version.minor() == 0, Refusal::OtherMinor)?;
        demand(version.patch() == patch, Refusal::OtherPatchOfZero)
    }
}

fn demand(satisfied: bool, refusal: Refusal) -> Result<(), Refusal> {
    if satisfied { Ok(()) } else { Err(refusal) }
}

impl Refusal {
    #[cold]
    fn message(self, version: &Version, wanted: &str) -> String {
        let relation = match self {
            Refusal::Prerelease => {
                return format!(
                    "\"{version}\" is a prerelease version and the constraint is only looking for release versions"
                );
            }
            Refusal::OtherMinorOfZero => {
                return format!(
                    "\"{version}\" does not have same minor version as \"{wanted}\". Expected minor versions to match when constraint major version is 0"
                );
            }
            Refusal::OtherPatchOfZero => {
                return format!(
                    "\"{version}\" does not equal \"{wanted}\". Expect version and constraint to equal when major and minor versions are 0"
                );
            }
            Refusal::Equal => "is equal to",
            Refusal::NotEqual => "is not equal to",
            Refusal::LessOrEqual => "is less than or equal to",
            Refusal::GreaterOrEqual => "is greater than or equal to",
            Refusal::Less => "is less than",
            Refusal::Greater => "is greater than",
            Refusal::OtherMajor => "does not have same major version as",
            Refusal::OtherMajorMinor => "does not have same major and minor version as",
            Refusal::OtherMinor => "does not have same minor version as",
        };
        format!("\"{version}\" {relation} \"{wanted}\"")
    }
}

/// A version in a constraint, as positions: up to three segments of digits, wildcards and bars,
/// then prerelease and metadata.
struct LooseSpan {
    span: Range<usize>,
    segments: [Range<usize>; 3],
    pre: Range<usize>,
}

impl LooseSpan {
    fn scan(text: &[u8], start: usize) -> Option<LooseSpan> {
        let mut at = start + usize::from(text.get(start) == Some(&b'v'));
        let mut segments = [at..at, at..at, at..at];
        for (index, segment) in segments.iter_mut().enumerate() {
            let dot = usize::from(index > 0);
            if index > 0 && text.get(at) != Some(&b'.') {
                break;
            }
            let end = skip_while(text, at + dot, is_segment_byte);
            if end == at + dot {
                if index == 0 {
                    return None;
                }
                break;
            }
            *segment = at + dot..end;
            at = end;
        }
        let pre = suffix(text, at, b'-');
        let metadata = suffix(text, pre.end, b'+');
        Some(LooseSpan { span: start..metadata.end, segments, pre })
    }

    fn term(
        &self,
        text: &[u8],
        operator: Operator,
        operator_span: Range<usize>,
    ) -> Result<Term, Error> {
        let piece = |span: &Range<usize>| text.get(span.clone()).unwrap_or_default();
        let missing = |span: &Range<usize>| matches!(piece(span), b"" | b"x" | b"X" | b"*");
        let written = self.segments.iter().take_while(|s| !missing(s)).count();
        // Go reads the version anew, with zeros where numbers are missing and without metadata.
        let numbers = if written == 3 {
            parse_loose(piece(&self.span)).map(|version| version.numbers)
        } else {
            let mut version = Vec::with_capacity(32);
            for segment in self.segments.iter().take(written) {
                version.extend_from_slice(piece(segment));
                version.push(b'.');
            }
            let zeros = ["0.0.0", "0.0", "0"];
            version.extend_from_slice(zeros.get(written).unwrap_or(&"").as_bytes());
            if !self.pre.is_empty() {
                version.push(b'-');
                version.extend_from_slice(piece(&self.pre));
            }
            parse_loose(&version).map(|version| version.numbers)
        };
        Ok(Term {
            operator,
            operator_span,
            version_span: self.span.clone(),
            numbers: numbers.map_err(|_| ErrorKind::ConstraintVersion)?,
            pre: self.pre.clone(),
            dirty: written < 3,
            minor_dirty: written == 1,
            patch_dirty: written == 2,
        })
    }
}

/// The operator at `at` and where it ends.
fn scan_operator(text: &[u8], at: usize) -> (Operator, usize) {
    let second = text.get(at + 1);
    let (operator, len) = match (text.get(at), second) {
        (Some(b'='), Some(b'>')) | (Some(b'>'), Some(b'=')) => (Operator::GreaterEqual, 2),
        (Some(b'='), Some(b'<')) | (Some(b'<'), Some(b'=')) => (Operator::LessEqual, 2),
        (Some(b'!'), Some(b'=')) => (Operator::NotEqual, 2),
        (Some(b'~'), Some(b'>')) => (Operator::Tilde, 2),
        (Some(b'='), _) => (Operator::TildeOrEqual, 1),
        (Some(b'>'), _) => (Operator::Greater, 1),
        (Some(b'<'), _) => (Operator::Less, 1),
        (Some(b'~'), _) => (Operator::Tilde, 1),
        (Some(b'^'), _) => (Operator::Caret, 1),
        _ => (Operator::TildeOrEqual, 0),
    };
    (operator, at + len)
}

/// Rewrites `1.2 - 3.4` to `>= 1.2, <= 3.4 `, wherever it stands.
fn rewrite_ranges(text: &[u8]) -> Cow<'_, [u8]> {
    // A range is rare; without a hyphen after a space there is none.
    let hyphen = |pair: &[u8]| matches!(pair, [space, b'-'] if is_space(*space));
    if !text.windows(2).any(hyphen) {
        return Cow::Borrowed(text);
    }
    let mut rewritten = Cow::Borrowed(text);
    let mut at = 0;
    while at < text.len() {
        let Some(range) = scan_range(text, at) else {
            at += 1;
            continue;
        };
        let piece = |span: &Range<usize>| text.get(span.clone()).unwrap_or_default();
        let whole = piece(&range.whole);
        // Go replaces the first occurrence of this text, which need not be this one.
        if let Some(found) = find(&rewritten, 0, whole) {
            let bounds = [b">= ", piece(&range.low), b", <= ", piece(&range.high), b" "].concat();
            rewritten.to_mut().splice(found..found + whole.len(), bounds);
        }
        at = range.whole.end;
    }
    rewritten
}

struct HyphenRange {
    whole: Range<usize>,
    low: Range<usize>,
    high: Range<usize>,
}

fn scan_range(text: &[u8], start: usize) -> Option<HyphenRange> {
    let at = skip_while(text, start, is_space);
    let low = LooseSpan::scan(text, at)?.span;
    let hyphen = skip_while(text, low.end, is_space);
    let high = skip_while(text, hyphen + 1, is_space);
    if hyphen == low.end || text.get(hyphen) != Some(&b'-') || high == hyphen + 1 {
        return None;
    }
    let high = LooseSpan::scan(text, high)?.span;
    let end = skip_while(text, high.end, is_space);
    Some(HyphenRange { whole: start..end, low, high })
}

fn count_groups(text: &[u8]) -> usize {
    let mut count = 1;
    let mut at = 0;
    while let Some(found) = find(text, at, b"||") {
        count += 1;
        at = found + 2;
    }
    count
}

fn find(text: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    let rest = text.get(from..)?;
    let at = rest.windows(needle.len()).position(|w| w == needle)?;
    Some(from + at)
}

/// What `\s` means in Go.
fn is_space(b: u8) -> bool {
    matches!(b, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

/// Go's class for the segments of a constraint holds a bar, presumably by mistake.
fn is_segment_byte(b: u8) -> bool {
    b.is_ascii_digit() || matches!(b, b'|' | b'x' | b'X' | b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(constraint: &str, version: &str) -> Result<Vec<String>, Error> {
        let constraint = Constraint::parse(constraint)?;
        Ok(match constraint.validate(&Version::parse(version)?) {
            Ok(()) => Vec::new(),
            Err(messages) => messages,
        })
    }

    #[test]
    fn gives_reasons() -> Result<(), Error> {
        assert!(reasons(">=1.2 <3", "2.0.0")?.is_empty());
        assert_eq!(
            reasons("^0.2.3, !=0.3 || 1.0.0", "0.3.1")?,
            [
                "\"0.3.1\" does not have same minor version as \"0.2.3\". Expected minor versions to match when constraint major version is 0",
                "\"0.3.1\" is equal to \"0.3\"",
                "\"0.3.1\" is not equal to \"1.0.0\"",
            ]
        );
        assert_eq!(
            reasons("1 || 2", "2.0.0-rc.1")?,
            [
                "\"2.0.0-rc.1\" is a prerelease version and the constraint is only looking for release versions"
            ]
        );
        Ok(())
    }

    #[test]
    fn admits_prereleases_when_told() -> Result<(), Error> {
        let version = Version::parse("1.2.0-rc.1")?;
        let constraint = Constraint::parse("~1")?;
        assert!(!constraint.check(&version));
        assert!(constraint.including_prereleases().check(&version));
        Ok(())
    }

    #[test]
    fn prints_what_it_understood() -> Result<(), Error> {
        let constraint = Constraint::parse("1.2 - 3||=>4 ,<v5.x-a+b")?;
        assert_eq!(constraint.to_string(), ">=1.2 <=3 || =>4 <v5.x-a+b");
        Ok(())
    }

    #[test]
    fn quotes_as_go_does() {
        let message = |text: &[u8]| Constraint::parse(text).map_err(|e| e.to_string()).err();
        assert_eq!(
            message(b"1 || a\"\\\x01\xff\xc3\xa9\xe2\x80\x8b").as_deref(),
            Some(r#"improper constraint: " a\"\\\x01\xffé\u200b""#)
        );
        assert_eq!(message(b"").as_deref(), Some(r#"improper constraint: """#));
        assert_eq!(
            message(&[b'1'; 513]).as_deref(),
            Some("constraint string is too long (max 512 bytes)")
        );
    }
}
