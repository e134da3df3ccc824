//! `bowsprit status`.

use super::block::{self, Shown};
use super::{Session, integer, one_arg};
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::output::{self, Format};
use bowsprit::apply::{self, Listing};

/// `status`.
pub(crate) static COMMAND: Command = Command {
    name: "status",
    usage: "status RELEASE [flags]",
    about: "Show a release's state and its objects",
    examples: "\
Examples:
  bowsprit status web -n web
  bowsprit status web -n web --revision 2
  bowsprit status web -n web -o json",
    flags: &[super::REVISION, super::CONNECT, output::FLAGS],
    children: &[],
    run: Some(run),
};

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let name = one_arg(invocation, "status", "status RELEASE [flags]")?;
    let session = Session::open(invocation)?;
    let revision = integer(invocation.parsed, "revision").unwrap_or(0);
    let record = session.record(name, revision)?;
    let listing = match output::format(invocation.parsed) {
        Format::Table => Listing::Tables,
        _ => Listing::Objects,
    };
    let tables = session.run(apply::resources(&session.cluster, &record, listing))?;
    let shown = Shown { everything: invocation.settings.debug, ..Shown::default() };
    block::print(invocation.parsed, &record, Some(&tables), shown)
}
