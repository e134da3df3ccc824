//! `bowsprit template`.

use super::release::validate;
use super::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::render::{self, Job, described, hinted};
use crate::{charts, compiled, labels, limits, release, streams, values};
use bowsprit::Release;
use bowsprit::chart::path::clean;
use bowsprit::chart::{Level, LogLine};
use bowsprit::loader::PathError;
use bowsprit::pipeline::{self, FileWrite, Options, WriteMode};
use bowsprit::value::strconv;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

pub(super) static COMMAND: Command = Command {
    name: "template",
    usage: "template [NAME] CHART [flags]",
    about: "Render a chart and print its manifests",
    examples: "\
CHART is a directory, a packaged chart, name/chart of a repository, a URL or oci://HOST/PATH. Without NAME the release is called release-name. Helm's
other flags that change nothing of what is printed, as --wait and --timeout, are accepted.

Examples:
  bowsprit template demo ./chart
  bowsprit template demo ./chart -f base.yaml -f prod.yaml --set replicas=3
  generate-values | bowsprit template demo ./chart -f -
  bowsprit template demo bitnami/postgresql --version ^16
  bowsprit template demo oci://registry-1.docker.io/bitnamicharts/postgresql
  bowsprit template demo ./chart -s templates/service.yaml
  bowsprit template demo ./chart --output-dir out --include-crds
  bowsprit template demo ./chart --default-labels --label team=payments
  bowsprit template demo ./chart --kube-version 1.31 -a cert-manager.io/v1
  bowsprit template demo ./chart --seed 1 | diff previous.yaml -

What is compiled of a chart is kept for the next run once the same chart has been rendered before, in a folder
that only this user can read; --compiled-cache off keeps nothing.",
    flags: &[
        FLAGS,
        render::POST_RENDERER,
        charts::FLAGS,
        values::FLAGS,
        release::FLAGS,
        release::TARGET,
        limits::FLAGS,
        compiled::FLAGS,
        labels::FLAGS,
        WITHOUT_EFFECT,
    ],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with(
        "show-only",
        Kind::Texts,
        "TEMPLATE",
        "Print only what comes from this template; repeatable",
    )
    .short('s'),
    Flag::switch("include-crds", "Print custom resource definitions too"),
    Flag::switch("no-hooks", "Print no hooks"),
    Flag::switch("skip-tests", "Print no tests"),
    Flag::with("output-dir", Kind::Text, "DIR", "Write files into DIR instead of printing them"),
    Flag::switch("release-name", "With --output-dir, put the release's name into the files' path"),
    Flag::with("name-template", Kind::Text, "TEMPLATE", "Make the release's name of a template"),
    Flag::switch("generate-name", "Accepted for Helm's sake: the name stays release-name")
        .short('g'),
    Flag::with("labels", Kind::Pairs, "KEY=VALUE", "Labels of the release; only checked")
        .short('l'),
    Flag::with("dry-run", Kind::Text, "HOW", "client, the default, or server: render with a cluster's eyes and have it check the objects")
        .optional("unset"),
    // What needs a network or a cluster.
    Flag::switch("validate", "").deprecated("use '--dry-run=server' instead"),
    Flag::switch("dependency-update", "Bring the dependencies if they are missing in charts/"),
];

/// What Helm accepts and what changes nothing of its output.
static WITHOUT_EFFECT: &[Flag] = &[
    Flag::switch("create-namespace", "").hidden(),
    Flag::with("description", Kind::Text, "TEXT", "").hidden(),
    Flag::switch("disable-openapi-validation", "").hidden(),
    Flag::switch("force-conflicts", "").hidden(),
    Flag::switch("force-replace", "").hidden(),
    Flag::switch("force", "").deprecated("use --force-replace instead"),
    Flag::switch("replace", "").hidden(),
    Flag::switch("rollback-on-failure", "").hidden(),
    Flag::switch("atomic", "").deprecated("use --rollback-on-failure instead"),
    Flag::switch("server-side", "").hidden(),
    Flag::switch("skip-crds", "").hidden(),
    Flag::switch("take-ownership", "").hidden(),
    Flag::with("timeout", Kind::Duration, "DURATION", "").hidden(),
    Flag::with("wait", Kind::Wait, "HOW", "").optional("watcher").hidden(),
    Flag::switch("wait-for-jobs", "").hidden(),
    Flag::switch("hide-notes", "")
        .deprecated("this flag has no effect for 'helm template' and will be removed in Helm 5"),
    Flag::switch("render-subchart-notes", "")
        .deprecated("this flag has no effect for 'helm template' and will be removed in Helm 5"),
];

