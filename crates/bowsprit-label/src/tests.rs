use super::*;
use bowsprit_manifest::{LabelSelector, objects};

fn options(labels: &[(&str, &str)]) -> Options {
    let mut options = Options::default();
    labels.iter().for_each(|(key, value)| options.set_label(key, value).unwrap());
    options
}

fn label(text: &str, options: &Options) -> (String, Vec<String>) {
    let labelled = inject(&[Text { path: "", text }], options).unwrap();
    let again = inject(&[Text { path: "", text: &labelled.texts[0] }], options).unwrap();
    assert_eq!(again.texts, labelled.texts, "labelling twice is labelling once");
    assert_eq!(again.report.changed, 0);
    let conflicts = labelled.report.conflicts.iter().map(ToString::to_string).collect();
    (labelled.texts.into_iter().next().unwrap(), conflicts)
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # the web
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers: []
";

#[test]
fn objects_and_pod_templates_get_labels_and_selectors_do_not() {
    let (text, conflicts) = label(DEPLOYMENT, &options(&[("team", "a")]));
    assert_eq!(
        text,
        DEPLOYMENT
            .replace("  name: web #", "  labels:\n    team: a\n  name: web #")
            .replace("      labels: {app: web}", "      labels: {team: a, app: web}")
    );
    assert!(conflicts.is_empty());
    let mut without = options(&[("team", "a")]);
    without.pod_templates = false;
    assert_eq!(label(DEPLOYMENT, &without).0.matches("team: a").count(), 1);
}

#[test]
fn claims_get_labels_when_asked_for() {
    let text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n  template: {spec: {}}\n  \
                volumeClaimTemplates:\n  - metadata:\n      name: data\n    spec: {}\n";
    let mut asked = options(&[("team", "a")]);
    assert_eq!(label(text, &asked).0.matches("team").count(), 2);
    asked.volume_claim_templates = true;
    let labelled = label(text, &asked).0;
    assert!(
        labelled.contains("  - metadata:\n      labels:\n        team: a\n      name: data\n"),
        "{labelled}"
    );
}

#[test]
fn values_that_are_there_stay_unless_told_otherwise() {
    let text = "kind: A\nmetadata:\n  name: x\n  labels:\n    team: b\n    n: 1\n    e:\n";
    let mut asked = options(&[("team", "a"), ("e", "x"), ("n", "1")]);
    let (kept, conflicts) = label(text, &asked);
    assert_eq!(kept, text.replace("    e:\n", "    e: x\n    \"n\": \"1\"\n"));
    assert_eq!(conflicts, ["A x: team stays \"b\" instead of \"a\""]);
    asked.on_conflict = OnConflict::Overwrite;
    let labelled = inject(&[Text { path: "t.yaml", text }], &asked).unwrap();
    assert!(labelled.texts[0].contains("    team: a\n"));
    let conflict = &labelled.report.conflicts[0];
    assert_eq!(conflict.to_string(), "A x: team was \"b\", is now \"a\" (t.yaml)");
    asked.on_conflict = OnConflict::Fail;
    let error = inject(&[Text { path: "t.yaml", text }], &asked).unwrap_err();
    assert!(error.to_string().contains("A x: team stays \"b\""), "{error}");
}

#[test]
fn selectors_match_afterwards_what_they_matched_before() {
    let service =
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {team: a}}\n";
    let text = format!("{DEPLOYMENT}{service}");
    let (labelled, conflicts) = label(&text, &options(&[("team", "a"), ("x", "y")]));
    // The pods would come under the service, so they get all but that.
    assert!(labelled.contains("      labels: {x: \"y\", app: web}"), "{labelled}");
    assert_eq!(
        conflicts,
        [
            "pod template of Deployment web: team does not become \"a\", for Service s selects by team=a"
        ]
    );
    let mut over = options(&[("app", "other")]);
    over.on_conflict = OnConflict::Overwrite;
    let (labelled, conflicts) = label(DEPLOYMENT, &over);
    assert!(labelled.contains("  labels:\n    app: other\n  name"));
    assert!(labelled.contains("      labels: {app: web}"));
    assert_eq!(conflicts.len(), 1);
    let absent = DEPLOYMENT.replace(
        "matchLabels: {app: web}",
        "matchExpressions: [{key: team, operator: DoesNotExist}]",
    );
    assert_eq!(label(&absent, &options(&[("team", "a")])).1.len(), 1);
    // A monitor selects services, not pods.
    let monitor = "---\napiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: m}\n\
                   spec: {selector: {matchLabels: {team: a}}}\n";
    assert!(label(&format!("{DEPLOYMENT}{monitor}"), &options(&[("team", "a")])).1.is_empty());
}

#[test]
fn lists_are_labelled_by_item_and_odd_objects_are_reported() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- kind: A\n  metadata: {name: x}\n- kind: B\n  metadata: [1]\n\
                - kind: C\n";
    let (labelled, conflicts) = label(text, &options(&[("team", "a")]));
    assert!(labelled.contains("  metadata: {team: a}") || labelled.contains("metadata: {labels: "));
    assert_eq!(conflicts, ["B: team can't be put, for metadata is malformed"]);
    assert!(
        labelled.contains("- kind: C\n  metadata:\n    labels:\n      team: a\n"),
        "{labelled}"
    );
    assert_eq!(objects(labelled.as_bytes()).unwrap()[2].labels()["team"], "a");
}

