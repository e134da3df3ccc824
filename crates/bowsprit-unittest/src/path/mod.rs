//! Paths into documents: the dialect of JSONPath that helm-unittest's suites are written in.
//!
//! The dialect is that of the Go module yaml-jsonpath: an optional `$`, children by `.name` or `['name']`,
//! subscripts and slices, `*`, `..`, filters `[?(@.name == 'x')]` and, at the end, `~` for the name in
//! place of the value. Mappings are walked in the order in which goyaml writes them.

mod eval;
mod filter;
mod parse;
mod subscript;

use bowsprit_value::Value;
use filter::Filter;
use std::fmt;
use subscript::Subscript;

/// How many values a search may have in hand, so that `..*..*` ends.
const MAX_FOUND: usize = 1_000_000;

/// A path that can't be read, or finds too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError(pub(crate) String);

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PathError {}

/// A path that was read.
///
/// ```
/// use bowsprit_unittest::Path;
///
/// let doc = bowsprit_yaml::decode_any(b"spec: {ports: [{name: a, port: 1}, {name: b, port: 2}]}")?;
/// let path = Path::parse("spec.ports[?(@.name == 'b')].port")?;
/// let found = path.find(&doc)?;
/// assert!(matches!(found.as_slice(), [bowsprit_value::Value::Int(_, 2)]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    /// The entry of a name.
    Child(Vec<u8>),
    /// The entries of several names.
    Children(Vec<Vec<u8>>),
    /// All entries or items.
    All,
    /// Items by number.
    Items(Subscript),
    /// The value and all below it, what is inside first.
    Descend,
    /// What a condition holds for: items of a list, or the value itself.
    Filter(Filter),
    /// The same for the value alone.
    FilterSelf(Filter),
    /// The name itself, where there is such an entry.
    Name(Vec<u8>),
    /// Several names.
    Names(Vec<Vec<u8>>),
    /// All names.
    AllNames,
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// For what is no path, with the words of yaml-jsonpath.
    pub fn parse(text: &str) -> Result<Path, PathError> {
        parse::Parser::new(text).path()
    }

    /// All values that the path leads to, in the order of the document.
    ///
    /// # Errors
    ///
    /// Where it leads to more than a million.
    pub fn find(&self, root: &Value) -> Result<Vec<Value>, PathError> {
        self.find_from(root, root)
    }
}
