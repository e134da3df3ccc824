//! `bowsprit snapshot`.

use super::Session;
use super::block::yaml;
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::streams;
use bowsprit::apply::{self, SnapshotOptions};

/// `snapshot`.
pub(crate) static COMMAND: Command = Command {
    name: "snapshot",
    usage: "snapshot [RESOURCE...] [flags]",
    about: "Write down what a cluster serves, for renders without it",
    examples: "\
The output is what `template --target` reads: the version of Kubernetes, the APIs, and the objects of the
resources that are named (secrets, nodes, certificates.cert-manager.io, configmaps/NAME). They come from
the namespace, with -A from all. Secrets are written as they are: keep such a file as you keep them.

Examples:
  bowsprit snapshot --context eu-1 > eu-1.yaml
  bowsprit snapshot nodes configmaps/site -n kube-system --context eu-1 > eu-1.yaml
  bowsprit template web ./chart --target eu-1.yaml",
    flags: &[FLAGS, super::CONNECT],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::switch("all-namespaces", "Take objects from all namespaces").short('A'),
    Flag::with("selector", Kind::Text, "SELECTOR", "Only objects with these labels").short('l'),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let session = Session::open(invocation)?;
    let mut options = SnapshotOptions::default();
    options.resources = invocation.args().to_vec();
    if !parsed.is_on("all-namespaces") {
        options.namespace.clone_from(&session.namespace);
    }
    options.selector = parsed.text("selector").unwrap_or_default().to_owned();
    let snapshot = session.run(apply::snapshot(&session.cluster, &options))?;
    streams::write(&yaml(&snapshot)?)
}
