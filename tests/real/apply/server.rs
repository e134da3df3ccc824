//! API servers for these tests, and what they hold.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value as Json;

use crate::program::program;
use crate::tools::tool;

/// An API server, seen through one of its kubeconfigs.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) address: String,
    pub(crate) token: String,
    home: PathBuf,
}

/// API servers of one process. They end when this process does.
pub(crate) struct Servers<const COUNT: usize> {
    pub(crate) servers: [Server; COUNT],
    _child: Child,
    _stdin: ChildStdin,
}

/// Two servers, shared by all tests; each test has a namespace of its own. None where there is no
/// program to start them.
pub(crate) fn servers() -> Option<&'static [Server; 2]> {
    static PAIR: OnceLock<Option<Servers<2>>> = OnceLock::new();
    PAIR.get_or_init(|| start("real", ["one", "two"])).as_ref().map(|pair| &pair.servers)
}

/// Two more servers for fleets: as spaces and control planes they have kinds that others must not see.
pub(crate) fn fleet_servers() -> Option<&'static [Server; 2]> {
    static PAIR: OnceLock<Option<Servers<2>>> = OnceLock::new();
    PAIR.get_or_init(|| start("fleet", ["one", "two"])).as_ref().map(|pair| &pair.servers)
}

/// Servers of these names, with a folder that no others have.
pub(crate) fn start<const COUNT: usize>(
    folder: &str,
    names: [&str; COUNT],
) -> Option<Servers<COUNT>> {
    let wds = tool("wds")?;
    let home = std::env::temp_dir().join(format!("bowsprit-{folder}-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let mut child = Command::new(wds)
        .args(["-name", &names.join(","), "-controllers", "all", "-until-eof", "-data"])
        .arg(&home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..COUNT {
        let line = lines.next().expect("the server says when it is ready").unwrap();
        assert!(line.starts_with("ready"), "{line}");
    }
    // What it says later goes nowhere, but the pipe must not fill.
    std::thread::spawn(move || lines.for_each(drop));
    let servers = names.map(|name| Server::read(&home.join(format!("{name}.kubeconfig")), &home));
    Some(Servers { servers, _child: child, _stdin: stdin })
}

/// A field of a kubeconfig that these tests write or read: the first line of that name.
fn field(text: &str, name: &str) -> String {
    let line = text.lines().map(str::trim).find_map(|line| line.strip_prefix(name));
    line.unwrap_or_default().trim_start_matches(':').trim().trim_matches('"').to_owned()
}

impl Server {
    fn read(kubeconfig: &Path, home: &Path) -> Server {
        let text = std::fs::read_to_string(kubeconfig).unwrap();
        Server {
            kubeconfig: kubeconfig.to_owned(),
            address: field(&text, "server"),
            token: field(&text, "token"),
            home: home.to_owned(),
        }
    }

    /// The same server through another address, or as somebody else.
    pub(crate) fn through(&self, address: &str, token: &str, name: &str) -> Server {
        let kubeconfig = self.home.join(format!("{name}.kubeconfig"));
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- name: c\n  context: {{cluster: \
             c, user: u}}\nclusters:\n- name: c\n  cluster:\n    server: {address}\n{}users:\n- name: u\n  \
             user:\n    token: {token}\n",
            if address.starts_with("https") { "    insecure-skip-tls-verify: true\n" } else { "" }
        );
        std::fs::write(&kubeconfig, text).unwrap();
        Server {
            kubeconfig,
            address: address.to_owned(),
            token: token.to_owned(),
            home: self.home.clone(),
        }
    }

    fn command(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("KUBECONFIG", &self.kubeconfig)
            .env("TZ", "UTC")
            .current_dir(bowsprit_testkit::repository());
        command
    }

    /// A run of the program under test that is still to be started.
    pub(crate) fn bowsprit_command(&self, args: &[&str]) -> Command {
        self.command(program(), args)
    }

    pub(crate) fn bowsprit(&self, args: &[&str]) -> Output {
        self.bowsprit_command(args).output().unwrap()
    }

    pub(crate) fn helm_command(&self, args: &[&str]) -> Command {
        self.command(&tool("helm").unwrap(), args)
    }

    pub(crate) fn helm(&self, args: &[&str]) -> Output {
        self.command(&tool("helm").unwrap(), args).output().unwrap()
    }

    /// Runs the program, which has to succeed, and gives its standard output.
    pub(crate) fn bowsprit_ok(&self, args: &[&str]) -> String {
        checked("bowsprit", args, &self.bowsprit(args))
    }

    pub(crate) fn helm_ok(&self, args: &[&str]) -> String {
        checked("helm", args, &self.helm(args))
    }

    /// Runs the program, which has to fail, and gives its standard error.
    pub(crate) fn bowsprit_fails(&self, args: &[&str]) -> String {
        let output = self.bowsprit(args);
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "bowsprit {args:?} succeeded: {stdout}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Sends a request, past everything that is tested, and gives status and answer.
    pub(crate) fn request(&self, method: &str, path: &str, body: Option<&str>) -> (u16, Json) {
        self.request_as(method, path, body, "application/json")
    }

    pub(crate) fn request_as(
        &self,
        method: &str,
        path: &str,
        body: Option<&str>,
        content: &str,
    ) -> (u16, Json) {
        let mut command = Command::new("curl");
        command
            .args(["-sk", "--noproxy", "*", "-X", method, "-w", "\n%{http_code}"])
            .args(["-H", &format!("Authorization: Bearer {}", self.token)])
            .args(["-H", &format!("Content-Type: {content}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if body.is_some() {
            command.args(["--data-binary", "@-"]);
        }
        let mut child = command.arg(format!("{}{path}", self.address)).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(body.unwrap_or_default().as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let (answer, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap_or(0), serde_json::from_str(answer).unwrap_or_default())
    }

    /// An object; null where there is none.
    pub(crate) fn get(&self, path: &str) -> Json {
        match self.request("GET", path, None) {
            (200, object) => object,
            _ => Json::Null,
        }
    }

    /// Answers to many questions at once; null for those that were refused.
    fn get_many(&self, paths: &[String]) -> Vec<Json> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = self.home.join(format!("answers-{number}"));
        std::fs::create_dir_all(&dir).unwrap();
        let each = paths.iter().enumerate().map(|(i, path)| {
            let file = dir.join(i.to_string());
            format!("url = \"{}{path}\"\noutput = \"{}\"\n", self.address, file.display())
        });
        let config: String = each.collect();
        let mut command = Command::new("curl");
        command
            .args(["-sk", "--noproxy", "*", "-H", &format!("Authorization: Bearer {}", self.token)])
            .args(["-K", "-"])
            .stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(config.as_bytes()).unwrap();
        drop(stdin);
        child.wait().unwrap();
        let answers = (0..paths.len()).map(|i| {
            let text = std::fs::read(dir.join(i.to_string())).unwrap_or_default();
            let answer: Json = serde_json::from_slice(&text).unwrap_or_default();
            if answer["kind"] == "Status" { Json::Null } else { answer }
        });
        let answers = answers.collect();
        let _ = std::fs::remove_dir_all(&dir);
        answers
    }

    /// All that the server holds, by place: what the API server makes for itself left out.
    pub(crate) fn objects(&self) -> BTreeMap<String, Json> {
        self.objects_of(&self.lists(), "")
    }

    /// The paths of all lists of objects.
    pub(crate) fn lists(&self) -> Vec<String> {
        let groups = self.get("/apis");
        let preferred = groups["groups"].as_array().into_iter().flatten().map(|group| {
            format!("/apis/{}", group["preferredVersion"]["groupVersion"].as_str().unwrap())
        });
        let roots: Vec<String> = preferred.chain(["/api/v1".to_owned()]).collect();
        let mut paths = Vec::new();
        for (root, list) in roots.iter().zip(self.get_many(&roots)) {
            for resource in list["resources"].as_array().into_iter().flatten() {
                let name = resource["name"].as_str().unwrap();
                let listable =
                    resource["verbs"].as_array().is_some_and(|v| v.contains(&"list".into()));
                if listable && !OWN.contains(&name) {
                    paths.push(format!("{root}/{name}"));
                }
            }
        }
        paths
    }

    /// What some lists hold, of what has a label.
    pub(crate) fn objects_of(&self, lists: &[String], label: &str) -> BTreeMap<String, Json> {
        let paths: Vec<String> =
            lists.iter().map(|path| format!("{path}?labelSelector={label}")).collect();
        let mut found = BTreeMap::new();
        for (path, list) in lists.iter().zip(self.get_many(&paths)) {
            // Items of lists don't say what they are.
            let kind =
                list["kind"].as_str().unwrap_or_default().trim_end_matches("List").to_owned();
            for item in list["items"].as_array().into_iter().flatten() {
                let metadata = &item["metadata"];
                let namespace = metadata["namespace"].as_str().unwrap_or_default();
                let name = metadata["name"].as_str().unwrap();
                let default = name == "default" && path.ends_with("serviceaccounts");
                if name != "kube-root-ca.crt" && !default {
                    let mut item = item.clone();
                    item["kind"] = kind.as_str().into();
                    found.insert(format!("{path} {namespace}/{name}"), item);
                }
            }
        }
        found
    }

    /// A release's record, decoded by other programs than those that are tested.
    pub(crate) fn record(&self, namespace: &str, name: &str, revision: i64) -> Json {
        let secret = format!("sh.helm.release.v1.{name}.v{revision}");
        let secret = self.get(&format!("/api/v1/namespaces/{namespace}/secrets/{secret}"));
        assert_eq!(secret["type"], "helm.sh/release.v1");
        let mut child = Command::new("sh")
            .args(["-c", "base64 -d | base64 -d | gunzip"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let text = secret["data"]["release"].as_str().unwrap().to_owned();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::spawn(move || stdin.write_all(text.as_bytes()));
        let output = child.wait_with_output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The objects of one namespace.
    pub(crate) fn objects_in(&self, namespace: &str) -> BTreeMap<String, Json> {
        let mut objects = self.objects();
        objects.retain(|_, object| object["metadata"]["namespace"] == namespace);
        objects
    }

    /// Waits until a namespace is gone.
    pub(crate) fn delete_namespace(&self, name: &str) {
        let path = format!("/api/v1/namespaces/{name}");
        self.request("DELETE", &path, None);
        for _ in 0..600 {
            if self.get(&path).is_null() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("namespace {name} does not go");
    }
}

/// Resources that the server writes for itself.
const OWN: [&str; 8] = [
    "apiservices",
    "endpoints",
    "endpointslices",
    "events",
    "flowschemas",
    "ipaddresses",
    "leases",
    "prioritylevelconfigurations",
];

fn checked(program: &str, args: &[&str], output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {stdout}\n{stderr}", args.join(" "));
    stdout.into_owned()
}

/// A folder for a test's files.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("bowsprit-real-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// A chart of a few files.
pub(crate) fn chart(name: &str, files: &[(&str, &str)]) -> String {
    let dir = scratch(name);
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\nappVersion: '3.1'\n");
    std::fs::write(dir.join("Chart.yaml"), metadata).unwrap();
    for (file, text) in files {
        let path = dir.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir.to_str().unwrap().to_owned()
}

/// Applies definitions of the shared folder and waits until they are served.
pub(crate) fn define(server: &Server, file: &str, served: &str) {
    let text = std::fs::read(corpus_dir().unwrap().join("../crds").join(file)).unwrap();
    for document in bowsprit::manifest::split(&text) {
        let json = bowsprit::yaml::yaml_to_json(document).unwrap();
        let object: Json = serde_json::from_slice(&json).unwrap();
        let Some(name) = object["metadata"]["name"].as_str() else { continue };
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        let path = format!("{path}?fieldManager=tests&force=true");
        let body = object.to_string();
        let (status, answer) =
            server.request_as("PATCH", &path, Some(&body), "application/apply-patch+yaml");
        assert!(status < 300, "{answer}");
    }
    for _ in 0..200 {
        if server.get(served).is_object() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{served} is not served");
}

/// A packaged chart of the shared corpus; none, said loudly, where it is not there.
pub(crate) fn corpus_dir() -> Option<PathBuf> {
    let shared = std::env::var_os("SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| bowsprit_testkit::repository().join("../shared"));
    let dir = shared.join("corpus");
    if dir.is_dir() {
        return Some(dir);
    }
    #[allow(clippy::print_stderr)]
    {
        eprintln!("!!!! SKIPPED: {} is not there, so there are no charts !!!!", dir.display());
    }
    None
}
