//! Fleets through a KubeStellar space for each ring and through Karmada, on real API servers; what
//! clusters report is written by these tests.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value as Json, json};

use super::server::{Server, corpus_dir, define, fleet_servers};
use crate::packages::Folder;
use crate::program::program;
use crate::services::{Door, Service, web};
use crate::tools::tool;

const CHART: &str = "apiVersion: v2\nname: web\nversion: 0.1.0\n";

const TEMPLATE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: {{ .Values.registry }}/web:{{ .Chart.Version }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: site}
data: {region: {{ .Values.region }}}
";

pub(crate) const FLEET: &str = "\
apiVersion: bowsprit.dev/v1alpha1
kind: Fleet
name: NAMESPACE # ours
targets:
- TARGETS
rings:
- name: canary
  selector: ring=canary
  gate: {expression: 'clusters.size() == 1 && objects.all(o, o.healthy) && version != previous'}
- {name: stable, selector: ring=stable}
releases:
- name: web
  namespace: NAMESPACE
  chart: web
  repository: REPOSITORY
  version: ~1.2.0   # everywhere
  versions:
    canary: 1.3.0
  values:
  - values/${region}.yaml
delivery: DELIVERY
";

/// A folder with a fleet file, a repository with two versions of its chart, and a kubeconfig with
/// contexts for both servers.
pub(crate) struct Case {
    pub(crate) folder: Folder,
    _repository: Service,
    kubeconfig: PathBuf,
}

impl Case {
    pub(crate) fn new(name: &str, contexts: &[(&str, &Server)], fleet: &str) -> Option<Case> {
        let helm = tool("helm")?;
        let folder = Folder::new(name);
        folder.write("chart/Chart.yaml", CHART);
        folder.write("chart/values.yaml", "region: none\nregistry: none\n");
        folder.write("chart/templates/web.yaml", TEMPLATE);
        for version in ["1.2.3", "1.3.0"] {
            folder.ok(&helm, &["package", "chart", "--version", version, "-d", "served"]);
        }
        folder.ok(&helm, &["repo", "index", "served"]);
        let repository = web(&folder, Door::Open)?;
        for region in ["eu", "us"] {
            let text = format!("region: {region}\nregistry: {region}.example\n");
            folder.write(&format!("values/{region}.yaml"), &text);
        }
        let fleet = fleet.replace("REPOSITORY", &format!("http://{}", repository.host()));
        folder.write("bowsprit.yaml", &fleet);
        let kubeconfig = folder.path("kubeconfig");
        std::fs::write(&kubeconfig, contexts_file(contexts)).unwrap();
        Some(Case { folder, _repository: repository, kubeconfig })
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program());
        let home = self.folder.path("home");
        std::fs::create_dir_all(&home).unwrap();
        command.args(args).current_dir(self.folder.path("")).env("HOME", home);
        command.env("KUBECONFIG", &self.kubeconfig).env("BOWSPRIT_USER", "tester");
        command
    }

    pub(crate) fn out(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{args:?}: {out}{error}");
        out
    }

    pub(crate) fn error(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {out}");
        String::from_utf8(output.stderr).unwrap()
    }

    pub(crate) fn file(&self) -> String {
        std::fs::read_to_string(self.folder.path("bowsprit.yaml")).unwrap()
    }
}

fn contexts_file(contexts: &[(&str, &Server)]) -> String {
    let mut text = "apiVersion: v1\nkind: Config\n".to_owned();
    let part = |name: &str, each: &dyn Fn(&str, &Server) -> String| {
        let items: String = contexts.iter().map(|(name, server)| each(name, server)).collect();
        format!("{name}:\n{items}")
    };
    text += &part("contexts", &|name, _| {
        format!("- name: {name}\n  context: {{cluster: {name}, user: {name}}}\n")
    });
    text += &part("clusters", &|name, server| {
        format!(
            "- name: {name}\n  cluster: {{server: '{}', insecure-skip-tls-verify: true}}\n",
            server.address
        )
    });
    text += &part("users", &|name, server| {
        format!("- name: {name}\n  user: {{token: '{}'}}\n", server.token)
    });
    text
}

fn post(server: &Server, path: &str, object: &Json) -> Json {
    let (status, answer) = server.request("POST", path, Some(&object.to_string()));
    assert!(status < 300, "{path}: {answer}");
    answer
}

