//! A compiled chart, and a render of it.

use crate::compat::Compat;
use crate::diagnose::{Details, missing, parse_labels, printed_by, template_text};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::functions::LintLog;
use crate::memory::{Code, Lease, Linked, Memory, Recalled};
use crate::plan::{Instance, Plan, check_kube_version, plan_as};
use crate::release::{Release, without_notes};
use crate::request::RenderRequest;
use crate::scope::{Charts, Scopes};
use crate::values::ValuesError;
use crate::values::schema::CompiledSchema;
use crate::values::{locate, validate_plan};
use bowsprit_chart::image::Rest;
use bowsprit_chart::{Bytes, Chart, File, LogLine, Warned};
use bowsprit_diag::Label;
use bowsprit_manifest::{Order, Unsorted, sort_files};
use bowsprit_template::{
    ExecError, MissingKey, Observer, ParseError, Run, Source, TemplateSet, Unit, compile_source,
    strip_no_value,
};
use bowsprit_value::{Host, Map, Meter, Str};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// A chart whose templates are parsed once, however often and from however many threads it is
/// rendered. Cloning is cheap.
#[derive(Clone)]
pub struct CompiledChart(Arc<Inner>);

struct Inner {
    engine: Engine,
    chart: Arc<Chart>,
    parts: HashMap<usize, Part>,
    memory: Memory,
    /// What of the chart is not in the image that it came from.
    rest: Option<Arc<Rest>>,
    /// Whether its schemas are known to accept what comes of its own values alone, without a word.
    defaults_accepted: AtomicBool,
}

/// What belongs to one chart of the tree, whatever it is called in a render.
struct Part {
    units: Vec<Arc<Compiled>>,
    files: OnceLock<Map>,
    schema: Arc<Schema>,
}

type Compiled = OnceLock<Result<Arc<Unit>, ParseError>>;
type Schema = OnceLock<Result<Arc<CompiledSchema>, ValuesError>>;

/// What is compiled of a tree's files, by where these lie: a loader keeps equal ones once.
#[derive(Default)]
struct ByFile {
    units: BTreeMap<(usize, usize), Arc<Compiled>>,
    schemas: BTreeMap<(usize, usize), Arc<Schema>>,
}

impl ByFile {
    fn part(&mut self, chart: &Chart) -> Part {
        let units = &mut self.units;
        let unit = |file: &File| Arc::clone(units.entry(file.data.id()).or_default());
        let units = chart.templates.iter().map(unit).collect();
        let schema = match &chart.schema {
            Some(schema) => Arc::clone(self.schemas.entry(schema.id()).or_default()),
            None => Arc::default(),
        };
        Part { units, files: OnceLock::new(), schema }
    }
}

impl fmt::Debug for CompiledChart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledChart").field("chart", &self.0.chart.metadata.name).finish()
    }
}

fn key(chart: &Arc<Chart>) -> usize {
    Arc::as_ptr(chart).addr()
}

/// A template of a plan: the instance it belongs to, and its place among the chart's templates.
pub(crate) struct Job {
    pub(crate) instance: usize,
    pub(crate) template: usize,
    pub(crate) name: Str,
}

type Planned = Result<Warned<Plan>, Error>;

/// What the templates of a render saw, which they may have changed.
pub struct Seen(#[expect(dead_code, reason = "kept until it is dropped")] Scopes);

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").finish_non_exhaustive()
    }
}

/// Which files of a render are wanted. All templates run nevertheless, and may fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Those of all charts.
    #[default]
    All,
    /// Those of the chart itself, without its subcharts'.
    Root,
}

/// All rendered files of a release, before they are split and sorted.
pub type RenderedFiles = BTreeMap<String, Vec<u8>>;

impl CompiledChart {
    pub(crate) fn new(engine: Engine, chart: Arc<Chart>) -> CompiledChart {
        CompiledChart::with(engine, chart, Vec::new(), None)
    }

