//! The definitions in a chart's `crds/`, and which of them the server has in this form already.
//!
//! These are the largest texts of many charts and the dearest objects to read. A release's record therefore
//! remembers, for each that was there as the chart has it, a digest of the chart's text, the object's uid and
//! its generation, which the server counts up with each change of a definition. As long as all three are the
//! same, neither the text nor the object is read again.

use crate::client::Cluster;
use crate::discovery::Discovery;
use crate::error::{Error, ErrorKind, Result};
use crate::object::{self, Object};
use crate::send::is_applied;
use crate::threeway::is_part;
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Digests by the names of definitions.
pub(crate) type Seen = BTreeMap<String, String>;

/// A file of `crds/`.
#[derive(Clone, Debug)]
pub(crate) struct DefinitionFile {
    name: String,
    text: String,
    /// Its objects without the schemas.
    outlines: Vec<Object>,
}

/// A definition that is to be written.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) object: Object,
    text: Arc<[u8]>,
}

/// What is to be done about definitions.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    /// Those that are not there in this form.
    pub(crate) definitions: Vec<Definition>,
    /// What is to be remembered of the others.
    pub(crate) seen: Seen,
}

impl DefinitionFile {
    /// Reads what files say of the kinds that they define; this leaves out most of their texts.
    pub(crate) fn read(texts: Vec<(String, String)>) -> Result<Vec<(DefinitionFile, Vec<Json>)>> {
        let read = |(name, text): (String, String)| {
            let one = [(name, text)];
            let outlines = outlines(&one)?;
            let [(name, text)] = one;
            Ok((DefinitionFile { name, text, outlines: Vec::new() }, outlines))
        };
        texts.into_iter().map(read).collect()
    }

    /// Finds the kinds of its own objects; gives what is wrong with them, in Helm's words.
    pub(crate) fn build(
        &mut self,
        outlines: Vec<Json>,
        discovery: &Discovery,
        namespace: &str,
    ) -> Vec<String> {
        let built = object::build(outlines, discovery, namespace);
        self.outlines = built.objects;
        built.errors
    }

    /// The names of its objects.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.outlines.iter().map(Object::name)
    }

    fn full(&self, discovery: &Discovery, namespace: &str) -> Result<Vec<Object>> {
        let failed = |e: Error| e.context(format!("failed to install CRD {}", self.name));
        let built = object::build(object::parse(&self.text).map_err(failed)?, discovery, namespace);
        match built.errors.first() {
            Some(error) => Err(failed(Error::new(ErrorKind::Build, error.as_str()))),
            None => Ok(built.objects),
        }
    }
}

impl Definition {
    /// What is remembered of the definition as the server has it; none where the server does not count its
    /// changes.
    pub(crate) fn seen(&self, live: &Json) -> Option<(String, String)> {
        Some((self.object.name().to_owned(), digest(&self.text, live)?))
    }
}

