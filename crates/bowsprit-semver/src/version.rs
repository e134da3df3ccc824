use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

use crate::error::{Error, ErrorKind};

/// The longest version that is read, in bytes.
pub const MAX_VERSION_LEN: usize = 256;

/// A semantic version together with the text it was read from.
///
/// `Display` gives the normalised text: all three numbers and no leading `v`. Two versions that
/// differ in build metadata alone compare as equal, hence no `PartialEq`; see [`Version::equal`].
#[derive(Clone)]
pub struct Version {
    numbers: Numbers,
    original: Box<str>,
    /// Where prerelease and metadata lie in `original`; empty if there are none.
    pre: Range<usize>,
    metadata: Range<usize>,
}

/// Major, minor, patch.
pub(crate) type Numbers = [u64; 3];

/// The pieces of a loosely written version, as positions in its text.
pub(crate) struct Loose {
    pub(crate) numbers: Numbers,
    pub(crate) pre: Range<usize>,
    metadata: Range<usize>,
}

impl Version {
    /// Reads a version as `NewVersion` does: a leading `v`, missing minor and patch numbers and
    /// leading zeros in the numbers are all right.
    ///
    /// Errors if the text is no version, is too long, holds a number beyond 64 bits, or has a
    /// numeric prerelease identifier that starts with a zero.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Version, Error> {
        let text = text.as_ref();
        let loose = parse_loose(text)?;
        let original = std::str::from_utf8(text).map_err(|_| ErrorKind::InvalidVersion)?;
        Ok(Version {
            numbers: loose.numbers,
            original: original.into(),
            pre: loose.pre,
            metadata: loose.metadata,
        })
    }

    /// Reads a version as `StrictNewVersion` does: exactly three numbers, no `v`.
    pub fn parse_strict(text: impl AsRef<[u8]>) -> Result<Version, Error> {
        let text = text.as_ref();
        if text.is_empty() {
            return Err(ErrorKind::Empty.into());
        }
        if text.len() > MAX_VERSION_LEN {
            return Err(ErrorKind::VersionTooLong.into());
        }
        let (major, rest) = cut(text, b'.').ok_or(ErrorKind::InvalidVersion)?;
        let (minor, rest) = cut(rest, b'.').ok_or(ErrorKind::InvalidVersion)?;
        let (rest, metadata) = match cut(rest, b'+') {
            Some((rest, metadata)) => (rest, Some(metadata)),
            None => (rest, None),
        };
        let (patch, pre) = match cut(rest, b'-') {
            Some((patch, pre)) => (patch, Some(pre)),
            None => (rest, None),
        };
        metadata.map_or(Ok(()), validate_metadata)?;
        pre.map_or(Ok(()), validate_prerelease)?;
        let parts = [major, minor, patch];
        for part in parts {
            validate_segment(part)?;
        }
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(parts) {
            *number = strict_number(part)?;
        }
        let original = std::str::from_utf8(text).map_err(|_| ErrorKind::InvalidVersion)?;
        let metadata_start = original.len() - metadata.map_or(0, <[u8]>::len);
        let pre_end = metadata_start - usize::from(metadata.is_some());
        Ok(Version {
            numbers,
            original: original.into(),
            pre: pre_end - pre.map_or(0, <[u8]>::len)..pre_end,
            metadata: metadata_start..original.len(),
        })
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.numbers[0]
    }

    /// The second number.
    pub fn minor(&self) -> u64 {
        self.numbers[1]
    }

    /// The third number.
    pub fn patch(&self) -> u64 {
        self.numbers[2]
    }

    /// What stands between `-` and `+`, empty if nothing does.
    pub fn prerelease(&self) -> &str {
        self.original.get(self.pre.clone()).unwrap_or_default()
    }

    /// What stands after `+`, empty if nothing does.
    pub fn metadata(&self) -> &str {
        self.original.get(self.metadata.clone()).unwrap_or_default()
    }

    /// The text this version was read from; for a derived version, its normalised text with the
    /// `v` of the version it comes from.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Compares by precedence: numbers, then prerelease; metadata does not count.
    pub fn compare(&self, other: &Version) -> Ordering {
        compare_parts((&self.numbers, self.prerelease()), (&other.numbers, other.prerelease()))
    }

    /// Whether both have the same precedence.
    pub fn equal(&self, other: &Version) -> bool {
        self.compare(other).is_eq()
    }

    /// Whether this version precedes the other.
    pub fn less_than(&self, other: &Version) -> bool {
        self.compare(other).is_lt()
    }

    /// Whether this version precedes the other or equals it.
    pub fn less_than_equal(&self, other: &Version) -> bool {
        self.compare(other).is_le()
    }

    /// Whether this version comes after the other.
    pub fn greater_than(&self, other: &Version) -> bool {
        self.compare(other).is_gt()
    }

    /// Whether this version comes after the other or equals it.
    pub fn greater_than_equal(&self, other: &Version) -> bool {
        self.compare(other).is_ge()
    }

    /// The next major version. Errors where Go panics: if the number would overflow.
    pub fn inc_major(&self) -> Result<Version, Error> {
        let major = self.major().checked_add(1);
        let major = major.ok_or(ErrorKind::MajorOverflow)?;
        Ok(self.derive([major, 0, 0], "", ""))
    }

    /// The next minor version. Errors where Go panics: if the number would overflow.
    pub fn inc_minor(&self) -> Result<Version, Error> {
        let minor = self.minor().checked_add(1);
        let minor = minor.ok_or(ErrorKind::MinorOverflow)?;
        Ok(self.derive([self.major(), minor, 0], "", ""))
    }

    /// The next patch version; for a prerelease, the version that it precedes. Errors where Go
    /// panics: if the number would overflow.
    pub fn inc_patch(&self) -> Result<Version, Error> {
        let mut numbers = self.numbers;
        if self.pre.is_empty() {
            let patch = self.patch().checked_add(1);
            numbers[2] = patch.ok_or(ErrorKind::PatchOverflow)?;
        }
        Ok(self.derive(numbers, "", ""))
    }

    /// This version with another prerelease (without the hyphen); empty takes it away.
    pub fn set_prerelease(&self, prerelease: impl AsRef<[u8]>) -> Result<Version, Error> {
        let prerelease = prerelease.as_ref();
        if !prerelease.is_empty() {
            validate_prerelease(prerelease)?;
        }
        let prerelease =
            std::str::from_utf8(prerelease).map_err(|_| ErrorKind::InvalidPrerelease)?;
        Ok(self.derive(self.numbers, prerelease, self.metadata()))
    }

    /// This version with other metadata (without the plus sign); empty takes it away.
    pub fn set_metadata(&self, metadata: impl AsRef<[u8]>) -> Result<Version, Error> {
        let metadata = metadata.as_ref();
        if !metadata.is_empty() {
            validate_metadata(metadata)?;
        }
        let metadata = std::str::from_utf8(metadata).map_err(|_| ErrorKind::InvalidMetadata)?;
        Ok(self.derive(self.numbers, self.prerelease(), metadata))
    }

    pub(crate) fn parts(&self) -> (&Numbers, &str) {
        (&self.numbers, self.prerelease())
    }

    fn derive(&self, numbers: Numbers, pre: &str, metadata: &str) -> Version {
        let [major, minor, patch] = numbers;
        let v = if self.original.starts_with('v') { "v" } else { "" };
        let mut original = format!("{v}{major}.{minor}.{patch}");
        if !pre.is_empty() {
            original.push('-');
            original.push_str(pre);
        }
        let pre = original.len() - pre.len()..original.len();
        if !metadata.is_empty() {
            original.push('+');
            original.push_str(metadata);
        }
        Version {
            numbers,
            pre,
            metadata: original.len() - metadata.len()..original.len(),
            original: original.into(),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.prerelease())?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({})", self.original)
    }
}

