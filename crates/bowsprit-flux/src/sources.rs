//! Charts as Flux's source-controller hands them out.

use crate::access::{map_at, some_text, text};
use crate::dependencies;
use crate::error::{Failure, Reason};
use crate::ignored;
use crate::inventory::{Inventory, ObjectRef, not_found};
use crate::postrender::pattern::matches;
use crate::release::{ChartSource, ChartTemplate, HelmRelease, chart_template};
use crate::source::Source;
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
    /// The SHA-256 of its archive; empty where the index does not say.
    pub digest: String,
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

/// A chart from a folder of files.
#[derive(Clone, Debug)]
pub struct FolderChart {
    /// The chart.
    pub chart: Chart,
    /// Whether it is a packaged chart: then its dependencies are not completed.
    pub packaged: bool,
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
    fn versions(
        &self,
        source: &Source,
        chart: &str,
    ) -> Result<Option<Vec<ChartVersion>>, FetchError>;

    /// The chart of a version.
    ///
    /// # Errors
    ///
    /// Where its archive is not there, or no chart.
    fn archive(
        &self,
        source: &Source,
        chart: &str,
        version: &ChartVersion,
    ) -> Result<Chart, FetchError>;

    /// All tags of an OCI repository.
    ///
    /// # Errors
    ///
    /// Where there is no such repository.
    fn tags(&self, source: &Source) -> Result<Vec<String>, FetchError>;

    /// The chart in an OCI repository.
    ///
    /// # Errors
    ///
    /// Where there is no such image, or no chart in it.
    fn image(&self, source: &Source, image: &ImageRef) -> Result<ChartImage, FetchError>;

    /// The chart at a path within a GitRepository or a Bucket: a folder or an archive.
    ///
    /// # Errors
    ///
    /// Where there is none.
    fn folder(&self, source: &Source, path: &str) -> Result<FolderChart, FetchError>;

    /// The commit that a GitRepository stands at; none where that is not known.
    ///
    /// # Errors
    ///
    /// Where the source is not there.
    fn commit(&self, source: &Source) -> Result<Option<String>, FetchError> {
        let _ = source;
        Ok(None)
    }

    /// A file within a GitRepository or a Bucket; none where it is not there.
    ///
    /// # Errors
    ///
    /// Where the source is not there, or the file can't be read.
    fn file(&self, source: &Source, path: &str) -> Result<Option<Vec<u8>>, FetchError>;

    /// The names of the files below a folder within a GitRepository, a Bucket or an OCIRepository, as
    /// paths from its root; none where there is no such folder.
    ///
    /// # Errors
    ///
    /// Where the source is not there.
    fn files(&self, source: &Source, path: &str) -> Result<Option<Vec<String>>, FetchError>;
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
/// The media type of a chart's archive in an image.
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const DEPENDENCIES: &str = "dependency build error";

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
        "OCIRepository" => from_image(key, &spec, inventory, charts),
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
    let source = Source::of(key, &spec, inventory);
    match key.kind.as_str() {
        "HelmRepository" if text(&spec, "type") == "oci" || is_oci(&source.url) => {
            from_registry(template, &source, charts)
        }
        "HelmRepository" => from_repository(template, &source, charts),
        "GitRepository" | "Bucket" => {
            Folder { template, source: &source, inventory, charts }.build()
        }
        kind => Err(format!(
            "unsupported source kind '{kind}', must be one of: [HelmRepository GitRepository Bucket]"
        )),
    }
}

/// Whether a URL is that of a registry.
pub(crate) fn is_oci(url: &str) -> bool {
    url.starts_with("oci://")
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
    source: &Source,
    charts: &dyn Charts,
) -> Result<Built, String> {
    check_name(&template.chart)?;
    let failed = |reason: &str, why: &dyn fmt::Display| {
        format!("{reason}: failed to get chart version for remote reference: {why}")
    };
    let versions = charts.versions(source, &template.chart).map_err(|e| failed(PULL, &e))?;
    let versions = versions.ok_or_else(|| failed(REFERENCE, &"no chart name found"))?;
    let version = pick(&template.chart, &template.version, versions)
        .map_err(|error| failed(REFERENCE, &error))?;
    let mut chart = charts
        .archive(source, &template.chart, &version)
        .map_err(|e| format!("{PULL}: failed to download chart for remote reference: {e}"))?;
    let files = merge_files(template, &mut chart)?;
    Ok(Built { chart, warnings: files })
}

