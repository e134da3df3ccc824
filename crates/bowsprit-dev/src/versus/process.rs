//! What a whole process costs: a program is started, and the kernel says what it used.
//!
//! A child begins its peak memory with that of the process that started it, so each measurement is
//! taken by a fresh copy of this program, which is small.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::{Value, json};

/// One run: CPU (user and system) and wall time in milliseconds, peak memory in MiB.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub(super) cpu: f64,
    pub(super) wall: f64,
    pub(super) memory: f64,
}

/// The kernel counts peak memory in KiB, macOS in bytes.
const MEMORY_UNITS: f64 = if cfg!(target_os = "macos") { 1024.0 * 1024.0 } else { 1024.0 };

/// Programs run with an empty home and without variables that either side reads.
#[derive(Debug)]
pub(super) struct Runner {
    pub(super) home: PathBuf,
}

impl Runner {
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", &self.home).env("TZ", "UTC");
        // What is kept from run to run is measured where it is asked for.
        command.env("BOWSPRIT_COMPILED_CACHE", "off");
        command.stdin(Stdio::null()).current_dir(&self.home);
        command
    }

    /// Runs and returns the standard output, or the first line of the standard error.
    pub(super) fn output(&self, program: &Path, args: &[&str]) -> Result<Vec<u8>, String> {
        let output = self.command(program).args(args).output();
        let output = output.map_err(|e| format!("{}: {e}", program.display()))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(complaint(&output.stderr))
    }

    /// How many instructions a run takes, in millions, as valgrind counts them.
    pub(super) fn instructions(&self, program: &Path, args: &[&str]) -> Result<f64, String> {
        const COLLECTED: &str = "Collected : ";
        let mut command = self.command(Path::new("valgrind"));
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
        let output = command.args(args).output().map_err(|e| format!("valgrind: {e}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let count = said.split(COLLECTED).nth(1).and_then(|rest| rest.split_whitespace().next());
        match count.and_then(|count| count.parse::<f64>().ok()) {
            Some(count) if output.status.success() => Ok(count / 1e6),
            _ => Err(complaint(&output.stderr)),
        }
    }

    pub(super) fn cost(&self, program: &Path, args: &[&str]) -> Result<Cost, String> {
        let myself = std::env::current_exe().map_err(|e| e.to_string())?;
        let program = program.to_string_lossy();
        let wrapped: Vec<&str> = ["versus-helm", "--measured", &program]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        let answer = self.output(&myself, &wrapped)?;
        let answer: Value = serde_json::from_slice(&answer).map_err(|e| e.to_string())?;
        let field =
            |name: &str| answer[name].as_f64().ok_or_else(|| format!("measured: no {name}"));
        Ok(Cost { cpu: field("cpu")?, wall: field("wall")?, memory: field("memory")? })
    }
}

/// The first line that says something.
fn complaint(errors: &[u8]) -> String {
    let errors = String::from_utf8_lossy(errors);
    errors.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no message").to_string()
}

/// The other side of [`Runner::cost`]: runs a program with its output thrown away.
pub(super) fn measured(command: &[String]) -> Result<String, String> {
    let (program, args) = command.split_first().ok_or("--measured: lacks a program")?;
    let start = Instant::now();
    let output = Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .output()
        .map_err(|e| format!("{program}: {e}"))?;
    let wall = start.elapsed().as_secs_f64() * 1e3;
    if !output.status.success() {
        let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
        return Err(format!("{name}: {}", complaint(&output.stderr)));
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|e| e.to_string())?;
    let cpu = usage.user_time() + usage.system_time();
    let cost = json!({
        "cpu": cpu.num_microseconds() as f64 / 1e3,
        "wall": wall,
        "memory": usage.max_rss() as f64 / MEMORY_UNITS,
    });
    Ok(cost.to_string())
}
