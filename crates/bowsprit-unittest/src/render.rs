//! Rendering what a test asks for.

use crate::document::Document;
use crate::lookup::ProviderHost;
use crate::run::{Subject, World};
use crate::suite::{Suite, Test};
use crate::values::user_values;
use crate::yaml::documents;
use bowsprit_chart::path;
use bowsprit_render::plan::{Plan, plan_as};
use bowsprit_render::{Capabilities, HelmVersion, KubeVersion, ReleaseOptions, RenderRequest};
use bowsprit_sprig::goregex::GoRegex;
use bowsprit_template::Observer;
use bowsprit_value::{Host, Map, Str, Value};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

/// What a chart's author sees of Helm.
const HELM_VERSION: &str = "v3.21";

/// Rendered texts by the names of their files.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What became of a render.
#[derive(Default)]
pub(crate) struct Rendered {
    pub(crate) files: Files,
    pub(crate) succeeded: bool,
    pub(crate) error: Option<String>,
}

impl Rendered {
    fn failed(error: impl ToString) -> Rendered {
        Rendered { error: Some(error.to_string()), ..Rendered::default() }
    }
}

/// The template that a suite names, as it is called in the chart.
pub(crate) fn template_path(route: &str, name: &str) -> String {
    let known = ["templates", "charts", "crds", "**"].iter().any(|start| name.starts_with(start));
    let joined =
        if known { format!("{route}/{name}") } else { format!("{route}/templates/{name}") };
    String::from_utf8_lossy(&path::clean(joined.as_bytes())).into_owned()
}

/// What matches the templates that a suite means: `*` and `**` stand for names with slashes too, and a
/// part of the name is enough.
fn pattern(route: &str, name: &str) -> Option<GoRegex> {
    let path = template_path(route, name);
    let mut pattern = String::with_capacity(path.len() + 16);
    let mut chars = path.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => pattern.push_str(r"[0-9a-zA-Z_\-/\.]+"),
            '*' => pattern.push_str(r"[0-9a-zA-Z_\-_/\.]*"),
            '.' | '+' | '[' | ']' | '?' | '(' | ')' | '|' | '{' | '}' | '^' | '$' => {
                pattern.push('\\');
                pattern.push(c);
            }
            c => pattern.push(c),
        }
    }
    GoRegex::compile(pattern).ok()
}

/// The templates that a suite renders.
pub(crate) struct Selection {
    wanted: Vec<GoRegex>,
    unwanted: Vec<GoRegex>,
}

impl Selection {
    pub(crate) fn of(suite: &Suite) -> Selection {
        let patterns =
            |names: &[String]| names.iter().filter_map(|n| pattern(&suite.route, n)).collect();
        let wanted = match suite.templates.is_empty() {
            true => patterns(&["**".to_owned()]),
            false => patterns(&suite.templates),
        };
        Selection { wanted, unwanted: patterns(&suite.exclude_templates) }
    }

    pub(crate) fn takes(&self, name: &str) -> bool {
        let any = |patterns: &[GoRegex]| {
            patterns.iter().any(|pattern| {
                let Ok(found) = pattern.is_match::<Infallible>(name.as_bytes(), &mut |_| Ok(()));
                found
            })
        };
        let base = name.rsplit('/').next().unwrap_or_default();
        base.starts_with('_') || any(&self.wanted) && !any(&self.unwanted)
    }
}

/// Renders the chart for a test. `wants_success` says that no assertion is about a failure.
pub(crate) fn render(
    subject: &Subject<'_>,
    suite: &Suite,
    test: &Test,
    wants_success: bool,
    world: &dyn World,
    observer: Option<&mut dyn Observer>,
) -> Result<Rendered, String> {
    let values = user_values(suite, test, world)?;
    if !test.release.name.is_empty()
        && let Err(error) = valid_release_name(&test.release.name)
    {
        return Ok(Rendered::failed(error));
    }
    let chart = subject.chart.chart();
    let mut log = Vec::new();
    let mut plan = match plan_as(chart, &values, subject.chart.compat(), &mut log) {
        Ok(plan) => plan,
        Err(error) => return Ok(Rendered::failed(error)),
    };
    if !subject.options.skip_schema_validation
        && let Err(error) = subject.chart.check_schemas(&plan, &mut log)
    {
        return Ok(Rendered::failed(error));
    }
    change_metadata(&mut plan, test);
    let request = request(subject, test);
    let provider = ProviderHost::new(subject.host, &test.provider);
    let host: &dyn Host = if test.provider.objects.is_empty() { subject.host } else { &provider };
    let selection = subject.selection;
    let outcome = subject
        .chart
        .render_selected(&plan, &request, host, observer, &|name| selection.takes(name));
    Ok(match outcome {
        Ok(rendered) => Rendered { files: rendered.output, succeeded: true, error: None },
        Err(error) => failure_as_file(suite, &error.to_string(), wants_success),
    })
}

