//! Dependencies: what Helm and bowsprit bring, and the locks they write.

#![allow(clippy::unwrap_used)]

use crate::packages::Folder;
use crate::program;
use crate::services::{Guard, registry};
use crate::tools::tool;
use bowsprit_testkit::repository;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A web server for the files below a folder, on loopback.
struct Server {
    url: String,
    archives: Arc<AtomicUsize>,
}

impl Server {
    fn start(root: PathBuf) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let archives = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&archives);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (root, count) = (root.clone(), Arc::clone(&count));
                std::thread::spawn(move || answer(stream, &root, &count));
            }
        });
        Server { url, archives }
    }

    /// How many archives have been asked for since this was asked last.
    fn archives(&self) -> usize {
        self.archives.swap(0, Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, root: &Path, archives: &AtomicUsize) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
    if path.ends_with(".tgz") {
        archives.fetch_add(1, Ordering::SeqCst);
    }
    let (status, body) = match fs::read(root.join(path)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", b"nothing\n".to_vec()),
    };
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// A repository with two versions of `a`, one of `b`, and `c` of which there are only pre-releases.
fn repository_of_three(folder: &Folder, helm: &Path) -> Server {
    for (name, version) in
        [("a", "1.0.0"), ("a", "1.1.0"), ("a", "2.0.0-rc.1"), ("b", "0.1.0+x"), ("c", "1.0.0-beta")]
    {
        folder.write(
            "made/Chart.yaml",
            &format!("apiVersion: v2\nname: {name}\nversion: {version}\n"),
        );
        folder.write("made/templates/cm.yaml", &format!("kind: {name}\n"));
        folder.ok(helm, &["package", "made", "-d", "repo"]);
    }
    folder.ok(helm, &["repo", "index", "repo"]);
    Server::start(folder.path("repo"))
}

/// Runs both programs on a copy of a chart each, and compares what they print and leave.
fn both(folder: &Folder, helm: &Path, chart: &str, args: &[&str]) -> String {
    let mut results = Vec::new();
    for (program, dir) in [(helm, "theirs"), (program::program(), "ours")] {
        let work = folder.path(dir);
        let _ = fs::remove_dir_all(&work);
        copy(&folder.path(chart), &work.join(chart));
        // The same path, so that messages that have it are the same.
        let _ = fs::remove_dir_all(folder.path("work"));
        fs::rename(&work, folder.path("work")).unwrap();
        let path = format!("work/{chart}");
        let args = [&args[..2], &[path.as_str()], &args[2..]].concat();
        let output = folder.run(program, &args);
        let mut text = String::from_utf8(output.stdout).unwrap();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        results.push((output.status.code(), text, left(&folder.path(&path))));
    }
    let (ours, theirs) = (results.pop().unwrap(), results.pop().unwrap());
    assert_eq!(ours.1, theirs.1, "{args:?}");
    assert_eq!(ours.0, theirs.0, "{args:?}: {}", ours.1);
    assert_eq!(ours.2, theirs.2, "{args:?}: {}", ours.1);
    ours.1
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The lock but for its time, and the names of what is in `charts/`.
fn left(chart: &Path) -> (String, Vec<String>) {
    let lock = ["Chart.lock", "requirements.lock"];
    let text = lock.iter().find_map(|name| fs::read_to_string(chart.join(name)).ok());
    let lines = text.unwrap_or_default();
    let lock: Vec<&str> = lines.lines().filter(|line| !line.starts_with("generated:")).collect();
    let entries = fs::read_dir(chart.join("charts")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    (lock.join("\n"), names)
}

fn chart(folder: &Folder, name: &str, needs: &[(&str, &str, &str, &str)]) {
    let needs: Vec<String> = needs
        .iter()
        .map(|(name, version, from, more)| {
            format!("- {{name: {name}, version: \"{version}\", repository: \"{from}\"{more}}}\n")
        })
        .collect();
    let text =
        format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\ndependencies:\n{}", needs.concat());
    folder.write(&format!("{name}/Chart.yaml"), &text);
}

#[test]
fn updates_are_helms() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("updates");
    let server = repository_of_three(&folder, &helm);
    let url = server.url.as_str();
    folder.write("lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 0.3.0\n");
    let update = ["dependency", "update"];
    // Nobody has added the repository.
    chart(
        &folder,
        "plain",
        &[
            ("a", "1.x", url, ""),
            (
                "b",
                ">=0",
                url,
                ", condition: b.on, tags: [t], import-values: [{child: x, parent: y}, z]",
            ),
            ("a", "~1.0.0", url, ", alias: a2"),
        ],
    );
    both(&folder, &helm, "plain", &update);
    chart(&folder, "alias", &[("a", "^1", "@loc", ""), ("b", "*", "alias:loc", "")]);
    both(&folder, &helm, "alias", &update);
    let added = folder.ok(program::program(), &["repo", "add", "loc", url]);
    assert!(added.contains("has been added"), "{added}");
    both(&folder, &helm, "alias", &update);
    both(&folder, &helm, "alias", &["dependency", "update", "--skip-refresh"]);
    both(&folder, &helm, "plain", &update);
    chart(&folder, "local", &[("lib", "0.x", "file://../../lib", ""), ("a", "1.1.0", url, "")]);
    both(&folder, &helm, "local", &update);
    chart(&folder, "inside", &[("a", "1.1.0", url, ""), ("sub", "1.x", "", "")]);
    folder.write("inside/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.4.0\n");
    folder.ok(&helm, &["package", "lib", "-d", "inside/charts"]);
    folder.write("inside/charts/notes.txt", "no chart\n");
    both(&folder, &helm, "inside", &update);
    folder.write("empty/Chart.yaml", "apiVersion: v2\nname: empty\nversion: 1.0.0\n");
    both(&folder, &helm, "empty", &update);
    folder.write("old/Chart.yaml", "apiVersion: v1\nname: old\nversion: 1.0.0\n");
    let old = format!("dependencies:\n- {{name: a, version: 1.x, repository: \"{url}\"}}\n");
    folder.write("old/requirements.yaml", &old);
    both(&folder, &helm, "old", &update);
}

#[test]
fn what_can_not_be_had_is_said_in_helms_words() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("not-had");
    let server = repository_of_three(&folder, &helm);
    let url = server.url.as_str();
    folder.ok(&helm, &["repo", "add", "loc", url]);
    for (name, needs) in [
        ("range", ("a", "9.x", url, "")),
        ("unreleased", ("c", "1.x", url, "")),
        ("nochart", ("zz", "1.x", url, "")),
        ("nonsense", ("a", "bad", url, "")),
        ("noalias", ("a", "1.x", "@nope", "")),
        ("word", ("a", "1.x", "nope", "")),
        ("scheme", ("a", "1.x", "ftp://nope.invalid/x", "")),
        ("nodir", ("a", "1.x", "file://../nope", "")),
        ("inside", ("a", "1.x", "", "")),
    ] {
        chart(&folder, name, &[needs]);
        let said = both(&folder, &helm, name, &["dependency", "update"]);
        assert!(said.contains("Error: "), "{said}");
    }
    for args in [
        &["dependency", "update", "nosuch"][..],
        &["dependency", "update", "range/Chart.yaml"],
        &["dependency", "update", "a", "b"],
        &["dependency", "build", "a", "b"],
    ] {
        crate::packages::same(&folder, &helm, args);
    }
}

#[test]
fn builds_are_helms() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("builds");
    let server = repository_of_three(&folder, &helm);
    let url = server.url.as_str();
    let build = ["dependency", "build"];
    chart(&folder, "web", &[("a", "1.x", url, ""), ("b", ">=0", url, "")]);
    // Without a lock, an update.
    both(&folder, &helm, "web", &build);
    folder.ok(program::program(), &["dependency", "update", "web"]);
    fs::remove_dir_all(folder.path("web/charts")).unwrap();
    let said = both(&folder, &helm, "web", &build);
    assert!(said.contains("no repository definition for"), "{said}");
    folder.ok(&helm, &["repo", "add", "loc", url]);
    both(&folder, &helm, "web", &build);
    let yaml = fs::read_to_string(folder.path("web/Chart.yaml")).unwrap();
    folder.write("web/Chart.yaml", &yaml.replace("1.x", "1.0.x"));
    let said = both(&folder, &helm, "web", &build);
    assert!(said.contains("is out of sync"), "{said}");
}