    /// A chart of which some texts have been compiled already.
    pub(crate) fn with(
        engine: Engine,
        chart: Arc<Chart>,
        units: Vec<(Bytes, Arc<Unit>)>,
        rest: Option<Arc<Rest>>,
    ) -> CompiledChart {
        let mut parts = HashMap::new();
        let mut by_file = ByFile::default();
        for (text, unit) in units {
            by_file.units.insert(text.id(), Arc::new(OnceLock::from(Ok(unit))));
        }
        let mut pending = vec![&chart];
        while let Some(chart) = pending.pop() {
            parts.insert(key(chart), by_file.part(chart));
            pending.extend(&chart.dependencies);
        }
        let memory = Memory::default();
        let chart = Arc::clone(&chart);
        let defaults_accepted = AtomicBool::new(false);
        CompiledChart(Arc::new(Inner { engine, chart, parts, memory, rest, defaults_accepted }))
    }

    /// Where the names of a unit's field paths were found last.
    pub(crate) fn places(&self, unit: &Arc<Unit>) -> Vec<u32> {
        self.0.memory.last_run().map(|linked| linked.code.set.places(unit)).unwrap_or_default()
    }

    /// Whether the schemas need not be asked about the chart's own values any more.
    pub(crate) fn accepts_defaults(&self) -> bool {
        self.0.defaults_accepted.load(Ordering::Relaxed)
    }

    /// Says that they need not be asked.
    pub(crate) fn accept_defaults(&self) {
        self.0.defaults_accepted.store(true, Ordering::Relaxed);
    }

    /// The chart.
    pub fn chart(&self) -> &Arc<Chart> {
        &self.0.chart
    }

    /// The engine that compiles it.
    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// What its image had not.
    pub(crate) fn rest(&self) -> Option<&Arc<Rest>> {
        self.0.rest.as_ref()
    }

    /// The texts that have been compiled, with what became of them.
    pub(crate) fn compiled(&self) -> impl Iterator<Item = (&Bytes, &Arc<Unit>)> {
        let mut pending = vec![&self.0.chart];
        std::iter::from_fn(move || {
            let chart = pending.pop()?;
            pending.extend(&chart.dependencies);
            let part = self.0.parts.get(&key(chart));
            let units = part.into_iter().flat_map(|part| &part.units);
            Some(chart.templates.iter().zip(units))
        })
        .flatten()
        .filter_map(|(template, unit)| Some((&template.data, unit.get()?.as_ref().ok()?)))
    }

    /// All templates of the chart and its subcharts that can be parsed, by their paths below the chart's
    /// folder, for those who ask what an [`Observer`]'s units are. What no render needed is parsed now.
    pub fn units(&self) -> Vec<(String, Arc<Unit>)> {
        let mut units = Vec::new();
        let mut pending = vec![(String::new(), &self.0.chart)];
        while let Some((folder, chart)) = pending.pop() {
            let Some(part) = self.0.parts.get(&key(chart)) else { continue };
            for (template, unit) in chart.templates.iter().zip(&part.units) {
                if let Ok(unit) = unit.get_or_init(|| self.parsed(template)) {
                    let name = template.name.to_string_lossy();
                    units.push((format!("{folder}{name}"), Arc::clone(unit)));
                }
            }
            pending.extend(
                chart
                    .dependencies
                    .iter()
                    .map(|sub| (format!("{folder}charts/{}/", sub.metadata.name), sub)),
            );
        }
        units
    }

    fn parsed(&self, template: &File) -> Result<Arc<Unit>, ParseError> {
        let source = Source::new(template.data.clone());
        compile_source("", &source, &self.0.engine.functions).map(Arc::new)
    }

    /// The release of Helm that renders are compatible with.
    pub fn compat(&self) -> Compat {
        self.0.engine.compat
    }

    fn error(&self, kind: ErrorKind, log: Vec<LogLine>) -> Error {
        Error::new(kind, log, self.compat().rules().error_layout)
    }

