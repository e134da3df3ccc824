//! Whether a live object is what it shall be: the rules of kstatus, which Helm's watcher follows.

use serde_json::Value as Json;

/// How far an object has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is as it shall be.
    Current,
    /// It is on its way; the text says what is missing.
    Underway(String),
    /// It will not get there by itself.
    Failed(String),
    /// It is being deleted.
    Terminating,
}

use Progress::{Current, Failed, Terminating, Underway};

/// Which Jobs count as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jobs {
    /// Those that are there.
    Present,
    /// Those that have ended well.
    Complete,
}

fn number(value: &Json) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// The condition of a type: status, reason and message.
fn condition<'j>(live: &'j Json, name: &str) -> Option<(&'j str, &'j str, &'j str)> {
    let conditions = live["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|condition| condition["type"] == name)?;
    let text = |field: &str| found[field].as_str().unwrap_or_default();
    Some((text("status"), text("reason"), text("message")))
}

fn is_true(live: &Json, name: &str) -> bool {
    condition(live, name).is_some_and(|(status, ..)| status == "True")
}

/// How far a live object has come.
pub(crate) fn progress(live: &Json, jobs: Jobs) -> Progress {
    if !live["metadata"]["deletionTimestamp"].is_null() {
        return Terminating;
    }
    let kind = live["kind"].as_str().unwrap_or_default();
    let group = live["apiVersion"].as_str().unwrap_or_default();
    if group == "apps/v1" && live["spec"]["paused"] == Json::Bool(true) {
        return Current;
    }
    if let Some(early) = generic(live) {
        return early;
    }
    match (group, kind) {
        ("apps/v1", "Deployment") => deployment(live),
        ("apps/v1", "ReplicaSet") => replica_set(live),
        ("apps/v1", "StatefulSet") => stateful_set(live),
        ("apps/v1", "DaemonSet") => daemon_set(live),
        ("batch/v1", "Job") => match jobs {
            Jobs::Present => Current,
            Jobs::Complete => job(live),
        },
        ("v1", "Pod") => pod(live),
        ("v1", "PersistentVolumeClaim") => match live["status"]["phase"].as_str() {
            Some("Bound") => Current,
            _ => Underway("PVC is not Bound".to_owned()),
        },
        ("v1", "Service") => {
            let waits = live["spec"]["type"] == "LoadBalancer"
                && live["spec"]["clusterIP"].as_str().unwrap_or_default().is_empty();
            if waits { Underway("ClusterIP not set".to_owned()) } else { Current }
        }
        (_, "CustomResourceDefinition") => definition(live),
        _ => ready_condition(live),
    }
}

/// What holds for objects of all kinds.
fn generic(live: &Json) -> Option<Progress> {
    let generation = number(&live["metadata"]["generation"]);
    if let Some(observed) = live["status"]["observedGeneration"].as_i64()
        && observed != generation
    {
        return Some(Underway(format!(
            "generation is {generation}, but latest observed generation is {observed}"
        )));
    }
    if let Some(("True", _, message)) = condition(live, "Stalled") {
        return Some(Failed(message.to_owned()));
    }
    if let Some(("True", _, message)) = condition(live, "Reconciling") {
        return Some(Underway(message.to_owned()));
    }
    None
}

fn ready_condition(live: &Json) -> Progress {
    match condition(live, "Ready") {
        Some(("True", ..)) | None => Current,
        Some((_, _, message)) => Underway(message.to_owned()),
    }
}

/// The first count that is behind.
fn counts<'t>(checks: impl IntoIterator<Item = (&'t str, i64, i64)>) -> Option<Progress> {
    let behind = checks.into_iter().find(|(_, have, want)| have < want)?;
    let (what, have, want) = behind;
    Some(Underway(format!("{what}: {have}/{want}")))
}

