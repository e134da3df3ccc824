//! Planted errors are found, each as what it is, and good objects pass.

use bowsprit_report::{Finding, Subject};
use bowsprit_validate::{Crds, Input, Schemas, Validator};

const GOOD: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: web
        image: nginx:1.27
        imagePullPolicy: IfNotPresent
        ports:
        - containerPort: 80
        resources:
          requests: {cpu: 0.5, memory: 1Gi}
        livenessProbe:
          httpGet: {path: /, port: http}
---
apiVersion: v1
kind: Secret
metadata:
  name: web
data:
  password: c2VjcmV0
---
apiVersion: example.org/v1
kind: Widget
metadata:
  name: w
spec:
  size: 3
  color: red
  ports: [80, http]
  extra: {any: [1, x]}
";

const CRD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1, maximum: 9}
              color: {type: string, enum: [red, green]}
              code: {type: string, pattern: '^[a-z]+$', maxLength: 3}
              ports:
                type: array
                items:
                  x-kubernetes-int-or-string: true
                  anyOf: [{type: integer}, {type: string}]
              extra: {type: object, x-kubernetes-preserve-unknown-fields: true}
              one:
                type: object
                properties: {a: {type: string}, b: {type: string}}
                oneOf: [{required: [a]}, {required: [b]}]
  - name: v1alpha1
    served: false
    storage: false
";

fn validator() -> Validator {
    let mut validator = Validator::new(Schemas::bundled("1.36").expect("bundled"));
    let mut crds = Crds::new();
    assert_eq!(crds.add(CRD.as_bytes()).expect("YAML"), 1);
    validator.crds = crds;
    validator
}

fn validate(text: &str) -> Subject {
    validator().validate("x", &[Input::file("x.yaml", text.as_bytes())])
}

fn lines(subject: &Subject) -> Vec<String> {
    let line = |f: &Finding| f.location.as_ref().and_then(|l| l.line).unwrap_or(0);
    subject.findings.iter().map(|f| format!("{} {}: {}", f.rule, line(f), f.message)).collect()
}

#[test]
fn good_objects_pass() {
    let subject = validate(GOOD);
    assert_eq!(lines(&subject), Vec::<String>::new());
    assert!(!subject.failed);
    let checks: Vec<&str> = subject.checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(checks, ["Deployment/web", "Secret/web", "Widget/w"]);
}

