//! OCI image layouts on the disk.

use super::mirrors::read;
use bowsprit_chart::{Chart, Limits};
use bowsprit_flux::{ChartImage, FetchError, ImageRef};
use bowsprit_value::{Map, Value, json};
use std::path::Path;

const TAG: &[u8] = b"org.opencontainers.image.ref.name";
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// Whether a folder is one.
pub(super) fn is_layout(dir: &Path) -> bool {
    dir.join("oci-layout").is_file() && dir.join("index.json").is_file()
}

fn text(map: &Map, key: &[u8]) -> String {
    map.get(key).and_then(|value| Some(value.as_str()?.to_string())).unwrap_or_default()
}

fn maps(map: &Map, key: &[u8]) -> Vec<Map> {
    match map.get(key) {
        Some(Value::List(list)) => list.iter().filter_map(|item| item.as_map().cloned()).collect(),
        _ => Vec::new(),
    }
}

fn read_json(path: &Path) -> Result<Map, FetchError> {
    json::decode_map(&read(path)?)
        .map_err(|error| FetchError(format!("{}: {error}", path.display())))
}

/// What source-controller says of an image without a layer of a media type.
pub(super) fn no_layer(media_type: &str) -> FetchError {
    FetchError(format!("failed to find layer with media type '{media_type}' in artifact"))
}

/// Manifests with their tags.
fn manifests(dir: &Path) -> Result<Vec<(String, String)>, FetchError> {
    let index = read_json(&dir.join("index.json"))?;
    let entries = maps(&index, b"manifests").into_iter().map(|manifest| {
        let annotations = manifest.get(b"annotations");
        let tag = annotations.and_then(|a| Some(text(a.as_map()?, TAG))).unwrap_or_default();
        // Some tools write the whole reference.
        let tag = tag.rsplit_once(':').map_or(tag.as_str(), |(_, tag)| tag).to_owned();
        (tag, text(&manifest, b"digest"))
    });
    Ok(entries.collect())
}

/// All tags.
pub(super) fn tags(dir: &Path) -> Result<Vec<String>, FetchError> {
    let manifests = manifests(dir)?.into_iter();
    Ok(manifests.map(|(tag, _)| tag).filter(|tag| !tag.is_empty()).collect())
}

/// A blob, by its digest. What a digest is may not lead elsewhere.
fn blob(dir: &Path, digest: &str) -> Result<Vec<u8>, FetchError> {
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    match digest.split_once(':') {
        Some((algorithm, hex)) if plain(algorithm) && plain(hex) => {
            read(&dir.join("blobs").join(algorithm).join(hex))
        }
        _ => Err(FetchError(format!("{}: invalid digest {digest:?}", dir.display()))),
    }
}

/// The chart of a tag or a digest.
///
/// # Errors
///
/// Where there is none, or no layer of the media type that is wanted.
pub(super) fn image(
    dir: &Path,
    wanted: &ImageRef,
    media_type: Option<&str>,
) -> Result<ChartImage, FetchError> {
    let digest = match wanted {
        ImageRef::Digest(digest) => digest.clone(),
        ImageRef::Tag(tag) => {
            let missing = || FetchError(format!("{}: no image with tag {tag}", dir.display()));
            let mut manifests = manifests(dir)?.into_iter();
            manifests.find(|(name, _)| name == tag).map(|(_, d)| d).ok_or_else(missing)?
        }
    };
    let manifest = json::decode_map(&blob(dir, &digest)?)
        .map_err(|error| FetchError(format!("{}: {digest}: {error}", dir.display())))?;
    let layers = maps(&manifest, b"layers");
    let of_type = |media_type| layers.iter().find(|l| text(l, b"mediaType") == media_type);
    let layer = match media_type {
        Some(media_type) => of_type(media_type).ok_or_else(|| no_layer(media_type)),
        None => of_type(CHART_LAYER)
            .or(layers.first())
            .ok_or_else(|| FetchError("no layers found in artifact".to_owned())),
    };
    let layer = layer?;
    let archive = blob(dir, &text(layer, b"digest"))?;
    let chart = Chart::from_archive(&archive, &Limits::default())
        .map_err(|error| FetchError(error.to_string()))?;
    Ok(ChartImage { chart: chart.output, digest })
}
