//! Charts into registries.

use super::registry::Access;
use super::{
    CHART_MEDIA_TYPE, CONFIG_MEDIA_TYPE, Descriptor, MANIFEST_MEDIA_TYPE, Manifest, OciError,
    OciReference, PROVENANCE_MEDIA_TYPE, Registry,
};
use crate::net::{Header, Method, resolve, sink};
use bowsprit_chart::Metadata;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What Helm says of a `_` in a tag.
pub const UNDERSCORE: &str = "
OCI artifact references (e.g. tags) do not support the plus sign (+). To support
storing semantic versions, Helm adopts the convention of changing plus (+) to
an underscore (_) in chart version tags when pushing to a registry and back to
a plus (+) when pulling from a registry.";

/// A chart that is in a registry now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pushed {
    /// Where.
    pub reference: OciReference,
    /// The manifest's digest.
    pub digest: String,
}

impl Pushed {
    /// What Helm prints of a push.
    pub fn notice(&self) -> String {
        let Pushed { reference, digest } = self;
        let mut text = format!("Pushed: {reference}\nDigest: {digest}\n");
        if reference.tag.as_ref().is_some_and(|tag| tag.contains('_')) {
            text.push_str(&format!("{reference} contains an underscore.\n{UNDERSCORE}\n"));
        }
        text
    }
}

impl Registry {
    /// Pushes an archive, and its provenance if there is one. `created` is a time in RFC 3339.
    ///
    /// # Errors
    ///
    /// Where the registry refuses.
    pub async fn push(
        &self,
        reference: &OciReference,
        metadata: &Metadata,
        archive: Vec<u8>,
        provenance: Option<Vec<u8>>,
        created: &str,
    ) -> Result<Pushed, OciError> {
        let config = metadata.to_json().map_err(|e| OciError::Invalid(e.to_string()))?;
        let config = blob(CONFIG_MEDIA_TYPE, config);
        let chart = blob(CHART_MEDIA_TYPE, archive);
        let provenance = provenance.map(|text| blob(PROVENANCE_MEDIA_TYPE, text));
        let manifest = Manifest {
            config: config.0.clone(),
            chart: chart.0.clone(),
            provenance: provenance.as_ref().map(|(descriptor, _)| descriptor.clone()),
            annotations: annotations(metadata, created),
        };
        // The first one brings the token that the others use.
        self.upload(reference, &config).await?;
        let signature = async {
            match &provenance {
                Some(provenance) => self.upload(reference, provenance).await,
                None => Ok(()),
            }
        };
        tokio::try_join!(self.upload(reference, &chart), signature)?;
        let text = manifest.to_json();
        let digest = format!("sha256:{}", sink::sha256(&text));
        let path = format!("/v2/{}/manifests/{}", reference.repository, reference.target());
        let mut call = self.call(Method::Put, &reference.registry, &path);
        call.headers.push(Header::new("content-type", MANIFEST_MEDIA_TYPE));
        call.body = Some(text.into());
        let put = self.ask(call, reference, Access::Push).await;
        put.map_err(|e| e.doing("failed to perform \"PushReference\" on destination: "))?;
        Ok(Pushed { reference: reference.clone(), digest })
    }

    /// Uploads a blob that is not there yet.
    async fn upload(
        &self,
        reference: &OciReference,
        (blob, content): &(Descriptor, Arc<[u8]>),
    ) -> Result<(), OciError> {
        let OciReference { registry, repository, .. } = reference;
        let path = format!("/v2/{repository}/blobs/{}", blob.digest);
        let head = self.call(Method::Head, registry, &path);
        let exists = "failed to perform \"Exists\" on destination: ";
        let sent = self.send(head, reference, Access::Push).await;
        let (head, reply) = sent.map_err(|error| error.doing(exists))?;
        match reply.response.status {
            200 => return Ok(()),
            404 => {}
            _ => return Err(self.refused(&head, reply, reference).await.doing(exists)),
        }
        let pushing = "failed to perform \"Push\" on destination: ";
        let path = format!("/v2/{repository}/blobs/uploads/");
        let begin = self.call(Method::Post, registry, &path);
        let begun = self.ask(begin, reference, Access::Push).await;
        let (_, begun) = begun.map_err(|error| error.doing(pushing))?;
        let location = begun.header("location").and_then(|at| resolve(&begun.url, at));
        let Some(location) = location else {
            return Err(OciError::Invalid(format!(
                "{pushing}the registry names no upload location"
            )));
        };
        if begun.url.starts_with("https:") && !location.starts_with("https:") {
            let text = format!("{pushing}the upload location {location} gives up TLS");
            return Err(OciError::Invalid(text));
        }
        let joint = if location.contains('?') { '&' } else { '?' };
        let digest = blob.digest.replace(':', "%3A");
        let mut put = self.call_url(Method::Put, &format!("{location}{joint}digest={digest}"));
        put.headers.push(Header::new("content-type", "application/octet-stream"));
        put.body = Some(Arc::clone(content));
        let sent = self.ask(put, reference, Access::Push).await;
        sent.map(drop).map_err(|error| error.doing(pushing))
    }
}

fn blob(media_type: &str, content: Vec<u8>) -> (Descriptor, Arc<[u8]>) {
    let digest = format!("sha256:{}", sink::sha256(&content));
    let size = content.len() as u64;
    (Descriptor { media_type: media_type.to_owned(), digest, size }, content.into())
}

const PREFIX: &str = "org.opencontainers.image.";

fn annotations(metadata: &Metadata, created: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let authors: Vec<String> = metadata
        .maintainers
        .iter()
        .flatten()
        .flatten()
        .map(|maintainer| match maintainer.email.as_str() {
            "" => maintainer.name.clone(),
            email => format!("{} ({email})", maintainer.name),
        })
        .collect();
    let source = metadata.sources.iter().flatten().next();
    for (name, text) in [
        ("description", metadata.description.as_str()),
        ("title", &metadata.name),
        ("version", &metadata.version),
        ("url", &metadata.home),
        ("created", created),
        ("source", source.map_or("", String::as_str)),
        ("authors", &authors.join(", ")),
    ] {
        if !text.trim().is_empty() {
            found.insert(format!("{PREFIX}{name}"), text.to_owned());
        }
    }
    for (name, text) in metadata.annotations.iter().flatten() {
        let fixed = name.strip_prefix(PREFIX).is_some_and(|n| matches!(n, "version" | "title"));
        if !fixed {
            found.insert(name.clone(), text.clone());
        }
    }
    found
}
