//! Hooks that run and end, and objects that become ready. Nothing runs on these servers, so the tests say
//! what controllers would say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::server::{Server, chart, servers};

/// Writes the statuses that the controllers of a cluster would write, in one namespace, until it is dropped.
struct Controllers {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
}

const NOW: &str = "2026-01-01T00:00:00Z";

impl Controllers {
    /// Jobs and pods whose names begin with `fail` fail.
    fn start(server: &Server, ns: &str) -> Controllers {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&written));
        let (server, ns) = (server.clone(), ns.to_owned());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for (root, status) in [
                    (format!("/apis/batch/v1/namespaces/{ns}/jobs"), job as fn(&Json) -> Json),
                    (format!("/api/v1/namespaces/{ns}/pods"), pod),
                    (format!("/apis/apps/v1/namespaces/{ns}/deployments"), deployment),
                ] {
                    let list = server.get(&root);
                    for item in list["items"].as_array().into_iter().flatten() {
                        let status = status(item);
                        if status.is_null() {
                            continue;
                        }
                        let path =
                            format!("{root}/{}/status", item["metadata"]["name"].as_str().unwrap());
                        let body = json!({"status": status}).to_string();
                        let (code, answer) = server.request_as(
                            "PATCH",
                            &path,
                            Some(&body),
                            "application/merge-patch+json",
                        );
                        assert!(code < 300 || code == 404, "{path}: {answer}");
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                }
                std::thread::sleep(Duration::from_millis(150));
            }
        });
        Controllers { stop, written, thread: Some(thread) }
    }
}

impl Drop for Controllers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let outcome = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            outcome.unwrap().unwrap();
        }
    }
}

fn fails(object: &Json) -> bool {
    object["metadata"]["name"].as_str().unwrap().starts_with("fail")
}

fn job(job: &Json) -> Json {
    if job["status"]["conditions"].is_array() {
        return Json::Null;
    }
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": NOW});
    if fails(job) {
        let conditions = ["FailureTarget", "Failed"].map(condition);
        return json!({"startTime": NOW, "failed": 1, "conditions": conditions});
    }
    let conditions = ["SuccessCriteriaMet", "Complete"].map(condition);
    json!({"startTime": NOW, "completionTime": NOW, "succeeded": 1, "conditions": conditions})
}

fn pod(pod: &Json) -> Json {
    match pod["status"]["phase"].as_str() {
        Some("Succeeded" | "Failed") => Json::Null,
        _ => json!({"phase": if fails(pod) { "Failed" } else { "Succeeded" }}),
    }
}

fn deployment(deployment: &Json) -> Json {
    let generation = &deployment["metadata"]["generation"];
    if deployment["status"]["observedGeneration"] == *generation {
        return Json::Null;
    }
    let replicas = &deployment["spec"]["replicas"];
    let condition =
        |kind: &str, reason: &str| json!({"type": kind, "status": "True", "reason": reason});
    json!({
        "observedGeneration": generation, "replicas": replicas, "updatedReplicas": replicas,
        "readyReplicas": replicas, "availableReplicas": replicas,
        "conditions": [
            condition("Available", "MinimumReplicasAvailable"),
            condition("Progressing", "NewReplicaSetAvailable"),
        ],
    })
}

fn hook(kind: &str, name: &str, annotations: &str) -> String {
    let pod = "restartPolicy: Never, containers: [{name: c, image: none}]";
    let (version, spec) = match kind {
        "Job" => ("batch/v1", format!("{{template: {{spec: {{{pod}}}}}}}")),
        _ => ("v1", format!("{{{pod}}}")),
    };
    format!(
        "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\nspec: \
         {spec}\n---\n"
    )
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: none}]}
---
";

