//! Karmada's own scheduler and controllers on what the program writes, down to the members' API servers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Key, Running, define, define_from, of_release, path_of, put, wait, wait_for};
use crate::apply::fleet::{Case, FLEET, image, ready};
use crate::apply::server::{Server, corpus_dir, scratch, start};
use crate::tools::tool;

const CLUSTERS: &str = "/apis/cluster.karmada.io/v1alpha1/clusters";

/// Clusters are served by Karmada's aggregated API server, for which this definition stands.
fn cluster_definition() -> Json {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {
            "name": "clusters.cluster.karmada.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved"},
        },
        "spec": {
            "group": "cluster.karmada.io", "scope": "Cluster",
            "names": {"kind": "Cluster", "listKind": "ClusterList", "plural": "clusters", "singular": "cluster"},
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}},
            }],
        },
    })
}

fn base64(text: &str) -> String {
    use std::io::Write as _;
    let mut child = std::process::Command::new("base64")
        .arg("-w0")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// A control plane with three members, and Karmada between them.
fn join(plane: &Server, members: &BTreeMap<&str, &Server>) -> Option<()> {
    define_from(plane, "karmada", "")?;
    define(plane, vec![cluster_definition()]);
    let namespace = |name: &str| {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        put(plane, &path_of(&object, ""), &object);
    };
    namespace("karmada-cluster");
    for (name, member) in members {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": "karmada-cluster"},
            "data": {"token": base64(&member.token)},
        });
        put(plane, &path_of(&secret, ""), &secret);
        let ring = if *name == "member1" { "canary" } else { "stable" };
        let region = if *name == "member3" { "us" } else { "eu" };
        let labels = json!({"ring": ring, "region": region});
        let cluster = json!({
            "apiVersion": "cluster.karmada.io/v1alpha1", "kind": "Cluster",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "syncMode": "Push", "id": name, "apiEndpoint": member.address,
                "insecureSkipTLSVerification": true,
                "secretRef": {"namespace": "karmada-cluster", "name": name},
            },
        });
        put(plane, &format!("{CLUSTERS}/{name}"), &cluster);
    }
    Some(())
}

fn controllers(program: &Path, plane: &Server) -> Running {
    let args = ["-control-plane".as_ref(), plane.kubeconfig.as_os_str()];
    Running::start(program, "karmada", &args)
}

/// Objects but for namespaces, which Karmada brings to every member.
fn without_namespaces(objects: BTreeSet<Key>) -> BTreeSet<Key> {
    objects.into_iter().filter(|(kind, ..)| kind != "Namespace").collect()
}

/// What of a release is to get to members: all but the policies.
fn wanted(plane: &Server, release: &str) -> BTreeSet<Key> {
    let policies = [
        "PropagationPolicy",
        "ClusterPropagationPolicy",
        "OverridePolicy",
        "ClusterOverridePolicy",
    ];
    let all = of_release(plane, release).into_iter();
    all.filter(|(kind, ..)| !policies.contains(&kind.as_str())).collect()
}

