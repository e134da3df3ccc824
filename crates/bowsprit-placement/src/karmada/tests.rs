//! Overriders and policies, by example.

use super::*;
use crate::document::json;
use crate::to_yaml;
use bowsprit_manifest::objects;
use bowsprit_value::deep_equal;

/// The overriders between two objects, as JSON, after they have been proven.
fn between(base: &str, other: &str) -> String {
    let read = |text: &str| objects(text.as_bytes()).unwrap().remove(0).value;
    let (base, other) = (read(base), read(other));
    let overriders = difference(&base, &other);
    let applied = overriders.apply(&normal(&base)).unwrap();
    let (got, want) = (normal(&applied), normal(&other));
    assert!(deep_equal(&got, &want), "{}\n{}", to_yaml(&got), to_yaml(&want));
    let again = Overriders::of_value(&overriders.to_value()).unwrap();
    assert_eq!(again.key(), overriders.key());
    json(&overriders.to_value())
}

fn deployment(template: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: 1\n  \
         template: {{spec: {template}}}\n"
    )
}

fn check(base: &str, other: &str, want: &str) {
    assert_eq!(between(&deployment(base), &deployment(other)), want);
}

#[test]
fn members_are_addressed_one_by_one() {
    let object =
        |spec: &str| format!("apiVersion: x/v1\nkind: A\nmetadata: {{name: a}}\nspec: {spec}\n");
    let check = |base: &str, other: &str, want: &str| {
        assert_eq!(between(&object(base), &object(other)), want, "{base} {other}");
    };
    check(
        "{values: {a: 1, b: {c: 2}}}",
        "{values: {a: 1, b: {c: 3}}}",
        r#"{"plaintext":[{"operator":"replace","path":"/spec/values/b/c","value":3}]}"#,
    );
    // A member of a map that isn't there can't be added: the map is.
    check(
        "{a: 1}",
        "{a: 1, values: {replicaCount: 2}}",
        r#"{"plaintext":[{"operator":"add","path":"/spec/values","value":{"replicaCount":2}}]}"#,
    );
    check(
        "{a: {}}",
        "{a: {b: {c: 1}}}",
        r#"{"plaintext":[{"operator":"add","path":"/spec/a","value":{"b":{"c":1}}}]}"#,
    );
    check(
        "{a/b: {c~d: 1, e: 1}}",
        "{a/b: {e: 1}}",
        r#"{"plaintext":[{"operator":"remove","path":"/spec/a~1b/c~0d"}]}"#,
    );
    check("{a: null, b: 1}", "{b: 1, c: null}", "{}");
    // An API server may have dropped what is zero.
    check(
        "{a: false, b: 1}",
        "{a: true, b: 1}",
        r#"{"plaintext":[{"operator":"add","path":"/spec/a","value":true}]}"#,
    );
    check(
        "{a: 0, b: 1}",
        "{b: 1}",
        r#"{"plaintext":[{"operator":"add","path":"/spec/a","value":0},{"operator":"remove","path":"/spec/a"}]}"#,
    );
}

#[test]
fn lists_are_lined_up() {
    check(
        "{volumes: [{name: a, x: 1}, {name: b, x: 1}, {name: c, x: 1}]}",
        "{volumes: [{name: b, x: 1}, {name: c, x: 2}, {name: d, x: 1}]}",
        r#"{"plaintext":[{"operator":"remove","path":"/spec/template/spec/volumes/0"},{"operator":"replace","path":"/spec/template/spec/volumes/1/x","value":2},{"operator":"add","path":"/spec/template/spec/volumes/2","value":{"name":"d","x":1}}]}"#,
    );
    check(
        "{l: [{a: 1, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: 2}]}",
        "{l: [{a: 2, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: 2}]}",
        r#"{"plaintext":[{"operator":"replace","path":"/spec/template/spec/l/0/a","value":2}]}"#,
    );
    check(
        "{l: [1, 2]}",
        "{l: [3]}",
        r#"{"plaintext":[{"operator":"replace","path":"/spec/template/spec/l","value":[3]}]}"#,
    );
    check(
        "{l: []}",
        "{l: [3]}",
        r#"{"plaintext":[{"operator":"add","path":"/spec/template/spec/l","value":[3]}]}"#,
    );
}

