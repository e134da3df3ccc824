//! Fleets with sops, registries and a browser.

#![allow(clippy::unwrap_used)]

use crate::packages::Folder;
use crate::program::program;
use crate::services::{Guard, registry};
use crate::tools::tool;
use std::path::Path;
use std::process::Command;

const HEAD: &str = "apiVersion: bowsprit.dev/v1alpha1\nkind: Fleet\nname: shop\n";

fn chart(folder: &Folder, name: &str, version: &str) {
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    folder.write(&format!("{name}/Chart.yaml"), &metadata);
    folder.write(
        &format!("{name}/templates/a.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  password: {{ .Values.password | default \"none\" }}\n  \
         version: {{ .Chart.Version }}\n",
    );
}

#[test]
fn values_are_decrypted_by_sops() {
    let (Some(sops), Some(keygen)) = (tool("sops"), tool("age-keygen")) else { return };
    let folder = Folder::new("fleet-sops");
    chart(&folder, "web", "1.0.0");
    folder.ok(&keygen, &["-o", "key.txt"]);
    let key = std::fs::read_to_string(folder.path("key.txt")).unwrap();
    let recipient = key.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    folder.write("plain.yaml", "password: geheim\n");
    let encrypted = folder.ok(&sops, &["--encrypt", "--age", recipient, "plain.yaml"]);
    assert!(!encrypted.contains("geheim"), "{encrypted}");
    folder.write("secret.yaml", &encrypted);
    folder.write(
        "bowsprit.yaml",
        &format!("{HEAD}targets: [{{clusters: [{{name: a}}]}}]\nreleases:\n- {{name: web, chart: ./web, values: [{{sops: secret.yaml}}]}}\n"),
    );
    let render = |path: &Path, key: bool| {
        let mut command = Command::new(program());
        command.args(["fleet", "render"]).current_dir(folder.path("")).env("PATH", path);
        command.env("HOME", folder.path("home")).env_remove("SOPS_AGE_KEY_FILE");
        if key {
            command.env("SOPS_AGE_KEY_FILE", folder.path("key.txt"));
        }
        command.output().unwrap()
    };
    let tools = sops.parent().unwrap();
    let done = render(tools, true);
    assert!(String::from_utf8_lossy(&done.stdout).contains("password: geheim"), "{done:?}");
    let without_key = render(tools, false);
    let error = String::from_utf8_lossy(&without_key.stderr);
    assert!(error.contains("sops can't decrypt secret.yaml: "), "{error}");
    let without_sops = render(&folder.path("nowhere"), true);
    let error = String::from_utf8_lossy(&without_sops.stderr);
    assert!(error.contains("there is no program sops to decrypt it"), "{error}");
}

#[test]
fn charts_come_from_registries() {
    let Some(helm) = tool("helm") else { return };
    let folder = Folder::new("fleet-registry");
    let Some(server) = registry(&folder, Guard::Open) else { return };
    let url = format!("oci://{}/charts", server.host());
    for version in ["1.2.0", "1.10.0", "2.0.0"] {
        chart(&folder, "web", version);
        folder.ok(&helm, &["package", "web"]);
        folder.ok(&helm, &["push", &format!("web-{version}.tgz"), &url, "--plain-http"]);
    }
    folder.write(
        "bowsprit.yaml",
        &format!(
            "{HEAD}targets:\n- clusters: [{{name: a, labels: {{ring: one}}}}, {{name: b, labels: {{ring: two}}}}]\n\
             rings: [{{name: one, selector: ring=one}}, {{name: two, selector: ring=two}}]\nreleases:\n\
             - {{name: web, chart: '{url}/web', version: ^1, versions: {{one: 2.0.0}}}}\n"
        ),
    );
    let text = folder.ok(program(), &["fleet", "render", "--plain-http"]);
    assert!(text.contains("version: 2.0.0") && text.contains("version: 1.10.0"), "{text}");
}

/// What Chromium makes of a page, its scripts having run; with a click on the element that a script finds.
fn dump(chromium: &Path, folder: &Folder, page: &str) -> String {
    let url = format!("file://{}", folder.path(page).display());
    let profile = format!("--user-data-dir={}", folder.path("profile").display());
    let args = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--virtual-time-budget=5000",
        // Nothing is to be had from anywhere.
        "--host-resolver-rules=MAP * ~NOTFOUND",
        &profile,
        "--dump-dom",
        &url,
    ];
    folder.ok(chromium, &args)
}

#[test]
fn the_report_works_in_a_browser() {
    let Some(chromium) = tool("chromium") else { return };
    let folder = Folder::new("fleet-report");
    chart(&folder, "web", "1.0.0");
    folder.write(
        "bowsprit.yaml",
        &format!(
            "{HEAD}targets:\n- clusters:\n  - {{name: edge-1, labels: {{ring: canary}}}}\n  - {{name: edge-2, labels: {{ring: stable}}}}\n  \
             - {{name: edge-3, labels: {{ring: stable}}}}\nrings: [{{name: canary, selector: ring=canary}}, {{name: stable, selector: \
             ring=stable}}]\nreleases:\n- name: web\n  chart: ./web\n  values:\n  - {{selector: ring=canary, values: {{password: other}}}}\n"
        ),
    );
    folder.ok(program(), &["fleet", "report", "--html", "fleet.html"]);
    let html = std::fs::read_to_string(folder.path("fleet.html")).unwrap();
    // What a user would do: click, then filter; what went wrong is written into the title.
    let act = "<script>window.addEventListener('error', (e) => { document.title = 'ERROR ' + e.message; });</script>";
    let click = "<script>document.querySelector('button.cell').click();</script>";
    let filter = "<script>const f = document.getElementById('filter'); f.value = 'ring=stable'; \
                  f.dispatchEvent(new Event('input'));</script>";
    let with = |script: &str| {
        html.replace("<head>", &format!("<head>{act}"))
            .replace("</body>", &format!("{script}</body>"))
    };
    folder.write("click.html", &with(click));
    let dom = dump(&chromium, &folder, "click.html");
    assert!(!dom.contains("<title>ERROR"), "{dom}");
    for want in [
        "edge-1",
        "edge-3",
        "canary · 1",
        "stable · 2",
        "Against the largest group",
        "password: other",
    ] {
        assert!(dom.contains(want), "{want}: {dom}");
    }
    folder.write("filter.html", &with(filter));
    let dom = dump(&chromium, &folder, "filter.html");
    let body =
        dom.split("<tbody").nth(1).unwrap_or_default().split("</tbody>").next().unwrap_or_default();
    assert!(body.contains("edge-2") && !body.contains("edge-1"), "{body}");
}
