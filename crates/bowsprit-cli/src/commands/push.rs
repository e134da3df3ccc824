//! `bowsprit push`.

use super::{Command, Invocation, min_args};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{charts, network, streams};
use std::path::Path;

pub(super) static COMMAND: Command = Command {
    name: "push",
    usage: "push CHART.tgz oci://HOST/PATH [flags]",
    about: "Push a packaged chart to a registry",
    examples: "\
The chart goes below PATH under its own name, with its version for a tag. A provenance file that lies
beside it goes along.

Examples:
  bowsprit push web-1.2.3.tgz oci://ghcr.io/me/charts
  bowsprit push web-1.2.3.tgz oci://localhost:5000/charts --plain-http",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("username", Kind::Text, "NAME", "Name of the user at the registry"),
    Flag::with("password", Kind::Text, "PASSWORD", "Password of the user"),
    Flag::with("cert-file", Kind::Text, "FILE", "Certificate to identify with"),
    Flag::with("key-file", Kind::Text, "FILE", "Key of that certificate"),
    Flag::with("ca-file", Kind::Text, "FILE", "Trust the authorities in FILE and no others"),
    Flag::switch("insecure-skip-tls-verify", "Trust every server"),
    Flag::switch("plain-http", "Talk to the registry without TLS"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    min_args(invocation, "helm push", "[chart] [remote]", 2)?;
    let [chart, remote, ..] = invocation.args() else { return Ok(()) };
    let query = charts::query(invocation)?;
    let Some(("oci", _)) = remote.split_once("://") else {
        let scheme = remote.split_once("://").map_or("", |(scheme, _)| scheme);
        return Err(Failure::Error(format!("scheme {scheme:?} not supported")));
    };
    let sources = network::sources(invocation);
    let pushed = network::wait(sources.push(Path::new(chart), remote, &query))?;
    let pushed = pushed.map_err(network::detailed)?;
    streams::write(pushed.notice().as_bytes())
}
