//! What Helm's releases do differently with rendered text.

/// What becomes of the white space around a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documents {
    /// Only what stands before a document is cut off.
    KeepEnd,
    /// It is cut off on both sides.
    Trimmed,
}

/// Where webhook configurations stand among the kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Webhooks {
    /// Behind all others that have a place.
    Placed,
    /// They have none, and stand among the unknown kinds.
    Unplaced,
}

/// How one of Helm's releases reads and sorts rendered text. The default is that of Helm 4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dialect {
    /// What becomes of the white space around a document.
    pub documents: Documents,
    /// Where webhook configurations stand.
    pub webhooks: Webhooks,
    /// The Go package that errors about a document's head name.
    pub package: &'static str,
}

impl Dialect {
    /// Helm 3.22.
    pub const V3: Dialect = Dialect {
        documents: Documents::Trimmed,
        webhooks: Webhooks::Unplaced,
        package: "releaseutil",
    };
    /// Helm 4.1.
    pub const V4_1: Dialect =
        Dialect { documents: Documents::Trimmed, webhooks: Webhooks::Placed, package: "util" };
    /// Helm 4.2.
    pub const V4_2: Dialect =
        Dialect { documents: Documents::KeepEnd, webhooks: Webhooks::Placed, package: "util" };
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect::V4_2
    }
}
