//! Golden cases for bowsprit's own tests: what they are, how they run, how they are compared.
//!
//! A golden case is a folder below `fixtures/golden` that holds a command line and what Helm did
//! with it. The crate reads such folders, runs a program over them in a clean environment, masks
//! the paths that differ between machines, and compares or records. The program may be Helm (when
//! recording) or bowsprit (when testing); the crate uses no bowsprit crate and does not care.
//!
//! `fixtures/golden/README.md` describes the files of a case.
//!
//! ```
//! let text = "# a comment\nargs: template demo mychart --set 'html=a b'\nenv: HELM_NAMESPACE=x\n";
//! let command = bowsprit_testkit::Command::parse(text)?;
//! assert_eq!(command.args, ["template", "demo", "mychart", "--set", "html=a b"]);
//! assert_eq!(command.env, [("HELM_NAMESPACE".to_string(), "x".to_string())]);
//! # Ok::<(), bowsprit_testkit::Error>(())
//! ```

mod case;
mod diff;
mod error;
mod mask;
mod numbers;
mod outcome;
mod run;

use std::path::{Path, PathBuf};

pub use case::{Case, Command, cases};
pub use diff::{diff, same_lines};
pub use error::Error;
pub use mask::Mask;
pub use numbers::Numbers;
pub use outcome::{Expected, Outcome, Unordered};
pub use run::run_case;

/// The root of the repository.
///
/// Cargo says where the package lies whose test or binary it runs. What the compiler was told is
/// second, for two checkouts with one target folder share compiled crates.
#[must_use]
pub fn repository() -> PathBuf {
    let compiled = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or(compiled.into(), PathBuf::from);
    let root = package.ancestors().find(|folder| folder.join("fixtures/golden").is_dir());
    root.unwrap_or(compiled).to_path_buf()
}

/// The bytes of a file below `fixtures/`, for the tests of crates that do no I/O themselves.
///
/// # Errors
/// When it can't be read.
pub fn fixture(name: &str) -> Result<Vec<u8>, Error> {
    let path = repository().join("fixtures").join(name);
    std::fs::read(&path).map_err(|e| Error::at(&path, e))
}
