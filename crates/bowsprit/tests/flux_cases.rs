//! HelmReleases against what the real helm-controller installed for them.
//!
//! The recorded cases are other people's files and are read in place: from the folder that
//! BOWSPRIT_FLUX_CASES names, else from `flux` in `$SHARED` or `../shared`. Where they are not there the
//! test says loudly that it was skipped. A suite has `cases/`, `charts/` and `repositories/`; archives
//! may also lie in the `charts` of the shared suite and of the corpus beside it, or where
//! MIRROR_CHARTS says.

// Helpers of a test fail as the test does, and tests may say what they skipped.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

use bowsprit::Engine;
use bowsprit::flux::{Failure, Inventory, Mirrors, Options, Outcome, Rendered, render_all};
use bowsprit::host::OsHost;
use bowsprit::value::{List, Map, Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    bowsprit_testkit::repository()
}

fn shared() -> PathBuf {
    let shared =
        std::env::var_os("SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    root().join(shared)
}

fn suite() -> PathBuf {
    std::env::var_os("BOWSPRIT_FLUX_CASES").map_or_else(|| shared().join("flux"), PathBuf::from)
}

/// Lays out a repository with its archives beside the index, as it was served.
fn lay_out(suite: &Path, name: &str, to: &Path) {
    let from = suite.join(name);
    copy_all(&from, to);
    let Ok(index) = fs::read_to_string(from.join("index.yaml")) else { return };
    let mut places =
        vec![suite.join("charts"), shared().join("flux/charts"), shared().join("corpus/charts")];
    places.extend(std::env::var_os("MIRROR_CHARTS").map(PathBuf::from));
    let archives = index.lines().filter_map(|line| line.trim().strip_prefix("- "));
    for archive in archives.filter(|name| name.ends_with(".tgz")) {
        let found = places.iter().map(|place| place.join(archive)).find(|path| path.is_file());
        let found = found.unwrap_or_else(|| panic!("{archive} lies in none of {places:?}"));
        fs::copy(found, to.join(archive)).unwrap();
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            fs::write(to, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

struct Case {
    dir: PathBuf,
    facts: Map,
    complaints: Vec<String>,
}

impl Case {
    fn text(&self, key: &str) -> Option<String> {
        Some(self.facts.get(key.as_bytes())?.as_str()?.to_string())
    }

    fn complain(&mut self, what: &str) {
        let name = self.dir.strip_prefix(suite()).unwrap_or(&self.dir).display().to_string();
        self.complaints.push(format!("{name}: {what}"));
    }

    fn expected(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.dir.join(file)).ok()
    }

    /// The lines of a file, from 1, that differ from run to run.
    fn volatile(&self, file: &str) -> BTreeSet<usize> {
        let volatile = self.facts.get(b"volatile");
        let lines = volatile.and_then(|map| map.as_map()?.get(file.as_bytes()));
        let lines =
            lines.and_then(|lines| lines.as_list().cloned()).unwrap_or_else(|| List::new(vec![]));
        let number = |value: &Value| match value {
            Value::Float(line) => *line as usize,
            Value::Int(_, line) => *line as usize,
            _ => 0,
        };
        lines.iter().map(number).collect()
    }

    fn compare(&mut self, file: &str, got: &str) {
        let Some(want) = self.expected(file) else { return };
        let volatile = self.volatile(file);
        let (want_lines, got_lines): (Vec<&str>, Vec<&str>) =
            (want.split('\n').collect(), got.split('\n').collect());
        let differs = |line: usize| {
            !volatile.contains(&(line + 1)) && want_lines.get(line) != got_lines.get(line)
        };
        let first = (0..want_lines.len().max(got_lines.len())).find(|line| differs(*line));
        if let Some(line) = first {
            let shown = |lines: &[&str]| format!("{:?}", lines.get(line));
            self.complain(&format!(
                "{file}, line {}: want {}, got {}",
                line + 1,
                shown(&want_lines),
                shown(&got_lines)
            ));
        }
    }

    fn run(&mut self, revision: i64) {
        let mirrors = self.mirrors();
        let mut inventory = Inventory::new("default");
        let input = fs::read(self.dir.join("input.yaml")).unwrap();
        inventory.read("input.yaml", &input).unwrap();
        let wanted = self.text("helmRelease").unwrap();
        let mut options = Options::default();
        options.revision = revision;
        let engine = Engine::new();
        let mut outcomes = render_all(
            inventory,
            &mirrors,
            &mirrors,
            &engine,
            &OsHost::new(),
            &options,
            &|release| format!("{}/{}", release.namespace, release.name) == wanted,
        );
        match outcomes.releases.pop().map(|Outcome { result, .. }| result) {
            Some(Ok(rendered)) => self.check_rendered(&rendered),
            Some(Err(failure)) => self.check_failure(&failure),
            None => self.complain("there is no such HelmRelease"),
        }
    }

    fn mirrors(&self) -> Mirrors {
        let mut mirrors = Mirrors::new();
        let repositories = self.facts.get(b"repositories").unwrap();
        for (url, name) in repositories.as_map().unwrap().entries().iter() {
            let name = name.as_str().unwrap().to_string();
            let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flux").join(&name);
            lay_out(&suite(), &name, &dir);
            mirrors.add(&format!("{url}={}", dir.display())).unwrap();
        }
        mirrors
    }

    fn check_failure(&mut self, failure: &Failure) {
        let got = format!("{}\n{}", failure.reason, failure.message);
        match self.expected("expected-error.txt") {
            Some(want) if want.trim_end() == got.trim_end() => {}
            Some(want) => self.complain(&format!("want the error\n{want}\ngot\n{got}")),
            None => self.complain(&format!("got the error\n{got}")),
        }
    }

    fn check_rendered(&mut self, rendered: &Rendered) {
        if self.expected("expected-error.txt").is_some() {
            return self.complain("want an error");
        }
        self.compare("expected-manifest.yaml", &format!("{}\n", rendered.manifest()));
        self.compare("expected-hooks.yaml", &rendered.hooks_text());
        self.compare("expected-values.yaml", &rendered.values_text());
        self.compare("expected-values-all.yaml", &rendered.all_values_text());
        for (key, got) in [
            ("chart", format!("{}-{}", rendered.chart, rendered.version)),
            ("release", rendered.release.clone()),
            ("namespace", rendered.namespace.clone()),
            ("storageNamespace", rendered.storage_namespace.clone()),
        ] {
            if let Some(want) = self.text(key).filter(|want| *want != got) {
                self.complain(&format!("{key}: want {want}, got {got}"));
            }
        }
        self.check_stored(rendered);
    }

    /// What is stored beside the release has these labels and annotations.
    fn check_stored(&mut self, rendered: &Rendered) {
        let Some(want) = self.expected("expected-stored.yaml") else { return };
        let mut want: Vec<String> = bowsprit::manifest::objects(want.as_bytes())
            .unwrap()
            .iter()
            .map(|object| about(object.value.as_map().unwrap()))
            .collect();
        let objects = rendered.crds.iter().chain(&rendered.created_namespace);
        let mut got: Vec<String> = objects.map(about).collect();
        want.sort();
        got.sort();
        if want != got {
            self.complain(&format!("expected-stored.yaml: want {want:#?}, got {got:#?}"));
        }
    }
}

/// Kind, name, labels and annotations, without what the API server adds.
fn about(object: &Map) -> String {
    let text = |map: &Map, key: &str| format!("{:?}", map.get(key.as_bytes()));
    let metadata = object.get(b"metadata").unwrap();
    let metadata = metadata.as_map().unwrap();
    let entries = |field: &str| -> Vec<(String, String)> {
        let table = metadata.get(field.as_bytes());
        let table = table.and_then(|table| table.as_map().cloned()).unwrap_or_default();
        let entries = table.entries();
        let entries = entries.iter().map(|(k, v)| (k.to_string(), format!("{v:?}")));
        entries.filter(|(key, _)| key != "kubernetes.io/metadata.name").collect()
    };
    format!(
        "{} {} {:?} {:?}",
        text(object, "kind"),
        text(metadata, "name"),
        entries("labels"),
        entries("annotations")
    )
}

fn read_case(dir: PathBuf) -> Case {
    let facts = fs::read(dir.join("case.json")).unwrap();
    Case { facts: json::decode_map(&facts).unwrap(), dir, complaints: Vec::new() }
}

#[test]
fn helm_releases_are_installed_as_by_flux() {
    let dir = suite().join("cases");
    let Ok(entries) = fs::read_dir(&dir) else {
        eprintln!("!!!! SKIPPED: there are no recorded cases of Flux in {} !!!!", dir.display());
        return;
    };
    let mut dirs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    dirs.retain(|dir| dir.join("case.json").is_file());
    dirs.sort();
    let (mut count, mut complaints) = (0, Vec::new());
    for dir in dirs {
        let second = dir.join("second");
        let mut cases = vec![(read_case(dir), 1)];
        if second.is_dir() {
            cases.push((read_case(second), 2));
        }
        for (mut case, revision) in cases {
            case.run(revision);
            count += 1;
            complaints.append(&mut case.complaints);
        }
    }
    println!("{count} cases");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
