//! Where within objects labels go.

use crate::options::Options;
use crate::report::Place;
use bowsprit_manifest::Object;
use bowsprit_value::Value;
use bowsprit_yaml::Step;

/// What selectors may match a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Those for pods.
    Pod,
    /// Those for objects of this kind.
    Kind(String),
}

/// A `metadata` that gets labels.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) place: Place,
    pub(crate) class: Class,
    /// The way from the object to what has the `metadata`.
    pub(crate) steps: Vec<Step>,
    pub(crate) metadata: Option<Value>,
}

/// Where an object has its pod template.
pub(crate) fn pod_template(object: &Object) -> Option<&'static [&'static str]> {
    let identity = &object.identity;
    match (identity.group(), identity.kind.as_str()) {
        ("apps" | "extensions", "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet")
        | ("", "ReplicationController")
        | ("batch", "Job")
        | ("argoproj.io", "Rollout")
        | ("apps.kruise.io", "CloneSet" | "DaemonSet" | "StatefulSet") => {
            Some(&["spec", "template"])
        }
        ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template"]),
        ("", "PodTemplate") => Some(&["template"]),
        _ => None,
    }
}

/// The targets of an object.
pub(crate) fn targets(object: &Object, options: &Options) -> Vec<Target> {
    let kind = match (object.identity.group(), object.identity.kind.as_str()) {
        ("", "Pod") => Class::Pod,
        (_, kind) => Class::Kind(kind.to_owned()),
    };
    let mut targets = vec![Target {
        place: Place::Object,
        class: kind,
        steps: Vec::new(),
        metadata: object.get(&["metadata"]),
    }];
    if let Some(path) = pod_template(object).filter(|_| options.pod_templates)
        && let Some(Value::Map(template)) = object.get(path)
    {
        targets.push(Target {
            place: Place::PodTemplate,
            class: Class::Pod,
            steps: path.iter().map(|key| Step::from(*key)).collect(),
            metadata: template.get(b"metadata"),
        });
    }
    if options.volume_claim_templates {
        targets.extend(claim_templates(object));
    }
    targets
}

fn claim_templates(object: &Object) -> Vec<Target> {
    const PATH: [&str; 2] = ["spec", "volumeClaimTemplates"];
    let identity = &object.identity;
    let stateful = matches!(identity.group(), "apps" | "apps.kruise.io");
    if !stateful || identity.kind != "StatefulSet" {
        return Vec::new();
    }
    let templates = object.get(&PATH);
    let templates = templates.as_ref().and_then(Value::as_list).into_iter().flatten();
    let target = |(index, template): (usize, &Value)| {
        let mut steps: Vec<Step> = PATH.map(Step::from).into();
        steps.push(Step::Index(index));
        Some(Target {
            place: Place::VolumeClaimTemplate(index),
            class: Class::Kind("PersistentVolumeClaim".to_owned()),
            steps,
            metadata: template.as_map()?.get(b"metadata"),
        })
    };
    templates.enumerate().filter_map(target).collect()
}
