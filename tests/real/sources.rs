//! Repositories and registries with Helm on the other side: what one program adds, pushes, indexes and
//! logs in to, the other reads.

#![allow(clippy::unwrap_used)]

use crate::packages::{Folder, same};
use crate::program::program;
use crate::services::{Door, Guard, registry, web};
use crate::tools::{skipped, tool};
use std::fs;
use std::path::{Path, PathBuf};

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// A chart of a version, packaged by Helm into `served`.
fn package(folder: &Folder, helm: &Path, name: &str, version: &str) -> PathBuf {
    folder.write(
        &format!("{name}/Chart.yaml"),
        &format!(
            "apiVersion: v2\nname: {name}\nversion: 0.1.0\ndescription: the {name} <chart>\nappVersion: \
             \"7\"\nhome: https://example.com\nkeywords: [web, {name}]\nsources: [https://a, https://b]\n\
             maintainers: [{{name: bob, email: b@x}}, {{name: al}}]\nannotations: {{a: b}}\n"
        ),
    );
    folder.write(
        &format!("{name}/templates/a.yaml"),
        "kind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-{{ .Chart.Version }}}\n",
    );
    folder.ok(helm, &["package", name, "--version", version, "-d", "served"]);
    folder.path(&format!("served/{name}-{version}.tgz"))
}

fn programs(helm: &Path) -> [(&'static str, PathBuf); 2] {
    [("helm", helm.to_owned()), ("bowsprit", program().to_owned())]
}

/// Renders a reference with both programs; the bytes are the same.
fn same_render(folder: &Folder, helm: &Path, args: &[&str]) -> String {
    let mut all = vec!["template", "demo"];
    all.extend(args);
    same(folder, helm, &all)
}

#[test]
fn repositories_are_shared() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("repositories");
    for version in ["1.2.0", "1.10.0", "2.0.0-rc.1"] {
        package(&folder, &helm, "web", version);
    }
    package(&folder, &helm, "other", "0.3.0+b1");
    folder.ok(&helm, &["repo", "index", "served"]);
    let Some(server) = web(&folder, Door::Open) else { return };
    let url = format!("http://{}", server.host());
    for (own, adder) in programs(&helm) {
        let added = folder.ok(&adder, &["repo", "add", own, &url]);
        assert_eq!(added, format!("\"{own}\" has been added to your repositories\n"));
    }
    // Each reads what both have added.
    same(&folder, &helm, &["repo", "list"]);
    same(&folder, &helm, &["repo", "list", "-o", "json"]);
    same(&folder, &helm, &["repo", "list", "-o", "yaml", "--no-headers"]);
    same(&folder, &helm, &["repo", "add", "helm", &url]);
    same(&folder, &helm, &["repo", "add", "helm", "http://127.0.0.1:1"]);
    same(&folder, &helm, &["repo", "add", "a/b", &url]);
    same(&folder, &helm, &["repo", "add", "x"]);
    same(&folder, &helm, &["repo", "update", "nope"]);
    same(&folder, &helm, &["repo", "update", "helm"]);
    same(&folder, &helm, &["repo", "remove", "nope"]);
    for args in [
        &["search", "repo"][..],
        &["search", "repo", "web"],
        &["search", "repo", "WEB", "-l", "--devel"],
        &["search", "repo", "the .*chart", "-r"],
        &["search", "repo", "--version", "^1.0", "-o", "json"],
        &["search", "repo", "--version", "bad"],
        &["search", "repo", "web", "--max-col-width", "8"],
        &["search", "repo", "nothing-like-it", "--fail-on-no-result"],
        &["search", "repo", "nothing-like-it", "-o", "yaml"],
    ] {
        same(&folder, &helm, args);
    }
    for args in [
        &["helm/web"][..],
        &["bowsprit/web", "--version", "~1.2"],
        &["helm/web", "--devel"],
        &["helm/web", "--version", "1.2"],
        &["helm/web", "--version", "9"],
        &["helm/nope"],
        &["nope/web"],
        &["other", "--repo", &url],
        &["web", "--repo", &url, "--version", ">=1 <1.5"],
        &["nope", "--repo", &url],
        &["nope", "--repo", &url, "--version", "1"],
        &[&format!("{url}/web-1.2.0.tgz")],
        &["nosuch"],
    ] {
        same_render(&folder, &helm, args);
    }
    // Each takes away what the other added.
    folder.ok(&helm, &["repo", "remove", "bowsprit"]);
    let removed = folder.ok(program(), &["repo", "remove", "helm"]);
    assert_eq!(removed, "\"helm\" has been removed from your repositories\n");
    same(&folder, &helm, &["repo", "list"]);
    same(&folder, &helm, &["repo", "update"]);
    let cache = folder.path("home/.cache/helm/repository");
    let left = fs::read_dir(cache).unwrap().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn indexes_are_helms() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("indexes");
    package(&folder, &helm, "web", "1.2.0");
    package(&folder, &helm, "web", "1.10.0");
    fs::create_dir_all(folder.path("served/sub")).unwrap();
    let moved = package(&folder, &helm, "other", "0.3.0+b1");
    fs::rename(&moved, folder.path("served/sub/other.tgz")).unwrap();
    folder.write("served/broken.tgz", "no archive");
    for flags in [&[][..], &["--url", "https://h/x"], &["--json"]] {
        let made = programs(&helm).map(|(_, maker)| {
            let mut args = vec!["repo", "index", "served"];
            args.extend(flags);
            folder.ok(&maker, &args);
            let text = text(&folder.path("served/index.yaml"));
            // The times are those at which the index was made.
            let line = |line: &str| {
                let at = line.find("created").or_else(|| line.find("generated"));
                at.map_or(line.to_owned(), |at| line[..at].to_owned())
            };
            text.lines().map(line).collect::<Vec<_>>().join("\n")
        });
        assert_eq!(made[0], made[1], "{flags:?}");
    }
    // What one writes, the other merges.
    for (_, maker) in programs(&helm) {
        folder.ok(&maker, &["repo", "index", "served"]);
        fs::rename(folder.path("served/index.yaml"), folder.path("old.yaml")).unwrap();
        fs::create_dir_all(folder.path("new")).unwrap();
        for (_, merger) in programs(&helm) {
            folder.ok(&merger, &["repo", "index", "new", "--merge", "old.yaml"]);
            let merged = text(&folder.path("new/index.yaml"));
            assert_eq!(merged.matches("digest: ").count(), 3, "{merged}");
        }
    }
}

