//! The files that source-controller never packs into an artifact.

use bowsprit_chart::Chart;
use std::sync::Arc;

/// Folders that are left out with all that is in them.
const FOLDERS: &[&str] = &[".git", ".github", ".circleci"];
/// Files that are left out, wherever they are.
const FILES: &[&str] = &[
    ".gitignore",
    ".gitmodules",
    ".gitattributes",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    ".goreleaser.yml",
    ".sops.yaml",
    ".flux.yaml",
];
/// What names of left out files end with.
const ENDS: &[&str] = &[".jpg", ".jpeg", ".gif", ".png", ".wmv", ".flv", ".tar.gz", ".zip"];

/// Whether a file is left out, unless the source says otherwise.
fn is_ignored(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    FILES.contains(&name)
        || ENDS.iter().any(|end| name.ends_with(end))
        || folders.split('/').any(|folder| FOLDERS.contains(&folder))
}

/// Takes such files out of a chart, and out of its unpacked subcharts.
pub(crate) fn leave_out(chart: &mut Chart) {
    let mut pending = vec![chart];
    while let Some(chart) = pending.pop() {
        chart.files.retain(|file| !is_ignored(&file.name.to_string_lossy()));
        chart.templates.retain(|file| !is_ignored(&file.name.to_string_lossy()));
        pending.extend(chart.dependencies.iter_mut().map(Arc::make_mut));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_what_is_git_are_left_out() {
        for path in
            ["logo.png", "files/a.tar.gz", ".github/x.yaml", "a/.git/config", "b/.sops.yaml"]
        {
            assert!(is_ignored(path), "{path}");
        }
        for path in ["a.tgz", "png", "files/github/x", "templates/a.yaml", "a.PNG"] {
            assert!(!is_ignored(path), "{path}");
        }
    }
}
