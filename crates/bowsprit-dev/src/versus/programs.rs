//! The programs that are compared, given or built.

use std::path::{Path, PathBuf};

use super::options::Options;
use super::process::Runner;
use super::{progress, tool};

const HELM: &str = "helm.sh/helm/v4/cmd/helm@v4.2.4";

#[derive(Debug)]
pub(super) struct Programs {
    pub(super) helm: PathBuf,
    pub(super) gobench: PathBuf,
    pub(super) bowsprit: PathBuf,
}

impl Programs {
    pub(super) fn find(options: &Options, root: &Path, home: &Path) -> Result<Programs, String> {
        let programs = Programs {
            helm: given(&options.helm, || build_helm(home))?,
            gobench: given(&options.gobench, || build_gobench(root, home))?,
            bowsprit: given(&options.bowsprit, || build_bowsprit(root))?,
        };
        Ok(programs)
    }

    /// What the programs call themselves, for the report.
    pub(super) fn versions(&self, runner: &Runner) -> Vec<String> {
        let line = |program: &Path, args: &[&str]| {
            let output = runner.output(program, args).unwrap_or_default();
            String::from_utf8_lossy(&output).lines().next().unwrap_or_default().trim().to_string()
        };
        let helm = tool("go", &["version", "-m", &self.helm.to_string_lossy()], None);
        let helm = helm.ok().and_then(|text| {
            let go = text.lines().next()?.rsplit(' ').next()?.to_string();
            let module = text.lines().find(|line| line.contains("helm.sh/helm/v4\t"))?;
            Some(format!("Helm {} ({go})", module.split('\t').nth(3)?))
        });
        let helm =
            helm.unwrap_or_else(|| format!("Helm {}", line(&self.helm, &["version", "--short"])));
        let ours = line(&self.bowsprit, &["version", "--short"]);
        let rust = tool("rustc", &["--version"], None).unwrap_or_default();
        vec![
            helm,
            format!("bowsprit {ours} ({})", rust.split(" (").next().unwrap_or_default().trim()),
        ]
    }
}

fn given(
    path: &Option<PathBuf>,
    build: impl FnOnce() -> Result<PathBuf, String>,
) -> Result<PathBuf, String> {
    let Some(path) = path else { return build() };
    path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))
}

fn build_helm(home: &Path) -> Result<PathBuf, String> {
    progress("building helm");
    let folder = home.join("bin");
    tool("go", &["install", HELM], Some(("GOBIN", &folder)))?;
    Ok(folder.join("helm"))
}

fn build_gobench(root: &Path, home: &Path) -> Result<PathBuf, String> {
    progress("building gobench");
    let program = home.join("bin/gobench");
    let source = root.join("tools/bench/gobench");
    let (source, path) = (source.to_string_lossy(), program.to_string_lossy());
    tool("go", &["-C", &source, "build", "-o", &path, "."], None)?;
    Ok(program)
}

fn build_bowsprit(root: &Path) -> Result<PathBuf, String> {
    progress("building bowsprit");
    let manifest = root.join("Cargo.toml");
    let manifest = manifest.to_string_lossy();
    let args = ["build", "--release", "--package", "bowsprit-cli", "--manifest-path", &manifest];
    tool("cargo", &args, None)?;
    Ok(root.join("target/release/bowsprit"))
}
