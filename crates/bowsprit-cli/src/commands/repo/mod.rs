//! `bowsprit repo`: chart repositories that have been added.

mod add;
mod index;
mod list;
mod remove;
mod update;

use super::Command;

pub(super) static COMMAND: Command = Command {
    name: "repo",
    usage: "repo COMMAND",
    about: "Add, list, update, remove and index chart repositories",
    examples: "\
The repositories and their indexes are Helm's own: what one program adds, the other has.

Examples:
  bowsprit repo add bitnami https://charts.bitnami.com/bitnami
  bowsprit repo update
  bowsprit template demo bitnami/postgresql --version ^16
  bowsprit repo index ./charts --url https://charts.example.com",
    flags: &[],
    children: &[&add::COMMAND, &index::COMMAND, &list::COMMAND, &remove::COMMAND, &update::COMMAND],
    run: None,
};
