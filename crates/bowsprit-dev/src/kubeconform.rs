//! `bowsprit validate` beside kubeconform, on what Helm rendered of public charts: which objects each
//! calls invalid. Both see the same schemas, those that bowsprit brings along.

use crate::TaskResult;
use bowsprit::validate::Schemas;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Findings that a schema alone leads to; what else bowsprit finds kubeconform does not look for.
const OF_SCHEMAS: &[&str] = &["K8S002", "K8S003", "K8S004", "K8S006", "K8S010"];

#[derive(Debug)]
struct Options {
    kubeconform: PathBuf,
    bowsprit: PathBuf,
    cases: PathBuf,
    version: String,
    all: bool,
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options {
        kubeconform: "kubeconform".into(),
        bowsprit: "target/release/bowsprit".into(),
        cases: "../shared/corpus/cases".into(),
        version: "1.36".to_owned(),
        all: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().cloned().ok_or_else(|| format!("{arg}: lacks a value"));
        match arg.as_str() {
            "--kubeconform" => options.kubeconform = value()?.into(),
            "--bowsprit" => options.bowsprit = value()?.into(),
            "--cases" => options.cases = value()?.into(),
            "--kube-version" => options.version = value()?,
            "--all" => options.all = true,
            other => return Err(format!("validate-versus-kubeconform: unknown argument {other}")),
        }
    }
    Ok(options)
}

pub(super) fn run(args: &[String]) -> TaskResult {
    let options = options(args)?;
    let folder = std::env::temp_dir().join(format!("bowsprit-schemas-{}", std::process::id()));
    let outcome = write_schemas(&options.version, &folder)
        .map_err(|error| format!("{}: {error}", folder.display()))
        .and_then(|()| compare(&options, &folder));
    let _ = fs::remove_dir_all(&folder);
    outcome
}

/// The outputs that are compared: of each chart the one without values, or all.
fn outputs(options: &Options) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("{}: {error}", options.cases.display());
    let mut found = Vec::new();
    for chart in fs::read_dir(&options.cases).map_err(failed)?.flatten() {
        for case in fs::read_dir(chart.path()).map_err(failed)?.flatten() {
            let path = case.path().join("expected.yaml");
            let wanted = options.all || case.file_name() == "default";
            if wanted && path.is_file() && !case.path().join("expected.err").exists() {
                found.push(path.canonicalize().map_err(failed)?);
            }
        }
    }
    found.sort();
    if found.is_empty() { Err("there are no outputs to compare".to_owned()) } else { Ok(found) }
}

type Invalid = BTreeMap<(String, String, String), String>;

fn compare(options: &Options, schemas: &Path) -> TaskResult {
    let files = outputs(options)?;
    let (mut objects, mut both, mut text) = (0, 0, String::new());
    let mut different = 0;
    for part in files.chunks(40) {
        let (total, theirs) = kubeconform(options, schemas, part)?;
        let ours = bowsprit(options, part)?;
        objects += total;
        for key in theirs.keys().chain(ours.keys().filter(|key| !theirs.contains_key(*key))) {
            match (theirs.get(key), ours.get(key)) {
                (Some(_), Some(_)) => both += 1,
                (theirs, ours) => {
                    different += 1;
                    let (file, kind, name) = key;
                    let _ = writeln!(text, "{file}: {kind}/{name}");
                    let said = |said: Option<&String>| {
                        said.map_or("valid", |said| said.as_str()).to_owned()
                    };
                    let _ = writeln!(text, "  kubeconform: {}", said(theirs));
                    let _ = writeln!(text, "  bowsprit: {}", said(ours));
                }
            }
        }
    }
    let _ = write!(
        text,
        "{} outputs, {objects} objects: {both} invalid for both, {different} for one alone",
        files.len()
    );
    if different == 0 { Ok(text) } else { Err(text) }
}

fn kubeconform(
    options: &Options,
    schemas: &Path,
    files: &[PathBuf],
) -> Result<(usize, Invalid), String> {
    let location = format!("{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", schemas.display());
    let output = Command::new(&options.kubeconform)
        .args(["-strict", "-ignore-missing-schemas", "-verbose", "-output", "json"])
        .args(["-schema-location", &location])
        .args(files)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", options.kubeconform.display()))?;
    let report: Value = serde_json::from_slice(&output.stdout).map_err(|error| {
        format!("kubeconform: {error}: {}", String::from_utf8_lossy(&output.stderr))
    })?;
    let resources = report["resources"].as_array().cloned().unwrap_or_default();
    let mut invalid = Invalid::new();
    let mut count = 0;
    for resource in &resources {
        let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
        count += usize::from(!text("kind").is_empty());
        if matches!(text("status").as_str(), "statusInvalid" | "statusError") {
            invalid.insert((text("filename"), text("kind"), text("name")), text("msg"));
        }
    }
    Ok((count, invalid))
}

