//! A chart, sorted into what its files are for.

use crate::archive::{ArchiveLimits, Spent, read_archive};
use crate::bytes::Bytes;
use crate::decode::{self, DecodeError};
use crate::dependency::Lock;
use crate::error::{Error, ErrorKind};
use crate::files::File;
use crate::log::LogLine;
use crate::metadata::{API_VERSION_V1, API_VERSION_V2, API_VERSION_V3, Metadata};
use crate::path;
use crate::twins::Twins;
use bowsprit_value::{Map, MapType, Str};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

/// What a chart may cost to load. The default is what Helm allows, with generous guards beyond it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// For each archive; entries and inflated bytes of all of a chart's archives count together.
    pub archive: ArchiveLimits,
    /// How deeply subcharts may be nested. Helm knows no such limit.
    pub depth: usize,
    /// How files are read, which is no limit but differs between Helm's releases.
    pub reading: Reading,
}

/// Which documents of a values file count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValuesDocuments {
    /// The first.
    First,
    /// All of them, later ones over earlier ones.
    #[default]
    All,
}

impl ValuesDocuments {
    /// Reads a values file.
    ///
    /// # Errors
    /// With Helm's words, where a document that counts can't be decoded or is no mapping.
    pub fn read(self, text: &[u8]) -> Result<Map, bowsprit_yaml::Error> {
        match self {
            ValuesDocuments::First => bowsprit_yaml::read_first_values(text),
            ValuesDocuments::All => bowsprit_yaml::read_values(text),
        }
    }
}

/// How a chart's files are read. The default is that of Helm 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// Which documents of `values.yaml` count.
    pub values_documents: ValuesDocuments,
    /// The Go package that errors name types of.
    pub package: &'static str,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading { values_documents: ValuesDocuments::All, package: "v2" }
    }
}

impl Reading {
    /// That of Helm 3.
    pub const V3: Reading = Reading { values_documents: ValuesDocuments::First, package: "chart" };
    /// That of Helm 4.
    pub const V4: Reading = Reading { values_documents: ValuesDocuments::All, package: "v2" };
}

impl Limits {
    /// More levels than this are never loaded, whatever [`Limits::depth`] says.
    const MAX_DEPTH: usize = 100;

    /// Limits for charts that nobody trusts.
    #[must_use]
    pub fn strict() -> Limits {
        Limits { archive: ArchiveLimits::strict(), depth: 50, ..Limits::default() }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            archive: ArchiveLimits::default(),
            depth: Limits::MAX_DEPTH,
            reading: Reading::default(),
        }
    }
}

/// A result together with what Helm logs on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warned<T> {
    /// The result.
    pub output: T,
    /// What Helm logs, in its order.
    pub warnings: Vec<LogLine>,
}

/// A chart with its subcharts, as loaded: conditions, tags and aliases are still to be applied.
#[derive(Clone, Debug)]
pub struct Chart {
    /// `Chart.yaml`.
    pub metadata: Metadata,
    /// `Chart.lock`, or the older `requirements.lock`.
    pub lock: Option<Lock>,
    /// The files below `templates/`.
    pub templates: Vec<File>,
    /// All files that have no other meaning, and `crds/`.
    pub files: Vec<File>,
    /// The default values; the nil map without a `values.yaml`.
    pub values: Map,
    /// The text of `values.yaml`.
    pub values_source: Option<Bytes>,
    /// The text of `values.schema.json`.
    pub schema: Option<Bytes>,
    /// The subcharts, sorted by their names in `charts/`.
    pub dependencies: Vec<Arc<Chart>>,
}

/// A custom resource definition of a chart: a manifest that is installed before all else and never
/// rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crd {
    /// The path from the root of the chart that is installed.
    pub filename: Str,
    /// The file.
    pub file: File,
}

/// A chart that can't be installed, as its type says. `Display` is Helm's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotInstallable {
    /// The chart's type.
    pub ty: String,
}

impl fmt::Display for NotInstallable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} charts are not installable", self.ty)
    }
}

impl std::error::Error for NotInstallable {}

