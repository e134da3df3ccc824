//! The pages in `docs/walkthroughs`, followed as readers would: each block in its order, in one shell,
//! from an empty home folder, with what is printed compared with what the page shows.

#![allow(clippy::unwrap_used)]

mod page;
mod world;

use page::{Block, Step};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use world::Need;
pub(crate) use world::{World, servers};

#[test]
fn a_chart_repository() {
    follow("chart-repository", &[Need::Repository]);
}

#[test]
fn a_chart_through_a_space() {
    follow("wds", &[Need::Registry, Need::KubeStellar]);
}

#[test]
fn one_chart_on_many_clusters() {
    follow("distribution", &[Need::Registry, Need::KubeStellar]);
}

#[test]
fn karmada_with_flux() {
    follow("karmada-flux", &[Need::Repository, Need::Karmada]);
}

/// Does what a page says.
fn follow(name: &str, needs: &[Need]) {
    let Some(world) = World::make(name, needs) else { return };
    let file = format!("docs/walkthroughs/{name}.md");
    let text = fs::read_to_string(bowsprit_testkit::repository().join(&file)).unwrap();
    let blocks = page::parse(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let out = world.folder.path("printed");
    fs::create_dir_all(&out).unwrap();
    let shell = world
        .command(Path::new("/bin/bash"), &["--noprofile", "--norc", "-c", &script(&blocks, &out)])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let complaints = complaints(&blocks, &out, &world, &shell);
    assert!(complaints.is_empty(), "{file}:{complaints}");
}

/// One script for the page, so that variables and the working directory last. What each command prints
/// and how it ends lies in files of its own; the first that ends otherwise than shown ends the script.
fn script(blocks: &[Block], out: &Path) -> String {
    let mut script = String::new();
    let out = out.display();
    for Block { line, step } in blocks {
        match step {
            Step::Run(text) => {
                let _ = write!(script, "set -e\n{{\n{text}}} > {out}/{line}-0 2>&1\nset +e\n");
                let _ = writeln!(script, "echo 0 > {out}/{line}-0.status");
            }
            Step::Setup(_) => {}
            Step::Save { name, text } => {
                let _ = write!(
                    script,
                    "mkdir -p \"$(dirname '{name}')\"\ncat > '{name}' <<'END OF FILE'\n"
                );
                let _ = writeln!(script, "{text}END OF FILE");
            }
            Step::Shown { commands, fails, .. } => {
                for (i, shown) in commands.iter().enumerate() {
                    let command = &shown.command;
                    let bad = *fails && i + 1 == commands.len();
                    let want = if bad { "-ne" } else { "-eq" };
                    let _ =
                        write!(script, "{{\n{command}\n}} > {out}/{line}-{i} 2>&1\nstatus=$?\n");
                    let _ = writeln!(script, "echo $status > {out}/{line}-{i}.status");
                    let _ = writeln!(script, "[ $status {want} 0 ] || exit 0");
                }
            }
        }
    }
    script
}

/// All that did not go as the page says, up to the command with which it stopped.
fn complaints(blocks: &[Block], out: &Path, world: &World, shell: &std::process::Output) -> String {
    let mut found = String::new();
    let printed = |name: &str| {
        let status = fs::read_to_string(out.join(format!("{name}.status"))).ok();
        let text = fs::read(out.join(name)).unwrap_or_default();
        (status, world.as_shown(&String::from_utf8_lossy(&text), blocks))
    };
    for Block { line, step } in blocks {
        match step {
            Step::Run(text) => {
                let (status, printed) = printed(&format!("{line}-0"));
                if status.is_none() {
                    let stderr = String::from_utf8_lossy(&shell.stderr);
                    let _ = write!(found, "{line}: failed:\n{text}--- printed:\n{printed}{stderr}");
                    return found;
                }
            }
            Step::Setup(text) => found += &world.lacks(text),
            Step::Save { .. } => {}
            Step::Shown { commands, sample, fails } => {
                for (i, shown) in commands.iter().enumerate() {
                    let (status, printed) = printed(&format!("{line}-{i}"));
                    let status = status.as_deref().map(str::trim);
                    let bad = *fails && i + 1 == commands.len();
                    let command = &shown.command;
                    if status.is_none_or(|status| (status != "0") != bad) {
                        let _ = write!(found, "{line}: $ {command}\nstatus {status:?}\n{printed}");
                        return found;
                    }
                    if !sample && !page::agrees(&shown.output, &printed) {
                        let _ = write!(
                            found,
                            "{line}: $ {command}\n--- shown:\n{}--- printed:\n{printed}",
                            shown.output
                        );
                    }
                }
            }
        }
    }
    found
}

/// All pages can be read, also where there is nothing to run them with.
#[test]
fn pages_have_a_test() {
    let folder = bowsprit_testkit::repository().join("docs/walkthroughs");
    let tests = include_str!("mod.rs");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name != "README" {
            page::parse(&fs::read_to_string(&path).unwrap()).unwrap();
            assert!(tests.contains(&format!("follow(\"{name}\"")), "{name}.md has no test");
        }
    }
}
