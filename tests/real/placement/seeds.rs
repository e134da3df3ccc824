//! The placements of the users' documents, written by the program and taken by a real API server.

use serde_json::{Value as Json, json};

use super::{define_from, documents, path_of, put};
use crate::apply::server::{Server, corpus_dir, scratch, servers};

fn chart(name: &str) -> String {
    corpus_dir().unwrap().join("charts").join(name).to_str().unwrap().to_owned()
}

fn space() -> Option<&'static Server> {
    let [_, server] = servers()?;
    define_from(server, "kubestellar/control.kubestellar.io.yaml", "")?;
    define_from(server, "karmada", "policy.karmada.io")?;
    Some(server)
}

fn apply_all(server: &Server, text: &str, namespace: &str) -> Vec<Json> {
    let all = documents(text);
    all.iter().map(|object| put(server, &path_of(object, namespace), object)).collect()
}

/// Seed 1: one chart, a policy for staging and one for production.
#[test]
fn staging_and_production_have_policies_of_their_own() {
    let Some(server) = space() else { return };
    let chart = chart("podinfo-6.14.1.tgz");
    for (name, environment) in [("seedone-rollout", "staging"), ("seedone-prod", "production")] {
        let clusters = format!("environment={environment}");
        let text = server.bowsprit_ok(&[
            "place",
            "kubestellar",
            "seedone",
            &chart,
            "-n",
            "seedone",
            "--part-of",
            "mychart",
            "--select",
            "app.kubernetes.io/part-of=mychart",
            "--policy-name",
            name,
            "--clusters",
            &clusters,
            "--list-resources",
            "--status-collector",
            "replicas",
        ]);
        let taken = apply_all(server, &text, "seedone");
        let [namespace, policy] = taken.as_slice() else { panic!("{text}") };
        assert_eq!(namespace["metadata"]["labels"]["app.kubernetes.io/part-of"], "mychart");
        let spec = &policy["spec"];
        assert_eq!(
            spec["clusterSelectors"],
            json!([{"matchLabels": {"environment": environment}}])
        );
        let clause = &spec["downsync"][0];
        assert_eq!(clause["resources"], json!(["deployments", "namespaces", "services"]));
        assert_eq!(
            clause["objectSelectors"],
            json!([{"matchLabels": {"app.kubernetes.io/part-of": "mychart"}}])
        );
    }
    server.delete_namespace("seedone");
}

/// Seed 2: PostgreSQL by what Helm calls it, with the proof that nothing else goes along.
#[test]
fn a_release_is_placed_with_its_objects_and_nothing_else() {
    let Some(server) = space() else { return };
    let chart = chart("postgresql-17.1.0.tgz");
    let (ns, other) = ("pg-place", "pg-other");
    let apply = ["apply", "pgplaced", &chart, "-n", ns, "--place", "kubestellar", "--clusters"];
    let said = server.bowsprit_command(&[&apply[..], &["location-group=edge"]].concat()).output();
    let said = said.unwrap();
    let lines = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && lines.contains("BindingPolicy pgplaced created"), "{lines}");
    let path = "/apis/control.kubestellar.io/v1alpha1/bindingpolicies/pgplaced";
    let policy = server.get(path);
    let labels =
        json!({"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "pgplaced"});
    let clauses = policy["spec"]["downsync"].as_array().unwrap();
    assert!(clauses.iter().all(|c| c["objectSelectors"] == json!([{"matchLabels": labels}])));
    // All that lies in the namespace but the record is selected, and so is the namespace.
    let mut objects = server.objects_in(ns);
    objects.retain(|_, object| object["type"] != "helm.sh/release.v1");
    objects.insert("namespace".to_owned(), server.get(&format!("/api/v1/namespaces/{ns}")));
    assert!(objects.len() > 5, "{:?}", objects.keys());
    for (name, object) in &objects {
        for (key, value) in labels.as_object().unwrap() {
            assert_eq!(&object["metadata"]["labels"][key], value, "{name}");
        }
    }

    let place =
        ["place", "kubestellar", "pgplaced", &chart, "-n", ns, "--clusters", "a=b", "--live"];
    server.bowsprit_ok(&place);
    // Something of the same labels elsewhere would be delivered too.
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}});
    put(server, &path_of(&object, ""), &object);
    let stray = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stray", "labels": labels},
    });
    put(server, &path_of(&stray, other), &stray);
    let said = server.bowsprit_fails(&place);
    assert!(said.contains("would be delivered too:\n  ConfigMap pg-other/stray\n"), "{said}");
    server.request("DELETE", path, None);
    let again = [&apply[..], &["location-group=edge"]].concat();
    assert!(server.bowsprit_fails(&again).contains("ConfigMap pg-other/stray"));
    assert!(server.get(path).is_null(), "no policy for what it would wrongly deliver");
    let own = [&again[..], &["--instance", "pgplaced-edge", "--on-conflict", "overwrite"]].concat();
    server.bowsprit_ok(&own);
    assert!(server.get(path).is_object());

    server.bowsprit_ok(&["uninstall", "pgplaced", "-n", ns]);
    server.request("DELETE", path, None);
    server.delete_namespace(other);
    server.delete_namespace(ns);
}

/// Seed 3: podinfo on two named members, with other replicas on one of them.
#[test]
fn members_get_overrides_of_their_own() {
    let Some(server) = space() else { return };
    let chart = chart("podinfo-6.14.1.tgz");
    let ns = "podinfo-place";
    let values = scratch("seed3").join("member1.yaml");
    std::fs::write(&values, "replicaCount: 2\n").unwrap();
    let over = format!("member1={}", values.display());
    let args = ["podinfo", &chart, "-n", ns, "--clusters", "member1,member2", "--override", &over];
    let text = server.bowsprit_ok(&[&["place", "karmada"], &args[..]].concat());
    let kinds: Vec<String> =
        documents(&text).iter().map(|o| o["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["Namespace", "OverridePolicy", "PropagationPolicy"]);

    server.bowsprit_ok(&[&["apply"], &args[..], &["--place", "karmada"]].concat());
    let policies = format!("/apis/policy.karmada.io/v1alpha1/namespaces/{ns}");
    let over = server.get(&format!("{policies}/overridepolicies/podinfo-deployment"));
    assert_eq!(
        over["spec"]["overrideRules"],
        json!([{
            "targetCluster": {"clusterNames": ["member1"]},
            "overriders": {"plaintext": [{"path": "/spec/replicas", "operator": "replace", "value": 2}]},
        }])
    );
    let policy = server.get(&format!("{policies}/propagationpolicies/podinfo"));
    assert_eq!(policy["spec"]["dependentOverrides"], json!(["podinfo-deployment"]));
    let placement = &policy["spec"]["placement"];
    assert_eq!(placement["clusterAffinity"], json!({"clusterNames": ["member1", "member2"]}));
    assert_eq!(placement["replicaScheduling"]["replicaSchedulingType"], "Duplicated");
    // Exactly what is there is named.
    let selectors = policy["spec"]["resourceSelectors"].as_array().unwrap();
    let mut objects = server.objects_in(ns);
    objects.retain(|path, object| {
        object["type"] != "helm.sh/release.v1" && !path.contains("policy.karmada.io")
    });
    assert_eq!(selectors.len(), objects.len(), "{:?}", objects.keys());
    server.bowsprit_ok(&["uninstall", "podinfo", "-n", ns]);
    server.delete_namespace(ns);
}
