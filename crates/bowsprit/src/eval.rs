//! Questions to the engine as JSON, one object a line, for programs in any language.
//!
//! A request names its `kind`: `template`, `values`, `semver`, `yaml`, `yamltojson`, `valuesyaml`,
//! `toyaml` or `manifests`; its `id` comes back in the answer. An answer is `{"id", "out"}`,
//! `{"id", "outs"}` or `{"id", "error"}`, with `warnings` where Helm would have logged some.

use bowsprit_chart::{Chart, File, Format, Level, Limits as ChartLimits, LogLine};
use bowsprit_manifest::{Hook, Manifest, Order, sort_manifests};
use bowsprit_render::values::{ValuesFile, ValuesOptions, merge};
use bowsprit_render::{Capabilities, Engine, KubeVersion, ReleaseOptions, RenderRequest};
use bowsprit_semver::{Constraint, Version};
use bowsprit_value::{Host, Limits, Map, Meter, Str, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Answers requests; one serves for any number of them.
#[derive(Debug)]
pub struct Evaluator<H> {
    engine: Engine,
    lint: Engine,
    host: H,
}

/// What an answer holds beside the request's `id`.
enum Answer {
    Out(Value),
    Outs(Value),
}

/// Why there is no answer: Helm's text, or a limit that Helm does not know.
enum Failure {
    Error(String),
    Limit(String),
}

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure::Error(text)
    }
}

impl Failure {
    fn of_render(error: &bowsprit_render::Error) -> Failure {
        let text = error.to_string();
        if error.is_limit() { Failure::Limit(text) } else { Failure::Error(text) }
    }
}

type Reply = Result<Answer, Failure>;

fn failed(error: impl ToString) -> Failure {
    Failure::Error(error.to_string())
}

impl<H: Host> Evaluator<H> {
    /// An evaluator whose templates ask the given host, each within the given limits.
    pub fn new(host: H, limits: Limits) -> Evaluator<H> {
        Evaluator {
            engine: Engine::builder().limits(limits).build(),
            lint: Engine::builder().limits(limits).lint(true).build(),
            host,
        }
    }

    /// Answers one request line. Never fails: what can't be answered is answered with an error.
    ///
    /// ```
    /// use bowsprit::eval::Evaluator;
    /// use bowsprit::value::{Hermetic, Limits};
    ///
    /// let evaluator = Evaluator::new(Hermetic::default(), Limits::default());
    /// let line = br#"{"id": 1, "kind": "template", "template": "{{ add 1 2 }}"}"#;
    /// assert_eq!(evaluator.answer(line), br#"{"id":1,"out":"3"}"#);
    /// ```
    pub fn answer(&self, line: &[u8]) -> Vec<u8> {
        let request = match json::decode_map(line) {
            Ok(map) => Request(map),
            Err(error) => {
                return fatal(Value::Nil, &format!("bad request: {error}"));
            }
        };
        let id = request.0.get(b"id").unwrap_or_default();
        let mut warnings = Vec::new();
        let reply = match self.reply(&request, &mut warnings) {
            Ok(Answer::Out(out)) => ("out", out),
            Ok(Answer::Outs(outs)) => ("outs", outs),
            Err(Failure::Error(text)) => ("error", Value::from(text)),
            Err(Failure::Limit(text)) => return fatal(id, &text),
        };
        let answer = object([("id", id), reply]);
        if !warnings.is_empty() {
            warnings.sort();
            let warnings = warnings.into_iter().map(Value::from).collect();
            answer.insert(Str::from_static("warnings"), Value::list(warnings));
        }
        encode(&answer)
    }

    /// The answer to a request that could not be carried to its end, for instance because of a defect:
    /// an error that is marked as fatal.
    pub fn fatal_answer(line: &[u8], text: &str) -> Vec<u8> {
        let id = json::decode_map(line).ok().and_then(|map| map.get(b"id"));
        fatal(id.unwrap_or_default(), text)
    }

