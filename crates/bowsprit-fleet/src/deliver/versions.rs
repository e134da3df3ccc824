//! From renders, one after the other, to what is sent.

use super::{Consignment, Version, consign};
use crate::error::Error;
use crate::file::{Delivery, FleetFile};
use crate::plan::{Plan, ReleasePlan, Shard};
use crate::render::Outcome;
use std::sync::Arc;

/// What the versions of one release may hold together, in bytes.
const MOST: usize = 256 << 20;

/// Collects the versions of each release and says how they are delivered. Deliveries to clusters
/// themselves need no other version to be known, so nothing is kept for them.
#[derive(Debug)]
pub struct Versions<'p> {
    file: &'p FleetFile,
    plan: &'p Plan,
    release: Option<&'p ReleasePlan>,
    versions: Vec<(String, Version<'p>)>,
    bytes: usize,
    error: Option<Error>,
}

/// How a release is delivered, or why it is not.
pub type Consigned<'p> = Result<Vec<Consignment<'p>>, Error>;

impl<'p> Versions<'p> {
    /// For the renders of a plan.
    pub fn new(file: &'p FleetFile, plan: &'p Plan) -> Versions<'p> {
        Versions { file, plan, release: None, versions: Vec::new(), bytes: 0, error: None }
    }

    /// Takes the next render; gives what can be sent by now.
    pub fn take(&mut self, outcome: Outcome<'p>) -> Vec<Consigned<'p>> {
        let mut ready = Vec::new();
        if self.release.is_some_and(|release| !std::ptr::eq(release, outcome.release)) {
            ready.extend(self.finish());
        }
        self.release = Some(outcome.release);
        let output = match outcome.result {
            Ok(output) => output,
            Err(error) => {
                self.error.get_or_insert(error);
                return ready;
            }
        };
        let targets = outcome.group.targets.clone();
        let same = |(digest, version): &&mut (String, Version<'p>)| {
            *digest == output.digest && version.group.name == outcome.group.name
        };
        if let Some((_, version)) = self.versions.iter_mut().find(same) {
            version.targets.extend(targets);
            return ready;
        }
        let rendered = Arc::new(output.rendered);
        let version = Version { group: outcome.group, rendered, targets };
        if matches!(self.file.delivery, Delivery::Direct { .. }) {
            ready.push(consign(self.file, self.plan, outcome.release, &[version]));
            return ready;
        }
        self.bytes += version.rendered.text.len();
        if self.bytes > MOST {
            let who = format!("release {}", outcome.release.spec.name);
            let error = Error::new(&who, "its versions take more than 256 MiB together");
            let error = error.hint(
                "clusters that differ so much are better served by themselves: delivery.clusters",
            );
            self.error.get_or_insert(error);
            self.versions.clear();
            return ready;
        }
        self.versions.push((output.digest, version));
        ready
    }

    /// Gives what is left when all renders were taken.
    pub fn finish(&mut self) -> Vec<Consigned<'p>> {
        let versions: Vec<Version<'p>> =
            std::mem::take(&mut self.versions).into_iter().map(|(_, version)| version).collect();
        self.bytes = 0;
        let error = self.error.take();
        match (self.release.take(), error) {
            (_, Some(error)) => vec![Err(error)],
            (Some(release), None) if !versions.is_empty() => {
                vec![consign(self.file, self.plan, release, &versions)]
            }
            _ => Vec::new(),
        }
    }
}

/// Leaves of a plan what one of several processes delivers: a share of each release's clusters where
/// these are served by themselves, else a share of the releases.
pub fn share(file: &FleetFile, plan: &mut Plan, shard: Shard) {
    let place = |name: &str| file.releases.iter().position(|r| r.name == name).unwrap_or(0);
    if !matches!(file.delivery, Delivery::Direct { .. }) {
        plan.releases.retain(|r| place(&r.spec.name) % shard.count == shard.index);
        return;
    }
    let Plan { targets, releases } = plan;
    for release in releases.iter_mut() {
        let name = release.spec.name.as_str();
        for group in &mut release.groups {
            let cluster = |at: &usize| targets.get(*at).map_or("", |target| &target.name);
            group.targets.retain(|at| hash(name, cluster(at)) % shard.count == shard.index);
        }
        release.groups.retain(|group| !group.targets.is_empty());
    }
    plan.releases.retain(|release| !release.groups.is_empty());
}

/// FNV-1a. What a process does must not depend on which other clusters there are.
fn hash(release: &str, cluster: &str) -> usize {
    let bytes = release.bytes().chain([0]).chain(cluster.bytes());
    let hash = bytes
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    usize::try_from(hash).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_a_size() {
        let mut counts = [0; 4];
        for cluster in 0..1000 {
            counts[hash("web", &format!("edge-{cluster}")) % 4] += 1;
        }
        assert!(counts.iter().all(|count| (200..=300).contains(count)), "{counts:?}");
    }
}
