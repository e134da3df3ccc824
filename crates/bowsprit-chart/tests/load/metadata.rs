use bowsprit_chart::{Chart, File, Limits, Metadata};
use bowsprit_value::Value;

const GOOD: &str = "apiVersion: v2\nname: c\nversion: 1.2.3\n";

fn load(yaml: &str) -> Result<Metadata, String> {
    let files = vec![File::new("Chart.yaml", yaml)];
    match Chart::from_files(files, &Limits::default()) {
        Ok(loaded) => Ok(loaded.output.metadata),
        Err(error) => Err(error.to_string()),
    }
}

/// The metadata of a valid chart with more lines.
fn with(lines: &str) -> Result<Metadata, String> {
    load(&format!("{GOOD}{lines}"))
}

fn json_error(text: &str) -> String {
    format!(
        "cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {text}"
    )
}

#[test]
fn scalars_become_text() {
    for (scalar, want) in [
        ("1.10", "1.1"),
        ("1.23456789", "1.2345679"),
        ("16777217", "16777217"),
        ("16777217.0", "1.6777216e+07"),
        ("0x1f", "31"),
        ("017", "15"),
        ("5", "5"),
        ("true", "true"),
        ("yes", "true"),
        ("n", "false"),
        ("2020-01-02", "2020-01-02"),
        ("18446744073709551615", "18446744073709551615"),
        ("null", ""),
        ("'1.10'", "1.10"),
        ("!!binary aGk=", "hi"),
    ] {
        let metadata =
            with(&format!("appVersion: {scalar}\nannotations: {{a: {scalar}}}")).unwrap();
        assert_eq!(metadata.app_version, want, "{scalar}");
        assert_eq!(metadata.annotations.unwrap()["a"], want, "{scalar}");
    }
}

#[test]
fn keys_match_without_case_and_the_last_wins() {
    let metadata = with("name: d\nAppVersion: '9'\n\u{212a}eywords: [k]\nunknown: 1").unwrap();
    assert_eq!((metadata.name.as_str(), metadata.app_version.as_str()), ("d", "9"));
    assert_eq!(metadata.keywords, Some(vec!["k".into()]));
    // Keys are sorted on the way, so that of different spellings the last in order of bytes wins.
    assert_eq!(with("name: a\nNAME: b").unwrap().name, "a");
    assert_eq!(load("name: c\nversion: 1.2.3\n---\nname: d").unwrap().name, "c");
}

#[test]
fn lists_and_maps() {
    let metadata = with("keywords: []\nsources: null\ntags: x\ndeprecated: on").unwrap();
    assert_eq!((metadata.keywords, metadata.sources), (Some(vec![]), None));
    assert_eq!((metadata.tags.as_str(), metadata.deprecated), ("x", true));
    assert!(metadata.dependencies.is_none());
    assert!(with("dependencies: []").unwrap().dependencies.is_some());

    let metadata = with("maintainers: [{name: 5, EMAIL: a}]").unwrap();
    let maintainer = metadata.maintainers.unwrap().remove(0).unwrap();
    assert_eq!((maintainer.name.as_str(), maintainer.email.as_str()), ("5", "a"));
}

#[test]
fn dependencies() {
    let metadata = with(
        "dependencies: [{name: a, version: 1.0, tags: [t, 1], enabled: true, import-values: [data, {child: x, parent: 2}], alias: b}]",
    )
    .unwrap();
    let dependency = metadata.dependencies().next().unwrap();
    assert_eq!((dependency.name.as_str(), dependency.version.as_str()), ("a", "1"));
    assert_eq!(dependency.tags, Some(vec!["t".into(), "1".into()]));
    assert_eq!((dependency.key(), dependency.enabled), ("b", true));
    let imports = dependency.import_values.as_ref().unwrap();
    assert!(matches!(&imports[0], Value::Str(name) if name.as_bytes() == b"data"));
    let parent = imports[1].as_map().and_then(|map| map.get(b"parent"));
    assert!(matches!(parent, Some(Value::Float(2.0))));
}

