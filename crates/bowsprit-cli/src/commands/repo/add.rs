//! `bowsprit repo add`.

use crate::commands::{Command, Invocation, exact_args};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{charts, input, network, streams};
use bowsprit::loader::Sources;
use bowsprit::loader::repo::{Error, Repository, RepositoryFile, RepositoryLock};
use std::time::Duration;

pub(super) static COMMAND: Command = Command {
    name: "add",
    usage: "repo add NAME URL [flags]",
    about: "Add a chart repository",
    examples: "\
The index is fetched before the repository is added.

Examples:
  bowsprit repo add web https://charts.example.com
  bowsprit repo add private https://charts.example.com --username ci --password-stdin < secret
  bowsprit repo add internal https://charts.internal --ca-file ca.pem --cert-file me.pem --key-file me.key",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with("username", Kind::Text, "NAME", "Name of the user at the repository"),
    Flag::with("password", Kind::Text, "PASSWORD", "Password of the user"),
    Flag::switch("password-stdin", "Read the password from standard input"),
    Flag::switch("pass-credentials", "Give the password to every host that charts come from"),
    Flag::with("cert-file", Kind::Text, "FILE", "Certificate to identify with"),
    Flag::with("key-file", Kind::Text, "FILE", "Key of that certificate"),
    Flag::with("ca-file", Kind::Text, "FILE", "Trust the authorities in FILE and no others"),
    Flag::switch("insecure-skip-tls-verify", "Trust every server"),
    Flag::switch("force-update", "Replace a repository of the same name"),
    Flag::switch("allow-deprecated-repos", "Add even repositories that are known to be gone"),
    Flag::with(
        "timeout",
        Kind::Duration,
        "DURATION",
        "How long fetching the index may take (default 2m0s)",
    ),
];

/// Repositories that are gone for good, and where their charts are now.
const GONE: [(&str, &str); 2] = [
    ("//kubernetes-charts.storage.googleapis.com", "https://charts.helm.sh/stable"),
    ("//kubernetes-charts-incubator.storage.googleapis.com", "https://charts.helm.sh/incubator"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let [name, url] = exact_args(invocation, "repo add [NAME] [URL]")?;
    let parsed = invocation.parsed;
    if !parsed.is_on("allow-deprecated-repos")
        && let Some((_, now)) = GONE.iter().find(|(gone, _)| url.contains(gone))
    {
        let text = format!("repo {url:?} is no longer available; try {now:?} instead");
        return Err(Failure::Error(text));
    }
    let repository = described(invocation, name, url)?;
    if name.contains('/') {
        return Err(Failure::Error(format!(
            "repository name ({name}) contains '/', please specify a different name without '/'"
        )));
    }
    let sources = network::sources(invocation);
    let timeout = parsed.duration("timeout").unwrap_or(Duration::from_secs(120));
    let added = network::wait(add(&sources, repository, parsed.is_on("force-update"), timeout))?;
    let added = added.map_err(network::detailed)?;
    added.log.iter().for_each(|line| invocation.settings.log(line));
    streams::write(added.text.as_bytes())
}

fn described(invocation: &Invocation<'_>, name: &str, url: &str) -> Result<Repository, Failure> {
    let parsed = invocation.parsed;
    let text = |flag: &str| parsed.text(flag).unwrap_or_default().to_owned();
    let tls = charts::tls_flags(parsed);
    let mut repository = Repository::new(name, url);
    repository.username = text("username");
    repository.password = text("password");
    if !repository.username.is_empty() && repository.password.is_empty() {
        repository.password = match parsed.is_on("password-stdin") {
            true => input::secret_from_stdin()?,
            false => streams::ask_secret("Password: ").map_err(Failure::Error)?,
        };
    }
    repository.cert_file = tls.cert_file;
    repository.key_file = tls.key_file;
    repository.ca_file = tls.ca_file;
    repository.insecure_skip_tls_verify = tls.insecure;
    repository.pass_credentials_all = parsed.is_on("pass-credentials");
    Ok(repository)
}

struct Added {
    text: String,
    log: Vec<bowsprit::chart::LogLine>,
}

async fn add(
    sources: &Sources,
    repository: Repository,
    force: bool,
    timeout: Duration,
) -> Result<Added, Error> {
    let config = &sources.paths().repository_config;
    let _lock = RepositoryLock::take(config).await?;
    let mut file = RepositoryFile::load(config)?.unwrap_or_default();
    let name = repository.name.clone();
    match file.get(&name).filter(|_| !force) {
        Some(known) if *known == repository => {
            let text = format!("{name:?} already exists with the same configuration, skipping\n");
            return Ok(Added { text, log: Vec::new() });
        }
        Some(_) => {
            return Err(Error::Other(format!(
                "repository name ({name}) already exists, please specify a different name"
            )));
        }
        None => {}
    }
    let updated = sources.update(&repository, Some(timeout)).await;
    let log = updated.map_err(|error| {
        error.because(format!(
            "looks like {:?} is not a valid chart repository or cannot be reached: ",
            repository.url
        ))
    })?;
    file.update(repository);
    file.save(config)?;
    Ok(Added { text: format!("{name:?} has been added to your repositories\n"), log })
}
