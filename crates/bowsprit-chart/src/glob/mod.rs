//! The two pattern languages of Helm: Go's `filepath.Match` for `.helmignore`, and gobwas/glob
//! v0.2.3 for `.Files.Glob`.

mod compile;
mod filepath;
mod matcher;
mod parse;

use std::fmt;

pub use filepath::{BadPattern, filepath_match};

use matcher::{Budget, Matcher};

/// A compiled pattern of gobwas/glob v0.2.3 with the separator `/`, as `.Files.Glob` uses it.
///
/// `*` and `?` stop at slashes, `**` does not; `[abc]`, `[a-z]`, `[!a]` are classes and `{a,b}`
/// alternatives. That library misses some matches, mostly where alternatives meet stars or where
/// text is not ASCII; they are missed here, too.
#[derive(Clone, Debug)]
pub struct Glob(Matcher);

/// Why a pattern cannot be used.
///
/// Helm never shows this; it goes on with `**`, which matches every file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GlobError {
    /// The pattern is malformed; gobwas/glob refuses it, too.
    Syntax,
    /// The pattern has more alternatives, pieces or levels than are granted here.
    TooComplex,
}

impl std::error::Error for GlobError {}

impl fmt::Display for GlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GlobError::Syntax => "syntax error in glob pattern",
            GlobError::TooComplex => "glob pattern too complex",
        })
    }
}

impl Glob {
    /// Compiles a pattern.
    pub fn compile(pattern: impl AsRef<[u8]>) -> Result<Glob, GlobError> {
        let tree = parse::parse(pattern.as_ref())?;
        compile::compile(tree).map(Glob)
    }

    /// Whether the whole path matches.
    ///
    /// The library's algorithm can take exponential time; a path that takes a few hundred thousand steps
    /// does not match.
    pub fn matches(&self, path: impl AsRef<[u8]>) -> bool {
        self.0.matches(path.as_ref(), &mut Budget::new())
    }
}

#[cfg(test)]
mod tests;
