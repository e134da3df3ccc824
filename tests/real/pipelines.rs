//! What `docs/pipelines.md` offers: each file is checked against its schema, by the program that it is for,
//! or run.

use crate::packages::Folder;
use crate::program::program;
use crate::tools::tool;
use crate::walkthroughs::{World, servers};
use bowsprit_testkit::repository;
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn checked(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

fn file(name: &str) -> PathBuf {
    repository().join(name)
}

/// The documents of a file.
fn documents(text: &str) -> Vec<Json> {
    let documents = text.split("\n---\n");
    let json = |text: &str| bowsprit::yaml::yaml_to_json(text.as_bytes()).unwrap();
    documents.map(|text| serde_json::from_slice(&json(text)).unwrap()).collect()
}

fn workflows() -> Vec<PathBuf> {
    let entries = fs::read_dir(file(".github/workflows")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn githubs_files_are_right() {
    let Some(actionlint) = tool("actionlint") else { return };
    let schemas = tool("check-jsonschema").unwrap();
    checked(Command::new(actionlint).args(workflows()));
    let check = |schema: &str, files: &[PathBuf]| {
        checked(Command::new(&schemas).args(["--builtin-schema", schema]).args(files))
    };
    check("vendor.github-workflows", &workflows());
    check("vendor.github-actions", &[file("action.yml")]);
}

/// GitLab's template with its inputs put in, as GitLab does.
fn gitlab(values: &[(&str, &str)]) -> (String, Json) {
    let text = fs::read_to_string(file("pipelines/gitlab/helm-to-wds.yml")).unwrap();
    let (header, body) = text.split_once("\n---\n").unwrap();
    let header = documents(header).remove(0);
    let mut body = body.to_owned();
    for (name, input) in header["spec"]["inputs"].as_object().unwrap() {
        let given = values.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
        let value = given.or(input["default"].as_str());
        let value = value.unwrap_or_else(|| panic!("{name} is needed"));
        body = body.replace(&format!("$[[ inputs.{name} ]]"), value);
    }
    assert!(!body.contains("$[["), "{body}");
    let jobs = documents(&body).remove(0);
    (body, jobs)
}

#[test]
fn gitlabs_template_is_right_and_runs() {
    let Some(schemas) = tool("check-jsonschema") else { return };
    let world = World::make("gitlab", &[]).unwrap();
    checked(&mut world.command(program(), &["create", "web", "--environments"]));
    let inputs = [
        ("chart", "web"),
        ("release", "gitlab"),
        ("values", "web/values/staging.yaml"),
        ("environment", "staging"),
    ];
    let (body, jobs) = gitlab(&inputs);
    let ci = world.folder.path("gitlab-ci.yml");
    fs::write(&ci, body).unwrap();
    checked(Command::new(schemas).args(["--builtin-schema", "vendor.gitlab-ci"]).arg(&ci));

    let lines = |lines: &Json| {
        let lines = lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    let common = &jobs[".bowsprit-gitlab-staging"];
    let run = |job: &str| {
        let script =
            format!("set -e\n{}\n{}", lines(&common["before_script"]), lines(&jobs[job]["script"]));
        let mut command = world.command(Path::new("/bin/sh"), &["-c", &script]);
        for (name, value) in common["variables"].as_object().unwrap() {
            command.env(name, value.as_str().unwrap());
        }
        let kubeconfig = servers().unwrap();
        checked(command.env("WDS_KUBECONFIG", kubeconfig).env("CI_PIPELINE_SOURCE", "push"))
    };
    run("check-gitlab-staging");
    let rendered = fs::read_to_string(world.folder.path("home/rendered.yaml")).unwrap();
    assert!(rendered.contains("app.kubernetes.io/part-of: web"), "{rendered}");
    serde_json::from_slice::<Json>(&fs::read(world.folder.path("home/lint.json")).unwrap())
        .unwrap();
    let said = run("apply-gitlab-staging");
    assert!(said.contains("Release \"gitlab\" has been installed."), "{said}");
    checked(&mut world.command(
        program(),
        &["uninstall", "gitlab", "--namespace", "gitlab", "--delete-namespace"],
    ));
}

#[test]
fn kubernetes_takes_the_jobs() {
    let Some(kubectl) = tool("kubectl") else { return };
    let kubeconfig = servers().unwrap();
    for name in ["kubernetes/apply-job.yaml", "kubernetes/fleet-job.yaml", "argocd/sidecar.yaml"] {
        let path = file("pipelines").join(name);
        let args = ["apply", "--dry-run=server", "--validate=strict", "-f"];
        checked(Command::new(&kubectl).args(args).arg(path).env("KUBECONFIG", kubeconfig));
    }
}

#[test]
fn a_fleets_shards_make_the_whole() {
    let Some(_) = tool("kubectl") else { return };
    let folder = Folder::new("shards");
    folder.ok(program(), &["fleet", "init"]);
    folder.ok(program(), &["create", "chart"]);
    let text = fs::read_to_string(file("pipelines/kubernetes/fleet-job.yaml")).unwrap();
    let job = documents(&text).remove(0);
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let args: Vec<&str> =
        container["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
    let pods = job["spec"]["completions"].as_u64().unwrap();
    assert!(args.join(" ").ends_with(&format!("/{pods}")), "{args:?}");
    for index in 0..pods {
        let args = args.join("\n").replace("$(JOB_COMPLETION_INDEX)", &index.to_string());
        let args = args.replace("/out", "out");
        folder.ok(program(), &args.lines().collect::<Vec<_>>());
    }
    folder.ok(program(), &["fleet", "render", "--output-dir", "whole"]);
    let files = |dir: &str| {
        let mut command = Command::new("sh");
        let script = format!("cd {dir} && find . -name '*.yaml' -exec cat {{}} + | sort");
        checked(command.args(["-c", &script]).current_dir(folder.path("")))
    };
    assert_eq!(files("out"), files("whole"));
}

#[test]
fn kustomize_runs_the_function() {
    let Some(kustomize) = tool("kustomize") else { return };
    let folder = Folder::new("krm");
    let definition = fs::read_to_string(file("pipelines/kustomize/labels.yaml")).unwrap();
    let image = "      container:\n        image: ghcr.io/bowsprit/bowsprit-label:0.1.0\n";
    assert!(definition.contains(image));
    let exec = "      exec:\n        path: ./bowsprit-label\n";
    folder.write("labels.yaml", &definition.replace(image, exec));
    folder.write("kustomization.yaml", "resources: [a.yaml]\ntransformers: [labels.yaml]\n");
    folder.write("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    let script = format!("#!/bin/sh\nexec {} label\n", program().display());
    folder.write("bowsprit-label", &script);
    let path = folder.path("bowsprit-label");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let said = folder.ok(&kustomize, &["build", "--enable-alpha-plugins", "--enable-exec", "."]);
    for label in ["app.kubernetes.io/part-of: web", "team: payments"] {
        assert!(said.contains(label), "{said}");
    }
}

#[test]
fn argo_cds_plugin_renders() {
    let Some(kubectl) = tool("kubectl") else { return };
    let world = World::make("argocd", &[]).unwrap();
    checked(&mut world.command(program(), &["create", "web", "--environments"]));
    let text = fs::read_to_string(file("pipelines/argocd/plugin.yaml")).unwrap();
    let plugin = documents(&text).remove(0);
    let sidecar = fs::read_to_string(file("pipelines/argocd/sidecar.yaml")).unwrap();
    let inside = documents(&sidecar).remove(0)["data"]["plugin.yaml"].as_str().unwrap().to_owned();
    assert_eq!(documents(&inside).remove(0), plugin, "the two differ");

    let script = plugin["spec"]["generate"]["args"][0].as_str().unwrap();
    let mut command = world.command(Path::new("/bin/sh"), &["-c", script]);
    command.current_dir(world.folder.path("home/web")).envs([
        ("ARGOCD_APP_NAME", "shop"),
        ("ARGOCD_APP_NAMESPACE", "shop-prod"),
        ("KUBE_VERSION", "1.34.0"),
        ("KUBE_API_VERSIONS", "v1,apps/v1"),
        ("PARAM_VALUES_0", "values/prod.yaml"),
        ("PARAM_SET_0", "autoscaling.minReplicas=7"),
    ]);
    let said = checked(&mut command);
    for want in ["name: shop-web\n", "minReplicas: 7\n", "app.kubernetes.io/part-of: shop\n"] {
        assert!(said.contains(want), "{want}: {said}");
    }

    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: argocd-repo-server}\nspec:\n  selector: \
                      {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec: {containers: \
                      [{name: argocd-repo-server, image: argocd}]}\n";
    world.folder.write("deployment.yaml", deployment);
    let mut patch = world.command(&kubectl, &["patch", "--local", "-o", "json", "--patch-file"]);
    patch
        .arg(file("pipelines/argocd/patch.yaml"))
        .arg("-f")
        .arg(world.folder.path("deployment.yaml"));
    let patched: Json = serde_json::from_str(&checked(&mut patch)).unwrap();
    assert_eq!(patched["spec"]["template"]["spec"]["containers"].as_array().unwrap().len(), 2);
}

#[test]
fn an_archive_of_a_release_is_complete_and_repeatable() {
    let Some(_) = tool("kubectl") else { return };
    let folder = Folder::new("pack");
    folder.write("program", &format!("#!/bin/sh\nexec {} \"$@\"\n", program().display()));
    let path = folder.path("program");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let pack = |name: &str| {
        let archive = folder.path(name).join("bowsprit.tar.gz");
        fs::create_dir_all(archive.parent().unwrap()).unwrap();
        checked(Command::new(file("tools/release/pack.sh")).arg(&path).arg(&archive));
        checked(
            Command::new("sha256sum")
                .args(["--check", "bowsprit.tar.gz.sha256"])
                .current_dir(folder.path(name)),
        );
        archive
    };
    let (one, two) = (pack("one"), pack("two"));
    assert_eq!(fs::read(&one).unwrap(), fs::read(two).unwrap());
    let listed = checked(Command::new("tar").arg("-tzf").arg(one));
    for name in ["bowsprit\n", "LICENSE\n", "completions/bowsprit.zsh\n", "man/bowsprit.1\n"] {
        assert!(listed.contains(name), "{listed}");
    }
}