/// Each archive is fetched once, whatever is asked for later; and what is there needs no network.
#[test]
fn archives_are_fetched_once_and_then_none() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("once");
    let server = repository_of_three(&folder, &helm);
    let url = server.url.as_str();
    chart(
        &folder,
        "web",
        &[("a", "1.x", url, ""), ("a", "^1", url, ", alias: a2"), ("b", "*", url, "")],
    );
    folder.ok(program::program(), &["repo", "add", "loc", url]);
    folder.ok(program::program(), &["dependency", "update", "web"]);
    assert_eq!(server.archives(), 2);
    let first = left(&folder.path("web"));
    assert_eq!(first.1, ["a-1.1.0.tgz", "b-0.1.0+x.tgz"]);
    // Out of the cache.
    fs::remove_dir_all(folder.path("web/charts")).unwrap();
    folder.ok(program::program(), &["dependency", "build", "web"]);
    assert_eq!((server.archives(), left(&folder.path("web"))), (0, first.clone()));
    fs::remove_dir_all(folder.path("web/charts")).unwrap();
    folder.ok(program::program(), &["dependency", "build", "web", "--offline"]);
    assert_eq!((server.archives(), left(&folder.path("web"))), (0, first.clone()));
    // Out of charts/ alone, with neither repositories nor caches.
    fs::remove_dir_all(folder.path("home")).unwrap();
    let said = folder.ok(program::program(), &["dependency", "build", "web"]);
    assert_eq!((server.archives(), left(&folder.path("web"))), (0, first));
    assert!(!said.contains("Hang tight"), "{said}");
    fs::remove_dir_all(folder.path("web/charts")).unwrap();
    let failed = folder.run(program::program(), &["dependency", "build", "web", "--offline"]);
    assert!(!failed.status.success());
    assert_eq!(server.archives(), 0);
}

