//! `bowsprit label` as a post-renderer of the real Helm.

use std::process::Command;

use bowsprit_testkit::repository;

use crate::program::program;
use crate::tools::tool;

#[test]
fn helm_takes_the_filter_as_a_post_renderer() {
    let Some(helm) = tool("helm") else { return };
    let plugins = repository().join("docs/helm-plugin");
    let bin = program().parent().unwrap().to_owned();
    let path = std::env::join_paths([bin, "/usr/bin".into(), "/bin".into()]).unwrap();
    let output = Command::new(helm)
        .args(["template", "demo", "mychart", "--post-renderer", "bowsprit-label"])
        .args([
            "--post-renderer-args",
            "--instance=other",
            "--post-renderer-args",
            "--label=team=a",
        ])
        .args(["--post-renderer-args", "--require-selector=team=a"])
        .current_dir(repository().join("fixtures/charts"))
        .env("HELM_PLUGINS", plugins)
        .env("PATH", path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let documents = text.matches("\nkind: ").count();
    assert!(documents > 0 && text.matches("    team: a\n").count() >= documents, "{text}");
}