#[test]
fn images_args_and_labels_have_their_own_overriders() {
    check(
        "{containers: [{name: web, image: 'quay.io/a/web:1'}], initContainers: [{name: i, image: i}]}",
        "{containers: [{name: web, image: 'quay.io/a/web:2'}], initContainers: [{name: i, image: 'r.io/i'}]}",
        r#"{"imageOverrider":[{"component":"Tag","operator":"replace","predicate":{"path":"/spec/template/spec/containers/0/image"},"value":"2"},{"component":"Registry","operator":"replace","predicate":{"path":"/spec/template/spec/initContainers/0/image"},"value":"r.io"}]}"#,
    );
    check(
        "{containers: [{name: web, image: 'a:1'}]}",
        "{containers: [{name: web, image: 'b:2'}]}",
        r#"{"plaintext":[{"operator":"replace","path":"/spec/template/spec/containers/0/image","value":"b:2"}]}"#,
    );
    check(
        "{containers: [{name: web, args: [a, b, c, d], command: [x]}]}",
        "{containers: [{name: web, args: [a, d], command: [x, z]}]}",
        r#"{"argsOverrider":[{"containerName":"web","operator":"remove","value":["b","c"]}],"commandOverrider":[{"containerName":"web","operator":"add","value":["z"]}]}"#,
    );
    let config =
        |metadata: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\n");
    assert_eq!(
        between(&config("{name: a}"), &config("{name: a, labels: {x.io/y: '1'}}")),
        r#"{"labelsOverrider":[{"operator":"add","value":{"x.io/y":"1"}}]}"#
    );
    assert_eq!(
        between(&config("{name: a, annotations: {b: c, d: e}}"), &config("{name: a}")),
        r#"{"annotationsOverrider":[{"operator":"remove","value":{"b":"c","d":"e"}}]}"#
    );
}

#[test]
fn what_an_api_server_fills_in_by_type_goes_with_the_type() {
    let spec = |spec: &str| {
        format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\nspec: {spec}\n")
    };
    assert_eq!(
        between(&spec("{strategy: {type: RollingUpdate}}"), &spec("{strategy: {type: Recreate}}")),
        r#"{"plaintext":[{"operator":"add","path":"/spec/strategy","value":{"type":"Recreate"}}]}"#
    );
    let service = |ty: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{type: {ty}, ports: [{{port: 80}}]}}\n"
        )
    };
    let text = between(&service("LoadBalancer"), &service("ClusterIP"));
    for path in ["allocateLoadBalancerNodePorts", "externalTrafficPolicy", "ports/0/nodePort"] {
        assert!(text.contains(&format!("\"remove\",\"path\":\"/spec/{path}\"")), "{text}");
    }
    assert_eq!(
        between(&service("ClusterIP"), &service("NodePort")),
        r#"{"plaintext":[{"operator":"replace","path":"/spec/type","value":"NodePort"}]}"#
    );
}

#[test]
fn defaults_go_with_what_they_were_made_from() {
    let stale = |base: &str, other: &str, want: &[&str]| {
        let text = between(base, other);
        let list: Vec<&str> = text.split(r#"{"operator":"remove","path":""#).skip(1).collect();
        let paths: Vec<&str> = list.iter().filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(paths, want, "{text}");
    };
    let pod = "/spec/template/spec";
    stale(
        &deployment("{containers: [{name: x, image: a}], serviceAccountName: b}"),
        &deployment("{containers: [{name: x, image: 'a:1'}]}"),
        &[
            &format!("{pod}/serviceAccountName"),
            &format!("{pod}/serviceAccount"),
            &format!("{pod}/containers/0/imagePullPolicy"),
        ],
    );
    stale(
        &deployment("{hostNetwork: true, containers: [{name: x, ports: [{containerPort: 1}]}]}"),
        &deployment("{hostNetwork: false, containers: [{name: x, ports: [{containerPort: 1}]}]}"),
        &[&format!("{pod}/containers/0/ports/0/hostPort")],
    );
    let object = |kind: &str, spec: &str| {
        let group = if kind == "Service" { "v1" } else { "networking.k8s.io/v1" };
        format!("apiVersion: {group}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n")
    };
    stale(
        &object("Service", "{ports: [{port: 80}]}"),
        &object("Service", "{ports: [{port: 81}]}"),
        &["/spec/ports/0/targetPort"],
    );
    stale(
        &object("NetworkPolicy", "{podSelector: {a: b}}"),
        &object("NetworkPolicy", "{podSelector: {a: b}, egress: [{}]}"),
        &["/spec/policyTypes"],
    );
}

#[test]
fn hostile_lists_are_no_danger() {
    let nested = |leaf: &str| format!("{{l: {}{leaf}{}}}", "[".repeat(60), "]".repeat(60));
    between(&deployment(&nested("1")), &deployment(&nested("2")));
}

const OBJECTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: prod}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: web}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: prod}
spec: {replicas: 1}
";

