//! Charts out of registries.

use super::manifest::Parsed;
use super::registry::Access;
use super::{
    Descriptor, LEGACY_CHART_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, Manifest, OciError, OciReference,
    Registry, UNDERSCORE, is_digest,
};
use crate::net::{FileSink, Header, MemorySink, Method, sink};
use crate::paths::HelmPaths;
use bowsprit_semver::{Constraint, Version};
use std::path::PathBuf;

/// A manifest is this large at most.
const MAX_MANIFEST: u64 = 4 << 20;

/// The metadata of a chart is this large at most, and so is a provenance.
const MAX_CONFIG: u64 = 4 << 20;

/// What a reference stands for in a registry, fixed by digest.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Resolved {
    /// What was asked for, with a tag if it was found by one.
    pub reference: OciReference,
    /// Where it was found: the registry itself or a mirror.
    pub place: OciReference,
    /// The manifest's digest.
    pub digest: String,
    /// Which blobs make the chart.
    pub manifest: Manifest,
    /// Who found it, and has tokens by now.
    finder: Registry,
}

/// A chart that is there now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pulled {
    /// What it was.
    pub resolved: Resolved,
    /// The archive, in the content cache.
    pub chart: PathBuf,
    /// The provenance, in the content cache, if it was wanted and is there.
    pub provenance: Option<PathBuf>,
}

impl Resolved {
    /// What Helm prints of a pull.
    pub fn notice(&self) -> String {
        let reference = &self.reference;
        let mut text = String::new();
        if self.manifest.chart.media_type == LEGACY_CHART_MEDIA_TYPE {
            text.push_str(&format!(
                "Warning: chart media type {LEGACY_CHART_MEDIA_TYPE} is deprecated\n"
            ));
        }
        text.push_str(&format!("Pulled: {reference}\nDigest: {}\n", self.digest));
        if reference.to_string().contains('_') {
            text.push_str(&format!("{reference} contains an underscore.\n{UNDERSCORE}\n"));
        }
        text
    }
}

/// The tag that a version or a range means, among tags that are sorted, newest first, with `+` for `_`.
///
/// # Errors
///
/// Where there is none, with Helm's words.
pub fn matching_tag(tags: &[String], wanted: &str) -> Result<String, OciError> {
    if let Some(tag) = tags.iter().find(|tag| !wanted.is_empty() && *tag == wanted) {
        return Ok(tag.clone());
    }
    let range = if wanted.is_empty() { "*" } else { wanted };
    let range = Constraint::parse(range).map_err(|e| OciError::Invalid(e.to_string()))?;
    let fits = |tag: &&String| Version::parse(tag).is_ok_and(|version| range.check(&version));
    tags.iter().find(fits).cloned().ok_or_else(|| {
        OciError::Invalid(format!(
            "could not locate a version matching provided version string {wanted}"
        ))
    })
}

impl Registry {
    /// The versions of a chart, newest first: those tags that are versions, with `+` for `_`.
    ///
    /// # Errors
    ///
    /// As [`Registry::tags`].
    pub async fn versions(&self, reference: &OciReference) -> Result<Vec<String>, OciError> {
        let tags = self.tags(reference).await?;
        let versions =
            tags.iter().filter_map(|tag| Version::parse_strict(tag.replace('_', "+")).ok());
        let mut versions: Vec<Version> = versions.collect();
        versions.sort_by(|a, b| b.compare(a));
        Ok(versions.iter().map(ToString::to_string).collect())
    }

