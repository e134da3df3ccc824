//! `bowsprit registry`.

use super::{Command, Invocation, min_args};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{charts, input, network, streams};
use bowsprit::chart::{Level, LogLine};
use bowsprit::loader::ChartQuery;
use bowsprit::loader::net::Credentials;

pub(super) static COMMAND: Command = Command {
    name: "registry",
    usage: "registry COMMAND",
    about: "Log in to registries and out of them",
    examples: "\
Credentials are kept where Helm keeps them, in the format of Docker, whose helpers are used too.

Examples:
  echo \"$TOKEN\" | bowsprit registry login ghcr.io -u me --password-stdin
  bowsprit registry logout ghcr.io",
    flags: &[],
    children: &[&LOGIN, &LOGOUT],
    run: None,
};

static LOGIN: Command = Command {
    name: "login",
    usage: "registry login HOST [flags]",
    about: "Log in to a registry",
    examples: "\
Examples:
  echo \"$TOKEN\" | bowsprit registry login ghcr.io -u me --password-stdin
  bowsprit registry login localhost:5000 --plain-http",
    flags: &[FLAGS],
    children: &[],
    run: Some(login),
};

static LOGOUT: Command = Command {
    name: "logout",
    usage: "registry logout HOST",
    about: "Log out of a registry",
    examples: "\
Examples:
  bowsprit registry logout ghcr.io",
    flags: &[],
    children: &[],
    run: Some(logout),
};

static FLAGS: &[Flag] = &[
    Flag::with("username", Kind::Text, "NAME", "Name of the user").short('u'),
    Flag::with("password", Kind::Text, "PASSWORD", "Password or token of the user").short('p'),
    Flag::switch("password-stdin", "Read the password or token from standard input"),
    Flag::switch("insecure", "Trust every server"),
    Flag::with("cert-file", Kind::Text, "FILE", "Certificate to identify with"),
    Flag::with("key-file", Kind::Text, "FILE", "Key of that certificate"),
    Flag::with("ca-file", Kind::Text, "FILE", "Trust the authorities in FILE and no others"),
    Flag::switch("plain-http", "Talk to the registry without TLS"),
];

fn warn(invocation: &Invocation<'_>, message: &str, attrs: Vec<(&'static str, String)>) {
    invocation.settings.log(&LogLine { level: Level::Warn, message: message.to_owned(), attrs });
}

fn login(invocation: &Invocation<'_>) -> Result<(), Failure> {
    min_args(invocation, "helm registry login", "[host]", 1)?;
    let parsed = invocation.parsed;
    let host = invocation.args().first().map_or("", String::as_str);
    let (username, password) = name_and_password(invocation)?;
    let mut query = ChartQuery::default();
    query.plain_http = parsed.is_on("plain-http");
    query.tls = charts::tls_flags(parsed);
    query.tls.insecure = parsed.is_on("insecure");
    if let Some((bare, _)) = host.split_once('/') {
        let attrs = vec![("host", host.to_owned()), ("suggested", bare.to_owned())];
        let message =
            "registry login currently only supports registry hostname, not a repository path";
        warn(invocation, message, attrs);
    }
    let registry = network::sources(invocation).registry(&query);
    let credentials = Credentials { username, password, source: "the command line".to_owned() };
    let outcome = network::wait(registry.login(host, &credentials))?;
    outcome.map_err(network::detailed)?;
    streams::write(b"Login Succeeded\n")
}

fn name_and_password(invocation: &Invocation<'_>) -> Result<(String, String), Failure> {
    let parsed = invocation.parsed;
    let username = parsed.text("username").unwrap_or_default().to_owned();
    if parsed.is_on("password-stdin") {
        return Ok((username, input::secret_from_stdin()?));
    }
    if let Some(password) = parsed.non_empty("password") {
        let message = "using --password via the CLI is insecure. Use --password-stdin";
        warn(invocation, message, Vec::new());
        return Ok((username, password.to_owned()));
    }
    let username = match username.as_str() {
        "" => input::ask("Username: ")?.trim().to_owned(),
        _ => username,
    };
    let (question, missing) = match username.as_str() {
        "" => ("Token: ", "token required"),
        _ => ("Password: ", "password required"),
    };
    let password = streams::ask_secret(question).map_err(Failure::Error)?;
    if password.is_empty() {
        return Err(Failure::Error(missing.to_owned()));
    }
    Ok((username, password))
}

fn logout(invocation: &Invocation<'_>) -> Result<(), Failure> {
    min_args(invocation, "helm registry logout", "[host]", 1)?;
    let host = invocation.args().first().map_or("", String::as_str);
    let registry = network::sources(invocation).registry(&ChartQuery::default());
    network::wait(registry.logout(host))?.map_err(network::detailed)?;
    streams::write(format!("Removing login credentials for {host}\n").as_bytes())
}
