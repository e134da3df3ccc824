//! A release of either tool is a release of the other.

use serde_json::{Value as Json, json};

use super::server::{Server, chart, servers};

const CONFIG: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-cm
data:
  revision: \"{{ .Release.Revision }}\"
  upgrade: \"{{ .Release.IsUpgrade }}\"
  color: {{ .Values.color | quote }}
  {{- if .Values.extra }}
  extra: \"yes\"
  {{- end }}
";

const OTHER: &str = "{{- if .Values.other }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-other
stringData:
  a: b
{{- end }}
";

fn sample(name: &str) -> String {
    chart(
        name,
        &[
            ("values.yaml", "color: red\nextra: false\nother: true\n"),
            ("templates/cm.yaml", CONFIG),
            ("templates/other.yaml", OTHER),
            ("templates/NOTES.txt", "Hello {{ .Release.Name }}\n"),
        ],
    )
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn status(server: &Server, namespace: &str, name: &str) -> (String, String) {
    let list = json(&server.helm_ok(&["list", "-n", namespace, "-o", "json"]));
    let found = list.as_array().unwrap().iter().find(|r| r["name"] == name).unwrap();
    let text = |field: &str| found[field].as_str().unwrap().to_owned();
    (text("status"), text("revision"))
}

#[test]
fn helm_goes_on_with_what_bowsprit_began() {
    let Some([server, _]) = servers() else { return };
    let chart = sample("helm-goes-on");
    let ns = "helm-goes-on";
    server.bowsprit_ok(&["apply", "web", &chart, "-n", ns]);
    assert_eq!(status(server, ns, "web"), ("deployed".to_owned(), "1".to_owned()));
    assert_eq!(server.helm_ok(&["get", "notes", "web", "-n", ns]), "NOTES:\nHello web\n\n");
    let cm = format!("/api/v1/namespaces/{ns}/configmaps/web-cm");
    assert_eq!(server.get(&cm)["data"]["upgrade"], "false");

    // No flag about conflicts is needed, and what leaves the chart goes.
    server.helm_ok(&["upgrade", "web", &chart, "-n", ns, "--set", "color=blue,other=false"]);
    assert_eq!(server.get(&cm)["data"]["color"], "blue");
    assert!(server.get(&format!("/api/v1/namespaces/{ns}/secrets/web-other")).is_null());
    server.bowsprit_ok(&["apply", "web", &chart, "-n", ns, "--set", "color=green,extra=true"]);
    assert_eq!(server.get(&cm)["data"]["extra"], "yes");
    server.helm_ok(&["rollback", "web", "1", "-n", ns]);
    assert_eq!(server.get(&cm)["data"]["color"], "red");
    assert!(server.get(&cm)["data"]["extra"].is_null(), "a field that left the release");
    assert!(server.get(&format!("/api/v1/namespaces/{ns}/secrets/web-other")).is_object());
    let history = json(&server.helm_ok(&["history", "web", "-n", ns, "-o", "json"]));
    let states: Vec<&str> =
        history.as_array().unwrap().iter().map(|r| r["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["superseded", "superseded", "superseded", "deployed"]);
    server.helm_ok(&["uninstall", "web", "-n", ns]);
    assert_eq!(server.objects_in(ns).len(), 0);
    server.delete_namespace(ns);
}

#[test]
fn bowsprit_goes_on_with_what_helm_began() {
    let Some([server, _]) = servers() else { return };
    let chart = sample("bowsprit-goes-on");
    let ns = "bowsprit-goes-on";
    server.helm_ok(&["install", "web", &chart, "-n", ns, "--create-namespace"]);
    let list = json(&server.bowsprit_ok(&["list", "-n", ns, "-o", "json"]));
    let mut want = json(&server.helm_ok(&["list", "-n", ns, "-o", "json"]));
    assert_eq!(list, want);
    server.bowsprit_ok(&["upgrade", "web", &chart, "-n", ns, "--set", "color=blue,other=false"]);
    assert!(server.get(&format!("/api/v1/namespaces/{ns}/secrets/web-other")).is_null());
    // Without values the last ones count.
    server.bowsprit_ok(&["upgrade", "web", &chart, "-n", ns]);
    let cm = format!("/api/v1/namespaces/{ns}/configmaps/web-cm");
    assert_eq!(
        server.get(&cm)["data"],
        json!({"color": "blue", "revision": "3", "upgrade": "true"})
    );
    server.bowsprit_ok(&["rollback", "web", "-n", ns]);
    assert_eq!(server.get(&cm)["data"]["revision"], "2");
    assert_eq!(status(server, ns, "web"), ("deployed".to_owned(), "4".to_owned()));
    for command in [
        &["history", "web"][..],
        &["get", "values", "web"],
        &["get", "values", "web", "--all"],
        &["get", "manifest", "web"],
        &["get", "notes", "web"],
        &["get", "hooks", "web"],
        &["get", "metadata", "web"],
        &["get", "all", "web"],
        &["list"],
        &["list", "-q"],
        &["get", "values", "web", "-o", "json"],
        &["get", "metadata", "web", "-o", "json"],
        &["get", "metadata", "web", "-o", "yaml"],
        &["history", "web", "-o", "json"],
        &["history", "web", "-o", "yaml"],
        &["history", "web", "--max", "2"],
        &["list", "-o", "yaml"],
        &["get", "values", "web", "--revision", "1"],
    ] {
        let mut args = command.to_vec();
        args.extend(["-n", ns]);
        assert_eq!(server.bowsprit_ok(&args), server.helm_ok(&args), "{command:?}");
    }
    want = json(&server.helm_ok(&["status", "web", "-n", ns, "-o", "json"]));
    let got = json(&server.bowsprit_ok(&["status", "web", "-n", ns, "-o", "json"]));
    for field in ["name", "namespace", "version", "manifest", "config", "apply_method"] {
        assert_eq!(got[field], want[field], "{field}");
    }
    assert_eq!(
        server.bowsprit_ok(&["uninstall", "web", "-n", ns]),
        "release \"web\" uninstalled\n"
    );
    assert_eq!(server.objects_in(ns).len(), 0);
    server.delete_namespace(ns);
}

/// The record of either tool holds the same, but for times.
#[test]
fn records_are_helms() {
    let Some([one, two]) = servers() else { return };
    let chart = sample("records");
    let ns = "records";
    one.bowsprit_ok(&["install", "web", &chart, "-n", ns, "--create-namespace", "--set", "n=3"]);
    two.helm_ok(&["install", "web", &chart, "-n", ns, "--create-namespace", "--set", "n=3"]);
    let record = |server: &Server| {
        let mut record = server.record(ns, "web", 1);
        let info = record["info"].as_object_mut().unwrap();
        for time in ["first_deployed", "last_deployed"] {
            assert!(info.remove(time).is_some_and(|time| time.is_string()));
        }
        // What archives and folders say of times is not kept here.
        for list in ["templates", "files"] {
            for file in record["chart"][list].as_array_mut().into_iter().flatten() {
                file.as_object_mut().unwrap().remove("modtime");
            }
        }
        let chart = record["chart"].as_object_mut().unwrap();
        chart.remove("modtime");
        chart.remove("schemamodtime");
        record
    };
    assert_eq!(record(one), record(two));
    one.bowsprit_ok(&["uninstall", "web", "-n", ns]);
    two.helm_ok(&["uninstall", "web", "-n", ns]);
    one.delete_namespace(ns);
    two.delete_namespace(ns);
}

/// A release of Helm 3's way, applied by the client, loses fields that leave its chart all the same.
#[test]
fn client_side_releases_are_taken_over() {
    let Some([server, _]) = servers() else { return };
    let chart = sample("client-side");
    let ns = "client-side";
    let args = ["install", "web", &chart, "-n", ns, "--create-namespace", "--server-side=false"];
    server.helm_ok(&[&args[..], &["--set", "extra=true"]].concat());
    server.bowsprit_ok(&["apply", "web", &chart, "-n", ns, "--set", "color=blue"]);
    let cm = server.get(&format!("/api/v1/namespaces/{ns}/configmaps/web-cm"));
    assert_eq!(cm["data"]["color"], "blue");
    assert!(cm["data"]["extra"].is_null(), "{cm}");
    server.helm_ok(&["upgrade", "web", &chart, "-n", ns]);
    server.bowsprit_ok(&["uninstall", "web", "-n", ns]);
    server.delete_namespace(ns);
}

#[test]
fn history_is_kept_within_its_bound() {
    let Some([server, _]) = servers() else { return };
    let chart = sample("bounded");
    let ns = "bounded";
    for color in ["a", "b", "c", "d", "e"] {
        let color = format!("color={color}");
        server.bowsprit_ok(&[
            "apply",
            "web",
            &chart,
            "-n",
            ns,
            "--history-max",
            "3",
            "--set",
            &color,
        ]);
    }
    let history = json(&server.helm_ok(&["history", "web", "-n", ns, "-o", "json"]));
    let revisions: Vec<i64> =
        history.as_array().unwrap().iter().map(|r| r["revision"].as_i64().unwrap()).collect();
    assert_eq!(revisions, [3, 4, 5]);
    for max in ["--max=-1", "--max=0", "--max=2"] {
        let args = ["history", "web", "-n", ns, max, "-o", "json"];
        assert_eq!(server.bowsprit_ok(&args), server.helm_ok(&args), "{max}");
    }
    let install = ["install", "web", chart.as_str(), "-n", ns];
    let (ours, helms) = (server.bowsprit(&install), server.helm(&install));
    assert_eq!(String::from_utf8_lossy(&ours.stderr), String::from_utf8_lossy(&helms.stderr));
    assert_eq!(ours.status.code(), helms.status.code());
    server.bowsprit_ok(&["uninstall", "web", "-n", ns, "--keep-history"]);
    assert_eq!(status(server, ns, "web").0, "uninstalled");
    server.bowsprit_ok(&["apply", "web", &chart, "-n", ns]);
    assert_eq!(status(server, ns, "web"), ("deployed".to_owned(), "6".to_owned()));
    server.bowsprit_ok(&["uninstall", "web", "-n", ns, "--delete-namespace"]);
    server.delete_namespace(ns);
}

#[test]
fn config_maps_hold_records_too() {
    let Some([server, _]) = servers() else { return };
    let chart = sample("in-config-maps");
    let ns = "in-config-maps";
    server.bowsprit_ok(&["apply", "web", &chart, "-n", ns, "--release-store", "configmap"]);
    let mut helm = std::process::Command::new(crate::tools::tool("helm").unwrap());
    helm.args(["history", "web", "-n", ns, "-o", "json"]).env("HELM_DRIVER", "configmap");
    let output = helm.env("KUBECONFIG", &server.kubeconfig).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    server.delete_namespace(ns);
}
