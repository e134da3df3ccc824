//! `bowsprit lint`.

use super::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{compiled, limits, release, report, streams, values};
use bowsprit::KubeVersion;
use bowsprit::compiled_cache::CompiledCache;
use bowsprit::lint::{
    CannotExamine, HELM_RULES, Kept, Linted, Options, RULES, Selection, Source, ValuesText, engine,
    lint_with_remains, open, open_by, print, report as report_of, since, subcharts,
};
use bowsprit::value::Host;

pub(super) static COMMAND: Command = Command {
    name: "lint",
    usage: "lint PATH... [flags]",
    about: "Examine charts for possible issues",
    examples: "\
PATH is a chart's folder or a packaged chart. Without flags this is helm lint: its rules, texts and
exit codes. bowsprit's own rules, BS001 and so on, run when they are selected; docs/lint-rules.md
describes them. The exit code is 0 if no chart fails, and 1 if one does or the command can't run.

The chart in a folder that is examined again without rules of bowsprit's own is found compiled in a
folder that only this user can read; --compiled-cache off keeps nothing.

Examples:
  bowsprit lint ./chart
  bowsprit lint ./chart --strict -f prod.yaml
  bowsprit lint charts/* --quiet
  bowsprit lint ./umbrella --with-subcharts
  bowsprit lint ./chart --select all --ignore BS009 -f prod.yaml
  bowsprit lint charts/* --since origin/main --strict
  bowsprit lint ./chart --format sarif > lint.sarif
  bowsprit lint ./chart --format junit --report-file lint.xml",
    flags: &[FLAGS, RULE_FLAGS, report::FLAGS, values::FLAGS, limits::FLAGS, compiled::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::switch("strict", "Fail on warnings"),
    Flag::switch("with-subcharts", "Examine the charts below charts/ too"),
    Flag::switch("quiet", "Print only warnings and errors"),
    Flag::switch("skip-schema-validation", "Leave values.schema.json unread"),
    Flag::with(
        "kube-version",
        Kind::Text,
        "VERSION",
        "The version of Kubernetes that charts see and that API versions are judged by",
    ),
];

static RULE_FLAGS: &[Flag] = &[
    Flag::with(
        "select",
        Kind::List,
        "RULES",
        "Run these of bowsprit's own rules too: codes, beginnings of codes, names, or all",
    ),
    Flag::with("ignore", Kind::List, "RULES", "Run bowsprit's own rules but for these"),
    Flag::with(
        "since",
        Kind::Text,
        "REF",
        "Want a higher version of charts that changed since this git reference (selects BS008)",
    ),
    Flag::with(
        "required-label",
        Kind::List,
        "KEYS",
        "The labels that BS006 wants (default app.kubernetes.io/name,app.kubernetes.io/instance)",
    ),
    Flag::switch("list-rules", "Print all rules and do nothing else"),
];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    if parsed.is_on("list-rules") {
        return list_rules();
    }
    if invocation.args().is_empty() {
        return Err(Failure::Error(
            "\"helm lint\" requires at least 1 argument\n\nUsage:  helm lint PATH [flags]"
                .to_owned(),
        ));
    }
    report::format(parsed)?;
    let mut options = Options::default();
    select(invocation, &mut options)?;
    options.strict = parsed.is_on("strict");
    options.skip_schema_validation = parsed.is_on("skip-schema-validation");
    options.limits = limits::limits(parsed);
    if let Some(version) = parsed.non_empty("kube-version") {
        options.kube_version = Some(KubeVersion::parse(version).map_err(Failure::of)?);
    }
    let mut paths = invocation.args().to_vec();
    if parsed.is_on("with-subcharts") {
        let below: Vec<String> = paths.iter().flat_map(|path| subcharts(path)).collect();
        paths.extend(below);
    }
    options.namespace = invocation.settings.namespace();
    options.values = values::values(invocation)?;
    if !options.rules.is_empty() {
        let texts = values::texts(parsed).into_iter();
        options.values_texts = texts.map(|(name, text)| ValuesText { name, text }).collect();
    }
    let host = release::host(parsed);
    // Rules of our own read files that no cache has.
    let cache = compiled::cache(invocation).filter(|_| options.rules.is_empty());
    let mut charts: Vec<Linted> = Vec::with_capacity(paths.len());
    for path in &paths {
        let is_last = charts.len() + 1 == paths.len();
        charts.push(examined(invocation, path, (&options, cache.as_ref()), &*host, is_last));
    }
    let quiet = parsed.is_on("quiet");
    let printed = print(&charts, quiet);
    let version = env!("CARGO_PKG_VERSION");
    report::print(parsed, &report_of(&charts, quiet, version), &printed.text)?;
    printed.error.map_or(Ok(()), |error| Err(Failure::Error(error)))
}

fn select(invocation: &Invocation<'_>, options: &mut Options) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let mut selected = parsed.all("select");
    let ignored = parsed.all("ignore");
    if parsed.non_empty("since").is_some() && (!selected.is_empty() || ignored.is_empty()) {
        selected.push("BS008".to_owned());
    }
    let names = |list: &'_ [String]| list.iter().map(|s| s.trim().to_owned()).collect::<Vec<_>>();
    let (selected, ignored) = (names(&selected), names(&ignored));
    let selected: Vec<&str> = selected.iter().map(String::as_str).collect();
    let ignored: Vec<&str> = ignored.iter().map(String::as_str).collect();
    options.rules = Selection::new(&selected, &ignored).map_err(Failure::Error)?;
    let labels = parsed.all("required-label");
    if !labels.is_empty() {
        options.required_labels = labels;
    }
    Ok(())
}

fn opened(
    invocation: &Invocation<'_>,
    path: &str,
    (options, cache): (&Options, Option<&CompiledCache>),
) -> Result<(Source, Option<Kept>), CannotExamine> {
    let (mut source, kept) = match cache {
        Some(cache) => open_by(path, cache, &engine(options))?,
        None => (open(path)?, None),
    };
    if let Some(reference) = invocation.parsed.non_empty("since") {
        source.since = Some(since(path, reference).map_err(CannotExamine)?);
    }
    Ok((source, kept))
}

fn list_rules() -> Result<(), Failure> {
    let mut text = String::new();
    for rule in HELM_RULES.iter().chain(RULES) {
        let name = format!("{} {}", rule.code, rule.name);
        text.push_str(&format!("{name:<26} {:<8} {}\n", rule.severity.name(), rule.summary));
    }
    streams::write(text.as_bytes())
}

fn examined(
    invocation: &Invocation<'_>,
    path: &str,
    by: (&Options, Option<&CompiledCache>),
    host: &dyn Host,
    is_last: bool,
) -> Linted {
    let (source, kept) = match opened(invocation, path, by) {
        Ok(opened) => opened,
        Err(error) => return Linted::not_examined(path, error),
    };
    let (linted, remains) = lint_with_remains(&source, by.0, host);
    if let Some(kept) = &kept {
        let is_right = kept.is_right(&source);
        let outcome = if is_right { kept.keep(&source) } else { kept.discard() };
        if let Err(error) = outcome {
            let text = format!("compiled chart not {}", if is_right { "kept" } else { "removed" });
            invocation.settings.log_debug(&text, vec![("error", error.to_string())]);
        }
        if !is_right {
            return examined(invocation, path, (by.0, None), host, is_last);
        }
    }
    if is_last {
        // The process is about to end, and takes its memory along.
        std::mem::forget((source, kept, remains));
    }
    linted.log.iter().for_each(|line| invocation.settings.log(line));
    linted
}
