//! Large indexes of chart repositories, in memory that does not grow with them.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::program::program;
use crate::tools::tool;

/// Bytes of address space, in KiB: three times the index, less than half of what a parsed one takes.
const MEMORY: u64 = 300 * 1024;

const CHARTS: usize = 400;
const VERSIONS: usize = 250;

/// A home with an index of 100 MB in Helm's cache.
struct Home(PathBuf);

impl Home {
    fn new() -> Home {
        let path = std::env::temp_dir().join(format!("bowsprit-index-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let config = path.join(".config/helm");
        let cache = path.join(".cache/helm/repository");
        fs::create_dir_all(&config).unwrap();
        fs::create_dir_all(&cache).unwrap();
        let repositories = "repositories:\n- name: big\n  url: http://127.0.0.1:9\n";
        fs::write(config.join("repositories.yaml"), repositories).unwrap();
        write_index(&cache.join("big-index.yaml"));
        Home(path)
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new("bash")
            .args(["-c", &format!("ulimit -v {MEMORY} && exec \"$0\" \"$@\"")])
            .arg(program())
            .args(args)
            .env("HOME", &self.0)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .output()
            .unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn write_index(path: &Path) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    let words = "a chart of many words, none of which says much; ".repeat(14);
    out.write_all(b"apiVersion: v1\nentries:\n").unwrap();
    for chart in 0..CHARTS {
        writeln!(out, "  chart-{chart}:").unwrap();
        for version in (0..VERSIONS).rev() {
            write!(
                out,
                "  - apiVersion: v2\n    appVersion: 1.2.{version}\n    created: \"2024-01-02T03:04:05Z\"\n    \
                 description: {words}\n    digest: {:064x}\n    keywords:\n    - web\n    - c{chart}\n    \
                 maintainers:\n    - email: a@example.com\n      name: a\n    name: chart-{chart}\n    urls:\n    \
                 - http://127.0.0.1:9/chart-{chart}-1.0.{version}.tgz\n    version: 1.0.{version}\n",
                chart * VERSIONS + version
            )
            .unwrap();
        }
    }
    out.write_all(b"generated: \"2024-01-02T03:04:05Z\"\n").unwrap();
    out.flush().unwrap();
    let size = fs::metadata(path).unwrap().len();
    assert!(size > 100_000_000, "{size}");
}

#[test]
fn an_index_of_100_mb_is_read_in_little_memory() {
    // Without optimization it takes minutes, so it runs where the other long tests do.
    if tool("helm").is_none() {
        return;
    }
    let home = Home::new();
    let found = home.run(&["search", "repo", "c399", "--output", "json"]);
    let stderr = String::from_utf8_lossy(&found.stderr);
    assert!(found.status.success(), "{stderr}");
    let text = String::from_utf8(found.stdout).unwrap();
    assert!(text.starts_with("[{\"name\":\"big/chart-399\",\"version\":\"1.0.249\""), "{text}");
    assert_eq!(text.matches("\"name\"").count(), 1);
    // The chart is found, and nobody listens where it should be.
    let output = home.run(&["template", "big/chart-200", "--version", "1.0.100"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let want = "Error: Get \"http://127.0.0.1:9/chart-200-1.0.100.tgz\": dial tcp 127.0.0.1:9: connect: \
                connection refused";
    assert!(stderr.starts_with(want), "{stderr}");
}
