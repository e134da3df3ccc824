//! From the fleet file's text to its types.

use super::fields::{Fields, Source};
use super::{
    API_VERSION, CapabilityRule, Delivery, FleetFile, Gate, Layer, LayerContent, ReleaseSpec, Ring,
    TargetSource,
};
use crate::error::Error;
use crate::target::{self, Target};
use bowsprit_value::Map;
use bowsprit_yaml::{Document, Node, NodeType};
use std::collections::BTreeSet;

pub(super) const FLEET: &[&str] =
    &["apiVersion", "kind", "name", "targets", "rings", "capabilities", "releases", "delivery"];
pub(super) const TARGETS: &[&str] = &["clusters", "file", "kubestellar", "karmada"];
pub(super) const RING: &[&str] = &["name", "selector", "gate"];
pub(super) const GATE: &[&str] = &["soak", "expression"];
pub(super) const CAPABILITY: &[&str] = &["selector", "kubeVersion", "apiVersions", "snapshot"];
pub(super) const RELEASE: &[&str] = &[
    "name",
    "namespace",
    "releaseName",
    "chart",
    "repository",
    "version",
    "versions",
    "selector",
    "rings",
    "values",
    "labels",
    "seed",
    "includeCrds",
];
pub(super) const LAYER: &[&str] = &["selector", "file", "sops", "values", "set", "optional"];
pub(super) const DELIVERY: &[&str] = &["files", "kubestellar", "karmada", "clusters"];
pub(super) const KUBESTELLAR: &[&str] = &["spaces", "inventory"];
pub(super) const CONTEXT: &[&str] = &["context"];

/// One kind of delivery, or of content, must be said.
const LAYER_CONTENT: &[&str] = &["file", "sops", "values", "set"];

pub(super) fn read(name: &str, text: &[u8]) -> Result<FleetFile, Error> {
    let document = Document::parse_strict(text).map_err(|e| Error::new(name, e.to_string()))?;
    let source = Source { name };
    let root = document.root();
    if root.is_null() {
        return Err(Error::new(name, "the file is empty").hint("`bowsprit fleet init` writes one"));
    }
    let fields = Fields::new(source, root, String::new(), FLEET)?;
    check_head(&fields)?;
    let mut file = FleetFile { name: fields.required("name")?, ..FleetFile::default() };
    for (node, path) in fields.items("targets")? {
        file.targets.push(targets(&Fields::new(source, node, path, TARGETS)?)?);
    }
    for (node, path) in fields.items("rings")? {
        file.rings.push(ring(&Fields::new(source, node, path, RING)?)?);
    }
    for (node, path) in fields.items("capabilities")? {
        file.capabilities.push(capability(&Fields::new(source, node, path, CAPABILITY)?)?);
    }
    let mut names = BTreeSet::new();
    for (node, path) in fields.items("releases")? {
        let fields = Fields::new(source, node, path, RELEASE)?;
        let release = release(source, &fields, node, &file.rings)?;
        if !names.insert((release.name.clone(), release.namespace.clone())) {
            let (name, namespace) = (release.name, release.namespace);
            return Err(
                fields.refuse(format!("a second release {name:?} in namespace {namespace:?}"))
            );
        }
        file.releases.push(release);
    }
    if let Some(fields) = fields.below("delivery", DELIVERY)? {
        file.delivery = delivery(&fields)?;
    }
    Ok(file)
}

fn check_head(fields: &Fields<'_, '_>) -> Result<(), Error> {
    for (field, expected) in [("apiVersion", API_VERSION), ("kind", "Fleet")] {
        let found = fields.required(field)?;
        if found != expected
            && let Some(node) = fields.get(field)
        {
            let error =
                fields.error(node, field, format!("expected {expected:?}, found {found:?}"));
            return Err(error);
        }
    }
    Ok(())
}

