//! All Kustomizations and HelmReleases of a set of files.

use bowsprit_flux::kustomization::{Kustomized, expand};
use bowsprit_flux::{
    Charts, Failure, HelmRelease, Inventory, ObjectRef, Options, Rendered, render,
};
use bowsprit_manifest::ObjectsError;
use bowsprit_manifest::diff::{Difference, ObjectSet, diff};
use bowsprit_render::Engine;
use bowsprit_value::Host;

/// What became of a Kustomization or a HelmRelease.
#[derive(Debug)]
pub struct Outcome<T> {
    /// Which object.
    pub key: ObjectRef,
    /// What is applied or installed for it, or why nothing is.
    pub result: Result<T, Failure>,
}

/// What becomes of all of them.
#[derive(Debug, Default)]
pub struct Rendering {
    /// The Kustomizations.
    pub kustomizations: Vec<Outcome<Kustomized>>,
    /// The HelmReleases, each behind those that it depends on.
    pub releases: Vec<Outcome<Rendered>>,
}

/// Builds all Kustomizations, adds their objects to the others, and renders the HelmReleases that
/// `wanted` picks, each behind those that it depends on.
///
/// Kustomizations are built from `folders`, and charts are taken from `charts`. The former mostly stand
/// for the very repository whose files are read, in another state; who asks the network for charts will
/// not want it asked for those too.
pub fn render_all(
    mut inventory: Inventory,
    folders: &dyn Charts,
    charts: &dyn Charts,
    engine: &Engine,
    host: &dyn Host,
    options: &Options,
    wanted: &dyn Fn(&HelmRelease) -> bool,
) -> Rendering {
    let built = expand(&mut inventory, folders).into_iter();
    let releases = inventory.helm_releases().into_iter().filter(|release| wanted(release));
    let outcomes = releases.map(|release| Outcome {
        key: ObjectRef::new("HelmRelease", &*release.namespace, &*release.name),
        result: render(&release, &inventory, charts, engine, host, options),
    });
    Rendering {
        releases: outcomes.collect(),
        kustomizations: built.map(|(key, result)| Outcome { key, result }).collect(),
    }
}

/// What differs between what two sets of files bring.
#[derive(Debug)]
pub struct RenderingDifference {
    /// The objects that differ.
    pub objects: Difference,
    /// What fails, with a word that says in which set.
    pub failures: Vec<(&'static str, ObjectRef, String)>,
}

/// Compares what two sets of files bring. Of a HelmRelease or Kustomization that fails nothing is
/// compared, on either side, so that no object looks as if it were removed.
pub fn compare(before: &Rendering, after: &Rendering) -> RenderingDifference {
    let before = Side::of(before, "before");
    let after = Side::of(after, "after");
    let failures: Vec<_> = before.failures.iter().chain(&after.failures).cloned().collect();
    let objects = |side: &Side| {
        let mut set = ObjectSet::new();
        for (key, objects) in &side.objects {
            if !failures.iter().any(|(_, failed, _)| failed == key) {
                set.extend(objects.iter().map(|(id, value)| (id.clone(), value.clone())));
            }
        }
        set
    };
    RenderingDifference { objects: diff(&objects(&before), &objects(&after)), failures }
}

/// The objects of one set of files.
struct Side {
    objects: Vec<(ObjectRef, ObjectSet)>,
    failures: Vec<(&'static str, ObjectRef, String)>,
}

impl Side {
    fn of(rendering: &Rendering, name: &'static str) -> Side {
        let mut side = Side { objects: Vec::new(), failures: Vec::new() };
        for outcome in &rendering.kustomizations {
            let objects = |built: &Kustomized| ObjectSet::parse(built.text().as_bytes());
            side.add(name, outcome, objects);
        }
        for outcome in &rendering.releases {
            side.add(name, outcome, Rendered::objects);
        }
        side
    }

    fn add<T>(
        &mut self,
        name: &'static str,
        outcome: &Outcome<T>,
        objects: impl Fn(&T) -> Result<ObjectSet, ObjectsError>,
    ) {
        let result = match &outcome.result {
            Ok(rendered) => objects(rendered).map_err(|error| error.to_string()),
            Err(failure) => Err(failure.to_string()),
        };
        match result {
            Ok(objects) => self.objects.push((outcome.key.clone(), objects)),
            Err(error) => self.failures.push((name, outcome.key.clone(), error)),
        }
    }
}
