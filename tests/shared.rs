//! The conformance material that lies beside the checkout.

use std::path::PathBuf;

use bowsprit_testkit::repository;

/// A path in the folder SHARED, by default `../shared`; none, said loudly, where it is not there.
#[allow(clippy::print_stderr)] // A test that was skipped must say so.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let dir = std::env::var_os("SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let path = repository().join(dir).join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("!!!! SKIPPED: {} is not there, so nothing was tested with it !!!!", path.display());
    None
}
