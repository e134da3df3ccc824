//! `bowsprit fleet` and `bowsprit promote`, from the first file to a promotion that is taken back.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bowsprit_testkit::repository;
use serde_json::Value;

use crate::program::program;

/// A folder that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("bowsprit-fleet-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(program()).args(args).current_dir(&self.0).output().unwrap()
    }

    fn out(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn error(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const TEMPLATE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: {{ .Values.registry }}/web:{{ .Chart.AppVersion }}
";

const FLEET: &str = "\
apiVersion: bowsprit.dev/v1alpha1
kind: Fleet
name: shop
targets:
- clusters:
  - {name: a, labels: {ring: canary, region: eu}}
  - {name: b, labels: {ring: stable, region: eu}}
  - {name: c, labels: {ring: stable, region: us}}
rings:
- {name: canary, selector: ring=canary}
- {name: stable, selector: ring=stable}
releases:
- name: web # the shop window
  namespace: shop
  chart: ./web
  values:
  - values/${region}.yaml
";

/// A fleet of one chart whose version lies in its name's folder, so that rings can differ.
fn fleet(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder
        .write("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.2.0\nappVersion: \"7\"\n");
    folder.write("web/values.yaml", "replicas: 2\nregistry: none\n");
    folder.write("web/templates/web.yaml", TEMPLATE);
    folder.write("values/eu.yaml", "registry: eu.example\n");
    folder.write("values/us.yaml", "registry: us.example\n");
    folder.write("bowsprit.yaml", FLEET);
    folder
}

#[test]
fn clusters_with_equal_inputs_share_a_render() {
    let folder = fleet("share");
    let plan: Value = serde_json::from_str(&folder.out(&["fleet", "plan", "-o", "json"])).unwrap();
    let groups = plan["releases"][0]["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["clusters"], serde_json::json!(["a", "b"]));
    assert_eq!(groups[1]["layers"], serde_json::json!(["values/us.yaml"]));
    let text = folder.out(&["fleet", "render"]);
    assert_eq!(text.matches("kind: Deployment").count(), 2, "{text}");
    assert!(text.contains("image: us.example/web:7"), "{text}");
}

#[test]
fn folders_follow_the_fleet() {
    let folder = fleet("folders");
    folder.out(&["fleet", "render", "--output-dir", "out"]);
    assert!(folder.read("out/c/shop.web.yaml").contains("us.example"));
    let without = FLEET.replace("  - {name: c, labels: {ring: stable, region: us}}\n", "");
    folder.write("bowsprit.yaml", &without);
    folder.write("out/c/mine.txt", "stays");
    let said = folder.out(&["fleet", "render", "--output-dir", "out"]);
    assert!(said.contains("2 files below out, 1 removed"), "{said}");
    assert!(!folder.0.join("out/c/shop.web.yaml").exists());
    assert_eq!(folder.read("out/c/mine.txt"), "stays");
    folder.write("values/eu.yaml", "registry: other.example\n");
    let diff = folder.run(&["fleet", "diff", "--against", "out", "--detailed-exitcode"]);
    assert_eq!(diff.status.code(), Some(2));
    let text = String::from_utf8(diff.stdout).unwrap();
    assert!(text.contains("other.example") && text.contains("2 clusters: a, b"), "{text}");
}

#[cfg(unix)]
#[test]
fn equal_files_can_be_links() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = fleet("links");
    let render = ["fleet", "render", "--output-dir", "out", "--layout", "links"];
    folder.out(&render);
    let inode = |cluster: &str| {
        let path = folder.0.join(format!("out/{cluster}/shop.web.yaml"));
        std::fs::metadata(path).unwrap().ino()
    };
    assert_eq!(inode("a"), inode("b"));
    assert_ne!(inode("a"), inode("c"));
    let before = folder.read("out/b/shop.web.yaml");
    // Clusters that differ by now get files of their own, and what was linked is not changed.
    folder.write("values/eu.yaml", "registry: new.example\n");
    let moved = FLEET.replace(
        "name: b, labels: {ring: stable, region: eu}",
        "name: b, labels: {ring: stable, region: us}",
    );
    folder.write("bowsprit.yaml", &moved);
    folder.out(&render);
    assert!(folder.read("out/a/shop.web.yaml").contains("new.example"));
    assert_eq!(folder.read("out/b/shop.web.yaml"), before.replace("eu.example", "us.example"));
    assert_eq!(inode("b"), inode("c"));
    let diff = folder.out(&["fleet", "diff", "--against", "out"]);
    assert_eq!(diff, "no changes\n");
}

#[test]
fn shards_cover_everything_once() {
    let folder = fleet("shards");
    for shard in ["0/2", "1/2"] {
        folder.out(&["fleet", "render", "--output-dir", "out", "--shard", shard]);
    }
    for cluster in ["a", "b", "c"] {
        assert!(folder.0.join(format!("out/{cluster}/shop.web.yaml")).exists(), "{cluster}");
    }
    assert!(folder.error(&["fleet", "render", "--shard", "2/2"]).contains("no shard"));
}

#[test]
fn space_expansion_is_proposed_where_strings_differ() {
    let folder = fleet("expand");
    let text = format!("{FLEET}delivery: {{kubestellar: {{spaces: [wds1]}}}}\n");
    folder.write("bowsprit.yaml", &text);
    let plan = folder.out(&["fleet", "plan", "--properties", "properties.yaml"]);
    assert!(plan.contains("template expansion on Deployment web"), "{plan}");
    let properties = folder.read("properties.yaml");
    assert!(properties.contains("name: c\n  namespace: customization-properties"), "{properties}");
    assert!(properties.contains("us.example/web:7"), "{properties}");
    folder.write("values/us.yaml", "registry: us.example\nreplicas: 3\n");
    let plan = folder.out(&["fleet", "plan"]);
    assert!(plan.contains("2 versions need 2 spaces and 1 are left"), "{plan}");
    assert!(plan.contains("spec.replicas differs and is no string"), "{plan}");
}

#[test]
fn plans_say_what_goes_where() {
    let folder = fleet("where");
    folder.write("values/us.yaml", "registry: us.example\nreplicas: 3\n");
    // A space for each ring; the stable ring's two versions differ in more than strings.
    let spaces =
        |spaces: &str| format!("{FLEET}delivery: {{kubestellar: {{spaces: [{spaces}]}}}}\n");
    folder.write("bowsprit.yaml", &spaces("wds1, wds2"));
    let plan = folder.out(&["fleet", "plan"]);
    assert!(plan.contains("2 versions for ring stable need 2 spaces and 1 are left"), "{plan}");
    folder.write("bowsprit.yaml", &spaces("wds1, wds2, wds3"));
    let plan = folder.out(&["fleet", "plan"]);
    for want in [
        "web in wds1: cluster a, through BindingPolicy shop-shop-web-canary",
        "web in wds2: cluster b, through BindingPolicy shop-shop-web-stable-1",
        "web in wds3: cluster c, through BindingPolicy shop-shop-web-stable-2",
    ] {
        assert!(plan.contains(want), "{want}: {plan}");
    }
    // Objects of other names share a space.
    let template = TEMPLATE.replace("  name: web\nspec", "  name: {{ .Release.Name }}\nspec");
    folder.write("web/templates/web.yaml", &template);
    let named = spaces("wds1").replace("  chart:", "  releaseName: web-${region}\n  chart:");
    folder.write("bowsprit.yaml", &named);
    let plan = folder.out(&["fleet", "plan"]);
    assert!(plan.contains("web-us in wds1: cluster c"), "{plan}");
    assert!(plan.contains("whose objects have names of their own"), "{plan}");
    folder.write("bowsprit.yaml", &format!("{FLEET}delivery: {{karmada: {{context: k}}}}\n"));
    let plan = folder.out(&["fleet", "plan"]);
    assert!(plan.contains("web in k: 3 clusters, through OverridePolicy"), "{plan}");
    assert!(
        plan.contains("2 versions: that of most clusters, and overrides for the others"),
        "{plan}"
    );
    // A policy for some of the clusters would take the release from the others.
    let error = folder.error(&["fleet", "apply", "--cluster", "a"]);
    assert!(error.contains("would take it from the others"), "{error}");
    let error = folder.error(&["fleet", "apply", "--ring", "canary"]);
    assert!(error.contains("one object serves clusters of all rings"), "{error}");
    folder.write("bowsprit.yaml", FLEET);
    let error = folder.error(&["fleet", "apply"]);
    assert!(error.contains("the fleet's delivery is files"), "{error}");
}

/// The schema is read by the validator of charts' values: the first file and ours pass, others don't.
#[test]
fn the_schema_is_published_and_knows_fleet_files() {
    let folder = fleet("schema");
    let schema = folder.out(&["fleet", "schema"]);
    let published = repository().join("docs/schemas/fleet.schema.json");
    assert_eq!(schema, std::fs::read_to_string(published).unwrap());
    folder.write("check/Chart.yaml", "apiVersion: v2\nname: check\nversion: 0.1.0\n");
    folder.write("check/values.schema.json", &schema);
    let check = ["template", "x", "check", "-f", "bowsprit.yaml"];
    folder.out(&check);
    folder.write("bowsprit.yaml", &FLEET.replace("  namespace: shop", "  namespaec: shop"));
    assert!(folder.error(&check).contains("namespaec"));
    folder.out(&["fleet", "init", "-f", "first.yaml"]);
    folder.out(&["template", "x", "check", "-f", "first.yaml"]);
}

#[test]
fn a_promotion_is_gated_recorded_and_taken_back() {
    let folder = fleet("promote");
    let text = FLEET.replace("  chart: ./web\n", "  chart: ./web\n  versions: {canary: 1.2.0}\n");
    folder.write("bowsprit.yaml", &text);
    let promote = ["promote", "web", "--from", "canary", "--to", "stable"];
    let held = folder.error(&promote);
    assert!(held.contains("cluster a has not reported Deployment web"), "{held}");
    assert_eq!(folder.read("bowsprit.yaml"), text, "a held promotion changes nothing");
    let status = |ready: u32| {
        format!(
            "kind: ResourceBinding\nspec: {{resource: {{apiVersion: apps/v1, kind: Deployment, namespace: shop, name: web}}}}\n\
             status:\n  aggregatedStatus:\n  - {{clusterName: a, applied: true, status: {{replicas: 2, updatedReplicas: 2, \
             readyReplicas: {ready}, availableReplicas: {ready}}}}}\n"
        )
    };
    let with_status: Vec<&str> =
        promote.iter().copied().chain(["--status", "status.yaml"]).collect();
    folder.write("status.yaml", &status(1));
    let held = folder.error(&with_status);
    assert!(held.contains("Deployment shop/web on a: readyReplicas is 1 of 2"), "{held}");
    folder.write("status.yaml", &status(2));
    folder.out(&with_status);
    let promoted = folder.read("bowsprit.yaml");
    assert!(promoted.contains("stable") && promoted.contains("# the shop window"), "{promoted}");
    let history = folder.out(&["promote", "web", "--history"]);
    assert_eq!(history.lines().count(), 1);
    folder.out(&["promote", "web", "--undo"]);
    assert_eq!(folder.read("bowsprit.yaml"), text, "the same bytes are back");
    assert!(folder.error(&["promote", "web", "--undo"]).contains("no promotion"));
}

#[test]
fn a_release_reaches_one_ring_after_the_other() {
    let folder = fleet("rings");
    folder.write("values/us.yaml", "registry: eu.example\n");
    folder.write("none.yaml", "");
    let text = FLEET.replace("  chart: ./web\n", "  chart: ./web\n  rings: [canary] # first\n")
        + "delivery: {kubestellar: {spaces: [wds1]}}\n";
    folder.write("bowsprit.yaml", &text);
    let canary = "web in wds1: cluster a, through BindingPolicy shop-shop-web-canary";
    let plan = folder.out(&["fleet", "plan"]);
    assert!(plan.contains(canary) && !plan.contains("shop-shop-web-stable"), "{plan}");

    let promote = ["promote", "web", "--from", "canary", "--to", "stable", "--force", "tried"];
    let said = folder.out(&[&promote[..], &["--status", "none.yaml"]].concat());
    assert!(said.contains("web: not there → the release for ring stable"), "{said}");
    assert!(said.contains("+kind: Deployment"), "{said}");
    assert!(said.contains("web: ring stable gets the release\n"), "{said}");
    let promoted = folder.read("bowsprit.yaml");
    assert_eq!(promoted, text.replace("[canary] # first", "[canary, stable] # first"));
    // The policy of the first ring stays as it was, and the second ring has one of its own.
    let plan = folder.out(&["fleet", "plan", "-o", "json"]);
    for policy in ["shop-shop-web-canary", "shop-shop-web-stable"] {
        assert!(plan.contains(policy), "{plan}");
    }
    let error = folder.error(&promote);
    assert!(error.contains("ring \"canary\" has no version"), "{error}");

    let said = folder.out(&["promote", "web", "--undo"]);
    assert_eq!(said, "web: ring stable does not have the release any more\n");
    assert_eq!(folder.read("bowsprit.yaml"), text, "the same bytes are back");
    folder.out(&[&promote[..], &["--status", "none.yaml"]].concat());
    folder.write("bowsprit.yaml", &folder.read("bowsprit.yaml").replace("shop window", "window"));
    folder.out(&["promote", "web", "--undo"]);
    let edited = folder.read("bowsprit.yaml");
    assert!(
        edited.contains("# the window") && edited.contains("rings: [\"canary\"] # first"),
        "{edited}"
    );
}

#[test]
fn objects_are_labelled_as_the_file_and_the_delivery_say() {
    let folder = fleet("labels");
    let labelled = FLEET.replace("  chart: ./web\n", "  chart: ./web\n  labels: {team: shop}\n");
    folder.write("bowsprit.yaml", &labelled);
    let text = folder.out(&["fleet", "render", "--cluster", "a"]);
    assert_eq!(text.matches("team: shop").count(), 2, "the object and its pods: {text}");
    assert!(!text.contains("app.kubernetes.io/instance"), "{text}");
    folder.write("bowsprit.yaml", &format!("{labelled}delivery: {{karmada: {{context: k}}}}\n"));
    let text = folder.out(&["fleet", "render", "--cluster", "a"]);
    assert!(
        text.contains("app.kubernetes.io/instance: web") && text.contains("team: shop"),
        "{text}"
    );
    folder.write("bowsprit.yaml", &labelled.replace("{team: shop}", "{team: 'a b'}"));
    let error = folder.error(&["fleet", "render"]);
    assert!(error.contains("labels: ") && error.contains("for clusters a, b"), "{error}");
}

#[test]
fn snapshots_say_what_clusters_offer() {
    let folder = fleet("snapshots");
    let template = "kind: ConfigMap\nmetadata: {name: seen}\ndata:\n  kube: {{ .Capabilities.KubeVersion }}\n  \
        site: {{ (lookup \"v1\" \"ConfigMap\" \"kube-system\" \"site\").data.name }}\n";
    folder.write("web/templates/seen.yaml", template);
    let snapshot = |region: &str| {
        format!(
            "apiVersion: bowsprit.dev/v1alpha1\nkind: TargetSnapshot\nkubeVersion: v1.33.1\napiVersions: [v1, apps/v1]\nobjects:\n\
             - {{apiVersion: v1, kind: ConfigMap, metadata: {{name: site, namespace: kube-system}}, data: {{name: site-{region}}}}}\n"
        )
    };
    folder.write("seen/eu.yaml", &snapshot("eu"));
    folder.write("seen/us.yaml", &snapshot("us"));
    folder.write(
        "bowsprit.yaml",
        &format!("{FLEET}capabilities:\n- snapshot: seen/${{region}}.yaml\n"),
    );
    let text = folder.out(&["fleet", "render"]);
    assert!(text.contains("site: site-eu") && text.contains("site: site-us"), "{text}");
    assert!(text.contains("kube: v1.33.1"), "{text}");
    folder.write(
        "bowsprit.yaml",
        &format!("{FLEET}capabilities:\n- snapshot: seen/${{zone}}.yaml\n"),
    );
    let error = folder.error(&["fleet", "plan"]);
    assert!(error.contains("cluster \"a\" has no label \"zone\""), "{error}");
}

#[test]
fn releases_may_be_called_otherwise_on_clusters() {
    let folder = fleet("names");
    folder.write(
        "web/templates/web.yaml",
        &TEMPLATE.replace("name: web\nspec", "name: {{ .Release.Name }}\nspec"),
    );
    let named = FLEET.replace("  chart: ./web\n", "  chart: ./web\n  releaseName: web-${ring}\n");
    folder.write("bowsprit.yaml", &named);
    let text = folder.out(&["fleet", "render"]);
    assert!(text.contains("name: web-canary") && text.contains("name: web-stable"), "{text}");
}

#[test]
fn the_first_file_works_and_errors_help() {
    let folder = Folder::new("init");
    let missing = folder.error(&["fleet", "plan"]);
    assert!(missing.contains("`bowsprit fleet init` writes a first one"), "{missing}");
    folder.out(&["fleet", "init"]);
    assert!(folder.error(&["fleet", "init"]).contains("exists already"));
    copy(&repository().join("fixtures/charts/mychart"), &folder.0.join("chart"));
    let plan = folder.out(&["fleet", "plan"]);
    assert!(plan.contains("cluster1"), "{plan}");
    let wrong = folder.read("bowsprit.yaml").replace("namespace: web", "namespaec: web");
    folder.write("bowsprit.yaml", &wrong);
    let error = folder.error(&["fleet", "plan"]);
    assert!(error.contains("did you mean \"namespace\"?"), "{error}");
    let unknown = folder.error(&["promote", "wbe", "--undo"]);
    assert!(unknown.contains("unknown field"), "{unknown}");
}

#[test]
fn the_report_is_one_page() {
    let folder = fleet("report");
    folder.out(&["fleet", "report", "--html", "fleet.html"]);
    let html = folder.read("fleet.html");
    assert!(html.starts_with("<!doctype html>") && html.contains("us.example"), "{}", html.len());
    assert_eq!(html.matches("</script>").count(), 1);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}
