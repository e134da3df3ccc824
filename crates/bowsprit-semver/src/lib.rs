//! Versions and constraints as Masterminds/semver v3.5.0 reads them, which is how Helm and sprig
//! read them.
//!
//! This is not the semver of Cargo: a version may be partial (`1.2`) or start with `v`, and a
//! constraint may combine ranges with spaces, commas, `||`, wildcards and hyphens. Error texts are
//! the Go library's own. Parsing is one pass over the input, and both lengths are limited
//! ([`MAX_VERSION_LEN`], [`MAX_CONSTRAINT_LEN`]), so hostile input costs next to nothing.
//!
//! ```
//! use bowsprit_semver::{Constraint, Version};
//!
//! let constraint = Constraint::parse("^1.19-0 || >=2")?;
//! assert!(constraint.check(&Version::parse("v1.25.3-eks-1")?));
//! assert_eq!(
//!     Constraint::parse("=>=1").unwrap_err().to_string(),
//!     r#"improper constraint: "=>=1""#,
//! );
//! # Ok::<(), bowsprit_semver::Error>(())
//! ```

mod constraint;
mod error;
mod version;

pub use constraint::{Constraint, MAX_CONSTRAINT_GROUPS, MAX_CONSTRAINT_LEN};
pub use error::{Error, ErrorKind};
pub use version::{MAX_VERSION_LEN, Version};
