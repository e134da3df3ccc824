//! What is found before anything is written, and what is refused.

use serde_json::{Value as Json, json};

use super::server::{Server, chart, servers};

fn config_map(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: '{{{{ .Values.a }}}}'}}\n"
    )
}

/// All that is in the way is named in one error, and the server holds what it held.
#[test]
fn all_conflicts_are_found_before_the_first_write() {
    let Some([server, _]) = servers() else { return };
    let ns = "conflicts";
    server.request("POST", "/api/v1/namespaces", Some(r#"{"metadata":{"name":"conflicts"}}"#));
    let maps = format!("/api/v1/namespaces/{ns}/configmaps");
    for name in ["foreign-1", "foreign-2"] {
        let body = json!({"metadata": {"name": name}, "data": {"a": "other"}}).to_string();
        assert_eq!(server.request("POST", &maps, Some(&body)).0, 201);
    }
    let templates: Vec<String> = ["foreign-1", "mine", "foreign-2"].map(config_map).to_vec();
    let chart = chart(
        "conflicts",
        &[("values.yaml", "a: x\n"), ("templates/all.yaml", &templates.join("---\n"))],
    );
    let before = server.objects_in(ns);
    let error = server.bowsprit_fails(&["apply", "web", &chart, "-n", ns]);
    for part in [
        "2 objects are in the way, and nothing was written",
        "ConfigMap \"foreign-1\" in namespace \"conflicts\" exists and cannot be imported into the \
         current release: invalid ownership metadata; label validation error: missing key",
        "ConfigMap \"foreign-2\"",
        "Give each release a namespace of its own",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(server.objects_in(ns), before);
    // Adopted, the field is still another manager's.
    let args = ["apply", "web", &chart, "-n", ns, "--take-ownership"];
    let error = server.bowsprit_fails(&args);
    assert!(error.contains("conflict with") && error.contains("--force-conflicts"), "{error}");
    assert_eq!(server.objects_in(ns), before);
    server.bowsprit_ok(&[&args[..], &["--force-conflicts"]].concat());
    server.helm_ok(&["upgrade", "web", &chart, "-n", ns, "--set", "a=y"]);
    server.bowsprit_ok(&["uninstall", "web", "-n", ns]);
    assert!(server.objects_in(ns).is_empty());
    server.delete_namespace(ns);
}

/// Objects that the server would refuse stop a release before its namespace is made.
#[test]
fn invalid_objects_are_found_before_the_first_write() {
    let Some([server, _]) = servers() else { return };
    let service =
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 99999999}]}\n";
    let typo = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nspeck: {}\n";
    let chart = chart("invalid", &[("templates/s.yaml", service), ("templates/c.yaml", typo)]);
    let error = server.bowsprit_fails(&["apply", "web", &chart, "-n", "invalid"]);
    for part in ["spec.ports[0].port", "unknown field \"speck\"", "nothing was written"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(server.get("/api/v1/namespaces/invalid").is_null());
    let unknown = "apiVersion: nowhere.io/v1\nkind: Nothing\nmetadata: {name: c}\n";
    let chart = super::server::chart("unknown-kind", &[("templates/c.yaml", unknown)]);
    let error = server.bowsprit_fails(&["apply", "web", &chart, "-n", "invalid"]);
    assert!(
        error.contains("no matches for kind \"Nothing\" in version \"nowhere.io/v1\""),
        "{error}"
    );
}

#[test]
fn too_large_records_are_refused_before_the_first_write() {
    let Some([server, _]) = servers() else { return };
    // What can't be compressed.
    let mut state = 7u64;
    let mut random = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + ((state >> 33) % 90) as u8)
    };
    let noise: String = (0..1_300_000).map(|_| random()).collect();
    let chart =
        chart("large", &[("templates/c.yaml", &config_map("c")), ("files/noise.txt", &noise)]);
    let error = server.bowsprit_fails(&["apply", "web", &chart, "-n", "large"]);
    assert!(error.contains("--slim-record") && error.contains("nothing was written"), "{error}");
    assert!(server.get("/api/v1/namespaces/large").is_null());
    server.bowsprit_ok(&["apply", "web", &chart, "-n", "large", "--slim-record"]);
    server.helm_ok(&["history", "web", "-n", "large"]);
    server.bowsprit_ok(&["uninstall", "web", "-n", "large"]);
    server.delete_namespace("large");
}