fn digest(text: &[u8], live: &Json) -> Option<String> {
    let metadata = &live["metadata"];
    let (uid, generation) = (metadata["uid"].as_str()?, metadata["generation"].as_u64()?);
    let digest = Sha256::new()
        .chain_update(text)
        .chain_update(uid)
        .chain_update(generation.to_be_bytes())
        .finalize();
    Some(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

/// Where definitions are looked for, and how.
#[derive(Clone)]
pub(crate) struct Search {
    pub(crate) cluster: Cluster,
    pub(crate) discovery: Arc<Discovery>,
    pub(crate) namespace: String,
    /// What is there stays, in whatever form.
    pub(crate) keep: bool,
    /// What the last revision remembers.
    pub(crate) seen: Arc<Seen>,
}

impl Search {
    /// The definitions that are not there in this form already. They are large, so all cores read and compare
    /// them.
    pub(crate) async fn missing(&self, files: Vec<DefinitionFile>) -> Result<Missing> {
        let each = files.into_iter().map(|file| {
            let search = self.clone();
            async move {
                let died = |_| Error::new(ErrorKind::Server, "comparing definitions failed");
                tokio::spawn(async move { search.look(file).await }).await.map_err(died)?
            }
        });
        let each: Vec<Result<Missing>> = stream::iter(each).buffered(12).collect().await;
        let mut all = Missing::default();
        for one in each {
            let one = one?;
            all.definitions.extend(one.definitions);
            all.seen.extend(one.seen);
        }
        Ok(all)
    }

    async fn look(&self, file: DefinitionFile) -> Result<Missing> {
        let text: Arc<[u8]> = Arc::from(Sha256::digest(&file.text).as_slice());
        let mut heads = Vec::new();
        for outline in &file.outlines {
            heads.push(self.head(outline).await.map_err(explained)?);
        }
        let mut missing = Missing::default();
        let is_settled = |(outline, head): (&Object, &Option<Json>)| match head {
            None => false,
            Some(_) if self.keep => true,
            Some(head) => {
                let seen = self.seen.get(outline.name());
                seen.is_some() && digest(&text, head).as_ref() == seen
            }
        };
        if file.outlines.iter().zip(&heads).all(is_settled) {
            let own = |outline: &Object| self.seen.get_key_value(outline.name());
            let seen = file.outlines.iter().filter_map(own);
            missing.seen = seen.map(|(name, digest)| (name.clone(), digest.clone())).collect();
            return Ok(missing);
        }
        let there = heads.iter().any(Option::is_some);
        for object in self.full(file).await? {
            let definition = Definition { object, text: Arc::clone(&text) };
            let live = match there {
                true => self.live(&definition.object).await.map_err(explained)?,
                false => None,
            };
            match live {
                Some(live) if self.keep || is_same(&definition.object, &live) => {
                    missing.seen.extend(definition.seen(&live).filter(|_| !self.keep));
                }
                _ => missing.definitions.push(definition),
            }
        }
        Ok(missing)
    }

    /// The objects of a file with all that they say.
    async fn full(&self, file: DefinitionFile) -> Result<Vec<Object>> {
        let (discovery, namespace) = (Arc::clone(&self.discovery), self.namespace.clone());
        let read = tokio::task::spawn_blocking(move || file.full(&discovery, &namespace));
        read.await.map_err(|_| Error::new(ErrorKind::Build, "reading definitions failed"))?
    }

    /// A definition's metadata.
    async fn head(&self, outline: &Object) -> Result<Option<Json>> {
        match self.cluster.get_head(outline, true).await? {
            // What is there must stay, so this has to be the last word.
            None if self.keep => self.cluster.get_head(outline, false).await,
            head => Ok(head),
        }
    }

    async fn live(&self, object: &Object) -> Result<Option<Json>> {
        match self.keep {
            true => self.head(object).await,
            false => self.cluster.get_cached(object).await,
        }
    }
}

fn is_same(definition: &Object, live: &Json) -> bool {
    is_part(&definition.json["spec"], &live["spec"]) && is_applied(live)
}

fn explained(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Forbidden => {
            error.context("the chart brings definitions (--crds skip leaves them out)")
        }
        _ => error,
    }
}

/// The objects in texts of `crds/` files.
fn definitions(texts: &[(String, String)]) -> Result<Vec<Json>> {
    let mut found = Vec::new();
    for (name, text) in texts {
        let failed = |e: Error| e.context(format!("failed to install CRD {name}"));
        found.extend(object::parse(text).map_err(failed)?);
    }
    Ok(found)
}

/// The definitions in texts, as far as they say what will be served: without the schemas, which are most
/// of their text.
pub(crate) fn outlines(texts: &[(String, String)]) -> Result<Vec<Json>> {
    let short: Vec<(String, String)> =
        texts.iter().map(|(name, text)| (name.clone(), without_schemas(text))).collect();
    definitions(&short).or_else(|_| definitions(texts))
}

/// A text without the lines that stand deeper than a line `schema:` before them. Where that line was not
/// what it looks like, no more is lost than what is said at that place.
fn without_schemas(text: &str) -> String {
    let mut out = String::with_capacity(text.len() / 8);
    let mut schema: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        let depth = line.len() - line.trim_start_matches(' ').len();
        if schema.is_some_and(|schema| content.is_empty() || depth > schema) {
            continue;
        }
        let key = content.trim_start_matches("- ");
        schema = (key == "schema:").then(|| depth + content.len() - key.len());
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn outlines_say_what_is_served() {
        let text = "kind: CustomResourceDefinition\nspec:\n  group: a.b\n  versions:\n  - schema:\n      \
                    openAPIV3Schema:\n        type: object\n\n    name: v1\n    served: true\n  - name: v2\n    \
                    schema:\n      openAPIV3Schema: {}\n    served: false\n";
        let texts = [("a.yaml".to_owned(), text.to_owned())];
        let outline = outlines(&texts).unwrap().remove(0);
        let mut full = definitions(&texts).unwrap().remove(0);
        for version in full["spec"]["versions"].as_array_mut().unwrap() {
            version["schema"] = Json::Null;
        }
        assert_eq!(outline, full);
    }

    #[test]
    fn what_is_remembered_depends_on_text_and_object() {
        let live = |uid: &str, generation: u64| json!({"metadata": {"uid": uid, "generation": generation}});
        let first = digest(b"text", &live("u", 1));
        assert!(first.is_some());
        assert_eq!(first, digest(b"text", &live("u", 1)));
        for other in [
            digest(b"texts", &live("u", 1)),
            digest(b"text", &live("v", 1)),
            digest(b"text", &live("u", 2)),
            digest(b"text", &json!({"metadata": {"uid": "u"}})),
        ] {
            assert_ne!(first, other);
        }
    }
}
