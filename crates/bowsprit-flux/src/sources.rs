//! Charts as Flux's source-controller hands them out.

use crate::access::{flag, map_at, some_text, text};
use crate::error::{Failure, Reason};
use crate::inventory::{Inventory, ObjectRef, not_found};
use crate::postrender::pattern::matches;
use crate::release::{ChartSource, ChartTemplate, HelmRelease, chart_template};
use crate::values::{merged, read_table};
use bowsprit_chart::{Bytes, Chart};
use bowsprit_semver::{Constraint, Version};
use bowsprit_value::{Map, Meter, Str};
use std::fmt;

/// A version of a chart, as a repository's index lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartVersion {
    /// The version.
    pub version: String,
    /// Where its archive is.
    pub urls: Vec<String>,
    /// When it was made, in RFC 3339; of equal versions the newest counts.
    pub created: String,
}

/// Which image of an OCI repository is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageRef {
    /// The image that a tag names.
    Tag(String),
    /// The image with a manifest of this digest.
    Digest(String),
}

/// A chart from an OCI repository.
#[derive(Clone, Debug)]
pub struct ChartImage {
    /// The chart.
    pub chart: Chart,
    /// The digest of the image's manifest: `sha256:...`.
    pub digest: String,
}

/// Why something can't be fetched. `Display` is the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchError(pub String);

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FetchError {}

/// Where charts and files come from. URLs are those of Flux's source objects; this crate opens none.
pub trait Charts {
    /// All versions of a chart in a repository with an index; none where the index does not know it.
    ///
    /// # Errors
    ///
    /// Where there is no index.
    fn versions(&self, url: &str, chart: &str) -> Result<Option<Vec<ChartVersion>>, FetchError>;

    /// The chart of a version.
    ///
    /// # Errors
    ///
    /// Where its archive is not there, or no chart.
    fn archive(&self, url: &str, chart: &str, version: &ChartVersion) -> Result<Chart, FetchError>;

    /// All tags of an OCI repository.
    ///
    /// # Errors
    ///
    /// Where there is no such repository.
    fn tags(&self, url: &str) -> Result<Vec<String>, FetchError>;

    /// The chart in an OCI repository.
    ///
    /// # Errors
    ///
    /// Where there is no such image, or no chart in it.
    fn image(&self, url: &str, image: &ImageRef) -> Result<ChartImage, FetchError>;

    /// The chart at a path within a GitRepository or a Bucket: a folder or an archive.
    ///
    /// # Errors
    ///
    /// Where there is none.
    fn folder(&self, url: &str, path: &str) -> Result<Chart, FetchError>;

    /// A file within a GitRepository or a Bucket; none where it is not there.
    ///
    /// # Errors
    ///
    /// Where the source is not there, or the file can't be read.
    fn file(&self, url: &str, path: &str) -> Result<Option<Vec<u8>>, FetchError>;

    /// The names of the files below a folder within a GitRepository, a Bucket or an OCIRepository, as
    /// paths from its root; none where there is no such folder.
    ///
    /// # Errors
    ///
    /// Where the source is not there.
    fn files(&self, url: &str, path: &str) -> Result<Option<Vec<String>>, FetchError>;
}

/// A chart that is ready to be installed.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    pub(crate) chart: Chart,
    pub(crate) warnings: Vec<String>,
}

/// source-controller's reasons, as they begin its messages.
const REFERENCE: &str = "invalid chart reference";
const PULL: &str = "chart pull error";
const METADATA: &str = "chart metadata patch error";
const VALUES_FILES: &str = "values files merge error";

/// Finds and builds the chart of a HelmRelease.
pub(crate) fn chart(
    release: &HelmRelease,
    inventory: &Inventory,
    charts: &dyn Charts,
) -> Result<Built, Failure> {
    match &release.chart {
        ChartSource::Invalid => Err(Failure::new(
            Reason::InvalidSpec,
            "invalid Chart reference: either chart or chartRef must be set",
        )),
        ChartSource::Template(template) => {
            let namespace = template.source.namespace.clone();
            let name = format!("{}-{}", release.namespace, release.name);
            let key = ObjectRef::new("HelmChart", namespace, name);
            build(template, inventory, charts).map_err(|error| not_ready(&key, &error))
        }
        ChartSource::Reference(key) => referenced(key, inventory, charts),
    }
}

fn not_ready(key: &ObjectRef, error: &str) -> Failure {
    Failure::new(
        Reason::SourceNotReady,
        format!("{} '{}/{}' is not ready: {error}", key.kind, key.namespace, key.name),
    )
}

