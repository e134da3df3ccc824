//! A fleet, beside one `helm template` for each release and cluster.
//!
//! 1,000 clusters in three rings and five regions get ten charts, with values by ring and by region.
//! Helm is run for a sample of them, spread over charts, rings and regions, and its CPU time is
//! extrapolated; bowsprit renders all of it. Then each cluster gets a value of its own, so that nothing
//! can be shared, and then there are ten times as many clusters. Writes `docs/fleet-benchmarks.md`.

use crate::TaskResult;
use bowsprit_testkit::repository;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const USAGE: &str =
    "usage: bowsprit-dev fleet-versus-helm [--helm PATH] [--bowsprit PATH] [--charts FOLDER]
                                      [--clusters N] [--runs N] [--out FILE]";

/// What runs on many clusters: name, and the chart's archive in the corpus.
const CHARTS: [(&str, &str); 10] = [
    ("monitoring", "kube-prometheus-stack-88.5.3.tgz"),
    ("ingress", "ingress-nginx-4.15.1.tgz"),
    ("nodes", "prometheus-node-exporter-4.56.1.tgz"),
    ("secrets", "external-secrets-2.9.0.tgz"),
    ("metrics", "metrics-server-3.13.1.tgz"),
    ("edge", "traefik-41.3.0.tgz"),
    ("delivery", "argo-cd-10.1.1.tgz"),
    ("demo", "podinfo-6.14.1.tgz"),
    ("vault", "vault-0.34.1.tgz"),
    ("dashboards", "grafana-12.11.1.tgz"),
];

const RINGS: [&str; 3] = ["canary", "early", "stable"];
const REGIONS: [&str; 5] = ["af", "ap", "eu", "na", "sa"];

struct Options {
    helm: PathBuf,
    bowsprit: PathBuf,
    charts: PathBuf,
    clusters: usize,
    runs: usize,
    out: PathBuf,
}

impl Options {
    fn parse(args: &[String]) -> Result<Options, String> {
        let root = repository();
        let mut options = Options {
            helm: "helm".into(),
            bowsprit: root.join("target/release/bowsprit"),
            charts: root.join("../shared/corpus/charts"),
            clusters: 1000,
            runs: 100,
            out: root.join("docs/fleet-benchmarks.md"),
        };
        for pair in args.chunks(2) {
            let [name, value] = pair else { return Err(USAGE.to_owned()) };
            let number = || value.parse::<usize>().ok().filter(|n| *n > 0).ok_or(USAGE.to_owned());
            match name.as_str() {
                "--helm" => options.helm = value.into(),
                "--bowsprit" => options.bowsprit = value.into(),
                "--charts" => options.charts = value.into(),
                "--clusters" => options.clusters = number()?,
                "--runs" => options.runs = number()?,
                "--out" => options.out = value.into(),
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(options)
    }
}

pub(crate) fn run(args: &[String]) -> TaskResult {
    let options = Options::parse(args)?;
    let work = std::env::temp_dir().join(format!("bowsprit-fleet-bench-{}", std::process::id()));
    let made = fs::create_dir_all(&work).map_err(|e| e.to_string());
    let measured = made.and_then(|()| measure(&options, &work));
    // The folder is in the way of nobody.
    let _ = fs::remove_dir_all(&work);
    let report = measured?;
    fs::write(&options.out, &report).map_err(|e| format!("{}: {e}", options.out.display()))?;
    Ok(report)
}

/// One run: CPU milliseconds (user and system, all threads), wall milliseconds, peak memory in MiB.
#[derive(Clone, Copy, Default)]
struct Cost {
    cpu: f64,
    wall: f64,
    memory: f64,
}

/// What a program costs; a fresh small process starts it, because a child's peak begins with its parent's.
fn cost(work: &Path, program: &Path, args: &[&str]) -> Result<Cost, String> {
    let myself = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new(myself)
        .args(["versus-helm", "--measured"])
        .arg(program)
        .args(args)
        .env_clear()
        .env("HOME", work)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .current_dir(work)
        .output()
        .map_err(|e| e.to_string())?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} {}: {}", program.display(), args.join(" "), error.trim()));
    }
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
    let field = |name: &str| answer[name].as_f64().unwrap_or_default();
    Ok(Cost { cpu: field("cpu"), wall: field("wall"), memory: field("memory") })
}

fn place(at: usize) -> (&'static str, &'static str) {
    // A tenth is the first ring, two more the second.
    let ring = match at % 10 {
        0 => RINGS[0],
        1 | 2 => RINGS[1],
        _ => RINGS[2],
    };
    (ring, REGIONS[(at / 10) % REGIONS.len()])
}

fn write(work: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = work.join(name);
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| fs::write(&path, text)).map_err(|e| format!("{}: {e}", path.display()))
}

fn clusters(count: usize) -> String {
    (0..count)
        .map(|at| {
            let (ring, region) = place(at);
            format!("- {{name: cluster-{at}, labels: {{ring: {ring}, region: {region}}}}}\n")
        })
        .collect()
}

