//! From the flags that say what is rendered to a release.
//!
//! A command that renders has the flags of [`values`], [`release`] and [`limits`] among its tables, gets
//! a [`Job`] from [`prepare`], and may change its request before it renders.

use crate::commands::{Invocation, dependency};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{charts, compiled, limits, release, settings, values};
use bowsprit::chart::{Warned, check_dependencies};
use bowsprit::compiled_cache::Cached;
use bowsprit::pipeline::{self, Options};
use bowsprit::render::values::locate;
use bowsprit::value::Host;
use bowsprit::{CompiledChart, Release, RenderRequest};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A render that flags describe, ready to be carried out.
pub(crate) struct Job {
    /// The chart.
    pub(crate) chart: CompiledChart,
    /// Values, release and capabilities.
    pub(crate) request: RenderRequest,
    /// What of the release is wanted.
    pub(crate) options: Options,
    /// The world that templates see.
    pub(crate) host: Box<dyn Host>,
    /// What the chart was before it was compiled, where it may be kept.
    cached: Option<Cached>,
    path: PathBuf,
}

/// For commands that render for the world outside.
pub(crate) static POST_RENDERER: &[Flag] = &[
    Flag::with(
        "post-renderer",
        Kind::PostRenderer,
        "NAME",
        "A plugin of Helm that changes the manifests before they are used",
    ),
    Flag::with("post-renderer-args", Kind::Texts, "ARG", "An argument for it; repeatable"),
];

/// Finds and loads the chart that a reference names, and reads all that its render needs.
///
/// # Errors
///
/// Fails where Helm does, with its words and in its order.
pub(crate) fn prepare(
    invocation: &Invocation<'_>,
    name: String,
    reference: &str,
) -> Result<Job, Failure> {
    let path = charts::locate(invocation, reference)?;
    prepare_at(invocation, name, &path)
}

/// As [`prepare`], for a chart that has been found already.
///
/// # Errors
///
/// As [`prepare`].
pub(crate) fn prepare_at(
    invocation: &Invocation<'_>,
    name: String,
    path: &Path,
) -> Result<Job, Failure> {
    let parsed = invocation.parsed;
    let capabilities = release::capabilities(parsed)?;
    invocation.settings.log_debug("Chart path", vec![("path", path.display().to_string())]);
    let values = values::values(invocation)?;
    let (chart, cached) = match compiled::load(invocation, path)? {
        Some(cached) => (cached.chart.clone(), Some(cached)),
        None => (compile(invocation, path)?, None),
    };
    let mut request = RenderRequest::new(name, invocation.settings.namespace())
        .values(values)
        .capabilities(capabilities);
    release::apply(parsed, &mut request);
    let options = options(invocation);
    let (host, path) = (release::host(parsed), path.to_owned());
    Ok(Job { chart, request, options, host, cached, path })
}

/// Loads and compiles a chart.
fn compile(invocation: &Invocation<'_>, path: &Path) -> Result<CompiledChart, Failure> {
    let parsed = invocation.parsed;
    let mut chart = release::load(invocation, path)?;
    if parsed.is_on("dependency-update") && check_dependencies(&chart).is_err() {
        // What Helm prints meanwhile stands before the manifests.
        dependency::update(invocation, path, true)?;
        chart = release::load(invocation, path)?;
    }
    Ok(limits::engine(parsed).compile(Arc::new(chart)))
}

/// What of a release is wanted, as far as the command has flags for it.
fn options(invocation: &Invocation<'_>) -> Options {
    let parsed = invocation.parsed;
    let mut options = Options::default();
    options.include_crds = parsed.is_on("include-crds");
    options.no_hooks = parsed.is_on("no-hooks");
    options.skip_tests = parsed.is_on("skip-tests");
    options.labels = labels(parsed);
    options.debug = invocation.settings.debug;
    options
}

/// The names of the release's labels; of equal ones the last counts, which makes no difference to names.
fn labels(parsed: &Parsed) -> Vec<String> {
    let pairs = parsed.all("labels");
    pairs.iter().filter_map(|pair| pair.split_once('=')).map(|(name, _)| name.to_owned()).collect()
}

impl Job {
    /// Renders, and logs what Helm logs.
    ///
    /// # Errors
    ///
    /// Fails where Helm does. What it logs before it fails has been logged.
    pub(crate) fn render(&self, invocation: &Invocation<'_>) -> Result<Release, pipeline::Error> {
        self.logged(invocation, self.outcome())
    }

