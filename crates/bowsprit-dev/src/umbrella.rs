//! How long `dependency build` takes for an umbrella chart, beside Helm.
//!
//! A repository of many charts is served on loopback; both programs bring them all into an umbrella's
//! `charts/`, in turns, each time with empty caches and an empty `charts/`.

use crate::TaskResult;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const USAGE: &str =
    "usage: bowsprit-dev umbrella [--helm PATH] [--bowsprit PATH] [--charts N] [--runs N]";

struct Options {
    helm: PathBuf,
    bowsprit: PathBuf,
    charts: usize,
    runs: usize,
}

pub(crate) fn run(args: &[String]) -> TaskResult {
    let options = parse(args)?;
    let work = std::env::temp_dir().join(format!("bowsprit-umbrella-{}", std::process::id()));
    let measured = fs::create_dir_all(&work)
        .map_err(|e| e.to_string())
        .and_then(|()| measure(&options, &work));
    // The folder is in the way of nobody.
    let _ = fs::remove_dir_all(&work);
    measured
}

fn parse(args: &[String]) -> Result<Options, String> {
    let mut options = Options {
        helm: "helm".into(),
        bowsprit: "target/release/bowsprit".into(),
        charts: 60,
        runs: 5,
    };
    for pair in args.chunks(2) {
        let [name, value] = pair else { return Err(USAGE.to_owned()) };
        let number = || value.parse::<usize>().map_err(|_| USAGE.to_owned());
        match name.as_str() {
            "--helm" => options.helm = value.into(),
            "--bowsprit" => options.bowsprit = value.into(),
            "--charts" => options.charts = number()?,
            "--runs" => options.runs = number()?.max(1),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let absolute = |path: &Path| match path.components().count() {
        // A bare name is looked up in PATH.
        1 => path.to_owned(),
        _ => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
    };
    options.helm = absolute(&options.helm);
    options.bowsprit = absolute(&options.bowsprit);
    Ok(options)
}

fn measure(options: &Options, work: &Path) -> TaskResult {
    let failed = |e: std::io::Error| e.to_string();
    let url = repository(options, work)?;
    let mut yaml = String::from("apiVersion: v2\nname: umbrella\nversion: 1.0.0\ndependencies:\n");
    for i in 0..options.charts {
        yaml.push_str(&format!("- {{name: sub{i}, version: ^1.0.0, repository: \"{url}\"}}\n"));
    }
    let chart = work.join("umbrella");
    fs::create_dir_all(&chart).map_err(failed)?;
    fs::write(chart.join("Chart.yaml"), yaml).map_err(failed)?;
    call(&options.bowsprit, work, "a", &["dependency", "update", "umbrella"])?;
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..options.runs {
        theirs.push(build(&options.helm, work, &url, options.charts)?);
        ours.push(build(&options.bowsprit, work, &url, options.charts)?);
    }
    theirs.sort();
    ours.sort();
    let (helm, bowsprit) = (median(&theirs), median(&ours));
    let ratio = helm.as_secs_f64() / bowsprit.as_secs_f64();
    Ok(format!(
        "dependency build, {} charts from one repository, median of {} runs in turns: \
         helm {helm:.1?}, bowsprit {bowsprit:.1?}, ratio {ratio:.1}",
        options.charts, options.runs
    ))
}

fn median(sorted: &[Duration]) -> Duration {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Charts with a template, values and a README of the usual size, packed and indexed by Helm.
fn repository(options: &Options, work: &Path) -> Result<String, String> {
    let failed = |e: std::io::Error| e.to_string();
    let values: String = (0..400).map(|i| format!("key{i}: value {i}\n")).collect();
    let readme = "Some words about what this chart is for.\n".repeat(300);
    for i in 0..options.charts {
        let chart = work.join("made").join(format!("sub{i}"));
        fs::create_dir_all(chart.join("templates")).map_err(failed)?;
        let yaml = format!("apiVersion: v2\nname: sub{i}\nversion: 1.0.{i}\n");
        fs::write(chart.join("Chart.yaml"), yaml).map_err(failed)?;
        fs::write(chart.join("values.yaml"), &values).map_err(failed)?;
        fs::write(chart.join("README.md"), &readme).map_err(failed)?;
        for template in 0..12 {
            let text = format!(
                "kind: ConfigMap\nmetadata:\n  name: t{template}\ndata:\n{}",
                "  a: {{ .Values.key1 | quote }}\n".repeat(40)
            );
            let path = chart.join("templates").join(format!("t{template}.yaml"));
            fs::write(path, text).map_err(failed)?;
        }
    }
    let made: Vec<String> = (0..options.charts).map(|i| format!("made/sub{i}")).collect();
    let mut args = vec!["package", "-d", "repo"];
    args.extend(made.iter().map(String::as_str));
    call(&options.helm, work, "a", &args)?;
    call(&options.helm, work, "a", &["repo", "index", "repo"])?;
    serve(work.join("repo"))
}

/// One build, as a machine does it that has seen nothing of this before.
fn build(program: &Path, work: &Path, url: &str, charts: usize) -> Result<Duration, String> {
    let home = work.join("fresh");
    let brought = work.join("umbrella/charts");
    let _ = fs::remove_dir_all(&home);
    let _ = fs::remove_dir_all(&brought);
    call(program, work, "fresh", &["repo", "add", "local", url])?;
    let start = Instant::now();
    call(program, work, "fresh", &["dependency", "build", "umbrella"])?;
    let took = start.elapsed();
    let count = fs::read_dir(&brought).map_or(0, Iterator::count);
    if count == charts { Ok(took) } else { Err(format!("{count} of {charts} charts were brought")) }
}

fn call(program: &Path, work: &Path, home: &str, args: &[&str]) -> Result<(), String> {
    let home = work.join(home);
    fs::create_dir_all(&home).map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["HELM_", "XDG_"].iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    let output = command.args(args).current_dir(work).env("HOME", home).output();
    let output = output.map_err(|e| format!("{}: {e}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{} {}: {said}", program.display(), args.join(" ")))
}

/// Serves files on loopback, keeping connections open as web servers do.
fn serve(root: PathBuf) -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let root = root.clone();
            std::thread::spawn(move || while answer(&stream, &root).is_some() {});
        }
    });
    Ok(format!("http://{address}"))
}

/// Answers one request; none when there are no more.
fn answer(mut stream: &TcpStream, root: &Path) -> Option<()> {
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        head.extend_from_slice(chunk.get(..count)?);
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1)?.trim_start_matches('/');
    let (status, body) = match fs::read(root.join(path)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(&[answer.as_bytes(), &body].concat()).ok()
}
