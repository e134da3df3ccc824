//! A new chart in a directory: a starter of our own, or one that the caller brings.

use crate::io::{self, PathError};
use crate::package::{PackageError, save};
use crate::{ApiVersions, Error, Options, files, load_path};
use bowsprit_chart::{API_VERSION_V2, Chart, EncodeError, Metadata, PackOptions};
use bowsprit_value::strconv;
use std::fmt;
use std::path::{Path, PathBuf};

/// What stands for the chart's name in starters.
const PLACEHOLDER: &str = "<CHARTNAME>";
const MAX_NAME: usize = 250;

/// The files of our starter.
const STARTER: &[(&str, &str)] = &[
    ("Chart.yaml", include_str!("../starter/Chart.yaml")),
    ("values.yaml", include_str!("../starter/values.yaml")),
    (".helmignore", include_str!("../starter/helmignore")),
    ("templates/_helpers.tpl", include_str!("../starter/templates/_helpers.tpl")),
    ("templates/deployment.yaml", include_str!("../starter/templates/deployment.yaml")),
    ("templates/service.yaml", include_str!("../starter/templates/service.yaml")),
    ("templates/serviceaccount.yaml", include_str!("../starter/templates/serviceaccount.yaml")),
    ("templates/ingress.yaml", include_str!("../starter/templates/ingress.yaml")),
    ("templates/httproute.yaml", include_str!("../starter/templates/httproute.yaml")),
    ("templates/hpa.yaml", include_str!("../starter/templates/hpa.yaml")),
    ("templates/NOTES.txt", include_str!("../starter/templates/NOTES.txt")),
    (
        "templates/tests/test-connection.yaml",
        include_str!("../starter/templates/tests/test-connection.yaml"),
    ),
];

/// What a chart of a repository has besides: a file of values for each environment, and a changelog.
const ENVIRONMENTS: &[(&str, &str)] = &[
    ("CHANGELOG.md", include_str!("../starter/CHANGELOG.md")),
    ("values/dev.yaml", include_str!("../starter/values/dev.yaml")),
    ("values/staging.yaml", include_str!("../starter/values/staging.yaml")),
    ("values/prod.yaml", include_str!("../starter/values/prod.yaml")),
];

/// How a chart is created.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CreateOptions {
    /// A chart to begin with, whose templates and values say `<CHARTNAME>` for the name; without it,
    /// ours.
    pub starter: Option<PathBuf>,
    /// Adds `values/dev.yaml`, `values/staging.yaml`, `values/prod.yaml` and `CHANGELOG.md`.
    pub environments: bool,
}

/// A chart that was created.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its directory.
    pub path: PathBuf,
    /// Files that were there already and have been overwritten.
    pub overwritten: Vec<PathBuf>,
}

/// Why a chart can't be created. `Display` is Helm's text.
#[derive(Debug)]
#[non_exhaustive]
pub enum CreateError {
    /// The name is empty or too long.
    NameLength,
    /// The name has characters that make trouble.
    NameInvalid,
    /// The directory that the chart's is to be in is none.
    NoDirectory(PathBuf),
    /// A file is where the chart's directory is to be.
    FileExists(PathBuf),
    /// A file can't be written.
    Path(PathError),
    /// The starter can't be loaded.
    Starter(PathBuf, Error),
    /// The metadata can't be written.
    Encode(EncodeError),
    /// A subchart of the starter can't be packed.
    Subchart(String, PackageError),
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CreateError::NameLength => {
                write!(f, "chart name must be between 1 and {MAX_NAME} characters")
            }
            CreateError::NameInvalid => {
                f.write_str("chart name must match the regular expression \"^[a-zA-Z0-9._-]+$\"")
            }
            CreateError::NoDirectory(path) => write!(f, "no such directory {}", path.display()),
            CreateError::FileExists(path) => {
                write!(f, "file {} already exists and is not a directory", path.display())
            }
            CreateError::Path(error) => error.fmt(f),
            CreateError::Starter(path, error) => {
                write!(f, "could not load {}: {error}", path.display())
            }
            CreateError::Encode(error) => error.fmt(f),
            CreateError::Subchart(name, error) => write!(f, "saving {name}: {error}"),
        }
    }
}

impl std::error::Error for CreateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CreateError::Path(error) => Some(error),
            CreateError::Starter(_, error) => Some(error),
            CreateError::Encode(error) => Some(error),
            CreateError::Subchart(_, error) => Some(error),
            _ => None,
        }
    }
}

impl From<PathError> for CreateError {
    fn from(error: PathError) -> CreateError {
        CreateError::Path(error)
    }
}

/// The quoted name of a file that is overwritten, as Helm warns of it.
pub(crate) fn quoted(path: &Path) -> String {
    let name = path.to_string_lossy();
    String::from_utf8_lossy(&strconv::quote(name.as_bytes())).into_owned()
}

