//! Charts of HelmReleases from where Flux would bring them: nginx, the CNCF's registry, and Git over HTTP.

#![allow(clippy::unwrap_used)]

use crate::packages::Folder;
use crate::program::program;
use crate::services::{Door, Guard, registry, web};
use crate::tools::tool;
use std::path::Path;

const RELEASE: &str = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n";

/// A chart `web` whose only object says which version it is; its `Chart.yaml` has `more` behind it.
fn chart(folder: &Folder, at: &str, version: &str, more: &str) {
    let name = at.rsplit('/').next().unwrap();
    folder.write(
        &format!("{at}/Chart.yaml"),
        &format!("apiVersion: v2\nname: {name}\nversion: {version}\n{more}"),
    );
    folder.write(&format!("{at}/values.yaml"), "color: red\n");
    folder.write(
        &format!("{at}/templates/a.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Chart.Name }}}\ndata:\n  version: {{ \
         .Chart.Version | quote }}\n  color: {{ .Values.color }}\n  picture: {{ .Files.Get \"logo.png\" | \
         quote }}\n",
    );
}

fn package(folder: &Folder, helm: &Path, version: &str) {
    chart(folder, "web", version, "");
    folder.ok(helm, &["package", "web", "-d", "served"]);
}

fn render(folder: &Folder, args: &[&str]) -> String {
    folder.ok(program(), &[&["flux", "render", "-f", "release.yaml"][..], args].concat())
}

fn refused(folder: &Folder, args: &[&str]) -> String {
    let output = folder.run(program(), &[&["flux", "render", "-f", "release.yaml"], args].concat());
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn charts_come_from_guarded_repositories() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("flux-repositories");
    for version in ["1.2.0", "1.10.0", "2.0.0"] {
        package(&folder, &helm, version);
    }
    folder.ok(&helm, &["repo", "index", "served"]);
    let Some(server) = web(&folder, Door::Password) else { return };
    let url = format!("http://{}", server.host());
    let release = |secret: &str, version: &str| {
        format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: repo}}\nspec: {{url: \
             \"{url}\"{secret}}}\n---\n{RELEASE}metadata: {{name: web}}\nspec:\n  chart: {{spec: {{chart: web, \
             version: '{version}', sourceRef: {{kind: HelmRepository, name: repo}}}}}}\n  values: {{color: \
             blue}}\n---\napiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\nstringData: {{username: user, \
             password: geheim}}\n"
        )
    };
    folder.write("release.yaml", &release(", secretRef: {name: login}", "1.x"));
    let fetched = render(&folder, &[]);
    assert!(
        fetched.contains("version: 1.10.0\n") && fetched.contains("color: blue\n"),
        "{fetched}"
    );
    // The same as from a folder.
    let mirror = format!("--mirror={url}=served");
    assert_eq!(render(&folder, &["--offline", &mirror]), fetched);
    let said = refused(&folder, &["--offline"]);
    assert!(
        said.contains("this is offline") && said.contains(&format!("--mirror {url}=DIR")),
        "{said}"
    );
    folder.write("release.yaml", &release(", secretRef: {name: login}", "9.x"));
    let said = refused(&folder, &[]);
    let want = "invalid chart reference: failed to get chart version for remote reference: no 'web' chart with \
                version matching '9.x' found";
    assert!(said.contains(want), "{said}");
    folder.write("release.yaml", &release("", "1.x"));
    let said = refused(&folder, &[]);
    assert!(said.contains("401 Unauthorized") && said.contains("SourceNotReady"), "{said}");
    folder.write("release.yaml", &release(", secretRef: {name: other}", "1.x"));
    let said = refused(&folder, &[]);
    assert!(said.contains("secrets \"other\" not found"), "{said}");
    // Without a Secret those count that Helm has stored.
    folder.ok(&helm, &["repo", "add", "x", &url, "--username", "user", "--password", "geheim"]);
    folder.write("release.yaml", &release("", "1.x"));
    assert_eq!(render(&folder, &[]), fetched);
    folder.write("before.yaml", &release("", "1.x"));
    folder.write("after.yaml", &release("", "2.x"));
    let diff = folder.ok(program(), &["flux", "diff", "before.yaml", "after.yaml"]);
    assert!(diff.contains("-  version: 1.10.0\n+  version: 2.0.0\n"), "{diff}");
}

