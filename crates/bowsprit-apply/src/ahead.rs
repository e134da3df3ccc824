//! What the next revision will need of the server, read while it is being rendered.

use crate::client::Cluster;
use crate::discovery::Discovery;
use crate::object::{self, Object};
use crate::record::Record;
use crate::send::{Live, PARALLEL};
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinHandle;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The objects of the earlier revisions, in their order; none where a manifest can't be read.
    pub(crate) documents: Vec<Option<Vec<Json>>>,
    /// What the server has of them.
    pub(crate) live: Live,
}

/// A search that goes on in the background. The first who asks gets what it finds.
#[derive(Clone, Debug)]
pub(crate) struct Ahead(Arc<Mutex<Option<JoinHandle<Found>>>>);

impl Ahead {
    /// Begins to read the objects of earlier revisions.
    pub(crate) fn begin(cluster: &Cluster, discovery: Arc<Discovery>, earlier: &[Record]) -> Ahead {
        let texts: Vec<(String, String)> = earlier
            .iter()
            .map(|record| (record.manifest.clone(), record.namespace.clone()))
            .collect();
        let search = tokio::spawn(search(cluster.clone(), discovery, texts));
        Ahead(Arc::new(Mutex::new(Some(search))))
    }

    /// Waits for what was found; none where somebody has it already.
    pub(crate) async fn take(&self) -> Option<Found> {
        let search = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        search?.await.ok()
    }
}

async fn search(
    cluster: Cluster,
    discovery: Arc<Discovery>,
    texts: Vec<(String, String)>,
) -> Found {
    let read = tokio::task::spawn_blocking(move || {
        let mut paths = BTreeSet::new();
        let mut documents = Vec::new();
        for (manifest, namespace) in texts {
            let parsed = object::parse(&manifest).ok();
            let built =
                object::build(parsed.clone().unwrap_or_default(), &discovery, &namespace).objects;
            paths.extend(built.iter().filter(|o| !o.is_generated()).map(Object::path));
            documents.push(parsed);
        }
        (paths, documents)
    });
    let Ok((paths, documents)) = read.await else { return Found::default() };
    let each = stream::iter(paths).map(|path| {
        let cluster = &cluster;
        async move {
            // What fails here is asked again by those who need it.
            let live = cluster.get_path(path.clone()).await.ok();
            live.map(|live| (path, live))
        }
    });
    let live = each.buffer_unordered(PARALLEL).filter_map(std::future::ready).collect().await;
    Found { documents, live }
}