fn referenced(
    key: &ObjectRef,
    inventory: &Inventory,
    charts: &dyn Charts,
) -> Result<Built, Failure> {
    let Some(object) = inventory.get(key) else {
        let message = format!("could not get Source object: {}", not_found(key));
        return Err(Failure::new(Reason::ArtifactFailed, message));
    };
    let spec = map_at(object, &["spec"]);
    match key.kind.as_str() {
        "HelmChart" => {
            let mut template = chart_template(&spec, &key.namespace);
            let metadata = map_at(object, &["metadata"]);
            template.generation = text(&metadata, "generation").parse().unwrap_or(1);
            build(&template, inventory, charts).map_err(|error| not_ready(key, &error))
        }
        "OCIRepository" => from_image(key, &spec, charts),
        kind => Err(Failure::new(
            Reason::ArtifactFailed,
            format!("could not get Source object: charts from a {kind} are not supported here"),
        )),
    }
}

/// What source-controller makes of a HelmChart.
fn build(
    template: &ChartTemplate,
    inventory: &Inventory,
    charts: &dyn Charts,
) -> Result<Built, String> {
    let key = &template.source;
    let object =
        inventory.get(key).ok_or_else(|| format!("failed to get source: {}", not_found(key)))?;
    let spec = map_at(object, &["spec"]);
    let url = text(&spec, "url");
    match key.kind.as_str() {
        "HelmRepository" if text(&spec, "type") == "oci" || url.starts_with("oci://") => {
            from_registry(template, &url, charts)
        }
        "HelmRepository" => from_repository(template, &url, charts),
        "GitRepository" | "Bucket" => from_folder(template, &source_url(key, &spec), charts),
        kind => Err(format!(
            "unsupported source kind '{kind}', must be one of: [HelmRepository GitRepository Bucket]"
        )),
    }
}

/// The URL of a source; that of a bucket is made up of its endpoint and name.
pub(crate) fn source_url(key: &ObjectRef, spec: &Map) -> String {
    if key.kind == "Bucket" {
        return format!("{}/{}", text(spec, "endpoint"), text(spec, "bucketName"));
    }
    text(spec, "url")
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("{REFERENCE}: no name set for remote chart reference"));
    }
    match matches(r"^([-a-z0-9]+/?\.?)+$", name) {
        Ok(true) => Ok(()),
        _ => Err(format!(
            "{REFERENCE}: invalid chart name '{name}': a valid name must be lower case letters and \
             numbers and MAY be separated with dashes (-), slashes (/) or periods (.)"
        )),
    }
}

fn from_repository(
    template: &ChartTemplate,
    url: &str,
    charts: &dyn Charts,
) -> Result<Built, String> {
    check_name(&template.chart)?;
    let failed = |reason: &str, why: &dyn fmt::Display| {
        format!("{reason}: failed to get chart version for remote reference: {why}")
    };
    let versions = charts.versions(url, &template.chart).map_err(|e| failed(PULL, &e))?;
    let versions = versions.ok_or_else(|| failed(REFERENCE, &"no chart name found"))?;
    let version = pick(&template.chart, &template.version, versions)
        .map_err(|error| failed(REFERENCE, &error))?;
    let mut chart = charts
        .archive(url, &template.chart, &version)
        .map_err(|e| format!("{PULL}: failed to download chart for remote reference: {e}"))?;
    let files = merge_files(template, &mut chart)?;
    Ok(Built { chart, warnings: files })
}

fn from_registry(
    template: &ChartTemplate,
    url: &str,
    charts: &dyn Charts,
) -> Result<Built, String> {
    check_name(&template.chart)?;
    let url = format!("{}/{}", url.trim_end_matches('/'), template.chart);
    let failed = |reason: &str, why: &dyn fmt::Display| {
        format!("{reason}: failed to get chart version for remote reference: {why}")
    };
    let tags = charts.tags(&url).map_err(|e| failed(PULL, &e))?;
    let versions = tags
        .iter()
        .map(|tag| ChartVersion {
            version: tag.replace('_', "+"),
            urls: vec![tag.clone()],
            created: String::new(),
        })
        .collect();
    let version = pick(&template.chart, &template.version, versions)
        .map_err(|error| failed(REFERENCE, &error))?;
    let tag = version.urls.first().cloned().unwrap_or_default();
    let image = charts
        .image(&url, &ImageRef::Tag(tag))
        .map_err(|e| format!("{PULL}: failed to download chart for remote reference: {e}"))?;
    let mut chart = image.chart;
    let files = merge_files(template, &mut chart)?;
    Ok(Built { chart, warnings: files })
}

