//! Charts that come out of the cache are the charts that went in, and others don't come out of it.

#![cfg(target_os = "linux")]

use crate::shared::shared;
use bowsprit::compiled_cache::{Cached, CompiledCache};
use bowsprit::lint::{self, Options as LintOptions, Source};
use bowsprit::loader::{Options, PackageOptions};
use bowsprit::value::{Hermetic, Map, Value};
use bowsprit::{Engine, RenderRequest, loader};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A chart and a cache in a folder of their own.
struct Home(PathBuf);

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const TEMPLATE: &str = "\
name: {{ .Release.Name }}
note: {{ .Files.Get \"note.txt\" | quote }}
{{- range $i, $e := .Values.list }}
- {{ $i }}: {{ $e | toJson }}
{{- end }}
";

impl Home {
    fn new(name: &str) -> Home {
        let root =
            std::env::temp_dir().join(format!("bowsprit-compiled-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let home = Home(root);
        for dir in ["web/templates", "web/charts/db/templates"] {
            fs::create_dir_all(home.0.join(dir)).unwrap();
        }
        home.put("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.0.0, condition: db.wanted}\n");
        home.put(
            "values.yaml",
            "list: [1, 2.5, yes, null, {a: b}, \"\\xff\"]\ndb: {wanted: false}\n",
        );
        home.put("note.txt", "one\n");
        home.put("templates/a.yaml", TEMPLATE);
        home.put("charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n");
        home.put("charts/db/values.yaml", "size: 1\n");
        home.put("charts/db/templates/db.yaml", "size: {{ .Values.size }}\n");
        home
    }

    fn put(&self, file: &str, text: &str) {
        fs::write(self.0.join("web").join(file), text).unwrap();
    }

    fn chart(&self) -> PathBuf {
        self.0.join("web")
    }

    fn cache(&self) -> CompiledCache {
        CompiledCache::new(self.0.join("cache"), "one build")
    }

    fn archive(&self) -> PathBuf {
        let mut packaging = PackageOptions::default();
        packaging.destination = self.0.clone();
        loader::package(&self.chart(), &Options::default(), &packaging).unwrap().output.path
    }

    /// The kept charts.
    fn kept(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.0.join("cache")) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|ext| ext == "chart")).collect()
    }

    fn load(&self, path: &Path) -> Cached {
        self.cache().load(path, &Options::default(), &Engine::new()).unwrap()
    }

    /// Renders as the program does; tells whether the chart was kept before.
    fn run(&self, path: &Path) -> (bool, String) {
        self.run_with(path, Map::new())
    }

    fn run_with(&self, path: &Path, values: Map) -> (bool, String) {
        let cached = self.load(path);
        let text = rendered(&cached, values.clone());
        cached.keep().unwrap();
        // What the cache gives is what is there.
        let there = loader::load_path(path, &Options::default()).unwrap();
        let chart = Engine::new().compile(Arc::new(there.output));
        let request = RenderRequest::new("demo", "default").values(values);
        let files = chart.render_files(&request, &Hermetic::default()).unwrap().output;
        assert_eq!(text, joined(files));
        (cached.is_from_cache(), text)
    }
}

fn joined(files: bowsprit::render::RenderedFiles) -> String {
    let texts = files
        .into_iter()
        .map(|(name, text)| format!("# {name}\n{}", String::from_utf8_lossy(&text)));
    texts.collect()
}

fn rendered(cached: &Cached, values: Map) -> String {
    let request = RenderRequest::new("demo", "default").values(values);
    joined(cached.chart.render_files(&request, &Hermetic::default()).unwrap().output)
}

/// Longer than what counts as settled.
fn settle() {
    std::thread::sleep(Duration::from_millis(2100));
}

#[test]
fn an_archive_is_kept_when_it_is_seen_again() {
    let home = Home::new("archive");
    let archive = home.archive();
    let (first, text) = home.run(&archive);
    assert!(!first && home.kept().is_empty(), "the first time nothing is kept");
    let (second, _) = home.run(&archive);
    assert!(!second);
    assert_eq!(home.kept().len(), 1);
    let (third, again) = home.run(&archive);
    assert!(third);
    assert_eq!(again, text);
    assert!(text.contains("note: \"one\\n\""), "{text}");
    // A copy elsewhere is the same chart.
    let copy = home.0.join("copy.tgz");
    fs::copy(&archive, &copy).unwrap();
    assert!(home.run(&copy).0);

    // Other builds and other engines don't find it.
    let elsewhere = CompiledCache::new(home.0.join("cache"), "another build");
    let load = |cache: &CompiledCache, engine: &Engine| {
        cache.load(&archive, &Options::default(), engine).unwrap().is_from_cache()
    };
    assert!(load(&home.cache(), &Engine::new()));
    assert!(!load(&elsewhere, &Engine::new()));
    let old = Engine::builder().compat("3.22".parse().unwrap()).build();
    assert!(!load(&home.cache(), &old));
}

#[test]
fn templates_that_were_not_needed_are_added_when_they_are() {
    let home = Home::new("more");
    let archive = home.archive();
    home.run(&archive);
    home.run(&archive);
    let small = fs::metadata(&home.kept()[0]).unwrap().len();
    let on = || {
        let on = Map::from_entries([("wanted".into(), Value::Bool(true))]);
        Map::from_entries([("db".into(), Value::Map(on))])
    };
    let (from_cache, text) = home.run_with(&archive, on());
    assert!(from_cache && text.contains("size: 1"), "{text}");
    let large = fs::metadata(&home.kept()[0]).unwrap().len();
    assert!(large > small, "{small} and then {large}");
    assert!(home.run_with(&archive, on()).0);
}

#[test]
fn a_changed_directory_is_not_taken_for_the_old_one() {
    let home = Home::new("changes");
    let chart = home.chart();
    // Too young to be sure that nothing changes at the same time.
    assert!(!home.run(&chart).0);
    assert!(!home.run(&chart).0);
    assert!(home.kept().is_empty());
    settle();
    assert!(!home.run(&chart).0);
    assert_eq!(home.kept().len(), 1);
    assert!(home.run(&chart).0);

    let keep = || {
        settle();
        for _ in 0..3 {
            home.run(&chart);
        }
        assert!(home.run(&chart).0);
    };
    // Content of the same length, of a file that is no template.
    home.put("note.txt", "two\n");
    let (from_cache, text) = home.run(&chart);
    assert!(!from_cache && text.contains("two"), "{text}");
    keep();
    // The old time does not hide a change.
    let path = chart.join("values.yaml");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    home.put("values.yaml", "list: [1, 2.5, yes, null, {a: c}, \"\\xff\"]\ndb: {wanted: false}\n");
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert!(!home.run(&chart).0);
    keep();
    // A file more, deep inside; then one less.
    home.put("charts/db/templates/more.yaml", "more: true\n");
    assert!(!home.run(&chart).0);
    keep();
    fs::remove_file(chart.join("charts/db/templates/more.yaml")).unwrap();
    assert!(!home.run(&chart).0);
}

#[test]
fn what_can_not_be_trusted_is_not_used() {
    let home = Home::new("trust");
    let archive = home.archive();
    let ready = || {
        home.run(&archive);
        home.run(&archive);
        assert!(home.run(&archive).0);
    };
    ready();
    // A folder that others can look into.
    let folder = home.0.join("cache");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
    let cached = home.load(&archive);
    assert!(!cached.is_from_cache());
    assert!(cached.keep().is_err());
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(home.run(&archive).0);
    // A link to it is another's choice.
    symlink(&folder, home.0.join("link")).unwrap();
    let linked = CompiledCache::new(home.0.join("link"), "one build");
    let cached = linked.load(&archive, &Options::default(), &Engine::new()).unwrap();
    assert!(!cached.is_from_cache() && cached.keep().is_err());
    // Damage anywhere in the file, and files that were cut.
    let file = home.kept().pop().unwrap();
    let good = fs::read(&file).unwrap();
    let text = rendered(&home.load(&archive), Map::new());
    let (mut late, mut told) = (0, 0);
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 0x20;
        fs::write(&file, &bad).unwrap();
        let cached = home.load(&archive);
        if cached.is_from_cache() {
            late += 1;
            // Either it was in a part that nobody has looked at, or it is told.
            let request = RenderRequest::new("demo", "default");
            let files = cached.chart.render_files(&request, &Hermetic::default());
            let same = files.is_ok_and(|files| joined(files.output) == text);
            assert!(same || !cached.chart.is_intact(), "{at}");
            told += usize::from(!cached.chart.is_intact());
            assert!(cached.chart.is_intact() || cached.chart.image().is_none(), "{at}");
        }
        fs::write(&file, &good[..at]).unwrap();
        assert!(!home.load(&archive).is_from_cache(), "{at}");
    }
    assert!(late > told && told > 0, "{late} late, {told} told");
    let cached = home.load(&archive);
    assert!(!cached.is_from_cache());
    fs::write(&file, &good).unwrap();
    home.load(&archive).discard().unwrap();
    assert!(!file.exists());
    // It is written anew.
    assert!(!home.run(&archive).0);
    assert!(home.run(&archive).0);
}

