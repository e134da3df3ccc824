//! `bowsprit completion`.

use super::{Command, Invocation, ROOT, help, no_args};
use crate::failure::Failure;
use crate::streams;
use clap_complete::{Generator, Shell};

pub(super) static COMMAND: Command = Command {
    name: "completion",
    usage: "completion SHELL",
    about: "Print a completion script for a shell",
    examples: "\
Examples:
  source <(bowsprit completion bash)
  bowsprit completion zsh > \"${fpath[1]}/_bowsprit\"
  bowsprit completion fish > ~/.config/fish/completions/bowsprit.fish
  bowsprit completion powershell | Out-String | Invoke-Expression",
    flags: &[],
    children: &[&BASH, &FISH, &POWERSHELL, &ZSH],
    run: None,
};

const fn shell(
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&Invocation<'_>) -> Result<(), Failure>,
) -> Command {
    Command { name, usage, about, examples: "", flags: &[], children: &[], run: Some(run) }
}

static BASH: Command = shell("bash", "completion bash", "Print a script for bash", |invocation| {
    print(invocation, Shell::Bash)
});
static FISH: Command = shell("fish", "completion fish", "Print a script for fish", |invocation| {
    print(invocation, Shell::Fish)
});
static POWERSHELL: Command =
    shell("powershell", "completion powershell", "Print a script for PowerShell", |invocation| {
        print(invocation, Shell::PowerShell)
    });
static ZSH: Command = shell("zsh", "completion zsh", "Print a script for zsh", |invocation| {
    print(invocation, Shell::Zsh)
});

fn print(invocation: &Invocation<'_>, shell: Shell) -> Result<(), Failure> {
    no_args(invocation, &format!("{} completion {shell}", ROOT.name))?;
    let mut command = help::tree();
    command.build();
    let mut script = Vec::new();
    shell.generate(&command, &mut script);
    streams::write(&script)
}
