//! `bowsprit validate`.

use super::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{charts, limits, release, render, report, streams, values};
use bowsprit::loader::PathError;
use bowsprit::report::{Finding, Format, Report, Severity, Subject};
use bowsprit::validate::policy::Policies;
use bowsprit::validate::{
    Input, RULES, Schemas, Validator, add_crds, files, kyverno, release_texts, schemas_from,
    validate_release,
};
use std::io::Read;
use std::path::Path;

pub(super) static COMMAND: Command = Command {
    name: "validate",
    usage: "validate [CHART...] [flags]",
    about: "Check rendered objects against what Kubernetes accepts, without a cluster",
    examples: "\
Renders each CHART and checks its objects against the schemas of a version of Kubernetes: unknown and
missing fields, wrong types and values, names, labels, API versions that are deprecated or gone. Custom
resources are checked against the definitions in the chart, in the release and in --crds. The exit code
is 0 if no object is wrong, and 1 if one is or the command can't run.

Examples:
  bowsprit validate ./chart -f prod.yaml
  bowsprit validate ./chart --kube-version 1.33 --crds ./crds
  bowsprit template demo ./chart | bowsprit validate --manifests -
  bowsprit validate --manifests rendered/ --ignore-missing-schemas
  kubectl get --raw /openapi/v3/apis/apps/v1 > schemas/apps.json
  bowsprit validate ./chart --schemas schemas
  bowsprit validate ./chart --policies policies/
  kyverno apply policies/ -r rendered.yaml --policy-report > kyverno.yaml || true
  bowsprit validate --manifests rendered.yaml --merge-report kyverno.yaml
  bowsprit validate ./chart --format github",
    flags: &[FLAGS, report::FLAGS, charts::FLAGS, values::FLAGS, release::FLAGS, limits::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with(
        "manifests",
        Kind::Texts,
        "PATH",
        "Check the objects in this file or folder, or - for standard input; repeatable",
    ),
    Flag::with(
        "crds",
        Kind::Texts,
        "PATH",
        "Custom resource definitions: a file or a folder; repeatable",
    ),
    Flag::with(
        "schemas",
        Kind::Text,
        "PATH",
        "OpenAPI v3 documents instead of the bundled ones: a file or a folder",
    ),
    Flag::switch("ignore-missing-schemas", "Pass over kinds of which nothing is known"),
    Flag::switch("lenient", "Let unknown fields pass"),
    Flag::switch("strict", "Fail on warnings too"),
    Flag::with(
        "policies",
        Kind::Texts,
        "PATH",
        "ValidatingAdmissionPolicies, with bindings and parameters: a file or a folder; repeatable",
    ),
    Flag::with(
        "merge-report",
        Kind::Texts,
        "FILE",
        "Add the results of a report that Kyverno printed; repeatable",
    ),
    Flag::with("release-name", Kind::Text, "NAME", "The release's name (default release-name)"),
    Flag::switch("list-versions", "Print the versions of Kubernetes that are bundled"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    if parsed.is_on("list-versions") {
        let versions = Schemas::bundled_versions().join("\n");
        return streams::write(format!("{versions}\n").as_bytes());
    }
    let manifests = parsed.all("manifests");
    if invocation.args().is_empty() && manifests.is_empty() {
        return Err(Failure::Error(
            "\"bowsprit validate\" requires a chart, or --manifests\n\n\
             Usage:  bowsprit validate [CHART...] [flags]"
                .to_owned(),
        ));
    }
    report::format(parsed)?;
    let mut report = Report::new("validate", env!("CARGO_PKG_VERSION"));
    report.rules.extend(RULES.iter().cloned());
    let policies = policies(invocation)?;
    for chart in invocation.args() {
        report.subjects.push(of_chart(invocation, chart, &policies)?);
    }
    for path in &manifests {
        report.subjects.push(of_manifests(parsed, path, &policies)?);
    }
    for path in parsed.all("merge-report") {
        report.subjects.push(of_kyverno(&path)?);
    }
    if parsed.is_on("strict") {
        for subject in &mut report.subjects {
            let bad = |finding: &Finding| finding.severity > Severity::Info;
            subject.failed |= subject.findings.iter().any(bad);
        }
    }
    let text = Format::Text.print(&report);
    report::print(parsed, &report, &text)?;
    if !report.failed() {
        return Ok(());
    }
    let totals = report.totals();
    Err(Failure::Error(format!("{} of {} failed", totals.failed, totals.subjects)))
}

fn validator(parsed: &Parsed) -> Result<Validator, Failure> {
    let capabilities = release::capabilities(parsed)?;
    let version = capabilities.kube_version().version().to_owned();
    let schemas = match parsed.non_empty("schemas") {
        Some(path) => schemas_from(Path::new(path), &version).map_err(Failure::Error)?,
        None => Schemas::bundled(&version).map_err(Failure::of)?,
    };
    let mut validator = Validator::new(schemas);
    validator.strict = !parsed.is_on("lenient");
    validator.ignore_missing_schemas = parsed.is_on("ignore-missing-schemas");
    for path in parsed.all("crds") {
        let count = add_crds(&mut validator.crds, Path::new(&path)).map_err(Failure::Error)?;
        if count == 0 {
            return Err(Failure::Error(format!("{path}: no custom resource definitions")));
        }
    }
    Ok(validator)
}

fn policies(invocation: &Invocation<'_>) -> Result<Policies, Failure> {
    let mut policies = Policies::default();
    policies.namespace = invocation.settings.namespace();
    for path in invocation.parsed.all("policies") {
        let mut count = 0;
        for (file, text) in files(Path::new(&path)).map_err(Failure::of)? {
            let added = policies.add(&text);
            count += added.map_err(|error| Failure::Error(format!("{file}: {error}")))?;
        }
        if count == 0 {
            return Err(Failure::Error(format!("{path}: no ValidatingAdmissionPolicy")));
        }
    }
    Ok(policies)
}

fn of_chart(
    invocation: &Invocation<'_>,
    reference: &str,
    policies: &Policies,
) -> Result<Subject, Failure> {
    let parsed = invocation.parsed;
    let mut validator = validator(parsed)?;
    let name = parsed.non_empty("release-name").unwrap_or("release-name");
    let job = render::prepare(invocation, name.to_owned(), reference)?;
    let release = job.release(invocation)?;
    let mut subject = validate_release(&mut validator, reference, &release);
    for (file, text, has_lines) in &release_texts(reference, &release) {
        policies.check(&Input { file, text, has_lines: *has_lines }, &mut subject);
    }
    Ok(subject)
}

fn of_manifests(parsed: &Parsed, path: &str, policies: &Policies) -> Result<Subject, Failure> {
    let mut validator = validator(parsed)?;
    let (name, texts) = match path.trim() {
        "-" => {
            let mut text = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut text);
            read.map_err(|e| Failure::of(PathError::new("read", Path::new("/dev/stdin"), e)))?;
            ("standard input", vec![("standard input".to_owned(), text)])
        }
        path => (path, files(Path::new(path)).map_err(Failure::of)?),
    };
    for (_, text) in &texts {
        // What is no YAML is a finding below.
        let _ = validator.crds.add(text);
    }
    let inputs: Vec<Input<'_>> = texts.iter().map(|(file, text)| Input::file(file, text)).collect();
    let mut subject = validator.validate(name, &inputs);
    inputs.iter().for_each(|input| policies.check(input, &mut subject));
    Ok(subject)
}

fn of_kyverno(path: &str) -> Result<Subject, Failure> {
    let text = std::fs::read(path)
        .map_err(|error| Failure::of(PathError::new("open", Path::new(path), error)))?;
    let mut subject = Subject::new(path);
    subject.findings =
        kyverno::findings(&text).map_err(|error| Failure::Error(format!("{path}: {error}")))?;
    subject.failed = subject.findings.iter().any(|f| f.severity == Severity::Error);
    Ok(subject)
}