const POLICIES: &str = "/apis/control.kubestellar.io/v1alpha1/bindingpolicies";
const CLUSTERS: &str = "/apis/cluster.open-cluster-management.io/v1/managedclusters";

pub(crate) fn image(server: &Server, namespace: &str) -> String {
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/web");
    let object = server.get(&path);
    let image = &object["spec"]["template"]["spec"]["containers"][0]["image"];
    image.as_str().unwrap_or_default().to_owned()
}

/// What KubeStellar would say of an object on a cluster.
fn combined(namespace: &str, name: &str, rows: &[(&str, &str, &str, &str, Json)]) -> Json {
    let text = |text: &str| json!({"type": "String", "string": text});
    let row = |(cluster, api, kind, object, status): &(&str, &str, &str, &str, Json)| {
        json!({"columns": [
            text(cluster), text(api), text(kind), text(namespace), text(object),
            {"type": "Object", "object": status},
        ]})
    };
    json!({
        "apiVersion": "control.kubestellar.io/v1alpha1", "kind": "CombinedStatus",
        "metadata": {"name": name, "namespace": namespace},
        "results": [{
            "name": "bowsprit-health",
            "columnNames": ["cluster", "apiVersion", "kind", "namespace", "name", "status"],
            "rows": rows.iter().map(row).collect::<Vec<Json>>(),
        }],
    })
}

pub(crate) fn ready(count: u32) -> Json {
    json!({"replicas": 2, "updatedReplicas": 2, "readyReplicas": count, "availableReplicas": count})
}

#[test]
fn a_promotion_through_spaces_is_gated_and_taken_back() {
    let Some([one, two]) = fleet_servers() else { return };
    if corpus_dir().is_none() {
        return;
    }
    for server in [one, two] {
        define(server, "kubestellar/control.kubestellar.io.yaml", POLICIES);
    }
    define(one, "ocm/managedclusters.yaml", CLUSTERS);
    for (name, ring, region) in
        [("edge-1", "canary", "eu"), ("edge-2", "stable", "eu"), ("edge-3", "stable", "us")]
    {
        let labels = json!({"ring": ring, "region": region});
        post(
            one,
            CLUSTERS,
            &json!({
                "apiVersion": "cluster.open-cluster-management.io/v1", "kind": "ManagedCluster",
                "metadata": {"name": name, "labels": labels}, "spec": {"hubAcceptsClient": true},
            }),
        );
    }
    let fleet = FLEET
        .replace("TARGETS", "kubestellar: {context: its1}")
        .replace("NAMESPACE", "shop")
        .replace("DELIVERY", "{kubestellar: {spaces: [wds1, wds2], inventory: its1}}");
    let contexts = [("its1", one), ("wds1", one), ("wds2", two)];
    let Some(case) = Case::new("fleet-spaces", &contexts, &fleet) else { return };

    let plan = case.out(&["fleet", "plan"]);
    assert!(plan.contains("differ in strings alone: template expansion on"), "{plan}");
    let dry = case.out(&["fleet", "apply", "--dry-run"]);
    assert!(dry.contains("2 would be applied"), "{dry}");
    assert!(one.get("/api/v1/namespaces/shop").is_null());
    let applied = case.out(&["fleet", "apply"]);
    assert!(applied.contains("2 applied, 0 unchanged"), "{applied}");
    assert_eq!(image(one, "shop"), "eu.example/web:1.3.0");
    assert!(image(two, "shop").starts_with("{{.p_web_"), "{}", image(two, "shop"));
    let maps = "/api/v1/namespaces/customization-properties/configmaps";
    let filled_in = |cluster: &str| one.get(&format!("{maps}/{cluster}"))["data"].to_string();
    assert!(filled_in("edge-2").contains("eu.example/web:1.2.3"), "{}", filled_in("edge-2"));
    assert!(filled_in("edge-3").contains("us.example/web:1.2.3"));
    let policy =
        |server: &Server, ring: &str| server.get(&format!("{POLICIES}/shop-shop-web-{ring}"));
    let stable = policy(two, "stable");
    assert_eq!(
        stable["spec"]["clusterSelectors"],
        json!([{"matchLabels": {"ring": "stable"}}]),
        "{stable}"
    );
    assert!(policy(one, "canary").is_object() && policy(one, "stable").is_null());
    // What is deployed stays as it is.
    let again = case.out(&["fleet", "apply"]);
    assert!(again.contains("0 applied, 2 unchanged"), "{again}");

    promote_and_back(&case, one, two, &stable);

    // A release that leaves the fleet is told of, and goes when that is wanted.
    case.folder.write("bowsprit.yaml", &case.file().replace("- name: web\n", "- name: shop\n"));
    let told = case.out(&["fleet", "apply", "--take-ownership"]);
    assert!(told.contains("shop/web in wds1: is not in the fleet any more"), "{told}");
    let pruned = case.out(&["fleet", "apply", "--prune"]);
    assert!(pruned.contains("shop/web in wds2: removed"), "{pruned}");
    assert!(policy(one, "canary").is_null() && policy(two, "stable").is_null());
    assert_eq!(image(one, "shop"), "eu.example/web:1.3.0", "what another release adopted stays");
}

