//! Manifests: which blobs make a chart.

use super::{
    CHART_MEDIA_TYPE, CONFIG_MEDIA_TYPE, LEGACY_CHART_MEDIA_TYPE, OciError, PROVENANCE_MEDIA_TYPE,
    is_digest,
};
use bowsprit_value::json::append_string;
use serde_json::Value;
use std::collections::BTreeMap;

/// A blob, by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// `sha256:` and hexadecimal digits.
    pub digest: String,
    /// Bytes.
    pub size: u64,
}

/// Which blobs make a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Manifest {
    /// The chart's metadata.
    pub config: Descriptor,
    /// The chart's archive.
    pub chart: Descriptor,
    /// The archive's provenance, if it is signed.
    pub provenance: Option<Descriptor>,
    /// What is said of the chart.
    pub annotations: BTreeMap<String, String>,
}

/// A manifest, or a list of some.
pub(super) enum Parsed {
    Chart(Manifest),
    /// Manifests one of which may be a chart.
    List(Vec<Descriptor>),
}

/// More manifests than this are not tried.
const MAX_LISTED: usize = 16;

impl Parsed {
    /// Reads what stands behind a reference.
    pub(super) fn parse(text: &[u8]) -> Result<Parsed, OciError> {
        let invalid = |what: String| OciError::Invalid(what);
        let value: Value = serde_json::from_slice(text)
            .map_err(|e| invalid(format!("the manifest is no JSON: {e}")))?;
        if let Some(list) = value.get("manifests").and_then(Value::as_array) {
            let listed: Result<Vec<_>, _> = list.iter().take(MAX_LISTED).map(descriptor).collect();
            return listed.map(Parsed::List);
        }
        let config = value.get("config").map(descriptor).transpose()?;
        let is_config = |d: &Descriptor| d.media_type == CONFIG_MEDIA_TYPE;
        let config = config.filter(is_config).ok_or_else(|| {
            invalid(format!("could not load config with mediatype {CONFIG_MEDIA_TYPE}"))
        })?;
        let layers = value.get("layers").and_then(Value::as_array);
        let layers: Vec<Descriptor> =
            layers.into_iter().flatten().map(descriptor).collect::<Result<_, _>>()?;
        let only = |types: &[&str]| {
            let mut fitting = layers.iter().filter(|l| types.contains(&l.media_type.as_str()));
            let first = fitting.next().cloned();
            match (fitting.next(), types) {
                (Some(_), [name, ..]) => Err(invalid(format!(
                    "manifest contains more than one layer with mediatype {name}"
                ))),
                _ => Ok(first),
            }
        };
        let chart = only(&[CHART_MEDIA_TYPE, LEGACY_CHART_MEDIA_TYPE])?.ok_or_else(|| {
            invalid(format!("manifest does not contain a layer with mediatype {CHART_MEDIA_TYPE}"))
        })?;
        let provenance = only(&[PROVENANCE_MEDIA_TYPE])?;
        let annotations = value.get("annotations").and_then(Value::as_object);
        let annotations = annotations
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Ok(Parsed::Chart(Manifest {
            config,
            chart,
            provenance,
            annotations: annotations.collect(),
        }))
    }
}

fn descriptor(value: &Value) -> Result<Descriptor, OciError> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (media_type, digest) = (text("mediaType"), text("digest"));
    let size = value.get("size").and_then(Value::as_u64);
    match size {
        Some(size) if is_digest(&digest) => Ok(Descriptor { media_type, digest, size }),
        _ => Err(OciError::Invalid(format!(
            "the manifest has a descriptor without size or with the digest {digest:?}"
        ))),
    }
}

impl Manifest {
    /// The bytes of the manifest as Helm writes them.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut layers: Vec<&Descriptor> =
            std::iter::once(&self.chart).chain(&self.provenance).collect();
        layers.sort_by(|a, b| a.digest.cmp(&b.digest));
        let mut out = br#"{"schemaVersion":2,"config":"#.to_vec();
        append_descriptor(&mut out, &self.config);
        out.extend_from_slice(br#","layers":["#);
        for (index, layer) in layers.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            append_descriptor(&mut out, layer);
        }
        out.push(b']');
        if !self.annotations.is_empty() {
            out.extend_from_slice(br#","annotations":{"#);
            for (index, (name, text)) in self.annotations.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                append_string(&mut out, name.as_bytes(), true);
                out.push(b':');
                append_string(&mut out, text.as_bytes(), true);
            }
            out.push(b'}');
        }
        out.push(b'}');
        out
    }
}

fn append_descriptor(out: &mut Vec<u8>, descriptor: &Descriptor) {
    out.extend_from_slice(br#"{"mediaType":"#);
    append_string(out, descriptor.media_type.as_bytes(), true);
    out.extend_from_slice(br#","digest":"#);
    append_string(out, descriptor.digest.as_bytes(), true);
    out.extend_from_slice(format!(",\"size\":{}}}", descriptor.size).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_read_and_written() {
        let digest = |c: &str| format!("sha256:{}", c.repeat(64));
        let blob =
            |ty: &str, c| Descriptor { media_type: ty.to_owned(), digest: digest(c), size: 3 };
        let manifest = Manifest {
            config: blob(CONFIG_MEDIA_TYPE, "c"),
            chart: blob(CHART_MEDIA_TYPE, "b"),
            provenance: Some(blob(PROVENANCE_MEDIA_TYPE, "a")),
            annotations: [("k".to_owned(), "<v>".to_owned())].into(),
        };
        let text = manifest.to_json();
        let Ok(Parsed::Chart(again)) = Parsed::parse(&text) else { panic!("not a chart") };
        assert_eq!(again, manifest);
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(r#""annotations":{"k":"\u003cv\u003e"}"#), "{text}");
        assert!(text.find("provenance") < text.find("content"), "{text}");
        let twice = text.replace(PROVENANCE_MEDIA_TYPE, CHART_MEDIA_TYPE);
        assert!(Parsed::parse(twice.as_bytes()).is_err());
        for wrong in
            ["", "{}", &text.replace("\"size\":3", "\"size\":-3"), &text.replace("sha256", "md5")]
        {
            assert!(Parsed::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