/// The version that is meant: the very one, else the highest that fits the range.
fn pick(chart: &str, wanted: &str, versions: Vec<ChartVersion>) -> Result<ChartVersion, String> {
    if versions.is_empty() {
        return Err("no chart version found".to_owned());
    }
    if let Some(exact) = versions.iter().find(|version| version.version == wanted) {
        return Ok(exact.clone());
    }
    let range = if wanted.is_empty() { "*" } else { wanted };
    let range = Constraint::parse(range).map_err(|error| error.to_string())?;
    let fitting = versions.into_iter().filter_map(|entry| {
        let version = Version::parse(&entry.version).ok()?;
        range.check(&version).then_some((version, entry))
    });
    let highest = fitting.reduce(|best, next| {
        let order = next.0.compare(&best.0).then_with(|| next.1.created.cmp(&best.1.created));
        if order.is_gt() { next } else { best }
    });
    let missing = || format!("no '{chart}' chart with version matching '{wanted}' found");
    highest.map(|(_, entry)| entry).ok_or_else(missing)
}

/// The values files, unless they are the one that the chart has anyway.
fn wanted_files(template: &ChartTemplate) -> &[String] {
    match template.values_files.as_slice() {
        [only] if clean(only) == "values.yaml" => &[],
        files => files,
    }
}

fn clean(path: &str) -> String {
    let path = bowsprit_chart::path::clean(path.as_bytes());
    String::from_utf8_lossy(&path).into_owned()
}

/// Puts the chart's values files in the place of its values, and marks its version.
fn merge_files(template: &ChartTemplate, chart: &mut Chart) -> Result<Vec<String>, String> {
    let files = wanted_files(template);
    if files.is_empty() {
        return Ok(Vec::new());
    }
    set_metadata(chart, &template.generation.to_string())?;
    let mut values = Map::new();
    let fail = |why: String| format!("{VALUES_FILES}: failed to merge chart values: {why}");
    for path in files {
        let name = clean(path);
        if name == "values.yaml" {
            values = merged(&values, &chart.values);
            continue;
        }
        let Some(file) = chart.file(&name) else {
            if template.ignore_missing_values_files {
                continue;
            }
            return Err(fail(format!("no values file found at path '{path}'")));
        };
        let table = read_values_file(path, file.data.as_bytes()).map_err(fail)?;
        values = merged(&values, &table);
    }
    overwrite(chart, &values)?;
    Ok(Vec::new())
}

fn read_values_file(path: &str, text: &[u8]) -> Result<Map, String> {
    read_table(text).map_err(|error| {
        let error = error.replace("common.Values", "map[string]interface {}");
        format!("unmarshaling values from '{path}' failed: {error}")
    })
}

fn overwrite(chart: &mut Chart, values: &Map) -> Result<(), String> {
    if chart.values_source.is_none() {
        return Err(format!("{VALUES_FILES}: failed to locate values file: values.yaml"));
    }
    let mut text = Vec::new();
    let value = values.clone().into();
    bowsprit_yaml::encode(&value, &mut text, &Meter::default())
        .map_err(|error| format!("{VALUES_FILES}: {error}"))?;
    // The chart is packaged and read again.
    chart.values = read_table(&text).map_err(|error| format!("{VALUES_FILES}: {error}"))?;
    chart.values_source = Some(Bytes::from(text));
    Ok(())
}

/// Adds build metadata to the chart's version.
fn set_metadata(chart: &mut Chart, metadata: &str) -> Result<(), String> {
    let version = Version::parse(&chart.metadata.version).map_err(|error| {
        format!("{METADATA}: failed to parse version from chart metadata as SemVer: {error}")
    })?;
    let version = version.set_metadata(metadata).map_err(|error| {
        format!("{METADATA}: failed to set SemVer metadata on chart version: {error}")
    })?;
    chart.metadata.version = version.to_string();
    Ok(())
}

/// A chart from a GitRepository or a Bucket. Its values files lie beside it, not in it.
fn from_folder(template: &ChartTemplate, url: &str, charts: &dyn Charts) -> Result<Built, String> {
    let mut chart =
        charts.folder(url, &template.chart).map_err(|error| format!("{REFERENCE}: {error}"))?;
    let mut warnings = Vec::new();
    if template.by_revision {
        warnings.push(format!(
            "reconcileStrategy Revision: the version of chart {} is left without the commit, which \
             is not known here",
            chart.metadata.name
        ));
    }
    let files = wanted_files(template);
    if !files.is_empty() {
        set_metadata(&mut chart, &template.generation.to_string())?;
        let mut values = Map::new();
        for path in files {
            let text =
                charts.file(url, &clean(path)).map_err(|e| format!("{VALUES_FILES}: {e}"))?;
            let Some(text) = text else {
                if template.ignore_missing_values_files {
                    continue;
                }
                let why =
                    format!("no values file found at path '/{}' (reference '{path}')", clean(path));
                return Err(format!("{VALUES_FILES}: {why}"));
            };
            let table =
                read_values_file(path, &text).map_err(|e| format!("{VALUES_FILES}: {e}"))?;
            values = merged(&values, &table);
        }
        overwrite(&mut chart, &values)?;
    }
    Ok(Built { chart, warnings })
}

