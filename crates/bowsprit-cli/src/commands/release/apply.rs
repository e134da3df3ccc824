//! `bowsprit apply`, `install` and `upgrade`: a chart becomes a release.

use super::block::{self, Shown};
use super::options::{self, DryRun};
use super::placed::{self, Placer, Policies};
use super::{Session, check_name, listener, timeout};
use crate::charts;
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::output::{self, Format};
use crate::render::{self, Job};
use crate::{labels, limits, placing, release, streams, values};
use bowsprit::apply::{
    Action, Base, ClusterHost, Discovery, Error, ErrorKind, Listener, Method, Options, Plan,
    Record, Request, Space, Status, Time, Wait, no_deployed_releases,
};
use bowsprit::chart::{Level, LogLine};
use bowsprit::deploy::{self, RecordOptions, ReuseValues};
use bowsprit::label::{INSTANCE, MANAGED_BY, Options as LabelOptions, PART_OF};
use bowsprit::value::{Value, strconv};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `apply`.
pub(crate) static APPLY: Command = Command {
    name: "apply",
    usage: "apply RELEASE CHART [flags]",
    about: "Bring a chart's release to a cluster or a space: install it, or upgrade it",
    examples: "\
The namespace is created if need be, and labelled. What Helm's flags of the same names do, these do.

All objects are looked at before the first one is written: objects that belong to others, fields that
other tools own, objects that the server refuses and missing rights are reported together, and nothing
has happened then. Interrupted at any moment, the next run goes on from where this one stopped.

In a KubeStellar workload description space (recognised by its BindingPolicy API, or named with --space
wds) no pod runs: hooks of installs and upgrades are delivered as ordinary objects, and waiting for
readiness is refused.

--place applies the policies that `bowsprit place` prints, after the objects, and first proves that these
deliver all of the release and nothing else. The control plane of Karmada is treated as such a space.

Examples:
  bowsprit apply web ./chart --context wds1 -n web
  bowsprit apply web ./chart -n web -f prod.yaml --set replicas=3 --wait
  bowsprit apply web ./chart -n web --dry-run=server
  bowsprit apply web ./chart -n web --hooks skip --crds create
  bowsprit apply web ./chart -n web --context wds1 --place kubestellar --clusters environment=staging
  bowsprit apply web ./chart -n web --place karmada --clusters m1,m2 --override m1=values-m1.yaml",
    flags: &[
        FLAGS,
        options::PLAN,
        options::METHOD,
        options::NAMESPACE,
        options::REUSE,
        APPLY_FLAGS,
        placed::FLAGS,
        placing::ANY_CLUSTERS,
        placing::FLAGS,
        placing::KUBESTELLAR,
        placing::KARMADA,
        render::POST_RENDERER,
        super::CONNECT,
        super::TAKE_OVER,
        output::FLAGS,
        charts::FLAGS,
        values::FLAGS,
        labels::FLAGS,
        release::FLAGS,
        limits::FLAGS,
    ],
    children: &[],
    run: Some(apply),
};

/// `install`.
pub(crate) static INSTALL: Command = Command {
    name: "install",
    usage: "install [NAME] CHART [flags]",
    about: "Install a chart as helm install does",
    examples: "\
Examples:
  bowsprit install web ./chart -n web --create-namespace
  bowsprit install ./chart --generate-name
  bowsprit install web ./chart --dry-run=client",
    flags: &[
        FLAGS,
        options::PLAN,
        options::METHOD,
        INSTALL_FLAGS,
        render::POST_RENDERER,
        super::CONNECT,
        super::TAKE_OVER,
        output::FLAGS,
        charts::FLAGS,
        values::FLAGS,
        labels::FLAGS,
        release::FLAGS,
        limits::FLAGS,
    ],
    children: &[],
    run: Some(install),
};