impl Created {
    /// What Helm prints of each file that was overwritten.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let quoted = self.overwritten.iter().map(|path| quoted(path));
        quoted.map(|path| format!("WARNING: File {path} already exists. Overwriting."))
    }
}

/// Creates a chart whose directory is `path`; the last element is its name. Other files that are there
/// already stay.
///
/// # Errors
/// For names that make trouble, and when something can't be read or written.
pub fn create(path: &Path, options: &CreateOptions) -> Result<Created, CreateError> {
    let absolute = io::absolute(path)?;
    let name = absolute.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match &options.starter {
        Some(starter) => create_from(&absolute, &name, starter, options),
        None => {
            check_name(&name)?;
            let parent = absolute.parent().unwrap_or(Path::new("/"));
            if !io::stat(parent)?.is_dir() {
                return Err(CreateError::NoDirectory(parent.to_owned()));
            }
            create_ours(&absolute, &name, options)
        }
    }
}

/// `validateChartName`.
fn check_name(name: &str) -> Result<(), CreateError> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(CreateError::NameLength);
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.bytes().all(legal) { Ok(()) } else { Err(CreateError::NameInvalid) }
}

fn create_ours(dir: &Path, name: &str, options: &CreateOptions) -> Result<Created, CreateError> {
    check_no_file(dir)?;
    let mut created = Created { path: dir.to_owned(), overwritten: Vec::new() };
    for (file, text) in STARTER {
        write(&mut created, file, text.replace(PLACEHOLDER, name).as_bytes())?;
    }
    environments(&mut created, name, options)?;
    files::make_dirs(&dir.join("charts"))?;
    Ok(created)
}

fn environments(
    created: &mut Created,
    name: &str,
    options: &CreateOptions,
) -> Result<(), CreateError> {
    for (file, text) in ENVIRONMENTS.iter().filter(|_| options.environments) {
        write(created, file, text.replace(PLACEHOLDER, name).as_bytes())?;
    }
    Ok(())
}

fn check_no_file(dir: &Path) -> Result<(), CreateError> {
    if dir.metadata().is_ok_and(|found| !found.is_dir()) {
        return Err(CreateError::FileExists(dir.to_owned()));
    }
    Ok(())
}

fn write(created: &mut Created, name: &str, content: &[u8]) -> Result<(), CreateError> {
    let path = created.path.join(name);
    if path.metadata().is_ok() {
        created.overwritten.push(path.clone());
    }
    files::make_dirs(path.parent().unwrap_or(Path::new("")))?;
    Ok(files::write(&path, content)?)
}

/// `CreateFrom`: the starter's files with the new name in them, under new metadata.
fn create_from(
    dir: &Path,
    name: &str,
    starter: &Path,
    options: &CreateOptions,
) -> Result<Created, CreateError> {
    let loading = Options { api_versions: ApiVersions::Any, ..Options::default() };
    let loaded = load_path(starter, &loading);
    let chart: Chart =
        loaded.map_err(|error| CreateError::Starter(starter.to_owned(), error))?.output;
    check_no_file(dir)?;
    let mut created = Created { path: dir.to_owned(), overwritten: Vec::new() };
    let metadata = starter_metadata(name).to_yaml().map_err(CreateError::Encode)?;
    write(&mut created, "Chart.yaml", &metadata)?;
    if let Some(values) = &chart.values_source {
        write(&mut created, "values.yaml", &named(values, name))?;
    }
    if let Some(schema) = &chart.schema {
        write(&mut created, "values.schema.json", schema)?;
    }
    for file in &chart.templates {
        write(&mut created, &file.name.to_string_lossy(), &named(&file.data, name))?;
    }
    for file in &chart.files {
        write(&mut created, &file.name.to_string_lossy(), &file.data)?;
    }
    environments(&mut created, name, options)?;
    for sub in &chart.dependencies {
        let path = dir.join("charts").join(sub.archive_name());
        save(sub, &path, &PackOptions::default())
            .map_err(|error| CreateError::Subchart(sub.metadata.name.clone(), error))?;
    }
    // Helm says nothing of what it overwrites here.
    created.overwritten.clear();
    Ok(created)
}

fn starter_metadata(name: &str) -> Metadata {
    Metadata {
        name: name.to_owned(),
        description: "A Helm chart for Kubernetes".to_owned(),
        ty: "application".to_owned(),
        version: "0.1.0".to_owned(),
        app_version: "0.1.0".to_owned(),
        api_version: API_VERSION_V2.to_owned(),
        ..Metadata::default()
    }
}

/// The bytes with the chart's name for the placeholder.
fn named(bytes: &[u8], name: &str) -> Vec<u8> {
    let mark = PLACEHOLDER.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(mark) {
            out.extend_from_slice(name.as_bytes());
            rest = after;
        } else {
            out.push(first);
            rest = after;
        }
    }
    out
}