fn promote_and_back(case: &Case, one: &Server, two: &Server, stable: &Json) {
    let promote = ["promote", "web", "--from", "canary", "--to", "stable"];
    let before = case.file();
    let held = case.error(&promote);
    assert!(held.contains("cluster edge-1 has not reported 2 objects"), "{held}");
    let statuses = "/apis/control.kubestellar.io/v1alpha1/namespaces/shop/combinedstatuses";
    let site = ("edge-1", "v1", "ConfigMap", "site", json!({}));
    let rows = |count| [("edge-1", "apps/v1", "Deployment", "web", ready(count)), site.clone()];
    post(one, statuses, &combined("shop", "a.b", &rows(1)));
    let held = case.error(&promote);
    assert!(held.contains("Deployment shop/web on edge-1: readyReplicas is 1 of 2"), "{held}");
    assert!(held.contains("the expression is false: clusters.size() == 1"), "{held}");
    assert_eq!(case.file(), before, "what is held changes nothing");
    let (status, _) = one.request("DELETE", &format!("{statuses}/a.b"), None);
    assert_eq!(status, 200);
    post(one, statuses, &combined("shop", "a.c", &rows(2)));
    let status = case.out(&["fleet", "status"]);
    assert!(status.contains("2/2 on 1") && status.contains("as wanted"), "{status}");

    let said = case.out(&promote);
    assert!(said.contains("ring stable gets 1.3.0"), "{said}");
    assert_ne!(case.file(), before);
    let outdated = case.command(&["fleet", "status", "--detailed-exitcode"]).output().unwrap();
    assert_eq!(outdated.status.code(), Some(2));
    let manifest = |server: &Server, revision| {
        server.record("shop", "web", revision)["manifest"].as_str().unwrap().to_owned()
    };
    let first = manifest(two, 1);
    let live = case.out(&["fleet", "diff", "--live"]);
    assert!(live.contains("### shop/web in wds2 on 2 clusters: edge-2, edge-3"), "{live}");
    assert!(live.contains("us.example/web:1.3.0"), "what clusters fill in: {live}");
    assert!(!live.contains("BindingPolicy"), "a promotion changes no policy: {live}");
    case.out(&["fleet", "apply"]);
    assert_eq!(case.out(&["fleet", "diff", "--live"]), "no changes\n");
    let maps = "/api/v1/namespaces/customization-properties/configmaps/edge-3";
    assert!(one.get(maps)["data"].to_string().contains("us.example/web:1.3.0"));
    let path = format!("{POLICIES}/shop-shop-web-stable");
    assert_eq!(two.get(&path)["spec"], stable["spec"], "the policy stays as it is");

    let back = case.out(&["promote", "web", "--undo"]);
    assert!(back.contains("ring stable is back at ~1.2.0"), "{back}");
    assert_eq!(case.file(), before, "the same bytes are back");
    case.out(&["fleet", "apply"]);
    assert_eq!(manifest(two, 3), first, "and so are the objects");
    assert!(one.get(maps)["data"].to_string().contains("us.example/web:1.2.3"));
    let history = case.out(&["promote", "web", "--history"]);
    assert_eq!(history.lines().count(), 2);
    assert!(history.contains("\"user\":\"tester\""), "{history}");
}