/// `upgrade`.
pub(crate) static UPGRADE: Command = Command {
    name: "upgrade",
    usage: "upgrade RELEASE CHART [flags]",
    about: "Upgrade a release as helm upgrade does",
    examples: "\
Without values those of the last revision are taken over; with any, only these count.

Examples:
  bowsprit upgrade web ./chart -n web --set image.tag=v2
  bowsprit upgrade web ./chart -n web --install --create-namespace
  bowsprit upgrade web ./chart -n web --reuse-values --rollback-on-failure",
    flags: &[
        FLAGS,
        options::PLAN,
        options::METHOD,
        options::REUSE,
        UPGRADE_FLAGS,
        render::POST_RENDERER,
        super::CONNECT,
        super::TAKE_OVER,
        output::FLAGS,
        charts::FLAGS,
        values::FLAGS,
        labels::FLAGS,
        release::FLAGS,
        limits::FLAGS,
    ],
    children: &[],
    run: Some(upgrade),
};

/// What the three have in common.
static FLAGS: &[Flag] = &[
    Flag::with(
        "wait",
        Kind::Wait,
        "HOW",
        "Wait until all objects are ready: watcher, legacy or hookOnly",
    )
    .optional("watcher"),
    Flag::switch("wait-for-jobs", "With --wait, wait for Jobs to end too"),
    Flag::with(
        "dry-run",
        Kind::Text,
        "HOW",
        "client: only render; server: have the server look at it too",
    )
    .optional("unset"),
    Flag::switch("hide-secret", "With --dry-run, show no Secrets"),
    Flag::switch("rollback-on-failure", "Undo what failed; waits for objects, too"),
    Flag::switch("atomic", "").deprecated("use --rollback-on-failure instead"),
    Flag::with("description", Kind::Text, "TEXT", "The revision's description"),
    Flag::with(
        "labels",
        Kind::Pairs,
        "KEY=VALUE",
        "Labels of the release's record; null removes one",
    )
    .short('l'),
    Flag::switch("disable-openapi-validation", "Don't have the server try all objects beforehand"),
    Flag::switch("render-subchart-notes", "Show the notes of subcharts too"),
    Flag::switch("hide-notes", "Show no notes"),
    Flag::switch(
        "deliver-record",
        "Label the record so that placement delivers it with the release",
    ),
    Flag::switch("slim-record", "Leave the chart's templates and files out of the record"),
    Flag::switch("dependency-update", "Bring the dependencies if they are missing in charts/"),
];

static APPLY_FLAGS: &[Flag] = &[
    Flag::with("history-max", Kind::Int64, "N", "Revisions to keep, 0 for all (default 10)"),
    Flag::switch("cleanup-on-fail", "Delete what was created before a failure"),
];

static INSTALL_FLAGS: &[Flag] = &[
    Flag::switch("create-namespace", "Create the namespace"),
    Flag::with("name-template", Kind::Text, "TEMPLATE", "Make the release's name of a template"),
    Flag::switch("generate-name", "Make a name of the chart's and the time").short('g'),
    Flag::switch("replace", "Take the name of a release that was uninstalled or that failed"),
];

static UPGRADE_FLAGS: &[Flag] = &[
    Flag::switch("install", "Install the release if there is none").short('i'),
    Flag::switch("create-namespace", "With --install, create the namespace"),
    Flag::with("history-max", Kind::Int64, "N", "Revisions to keep, 0 for all (default 10)"),
    Flag::switch("cleanup-on-fail", "Delete what was created before a failure"),
];

/// Which of the three commands runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Apply,
    Install,
    Upgrade,
}

fn apply(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let [name, chart] = invocation.args() else { return Err(two_args("apply RELEASE CHART")) };
    run(invocation, Verb::Apply, name.clone(), chart)
}