#[test]
fn guarded_repositories_open_to_both() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("guarded");
    package(&folder, &helm, "web", "1.2.0");
    folder.ok(&helm, &["repo", "index", "served"]);
    let Some(server) = web(&folder, Door::Password) else { return };
    let url = format!("http://{}", server.host());
    let refused = folder.run(program(), &["repo", "add", "loc", &url]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    let want = format!(
        "Error: looks like \"{url}\" is not a valid chart repository or cannot be reached: failed to fetch \
         {url}/index.yaml : 401 Unauthorized\n"
    );
    assert!(said.starts_with(&want), "{said}");
    assert!(said.contains("credentials: none") && said.contains("--username"), "{said}");
    for (own, adder) in programs(&helm) {
        folder
            .ok(&adder, &["repo", "add", own, &url, "--username", "user", "--password", "geheim"]);
    }
    for name in ["helm/web", "bowsprit/web"] {
        same_render(&folder, &helm, &[name]);
    }
    let given = ["web", "--repo", &url, "--username", "user", "--password", "geheim"];
    same_render(&folder, &helm, &given);

    let folder = Folder::new("certificates");
    package(&folder, &helm, "web", "1.2.0");
    folder.ok(&helm, &["repo", "index", "served"]);
    let Some(server) = web(&folder, Door::Certificate) else { return };
    let url = format!("https://{}", server.host());
    let files = ["--ca-file", "ca.pem", "--cert-file", "client.pem", "--key-file", "client.key"];
    for (own, adder) in programs(&helm) {
        folder.ok(&adder, &[&["repo", "add", own, &url][..], &files].concat());
        folder.ok(&adder, &[&["template", "web", "--repo", &url][..], &files].concat());
    }
    for name in ["helm/web", "bowsprit/web"] {
        same_render(&folder, &helm, &[name]);
    }
    let untrusted = folder.run(program(), &["template", "web", "--repo", &url]);
    let said = String::from_utf8_lossy(&untrusted.stderr).into_owned();
    assert!(said.contains("x509: certificate signed by unknown authority"), "{said}");
    assert!(said.contains("--ca-file"), "{said}");
}

