//! Completion scripts in the shells that they are for. PowerShell is not in Debian; its script is only
//! looked at for what it names.

use std::fs;
use std::process::Command;

use crate::charts::{Folder, output};
use crate::tools::tool;

fn script(folder: &Folder, shell: &str) -> String {
    let text = output(&["completion", shell]).expect("a script");
    folder.write(&format!("bowsprit.{shell}"), &text)
}

fn said(shell: &std::path::Path, script: &str) -> String {
    let output = Command::new(shell).arg("-c").arg(script).output().expect("the shell starts");
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn bash_completes() {
    let folder = Folder::new("bash");
    let file = script(&folder, "bash");
    let complete = |words: &str, last: &str, before: &str| {
        let count = words.split(' ').count() - 1;
        let words = format!("COMP_WORDS=({words}) COMP_CWORD={count}");
        let text = format!(
            "source {file}; {words}; _bowsprit bowsprit '{last}' '{before}'; echo \"${{COMPREPLY[@]}}\""
        );
        said("bash".as_ref(), &text).trim().to_owned()
    };
    assert_eq!(complete("bowsprit values sc", "sc", "values"), "schema");
    assert_eq!(complete("bowsprit explain --at", "--at", "explain"), "--at");
    assert_eq!(complete("bowsprit flux rend", "rend", "flux"), "render");
}

#[test]
fn fish_completes() {
    let Some(fish) = tool("fish") else { return };
    let folder = Folder::new("fish");
    let file = script(&folder, "fish");
    let complete = |line: &str| said(&fish, &format!("source {file}; complete -C '{line}'"));
    assert!(complete("bowsprit values sc").starts_with("schema\t"));
    assert!(complete("bowsprit explain --at").starts_with("--at\t"));
}

#[test]
fn zsh_completes() {
    let Some(zsh) = tool("zsh") else { return };
    let folder = Folder::new("zsh");
    let file = script(&folder, "zsh");
    let dir = std::path::Path::new(&file).parent().unwrap().display().to_string();
    fs::rename(&file, format!("{dir}/_bowsprit")).unwrap();
    // A shell that thinks somebody types into it.
    let text = format!(
        "zmodload zsh/zpty; zpty z {} -f -i; \
         zpty -w z 'fpath=({dir} $fpath); autoload -Uz compinit; compinit -u -d {dir}/dump; echo rea''dy'; \
         zpty -m -r z line '*ready*'; \
         zpty -n -w z $'bowsprit values sch\\t'; zpty -m -r z line '*schema*'; \
         print -r -- \"$line\"; zpty -d z",
        zsh.display()
    );
    assert!(said(&zsh, &text).contains("schema"));
}

#[test]
fn pages_are_good_troff() {
    let folder = Folder::new("man");
    let dir = folder.path("pages");
    assert!(output(&["man", "--dir", &dir]).is_some());
    let pages: Vec<_> = fs::read_dir(&dir).unwrap().flatten().collect();
    assert!(pages.len() > 40, "{}", pages.len());
    let Some(groff) = tool("groff") else { return };
    for page in pages {
        let output =
            Command::new(&groff).args(["-man", "-ww", "-z"]).arg(page.path()).output().unwrap();
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && complaints.is_empty(),
            "{:?}: {complaints}",
            page.path()
        );
    }
}
