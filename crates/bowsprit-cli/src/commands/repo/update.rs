//! `bowsprit repo update`.

use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{network, streams};
use bowsprit::chart::LogLine;
use bowsprit::loader::Sources;
use bowsprit::loader::repo::{Repository, RepositoryFile};
use std::time::Duration;

pub(super) static COMMAND: Command = Command {
    name: "update",
    usage: "repo update [NAME...] [flags]",
    about: "Fetch the newest indexes of the chart repositories",
    examples: "\
Examples:
  bowsprit repo update
  bowsprit repo update web --timeout 10s",
    flags: &[FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[Flag::with(
    "timeout",
    Kind::Duration,
    "DURATION",
    "How long fetching an index may take (default 2m0s)",
)];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let none = || {
        let text = "no repositories found. You must add one before updating";
        Failure::Error(text.to_owned())
    };
    let sources = network::sources(invocation);
    let config = &sources.paths().repository_config;
    let file = RepositoryFile::load(config).map_err(|error| {
        Failure::Error(format!("failed loading file: {}: {error}", config.display()))
    })?;
    let mut repositories = file.ok_or_else(none)?.repositories;
    if repositories.is_empty() {
        return Err(none());
    }
    let names = invocation.args();
    let unknown = |name: &&String| !repositories.iter().any(|known| known.name == **name);
    if let Some(name) = names.iter().find(unknown) {
        return Err(Failure::Error(format!(
            "no repositories found matching '{name}'.  Nothing will be updated"
        )));
    }
    repositories.retain(|repository| names.is_empty() || names.contains(&repository.name));
    let timeout = invocation.parsed.duration("timeout").unwrap_or(Duration::from_secs(120));
    streams::write(b"Hang tight while we grab the latest from your chart repositories...\n")?;
    let log = |line: &LogLine| invocation.settings.log(line);
    let failed = network::wait(update_all(&sources, &repositories, timeout, &log))??;
    if failed.is_empty() {
        return streams::write("Update Complete. ⎈Happy Helming!⎈\n".as_bytes());
    }
    let failed = failed.join(" ");
    Err(Failure::Error(format!("failed to update the following repositories: [{failed}]")))
}

/// Updates all repositories at once and says so of each as it is done; returns the URLs that failed.
async fn update_all(
    sources: &Sources,
    repositories: &[Repository],
    timeout: Duration,
    log: &dyn Fn(&LogLine),
) -> Result<Vec<String>, Failure> {
    let mut failed = Vec::new();
    let mut updates = sources.update_all(repositories, Some(timeout));
    while let Some((repository, outcome)) = updates.next().await {
        let Repository { name, url, .. } = repository;
        let text = match outcome {
            Ok(warnings) => {
                warnings.iter().for_each(log);
                format!("...Successfully got an update from the {name:?} chart repository\n")
            }
            Err(error) => {
                failed.push(url.clone());
                let error = format!("{error:#}").replace('\n', "\n\t");
                format!(
                    "...Unable to get an update from the {name:?} chart repository ({url}):\n\t{error}\n"
                )
            }
        };
        streams::write(text.as_bytes())?;
    }
    Ok(failed)
}