/// Charts out of a registry: resolved, locked and brought as Helm does; later without the registry.
#[test]
fn dependencies_out_of_registries_are_helms() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("oci-dependencies");
    let Some(server) = registry(&folder, Guard::Open) else { return };
    let remote = format!("oci://{}/charts", server.host());
    for (name, version) in [("a", "1.0.0"), ("a", "1.1.0"), ("a", "2.0.0-rc.1"), ("b", "0.1.0+x")] {
        folder.write(
            "made/Chart.yaml",
            &format!("apiVersion: v2\nname: {name}\nversion: {version}\n"),
        );
        folder.write("made/templates/cm.yaml", &format!("kind: {name}\n"));
        folder.ok(&helm, &["package", "made", "-d", "packed"]);
        let archive = format!("packed/{name}-{version}.tgz");
        folder.ok(&helm, &["push", &archive, &remote, "--plain-http"]);
    }
    chart(
        &folder,
        "web",
        &[
            ("a", "1.x", &remote, ""),
            ("a", "~1.0.0", &remote, ", alias: a2"),
            ("b", "0.1.0+x", &remote, ""),
        ],
    );
    let update = ["dependency", "update", "--plain-http"];
    both(&folder, &helm, "web", &update);
    folder.ok(program::program(), &["dependency", "update", "web", "--plain-http"]);
    fs::remove_dir_all(folder.path("web/charts")).unwrap();
    both(&folder, &helm, "web", &["dependency", "build", "--plain-http"]);
    folder.ok(program::program(), &["dependency", "build", "web", "--plain-http"]);
    for (name, need) in
        [("range", ("a", "9.x", &*remote, "")), ("nochart", ("zz", "1.x", &remote, ""))]
    {
        chart(&folder, name, &[need]);
        for program in [&helm, &program::program().to_owned()] {
            let failed = folder.run(program, &["dependency", "update", name, "--plain-http"]);
            assert!(!failed.status.success(), "{name}");
        }
    }
    let with = left(&folder.path("web"));
    assert_eq!(with.1, ["a-1.0.0.tgz", "a-1.1.0.tgz", "b-0.1.0+x.tgz"]);
    drop(server);
    // From what lies in charts/, without caches.
    fs::remove_dir_all(folder.path("home")).unwrap();
    folder.ok(program::program(), &["dependency", "build", "web", "--offline"]);
    assert_eq!(left(&folder.path("web")), with);
    folder.ok(program::program(), &["template", "web"]);
    fs::remove_file(folder.path("web/charts/b-0.1.0+x.tgz")).unwrap();
    let failed = folder.run(program::program(), &["dependency", "build", "web", "--offline"]);
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success() && said.contains("offline"), "{said}");
}

/// Nothing changes unless all is there: neither charts/ nor the lock, and never through a link.
#[test]
fn failures_change_nothing() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("unchanged");
    let server = repository_of_three(&folder, &helm);
    let url = server.url.as_str();
    chart(&folder, "web", &[("a", "1.0.0", url, "")]);
    folder.ok(program::program(), &["dependency", "update", "web"]);
    let before = left(&folder.path("web"));
    chart(&folder, "web", &[("a", "1.1.0", url, ""), ("b", "0.x", url, "")]);
    folder.write("repo/b-0.1.0+x.tgz", "broken");
    let failed = folder.run(program::program(), &["dependency", "update", "web"]);
    assert!(!failed.status.success());
    assert_eq!(left(&folder.path("web")), before);
    // A lock that leads elsewhere is not written to.
    chart(&folder, "linked", &[("a", "1.1.0", url, "")]);
    folder.write("precious", "kept\n");
    std::os::unix::fs::symlink("../precious", folder.path("linked/Chart.lock")).unwrap();
    let failed = folder.run(program::program(), &["dependency", "update", "linked"]);
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success(), "{said}");
    assert_eq!(fs::read_to_string(folder.path("precious")).unwrap(), "kept\n");
    // Charts that need each other.
    chart(&folder, "one", &[("two", "*", "file://../two", "")]);
    chart(&folder, "two", &[("one", "*", "file://../one", "")]);
    let failed = folder.run(program::program(), &["dependency", "update", "one"]);
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert_eq!(said, "Error: dependency cycle: one -> two -> one\n");
}