/// In a workload description space hooks are delivered and nothing is waited for.
#[test]
fn spaces_get_hooks_as_objects() {
    let Some([_, server]) = servers() else { return };
    let ns = "hooked";
    let job = "apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations: {helm.sh/hook: 'pre-install,pre-upgrade', helm.sh/hook-weight: '1'}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: busybox, args: ['{{ .Values.a }}']}]
";
    let delete = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bye, annotations: {helm.sh/hook: pre-delete}}\n";
    let chart = chart(
        "hooked",
        &[
            ("values.yaml", "a: x\n"),
            ("templates/c.yaml", &config_map("c")),
            ("templates/job.yaml", job),
            ("templates/bye.yaml", delete),
        ],
    );
    let args = ["apply", "web", &chart, "-n", ns, "--space", "wds"];
    let error = server.bowsprit_fails(&[&args[..], &["--wait"]].concat());
    assert!(error.contains("no pod runs") && error.contains("--space cluster"), "{error}");
    server.bowsprit_ok(&args);
    let job = format!("/apis/batch/v1/namespaces/{ns}/jobs/migrate");
    let first = server.get(&job)["metadata"]["uid"].clone();
    assert!(first.is_string());
    assert!(server.get(&format!("/api/v1/namespaces/{ns}/configmaps/bye")).is_null());
    // Jobs can't be changed, so the next one takes the old one's place.
    server.bowsprit_ok(&[&args[..], &["--set", "a=y"]].concat());
    let second = server.get(&job);
    assert_ne!(second["metadata"]["uid"], first);
    assert_eq!(second["spec"]["template"]["spec"]["containers"][0]["args"][0], "y");
    // Hooks that are run time out where nothing runs, and the release has failed.
    let run = ["--hooks", "run", "--timeout", "2s", "--space", "cluster"];
    let error = server.bowsprit_fails(&[&["apply", "web", &chart, "-n", ns][..], &run].concat());
    assert!(error.contains("pre-upgrade hooks failed"), "{error}");
    server.bowsprit_ok(&args);
    server.bowsprit_ok(&["uninstall", "web", "-n", ns, "--hooks", "deliver"]);
    assert!(server.objects_in(ns).is_empty(), "{:?}", server.objects_in(ns).keys());
    server.delete_namespace(ns);
}

/// A definition that is known is not read again, until it changes.
fn definitions_are_remembered(server: &Server, ns: &str, chart: &str) {
    const ONE: &str =
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ones.one.bowsprit.test";
    let remembered = |revision: u32| {
        let path = format!("/api/v1/namespaces/{ns}/secrets/sh.helm.release.v1.web.v{revision}");
        let text = server.get(&path)["metadata"]["annotations"]["bowsprit.dev/definitions"].clone();
        let seen: Json = serde_json::from_str(text.as_str().unwrap_or_default()).unwrap();
        seen["ones.one.bowsprit.test"].as_str().unwrap().to_owned()
    };
    let apply = || server.bowsprit_ok(&["apply", "web", chart, "-n", ns]);
    apply();
    assert_eq!(remembered(1), remembered(2));
    let mut definition = server.get(ONE);
    definition["spec"]["versions"][0]["served"] = false.into();
    let by_other = format!("{ONE}?fieldManager=other");
    assert_eq!(server.request("PUT", &by_other, Some(&definition.to_string())).0, 200);
    let refused = server.bowsprit(&["apply", "web", chart, "-n", ns]);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && error.contains("failed to install CRD"), "{error}");
    server.bowsprit_ok(&["apply", "web", chart, "-n", ns, "--force-conflicts"]);
    assert_eq!(server.get(ONE)["spec"]["versions"][0]["served"], true);
    assert_ne!(remembered(2), remembered(3));
}