fn from_image(key: &ObjectRef, spec: &Map, charts: &dyn Charts) -> Result<Built, Failure> {
    let url = text(spec, "url");
    let wanted = image_ref(spec, &url, charts).map_err(|error| {
        let error = format!("failed to determine the artifact tag for '{url}': {error}");
        not_ready(key, &error)
    })?;
    let image = charts.image(&url, &wanted).map_err(|error| {
        not_ready(key, &format!("failed to pull artifact from '{url}': {error}"))
    })?;
    let mut chart = image.chart;
    mutate(&mut chart, &wanted, &image.digest)?;
    let mut warnings = Vec::new();
    if flag(&map_at(spec, &["verify"]), "provider") || spec.contains(b"verify") {
        warnings.push(format!("{key}: signatures are not verified here"));
    }
    Ok(Built { chart, warnings })
}

fn image_ref(spec: &Map, url: &str, charts: &dyn Charts) -> Result<ImageRef, String> {
    let reference = map_at(spec, &["ref"]);
    if let Some(digest) = some_text(&reference, "digest") {
        return Ok(ImageRef::Digest(digest));
    }
    let Some(range) = some_text(&reference, "semver") else {
        let tag = some_text(&reference, "tag");
        return Ok(ImageRef::Tag(tag.unwrap_or_else(|| "latest".to_owned())));
    };
    let filter = text(&reference, "semverFilter");
    let constraint = Constraint::parse(&range)
        .map_err(|error| format!("semver '{range}' parse error: {error}"))?;
    let tags = charts.tags(url).map_err(|error| error.to_string())?;
    let mut best: Option<(Version, String)> = None;
    for tag in tags {
        if !filter.is_empty() && !matches(&filter, &tag)? {
            continue;
        }
        let Ok(version) = Version::parse(&tag) else { continue };
        let higher = best.as_ref().is_none_or(|(highest, _)| version.greater_than(highest));
        if constraint.check(&version) && higher {
            best = Some((version, tag));
        }
    }
    let missing = || format!("no match found for semver: {range}");
    best.map(|(_, tag)| ImageRef::Tag(tag)).ok_or_else(missing)
}

/// Adds the image's digest to the chart's version. A tag that is a version must be the chart's.
fn mutate(chart: &mut Chart, wanted: &ImageRef, digest: &str) -> Result<(), Failure> {
    let fail = |message: String| Failure::new(Reason::ChartMutateError, message);
    let shown = chart.metadata.version.clone();
    let version =
        Version::parse(&shown).map_err(|_| fail(format!("invalid chart version {shown}")))?;
    if let ImageRef::Tag(tag) = wanted
        && let Ok(tagged) = Version::parse(tag)
        && !tagged.equal(&version)
    {
        let text = format!("artifact revision {tag} does not match chart version {shown}");
        return Err(fail(text));
    }
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    let short = Str::from(hex.get(..12).unwrap_or(hex));
    let version = version.set_metadata(&short).map_err(|error| fail(error.to_string()))?;
    chart.metadata.version = version.to_string();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &str, want: &str) {
        let versions = ["1.0.0", "2.0.0", "1.2.0", "1.3.0-beta.1", "1.2.0+b"];
        let versions = versions.iter().enumerate().map(|(day, version)| ChartVersion {
            version: (*version).to_owned(),
            urls: Vec::new(),
            created: format!("2024-01-0{day}"),
        });
        let picked = pick("web", wanted, versions.collect());
        assert_eq!(picked.map_or_else(|e| e, |v| v.version), want, "{wanted}");
    }

    #[test]
    fn the_highest_version_that_fits_is_picked() {
        check("*", "2.0.0");
        check("", "2.0.0");
        check("1.x", "1.2.0+b");
        check("1.2.0", "1.2.0");
        check(">=1.0.0-0 <1.4.0", "1.3.0-beta.1");
        check("9.x", "no 'web' chart with version matching '9.x' found");
    }
}