/// Real umbrella charts: their subcharts become a repository, from which both tools resolve them.
#[test]
fn locks_of_real_umbrellas_are_the_same() {
    let Some(helm) = tool("helm") else { return };
    let shared =
        std::env::var_os("SHARED").map_or_else(|| repository().join("../shared"), PathBuf::from);
    let corpus = shared.join("corpus/charts");
    if !corpus.is_dir() {
        skipped();
        return;
    }
    let folder = Folder::new("umbrellas");
    let umbrellas = umbrellas(&folder, &corpus);
    folder.ok(&helm, &["repo", "index", "repo"]);
    let server = Server::start(folder.path("repo"));
    let mut compared = 0;
    for (name, mut yaml) in umbrellas {
        // The same dependencies, but from here.
        let urls: BTreeMap<String, ()> = repositories(&yaml).into_iter().map(|u| (u, ())).collect();
        for url in urls.keys() {
            yaml = yaml
                .replace(&format!("repository: {url}\n"), &format!("repository: {}\n", server.url));
        }
        folder.write(&format!("{name}/Chart.yaml"), &yaml);
        let said = both(&folder, &helm, &name, &["dependency", "update"]);
        compared += usize::from(said.contains("Deleting outdated charts"));
    }
    assert!(compared >= 10, "only {compared} umbrellas could be resolved");
}

#[allow(clippy::print_stderr, reason = "a test that is skipped has to say so")]
fn skipped() {
    eprintln!("!!!! SKIPPED: the corpus of charts is not there, so no locks were compared !!!!");
}

fn repositories(yaml: &str) -> Vec<String> {
    let lines = yaml
        .lines()
        .filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("repository: "));
    lines.map(str::to_owned).collect()
}

/// The charts of the corpus that have dependencies, with their `Chart.yaml`; what they carry along is
/// packed into `repo/`.
fn umbrellas(folder: &Folder, corpus: &Path) -> Vec<(String, String)> {
    let mut archives: Vec<PathBuf> =
        fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    archives.sort();
    let mut umbrellas = Vec::new();
    for archive in archives {
        if umbrellas.len() == 16 {
            break;
        }
        let yaml = folder.ok(program::program(), &["show", "chart", archive.to_str().unwrap()]);
        // Only such as both tools can find here: from repositories, not from directories.
        let from = repositories(&yaml);
        let plain = |url: &String| url.starts_with("http") || url.starts_with("oci");
        if from.is_empty() || !from.iter().all(plain) {
            continue;
        }
        let name = archive.file_stem().unwrap().to_string_lossy().into_owned();
        let out = folder.path("unpacked").join(&name);
        fs::create_dir_all(&out).unwrap();
        let mut tar = std::process::Command::new("tar");
        tar.arg("-xzf").arg(&archive).arg("-C").arg(&out);
        assert!(tar.status().unwrap().success());
        let root = fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
        for entry in fs::read_dir(root.join("charts")).into_iter().flatten() {
            let sub = entry.unwrap().path();
            folder.ok(program::program(), &["package", sub.to_str().unwrap(), "-d", "repo"]);
        }
        umbrellas.push((name, yaml));
    }
    umbrellas
}

/// What is missing is brought before the chart is rendered or packed.
#[test]
fn missing_dependencies_are_brought_on_the_way() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("on-the-way");
    let server = repository_of_three(&folder, &helm);
    chart(&folder, "web", &[("a", "1.x", server.url.as_str(), "")]);
    for args in [&["template", "x"][..], &["package", "-u"], &["package"]] {
        let mut texts = Vec::new();
        for program in [&helm, &program::program().to_owned()] {
            let _ = fs::remove_dir_all(folder.path("web/charts"));
            let _ = fs::remove_file(folder.path("web/Chart.lock"));
            let mut args = [args, &["web"][..]].concat();
            if args[0] == "template" {
                args.push("--dependency-update");
            }
            let output = folder.run(program, &args);
            texts.push(String::from_utf8(output.stdout).unwrap());
            texts.push(String::from_utf8(output.stderr).unwrap());
            texts.push(format!("{:?}", left(&folder.path("web"))));
        }
        assert_eq!(texts[3..], texts[..3], "{args:?}");
    }
}