#[test]
fn what_stands_between_documents_stays() {
    let text = "# one\n---\n# Source: a\nkind: A\nmetadata: {name: a}\n\n---\n---\nkind: B\nmetadata:\n  name: b";
    let (labelled, _) = label(text, &options(&[("team", "a")]));
    assert_eq!(
        labelled,
        "# one\n---\n# Source: a\nkind: A\nmetadata: {labels: {\"team\":\"a\"}, name: a}\n\n---\n---\nkind: B\n\
         metadata:\n  labels:\n    team: a\n  name: b"
    );
}

#[test]
fn annotations_go_on_objects_alone() {
    let mut asked = Options::default();
    asked.set_annotation("x.io/who", "it's: me\n").unwrap();
    let (labelled, _) = label(DEPLOYMENT, &asked);
    assert_eq!(labelled.matches("x.io/who").count(), 1);
    let object = &objects(labelled.as_bytes()).unwrap()[0];
    assert_eq!(object.annotations()["x.io/who"], "it's: me\n");
}

#[test]
fn a_krm_function_reads_its_configuration() {
    let list = |config: &str| {
        format!(
            "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A\n  metadata:\n    name: x\n    \
             labels: {{team: b}}\nfunctionConfig: {config}\n"
        )
    };
    assert!(krm::is_resource_list(&list("{}")));
    assert!(!krm::is_resource_list("kind: ResourceList\n"));
    let run = |config: &str| krm::run(&list(config), &Options::default());
    let out = run("{data: {labels: 'a=b, team=c', instance: demo}}").unwrap();
    let object = &objects(out.as_bytes()).unwrap()[0];
    let labels: Vec<String> = object.labels().iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(
        labels.join(","),
        "a=b,app.kubernetes.io/instance=demo,app.kubernetes.io/managed-by=Helm,team=b"
    );
    assert!(out.contains("severity: warning"), "{out}");
    for (config, error) in [
        ("{spec: {lables: {}}}", "functionConfig: unknown field \"lables\""),
        ("{spec: {podTemplates: 1}}", "functionConfig: podTemplates must be true or false"),
        (
            "{spec: {onConflict: x}}",
            "functionConfig: onConflict: \"x\": must be keep, overwrite or fail",
        ),
        (
            "{spec: {requireSelector: team=z}}",
            "objects lack labels:\n  A x is not matched by team=z",
        ),
        (
            "{spec: {instance: '-'}}",
            "functionConfig: \"app.kubernetes.io/instance\": the value \"-\"",
        ),
    ] {
        let text = run(config).unwrap_err().to_string();
        assert!(text.starts_with(error), "{text}");
    }
}

#[test]
fn a_namespace_matches_the_selector_of_its_release() {
    let text = namespace("prod", &Options::release("demo", "web"));
    let selector: LabelSelector = "app.kubernetes.io/instance=demo".parse().unwrap();
    assert!(unmatched(&[Text { path: "", text: &text }], &[selector]).unwrap().is_empty());
}

#[test]
fn definitions_are_labelled_alike_with_and_without_their_schemas() {
    let schema =
        "        type: object\n        description: |\n          schema:\n            x: 'y'\n";
    let block = format!(
        "---\n# of a\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: \
         a\n  labels: {{team: b}}\nspec:\n  versions:\n  - name: v1\n    schema:\n      openAPIV3Schema:\n{}\n    \
         served: true\n",
        schema.repeat(200)
    );
    let flow = "{kind: CustomResourceDefinition, metadata: {name: b}, spec: {schema:\n  {a: b}}}\n";
    let odd = block.replace("        type: object\n", "     # comment\n        type: object\n");
    let mixed = format!(
        "{block}---\nkind: Deployment\nspec: {{schema: {{selector: {{matchLabels: {{team: c}}}}}}}}\n"
    );
    let empty = format!("{}\n---\n# nothing\n---\n", block.repeat(2));
    let texts =
        [&block, flow, &odd, &mixed, &empty, DEPLOYMENT].map(|text| Text { path: "p", text });
    let options = options(&[("team", "a"), ("app", "x")]);
    for texts in [&texts[..1], &texts[..2], &texts[2..3], &texts[3..], &texts] {
        let (skimmed, whole) =
            (inject(texts, &options), crate::inject::inject_whole(texts, &options));
        match (skimmed, whole) {
            (Ok(skimmed), Ok(whole)) => {
                assert_eq!(skimmed.texts, whole.texts);
                assert_eq!(format!("{:?}", skimmed.report), format!("{:?}", whole.report));
            }
            (skimmed, whole) => assert_eq!(format!("{skimmed:?}"), format!("{whole:?}")),
        }
    }
    let labelled = inject(&texts[..1], &options).unwrap();
    assert!(
        labelled.texts[0].contains("labels: {app: x, team: b}"),
        "{}",
        &labelled.texts[0][..300]
    );
}
