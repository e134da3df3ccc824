//! The flags that put labels on objects, for all commands that make objects.

use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::settings::Settings;
use bowsprit::chart::{Level, LogLine};
use bowsprit::label::{INSTANCE, MANAGED_BY, Options, PART_OF, Report, Unmatched};
use bowsprit::manifest::LabelSelector;
use bowsprit::{Release, pipeline};

pub(crate) static FLAGS: &[Flag] = &[
    Flag::with("label", Kind::Texts, "KEY=VALUE", "Put a label on every object; repeatable"),
    Flag::with(
        "annotation",
        Kind::Texts,
        "KEY=VALUE",
        "Put an annotation on every object; repeatable",
    ),
    Flag::switch(
        "default-labels",
        "Put the labels app.kubernetes.io/part-of, instance and managed-by on every object",
    ),
    Flag::with(
        "part-of",
        Kind::Text,
        "NAME",
        "Value of app.kubernetes.io/part-of (by default the chart's name)",
    ),
    Flag::with(
        "instance",
        Kind::Text,
        "NAME",
        "Value of app.kubernetes.io/instance (by default the release's name)",
    ),
    Flag::with(
        "managed-by",
        Kind::Text,
        "NAME",
        "Value of app.kubernetes.io/managed-by (default Helm)",
    ),
    Flag::with(
        "on-conflict",
        Kind::Text,
        "HOW",
        "What happens to other values of the same labels: keep (default), overwrite or fail",
    ),
    Flag::switch("pod-templates", "Label pod templates too (default true)"),
    Flag::switch("no-pod-templates", "Leave pod templates as they are"),
    Flag::switch("volume-claim-templates", "Label volume claim templates too"),
    Flag::with(
        "require-selector",
        Kind::Texts,
        "SELECTOR",
        "Fail, naming the objects, unless this label selector matches every object; repeatable",
    ),
];

/// What labels are when no flag says so.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Defaults<'d> {
    /// Whether there are labels without flags.
    pub(crate) on: bool,
    /// The release.
    pub(crate) instance: Option<&'d str>,
    /// The application.
    pub(crate) part_of: Option<&'d str>,
}

/// What the flags ask for; no labels and annotations if they don't.
///
/// # Errors
///
/// Fails where a flag's value is wrong.
pub(crate) fn options(parsed: &Parsed, defaults: Defaults<'_>) -> Result<Options, Failure> {
    let mut options = Options::default();
    let on =
        if parsed.given("default-labels") { parsed.is_on("default-labels") } else { defaults.on };
    let default = |value| Some(value).filter(|_| on).flatten();
    for (flag, key, default) in [
        ("instance", INSTANCE, default(defaults.instance)),
        ("managed-by", MANAGED_BY, default(Some("Helm"))),
        ("part-of", PART_OF, default(defaults.part_of)),
    ] {
        if let Some(value) = parsed.text(flag).or(default) {
            options.set_label(key, value).map_err(Failure::of)?;
        }
    }
    for text in parsed.all("label") {
        let (key, value) = pair("label", &text)?;
        options.set_label(key, value).map_err(Failure::of)?;
    }
    for text in parsed.all("annotation") {
        let (key, value) = pair("annotation", &text)?;
        options.set_annotation(key, value).map_err(Failure::of)?;
    }
    if let Some(text) = parsed.text("on-conflict") {
        let parsed = text.parse();
        options.on_conflict =
            parsed.map_err(|error: String| Failure::Error(format!("--on-conflict: {error}")))?;
    }
    let templates = !parsed.given("pod-templates") || parsed.is_on("pod-templates");
    options.pod_templates = templates && !parsed.is_on("no-pod-templates");
    options.volume_claim_templates = parsed.is_on("volume-claim-templates");
    Ok(options)
}

fn pair<'t>(flag: &str, text: &'t str) -> Result<(&'t str, &'t str), Failure> {
    let pair = text.split_once('=');
    pair.ok_or_else(|| Failure::Error(format!("--{flag} {text:?}: must be of the form KEY=VALUE")))
}

/// The selectors of `--require-selector`.
///
/// # Errors
///
/// Fails where one is none.
pub(crate) fn required(parsed: &Parsed) -> Result<Vec<LabelSelector>, Failure> {
    let selectors = parsed.all("require-selector");
    let parse = |text: &String| {
        text.parse().map_err(|error| Failure::Error(format!("--require-selector: {error}")))
    };
    selectors.iter().map(parse).collect()
}

/// Labels a release as the flags say, and proves that it has the labels that are required.
///
/// # Errors
///
/// Fails where a flag's value is wrong, where labels can't be put, and where objects lack labels that
/// are required.
pub(crate) fn apply(
    parsed: &Parsed,
    settings: &Settings,
    release: &mut Release,
    on: bool,
    include_crds: bool,
) -> Result<Options, Failure> {
    let (options, report) = put(parsed, release, on)?;
    log(settings, &report);
    let selectors = required(parsed)?;
    let missing = pipeline::unlabelled(release, &selectors, include_crds).map_err(Failure::of)?;
    prove(&missing)?;
    Ok(options)
}

/// Labels a release as the flags say, without a word.
///
/// # Errors
///
/// Fails where a flag's value is wrong, and where labels can't be put.
pub(crate) fn put(
    parsed: &Parsed,
    release: &mut Release,
    on: bool,
) -> Result<(Options, Report), Failure> {
    let name = release.options.name.clone();
    let chart = release.chart.metadata.name.clone();
    let defaults = Defaults { on, instance: Some(&name), part_of: Some(&chart) };
    let options = options(parsed, defaults)?;
    let report = pipeline::label(release, &options).map_err(Failure::of)?;
    Ok((options, report))
}

/// Logs what was not simply put.
pub(crate) fn log(settings: &Settings, report: &Report) {
    for conflict in &report.conflicts {
        let message = conflict.to_string();
        settings.log(&LogLine { level: Level::Warn, message, attrs: Vec::new() });
    }
}

/// Fails where objects lack labels.
///
/// # Errors
///
/// Names the objects.
pub(crate) fn prove(missing: &[Unmatched]) -> Result<(), Failure> {
    if missing.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = missing.iter().map(|object| format!("\n  {object}")).collect();
    Err(Failure::Error(format!("objects lack labels that are required:{}", lines.concat())))
}
