//! Whose objects are whose, by Helm's marks.

use crate::object::Object;
use serde_json::Value as Json;

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const HELM: &str = "Helm";
const NAME: &str = "meta.helm.sh/release-name";
const NAMESPACE: &str = "meta.helm.sh/release-namespace";

/// Marks an object as a release's.
pub(crate) fn claim(object: &mut Object, release: &str, namespace: &str) {
    object.merge_metadata("labels", [(MANAGED_BY, HELM)]);
    object.merge_metadata("annotations", [(NAME, release), (NAMESPACE, namespace)]);
}

/// Why a live object does not belong to a release; none if it does.
pub(crate) fn foreign(live: &Json, release: &str, namespace: &str) -> Option<String> {
    let metadata = &live["metadata"];
    let checks = [
        ("label", &metadata["labels"], MANAGED_BY, HELM),
        ("annotation", &metadata["annotations"], NAME, release),
        ("annotation", &metadata["annotations"], NAMESPACE, namespace),
    ];
    let errors: Vec<String> = checks
        .into_iter()
        .filter_map(|(what, map, key, want)| match map[key].as_str() {
            Some(value) if value == want => None,
            Some(value) => Some(format!(
                "{what} validation error: key {key:?} must equal {want:?}: current value is {value:?}"
            )),
            None => {
                Some(format!("{what} validation error: missing key {key:?}: must be set to {want:?}"))
            }
        })
        .collect();
    if errors.is_empty() {
        return None;
    }
    Some(format!("invalid ownership metadata; {}", errors.join("; ")))
}

/// The release that an object says it belongs to.
pub(crate) fn owner(live: &Json) -> Option<(String, String)> {
    let annotations = &live["metadata"]["annotations"];
    let text = |key: &str| annotations[key].as_str().map(str::to_owned);
    Some((text(NAME)?, text(NAMESPACE)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn complaints_are_helms() {
        let nothing = json!({"metadata": {}});
        assert_eq!(
            foreign(&nothing, "a2", "default").unwrap(),
            "invalid ownership metadata; label validation error: missing key \
             \"app.kubernetes.io/managed-by\": must be set to \"Helm\"; annotation validation error: \
             missing key \"meta.helm.sh/release-name\": must be set to \"a2\"; annotation validation \
             error: missing key \"meta.helm.sh/release-namespace\": must be set to \"default\""
        );
        let other = json!({"metadata": {
            "labels": {MANAGED_BY: HELM}, "annotations": {NAME: "other", NAMESPACE: "default"},
        }});
        assert_eq!(
            foreign(&other, "a3", "default").unwrap(),
            "invalid ownership metadata; annotation validation error: key \"meta.helm.sh/release-name\" \
             must equal \"a3\": current value is \"other\""
        );
        assert_eq!(foreign(&other, "other", "default"), None);
        assert_eq!(owner(&other).unwrap().0, "other");
    }
}
