//! Post-renderers: what may change all manifests of a render before Helm sorts them.
//!
//! As Helm does, all documents become one stream in which an annotation says which file each comes from;
//! what comes back is taken apart by it. Helm writes the stream with kustomize's library, which lays YAML
//! out anew; here the documents stay as they were rendered.

use super::{Error, ErrorKind};
use bowsprit_manifest::{Order, sort_manifests_as, split};
use bowsprit_render::{Compat, Release};
use bowsprit_value::{Map, Value};
use bowsprit_yaml::Edits;
use std::collections::BTreeMap;

/// The annotation in which Helm keeps a document's file.
const FILENAME: &str = "postrenderer.helm.sh/postrender-filename";

/// What a post-renderer makes of a stream, or what it says.
type Run<'r> = &'r mut dyn FnMut(&[u8]) -> Result<Vec<u8>, String>;

/// Has a post-renderer change a release's manifests and hooks. It gets the stream of all of them and gives
/// the stream that shall be.
///
/// # Errors
///
/// Fails with Helm's words where the post-renderer does, and where one of the streams is not YAML.
pub fn post_render(release: &mut Release, compat: Compat, run: Run<'_>) -> Result<(), Error> {
    let failed = |text: String| Error::new(ErrorKind::PostRender(text), Vec::new(), compat);
    let stream = merged(release).map_err(|e| failed(format!("error merging manifests: {e}")))?;
    let stream = run(stream.as_bytes())
        .map_err(|e| failed(format!("error while running post render on files: {e}")))?;
    let files = taken_apart(&stream)
        .map_err(|e| failed(format!("error while parsing post rendered output: {e}")))?;
    let sources = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes()));
    let sorted = sort_manifests_as(sources, Order::Install, compat.rules().documents)
        .map_err(|e| failed(e.to_string()))?
        .sorted;
    release.manifests = sorted.manifests;
    release.hooks = sorted.hooks;
    Ok(())
}

fn merged(release: &Release) -> Result<String, String> {
    let manifests = release.manifests.iter().map(|m| (&*m.path, m.content.as_str()));
    let hooks = release.hooks.iter().map(|hook| (&*hook.path, hook.manifest.as_str()));
    let mut documents: Vec<(&str, &str)> = manifests.chain(hooks).collect();
    documents.sort_by_key(|(path, _)| *path);
    let mut stream = String::new();
    for (path, text) in documents {
        let mut edits = Edits::new();
        edits.set(["metadata", "annotations", FILENAME], path);
        let marked = edits.apply(text.as_bytes()).map_err(|e| format!("annotating {path}: {e}"))?;
        if !stream.is_empty() {
            stream.push_str("---\n");
        }
        stream.push_str(&String::from_utf8_lossy(&marked));
        if !stream.ends_with('\n') {
            stream.push('\n');
        }
    }
    Ok(stream)
}

fn taken_apart(stream: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (place, document) in split(stream).enumerate() {
        let decode = |text: &[u8]| bowsprit_yaml::decode(text).map_err(|e| e.to_string());
        let object = decode(document)?;
        if object.is_nil() {
            continue;
        }
        let mut text = String::from_utf8_lossy(document).into_owned();
        let file = match mark(&object) {
            None => format!("generated-by-postrender-{place}.yaml"),
            Some(file) => {
                text = without_line(&text);
                if let Ok(left) = decode(text.as_bytes())
                    && mark(&left).is_some()
                {
                    text = without_entry(&text, &left)?;
                }
                file
            }
        };
        let all = files.entry(file).or_default();
        if !all.is_empty() {
            if !all.ends_with('\n') {
                all.push('\n');
            }
            all.push_str("---\n");
        }
        all.push_str(&text);
    }
    Ok(files)
}

fn annotations(object: &Value) -> Option<Map> {
    let metadata = object.as_map()?.get(b"metadata")?;
    metadata.as_map()?.get(b"annotations")?.as_map().cloned()
}

fn mark(object: &Value) -> Option<String> {
    let mark = annotations(object)?.get(FILENAME.as_bytes())?;
    mark.as_str().map(|file| file.to_string())
}

/// A document without the mark's line, and without the key above it if nothing else is below that.
fn without_line(text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let name = |line: &str| {
        let key = line.trim_start().trim_start_matches(['"', '\'']);
        key.strip_prefix(FILENAME)
            .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).starts_with(':'))
    };
    let Some(at) = lines.iter().position(|line| name(line)) else { return text.to_owned() };
    let depth = indent(lines.remove(at));
    let above = at.checked_sub(1).and_then(|above| lines.get(above).copied());
    let sibling =
        lines.get(at).is_some_and(|line| indent(line) >= depth && !line.trim().is_empty());
    if above.is_some_and(|line| line.trim() == "annotations:") && !sibling {
        lines.remove(at - 1);
    }
    lines.concat()
}

/// The same where the annotations stand in braces.
fn without_entry(text: &str, object: &Value) -> Result<String, String> {
    let without = |map: Option<Map>, name: &str| {
        let map = map.unwrap_or_default();
        let entries = map.entries();
        let rest = entries.iter().filter(|(key, _)| key.as_bytes() != name.as_bytes());
        Map::from_entries(rest.map(|(key, value)| (key.clone(), value.clone())))
    };
    let rest = without(annotations(object), FILENAME);
    let mut edits = Edits::new();
    if rest.is_empty() {
        let metadata = object.as_map().and_then(|object| object.get(b"metadata"));
        let metadata = metadata.as_ref().and_then(Value::as_map).cloned();
        edits.set(["metadata"], without(metadata, "annotations"));
    } else {
        edits.set(["metadata", "annotations"], rest);
    }
    let text = edits.apply(text.as_bytes()).map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_vanish_and_the_rest_stays() {
        for (text, want) in [
            (
                "kind: A\nmetadata:\n  annotations:\n    postrenderer.helm.sh/postrender-filename: f\n  name: x # y\n",
                "kind: A\nmetadata:\n  name: x # y\n",
            ),
            (
                "kind: A\nmetadata:\n  annotations:\n    a: b\n    postrenderer.helm.sh/postrender-filename: 'f'\n",
                "kind: A\nmetadata:\n  annotations:\n    a: b\n",
            ),
            (
                "kind: A\nmetadata: {name: x, annotations: {postrenderer.helm.sh/postrender-filename: f}}\n",
                // What is set anew is written as JSON.
                "kind: A\nmetadata: {\"name\":\"x\"}\n",
            ),
            (
                "kind: A\nmetadata: {name: x, annotations: {a: b, postrenderer.helm.sh/postrender-filename: f}}\n",
                "kind: A\nmetadata: {name: x, annotations: {\"a\":\"b\"}}\n",
            ),
        ] {
            let files = taken_apart(text.as_bytes()).unwrap();
            assert_eq!(files.get("f").map(String::as_str), Some(want), "{files:?}");
        }
        let files = taken_apart(b"kind: A\n---\nkind: B\n").unwrap();
        assert_eq!(files.len(), 2, "{files:?}");
        assert!(files.contains_key("generated-by-postrender-1.yaml"));
    }
}
