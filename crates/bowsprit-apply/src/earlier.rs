//! What earlier revisions left, and what of it need not be touched.

use crate::definitions::DefinitionFile;
use crate::hooks::{self, Hooks};
use crate::method::Method;
use crate::object::{self, Key, Object};
use crate::ownership;
use crate::plan::Plan;
use crate::record::Status;
use crate::send::{is_applied, owned_by_client};
use crate::threeway::is_part;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

impl Plan {
    /// The objects of the revisions before, some of which may have been read already.
    pub(crate) fn earlier_objects(&mut self, read: Vec<Option<Vec<Json>>>) -> Vec<Object> {
        let mut found: BTreeMap<Key, Object> = BTreeMap::new();
        let mut read = read.into_iter();
        for record in &self.base.earlier {
            let documents = match read.next() {
                Some(documents) => documents,
                None => object::parse(&record.manifest).ok(),
            };
            let Some(documents) = documents else { continue };
            let built = object::build(documents, &self.discovery, &record.namespace);
            for error in built.errors {
                self.warnings.push(format!(
                    "revision {} has an object that this server no longer knows, so it can't be \
                     removed: {error}",
                    record.revision
                ));
            }
            found.extend(built.objects.into_iter().map(|object| (object.key(), object)));
        }
        if self.goes_on() {
            let (name, namespace) = (&self.record.name, &self.record.namespace);
            let said = found.iter().map(|(key, object)| {
                let mut object = object.clone();
                ownership::claim(&mut object, name, namespace);
                (key.clone(), object.json)
            });
            self.last = said.collect();
        }
        // Hooks that were delivered as ordinary objects belong to the release too.
        if self.hooks == Hooks::Deliver {
            let wanted: BTreeSet<Key> = hooks::delivered(&self.record, &self.discovery)
                .into_iter()
                .map(|o| o.key())
                .collect();
            for record in &self.base.earlier {
                let hooks = hooks::delivered(record, &self.discovery).into_iter();
                found.extend(
                    hooks
                        .filter(|o| !wanted.contains(&o.key()))
                        .map(|object| (object.key(), object)),
                );
            }
        }
        found.into_values().collect()
    }

    /// Whether the last revision is there as it was meant, in the way in which this one is written.
    fn goes_on(&self) -> bool {
        let [last] = self.base.earlier.as_slice() else { return false };
        last.info.status == Status::Deployed
            && Method::of(last) == Method::ServerSide
            && self.method == Method::ServerSide
    }

    /// The objects of which this revision says what the last one said, and which still have all of it on the
    /// server, as it has them. Applying them again would change nothing, so it need not be tried.
    pub(crate) fn settled(&self) -> BTreeMap<Key, Json> {
        let settled = self.objects.iter().filter_map(|object| {
            let key = object.key();
            let live = self.live.get(&key)?;
            let is_settled = self.last.get(&key) == Some(&object.json)
                && is_applied(live)
                && !owned_by_client(live)
                && is_part(&object.json, live);
            is_settled.then(|| (key, live.clone()))
        });
        settled.collect()
    }

    /// Goes on remembering what other operations have seen, but of these definitions.
    pub(crate) fn remember(&mut self, files: &[DefinitionFile]) {
        let Some(newest) = self.base.newest() else { return };
        self.record.seen.clone_from(&newest.seen);
        for name in files.iter().flat_map(DefinitionFile::names) {
            self.record.seen.remove(name);
        }
    }
}
