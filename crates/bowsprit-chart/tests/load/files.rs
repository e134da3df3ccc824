use crate::tar::{chart as pack, file, tgz};
use bowsprit_chart::{Chart, File, Format, Limits, check_dependencies};

const GOOD: &str = "apiVersion: v2\nname: c\nversion: 1.2.3\n";
const OLD: &str = "apiVersion: v1\nname: c\nversion: 1.2.3\n";

fn load(files: &[(&str, &str)]) -> (Result<Chart, String>, Vec<String>) {
    let files = files.iter().map(|&(name, data)| File::new(name, data)).collect();
    match Chart::from_files(files, &Limits::default()) {
        Ok(loaded) => {
            (Ok(loaded.output), loaded.warnings.iter().map(ToString::to_string).collect())
        }
        Err(error) => {
            (Err(error.to_string()), error.log().iter().map(ToString::to_string).collect())
        }
    }
}

/// A chart with more files; must load.
fn chart(files: &[(&str, &str)]) -> Chart {
    load(&[&[("Chart.yaml", GOOD)], files].concat()).0.unwrap()
}

fn error(files: &[(&str, &str)]) -> String {
    load(&[&[("Chart.yaml", GOOD)], files].concat()).0.unwrap_err()
}

fn names(files: &[File]) -> Vec<String> {
    files.iter().map(|file| file.name.to_string_lossy().into_owned()).collect()
}

#[test]
fn every_file_has_its_place() {
    let chart = chart(&[
        ("Chart.lock", "digest: sha256:1"),
        ("values.yaml", "a: 1"),
        ("Values.yaml", ""),
        ("values.yml", ""),
        ("values.schema.json", "{}"),
        ("templates/a.yaml", ""),
        ("templates/sub/NOTES.txt", ""),
        ("templates", ""),
        ("charts", ""),
        ("charts/x.prov", ""),
        ("charts/a/b.prov", ""),
        ("chart.yaml", ""),
        ("README.md", ""),
        (".helmignore", ""),
        ("crds/a.yaml", ""),
        ("x.prov", ""),
        ("charts/_a/x", ""),
        ("charts/.b", ""),
    ]);
    assert_eq!(names(&chart.templates), ["templates/a.yaml", "templates/sub/NOTES.txt"]);
    let rest = [
        "Values.yaml",
        "values.yml",
        "templates",
        "charts",
        "charts/x.prov",
        "charts/a/b.prov",
        "chart.yaml",
        "README.md",
        ".helmignore",
        "crds/a.yaml",
        "x.prov",
    ];
    assert_eq!(names(&chart.files), rest);
    assert_eq!(chart.lock.unwrap().digest, "sha256:1");
    assert_eq!(chart.schema.as_deref(), Some(&b"{}"[..]));
    assert_eq!(chart.values_source.as_deref(), Some(&b"a: 1"[..]));
    assert!(chart.values.contains(b"a"));
    assert!(chart.dependencies.is_empty());
}

#[test]
fn without_values_there_is_the_nil_map() {
    assert!(chart(&[]).values.is_nil());
    assert!(!chart(&[("values.yaml", "")]).values.is_nil());
}

#[test]
fn versions() {
    for (yaml, want) in [
        (GOOD, Ok("v2")),
        (OLD, Ok("v1")),
        ("name: c\nversion: 1.2.3", Ok("v1")),
        ("APIVersion: v2\nNAME: c\nversion: 1.2.3", Ok("v2")),
        ("apiVersion: v3\nname: c\nversion: 1.2.3", Ok("v3")),
        ("apiVersion: v9", Err("unsupported chart version")),
        ("apiVersion: V2", Err("unsupported chart version")),
    ] {
        let got = load(&[("Chart.yaml", yaml)]).0.map(|chart| chart.metadata.api_version);
        assert_eq!(got, want.map(str::to_owned).map_err(str::to_owned), "{yaml}");
    }
    let missing = "unable to detect chart version, no Chart.yaml found";
    assert_eq!(load(&[("x", "")]).0.unwrap_err(), missing);
    let hidden = Chart::from_files_as(Format::V2, vec![], &Limits::default()).unwrap_err();
    assert_eq!(hidden.to_string(), "Chart.yaml file is missing");
    let future = load(&[("Chart.yaml", "apiVersion: v3\nname: c\nversion: 1.2.3")]).0.unwrap();
    assert_eq!(future.check_api_version().unwrap_err().to_string(), "invalid chart apiVersion");
}