    /// Lays the user's values over the chart's defaults, switches its subcharts on and off, and checks
    /// what came out against the schemas and the version of Kubernetes: all that comes before the
    /// first template runs.
    ///
    /// # Errors
    ///
    /// Fails where Helm does, with its words.
    pub fn plan(&self, request: &RenderRequest) -> Result<Warned<Plan>, Error> {
        self.plan_with(&self.0.memory.lease(), request)
    }

    fn plan_with(&self, memory: &Lease<'_>, request: &RenderRequest) -> Planned {
        let mut planned = match memory.recall(request) {
            Recalled::New => self.plan_anew(request)?,
            Recalled::Again => memory.keep(request, self.plan_anew(request)?),
            Recalled::Known(planned) => planned,
        };
        planned.output.slot = memory.number;
        let cluster = request.capabilities.kube_version();
        match check_kube_version(&self.0.chart, cluster.normalized(), cluster.version()) {
            Ok(()) => Ok(planned),
            Err(error) => Err(self.error(ErrorKind::Values(error), planned.warnings)),
        }
    }

    /// A plan with values that its schemas accept.
    fn plan_anew(&self, request: &RenderRequest) -> Planned {
        let mut log = Vec::new();
        let plan = match plan_as(&self.0.chart, &request.values, self.compat(), &mut log) {
            Ok(plan) => plan,
            Err(error) => return Err(self.error(ErrorKind::Values(error), log)),
        };
        let only_defaults = request.values.is_empty();
        if request.skip_schema_validation || only_defaults && self.accepts_defaults() {
            return Ok(Warned { output: plan, warnings: log });
        }
        let said = log.len();
        if let Err(error) = self.check_schemas(&plan, &mut log) {
            let defaults = locate::in_chart(&error, &self.0.chart, &request.values);
            let error = defaults.into_iter().fold(error, ValuesError::at);
            return Err(self.error(ErrorKind::Values(error), log));
        }
        if only_defaults && log.len() == said {
            self.accept_defaults();
        }
        Ok(Warned { output: plan, warnings: log })
    }

    /// Checks a plan's values against the schemas of its charts. What Helm logs is added to `log`.
    ///
    /// # Errors
    ///
    /// As [`validate_plan`].
    pub fn check_schemas(&self, plan: &Plan, log: &mut Vec<LogLine>) -> Result<(), ValuesError> {
        validate_plan(plan, &mut |chart, text| self.schema(chart, text), log)
    }

    /// Compiles a schema, once for the chart or subchart that it belongs to.
    ///
    /// # Errors
    ///
    /// Fails where `text` is no schema, with Helm's words.
    pub fn schema(
        &self,
        chart: &Arc<Chart>,
        text: &[u8],
    ) -> Result<Arc<CompiledSchema>, ValuesError> {
        let compiled = || CompiledSchema::compile(text, None).map(Arc::new);
        match self.0.parts.get(&key(chart)) {
            Some(part) => part.schema.get_or_init(compiled).clone(),
            None => compiled(),
        }
    }

    /// Renders the chart into a release.
    ///
    /// # Errors
    ///
    /// Fails where `helm template` does, with its words.
    pub fn render(
        &self,
        request: &RenderRequest,
        host: &dyn Host,
    ) -> Result<Warned<Release>, Error> {
        let Warned { output: files, mut warnings } = self.render_files(request, host)?;
        let rendered = without_notes(files, &self.0.chart.metadata.name);
        let dialect = self.compat().rules().documents;
        let outcome = match sort_files(rendered.files, Order::Install, dialect) {
            Ok(outcome) => outcome,
            Err(unsorted) => {
                let Unsorted { error, files } = *unsorted;
                warnings.extend(error.unknown_hooks.iter().map(|h| unknown_hook(h)));
                let origin = self.origin(request, host, &error, &files);
                let details =
                    Details { labels: origin.into_iter().collect(), ..Details::default() };
                let kind = ErrorKind::Manifest { error, files };
                return Err(self.error(kind, warnings).with_details(details));
            }
        };
        warnings.extend(outcome.unknown_hooks.iter().map(|h| unknown_hook(h)));
        let release = Release::new(request, &self.0.chart, rendered.notes, outcome.sorted);
        Ok(Warned { output: release, warnings })
    }

