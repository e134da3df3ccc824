//! All HelmReleases of a set of files.

use bowsprit_flux::{
    Charts, Failure, HelmRelease, Inventory, ObjectRef, Options, Rendered, render,
};
use bowsprit_manifest::diff::{Difference, ObjectSet, diff};
use bowsprit_render::Engine;
use bowsprit_value::Host;

/// What became of a HelmRelease.
#[derive(Debug)]
pub struct Outcome {
    /// Which HelmRelease.
    pub key: ObjectRef,
    /// What is installed for it, or why nothing is.
    pub result: Result<Rendered, Failure>,
}

/// Renders all HelmReleases that `wanted` picks, each behind those that it depends on.
pub fn render_all(
    inventory: &Inventory,
    charts: &dyn Charts,
    engine: &Engine,
    host: &dyn Host,
    options: &Options,
    wanted: &dyn Fn(&HelmRelease) -> bool,
) -> Vec<Outcome> {
    let releases = inventory.helm_releases().into_iter().filter(|release| wanted(release));
    let outcomes = releases.map(|release| Outcome {
        key: ObjectRef::new("HelmRelease", &*release.namespace, &*release.name),
        result: render(&release, inventory, charts, engine, host, options),
    });
    outcomes.collect()
}

/// What differs between what two sets of HelmReleases install.
#[derive(Debug)]
pub struct ReleasesDifference {
    /// The objects that differ.
    pub objects: Difference,
    /// The HelmReleases that fail, with a word that says in which set.
    pub failures: Vec<(&'static str, ObjectRef, String)>,
}

/// Compares what two sets of HelmReleases install. Of those that fail nothing is compared, on either
/// side, so that no object looks as if it were removed.
pub fn compare(before: &[Outcome], after: &[Outcome]) -> ReleasesDifference {
    let mut failures = Vec::new();
    for (side, outcomes) in [("before", before), ("after", after)] {
        for outcome in outcomes {
            let error = match &outcome.result {
                Err(failure) => failure.to_string(),
                Ok(rendered) => match rendered.objects() {
                    Err(error) => error.to_string(),
                    Ok(_) => continue,
                },
            };
            failures.push((side, outcome.key.clone(), error));
        }
    }
    let objects = |outcomes: &[Outcome]| {
        let mut set = ObjectSet::new();
        for outcome in outcomes {
            let failed = failures.iter().any(|(_, key, _)| *key == outcome.key);
            if let Ok(rendered) = &outcome.result
                && !failed
                && let Ok(objects) = rendered.objects()
            {
                set.extend(objects.iter().map(|(id, value)| (id.clone(), value.clone())));
            }
        }
        set
    };
    let difference = diff(&objects(before), &objects(after));
    ReleasesDifference { objects: difference, failures }
}