    fn reply(&self, request: &Request, warnings: &mut Vec<String>) -> Reply {
        match request.text("kind").as_deref() {
            Some("template") => self.template(request, warnings),
            Some("values") => self.values(request, warnings),
            Some("semver") => semver(request),
            Some("yaml") => {
                bowsprit_yaml::decode(&request.bytes("yaml")).map(Answer::Out).map_err(failed)
            }
            Some("yamltojson") => bowsprit_yaml::yaml_to_json(&request.bytes("yaml"))
                .map(|text| Answer::Out(Value::Str(Str::from(text))))
                .map_err(failed),
            Some("valuesyaml") => bowsprit_yaml::read_values(&request.bytes("yaml"))
                .map(|map| Answer::Out(Value::Map(map)))
                .map_err(failed),
            Some("toyaml") => to_yaml(request),
            Some("manifests") => manifests(request),
            kind => Err(failed(format!("unknown kind {:?}", kind.unwrap_or_default()))),
        }
    }

    fn template(&self, request: &Request, warnings: &mut Vec<String>) -> Reply {
        let engine = if request.flag("lint") { &self.lint } else { &self.engine };
        let (chart, render) = prepare(request, warnings)?;
        let name = chart.metadata.name.clone();
        let files = match engine.compile(chart).render_files(&render, &self.host) {
            Ok(files) => {
                note(&files.warnings, warnings);
                files.output
            }
            Err(error) => {
                note(error.log(), warnings);
                return Err(Failure::of_render(&error));
            }
        };
        if request.flag("all") {
            let entry = |(k, v): (String, Vec<u8>)| (Str::from(k), Value::Str(Str::from(v)));
            let outs = files.into_iter().map(entry);
            return Ok(Answer::Outs(Value::Map(Map::from_entries(outs))));
        }
        match files.get(&format!("{name}/templates/x.yaml")) {
            Some(text) => Ok(Answer::Out(Value::Str(Str::from(text.as_slice())))),
            None => Err(failed("the template is not among the rendered ones")),
        }
    }

    fn values(&self, request: &Request, warnings: &mut Vec<String>) -> Reply {
        let (chart, render) = prepare(request, warnings)?;
        let compiled = self.engine.compile(chart);
        let plan = match compiled.plan(&render) {
            Ok(plan) => {
                note(&plan.warnings, warnings);
                plan.output
            }
            Err(error) => {
                note(error.log(), warnings);
                return Err(Failure::of_render(&error));
            }
        };
        let root = plan.instances.first().map(|i| i.path.clone()).unwrap_or_default();
        let mut subcharts: Vec<String> = plan
            .instances
            .iter()
            .skip(1)
            .filter_map(|i| i.path.strip_prefix(&format!("{root}/charts/")))
            .map(|path| path.replace("/charts/", "/"))
            .collect();
        subcharts.sort();
        let subcharts = subcharts.into_iter().map(Value::from).collect();
        Ok(Answer::Out(Value::Map(object([
            ("values", Value::Map(plan.values.clone())),
            ("subcharts", Value::list(subcharts)),
        ]))))
    }
}

fn object(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Map {
    Map::from_entries(entries.into_iter().map(|(k, v)| (Str::from_static(k), v)))
}

fn fatal(id: Value, text: &str) -> Vec<u8> {
    encode(&object([("id", id), ("error", Value::from(text)), ("fatal", Value::Bool(true))]))
}

fn encode(answer: &Map) -> Vec<u8> {
    let options = json::Options { escape_html: false, indent: None };
    let mut out = Vec::new();
    let value = Value::Map(answer.clone());
    if let Err(error) = json::encode(&value, &options, &mut out, &Meter::default()) {
        let id = answer.get(b"id").unwrap_or_default();
        let error = object([("id", id), ("error", Value::from(error.to_string()))]);
        let _ = json::encode(&Value::Map(error), &options, &mut out, &Meter::default());
    }
    out
}

/// Helm's warnings: what it logs as such, and what went through Go's old `log` package, which has no
/// levels and gives lines without attributes.
fn note(lines: &[LogLine], warnings: &mut Vec<String>) {
    let is_warning = |line: &&LogLine| match line.level {
        Level::Warn => true,
        Level::Info => line.attrs.is_empty(),
        Level::Debug | Level::Error => false,
    };
    for line in lines.iter().filter(is_warning) {
        let attrs: String = line.attrs.iter().map(|(k, v)| format!(" {k}={v}")).collect();
        warnings.push(format!("{}{attrs}", line.message));
    }
}

/// A request's fields.
struct Request(Map);

impl Request {
    fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name.as_bytes()) {
            Some(Value::Str(s)) => Some(s.to_string_lossy().into_owned()),
            _ => None,
        }
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        self.text(name).unwrap_or_default().into_bytes()
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name.as_bytes()), Some(Value::Bool(true)))
    }

    fn map(&self, name: &str) -> Option<Map> {
        self.0.get(name.as_bytes()).and_then(|v| v.as_map().cloned())
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let list = self.0.get(name.as_bytes());
        let items = list.iter().filter_map(Value::as_list).flat_map(|l| l.iter());
        items.filter_map(Value::as_str).map(|s| s.to_string_lossy().into_owned()).collect()
    }
}