/// A release of two hooks before, one after, a test, and a Deployment.
fn sample(name: &str) -> String {
    let all = [
        hook("Job", "late", "helm.sh/hook: 'pre-install,pre-upgrade', helm.sh/hook-weight: '5'"),
        hook(
            "Job",
            "early",
            "helm.sh/hook: 'pre-install,pre-upgrade', helm.sh/hook-weight: '-5', helm.sh/hook-delete-policy: \
             hook-succeeded",
        ),
        hook("Pod", "after", "helm.sh/hook: 'post-install,post-upgrade'"),
        hook("Pod", "check", "helm.sh/hook: test"),
        hook("Job", "bye", "helm.sh/hook: pre-delete, helm.sh/hook-delete-policy: hook-succeeded"),
        DEPLOYMENT.to_owned(),
    ];
    chart(name, &[("values.yaml", "replicas: 2\n"), ("templates/all.yaml", &all.concat())])
}

/// What a record says of its hooks: names, phases, and whether they began and ended.
fn phases(record: &Json) -> Vec<(String, String, bool)> {
    let hooks = record["hooks"].as_array().unwrap().iter();
    let mut all: Vec<_> = hooks
        .map(|hook| {
            let run = &hook["last_run"];
            let ended = run["started_at"].is_string() && run["completed_at"].is_string();
            let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
            (text(&hook["name"]), text(&run["phase"]), ended)
        })
        .collect();
    all.sort();
    all
}