    /// Completes a reference by the version that is wanted of it.
    ///
    /// # Errors
    ///
    /// Where reference and version contradict each other, or no tag fits.
    pub async fn choose(&self, reference: &str, version: &str) -> Result<OciReference, OciError> {
        let mut found = OciReference::parse(reference)?;
        let tag = found.tag.clone().unwrap_or_default();
        let version = if version.is_empty() { tag.as_str() } else { version };
        if !tag.is_empty() && tag != version {
            let text = format!("chart reference and version mismatch: {version} is not {tag}");
            return Err(OciError::Invalid(text));
        }
        if let Some(digest) = &found.digest {
            if !version.is_empty() {
                let tagged =
                    OciReference { tag: Some(tag_of(version)), digest: None, ..found.clone() };
                // The resource need not have that tag.
                if let Ok((_, at_tag, _)) = self.manifest(&tagged).await
                    && at_tag != *digest
                {
                    let text = format!("chart reference digest mismatch: {at_tag} is not {digest}");
                    return Err(OciError::Invalid(text));
                }
            }
            found.tag = None;
            return Ok(found);
        }
        if Version::parse(version).is_ok() {
            found.tag = Some(tag_of(version));
            return Ok(found);
        }
        let tags = self.versions(&OciReference { tag: None, ..found.clone() }).await?;
        if tags.is_empty() {
            let text = format!("unable to locate any tags in provided repository: {reference}");
            return Err(OciError::Invalid(text));
        }
        found.tag = Some(tag_of(&matching_tag(&tags, version)?));
        Ok(found)
    }

    /// Finds what a reference stands for, in mirrors first.
    ///
    /// # Errors
    ///
    /// Where there is nothing, or no chart.
    pub async fn resolve(&self, reference: &OciReference) -> Result<Resolved, OciError> {
        for (registry, mirror) in &self.options.mirrors {
            if *registry != reference.registry {
                continue;
            }
            let (host, path) = mirror.split_once('/').unwrap_or((mirror, ""));
            let path = if path.is_empty() { String::new() } else { format!("{path}/") };
            let place = OciReference {
                registry: host.to_owned(),
                repository: format!("{path}{}", reference.repository),
                ..reference.clone()
            };
            match self.resolve_at(reference, place).await {
                Err(error) if error.fetch().is_some_and(|e| e.kind().suggests_elsewhere()) => {}
                outcome => return outcome,
            }
        }
        self.resolve_at(reference, reference.clone()).await
    }

    async fn resolve_at(
        &self,
        reference: &OciReference,
        place: OciReference,
    ) -> Result<Resolved, OciError> {
        let fetching = "failed to perform \"FetchReference\" on source: ";
        let registry = self.for_place(reference, &place);
        let fetched = registry.manifest(&place).await;
        let (parsed, digest, _) = fetched.map_err(|error| error.doing(fetching))?;
        let resolved = |place, digest, manifest| {
            let (reference, finder) = (reference.clone(), registry.clone());
            Ok(Resolved { reference, place, digest, manifest, finder })
        };
        let listed = match parsed {
            Parsed::Chart(manifest) => return resolved(place, digest, manifest),
            Parsed::List(listed) => listed,
        };
        for entry in &listed {
            let one =
                OciReference { digest: Some(entry.digest.clone()), tag: None, ..place.clone() };
            if let Ok((Parsed::Chart(manifest), _, _)) = registry.manifest(&one).await {
                return resolved(place, digest, manifest);
            }
        }
        Err(OciError::Invalid(format!(
            "{reference}: none of the {} manifests is a chart",
            listed.len()
        )))
    }