#[test]
fn type_errors() {
    for (lines, want) in [
        ("appVersion: {a: b}", "object into Go struct field Metadata.appVersion of type string"),
        ("home: [a]", "array into Go struct field Metadata.home of type string"),
        ("deprecated: 'yes'", "string into Go struct field Metadata.deprecated of type bool"),
        ("deprecated: 1", "number into Go struct field Metadata.deprecated of type bool"),
        ("keywords: a", "string into Go struct field Metadata.keywords of type []string"),
        ("keywords: [[a]]", "array into Go struct field Metadata.keywords of type string"),
        (
            "annotations: []",
            "array into Go struct field Metadata.annotations of type map[string]string",
        ),
        ("annotations: {a: [b]}", "array into Go struct field Metadata.annotations of type string"),
        (
            "maintainers: x",
            "string into Go struct field Metadata.maintainers of type []*v2.Maintainer",
        ),
        (
            "maintainers: [x]",
            "string into Go struct field Metadata.maintainers of type v2.Maintainer",
        ),
        (
            "maintainers: [{url: []}]",
            "array into Go struct field Maintainer.maintainers.url of type string",
        ),
        (
            "dependencies: [{tags: 5}]",
            "number into Go struct field Dependency.dependencies.tags of type []string",
        ),
        (
            "dependencies: [{import-values: x}]",
            "string into Go struct field Dependency.dependencies.import-values of type []interface {}",
        ),
        // The first in the order of the keys, not of the file.
        (
            "home: [a]\nappVersion: []",
            "array into Go struct field Metadata.appVersion of type string",
        ),
    ] {
        assert_eq!(with(lines).unwrap_err(), json_error(want), "{lines}");
    }
    assert_eq!(load("[]").unwrap_err(), json_error("array into Go value of type loader.chartBase"));
}

#[test]
fn errors_before_types() {
    for (lines, want) in [
        ("x: .inf\nhome: []", "error converting YAML to JSON: json: unsupported value: +Inf"),
        // A string could have it, but the version is looked for first.
        ("appVersion: .inf", "error converting YAML to JSON: json: unsupported value: +Inf"),
        ("maintainers: [.nan]", "error converting YAML to JSON: json: unsupported value: NaN"),
        (
            "a: b: c",
            "error converting YAML to JSON: yaml: line 4: mapping values are not allowed in this context",
        ),
        (
            "~: d",
            "error converting YAML to JSON: unsupported map key of type: %!s(<nil>), key: <nil>, value: \"d\"",
        ),
    ] {
        assert_eq!(with(lines).unwrap_err(), format!("cannot load Chart.yaml: {want}"), "{lines}");
    }
}

#[test]
fn nulls_are_found_by_validation() {
    for (lines, want) in [
        ("maintainers: [null]", "validation: maintainers must not contain empty or null nodes"),
        ("dependencies: [null]", "validation: dependencies must not contain empty or null nodes"),
        ("name: null", "validation: chart.metadata.name is required"),
        ("version: null", "validation: chart.metadata.version is required"),
    ] {
        let got = with(lines).map_or_else(|error| error, |_| "ok".into());
        assert_eq!(got, want, "{lines}");
    }
    assert_eq!(load("").unwrap_err(), "validation: chart.metadata.name is required");
}

#[test]
fn locks() {
    let lock = |text: &str| {
        let files = vec![File::new("Chart.yaml", GOOD), File::new("Chart.lock", text)];
        let loaded = Chart::from_files(files, &Limits::default());
        loaded.map(|loaded| loaded.output.lock).map_err(|error| error.to_string())
    };
    let full = lock("generated: \"2024-01-01T10:00:00.5Z\"\ndigest: 5\ndependencies: [{name: a}]");
    let full = full.unwrap().unwrap();
    assert_eq!((full.generated.as_str(), full.digest.as_str()), ("2024-01-01T10:00:00.5Z", "5"));
    assert_eq!(full.dependencies.unwrap().len(), 1);
    assert!(lock("").unwrap().is_none());
    assert!(lock("{}").unwrap().is_some());
    for (text, want) in [
        ("generated: 5", "Time.UnmarshalJSON: input is not a JSON string"),
        (
            "generated: x",
            "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\"",
        ),
        (
            "dependencies: x\ngenerated: '2024-02-30T10:00:00Z'",
            "parsing time \"2024-02-30T10:00:00Z\": day out of range",
        ),
        ("[]", "json: cannot unmarshal array into Go value of type v2.Lock"),
    ] {
        let want =
            format!("cannot load Chart.lock: error unmarshaling JSON: while decoding JSON: {want}");
        assert_eq!(lock(text).unwrap_err(), want);
    }
}
