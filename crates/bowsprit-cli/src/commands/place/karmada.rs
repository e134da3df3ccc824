//! `bowsprit place karmada`.

use crate::commands::{Command, Invocation};
use crate::failure::Failure;
use crate::placing::{self, Placed};
use crate::{charts, labels, limits, release, streams, values};
use bowsprit::placement::Kinds;

pub(super) static COMMAND: Command = Command {
    name: "karmada",
    usage: "place karmada RELEASE CHART --clusters CLUSTERS [flags]",
    about: "Print the PropagationPolicies and OverridePolicies that bring a release to clusters",
    examples: "\
Prints the release's Namespace and PropagationPolicies with exactly the objects that are rendered. Values of
single clusters become OverridePolicies: the chart is rendered for each of them, and what differs is written
as the smallest set of overriders, which are applied here as Karmada does it to prove that they give what was
rendered. Objects that only some clusters get are printed too, and must be applied with the others. Random
values of a chart are drawn from one seed in all these renders, which --seed chooses: they are the same unless
values change which of them are drawn.

Examples:
  bowsprit place karmada web ./chart -n web --clusters member1,member2
  bowsprit place karmada web ./chart -n web --clusters environment=staging --replicas divided
  bowsprit place karmada podinfo ./podinfo --clusters member1,member2 --override member1=values-member1.yaml",
    flags: &[
        placing::KARMADA_CLUSTERS,
        placing::FLAGS,
        placing::KARMADA,
        super::FLAGS,
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

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let mut job = super::prepare(invocation, "karmada")?;
    let rendered = super::rendered(invocation, &job)?;
    let variants = super::overridden(invocation, &mut job)?;
    let variants: Vec<_> = variants
        .into_iter()
        .map(|(cluster, rendered)| (vec![cluster], rendered.delivery))
        .collect();
    let placed = Placed {
        name: &rendered.release.options.name,
        namespace: &rendered.release.options.namespace,
        labels: &rendered.labels,
        base: &rendered.delivery,
        kinds: Kinds::default(),
    };
    let (extra, policies) =
        placing::karmada(invocation.parsed, invocation.settings, &placed, &variants)?;
    let mut documents = Vec::new();
    documents.extend(rendered.delivery.namespace().map(|namespace| namespace.value.clone()));
    documents.extend(extra);
    documents.extend(policies);
    streams::write(placing::text(&documents).as_bytes())
}
