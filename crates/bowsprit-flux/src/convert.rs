//! From HelmReleases to the fleet file's entries and back, and from Helm's releases to HelmReleases.
//!
//! The fleet file is written as data: a map with the fields of its schema. What one side can say and the
//! other can't is named in the notes.

use crate::access::{flag, list, map, map_at, maps, some_text, text};
use crate::error::{Failure, Reason};
use crate::inventory::{Inventory, ObjectRef};
use crate::release::{ChartSource, ChartTemplate, HelmRelease};
use crate::source::url_of;
use crate::values;
use bowsprit_value::{Map, Value};
use std::collections::BTreeMap;

/// The API version of the fleet file.
const FLEET: &str = "bowsprit.dev/v1alpha1";
/// How often Flux looks, where nobody says.
const INTERVAL: &str = "10m";

/// Objects or a file that something was converted to, and what got lost.
#[derive(Clone, Debug, Default)]
pub struct Converted<T> {
    /// The outcome.
    pub output: T,
    /// What could not be taken over, one sentence each.
    pub notes: Vec<String>,
}

/// Fields of a HelmRelease that a release of the fleet file can't say.
const LOST: &[&str] = &[
    "commonMetadata",
    "dependsOn",
    "driftDetection",
    "install",
    "kubeConfig",
    "maxHistory",
    "postRenderers",
    "postRenderStrategy",
    "rollback",
    "serviceAccountName",
    "storageNamespace",
    "suspend",
    "test",
    "timeout",
    "uninstall",
    "upgrade",
];

/// Makes a fleet file of HelmReleases: one release each, with the values that Flux would hand to Helm.
///
/// # Errors
///
/// Where the values can't be put together, or the chart's source is not there.
pub fn to_fleet(name: &str, inventory: &Inventory) -> Result<Converted<Map>, Failure> {
    let mut notes = Vec::new();
    let mut releases = Vec::new();
    for release in inventory.helm_releases() {
        releases.push(Value::Map(fleet_release(&release, inventory, &mut notes)?));
    }
    let output = Map::from_entries([
        ("apiVersion".into(), FLEET.into()),
        ("kind".into(), "Fleet".into()),
        ("name".into(), name.into()),
        ("releases".into(), Value::list(releases)),
    ]);
    Ok(Converted { output, notes })
}

fn fleet_release(
    release: &HelmRelease,
    inventory: &Inventory,
    notes: &mut Vec<String>,
) -> Result<Map, Failure> {
    let who = format!("HelmRelease {}/{}", release.namespace, release.name);
    let Chart { chart, repository, version } = chart_of(release, inventory, notes)
        .map_err(|error| Failure::new(Reason::ArtifactFailed, format!("{who}: {error}")))?;
    let entry = Map::from_entries([
        ("name".into(), release.helm_release_name().into()),
        ("namespace".into(), release.release_namespace().into()),
        ("chart".into(), chart.into()),
    ]);
    if let Some(repository) = repository {
        entry.insert("repository".into(), repository.into());
    }
    if let Some(version) = version {
        entry.insert("version".into(), version.into());
    }
    let mut missing = Vec::new();
    let values = values::values(release, inventory, &mut missing)?;
    if release.values_from.iter().any(|reference| reference.kind == "Secret") {
        notes.push(format!(
            "{who}: values of Secrets are in the fleet file now; move them into a file for sops"
        ));
    }
    if !values.is_empty() {
        let layer = Map::from_entries([("values".into(), values.into())]);
        entry.insert("values".into(), Value::list(vec![layer.into()]));
    }
    let spec = map_at(&release.object, &["spec"]);
    for field in LOST.iter().filter(|field| spec.contains(field.as_bytes())) {
        notes.push(format!("{who}: spec.{field} has no counterpart in a fleet file"));
    }
    if !matches!(release.install.crds, Ok(crate::release::CrdsPolicy::Skip)) {
        entry.insert("includeCrds".into(), true.into());
    }
    Ok(entry)
}

/// A chart as a fleet file says it.
struct Chart {
    chart: String,
    /// The URL of the repository that has it.
    repository: Option<String>,
    version: Option<String>,
}

fn chart_of(
    release: &HelmRelease,
    inventory: &Inventory,
    notes: &mut Vec<String>,
) -> Result<Chart, String> {
    let find = |key: &ObjectRef| {
        let object = inventory.get(key).ok_or_else(|| crate::inventory::not_found(key))?;
        Ok::<Map, String>(map_at(object, &["spec"]))
    };
    let template = match &release.chart {
        ChartSource::Invalid => return Err("it has no chart, or two".to_owned()),
        ChartSource::Template(template) => template.clone(),
        ChartSource::Reference(key) if key.kind == "OCIRepository" => {
            let spec = find(key)?;
            let reference = map_at(&spec, &["ref"]);
            let version = some_text(&reference, "semver").or_else(|| some_text(&reference, "tag"));
            return Ok(Chart { chart: text(&spec, "url"), repository: None, version });
        }
        ChartSource::Reference(key) => crate::release::chart_template(&find(key)?, &key.namespace),
    };
    if !template.values_files.is_empty() {
        notes.push(format!(
            "HelmRelease {}/{}: the chart's values files {} have to become layers",
            release.namespace,
            release.name,
            template.values_files.join(", ")
        ));
    }
    Ok(template_chart(&template, &find(&template.source)?, notes))
}