/// The one field of several that is given.
fn one_of<'k>(fields: &Fields<'_, '_>, of: &[&'k str]) -> Result<&'k str, Error> {
    let given: Vec<&str> = of.iter().copied().filter(|field| fields.get(field).is_some()).collect();
    match given.as_slice() {
        [one] => Ok(one),
        [] => Err(fields.refuse(format!("one of these is missing: {}", of.join(", ")))),
        [one, other, ..] => {
            Err(fields.refuse(format!("{one} and {other} can't be given together")))
        }
    }
}

fn targets(fields: &Fields<'_, '_>) -> Result<TargetSource, Error> {
    let context = |field| -> Result<String, Error> {
        match fields.below(field, CONTEXT)? {
            Some(below) => below.required("context"),
            None => Ok(String::new()),
        }
    };
    Ok(match one_of(fields, TARGETS)? {
        "file" => TargetSource::File(fields.required("file")?),
        "kubestellar" => TargetSource::KubeStellar(context("kubestellar")?),
        "karmada" => TargetSource::Karmada(context("karmada")?),
        _ => TargetSource::Inline(clusters(fields, "clusters")?),
    })
}

fn clusters(fields: &Fields<'_, '_>, field: &str) -> Result<Vec<Target>, Error> {
    let items = fields.items(field)?.into_iter();
    items.map(|(node, path)| target::read(fields.source(), node, path)).collect()
}

fn ring(fields: &Fields<'_, '_>) -> Result<Ring, Error> {
    let mut gate = Gate::default();
    if let Some(below) = fields.below("gate", GATE)? {
        if let Some(soak) = below.text("soak")? {
            gate.soak_seconds = seconds(&soak).ok_or_else(|| {
                let node = below.get("soak").unwrap_or_else(|| below.node());
                below
                    .error(node, "soak", format!("{soak:?} is no duration"))
                    .hint("as 30m, 12h, 2d")
            })?;
        }
        gate.expression = below.text("expression")?;
    }
    Ok(Ring { name: fields.required("name")?, selector: fields.selector("selector")?, gate })
}

/// A duration of whole units: `90s`, `30m`, `12h`, `2d`, or several of them in one.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let mut total = 0u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let unit = match rest.as_bytes().get(digits)? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86400,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = rest.get(digits + 1..)?;
    }
    (!text.is_empty()).then_some(total)
}

fn capability(fields: &Fields<'_, '_>) -> Result<CapabilityRule, Error> {
    let rule = CapabilityRule {
        selector: fields.selector("selector")?,
        kube_version: fields.text("kubeVersion")?,
        api_versions: fields.texts("apiVersions")?,
        snapshot: fields.text("snapshot")?,
        line: fields.node().line(),
    };
    if rule.snapshot.is_some() && (rule.kube_version.is_some() || !rule.api_versions.is_empty()) {
        return Err(
            fields.refuse("snapshot can't be given together with kubeVersion or apiVersions")
        );
    }
    Ok(rule)
}

fn release(
    source: Source<'_>,
    fields: &Fields<'_, '_>,
    node: Node<'_>,
    rings: &[Ring],
) -> Result<ReleaseSpec, Error> {
    let mut release = ReleaseSpec {
        name: fields.required("name")?,
        namespace: fields.text("namespace")?.unwrap_or_else(|| "default".to_owned()),
        release_name: fields.text("releaseName")?,
        chart: fields.required("chart")?,
        repository: fields.text("repository")?,
        labels: fields.pairs("labels")?,
        version: fields.text("version")?,
        versions: fields.pairs("versions")?,
        selector: fields.selector("selector")?,
        rings: fields.texts("rings")?,
        include_crds: fields.get("includeCrds").is_none() || fields.switch("includeCrds")?,
        line: node.line(),
        ..ReleaseSpec::default()
    };
    if let Some(seed) = fields.get("seed") {
        let number = seed.as_f64().filter(|n| *n >= 0.0 && n.fract() == 0.0 && *n < 9e15);
        let number =
            number.ok_or_else(|| fields.error(seed, "seed", "expected a whole number from 0"))?;
        release.seed = Some(number as u64);
    }
    let versions = release.versions.iter().map(|(ring, _)| ("versions", ring));
    for (field, ring) in versions.chain(release.rings.iter().map(|ring| ("rings", ring))) {
        if !rings.iter().any(|known| known.name == *ring) {
            let node = fields.get(field).unwrap_or(node);
            return Err(fields.error(node, field, format!("no ring is called {ring:?}")));
        }
    }
    if let Some(node) = fields.get("rings").filter(|_| release.rings.is_empty()) {
        let error = fields.error(node, "rings", "no ring is named");
        return Err(error.hint("leave `rings` out where all clusters get the release"));
    }
    for (node, path) in fields.items("values")? {
        release.values.push(layer(source, node, path)?);
    }
    Ok(release)
}