fn texts(documents: &[Value]) -> String {
    documents.iter().map(|document| format!("---\n{}", to_yaml(document))).collect()
}

/// What is written for a Deployment with other replicas on one of two clusters.
const WANTED: &str = "---
apiVersion: policy.karmada.io/v1alpha1
kind: OverridePolicy
metadata:
  name: web-deployment
  namespace: prod
spec:
  overrideRules:
  - overriders:
      plaintext:
      - operator: replace
        path: /spec/replicas
        value: 3
    targetCluster:
      clusterNames:
      - m1
  resourceSelectors:
  - apiVersion: apps/v1
    kind: Deployment
    name: web
    namespace: prod
---
apiVersion: policy.karmada.io/v1alpha1
kind: ClusterPropagationPolicy
metadata:
  name: web
spec:
  conflictResolution: Abort
  placement:
    clusterAffinity:
      clusterNames:
      - m1
      - m2
    replicaScheduling:
      replicaSchedulingType: Duplicated
  propagateDeps: true
  resourceSelectors:
  - apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    name: web
---
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata:
  name: web
  namespace: prod
spec:
  conflictResolution: Abort
  dependentOverrides:
  - web-deployment
  placement:
    clusterAffinity:
      clusterNames:
      - m1
      - m2
    replicaScheduling:
      replicaSchedulingType: Duplicated
  propagateDeps: true
  resourceSelectors:
  - apiVersion: apps/v1
    kind: Deployment
    name: web
    namespace: prod
  - apiVersion: v1
    kind: Service
    name: web
    namespace: prod
";

#[test]
fn policies_name_what_is_rendered() {
    let base = objects(OBJECTS.as_bytes()).unwrap();
    let other = objects(OBJECTS.replace("replicas: 1", "replicas: 3").as_bytes()).unwrap();
    let variants = [Variant { clusters: vec!["m1".into()], objects: &other }];
    let clusters = Clusters::Names(vec!["m1".into(), "m2".into()]);
    let request = Request::new("web", "prod", &base, clusters).with_variants(&variants);
    let policies = policies(&request).unwrap();
    assert!(policies.warnings.is_empty() && policies.extra.is_empty());
    assert_eq!(texts(&policies.documents), WANTED);
    for (name, replicas) in [("m1", Some("3")), ("m2", Some("1")), ("m3", None)] {
        let member = Member { name: name.to_owned(), ..Member::default() };
        let got = delivered(&base, &policies.documents, "prod", &request.kinds, &member).unwrap();
        assert_eq!(got.len(), if replicas.is_some() { 4 } else { 1 }, "{name}");
        let found = got.iter().find_map(|o| patch::member(&patch::member(o, "spec")?, "replicas"));
        assert_eq!(found.map(|value| json(&value)).as_deref(), replicas, "{name}");
    }
}