    /// A manifest, its digest and its size.
    async fn manifest(&self, reference: &OciReference) -> Result<(Parsed, String, u64), OciError> {
        let path = format!("/v2/{}/manifests/{}", reference.repository, reference.target());
        let mut call = self.call(Method::Get, &reference.registry, &path);
        call.limit = MAX_MANIFEST;
        let accepted = format!("{MANIFEST_MEDIA_TYPE}, application/vnd.oci.image.index.v1+json");
        call.headers.push(Header::new("accept", accepted));
        let (body, head) = self.ask(call, reference, Access::Pull).await?;
        let found = format!("sha256:{}", sink::sha256(&body));
        let promised = head.header("docker-content-digest").filter(|digest| is_digest(digest));
        let wanted = reference.digest.as_deref().or(promised);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            return Err(OciError::Digest { wanted: wanted.to_owned(), found });
        }
        Ok((Parsed::parse(&body)?, found, body.len() as u64))
    }

    /// Brings a chart into the content cache. What is there already is not brought again.
    ///
    /// # Errors
    ///
    /// Where a blob can't be had whole, or is not the one that was promised.
    pub async fn pull(
        &self,
        resolved: Resolved,
        paths: &HelmPaths,
        with_provenance: bool,
        limit: u64,
    ) -> Result<Pulled, OciError> {
        let Manifest { config, chart, provenance, .. } = &resolved.manifest;
        let key = hex(&chart.digest);
        let file = paths.chart_content(key);
        let registry = self.for_place(&resolved.reference, &resolved.place);
        let registry = registry.knowing(&resolved.finder);
        let archive = async {
            if crate::content::is_intact(&file, key) {
                return Ok(());
            }
            let mut sink = FileSink::create_in(&paths.content_cache)?;
            registry.blob(&resolved, chart, limit, &mut sink).await?;
            check(chart, sink.size(), &sink.digest())?;
            Ok(sink.keep(&file)?)
        };
        // Helm reads the metadata from the config, which therefore has to be there.
        let metadata = registry.small(&resolved, config);
        let signature = async {
            match provenance.as_ref().filter(|_| with_provenance) {
                Some(provenance) => registry.small(&resolved, provenance).await.map(Some),
                None => Ok(None),
            }
        };
        let (_, _, signature) = tokio::try_join!(archive, metadata, signature)?;
        let provenance = match signature {
            Some(text) => {
                let file = paths.provenance_content(key);
                sink::write_atomically(&file, &text, 0o644)?;
                Some(file)
            }
            None => None,
        };
        Ok(Pulled { chart: file, provenance, resolved })
    }

    async fn small(&self, resolved: &Resolved, blob: &Descriptor) -> Result<Vec<u8>, OciError> {
        let mut sink = MemorySink::default();
        self.blob(resolved, blob, MAX_CONFIG, &mut sink).await?;
        check(blob, sink.0.len() as u64, &sink::sha256(&sink.0))?;
        Ok(sink.0)
    }

    async fn blob(
        &self,
        resolved: &Resolved,
        blob: &Descriptor,
        limit: u64,
        sink: &mut dyn crate::net::Sink,
    ) -> Result<(), OciError> {
        if blob.size > limit {
            let Descriptor { media_type, size, .. } = blob;
            let text =
                format!("{media_type}: {size} bytes are more than the {limit} that are allowed");
            return Err(OciError::Invalid(text));
        }
        let place = &resolved.place;
        let path = format!("/v2/{}/blobs/{}", place.repository, blob.digest);
        let mut call = self.call(Method::Get, &place.registry, &path);
        call.limit = blob.size;
        let name = place.repository.rsplit('/').next().unwrap_or_default();
        call.what = format!("{name}@{}", blob.digest.get(..19).unwrap_or_default());
        self.download(call, place, sink).await
    }
}

fn tag_of(version: &str) -> String {
    version.replace('+', "_")
}

fn hex(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

fn check(blob: &Descriptor, size: u64, digest: &str) -> Result<(), OciError> {
    if blob.size == size && hex(&blob.digest) == digest {
        return Ok(());
    }
    Err(OciError::Digest {
        wanted: format!("{} of {} bytes", blob.digest, blob.size),
        found: format!("sha256:{digest} of {size} bytes"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_chosen_as_helm_chooses() {
        let tags = ["2.0.0-rc.1", "1.10.0", "1.2.0+b"].map(str::to_owned);
        assert_eq!(matching_tag(&tags, "").unwrap(), "1.10.0");
        assert_eq!(matching_tag(&tags, "1.2.0+b").unwrap(), "1.2.0+b");
        assert_eq!(matching_tag(&tags, ">0.0.0-0").unwrap(), "2.0.0-rc.1");
        assert_eq!(matching_tag(&tags, "~1.2").unwrap(), "1.2.0+b");
        let error = matching_tag(&tags, ">9").unwrap_err().to_string();
        assert_eq!(error, "could not locate a version matching provided version string >9");
    }
}
