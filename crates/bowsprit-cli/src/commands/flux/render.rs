//! `bowsprit flux render`.

use super::input;
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{limits, streams};
use bowsprit::flux::{Outcome, Rendered, Rendering};
use bowsprit::value::{Map, Meter, Value, json};

pub(super) static COMMAND: Command = Command {
    name: "render",
    usage: "flux render -f FILE|DIR [flags]",
    about: "Print what helm-controller would install for HelmReleases",
    examples: "\
Prints the manifest of each release as `helm get manifest` would, then its hooks. --show picks other
parts: manifest, hooks, values (what Flux hands to Helm), values-all (with the chart's defaults), before
(custom resource definitions and a namespace that are applied first). Several are printed in the order
given. With -o json all parts come as one JSON document, failures included.

Charts come from where Flux would bring them: chart repositories, registries, and Git repositories by the
program git, with the credentials of the Secrets among the objects, else those that Helm and Docker have
stored here. A folder that --mirror names for a URL is read instead; with --offline there is nothing else.

Kustomizations are built from the folders that stand for their sources; what they apply comes first, and
HelmReleases among it are rendered too. Of kustomize a subset is known, and the rest is an error.

A HelmRelease that fails ends the command with exit code 1 and with the reason and the message that its
Ready condition would have; the others are printed all the same.

Examples:
  bowsprit flux render -f apps/
  bowsprit flux render -f apps/ --mirror https://stefanprodan.github.io/podinfo=charts/podinfo
  bowsprit flux render -f release.yaml --mirror '*=mirror' --show values
  bowsprit flux render -f apps/ --mirror '*=mirror' --helm-release shop/web --include-crds
  bowsprit flux render -f release.yaml --mirror '*=mirror' --revision 2 --kube-version 1.34
  kubectl get helmreleases,helmrepositories -A -o yaml | bowsprit flux render -f - --mirror '*=mirror'",
    flags: &[FLAGS, input::FLAGS, limits::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with(
        "filename",
        Kind::List,
        "FILE",
        "File or folder to read objects from, or - for standard input; repeatable",
    )
    .short('f'),
    Flag::with("show", Kind::List, "PARTS", "What to print (default manifest,hooks)"),
    Flag::switch("include-crds", "Print custom resource definitions and a created namespace first"),
    Flag::switch("no-hooks", "Print no hooks"),
    Flag::with("output", Kind::Text, "FORMAT", "text or json (default text)").short('o'),
];

#[derive(Clone, Copy)]
enum Part {
    Manifest,
    Hooks,
    Values,
    AllValues,
    Before,
}

fn part(name: &str) -> Result<Part, Failure> {
    Ok(match name {
        "manifest" => Part::Manifest,
        "hooks" => Part::Hooks,
        "values" => Part::Values,
        "values-all" => Part::AllValues,
        "before" => Part::Before,
        _ => {
            return Err(Failure::Error(format!(
                "--show: unknown part {name:?}: want manifest, hooks, values, values-all or before"
            )));
        }
    })
}

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    crate::commands::no_args(invocation, "bowsprit flux render")?;
    let parsed = invocation.parsed;
    let names = parsed.all("filename");
    if names.is_empty() {
        return Err(Failure::Error("give files or folders with -f".to_owned()));
    }
    let parts = parts(invocation)?;
    let as_json = match parsed.non_empty("output") {
        None | Some("text") => false,
        Some("json") => true,
        Some(other) => {
            return Err(Failure::Error(format!("--output: want text or json, not {other:?}")));
        }
    };
    let inventory = input::inventory(invocation, &names)?;
    let charts = input::charts(invocation)?;
    let rendering = input::render(invocation, inventory, &charts)?;
    if rendering.releases.is_empty() && rendering.kustomizations.is_empty() {
        return Err(Failure::Error(nothing(parsed.non_empty("cluster"))));
    }
    let text = if as_json {
        document(&rendering)?
    } else {
        let built = kustomizations(invocation, &rendering);
        built + &texts(&rendering, &parts)
    };
    streams::write(text.as_bytes())?;
    let failures = input::failures(&rendering);
    if failures.is_empty() { Ok(()) } else { Err(Failure::Error(failures.join("\n"))) }
}

fn nothing(cluster: Option<&str>) -> String {
    match cluster {
        Some(cluster) => format!(
            "no policy in these files brings a HelmRelease or a Kustomization to the cluster {cluster}"
        ),
        None => {
            "there is no such HelmRelease in these files, nor a Kustomization whose folder is known"
                .to_owned()
        }
    }
}

/// What Kustomizations apply themselves. It is left out where only a part is asked for.
fn kustomizations(invocation: &Invocation<'_>, rendering: &Rendering) -> String {
    let parsed = invocation.parsed;
    if !parsed.all("show").is_empty() || !parsed.all("helm-release").is_empty() {
        return String::new();
    }
    let mut out = String::new();
    for outcome in &rendering.kustomizations {
        if let Ok(built) = &outcome.result {
            out.push_str(&format!("---\n# {}\n{}", outcome.key, built.text()));
        }
    }
    out
}

fn parts(invocation: &Invocation<'_>) -> Result<Vec<Part>, Failure> {
    let parsed = invocation.parsed;
    let given = parsed.all("show");
    if !given.is_empty() {
        return given.iter().map(|name| part(name)).collect();
    }
    let mut parts = vec![Part::Manifest];
    if parsed.is_on("include-crds") {
        parts.insert(0, Part::Before);
    }
    if !parsed.is_on("no-hooks") {
        parts.push(Part::Hooks);
    }
    Ok(parts)
}

fn texts(rendering: &Rendering, parts: &[Part]) -> String {
    let mut out = String::new();
    let several = rendering.releases.len() > 1 || !rendering.kustomizations.is_empty();
    for outcome in &rendering.releases {
        let Ok(rendered) = &outcome.result else { continue };
        if several {
            out.push_str(&format!(
                "---\n# {}: release {}/{}, chart {}-{}\n",
                outcome.key, rendered.namespace, rendered.release, rendered.chart, rendered.version
            ));
        }
        for part in parts {
            out.push_str(&match part {
                Part::Manifest => rendered.manifest(),
                Part::Hooks => rendered.hooks_text(),
                Part::Values => rendered.values_text(),
                Part::AllValues => rendered.all_values_text(),
                Part::Before => rendered.before_text(),
            });
        }
    }
    out
}

fn document(rendering: &Rendering) -> Result<String, Failure> {
    let list = Value::list(rendering.releases.iter().map(entry).collect());
    let options = json::Options {
        indent: Some(json::Indent { prefix: "", indent: "  " }),
        ..json::Options::default()
    };
    let mut out = Vec::new();
    json::encode(&list, &options, &mut out, &Meter::default()).map_err(Failure::of)?;
    out.push(b'\n');
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn entry(outcome: &Outcome<Rendered>) -> Value {
    let map = Map::new();
    let put = |key: &'static str, value: Value| drop(map.insert(key.into(), value));
    put("helmRelease", format!("{}/{}", outcome.key.namespace, outcome.key.name).into());
    match &outcome.result {
        Ok(rendered) => put_rendered(rendered, &put),
        Err(failure) => {
            let error = Map::new();
            error.insert("reason".into(), failure.reason.name().into());
            error.insert("message".into(), failure.message.as_str().into());
            put("error", error.into());
        }
    }
    Value::Map(map)
}

fn put_rendered(rendered: &Rendered, put: &dyn Fn(&'static str, Value)) {
    put("chart", format!("{}-{}", rendered.chart, rendered.version).into());
    put("release", rendered.release.as_str().into());
    put("namespace", rendered.namespace.as_str().into());
    put("storageNamespace", rendered.storage_namespace.as_str().into());
    put("revision", Value::int64(rendered.revision));
    put("manifest", rendered.manifest().into());
    put("hooks", rendered.hooks_text().into());
    put("hooksDisabled", rendered.hooks_disabled.into());
    put("values", Value::Map(rendered.values.clone()));
    put("valuesAll", Value::Map(rendered.all_values.clone()));
    let before = rendered.crds.iter().chain(&rendered.created_namespace);
    put("before", Value::list(before.map(|object| Value::Map(object.clone())).collect()));
    let warnings = rendered.warnings.iter().map(|warning| warning.as_str().into());
    put("warnings", Value::list(warnings.collect()));
}
