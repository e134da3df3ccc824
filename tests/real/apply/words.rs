//! What commands on releases print: the same bytes as Helm's, and the same complaints.

use super::server::{Server, chart, servers};
use std::process::Output;

/// A chart whose objects come one kind at a time, for Helm lists kinds in no order.
fn config() -> String {
    let template =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {n: \"{{ .Values.n }}\"}\n";
    chart("words", &[("templates/a.yaml", template), ("values.yaml", "n: 1\n")])
}

/// Output without log lines, which Helm writes beside its errors, and times of day.
fn said(output: &Output, program: &str) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let lines =
            text.lines().filter(|l| !l.starts_with("level=") && !l.starts_with("LAST DEPLOYED"));
        lines.map(|line| format!("{}\n", without_age(line))).collect::<String>()
    };
    (output.status.code(), text(&output.stdout), text(&output.stderr).replace(program, "PROGRAM"))
}

/// Rows of `web` end with their age.
fn without_age(line: &str) -> &str {
    match line.rsplit_once(' ') {
        Some((row, age)) if row.starts_with("web  ") && age.ends_with('s') => row,
        _ => line,
    }
}

fn compare(server: &Server, ns: &str, args: &str) {
    let args: Vec<&str> = args.split(' ').chain(["-n", ns]).collect();
    let helm = said(&server.helm(&args), "helm");
    let ours = said(&server.bowsprit(&args), "bowsprit");
    assert_eq!(ours, helm, "{args:?}");
}

#[test]
fn commands_print_what_helms_print() {
    let Some([one, _]) = servers() else { return };
    let ns = "words";
    let chart = config();
    one.helm_ok(&["install", "web", &chart, "-n", ns, "--create-namespace", "--set", "n=2"]);
    one.helm_ok(&["upgrade", "web", &chart, "-n", ns, "--description", "a change"]);
    for format in ["table", "json", "yaml"] {
        for command in ["status web", "history web", "get values web", "get metadata web", "list"] {
            compare(one, ns, &format!("{command} -o {format}"));
        }
        compare(one, ns, &format!("get values web --all -o {format}"));
        compare(one, ns, &format!("status web --revision 1 -o {format}"));
    }
    for command in [
        "get all web",
        "get manifest web --revision 1",
        "get hooks web",
        "get notes web",
        "list --superseded",
        "list -q",
        "list --no-headers",
        "list --filter x",
        "history web --max 1",
        "uninstall web --dry-run",
        "rollback web 1 --dry-run=client",
    ] {
        compare(one, ns, command);
    }
    compare(one, ns, &format!("upgrade web {chart} --dry-run=client"));
    compare(one, ns, &format!("install other {chart} --dry-run=client"));
    one.helm_ok(&["uninstall", "web", "-n", ns]);
    one.delete_namespace(ns);
}

#[test]
fn complaints_are_helms() {
    let Some([one, _]) = servers() else { return };
    let ns = "complaints";
    let chart = config();
    let commands = [
        "status B_",
        "history B_",
        "rollback B_ 1",
        "uninstall B_",
        "get values B_",
        "test B_",
        "status gone",
        "history gone",
        "rollback gone",
        "uninstall gone",
        "get all gone",
        "test gone",
        "list -o bad",
        "list --filter [",
        "rollback gone x",
        "install gone /no/such/chart",
        "upgrade gone /no/such/chart",
        "uninstall gone --ignore-not-found",
    ];
    commands.iter().for_each(|command| compare(one, ns, command));
    for command in [
        "install Bad_Name CHART",
        "upgrade B_ CHART",
        "upgrade B_ CHART --install",
        "upgrade gone CHART",
        "install gone CHART --hide-secret",
        "upgrade gone CHART --hide-secret",
        "install gone CHART --set-file a=/no/such/file",
        "install CHART",
    ] {
        compare(one, ns, &command.replace("CHART", &chart));
    }
    let broken = super::server::chart("broken", &[("templates/a.yaml", "{{ fail \"no\" }}")]);
    compare(one, ns, &format!("install gone {broken}"));
    compare(one, ns, &format!("install gone {broken} --dry-run=client"));
    one.helm_ok(&["install", "words", &chart, "-n", ns, "--create-namespace"]);
    compare(one, ns, &format!("upgrade words {broken}"));
    compare(one, ns, &format!("upgrade --install words {broken}"));
    compare(one, ns, &format!("install words {chart}"));
    compare(one, ns, &format!("upgrade --install gone {broken}"));
    one.helm_ok(&["uninstall", "words", "-n", ns]);
    one.delete_namespace(ns);
}
