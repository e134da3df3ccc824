//! The one thing that is read of a kubeconfig: the namespace of its context.

use bowsprit::value::{Map, Value};
use std::path::{Path, PathBuf};

/// The namespace of the current context, or that of the pod that this runs in.
///
/// `explicit` is the file that a flag names; without it `KUBECONFIG` lists files, of which the first
/// one that says something counts. Files that are missing or broken say nothing, as in Helm.
pub(crate) fn namespace(explicit: &str, context: &str) -> Option<String> {
    let files = if explicit.is_empty() {
        files()
    } else {
        // A file that was asked for must be there, else Helm looks no further.
        Path::new(explicit).metadata().ok()?;
        vec![PathBuf::from(explicit)]
    };
    let configs = files.iter().filter_map(|file| read(file).transpose());
    let configs: Vec<Map> = configs.collect::<Result<_, Broken>>().ok()?;
    let current = match context {
        "" => configs.iter().find_map(|config| text(config.get(b"current-context"))),
        context => Some(context.to_owned()),
    };
    let namespace = match current {
        // A context that is named must be there.
        Some(current) => {
            text(configs.iter().find_map(|c| find_context(c, &current))?.get(b"namespace"))
        }
        None => None,
    };
    namespace.or_else(pod_namespace)
}

fn files() -> Vec<PathBuf> {
    match std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
        Some(list) => std::env::split_paths(&list).filter(|p| !p.as_os_str().is_empty()).collect(),
        None => std::env::var_os("HOME")
            .map(|home| Path::new(&home).join(".kube/config"))
            .into_iter()
            .collect(),
    }
}

/// A file that is there but no kubeconfig.
struct Broken;

/// `None` stands for a file that is not there.
fn read(file: &Path) -> Result<Option<Map>, Broken> {
    let Ok(text) = std::fs::read(file) else {
        return if file.exists() { Err(Broken) } else { Ok(None) };
    };
    match bowsprit::yaml::decode(&text) {
        Ok(Value::Map(config)) if is_kubeconfig(&config) => Ok(Some(config)),
        Ok(Value::Nil) => Ok(None),
        _ => Err(Broken),
    }
}

/// Both fields may be left out.
fn is_kubeconfig(config: &Map) -> bool {
    let is = |field: &[u8], want: &str| text(config.get(field)).is_none_or(|text| text == want);
    is(b"apiVersion", "v1") && is(b"kind", "Config")
}

fn find_context(config: &Map, name: &str) -> Option<Map> {
    let contexts = config.get(b"contexts")?;
    let named = contexts
        .as_list()?
        .iter()
        .filter_map(Value::as_map)
        .find(|entry| text(entry.get(b"name")).as_deref() == Some(name))?;
    Some(named.get(b"context").and_then(|context| context.as_map().cloned()).unwrap_or_default())
}

fn text(value: Option<Value>) -> Option<String> {
    let text = value?.as_str()?.to_string_lossy().into_owned();
    Some(text).filter(|text| !text.is_empty())
}

fn pod_namespace() -> Option<String> {
    const DIR: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let in_pod = set("KUBERNETES_SERVICE_HOST")
        && set("KUBERNETES_SERVICE_PORT")
        && Path::new(DIR).join("token").is_file();
    if !in_pod {
        return None;
    }
    let given = std::env::var("POD_NAMESPACE").ok().filter(|namespace| !namespace.is_empty());
    given.or_else(|| {
        let text = std::fs::read_to_string(Path::new(DIR).join("namespace")).ok()?;
        Some(text.trim().to_owned()).filter(|namespace| !namespace.is_empty())
    })
}
