//! BindingPolicies, by example.

use super::*;
use crate::to_yaml;
use bowsprit_manifest::objects;

const OBJECTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: prod, labels: {app: web}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, labels: {app: web}}
---
apiVersion: v1
kind: Secret
metadata: {name: hook, labels: {app: web}}
";

fn placed(text: &str, change: impl Fn(&mut Request<'_>)) -> Result<Placed, Error> {
    let all = objects(text.as_bytes()).unwrap();
    let workloads: Vec<Workload<'_>> = all
        .iter()
        .map(|object| Workload { object, hook: object.identity.name == "hook" })
        .collect();
    let clusters = vec!["environment=staging,tier!=x".parse().unwrap()];
    let select = [("app".to_owned(), "web".to_owned())].into();
    let mut request = Request::new("web", "prod", &workloads, clusters, select);
    change(&mut request);
    binding_policy(&request)
}

#[test]
fn jobs_and_hooks_are_only_created() {
    let placed = placed(OBJECTS, |request| {
        request.list_resources = true;
        request.status_collectors.push("replicas".to_owned());
    });
    let want = "apiVersion: control.kubestellar.io/v1alpha1
kind: BindingPolicy
metadata:
  name: web
spec:
  clusterSelectors:
  - matchExpressions:
    - key: tier
      operator: NotIn
      values:
      - x
    matchLabels:
      environment: staging
  downsync:
  - objectSelectors:
    - matchLabels:
        app: web
    resources:
    - deployments
    - jobs
    - namespaces
    - secrets
    statusCollectors:
    - replicas
  - apiGroup: batch
    createOnly: true
    objectSelectors:
    - matchLabels:
        app: web
    resources:
    - jobs
    statusCollectors:
    - replicas
  - apiGroup: \"\"
    createOnly: true
    objectNames:
    - hook
    objectSelectors:
    - matchLabels:
        app: web
    resources:
    - secrets
    statusCollectors:
    - replicas
";
    assert_eq!(to_yaml(&placed.unwrap().policy.to_value()), want);
}

#[test]
fn what_is_not_selected_is_an_error() {
    let text = format!("{OBJECTS}---\nkind: Secret\napiVersion: v1\nmetadata: {{name: b}}\n");
    let error = placed(&text, |_| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        "objects would not be delivered, for they are not matched by app=web:\n  Secret b"
    );
    let unknown = "apiVersion: x/v1\nkind: A\nmetadata: {name: a, labels: {app: web}}\n";
    assert!(placed(unknown, |_| {}).is_ok());
    let error = placed(unknown, |request| request.list_resources = true).unwrap_err();
    assert!(matches!(error, Error::UnknownPlural(_)));
    assert_eq!(placed("", |_| {}).unwrap_err(), Error::NoObjects);
    assert_eq!(placed(OBJECTS, |r| r.clusters.clear()).unwrap_err(), Error::NoClusters);
    assert_eq!(placed(OBJECTS, |r| r.select.clear()).unwrap_err(), Error::NoLabels);
}

#[test]
fn definitions_tell_plurals() {
    let text = "apiVersion: x.io/v1\nkind: Mouse\nmetadata: {name: a, labels: {app: web}}\n---\n\
                apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
                metadata: {name: mice.x.io, labels: {app: web}}\n\
                spec: {group: x.io, scope: Cluster, names: {kind: Mouse, plural: mice}}\n";
    let placed = placed(text, |request| request.list_resources = true).unwrap();
    assert_eq!(placed.policy.clauses[0].resources, ["customresourcedefinitions", "mice"]);
}

#[test]
fn nothing_else_is_proven() {
    let all = objects(OBJECTS.as_bytes()).unwrap();
    let workloads: Vec<Workload<'_>> =
        all.iter().map(|object| Workload { object, hook: false }).collect();
    let policy = placed(OBJECTS, |_| {}).unwrap().policy;
    let space = "
apiVersion: v1
kind: Secret
metadata: {name: hook, namespace: prod, labels: {app: web}}
---
apiVersion: v1
kind: Secret
metadata: {name: hook, namespace: other, labels: {app: web}}
---
apiVersion: v1
kind: Secret
metadata: {name: b, namespace: prod, labels: {app: db}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: prod, labels: {app: web}}
";
    let space = objects(space.as_bytes()).unwrap();
    let unexpected = policy.unexpected(&workloads, &space, "prod", &Kinds::default());
    let names: Vec<String> = unexpected.iter().map(|identity| identity.to_string()).collect();
    assert_eq!(names, ["Secret other/hook"]);
}

#[test]
fn the_reader_is_warned() {
    let text = "
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.x.io, labels: {app: web}, finalizers: [a]}
---
apiVersion: v1
kind: Service
metadata: {name: a, labels: {app: web}}
spec: {sessionAffinity: ClientIP, clusterIP: 10.0.0.1, ports: [{port: 1, nodePort: 30000}]}
---
apiVersion: v1
kind: Service
metadata: {name: b, labels: {app: web}, annotations: {control.kubestellar.io/preserve: nodeport}}
spec: {clusterIP: None, ports: [{port: 1, nodePort: 30001}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: c, labels: {app: web}}
spec: {ttlSecondsAfterFinished: 5, suspend: true}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: d, labels: {app: web}}
imagePullSecrets: [{name: x}]
";
    let big = format!(
        "{text}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: e, labels: {{app: web}}}}\ndata: {{a: {}}}\n",
        "x".repeat(MAX_OBJECT)
    );
    let warnings = placed(&big, |_| {}).unwrap().warnings;
    let kinds: Vec<(&str, &WarningKind)> =
        warnings.iter().map(|w| (w.object.name.as_str(), &w.kind)).collect();
    let stripped =
        |fields: &[&str]| WarningKind::Stripped(fields.iter().map(|f| (*f).to_owned()).collect());
    assert_eq!(kinds[0], ("v1.x.io", &WarningKind::NeverDelivered));
    assert_eq!(kinds[1], ("v1.x.io", &stripped(&["metadata.finalizers"])));
    let fields = ["spec.sessionAffinity", "spec.clusterIP", "spec.ports[].nodePort"];
    assert_eq!(kinds[2], ("a", &stripped(&fields)));
    assert_eq!(kinds[3], ("c", &stripped(&["spec.suspend"])));
    assert_eq!(kinds[4], ("c", &WarningKind::FinishedJob));
    assert_eq!(kinds[5], ("d", &WarningKind::Secrets));
    assert!(matches!(kinds[6], ("e", WarningKind::TooLarge(_))));
    assert_eq!(kinds.len(), 7);
}

#[test]
fn templates_are_expanded_only_where_all_braces_are_properties() {
    let config = |text: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, labels: {{app: web}}, annotations: \
             {{control.kubestellar.io/expand-templates: 'true'}}}}\ndata: {{a: '{text}'}}\n"
        )
    };
    assert!(placed(&config("x"), |_| {}).is_ok());
    assert!(placed(&config("on {{ .clusterName }} in {{.region}}"), |_| {}).is_ok());
    let error = placed(&config("{{ $labels.instance }} is down"), |_| {}).unwrap_err();
    assert!(matches!(error, Error::TemplateText(_, path) if path == "data.a"));
    assert!(placed(&config("{{"), |_| {}).is_err());
}