fn install(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let named = parsed.non_empty("name-template").is_some() || parsed.is_on("generate-name");
    match invocation.args() {
        [] => Err(Failure::Error(
            "\"bowsprit install\" requires at least 1 argument\n\nUsage:  bowsprit install [NAME] CHART \
             [flags]"
                .to_owned(),
        )),
        [chart] if parsed.is_on("generate-name") && parsed.non_empty("name-template").is_none() => {
            run(invocation, Verb::Install, generated_name(chart), chart)
        }
        [_] if !named => Err(installation_failed(Failure::Error(
            "must either provide a name or specify --generate-name".to_owned(),
        ))),
        _ => {
            let (name, chart) =
                render::name_and_chart(invocation).map_err(installation_failed)?;
            run(invocation, Verb::Install, name, &chart)
        }
    }
}

fn upgrade(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let [name, chart] = invocation.args() else { return Err(two_args("upgrade RELEASE CHART")) };
    let words = match invocation.parsed.is_on("install") {
        true => "release name",
        false => "UPGRADE FAILED: release name",
    };
    check_name(name, words)?;
    run(invocation, Verb::Upgrade, name.clone(), chart)
}

fn two_args(usage: &str) -> Failure {
    let command = usage.split(' ').next().unwrap_or_default();
    Failure::Error(format!(
        "\"bowsprit {command}\" requires 2 arguments\n\nUsage:  bowsprit {usage} [flags]"
    ))
}

/// Helm's name of a release that was given none.
fn generated_name(chart: &str) -> String {
    let base = chart.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let base = base.split('.').next().filter(|base| !base.is_empty()).unwrap_or("chart");
    format!("{base}-{}", Time::now().unix())
}

fn run(invocation: &Invocation<'_>, verb: Verb, name: String, chart: &str) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let dry_run = options::dry_run(parsed)?;
    let deploy = || {
        let mut deployment = Deployment::new(invocation, verb, dry_run)?;
        let path = charts::locate(invocation, chart)?;
        let job = render::prepare_at(invocation, name, &path)?;
        deployment.run(job)
    };
    let (record, action) = deploy().map_err(|failure| match verb {
        Verb::Install => installation_failed(failure),
        _ => failure,
    })?;
    let is_told = match verb {
        Verb::Install => false,
        // Helm says so of dry runs too.
        Verb::Upgrade => action != Action::Install,
        Verb::Apply => dry_run == DryRun::No,
    };
    if is_told && output::format(parsed) == Format::Table {
        let line = match action {
            Action::Install => continue_line(verb, &record),
            _ => format!("Release {:?} has been upgraded. Happy Helming!\n", record.name),
        };
        streams::write(line.as_bytes())?;
    }
    let shown = Shown {
        everything: invocation.settings.debug,
        hide_notes: parsed.is_on("hide-notes"),
        with_chart: true,
        ..Shown::default()
    };
    block::print(parsed, &record, None, shown)
}

/// Helm logs this error, and ends with it.
fn name_in_use(invocation: &Invocation<'_>) -> Failure {
    const WHY: &str = "cannot reuse a name that is still in use";
    let line = LogLine {
        level: Level::Error,
        message: "release name check failed".to_owned(),
        attrs: vec![("error", WHY.to_owned())],
    };
    invocation.settings.log(&line);
    Failure::Error(format!("INSTALLATION FAILED: release name check failed: {WHY}"))
}

/// Helm's word for whatever an installation ends with.
fn installation_failed(failure: Failure) -> Failure {
    prefixed(failure, "INSTALLATION FAILED: ")
}

fn prefixed(failure: Failure, words: &str) -> Failure {
    match failure {
        Failure::Error(text) if !text.starts_with(words) => {
            Failure::Error(format!("{words}{text}"))
        }
        Failure::Found(mut found) if !found.message.starts_with(words) => {
            found.message.insert_str(0, words);
            Failure::Found(found)
        }
        other => other,
    }
}

fn continue_line(verb: Verb, record: &Record) -> String {
    match verb {
        Verb::Apply => format!("Release {:?} has been installed.\n", record.name),
        _ => String::new(),
    }
}