/// Hooks run in their order and end, objects become ready, tests pass, and Helm does and notes the same.
#[test]
fn hooks_run_and_objects_become_ready() {
    let Some([one, two]) = servers() else { return };
    let (ns, chart) = ("running", sample("running"));
    let create = json!({"metadata": {"name": ns}}).to_string();
    for server in [one, two] {
        server.request("POST", "/api/v1/namespaces", Some(&create));
    }
    let controllers = [one, two].map(|server| Controllers::start(server, ns));
    let wait = ["-n", ns, "--wait", "--timeout", "60s"];
    let cluster = ["--space", "cluster"];
    one.bowsprit_ok(&[&["apply", "web", &chart][..], &wait, &cluster].concat());
    two.helm_ok(&[&["install", "web", &chart][..], &wait].concat());
    let jobs = |server: &Server| -> Vec<String> {
        let list = server.get(&format!("/apis/batch/v1/namespaces/{ns}/jobs"));
        let names = list["items"].as_array().unwrap().iter();
        names.map(|job| job["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(jobs(one), ["late"], "the policy of the other one deletes it");
    assert_eq!(jobs(one), jobs(two));
    let ran = phases(&one.record(ns, "web", 1));
    assert_eq!(ran, phases(&two.record(ns, "web", 1)));
    let ended = ran.iter().filter(|(_, phase, ended)| phase == "Succeeded" && *ended).count();
    assert_eq!(ended, 3, "{ran:?}");
    let began = |record: &Json, name: &str| {
        let hooks = record["hooks"].as_array().unwrap();
        let hook = hooks.iter().find(|hook| hook["name"] == name).unwrap();
        hook["last_run"]["started_at"].as_str().unwrap().to_owned()
    };
    let record = one.record(ns, "web", 1);
    assert!(began(&record, "early") < began(&record, "late"));
    assert!(began(&record, "late") < began(&record, "after"));

    let set = ["--set", "replicas=3"];
    one.bowsprit_ok(&[&["upgrade", "web", &chart][..], &set, &wait, &cluster].concat());
    two.helm_ok(&[&["upgrade", "web", &chart][..], &set, &wait].concat());
    assert_eq!(phases(&one.record(ns, "web", 2)), phases(&two.record(ns, "web", 2)));
    let ready = one.get(&format!("/apis/apps/v1/namespaces/{ns}/deployments/web"));
    assert_eq!(ready["status"]["readyReplicas"], 3);
    let said = one.bowsprit_ok(&["test", "web", "-n", ns, "--space", "cluster"]);
    assert!(
        said.contains("TEST SUITE:     check") && said.contains("Phase:          Succeeded"),
        "{said}"
    );
    two.helm_ok(&["test", "web", "-n", ns]);
    assert_eq!(phases(&one.record(ns, "web", 2)), phases(&two.record(ns, "web", 2)));
    one.bowsprit_ok(&["uninstall", "web", "-n", ns, "--hooks", "run", "--timeout", "60s"]);
    two.helm_ok(&["uninstall", "web", "-n", ns]);
    assert_eq!(jobs(one), jobs(two));
    assert!(controllers.iter().all(|all| all.written.load(Ordering::Relaxed) >= 5));
    drop(controllers);
    [one, two].iter().for_each(|server| server.delete_namespace(ns));
}

/// A hook that fails fails the release, and `--rollback-on-failure` brings the last one back.
#[test]
fn hooks_that_fail_are_told_and_undone() {
    let Some([server, _]) = servers() else { return };
    let ns = "failing";
    let hooks = format!(
        "{{{{- if .Values.bad }}}}\n{}{{{{- end }}}}\n",
        hook("Job", "fails", "helm.sh/hook: post-upgrade")
    );
    let map =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: '{{ .Values.a }}'}\n";
    let chart = chart(
        "failing",
        &[
            ("values.yaml", "a: x\nbad: false\n"),
            ("templates/hooks.yaml", &hooks),
            ("templates/map.yaml", map),
        ],
    );
    let apply = ["apply", "web", &chart, "-n", ns, "--space", "cluster", "--timeout", "60s"];
    server.bowsprit_ok(&apply);
    let controllers = Controllers::start(server, ns);
    let bad = ["--set", "a=y,bad=true"];
    let error = server.bowsprit_fails(&[&apply[..], &bad].concat());
    assert!(error.contains("post-upgrade hooks failed") && error.contains("fails"), "{error}");
    let path = format!("/api/v1/namespaces/{ns}/configmaps/map");
    assert_eq!(server.get(&path)["data"]["a"], "y");
    let error = server.bowsprit_fails(&[&apply[..], &bad, &["--rollback-on-failure"]].concat());
    assert!(error.contains("has been rolled back due to rollback-on-failure"), "{error}");
    assert_eq!(server.get(&path)["data"]["a"], "x");
    let history = server.helm_ok(&["history", "web", "-n", ns]);
    assert!(history.contains("deployed") && history.contains("Rollback to 1"), "{history}");
    drop(controllers);
    server.bowsprit_ok(&["uninstall", "web", "-n", ns, "--hooks", "skip"]);
    server.delete_namespace(ns);
}

/// An operation of another machine, whose processes can't be looked at, is taken over when its mark is no
/// longer renewed, and left alone while it is.
#[test]
fn operations_of_other_machines_are_taken_over() {
    let Some([server, _]) = servers() else { return };
    let ns = "elsewhere";
    let hooks = hook("Job", "never", "helm.sh/hook: post-install");
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n";
    let chart = chart("elsewhere", &[("templates/h.yaml", &hooks), ("templates/map.yaml", map)]);
    let run = ["apply", "web", &chart, "-n", ns, "--space", "cluster"];
    let mut child = server.bowsprit_command(&run).spawn().unwrap();
    let job = format!("/apis/batch/v1/namespaces/{ns}/jobs/never");
    let deadline = Instant::now() + Duration::from_secs(30);
    while server.get(&job).is_null() {
        assert!(Instant::now() < deadline, "the hook does not come");
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // As another machine would have written it.
    let path = format!("/api/v1/namespaces/{ns}/secrets/sh.helm.release.v1.web.v1");
    let mark = |renewed: &str| {
        let operation =
            server.get(&path)["metadata"]["annotations"]["bowsprit.dev/operation"].clone();
        let mut operation: Json = serde_json::from_str(operation.as_str().unwrap()).unwrap();
        operation["host"] = "another machine".into();
        let annotations = json!({
            "bowsprit.dev/operation": operation.to_string(), "bowsprit.dev/renewed": renewed,
        });
        let body = json!({"metadata": {"annotations": annotations}}).to_string();
        let (code, answer) =
            server.request_as("PATCH", &path, Some(&body), "application/merge-patch+json");
        assert_eq!(code, 200, "{answer}");
    };
    mark(NOW);
    let again = [&run[..], &["--hooks", "skip"]].concat();
    let alive = AtomicBool::new(true);
    let refused = std::thread::scope(|scope| {
        scope.spawn(|| {
            for second in 0.. {
                if !alive.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(Duration::from_secs(1));
                mark(&format!("2026-01-01T00:00:{:02}Z", second % 60));
            }
        });
        let output = server.bowsprit(&again);
        alive.store(false, Ordering::Relaxed);
        output
    });
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && error.contains("its record changes"), "{error}");
    let begin = Instant::now();
    server.bowsprit_ok(&again);
    assert!(
        begin.elapsed() > Duration::from_secs(10),
        "taken over too early: {:?}",
        begin.elapsed()
    );
    let history = server.helm_ok(&["history", "web", "-n", ns]);
    assert!(history.contains("failed") && history.contains("deployed"), "{history}");
    server.bowsprit_ok(&["uninstall", "web", "-n", ns, "--hooks", "skip"]);
    server.delete_namespace(ns);
}

/// What a snapshot remembers renders as the cluster itself, and the cluster checks what is rendered.
#[test]
fn renders_with_a_clusters_eyes() {
    let Some([server, _]) = servers() else { return };
    let ns = "eyes";
    let create = json!({"metadata": {"name": ns}}).to_string();
    server.request("POST", "/api/v1/namespaces", Some(&create));
    let site =
        json!({"metadata": {"name": "site"}, "data": {"region": "eu", "n": "3"}}).to_string();
    server.request("POST", &format!("/api/v1/namespaces/{ns}/configmaps"), Some(&site));
    let template = "{{- $site := lookup \"v1\" \"ConfigMap\" .Release.Namespace \"site\" }}
apiVersion: v1
kind: ConfigMap
metadata: {name: seen}
data:
  region: {{ $site.data.region | quote }}
  version: {{ .Capabilities.KubeVersion.Version | quote }}
  policies: {{ .Capabilities.APIVersions.Has \"policy/v1/PodDisruptionBudget\" | quote }}
  maps: {{ range (lookup \"v1\" \"ConfigMap\" .Release.Namespace \"\").items }}{{ .metadata.name }},{{ end }}
  nothing: {{ lookup \"v1\" \"Secret\" .Release.Namespace \"none\" | toJson | quote }}
{{- if .Values.bad }}
speck: {}
{{- end }}
";
    let chart =
        chart("eyes", &[("values.yaml", "bad: false\n"), ("templates/seen.yaml", template)]);
    let render = ["template", "web", &chart, "-n", ns];
    let live = server.bowsprit_ok(&[&render[..], &["--dry-run=server"]].concat());
    assert!(live.contains("region: \"eu\"") && live.contains("policies: \"true\""), "{live}");
    assert_eq!(live, server.bowsprit_ok(&[&render[..], &["--validate"]].concat()));
    assert_eq!(live, server.helm_ok(&[&render[..], &["--dry-run=server"]].concat()));
    let snapshot = server.bowsprit_ok(&["snapshot", "configmaps", "-n", ns]);
    let file = super::server::scratch("eyes-snapshot").join("target.yaml");
    std::fs::write(&file, snapshot).unwrap();
    let target = ["--target", file.to_str().unwrap()];
    assert_eq!(live, server.bowsprit_ok(&[&render[..], &target].concat()));

    let bad = ["--set", "bad=true"];
    for how in ["--dry-run=server", "--validate"] {
        let error = server.bowsprit_fails(&[&render[..], &bad, &[how]].concat());
        assert!(error.contains("speck"), "{how}: {error}");
    }
    let apply = ["apply", "web", &chart, "-n", ns, "--dry-run=server"];
    let said = server.bowsprit_ok(&apply);
    assert!(said.contains("region: \"eu\"") && said.contains("STATUS: pending-install"), "{said}");
    let error = server.bowsprit_fails(&[&apply[..], &bad].concat());
    assert!(error.contains("speck"), "{error}");
    assert_eq!(server.objects_in(ns).len(), 1, "a dry run wrote something");
    server.delete_namespace(ns);
}
