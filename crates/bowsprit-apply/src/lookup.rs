//! `lookup` against a cluster.

use crate::client::{Call, Cluster};
use crate::error::ErrorKind;
use crate::runtime::Runtime;
use bowsprit_value::{Host, HostError, IntKind, Map, Str, Timestamp, Value};
use serde_json::Value as Json;
use tokio::runtime::Handle;

/// A host that asks a cluster for objects, and another host for all else.
///
/// Its `lookup` blocks: don't render with it on a thread that runs asynchronous code.
pub struct ClusterHost {
    host: Box<dyn Host>,
    cluster: Cluster,
    handle: Handle,
}

impl std::fmt::Debug for ClusterHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterHost").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl ClusterHost {
    /// A host over another one. The runtime must outlive it.
    pub fn new(host: Box<dyn Host>, cluster: &Cluster, runtime: &Runtime) -> ClusterHost {
        ClusterHost { host, cluster: cluster.clone(), handle: runtime.handle() }
    }

    async fn find(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, HostError> {
        let told = |e: crate::Error| HostError(e.to_string());
        let discovery = self.cluster.discovery().await.map_err(told)?;
        let Some(resource) = discovery.find(api_version, kind) else {
            // Helm tells versions that are not served from kinds that are not.
            if discovery.serves(api_version) {
                return Ok(Value::Map(Map::new()));
            }
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            return Err(HostError(format!(
                "unable to get apiresource from unstructured: {group}/{version}, Kind={kind}: the server \
                 could not find the requested resource"
            )));
        };
        let call = Call::get(resource.path(namespace, name));
        match self.cluster.call_json(&call).await {
            Ok(found) => Ok(to_value(&found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Value::Map(Map::new())),
            Err(error) => Err(told(error)),
        }
    }
}

impl Host for ClusterHost {
    fn now(&self) -> Timestamp {
        self.host.now()
    }

    fn fill_random(&self, buf: &mut [u8]) {
        self.host.fill_random(buf);
    }

    fn time_zone(&self) -> String {
        self.host.time_zone()
    }

    fn resolve_dns(&self, name: &str) -> String {
        self.host.resolve_dns(name)
    }

    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, HostError> {
        self.handle.block_on(self.find(api_version, kind, namespace, name))
    }
}

/// An object as Go's client decodes it: whole numbers are `int64`.
pub(crate) fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(IntKind::Int64, whole),
            None => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(to_value).collect()),
        Json::Object(fields) => Value::Map(Map::from_entries(
            fields.iter().map(|(key, value)| (Str::from(key.as_str()), to_value(value))),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_int64() {
        let value = to_value(&serde_json::json!({"a": 1, "b": 1.5, "c": [null, "x"]}));
        let map = value.as_map().unwrap().clone();
        assert!(matches!(map.get(b"a"), Some(Value::Int(IntKind::Int64, 1))));
        assert!(matches!(map.get(b"b"), Some(Value::Float(_))));
    }
}