/// What `--server-side` says: `install` has Helm's boolean, and `apply` is server-side unless told otherwise.
fn method(parsed: &Parsed, verb: Verb) -> Result<Option<Method>, Failure> {
    let text = parsed.text("server-side");
    match (verb, text) {
        (Verb::Apply | Verb::Install, None) => Ok(Some(Method::ServerSide)),
        (Verb::Install, Some(text)) => match strconv::parse_bool(text.as_bytes()) {
            Ok(true) => Ok(Some(Method::ServerSide)),
            Ok(false) => Ok(Some(Method::ClientSide)),
            Err(error) => Err(Failure::Error(format!(
                "invalid argument {text:?} for \"--server-side\" flag: {}",
                error.text().to_string_lossy()
            ))),
        },
        _ => match options::method(parsed) {
            Err(Failure::Error(text)) if verb == Verb::Upgrade => {
                Err(Failure::Error(format!("UPGRADE FAILED: {text}")))
            }
            method => method,
        },
    }
}

/// The way of one chart into one release.
pub(super) struct Deployment<'d> {
    invocation: &'d Invocation<'d>,
    verb: Verb,
    dry_run: DryRun,
    pub(super) options: Options,
    listener: Listener,
    recorded: bool,
    /// What is put on all objects.
    labels: BTreeMap<String, String>,
    placer: Option<Placer>,
    /// What is applied after the objects.
    policies: Option<Policies>,
}