fn from_registry(
    template: &ChartTemplate,
    source: &Source,
    charts: &dyn Charts,
) -> Result<Built, String> {
    check_name(&template.chart)?;
    let source = source.below(&template.chart);
    let tag = tag_of(template, &source, charts).map_err(|why| {
        format!("{PULL}: failed to get chart version for remote reference: {why}")
    })?;
    let image = charts.image(&source, &ImageRef::Tag(tag.replace('+', "_"))).map_err(|why| {
        let url = &source.url;
        format!(
            "{PULL}: failed to download chart for remote reference: failed to get '{url}:{tag}': {why}"
        )
    })?;
    let mut chart = image.chart;
    let files = merge_files(template, &mut chart)?;
    Ok(Built { chart, warnings: files })
}

/// The tag of a version in a registry, with `+` for `_`. A whole version is taken at its word.
fn tag_of(
    template: &ChartTemplate,
    source: &Source,
    charts: &dyn Charts,
) -> Result<String, String> {
    let (name, wanted) = (&template.chart, &template.version);
    if full_version(wanted).is_some() {
        return Ok(wanted.clone());
    }
    let tags = charts.tags(source).map_err(|error| {
        format!(
            "could not get tags for \"{name}\": could not fetch tags for \"{}\": {error}",
            source.url
        )
    })?;
    if tags.is_empty() {
        return Err(format!(
            "could not get tags for \"{name}\": unable to locate any tags in provided repository: {}",
            source.url
        ));
    }
    Constraint::parse(wanted).map_err(|error| error.to_string())?;
    let picked = pick(name, wanted, tagged(&tags)).map_err(|_| {
        format!("could not locate a version matching provided version string {wanted}")
    })?;
    Ok(picked.version)
}

/// Tags as versions; each has the tag for its URL.
pub(crate) fn tagged(tags: &[String]) -> Vec<ChartVersion> {
    let version = |tag: &String| ChartVersion {
        version: tag.replace('_', "+"),
        urls: vec![tag.clone()],
        ..ChartVersion::default()
    };
    tags.iter().map(version).collect()
}

/// The version that is meant: the very one, else the highest that fits the range.
pub(crate) fn pick(
    chart: &str,
    wanted: &str,
    versions: Vec<ChartVersion>,
) -> Result<ChartVersion, String> {
    if versions.is_empty() {
        return Err("no chart version found".to_owned());
    }
    if let Some(exact) = versions.iter().find(|version| version.version == wanted) {
        return Ok(exact.clone());
    }
    let range = if wanted.is_empty() { "*" } else { wanted };
    let range = Constraint::parse(range).map_err(|error| error.to_string())?;
    let fitting = versions.into_iter().filter_map(|entry| {
        let version = full_version(&entry.version)?;
        range.check(&version).then_some((version, entry))
    });
    let highest = fitting.reduce(|best, next| {
        let order = next.0.compare(&best.0).then_with(|| next.1.created.cmp(&best.1.created));
        if order.is_gt() { next } else { best }
    });
    let missing = || format!("no '{chart}' chart with version matching '{wanted}' found");
    highest.map(|(_, entry)| entry).ok_or_else(missing)
}

/// A version as Flux takes it among others: it has all three numbers.
fn full_version(text: &str) -> Option<Version> {
    if text.splitn(3, '.').count() != 3 {
        return None;
    }
    Version::parse(text).ok()
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
struct Folder<'f> {
    template: &'f ChartTemplate,
    source: &'f Source,
    inventory: &'f Inventory,
    charts: &'f dyn Charts,
}