fn deployment(live: &Json) -> Progress {
    let (spec, status) = (&live["spec"], &live["status"]);
    if let Some((_, "ProgressDeadlineExceeded", message)) = condition(live, "Progressing") {
        return Failed(format!("Progress deadline exceeded: {message}"));
    }
    let want = spec["replicas"].as_i64().unwrap_or(1);
    let replicas = number(&status["replicas"]);
    let updated = number(&status["updatedReplicas"]);
    if let Some(behind) = counts([("Replicas", replicas, want), ("Updated", updated, want)]) {
        return behind;
    }
    if replicas > want {
        return Underway(format!("Pending termination: {}", replicas - want));
    }
    let available = number(&status["availableReplicas"]);
    if let Some(behind) = counts([
        ("Available", available, updated),
        ("Ready", number(&status["readyReplicas"]), want),
    ]) {
        return behind;
    }
    if is_true(live, "Available") {
        Current
    } else {
        Underway("Deployment not Available".to_owned())
    }
}

fn replica_set(live: &Json) -> Progress {
    let status = &live["status"];
    if let Some(("True", _, message)) = condition(live, "ReplicaFailure") {
        return Underway(format!("Replica Failure condition. Check Pods: {message}"));
    }
    let want = live["spec"]["replicas"].as_i64().unwrap_or(1);
    let have = |field: &str| number(&status[field]);
    counts([
        ("Labelled", have("fullyLabeledReplicas"), want),
        ("Available", have("availableReplicas"), want),
        ("Ready", have("readyReplicas"), want),
    ])
    .unwrap_or(Current)
}

fn stateful_set(live: &Json) -> Progress {
    let (spec, status) = (&live["spec"], &live["status"]);
    if spec["updateStrategy"]["type"] == "OnDelete" {
        return Current;
    }
    let want = spec["replicas"].as_i64().unwrap_or(1);
    let have = |field: &str| number(&status[field]);
    if let Some(behind) =
        counts([("Replicas", have("replicas"), want), ("Ready", have("readyReplicas"), want)])
    {
        return behind;
    }
    if have("replicas") > want {
        return Underway(format!("Pending termination: {}", have("replicas") - want));
    }
    let partition = number(&spec["updateStrategy"]["rollingUpdate"]["partition"]);
    if partition > 0 {
        return counts([("updated", have("updatedReplicas"), want - partition)]).unwrap_or(Current);
    }
    if let Some(behind) = counts([("current", have("currentReplicas"), want)]) {
        return behind;
    }
    if status["currentRevision"] != status["updateRevision"] {
        return Underway("Waiting for updated revision to match current".to_owned());
    }
    Current
}

fn daemon_set(live: &Json) -> Progress {
    let status = &live["status"];
    if status["observedGeneration"].is_null() {
        return Underway("Missing .status.observedGeneration".to_owned());
    }
    let have = |field: &str| number(&status[field]);
    let want = have("desiredNumberScheduled");
    counts([
        ("Current", have("currentNumberScheduled"), want),
        ("Updated", have("updatedNumberScheduled"), want),
        ("Available", have("numberAvailable"), want),
        ("Ready", have("numberReady"), want),
    ])
    .unwrap_or(Current)
}

fn pod(live: &Json) -> Progress {
    let status = &live["status"];
    match status["phase"].as_str().unwrap_or_default() {
        "Succeeded" => Current,
        "Failed" => Failed(
            status["message"]
                .as_str()
                .unwrap_or("Pod has completed, but not successfully")
                .to_owned(),
        ),
        "Running" if is_true(live, "Ready") => Current,
        "Running" => {
            let all = ["containerStatuses", "initContainerStatuses"];
            let mut containers = all.iter().filter_map(|field| status[*field].as_array()).flatten();
            let crashing = containers
                .find(|container| container["state"]["waiting"]["reason"] == "CrashLoopBackOff");
            match crashing {
                Some(container) => {
                    Failed(format!("Containers in CrashLoop state: {}", container["name"]))
                }
                None => Underway("Pod is running but is not Ready".to_owned()),
            }
        }
        _ => match condition(live, "PodScheduled") {
            Some(("False", "Unschedulable", message)) => {
                Underway(format!("Pod could not be scheduled: {message}"))
            }
            _ => Underway("Pod is in the Pending phase".to_owned()),
        },
    }
}