impl<'d> Deployment<'d> {
    fn new(
        invocation: &'d Invocation<'d>,
        verb: Verb,
        dry_run: DryRun,
    ) -> Result<Deployment<'d>, Failure> {
        let parsed = invocation.parsed;
        options::check_exclusive(parsed)?;
        if parsed.is_on("hide-secret") && dry_run == DryRun::No {
            let text = "hiding Kubernetes secrets requires a dry-run mode";
            let words = if verb == Verb::Upgrade { "UPGRADE FAILED: " } else { "" };
            return Err(Failure::Error(format!("{words}{text}")));
        }
        let recorded = match parsed.non_empty("release-store") {
            None | Some("secret" | "configmap") => true,
            Some("none") => false,
            Some(other) => {
                return Err(Failure::Error(format!(
                    "invalid value {other:?} of --release-store. Must be \"secret\", \"configmap\", or \
                     \"none\""
                )));
            }
        };
        let mut options = Options::default();
        options.hooks = options::hooks(parsed)?;
        options.space = options::space(parsed)?;
        let placer = Placer::of(parsed)?;
        if placer.is_some() && options.space == Space::Auto {
            // Where policies are, no pod runs.
            options.space = Space::Wds;
        }
        options.crds = options::crds(parsed)?;
        options.wait = options::wait(parsed);
        options.timeout = timeout(parsed);
        options.take_ownership = parsed.is_on("take-ownership");
        options.method = method(parsed, verb)?;
        options.force_conflicts = parsed.is_on("force-conflicts");
        options.force_replace = options::force_replace(parsed);
        options.rollback_on_failure = parsed.is_on("rollback-on-failure") || parsed.is_on("atomic");
        options.cleanup_on_fail = parsed.is_on("cleanup-on-fail");
        options.description = parsed.non_empty("description").map(str::to_owned);
        options.history_max = options::history_max(parsed);
        options.rehearse = !parsed.is_on("disable-openapi-validation");
        let listener =
            listener(invocation, verb != Verb::Apply || output::format(parsed) != Format::Table);
        let labels = BTreeMap::new();
        let policies = None;
        Ok(Deployment {
            invocation,
            verb,
            dry_run,
            options,
            listener,
            recorded,
            labels,
            placer,
            policies,
        })
    }

    fn open(&self) -> Result<Session, Failure> {
        let mut session = Session::open(self.invocation)?;
        match self.invocation.parsed.non_empty("release-store") {
            Some("configmap") => session.driver = bowsprit::apply::Driver::ConfigMap,
            Some("secret") => session.driver = bowsprit::apply::Driver::Secret,
            _ => {}
        }
        Ok(session)
    }

    fn run(&mut self, job: Job) -> Result<(Record, Action), Failure> {
        if self.dry_run == DryRun::Client && self.verb == Verb::Install {
            return self.offline(job);
        }
        let session = self.open()?;
        let (plan, action) = self.plan(&session, job)?;
        if self.dry_run != DryRun::No {
            if self.dry_run == DryRun::Server {
                self.apply_policies(&session)?;
            }
            return Ok((self.dry_record(plan), action));
        }
        if self.verb == Verb::Apply {
            plan.summary().iter().for_each(|line| self.listener_note(line));
        }
        let record = session.change(plan.execute()).map_err(|e| self.failed(action, &e))?;
        self.apply_policies(&session)?;
        Ok((record, action))
    }

    fn apply_policies(&self, session: &Session) -> Result<(), Failure> {
        let Some(policies) = &self.policies else { return Ok(()) };
        let lines = policies.apply(self.invocation, session, self.dry_run != DryRun::No)?;
        lines.iter().for_each(|line| self.listener_note(line));
        Ok(())
    }

    fn listener_note(&self, line: &str) {
        if output::format(self.invocation.parsed) == Format::Table {
            streams::say(line);
        }
    }

    fn failed(&self, action: Action, error: &Error) -> Failure {
        let words = match (self.verb, action) {
            // Helm's upgrade says nothing before what its installation says.
            (Verb::Upgrade, Action::Install) => "",
            (_, Action::Install) => "INSTALLATION FAILED: ",
            _ => "UPGRADE FAILED: ",
        };
        let hint = match error.kind() {
            ErrorKind::Cancelled => "\n\nRun the same command again to go on.",
            _ => "",
        };
        Failure::Error(format!("{words}{error}{hint}"))
    }

    fn not_rendered(&self, failure: Failure, action: Action) -> Failure {
        let failure = render::without_hint(failure);
        match (self.verb, action) {
            (Verb::Upgrade, Action::Upgrade) => prefixed(failure, "UPGRADE FAILED: "),
            _ => failure,
        }
    }

    /// A rendered release without a look at any cluster.
    fn offline(&mut self, job: Job) -> Result<(Record, Action), Failure> {
        let failed = |failure| self.not_rendered(failure, Action::Install);
        let mut release = job.release(self.invocation).map_err(failed)?;
        self.label(&mut release)?;
        let base = Base::unrecorded(job.request.release.name.as_str());
        let mut record = self.record(&job, &release, &base)?;
        record.set(Status::PendingInstall, "Dry run complete");
        record.apply_method = self.options.method.unwrap_or(Method::ServerSide).word().to_owned();
        record.info.first_deployed = Some(Time::now());
        record.info.last_deployed = record.info.first_deployed;
        Ok((self.hidden(record), Action::Install))
    }

    fn dry_record(&self, plan: Plan) -> Record {
        let mut record = plan.record().clone();
        let status = match plan.action() {
            Action::Install => Status::PendingInstall,
            _ => Status::PendingUpgrade,
        };
        let description = self.options.description.clone();
        record.set(status, description.unwrap_or_else(|| "Dry run complete".to_owned()));
        record.info.last_deployed = Some(Time::now());
        record.info.first_deployed = record.info.last_deployed;
        self.hidden(record)
    }

    /// The record without Secrets, if these shall not be seen.
    fn hidden(&self, mut record: Record) -> Record {
        if self.invocation.parsed.is_on("hide-secret") {
            record.manifest = deploy::hide_secrets(&record.manifest);
        }
        record
    }

    /// Reads where the release stands, renders, and finds out what there is to do.
    pub(super) fn plan(
        &mut self,
        session: &Session,
        mut job: Job,
    ) -> Result<(Plan, Action), Failure> {
        let name = job.request.release.name.clone();
        let failed = |deployment: &Self, action, error: Error| deployment.failed(action, &error);
        let expected = if self.verb == Verb::Install { Action::Install } else { Action::Upgrade };
        let discovery = session.run(session.cluster.patient(self.options.timeout).discovery())?;
        let mut base = self.base(session, &name).map_err(|e| failed(self, expected, e))?;
        let action = self.action(&base)?;
        session.run(base.look_ahead(&session.cluster))?;
        self.prepare(&mut job, &base, action, &discovery)?;
        if let Some(host) = self.placer.and_then(|p| p.host(self.invocation.parsed)) {
            job.host = host;
        }
        if self.dry_run != DryRun::Client {
            job.host = Box::new(ClusterHost::new(job.host, &session.cluster, &session.runtime));
        }
        let mut release = job.release(self.invocation).map_err(|f| self.not_rendered(f, action))?;
        let labels = self.label(&mut release)?;
        let mut record = self.record(&job, &release, &base)?;
        self.set_namespace_labels(&record);
        if let Some(placer) = self.placer {
            let variants = self.variants(&mut job, &base, action, &discovery)?;
            let render = (release.clone(), labels);
            let (invocation, hooks) = (self.invocation, self.options.hooks);
            let policies =
                placed::policies(invocation, placer, &render, &variants, hooks, &discovery)?;
            record.manifest.push_str(&policies.extra);
            self.policies = Some(policies);
        }
        let mut request = Request::new(action, record);
        request.crds = deploy::definitions(&release.chart);
        if action != Action::Install && self.verb == Verb::Upgrade {
            // Helm installs definitions with a release, and never again.
            request.crds.clear();
        }
        let cluster = session.cluster.patient(self.options.timeout);
        let plan = Plan::make(&cluster, base, request, self.options.clone(), &self.listener);
        let plan = session.runtime.run(plan).map_err(|e| failed(self, action, e))?;
        Ok((plan, action))
    }

    /// The renders of clusters that have values of their own.
    fn variants(
        &self,
        job: &mut Job,
        base: &Base,
        action: Action,
        discovery: &Discovery,
    ) -> Result<Vec<(String, placed::Render)>, Failure> {
        let parsed = self.invocation.parsed;
        let mut variants = Vec::new();
        for (cluster, files) in placing::overrides(parsed)? {
            job.request.values = values::with_files(self.invocation, &files)?;
            self.prepare(job, base, action, discovery)?;
            let mut release = job.release(self.invocation)?;
            let (labels, _) = labels::put(parsed, &mut release, true)?;
            variants.push((cluster, (release, labels)));
        }
        Ok(variants)
    }

    fn base(&self, session: &Session, name: &str) -> Result<Base, Error> {
        if !self.recorded {
            return Ok(Base::unrecorded(name));
        }
        let store = session.store();
        let take_over = self.invocation.parsed.is_on("take-over");
        let cluster = session.cluster.patient(self.options.timeout);
        session.runtime.run(Base::read(&cluster, &store, name, take_over))
    }

    fn action(&self, base: &Base) -> Result<Action, Failure> {
        let parsed = self.invocation.parsed;
        match self.verb {
            Verb::Install if base.is_free(parsed.is_on("replace")) => Ok(Action::Install),
            Verb::Install => Err(name_in_use(self.invocation)),
            Verb::Upgrade | Verb::Apply if base.current().is_some() => Ok(Action::Upgrade),
            Verb::Upgrade if !parsed.is_on("install") => {
                Err(self.failed(Action::Upgrade, &no_deployed_releases(base.name())))
            }
            Verb::Upgrade => {
                if output::format(parsed) == Format::Table {
                    let line =
                        format!("Release {:?} does not exist. Installing it now.\n", base.name());
                    streams::write(line.as_bytes())?;
                }
                Ok(Action::Install)
            }
            Verb::Apply => Ok(Action::Install),
        }
    }

    /// Puts what the cluster says into the render.
    fn prepare(
        &self,
        job: &mut Job,
        base: &Base,
        action: Action,
        discovery: &Discovery,
    ) -> Result<(), Failure> {
        let parsed = self.invocation.parsed;
        let capabilities = deploy::capabilities(discovery, job.chart.chart());
        job.request.capabilities =
            release::over_capabilities(parsed, capabilities.map_err(Failure::of)?)?;
        job.request.release.revision = base.next_revision();
        job.request.release.is_install = action == Action::Install;
        job.request.release.is_upgrade = action != Action::Install;
        let how = if parsed.is_on("reset-values") {
            ReuseValues::Reset
        } else if parsed.is_on("reuse-values") {
            ReuseValues::Reuse
        } else if parsed.is_on("reset-then-reuse-values") {
            ReuseValues::ResetThenReuse
        } else {
            ReuseValues::IfNoneGiven
        };
        let current = base.current().filter(|_| action != Action::Install);
        let (values, defaults) =
            deploy::reuse_values(how, current, &job.request.values).map_err(Failure::of)?;
        job.request.values = values;
        if let Some(defaults) = defaults {
            let mut chart = (**job.chart.chart()).clone();
            chart.values = defaults;
            job.chart = limits::engine(parsed).compile(Arc::new(chart));
        }
        Ok(())
    }

    fn record(
        &self,
        job: &Job,
        release: &bowsprit::Release,
        base: &Base,
    ) -> Result<Record, Failure> {
        let parsed = self.invocation.parsed;
        let mut options = RecordOptions::default();
        options.labels = options::pairs(parsed.all("labels"));
        options.slim = parsed.is_on("slim-record");
        options.subchart_notes = parsed.is_on("render-subchart-notes");
        if parsed.is_on("deliver-record") {
            options.labels.extend(release_labels(release));
            options.labels.extend(self.labels.clone());
        }
        let plan = job.chart.plan(&job.request).map_err(Failure::of)?.output;
        let chart: Value = if options.slim {
            deploy::slim_chart_value(job.chart.chart(), &plan)
        } else {
            deploy::chart_value(job.chart.chart(), &plan)
        };
        Ok(deploy::record(release, &job.request, chart, base, &options))
    }

    /// Labels all objects as the flags say; `apply` does so unless told otherwise.
    fn label(&mut self, release: &mut bowsprit::Release) -> Result<LabelOptions, Failure> {
        let Invocation { parsed, settings, .. } = self.invocation;
        let on = self.verb == Verb::Apply;
        let options = labels::apply(parsed, settings, release, on, true)?;
        self.labels = options.labels.clone().into_iter().collect();
        Ok(options)
    }

    /// `apply` makes and labels the namespace unless told otherwise; the others make it when told.
    fn set_namespace_labels(&mut self, record: &Record) {
        let parsed = self.invocation.parsed;
        let on = match self.verb {
            Verb::Apply => parsed.text("create-namespace") != Some("false"),
            _ => parsed.is_on("create-namespace"),
        };
        if !on || record.namespace == "default" {
            return;
        }
        self.options.namespace_labels = Some(self.labels.clone());
    }
}

/// The labels by which placement knows what belongs to a release, where no flag says others.
fn release_labels(release: &bowsprit::Release) -> [(String, String); 3] {
    [
        (INSTANCE, release.options.name.as_str()),
        (MANAGED_BY, "Helm"),
        (PART_OF, release.chart.metadata.name.as_str()),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
}

/// A deployment that is only planned, for `diff`.
pub(super) fn planned(
    invocation: &Invocation<'_>,
    name: String,
    chart: &str,
) -> Result<Plan, Failure> {
    let mut deployment = Deployment::new(invocation, Verb::Apply, DryRun::Server)?;
    let path = charts::locate(invocation, chart)?;
    let job = render::prepare_at(invocation, name, &path)?;
    let session = deployment.open()?;
    deployment.options.wait = Wait::HooksOnly;
    // What would be refused is shown all the same.
    deployment.options.force_conflicts = deployment.options.method == Some(Method::ServerSide);
    deployment.plan(&session, job).map(|(plan, _)| plan)
}