#[test]
fn links_and_broken_templates_are_not_kept() {
    let home = Home::new("links");
    let chart = home.chart();
    symlink("note.txt", chart.join("link.txt")).unwrap();
    settle();
    for _ in 0..3 {
        assert!(!home.run(&chart).0);
    }
    assert!(home.kept().is_empty());
    fs::remove_file(chart.join("link.txt")).unwrap();
    home.put("templates/broken.yaml", "{{ if }}");
    settle();
    for _ in 0..3 {
        let cached = home.load(&chart);
        let request = RenderRequest::new("demo", "default");
        let error = cached.chart.render_files(&request, &Hermetic::default()).unwrap_err();
        assert!(error.to_string().contains("missing value for if"), "{error}");
        assert!(!cached.is_from_cache());
    }
}

#[test]
fn a_chart_that_goes_away_is_noticed() {
    let home = Home::new("gone");
    let chart = home.chart();
    settle();
    home.run(&chart);
    home.run(&chart);
    let cached = home.load(&chart);
    assert!(cached.is_from_cache() && cached.chart.is_intact());
    fs::remove_dir_all(&chart).unwrap();
    rendered(&cached, Map::new());
    assert!(!cached.chart.is_intact());
}

#[test]
fn the_oldest_charts_make_room() {
    let home = Home::new("room");
    let cache = home.cache().limit(1);
    let chart = home.chart();
    settle();
    for _ in 0..3 {
        let cached = cache.load(&chart, &Options::default(), &Engine::new()).unwrap();
        cached.keep().unwrap();
        assert!(!cached.is_from_cache());
    }
    assert!(home.kept().is_empty());
}