fn template_chart(template: &ChartTemplate, source: &Map, notes: &mut Vec<String>) -> Chart {
    let url = url_of(&template.source.kind, source);
    let version = Some(template.version.clone()).filter(|version| version != "*");
    let chart = template.chart.clone();
    match template.source.kind.as_str() {
        "HelmRepository" if url.starts_with("oci://") || text(source, "type") == "oci" => {
            let chart = format!("{}/{chart}", url.trim_end_matches('/'));
            Chart { chart, repository: None, version }
        }
        "HelmRepository" => Chart { chart, repository: Some(url), version },
        kind => {
            notes.push(format!(
                "chart {chart} lies in {kind} {}: check it out beside the fleet file",
                template.source.name
            ));
            Chart { chart, repository: None, version: None }
        }
    }
}

/// Makes HelmReleases, with their repositories, of a fleet file's releases: the values of layers that hold
/// for all clusters go into `values`.
pub fn from_fleet(fleet: &Map, namespace: &str, known: &Known) -> Converted<Vec<Map>> {
    let mut converted = Converted::default();
    let mut repositories: BTreeMap<String, Map> = BTreeMap::new();
    let mut releases = Vec::new();
    for entry in maps(fleet, "releases") {
        releases.push(release_of(
            &entry,
            namespace,
            known,
            &mut repositories,
            &mut converted.notes,
        ));
    }
    converted.output = repositories.into_values().chain(releases).collect();
    converted
}

fn release_of(
    entry: &Map,
    namespace: &str,
    known: &Known,
    repositories: &mut BTreeMap<String, Map>,
    notes: &mut Vec<String>,
) -> Map {
    let name = text(entry, "name");
    for field in ["versions", "selector", "seed", "labels"] {
        if entry.contains(field.as_bytes()) {
            notes.push(format!("release {name}: {field} has no counterpart in a HelmRelease"));
        }
    }
    let mut values = Map::new();
    if list(entry, "values").iter().any(|layer| layer.as_map().is_none()) {
        notes.push(format!("release {name}: a layer that is a file is left out; put it into a ConfigMap or Secret and name it in valuesFrom"));
    }
    for layer in maps(entry, "values") {
        if layer.contains(b"selector") {
            notes.push(format!(
                "release {name}: a layer for some clusters is left out; use overrides"
            ));
        } else if let Some(table) = map(&layer, "values") {
            values = values::merged(&values, &table);
        } else {
            notes.push(format!("release {name}: a layer that is a file is left out; put it into a ConfigMap or Secret and name it in valuesFrom"));
        }
    }
    let chart = text(entry, "chart");
    let repository = match (some_text(entry, "repository"), chart.split_once('/')) {
        (Some(url), _) => {
            let url = known.repositories.get(&name).cloned().unwrap_or(url);
            Repository { name: repository_name(&url), url: Some(url) }
        }
        (None, Some((alias, _))) if !chart.starts_with('.') && !chart.contains("://") => {
            Repository { name: alias.to_owned(), url: known.url(alias) }
        }
        _ => Repository::default(),
    };
    let release = Source {
        release: name.clone(),
        target: some_text(entry, "namespace"),
        repository,
        chart,
        version: some_text(entry, "version"),
        include_crds: flag(entry, "includeCrds"),
    };
    release.to_object(namespace, values, repositories, notes)
}

#[derive(Clone, Default)]
struct Repository {
    name: String,
    url: Option<String>,
}

struct Source {
    release: String,
    target: Option<String>,
    repository: Repository,
    chart: String,
    version: Option<String>,
    include_crds: bool,
}

impl Source {
    fn to_object(
        &self,
        namespace: &str,
        values: Map,
        repositories: &mut BTreeMap<String, Map>,
        notes: &mut Vec<String>,
    ) -> Map {
        let spec = Map::from_entries([
            ("interval".into(), INTERVAL.into()),
            ("releaseName".into(), self.release.as_str().into()),
        ]);
        if let Some(target) = self.target.as_deref().filter(|target| *target != namespace) {
            spec.insert("targetNamespace".into(), target.into());
            let install = Map::from_entries([("createNamespace".into(), true.into())]);
            if !self.include_crds {
                install.insert("crds".into(), "Skip".into());
            }
            spec.insert("install".into(), install.into());
        } else if !self.include_crds {
            let install = Map::from_entries([("crds".into(), "Skip".into())]);
            spec.insert("install".into(), install.into());
        }
        self.set_chart(&spec, namespace, repositories, notes);
        if !values.is_empty() {
            spec.insert("values".into(), values.into());
        }
        object("helm.toolkit.fluxcd.io/v2", "HelmRelease", namespace, &self.release, spec)
    }

