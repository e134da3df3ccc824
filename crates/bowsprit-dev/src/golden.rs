//! Records golden cases from Helm.

use std::path::{Path, PathBuf};
use std::process::Command;

use bowsprit_testkit::{
    Case, Expected, Outcome, Unordered, cases, repository, run_case, same_lines,
};

use crate::TaskResult;

/// The version whose behaviour is the specification.
const HELM: &str = "4.2.4";

/// Helm prints some lines in an order that changes from run to run; so many runs show it.
const RUNS: usize = 12;

struct Options {
    helm: PathBuf,
    check: bool,
    filter: String,
}

pub(crate) fn run(args: &[String]) -> TaskResult {
    let options = options(args)?;
    check_version(&options.helm)?;
    let root = repository();
    let cases = cases(&root.join("fixtures/golden")).map_err(|e| e.to_string())?;
    let mut changed = Vec::new();
    let mut seen = 0;
    for case in cases.iter().filter(|case| case.name.contains(&options.filter)) {
        seen += 1;
        let recorded = Expected::read(case).ok();
        let fresh = observe(&options.helm, &root, case, recorded.as_ref())?;
        if differs(recorded.as_ref(), &fresh) {
            changed.push(case.name.as_str());
            if !options.check {
                fresh.write(case).map_err(|e| e.to_string())?;
            }
        }
    }
    match (seen, changed.as_slice()) {
        (0, _) => Err(format!("no case matches `{}`", options.filter)),
        (_, []) => Ok(format!("{seen} cases, all as recorded")),
        (_, changed) if options.check => {
            Err(format!("{} of {seen} cases changed: {}", changed.len(), changed.join(", ")))
        }
        (_, changed) => Ok(format!("{seen} cases, {} recorded anew", changed.len())),
    }
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut helm = std::env::var_os("HELM").map(PathBuf::from);
    let mut check = false;
    let mut filter = String::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--helm" => helm = args.next().map(PathBuf::from),
            "--check" => check = true,
            flag if flag.starts_with('-') => return Err(format!("unknown flag {flag}")),
            text => filter = text.to_string(),
        }
    }
    let helm = helm.ok_or("where is helm? give --helm PATH or set $HELM")?;
    let helm = helm.canonicalize().map_err(|e| format!("{}: {e}", helm.display()))?;
    Ok(Options { helm, check, filter })
}

/// A Helm built from its module calls itself `v4.2`, a released one `v4.2.4`.
fn check_version(helm: &Path) -> Result<(), String> {
    let output = Command::new(helm)
        .args(["version", "--template", "{{.Version}}"])
        .output()
        .map_err(|e| format!("{}: {e}", helm.display()))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_string();
    match version.strip_prefix('v') {
        Some(v) if v == HELM || HELM.strip_suffix(".4") == Some(v) => Ok(()),
        _ => Err(format!("golden files are recorded from Helm {HELM}; this is `{version}`")),
    }
}

/// A stream once seen without order stays so, even when the runs of today happen to agree.
fn observe(
    helm: &Path,
    root: &Path,
    case: &Case,
    recorded: Option<&Expected>,
) -> Result<Expected, String> {
    let once = || run_case(helm, root, case).map_err(|e| format!("{}: {e}", case.name));
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
    Ok(Expected { helm: HELM.to_string(), unordered, outcome: sorted(first, unordered) })
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
