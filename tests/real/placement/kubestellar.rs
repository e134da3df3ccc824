//! KubeStellar's own controllers on what the program writes.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Key, Running, define_from, key, of_release, path_of, put, wait, wait_for};
use crate::apply::fleet::{Case, FLEET};
use crate::apply::server::{Server, corpus_dir, start};
use crate::tools::tool;

fn controllers(program: &Path, wds: &Server, its: &Server) -> Running {
    let args =
        ["-wds".as_ref(), wds.kubeconfig.as_os_str(), "-its".as_ref(), its.kubeconfig.as_os_str()];
    Running::start(program, "kubestellar", &args)
}

/// The works for a cluster.
fn works(its: &Server, cluster: &str) -> Vec<Json> {
    let path =
        format!("/apis/work.open-cluster-management.io/v1/namespaces/{cluster}/manifestworks");
    its.get(&path)["items"].as_array().cloned().unwrap_or_default()
}

fn arrived(its: &Server, cluster: &str) -> BTreeSet<Key> {
    let works = works(its, cluster);
    let manifests = works.iter().map(|work| &work["spec"]["workload"]["manifests"]);
    manifests.flat_map(|list| list.as_array().into_iter().flatten().map(key)).collect()
}

fn clusters(its: &Server) {
    for (name, environment) in [("edge1", "staging"), ("edge2", "staging"), ("edge3", "production")]
    {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        put(its, &path_of(&namespace, ""), &namespace);
        let ring = if name == "edge1" { "canary" } else { "stable" };
        let labels = json!({"environment": environment, "ring": ring, "region": "eu"});
        let cluster = json!({
            "apiVersion": "cluster.open-cluster-management.io/v1", "kind": "ManagedCluster",
            "metadata": {"name": name, "labels": labels},
            "spec": {"hubAcceptsClient": true},
        });
        let path = "/apis/cluster.open-cluster-management.io/v1/managedclusters";
        put(its, &format!("{path}/{name}"), &cluster);
    }
}

/// The Jobs of a cluster are created, and not updated.
fn assert_jobs_are_only_created(its: &Server, cluster: &str) -> usize {
    let mut jobs = 0;
    for work in works(its, cluster) {
        let manifests = work["spec"]["workload"]["manifests"].as_array().unwrap();
        for job in manifests.iter().filter(|object| object["kind"] == "Job") {
            let configs = work["spec"]["manifestConfigs"].as_array().unwrap();
            let own = configs.iter().find(|config| {
                let id = &config["resourceIdentifier"];
                id["resource"] == "jobs" && id["name"] == job["metadata"]["name"]
            });
            let own = own.unwrap_or_else(|| panic!("{work}"));
            assert_eq!(own["updateStrategy"]["type"], "CreateOnly", "{own}");
            jobs += 1;
        }
    }
    jobs
}