#[test]
fn registries_hold_the_same_for_both() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("registries");
    let Some(server) = registry(&folder, Guard::Open) else { return };
    let host = server.host();
    for (own, pusher) in programs(&helm) {
        for version in ["1.2.0", "1.10.0", "2.0.0-rc.1", "1.3.0+b.1"] {
            let archive = package(&folder, &helm, "web", version);
            let archive = archive.display().to_string();
            let remote = format!("oci://{host}/{own}/charts");
            folder.ok(&pusher, &["push", &archive, &remote, "--plain-http"]);
        }
        for args in [
            &[][..],
            &["--version", "^1.2"],
            &["--version", "1.2.0"],
            &["--version", "1.3.0+b.1"],
            &["--devel"],
            &["--version", "9.9.9"],
            &["--version", ">9"],
        ] {
            let reference = format!("oci://{host}/{own}/charts/web");
            let mut all = vec![reference.as_str(), "--plain-http"];
            all.extend(args);
            let theirs = folder.run(&helm, &[&["template", "demo"][..], &all].concat());
            let ours = folder.run(program(), &[&["template", "demo"][..], &all].concat());
            assert_eq!(ours.stdout, theirs.stdout, "{all:?}");
            assert_eq!(ours.status.code(), theirs.status.code(), "{all:?}");
            let first = |bytes: &[u8]| {
                String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned()
            };
            assert_eq!(first(&ours.stderr), first(&theirs.stderr), "{all:?}");
        }
    }
    // The same archive makes the same manifest, whoever pushes it.
    let archive = package(&folder, &helm, "web", "3.0.0").display().to_string();
    let pushed = programs(&helm).map(|(own, pusher)| {
        let remote = format!("oci://{host}/{own}");
        let said = folder.ok(&pusher, &["push", &archive, &remote, "--plain-http"]);
        said.replace(own, "PROGRAM")
    });
    assert_eq!(pushed[0], pushed[1]);
    let digest = pushed[0].lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap();
    for (own, _) in programs(&helm) {
        let reference = format!("oci://{host}/{own}/web@{digest}");
        same_render(&folder, &helm, &[&reference, "--plain-http"]);
    }
    for args in
        [&["push", "nosuch.tgz", "oci://x/y"][..], &["push", "web", "oci://x/y"], &["push", "x"]]
    {
        same(&folder, &helm, args);
    }
}

#[test]
fn what_is_pulled_is_the_same() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("pulls");
    let Some(server) = registry(&folder, Guard::Open) else { return };
    let host = server.host();
    let archive = package(&folder, &helm, "web", "1.3.0+b.1");
    folder.write("served/web-1.3.0+b.1.tgz.prov", "signed by nobody");
    let remote = format!("oci://{host}/charts");
    folder.ok(&helm, &["push", &archive.display().to_string(), &remote, "--plain-http"]);
    let reference = format!("{remote}/web");
    for (own, puller) in programs(&helm) {
        fs::create_dir_all(folder.path(own)).unwrap();
        let args =
            ["pull", &reference, "--version", "1.3.0+b.1", "--plain-http", "--prov", "-d", own];
        folder.ok(&puller, &args);
    }
    for (own, puller) in programs(&helm) {
        let args = [
            "pull",
            &reference,
            "--version",
            "1.3.0+b.1",
            "--plain-http",
            "--untar",
            "--untardir",
            own,
        ];
        folder.ok(&puller, &args);
        let unpacked = folder.path(own).join("web");
        let files = ["Chart.yaml", "templates/a.yaml"].map(|name| text(&unpacked.join(name)));
        assert!(files[1].contains("kind: ConfigMap"), "{own}: {files:?}");
        let again = programs(&helm).map(|(_, puller)| {
            let output = folder.run(&puller, &args);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            said.lines().next().unwrap_or_default().to_owned()
        });
        assert_eq!(again[0], again[1]);
        fs::remove_dir_all(unpacked).unwrap();
    }
    let names = |own: &str| {
        let mut names: Vec<_> =
            fs::read_dir(folder.path(own)).unwrap().flatten().map(|e| e.file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("helm"), names("bowsprit"));
    for name in names("helm") {
        let read = |own: &str| fs::read(folder.path(own).join(&name)).unwrap();
        assert_eq!(read("helm"), read("bowsprit"));
    }
}