#[test]
fn requirements_belong_to_v1() {
    let files =
        [("requirements.yaml", "dependencies: [{name: a}]"), ("requirements.lock", "digest: x")];
    let (old, log) = load(&[&[("Chart.yaml", OLD)], &files[..]].concat());
    let old = old.unwrap();
    assert_eq!(names(&old.files), ["requirements.yaml", "requirements.lock"]);
    assert_eq!(old.metadata.dependencies().count(), 1);
    assert_eq!(old.lock.unwrap().digest, "x");
    assert!(log.is_empty());

    let (new, log) = load(&[&[("Chart.yaml", GOOD)], &files[..]].concat());
    let new = new.unwrap();
    assert!(new.files.is_empty());
    assert_eq!(new.metadata.dependencies().count(), 1);
    assert_eq!(
        log,
        [
            "level=INFO msg=\"Warning: Dependencies are handled in Chart.yaml since apiVersion \\\"v2\\\". We recommend migrating dependencies to Chart.yaml.\"",
            "level=INFO msg=\"Warning: Dependency locking is handled in Chart.lock since apiVersion \\\"v2\\\". We recommend migrating to Chart.lock.\"",
        ]
    );
    let v3 =
        [("Chart.yaml", "apiVersion: v3\nname: c\nversion: 1.2.3"), ("requirements.yaml", "[")];
    assert_eq!(names(&load(&v3).0.unwrap().files), ["requirements.yaml"]);
}

#[test]
fn requirements_are_decoded_onto_what_is_there() {
    let yaml =
        format!("{GOOD}dependencies:\n- {{name: a, version: '1', alias: q}}\n- {{name: b}}\n");
    let files = [
        ("Chart.yaml", yaml.as_str()),
        ("requirements.yaml", "name: other\ndependencies: [{name: z}]"),
    ];
    let metadata = load(&files).0.unwrap().metadata;
    assert_eq!(metadata.name, "other");
    let kept: Vec<_> =
        metadata.dependencies().map(|d| (&*d.name, &*d.version, &*d.alias)).collect();
    assert_eq!(kept, [("z", "1", "q")]);
}

#[test]
fn the_log_survives_an_error() {
    let (result, log) = load(&[("Chart.yaml", GOOD), ("requirements.yaml", "x")]);
    assert_eq!(
        result.unwrap_err(),
        "cannot load requirements.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type v2.Metadata"
    );
    assert_eq!(log.len(), 1);
}

#[test]
fn subcharts() {
    let sub = |name: &str| format!("name: {name}\nversion: 1.0.0");
    let (a, b) = (sub("a"), sub("b"));
    let chart = chart(&[
        ("charts/z/Chart.yaml", &a),
        ("charts/z/templates/x.yaml", "x"),
        ("charts/z/charts/b/Chart.yaml", &b),
        ("charts/y/Chart.yaml", &a),
    ]);
    // Two of the same name are kept, named by their Chart.yaml.
    let found: Vec<_> = chart.dependencies.iter().map(|sub| sub.metadata.name.as_str()).collect();
    assert_eq!(found, ["a", "a"]);
    assert_eq!(names(&chart.dependencies[1].templates), ["templates/x.yaml"]);
    assert_eq!(chart.dependencies[1].dependencies[0].metadata.name, "b");
    // Only the root's version is checked.
    let odd = [("charts/a/Chart.yaml", "apiVersion: v9\nname: a\nversion: 1.0.0")];
    assert_eq!(self::chart(&odd).dependencies[0].metadata.api_version, "v9");
}

#[test]
fn subcharts_that_fail() {
    for (name, data, want) in [
        (
            "charts/README.md",
            "",
            "error unpacking subchart README.md in c: Chart.yaml file is missing",
        ),
        ("charts/a/x", "", "error unpacking subchart a in c: Chart.yaml file is missing"),
        ("charts/a.tgz/x", "", "error unpacking subchart tar in c: expected a.tgz, got a.tgz/x"),
        ("charts/a.tgz", "", "error unpacking subchart a.tgz in c: EOF"),
        (
            "charts/a.tgz",
            "not an archive",
            "error unpacking subchart a.tgz in c: gzip: invalid header",
        ),
        ("charts/a.TGZ", "", "error unpacking subchart a.TGZ in c: Chart.yaml file is missing"),
        (
            "charts/a/Chart.yaml",
            "name: a",
            "error unpacking subchart a in c: validation: chart.metadata.version is required",
        ),
        (
            "charts/a/charts/b/Chart.yaml",
            "",
            "error unpacking subchart a in c: Chart.yaml file is missing",
        ),
    ] {
        assert_eq!(error(&[(name, data)]), want, "{name}");
    }
}

