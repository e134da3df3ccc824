//! What the pages need around them: an empty home, programs, API servers, a repository and a registry.

#![allow(clippy::unwrap_used)]

use super::page::{Block, Step};
use crate::apply::server::corpus_dir;
use crate::packages::Folder;
use crate::program::program;
use crate::services::{Door, Guard, Service, registry, web};
use crate::tools::tool;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// What a page needs besides an API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A chart repository with charts of the corpus, `$REPOSITORY`.
    Repository,
    /// A registry with charts of the corpus, `$REGISTRY`.
    Registry,
    /// The API server `wds1` serves KubeStellar's API.
    KubeStellar,
    /// The API server `karmada-apiserver` serves Karmada's and Flux's.
    Karmada,
}

/// Charts that the repository and the registry hold.
const CHARTS: [&str; 4] =
    ["podinfo-6.14.1.tgz", "postgresql-17.1.0.tgz", "redis-23.1.1.tgz", "memcached-8.0.0.tgz"];

pub(crate) struct World {
    pub(crate) folder: Folder,
    variables: BTreeMap<&'static str, String>,
    _services: Vec<Service>,
}

impl World {
    /// None, said loudly, where programs or charts are missing.
    pub(crate) fn make(name: &str, needs: &[Need]) -> Option<World> {
        let folder = Folder::new(&format!("walk-{name}"));
        for program in ["helm", "kubectl"] {
            folder.link(&tool(program)?, program);
        }
        folder.link(program(), "bowsprit");
        let mut world = World { folder, variables: BTreeMap::new(), _services: Vec::new() };
        world.set("KUBECONFIG", servers()?.display().to_string());
        world.set("SSL_CERT_FILE", world.folder.path("ca.pem").display().to_string());
        for (name, value) in [("wds_context", "wds1"), ("karmada", "karmada-apiserver")] {
            world.set(name, value.to_owned());
        }
        for need in needs {
            match need {
                Need::Repository => world.serve_repository()?,
                Need::Registry => world.serve_registry()?,
                Need::KubeStellar => {
                    world.define("wds1", "kubestellar/control.kubestellar.io.yaml")?
                }
                Need::Karmada => {
                    world.define("karmada-apiserver", "karmada")?;
                    world.define("karmada-apiserver", "flux")?;
                    world.define_kustomization();
                    world.lay_podinfo();
                }
            }
        }
        Some(world)
    }

    fn set(&mut self, name: &'static str, value: String) {
        self.variables.insert(name, value);
    }

    fn serve_repository(&mut self) -> Option<()> {
        let charts = corpus_dir()?.join("charts");
        for name in CHARTS {
            let served = self.folder.path("served");
            fs::create_dir_all(&served).unwrap();
            let chart = charts.join(name);
            if chart.is_file() {
                fs::copy(chart, served.join(name)).unwrap();
            }
        }
        let web = web(&self.folder, Door::Tls)?;
        let url = format!("https://{}", web.host());
        self.ok(&tool("helm")?, &["repo", "index", "served", "--url", &url]);
        self.set("REPOSITORY", url);
        self._services.push(web);
        Some(())
    }

    fn serve_registry(&mut self) -> Option<()> {
        let charts = corpus_dir()?.join("charts");
        let registry = registry(&self.folder, Guard::Tls)?;
        let at = format!("oci://{}/bitnamicharts", registry.host());
        let helm = tool("helm")?;
        for name in CHARTS {
            let chart = charts.join(name);
            if chart.is_file() {
                self.ok(&helm, &["push", chart.to_str().unwrap(), &at]);
            }
        }
        self.set("REGISTRY", at);
        self._services.push(registry);
        Some(())
    }

    /// Teaches a server the kinds of a file or folder.
    fn define(&self, context: &str, crds: &str) -> Option<()> {
        let crds = corpus_dir()?.join("../crds").join(crds);
        let crds = crds.to_str().unwrap();
        let kubectl = tool("kubectl")?;
        let server = ["--context", context];
        self.ok(&kubectl, &[&server[..], &["apply", "--server-side", "-f", crds]].concat());
        let wait = ["wait", "--for=condition=Established", "--timeout=60s", "-f", crds];
        self.ok(&kubectl, &[&server[..], &wait].concat());
        Some(())
    }