fn request(subject: &Subject<'_>, test: &Test) -> RenderRequest {
    let or =
        |own: &str, default: &str| if own.is_empty() { default.to_owned() } else { own.to_owned() };
    let compat = subject.chart.compat();
    let (major, minor) = (&test.capabilities.major, &test.capabilities.minor);
    let kube = KubeVersion::from_parts(major, minor, compat);
    let versions = test.capabilities.api_versions.iter().flatten();
    let versions: Vec<Str> = versions.map(|version| Str::from(version.as_str())).collect();
    let mut helm = HelmVersion::of(compat);
    HELM_VERSION.clone_into(&mut helm.version);
    let mut request = RenderRequest::new(
        or(&test.release.name, "RELEASE-NAME"),
        or(&test.release.namespace, "NAMESPACE"),
    )
    .capabilities(Capabilities::new(kube, versions).as_in(compat).with_helm_version(helm));
    request.release = ReleaseOptions {
        revision: test.release.revision,
        is_upgrade: test.release.upgrade,
        is_install: !test.release.upgrade,
        ..request.release
    };
    request
}

/// Gives the chart and its own subcharts other versions. That a chart is deprecated does not show.
fn change_metadata(plan: &mut Plan, test: &Test) {
    for (number, instance) in Arc::make_mut(&mut plan.instances).iter_mut().enumerate() {
        let top = number == 0 || instance.parent == Some(0);
        let (version, app_version) = (&test.chart.version, &test.chart.app_version);
        let changed = top && !(version.is_empty() && app_version.is_empty());
        if !changed && !instance.metadata().deprecated {
            continue;
        }
        let mut metadata = instance.metadata().clone();
        metadata.deprecated = false;
        if changed && !version.is_empty() {
            metadata.version.clone_from(version);
        }
        if changed && !app_version.is_empty() {
            metadata.app_version.clone_from(app_version);
        }
        instance.metadata = Some(Arc::new(metadata));
    }
}

/// Helm's check of names, with its words.
fn valid_release_name(name: &str) -> Result<(), String> {
    let valid_part = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        part.chars().all(inner)
            && !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    if name.len() > 53 || !name.split('.').all(valid_part) {
        return Err("invalid release name, must match regex \
                    ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the \
                    length must not be longer than 53"
            .to_owned());
    }
    Ok(())
}

/// Where an error happened and what it says: helm-unittest cuts this out of the text.
fn error_parts(text: &str) -> Option<(String, String)> {
    static PATTERN: OnceLock<Option<GoRegex>> = OnceLock::new();
    let pattern = PATTERN.get_or_init(|| {
        GoRegex::compile(r"(?msU)^(?:.+: |.+ \()(?:(.+):\d+:\d+).+(?:.+>)*: (.+)$").ok()
    });
    let pattern = pattern.as_ref()?;
    let Ok(found) = pattern.find::<Infallible>(text.as_bytes(), &mut |_| Ok(()));
    let found = text.get(found?)?;
    let Ok(parts) =
        pattern.replace_all::<Infallible>(found.as_bytes(), b"${1}\0${2}", &mut |_| Ok(()));
    let parts = String::from_utf8_lossy(&parts).into_owned();
    let (file, message) = parts.split_once('\0')?;
    let message = match text.split_once('\n') {
        Some((_, rest)) => rest,
        None => message,
    };
    Some((file.to_owned(), message.to_owned()))
}

/// A failure becomes what the failed template printed, where a test asks for failures.
fn failure_as_file(suite: &Suite, error: &str, wants_success: bool) -> Rendered {
    if wants_success {
        return Rendered::failed(error);
    }
    let Some((file, message)) = error_parts(error) else { return Rendered::failed(error) };
    let raw = Map::from_entries([("raw".into(), Value::from(message))]);
    let text = crate::yaml::encoded(&Value::Map(raw)).into_bytes();
    let mut files = Files::new();
    if file.rsplit('/').next().is_some_and(|base| base.starts_with('_')) {
        let all = ["**".to_owned()];
        let names = if suite.templates.is_empty() { &all[..] } else { &suite.templates };
        for name in names {
            files.insert(template_path(&suite.route, name), text.clone());
        }
    } else {
        files.insert(file, text);
    }
    Rendered { files, succeeded: false, error: None }
}

/// The documents of all files by their names.
pub(crate) type Documents = BTreeMap<String, Vec<Document>>;

/// Reads what was rendered.
pub(crate) fn parse(
    subject: &Subject<'_>,
    suite: &Suite,
    files: &Files,
    succeeded: bool,
) -> Result<Documents, String> {
    let mut parsed = Documents::new();
    if suite.include_crds {
        for crd in subject.chart.chart().crd_objects() {
            let docs = documents(crd.file.data.as_bytes())?;
            let docs = docs.into_iter().map(Document::new).collect();
            parsed.insert(crd.filename.to_string_lossy().into_owned(), docs);
        }
    }
    let root = &subject.chart.chart().metadata.name;
    for (file, text) in files {
        let name = if file.starts_with(root.as_str()) {
            file.clone()
        } else {
            String::from_utf8_lossy(&path::clean(format!("{root}/{file}").as_bytes())).into_owned()
        };
        let extension = path::ext(name.as_bytes()).to_vec();
        let docs = match extension.as_slice() {
            // A failure is YAML, whatever the template was to print.
            _ if !succeeded => documents(text)?.into_iter().map(Document::new).collect(),
            b".yaml" | b".yml" | b".tpl" => {
                documents(text)?.into_iter().map(Document::new).collect()
            }
            b".txt" => vec![Document::raw(text.clone())],
            _ => continue,
        };
        parsed.insert(name, docs);
    }
    Ok(parsed)
}
