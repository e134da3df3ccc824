//! What is said when a kubeconfig does not lead to a cluster.

use kube::config::{InferConfigError, Kubeconfig, KubeconfigError};
use std::error::Error;
use std::io::ErrorKind;

/// An error of reading a kubeconfig, in the words that users of Helm know.
pub(crate) fn explain(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::ReadConfig(cause, path) => {
            let path = path.display();
            match cause.kind() {
                ErrorKind::NotFound => format!("stat {path}: no such file or directory"),
                ErrorKind::PermissionDenied => format!("open {path}: permission denied"),
                _ => format!("read {path}: {cause}"),
            }
        }
        KubeconfigError::LoadContext(name) => format!("context {name:?} does not exist"),
        KubeconfigError::LoadClusterOfContext(name) => {
            format!("the context's cluster {name:?} does not exist in the kubeconfig")
        }
        KubeconfigError::CurrentContextNotSet => {
            "the kubeconfig has no current-context, and no context was named".to_owned()
        }
        KubeconfigError::Parse(cause) => format!("the kubeconfig is no YAML: {cause}"),
        other => other.to_string(),
    }
}

/// There is neither a kubeconfig nor a pod's account.
pub(crate) fn explain_none(error: &InferConfigError) -> String {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<KubeconfigError>());
    match cause {
        Some(KubeconfigError::ReadConfig(cause, path)) if cause.kind() == ErrorKind::NotFound => {
            let path = path.display();
            format!("there is no kubeconfig: {path} is not there, and this is no pod of a cluster")
        }
        Some(other) => explain(other),
        None => error.to_string(),
    }
}

/// That a context is missing, with those that are there.
pub(crate) fn without_context(config: &Kubeconfig, wanted: &str) -> Option<String> {
    let names: Vec<&str> = config.contexts.iter().map(|context| context.name.as_str()).collect();
    if names.contains(&wanted) {
        return None;
    }
    Some(format!("context {wanted:?} does not exist{}", listed(&names)))
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => "; the kubeconfig has none".to_owned(),
        names if names.len() <= 10 => format!("; there are {}", names.join(", ")),
        names => format!("; there are {} others", names.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_missing_are_named() {
        let error = Kubeconfig::read_from("/no/such/file").unwrap_err();
        assert_eq!(explain(&error), "stat /no/such/file: no such file or directory");
    }

    #[test]
    fn contexts_that_are_there_are_named() {
        let text =
            "contexts: [{name: one, context: {cluster: c}}, {name: two, context: {cluster: c}}]";
        let config = Kubeconfig::from_yaml(text).unwrap();
        assert_eq!(without_context(&config, "one"), None);
        let said = without_context(&config, "tow").unwrap();
        assert_eq!(said, "context \"tow\" does not exist; there are one, two");
        let none = without_context(&Kubeconfig::default(), "x").unwrap();
        assert_eq!(none, "context \"x\" does not exist; the kubeconfig has none");
    }
}
