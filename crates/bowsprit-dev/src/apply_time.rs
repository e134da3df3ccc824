//! How long a chart takes to arrive: bowsprit and Helm in turn, on one real API server, in one run.
//!
//! Three situations are measured, each from the same state for both: a server without the chart's
//! definitions, one that has them, and an upgrade that changes a value. What a server does with
//! definitions takes most of the first one, whoever sends them. It goes on with that in the background
//! for long, so each measurement begins when the server has come to rest.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bowsprit_testkit::repository;
use serde_json::Value;

use crate::TaskResult;

const USAGE: &str =
    "usage: bowsprit-dev apply-time --chart CHART [--set KEY=VALUE] [--tools FOLDER]
                               [--bowsprit PATH] [--runs N]";

struct Options {
    chart: PathBuf,
    set: String,
    tools: PathBuf,
    bowsprit: PathBuf,
    runs: usize,
}

impl Options {
    fn parse(args: &[String]) -> Result<Options, String> {
        let root = repository();
        let tools = std::env::var_os("BOWSPRIT_TOOLS").map(PathBuf::from);
        let mut options = Options {
            chart: PathBuf::new(),
            set: "commonLabels.measured=yes".to_owned(),
            tools: root.join(tools.unwrap_or_else(|| "target/tools".into())),
            bowsprit: root.join("target/release/bowsprit"),
            runs: 3,
        };
        for pair in args.chunks(2) {
            let [flag, value] = pair else { return Err(USAGE.to_owned()) };
            match flag.as_str() {
                "--chart" => options.chart = value.into(),
                "--set" => options.set.clone_from(value),
                "--tools" => options.tools = value.into(),
                "--bowsprit" => options.bowsprit = value.into(),
                "--runs" => options.runs = value.parse().map_err(|e| format!("--runs: {e}"))?,
                _ => return Err(USAGE.to_owned()),
            }
        }
        if options.chart.as_os_str().is_empty() || options.runs == 0 {
            return Err(USAGE.to_owned());
        }
        Ok(options)
    }
}

/// The API server; it ends when this is dropped.
struct Server {
    child: Child,
    home: PathBuf,
    kubeconfig: PathBuf,
}

impl Server {
    fn start(tools: &Path) -> Result<Server, String> {
        let home = std::env::temp_dir().join(format!("bowsprit-apply-time-{}", std::process::id()));
        fs::create_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
        let kubeconfig = home.join("kubeconfig");
        let mut child = Command::new(tools.join("wds"))
            .args(["-controllers", "all", "-until-eof", "-kubeconfig"])
            .arg(&kubeconfig)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", tools.join("wds").display()))?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("wds: no output")?;
        BufReader::new(stdout).read_line(&mut line).map_err(|e| e.to_string())?;
        if !line.starts_with("ready") {
            return Err(format!("wds: {line}"));
        }
        Ok(Server { child, home, kubeconfig })
    }

