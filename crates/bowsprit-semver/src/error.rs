use std::fmt;

use crate::constraint::{MAX_CONSTRAINT_GROUPS, MAX_CONSTRAINT_LEN};
use crate::version::MAX_VERSION_LEN;

/// What is wrong with a version or a constraint.
///
/// `Display` gives the words of Masterminds/semver.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Repr>);

#[derive(Clone, PartialEq, Eq)]
struct Repr {
    kind: ErrorKind,
    /// The offending piece of the input, where the message shows it.
    text: Box<[u8]>,
}

/// The reasons for an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is no version.
    InvalidVersion,
    /// The text is empty; only the strict parser says so.
    Empty,
    /// A number segment holds something else than digits; only the strict parser says so.
    InvalidCharacters,
    /// A number segment or a numeric prerelease identifier starts with a zero.
    LeadingZero,
    /// The build metadata has an empty or malformed identifier.
    InvalidMetadata,
    /// The prerelease has an empty or malformed identifier.
    InvalidPrerelease,
    /// The version is longer than [`MAX_VERSION_LEN`] bytes.
    VersionTooLong,
    /// A number segment exceeds 64 bits (loose parser).
    Segment,
    /// A number segment exceeds 64 bits (strict parser).
    StrictSegment,
    /// A number segment is empty (strict parser).
    EmptySegment,
    /// A part of a constraint does not follow the grammar.
    ImproperConstraint,
    /// The version inside a constraint cannot be read.
    ConstraintVersion,
    /// The constraint is longer than [`MAX_CONSTRAINT_LEN`] bytes.
    ConstraintTooLong,
    /// The constraint has more than [`MAX_CONSTRAINT_GROUPS`] alternatives.
    TooManyGroups,
    /// The major number cannot be incremented.
    MajorOverflow,
    /// The minor number cannot be incremented.
    MinorOverflow,
    /// The patch number cannot be incremented.
    PatchOverflow,
}

impl Error {
    #[cold]
    pub(crate) fn with_text(kind: ErrorKind, text: &[u8]) -> Self {
        Error(Box::new(Repr { kind, text: text.into() }))
    }

    /// The reason.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl From<ErrorKind> for Error {
    #[cold]
    fn from(kind: ErrorKind) -> Self {
        Error::with_text(kind, b"")
    }
}

impl std::error::Error for Error {}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.0.kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Quoted(&self.0.text);
        match self.0.kind {
            ErrorKind::InvalidVersion => f.write_str("invalid semantic version"),
            ErrorKind::Empty => f.write_str("version string empty"),
            ErrorKind::InvalidCharacters => f.write_str("invalid characters in version"),
            ErrorKind::LeadingZero => f.write_str("version segment starts with 0"),
            ErrorKind::InvalidMetadata => f.write_str("invalid metadata string"),
            ErrorKind::InvalidPrerelease => f.write_str("invalid prerelease string"),
            ErrorKind::VersionTooLong => {
                write!(f, "version string is too long (max {MAX_VERSION_LEN} bytes)")
            }
            ErrorKind::Segment => write!(
                f,
                "error parsing version segment: strconv.ParseUint: parsing {text}: value out of range"
            ),
            ErrorKind::StrictSegment => {
                write!(f, "strconv.ParseUint: parsing {text}: value out of range")
            }
            ErrorKind::EmptySegment => {
                write!(f, "strconv.ParseUint: parsing {text}: invalid syntax")
            }
            ErrorKind::ImproperConstraint => write!(f, "improper constraint: {text}"),
            ErrorKind::ConstraintVersion => f.write_str("constraint parser error"),
            ErrorKind::ConstraintTooLong => {
                write!(f, "constraint string is too long (max {MAX_CONSTRAINT_LEN} bytes)")
            }
            ErrorKind::TooManyGroups => {
                write!(f, "too many constraint groups (max {MAX_CONSTRAINT_GROUPS})")
            }
            ErrorKind::MajorOverflow => {
                f.write_str("major version increment would overflow uint64")
            }
            ErrorKind::MinorOverflow => {
                f.write_str("minor version increment would overflow uint64")
            }
            ErrorKind::PatchOverflow => {
                f.write_str("patch version increment would overflow uint64")
            }
        }
    }
}

/// Prints bytes as Go's `%q` prints a string.
struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                quote_char(f, c)?;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_str("\"")
    }
}

fn quote_char(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '"' => f.write_str("\\\""),
        '\\' => f.write_str("\\\\"),
        '\x07' => f.write_str("\\a"),
        '\x08' => f.write_str("\\b"),
        '\x0c' => f.write_str("\\f"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\x0b' => f.write_str("\\v"),
        '\x00'..='\x1f' | '\x7f' => write!(f, "\\x{:02x}", u32::from(c)),
        _ if is_print(c) => write!(f, "{c}"),
        '\u{80}'..='\u{ffff}' => write!(f, "\\u{:04x}", u32::from(c)),
        _ => write!(f, "\\U{:08x}", u32::from(c)),
    }
}

fn is_print(c: char) -> bool {
    // char::escape_debug also escapes combining marks, which Go prints; the formatting of a str
    // does so for its first character only.
    c.is_ascii() || {
        let mut buffer = [b'a'; 5];
        let len = c.encode_utf8(&mut buffer[1..]).len();
        std::str::from_utf8(&buffer[..=len]).is_ok_and(|s| !s.escape_debug().any(|e| e == '\\'))
    }
}