/// A chart of a version that can be loaded but not used yet. `Display` is Helm's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidApiVersion;

impl fmt::Display for InvalidApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid chart apiVersion")
    }
}

impl std::error::Error for InvalidApiVersion {}

impl Chart {
    /// Builds a chart from its files, whose names begin at the chart's root.
    ///
    /// The order of the files is kept. Of equal names the last one counts for what there is only one
    /// of; two `Chart.yaml` are decoded one onto the other. The content must have lost its byte order
    /// mark, as the loaders see to.
    ///
    /// ```
    /// use bowsprit_chart::{Chart, File, Limits};
    ///
    /// let files = vec![
    ///     File::new("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.10\n"),
    ///     File::new("templates/a.yaml", "kind: ConfigMap\n"),
    ///     File::new("README.md", "# web\n"),
    /// ];
    /// let chart = Chart::from_files(files, &Limits::default())?.output;
    /// assert_eq!(chart.metadata.version, "1.1");
    /// assert_eq!((chart.templates.len(), chart.files.len()), (1, 1));
    /// # Ok::<(), bowsprit_chart::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first thing that Helm complains about, or a limit.
    pub fn from_files(files: Vec<File>, limits: &Limits) -> Result<Warned<Chart>, Error> {
        Loader::run(limits, |loader| {
            let format = detect(&files)?;
            loader.chart(&named(&files), format, 1)
        })
    }

    /// As [`Chart::from_files`], for files whose format has been detected already; `Chart.yaml` need
    /// not be among them for that.
    ///
    /// # Errors
    /// As [`Chart::from_files`].
    pub fn from_files_as(
        format: Format,
        files: Vec<File>,
        limits: &Limits,
    ) -> Result<Warned<Chart>, Error> {
        Loader::run(limits, |loader| loader.chart(&named(&files), format, 1))
    }

    /// Builds a chart from an archive.
    ///
    /// # Errors
    /// As [`load_archive_files`](crate::load_archive_files) and [`Chart::from_files`].
    pub fn from_archive(
        archive: impl Into<Bytes>,
        limits: &Limits,
    ) -> Result<Warned<Chart>, Error> {
        Loader::run(limits, |loader| {
            let files = read_archive(&archive.into(), &limits.archive, &mut loader.spent)?;
            let format = detect(&files)?;
            loader.chart(&named(&files), format, 1)
        })
    }

    /// As [`Chart::from_archive`], whatever version the chart says it has.
    ///
    /// # Errors
    /// As [`Chart::from_archive`].
    pub fn from_archive_as(
        format: Format,
        archive: impl Into<Bytes>,
        limits: &Limits,
    ) -> Result<Warned<Chart>, Error> {
        Loader::run(limits, |loader| {
            let files = read_archive(&archive.into(), &limits.archive, &mut loader.spent)?;
            loader.chart(&named(&files), format, 1)
        })
    }

    /// True for charts that only have definitions for others.
    pub fn is_library(&self) -> bool {
        self.metadata.ty == "library"
    }

    /// Checks that the chart is of a type that can be installed.
    ///
    /// # Errors
    /// For library charts.
    pub fn check_installable(&self) -> Result<(), NotInstallable> {
        match self.metadata.ty.as_str() {
            "" | "application" => Ok(()),
            ty => Err(NotInstallable { ty: ty.to_owned() }),
        }
    }

    /// Checks that the chart is of a version that can be used. Helm does so after the check of the
    /// type and that of the dependencies' presence, and for the root chart only.
    ///
    /// # Errors
    /// For `v3`.
    pub fn check_api_version(&self) -> Result<(), InvalidApiVersion> {
        if self.metadata.api_version == API_VERSION_V3 { Err(InvalidApiVersion) } else { Ok(()) }
    }

    /// The first file of a name, among those that are neither templates nor special.
    pub fn file(&self, name: &str) -> Option<&File> {
        self.files.iter().find(|file| file.name.as_bytes() == name.as_bytes())
    }

