//! From the fleet file to its servers: what `apply` and `status` share.

use super::{Fleet, described, scope, threads};
use crate::failure::Failure;
use crate::flags::Parsed;
use crate::interrupts;
use bowsprit::fleet::{
    self, Arrival, Cargo, Delivery, Dock, Errand, Leftover, Plan, Shard, ShipOptions, Shipment,
    Target, Versions, ring_of, ship,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// What became of a delivery.
#[derive(Default)]
pub(super) struct Delivered {
    /// What failed, a text each.
    pub(super) failures: Vec<String>,
    /// What was not begun because something before it failed.
    pub(super) held: Vec<String>,
    /// Whether the program was interrupted.
    pub(super) interrupted: bool,
    /// Whether all of the fleet was looked at.
    pub(super) is_whole: bool,
    /// Context, namespace and name of all releases.
    pub(super) known: BTreeSet<(String, String, String)>,
}

/// Rings whose clusters are served together, in order.
pub(super) struct Stage {
    name: String,
    targets: Vec<Target>,
}

fn is_direct(fleet: &Fleet<'_>) -> bool {
    matches!(fleet.file.delivery, Delivery::Direct { .. })
}

/// Rings can be served by themselves where no object serves several.
fn check_rings(fleet: &Fleet<'_>, wanted: &[String]) -> Result<(), Failure> {
    let apart = match &fleet.file.delivery {
        Delivery::KubeStellar { spaces, .. } => spaces.len() >= fleet.file.rings.len(),
        _ => false,
    };
    if wanted.is_empty() || apart {
        return Ok(());
    }
    Err(Failure::Error(
        "--ring needs a space for each ring, or clusters that are served by themselves: here one object \
         serves clusters of all rings"
            .to_owned(),
    ))
}

/// Clusters can be chosen where each is served by itself.
///
/// # Errors
///
/// Fails where clusters are chosen that are served together with others.
pub(super) fn check_clusters(fleet: &Fleet<'_>, parsed: &Parsed) -> Result<(), Failure> {
    if is_direct(fleet) || !(parsed.given("cluster") || parsed.given("clusters")) {
        return Ok(());
    }
    Err(Failure::Error(
        "--cluster and --clusters need clusters that are served by themselves: here policies say which clusters \
         get what, and one for some of them would take it from the others. --release chooses releases"
            .to_owned(),
    ))
}

/// The stages of a delivery. Where clusters of several rings are served by the same object, as through
/// Karmada or one space, there is only one.
pub(super) fn rings(fleet: &Fleet<'_>, parsed: &Parsed) -> Result<Vec<Stage>, Failure> {
    let wanted = parsed.all("ring");
    for name in &wanted {
        fleet.file.ring(name).map_err(described)?;
    }
    let targets = fleet.targets()?;
    if !is_direct(fleet) {
        check_rings(fleet, &wanted)?;
        return Ok(vec![Stage { name: String::new(), targets }]);
    }
    let names: Vec<Option<&str>> = fleet.file.rings.iter().map(|r| Some(r.name.as_str())).collect();
    let names = names.into_iter().chain([None]);
    let stages = names.filter_map(|ring| {
        let is_wanted = wanted.is_empty() || ring.is_some_and(|r| wanted.iter().any(|w| w == r));
        let members = targets.iter().filter(|target| ring_of(&fleet.file, target) == ring);
        let targets: Vec<Target> = members.cloned().collect();
        let name = ring.unwrap_or_default().to_owned();
        (is_wanted && !targets.is_empty()).then_some(Stage { name, targets })
    });
    Ok(stages.collect())
}

/// Plans, renders and sends.
pub(super) fn deliver(
    fleet: &Fleet<'_>,
    parsed: &Parsed,
    options: &ShipOptions,
    stages: &[Stage],
    report: &(dyn Fn(&Shipment, &Result<Arrival, String>) + Sync),
) -> Result<Delivered, Failure> {
    let partial = ["release", "cluster", "clusters", "ring", "shard"];
    let failures = Mutex::new(Vec::new());
    let mut delivered = Delivered {
        is_whole: !partial.iter().any(|flag| parsed.given(flag)),
        ..Delivered::default()
    };
    let contexts = fleet.contexts()?;
    let hear = |shipment: &Shipment, outcome: &Result<Arrival, String>| {
        if let Err(error) = outcome {
            let text = format!("{}: {error}", super::apply::shown(shipment));
            failures.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
        report(shipment, outcome);
    };
    // Who only looks has nothing to hold back.
    let patient =
        !matches!(options.errand, Errand::Apply | Errand::DryRun) || parsed.is_on("keep-going");
    let hold = interrupts::hold();
    let sent = ship(contexts, options, &hear, |dock| {
        let mut load = Load {
            fleet,
            parsed,
            dock,
            delivered: &mut delivered,
            waiting: BTreeMap::new(),
            patient,
        };
        load.stages(stages)?;
        delivered.interrupted = dock.is_stopped();
        Ok::<(), Failure>(())
    });
    drop(hold);
    sent?;
    let arrived = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    delivered.failures.extend(arrived);
    Ok(delivered)
}

/// Loads what a stage sends.
struct Load<'l, 'f> {
    fleet: &'l Fleet<'f>,
    parsed: &'l Parsed,
    dock: &'l Dock<'l>,
    delivered: &'l mut Delivered,
    /// What is sent when all releases have been planned, by ring.
    waiting: BTreeMap<usize, Vec<Shipment>>,
    /// Whether later rings are served whatever happens to earlier ones.
    patient: bool,
}

impl Load<'_, '_> {
    fn stages(&mut self, stages: &[Stage]) -> Result<(), Failure> {
        let mut stopped_by: Option<String> = None;
        for stage in stages {
            if self.is_held(&stopped_by, &stage.name) {
                continue;
            }
            self.stage(stage)?;
            if stages.len() > 1 {
                self.settle(&mut stopped_by, &stage.name);
            }
        }
        for (ring, shipments) in std::mem::take(&mut self.waiting) {
            let name = self.fleet.file.rings.get(ring).map(|ring| ring.name.clone());
            let name = name.unwrap_or_default();
            if self.is_held(&stopped_by, &name) {
                continue;
            }
            for shipment in shipments {
                self.dock.load(shipment);
            }
            self.settle(&mut stopped_by, &name);
        }
        Ok(())
    }

    fn is_held(&mut self, stopped_by: &Option<String>, name: &str) -> bool {
        let Some(failed) = stopped_by else { return false };
        let name =
            if name.is_empty() { "clusters of no ring".to_owned() } else { format!("ring {name}") };
        self.delivered
            .held
            .push(format!("{name}: held back, because of what failed for ring {failed}"));
        true
    }

    /// Waits for a ring; if something failed, later ones have to wait.
    fn settle(&self, stopped_by: &mut Option<String>, name: &str) {
        let tally = self.dock.wait();
        let failed = tally.failed > 0 || !self.delivered.failures.is_empty();
        if failed && !self.patient {
            *stopped_by = Some(name.to_owned());
        }
    }

    fn stage(&mut self, stage: &Stage) -> Result<(), Failure> {
        let Load { fleet, parsed, .. } = *self;
        let mut scope = scope(parsed)?;
        if !is_direct(fleet) {
            // What goes through a control plane goes there for all its clusters, or the others lose it.
            scope.clusters = Default::default();
            scope.names.clear();
        }
        let plan =
            fleet::plan(&fleet.name(), &fleet.file, stage.targets.clone(), &fleet.disk, &scope);
        let mut plan = plan.map_err(described)?;
        if let Some(shard) = parsed.non_empty("shard") {
            let shard: Shard = shard.parse().map_err(Failure::Error)?;
            fleet::share(&fleet.file, &mut plan, shard);
        }
        let plan = &plan;
        let mut versions = Versions::new(&fleet.file, plan);
        let rendered = fleet::render(plan, &fleet.disk, threads(parsed), |outcome| {
            if self.dock.is_stopped() {
                return Err(Failure::Code(130));
            }
            for consigned in versions.take(outcome) {
                self.send(plan, consigned)?;
            }
            Ok::<(), Failure>(())
        });
        // Who interrupts waits for no renders; what was loaded is told of.
        if self.dock.is_stopped() {
            return Ok(());
        }
        rendered?;
        for consigned in versions.finish() {
            self.send(plan, consigned)?;
        }
        Ok(())
    }

    fn send(
        &mut self,
        plan: &Plan,
        consigned: Result<Vec<fleet::Consignment<'_>>, fleet::Error>,
    ) -> Result<(), Failure> {
        let consignments = match consigned {
            Ok(consignments) => consignments,
            Err(error) => {
                self.delivered.failures.push(format!("{error:#}"));
                return Ok(());
            }
        };
        let mut cargo: Option<(usize, String, Arc<Cargo>)> = None;
        for consignment in &consignments {
            let place = (
                consignment.context.clone(),
                consignment.namespace().to_owned(),
                consignment.name().to_owned(),
            );
            self.delivered.known.insert(place);
            if !self.is_wanted(consignment.ring) {
                continue;
            }
            let key = (consignment.group.number, consignment.name().to_owned());
            let shared = match &cargo {
                Some((number, name, cargo)) if (*number, name) == (key.0, &key.1) => {
                    Arc::clone(cargo)
                }
                _ => {
                    let made = Arc::new(Cargo::of(consignment).map_err(Failure::Error)?);
                    cargo = Some((key.0, key.1, Arc::clone(&made)));
                    made
                }
            };
            match Shipment::new(&self.fleet.file, plan, consignment, shared) {
                Ok(shipment) if is_direct(self.fleet) => {
                    self.dock.load(shipment);
                }
                Ok(shipment) => self.waiting.entry(consignment.ring).or_default().push(shipment),
                Err(error) => self.delivered.failures.push(error),
            }
        }
        Ok(())
    }

    /// Whether a consignment that serves a ring first is asked for.
    fn is_wanted(&self, ring: usize) -> bool {
        let wanted = self.parsed.all("ring");
        let name = self.fleet.file.rings.get(ring).map(|ring| ring.name.as_str());
        wanted.is_empty() || name.is_some_and(|name| wanted.iter().any(|w| w == name))
    }
}

/// The fleet's releases on its servers that are not in the fleet any more. Clusters themselves are only
/// asked if that is wanted, because there may be many.
pub(super) fn leftovers(
    fleet: &Fleet<'_>,
    delivered: &Delivered,
    everywhere: bool,
) -> Result<Vec<Leftover>, Failure> {
    let mut contexts: BTreeSet<String> =
        delivered.known.iter().map(|(context, ..)| context.clone()).collect();
    match &fleet.file.delivery {
        Delivery::KubeStellar { spaces, .. } => contexts.extend(spaces.iter().cloned()),
        Delivery::Direct { .. } if !everywhere => return Ok(Vec::new()),
        _ => {}
    }
    let mut found = Vec::new();
    for context in contexts {
        let there = fleet.contexts()?.releases(&context, &fleet.file.name);
        let there = there.map_err(Failure::Error)?.into_iter();
        found.extend(there.filter(|left| {
            let place = (left.context.clone(), left.namespace.clone(), left.name.clone());
            !delivered.known.contains(&place)
        }));
    }
    Ok(found)
}

/// Removes a release.
pub(super) fn remove(
    fleet: &Fleet<'_>,
    left: &Leftover,
    options: &ShipOptions,
) -> Result<(), Failure> {
    let _hold = interrupts::hold();
    fleet.contexts()?.uninstall(left, options).map_err(Failure::Error)
}
