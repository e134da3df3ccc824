//! The flags that say what is rendered and for whom.

use crate::commands::Invocation;
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::limits;
use bowsprit::chart::Chart;
use bowsprit::host::{OsHost, SeededHost};
use bowsprit::loader::{self, ApiVersions, Options};
use bowsprit::render::compat::ChartVersions;
use bowsprit::render::{Target, TargetError};
use bowsprit::value::{Args, Func, FuncError, Host, Str, Timestamp, Type, Value};
use bowsprit::{Capabilities, Compat, KubeVersion, RenderRequest, pipeline};
use std::path::Path;

/// For commands that render without a cluster.
pub(crate) static TARGET: &[Flag] = &[Flag::with(
    "target",
    Kind::Text,
    "FILE",
    "A snapshot of a cluster: its versions, and objects for lookup",
)];

pub(crate) static FLAGS: &[Flag] = &[
    Flag::with("kube-version", Kind::Text, "VERSION", "The version of Kubernetes that charts see"),
    Flag::with(
        "api-versions",
        Kind::List,
        "VERSIONS",
        "More API versions that charts see; repeatable",
    )
    .short('a'),
    Flag::switch("is-upgrade", "Render an upgrade instead of an installation"),
    Flag::switch("skip-schema-validation", "Leave values.schema.json unread"),
    Flag::with(
        "helm-compat",
        Kind::Text,
        "VERSION",
        "Behave as Helm 3.22, 4.1 or 4.2 (default 4.2)",
    ),
    Flag::switch("enable-dns", "Let getHostByName ask the name service"),
    Flag::with(
        "seed",
        Kind::Uint64,
        "N",
        "Make the render repeatable: randomness from N, the clock at SOURCE_DATE_EPOCH or 1970, UTC",
    ),
];

/// The release of Helm that is wanted; the settings have been checked for a level that is none.
pub(crate) fn compat(parsed: &Parsed) -> Compat {
    parsed.non_empty("helm-compat").and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The snapshot that `--target` names.
fn target(parsed: &Parsed) -> Result<Option<Target>, Failure> {
    let Some(name) = parsed.non_empty("target") else { return Ok(None) };
    let path = Path::new(name);
    let text = std::fs::read(path).map_err(|e| {
        Failure::Error(format!("--target: {}", loader::PathError::new("open", path, e)))
    })?;
    Target::parse(&text).map(Some).map_err(|e| bad_target(parsed, &e))
}

fn bad_target(parsed: &Parsed, error: &TargetError) -> Failure {
    Failure::Error(format!("--target {}: {error}", parsed.text("target").unwrap_or_default()))
}

/// What `.Capabilities` is to say.
///
/// # Errors
///
/// Fails where the version is none.
pub(crate) fn capabilities(parsed: &Parsed) -> Result<Capabilities, Failure> {
    let compat = compat(parsed);
    let capabilities = match target(parsed)? {
        Some(target) => target.capabilities(compat).map_err(|e| bad_target(parsed, &e))?,
        None => Capabilities::of(compat),
    };
    over_capabilities(parsed, capabilities)
}

/// The same over what a cluster says.
///
/// # Errors
///
/// As [`capabilities`].
pub(crate) fn over_capabilities(
    parsed: &Parsed,
    mut capabilities: Capabilities,
) -> Result<Capabilities, Failure> {
    let compat = compat(parsed);
    if compat != Compat::default() {
        capabilities = capabilities.as_in(compat);
    }
    if let Some(version) = parsed.non_empty("kube-version") {
        let version = KubeVersion::parse_as(version, compat).map_err(Failure::of)?;
        capabilities = capabilities.with_kube_version(version);
    }
    let versions = parsed.all("api-versions");
    if versions.is_empty() {
        return Ok(capabilities);
    }
    Ok(capabilities.with_api_versions(versions.into_iter().map(Str::from)))
}

/// Sets what flags say beside values and capabilities.
pub(crate) fn apply(parsed: &Parsed, request: &mut RenderRequest) {
    request.skip_schema_validation = parsed.is_on("skip-schema-validation");
    request.release.is_upgrade = parsed.is_on("is-upgrade");
    request.release.is_install = !request.release.is_upgrade;
}

/// Loads a chart from a path and logs what there is to log.
///
/// # Errors
///
/// Fails where Helm does, with its words.
pub(crate) fn load(invocation: &Invocation<'_>, path: &Path) -> Result<Chart, Failure> {
    match loader::load_path(path, &load_options(invocation.parsed)) {
        Ok(loaded) => {
            loaded.warnings.iter().for_each(|line| invocation.settings.log(line));
            Ok(loaded.output)
        }
        Err(error) => Err(load_failed(invocation, path, &error)),
    }
}

/// How charts are loaded.
pub(crate) fn load_options(parsed: &Parsed) -> Options {
    let mut options = Options::default();
    let rules = compat(parsed).rules();
    options.limits.reading = rules.reading;
    if rules.chart_versions == ChartVersions::Any {
        options.api_versions = ApiVersions::Any;
    }
    options
}

/// A chart that can't be loaded. What was logged before is logged.
pub(crate) fn load_failed(
    invocation: &Invocation<'_>,
    path: &Path,
    error: &loader::Error,
) -> Failure {
    error.log().iter().for_each(|line| invocation.settings.log(line));
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    Failure::found(pipeline::load_diagnostic(error, &name))
}

/// The world that templates see.
pub(crate) fn host(parsed: &Parsed) -> Box<dyn Host> {
    seeded_host(parsed, parsed.number("seed"))
}

/// The same, but repeatable without being asked for it: for two renders that are to be compared.
pub(crate) fn repeatable_host(parsed: &Parsed) -> Box<dyn Host> {
    seeded_host(parsed, Some(parsed.number("seed").unwrap_or(1)))
}

fn seeded_host(parsed: &Parsed, seed: Option<u64>) -> Box<dyn Host> {
    let dns = parsed.is_on("enable-dns");
    // A snapshot that can't be read has been an error of the capabilities.
    let target = target(parsed).unwrap_or_default();
    match (seed, target) {
        (Some(seed), None) => Box::new(SeededHost::at(seed, source_date()).dns(dns)),
        (Some(seed), Some(target)) => {
            Box::new(target.host(SeededHost::at(seed, source_date()).dns(dns)))
        }
        (None, None) => Box::new(OsHost::new().dns(dns)),
        (None, Some(target)) => Box::new(target.host(OsHost::new().dns(dns))),
    }
}

/// The world of renders that are compared with each other: random values and the time are the same in
/// each.
pub(crate) fn steady_host(parsed: &Parsed, now: std::time::SystemTime) -> Box<dyn Host> {
    let dns = parsed.is_on("enable-dns");
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp { seconds: since.as_secs() as i64, nanos: 0 };
    let host = match parsed.number("seed") {
        Some(seed) => SeededHost::at(seed, source_date()),
        None => SeededHost::at(0, now),
    };
    match target(parsed).unwrap_or_default() {
        Some(target) => Box::new(target.host(host.dns(dns))),
        None => Box::new(host.dns(dns)),
    }
}

/// What others who make builds repeatable take for the time.
fn source_date() -> Timestamp {
    let seconds = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse().ok());
    Timestamp { seconds: seconds.unwrap_or(0), nanos: 0 }
}

