//! `bowsprit completion`.

use super::{Command, Invocation, ROOT, Run, help, no_args};
use crate::failure::Failure;
use crate::streams;
use clap_complete::{Shell, generate};

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

const fn shell(name: &'static str, usage: &'static str, about: &'static str, run: Run) -> Command {
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
    let mut script = Vec::new();
    generate(shell, &mut help::tree(), ROOT.name, &mut script);
    streams::write(&script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_name_commands_and_flags() {
        for shell in [Shell::Bash, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            let mut script = Vec::new();
            generate(shell, &mut help::tree(), ROOT.name, &mut script);
            let script = String::from_utf8(script).unwrap();
            for word in ["template", "show-only", "jsonl", "kube-context"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
            assert!(!script.contains("kube-token"), "{shell}");
        }
    }
}
