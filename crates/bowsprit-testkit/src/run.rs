use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::outcome::read_files;
use crate::{Case, Error, Mask, Outcome};

/// Runs `program` over a case and returns what it did, with the paths masked.
///
/// The program starts in `fixtures/charts` of `repository`, so cases name charts without a path.
/// Its environment holds PATH, TZ=UTC, LANG=C.UTF-8, NO_COLOR=1, an empty HOME, a KUBECONFIG that
/// does not exist, and the variables of the case; nothing else is inherited.
///
/// # Errors
/// When the program can't be started or its scratch folder can't be used.
pub fn run_case(program: &Path, repository: &Path, case: &Case) -> Result<Outcome, Error> {
    let scratch = Scratch::new()?;
    let mask = Mask::new(repository, &scratch.out);
    for _ in 1..case.command.runs {
        run_once(program, repository, case, &scratch, &mask)?;
    }
    let output = run_once(program, repository, case, &scratch, &mask)?;
    let files = read_files(&scratch.out)?;
    Ok(Outcome {
        exit: output.status.code().unwrap_or(-1),
        stdout: mask.apply(&output.stdout),
        stderr: mask.apply(&output.stderr),
        files: files.into_iter().map(|(name, bytes)| (name, mask.apply(&bytes))).collect(),
    })
}

fn run_once(
    program: &Path,
    repository: &Path,
    case: &Case,
    scratch: &Scratch,
    mask: &Mask,
) -> Result<process::Output, Error> {
    let mut child = process::Command::new(program)
        .args(case.command.args.iter().map(|arg| mask.resolve(arg)))
        .current_dir(repository.join("fixtures/charts"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &scratch.home)
        .env("KUBECONFIG", scratch.home.join("none"))
        .envs([("TZ", "UTC"), ("LANG", "C.UTF-8"), ("NO_COLOR", "1")])
        .envs(case.command.env.iter().map(|(name, value)| (name, mask.resolve(value))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| Error::at(program, e))?;
    feed(&mut child, &case.stdin)?;
    child.wait_with_output().map_err(|e| Error::at(program, e))
}

/// Inputs of cases fit into a pipe's buffer, so writing them before reading can't block for long.
fn feed(child: &mut Child, bytes: &[u8]) -> Result<(), Error> {
    let Some(mut stdin) = child.stdin.take() else { return Ok(()) };
    match stdin.write_all(bytes) {
        // The program may well end without reading.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(format!("standard input: {e}")))
        }
        _ => Ok(()),
    }
}

/// Two empty folders that disappear with it.
struct Scratch {
    root: PathBuf,
    home: PathBuf,
    out: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self, Error> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("bowsprit-golden-{}-{number}", process::id());
        let root = std::env::temp_dir().join(name);
        let scratch = Self { home: root.join("home"), out: root.join("out"), root };
        for folder in [&scratch.home, &scratch.out] {
            fs::create_dir_all(folder).map_err(|e| Error::at(folder, e))?;
        }
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}