/// What is replaced by what, and what is said.
const PLANTED: &[(&str, &str, &str)] = &[
    ("replicas: 2", "replcias: 2", "K8S002 8: spec.replcias: unknown field"),
    (
        "replicas: 2",
        "replicas: '2'",
        "K8S003 8: spec.replicas: expected an integer, found the string \"2\"",
    ),
    (
        "replicas: 2",
        "replicas: 2.5",
        "K8S003 8: spec.replicas: expected an integer, found the number 2.5",
    ),
    (
        "replicas: 2",
        "replicas: 3000000000",
        "K8S005 8: spec.replicas: 3000000000 does not fit into int32",
    ),
    (
        "image: nginx:1.27",
        "image: 1.27",
        "K8S003 19: spec.template.spec.containers[0].image: expected a string, found the number 1.27",
    ),
    ("  template:\n", "  tempalte:\n", "K8S004 8: spec.template: required, but missing"),
    (
        "- name: web",
        "- nam: web",
        "K8S004 18: spec.template.spec.containers[0].name: required, but missing",
    ),
    (
        "IfNotPresent",
        "IfNotPresnet",
        "K8S005 20: spec.template.spec.containers[0].imagePullPolicy: \"IfNotPresnet\" is not one of Always, IfNotPresent, Never",
    ),
    (
        "        ports:\n        - containerPort: 80\n",
        "        ports:\n          containerPort: 80\n",
        "K8S003 22: spec.template.spec.containers[0].ports: expected an array, found an object",
    ),
    (
        "cpu: 0.5",
        "cpu: [1]",
        "K8S005 24: spec.template.spec.containers[0].resources.requests.cpu: must be of type string or number",
    ),
    (
        "apiVersion: apps/v1\n",
        "apiVersion: apps/v1beta1\n",
        "K8S008 1: apps/v1beta1 Deployment is not served any more since Kubernetes 1.16",
    ),
    ("kind: Deployment", "kind: Deploymnet", "K8S001 1: nothing is known of apps/v1 Deploymnet"),
    ("apiVersion: apps/v1\n", "", "K8S006 1: apiVersion: required, but missing"),
    (
        "  name: web\n  labels:",
        "  name: Web_1\n  labels:",
        "K8S007 4: metadata.name: \"Web_1\": a lowercase RFC 1123 subdomain",
    ),
    (
        "  labels:\n    app: web\nspec",
        "  labels:\n    app: 'we b'\nspec",
        "K8S007 6: metadata.labels[\"app\"]: the value \"we b\" must consist of",
    ),
    (
        "    app: web\nspec",
        "    app: 1\nspec",
        "K8S003 6: metadata.labels.app: expected a string, found the number 1",
    ),
    (
        "      app: web\n  template",
        "      app: other\n  template",
        "K8S005 11: spec.selector.matchLabels: the template's labels lack app",
    ),
    (
        "  replicas: 2\n",
        "  replicas: 2\n  replicas: 3\n",
        "K8S010 9: the key \"replicas\" is there twice",
    ),
    (
        "kind: Secret\nmetadata:\n  name: web",
        "kind: Deployment\nmetadata:\n  name: web",
        "K8S001 28: nothing is known of v1 Deployment",
    ),
    ("c2VjcmV0", "secret!", "K8S005 33: data.password: \"secret!\" is not base64"),
    ("size: 3", "size: 12", "K8S005 40: spec.size: 12 is more than 9"),
    ("color: red", "color: rde", "K8S005 41: spec.color: \"rde\" is not one of red, green"),
    ("color: red", "code: abcd", "K8S005 41: spec.code: has 4 characters, at most 3 are allowed"),
    ("color: red", "code: A", "K8S005 41: spec.code: \"A\" does not match ^[a-z]+$"),
    ("color: red", "one: {}", "K8S005 41: spec.one: must have a or b"),
    (
        "color: red",
        "one: {a: x, b: y}",
        "K8S005 41: spec.one: fits 2 alternatives of which it may fit one only",
    ),
    ("color: red", "colour: red", "K8S002 41: spec.colour: unknown field"),
    ("size: 3", "size: null", "K8S004 40: spec.size: required, but missing"),
    (
        "example.org/v1\n",
        "example.org/v1alpha1\n",
        "K8S008 35: example.org/v1alpha1 Widget is not served, says its definition",
    ),
    (
        "example.org/v1\n",
        "example.org/v2\n",
        "K8S001 35: nothing is known of example.org/v2 Widget",
    ),
    (
        "  ports: [80, http]",
        "  ports: [80, 1.5]",
        "K8S003 42: spec.ports[1]: expected an integer or a string, found the number 1.5",
    ),
    ("kind: Secret", "kind: [", "K8S006"),
];

#[test]
fn planted_errors_are_found() {
    let mut wrong = Vec::new();
    for (from, to, want) in PLANTED {
        assert!(GOOD.contains(from), "{from}");
        let subject = validate(&GOOD.replacen(from, to, 1));
        let got = lines(&subject);
        if !subject.failed || !got.iter().any(|line| line.starts_with(want)) {
            wrong.push(format!("{to}: {got:#?}\nwanted {want}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_object_twice() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let got = lines(&validate(&format!("{object}---\n{object}")));
    assert_eq!(got, ["K8S011 5: the object is there twice, the first time in x.yaml"]);
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}", object.replace('\n', "\n  "));
    assert_eq!(validate(&list).checks[0].name, "ConfigMap/a");
}

#[test]
fn versions_decide_what_is_deprecated() {
    let text =
        b"apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n";
    let mut validator = validator();
    validator.kube_version = Some((1, 24));
    validator.ignore_missing_schemas = true;
    let subject = validator.validate("x", &[Input::rendered("a.yaml", text)]);
    assert_eq!(
        lines(&subject),
        [
            "K8S009 0: autoscaling/v2beta2 HorizontalPodAutoscaler is deprecated since Kubernetes 1.23, and gone in 1.26"
        ]
    );
    let help = subject.findings[0].help.as_deref();
    assert_eq!(help, Some("use autoscaling/v2 HorizontalPodAutoscaler"));
    assert!(!subject.failed);
}

#[test]
fn suggestions() {
    let subject = validate(&GOOD.replacen("kind: Secret", "kind: Deployment", 1));
    let help: Vec<_> = subject.findings.iter().filter_map(|f| f.help.as_deref()).collect();
    assert_eq!(help, ["Deployment is served as apps/v1"]);
    let mut lenient = validator();
    lenient.strict = false;
    let text = GOOD.replacen("replicas: 2", "replcias: 2", 1);
    assert!(lenient.validate("x", &[Input::file("x", text.as_bytes())]).findings.is_empty());
}