/// Makes a server one that takes Karmada's policies and bindings.
fn define_karmada(server: &Server) {
    let policy = ("policy.karmada.io", "v1alpha1");
    let work = ("work.karmada.io", "v1alpha2");
    for ((group, version), plural) in [
        (policy, "propagationpolicies"),
        (policy, "clusterpropagationpolicies"),
        (policy, "overridepolicies"),
        (policy, "clusteroverridepolicies"),
        (work, "resourcebindings"),
        (work, "clusterresourcebindings"),
    ] {
        let file = format!("karmada/{group}_{plural}.yaml");
        define(server, &file, &format!("/apis/{group}/{version}/{plural}"));
    }
}

/// What Karmada would say of a release that all its members run.
fn report_healthy(server: &Server) {
    for (api, kind, name, status) in
        [("apps/v1", "Deployment", "web", ready(2)), ("v1", "ConfigMap", "site", Json::Null)]
    {
        let binding = json!({
            "apiVersion": "work.karmada.io/v1alpha2", "kind": "ResourceBinding",
            "metadata": {"name": format!("{name}-{}", kind.to_lowercase())},
            "spec": {"resource": {"apiVersion": api, "kind": kind, "namespace": "karmada-shop", "name": name}},
        });
        let path = "/apis/work.karmada.io/v1alpha2/namespaces/karmada-shop/resourcebindings";
        let mut made = post(server, path, &binding);
        let item = |cluster: &str| {
            let mut item = json!({"clusterName": cluster, "applied": true, "health": "Healthy"});
            if !status.is_null() {
                item["status"] = status.clone();
            }
            item
        };
        made["status"] = json!({"aggregatedStatus": [item("m1"), item("m2"), item("m3")]});
        let path = format!("{path}/{}/status", made["metadata"]["name"].as_str().unwrap());
        let (code, answer) = server.request("PUT", &path, Some(&made.to_string()));
        assert!(code < 300, "{answer}");
    }
}

#[test]
fn differences_become_overrides_in_karmada() {
    let Some([_, server]) = fleet_servers() else { return };
    if corpus_dir().is_none() {
        return;
    }
    let group = "/apis/policy.karmada.io/v1alpha1";
    define_karmada(server);
    let targets = "clusters:\n  - {name: m1, labels: {ring: canary, region: eu}}\n  - {name: m2, labels: {ring: stable, \
                   region: eu}}\n  - {name: m3, labels: {ring: stable, region: us}}";
    let fleet = FLEET
        .replace("TARGETS", targets)
        .replace("NAMESPACE", "karmada-shop")
        .replace("DELIVERY", "{karmada: {context: karmada}}");
    let Some(case) = Case::new("fleet-karmada", &[("karmada", server)], &fleet) else { return };
    let applied = case.out(&["fleet", "apply"]);
    assert!(applied.contains("1 applied"), "{applied}");
    let list = |resource: &str| {
        let path = format!("{group}/namespaces/karmada-shop/{resource}");
        server.get(&path)["items"].as_array().cloned().unwrap_or_default()
    };
    let propagation = list("propagationpolicies");
    assert_eq!(propagation.len(), 1, "{propagation:?}");
    let names = &propagation[0]["spec"]["placement"]["clusterAffinity"]["clusterNames"];
    assert_eq!(names, &json!(["m1", "m2", "m3"]), "{}", propagation[0]);
    let overrides = Json::from(list("overridepolicies")).to_string();
    for want in ["1.2.3", "us.example", "m2", "m3"] {
        assert!(overrides.contains(want), "{want}: {overrides}");
    }

    let promote = ["promote", "web", "--from", "canary", "--to", "stable"];
    assert!(case.error(&promote).contains("cluster m1 has not reported 2 objects"));
    report_healthy(server);
    let status = case.out(&["fleet", "status", "--drift"]);
    assert!(status.contains("6/6 on 3") && status.contains("as wanted"), "{status}");
    case.out(&promote);
    case.out(&["fleet", "apply"]);
    assert!(!Json::from(list("overridepolicies")).to_string().contains("1.2.3"));
    assert_eq!(image(server, "karmada-shop"), "eu.example/web:1.3.0");
}