    /// The processor time that the server has used, in ticks.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.unwrap_or_default();
        // The program's name may hold anything; the fields behind it are fixed.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum()
    }

    /// Waits until the server has done what earlier requests left it to do.
    fn rest(&self) {
        const CALM: u64 = 15;
        let mut calm = 0;
        for _ in 0..240 {
            let before = self.ticks();
            std::thread::sleep(Duration::from_millis(500));
            calm = if self.ticks() - before < CALM { calm + 1 } else { 0 };
            if calm == 4 {
                return;
            }
        }
    }

    /// Runs a program and gives the time that it took.
    fn time(&self, program: &Path, args: &[&str]) -> Result<Duration, String> {
        self.rest();
        let start = Instant::now();
        let output = Command::new(program)
            .args(args)
            .env_clear()
            .env("HOME", &self.home)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .output()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        let took = start.elapsed();
        if output.status.success() {
            return Ok(took);
        }
        let error = String::from_utf8_lossy(&output.stderr);
        Err(format!("{} {}: {error}", program.display(), args.join(" ")))
    }

    /// Asks the API server, past both programs.
    fn request(&self, method: &str, path: &str) -> Result<Value, String> {
        let text = fs::read_to_string(&self.kubeconfig).map_err(|e| e.to_string())?;
        let field = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.trim().strip_prefix(name));
            lines.next().unwrap_or_default().trim().to_owned()
        };
        let output = Command::new("curl")
            .args(["-sk", "--noproxy", "*", "-X", method])
            .args(["-H", &format!("Authorization: Bearer {}", field("token:"))])
            .arg(format!("{}{path}", field("server:")))
            .output()
            .map_err(|e| format!("curl: {e}"))?;
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// Deletes a namespace and, if wanted, all definitions, and waits until they are gone and the
    /// server rests.
    fn clear(&self, namespace: &str, definitions: bool) -> Result<(), String> {
        const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let namespace = format!("/api/v1/namespaces/{namespace}");
        self.request("DELETE", &namespace)?;
        if definitions {
            self.request("DELETE", CRDS)?;
        }
        for _ in 0..600 {
            let list = self.request("GET", CRDS)?;
            let left =
                definitions && list["items"].as_array().is_some_and(|items| !items.is_empty());
            if !left && self.request("GET", &namespace)?["code"] == 404 {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Err("the server does not get rid of the last run".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// What is measured.
const SITUATIONS: [&str; 3] =
    ["install, definitions new", "install, definitions there", "upgrade, one value changed"];

pub(crate) fn run(args: &[String]) -> TaskResult {
    let options = Options::parse(args)?;
    let helm = options.tools.join("helm");
    let server = Server::start(&options.tools)?;
    // The first installation ever costs the server more than later ones.
    round(&server, &options.bowsprit, false, &options)?;
    let mut helms: [Vec<Duration>; 3] = Default::default();
    let mut ours: [Vec<Duration>; 3] = Default::default();
    for at in 0..options.runs {
        let sides: [(&Path, bool, &mut [Vec<Duration>; 3]); 2] =
            [(&helm, true, &mut helms), (&options.bowsprit, false, &mut ours)];
        for (program, is_helm, times) in sides {
            let measured = round(&server, program, is_helm, &options)?;
            println!(
                "run {}: {}: {measured:.1?}",
                at + 1,
                if is_helm { "helm" } else { "bowsprit" }
            );
            times.iter_mut().zip(measured).for_each(|(all, one)| all.push(one));
        }
    }
    let median = |times: &[Duration]| {
        let mut times = times.to_vec();
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    let mut table = String::from("| situation | helm | bowsprit | ratio |\n|---|--:|--:|--:|\n");
    for ((situation, helms), ours) in SITUATIONS.iter().zip(&helms).zip(&ours) {
        let (helm, ours) = (median(helms), median(ours));
        table.push_str(&format!(
            "| {situation} | {helm:.2} s | {ours:.2} s | {:.2} |\n",
            ours / helm
        ));
    }
    Ok(format!("{}: medians of {} runs\n{table}", options.chart.display(), options.runs))
}

fn round(
    server: &Server,
    program: &Path,
    is_helm: bool,
    options: &Options,
) -> Result<[Duration; 3], String> {
    const NAMESPACE: &str = "measured";
    let chart = options.chart.to_str().ok_or("--chart: not UTF-8")?;
    let common: &[&str] = match is_helm {
        true => &[
            "upgrade",
            "--install",
            "kps",
            chart,
            "-n",
            NAMESPACE,
            "--create-namespace",
            "--no-hooks",
        ],
        false => &["apply", "kps", chart, "-n", NAMESPACE, "--hooks", "skip"],
    };
    let uninstall = || {
        let args = ["uninstall", "kps", "-n", NAMESPACE, "--no-hooks"];
        server.time(program, &args)
    };
    let new = server.time(program, common)?;
    uninstall()?;
    server.clear(NAMESPACE, false)?;
    let there = server.time(program, common)?;
    let upgrade = server.time(program, &[common, &["--set", &options.set]].concat())?;
    uninstall()?;
    server.clear(NAMESPACE, true)?;
    Ok([new, there, upgrade])
}