    /// A definition that the shared ones lack.
    fn define_kustomization(&self) {
        let name = "kustomizations.kustomize.toolkit.fluxcd.io";
        self.folder.write(
            "kustomization-crd.yaml",
            &format!(
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {name}}}\n\
                 spec:\n  group: kustomize.toolkit.fluxcd.io\n  scope: Namespaced\n  names: {{kind: \
                 Kustomization, plural: kustomizations, singular: kustomization, listKind: \
                 KustomizationList}}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    \
                 schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n"
            ),
        );
        let kubectl = tool("kubectl").unwrap();
        let at = ["--context", "karmada-apiserver"];
        self.ok(&kubectl, &[&at[..], &["apply", "-f", "kustomization-crd.yaml"]].concat());
        let crd = format!("crd/{name}");
        let wait = ["wait", "--for=condition=Established", "--timeout=60s", &crd];
        self.ok(&kubectl, &[&at[..], &wait].concat());
    }

    /// A folder as that of podinfo's repository is laid out, with little in it.
    fn lay_podinfo(&mut self) {
        let kind = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
        let deploy = "podinfo/deploy";
        let base = format!("{deploy}/bases/backend");
        self.folder.write(
            &format!("{deploy}/overlays/dev/kustomization.yaml"),
            &format!("{kind}namespace: dev\nresources: [../../bases/backend]\n"),
        );
        self.folder.write(
            &format!("{base}/kustomization.yaml"),
            &format!("{kind}resources: [deployment.yaml]\n"),
        );
        self.folder.write(
            &format!("{base}/deployment.yaml"),
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: backend\nspec:\n  selector: {matchLabels: \
             {app: backend}}\n  template:\n    metadata: {labels: {app: backend}}\n    spec: {containers: \
             [{name: backend, image: podinfo}]}\n",
        );
        self.set("PODINFO", self.folder.path("podinfo").display().to_string());
    }

    /// Runs a program outside of the reader's home; it has to succeed.
    fn ok(&self, program: &Path, args: &[&str]) {
        let mut command = self.command(program, args);
        command.current_dir(self.folder.path("")).env("HOME", self.folder.path("elsewhere"));
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {args:?}: {stderr}", program.display());
    }

    /// A program in the reader's home, with nothing of the environment but what the page has set up.
    pub(crate) fn command(&self, program: &Path, args: &[&str]) -> Command {
        let home = self.folder.path("home");
        fs::create_dir_all(&home).unwrap();
        let mut command = Command::new(program);
        let path = format!("{}:/usr/bin:/bin", self.folder.path("bin").display());
        command.args(args).env_clear().current_dir(&home).env("HOME", &home).env("PATH", path);
        command.env("TZ", "UTC").env("LANG", "C.UTF-8").envs(&self.variables);
        command
    }

    /// What was printed, with the reader's values of the variables in place of the test's.
    pub(super) fn as_shown(&self, printed: &str, blocks: &[Block]) -> String {
        let mut text = printed.to_owned();
        let setups = blocks.iter().filter_map(|block| match &block.step {
            Step::Setup(text) => Some(text),
            _ => None,
        });
        for (name, shown) in setups.flat_map(|text| exports(text)) {
            if let Some(value) = self.variables.get(name) {
                text = text.replace(value.as_str(), shown);
                // Registries are mostly named without the scheme.
                if let (Some((_, value)), Some((_, shown))) =
                    (value.split_once("://"), shown.split_once("://"))
                {
                    text = text.replace(value, shown);
                }
            }
        }
        text.replace(&self.folder.path("home").display().to_string(), "/home/you")
    }

    /// Variables of a setup block that the test has no value for.
    pub(super) fn lacks(&self, setup: &str) -> String {
        exports(setup)
            .filter(|(name, _)| !self.variables.contains_key(name))
            .map(|(name, _)| format!("{name} is set up by the page, not by the test\n"))
            .collect()
    }
}

/// The variables of lines such as `export A=b  # what it is`.
fn exports(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("export "));
    lines.filter_map(|line| line.split('#').next().unwrap_or_default().trim().split_once('='))
}

impl Folder {
    fn link(&self, program: &Path, name: &str) {
        fs::create_dir_all(self.path("bin")).unwrap();
        std::os::unix::fs::symlink(program, self.path("bin").join(name)).unwrap();
    }
}

/// API servers of one process, which ends when this one does.
struct Servers {
    kubeconfig: PathBuf,
    _folder: Folder,
    _child: Child,
    _stdin: ChildStdin,
}

const SERVERS: [&str; 3] = ["dev", "wds1", "karmada-apiserver"];

/// The kubeconfig with a context for each of the servers; the first one is the current context.
pub(crate) fn servers() -> Option<&'static Path> {
    static STARTED: OnceLock<Option<Servers>> = OnceLock::new();
    STARTED.get_or_init(start).as_ref().map(|servers| servers.kubeconfig.as_path())
}

fn start() -> Option<Servers> {
    let folder = Folder::new("walk-servers");
    let (wds, kubectl) = (tool("wds")?, tool("kubectl")?);
    let mut child = Command::new(wds)
        .args(["-name", &SERVERS.join(","), "-controllers", "all", "-until-eof", "-data"])
        .arg(folder.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in SERVERS {
        let line = lines.next().expect("the server says when it is ready").unwrap();
        assert!(line.starts_with("ready"), "{line}");
    }
    std::thread::spawn(move || lines.for_each(drop));
    let each = SERVERS.map(|name| folder.path(&format!("{name}.kubeconfig")).display().to_string());
    let view = Command::new(kubectl)
        .args(["config", "view", "--flatten"])
        .env("KUBECONFIG", each.join(":"))
        .output()
        .unwrap();
    assert!(view.status.success(), "{}", String::from_utf8_lossy(&view.stderr));
    let kubeconfig = folder.path("kubeconfig");
    fs::write(&kubeconfig, view.stdout).unwrap();
    Some(Servers { kubeconfig, _folder: folder, _child: child, _stdin: stdin })
}
