//! What somebody reads who meets the program for the first time, and when something is not as it should
//! be: what happened, and what to do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::program::program;

struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Home {
        let path =
            std::env::temp_dir().join(format!("bowsprit-contact-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("charts/web")).unwrap();
        fs::create_dir_all(path.join("empty")).unwrap();
        let chart = "apiVersion: v2\nname: web\nversion: 0.1.0\n";
        fs::write(path.join("charts/web/Chart.yaml"), chart).unwrap();
        fs::create_dir_all(path.join("charts/web/templates")).unwrap();
        fs::write(path.join("charts/web/templates/a.yaml"), "kind: A\n").unwrap();
        let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts: [{name: here, context: {cluster: \
                          c, user: u}}, {name: there, context: {cluster: c, user: u}}]\nclusters: [{name: c, \
                          cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: u, user: {token: t}}]\n";
        fs::write(path.join("kubeconfig"), kubeconfig).unwrap();
        Home(path)
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(program());
        command.args(args.split_whitespace()).env_clear().env("HOME", &self.0).current_dir(&self.0);
        command.env("KUBECONFIG", self.0.join("kubeconfig"));
        command
    }

    fn run(&self, args: &str) -> Output {
        self.command(args).output().unwrap()
    }

    /// What is printed on standard error for people, with the folder's name taken out.
    fn said(&self, args: &str) -> String {
        let output =
            self.command(args).args(["--error-format", "rich", "--color", "never"]).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(1), "{args}");
        let folder = self.0.canonicalize().unwrap();
        let text = text(&output.stderr).replace(&folder.display().to_string(), "HOME");
        text.replace(&self.0.display().to_string(), "HOME")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn without_arguments_the_way_on_is_shown() {
    let home = Home::new("none");
    let output = home.run("");
    assert!(output.status.success() && output.stderr.is_empty());
    let said = text(&output.stdout);
    for part in ["Usage: bowsprit [command]", "Examples:", "Use \"bowsprit help COMMAND\" for more"]
    {
        assert!(said.contains(part), "{said}");
    }
}

/// Command line, and all that is printed for people.
const CASES: &[(&str, &str)] = &[
    (
        "tempalte web",
        "Error: unknown command \"tempalte\" for \"bowsprit\"\n\nDid you mean this?\n\ttemplate\n\nRun 'bowsprit --help' \
         for usage.\n",
    ),
    (
        "fleet pln",
        "Error: unknown command \"pln\" for \"bowsprit fleet\"\n\nDid you mean this?\n\tplan\n\nRun 'bowsprit fleet \
         --help' for usage.\n",
    ),
    (
        "template web ./charts/web --vaules x",
        "Error: unknown flag: --vaules\n  = hint: did you mean --values?\n  = hint: `bowsprit help template` shows all \
         flags\n",
    ),
    (
        "template",
        "Error: \"helm template\" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]\n  = \
         hint: `bowsprit help template` has examples\n",
    ),
    (
        "template web ./nosuch",
        "Error: path \"./nosuch\" not found\n  = hint: there is nothing called ./nosuch here (HOME); a chart is a folder, \
         an archive, REPOSITORY/CHART, a URL or oci://…\n",
    ),
    (
        "template web nosuch",
        "Error: non-absolute URLs should be in form of repo_name/path_to_chart, got: nosuch\n  = hint: there is nothing \
         called nosuch here (HOME); a chart is a folder, an archive, REPOSITORY/CHART, a URL or oci://…\n",
    ),
    (
        "template web nosuch/web",
        "Error: repo nosuch not found\n  = hint: there is no folder nosuch here (HOME), and no repository of that name: \
         `bowsprit repo list` shows them, `bowsprit repo add nosuch URL` adds it\n",
    ),
    (
        "template web ./charts",
        "Error: unable to detect chart at HOME/charts/Chart.yaml: open HOME/charts/Chart.yaml: no such file or \
         directory\n  = hint: there are charts in that folder: web\n",
    ),
    (
        "template web ./empty",
        "Error: unable to detect chart at HOME/empty/Chart.yaml: open HOME/empty/Chart.yaml: no such file or \
         directory\n  = hint: a chart's folder has a Chart.yaml; `bowsprit create NAME` makes one\n",
    ),
    (
        "template web ./charts/web -f prod.yaml",
        "Error: open prod.yaml: no such file or directory\n  = hint: it is looked for in HOME\n",
    ),
    (
        "list --kube-context nowhere",
        "Error: kubernetes cluster unreachable: context \"nowhere\" does not exist; there are here, there\n  = hint: \
         --kube-context names one; `kubectl config get-contexts` lists them\n",
    ),
    (
        "list --kubeconfig nosuch",
        "Error: kubernetes cluster unreachable: stat nosuch: no such file or directory\n  = hint: --kubeconfig or \
         KUBECONFIG say where the kubeconfig lies\n",
    ),
];

#[test]
fn errors_say_what_happened_and_what_to_do() {
    let home = Home::new("cases");
    let mut wrong = String::new();
    for (args, want) in CASES {
        let said = home.said(args);
        if said != *want {
            wrong += &format!("{args}\n--- wanted\n{want}--- printed\n{said}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The server's part of the text is the network's and differs between systems.
#[test]
fn servers_that_do_not_answer() {
    let home = Home::new("unreachable");
    for args in ["list", "apply web ./charts/web", "status web"] {
        let said = home.said(args);
        assert!(
            said.contains("kubernetes cluster unreachable: GET https://127.0.0.1:1/"),
            "{said}"
        );
        assert!(said.contains("hint: is the server running, and is it the right one?"), "{said}");
        assert_eq!(said.matches("unreachable").count(), 1, "{said}");
    }
    let output = home.command("list").env_remove("KUBECONFIG").output().unwrap();
    let said = text(&output.stderr);
    assert!(
        said.contains("there is no kubeconfig: ") && said.contains(".kube/config is not there"),
        "{said}"
    );
}

/// Scripts read Helm's words: no hint follows where nobody watches.
#[test]
fn hints_are_for_people_only() {
    let home = Home::new("plain");
    let output = home.run("template web ./nosuch");
    assert_eq!(text(&output.stderr), "Error: path \"./nosuch\" not found\n");
    // Below Helm's own families a wrong name ends well, as with Helm; but it is said.
    let output = home.run("repo lits");
    assert!(output.status.success());
    let said = text(&output.stderr);
    assert!(
        said.contains("unknown command \"lits\" for \"bowsprit repo\"")
            && said.contains("\tlist\n"),
        "{said}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let home = Home::new("full");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output =
        home.command("template web ./charts/web").stdout(full).stderr(Stdio::piped()).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "Error: write standard output: no space left on device\n");
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_none() {
    let home = Home::new("pipe");
    let script = format!("{} template web ./charts/web | true", program().display());
    let output = Command::new("sh").args(["-c", &script]).current_dir(&home.0).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
}

/// A render ends at once and says nothing; what applies is tested against a server.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_render() {
    use std::os::unix::process::ExitStatusExt;
    let home = Home::new("interrupt");
    let mut command = home.command("template web ./charts/web -f -");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    // It waits for values on standard input, which stays open.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(2));
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{}", text(&output.stderr));
    assert!(Path::new(&home.0).exists());
}
