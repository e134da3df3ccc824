//! Charts on disk as Helm loads them. Expectations were taken from Helm 4.2.4.

#![allow(clippy::unwrap_used)]

use bowsprit_chart::ReadFailure;
use bowsprit_loader::{ApiVersions, Options, load_path};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

const GOOD: &str = "apiVersion: v2\nname: c\nversion: 1.2.3\n";

/// A directory of its own, removed in the end.
struct Dir(PathBuf);

impl Dir {
    fn new(files: &[(&str, &str)]) -> Dir {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "bowsprit-loader-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let temp = std::env::temp_dir().canonicalize().unwrap();
        let dir = Dir(temp.join(name));
        std::fs::create_dir_all(&dir.0).unwrap();
        for (name, data) in files {
            dir.write(name, data.as_bytes());
        }
        dir
    }

    fn chart(files: &[(&str, &str)]) -> Dir {
        Dir::new(&[&[("Chart.yaml", GOOD)], files].concat())
    }

    fn write(&self, name: &str, data: &[u8]) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, data).unwrap();
    }

    #[cfg(unix)]
    fn link(&self, name: &str, target: &str) {
        std::os::unix::fs::symlink(target, self.0.join(name)).unwrap();
    }

    /// A text with `DIR` for the directory.
    fn mask(&self, text: impl ToString) -> String {
        text.to_string().replace(&self.0.display().to_string(), "DIR")
    }

    /// The names of templates and files, or the error.
    fn load(&self) -> String {
        self.load_with(&Options::default())
    }

    fn load_with(&self, options: &Options) -> String {
        self.load_file(&self.0, options)
    }

    fn load_file(&self, path: &Path, options: &Options) -> String {
        match load_path(path, options) {
            Ok(loaded) => {
                let chart = loaded.output;
                let files = chart.templates.iter().chain(&chart.files);
                files
                    .map(|file| file.name.to_string_lossy().into_owned())
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            Err(error) => self.mask(error),
        }
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn any_version() -> Options {
    let mut options = Options::default();
    options.api_versions = ApiVersions::Any;
    options
}

#[test]
fn names_come_in_the_order_of_their_bytes() {
    let dir = Dir::chart(&[("b/x", ""), ("b.txt", ""), ("B", ""), ("a/z/y", ""), ("a/b", "")]);
    assert_eq!(dir.load(), "B a/b a/z/y b/x b.txt");
}

#[test]
fn helmignore() {
    for (rules, want) in [
        ("", ".helmignore README.md docs/a.txt docs/README.md"),
        ("docs/\n", ".helmignore README.md"),
        ("README.md\n.helmignore", "docs/a.txt"),
        ("/README.md", ".helmignore docs/a.txt docs/README.md"),
        ("templates/\n*.md", ".helmignore docs/a.txt"),
        ("!Chart.yaml", ""),
        ("!README.md", "Chart.yaml file is missing"),
        ("Chart.yaml", "Chart.yaml file is missing"),
        ("a/**", "double-star (**) syntax is not supported"),
        ("[a", "syntax error in pattern"),
    ] {
        let dir = Dir::chart(&[
            ("README.md", ""),
            ("docs/README.md", ""),
            ("docs/a.txt", ""),
            ("templates/.swp", ""),
            (".helmignore", rules),
        ]);
        let got = dir.load();
        let sorted = |text: &str| {
            let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            words.sort();
            words
        };
        assert_eq!(sorted(&got), sorted(want), "{rules}");
    }
}

#[test]
fn only_the_root_has_a_helmignore_and_hidden_templates() {
    let dir = Dir::chart(&[
        ("charts/s/Chart.yaml", "name: s\nversion: 1.0.0"),
        ("charts/s/.helmignore", "*"),
        ("charts/s/templates/.h.yaml", ""),
        ("templates/.h.yaml", ""),
    ]);
    let chart = load_path(&dir.0, &Options::default()).unwrap().output;
    assert!(chart.templates.is_empty());
    assert_eq!(chart.dependencies[0].templates.len(), 1);
}

#[test]
fn byte_order_marks_are_dropped() {
    let dir = Dir::new(&[("Chart.yaml", &format!("\u{feff}{GOOD}")), ("a", "\u{feff}b")]);
    let chart = load_path(&dir.0, &Options::default()).unwrap().output;
    assert_eq!(&chart.files[0].data[..], b"b");
}

#[test]
fn versions_are_looked_for_first() {
    let undetected =
        "unable to detect chart at DIR/Chart.yaml: open DIR/Chart.yaml: no such file or directory";
    assert_eq!(Dir::new(&[("values.yaml", "")]).load(), undetected);
    assert_eq!(Dir::new(&[]).load_with(&any_version()), "Chart.yaml file is missing");
    let directory = "unable to detect chart at DIR/Chart.yaml: read DIR/Chart.yaml: is a directory";
    assert_eq!(Dir::new(&[("Chart.yaml/x", "")]).load(), directory);

    let odd = Dir::new(&[
        ("Chart.yaml", "apiVersion: v9\nname: c\nversion: 1.0.0"),
        (".helmignore", "["),
    ]);
    assert_eq!(odd.load(), "unsupported chart version");
    assert_eq!(odd.load_with(&any_version()), "syntax error in pattern");
}

#[test]
fn sizes() {
    let dir = Dir::chart(&[]);
    dir.write("a/big", &vec![0; 5 << 20]);
    assert_eq!(dir.load(), "a/big");
    dir.write("a/big", &vec![0; (5 << 20) + 1]);
    assert_eq!(dir.load(), "chart file \"big\" is larger than the maximum file size 5242880");
    dir.write(".helmignore", b"big");
    assert_eq!(dir.load(), ".helmignore");
}

#[test]
fn limits() {
    let dir = Dir::chart(&[("a", "123"), ("b", "")]);
    let mut options = Options::default();
    options.limits.archive.entries = 2;
    assert_eq!(dir.load_with(&options), "chart directory has more than 2 entries");
    options.limits.archive.entries = 3;
    assert_eq!(dir.load_with(&options), "a b");
    options.limits.archive.inflated = 40;
    assert_eq!(dir.load_with(&options), "chart has more than 40 bytes");
    assert!(load_path(&dir.0, &options).unwrap_err().is_limit());
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_logged() {
    let dir = Dir::chart(&[("x/y.txt", ""), (".helmignore", "ignored\n")]);
    dir.link("ignored", "x");
    dir.link("templates", "x");
    dir.link("z.txt", "x/y.txt");
    let loaded = load_path(&dir.0, &Options::default()).unwrap();
    let log: Vec<_> = loaded.warnings.iter().map(|line| dir.mask(line)).collect();
    let line = |path: &str, resolved: &str| {
        format!(
            "level=INFO msg=\"found symbolic link in path. Contents of linked file included and used\" path=DIR/{path} resolved=DIR/{resolved}"
        )
    };
    assert_eq!(log, [line("ignored", "x"), line("templates", "x"), line("z.txt", "x/y.txt")]);
    assert_eq!(dir.load(), "templates/y.txt .helmignore x/y.txt z.txt");
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere() {
    for (target, want) in [
        ("nosuch", "error evaluating symlink DIR/l: lstat DIR/nosuch: no such file or directory"),
        ("sub/nosuch", "error evaluating symlink DIR/l: lstat DIR/sub: no such file or directory"),
        ("l", "error evaluating symlink DIR/l: EvalSymlinks: too many links"),
        ("Chart.yaml/x", "error evaluating symlink DIR/l: not a directory"),
        ("/dev/null", "cannot load irregular file DIR/l as it has file mode type bits set"),
    ] {
        let dir = Dir::chart(&[(".helmignore", if target == "nosuch" { "l" } else { "" })]);
        dir.link("l", target);
        assert_eq!(dir.load(), want);
    }
}

#[cfg(unix)]
#[test]
fn links_in_circles_end() {
    let dir = Dir::chart(&[("a/f", "")]);
    dir.link("a/loop", "..");
    let got = dir.load();
    assert!(got.starts_with("open DIR/a/loop/a/loop/"), "{got}");
    assert!(got.ends_with(": too many levels of symbolic links"), "{got}");
}

#[cfg(unix)]
#[test]
fn links_can_be_confined() {
    let dir = Dir::chart(&[("a", "")]);
    dir.link("l", "a");
    assert_eq!(dir.load_with(&Options::strict()), "a l");
    dir.link("m", "/dev/null");
    let denied = "symbolic link DIR/m leads out of the chart to /dev/null";
    assert_eq!(dir.load_with(&Options::strict()), denied);
    assert!(load_path(&dir.0, &Options::strict()).unwrap_err().is_denied());

    let secret = Dir::new(&[("Chart.yaml", GOOD)]);
    let dir = Dir::new(&[]);
    dir.link("Chart.yaml", secret.0.join("Chart.yaml").to_str().unwrap());
    assert!(
        dir.load_with(&Options::strict()).starts_with("symbolic link DIR/Chart.yaml leads out")
    );
    assert_eq!(dir.load(), "");
}

#[cfg(unix)]
#[test]
fn names_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let dir = Dir::chart(&[]);
    std::fs::write(dir.0.join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    let chart = load_path(&dir.0, &Options::default()).unwrap().output;
    assert_eq!(chart.files[0].name.as_bytes(), b"\xff");
}

#[cfg(unix)]
#[test]
fn large_documents_can_be_left_unread() {
    let (large, marked) = ("x".repeat(20_000), format!("\u{feff}{}", "y".repeat(20_000)));
    let dir = Dir::chart(&[
        ("README.md", &large),
        ("a.md", "small"),
        ("m.md", &marked),
        ("templates/t.md", &large),
        ("charts/sub/Chart.yaml", GOOD),
        ("charts/sub/CHANGES.md", &large),
    ]);
    let failure = ReadFailure::default();
    let mut options = Options::default();
    options.unread = Some(failure.clone());
    let later = load_path(&dir.0, &options).unwrap().output;
    let now = load_path(&dir.0, &Options::default()).unwrap().output;
    // Those that were left unread are open: the first is still what it was, the other is cut off.
    std::fs::remove_file(dir.0.join("README.md")).unwrap();
    std::fs::File::options()
        .write(true)
        .truncate(true)
        .open(dir.0.join("charts/sub/CHANGES.md"))
        .unwrap();
    assert_eq!(later.files, now.files);
    assert_eq!((later.templates.len(), failure.text()), (1, None));
    assert_eq!(later.templates, now.templates);
    let [sub] = &later.dependencies[..] else { panic!("one subchart") };
    assert_eq!((sub.files[0].data.len(), &sub.files[0].data[..]), (20_000, &b""[..]));
    let text = dir.mask(failure.text().unwrap());
    assert_eq!(text, "read DIR/charts/sub/CHANGES.md: failed to fill whole buffer");
}

/// One of two equal charts is loaded; what nobody has looked at is not read to see that they are equal.
#[cfg(unix)]
#[test]
fn equal_charts_keep_their_own_unread_documents() {
    let texts = ["x", "y", "x"].map(|letter| letter.repeat(20_000));
    let lib = "apiVersion: v2\nname: lib\nversion: 1.0.0\n";
    let mut files = Vec::new();
    for (sub, text) in ["a", "b", "c"].iter().zip(&texts) {
        let chart = format!("apiVersion: v2\nname: {sub}\nversion: 1.0.0\n");
        let at = |name: &str| format!("charts/{sub}/{name}");
        files.push((at("Chart.yaml"), chart));
        files.push((at("charts/lib/Chart.yaml"), lib.to_owned()));
        files.push((at("charts/lib/A.txt"), "a".to_owned()));
        files.push((at("charts/lib/README.md"), text.clone()));
        files.push((at("charts/lib/Z.txt"), "z".to_owned()));
        files.push((at("charts/lib/charts/deep/Chart.yaml"), lib.replace("lib", "deep")));
        files.push((at("charts/lib/charts/deep/D.md"), "d".repeat(20_000)));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let dir = Dir::chart(&files);
    let failure = ReadFailure::default();
    let mut options = Options::default();
    options.unread = Some(failure.clone());
    let chart = load_path(&dir.0, &options).unwrap().output;
    let cut = |name: &str| {
        std::fs::File::options().write(true).truncate(true).open(dir.0.join(name)).unwrap();
    };
    cut("charts/c/charts/lib/README.md");
    let libs: Vec<_> = chart.dependencies.iter().map(|sub| &sub.dependencies[0]).collect();
    for (lib, text) in libs.iter().zip(&texts).take(2) {
        let names: Vec<String> = lib.files.iter().map(|file| file.name.to_string()).collect();
        assert_eq!(names, ["A.txt", "README.md", "Z.txt"]);
        assert_eq!(&lib.files[1].data[..], text.as_bytes());
        assert_eq!(lib.dependencies[0].files[0].data.len(), 20_000);
    }
    assert_eq!(failure.text(), None);
    assert_eq!(&libs[2].files[1].data[..], b"");
    assert!(failure.text().unwrap().contains("charts/c/charts/lib/README.md"));
}

#[test]
fn files_that_are_no_archives() {
    let dir = Dir::new(&[]);
    let broken = "unable to load chart archive";
    for (name, data, want, want_any) in [
        (
            "a.yaml",
            &b"a: 1"[..],
            "file 'DIR/a.yaml' seems to be a YAML file, but expected a gzipped archive",
            None,
        ),
        (
            "a.yml",
            b"",
            "file 'DIR/a.yml' seems to be a YAML file, but expected a gzipped archive",
            None,
        ),
        (
            "empty",
            b"",
            "file 'DIR/empty' does not appear to be a gzipped archive; got 'application/octet-stream'",
            None,
        ),
        (
            "html",
            b"<html>",
            "file 'DIR/html' does not appear to be a gzipped archive; got 'text/html; charset=utf-8'",
            None,
        ),
        ("short.tgz", b"\x1f\x8b\x08", broken, Some("unexpected EOF")),
        (
            "bad.tgz",
            b"\x1f\x8b\x08\x02\0\0\0\0\0\x03\0\0",
            "file 'DIR/bad.tgz' does not appear to be a valid chart file (details: gzip: invalid header)",
            None,
        ),
    ] {
        dir.write(name, data);
        let path = dir.0.join(name);
        assert_eq!(dir.load_file(&path, &Options::default()), want);
        assert_eq!(dir.load_file(&path, &any_version()), want_any.unwrap_or(want));
    }
    let none = dir.load_file(&dir.0.join("none"), &Options::default());
    assert_eq!(none, "stat DIR/none: no such file or directory");
}

#[test]
fn subcharts_that_are_no_archives() {
    let dir = Dir::chart(&[("charts/a.tgz", "x"), (".helmignore", "")]);
    assert_eq!(dir.load(), "error unpacking subchart a.tgz in c: unexpected EOF");
}