fn job(live: &Json) -> Progress {
    if let Some(("True", _, message)) = condition(live, "Failed") {
        return Failed(format!("Job failed: {message}"));
    }
    if is_true(live, "Complete") {
        return Current;
    }
    Underway(format!("Job in progress. succeeded: {}", number(&live["status"]["succeeded"])))
}

fn definition(live: &Json) -> Progress {
    if let Some(("False", _, message)) = condition(live, "NamesAccepted") {
        return Failed(message.to_owned());
    }
    match condition(live, "Established") {
        Some(("True", ..)) => Current,
        Some(("False", reason, message)) if reason != "Installing" => Failed(message.to_owned()),
        _ => Underway("Install in progress".to_owned()),
    }
}

/// How far the object of a hook has come: Jobs and Pods must end, all else need only be there.
pub(crate) fn hook_progress(live: &Json) -> Progress {
    match live["kind"].as_str().unwrap_or_default() {
        "Job" => match job(live) {
            Failed(why) => Failed(why),
            other => other,
        },
        "Pod" => match live["status"]["phase"].as_str().unwrap_or_default() {
            "Succeeded" => Current,
            "Failed" => Failed("pod failed".to_owned()),
            _ => Underway("pod has not ended".to_owned()),
        },
        _ => Current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment_with(status: Json) -> Progress {
        let live = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status,
        });
        progress(&live, Jobs::Present)
    }

    #[test]
    fn deployments_are_current_when_all_is_available() {
        let full = json!({
            "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2,
            "readyReplicas": 2, "conditions": [{"type": "Available", "status": "True"}],
        });
        assert_eq!(deployment_with(full.clone()), Current);
        for (field, value) in [
            ("observedGeneration", 1),
            ("replicas", 1),
            ("replicas", 3),
            ("updatedReplicas", 1),
            ("availableReplicas", 1),
            ("readyReplicas", 0),
        ] {
            let mut status = full.clone();
            status[field] = value.into();
            assert!(matches!(deployment_with(status), Underway(_)), "{field}");
        }
        let failed = json!({"conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"},
        ]});
        assert!(matches!(deployment_with(failed), Failed(_)));
    }

    #[test]
    fn jobs_count_as_asked() {
        let mut live = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {}});
        assert_eq!(progress(&live, Jobs::Present), Current);
        assert!(matches!(progress(&live, Jobs::Complete), Underway(_)));
        live["status"]["conditions"] = json!([{"type": "Complete", "status": "True"}]);
        assert_eq!(progress(&live, Jobs::Complete), Current);
        live["status"]["conditions"] = json!([{"type": "Failed", "status": "True"}]);
        assert!(matches!(hook_progress(&live), Failed(_)));
    }

    #[test]
    fn other_kinds_follow_their_conditions() {
        let object = |kind: &str, status: Json| {
            let live =
                json!({"apiVersion": "x/v1", "kind": kind, "metadata": {}, "status": status});
            progress(&live, Jobs::Present)
        };
        assert_eq!(object("W", json!({})), Current);
        let ready = |status: &str| json!({"conditions": [{"type": "Ready", "status": status}]});
        assert_eq!(object("W", ready("True")), Current);
        assert!(matches!(object("W", ready("False")), Underway(_)));
        let stalled = json!({"conditions": [{"type": "Stalled", "status": "True"}]});
        assert!(matches!(object("W", stalled), Failed(_)));
        let established = json!({"conditions": [{"type": "Established", "status": "True"}]});
        assert_eq!(object("CustomResourceDefinition", established), Current);
        assert!(matches!(object("CustomResourceDefinition", json!({})), Underway(_)));
    }
}