    fn set_chart(
        &self,
        spec: &Map,
        namespace: &str,
        repositories: &mut BTreeMap<String, Map>,
        notes: &mut Vec<String>,
    ) {
        let text = |text: &str| Value::from(text);
        if self.chart.starts_with("oci://") {
            let reference = Map::new();
            match &self.version {
                Some(version) => drop(reference.insert("semver".into(), text(version))),
                None => drop(reference.insert("semver".into(), text("*"))),
            }
            let layer = Map::from_entries([
                ("mediaType".into(), text("application/vnd.cncf.helm.chart.content.v1.tar+gzip")),
                ("operation".into(), text("copy")),
            ]);
            let source = Map::from_entries([
                ("interval".into(), text(INTERVAL)),
                ("url".into(), text(&self.chart)),
                ("ref".into(), reference.into()),
                ("layerSelector".into(), layer.into()),
            ]);
            let name = format!("{}-chart", self.release);
            let source =
                object("source.toolkit.fluxcd.io/v1", "OCIRepository", namespace, &name, source);
            repositories.insert(name.clone(), source);
            let chart = Map::from_entries([
                ("kind".into(), text("OCIRepository")),
                ("name".into(), text(&name)),
            ]);
            spec.insert("chartRef".into(), chart.into());
            return;
        }
        let chart = self.chart.rsplit('/').next().unwrap_or(&self.chart).to_owned();
        let Repository { name, url } = self.repository.clone();
        let name = if name.is_empty() { format!("{}-charts", self.release) } else { name };
        let url = url.unwrap_or_else(|| {
            notes.push(format!(
                "release {}: the URL of the repository of chart {} has to be filled in",
                self.release, self.chart
            ));
            "https://example.com/charts".to_owned()
        });
        let source =
            Map::from_entries([("interval".into(), text("1h")), ("url".into(), text(&url))]);
        let source =
            object("source.toolkit.fluxcd.io/v1", "HelmRepository", namespace, &name, source);
        repositories.insert(name.clone(), source);
        let reference = Map::from_entries([
            ("kind".into(), text("HelmRepository")),
            ("name".into(), text(&name)),
        ]);
        let chart = Map::from_entries([
            ("chart".into(), text(&chart)),
            ("sourceRef".into(), reference.into()),
        ]);
        if let Some(version) = &self.version {
            chart.insert("version".into(), text(version));
        }
        let template = Map::from_entries([("spec".into(), chart.into())]);
        spec.insert("chart".into(), template.into());
    }
}

/// A name for a repository, out of its URL.
fn repository_name(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = rest.chars().map(plain).take(63).collect();
    name.trim_matches('-').to_owned()
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str, spec: Map) -> Map {
    let metadata =
        Map::from_entries([("name".into(), name.into()), ("namespace".into(), namespace.into())]);
    Map::from_entries([
        ("apiVersion".into(), api_version.into()),
        ("kind".into(), kind.into()),
        ("metadata".into(), metadata.into()),
        ("spec".into(), spec.into()),
    ])
}

/// What only the user knows.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The URLs of repositories, by the name of the repository or of the release; that of the empty name
    /// is for all others.
    pub repositories: BTreeMap<String, String>,
    /// The releases' own values, by release name.
    pub values: BTreeMap<String, Map>,
}

impl Known {
    fn url(&self, name: &str) -> Option<String> {
        self.repositories.get(name).or_else(|| self.repositories.get("")).cloned()
    }
}

