//! Folders as chart repositories: archives, beside an index or without one.

use super::mirrors::{inside, load, read};
use bowsprit_chart::Chart;
use bowsprit_flux::{ChartImage, ChartVersion, FetchError, ImageRef};
use bowsprit_value::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The versions of a chart: those of the index, or of the archives and charts that lie there.
pub(super) fn versions(dir: &Path, chart: &str) -> Result<Option<Vec<ChartVersion>>, FetchError> {
    if !dir.is_dir() {
        return Err(FetchError(format!("{}: no such folder", dir.display())));
    }
    let index = dir.join("index.yaml");
    if index.is_file() {
        return indexed(&index, chart);
    }
    let mut found = Vec::new();
    for path in lying_there(dir)? {
        let Ok(loaded) = load(&path) else { continue };
        if loaded.metadata.name == chart {
            found.push(ChartVersion {
                version: loaded.metadata.version,
                urls: vec![file_name(&path.to_string_lossy()).to_owned()],
                ..ChartVersion::default()
            });
        }
    }
    Ok(Some(found).filter(|found| !found.is_empty()))
}

fn indexed(index: &Path, chart: &str) -> Result<Option<Vec<ChartVersion>>, FetchError> {
    let failed = |why: &dyn std::fmt::Display| {
        FetchError(format!("failed to parse index {}: {why}", index.display()))
    };
    let document = bowsprit_yaml::decode(&read(index)?).map_err(|e| failed(&e))?;
    let entries = document.as_map().and_then(|map| map.get(b"entries"));
    let Some(Value::List(entries)) = entries.and_then(|e| e.as_map()?.get(chart.as_bytes())) else {
        return Ok(None);
    };
    let text = |map: &Map, key: &[u8]| match map.get(key) {
        Some(Value::Str(text)) => text.to_string(),
        Some(Value::Float(number)) => number.to_string(),
        _ => String::new(),
    };
    let versions = entries.iter().filter_map(Value::as_map).map(|entry| ChartVersion {
        version: text(entry, b"version"),
        urls: match entry.get(b"urls") {
            Some(Value::List(urls)) => {
                urls.iter().filter_map(|url| Some(url.as_str()?.to_string())).collect()
            }
            _ => Vec::new(),
        },
        created: text(entry, b"created"),
        digest: text(entry, b"digest"),
    });
    Ok(Some(versions.collect()))
}

fn lying_there(dir: &Path) -> Result<Vec<PathBuf>, FetchError> {
    let failed = |error| FetchError(format!("open {}: {error}", dir.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let archive = path.extension().is_some_and(|ext| ext == "tgz");
        if archive || path.join("Chart.yaml").is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn file_name(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    url.rsplit('/').next().unwrap_or(url)
}

/// Where the archive of a version may lie: where its URL says, below the folder, or by its name.
fn places(dir: &Path, url: &str, chart: &str, version: &ChartVersion) -> Vec<PathBuf> {
    let mut places = Vec::new();
    for archive in &version.urls {
        let below = archive.strip_prefix(url).unwrap_or(archive);
        if !below.contains("://") {
            places.push(inside(dir, below));
        }
        places.push(inside(dir, file_name(archive)));
    }
    places.push(inside(dir, &format!("{chart}-{}.tgz", version.version)));
    places
}

/// The chart of a version.
pub(super) fn archive(
    dir: &Path,
    url: &str,
    chart: &str,
    version: &ChartVersion,
) -> Result<Chart, FetchError> {
    let places = places(dir, url, chart, version);
    match places.iter().find(|place| place.exists()) {
        Some(place) => load(place),
        None => {
            let name = version.urls.first().map_or_else(
                || format!("{chart}-{}.tgz", version.version),
                |url| file_name(url).to_owned(),
            );
            Err(FetchError(format!("{}: no such file: {name}", dir.display())))
        }
    }
}

/// A chart out of plain archives, as if it were an image: its digest is that of the archive.
pub(super) fn image(dir: &Path, chart: &str, wanted: &ImageRef) -> Result<ChartImage, FetchError> {
    let ImageRef::Tag(tag) = wanted else {
        let text = format!("{}: plain archives have no manifest digests", dir.display());
        return Err(FetchError(text));
    };
    let versions = versions(dir, chart)?.unwrap_or_default();
    let version = versions.into_iter().find(|entry| entry.version.replace('+', "_") == *tag);
    let version = version
        .ok_or_else(|| FetchError(format!("{}: no {chart} with tag {tag}", dir.display())))?;
    let places = places(dir, "", chart, &version);
    let path = places.into_iter().find(|place| place.is_file());
    let digest = match &path {
        Some(path) => Sha256::digest(read(path)?),
        None => Sha256::digest(version.version.as_bytes()),
    };
    let mut hex = String::from("sha256:");
    for byte in digest {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(ChartImage { chart: archive(dir, "", chart, &version)?, digest: hex })
}