    /// The custom resource definitions of the chart, then of its subcharts, this chart being the root.
    pub fn crd_objects(&self) -> Vec<Crd> {
        let mut found = Vec::new();
        let mut pending = vec![(self, self.metadata.name.clone())];
        while let Some((chart, full_path)) = pending.pop() {
            for file in chart.files.iter().filter(|file| is_crd_file(file.name.as_bytes())) {
                let joined = [full_path.as_bytes(), b"/", file.name.as_bytes()].concat();
                found.push(Crd { filename: path::clean(&joined).into(), file: file.clone() });
            }
            pending.extend(
                chart
                    .dependencies
                    .iter()
                    .rev()
                    .map(|sub| (sub.as_ref(), format!("{full_path}/charts/{}", sub.metadata.name))),
            );
        }
        found
    }
}

/// Whether a file of this name is a custom resource definition.
pub fn is_crd_file(name: &[u8]) -> bool {
    let ext = path::ext(name);
    let is_manifest =
        [".yaml", ".yml", ".json"].iter().any(|e| ext.eq_ignore_ascii_case(e.as_bytes()));
    is_manifest && name.starts_with(b"crds/")
}

/// Which of Helm's two loaders reads a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For `v1` and `v2`.
    V2,
    /// For `v3`: knows no `requirements.yaml`.
    V3,
}

impl Format {
    /// Finds out from a `Chart.yaml` how to read its chart.
    ///
    /// # Errors
    /// For versions that no chart has, and for text that is no YAML.
    pub fn detect(chart_yaml: &[u8]) -> Result<Format, ErrorKind> {
        let failed = |e| in_file("Chart.yaml", &Bytes::from(chart_yaml.to_vec()), "v2")(e);
        let version = decode::api_version(chart_yaml).map_err(failed)?;
        match version.as_str() {
            "" | API_VERSION_V1 | API_VERSION_V2 => Ok(Format::V2),
            API_VERSION_V3 => Ok(Format::V3),
            _ => Err(ErrorKind::VersionUnsupported),
        }
    }

    fn default_api_version(self) -> &'static str {
        match self {
            Format::V2 => API_VERSION_V1,
            Format::V3 => API_VERSION_V3,
        }
    }
}

fn detect(files: &[File]) -> Result<Format, ErrorKind> {
    let chart_yaml = files.iter().find(|file| file.name.as_bytes() == b"Chart.yaml");
    Format::detect(&chart_yaml.ok_or(ErrorKind::VersionUndetected)?.data)
}

fn in_file<'t>(
    name: &'static str,
    text: &'t Bytes,
    package: &'static str,
) -> impl Fn(DecodeError) -> ErrorKind + use<'t> {
    move |source| {
        let source = source.in_package(package);
        ErrorKind::File { name, source, text: text.clone() }
    }
}

/// A file by its name from the root of the chart that is being loaded.
#[derive(Clone, Copy)]
struct Named<'f> {
    name: &'f [u8],
    is_provenance: bool,
    data: &'f Bytes,
}

impl Named<'_> {
    fn to_file(self) -> File {
        File { name: self.name.into(), data: self.data.clone() }
    }
}

fn named(files: &[File]) -> Vec<Named<'_>> {
    let named = files.iter().map(|file| Named {
        name: file.name.as_bytes(),
        data: &file.data,
        is_provenance: path::ext(file.name.as_bytes()) == b".prov",
    });
    named.collect()
}

/// Where subcharts lie.
const CHARTS: &[u8] = b"charts/";

/// What of a chart is known while its files are sorted.
#[derive(Default)]
struct Sorted<'f> {
    metadata: Option<Metadata>,
    lock: Option<Lock>,
    templates: Vec<File>,
    files: Vec<File>,
    values: Option<Map>,
    values_source: Option<Bytes>,
    schema: Option<Bytes>,
    groups: BTreeMap<&'f [u8], Vec<Named<'f>>>,
}

