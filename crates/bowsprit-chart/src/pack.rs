//! A chart into an archive, as `helm package` lays it out.

use crate::archive::{TarWriter, gzip};
use crate::chart::Chart;
use crate::encode::EncodeError;
use crate::metadata::{API_VERSION_V1, API_VERSION_V2, ValidationError};
use crate::path;
use bowsprit_value::json;
use std::fmt;
use std::sync::Arc;

/// How a chart is packed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PackOptions {
    /// The time of every entry, in seconds since 1970.
    ///
    /// Helm writes the times of the files. They differ from one checkout to the next, so the default is
    /// one fixed time: the same chart is the same archive wherever it is packed.
    pub modified: u64,
}

impl PackOptions {
    /// The beginning of 1980: the earliest time that all archive formats can express.
    pub const MODIFIED: u64 = 315_532_800;
}

impl Default for PackOptions {
    fn default() -> PackOptions {
        PackOptions { modified: PackOptions::MODIFIED }
    }
}

/// Why a chart can't be packed. `Display` is Helm's text.
#[derive(Debug)]
#[non_exhaustive]
pub enum PackError {
    /// The metadata is invalid.
    Invalid(ValidationError),
    /// The name of a subchart is a path.
    NameInvalid(String),
    /// The metadata can't be written.
    Encode(EncodeError),
    /// `values.schema.json` is no JSON.
    SchemaInvalid,
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PackError::Invalid(error) => write!(f, "chart validation: {error}"),
            PackError::NameInvalid(name) => {
                write!(f, "invalid chart name {}", crate::quote::quote(name.as_bytes()))
            }
            PackError::Encode(error) => error.fmt(f),
            PackError::SchemaInvalid => f.write_str("invalid JSON in values.schema.json"),
        }
    }
}

impl std::error::Error for PackError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            PackError::Invalid(error) => Some(error),
            PackError::Encode(error) => Some(error),
            _ => None,
        }
    }
}

impl From<EncodeError> for PackError {
    fn from(error: EncodeError) -> PackError {
        PackError::Encode(error)
    }
}

impl Chart {
    /// The name of the archive that the chart is packed into: `NAME-VERSION.tgz`.
    pub fn archive_name(&self) -> String {
        format!("{}-{}.tgz", self.metadata.name, self.metadata.version)
    }

    /// Packs the chart into a gzipped tar (`Save`). Subcharts are inside unpacked, also those that
    /// came as archives.
    ///
    /// The same chart and options give the same bytes.
    ///
    /// ```
    /// use bowsprit_chart::{Chart, File, Limits, PackOptions};
    ///
    /// let yaml = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
    /// let files = vec![File::new("Chart.yaml", yaml), File::new("templates/a.yaml", "a: 1\n")];
    /// let chart = Chart::from_files(files, &Limits::default())?.output;
    /// let archive = chart.pack(&PackOptions::default()).expect("a valid chart");
    /// let again = Chart::from_archive(&archive, &Limits::default())?.output;
    /// assert_eq!(again.templates, chart.templates);
    /// # Ok::<(), bowsprit_chart::Error>(())
    /// ```
    ///
    /// # Errors
    /// For metadata that is invalid, as it may have become since the chart was loaded, and for a schema
    /// that is no JSON.
    pub fn pack(&self, options: &PackOptions) -> Result<Vec<u8>, PackError> {
        let mut metadata = self.metadata.clone();
        metadata.validate().map_err(PackError::Invalid)?;
        let mut tar = TarWriter::new(options.modified);
        // The charts still to be written, each with the folder that its own goes into; the next last.
        let mut pending: Vec<(&Chart, String)> = vec![(self, String::new())];
        while let Some((chart, prefix)) = pending.pop() {
            let base = base_folder(chart, &prefix)?;
            write_chart(&mut tar, chart, &base)?;
            let inside = format!("{base}/charts");
            let subcharts = chart.dependencies.iter().rev().map(Arc::as_ref);
            pending.extend(subcharts.map(|sub| (sub, inside.clone())));
        }
        Ok(gzip(&tar.finish()))
    }
}

fn base_folder(chart: &Chart, prefix: &str) -> Result<String, PackError> {
    let name = &chart.metadata.name;
    if path::base(name.as_bytes()) != name.as_bytes() {
        return Err(PackError::NameInvalid(name.clone()));
    }
    Ok(if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") })
}

/// `writeTarContents`, but for the subcharts.
fn write_chart(tar: &mut TarWriter, chart: &Chart, base: &str) -> Result<(), PackError> {
    let mut write = |name: &[u8], data: &[u8]| {
        let joined = [base.as_bytes(), b"/", name].concat();
        tar.file(&path::clean(&joined), data);
    };
    let version = chart.metadata.api_version.as_str();
    let mut metadata = chart.metadata.clone();
    if version == API_VERSION_V1 {
        // They are in requirements.yaml, which is one of the files.
        metadata.dependencies = None;
    }
    write(b"Chart.yaml", &metadata.to_yaml()?);
    if let Some(lock) = chart.lock.as_ref().filter(|_| version == API_VERSION_V2) {
        write(b"Chart.lock", &lock.to_yaml()?);
    }
    if let Some(values) = &chart.values_source {
        write(b"values.yaml", values);
    }
    if let Some(schema) = &chart.schema {
        json::decode(schema).map_err(|_| PackError::SchemaInvalid)?;
        write(b"values.schema.json", schema);
    }
    for file in chart.templates.iter().chain(&chart.files) {
        write(file.name.as_bytes(), &file.data);
    }
    Ok(())
}
