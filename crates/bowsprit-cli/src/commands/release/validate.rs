//! `template --dry-run=server`: a render with the eyes of a cluster, whose objects the cluster checks.

use super::Session;
use crate::commands::Invocation;
use crate::failure::Failure;
use crate::release;
use crate::render::Job;
use bowsprit::Release;
use bowsprit::apply::{
    Action, Base, ClusterHost, Crds, Hooks, Listener, Options, Plan, Request, Space,
};
use bowsprit::deploy::{self, RecordOptions};
use bowsprit::value::Value;
use std::collections::BTreeMap;

/// A connection, after which a job renders with the cluster's capabilities and objects.
pub(in crate::commands) fn connect(
    invocation: &Invocation<'_>,
    job: &mut Job,
) -> Result<Session, Failure> {
    let session = Session::open(invocation)?;
    let discovery = session
        .runtime
        .run(session.cluster.discovery())
        .map_err(|error| Failure::Error(format!("cluster reachability check failed: {error}")))?;
    let capabilities = deploy::capabilities(&discovery, job.chart.chart()).map_err(Failure::of)?;
    job.request.capabilities = release::over_capabilities(invocation.parsed, capabilities)?;
    let host = std::mem::replace(&mut job.host, release::host(invocation.parsed));
    job.host = Box::new(ClusterHost::new(host, &session.cluster, &session.runtime));
    Ok(session)
}

/// Has the cluster look at a release's objects: kinds, ownership, and all that it would refuse.
pub(in crate::commands) fn check(
    session: &Session,
    job: &Job,
    release: &Release,
) -> Result<(), Failure> {
    let base = Base::unrecorded(job.request.release.name.as_str());
    let options = RecordOptions::default();
    let record = deploy::record(release, &job.request, Value::Nil, &base, &options);
    let mut request = Request::new(Action::Install, record);
    request.crds = deploy::definitions(job.chart.chart());
    let mut options = Options::default();
    options.namespace_labels = Some(BTreeMap::new());
    options.hooks = Some(Hooks::Skip);
    options.space = Space::Cluster;
    options.crds = Crds::Create;
    options.take_ownership = job.request.release.is_upgrade;
    let listener = Listener::default();
    session.run(Plan::make(&session.cluster, base, request, options, &listener)).map(drop)
}