/// Definitions in `crds/` and objects of their kinds arrive in one run, and `keep` keeps.
#[test]
fn definitions_come_with_their_objects() {
    let Some([server, _]) = servers() else { return };
    let ns = "defined";
    let definition = |group: &str, kind: &str, plural: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: \
             {plural}.{group}}}\nspec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: {kind}, \
             plural: {plural}, singular: {}}}\n  versions:\n  - name: v1\n    served: true\n    storage: \
             true\n    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: \
             true}}}}\n",
            kind.to_lowercase()
        )
    };
    let kept = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}\n";
    let objects = "{{- if .Capabilities.APIVersions.Has \"one.bowsprit.test/v1/One\" }}\napiVersion: one.bowsprit.test/v1\nkind: One\nmetadata: {name: a}\n{{- end }}\n---\napiVersion: two.bowsprit.test/v1\nkind: Two\nmetadata: {name: b}\n";
    let chart = chart(
        "defined",
        &[
            ("crds/one.yaml", &definition("one.bowsprit.test", "One", "ones")),
            ("templates/two.yaml", &definition("two.bowsprit.test", "Two", "twos")),
            ("templates/objects.yaml", objects),
            ("templates/kept.yaml", kept),
        ],
    );
    server.bowsprit_ok(&["apply", "web", &chart, "-n", ns]);
    assert!(server.get(&format!("/apis/one.bowsprit.test/v1/namespaces/{ns}/ones/a")).is_object());
    assert!(server.get(&format!("/apis/two.bowsprit.test/v1/namespaces/{ns}/twos/b")).is_object());
    definitions_are_remembered(server, ns, &chart);
    let said = server.bowsprit_ok(&["uninstall", "web", "-n", ns, "--wait"]);
    let want = "These resources were kept due to the resource policy:\n[ConfigMap] kept\n\nrelease \"web\" uninstalled\n";
    assert_eq!(said, want);
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert!(server.get(&format!("{crds}/ones.one.bowsprit.test")).is_object());
    assert!(server.get(&format!("{crds}/twos.two.bowsprit.test")).is_null());
    server.request("DELETE", &format!("{crds}/ones.one.bowsprit.test"), None);
    server.delete_namespace(ns);
}

/// Who may do only what a namespaced account may, works; who lacks a right, learns which.
#[test]
fn rights_of_a_namespaced_account_are_enough() {
    let Some([server, _]) = servers() else { return };
    let ns = "limited";
    server.request("POST", "/api/v1/namespaces", Some(r#"{"metadata":{"name":"limited"}}"#));
    let account = r#"{"metadata":{"name":"deployer"}}"#;
    server.request("POST", &format!("/api/v1/namespaces/{ns}/serviceaccounts"), Some(account));
    let role = |resources: serde_json::Value| {
        json!({
            "metadata": {"name": "deployer"},
            "rules": [{"apiGroups": [""], "resources": resources, "verbs": ["*"]}],
        })
        .to_string()
    };
    let roles = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}");
    server.request("POST", &format!("{roles}/roles"), Some(&role(json!(["secrets"]))));
    let binding = json!({
        "metadata": {"name": "deployer"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer"},
        "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": ns}],
    });
    server.request("POST", &format!("{roles}/rolebindings"), Some(&binding.to_string()));
    let path = format!("/api/v1/namespaces/{ns}/serviceaccounts/deployer/token");
    let (_, token) = server.request("POST", &path, Some("{}"));
    let token = token["status"]["token"].as_str().unwrap();
    let limited = server.through(&server.address, token, "limited");
    let chart =
        chart("limited", &[("values.yaml", "a: x\n"), ("templates/c.yaml", &config_map("c"))]);
    let args = ["apply", "web", &chart, "-n", ns];
    let error = limited.bowsprit_fails(&args);
    assert!(
        error.contains(
            "cannot get resource \"configmaps\" in API group \"\" in the namespace \"limited\""
        ),
        "{error}"
    );
    assert!(error.contains("a Role or ClusterRole has to grant them"), "{error}");
    let all = role(json!(["secrets", "configmaps"]));
    server.request("PUT", &format!("{roles}/roles/deployer"), Some(&all));
    // Roles take a moment to hold.
    let applied = (0..20).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(200));
        limited.bowsprit(&args).status.success()
    });
    assert!(applied, "{}", limited.bowsprit_fails(&args));
    limited.bowsprit_ok(&["uninstall", "web", "-n", ns]);
    server.delete_namespace(ns);
}

#[test]
fn releases_without_a_record_are_possible() {
    let Some([server, _]) = servers() else { return };
    let ns = "unrecorded";
    let chart =
        chart("unrecorded", &[("values.yaml", "a: x\n"), ("templates/c.yaml", &config_map("c"))]);
    server.bowsprit_ok(&["apply", "web", &chart, "-n", ns, "--release-store", "none"]);
    let objects = server.objects_in(ns);
    assert_eq!(objects.len(), 1, "{:?}", objects.keys());
    server.delete_namespace(ns);
}