#[test]
fn every_object_gets_to_the_members_that_are_named_and_to_no_other() {
    let (Some(program), Some(corpus)) = (tool("karmada"), corpus_dir()) else { return };
    let Some(all) = start("karmada", ["plane", "member1", "member2", "member3"]) else { return };
    let [plane, one, two, three] = &all.servers;
    let members = BTreeMap::from([("member1", one), ("member2", two), ("member3", three)]);
    let Some(()) = join(plane, &members) else { return };
    let _controllers = controllers(&program, plane);
    wait("members are ready", || {
        members.keys().all(|name| {
            let status = plane.get(&format!("{CLUSTERS}/{name}"))["status"].clone();
            status["apiEnablements"].is_array() && status["kubernetesVersion"].is_string()
        })
    });

    rehearse(plane, [one, two, three]);

    let values = scratch("members").join("member1.yaml");
    std::fs::write(&values, "replicaCount: 3\nui: {message: one}\n").unwrap();
    let over = format!("member1={}", values.display());
    let releases = ["podinfo", "postgres", "ingress"];
    for (release, chart) in releases.iter().zip([
        "podinfo-6.14.1.tgz",
        "postgresql-17.1.0.tgz",
        "ingress-nginx-4.15.1.tgz",
    ]) {
        let chart = corpus.join("charts").join(chart);
        let namespace = format!("{release}-system");
        let mut args = vec!["apply", release, chart.to_str().unwrap(), "-n", &namespace];
        args.extend(["--place", "karmada", "--clusters", "member1,member2"]);
        if *release == "podinfo" {
            args.extend(["--override", &over]);
        }
        plane.bowsprit_ok(&args);
    }
    for release in releases {
        let wanted = without_namespaces(wanted(plane, release));
        assert!(wanted.len() > 1, "{release}: {wanted:?}");
        for (name, member) in [("member1", one), ("member2", two)] {
            let arrived = || without_namespaces(of_release(member, release));
            wait_for(&format!("{release} is on {name}"), &wanted, arrived);
        }
        assert_eq!(without_namespaces(of_release(three, release)), BTreeSet::new());
    }
    let podinfo = |member: &Server| {
        member.get("/apis/apps/v1/namespaces/podinfo-system/deployments/podinfo")["spec"].clone()
    };
    let message =
        |spec: &Json| spec["template"]["spec"]["containers"][0]["env"].to_string().contains("one");
    let (first, second) = (podinfo(one), podinfo(two));
    assert_eq!((&first["replicas"], message(&first)), (&json!(3), true), "{first}");
    assert_eq!((&second["replicas"], message(&second)), (&json!(1), false), "{second}");

    // What leaves the release leaves the members.
    plane.bowsprit_ok(&["uninstall", "podinfo", "-n", "podinfo-system"]);
    wait("podinfo has left", || {
        [one, two].iter().all(|member| without_namespaces(of_release(member, "podinfo")).is_empty())
    });
}

/// A fleet whose clusters are Karmada's own, a promotion that waits for what members report, and the way back.
fn rehearse(plane: &Server, members: [&Server; 3]) {
    let [one, two, three] = members;
    let fleet = FLEET
        .replace("TARGETS", "karmada: {context: karmada}")
        .replace("NAMESPACE", "rehearsal")
        .replace("DELIVERY", "{karmada: {context: karmada}}");
    let Some(case) = Case::new("fleet-members", &[("karmada", plane)], &fleet) else { return };
    let plan: Json = serde_json::from_str(&case.out(&["fleet", "plan", "-o", "json"])).unwrap();
    assert_eq!(plan["clusters"], json!(3), "{plan}");
    case.out(&["fleet", "apply"]);
    let images = |stable: &str| {
        let wanted = [
            "eu.example/web:1.3.0".to_owned(),
            format!("eu.example/web:{stable}"),
            format!("us.example/web:{stable}"),
        ];
        let what = format!("members run {wanted:?}");
        wait(&what, || [one, two, three].map(|member| image(member, "rehearsal")) == wanted);
    };
    images("1.2.3");

    let promote = ["promote", "web", "--from", "canary", "--to", "stable"];
    let before = case.file();
    let held = case.error(&promote);
    assert!(held.contains("member1") && !held.contains("member2"), "{held}");
    wait("Karmada reports that nothing runs", || {
        case.error(&promote).contains("Deployment rehearsal/web on member1: ")
    });
    assert_eq!(case.file(), before, "what is held changes nothing");
    run_on(one, 2);
    let mut why = String::new();
    wait("the gate opens", || {
        let dry_run = [&promote[..], &["--dry-run"]].concat();
        let output = case.command(&dry_run).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said != why {
            println!("{said}");
            why = said;
        }
        output.status.success()
    });
    case.out(&promote);
    case.out(&["fleet", "apply"]);
    images("1.3.0");
    case.out(&["promote", "web", "--undo"]);
    assert_eq!(case.file(), before, "the same bytes are back");
    case.out(&["fleet", "apply"]);
    images("1.2.3");
}

/// Has a member's Deployment run, as the kubelets that are not there would.
fn run_on(member: &Server, replicas: u32) {
    let path = "/apis/apps/v1/namespaces/rehearsal/deployments/web";
    let generation = member.get(path)["metadata"]["generation"].clone();
    let mut status = ready(replicas);
    status["observedGeneration"] = generation;
    let patch = json!({"status": status}).to_string();
    let path = format!("{path}/status");
    let (code, answer) =
        member.request_as("PATCH", &path, Some(&patch), "application/merge-patch+json");
    assert!(code < 300, "{answer}");
}