impl<'f> Sorted<'f> {
    /// Takes the files at the beginning that belong to one subchart, and says how many. Those of a chart that
    /// is nested deeply are looked at on every level.
    fn below_charts(&mut self, files: &[Named<'f>]) -> usize {
        let Some(first) = files.first() else { return 0 };
        let Some(name) = first.name.strip_prefix(CHARTS) else { return 0 };
        let group = name.split(|&b| b == b'/').next().unwrap_or_default();
        let folder = first.name.get(..CHARTS.len() + group.len()).unwrap_or_default();
        let belongs = |file: &&Named<'_>| {
            let below = file.name.strip_prefix(folder).filter(|_| !file.is_provenance);
            below.is_some_and(|below| matches!(below.first(), None | Some(b'/')))
        };
        let count = files.iter().take_while(belongs).count();
        if count > 0 {
            let named = files.iter().take(count).filter_map(|file| {
                let name = file.name.get(CHARTS.len()..)?;
                Some(Named { name, ..*file })
            });
            let group = self.groups.entry(group).or_default();
            group.reserve(count);
            group.extend(named);
        }
        count
    }
}

const REQUIREMENTS_MOVED: &str = "Warning: Dependencies are handled in Chart.yaml since apiVersion \
     \"v2\". We recommend migrating dependencies to Chart.yaml.";
const LOCK_MOVED: &str = "Warning: Dependency locking is handled in Chart.lock since apiVersion \
     \"v2\". We recommend migrating to Chart.lock.";

pub(crate) struct Loader<'l> {
    limits: &'l Limits,
    spent: Spent,
    log: Vec<LogLine>,
    twins: Twins,
    /// Subcharts by where the content of their `Chart.yaml` lies.
    equal: HashMap<(usize, usize), Vec<Loaded>>,
}

/// A subchart that was loaded, for others with the same files.
struct Loaded {
    depth: usize,
    /// One after the other, because there are many.
    names: Vec<u8>,
    /// Where the name of each file ends, and its content.
    contents: Vec<(usize, Bytes)>,
    chart: Arc<Chart>,
    log: Vec<LogLine>,
}

impl Loaded {
    /// Of so many charts with the same `Chart.yaml` each is compared with a new one.
    const ALIKE: usize = 8;

    /// The chart of these files, if they are those of this one. What nobody has looked at is not read to be
    /// compared: the chart gets its own of it.
    fn chart_of(&self, files: &[Named<'_>], depth: usize) -> Option<Arc<Chart>> {
        let (mut unread, mut start) = (false, 0);
        let mut same = |((end, data), file): (&(usize, Bytes), &Named<'_>)| {
            let both_unread = || data.is_unread() && file.data.is_unread();
            let name = self.names.get(start..*end);
            start = *end;
            if name != Some(file.name) {
                return false;
            }
            if data.id() == file.data.id() {
                return true;
            }
            // Those of subcharts are not in the chart's own list.
            if both_unread() && !file.name.starts_with(CHARTS) {
                unread = true;
                return true;
            }
            data == file.data
        };
        let is_it = self.depth == depth
            && self.contents.len() == files.len()
            && self.contents.iter().zip(files).all(&mut same);
        if !is_it || !unread {
            return is_it.then(|| Arc::clone(&self.chart));
        }
        let mut chart = (*self.chart).clone();
        let mut rest = files.iter();
        for file in chart.files.iter_mut().filter(|file| file.data.is_unread()) {
            // They stand in one order.
            file.data = rest.find(|own| own.name == file.name.as_bytes())?.data.clone();
        }
        Some(Arc::new(chart))
    }
}

impl Loader<'_> {
    fn run(
        limits: &Limits,
        load: impl FnOnce(&mut Loader<'_>) -> Result<Chart, ErrorKind>,
    ) -> Result<Warned<Chart>, Error> {
        let mut loader = Loader {
            limits,
            spent: Spent::default(),
            log: Vec::new(),
            twins: Twins::default(),
            equal: HashMap::new(),
        };
        match load(&mut loader) {
            Ok(output) => Ok(Warned { output, warnings: loader.log }),
            Err(kind) => Err(Error::new(kind, loader.log)),
        }
    }

    /// Helm reads `v3` charts into types of the same names in another package.
    fn package(&self, format: Format) -> &'static str {
        match format {
            Format::V2 => self.limits.reading.package,
            Format::V3 => "v3",
        }
    }

