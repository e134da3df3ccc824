//! `bowsprit repo remove`.

use crate::commands::{Command, Invocation, min_args};
use crate::failure::Failure;
use crate::{network, streams};
use bowsprit::loader::repo::{Error, RepositoryFile, RepositoryLock};
use std::io::ErrorKind;
use std::path::Path;

pub(super) static COMMAND: Command = Command {
    name: "remove",
    usage: "repo remove NAME...",
    about: "Remove chart repositories",
    examples: "\
Examples:
  bowsprit repo remove web",
    flags: &[],
    children: &[],
    run: Some(run),
};

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    min_args(invocation, "helm repo remove", "[REPO1 [REPO2 ...]]", 1)?;
    let paths = invocation.settings.helm_paths();
    let lock = network::wait(RepositoryLock::take(&paths.repository_config))?;
    let _lock = lock.map_err(network::detailed)?;
    let file = RepositoryFile::load(&paths.repository_config).map_err(network::detailed)?;
    let mut file = file
        .filter(|file| !file.repositories.is_empty())
        .ok_or_else(|| Failure::Error("no repositories configured".to_owned()))?;
    for name in invocation.args() {
        if !file.remove(name) {
            return Err(Failure::Error(format!("no repo named {name:?} found")));
        }
        let saved: Result<(), Error> = file.save(&paths.repository_config);
        saved.map_err(network::detailed)?;
        // The list of names is of no use without the repository, nor worth an error.
        let _ = std::fs::remove_file(paths.charts_file(name));
        remove_index(&paths.index_file(name))?;
        let text = format!("{name:?} has been removed from your repositories\n");
        streams::write(text.as_bytes())?;
    }
    Ok(())
}

fn remove_index(file: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let text = format!("can't remove index file {}: {error}", file.display());
            Err(Failure::Error(text))
        }
        _ => Ok(()),
    }
}