#[test]
fn clusters_may_have_objects_of_their_own() {
    let base = objects(OBJECTS.as_bytes()).unwrap();
    let text = OBJECTS
        .replace("kind: Service\nmetadata: {name: web}", "kind: Secret\nmetadata: {name: s}");
    let other = objects(text.as_bytes()).unwrap();
    let variants = [Variant { clusters: vec!["m1".into()], objects: &other }];
    let clusters = Clusters::Labels("env=prod".parse().unwrap());
    let request = Request::new("web", "prod", &base, clusters).with_variants(&variants);
    let policies = policies(&request).unwrap();
    assert_eq!(policies.extra.len(), 1);
    let all: Vec<Object> = base.iter().chain(&policies.extra).cloned().collect();
    for (name, want) in [("m1", ["Secret"]), ("m2", ["Service"])] {
        let labels = [("env".to_owned(), "prod".to_owned())].into();
        let member = Member { name: name.to_owned(), labels };
        let got = delivered(&all, &policies.documents, "prod", &request.kinds, &member).unwrap();
        let kinds: Vec<String> = got.iter().map(|object| Identity::of(object).kind).collect();
        assert_eq!(kinds[2..kinds.len() - 1.min(kinds.len())].len(), 1, "{kinds:?}");
        assert!(want.iter().all(|kind| kinds.iter().any(|k| k == kind)), "{kinds:?}");
        assert_eq!(kinds.len(), 4);
    }
    let nobody = Member { name: "m1".to_owned(), ..Member::default() };
    let got = delivered(&all, &policies.documents, "prod", &request.kinds, &nobody).unwrap();
    assert_eq!(got.len(), 2, "the Namespace and what is for m1 by name");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let base = objects(OBJECTS.as_bytes()).unwrap();
    let names = |names: &[&str]| Clusters::Names(names.iter().map(|n| (*n).to_owned()).collect());
    let fails = |request: &Request<'_>| policies(request).unwrap_err();
    assert_eq!(fails(&Request::new("web", "prod", &[], names(&["m1"]))), Error::NoObjects);
    assert_eq!(fails(&Request::new("web", "prod", &base, names(&[]))), Error::NoClusters);
    let variants = [Variant { clusters: vec!["m2".into()], objects: &base }];
    let request = Request::new("web", "prod", &base, names(&["m1"])).with_variants(&variants);
    assert_eq!(fails(&request), Error::UnknownCluster("m2".to_owned()));
    let twice = [variants[0].clone(), variants[0].clone()];
    let request = Request::new("web", "prod", &base, names(&["m2"])).with_variants(&twice);
    assert_eq!(fails(&request), Error::TwoVariants("m2".to_owned()));
    let mut request = Request::new("web", "prod", &base, names(&["m1"]));
    request.select = Some([("a".to_owned(), "b".to_owned())].into());
    assert!(matches!(fails(&request), Error::Unselected(objects) if objects.len() == 4));
}

#[test]
fn karmadas_own_words_are_read() {
    let read = |text: &str| bowsprit_yaml::decode(text.as_bytes()).unwrap();
    let object = read(
        "kind: Job\nmetadata: {labels: {a: '1', b: '2'}}\nspec: {template: {spec: {containers: \
         [{name: x, image: 'a.io/b:1', command: [c, d]}, {name: w, image: 'c.io/b:2'}]}}}\ndata: {j: '{\"a\": 1}', t: 'a: 1'}\n",
    );
    let overriders = read(
        "imageOverrider: [{component: Registry, operator: add, value: .local}, {component: Tag, operator: remove}]\n\
         commandOverrider: [{containerName: x, operator: remove, value: [c]}, {containerName: w, operator: add, value: [e]}]\n\
         labelsOverrider: [{operator: replace, value: {a: '3', z: '1'}}, {operator: remove, value: {b: ''}}]\n\
         annotationsOverrider: [{operator: add, value: {n/m: v}}]\n\
         fieldOverrider: [{fieldPath: /data/j, json: [{subPath: /a, operator: replace, value: 2}]}, \
         {fieldPath: /data/t, yaml: [{subPath: /b, operator: add, value: [1]}]}]\n\
         plaintext: [{path: /x, operator: add, value: null}]\n",
    );
    let got = Overriders::of_value(&overriders).unwrap().apply(&object).unwrap();
    let want = r#"{"data":{"j":"{\"a\":2}","t":"a: 1\nb:\n- 1\n"},"kind":"Job","metadata":{"annotations":{"n/m":"v"},"labels":{"a":"3"}},"spec":{"template":{"spec":{"containers":[{"command":["d"],"image":"a.io.local/b","name":"x"},{"command":["e"],"image":"c.io.local/b","name":"w"}]}}},"x":null}"#;
    assert_eq!(json(&got), want);
    assert!(Overriders::of_value(&read("plaintext: [{path: /x, operator: move}]")).is_none());
}
