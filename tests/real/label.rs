//! `bowsprit label` as a post-renderer of the real Helm, and as a function of the real kustomize.

use std::path::Path;
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

#[test]
fn kustomize_takes_the_filter_as_a_function() {
    let Some(kustomize) = tool("kustomize") else { return };
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("label-function");
    std::fs::create_dir_all(&dir).unwrap();
    let write = |file: &str, text: &str| std::fs::write(dir.join(file), text).unwrap();
    write("kustomization.yaml", "resources: [objects.yaml]\ntransformers: [labels.yaml]\n");
    write(
        "objects.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {team: old}}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {team: old}}\nspec: {containers: []}\n",
    );
    write("label.sh", &format!("#!/bin/sh\nexec {} label\n", program().display()));
    Command::new("chmod").arg("+x").arg(dir.join("label.sh")).status().unwrap();
    let function = "apiVersion: bowsprit.io/v1alpha1\nkind: LabelRelease\nmetadata:\n  name: labels\n  \
         annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./label.sh}\n";
    let build = || {
        let mut command = Command::new(&kustomize);
        command.args(["build", "--enable-alpha-plugins", "--enable-exec", "."]).current_dir(&dir);
        command.output().unwrap()
    };
    write("labels.yaml", &format!("{function}spec:\n  labels: {{team: new, tier: a}}\n"));
    let output = build();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.matches("    tier: a\n").count(), 2, "{text}");
    // The service still finds its pod.
    assert_eq!(
        (text.matches("team: old\n").count(), text.matches("team: new").count()),
        (2, 1),
        "{text}"
    );
    write("labels.yaml", &format!("{function}labels: {{team: new}}\n"));
    let output = build();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("has to stand below spec"), "{error}");
}