    /// Renders the chart's files, NOTES included, without splitting or sorting them.
    ///
    /// # Errors
    ///
    /// As [`CompiledChart::render`], but for rendered text that is no YAML.
    pub fn render_files(
        &self,
        request: &RenderRequest,
        host: &dyn Host,
    ) -> Result<Warned<RenderedFiles>, Error> {
        self.render_observed(request, host, None)
    }

    /// As [`CompiledChart::render_files`], with an observer that learns what the templates do.
    ///
    /// # Errors
    ///
    /// As [`CompiledChart::render_files`].
    pub fn render_observed(
        &self,
        request: &RenderRequest,
        host: &dyn Host,
        observer: Option<&mut dyn Observer>,
    ) -> Result<Warned<RenderedFiles>, Error> {
        let memory = self.0.memory.lease();
        let Warned { output: plan, mut warnings } = self.plan_with(&memory, request)?;
        match self.render_plan(&plan, request, host, observer) {
            Ok(rendered) => {
                warnings.extend(rendered.warnings);
                Ok(Warned { output: rendered.output, warnings })
            }
            Err(error) => Err(error.after(warnings)),
        }
    }

    /// As [`CompiledChart::render_observed`], with a plan made before, which takes the place of the
    /// request's values.
    ///
    /// # Errors
    ///
    /// Fails where a template can't be parsed or run.
    pub fn render_plan(
        &self,
        plan: &Plan,
        request: &RenderRequest,
        host: &dyn Host,
        observer: Option<&mut dyn Observer>,
    ) -> Result<Warned<RenderedFiles>, Error> {
        let rendered = self.render_plan_keeping(plan, request, host, observer, Keep::All)?;
        Ok(Warned { output: rendered.output.0, warnings: rendered.warnings })
    }

    /// As [`CompiledChart::render_plan`], for those who do not need all that is rendered. Gives what the templates
    /// saw too: to drop that takes a while, which a process that ends anyway can save.
    ///
    /// # Errors
    ///
    /// As [`CompiledChart::render_plan`].
    pub fn render_plan_keeping(
        &self,
        plan: &Plan,
        request: &RenderRequest,
        host: &dyn Host,
        observer: Option<&mut dyn Observer>,
        keep: Keep,
    ) -> Result<Warned<(RenderedFiles, Seen)>, Error> {
        let _in_use = self.0.memory.lease_again(plan.slot);
        let linked = match self.linked(plan, request) {
            Ok(linked) => linked,
            Err(error) => return Err(self.parse_failed(plan, error, Vec::new())),
        };
        let (code, mut warnings) = (&linked.code, Vec::new());
        let to_run = (&code.set, code.jobs.as_slice(), &linked.charts);
        match self.run(plan, to_run, (request, host, observer), &mut warnings, keep) {
            Ok(output) => Ok(Warned { output, warnings }),
            Err(error) => Err(self.exec_failed(plan, &code.jobs, error, warnings)),
        }
    }

