//! The flags that say which chart is meant and how it is brought, for all commands that take one.

use crate::commands::Invocation;
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{network, streams};
use bowsprit::loader::net::{Credentials, Tls};
use bowsprit::loader::{
    self, ChartQuery, Located, Provenance, default_keyring, verify_chart, verify_chart_as,
};
use std::path::PathBuf;

const USERNAME: Flag =
    Flag::with("username", Kind::Text, "NAME", "Name of the user at the repository or registry");
const PASSWORD: Flag = Flag::with("password", Kind::Text, "PASSWORD", "Password of the user");
const PASS_CREDENTIALS: Flag =
    Flag::switch("pass-credentials", "Give the password to every host that the chart comes from");
const CERT_FILE: Flag = Flag::with("cert-file", Kind::Text, "FILE", "Certificate to identify with");
const KEY_FILE: Flag = Flag::with("key-file", Kind::Text, "FILE", "Key of that certificate");
const CA_FILE: Flag =
    Flag::with("ca-file", Kind::Text, "FILE", "Trust the authorities in FILE and no others");
const INSECURE: Flag = Flag::switch("insecure-skip-tls-verify", "Trust every server");
const PLAIN_HTTP: Flag = Flag::switch("plain-http", "Talk to the registry without TLS");
const MIRROR: Flag = Flag::with(
    "registry-mirror",
    Kind::Texts,
    "HOST=MIRROR",
    "Ask MIRROR before the registry HOST; repeatable",
);

/// As whom servers of charts are asked, and whom to trust.
pub(crate) static REMOTE: &[Flag] = &[
    USERNAME,
    PASSWORD,
    PASS_CREDENTIALS,
    CERT_FILE,
    KEY_FILE,
    CA_FILE,
    INSECURE,
    PLAIN_HTTP,
    MIRROR,
];

pub(crate) static FLAGS: &[Flag] = &[
    Flag::with("version", Kind::Text, "VERSION", "The chart's version, or a range: 1.2.3, ^1.2"),
    Flag::switch("devel", "Take versions into account that are not released yet, as >0.0.0-0 does"),
    Flag::with("repo", Kind::Text, "URL", "Look for the chart in the repository at URL"),
    USERNAME,
    PASSWORD,
    PASS_CREDENTIALS,
    CERT_FILE,
    KEY_FILE,
    CA_FILE,
    INSECURE,
    PLAIN_HTTP,
    MIRROR,
    Flag::switch("verify", "Check the chart's signature before it is used"),
    Flag::with("keyring", Kind::Text, "FILE", "Public keys for --verify"),
];

/// The path of the chart that a reference means, which is downloaded where it has to be.
///
/// # Errors
///
/// Fails where there is no such chart, or it can't be had.
pub(crate) fn locate(invocation: &Invocation<'_>, reference: &str) -> Result<PathBuf, Failure> {
    let query = query(invocation)?;
    // What is on disk needs no network, and shall not wait for it.
    let located = match loader::locate(reference) {
        Ok(path) if query.repository_url.is_empty() => Located::on_disk(path),
        Err(error) if query.repository_url.is_empty() && !error.is_remote() => {
            return Err(Failure::of(error));
        }
        _ => bring(invocation, reference, &query)?,
    };
    if invocation.parsed.is_on("verify") {
        verify(invocation, &located)?;
    }
    Ok(located.path)
}

/// Checks the signature of a chart; gives what there is to say of it.
///
/// # Errors
///
/// Fails unless a trusted key has signed the chart.
pub(crate) fn verify(invocation: &Invocation<'_>, located: &Located) -> Result<String, Failure> {
    let keyring = invocation.parsed.non_empty("keyring");
    let keyring = keyring.map_or_else(default_keyring, PathBuf::from);
    let path = &located.path;
    let verified = match (&located.file_name, &located.provenance) {
        (Some(name), Some(provenance)) => verify_chart_as(name, path, provenance, &keyring),
        _ => {
            let mut beside = path.clone().into_os_string();
            beside.push(".prov");
            verify_chart(path, beside.as_ref(), &keyring)
        }
    };
    Ok(verified.map_err(Failure::of)?.to_string())
}

