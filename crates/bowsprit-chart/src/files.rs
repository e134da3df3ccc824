//! A chart's files, before and after they are sorted by what they are for.

use crate::Bytes;
use bowsprit_value::Str;

/// A file of a chart: its name from the chart's root, separated by `/`, and its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The name; bytes, because archives and file systems promise no UTF-8.
    pub name: Str,
    /// The content without a leading byte order mark.
    pub data: Bytes,
}

impl File {
    /// A file.
    pub fn new(name: impl Into<Str>, data: impl Into<Bytes>) -> File {
        File { name: name.into(), data: data.into() }
    }

    /// A file that loses a leading byte order mark.
    pub fn unmarked(name: impl Into<Str>, data: impl Into<Bytes>) -> File {
        File { name: name.into(), data: data.into().without_bom() }
    }
}