impl Folder<'_> {
    fn build(&self) -> Result<Built, String> {
        let template = self.template;
        let found = self
            .charts
            .folder(self.source, &template.chart)
            .map_err(|error| format!("{REFERENCE}: {error}"))?;
        let mut chart = found.chart;
        let mut warnings = Vec::new();
        if !found.packaged {
            ignored::leave_out(&mut chart);
        }
        let files = wanted_files(template);
        let metadata = self.metadata(files, &chart, &mut warnings)?;
        if !metadata.is_empty() {
            set_metadata(&mut chart, &metadata)?;
        }
        if !files.is_empty() {
            overwrite(&mut chart, &self.values(files)?)?;
        }
        if !found.packaged {
            dependencies::complete(&mut chart, template, self.source, self.inventory, self.charts)
                .map_err(|error| format!("{DEPENDENCIES}: {error}"))?;
        }
        Ok(Built { chart, warnings })
    }

    /// What is added to the chart's version: the commit, where that is wanted, and the generation.
    fn metadata(
        &self,
        files: &[String],
        chart: &Chart,
        warnings: &mut Vec<String>,
    ) -> Result<String, String> {
        let mut parts = Vec::new();
        if self.template.by_revision {
            let commit = self.charts.commit(self.source).map_err(|error| error.to_string())?;
            match commit.as_deref().and_then(|commit| commit.get(..12)) {
                Some(short) => parts.push(short.to_owned()),
                None => warnings.push(format!(
                    "reconcileStrategy Revision: the version of chart {} is left without the commit, \
                     which is not known here",
                    chart.metadata.name
                )),
            }
        }
        if !files.is_empty() {
            parts.push(self.template.generation.to_string());
        }
        Ok(parts.join("."))
    }

    fn values(&self, files: &[String]) -> Result<Map, String> {
        let mut values = Map::new();
        for path in files {
            let text = self
                .charts
                .file(self.source, &clean(path))
                .map_err(|e| format!("{VALUES_FILES}: {e}"))?;
            let Some(text) = text else {
                if self.template.ignore_missing_values_files {
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
        Ok(values)
    }
}

fn from_image(
    key: &ObjectRef,
    spec: &Map,
    inventory: &Inventory,
    charts: &dyn Charts,
) -> Result<Built, Failure> {
    let source = Source::of(key, spec, inventory);
    let url = &source.url;
    let wanted = image_ref(spec, &source, charts).map_err(|error| {
        let error = format!("failed to determine the artifact tag for '{url}': {error}");
        not_ready(key, &error)
    })?;
    let image = charts.image(&source, &wanted).map_err(|error| {
        not_ready(key, &format!("failed to pull artifact from '{url}': {error}"))
    })?;
    let mut chart = image.chart;
    if text(&map_at(spec, &["layerSelector"]), "operation") != "copy" {
        // The archive is unpacked and packed again.
        ignored::leave_out(&mut chart);
    }
    mutate(&mut chart, &wanted, &image.digest)?;
    let mut warnings = Vec::new();
    if spec.contains(b"verify") {
        warnings.push(format!("{key}: signatures are not verified here"));
    }
    if source.ignore.is_some() {
        warnings.push(format!("{key}: spec.ignore is not followed here"));
    }
    Ok(Built { chart, warnings })
}

fn image_ref(spec: &Map, source: &Source, charts: &dyn Charts) -> Result<ImageRef, String> {
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
    let tags = charts.tags(source).map_err(|error| error.to_string())?;
    // Only of such layers it is known that `_` stands for `+`.
    let is_chart = source.layer.as_deref() == Some(CHART_LAYER);
    let mut best: Option<(Version, String)> = None;
    for tag in tags {
        if !filter.is_empty() && !matches(&filter, &tag)? {
            continue;
        }
        let shown = if is_chart { tag.replace('_', "+") } else { tag.clone() };
        let Some(version) = full_version(&shown) else { continue };
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
        && let Ok(tagged) = Version::parse(tag.replace('_', "+"))
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
        let versions = ["1.0.0", "2.0.0", "1.2.0", "1.3.0-beta.1", "1.2.0+b", "3"];
        let versions = versions.iter().enumerate().map(|(day, version)| ChartVersion {
            version: (*version).to_owned(),
            created: format!("2024-01-0{day}"),
            ..ChartVersion::default()
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
        // An entry without all three numbers can only be asked for by its name.
        check("3", "3");
        check(">=3", "no 'web' chart with version matching '>=3' found");
    }
}