impl std::str::FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Version, Error> {
        Version::parse(text)
    }
}

/// Reads what matches the Go library's loose pattern, from end to end.
pub(crate) fn parse_loose(text: &[u8]) -> Result<Loose, Error> {
    if text.len() > MAX_VERSION_LEN {
        return Err(ErrorKind::VersionTooLong.into());
    }
    let mut at = usize::from(text.first() == Some(&b'v'));
    let mut segments: [&[u8]; 3] = [b""; 3];
    for (index, segment) in segments.iter_mut().enumerate() {
        let start = if index == 0 {
            at
        } else if text.get(at) == Some(&b'.') {
            at + 1
        } else {
            break;
        };
        let end = skip_while(text, start, |b| b.is_ascii_digit());
        if end == start {
            return Err(ErrorKind::InvalidVersion.into());
        }
        *segment = text.get(start..end).unwrap_or_default();
        at = end;
    }
    let pre = suffix(text, at, b'-');
    let metadata = suffix(text, pre.end, b'+');
    if metadata.end != text.len() {
        return Err(ErrorKind::InvalidVersion.into());
    }
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(segments) {
        *number = number_of(digits).ok_or_else(|| Error::with_text(ErrorKind::Segment, digits))?;
    }
    let identifiers = text.get(pre.clone()).unwrap_or_default();
    if !identifiers.is_empty() {
        validate_prerelease(identifiers)?;
    }
    Ok(Loose { numbers, pre, metadata })
}