fn bowsprit(options: &Options, files: &[PathBuf]) -> Result<Invalid, String> {
    let mut command = Command::new(&options.bowsprit);
    command.args(["validate", "--ignore-missing-schemas", "--format", "json"]);
    command.args(["--kube-version", &options.version]);
    for file in files {
        command.arg("--manifests").arg(file);
    }
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{}: {error}", options.bowsprit.display()))?;
    let report: Value = serde_json::from_slice(&output.stdout).map_err(|error| {
        format!("bowsprit: {error}: {}", String::from_utf8_lossy(&output.stderr))
    })?;
    let mut invalid = Invalid::new();
    for subject in report["subjects"].as_array().into_iter().flatten() {
        for finding in subject["findings"].as_array().into_iter().flatten() {
            let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
            let (rule, message) = (text("rule"), text("message"));
            if !OF_SCHEMAS.contains(&rule.as_str()) {
                continue;
            }
            let object = text("object");
            let mut parts = object.split('/');
            let kind = parts.next().unwrap_or_default().to_owned();
            let name = parts.next_back().unwrap_or_default().to_owned();
            let file = subject["name"].as_str().unwrap_or_default().to_owned();
            invalid.entry((file, kind, name)).or_insert(message);
        }
    }
    Ok(invalid)
}

/// The schemas of a version as kubeconform wants them: a file for each kind, all definitions in one.
fn write_schemas(version: &str, folder: &Path) -> std::io::Result<()> {
    let schemas = Schemas::bundled(version).map_err(std::io::Error::other)?;
    fs::create_dir_all(folder)?;
    let mut definitions = Map::new();
    let names: Vec<String> = schemas.definitions().map(str::to_owned).collect();
    for name in names {
        let Some(text) = schemas.definition_text(&name) else { continue };
        let schema: Value = serde_json::from_str(text).map_err(std::io::Error::other)?;
        let kinds = schema["x-kubernetes-group-version-kind"].as_array();
        for kind in kinds.into_iter().flatten().filter(|_| !name.ends_with("Options")) {
            let text = |name: &str| kind[name].as_str().unwrap_or_default().to_lowercase();
            let group = text("group");
            let group = group.split('.').next().filter(|group| !group.is_empty());
            let group = group.map(|group| format!("-{group}")).unwrap_or_default();
            let file = format!("{}{group}-{}.json", text("kind"), text("version"));
            fs::write(folder.join(file), converted(&schema).to_string())?;
        }
        definitions.insert(name, converted(&schema));
    }
    fs::write(folder.join("_definitions.json"), json!({"definitions": definitions}).to_string())
}

/// The schemas that are made for kubeconform let null stand for all that isn't required, as the API server
/// does, which drops it.
fn or_null(schema: Value) -> Value {
    if schema.is_object() { json!({"anyOf": [schema, {"type": "null"}]}) } else { schema }
}

/// What OpenAPI means and JSON Schema says otherwise: null where nothing is required, no other fields.
fn converted(schema: &Value) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut out = Map::new();
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (key, value) in schema {
        let value = match (key.as_str(), value) {
            ("$ref", Value::String(reference)) => {
                let name = reference.rsplit('/').next().unwrap_or_default();
                json!(format!("_definitions.json#/definitions/{name}"))
            }
            ("properties", Value::Object(properties)) => {
                let properties = properties.iter().map(|(name, schema)| {
                    let schema = converted(schema);
                    let required = required.contains(&name.as_str());
                    (name.clone(), if required { schema } else { or_null(schema) })
                });
                Value::Object(properties.collect())
            }
            ("items" | "additionalProperties", value) => or_null(converted(value)),
            ("oneOf" | "anyOf" | "allOf", Value::Array(list)) => {
                list.iter().map(converted).collect()
            }
            ("format", _) => continue,
            (key, _) if key.starts_with("x-") => continue,
            (_, value) => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    if out.contains_key("properties") && !out.contains_key("additionalProperties") {
        out.insert("additionalProperties".to_owned(), false.into());
    }
    Value::Object(out)
}
