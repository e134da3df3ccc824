//! Processes that die, that are interrupted, and that meet each other.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::faults::{Fault, Proxy};
use super::server::{Server, chart, servers};
use crate::packages::Folder;
use crate::services::{Door, web};

/// Numbers that look random and are the same in every run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A chart with objects of several classes and with hooks that end at once.
fn sample(name: &str) -> String {
    let maps: String = (0..6)
        .map(|i| {
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{i}}}\ndata: {{a: '{{{{ .Values.a \
                 }}}}'}}\n---\n"
            )
        })
        .collect();
    let hook = |when: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hook-{when}\n  annotations: {{helm.sh/hook: \
             '{when}-install,{when}-upgrade'}}\n---\n"
        )
    };
    let rest = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: account}\n---\napiVersion: v1\nkind: \
                Service\nmetadata: {name: service}\nspec: {ports: [{port: 80}]}\n---\n{{- if .Values.extra \
                }}\napiVersion: v1\nkind: Secret\nmetadata: {name: extra}\n{{- end }}\n";
    let all = format!("{maps}{}{}{rest}", hook("pre"), hook("post"));
    chart(name, &[("values.yaml", "a: x\nextra: true\n"), ("templates/all.yaml", &all)])
}

fn spawn(server: &Server, args: &[&str]) -> Child {
    let mut command = server.bowsprit_command(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The names of the objects of the kinds that the chart has, and the values that they carry.
fn state(server: &Server, ns: &str) -> Vec<String> {
    let mut found = Vec::new();
    for plural in ["configmaps", "secrets", "serviceaccounts", "services"] {
        let list = server.get(&format!("/api/v1/namespaces/{ns}/{plural}"));
        for item in list["items"].as_array().into_iter().flatten() {
            let name = item["metadata"]["name"].as_str().unwrap();
            let own = name == "kube-root-ca.crt" || name == "default";
            if !own && item["type"] != "helm.sh/release.v1" {
                found.push(format!(
                    "{plural}/{name} {}",
                    item["data"]["a"].as_str().unwrap_or_default()
                ));
            }
        }
    }
    found
}

fn wanted(a: &str, extra: bool) -> Vec<String> {
    let mut want: Vec<String> =
        ["configmaps/hook-post ", "configmaps/hook-pre "].map(str::to_owned).to_vec();
    want.extend((0..6).map(|i| format!("configmaps/map-{i} {a}")));
    want.extend(extra.then(|| "secrets/extra ".to_owned()));
    want.extend(["serviceaccounts/account ", "services/service "].map(str::to_owned));
    want
}

fn newest(server: &Server, ns: &str) -> Option<(i64, String)> {
    let list = server.get(&format!("/api/v1/namespaces/{ns}/secrets?labelSelector=owner%3Dhelm"));
    let records = list["items"].as_array().unwrap().iter();
    let number =
        |record: &Json| record["metadata"]["labels"]["version"].as_str().unwrap().parse().unwrap();
    let newest = records.max_by_key(|record| number(record))?;
    Some((number(newest), newest["metadata"]["labels"]["status"].as_str().unwrap().to_owned()))
}

const KILLS: u32 = 100;

/// What is killed.
const OPERATIONS: [&str; 3] = ["apply", "upgrade", "uninstall"];

/// When a process dies: at which of its writes, and what becomes of that write.
#[derive(Clone, Copy, Debug)]
struct Moment {
    write: u32,
    /// The process dies before the server learns of the write, before it learns of the answer, or so many
    /// milliseconds after the write arrived here.
    how: u64,
}

/// A process that writes through a proxy, which counts its writes and kills it at one of them.
struct Killer {
    proxy: Proxy,
    through: Server,
    writes: Arc<AtomicU32>,
    victim: Arc<Mutex<Option<(u32, Moment)>>>,
}

impl Killer {
    fn new(server: &Server) -> Killer {
        let writes = Arc::new(AtomicU32::new(0));
        let victim: Arc<Mutex<Option<(u32, Moment)>>> = Arc::default();
        let (counted, marked) = (Arc::clone(&writes), Arc::clone(&victim));
        let proxy = Proxy::start(server, move |_, line| {
            if line.starts_with("GET") || line.contains("dryRun") {
                return Fault::None;
            }
            let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
            let mut marked = marked.lock().unwrap();
            let Some((pid, moment)) = *marked else { return Fault::None };
            if number < moment.write {
                return Fault::None;
            }
            *marked = None;
            match moment.how {
                0 => {
                    kill(pid);
                    Fault::BrokenBefore
                }
                1 => {
                    kill(pid);
                    Fault::BrokenAfter
                }
                later => {
                    std::thread::spawn(move || {
                        std::thread::sleep(Duration::from_millis(later));
                        kill(pid);
                    });
                    Fault::None
                }
            }
        });
        let through = server.through(&proxy.address, &server.token, "killer");
        Killer { proxy, through, writes, victim }
    }

    /// The writes of an operation that nobody kills.
    fn count(&self, args: &[&str]) -> u32 {
        self.writes.store(0, Ordering::SeqCst);
        self.through.bowsprit_ok(args);
        self.writes.load(Ordering::SeqCst)
    }

    /// Runs an operation until its moment; whether it had ended before.
    fn run(&self, args: &[&str], moment: Moment) -> bool {
        self.writes.store(0, Ordering::SeqCst);
        // Nothing is written before the victim is known: the child waits for this lock at its first write.
        let mut marked = self.victim.lock().unwrap();
        let child = spawn(&self.through, args);
        *marked = Some((child.id(), moment));
        drop(marked);
        let ended = child.wait_with_output().unwrap().status.success();
        *self.victim.lock().unwrap() = None;
        self.proxy.drain();
        ended
    }
}

fn kill(pid: u32) {
    let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Killed at any moment, the next run ends well: what shall be there is there, and nothing else. The
/// moments are spread evenly over the writes of each operation, from the first to the last.
#[test]
fn killed_processes_leave_nothing_to_mend() {
    let Some([server, _]) = servers() else { return };
    let (ns, chart) = ("killed", sample("killed"));
    let killer = Killer::new(server);
    let apply = |a: &str, extra: bool| {
        let set = format!("a={a},extra={extra}");
        ["apply", "web", &chart, "-n", ns, "--history-max", "3", "--set", &set].map(str::to_owned)
    };
    let uninstall = ["uninstall", "web", "-n", ns, "--ignore-not-found"];
    let (first, mut second) = (apply("start", true), apply("again", false));
    second[0] = "upgrade".to_owned();
    let first = killer.count(&first.each_ref().map(String::as_str));
    let second = killer.count(&second.each_ref().map(String::as_str));
    let last = killer.count(&uninstall);
    let writes = [first, second, last];
    let mut random = Random::new(1);
    let (mut pending, mut ended, mut kills) = (0, 0, [0u32; 3]);
    for round in 0..KILLS {
        let operation = (round % 3) as usize;
        // Each operation's kills walk through its writes in even steps, begun anywhere in each step.
        let (steps, step) = (u64::from(KILLS.div_ceil(3)), u64::from(round / 3));
        let span = u64::from(writes[operation]) * 1000;
        let at = (step * span + random.below(span)) / steps / 1000;
        let moment = Moment { write: at as u32 + 1, how: random.below(30) };
        let (a, extra) = (format!("v{round}"), random.below(2) == 0);
        let args = apply(&a, extra);
        let args = args.each_ref().map(String::as_str);
        // An installation needs a release that is not there, the others one that is.
        match operation {
            0 => drop(server.bowsprit_ok(&uninstall)),
            _ => drop(server.bowsprit_ok(&apply("before", true).each_ref().map(String::as_str))),
        }
        let mut upgrade = args;
        upgrade[0] = "upgrade";
        let killed: &[&str] = [&args[..], &upgrade, &uninstall][operation];
        ended += u32::from(killer.run(killed, moment));
        kills[operation] += 1;
        let left = newest(server, ns);
        pending += u32::from(
            left.as_ref().is_some_and(|(_, s)| s.contains("pending") || s == "uninstalling"),
        );
        let what = format!("round {round}, {} killed at {moment:?}", OPERATIONS[operation]);
        if operation == 2 {
            server.bowsprit_ok(&uninstall);
            assert_eq!(newest(server, ns), None, "{what}");
            let rest: Vec<String> =
                state(server, ns).into_iter().filter(|object| !object.contains("hook-")).collect();
            assert!(rest.is_empty(), "{what}: {rest:?}");
        }
        server.bowsprit_ok(&args);
        assert_eq!(state(server, ns), wanted(&a, extra), "{what}");
        assert_eq!(newest(server, ns).unwrap().1, "deployed", "{what}");
        if round % 20 == 0 {
            server.helm_ok(&["upgrade", "web", &chart, "-n", ns, "--set", "a=helm"]);
            assert_eq!(state(server, ns), wanted("helm", true), "{what}");
        }
    }
    #[allow(clippy::print_stdout)]
    {
        println!(
            "killed {KILLS} times: {} of apply over its {} writes, {} of upgrade over its {}, {} of uninstall over \
             its {}; {pending} left a release under way, {ended} had ended; every following run ended well",
            kills[0], writes[0], kills[1], writes[1], kills[2], writes[2]
        );
    }
    assert!(ended < KILLS / 5, "the kills came too late to show anything: {ended}");
    assert!(pending > KILLS / 2, "the kills came too early or too late: {pending}");
    server.bowsprit_ok(&uninstall);
    server.delete_namespace(ns);
}

/// Of two at once one wins; the other wins too, afterwards, or says why not.
#[test]
fn two_at_once_don_t_mix() {
    let Some([server, _]) = servers() else { return };
    let (ns, chart) = ("at-once", sample("at-once"));
    server.bowsprit_ok(&["apply", "web", &chart, "-n", ns]);
    let mut refused = 0;
    for round in 0..8 {
        let sets = ["one", "two"].map(|a| format!("a={a}{round}"));
        let children = sets
            .each_ref()
            .map(|set| spawn(server, &["apply", "web", &chart, "-n", ns, "--set", set]));
        let outputs = children.map(|child| child.wait_with_output().unwrap());
        let winners = outputs.iter().filter(|output| output.status.success()).count();
        assert!(winners >= 1, "{outputs:?}");
        for output in outputs.iter().filter(|output| !output.status.success()) {
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(
                error.contains("another operation (install/upgrade/rollback) is in progress"),
                "{error}"
            );
            refused += 1;
        }
        let (_, status) = newest(server, ns).unwrap();
        assert_eq!(status, "deployed");
        let now = state(server, ns);
        let wins = ["one", "two"].map(|a| now == wanted(&format!("{a}{round}"), true));
        assert!(wins[0] != wins[1], "{now:?}");
    }
    #[allow(clippy::print_stdout)]
    {
        println!("8 pairs at once: {refused} were refused");
    }
    server.bowsprit_ok(&["uninstall", "web", "-n", ns]);
    server.delete_namespace(ns);
}

/// Ctrl-C ends an operation in a state that the record tells, also where the chart was fetched before: the
/// program has waited for signals once then.
#[test]
fn interrupts_are_recorded() {
    let Some([server, _]) = servers() else { return };
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: never, annotations: {helm.sh/hook: \
               post-install}}\nspec:\n  template:\n    spec: {restartPolicy: Never, containers: [{name: c, \
               image: none}]}\n";
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n";
    let chart = chart("interrupted", &[("templates/job.yaml", job), ("templates/map.yaml", map)]);
    interrupt(server, &["apply", "web", &chart]);

    let folder = Folder::new("interrupted-repository");
    std::fs::create_dir_all(folder.path("served")).unwrap();
    let Some(site) = web(&folder, Door::Open) else { return };
    let (url, served) = (format!("http://{}", site.host()), folder.path("served"));
    let served = served.to_str().unwrap();
    server.bowsprit_ok(&["package", &chart, "-d", served]);
    server.bowsprit_ok(&["repo", "index", served, "--url", &url]);
    interrupt(server, &["apply", "web", "interrupted", "--repo", &url]);
}

fn interrupt(server: &Server, apply: &[&str]) {
    let ns = "interrupted";
    let with = |more: &[&'static str]| [apply, &["-n", ns], more].concat();
    let run = with(&["--hooks", "run", "--space", "cluster"]);
    let child = spawn(server, &run);
    let job = format!("/apis/batch/v1/namespaces/{ns}/jobs/never");
    let deadline = Instant::now() + Duration::from_secs(30);
    while server.get(&job).is_null() {
        assert!(Instant::now() < deadline, "the hook does not come");
        std::thread::sleep(Duration::from_millis(100));
    }
    let busy = server.bowsprit_fails(&run);
    assert!(busy.contains("works on it"), "{busy}");
    let interrupted = Instant::now();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(interrupted.elapsed() < Duration::from_secs(10));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("recorded as failed"), "{error}");
    let history = server.helm_ok(&["history", "web", "-n", ns]);
    assert!(history.contains("failed") && history.contains("interrupted"), "{history}");
    server.bowsprit_ok(&with(&["--hooks", "skip"]));
    server.bowsprit_ok(&["uninstall", "web", "-n", ns, "--hooks", "skip"]);
    server.delete_namespace(ns);
}

/// A record that a killed Helm left behind stops Helm for ever, and bowsprit for as long as it must.
#[test]
fn releases_that_helm_abandoned_are_taken_over() {
    let Some([server, _]) = servers() else { return };
    let (ns, chart) = ("abandoned", sample("abandoned"));
    server.helm_ok(&["install", "web", &chart, "-n", ns, "--create-namespace", "--no-hooks"]);
    // What a killed Helm leaves: the record of a revision that never ends.
    let mut record = server.record(ns, "web", 1);
    for (field, value) in [("status", "pending-upgrade"), ("description", "Preparing upgrade")] {
        record["info"][field] = value.into();
    }
    record["version"] = 2.into();
    let encoded = base64(base64(record.to_string().as_bytes()).as_bytes());
    let secret = serde_json::json!({
        "metadata": {
            "name": "sh.helm.release.v1.web.v2",
            "labels": {"name": "web", "owner": "helm", "status": "pending-upgrade", "version": "2"},
        },
        "type": "helm.sh/release.v1",
        "data": {"release": encoded},
    });
    let path = format!("/api/v1/namespaces/{ns}/secrets");
    assert_eq!(server.request("POST", &path, Some(&secret.to_string())).0, 201);
    let helm = server.helm(&["upgrade", "web", &chart, "-n", ns]);
    assert!(String::from_utf8_lossy(&helm.stderr).contains("another operation"));
    let error = server.bowsprit_fails(&["apply", "web", &chart, "-n", ns]);
    assert!(error.contains("begun by Helm") && error.contains("--take-over"), "{error}");
    server.bowsprit_ok(&["apply", "web", &chart, "-n", ns, "--take-over"]);
    assert_eq!(newest(server, ns), Some((3, "deployed".to_owned())));
    server.helm_ok(&["upgrade", "web", &chart, "-n", ns]);
    server.bowsprit_ok(&["uninstall", "web", "-n", ns]);
    server.delete_namespace(ns);
}

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let symbol = ALPHABET[(n >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() { char::from(symbol) } else { '=' });
        }
    }
    out
}
