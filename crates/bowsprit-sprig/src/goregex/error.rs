use std::fmt;

/// Why a pattern is refused: Go's `syntax.Error`.
///
/// `Display` gives Go's words, with bytes that are not UTF-8 replaced; [`Error::to_bytes`] keeps
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: ErrorCode,
    /// The piece of the pattern in question.
    expr: Box<[u8]>,
}

/// The reasons for an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorCode {
    /// A range from higher to lower, or an unknown class name.
    InvalidCharRange,
    /// An escape that means nothing, or `\C`.
    InvalidEscape,
    /// A group name with other characters than letters, digits and underscores.
    InvalidNamedCapture,
    /// `(?` with anything that is not supported.
    InvalidPerlOp,
    /// `a**` and the like.
    InvalidRepeatOp,
    /// More than 1000 repetitions, or a maximum below the minimum.
    InvalidRepeatSize,
    /// The pattern is not UTF-8.
    InvalidUtf8,
    /// A class without an end.
    MissingBracket,
    /// A group without an end.
    MissingParen,
    /// A repetition of nothing.
    MissingRepeatArgument,
    /// A backslash at the end.
    TrailingBackslash,
    /// A closing parenthesis without an opening one.
    UnexpectedParen,
    /// More than 1000 levels.
    NestingDepth,
    /// More memory than is granted; the limit is lower than Go's.
    Large,
}

impl Error {
    #[cold]
    pub(super) fn new(code: ErrorCode, expr: &[u8]) -> Error {
        Error { code, expr: expr.into() }
    }

    /// The reason.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The message, with the bytes of the pattern as they are.
    pub fn to_bytes(&self) -> Vec<u8> {
        let before: &[u8] = b"error parsing regexp: ";
        [before, self.code.text().as_bytes(), b": `", &self.expr, b"`"].concat()
    }
}

impl ErrorCode {
    fn text(self) -> &'static str {
        match self {
            ErrorCode::InvalidCharRange => "invalid character class range",
            ErrorCode::InvalidEscape => "invalid escape sequence",
            ErrorCode::InvalidNamedCapture => "invalid named capture",
            ErrorCode::InvalidPerlOp => "invalid or unsupported Perl syntax",
            ErrorCode::InvalidRepeatOp => "invalid nested repetition operator",
            ErrorCode::InvalidRepeatSize => "invalid repeat count",
            ErrorCode::InvalidUtf8 => "invalid UTF-8",
            ErrorCode::MissingBracket => "missing closing ]",
            ErrorCode::MissingParen => "missing closing )",
            ErrorCode::MissingRepeatArgument => "missing argument to repetition operator",
            ErrorCode::TrailingBackslash => "trailing backslash at end of expression",
            ErrorCode::UnexpectedParen => "unexpected )",
            ErrorCode::NestingDepth => "expression nests too deeply",
            ErrorCode::Large => "expression too large",
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}
