//! Processes that die, that are interrupted, and that meet each other.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::server::{Server, chart, servers};

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

/// Killed at any moment, the next run ends well: what shall be there is there, and nothing else.
#[test]
fn killed_processes_leave_nothing_to_mend() {
    let Some([server, _]) = servers() else { return };
    let (ns, chart) = ("killed", sample("killed"));
    let apply = |a: &str, extra: bool| {
        let set = format!("a={a},extra={extra}");
        let args = ["apply", "web", &chart, "-n", ns, "--history-max", "3", "--set", &set];
        args.map(str::to_owned)
    };
    let first = apply("start", true);
    server.bowsprit_ok(&first.each_ref().map(String::as_str));
    let begin = Instant::now();
    let second = apply("again", false);
    server.bowsprit_ok(&second.each_ref().map(String::as_str));
    let usual = begin.elapsed().as_micros() as u64;
    let mut random = Random::new(1);
    let (mut pending, mut ended) = (0, 0);
    for round in 0..KILLS {
        let (a, extra) = (format!("v{round}"), random.below(2) == 0);
        let uninstalls = random.below(3) == 0;
        let args = apply(&a, extra);
        let args = args.each_ref().map(String::as_str);
        let gone = ["uninstall", "web", "-n", ns, "--ignore-not-found"];
        let mut child = spawn(server, if uninstalls { &gone } else { &args });
        std::thread::sleep(Duration::from_micros(random.below(usual + usual / 4)));
        child.kill().unwrap();
        ended += u32::from(child.wait().unwrap().success());
        let left = newest(server, ns);
        pending += u32::from(
            left.as_ref().is_some_and(|(_, s)| s.contains("pending") || s == "uninstalling"),
        );
        if uninstalls {
            server.bowsprit_ok(&gone);
            assert_eq!(newest(server, ns), None, "round {round}");
            let rest: Vec<String> =
                state(server, ns).into_iter().filter(|object| !object.contains("hook-")).collect();
            assert!(rest.is_empty(), "round {round}: {rest:?}");
        }
        server.bowsprit_ok(&args);
        assert_eq!(state(server, ns), wanted(&a, extra), "round {round}");
        assert_eq!(newest(server, ns).unwrap().1, "deployed", "round {round}");
        if round % 20 == 0 {
            server.helm_ok(&["upgrade", "web", &chart, "-n", ns, "--set", "a=helm"]);
            assert_eq!(state(server, ns), wanted("helm", true), "round {round}");
        }
    }
    #[allow(clippy::print_stdout)]
    {
        println!(
            "killed {KILLS} times within {} ms: {pending} left a release under way, {ended} had ended; every \
             following run ended well",
            usual / 1000 * 5 / 4
        );
    }
    assert!(pending > 5, "the kills came too early or too late to show anything: {pending}");
    server.bowsprit_ok(&["uninstall", "web", "-n", ns]);
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

/// Ctrl-C ends an operation in a state that the record tells.
#[test]
fn interrupts_are_recorded() {
    let Some([server, _]) = servers() else { return };
    let ns = "interrupted";
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: never, annotations: {helm.sh/hook: \
               post-install}}\nspec:\n  template:\n    spec: {restartPolicy: Never, containers: [{name: c, \
               image: none}]}\n";
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n";
    let chart = chart("interrupted", &[("templates/job.yaml", job), ("templates/map.yaml", map)]);
    let run = ["apply", "web", &chart, "-n", ns, "--hooks", "run", "--space", "cluster"];
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
    server.bowsprit_ok(&["apply", "web", &chart, "-n", ns, "--hooks", "skip"]);
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