#[test]
fn logins_are_shared() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("logins");
    let Some(server) = registry(&folder, Guard::Password) else { return };
    let host = server.host();
    let archive = package(&folder, &helm, "web", "1.2.0").display().to_string();
    let remote = format!("oci://{host}/charts");
    let reference = format!("{remote}/web");
    let login = |program: &Path, password: &str| {
        let args = ["registry", "login", &host, "-u", "user", "-p", password, "--plain-http"];
        folder.run(program, &args)
    };
    let wrong = programs(&helm).map(|(_, program)| {
        let said = String::from_utf8_lossy(&login(&program, "wrong").stderr).into_owned();
        let error = said.lines().find(|line| line.starts_with("Error: ")).unwrap_or_default();
        error.to_owned()
    });
    assert_eq!(wrong[0], wrong[1]);
    for (_, first) in programs(&helm) {
        let output = login(&first, "geheim");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "Login Succeeded\n");
        let config = text(&folder.path("home/.config/helm/registry/config.json"));
        for (_, second) in programs(&helm) {
            folder.ok(&second, &["push", &archive, &remote, "--plain-http"]);
            folder.ok(&second, &["template", &reference, "--plain-http"]);
        }
        assert_eq!(config, text(&folder.path("home/.config/helm/registry/config.json")));
        same(&folder, &helm, &["registry", "logout", &host]);
        let refused = folder.run(program(), &["template", &reference, "--plain-http"]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("basic credential not found"), "{said}");
    }
    let flags = ["--username", "user", "--password", "geheim", "--plain-http"];
    same_render(&folder, &helm, &[&[reference.as_str()][..], &flags].concat());
}

#[test]
fn registries_behind_tls_open_to_both() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("tls");
    let Some(server) = registry(&folder, Guard::Tls) else { return };
    let archive = package(&folder, &helm, "web", "1.2.0").display().to_string();
    let remote = format!("oci://{}/charts", server.host());
    let reference = format!("{remote}/web");
    for (_, pusher) in programs(&helm) {
        folder.ok(&pusher, &["push", &archive, &remote, "--ca-file", "ca.pem"]);
    }
    same_render(&folder, &helm, &[&reference, "--ca-file", "ca.pem"]);
    same_render(&folder, &helm, &[&reference, "--insecure-skip-tls-verify"]);
    same_render(&folder, &helm, &[&reference, "--ca-file", "nosuch.pem"]);
    let untrusted = folder.run(program(), &["template", &reference]);
    let said = String::from_utf8_lossy(&untrusted.stderr).into_owned();
    assert!(said.contains("x509: certificate signed by unknown authority"), "{said}");
}

#[test]
fn registries_that_vouch_for_themselves_open_to_both() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("self-signed");
    let Some(server) = registry(&folder, Guard::SelfSigned) else { return };
    let archive = package(&folder, &helm, "web", "1.2.0").display().to_string();
    let remote = format!("oci://{}/charts", server.host());
    let reference = format!("{remote}/web");
    for (_, pusher) in programs(&helm) {
        folder.ok(&pusher, &["push", &archive, &remote, "--ca-file", "server.pem"]);
    }
    same_render(&folder, &helm, &[&reference, "--ca-file", "server.pem"]);
    // The name counts still, and so does who is trusted.
    let refused = |reference: &str, trusted: &str, says: &str| {
        for (name, program) in programs(&helm) {
            let output = folder.run(&program, &["template", reference, "--ca-file", trusted]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && said.contains(says), "{name}: {said}");
        }
    };
    refused(&reference.replace("127.0.0.1", "localhost"), "server.pem", "certificate");
    crate::services::certificates(&folder).unwrap();
    refused(&reference, "ca.pem", "x509: certificate signed by unknown authority");
}

#[test]
fn registries_with_tls_and_passwords_open_to_both() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("tls-password");
    let Some(server) = registry(&folder, Guard::TlsAndPassword) else { return };
    let host = server.host();
    let archive = package(&folder, &helm, "web", "1.2.0").display().to_string();
    let remote = format!("oci://{host}/charts");
    let reference = format!("{remote}/web");
    let trusted = ["--ca-file", "ca.pem"];
    for (_, first) in programs(&helm) {
        let login = ["registry", "login", &host, "-u", "user", "-p", "geheim"];
        folder.ok(&first, &[&login[..], &trusted].concat());
        for (_, pusher) in programs(&helm) {
            folder.ok(&pusher, &[&["push", &archive, &remote][..], &trusted].concat());
        }
        same_render(&folder, &helm, &[&[reference.as_str()][..], &trusted].concat());
        same(&folder, &helm, &["registry", "logout", &host]);
        let refused = folder.run(program(), &[&["template", &reference][..], &trusted].concat());
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("basic credential not found"), "{said}");
    }
    let given = ["--username", "user", "--password", "geheim", "--ca-file", "ca.pem"];
    same_render(&folder, &helm, &[&[reference.as_str()][..], &given].concat());
}