/// The dotted identifiers after `sign`, if the text goes on with `sign` and such; else an empty
/// range at `at`.
pub(crate) fn suffix(text: &[u8], at: usize, sign: u8) -> Range<usize> {
    if text.get(at) != Some(&sign) {
        return at..at;
    }
    let start = at + 1;
    let mut end = skip_while(text, start, is_identifier_byte);
    if end == start {
        return at..at;
    }
    while text.get(end) == Some(&b'.') {
        let next = skip_while(text, end + 1, is_identifier_byte);
        if next == end + 1 {
            break;
        }
        end = next;
    }
    start..end
}

pub(crate) fn skip_while(text: &[u8], from: usize, accept: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|&&b| accept(b)).count()
}

/// The value of decimal digits, `None` beyond 64 bits. No digits give 0.
pub(crate) fn number_of(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |number, b| {
        let digit = b.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

fn strict_number(digits: &[u8]) -> Result<u64, Error> {
    if digits.is_empty() {
        return Err(ErrorKind::EmptySegment.into());
    }
    number_of(digits).ok_or_else(|| Error::with_text(ErrorKind::StrictSegment, digits))
}

fn validate_segment(part: &[u8]) -> Result<(), Error> {
    if !part.iter().all(u8::is_ascii_digit) {
        return Err(ErrorKind::InvalidCharacters.into());
    }
    if part.len() > 1 && part.first() == Some(&b'0') {
        return Err(ErrorKind::LeadingZero.into());
    }
    Ok(())
}

fn validate_prerelease(text: &[u8]) -> Result<(), Error> {
    for part in text.split(|&b| b == b'.') {
        if part.is_empty() || !part.iter().all(|&b| is_identifier_byte(b)) {
            return Err(ErrorKind::InvalidPrerelease.into());
        }
        let leading_zero = part.len() > 1 && part.first() == Some(&b'0');
        if leading_zero && part.iter().all(u8::is_ascii_digit) {
            return Err(ErrorKind::LeadingZero.into());
        }
    }
    Ok(())
}

fn validate_metadata(text: &[u8]) -> Result<(), Error> {
    let valid = |part: &[u8]| !part.is_empty() && part.iter().all(|&b| is_identifier_byte(b));
    if text.split(|&b| b == b'.').all(valid) {
        Ok(())
    } else {
        Err(ErrorKind::InvalidMetadata.into())
    }
}

fn is_identifier_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-'
}

fn cut(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&b| b == separator)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Compares numbers and prereleases by precedence.
pub(crate) fn compare_parts(a: (&Numbers, &str), b: (&Numbers, &str)) -> Ordering {
    a.0.cmp(b.0).then_with(|| match (a.1, b.1) {
        ("", "") => Ordering::Equal,
        ("", _) => Ordering::Greater,
        (_, "") => Ordering::Less,
        (a, b) => compare_prerelease(a, b),
    })
}

pub(crate) fn compare_prerelease(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (left, right) = (a.next(), b.next());
        if left.is_none() && right.is_none() {
            return Ordering::Equal;
        }
        let order = compare_identifier(left.unwrap_or_default(), right.unwrap_or_default());
        if order.is_ne() {
            return order;
        }
    }
}

