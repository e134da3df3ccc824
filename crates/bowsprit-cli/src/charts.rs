//! The flags that say which chart is meant and how it is brought, for all commands that take one.

use crate::commands::Invocation;
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use bowsprit::loader;
use std::path::PathBuf;

pub(crate) static FLAGS: &[Flag] = &[
    Flag::with("version", Kind::Text, "VERSION", "The chart's version, or a range: 1.2.3, ^1.2"),
    Flag::switch("devel", "Take versions into account that are not released yet, as >0.0.0-0 does"),
    Flag::with("repo", Kind::Text, "URL", "Look for the chart in the repository at URL"),
    Flag::with("username", Kind::Text, "NAME", "Name of the user at the repository or registry"),
    Flag::with("password", Kind::Text, "PASSWORD", "Password of the user"),
    Flag::switch("pass-credentials", "Give the password to every host that the chart comes from"),
    Flag::with("cert-file", Kind::Text, "FILE", "Certificate to identify with"),
    Flag::with("key-file", Kind::Text, "FILE", "Key of that certificate"),
    Flag::with("ca-file", Kind::Text, "FILE", "Trust the authorities in FILE and no others"),
    Flag::switch("insecure-skip-tls-verify", "Trust every server"),
    Flag::switch("plain-http", "Talk to the registry without TLS"),
    Flag::switch("verify", "Check the chart's signature before it is used"),
    Flag::with("keyring", Kind::Text, "FILE", "Public keys for --verify"),
];

/// The path of the chart that a reference means, which is downloaded where it has to be.
///
/// # Errors
///
/// Fails where there is no such chart, or it can't be had.
pub(crate) fn locate(invocation: &Invocation<'_>, reference: &str) -> Result<PathBuf, Failure> {
    let parsed = invocation.parsed;
    for flag in ["repo", "cert-file", "key-file", "ca-file"] {
        if parsed.non_empty(flag).is_some() {
            return Err(not_supported(flag));
        }
    }
    let path = loader::locate(reference).map_err(Failure::of)?;
    if parsed.is_on("verify") {
        return Err(not_supported("verify"));
    }
    Ok(path)
}

fn not_supported(flag: &str) -> Failure {
    Failure::Error(format!("--{flag} is not supported yet: charts are read from local paths only"))
}