    /// `LoadFiles`.
    fn chart(
        &mut self,
        files: &[Named<'_>],
        format: Format,
        depth: usize,
    ) -> Result<Chart, ErrorKind> {
        let depth_limit = self.limits.depth.min(Limits::MAX_DEPTH);
        if depth > depth_limit {
            return Err(ErrorKind::TooDeep(depth_limit));
        }
        let mut sorted = Sorted::default();
        for file in files.iter().filter(|file| file.name == b"Chart.yaml") {
            let metadata = sorted.metadata.get_or_insert_default();
            let failed = in_file("Chart.yaml", file.data, self.package(format));
            decode::metadata(file.data, metadata).map_err(failed)?;
            if metadata.api_version.is_empty() {
                metadata.api_version = format.default_api_version().into();
            }
        }
        let mut rest = files;
        while let Some(file) = rest.first() {
            let below = sorted.below_charts(rest);
            if below == 0 {
                self.sort(*file, format, depth, &mut sorted)?;
            }
            rest = rest.get(below.max(1)..).unwrap_or_default();
        }
        let mut metadata = sorted.metadata.take().ok_or(ErrorKind::ChartYamlMissing)?;
        metadata.validate()?;
        let groups = std::mem::take(&mut sorted.groups);
        let dependencies = self.subcharts(groups, &metadata.name, format, depth)?;
        Ok(Chart {
            metadata,
            lock: sorted.lock,
            templates: sorted.templates,
            files: sorted.files,
            values: sorted.values.unwrap_or_else(|| Map::nil(MapType::ANY)),
            values_source: sorted.values_source,
            schema: sorted.schema,
            dependencies,
        })
    }

    fn sort<'f>(
        &mut self,
        file: Named<'f>,
        format: Format,
        depth: usize,
        sorted: &mut Sorted<'f>,
    ) -> Result<(), ErrorKind> {
        let package = self.package(format);
        match file.name {
            b"Chart.yaml" => {}
            b"Chart.lock" => {
                let failed = in_file("Chart.lock", file.data, package);
                sorted.lock = decode::lock(file.data).map_err(failed)?;
            }
            b"values.yaml" => {
                let data = self.first(file, depth);
                sorted.values = Some(self.values(&data, package)?);
                sorted.values_source = Some(data);
            }
            b"values.schema.json" => sorted.schema = Some(self.first(file, depth)),
            b"requirements.yaml" if format == Format::V2 => self.requirements(file, sorted)?,
            b"requirements.lock" if format == Format::V2 => self.requirements_lock(file, sorted)?,
            name if name.starts_with(b"templates/") => {
                let data = self.first(file, depth);
                sorted.templates.push(File { name: name.into(), data });
            }
            _ => sorted.files.push(file.to_file()),
        }
        Ok(())
    }

    /// The content of a subchart's file, that of an equal file of another subchart if there is one.
    fn first(&mut self, file: Named<'_>, depth: usize) -> Bytes {
        if depth == 1 { file.data.clone() } else { self.twins.first(file.data) }
    }

    fn values(&mut self, data: &Bytes, package: &'static str) -> Result<Map, ErrorKind> {
        if let Some(values) = self.twins.values(data) {
            return Ok(values);
        }
        let values = self.limits.reading.values_documents.read(data);
        let values = values.map_err(|e| in_file("values.yaml", data, package)(e.into()))?;
        self.twins.keep_values(data, &values);
        Ok(values)
    }

    /// The whole of the metadata can be changed by this file, not just the dependencies.
    fn requirements(&mut self, file: Named<'_>, sorted: &mut Sorted<'_>) -> Result<(), ErrorKind> {
        let metadata = sorted.metadata.get_or_insert_default();
        if metadata.api_version != API_VERSION_V1 {
            self.log.push(LogLine::info(REQUIREMENTS_MOVED));
        }
        let failed = in_file("requirements.yaml", file.data, self.package(Format::V2));
        decode::metadata(file.data, metadata).map_err(failed)?;
        if metadata.api_version == API_VERSION_V1 {
            sorted.files.push(file.to_file());
        }
        Ok(())
    }

