//! Versions and constraints as Masterminds/semver reads them.