/// Makes HelmReleases of what `helm list -o json` (or yaml) prints. The chart's name and version are one
/// word there, so that a name with a number in it can be read wrong; the repository is not in it at all.
///
/// # Errors
///
/// For what is no list of releases.
pub fn from_helm_list(listed: &Value, known: &Known) -> Result<Converted<Vec<Map>>, String> {
    let Value::List(entries) = listed else {
        return Err("not a list of releases: give the output of `helm list -o json`".to_owned());
    };
    let mut converted = Converted::default();
    let mut repositories = BTreeMap::new();
    let mut releases = Vec::new();
    for entry in entries.iter().filter_map(Value::as_map) {
        let (name, chart) = (text(entry, "name"), text(entry, "chart"));
        let namespace = some_text(entry, "namespace").unwrap_or_else(|| "default".to_owned());
        let (chart, version) = split_chart(&chart)
            .ok_or_else(|| format!("release {name}: chart {chart:?} has no version"))?;
        let url = known.url(&name);
        let repository = Repository {
            name: url.as_deref().map(repository_name).unwrap_or_default(),
            url: url.clone().filter(|url| !url.starts_with("oci://")),
        };
        let chart = match url.filter(|url| url.starts_with("oci://")) {
            Some(url) => format!("{}/{chart}", url.trim_end_matches('/')),
            None => chart.to_owned(),
        };
        let source = Source {
            release: name.clone(),
            target: None,
            repository,
            chart,
            version: Some(version.to_owned()),
            include_crds: true,
        };
        let values = known.values.get(&name).cloned().unwrap_or_default();
        if !known.values.contains_key(&name) {
            converted.notes.push(format!(
                "release {name}: its values are not in the list; add what `helm get values {name} -n {namespace}` prints"
            ));
        }
        let mut own = BTreeMap::new();
        releases.push(source.to_object(&namespace, values, &mut own, &mut converted.notes));
        repositories
            .extend(own.into_iter().map(|(name, object)| ((namespace.clone(), name), object)));
    }
    converted.output = repositories.into_values().chain(releases).collect();
    Ok(converted)
}

/// Splits `podinfo-6.14.1`: the version begins behind the first dash that a digit follows and from which
/// on all reads as a version.
fn split_chart(chart: &str) -> Option<(&str, &str)> {
    chart.match_indices('-').find_map(|(at, _)| {
        let (name, version) = (chart.get(..at)?, chart.get(at + 1..)?);
        let bare = version.strip_prefix('v').unwrap_or(version);
        let is_version = bare.starts_with(|c: char| c.is_ascii_digit())
            && bare.split(['-', '+']).next().is_some_and(|numbers| numbers.contains('.'))
            && bowsprit_semver::Version::parse(version).is_ok();
        is_version.then_some((name, version))
    })
}

/// Whether a map is a fleet file.
pub fn is_fleet(value: &Map) -> bool {
    text(value, "kind") == "Fleet" && !list(value, "releases").is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_value::Meter;

    fn yaml(maps: &[Map]) -> String {
        let mut out = Vec::new();
        for map in maps {
            bowsprit_yaml::encode(&map.clone().into(), &mut out, &Meter::default()).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    const RELEASE: &str = "
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: podinfo}
spec: {url: https://stefanprodan.github.io/podinfo}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: podinfo}
spec:
  targetNamespace: web
  chart: {spec: {chart: podinfo, version: 6.x, sourceRef: {kind: HelmRepository, name: podinfo}}}
  values: {replicaCount: 2}
  timeout: 3m
";

    #[test]
    fn releases_go_to_a_fleet_file_and_back() {
        let mut inventory = Inventory::new("default");
        inventory.read("test", RELEASE.as_bytes()).unwrap();
        let fleet = to_fleet("shop", &inventory).unwrap();
        assert_eq!(
            yaml(std::slice::from_ref(&fleet.output)),
            "apiVersion: bowsprit.dev/v1alpha1\nkind: Fleet\nname: shop\nreleases:\n\
             - chart: podinfo\n  includeCrds: true\n  name: web-podinfo\n  namespace: web\n  \
             repository: https://stefanprodan.github.io/podinfo\n  values:\n  - values:\n      \
             replicaCount: 2\n  version: 6.x\n"
        );
        assert_eq!(
            fleet.notes,
            ["HelmRelease default/podinfo: spec.timeout has no counterpart in a fleet file"]
        );
        let back = from_fleet(&fleet.output, "default", &Known::default());
        assert!(back.notes.is_empty(), "{:?}", back.notes);
        let back = yaml(&back.output);
        for part in [
            "kind: HelmRepository\n",
            "  url: https://stefanprodan.github.io/podinfo\n",
            "      chart: podinfo\n",
            "      version: 6.x\n",
            "  releaseName: web-podinfo\n  targetNamespace: web\n  values:\n    replicaCount: 2\n",
        ] {
            assert!(back.contains(part), "{part}{back}");
        }
    }

    #[test]
    fn charts_are_split_from_their_versions() {
        for (chart, want) in [
            ("podinfo-6.14.1", Some(("podinfo", "6.14.1"))),
            ("ingress-nginx-4.0.0-beta.1", Some(("ingress-nginx", "4.0.0-beta.1"))),
            ("log4j-2-1.0.0", Some(("log4j-2", "1.0.0"))),
            ("cert-manager-v1.2.3", Some(("cert-manager", "v1.2.3"))),
            ("nothing", None),
        ] {
            assert_eq!(split_chart(chart), want, "{chart}");
        }
    }
}