    fn requirements_lock(
        &mut self,
        file: Named<'_>,
        sorted: &mut Sorted<'_>,
    ) -> Result<(), ErrorKind> {
        let failed = in_file("requirements.lock", file.data, self.package(Format::V2));
        sorted.lock = decode::lock(file.data).map_err(failed)?;
        if sorted.metadata.get_or_insert_default().api_version == API_VERSION_V1 {
            sorted.files.push(file.to_file());
        } else {
            self.log.push(LogLine::info(LOCK_MOVED));
        }
        Ok(())
    }

    fn subcharts(
        &mut self,
        groups: BTreeMap<&[u8], Vec<Named<'_>>>,
        parent: &str,
        format: Format,
        depth: usize,
    ) -> Result<Vec<Arc<Chart>>, ErrorKind> {
        let mut charts = Vec::new();
        for (name, files) in groups {
            if matches!(name.first(), Some(b'_' | b'.')) {
                continue;
            }
            let chart = if path::ext(name) == b".tgz" {
                self.packed(name, &files, parent, format, depth)?.map(Arc::new)
            } else {
                self.unpacked(name, &files, format, depth)
            };
            charts.push(chart.map_err(|source| ErrorKind::Subchart {
                name: name.into(),
                parent: parent.to_owned(),
                source: Box::new(source),
            })?);
        }
        Ok(charts)
    }

    /// The outer error is not about the subchart but about what its name promises.
    fn packed(
        &mut self,
        name: &[u8],
        files: &[Named<'_>],
        parent: &str,
        format: Format,
        depth: usize,
    ) -> Result<Result<Chart, ErrorKind>, ErrorKind> {
        match files.first() {
            Some(file) if file.name == name => {
                let limits = &self.limits.archive;
                let files = match read_archive(file.data, limits, &mut self.spent) {
                    Ok(files) => files,
                    Err(error) => return Ok(Err(error.into())),
                };
                Ok(self.chart(&named(&files), format, depth + 1))
            }
            first => Err(ErrorKind::SubchartIsDirectory {
                parent: parent.to_owned(),
                expected: name.into(),
                found: first.map_or(Str::default(), |file| file.name.into()),
            }),
        }
    }

    /// Files right in `charts/` are no part of a chart. Of charts with the same files one is loaded: those of a
    /// publisher often bring the same library.
    fn unpacked(
        &mut self,
        folder: &[u8],
        files: &[Named<'_>],
        format: Format,
        depth: usize,
    ) -> Result<Arc<Chart>, ErrorKind> {
        let mut inside = Vec::with_capacity(files.len());
        inside.extend(files.iter().filter_map(|file| {
            let name = file.name.get(folder.len()..)?.strip_prefix(b"/")?;
            Some(Named { name, ..*file })
        }));
        let chart_yaml = inside.iter().find(|file| file.name == b"Chart.yaml");
        let key = chart_yaml.map(|file| self.twins.first(file.data).id());
        let equal = key.and_then(|key| self.equal.get(&key)).map(Vec::as_slice).unwrap_or_default();
        let known = |loaded: &Loaded| Some((loaded.chart_of(&inside, depth)?, loaded.log.clone()));
        if let Some((chart, log)) = equal.iter().find_map(known) {
            self.log.extend(log);
            return Ok(chart);
        }
        let logged = self.log.len();
        let chart = Arc::new(self.chart(&inside, format, depth + 1)?);
        let list = key.map(|key| self.equal.entry(key).or_default());
        if let Some(list) = list.filter(|list| list.len() < Loaded::ALIKE) {
            let mut names = Vec::with_capacity(inside.iter().map(|file| file.name.len()).sum());
            let content = |file: &Named<'_>| {
                names.extend_from_slice(file.name);
                (names.len(), file.data.clone())
            };
            list.push(Loaded {
                depth,
                contents: inside.iter().map(content).collect(),
                names,
                chart: Arc::clone(&chart),
                log: self.log.get(logged..).unwrap_or_default().to_vec(),
            });
        }
        Ok(chart)
    }
}