/// Flags of which one forbids the other, in the order in which Helm looks at them.
const EXCLUSIVE: [(&str, &str); 3] =
    [("force", "force-conflicts"), ("force-replace", "force-conflicts"), ("validate", "dry-run")];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    if invocation.args().is_empty() {
        return Err(Failure::Error(
            "\"helm template\" requires at least 1 argument\n\n\
             Usage:  helm template [NAME] [CHART] [flags]"
                .to_owned(),
        ));
    }
    for (one, other) in EXCLUSIVE {
        if parsed.given(one) && parsed.given(other) {
            let mut both = [one, other];
            both.sort_unstable();
            let both = both.join(" ");
            return Err(Failure::Error(format!(
                "if any flags in the group [{one} {other}] are set none of the others can be; \
                 [{both}] were all set"
            )));
        }
    }
    release::capabilities(parsed)?;
    let server = check_dry_run(invocation)?;
    log_version(invocation);
    let (name, chart) = render::name_and_chart(invocation)?;
    let mut job = render::prepare(invocation, name, &chart)?;
    let printed = if server {
        let session = validate::connect(invocation, &mut job)?;
        print(invocation, &mut job, &|job, release| validate::check(&session, job, release))
    } else {
        print(invocation, &mut job, &|_, _| Ok(()))
    };
    if printed.is_ok() {
        job.keep(invocation);
    }
    // The process ends here, and takes its memory along.
    std::mem::forget(job);
    printed
}

fn warn(invocation: &Invocation<'_>, message: String) {
    invocation.settings.log(&LogLine { level: Level::Warn, message, attrs: Vec::new() });
}

/// Whether a cluster takes part.
fn check_dry_run(invocation: &Invocation<'_>) -> Result<bool, Failure> {
    let value = invocation.parsed.text("dry-run").unwrap_or("client");
    let invalid = |allowed: &str| {
        let value = strconv::quote(value.as_bytes());
        let value = String::from_utf8_lossy(&value);
        Failure::Error(format!("invalid dry-run value ({value}). Must be {allowed}"))
    };
    let either = "\"server\" or \"client\"";
    let server = match value {
        "unset" => {
            let message = "--dry-run is deprecated and should be replaced with '--dry-run=client'";
            warn(invocation, message.to_owned());
            false
        }
        "client" => false,
        "server" => true,
        "none" => return Err(invalid(either)),
        _ => match strconv::parse_bool(value.as_bytes()) {
            Err(_) => return Err(invalid("\"none\", \"server\", or \"client\"")),
            Ok(false) => return Err(invalid(either)),
            Ok(true) => {
                warn(
                    invocation,
                    format!(
                        "boolean '--dry-run={value}' flag is deprecated and must be replaced with \
                     '--dry-run=client'"
                    ),
                );
                false
            }
        },
    };
    Ok(server || invocation.parsed.is_on("validate"))
}

fn log_version(invocation: &Invocation<'_>) {
    let version = invocation.parsed.text("version").unwrap_or_default();
    let attrs = vec![("version", version.to_owned())];
    invocation.settings.log_debug("Original chart version", attrs);
    if version.is_empty() && invocation.parsed.is_on("devel") {
        invocation.settings.log_debug("setting version to >0.0.0-0", Vec::new());
    }
}