#[test]
fn every_chart_of_the_corpus_comes_back_as_it_was() {
    let Some(charts) = shared("corpus/charts") else { return };
    let mut archives: Vec<_> = fs::read_dir(charts).unwrap().map(|e| e.unwrap().path()).collect();
    archives.sort();
    let engine = Engine::new();
    let (mut compared, mut refused) = (0, 0);
    // A part of them is enough here: the check of the whole corpus goes through the cache, too.
    for archive in archives.iter().step_by(4) {
        let Ok(loaded) = loader::load_path(archive, &Options::default()) else { continue };
        let chart = engine.compile(Arc::new(loaded.output.clone()));
        let request = RenderRequest::new("demo", "default");
        let render = |chart: &bowsprit::CompiledChart| match chart
            .render_files(&request, &Hermetic::default())
        {
            Ok(files) => joined(files.output),
            Err(error) => error.to_string(),
        };
        let text = render(&chart);
        let Some(image) = chart.image() else {
            refused += 1;
            continue;
        };
        let again = move || Some(loaded.output.clone());
        let restored = engine.restore(&image.head, image.parts.clone(), again).unwrap();
        assert_eq!(render(&restored), text, "{}", archive.display());
        assert!(restored.is_intact());
        assert_eq!(restored.image(), Some(image), "{}", archive.display());
        compared += 1;
    }
    assert_eq!(refused, 0);
    assert!(compared > 40, "{compared} charts");
}

