//! `.Template`, and who looks at it.
//!
//! It alone is another for each template of a chart. What a helper gives is the same in all of them if it did
//! not look at that, so each is made when somebody looks.

use super::values;
use crate::compat::Package;
use bowsprit_value::{Map, Str, Value};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Whose `.Template` was looked at.
#[derive(Default)]
pub(super) struct Looks(Arc<Seen>);

#[derive(Default)]
struct Seen {
    any: AtomicBool,
    instances: Mutex<Vec<usize>>,
    /// One was written to: what is in it can't be made again.
    always: AtomicBool,
}

impl Looks {
    pub(super) fn any(&self) -> &AtomicBool {
        &self.0.any
    }

    /// Those since the last call.
    pub(super) fn take(&self) -> Vec<usize> {
        if !self.0.any.load(Ordering::Relaxed) {
            return Vec::new();
        }
        self.0.any.store(self.0.always.load(Ordering::Relaxed), Ordering::Relaxed);
        std::mem::take(&mut self.0.instances.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The last `.Template` of an instance.
pub(super) struct Template {
    instance: usize,
    name: Str,
    base_path: Str,
    package: Package,
    map: Map,
}

impl Template {
    /// The template, and the map as templates see it.
    pub(super) fn new(
        instance: usize,
        (name, base_path): (Str, Str),
        package: Package,
        looks: &Looks,
    ) -> (Template, Map) {
        let map = made(instance, (name.clone(), base_path.clone()), package, looks);
        (Template { instance, name, base_path, package, map: map.clone() }, map)
    }

    /// A map of the same content at which nobody has looked; the one that is there if it was written to.
    pub(super) fn again(&mut self, looks: &Looks) -> Map {
        if self.map.is_written() {
            looks.0.always.store(true, Ordering::Relaxed);
            looks.0.any.store(true, Ordering::Relaxed);
        } else {
            let names = (self.name.clone(), self.base_path.clone());
            self.map = made(self.instance, names, self.package, looks);
        }
        self.map.clone()
    }
}

/// The map of a template, which is filled when somebody looks at it.
fn made(instance: usize, (name, base_path): (Str, Str), package: Package, looks: &Looks) -> Map {
    let seen = Arc::clone(&looks.0);
    Map::lazy(values::map_type(package), move || {
        seen.instances.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
        seen.any.store(true, Ordering::Relaxed);
        [
            (Str::from_static("BasePath"), Value::Str(base_path.clone())),
            (Str::from_static("Name"), Value::Str(name.clone())),
        ]
    })
}
