//! `apply --place`: the policies of a release, applied after its objects.

use super::{Session, warn};
use crate::commands::Invocation;
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::placing::{self, Placed};
use bowsprit::Release;
use bowsprit::apply::{Change, Discovery, DocumentOptions, Hooks, apply_documents, labelled};
use bowsprit::host::{OsHost, SeededHost};
use bowsprit::label::Options as LabelOptions;
use bowsprit::place::{self, Delivery, Options};
use bowsprit::placement::kubestellar::BindingPolicy;
use bowsprit::value::Host;

pub(super) static FLAGS: &[Flag] = &[Flag::with(
    "place",
    Kind::Text,
    "WITH",
    "kubestellar or karmada: also apply the policies that bring the release to --clusters",
)];

/// Flags that mean nothing without `--place`.
const PLACING: [&str; 9] = [
    "clusters",
    "policy-name",
    "select",
    "list-resources",
    "status-collector",
    "replicas",
    "conflict-resolution",
    "no-propagate-deps",
    "override",
];
/// Those that one of the two alone has.
const ONLY_KUBESTELLAR: [&str; 2] = ["list-resources", "status-collector"];
const ONLY_KARMADA: [&str; 4] =
    ["replicas", "conflict-resolution", "no-propagate-deps", "override"];

/// Who brings objects to clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placer {
    KubeStellar,
    Karmada,
}

impl Placer {
    /// Who the flags name, if anybody.
    pub(super) fn of(parsed: &Parsed) -> Result<Option<Placer>, Failure> {
        let refuse = |flags: &[&str], text: &str| match flags.iter().find(|f| parsed.given(f)) {
            Some(flag) => Err(Failure::Error(format!("--{flag} {text}"))),
            None => Ok(()),
        };
        match parsed.non_empty("place") {
            None => refuse(&PLACING, "needs --place kubestellar or --place karmada").map(|()| None),
            Some("kubestellar") => refuse(&ONLY_KARMADA, "goes with --place karmada only")
                .map(|()| Some(Placer::KubeStellar)),
            Some("karmada") => refuse(&ONLY_KUBESTELLAR, "goes with --place kubestellar only")
                .map(|()| Some(Placer::Karmada)),
            Some(other) => Err(Failure::Error(format!(
                "invalid value {other:?} of --place. Must be \"kubestellar\", or \"karmada\""
            ))),
        }
    }

    /// A host that gives the same random values to the renders of all clusters, where there are several.
    pub(super) fn host(self, parsed: &Parsed) -> Option<Box<dyn Host>> {
        if self != Placer::Karmada || !parsed.given("override") || parsed.number("seed").is_some() {
            return None;
        }
        let world = OsHost::new();
        let mut seed = [0; 8];
        world.fill_random(&mut seed);
        let dns = parsed.is_on("enable-dns");
        Some(Box::new(SeededHost::at(u64::from_le_bytes(seed), world.now()).dns(dns)))
    }
}

/// What is applied after the objects of a release.
pub(super) struct Policies {
    name: String,
    namespace: String,
    delivery: Delivery,
    binding: Option<BindingPolicy>,
    text: String,
    /// Objects that only some clusters get, to be applied with the release.
    pub(super) extra: String,
}

/// A render of some cluster, and what was put on it.
pub(super) type Render = (Release, LabelOptions);

/// Computes the policies of a labelled release, before anything is written.
pub(super) fn policies(
    invocation: &Invocation<'_>,
    placer: Placer,
    (release, labels): &Render,
    variants: &[(String, Render)],
    hooks: Option<Hooks>,
    discovery: &Discovery,
) -> Result<Policies, Failure> {
    let mut options = Options::default();
    options.hooks = hooks != Some(Hooks::Skip);
    options.crds = !invocation.parsed.is_on("skip-crds");
    let deliver =
        |(release, labels): &Render| Delivery::of(release, labels, &options).map_err(Failure::of);
    let (name, namespace) = (&release.options.name, &release.options.namespace);
    let delivery = deliver(&(release.clone(), labels.clone()))?;
    let kinds = place::kinds(discovery);
    let placed = Placed { name, namespace, labels, base: &delivery, kinds };
    let mut binding = None;
    let (extra, documents) = match placer {
        Placer::KubeStellar => {
            let policy = placing::kubestellar(invocation.parsed, invocation.settings, &placed)?;
            let document = policy.to_value();
            binding = Some(policy);
            (Vec::new(), vec![document])
        }
        Placer::Karmada => {
            let variants: Result<Vec<_>, Failure> = variants
                .iter()
                .map(|(cluster, render)| Ok((vec![cluster.clone()], deliver(render)?)))
                .collect();
            placing::karmada(invocation.parsed, invocation.settings, &placed, &variants?)?
        }
    };
    let (name, namespace) = (name.clone(), namespace.clone());
    let (text, extra) = (placing::text(&documents), placing::text(&extra));
    Ok(Policies { name, namespace, delivery, binding, text, extra })
}

impl Policies {
    /// Proves, once the release is there, that nothing else would be delivered, and applies the policies.
    /// Gives a line for each.
    pub(super) fn apply(
        &self,
        invocation: &Invocation<'_>,
        session: &Session,
        dry_run: bool,
    ) -> Result<Vec<String>, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::Error(format!("the release is applied, but not placed: {error}"))
        };
        if let Some(binding) = &self.binding {
            let selector = binding.selector().to_string();
            match session.runtime.run(labelled(&session.cluster, &selector)) {
                Ok(space) => {
                    let discovery = session.run(session.cluster.discovery())?;
                    let kinds = place::kinds(&discovery);
                    let (name, namespace) = (&self.name, &self.namespace);
                    let others =
                        place::unexpected(binding, &self.delivery, name, namespace, &space, &kinds);
                    placing::nothing_else(&selector, &others)?;
                }
                // Who may not list everything can still place what is his.
                Err(error) => warn(&format!(
                    "whether the policy selects what is not of the release could not be found out: {error}"
                )),
            }
        }
        let mut options = DocumentOptions::default();
        options.force_conflicts = invocation.parsed.is_on("force-conflicts");
        options.dry_run = dry_run;
        let documents = apply_documents(&session.cluster, &self.text, &self.namespace, options);
        let planned = session.runtime.run(documents).map_err(|error| failed(&error))?;
        let lines = planned.iter().map(|planned| {
            let word = match planned.change {
                Change::Create => "created",
                Change::Update => "changed",
                Change::Unchanged => "unchanged",
                Change::Delete => "deleted",
            };
            let mode = if dry_run { " (dry run)" } else { "" };
            format!("{} {word}{mode}", planned.key)
        });
        Ok(lines.collect())
    }
}
