//! Packing, signing and verifying, with Helm and GnuPG on the other side.

#![allow(clippy::unwrap_used)]

use crate::program;
use crate::tools::tool;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that is removed when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("bowsprit-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }

    pub(crate) fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs a program in the folder, with an empty home.
    pub(crate) fn run(&self, program: &Path, args: &[&str]) -> Output {
        let (home, temporary) = (self.path("home"), self.path("tmp"));
        fs::create_dir_all(&home).unwrap();
        fs::create_dir_all(&temporary).unwrap();
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("HELM_") || text.starts_with("KUBE") || text.starts_with("XDG_") {
                command.env_remove(&name);
            }
        }
        command
            .args(args)
            .current_dir(&self.0)
            .env("HOME", &home)
            .env("TMPDIR", &temporary)
            .env("GNUPGHOME", self.path("gpg"));
        command.output().unwrap()
    }

    /// Runs a program that must succeed, and gives its standard output.
    pub(crate) fn ok(&self, program: &Path, args: &[&str]) -> String {
        let output = self.run(program, args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {args:?}: {stderr}", program.display());
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Both programs print the same and end alike; what they print comes back.
pub(crate) fn same(folder: &Folder, helm: &Path, args: &[&str]) -> String {
    let theirs = folder.run(helm, args);
    let ours = folder.run(program::program(), args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text(&ours.stdout), text(&theirs.stdout), "{args:?}");
    assert_eq!(text(&ours.stderr), text(&theirs.stderr), "{args:?}");
    assert_eq!(ours.status.code(), theirs.status.code(), "{args:?}");
    text(&ours.stdout) + &text(&ours.stderr)
}

/// A chart with a lock, a schema, a README, a subchart and what is ignored.
pub(crate) fn write_chart(folder: &Folder) {
    folder.write(
        "web/Chart.yaml",
        "# a comment\napiVersion: v2\nname: web\nversion: 1.2.3+b1\nappVersion: \"1.10\"\n\
         description: >-\n  Serves\n  things\nkeywords: [b, a]\nmaintainers: [{name: Bob, email: b@x.org}]\n\
         annotations: {z: \"1\", a: \"on\"}\nunknown: 1\n\
         dependencies: [{name: sub, version: 1.x, repository: \"\", import-values: [{child: a, parent: b}]}]\n",
    );
    folder.write(
        "web/Chart.lock",
        "dependencies: [{name: sub, repository: \"\", version: 1.x}]\ndigest: sha256:0\n\
         generated: \"2024-01-02T03:04:05.600Z\"\n",
    );
    folder.write("web/values.yaml", "# kept\na: 1\n");
    folder.write("web/values.schema.json", "{\"type\": \"object\"}\n");
    folder.write("web/templates/a.yaml", "kind: A\n");
    folder.write("web/templates/tests/t.yaml", "kind: T\n");
    folder.write("web/README.md", "# web\n");
    folder.write("web/crds/c.yaml", "kind: CustomResourceDefinition\n");
    folder.write("web/.helmignore", "*.bak\n");
    folder.write("web/x.bak", "x\n");
    let long = format!("web/files/{}/{}", "d".repeat(100), "é".repeat(60));
    folder.write(&long, "long\n");
    folder.write("web/charts/sub/Chart.yaml", "apiVersion: v1\nname: sub\nversion: 1.0.0\n");
    folder.write("web/charts/sub/requirements.yaml", "dependencies: []\n");
    folder.write("web/charts/sub/templates/s.yaml", "kind: S\n");
}

/// The entries of an archive: names, sizes and contents, but not times.
fn entries(archive: &Path) -> Vec<(String, Vec<u8>)> {
    let script = "import sys,tarfile\n\
        for m in tarfile.open(sys.argv[1]):\n    \
        print(m.name, oct(m.mode), m.uid, m.gid, m.uname, m.gname, m.type, m.size)";
    let listed = Command::new("python3").arg("-c").arg(script).arg(archive).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let content = |name: &str| {
        let tar = Command::new("tar").arg("-xOzf").arg(archive).arg(name).output().unwrap();
        assert!(tar.status.success(), "{name}");
        tar.stdout
    };
    let with_content = |line: &str| (line.to_owned(), content(line.split(' ').next().unwrap()));
    listed.lines().map(with_content).collect()
}

#[test]
fn archives_are_laid_out_as_helm_lays_them_out() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("layout");
    write_chart(&folder);
    let args = |dir| ["package", "web", "-d", dir];
    folder.ok(&helm, &args("theirs"));
    folder.ok(program::program(), &args("ours"));
    let name = "web-1.2.3+b1.tgz";
    let (theirs, ours) = (folder.path("theirs").join(name), folder.path("ours").join(name));
    assert_eq!(entries(&ours), entries(&theirs));
    // Each reads what the other wrote.
    for archive in [&theirs, &ours] {
        let archive = archive.to_str().unwrap();
        for part in ["all", "chart", "values", "readme", "crds"] {
            same(&folder, &helm, &["show", part, archive]);
        }
        same(&folder, &helm, &["template", "x", archive]);
    }
}

#[test]
fn the_same_chart_is_the_same_archive() {
    let Some(_) = tool("helm") else { return };
    let folder = Folder::new("reproducible");
    write_chart(&folder);
    let pack = |dir: &str| {
        folder.ok(program::program(), &["package", "web", "-d", dir]);
        fs::read(folder.path(dir).join("web-1.2.3+b1.tgz")).unwrap()
    };
    let first = pack("a");
    // The files are written again, so that their times differ.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    write_chart(&folder);
    assert_eq!(pack("b"), first);
}

#[test]
fn packing_and_showing_fail_as_helm_does() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("refused");
    write_chart(&folder);
    folder.write("v3/Chart.yaml", "apiVersion: v3\nname: v3\nversion: 1.0.0\n");
    folder.write("schema/Chart.yaml", "apiVersion: v2\nname: schema\nversion: 1.0.0\n");
    folder.write("schema/values.schema.json", "{");
    folder.write(
        "missing/Chart.yaml",
        "apiVersion: v2\nname: missing\nversion: 1.0.0\ndependencies: [{name: zz}]\n",
    );
    for args in [
        &["package"][..],
        &["package", "nosuch"],
        &["package", "web", "--version", "abc"],
        &["package", "web", "--version", "2.0.0", "--app-version", "7", "-d", "out/../o"],
        &["package", "web", "--sign"],
        &["package", "web", "--sign", "--key", "x", "--keyring", ""],
        &["package", "web", "--sign", "--key", "x", "--keyring", "nosuch"],
        &["package", "v3"],
        &["package", "schema", "-d", "o"],
        &["package", "missing"],
        &["package", "web", "-d", "web/Chart.yaml"],
        &["show", "chart"],
        &["show", "chart", "nosuch"],
        &["show", "chart", "v3"],
        &["show", "values", "web", "--jsonpath", "{"],
        &["show", "values", "web", "--jsonpath", "<{.a}>"],
        &["verify"],
        &["verify", "web"],
        &["verify", "web/values.yaml"],
        &["verify", "nosuch.tgz"],
        &["create", "nosuch/b"],
        &["create", "x y"],
        &["create", "web/Chart.yaml"],
        &["create", "q", "-p", "/nosuch"],
    ] {
        same(&folder, &helm, args);
    }
}