/// The release's name from a template.
///
/// # Errors
///
/// Fails where the template can't be parsed or run.
pub(crate) fn name_from(parsed: &Parsed, template: &str) -> Result<String, Failure> {
    let host: Box<dyn Host> = match parsed.number("seed") {
        Some(seed) => Box::new(SeededHost::at(seed, source_date()).dns(true)),
        None => Box::new(OsHost::new().dns(true)),
    };
    pipeline::release_name_from(template, NAME_FUNCS, &*host, limits::limits(parsed))
        .map_err(Failure::of)
}

/// What Helm's charts are not given, but its templates of names are.
static NAME_FUNCS: &[Func] = &[
    Func::pure("env", &[Type::String], Type::String, |args| {
        Ok(Value::from(variable(&args.str(0).to_string_lossy())))
    }),
    Func::pure("expandenv", &[Type::String], Type::String, expand_env),
    Func::host("getHostByName", &[Type::String], Type::String, |args, host| {
        match host.resolve_dns(&args.str(0).to_string_lossy()) {
            // sprig draws one of no addresses.
            address if address.is_empty() => Err(FuncError::new("invalid argument to Intn")),
            address => Ok(Value::from(address)),
        }
    }),
];

fn variable(name: &str) -> String {
    // std::env panics at such names.
    if name.is_empty() || name.contains(['=', '\0']) {
        return String::new();
    }
    std::env::var_os(name).map_or(String::new(), |value| value.to_string_lossy().into_owned())
}

/// Go's `os.ExpandEnv`.
fn expand_env(args: &mut Args<'_>) -> Result<Value, FuncError> {
    let text = args.str(0).to_string_lossy().into_owned();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, behind) = shell_name(after);
        match name {
            Some("") => {}
            Some(name) => out.push_str(&variable(name)),
            None => out.push('$'),
        }
        rest = behind;
    }
    out.push_str(rest);
    Ok(Value::from(out))
}

/// The name after a `$`, none where the `$` stands for itself, and what follows.
fn shell_name(text: &str) -> (Option<&str>, &str) {
    let split = |end: usize| {
        let (name, behind) = text.split_at_checked(end).unwrap_or((text, ""));
        (Some(name), behind)
    };
    match text.bytes().next() {
        None => (None, text),
        Some(b'{') => match text.split_once('}') {
            Some((name, behind)) => (name.get(1..), behind),
            None => (Some(""), text.get(1..).unwrap_or_default()),
        },
        Some(b'*' | b'#' | b'$' | b'@' | b'!' | b'?' | b'-' | b'0'..=b'9') => split(1),
        Some(_) => {
            let in_name = |b: u8| b == b'_' || b.is_ascii_alphanumeric();
            match text.bytes().position(|b| !in_name(b)).unwrap_or(text.len()) {
                0 => (None, text),
                end => split(end),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables_end_where_gos_do() {
        for (text, want) in [
            ("a b", (Some("a"), " b")),
            ("{a b}c", (Some("a b"), "c")),
            ("1a", (Some("1"), "a")),
            ("$a", (Some("$"), "a")),
            (".a", (None, ".a")),
            ("", (None, "")),
            ("{a", (Some(""), "a")),
        ] {
            assert_eq!(shell_name(text), want, "{text}");
        }
    }
}