fn layer(source: Source<'_>, node: Node<'_>, path: String) -> Result<Layer, Error> {
    if let Some(file) = node.as_str() {
        let path = String::from_utf8_lossy(&file).into_owned();
        let content = LayerContent::File { path, optional: false };
        return Ok(Layer { selector: Default::default(), content, line: node.line() });
    }
    let fields = Fields::new(source, node, path, LAYER)?;
    let optional = fields.switch("optional")?;
    let content = match one_of(&fields, LAYER_CONTENT)? {
        "file" => LayerContent::File { path: fields.required("file")?, optional },
        "sops" => LayerContent::Sops { path: fields.required("sops")?, optional },
        "set" => LayerContent::Set(fields.texts("set")?),
        _ => LayerContent::Values(values(&fields)?),
    };
    let no_file = matches!(content, LayerContent::Values(_) | LayerContent::Set(_));
    if no_file && fields.get("optional").is_some() {
        return Err(fields.refuse("optional is for files"));
    }
    Ok(Layer { selector: fields.selector("selector")?, content, line: node.line() })
}

fn values(fields: &Fields<'_, '_>) -> Result<Map, Error> {
    let Some(node) = fields.get("values") else { return Ok(Map::new()) };
    match node.node_type() {
        NodeType::Mapping => Ok(node.to_value().as_map().cloned().unwrap_or_default()),
        _ => Err(fields.error(node, "values", "expected a mapping")),
    }
}

