//! The world that suites ask for: files and programs.

use super::files::join;
use bowsprit_loader::PathError;
use bowsprit_sprig::{Time, Zone};
use bowsprit_unittest::{Scene, World};
use bowsprit_value::Host;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) struct Disk {
    rendered: Option<PathBuf>,
}

impl Disk {
    pub(super) fn new(rendered: Option<PathBuf>) -> Disk {
        Disk { rendered }
    }
}

impl World for Disk {
    fn read(&self, file: &str) -> Result<Vec<u8>, String> {
        let path = Path::new(file);
        std::fs::read(path).map_err(|error| PathError::new("open", path, error).to_string())
    }

    fn post_render(&self, command: &str, args: &[String], input: &[u8]) -> Result<Vec<u8>, String> {
        let failed = |text: String| format!("post-render failed: {text}");
        let command = full_path(command)?;
        let mut program = Command::new(&command);
        program.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = program
            .spawn()
            .map_err(|error| failed(format!("error while running command {command}: {error}")))?;
        let stdin = child.stdin.take();
        let output = std::thread::scope(|scope| {
            // A program that reads nothing is no error.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
            child.wait_with_output()
        });
        let output = output
            .map_err(|error| failed(format!("error while running command {command}: {error}")))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        let status = match output.status.code() {
            Some(code) => format!("exit status {code}"),
            None => output.status.to_string(),
        };
        let text = "error while running command";
        Err(failed(format!("{text} {command}. error output:\n{stderr}: {status}")))
    }

    fn keep_rendered(&self, file: &str, text: &[u8]) -> Result<(), String> {
        let Some(folder) = &self.rendered else { return Ok(()) };
        let path = PathBuf::from(join(&[&folder.to_string_lossy(), file]));
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)
            .map_err(|error| PathError::new("mkdir", parent, error).to_string())?;
        std::fs::write(&path, text)
            .map_err(|error| PathError::new("open", &path, error).to_string())
    }
}

/// Where a program lies.
fn full_path(command: &str) -> Result<String, String> {
    if command.contains('/') {
        return Ok(command.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(command));
    let found = places.find(|place| place.is_file());
    found.map(|place| place.display().to_string()).ok_or_else(|| {
        format!(
            "unable to find binary at {command}: exec: {command:?}: executable file not found in $PATH"
        )
    })
}

/// What reports say of this machine.
pub fn scene(host: &dyn Host) -> Scene {
    let now = Time::new(host.now(), Zone::of_host(host));
    let env = |names: &[&str]| {
        let found = names.iter().find_map(|name| std::env::var(name).ok());
        found.unwrap_or_default()
    };
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").map(|s| s.trim().to_owned());
    let mut scene = Scene::default();
    scene.date = now.format(b"2006-01-02").to_string();
    scene.time = now.format(b"15:04:05").to_string();
    scene.host = machine.unwrap_or_else(|_| env(&["HOSTNAME", "COMPUTERNAME"]));
    scene.user = env(&["USER", "USERNAME", "LOGNAME"]);
    scene.cwd = std::env::current_dir().map(|p| p.display().to_string()).unwrap_or_default();
    scene
}
