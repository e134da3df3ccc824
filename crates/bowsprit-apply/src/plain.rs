//! Objects that belong to no release: written and read without a record.

use crate::client::{Call, Cluster};
use crate::error::{Error, ErrorKind, Result};
use crate::lookup::to_value;
use crate::object::{self, Object};
use bowsprit_value::Value;
use futures_util::StreamExt as _;
use futures_util::stream;
use http::Method;

/// Requests in flight.
const PARALLEL: usize = 12;

fn build(cluster_text: &str, discovery: &crate::Discovery, namespace: &str) -> Result<Vec<Object>> {
    let built = object::build(object::parse(cluster_text)?, discovery, namespace);
    match built.errors.first() {
        Some(error) => Err(Error::new(ErrorKind::Build, error.as_str())),
        None => Ok(built.objects),
    }
}

/// Applies objects one after the other, server-side, under a field manager of their own. Several managers
/// may own fields of the same object; what a manager left out since its last time goes.
///
/// Gives how many objects there were.
///
/// # Errors
///
/// Fails at the first object that is none, whose kind is not served, or that the server refuses.
pub async fn apply_objects(
    cluster: &Cluster,
    text: &str,
    namespace: &str,
    manager: &str,
) -> Result<usize> {
    let discovery = cluster.discovery().await?;
    let objects = build(text, &discovery, namespace)?;
    for object in &objects {
        cluster.check()?;
        let call = Call::new(Method::PATCH, object.path())
            .query("fieldManager", manager)
            .query("fieldValidation", "Strict")
            .query("force", "true")
            .content("application/apply-patch+yaml")
            .json(&object.json);
        cluster.call(&call).await.map_err(|e| e.context(object.helm_string()))?;
    }
    Ok(objects.len())
}

/// The objects of a text as the server has them, in the text's order; none for those that are not there.
///
/// # Errors
///
/// Fails where the text holds no objects, and where the server refuses.
pub async fn live_objects(
    cluster: &Cluster,
    text: &str,
    namespace: &str,
) -> Result<Vec<Option<Value>>> {
    let discovery = cluster.discovery().await?;
    let objects = build(text, &discovery, namespace)?;
    let found: Vec<Result<Option<Value>>> = stream::iter(objects.iter())
        .map(|object| async move {
            let live = cluster.get_object(object).await?;
            Ok(live.as_ref().map(to_value))
        })
        .buffered(PARALLEL)
        .collect()
        .await;
    found.into_iter().collect()
}