    /// As [`CompiledChart::render_plan`], with some templates only: the others are not parsed either, and
    /// what they define is not there. `wanted` is asked for each by its name, `chart/templates/a.yaml`.
    ///
    /// # Errors
    ///
    /// As [`CompiledChart::render_plan`].
    pub fn render_selected(
        &self,
        plan: &Plan,
        request: &RenderRequest,
        host: &dyn Host,
        observer: Option<&mut dyn Observer>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<Warned<RenderedFiles>, Error> {
        let mut jobs = jobs(plan);
        jobs.retain(|job| wanted(&job.name.to_string_lossy()));
        let mut warnings = Vec::new();
        let set = match self.link_jobs(plan, request, &jobs) {
            Ok(set) => set,
            Err(error) => return Err(self.parse_failed(plan, error, warnings)),
        };
        let charts = self.charts(plan);
        let to_run = (&set, jobs.as_slice(), &charts);
        match self.run(plan, to_run, (request, host, observer), &mut warnings, Keep::All) {
            Ok((output, _)) => Ok(Warned { output, warnings }),
            Err(error) => Err(self.exec_failed(plan, &jobs, error, warnings)),
        }
    }

    /// Renders one file of a plan, `web/templates/a.yaml`, and none of those before it, which could
    /// have changed what it sees. None where the plan has no such file.
    ///
    /// # Errors
    ///
    /// As [`CompiledChart::render_plan`].
    pub fn render_plan_file(
        &self,
        plan: &Plan,
        file: &str,
        request: &RenderRequest,
        host: &dyn Host,
    ) -> Result<Option<Vec<u8>>, Error> {
        let failed = |error| self.parse_failed(plan, error, Vec::new());
        let linked = self.linked(plan, request).map_err(failed)?;
        let named = |job: &&Job| job.name.as_bytes() == file.as_bytes();
        let Some(job) = linked.code.jobs.iter().find(named) else { return Ok(None) };
        let job = std::slice::from_ref(job);
        let to_run = (&linked.code.set, job, &linked.charts);
        let outcome = self.run(plan, to_run, (request, host, None), &mut Vec::new(), Keep::All);
        let (files, _) = outcome.map_err(|error| self.exec_failed(plan, job, error, Vec::new()))?;
        Ok(files.into_values().next())
    }

    /// Renders a text as if it were one more template of the chart, named `<chart>/templates/<name>`,
    /// and nothing else. The chart's templates, values and files are there for it.
    ///
    /// # Errors
    ///
    /// As [`CompiledChart::render_files`].
    pub fn render_text(
        &self,
        name: &str,
        text: &[u8],
        request: &RenderRequest,
        host: &dyn Host,
    ) -> Result<Warned<Vec<u8>>, Error> {
        let Warned { output: plan, mut warnings } = self.plan(request)?;
        let parse_failed = |error| self.parse_failed(&plan, error, warnings.clone());
        let (mut set, _) = self.link(&plan, request).map_err(parse_failed)?;
        let name = format!("{}/templates/{name}", self.0.chart.metadata.name);
        set.parse(&name, text).map_err(parse_failed)?;
        let jobs = [Job { instance: 0, template: 0, name: name.into() }];
        let charts = self.charts(&plan);
        let (files, _) = self
            .run(&plan, (&set, &jobs, &charts), (request, host, None), &mut warnings, Keep::All)
            .map_err(|error| self.exec_failed(&plan, &jobs, error, warnings.clone()))?;
        Ok(Warned { output: files.into_values().next().unwrap_or_default(), warnings })
    }

    #[cold]
    fn parse_failed(&self, plan: &Plan, error: ParseError, log: Vec<LogLine>) -> Error {
        let jobs = jobs(plan);
        let job = jobs.iter().find(|job| job.name.as_bytes() == error.name.as_bytes());
        let text = job.and_then(|job| template_text(plan, job));
        let labels = text.map(|text| parse_labels(&error, text)).unwrap_or_default();
        let details = Details { labels, ..Details::default() };
        self.error(ErrorKind::Parse(error), log).with_details(details)
    }

    #[cold]
    fn exec_failed(&self, plan: &Plan, jobs: &[Job], error: ExecError, log: Vec<LogLine>) -> Error {
        let outermost = error.trace().places.last();
        let job = outermost
            .and_then(|place| jobs.iter().find(|job| job.name.as_bytes() == place.file.as_bytes()));
        let values = job.and_then(|job| plan.values_of(job.instance));
        let details = Details { missing: missing(&error, values), ..Details::default() };
        self.error(ErrorKind::Exec(error), log).with_details(details)
    }

    /// The place in a template that printed what is no YAML: its file is rendered once more.
    #[cold]
    fn origin(
        &self,
        request: &RenderRequest,
        host: &dyn Host,
        error: &bowsprit_manifest::Error,
        files: &RenderedFiles,
    ) -> Option<Label> {
        let plan = self.plan(request).ok()?.output;
        let linked = self.linked(&plan, request).ok()?;
        let code = &linked.code;
        let text = files.get(&error.path)?;
        let render = |job: &Job, observer: &mut dyn Observer| {
            let job = std::slice::from_ref(job);
            let run = (request, host, Some(observer));
            let to_run = (&code.set, job, &linked.charts);
            let (files, _) = self.run(&plan, to_run, run, &mut Vec::new(), Keep::All).ok()?;
            files.into_values().next()
        };
        printed_by(error, text, render, &plan, &code.jobs)
    }

    /// The templates of a plan, bound to their names, and the names of all that are files of their own
    /// or partials, with the instance that each belongs to.
    pub(crate) fn templates(
        &self,
        plan: &Plan,
        request: &RenderRequest,
    ) -> Result<(TemplateSet, Vec<(usize, Str)>), ParseError> {
        let (set, jobs) = self.link(plan, request)?;
        Ok((set, jobs.into_iter().map(|job| (job.instance, job.name)).collect()))
    }

    /// Parses what is not parsed yet and binds all templates of a plan to their names, in Helm's order.
    fn link(
        &self,
        plan: &Plan,
        request: &RenderRequest,
    ) -> Result<(TemplateSet, Vec<Job>), ParseError> {
        let jobs = jobs(plan);
        let set = self.link_jobs(plan, request, &jobs)?;
        Ok((set, jobs))
    }

    /// As [`CompiledChart::link`], from the render before if it had the same templates.
    fn linked(&self, plan: &Plan, request: &RenderRequest) -> Result<Arc<Linked>, ParseError> {
        let (memory, rules) = (self.0.memory.lease_again(plan.slot), self.compat().rules());
        let known = if request.strict { None } else { memory.linked(plan, rules) };
        if let Some(known) = known {
            return Ok(known);
        }
        let (set, jobs) = self.link(plan, request)?;
        let linked = Linked::new(plan, Arc::new(Code { jobs, set }), rules);
        Ok(if request.strict { Arc::new(linked) } else { memory.link(linked) })
    }

    fn charts(&self, plan: &Plan) -> Arc<Charts> {
        Charts::new(&plan.instances, self.compat().rules().chart_object)
    }

    fn link_jobs(
        &self,
        plan: &Plan,
        request: &RenderRequest,
        jobs: &[Job],
    ) -> Result<TemplateSet, ParseError> {
        let functions = Arc::clone(&self.0.engine.functions);
        let mut set = TemplateSet::new(functions).cache(self.0.memory.lease_again(plan.slot).tpl());
        if request.strict {
            set = set.missing_key(MissingKey::Error);
        }
        // Some define several templates, but copies of a chart the same ones.
        set.reserve(jobs.len() + jobs.len().min(512));
        for of_one in jobs.chunk_by(|a, b| a.instance == b.instance) {
            let instance = of_one.first().and_then(|job| plan.instances.get(job.instance));
            let Some(instance) = instance else { continue };
            let Some(part) = self.0.parts.get(&key(&instance.chart)) else { continue };
            for job in of_one {
                if let Some(unit) = self.unit(instance, part, job) {
                    set.add(&job.name, &unit?)?;
                }
            }
        }
        Ok(set)
    }

    fn unit(
        &self,
        instance: &Instance,
        part: &Part,
        job: &Job,
    ) -> Option<Result<Arc<Unit>, ParseError>> {
        let template = instance.chart.templates.get(job.template)?;
        let unit = part.units.get(job.template)?.get_or_init(|| self.parsed(template));
        Some(unit.clone().map_err(|error| ParseError { name: job.name.to_string(), ..error }))
    }

    fn run(
        &self,
        plan: &Plan,
        (set, jobs, charts): (&TemplateSet, &[Job], &Arc<Charts>),
        (request, host, observer): (&RenderRequest, &dyn Host, Option<&mut dyn Observer>),
        log: &mut Vec<LogLine>,
        keep: Keep,
    ) -> Result<(RenderedFiles, Seen), ExecError> {
        let rules = self.compat().rules();
        let files = |instance: &Instance| self.files(instance);
        // Planning leaves tables that were written to, which take longer to look at than forks of them. An
        // observer may know them.
        let values = if observer.is_some() { plan.values.clone() } else { plan.values.fork() };
        let plan = (plan.instances.as_slice(), values, charts);
        let scopes = Scopes::new(plan, &request.release, &request.capabilities, rules, files);
        let meter = Meter::new(self.0.engine.limits);
        if self.0.engine.known_primes {
            bowsprit_sprig::use_known_primes(&meter);
        }
        let mut run = Run::new(set, host, &meter).remember(scopes.varies());
        if let Some(observer) = observer {
            run = run.observe(observer);
        }
        let mut files = RenderedFiles::new();
        let mut failure = None;
        for job in jobs.iter().filter(|job| !is_partial(&job.name)) {
            let template = (job.instance, &job.name);
            let scope = scopes.for_template(template, meter.history());
            match run.execute(job.name.as_bytes(), scope) {
                Ok(_) if keep == Keep::Root && job.instance != 0 => {}
                Ok(text) => {
                    let text = strip_no_value(text).unwrap_or_else(|| text.to_vec());
                    let name =
                        job.name.to_str().map_or_else(|| job.name.to_string(), str::to_owned);
                    files.insert(name, text);
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        drop(run);
        log.extend(meter.scratch(|lines: &mut LintLog| std::mem::take(&mut lines.0)));
        meter.release();
        failure.map_or(Ok((files, Seen(scopes))), Err)
    }

    fn files(&self, instance: &Instance) -> Map {
        let files = || crate::scope::files(&instance.chart, self.compat().rules());
        match self.0.parts.get(&key(&instance.chart)) {
            Some(part) => part.files.get_or_init(files).clone(),
            None => files(),
        }
    }
}

fn unknown_hook(events: &str) -> LogLine {
    LogLine {
        level: bowsprit_chart::Level::Info,
        message: "skipping unknown hooks".into(),
        attrs: vec![("hookTypes", events.to_owned())],
    }
}

fn is_partial(name: &Str) -> bool {
    name.as_bytes().rsplit(|b| *b == b'/').next().is_some_and(|base| base.starts_with(b"_"))
}

/// All templates of a plan in the order in which Helm parses and renders them: the deepest path first,
/// and among equally deep ones from the last name to the first. Of equal names one remains.
fn jobs(plan: &Plan) -> Vec<Job> {
    let depth = |name: &[u8]| name.iter().filter(|b| **b == b'/').count();
    let mut by_depth: BTreeMap<Reverse<usize>, Vec<Job>> = BTreeMap::new();
    let mut name = Vec::new();
    // From the last to the first they are nearly in order, and of equal names the one that stays comes first.
    for (number, instance) in plan.instances.iter().enumerate().rev() {
        let path = instance.path.as_bytes();
        let library = instance.chart.metadata.ty.eq_ignore_ascii_case("library");
        let above = depth(path) + 1;
        for (place, template) in instance.chart.templates.iter().enumerate().rev() {
            let below = template.name.as_bytes();
            name.clear();
            [path, b"/", below].iter().for_each(|part| name.extend_from_slice(part));
            let name = Str::from_bytes(&name);
            if !library || is_partial(&name) {
                let job = Job { instance: number, template: place, name };
                by_depth.entry(Reverse(above + depth(below))).or_default().push(job);
            }
        }
    }
    let mut sorted = Vec::with_capacity(by_depth.values().map(Vec::len).sum());
    for mut jobs in by_depth.into_values() {
        jobs.sort_by(|a, b| b.name.cmp(&a.name));
        jobs.dedup_by(|later, kept| later.name == kept.name);
        sorted.append(&mut jobs);
    }
    sorted
}
