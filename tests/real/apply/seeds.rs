//! The walk-throughs of the users' documents, as somebody would type them, with charts of the corpus.

use serde_json::Value as Json;

use super::server::{Server, corpus_dir, define, servers};

const POLICY: &str = r#"{
  "apiVersion": "control.kubestellar.io/v1alpha1", "kind": "BindingPolicy",
  "metadata": {"name": "NAME-bpolicy"},
  "spec": {
    "clusterSelectors": [{"matchLabels": {"location-group": "edge"}}],
    "downsync": [{"objectSelectors": [{"matchLabels": LABELS}]}]
  }
}"#;

/// Makes a workload description space of a server: it serves KubeStellar's API.
fn make_space(server: &Server) -> Option<()> {
    corpus_dir()?;
    let served = "/apis/control.kubestellar.io/v1alpha1/bindingpolicies";
    define(server, "kubestellar/control.kubestellar.io.yaml", served);
    Some(())
}

fn bind(server: &Server, name: &str, labels: &str) -> String {
    let policies = "/apis/control.kubestellar.io/v1alpha1/bindingpolicies";
    let body = POLICY.replace("NAME", name).replace("LABELS", labels);
    let (status, answer) = server.request("POST", policies, Some(&body));
    assert!(status < 300, "{answer}");
    format!("{policies}/{name}-bpolicy")
}

/// Every object of the release, and its namespace, carries the labels that the policy selects by.
fn assert_selected(server: &Server, ns: &str, labels: &str) {
    let labels: Json = serde_json::from_str(labels).unwrap();
    let mut objects = server.objects_in(ns);
    objects.retain(|_, object| object["type"] != "helm.sh/release.v1");
    let namespace = server.get(&format!("/api/v1/namespaces/{ns}"));
    objects.insert("the namespace".to_owned(), namespace);
    for (name, object) in &objects {
        for (key, value) in labels.as_object().unwrap() {
            assert_eq!(&object["metadata"]["labels"][key], value, "{name} {key}");
        }
    }
    assert!(objects.len() > 2);
}

fn walk(server: &Server, name: &str, chart: &str, labels: &str, set: &str) {
    let part_of = ["--part-of", name];
    let ns = format!("{name}-system");
    let chart = corpus_dir().unwrap().join("charts").join(chart);
    let chart = chart.to_str().unwrap();
    let before = server.objects();
    let policy = bind(server, name, labels);

    let apply = ["apply", name, chart, "--context", "two", "-n", &ns];
    let said = server.bowsprit_command(&[&apply[..], &part_of].concat()).output();
    let said = said.unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let plan = String::from_utf8_lossy(&said.stderr);
    assert!(plan.contains("a workload description space (it serves BindingPolicy)"), "{plan}");
    assert_selected(server, &ns, labels);
    let list = server.helm_ok(&["list", "--namespace", &ns]);
    assert!(list.contains(name) && list.contains("deployed"), "{list}");

    server.bowsprit_ok(&["upgrade", name, chart, "-n", &ns, "--set", set, "--no-hooks"]);
    let again = ["apply", name, chart, "-n", &ns, "--set", set, "--deliver-record"];
    server.bowsprit_ok(&[&again[..], &part_of].concat());
    assert_selected(server, &ns, labels);
    // The record can be delivered, too, so that `helm list` works in the clusters.
    let secrets =
        server.get(&format!("/api/v1/namespaces/{ns}/secrets?labelSelector=owner%3Dhelm"));
    let newest = secrets["items"].as_array().unwrap().last().unwrap();
    assert_eq!(newest["metadata"]["labels"]["app.kubernetes.io/instance"], name);
    server.helm_ok(&["rollback", name, "1", "-n", &ns, "--no-hooks"]);
    let drift = server.bowsprit_ok(&["drift", name, "-n", &ns]);
    assert!(drift.contains("0 added, 0 changed, 0 removed"), "{drift}");

    server.bowsprit_ok(&["uninstall", name, "-n", &ns]);
    assert!(server.objects_in(&ns).is_empty(), "{:?}", server.objects_in(&ns).keys());
    server.delete_namespace(&ns);
    server.request("DELETE", &policy, None);
    let after = server.objects();
    let added: Vec<_> = after.keys().filter(|key| !before.contains_key(*key)).collect();
    // Other tests have namespaces of their own meanwhile.
    let left: Vec<_> = added.iter().filter(|key| key.contains(name)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_chart_is_distributed_through_a_space() {
    let Some([_, server]) = servers() else { return };
    if make_space(server).is_none() {
        return;
    }
    // Seed 2 installs PostgreSQL, seed 1 an application of deployments and services.
    let labels =
        r#"{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "postgres"}"#;
    walk(server, "postgres", "postgresql-17.1.0.tgz", labels, "primary.podAnnotations.walked=yes");
    let labels = r#"{"app.kubernetes.io/part-of": "mychart"}"#;
    walk(server, "mychart", "podinfo-6.14.1.tgz", labels, "replicaCount=3");
}
