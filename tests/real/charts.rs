//! The public charts beside the checkout, and the program on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::program;
use crate::shared::shared;

/// A folder that goes away with its value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("bowsprit-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    /// The path of what is called so in it.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Writes a file and gives its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).expect("a file");
        path
    }

    /// Unpacks a chart and gives its folder.
    pub(crate) fn unpack(&self, archive: &Path) -> PathBuf {
        let into = self.0.join(archive.file_stem().expect("a name"));
        fs::create_dir_all(&into).expect("a folder");
        let status = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&into).status();
        assert!(status.expect("tar").success(), "{}", archive.display());
        let mut entries = fs::read_dir(&into).expect("a folder").flatten();
        entries.find(|entry| entry.path().join("Chart.yaml").exists()).expect("a chart").path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The archives of all public charts, sorted; none, said loudly, where they are not there.
pub(crate) fn charts() -> Vec<PathBuf> {
    let Some(folder) = shared("corpus/charts") else { return Vec::new() };
    let entries = fs::read_dir(&folder).expect("the charts").flatten();
    let mut charts: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    charts.sort();
    charts
}

/// What the program prints; none where it fails.
pub(crate) fn output(args: &[&str]) -> Option<String> {
    let output = Command::new(program())
        .args(args)
        .env_clear()
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What the program prints, whatever its exit code.
pub(crate) fn said(args: &[&str]) -> String {
    let output = Command::new(program())
        .args(args)
        .env_clear()
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The JSON that the program prints, whatever its exit code.
pub(crate) fn json(args: &[&str]) -> Option<Value> {
    serde_json::from_str(&said(args)).ok()
}
