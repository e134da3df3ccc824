//! What to do about an error, where Helm's text does not say it.
//!
//! Helm's words stay as they are, for scripts read them. Where errors are printed for people (see
//! `--error-format`), these lines follow as hints.

use crate::commands::{self, Command};
use crate::flags::Flag;
use std::path::Path;

/// Hints for the text of an error of a command, which is given with those on the way to it.
pub(crate) fn hints(text: &str, path: &[&'static Command]) -> Vec<String> {
    let mut hints = Vec::new();
    usage(text, path, &mut hints);
    charts(text, &mut hints);
    clusters(text, &mut hints);
    releases(text, &mut hints);
    hints
}

fn name(path: &[&'static Command]) -> String {
    let names = path.iter().map(|command| command.name);
    std::iter::once("bowsprit help").chain(names).collect::<Vec<_>>().join(" ")
}

/// Flags and arguments.
fn usage(text: &str, path: &[&'static Command], hints: &mut Vec<String>) {
    if let Some(typed) = text.strip_prefix("unknown flag: --") {
        let similar = similar_flags(typed, path);
        if !similar.is_empty() {
            hints.push(format!("did you mean {}?", similar.join(" or ")));
        }
        if typed == "version" && path.is_empty() {
            hints.push("`bowsprit version` prints the version".to_owned());
        }
        hints.push(format!("`{}` shows all flags", name(path)));
    } else if text.starts_with("unknown shorthand flag") {
        hints.push(format!("`{}` shows all flags", name(path)));
    } else if text.contains("\n\nUsage:  ") {
        hints.push(format!("`{}` has examples", name(path)));
    }
}

fn similar_flags(typed: &str, path: &[&'static Command]) -> Vec<String> {
    let own = path.last().map_or(&[][..], |command| command.flags);
    let flags = own.iter().copied().flatten().chain(crate::settings::FLAGS);
    let shown = flags.filter(|flag| !flag.hidden);
    let close = |flag: &&Flag| {
        let long_enough = typed.len() > 2;
        long_enough && (flag.name.starts_with(typed) || commands::distance(typed, flag.name) <= 2)
    };
    let mut names: Vec<String> =
        shown.filter(close).map(|flag| format!("--{}", flag.name)).collect();
    names.truncate(3);
    names
}

/// Charts that are not there, or no charts.
fn charts(text: &str, hints: &mut Vec<String>) {
    let missing = |given: &str| {
        format!(
            "there is nothing called {given} here ({}); a chart is a folder, an archive, REPOSITORY/CHART, a URL \
             or oci://…",
            here()
        )
    };
    if let Some(given) = between(text, "path \"", "\" not found") {
        hints.push(missing(given));
    } else if let Some((_, given)) = text.split_once("repo_name/path_to_chart, got: ") {
        hints.push(missing(given));
    } else if let Some(repository) = between(text, "repo ", " not found") {
        hints.push(format!(
            "there is no folder {repository} here ({}), and no repository of that name: `bowsprit repo list` shows \
             them, `bowsprit repo add {repository} URL` adds it",
            here()
        ));
    } else if let Some(file) = between(text, "unable to detect chart at ", ": ") {
        let folder = Path::new(file).parent().unwrap_or(Path::new("."));
        let below = charts_below(folder);
        hints.push(match below.as_slice() {
            [] => "a chart's folder has a Chart.yaml; `bowsprit create NAME` makes one".to_owned(),
            names => format!("there are charts in that folder: {}", names.join(", ")),
        });
    } else if text.contains("found in Chart.yaml, but missing in charts/") {
        hints.push(
            "`bowsprit dependency build CHART` brings them, or --dependency-update".to_owned(),
        );
    } else if let Some(file) = between(text, "open ", ": no such file or directory")
        && !file.starts_with('/')
    {
        hints.push(format!("it is looked for in {}", here()));
    }
}

fn here() -> String {
    std::env::current_dir().map_or_else(|_| ".".to_owned(), |folder| folder.display().to_string())
}

/// Charts in a folder that is none itself.
fn charts_below(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let charts = entries.filter(|entry| entry.path().join("Chart.yaml").is_file());
    let mut names: Vec<String> =
        charts.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.truncate(8);
    names
}

/// Servers that don't answer, and kubeconfigs that don't lead to one.
fn clusters(text: &str, hints: &mut Vec<String>) {
    let Some((_, why)) = text.split_once("kubernetes cluster unreachable: ") else { return };
    hints.push(if why.starts_with("context ") {
        "--kube-context names one; `kubectl config get-contexts` lists them".to_owned()
    } else if why.contains("kubeconfig") || why.starts_with("stat ") {
        "--kubeconfig or KUBECONFIG say where the kubeconfig lies".to_owned()
    } else {
        "is the server running, and is it the right one? --kube-context and --kubeconfig choose"
            .to_owned()
    });
}

/// Releases that are there already, or aren't.
fn releases(text: &str, hints: &mut Vec<String>) {
    if text.contains("cannot reuse a name that is still in use") {
        hints.push(
            "`bowsprit apply`, or upgrade --install, changes a release that is there".to_owned(),
        );
    } else if text.contains("has no deployed releases") {
        hints.push("`bowsprit apply`, or upgrade --install, installs it".to_owned());
    } else if text.contains("release: not found") {
        hints.push(
            "`bowsprit list -A` shows all releases; --namespace says where to look".to_owned(),
        );
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_helm_get_hints() {
        for (text, hint) in [
            ("unknown flag: --nosuch", "`bowsprit help` shows all flags"),
            ("unknown flag: --version", "`bowsprit version` prints the version"),
            ("unknown flag: --kube-contxt", "did you mean --kube-context?"),
            ("path \"./x\" not found", "there is nothing called ./x here"),
            ("repo charts not found", "`bowsprit repo add charts URL` adds it"),
            (
                "unable to detect chart at /no/Chart.yaml: open /no/Chart.yaml: x",
                "`bowsprit create NAME`",
            ),
            ("open prod.yaml: no such file or directory", "it is looked for in "),
            ("kubernetes cluster unreachable: context \"x\" does not exist", "get-contexts"),
            ("kubernetes cluster unreachable: GET https://x: refused", "is the server running"),
            ("UPGRADE FAILED: \"x\" has no deployed releases", "installs it"),
        ] {
            let hints = hints(text, &[]).join("\n");
            assert!(hints.contains(hint), "{text}: {hints}");
        }
        assert!(hints("template: a:1: something else", &[]).is_empty());
    }
}