#[test]
fn created_charts_lint_clean_and_render_alike() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("created");
    folder.ok(program::program(), &["create", "web", "--environments"]);
    let everything = "ingress.enabled=true,autoscaling.enabled=true,httpRoute.enabled=true";
    for more in [
        &[][..],
        &["-f", "web/values/dev.yaml"],
        &["-f", "web/values/staging.yaml"],
        &["-f", "web/values/prod.yaml"],
        &["--set", everything],
    ] {
        folder.ok(&helm, &[&["lint", "--strict", "web"][..], more].concat());
        same(&folder, &helm, &[&["template", "demo", "web"][..], more].concat());
    }
    // A starter of the user's, made of ours.
    for name in ["templates/service.yaml", "values.yaml"] {
        let path = folder.path("web").join(name);
        let text = fs::read_to_string(&path).unwrap().replace("web", "<CHARTNAME>");
        fs::write(path, text).unwrap();
    }
    let starter = folder.path("web");
    let args = ["create", "api", "-p", starter.to_str().unwrap()];
    folder.ok(program::program(), &args);
    fs::rename(folder.path("api"), folder.path("ours")).unwrap();
    folder.ok(&helm, &args);
    let mut diff = Command::new("diff");
    diff.arg("-r").args([folder.path("ours"), folder.path("api")]);
    assert!(diff.status().unwrap().success());
}