/// Brings a chart and prints what Helm prints meanwhile.
///
/// # Errors
///
/// Fails where it can't be had.
pub(crate) fn bring(
    invocation: &Invocation<'_>,
    reference: &str,
    query: &ChartQuery,
) -> Result<Located, Failure> {
    let sources = network::sources(invocation).mirrors(mirrors(invocation)?);
    let located = network::wait(sources.locate(reference, query))?;
    let located = located.map_err(network::detailed)?;
    located.said.log.iter().for_each(|line| invocation.settings.log(line));
    let notice = &located.said.notice;
    if invocation.is_helms() {
        streams::write(notice.as_bytes())?;
    } else if !notice.is_empty() {
        // The output of our own commands is for other programs.
        streams::say(notice.trim_end());
    }
    Ok(located)
}

/// What the flags say of the chart.
///
/// # Errors
///
/// Fails where files that they name can't be read.
pub(crate) fn query(invocation: &Invocation<'_>) -> Result<ChartQuery, Failure> {
    let parsed = invocation.parsed;
    let text = |name: &str| parsed.text(name).unwrap_or_default().to_owned();
    let mut query = ChartQuery::default();
    query.version = text("version");
    if query.version.is_empty() && parsed.is_on("devel") {
        query.version = ">0.0.0-0".to_owned();
    }
    query.repository_url = text("repo");
    query.pass_credentials = parsed.is_on("pass-credentials");
    query.plain_http = parsed.is_on("plain-http");
    query.tls = tls(invocation)?;
    query.credentials = credentials(invocation);
    if parsed.is_on("verify") {
        query.provenance = Provenance::Require;
    }
    Ok(query)
}

/// Whom the flags trust, and as whom they identify.
pub(crate) fn tls_flags(parsed: &Parsed) -> Tls {
    let text = |name: &str| parsed.text(name).unwrap_or_default().to_owned();
    Tls {
        cert_file: text("cert-file"),
        key_file: text("key-file"),
        ca_file: text("ca-file"),
        insecure: parsed.is_on("insecure-skip-tls-verify"),
    }
}

/// The same, once the files have been seen to be good.
///
/// # Errors
///
/// Fails where files that they name can't be read.
pub(crate) fn tls(invocation: &Invocation<'_>) -> Result<Tls, Failure> {
    let tls = tls_flags(invocation.parsed);
    let pair = !tls.cert_file.is_empty() && !tls.key_file.is_empty();
    if pair || !tls.ca_file.is_empty() {
        let checked = tls.check();
        checked.map_err(|e| Failure::Error(format!("missing registry client: {e}")))?;
    }
    Ok(tls)
}

/// Name and password, where both are given.
pub(crate) fn credentials(invocation: &Invocation<'_>) -> Option<Credentials> {
    let parsed = invocation.parsed;
    let username = parsed.non_empty("username")?.to_owned();
    let password = parsed.non_empty("password")?.to_owned();
    Some(Credentials { username, password, source: "--username".to_owned() })
}

/// Pairs of registry and mirror.
fn mirrors(invocation: &Invocation<'_>) -> Result<Vec<(String, String)>, Failure> {
    let given = invocation.parsed.all("registry-mirror");
    let pair = |text: &String| match text.split_once('=') {
        Some((host, mirror)) if !host.is_empty() && !mirror.is_empty() => {
            let bare =
                |text: &str| text.trim_start_matches("oci://").trim_end_matches('/').to_owned();
            Ok((bare(host), bare(mirror)))
        }
        _ => Err(Failure::Error(format!("--registry-mirror {text}: want HOST=MIRROR"))),
    };
    given.iter().map(pair).collect()
}