/// Builds the request's chart in memory and the render that is asked for.
fn prepare(
    request: &Request,
    warnings: &mut Vec<String>,
) -> Result<(Arc<Chart>, RenderRequest), String> {
    let mut files = BTreeMap::new();
    chart_files(request, "", "chart", "chartValues", &mut files)?;
    if let Some(template) = request.text("template") {
        files.insert("templates/x.yaml".to_owned(), template.into_bytes());
    }
    let files = files.into_iter().map(|(name, data)| File::new(name, data)).collect();
    let loaded = Chart::from_files_as(Format::V2, files, &ChartLimits::default())
        .map_err(|e| e.to_string())?;
    note(&loaded.warnings, warnings);
    let options = ValuesOptions {
        files: user_files(request),
        set_json: request.texts("setJSON"),
        set: request.texts("set"),
        set_string: request.texts("setString"),
        set_literal: request.texts("setLiteral"),
        ..ValuesOptions::default()
    };
    let values =
        merge(&options, &mut |_| Err("no files here".into())).map_err(|e| e.to_string())?;
    let mut render = RenderRequest::new("release-name", "default")
        .values(values)
        .capabilities(capabilities(request)?);
    render.strict = request.flag("strict");
    release(request, &mut render.release);
    Ok((Arc::new(loaded.output), render))
}

fn user_files(request: &Request) -> Vec<ValuesFile> {
    let mut files = Vec::new();
    files.extend(request.map("values").map(ValuesFile::Parsed));
    files.extend(
        request.text("valuesYAML").map(|text| ValuesFile::Yaml {
            name: "values.yaml".to_owned(),
            text: text.into_bytes(),
        }),
    );
    files
}

fn release(request: &Request, options: &mut ReleaseOptions) {
    let Some(release) = request.map("release").map(Request) else { return };
    if let Some(name) = release.text("name") {
        options.name = name;
    }
    if let Some(namespace) = release.text("namespace") {
        options.namespace = namespace;
    }
    if let Some(Value::Float(revision)) = release.0.get(b"revision") {
        options.revision = revision as i64;
    }
    if let Some(Value::Bool(upgrade)) = release.0.get(b"isUpgrade") {
        options.is_upgrade = upgrade;
        options.is_install = !upgrade;
    }
    if let Some(Value::Bool(install)) = release.0.get(b"isInstall") {
        options.is_install = install;
    }
}

fn capabilities(request: &Request) -> Result<Capabilities, String> {
    let mut capabilities = Capabilities::default();
    match request.text("kubeVersion") {
        Some(version) if !version.is_empty() => {
            let version = KubeVersion::parse(&version).map_err(|e| e.to_string())?;
            capabilities = capabilities.with_kube_version(version);
        }
        _ => {}
    }
    Ok(capabilities.with_api_versions(request.texts("apiVersions").into_iter().map(Str::from)))
}

/// Lists the files of a chart and, below `charts/`, of its subcharts.
fn chart_files(
    chart: &Request,
    prefix: &str,
    name: &str,
    values: &str,
    out: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), String> {
    // Deeper than any real chart; requests are data and could nest without end.
    const MAX_DEPTH: usize = 64;
    if prefix.matches("charts/").count() > MAX_DEPTH {
        return Err("subcharts are nested too deeply".to_owned());
    }
    for (file, data) in chart.map("files").unwrap_or_default().entries().iter() {
        if let Value::Str(data) = data {
            out.insert(format!("{prefix}{file}"), data.as_bytes().to_vec());
        }
    }
    out.entry(format!("{prefix}Chart.yaml")).or_insert_with(|| {
        let metadata = object([
            ("apiVersion", Value::from("v2")),
            ("name", Value::from(name)),
            ("version", Value::from("0.1.0")),
        ]);
        for (key, value) in chart.map("chart").unwrap_or_default().entries().iter() {
            metadata.insert(key.clone(), value.clone());
        }
        encode(&metadata)
    });
    let text = chart.text(&format!("{values}YAML")).map(String::into_bytes).or_else(|| {
        let value = chart.0.get(values.as_bytes())?;
        let mut text = Vec::new();
        json::encode(&value, &json::Options::default(), &mut text, &Meter::default()).ok()?;
        Some(text)
    });
    if let Some(text) = text {
        out.insert(format!("{prefix}values.yaml"), text);
    }
    for (name, sub) in chart.map("subcharts").unwrap_or_default().entries().iter() {
        if let Value::Map(sub) = sub {
            let below = format!("{prefix}charts/{name}/");
            chart_files(&Request(sub.clone()), &below, &name.to_string_lossy(), "values", out)?;
        }
    }
    Ok(())
}