/// Examines a folder as the program does, and without a cache: tells whether the chart was found in it, and the
/// text.
fn examined(cache: &CompiledCache, path: &str) -> (bool, String) {
    let options = LintOptions::default();
    let told = |source: &Source| {
        let linted = lint::lint(source, &options, &Hermetic::default());
        let log: Vec<String> = linted.log.iter().map(|line| format!("{line:?}\n")).collect();
        format!("{}{}", lint::print(&[linted], false).text, log.concat())
    };
    let (source, kept) = lint::open_by(path, cache, &lint::engine(&options)).unwrap();
    let text = told(&source);
    let found = kept.as_ref().is_some_and(lint::Kept::is_from_cache);
    if let Some(kept) = kept {
        assert!(kept.is_right(&source), "{path}");
        kept.keep(&source).unwrap();
    }
    assert_eq!(text, told(&lint::open(path).unwrap()), "{path}");
    (found, text)
}

#[test]
fn a_folder_that_is_examined_again_is_found() {
    let home = Home::new("examined");
    home.put("README.md", &"read me ".repeat(4000));
    home.put("templates/b.yaml", "readme: {{ .Files.Get \"README.md\" | len }}\n");
    home.put("values.schema.json", r#"{"properties": {"list": {"type": "array"}}}"#);
    settle();
    let (chart, cache) = (home.chart(), home.cache());
    let run = || examined(&cache, chart.to_str().unwrap());
    assert!(!run().0 && home.kept().is_empty());
    assert!(!run().0 && home.kept().len() == 1);
    let (found, text) = run();
    assert!(found && text.contains("unable to parse YAML"), "{text}");
    home.put("templates/b.yaml", "bad: {{ .Values.list.no.no }}\n");
    let (found, text) = run();
    assert!(!found && text.contains("templates/b.yaml"), "{text}");
    // Definitions are read whole, so that there is nothing to be gained.
    fs::create_dir(chart.join("crds")).unwrap();
    settle();
    assert!((0..4).all(|_| !run().0) && home.kept().is_empty());
}

#[test]
fn a_damaged_chart_is_not_taken_for_right_when_it_is_examined() {
    let home = Home::new("examined-damaged");
    settle();
    let (chart, cache) = (home.chart(), home.cache());
    let path = chart.to_str().unwrap();
    (0..2).for_each(|_| assert!(!examined(&cache, path).0));
    let (found, text) = examined(&cache, path);
    let file = home.kept().pop().unwrap();
    let (good, options) = (fs::read(&file).unwrap(), LintOptions::default());
    let mut told = 0;
    for at in (0..good.len()).step_by(11) {
        let mut bad = good.clone();
        bad[at] ^= 0x20;
        fs::write(&file, &bad).unwrap();
        let (source, kept) = lint::open_by(path, &cache, &lint::engine(&options)).unwrap();
        let linted = lint::lint(&source, &options, &Hermetic::default());
        let kept = kept.unwrap();
        if kept.is_right(&source) {
            assert_eq!(lint::print(&[linted], false).text, text, "{at}");
        } else {
            assert!(kept.is_from_cache(), "{at}");
            told += 1;
        }
    }
    assert!(found && told > 0);
}

#[test]
fn charts_of_the_corpus_are_examined_alike_from_the_cache() {
    let Some(charts) = shared("corpus/charts") else { return };
    let home = Home::new("examined-corpus");
    let mut archives: Vec<_> = fs::read_dir(charts).unwrap().map(|e| e.unwrap().path()).collect();
    archives.sort();
    let mut folders = Vec::new();
    for (number, archive) in archives.iter().enumerate().step_by(6) {
        let folder = home.0.join(format!("charts-{number}"));
        fs::create_dir(&folder).unwrap();
        let mut tar = std::process::Command::new("tar");
        tar.arg("-xzf").arg(archive).arg("-C").arg(&folder);
        assert!(tar.status().unwrap().success());
        folders.extend(fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    settle();
    let (cache, mut found) = (home.cache(), 0);
    for folder in &folders {
        let path = folder.to_str().unwrap();
        let first = examined(&cache, path).1;
        let again: Vec<_> = (0..2).map(|_| examined(&cache, path)).collect();
        assert!(again.iter().all(|(_, text)| *text == first), "{path}");
        found += usize::from(again[1].0);
    }
    assert!(found * 2 > folders.len() && folders.len() > 30, "{found} of {}", folders.len());
}
