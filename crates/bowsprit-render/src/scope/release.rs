//! `.Release`.

use bowsprit_value::{Map, Str, Value};

/// What a render says of its release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseOptions {
    /// The release's name.
    pub name: String,
    /// The namespace.
    pub namespace: String,
    /// The revision, from 1.
    pub revision: i64,
    /// Whether this is an upgrade.
    pub is_upgrade: bool,
    /// Whether this is an installation; Helm has both, and templates can ask for either.
    pub is_install: bool,
}

impl ReleaseOptions {
    /// The first revision of a release, being installed.
    pub fn new(name: impl Into<String>, namespace: impl Into<String>) -> ReleaseOptions {
        ReleaseOptions {
            name: name.into(),
            namespace: namespace.into(),
            revision: 1,
            is_upgrade: false,
            is_install: true,
        }
    }

    pub(crate) fn to_map(&self) -> Map {
        let entries = [
            ("IsInstall", Value::Bool(self.is_install)),
            ("IsUpgrade", Value::Bool(self.is_upgrade)),
            ("Name", Value::from(self.name.as_str())),
            ("Namespace", Value::from(self.namespace.as_str())),
            ("Revision", Value::int(self.revision)),
            ("Service", Value::from("Helm")),
        ];
        Map::from_entries(entries.map(|(k, v)| (Str::from_static(k), v)))
    }
}
