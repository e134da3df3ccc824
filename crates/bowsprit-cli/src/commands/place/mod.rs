//! `bowsprit place`: which objects go to which clusters.

mod folders;
mod karmada;
mod kubestellar;

use super::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Parsed};
use crate::render::{self, Job};
use crate::{labels, placing, values};
use bowsprit::Release;
use bowsprit::host::SeededHost;
use bowsprit::label::Options as LabelOptions;
use bowsprit::place::{Delivery, Options};
use bowsprit::value::Timestamp;

pub(super) static COMMAND: Command = Command {
    name: "place",
    usage: "place [command]",
    about: "Write what brings a release to clusters",
    examples: "\
Renders and labels a chart as apply does, and prints the objects that bring its objects to clusters:
KubeStellar's BindingPolicy, Karmada's PropagationPolicy and OverridePolicy; or writes a folder of
manifests for each cluster. That the policies deliver every object is proven before they are printed.

Examples:
  bowsprit place kubestellar web ./chart -n web --clusters environment=staging | kubectl apply -f -
  bowsprit place karmada web ./chart -n web --clusters member1,member2 --override member1=member1.yaml
  bowsprit place folders web ./chart -n web --clusters east,west --output-dir rendered",
    flags: &[],
    children: &[&folders::COMMAND, &karmada::COMMAND, &kubestellar::COMMAND],
    run: None,
};

/// What all commands here have.
static FLAGS: &[Flag] = &[
    Flag::switch(
        "no-hooks",
        "Leave hooks out; otherwise those of installs and upgrades are placed",
    ),
    Flag::switch("skip-crds", "Leave out what is in crds/"),
    Flag::switch("no-namespace", "Leave out the release's Namespace"),
    Flag::switch("dependency-update", "Bring the dependencies if they are missing in charts/"),
];

/// A rendered and labelled release.
struct Rendered {
    release: Release,
    labels: LabelOptions,
    delivery: Delivery,
}

/// Renders what the arguments `RELEASE CHART` name.
fn prepare(invocation: &Invocation<'_>, command: &str) -> Result<Job, Failure> {
    let [name, chart] = invocation.args() else {
        return Err(Failure::Error(format!(
            "\"bowsprit place {command}\" requires 2 arguments\n\n\
             Usage:  bowsprit place {command} RELEASE CHART [flags]"
        )));
    };
    let mut job = render::prepare(invocation, name.clone(), chart)?;
    if invocation.parsed.number("seed").is_none() && invocation.parsed.non_empty("target").is_none()
    {
        // What is placed must not differ from run to run, nor from cluster to cluster.
        let dns = invocation.parsed.is_on("enable-dns");
        job.host = Box::new(SeededHost::at(0, Timestamp { seconds: 0, nanos: 0 }).dns(dns));
    }
    Ok(job)
}

/// Renders and labels.
fn rendered(invocation: &Invocation<'_>, job: &Job) -> Result<Rendered, Failure> {
    let parsed = invocation.parsed;
    let mut release = job.release(invocation)?;
    let crds = !parsed.is_on("skip-crds");
    let labels = labels::apply(parsed, invocation.settings, &mut release, true, crds)?;
    delivered(parsed, release, labels)
}

fn delivered(parsed: &Parsed, release: Release, labels: LabelOptions) -> Result<Rendered, Failure> {
    let mut options = Options::default();
    options.hooks = !parsed.is_on("no-hooks");
    options.crds = !parsed.is_on("skip-crds");
    options.namespace = !parsed.is_on("no-namespace");
    let delivery = Delivery::of(&release, &labels, &options).map_err(Failure::of)?;
    Ok(Rendered { release, labels, delivery })
}

/// The renders of clusters that have values of their own.
fn overridden(
    invocation: &Invocation<'_>,
    job: &mut Job,
) -> Result<Vec<(String, Rendered)>, Failure> {
    let mut all = Vec::new();
    for (cluster, files) in placing::overrides(invocation.parsed)? {
        job.request.values = values::with_files(invocation, &files)?;
        // What is to be said of labels has been said of the base.
        let rendered = job.release(invocation).and_then(|mut release| {
            let (labels, _) = labels::put(invocation.parsed, &mut release, true)?;
            delivered(invocation.parsed, release, labels)
        });
        let rendered = rendered.map_err(|failure| match failure {
            Failure::Error(text) => Failure::Error(format!("cluster {cluster}: {text}")),
            other => other,
        })?;
        all.push((cluster, rendered));
    }
    Ok(all)
}