#[test]
fn dependencies_are_listed_as_helm_lists_them() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("listed");
    let chart = |name: &str, version: &str| {
        folder.write(
            &format!("made/{name}/Chart.yaml"),
            &format!("apiVersion: v2\nname: {name}\nversion: {version}\n"),
        );
        folder.ok(&helm, &["package", &format!("made/{name}"), "-d", "p/charts"]);
    };
    for (name, version) in
        [("a", "1.2.3"), ("many", "1.0.0"), ("many", "2.0.0"), ("old", "0.1.0"), ("extra", "3.0.0")]
    {
        chart(name, version);
    }
    folder.write("p/charts/broken-1.0.0.tgz", "nothing");
    fs::create_dir_all(folder.path("p/charts/empty")).unwrap();
    fs::rename(folder.path("p/charts/old-0.1.0.tgz"), folder.path("p/charts/other-0.1.0.tgz"))
        .unwrap();
    folder.write("q/charts/dir/Chart.yaml", "apiVersion: v2\nname: dir\nversion: 1.0.0\n");
    let needs = |names: &[&str]| {
        let list: Vec<String> = names
            .iter()
            .map(|name| {
                format!("{{name: {name}, version: ^1, repository: \"https://x.invalid/{name}\"}}")
            })
            .collect();
        format!("apiVersion: v2\nname: p\nversion: 1.0.0\ndependencies: [{}]\n", list.join(", "))
    };
    folder.write("p/Chart.yaml", &needs(&["a", "many", "missing"]));
    folder.write("q/Chart.yaml", &needs(&["dir", "missing"]));
    folder.write("r/Chart.yaml", "apiVersion: v2\nname: r\nversion: 1.0.0\n");
    // A broken archive makes the whole chart unloadable, and so does a stray file. One at a time: of
    // several Helm names any.
    same(&folder, &helm, &["dependency", "list", "p"]);
    fs::remove_file(folder.path("p/charts/broken-1.0.0.tgz")).unwrap();
    folder.write("p/charts/README.md", "# no chart\n");
    same(&folder, &helm, &["dependency", "list", "p"]);
    fs::remove_file(folder.path("p/charts/README.md")).unwrap();
    fs::remove_dir(folder.path("p/charts/empty")).unwrap();
    for args in [
        &["dependency", "list", "p"][..],
        &["dep", "ls", "./p/"],
        &["dependencies", "list", "q", "--max-col-width", "10"],
        &["dependency", "list", "r"],
        &["dependency", "list", "nosuch"],
        &["dependency", "list"],
        &["dependency", "list", "a", "b"],
    ] {
        let said = same(&folder, &helm, args);
        assert!(!said.is_empty(), "{args:?}");
    }
    let listed = same(&folder, &helm, &["dependency", "list", "p"]);
    assert!(listed.contains("too many matches") && listed.contains("missing"), "{listed}");
}
