//! One run of each side, and what it took.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run printed. What differs from run to run by its nature is masked.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) code: i32,
    pub(super) stdout: String,
    /// `Error:` and what follows on standard error.
    pub(super) error: String,
    /// The lines before it, sorted: Helm's come in random order.
    pub(super) log: Vec<String>,
    /// CPU time of the process, in seconds.
    pub(super) cpu: f64,
}

#[derive(Debug)]
pub(super) struct Sides {
    helm: PathBuf,
    bowsprit: PathBuf,
}

impl Sides {
    pub(super) fn new(helm: &Path, bowsprit: &Path) -> Result<Sides, String> {
        let found = |path: &Path| {
            path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
        };
        Ok(Sides { helm: found(helm)?, bowsprit: found(bowsprit)? })
    }

    /// Helm's outcome and ours, of a chart that was never seen before.
    pub(super) fn both(&self, chart: &Path, args: &[&str]) -> Result<[Outcome; 2], String> {
        let off = Path::new("off");
        Ok([run(&self.helm, chart, args, off)?, run(&self.bowsprit, chart, args, off)?])
    }

    /// Our outcome with a folder for compiled charts.
    pub(super) fn ours(&self, chart: &Path, cache: &Path) -> Result<Outcome, String> {
        run(&self.bowsprit, chart, &[], cache)
    }
}

fn children_cpu() -> Result<f64, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    Ok((usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6)
}

fn run(program: &Path, chart: &Path, args: &[&str], cache: &Path) -> Result<Outcome, String> {
    let dir = chart.parent().unwrap_or(Path::new("."));
    let name = chart.file_name().unwrap_or_default();
    let before = children_cpu()?;
    let output = Command::new(program)
        .arg("lint")
        .arg(name)
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("TZ", "UTC")
        .env("BOWSPRIT_COMPILED_CACHE", cache)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let cpu = children_cpu()? - before;
    let mask = |bytes: &[u8]| masked(&String::from_utf8_lossy(bytes), chart);
    let stderr = mask(&output.stderr);
    let (log, error) = match stderr
        .find("Error: ")
        .filter(|at| *at == 0 || stderr.get(..*at).is_some_and(|before| before.ends_with('\n')))
    {
        Some(at) => stderr.split_at(at),
        None => (stderr.as_str(), ""),
    };
    let mut log: Vec<String> = log.lines().map(str::to_owned).collect();
    log.sort();
    Ok(Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: mask(&output.stdout),
        error: error.to_owned(),
        log,
        cpu,
    })
}

/// Helm unpacks archives into a folder of a random name; bowsprit names the archive.
fn masked(text: &str, chart: &Path) -> String {
    let chart = chart.canonicalize().unwrap_or_else(|_| chart.to_owned());
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/tmp/helm-lint") {
        out.push_str(before);
        out.push_str("CHART");
        let digits = after.trim_start_matches(|c: char| c.is_ascii_digit());
        let name = digits.strip_prefix('/').unwrap_or(digits);
        let end = name.find(['/', ':', ' ', '"', '\n']).unwrap_or(name.len());
        rest = name.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out.replace(&*chart.to_string_lossy(), "CHART")
}

#[cfg(test)]
mod tests {
    use super::masked;
    use std::path::Path;

    #[test]
    fn folders_are_masked() {
        let text = "a /tmp/helm-lint123/web: b\n/tmp/helm-lint9/web/x";
        assert_eq!(masked(text, Path::new("/c/w.tgz")), "a CHART: b\nCHART/x");
        assert_eq!(masked("/c/w.tgz: b", Path::new("/c/w.tgz")), "CHART: b");
    }
}
