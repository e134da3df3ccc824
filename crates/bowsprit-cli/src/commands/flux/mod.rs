//! `bowsprit flux`.

mod diff;
mod input;
mod place;
mod render;

use super::Command;

pub(super) static COMMAND: Command = Command {
    name: "flux",
    usage: "flux [command]",
    about: "Render what Flux would install",
    examples: "\
Reads HelmReleases and what they refer to from files, and renders what helm-controller 1.6.3 would
install, without a cluster. Charts come from folders that stand for the repositories' URLs.",
    flags: &[],
    children: &[&diff::COMMAND, &place::COMMAND, &render::COMMAND],
    run: None,
};
