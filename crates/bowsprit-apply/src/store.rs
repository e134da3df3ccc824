//! Where release records are kept: Secrets or ConfigMaps beside the release, as Helm keeps them.

use crate::client::{Call, Cluster};
use crate::definitions::Seen;
use crate::error::{Error, ErrorKind, Result};
use crate::lock::{self, Mark};
use crate::record::{Record, Status};
use crate::send::ONLY_METADATA;
use crate::time::Time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// What one Secret or ConfigMap holds at most.
pub(crate) const MAX_RECORD: usize = 1 << 20;

/// The annotation with what is remembered of definitions.
const SEEN: &str = "bowsprit.dev/definitions";

/// Labels that Helm keeps for itself.
const SYSTEM: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];

/// What kind of object holds a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Driver {
    /// Secrets, Helm's default.
    #[default]
    Secret,
    /// ConfigMaps.
    ConfigMap,
}

impl Driver {
    const fn plural(self) -> &'static str {
        match self {
            Driver::Secret => "secrets",
            Driver::ConfigMap => "configmaps",
        }
    }
}

/// The records of a namespace, or of all namespaces where its name is empty.
#[derive(Clone, Debug)]
pub struct Store {
    cluster: Cluster,
    namespace: String,
    driver: Driver,
}

/// A record as it lies on the server, not decoded yet.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The release's name.
    pub name: String,
    /// The namespace that the record lies in.
    pub namespace: String,
    /// The revision.
    pub revision: i64,
    /// The state, as the object's label says it.
    pub status: Status,
    pub(crate) resource_version: String,
    pub(crate) mark: Option<Mark>,
    seen: Seen,
    labels: BTreeMap<String, String>,
    text: Vec<u8>,
}

impl Stored {
    /// Decodes the record.
    ///
    /// # Errors
    ///
    /// Fails where the object holds none.
    pub fn record(&self) -> Result<Record> {
        let key = key(&self.name, self.revision);
        let mut record = Record::decode(&self.text)
            .map_err(|e| e.context(format!("get: failed to decode data {key:?}")))?;
        record.seen = self.seen.clone();
        record.labels = self.labels.clone();
        record.labels.retain(|name, _| !SYSTEM.contains(&name.as_str()));
        Ok(record)
    }

    /// All labels of the object, Helm's own included.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    fn read(object: &Json, driver: Driver) -> Option<Stored> {
        let metadata = &object["metadata"];
        let labels: BTreeMap<String, String> = metadata["labels"]
            .as_object()?
            .iter()
            .map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned()))
            .collect();
        let text = object["data"]["release"].as_str()?;
        let text = match driver {
            Driver::Secret => BASE64.decode(text).ok()?,
            Driver::ConfigMap => text.as_bytes().to_vec(),
        };
        let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
        Some(Stored {
            name: label("name"),
            namespace: metadata["namespace"].as_str().unwrap_or_default().to_owned(),
            revision: label("version").parse().ok()?,
            status: Status::parse(&label("status")),
            resource_version: metadata["resourceVersion"].as_str().unwrap_or_default().to_owned(),
            mark: Mark::read(&metadata["annotations"]),
            seen: seen(&metadata["annotations"]),
            labels,
            text,
        })
    }
}

/// What the last operation remembers of definitions.
fn seen(annotations: &Json) -> Seen {
    let text = annotations[SEEN].as_str().unwrap_or_default();
    let seen: Json = serde_json::from_str(text).unwrap_or_default();
    let entries = seen.as_object().into_iter().flatten();
    entries.filter_map(|(name, digest)| Some((name.clone(), digest.as_str()?.to_owned()))).collect()
}

/// The name of the object that holds a revision.
fn key(name: &str, revision: i64) -> String {
    format!("sh.helm.release.v1.{name}.v{revision}")
}

/// An error for a release that is not there.
pub(crate) fn not_found() -> Error {
    Error::new(ErrorKind::ReleaseNotFound, "release: not found")
}