/// Values from URLs, and templates with charts from anywhere.
#[test]
fn values_come_from_urls_and_charts_for_eval_from_anywhere() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("urls");
    package(&folder, &helm, "web", "1.2.0");
    folder.write(
        "served/show/templates/a.yaml",
        "kind: A\nvalues: {{ toJson .Values }}\nmore: {{ .Values.text | default \"none\" | quote }}\n",
    );
    folder.write("served/show/Chart.yaml", "apiVersion: v2\nname: show\nversion: 1.0.0\n");
    folder.write("served/values.yaml", "a: 1\nb: {c: 2}\n");
    folder.write("served/broken.yaml", "a: [\n");
    folder.write("served/note.txt", "line, one\nline two");
    folder.write("over.yaml", "b: {c: 3}\n");
    folder.ok(&helm, &["repo", "index", "served"]);
    let Some(server) = web(&folder, Door::Open) else { return };
    let url = format!("http://{}", server.host());
    let at = |file: &str| format!("{url}/{file}");
    same_render(&folder, &helm, &["served/show", "-f", &at("values.yaml"), "-f", "over.yaml"]);
    same_render(&folder, &helm, &["served/show", "-f", "over.yaml", "-f", &at("values.yaml")]);
    same_render(
        &folder,
        &helm,
        &["served/show", "--set-file", &format!("text={}", at("note.txt"))],
    );
    same(&folder, &helm, &["template", "served/show", "-f", "ftp://nope.invalid/x"]);
    let first =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned();
    for args in [
        ["-f", &at("nope.yaml")],
        ["-f", &at("broken.yaml")],
        ["--set-file", &format!("text={}", at("nope.txt"))],
        ["-f", "http://127.0.0.1:1/values.yaml"],
    ] {
        let args = [&["template", "demo", "served/show"][..], &args].concat();
        let (theirs, ours) = (folder.run(&helm, &args), folder.run(program(), &args));
        assert_eq!(first(&ours.stderr), first(&theirs.stderr), "{args:?}");
        assert_eq!(ours.status.code(), Some(1));
    }
    folder.ok(&helm, &["repo", "add", "loc", &url]);
    let template = "{{ .Chart.Name }}-{{ .Chart.Version }}";
    for chart in [
        &["--chart", "loc/web"][..],
        &["--chart", "web", "--repo", &url, "--version", "^1"],
        &["--chart", &at("web-1.2.0.tgz")],
        &["--chart", "served/web-1.2.0.tgz"],
    ] {
        assert_eq!(folder.ok(program(), &[&["eval", template][..], chart].concat()), "web-1.2.0\n");
    }
}

/// A large chart of the world, pushed by Helm.
#[test]
fn a_large_chart_renders_alike_from_a_registry() {
    let Some(helm) = tool("helm") else { return };
    let shared = bowsprit_testkit::repository().join("../shared/corpus/charts");
    let shared =
        std::env::var_os("SHARED").map_or(shared, |dir| Path::new(&dir).join("corpus/charts"));
    let found = fs::read_dir(&shared).into_iter().flatten().flatten();
    let is_postgresql = |name: &str| {
        let version = name.strip_prefix("postgresql-");
        version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
    };
    let chart = found
        .map(|entry| entry.path())
        .find(|path| is_postgresql(&path.file_name().unwrap_or_default().to_string_lossy()));
    let Some(chart) = chart else {
        skipped("the shared corpus is not there");
        return;
    };
    let folder = Folder::new("large");
    let Some(server) = registry(&folder, Guard::Open) else { return };
    let remote = format!("oci://{}/bitnamicharts", server.host());
    folder.ok(&helm, &["push", &chart.display().to_string(), &remote, "--plain-http"]);
    let reference = format!("{remote}/postgresql");
    let set = ["--set", "auth.postgresPassword=x,auth.password=y", "--plain-http"];
    same_render(&folder, &helm, &[&[reference.as_str()][..], &set].concat());
}