#[test]
fn charts_come_from_registries() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("flux-registries");
    let Some(server) = registry(&folder, Guard::Password) else { return };
    let host = server.host();
    let login = ["registry", "login", &host, "-u", "user", "-p", "geheim", "--plain-http"];
    folder.ok(&helm, &login);
    let mut digest = String::new();
    for version in ["1.2.0", "1.10.0", "2.0.0"] {
        package(&folder, &helm, version);
        let archive = format!("served/web-{version}.tgz");
        let remote = format!("oci://{host}/charts");
        let pushed = folder.run(&helm, &["push", &archive, &remote, "--plain-http"]);
        let said = String::from_utf8_lossy(&pushed.stderr).into_owned()
            + &String::from_utf8_lossy(&pushed.stdout);
        if version == "1.10.0" {
            digest = said.lines().find_map(|l| l.strip_prefix("Digest: ")).unwrap().to_owned();
        }
    }
    folder.ok(&helm, &["registry", "logout", &host]);
    let docker = format!(
        "{{\"auths\": {{\"{host}\": {{\"username\": \"user\", \"password\": \"geheim\"}}}}}}"
    );
    let secret = format!(
        "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: pull}}\ntype: kubernetes.io/dockerconfigjson\n\
         stringData: {{.dockerconfigjson: '{docker}'}}\n"
    );
    let access = "insecure: true, secretRef: {name: pull}";
    let repository = format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: repo}}\nspec: {{type: oci, \
         url: \"oci://{host}/charts\", {access}}}\n---\n{RELEASE}metadata: {{name: web}}\nspec:\n  chart: {{spec: \
         {{chart: web, version: 1.x, sourceRef: {{kind: HelmRepository, name: repo}}}}}}\n{secret}"
    );
    folder.write("release.yaml", &repository);
    let fetched = render(&folder, &[]);
    assert!(fetched.contains("version: 1.10.0\n"), "{fetched}");
    let image = |reference: &str, more: &str| {
        format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {{name: repo}}\nspec: {{url: \
             \"oci://{host}/charts/web\", ref: {{{reference}}}, {access}{more}}}\n---\n{RELEASE}metadata: {{name: \
             web}}\nspec:\n  chartRef: {{kind: OCIRepository, name: repo}}\n{secret}"
        )
    };
    let short = digest.strip_prefix("sha256:").unwrap().get(..12).unwrap().to_owned();
    let media_type = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    let layer = format!(", layerSelector: {{mediaType: {media_type}, operation: copy}}");
    for (reference, more) in [
        ("semver: 1.x", ""),
        ("tag: 1.10.0", layer.as_str()),
        (&*format!("digest: '{digest}'"), ""),
    ] {
        folder.write("release.yaml", &image(reference, more));
        let fetched = render(&folder, &[]);
        assert!(fetched.contains(&format!("version: 1.10.0+{short}\n")), "{reference}: {fetched}");
    }
    folder.write("release.yaml", &image("tag: 1.10.0", ", layerSelector: {mediaType: text/x}"));
    let said = refused(&folder, &[]);
    assert!(said.contains("failed to find layer with media type 'text/x' in artifact"), "{said}");
    folder.write("release.yaml", &image("semver: 9.x", ""));
    let said = refused(&folder, &[]);
    assert!(said.contains("no match found for semver: 9.x"), "{said}");
}

/// A repository below `served` with charts that need others; gives its newest commit.
fn repository(folder: &Folder, git: &Path, host: &str) -> String {
    let needs = format!(
        "dependencies:\n- {{name: base, version: ^1, repository: 'file://../base'}}\n- {{name: web, alias: far, \
         version: 3.x, repository: 'http://{host}'}}\n"
    );
    chart(folder, "work/charts/site", "0.1.0", &needs);
    chart(folder, "work/charts/base", "1.4.0", "");
    folder.write("work/charts/site/logo.png", "no picture");
    folder.write("work/charts/site/values-prod.yaml", "color: black\n");
    folder.write("outside", "secret\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        "../../../outside",
        folder.path("work/charts/site/values-link.yaml"),
    )
    .unwrap();
    let run = |args: &str| {
        let user = ["-c", "user.name=a", "-c", "user.email=a@b", "-C", "work"];
        let args: Vec<&str> = args.split(' ').collect();
        folder.ok(git, &[&user[..], &args].concat())
    };
    run("init --quiet --initial-branch main");
    run("add --all");
    run("commit --quiet --message one");
    run("tag v0.1.0");
    folder.write("work/charts/site/values.yaml", "color: green\n");
    run("commit --quiet --all --message two");
    let commit = run("rev-parse HEAD").trim().to_owned();
    folder.ok(git, &["clone", "--quiet", "--bare", "work", "served/fleet.git"]);
    folder.ok(git, &["-C", "served/fleet.git", "update-server-info"]);
    commit
}

#[test]
fn charts_come_from_git() {
    let (Some(helm), Some(git)) = (tool("helm"), tool("git")) else { return };
    let folder = Folder::new("flux-git");
    package(&folder, &helm, "3.0.0");
    folder.ok(&helm, &["repo", "index", "served"]);
    let Some(server) = web(&folder, Door::Open) else { return };
    let host = server.host();
    let commit = repository(&folder, &git, &host);
    let release = |reference: &str, more: &str| {
        format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: fleet}}\nspec: {{url: \
             'http://{host}/fleet.git', ref: {{{reference}}}}}\n---\n{RELEASE}metadata: {{name: web}}\nspec:\n  chart: \
             {{spec: {{chart: ./charts/site, sourceRef: {{kind: GitRepository, name: fleet}}{more}}}}}\n"
        )
    };
    let render = |reference: &str, more: &str| {
        folder.write("release.yaml", &release(reference, more));
        render(&folder, &[])
    };
    let head = render("branch: main", "");
    assert!(head.contains("name: site\n") && head.contains("color: green\n"), "{head}");
    assert!(head.contains("name: base\n") && head.contains("version: 1.4.0\n"), "{head}");
    assert!(head.contains("name: far\n") && head.contains("version: 3.0.0\n"), "{head}");
    assert!(!head.contains("no picture"), "{head}");
    assert_eq!(render(&format!("commit: {commit}"), ""), head);
    assert_eq!(render("name: refs/heads/main", ""), head);
    let tagged = render("semver: '>=0.1.0'", "");
    assert!(tagged.contains("color: red\n") && !tagged.contains("color: green\n"), "{tagged}");
    assert_eq!(render("tag: v0.1.0", ""), tagged);
    let marked = render(
        "branch: main",
        ", reconcileStrategy: Revision, valuesFiles: [charts/site/values-prod.yaml]",
    );
    let short = commit.get(..12).unwrap();
    assert!(marked.contains(&format!("version: 0.1.0+{short}.1\n")), "{marked}");
    assert!(marked.contains("color: black\n"), "{marked}");
    folder.write("release.yaml", &release("branch: nope", ""));
    let said = refused(&folder, &[]);
    assert!(said.contains("git fetch: ") && said.contains("nope"), "{said}");
    folder.write(
        "release.yaml",
        &release("branch: main", ", valuesFiles: [charts/site/values-link.yaml]"),
    );
    let said = refused(&folder, &[]);
    assert!(said.contains("no values file found at path") && !said.contains("secret"), "{said}");
    // Nothing is left behind.
    let left: Vec<_> =
        std::fs::read_dir(folder.path("tmp")).into_iter().flatten().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}
