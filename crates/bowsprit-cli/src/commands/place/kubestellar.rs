//! `bowsprit place kubestellar`.

use super::Rendered;
use crate::commands::release::{CONNECT, Session};
use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::Flag;
use crate::placing::{self, Placed};
use crate::{charts, labels, limits, release, streams, values};
use bowsprit::apply::labelled;
use bowsprit::place;
use bowsprit::placement::Kinds;
use bowsprit::placement::kubestellar::BindingPolicy;

pub(super) static COMMAND: Command = Command {
    name: "kubestellar",
    usage: "place kubestellar RELEASE CHART --clusters SELECTOR [flags]",
    about: "Print the BindingPolicy that brings a release to clusters",
    examples: "\
Prints the release's Namespace and a BindingPolicy. Objects are selected by app.kubernetes.io/instance and,
unless the chart sets another one, app.kubernetes.io/managed-by; --select names other labels. That all objects
have them is proven, and with --live also that nothing else in the space has. Jobs and hooks are created and
never updated. Warnings name what KubeStellar never delivers or changes.

Examples:
  bowsprit place kubestellar web ./chart -n web --clusters environment=staging
  bowsprit place kubestellar web ./chart -n web --clusters ring=canary,region=eu --clusters ring=dev
  bowsprit place kubestellar web ./chart -n web --clusters environment=staging --live --context wds1
  bowsprit place kubestellar mychart ./mychart -n mychart --policy-name mychart-prod \\
    --select app.kubernetes.io/part-of=mychart --clusters environment=production --list-resources",
    flags: &[
        placing::KUBESTELLAR_CLUSTERS,
        placing::FLAGS,
        placing::KUBESTELLAR,
        FLAGS,
        super::FLAGS,
        CONNECT,
        charts::FLAGS,
        values::FLAGS,
        release::FLAGS,
        release::TARGET,
        limits::FLAGS,
        labels::FLAGS,
    ],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[Flag::switch(
    "live",
    "Ask the space which kinds it has, and prove that nothing else in it is selected",
)];

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let job = super::prepare(invocation, "kubestellar")?;
    let rendered = super::rendered(invocation, &job)?;
    let session = match invocation.parsed.is_on("live") {
        true => Some(Session::open(invocation)?),
        false => None,
    };
    let kinds = match &session {
        Some(session) => place::kinds(&*session.run(session.cluster.discovery())?),
        None => Kinds::default(),
    };
    let placed = Placed {
        name: &rendered.release.options.name,
        namespace: &rendered.release.options.namespace,
        labels: &rendered.labels,
        base: &rendered.delivery,
        kinds,
    };
    let policy = placing::kubestellar(invocation.parsed, invocation.settings, &placed)?;
    if let Some(session) = &session {
        prove(session, &rendered, &placed.kinds, &policy)?;
    }
    let mut documents = Vec::new();
    documents.extend(rendered.delivery.namespace().map(|namespace| namespace.value.clone()));
    documents.push(policy.to_value());
    streams::write(placing::text(&documents).as_bytes())
}

fn prove(
    session: &Session,
    rendered: &Rendered,
    kinds: &Kinds,
    policy: &BindingPolicy,
) -> Result<(), Failure> {
    let selector = policy.selector().to_string();
    let live = session.run(labelled(&session.cluster, &selector))?;
    let of = &rendered.release.options;
    let delivery = &rendered.delivery;
    let others = place::unexpected(policy, delivery, &of.name, &of.namespace, &live, kinds);
    placing::nothing_else(&selector, &others)
}
