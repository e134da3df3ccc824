//! `bowsprit verify`.

use super::{Command, Invocation, exact_args};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::streams;
use bowsprit::loader::{default_keyring, verify_chart};
use std::path::{Path, PathBuf};

pub(super) static COMMAND: Command = Command {
    name: "verify",
    usage: "verify ARCHIVE [flags]",
    about: "Check that a packaged chart is what its provenance file says, and who signed that",
    examples: "\
The provenance file is called as the archive, with .prov behind. Anything missing, expired, revoked
or not understood is an error.

Examples:
  bowsprit verify web-1.2.3.tgz
  bowsprit verify web-1.2.3.tgz --keyring keys.gpg",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[Flag::with(
    "keyring",
    Kind::Text,
    "FILE",
    "Public keys that are trusted (default pubring.gpg of GnuPG)",
)];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let [archive] = exact_args(invocation, "verify PATH")?;
    let provenance = format!("{archive}.prov");
    let keyring = invocation.parsed.text("keyring").map_or_else(default_keyring, PathBuf::from);
    let verified = verify_chart(Path::new(archive), Path::new(&provenance), &keyring);
    streams::write(verified.map_err(Failure::of)?.to_string().as_bytes())
}
