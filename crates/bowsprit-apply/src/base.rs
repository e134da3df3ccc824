//! What is known of a release before its next revision is made.

use crate::ahead::Ahead;
use crate::client::Cluster;
use crate::error::{Error, ErrorKind, Result};
use crate::lock;
use crate::record::{Record, Status};
use crate::store::{Store, Stored};

/// Where a release stands: what the next revision starts from.
#[derive(Clone, Debug)]
pub struct Base {
    pub(crate) name: String,
    pub(crate) store: Option<Store>,
    pub(crate) history: Vec<Stored>,
    /// The newest revision, if its process died on it.
    pub(crate) abandoned: Option<Stored>,
    newest: Option<Record>,
    current: Option<Record>,
    /// The manifests whose objects may be on the server.
    pub(crate) earlier: Vec<Record>,
    pub(crate) ahead: Option<Ahead>,
}

impl Base {
    /// A release that leaves no record, and of which none is known.
    pub fn unrecorded(name: impl Into<String>) -> Base {
        Base {
            name: name.into(),
            store: None,
            history: Vec::new(),
            abandoned: None,
            newest: None,
            current: None,
            earlier: Vec::new(),
            ahead: None,
        }
    }

    /// Reads where a release stands.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::Busy`] where another process works on it. With `take_over` it is taken for
    /// dead.
    pub async fn read(
        cluster: &Cluster,
        store: &Store,
        name: &str,
        take_over: bool,
    ) -> Result<Base> {
        let history = store.history(name).await?;
        let mut base = Base::unrecorded(name);
        base.store = Some(store.clone());
        let Some(last) = history.last() else { return Ok(base) };
        let newest = last.record()?;
        if newest.info.status.is_pending() {
            base.abandoned = Some(lock::wait_for_owner(cluster, store, last, take_over).await?);
        } else if newest.info.status == Status::Uninstalling && last.mark.is_some() {
            lock::wait_for_owner(cluster, store, last, take_over).await?;
        }
        base.current = current(&history, &newest, base.abandoned.is_some())?;
        let from = base.current.as_ref().map_or(newest.revision, |current| current.revision);
        for stored in history.iter().filter(|stored| stored.revision >= from) {
            // Large charts make large records, which take long to read.
            let record = match (&base.current, stored.revision) {
                (_, revision) if revision == newest.revision => newest.clone(),
                (Some(current), revision) if revision == current.revision => current.clone(),
                _ => stored.record()?,
            };
            if record.info.status != Status::Uninstalled {
                base.earlier.push(record);
            }
        }
        base.newest = Some(newest);
        base.history = history;
        Ok(base)
    }

    /// Begins to read what the server has of the release, which takes a while, in the background. Who renders
    /// the next revision before a plan is made can do so meanwhile.
    ///
    /// # Errors
    ///
    /// Fails where the server does not tell what it serves.
    pub async fn look_ahead(&mut self, cluster: &Cluster) -> Result<()> {
        if !self.earlier.is_empty() {
            let discovery = cluster.discovery().await?;
            self.ahead = Some(Ahead::begin(cluster, discovery, &self.earlier));
        }
        Ok(())
    }

    /// The release's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of the next revision.
    pub fn next_revision(&self) -> i64 {
        self.newest.as_ref().map_or(1, |newest| newest.revision + 1)
    }

    /// The newest revision, in whatever state.
    pub fn newest(&self) -> Option<&Record> {
        self.newest.as_ref()
    }

    /// The revision that an upgrade starts from: the deployed one, else the last that failed. None where
    /// there is nothing to upgrade.
    pub fn current(&self) -> Option<&Record> {
        self.current.as_ref()
    }

    /// Whether the name is free for an installation: there is no release of it, or only the history of
    /// one that is gone, or the remains of an installation whose process died.
    pub fn is_free(&self, replace: bool) -> bool {
        match &self.newest {
            None => true,
            Some(newest) => match newest.info.status {
                Status::PendingInstall => self.abandoned.is_some(),
                Status::Uninstalled | Status::Failed => replace,
                _ => false,
            },
        }
    }
}

/// What Helm's upgrade starts from.
fn current(history: &[Stored], newest: &Record, abandoned: bool) -> Result<Option<Record>> {
    if newest.info.status == Status::Deployed {
        return Ok(Some(newest.clone()));
    }
    if matches!(newest.info.status, Status::Uninstalled | Status::Uninstalling) {
        return Ok(None);
    }
    if let Some(deployed) = history.iter().rev().find(|s| s.status == Status::Deployed) {
        return deployed.record().map(Some);
    }
    match newest.info.status {
        Status::Failed | Status::Superseded => Ok(Some(newest.clone())),
        _ if abandoned => Ok(Some(newest.clone())),
        _ => Ok(None),
    }
}

/// The error of an upgrade of what is not there.
pub fn no_deployed_releases(name: &str) -> Error {
    Error::new(ErrorKind::ReleaseNotFound, format!("{name:?} has no deployed releases"))
}