fn delivery(fields: &Fields<'_, '_>) -> Result<Delivery, Error> {
    let context = |field| -> Result<String, Error> {
        match fields.below(field, CONTEXT)? {
            Some(below) => below.required("context"),
            None => Ok(String::new()),
        }
    };
    Ok(match one_of(fields, DELIVERY)? {
        "kubestellar" => match fields.below("kubestellar", KUBESTELLAR)? {
            Some(below) => Delivery::KubeStellar {
                spaces: below.texts("spaces")?,
                inventory: below.text("inventory")?,
            },
            None => Delivery::Files,
        },
        "karmada" => Delivery::Karmada { context: context("karmada")? },
        "clusters" => Delivery::Direct { context: context("clusters")? },
        _ => Delivery::Files,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<FleetFile, Error> {
        let head = "apiVersion: bowsprit.dev/v1alpha1\nkind: Fleet\nname: shop\n";
        read("f.yaml", format!("{head}{text}").as_bytes())
    }

    #[test]
    fn a_whole_file_is_read() {
        let file = parse(
            "targets:\n- clusters:\n  - {name: a, labels: {ring: canary}}\n- file: more.yaml\n\
             - kubestellar: {context: its1}\nrings:\n- {name: canary, selector: ring=canary, gate: {soak: 1h30m}}\n\
             - {name: stable}\ncapabilities:\n- {selector: {region: eu}, kubeVersion: '1.31'}\n\
             releases:\n- name: web\n  chart: ./web\n  version: '1.2'\n  versions: {canary: 1.3.0}\n  values:\n\
             \x20 - values/${environment}.yaml\n  - {file: x.yaml, optional: true}\n  - {selector: ring=canary, values: {a: 1}}\n\
             \x20 - {set: ['a=${name}']}\n  - {sops: s.yaml}\ndelivery: {kubestellar: {spaces: [wds1], inventory: its1}}\n",
        )
        .unwrap();
        assert_eq!(file.rings[0].gate.soak_seconds, 5400);
        assert_eq!(file.releases[0].values.len(), 5);
        assert_eq!(file.releases[0].namespace, "default");
        assert!(
            matches!(&file.delivery, Delivery::KubeStellar { spaces, .. } if spaces == &["wds1"])
        );
        assert_eq!(file.targets.len(), 3);
    }

    #[test]
    fn errors_name_the_place() {
        for (text, want) in [
            ("releases: {}\n", "f.yaml:4: releases: expected a list, found a mapping"),
            ("releases:\n- {name: a}\n", "f.yaml:5: releases[0]: chart is missing"),
            (
                "releases:\n- {name: a, chart: b, version: 1.10}\n",
                "f.yaml:5: releases[0].version: expected a string, found a number\n  write it in quotes",
            ),
            (
                "releases:\n- name: a\n  chart: b\n  values:\n  - {file: x, set: []}\n",
                "f.yaml:8: releases[0].values[0]: file and set can't be given together",
            ),
            (
                "rings:\n- {name: a, gate: {soak: soon}}\n",
                "f.yaml:5: rings[0].gate.soak: \"soon\" is no duration\n  as 30m, 12h, 2d",
            ),
            (
                "releases:\n- {name: a, chart: b, versions: {x: '1'}}\n",
                "f.yaml:5: releases[0].versions: no ring is called \"x\"",
            ),
            (
                "rings: [{name: x}]\nreleases:\n- name: a\n  chart: b\n  rings: [x, z]\n",
                "f.yaml:8: releases[0].rings: no ring is called \"z\"",
            ),
            (
                "releases:\n- {name: a, chart: b, rings: []}\n",
                "f.yaml:5: releases[0].rings: no ring is named\n  leave `rings` out where all clusters get the release",
            ),
            (
                "releases:\n- {name: a, chart: b}\n- {name: a, chart: c}\n",
                "f.yaml:6: releases[1]: a second release \"a\" in namespace \"default\"",
            ),
        ] {
            assert_eq!(format!("{:#}", parse(text).unwrap_err()), want, "{text}");
        }
    }

    #[test]
    fn durations_have_units() {
        for (text, want) in [
            ("90s", Some(90)),
            ("1h1m", Some(3660)),
            ("2d", Some(172_800)),
            ("", None),
            ("5", None),
            ("1w", None),
        ] {
            assert_eq!(seconds(text), want, "{text}");
        }
    }

    #[test]
    fn the_schema_has_the_same_fields() {
        let schema: serde_json::Value = serde_json::from_str(crate::SCHEMA).unwrap();
        let names = |pointer: &str| {
            let properties = schema.pointer(&format!("{pointer}/properties")).unwrap();
            let mut names: Vec<String> = properties.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        for (pointer, fields) in [
            ("", FLEET),
            ("/$defs/targets", TARGETS),
            ("/$defs/ring", RING),
            ("/$defs/gate", GATE),
            ("/$defs/capability", CAPABILITY),
            ("/$defs/release", RELEASE),
            ("/$defs/layer/anyOf/1", LAYER),
            ("/$defs/delivery", DELIVERY),
            ("/$defs/kubestellar", KUBESTELLAR),
            ("/$defs/context", CONTEXT),
            ("/$defs/cluster", target::TARGET),
        ] {
            let mut fields = fields.to_vec();
            fields.sort_unstable();
            assert_eq!(names(pointer), fields, "{pointer}");
        }
    }
}
