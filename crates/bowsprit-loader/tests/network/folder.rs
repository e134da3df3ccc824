//! A folder with Helm's files, gone when the test ends.

use bowsprit_loader::net::{Addresses, Client, Fetch, Http, Policy};
use bowsprit_loader::{Blocking, HelmPaths, Sources};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bowsprit-network-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }

    pub(crate) fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn paths(&self) -> HelmPaths {
        let home = self.0.display().to_string();
        HelmPaths::from_env(|name| (name == "HOME").then(|| home.clone()))
    }

    pub(crate) fn sources(&self) -> Sources {
        Sources::new(self.paths(), client(Addresses::Any))
    }

    /// All files below the cache, by name.
    pub(crate) fn cached(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut pending = vec![self.path(".cache")];
        while let Some(dir) = pending.pop() {
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                match entry.path() {
                    path if path.is_dir() => pending.push(path),
                    path => found.push(path.file_name().unwrap().to_string_lossy().into_owned()),
                }
            }
        }
        found.sort();
        found
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A client that does not wait long.
pub(crate) fn client(addresses: Addresses) -> Client {
    with_fetch(Arc::new(Http::new("test/1").addresses(addresses)))
}

pub(crate) fn with_fetch(fetch: Arc<dyn Fetch>) -> Client {
    let mut policy = Policy::default();
    policy.pause = Duration::from_millis(5);
    policy.patience = Duration::from_secs(2);
    policy.idle = Duration::from_secs(5);
    policy.total = Duration::from_secs(10);
    Client::new(fetch).policy(policy)
}

/// Waits for what no test should wait for longer than a minute.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let runtime = Blocking::new().unwrap();
    let bounded = async { tokio::time::timeout(Duration::from_secs(60), future).await };
    let output = runtime.wait(bounded);
    runtime.end();
    output.expect("a minute has passed")
}

/// The archive of a chart with a template.
pub(crate) fn archive(name: &str, version: &str) -> Vec<u8> {
    let chart = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    let mut tar = Vec::new();
    for (file, text) in [("Chart.yaml", chart.as_str()), ("templates/a.yaml", "kind: A\n")] {
        append(&mut tar, &format!("{name}/{file}"), text.as_bytes());
    }
    tar.extend([0; 1024]);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&tar).unwrap();
    gzip.finish().unwrap()
}

fn append(tar: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[136..147].copy_from_slice(b"00000000000");
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

pub(crate) fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}