#[test]
fn every_object_arrives_at_every_selected_cluster_and_at_no_other() {
    let (Some(program), Some(corpus)) = (tool("kubestellar"), corpus_dir()) else { return };
    let Some(pair) = start("kubestellar", ["wds1", "its1"]) else { return };
    let [wds, its] = &pair.servers;
    let statuses = "kubestellar/its_control.kubestellar.io_workstatuses.yaml";
    if define_from(its, "ocm", "").and_then(|()| define_from(its, statuses, "")).is_none() {
        return;
    }
    clusters(its);
    let _controllers = controllers(&program, wds, its);
    for resource in ["bindingpolicies", "statuscollectors"] {
        wait(&format!("the space serves {resource}"), || {
            wds.get(&format!("/apis/control.kubestellar.io/v1alpha1/{resource}")).is_object()
        });
    }

    ring_by_ring(wds, its);

    let staging = ["edge1", "edge2"];
    let mut expected = BTreeSet::new();
    for (release, chart) in [
        ("postgres", "postgresql-17.1.0.tgz"),
        ("podinfo", "podinfo-6.14.1.tgz"),
        ("ingress", "ingress-nginx-4.15.1.tgz"),
    ] {
        let chart = corpus.join("charts").join(chart);
        let namespace = format!("{release}-system");
        let apply = ["apply", release, chart.to_str().unwrap(), "-n", &namespace];
        let place = ["--place", "kubestellar", "--clusters", "environment=staging"];
        wds.bowsprit_ok(&[&apply[..], &place].concat());
        let objects = of_release(wds, release);
        assert!(objects.contains(&("Namespace".to_owned(), String::new(), namespace.clone())));
        assert!(objects.len() > 2, "{objects:?}");
        expected.extend(objects);
    }
    for cluster in staging {
        let what = format!("all objects are in {cluster}");
        wait_for(&what, &expected, || arrived(its, cluster));
        assert!(assert_jobs_are_only_created(its, cluster) > 0);
    }
    assert_eq!(arrived(its, "edge3"), BTreeSet::new());

    // What leaves the release leaves the clusters.
    wds.bowsprit_ok(&["uninstall", "podinfo", "-n", "podinfo-system"]);
    let left = |key: &Key| key.1 == "podinfo-system";
    wait("podinfo has left", || !staging.iter().any(|c| arrived(its, c).iter().any(left)));
}

/// A release that comes to one ring after the other, and leaves the second without a trace.
fn ring_by_ring(wds: &Server, its: &Server) {
    let fleet = FLEET
        .replace("TARGETS", "kubestellar: {context: its1}")
        .replace("NAMESPACE", "ringed")
        .replace("  values:\n", "  rings: [canary]\n  values:\n")
        .replace("DELIVERY", "{kubestellar: {spaces: [wds1], inventory: its1}}");
    let contexts = [("its1", its), ("wds1", wds)];
    let Some(case) = Case::new("fleet-ringed", &contexts, &fleet) else { return };
    let key = |kind: &str, namespace: &str, name: &str| {
        (kind.to_owned(), namespace.to_owned(), name.to_owned())
    };
    let wanted = BTreeSet::from([
        key("Namespace", "", "ringed"),
        key("Deployment", "ringed", "web"),
        key("ConfigMap", "ringed", "site"),
    ]);
    let policy = |ring: &str| {
        wds.get(&format!(
            "/apis/control.kubestellar.io/v1alpha1/bindingpolicies/ringed-ringed-web-{ring}"
        ))
    };
    let everywhere = |stable: &BTreeSet<Key>| {
        for (cluster, wanted) in [("edge1", &wanted), ("edge2", stable), ("edge3", stable)] {
            wait_for(&format!("the release on {cluster}"), wanted, || arrived(its, cluster));
        }
    };
    case.out(&["fleet", "apply"]);
    everywhere(&BTreeSet::new());
    let (before, first) = (case.file(), selects(&policy("canary")));
    case.out(&["promote", "web", "--from", "canary", "--to", "stable", "--force", "a test"]);
    case.out(&["fleet", "apply"]);
    everywhere(&wanted);
    assert_eq!(selects(&policy("canary")), first, "the policy stays as it is");
    case.out(&["promote", "web", "--undo"]);
    assert_eq!(case.file(), before, "the same bytes are back");
    case.out(&["fleet", "apply"]);
    everywhere(&BTreeSet::new());
    assert!(policy("stable").is_null());
    assert_eq!(selects(&policy("canary")), first, "the policy stays as it is");
    wds.bowsprit_ok(&["uninstall", "web", "-n", "ringed"]);
    wds.delete_namespace("ringed");
    wait_for("the release has left", &BTreeSet::new(), || arrived(its, "edge1"));
}

/// Which clusters and objects a policy selects; KubeStellar writes the rest its own way.
fn selects(policy: &Json) -> [Json; 2] {
    let spec = &policy["spec"];
    [spec["clusterSelectors"].clone(), spec["downsync"][0].clone()]
}
