//! Records golden cases from Helm.

use std::path::{Path, PathBuf};
use std::process::Command;

use bowsprit_testkit::{
    Case, Expected, Outcome, Unordered, cases, repository, run_case, same_lines,
};

use crate::TaskResult;

/// The versions that cases are recorded from: the one whose behaviour is the specification, then those
/// that there is a compatibility level for.
const HELMS: [&str; 3] = ["4.2.4", "4.1.4", "3.22.0"];

/// Helm prints some lines in an order that changes from run to run; so many runs show it.
const RUNS: usize = 12;

/// A Helm and the version it has.
struct Helm {
    path: PathBuf,
    version: &'static str,
}

struct Options {
    helms: Vec<Helm>,
    check: bool,
    filter: String,
}

pub(crate) fn run(args: &[String]) -> TaskResult {
    let options = options(args)?;
    let root = repository();
    let cases = cases(&root.join("fixtures/golden")).map_err(|e| e.to_string())?;
    let mut changed = Vec::new();
    let (mut seen, mut left) = (0, 0);
    for case in cases.iter().filter(|case| case.name.contains(&options.filter)) {
        let wanted = wanted(case)?;
        let Some(helm) = options.helms.iter().find(|helm| helm.version == wanted) else {
            left += 1;
            continue;
        };
        seen += 1;
        let recorded = Expected::read(case).ok();
        let fresh = observe(helm, &root, case, recorded.as_ref())?;
        if differs(recorded.as_ref(), &fresh) {
            changed.push(case.name.as_str());
            if !options.check {
                fresh.write(case).map_err(|e| e.to_string())?;
            }
        }
    }
    let seen = if left == 0 {
        seen.to_string()
    } else {
        format!("({left} left alone, whose Helm was not given) {seen}")
    };
    match (seen.as_str(), changed.as_slice()) {
        ("0", _) => Err(format!("no case matches `{}`", options.filter)),
        (_, []) => Ok(format!("{seen} cases, all as recorded")),
        (_, changed) if options.check => {
            Err(format!("{} of {seen} cases changed: {}", changed.len(), changed.join(", ")))
        }
        (_, changed) => Ok(format!("{seen} cases, {} recorded anew", changed.len())),
    }
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut check = false;
    let mut filter = String::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--helm" => paths.extend(args.next().map(PathBuf::from)),
            "--check" => check = true,
            flag if flag.starts_with('-') => return Err(format!("unknown flag {flag}")),
            text => filter = text.to_string(),
        }
    }
    if paths.is_empty() {
        paths.extend(std::env::var_os("HELM").map(PathBuf::from));
    }
    if paths.is_empty() {
        return Err("where is helm? give --helm PATH or set $HELM".to_owned());
    }
    let helms = paths.iter().map(|path| helm(path)).collect::<Result<_, _>>()?;
    Ok(Options { helms, check, filter })
}

/// A Helm built from its module calls itself `v4.2`, a released one `v4.2.4`.
fn helm(path: &Path) -> Result<Helm, String> {
    let path = path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?;
    let output = Command::new(&path)
        .args(["version", "--template", "{{.Version}}"])
        .output()
        .map_err(|e| format!("{}: {e}", path.display()))?;
    let found = String::from_utf8_lossy(&output.stdout).trim().to_string();
    let short = |version: &str| version.rsplit_once('.').map(|(short, _)| short.to_owned());
    let version = HELMS.into_iter().find(|version| match found.strip_prefix('v') {
        Some(found) => found == *version || short(version).as_deref() == Some(found),
        None => false,
    });
    let version = version.ok_or_else(|| {
        let known = HELMS.join(", ");
        format!("golden files are recorded from Helm {known}; this is `{found}`")
    })?;
    Ok(Helm { path, version })
}

/// The version that a case is recorded from.
fn wanted(case: &Case) -> Result<&'static str, String> {
    let [newest, ..] = HELMS;
    let Some(compat) = &case.command.compat else { return Ok(newest) };
    let found = HELMS.into_iter().find(|version| version.starts_with(&format!("{compat}.")));
    found.ok_or_else(|| format!("{}: no compat `{compat}`", case.name))
}

/// A stream once seen without order stays so, even when the runs of today happen to agree.
fn observe(
    helm: &Helm,
    root: &Path,
    case: &Case,
    recorded: Option<&Expected>,
) -> Result<Expected, String> {
    let once = || run_case(&helm.path, root, case).map_err(|e| format!("{}: {e}", case.name));
    let first = once()?;
    let mut unordered = recorded.map_or(Unordered::default(), |recorded| recorded.unordered);
    for _ in 1..RUNS {
        let next = once()?;
        unordered.stdout |= order_differs(case, &first.stdout, &next.stdout)?;
        unordered.stderr |= order_differs(case, &first.stderr, &next.stderr)?;
        if (first.exit, &first.files) != (next.exit, &next.files) {
            return Err(format!("{}: differs from run to run; change the case", case.name));
        }
    }
    Ok(Expected { helm: helm.version.to_string(), unordered, outcome: sorted(first, unordered) })
}

fn order_differs(case: &Case, a: &[u8], b: &[u8]) -> Result<bool, String> {
    if a == b {
        Ok(false)
    } else if same_lines(a, b) {
        Ok(true)
    } else {
        Err(format!("{}: prints other lines from run to run; change the case", case.name))
    }
}

/// Lines without an order are recorded sorted, so that recording anew changes nothing.
fn sorted(mut outcome: Outcome, unordered: Unordered) -> Outcome {
    for (stream, unordered) in
        [(&mut outcome.stdout, unordered.stdout), (&mut outcome.stderr, unordered.stderr)]
    {
        if unordered {
            let mut lines: Vec<&[u8]> = stream.split_inclusive(|&b| b == b'\n').collect();
            lines.sort_unstable();
            *stream = lines.concat();
        }
    }
    outcome
}

fn differs(recorded: Option<&Expected>, fresh: &Expected) -> bool {
    recorded.is_none_or(|recorded| {
        (&recorded.helm, recorded.unordered) != (&fresh.helm, fresh.unordered)
            || recorded.compare(&fresh.outcome).is_some()
    })
}