fn semver(request: &Request) -> Reply {
    let version = request.text("version").unwrap_or_default();
    let version = Version::parse(&version).map_err(|e| format!("version: {e}"))?;
    if let Some(constraint) = request.text("constraint") {
        let constraint = Constraint::parse(&constraint).map_err(|e| format!("constraint: {e}"))?;
        return Ok(Answer::Out(Value::Bool(constraint.check(&version))));
    }
    if let Some(other) = request.text("other") {
        let other = Version::parse(&other).map_err(|e| format!("other: {e}"))?;
        return Ok(Answer::Out(Value::int(version.compare(&other) as i64)));
    }
    let number = |n: u64| Value::Int(bowsprit_value::IntKind::Uint64, n as i64);
    Ok(Answer::Out(Value::Map(object([
        ("major", number(version.major())),
        ("minor", number(version.minor())),
        ("patch", number(version.patch())),
        ("prerelease", Value::from(version.prerelease())),
        ("metadata", Value::from(version.metadata())),
        ("string", Value::from(version.to_string())),
        ("original", Value::from(version.original())),
    ]))))
}

fn to_yaml(request: &Request) -> Reply {
    let value = request.0.get(b"json").unwrap_or_default();
    let mut out = Vec::new();
    let result = if request.flag("pretty") {
        bowsprit_yaml::encode_pretty(&value, &mut out, &Meter::default())
    } else {
        bowsprit_yaml::encode(&value, &mut out, &Meter::default())
    };
    result.map_err(failed)?;
    Ok(Answer::Out(Value::Str(Str::from(out))))
}

fn manifests(request: &Request) -> Reply {
    let order = match request.text("order").as_deref() {
        None | Some("" | "install") => Order::Install,
        Some("uninstall") => Order::Uninstall,
        Some(other) => return Err(failed(format!("unknown order {other:?}"))),
    };
    let files = request.map("files").unwrap_or_default().entries();
    let texts: Vec<(String, &[u8])> = files
        .iter()
        .filter_map(|(path, text)| Some((path.to_string(), text.as_str()?.as_bytes())))
        .collect();
    let outcome = sort_manifests(texts, order).map_err(failed)?;
    let hooks = outcome.sorted.hooks.iter().map(hook).collect();
    let manifests = outcome.sorted.manifests.iter().map(manifest).collect();
    Ok(Answer::Out(Value::Map(object([
        ("hooks", Value::list(hooks)),
        ("manifests", Value::list(manifests)),
    ]))))
}

fn hook(hook: &Hook) -> Value {
    let list = |items: &[String]| Value::list(items.iter().map(|s| s.as_str().into()).collect());
    Value::Map(object([
        ("name", Value::from(hook.name.as_str())),
        ("kind", Value::from(hook.kind.as_str())),
        ("path", Value::from(&*hook.path)),
        ("manifest", Value::from(hook.manifest.as_str())),
        ("events", Value::list(hook.events.iter().map(|e| e.name().into()).collect())),
        ("weight", Value::int(hook.weight)),
        ("deletePolicies", list(&hook.delete_policies)),
        ("outputLogPolicies", list(&hook.output_log_policies)),
    ]))
}

fn manifest(manifest: &Manifest) -> Value {
    Value::Map(object([
        ("path", Value::from(&*manifest.path)),
        ("apiVersion", Value::from(manifest.head.api_version.as_str())),
        ("kind", Value::from(manifest.head.kind.as_str())),
        ("name", Value::from(manifest.head.name.as_str())),
        ("content", Value::from(manifest.content.as_str())),
    ]))
}