/// The fleet file; with `own`, each cluster has a value that no other has.
fn fleet(options: &Options, clusters: &str, own: bool) -> String {
    let mut text = format!(
        "apiVersion: bowsprit.dev/v1alpha1\nkind: Fleet\nname: bench\ntargets:\n- file: {clusters}\nrings:\n"
    );
    for ring in RINGS {
        text.push_str(&format!("- {{name: {ring}, selector: ring={ring}}}\n"));
    }
    text.push_str("releases:\n");
    for (name, chart) in CHARTS {
        let chart = options.charts.join(chart);
        text.push_str(&format!(
            "- name: {name}\n  namespace: {name}\n  chart: {}\n  values:\n  - values/${{region}}.yaml\n  - values/${{ring}}.yaml\n{}",
            chart.display(),
            if own { "  - set: ['global.cluster=${name}']\n" } else { "" }
        ));
    }
    text
}

fn measure(options: &Options, work: &Path) -> TaskResult {
    for region in REGIONS {
        let text =
            format!("global:\n  region: {region}\n  imageRegistry: {region}.registry.example\n");
        write(work, &format!("values/{region}.yaml"), &text)?;
    }
    for ring in RINGS {
        let text = format!("global:\n  ring: {ring}\n");
        write(work, &format!("values/{ring}.yaml"), &text)?;
    }
    let many = options.clusters * 10;
    for count in [options.clusters, many] {
        write(work, &format!("clusters-{count}.yaml"), &clusters(count))?;
    }
    let list = format!("clusters-{}.yaml", options.clusters);
    write(work, "shared.yaml", &fleet(options, &list, false))?;
    write(work, "own.yaml", &fleet(options, &list, true))?;
    write(work, "many.yaml", &fleet(options, &format!("clusters-{many}.yaml"), false))?;
    let helm = helm(options, work)?;
    let render = |file: &str, more: &[&str]| {
        let args = [&["fleet", "render", "-f", file][..], more].concat();
        cost(work, &options.bowsprit, &args)
    };
    let groups = ["--output-dir", "groups", "--layout", "groups"];
    let rows = [
        ("values by ring and region, printed", options.clusters, render("shared.yaml", &[])?),
        (
            "the same, a file for each different render",
            options.clusters,
            render("shared.yaml", &groups)?,
        ),
        (
            "a value of its own for each cluster, printed",
            options.clusters,
            render("own.yaml", &[])?,
        ),
        ("values by ring and region, printed", many, render("many.yaml", &[])?),
    ];
    Ok(report(options, &helm, &rows))
}

/// The costs of single runs of Helm, all charts in turn, each for other clusters.
fn helm(options: &Options, work: &Path) -> Result<Vec<Cost>, String> {
    let mut costs = Vec::new();
    for at in 0..options.runs {
        let Some((name, chart)) = CHARTS.get(at % CHARTS.len()) else { continue };
        // Steps that have no factor in common with the fleet's size reach all rings and regions.
        let (ring, region) = place((at * 37) % options.clusters);
        let chart = options.charts.join(chart).to_string_lossy().into_owned();
        let files = [format!("values/{region}.yaml"), format!("values/{ring}.yaml")];
        let args = ["template", name, &chart, "-n", name, "--include-crds", "--skip-tests"];
        let values = ["-f", &files[0], "-f", &files[1]];
        costs.push(cost(work, &options.helm, &[&args[..], &values].concat())?);
    }
    Ok(costs)
}

fn report(options: &Options, helm: &[Cost], rows: &[(&str, usize, Cost)]) -> String {
    let sum: f64 = helm.iter().map(|cost| cost.cpu).sum();
    let each = sum / helm.len() as f64;
    let peak = helm.iter().map(|cost| cost.memory).fold(0.0, f64::max);
    let charts: Vec<&str> =
        CHARTS.iter().map(|(_, chart)| chart.trim_end_matches(".tgz")).collect();
    let mut text = format!(
        "# A fleet, beside Helm\n\nWritten by `bowsprit-dev fleet-versus-helm`; every figure comes from one run. Do not \
         edit: run it again.\n\n\
         Clusters in 3 rings and 5 regions get {} charts: {}. Helm's side is the CPU time (user and system) of {} runs \
         of `helm template`, all charts in turn, multiplied: {each:.1} ms a run, {peak:.0} MiB at its peak. \
         bowsprit's side is one run of `fleet render` for all clusters; memory is the peak resident set. The machine \
         was shared with other work, so wall time says little.\n\n\
         | fleet | clusters × charts | CPU, Helm | CPU, bowsprit | ratio | wall, bowsprit | memory, bowsprit |\n\
         |---|--:|--:|--:|--:|--:|--:|\n",
        CHARTS.len(),
        charts.join(", "),
        helm.len(),
    );
    for (what, clusters, ours) in rows {
        let runs = clusters * CHARTS.len();
        let theirs = each * runs as f64;
        text.push_str(&format!(
            "| {what} | {clusters} × {} | {:.0} s | {:.2} s | **{:.0}×** | {:.2} s | {:.0} MiB |\n",
            CHARTS.len(),
            theirs / 1e3,
            ours.cpu / 1e3,
            theirs / ours.cpu,
            ours.wall / 1e3,
            ours.memory,
        ));
    }
    text.push_str(&format!(
        "\nWhere clusters share their values, {} renders serve all {} releases. Where each has a value of its own, nothing \
         is shared but the compiled charts, and the ratio is that of a render to a run of Helm. Renders are handed on \
         as they are made, so memory does not grow with the fleet.\n",
        RINGS.len() * REGIONS.len() * CHARTS.len(),
        options.clusters * CHARTS.len(),
    ));
    text
}
