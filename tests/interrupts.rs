//! Ctrl-C while a chart is rendered that came from the network: the program waited for signals then, and
//! must still end at once.

#![cfg(unix)]

use crate::program::program;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A chart that is rendered for minutes, in a repository that serves it.
struct Home {
    root: PathBuf,
    url: String,
    /// Hears of each chart that was served.
    served: Receiver<()>,
}

impl Home {
    fn new(name: &str) -> Home {
        let root =
            std::env::temp_dir().join(format!("bowsprit-interrupts-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        for dir in ["long/templates", "site", "tmp"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        let chart = "apiVersion: v2\nname: long\nversion: 1.0.0\n";
        fs::write(root.join("long/Chart.yaml"), chart).unwrap();
        let loops = "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}";
        fs::write(root.join("long/templates/loops.yaml"), loops).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, served) = channel();
        let home = Home { root, url, served };
        assert!(home.command("package long -d site").status().unwrap().success());
        let index = format!("repo index site --url {}", home.url);
        assert!(home.command(&index).status().unwrap().success());
        let site = home.root.join("site");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serve(stream, &site).is_some_and(|path| path.ends_with(".tgz")) {
                    let _ = tell.send(());
                }
            }
        });
        home
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(program());
        command.args(args.split_whitespace()).env_clear().current_dir(&self.root);
        command.env("HOME", &self.root).env("TMPDIR", self.root.join("tmp"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Sends a signal once the chart was fetched and is being rendered; how the program ends.
    fn interrupted(&self, args: &str, signal: &str) -> Output {
        // What is kept from the time before would not be fetched.
        let _ = fs::remove_dir_all(self.root.join(".cache"));
        let mut child = self.command(args).spawn().unwrap();
        if self.served.recv_timeout(Duration::from_secs(20)).is_err() {
            let _ = child.kill();
            panic!("{args}: no chart was fetched: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(500));
        assert!(child.try_wait().unwrap().is_none(), "{args}: {:?}", child.wait_with_output());
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        ended(child, args)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// A program that goes on rendering is killed after a while, which its status tells.
fn ended(mut child: Child, args: &str) -> Output {
    let asked = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if asked.elapsed() > Duration::from_secs(10) {
            let _ = child.kill();
            panic!("{args}: the signal was not heeded");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

/// Answers one request with a file; its path.
fn serve(mut stream: TcpStream, site: &Path) -> Option<String> {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|w| w == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        request.extend(&buffer[..read]);
    }
    let request = String::from_utf8(request).ok()?;
    let path = request.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    let (status, body) = match fs::read(site.join(&path)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()?;
    Some(path)
}

const ENDLESS: &str = "--max-steps 100000000000000";

fn check(home: &Home, args: &str) {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let output = home.interrupted(args, signal);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args}: {said}");
        assert!(output.stdout.is_empty() && said.is_empty(), "{args}: {said}");
        let left: Vec<_> = fs::read_dir(home.root.join("tmp")).unwrap().collect();
        assert!(left.is_empty(), "{args}: {left:?}");
    }
}

#[test]
fn template_ends_while_it_renders() {
    let home = Home::new("template");
    check(&home, &format!("template web long --repo {} {ENDLESS}", home.url));
}

#[test]
fn flux_ends_while_it_renders_and_leaves_nothing() {
    let home = Home::new("flux");
    let objects = format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: site, namespace: \
         web}}\nspec: {{url: {}}}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: \
         HelmRelease\nmetadata: {{name: web, namespace: web}}\nspec:\n  interval: 1m\n  chart:\n    spec: \
         {{chart: long, sourceRef: {{kind: HelmRepository, name: site}}}}\n",
        home.url
    );
    fs::write(home.root.join("release.yaml"), objects).unwrap();
    check(&home, &format!("flux render -f release.yaml {ENDLESS}"));
}
