//! Packing a chart's directory into an archive.

use crate::io::{self, PathError};
use crate::{Error, Options, files};
use bowsprit_chart::{
    Chart, InvalidApiVersion, MissingDependencies, PackError, PackOptions, Warned,
    check_dependencies,
};
use bowsprit_semver::Version;
use std::fmt;
use std::path::{Path, PathBuf};

/// How a chart is packaged.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PackageOptions {
    /// The version to give to the chart; empty for its own.
    pub version: String,
    /// The version to give to what it installs; empty for its own.
    pub app_version: String,
    /// The folder to write to; made where it is missing. Empty or `.` is the working directory.
    pub destination: PathBuf,
    /// How the archive is written.
    pub pack: PackOptions,
}

/// A packaged chart.
#[derive(Clone, Debug)]
pub struct Package {
    /// Where it was written to.
    pub path: PathBuf,
    /// The chart that is inside, with the versions it was given.
    pub chart: Chart,
    /// The bytes of the archive.
    pub archive: Vec<u8>,
}

/// Why a chart can't be packaged. `Display` is Helm's text.
#[derive(Debug)]
#[non_exhaustive]
pub enum PackageError {
    /// It can't be loaded.
    Load(Error),
    /// It is of a version that can't be used yet.
    ApiVersion(InvalidApiVersion),
    /// The version is none.
    Version(bowsprit_semver::Error),
    /// What it needs is not in `charts/`.
    Dependencies(MissingDependencies),
    /// It can't be packed.
    Pack(PackError),
    /// The archive can't be written.
    Write(PathError),
    /// Where the archive is to go, there is no folder.
    NoDirectory(PathBuf),
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PackageError::Load(error) => error.fmt(f),
            PackageError::ApiVersion(error) => error.fmt(f),
            PackageError::Version(error) => error.fmt(f),
            PackageError::Dependencies(missing) => missing.fmt(f),
            PackageError::Pack(error) => write!(f, "failed to save: {error}"),
            PackageError::Write(error) => write!(f, "failed to save: {error}"),
            PackageError::NoDirectory(dir) => {
                write!(f, "failed to save: is not a directory: {}", dir.display())
            }
        }
    }
}

impl std::error::Error for PackageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            PackageError::Load(error) => Some(error),
            PackageError::ApiVersion(error) => Some(error),
            PackageError::Version(error) => Some(error),
            PackageError::Dependencies(error) => Some(error),
            PackageError::Pack(error) => Some(error),
            PackageError::Write(error) => Some(error),
            PackageError::NoDirectory(_) => None,
        }
    }
}

impl From<Error> for PackageError {
    fn from(error: Error) -> PackageError {
        PackageError::Load(error)
    }
}

/// Packages the chart in a directory.
///
/// The archive appears under its name only when it is complete.
///
/// # Errors
/// For charts that can't be loaded, lack dependencies or are invalid, and when the archive can't be
/// written.
pub fn package(
    dir: &Path,
    options: &Options,
    packaging: &PackageOptions,
) -> Result<Warned<Package>, PackageError> {
    let dir = io::absolute(dir).map_err(Error::from)?;
    let Warned { output: mut chart, warnings } = crate::dir::load(&dir, options)?;
    chart.check_api_version().map_err(PackageError::ApiVersion)?;
    if !packaging.version.is_empty() {
        chart.metadata.version.clone_from(&packaging.version);
    }
    Version::parse(&chart.metadata.version).map_err(PackageError::Version)?;
    if !packaging.app_version.is_empty() {
        chart.metadata.app_version.clone_from(&packaging.app_version);
    }
    check_dependencies(&chart).map_err(PackageError::Dependencies)?;
    // Fails before the folder is made, as in Helm.
    chart.metadata.validate().map_err(|error| PackageError::Pack(PackError::Invalid(error)))?;
    let path = io::cleaned(&destination(&packaging.destination)?.join(chart.archive_name()));
    let archive = save(&chart, &path, &packaging.pack)?;
    Ok(Warned { output: Package { path, chart, archive }, warnings })
}

fn destination(dir: &Path) -> Result<PathBuf, PackageError> {
    if dir.as_os_str().is_empty() || dir == Path::new(".") {
        return io::absolute(Path::new(".")).map_err(|error| Error::from(error).into());
    }
    Ok(dir.to_owned())
}

/// `Save`: packs a chart into a file.
pub(crate) fn save(
    chart: &Chart,
    path: &Path,
    options: &PackOptions,
) -> Result<Vec<u8>, PackageError> {
    let dir = path.parent().unwrap_or(Path::new(""));
    if dir.is_file() {
        return Err(PackageError::NoDirectory(dir.to_owned()));
    }
    files::make_dirs(dir).map_err(PackageError::Write)?;
    let archive = chart.pack(options).map_err(PackageError::Pack)?;
    files::write(path, &archive).map_err(PackageError::Write)?;
    Ok(archive)
}

/// Signs a package: writes the provenance file beside the archive (`Clearsign`).
///
/// # Errors
/// When the key can't sign or the file can't be written.
#[cfg(feature = "provenance")]
pub fn sign_package(
    package: &Package,
    signer: &crate::Signer,
) -> Result<PathBuf, crate::ProvenanceError> {
    let name = package.path.file_name().unwrap_or_default().to_string_lossy();
    let text = crate::sign_chart(signer, &package.archive, &name, &package.chart.metadata)?;
    let mut path = package.path.clone().into_os_string();
    path.push(".prov");
    let path = PathBuf::from(path);
    files::write(&path, text.as_bytes())?;
    Ok(path)
}