fn print(
    invocation: &Invocation<'_>,
    job: &mut Job,
    check: &dyn Fn(&Job, &Release) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let parsed = invocation.parsed;
    let rendered = job.render_intact(invocation)?;
    let options = &job.options;
    let mut release = match rendered {
        Ok(release) => release,
        Err(error) => {
            return broken(invocation, &error, options, &job.request.release.name);
        }
    };
    labels::apply(parsed, invocation.settings, &mut release, false, options.include_crds)?;
    check(job, &release)?;
    if parsed.non_empty("output-dir").is_none() && parsed.all("show-only").is_empty() {
        let printed = streams::write_pieces(&pipeline::pieces(&release, options));
        std::mem::forget(release);
        return printed;
    }
    let (text, writes) = match parsed.non_empty("output-dir") {
        None => (pipeline::print(&release, options), Vec::new()),
        Some(dir) => {
            let in_folder = parsed.is_on("release-name");
            (b"\n".to_vec(), pipeline::file_writes(&release, options, dir, in_folder))
        }
    };
    std::mem::forget(release);
    finish(invocation, text, writes, None)
}

/// A render that failed: with `--debug` what there is is printed nevertheless.
fn broken(
    invocation: &Invocation<'_>,
    error: &pipeline::Error,
    options: &Options,
    name: &str,
) -> Result<(), Failure> {
    if !invocation.settings.debug || !error.has_release() {
        return Err(described(invocation, error));
    }
    let parsed = invocation.parsed;
    let Some(dir) = parsed.non_empty("output-dir") else {
        let text = pipeline::print_broken(error, options);
        return finish(invocation, text, Vec::new(), Some(described(invocation, error)));
    };
    let mut shown = Options::default();
    shown.no_hooks = true;
    let text = pipeline::print_broken(error, &shown);
    let folder = parsed.is_on("release-name").then_some(name);
    let writes = pipeline::broken_file_writes(error, options, dir, folder);
    finish(invocation, text, writes, Some(described(invocation, error)))
}

/// Writes the files, prints the text or the part of it that is wanted, and fails with what failed
/// before.
fn finish(
    invocation: &Invocation<'_>,
    text: Vec<u8>,
    writes: Vec<FileWrite>,
    failure: Option<Failure>,
) -> Result<(), Failure> {
    let mut out = Vec::new();
    for write in &writes {
        if let Err(error) = carry_out(write) {
            streams::write(&out)?;
            return Err(Failure::Error(hinted(&error, !invocation.settings.debug)));
        }
        out.extend_from_slice(format!("wrote {}\n", write.path).as_bytes());
    }
    let patterns = invocation.parsed.all("show-only");
    if patterns.is_empty() && out.is_empty() {
        out = text;
    } else if patterns.is_empty() {
        out.extend_from_slice(&text);
    } else {
        let dialect = release::compat(invocation.parsed).rules().documents;
        match pipeline::show_only_as(&text, &patterns, dialect) {
            Ok(shown) => out.extend_from_slice(&shown),
            Err(missing) => {
                streams::write(&out)?;
                return Err(failure.unwrap_or_else(|| Failure::of(missing)));
            }
        }
    }
    streams::write(&out)?;
    failure.map_or(Ok(()), Err)
}

fn carry_out(write: &FileWrite) -> Result<(), PathError> {
    let path = Path::new(&write.path);
    // Helm cleans the folder's path before it makes it, but opens the file by the path as it is.
    if let Some((dir, _)) = write.path.rsplit_once('/') {
        let dir = clean(dir.as_bytes());
        make_dirs(Path::new(&*String::from_utf8_lossy(&dir)))?;
    }
    let append = match write.mode {
        WriteMode::Truncate => false,
        WriteMode::Append => true,
        WriteMode::AppendIfExists => path.exists(),
    };
    let file = if append { OpenOptions::new().append(true).open(path) } else { File::create(path) };
    let written = file.map_err(|e| PathError::new("open", path, e))?.write_all(&write.content);
    written.map_err(|e| PathError::new("write", path, e))
}

/// Go's `MkdirAll`, which names the folder that could not be made.
fn make_dirs(dir: &Path) -> Result<(), PathError> {
    match dir.metadata() {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => {
            let error = std::io::Error::from(std::io::ErrorKind::NotADirectory);
            return Err(PathError::new("mkdir", dir, error));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(PathError::new("stat", dir, error)),
    }
    let missing: Vec<&Path> =
        dir.ancestors().take_while(|d| !d.as_os_str().is_empty() && !d.exists()).collect();
    for dir in missing.into_iter().rev() {
        std::fs::create_dir(dir).map_err(|e| PathError::new("mkdir", dir, e))?;
    }
    Ok(())
}