fn compare_identifier(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    if a.is_empty() {
        return Ordering::Less;
    }
    if b.is_empty() {
        return Ordering::Greater;
    }
    // Digits beyond 64 bits count as a word, as they fail Go's ParseUint.
    match (number_of(a.as_bytes()), number_of(b.as_bytes())) {
        (None, None) => a.cmp(b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(a), Some(b)) if a > b => Ordering::Greater,
        (Some(_), Some(_)) => Ordering::Less,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loose(text: &str) -> String {
        match Version::parse(text) {
            Ok(v) => format!("{v}|{}|{}|{}", v.prerelease(), v.metadata(), v.original()),
            Err(error) => error.to_string(),
        }
    }

    fn strict(text: &str) -> String {
        match Version::parse_strict(text) {
            Ok(v) => format!("{v}|{}|{}", v.prerelease(), v.metadata()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn reads_loosely() {
        assert_eq!(loose("v1"), "1.0.0|||v1");
        assert_eq!(loose("1.02-a.b+c.d"), "1.2.0-a.b+c.d|a.b|c.d|1.02-a.b+c.d");
        assert_eq!(loose("1-a+b+c"), "invalid semantic version");
        assert_eq!(loose("1-01"), "version segment starts with 0");
        assert_eq!(loose(""), "invalid semantic version");
        assert_eq!(
            loose("1.99999999999999999999"),
            "error parsing version segment: strconv.ParseUint: \
             parsing \"99999999999999999999\": value out of range"
        );
        assert_eq!(loose(&"1".repeat(257)), "version string is too long (max 256 bytes)");
    }

    #[test]
    fn reads_strictly() {
        assert_eq!(strict("1.2.3-a.0+b-c.1"), "1.2.3-a.0+b-c.1|a.0|b-c.1");
        assert_eq!(strict(""), "version string empty");
        assert_eq!(strict("1.2"), "invalid semantic version");
        assert_eq!(strict("v1.2.3"), "invalid characters in version");
        assert_eq!(strict("1.02.3"), "version segment starts with 0");
        assert_eq!(strict("1.2.3-"), "invalid prerelease string");
        assert_eq!(strict("1.2.3+"), "invalid metadata string");
        assert_eq!(strict("1..3"), "strconv.ParseUint: parsing \"\": invalid syntax");
        assert_eq!(
            strict("1.2.99999999999999999999"),
            "strconv.ParseUint: parsing \"99999999999999999999\": value out of range"
        );
    }

    #[test]
    fn derives() -> Result<(), Error> {
        let v = Version::parse("v1.2.3-rc.1+x")?;
        assert_eq!(v.inc_patch()?.original(), "v1.2.3");
        assert_eq!(v.inc_patch()?.inc_patch()?.to_string(), "1.2.4");
        assert_eq!(v.inc_minor()?.to_string(), "1.3.0");
        assert_eq!(v.inc_major()?.to_string(), "2.0.0");
        assert_eq!(v.set_prerelease("")?.original(), "v1.2.3+x");
        assert_eq!(v.set_metadata("y.z")?.to_string(), "1.2.3-rc.1+y.z");
        assert!(v.set_metadata("y..z").is_err());
        assert!(v.set_prerelease(b"\xff").is_err());
        let last = Version::parse(format!("{}", u64::MAX))?;
        assert_eq!(
            last.inc_major().map_err(|e| e.to_string()).err().as_deref(),
            Some("major version increment would overflow uint64")
        );
        Ok(())
    }

    #[test]
    fn follows_precedence() -> Result<(), Error> {
        let ascending = [
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-beta",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.10.0",
            "2.0.0-0",
        ];
        for pair in ascending.windows(2) {
            let (a, b) = (Version::parse(pair[0])?, Version::parse(pair[1])?);
            assert!(a.less_than(&b) && b.greater_than(&a), "{pair:?}");
        }
        assert!(Version::parse("1.0.0+a")?.equal(&Version::parse("1.0.0+b")?));
        Ok(())
    }
}