#[test]
fn clusters_are_served_ring_by_ring() {
    let Some([one, two]) = fleet_servers() else { return };
    let targets = "clusters:\n  - {name: d1, labels: {ring: canary, region: eu}}\n  - {name: d2, labels: {ring: stable, \
                   region: us}}";
    let fleet = FLEET
        .replace("TARGETS", targets)
        .replace("NAMESPACE", "direct-shop")
        .replace("DELIVERY", "{clusters: {context: 'ctx-${name}'}}");
    let contexts = [("ctx-d1", one), ("ctx-d2", two)];
    let Some(case) = Case::new("fleet-direct", &contexts, &fleet) else { return };
    // What belongs to somebody else is in the way, and later rings wait.
    post(one, "/api/v1/namespaces", &json!({"metadata": {"name": "direct-shop"}}));
    let theirs = json!({"metadata": {"name": "site"}, "data": {"mine": "yes"}});
    post(one, "/api/v1/namespaces/direct-shop/configmaps", &theirs);
    let failed = case.error(&["fleet", "apply"]);
    assert!(
        failed.contains("ConfigMap \"site\"") && failed.contains("ring stable: held back"),
        "{failed}"
    );
    assert_eq!(image(two, "direct-shop"), "");
    one.request("DELETE", "/api/v1/namespaces/direct-shop/configmaps/site", None);
    let live = case.out(&["fleet", "diff", "--live"]);
    assert!(
        live.contains("### direct-shop/web on cluster") && live.contains("+  region: us"),
        "{live}"
    );
    let applied = case.out(&["fleet", "apply"]);
    assert!(applied.contains("2 applied"), "{applied}");
    assert_eq!(case.out(&["fleet", "diff", "--live"]), "no changes\n");
    assert_eq!(image(one, "direct-shop"), "eu.example/web:1.3.0");
    assert_eq!(image(two, "direct-shop"), "us.example/web:1.2.3");
    let path = "/api/v1/namespaces/direct-shop/configmaps/site";
    let patch = json!({"data": {"region": "elsewhere"}}).to_string();
    two.request_as("PATCH", path, Some(&patch), "application/merge-patch+json");
    let status = case.out(&["fleet", "status", "--drift"]);
    assert!(status.contains("drifted") && status.contains("elsewhere"), "{status}");
    assert!(case.out(&["fleet", "apply"]).contains("0 applied, 2 unchanged"));
    // What an apply that looks closely would put back.
    let differs = case.command(&["fleet", "diff", "--live", "--detailed-exitcode"]);
    let differs = { differs }.output().unwrap();
    let live = String::from_utf8_lossy(&differs.stdout);
    assert_eq!(differs.status.code(), Some(2), "{live}");
    assert!(live.contains("-  region: elsewhere") && live.contains("+  region: us"), "{live}");
    assert!(case.out(&["fleet", "apply", "--repair"]).contains("1 applied, 1 unchanged"));
    assert_eq!(two.get(path)["data"]["region"], "us");
    let unchanged = |shard: &str| {
        let said = case.out(&["fleet", "apply", "--shard", shard]);
        let count = said.strip_prefix("0 applied, ").and_then(|rest| rest.split(' ').next());
        count.and_then(|count| count.parse::<usize>().ok()).unwrap_or_else(|| panic!("{said}"))
    };
    assert_eq!(unchanged("0/3") + unchanged("1/3") + unchanged("2/3"), 2, "each once");
}

/// The Job in the documentation is one that an API server takes.
#[test]
fn the_documented_job_is_valid() {
    let Some([one, _]) = fleet_servers() else { return };
    let text =
        std::fs::read_to_string(bowsprit_testkit::repository().join("docs/fleet.md")).unwrap();
    let blocks = text.split("```yaml\n").skip(1).filter_map(|block| block.split("```").next());
    let mut jobs = 0;
    for block in blocks.filter(|block| block.contains("kind: Job")) {
        let json = bowsprit::yaml::yaml_to_json(block.as_bytes()).unwrap();
        let path = "/apis/batch/v1/namespaces/default/jobs?dryRun=All&fieldValidation=Strict";
        let (status, answer) = one.request("POST", path, Some(&String::from_utf8(json).unwrap()));
        assert_eq!(status, 201, "{answer}");
        jobs += 1;
    }
    assert!(jobs > 0);
}