    /// As [`Job::render`]. If what the cache had of the chart was damaged, or the chart has changed since it
    /// was found there, it is loaded anew.
    ///
    /// # Errors
    ///
    /// As [`Job::render`]; and fails where the chart can't be loaded any more.
    pub(crate) fn render_intact(
        &mut self,
        invocation: &Invocation<'_>,
    ) -> Result<Result<Release, pipeline::Error>, Failure> {
        let mut outcome = self.outcome();
        if self.options.include_crds {
            self.chart.complete();
        }
        if !self.chart.is_intact() {
            if let Some(Err(error)) = self.cached.take().map(|cached| cached.discard()) {
                let attrs = vec![("error", error.to_string())];
                invocation.settings.log_debug("compiled chart not removed", attrs);
            }
            self.chart = compile(invocation, &self.path)?;
            outcome = self.outcome();
        }
        Ok(self.logged(invocation, outcome))
    }

    fn outcome(&self) -> Result<Warned<Release>, pipeline::Error> {
        pipeline::render(&self.chart, &self.request, &self.options, &*self.host)
    }

    fn logged(
        &self,
        invocation: &Invocation<'_>,
        outcome: Result<Warned<Release>, pipeline::Error>,
    ) -> Result<Release, pipeline::Error> {
        match outcome {
            Ok(release) => {
                release.warnings.iter().for_each(|line| invocation.settings.log(line));
                self.post_render(invocation, release.output)
            }
            Err(error) => {
                error.log().iter().for_each(|line| invocation.settings.log(line));
                Err(error)
            }
        }
    }

    /// Keeps the compiled chart for the next run, where that pays.
    pub(crate) fn keep(&self, invocation: &Invocation<'_>) {
        if let Some(Err(error)) = self.cached.as_ref().map(Cached::keep) {
            let attrs = vec![("error", error.to_string())];
            invocation.settings.log_debug("compiled chart not kept", attrs);
        }
    }

    /// Has the plugin of `--post-renderer` change what was rendered.
    fn post_render(
        &self,
        invocation: &Invocation<'_>,
        mut release: Release,
    ) -> Result<Release, pipeline::Error> {
        let parsed = invocation.parsed;
        let Some(name) = parsed.non_empty("post-renderer") else { return Ok(release) };
        let args = parsed.all("post-renderer-args");
        let mut run = |stream: &[u8]| settings::post_renderer(name)?.run(stream, &args);
        pipeline::post_render(&mut release, self.chart.compat(), &mut run)?;
        Ok(release)
    }

    /// As [`Job::render`], for commands that print nothing of a release that could not be made.
    ///
    /// # Errors
    ///
    /// As [`Job::render`].
    pub(crate) fn release(&self, invocation: &Invocation<'_>) -> Result<Release, Failure> {
        self.render(invocation).map_err(|error| described(invocation, &error))
    }
}

/// The name and the reference that a command's arguments give: `[NAME] CHART`. Without a name it comes
/// from `--name-template`, or is `release-name`.
///
/// # Errors
///
/// Fails where there are too many arguments or two ways to a name.
pub(crate) fn name_and_chart(invocation: &Invocation<'_>) -> Result<(String, String), Failure> {
    let parsed = invocation.parsed;
    let template = parsed.non_empty("name-template");
    match invocation.args() {
        [name, chart] => {
            let also = if parsed.is_on("generate-name") {
                "generate-name"
            } else if template.is_some() {
                "name-template"
            } else {
                return Ok((name.clone(), chart.clone()));
            };
            Err(Failure::Error(format!("cannot set --{also} and also specify a name")))
        }
        [_, _, more @ ..] if !more.is_empty() => Err(Failure::Error(format!(
            "expected at most two arguments, unexpected arguments: {}",
            more.join(", ")
        ))),
        args => {
            let chart = args.first().cloned().unwrap_or_default();
            match template {
                Some(template) => Ok((release::name_from(parsed, template)?, chart)),
                None => Ok(("release-name".to_owned(), chart)),
            }
        }
    }
}

/// How a render's error is printed.
pub(crate) fn described(invocation: &Invocation<'_>, error: &pipeline::Error) -> Failure {
    let mut found = error.diagnostic();
    found.message = hinted(error, error.has_release() && !invocation.settings.debug);
    if let Some(error) = error.values() {
        found.labels.extend(locate(error, &values::sources(invocation.parsed)));
    }
    Failure::found(found)
}

/// What `helm template` says behind errors.
const HINT: &str = "\n\nUse --debug flag to render out invalid YAML";

/// An error with Helm's hint, if it is wanted.
pub(crate) fn hinted(error: &dyn std::fmt::Display, hint: bool) -> String {
    if hint { format!("{error}{HINT}") } else { error.to_string() }
}

/// A failure without that hint, which other commands of Helm's don't give.
pub(crate) fn without_hint(failure: Failure) -> Failure {
    match failure {
        Failure::Found(mut found) if found.message.ends_with(HINT) => {
            found.message.truncate(found.message.len() - HINT.len());
            Failure::Found(found)
        }
        other => other,
    }
}