impl Store {
    /// The records in a namespace.
    pub fn new(cluster: &Cluster, namespace: impl Into<String>, driver: Driver) -> Store {
        Store { cluster: cluster.clone(), namespace: namespace.into(), driver }
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn driver(&self) -> Driver {
        self.driver
    }

    fn path(&self, name: &str) -> String {
        let plural = self.driver.plural();
        let mut path = match self.namespace.as_str() {
            "" => format!("/api/v1/{plural}"),
            namespace => format!("/api/v1/namespaces/{namespace}/{plural}"),
        };
        if !name.is_empty() {
            path.push('/');
            path.push_str(name);
        }
        path
    }

    async fn query(&self, selector: String, verb: &str) -> Result<Vec<Stored>> {
        let mut found = Vec::new();
        let mut more = String::new();
        loop {
            let mut call = Call::get(self.path(""))
                .query("labelSelector", selector.as_str())
                .query("limit", "250");
            if !more.is_empty() {
                call = call.query("continue", more.as_str());
            }
            let list = self.cluster.call_json(&call).await.map_err(|e| e.context(verb))?;
            let items = list["items"].as_array().into_iter().flatten();
            found.extend(items.filter_map(|item| Stored::read(item, self.driver)));
            more = list["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
            if more.is_empty() {
                return Ok(found);
            }
        }
    }

    /// All records, with the labels that a selector wants beside Helm's own.
    ///
    /// # Errors
    ///
    /// Fails where the server refuses.
    pub async fn all(&self, selector: &str) -> Result<Vec<Stored>> {
        let selector = match selector {
            "" => "owner=helm".to_owned(),
            more => format!("owner=helm,{more}"),
        };
        self.query(selector, "list: failed to list").await
    }

    /// The revisions of a release, the oldest first; none where there is no such release.
    ///
    /// # Errors
    ///
    /// Fails where the server refuses.
    pub async fn history(&self, name: &str) -> Result<Vec<Stored>> {
        let selector = format!("name={name},owner=helm");
        let mut found = self.query(selector, "query: failed to query with labels").await?;
        found.retain(|stored| stored.name == name);
        found.sort_by_key(|stored| stored.revision);
        Ok(found)
    }

    /// One revision, or the newest where the number is 0.
    ///
    /// # Errors
    ///
    /// Fails where there is none.
    pub async fn get(&self, name: &str, revision: i64) -> Result<Stored> {
        if revision == 0 {
            return self.history(name).await?.pop().ok_or_else(not_found);
        }
        let object = self.cluster.call_json(&Call::get(self.path(&key(name, revision)))).await;
        match object {
            Ok(object) => Stored::read(&object, self.driver).ok_or_else(not_found),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(not_found()),
            Err(error) => {
                Err(error.context(format!("get: failed to get {:?}", key(name, revision))))
            }
        }
    }

    /// The record as it would be stored.
    ///
    /// # Errors
    ///
    /// Fails where it is too large for that.
    pub(crate) fn check_size(record: &Record) -> Result<()> {
        let size = record.encode_packed()?.len();
        if size <= MAX_RECORD {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::TooLarge,
            format!(
                "the record of release {} takes {size} bytes, and a Secret holds {MAX_RECORD}: nothing \
                 was written. --slim-record leaves the chart's templates and files out of it (rollback, \
                 upgrade and uninstall need them not); --release-store none keeps no record",
                record.name
            ),
        ))
    }

    fn object(&self, record: &Record, stamp: &str, mark: Option<&Mark>) -> Result<Json> {
        let text = record.encode_packed()?;
        let mut labels: BTreeMap<String, String> = record.labels.clone();
        labels.insert(stamp.to_owned(), Time::now().unix().to_string());
        labels.insert("name".to_owned(), record.name.clone());
        labels.insert("owner".to_owned(), "helm".to_owned());
        labels.insert("status".to_owned(), record.info.status.name().to_owned());
        labels.insert("version".to_owned(), record.revision.to_string());
        let name = key(&record.name, record.revision);
        let mut object = json!({
            "apiVersion": "v1",
            "metadata": {"name": name, "namespace": self.namespace, "labels": labels},
        });
        match self.driver {
            Driver::Secret => {
                object["kind"] = "Secret".into();
                object["type"] = "helm.sh/release.v1".into();
                object["data"] = json!({"release": BASE64.encode(text)});
            }
            Driver::ConfigMap => {
                object["kind"] = "ConfigMap".into();
                object["data"] = json!({"release": text});
            }
        }
        if let Some(mark) = mark {
            object["metadata"]["annotations"] = mark.annotations();
        }
        if !record.seen.is_empty() {
            object["metadata"]["annotations"][SEEN] = json!(record.seen).to_string().into();
        }
        Ok(object)
    }

    /// Stores a new revision and gives the version that the server has it in.
    ///
    /// # Errors
    ///
    /// Fails where the revision exists: somebody else was faster.
    pub(crate) async fn create(&self, record: &Record, mark: &Mark) -> Result<String> {
        let object = self.object(record, "createdAt", Some(mark))?;
        let call = Call::new(Method::POST, self.path(""))
            .query("fieldManager", "Helm")
            .accept(ONLY_METADATA)
            .json(&object);
        match self.cluster.call_json(&call).await {
            Ok(created) => Ok(resource_version(&created)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // The answer to an earlier try may have been lost.
                let there = self.get(&record.name, record.revision).await?;
                match there.mark {
                    Some(there_mark) if there_mark.id == mark.id => Ok(there.resource_version),
                    _ => Err(lock::busy(&record.name, "another process was faster")),
                }
            }
            Err(error) => Err(error.context("create: failed to create")),
        }
    }

    /// Stores a revision again, if it is still in the given version.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::Lost`] where somebody else has written it.
    pub(crate) async fn update(
        &self,
        record: &Record,
        version: &str,
        mark: Option<&Mark>,
    ) -> Result<String> {
        let mut object = self.object(record, "modifiedAt", mark)?;
        if !version.is_empty() {
            object["metadata"]["resourceVersion"] = version.into();
        }
        let name = key(&record.name, record.revision);
        let call = Call::new(Method::PUT, self.path(&name))
            .query("fieldManager", "Helm")
            .accept(ONLY_METADATA)
            .json(&object);
        match self.cluster.call_json(&call).await {
            Ok(updated) => Ok(resource_version(&updated)),
            Err(error) if error.kind() == ErrorKind::Conflict => {
                let there = self.get(&record.name, record.revision).await?;
                // An earlier try, whose answer was lost.
                let text = BASE64.decode(object["data"]["release"].as_str().unwrap_or_default());
                if there.status == record.info.status && text.is_ok_and(|t| t == there.text) {
                    return Ok(there.resource_version);
                }
                Err(lost(&record.name))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(lost(&record.name)),
            Err(error) => Err(error.context("update: failed to update")),
        }
    }

    /// Writes only the mark, on a revision that is still in the given version.
    pub(crate) async fn set_mark(
        &self,
        name: &str,
        revision: i64,
        version: &str,
        mark: &Mark,
    ) -> Result<String> {
        let patch = json!({
            "metadata": {"resourceVersion": version, "annotations": mark.annotations()},
        });
        let call = Call::new(Method::PATCH, self.path(&key(name, revision)))
            .query("fieldManager", "Helm")
            .accept(ONLY_METADATA)
            .content("application/merge-patch+json")
            .json(&patch);
        match self.cluster.call_json(&call).await {
            Ok(updated) => Ok(resource_version(&updated)),
            Err(error) if error.kind() == ErrorKind::Conflict => {
                let there = self.get(name, revision).await?;
                match there.mark {
                    Some(there_mark) if there_mark == *mark => Ok(there.resource_version),
                    _ => Err(lost(name)),
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(lost(name)),
            Err(error) => Err(error),
        }
    }

    /// Removes a revision; one that is gone already is no error.
    ///
    /// # Errors
    ///
    /// Fails where the server refuses.
    pub(crate) async fn delete(&self, name: &str, revision: i64) -> Result<()> {
        let call = Call::new(Method::DELETE, self.path(&key(name, revision)));
        match self.cluster.call(&call).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn resource_version(object: &Json) -> String {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned()
}

fn lost(name: &str) -> Error {
    Error::new(
        ErrorKind::Lost,
        format!("another process has taken over release {name}; this one stopped"),
    )
}