#[test]
fn archives_inside_archives() {
    let inner = pack(&[("Chart.yaml", b"name: in\nversion: 1.0.0"), ("templates/.hid", &b"x"[..])]);
    let middle = pack(&[("Chart.yaml", b"name: mid\nversion: 1.0.0"), ("charts/in.tgz", &inner)]);
    let outer = pack(&[("Chart.yaml", GOOD.as_bytes()), ("charts/mid.tgz", &middle)]);
    let chart = Chart::from_archive(&outer, &Limits::default()).unwrap().output;
    let inner = &chart.dependencies[0].dependencies[0];
    assert_eq!(
        (inner.metadata.name.as_str(), names(&inner.templates)),
        ("in", vec!["templates/.hid".to_owned()])
    );

    let bad = tgz(&[file("c/../../x", b"")]);
    let outer = pack(&[("Chart.yaml", GOOD.as_bytes()), ("charts/bad.tgz", &bad)]);
    assert_eq!(
        Chart::from_archive(&outer, &Limits::default()).unwrap_err().to_string(),
        "error unpacking subchart bad.tgz in c: chart illegally references parent directory"
    );
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| {
        let mut archive = pack(&[("Chart.yaml", GOOD.as_bytes())]);
        for _ in 1..levels {
            archive = pack(&[("Chart.yaml", GOOD.as_bytes()), ("charts/s.tgz", &archive)]);
        }
        archive
    };
    assert!(Chart::from_archive(nested(100), &Limits::default()).is_ok());
    let error = Chart::from_archive(nested(101), &Limits::default()).unwrap_err();
    assert!(error.kind().is_limit());
    assert!(error.to_string().ends_with(": charts are nested more than 100 deep"));

    let directories = |levels: usize| {
        (0..levels)
            .map(|i| File::new(format!("{}Chart.yaml", "charts/a/".repeat(i)), GOOD))
            .collect()
    };
    assert!(Chart::from_files(directories(100), &Limits::default()).is_ok());
    assert!(
        Chart::from_files(directories(5000), &Limits::default()).unwrap_err().kind().is_limit()
    );
    assert!(Chart::from_files(directories(51), &Limits::strict()).unwrap_err().kind().is_limit());
}

#[test]
fn the_archives_of_a_chart_count_together() {
    let bomb = pack(&[("Chart.yaml", GOOD.as_bytes()), ("z", &vec![0; 1 << 20])]);
    let names: Vec<_> = (0..8).map(|i| format!("charts/{i}.tgz")).collect();
    let mut files = vec![("Chart.yaml", GOOD.as_bytes())];
    files.extend(names.iter().map(|name| (name.as_str(), bomb.as_slice())));
    let mut limits = Limits::default();
    limits.archive.inflated = 4 << 20;
    let error = Chart::from_archive(pack(&files), &limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error unpacking subchart 3.tgz in c: chart archive inflates to more than 4194304 bytes"
    );
}

#[test]
fn custom_resource_definitions() {
    let chart = chart(&[
        ("crds/b.YAML", ""),
        ("crds/a/c.json", ""),
        ("crds/x.txt", ""),
        ("crds.yaml", ""),
        ("charts/s/Chart.yaml", "name: sub\nversion: 1.0.0"),
        ("charts/s/crds/d.yml", ""),
    ]);
    let found = chart.crd_objects();
    let files: Vec<_> =
        found.iter().map(|crd| crd.filename.to_string_lossy().into_owned()).collect();
    assert_eq!(files, ["c/crds/b.YAML", "c/crds/a/c.json", "c/charts/sub/crds/d.yml"]);
    assert_eq!(found[2].file.name.as_bytes(), b"crds/d.yml");
}

#[test]
fn values_files() {
    let not_a_map = |found: &str| {
        format!(
            "cannot load values.yaml: cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
        )
    };
    for (text, want) in [
        ("[]", not_a_map("array")),
        ("x", not_a_map("string")),
        ("5", not_a_map("number")),
        ("true", not_a_map("bool")),
        ("a: 1\n----\n", "cannot load values.yaml: error reading yaml document: invalid Yaml document separator: -".into()),
    ] {
        assert_eq!(error(&[("values.yaml", text)]), want);
    }
    assert_eq!(chart(&[("values.yaml", "a: 1\n---\nb: 2\n")]).values.len(), 2);
}

#[test]
fn presence_of_dependencies() {
    let yaml = format!(
        "{GOOD}dependencies: [{{name: a, alias: q, condition: no}}, {{name: b}}, {{name: x}}]"
    );
    let files = [
        ("Chart.yaml", yaml.as_str()),
        ("charts/1/Chart.yaml", "name: b\nversion: 1.0.0\ndependencies: [{name: none}]"),
    ];
    let chart = load(&files).0.unwrap();
    assert_eq!(
        check_dependencies(&chart).unwrap_err().to_string(),
        "found in Chart.yaml, but missing in charts/ directory: a, x"
    );
    assert!(check_dependencies(&self::chart(&[])).is_ok());
}

#[test]
fn types_that_can_be_installed() {
    let check = |ty: &str| {
        let yaml = format!("{GOOD}type: {ty}");
        let chart = load(&[("Chart.yaml", &yaml)]).0.unwrap();
        chart.check_installable().map_err(|error| error.to_string())
    };
    assert_eq!(check("application"), Ok(()));
    assert_eq!(check("\"\""), Ok(()));
    assert_eq!(check("library"), Err("library charts are not installable".into()));
}

#[test]
fn charts_can_be_shared() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Chart>();
    shared::<bowsprit_chart::Error>();
}
