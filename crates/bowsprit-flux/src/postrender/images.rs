//! kustomize's `images`: new names, tags and digests for containers' images.

use super::node::Node;
use super::pattern::matches;
use crate::release::Image;
use bowsprit_value::Str;

/// Sets the image wherever an object names it: in all lists called `containers` or `initContainers`,
/// and in the image volumes of pods.
pub(crate) fn set(object: &mut Node, image: &Image) {
    if object.text_of(&["kind"]) == "CustomResourceDefinition" {
        return;
    }
    walk(object, image);
    for path in [&["spec"][..], &["spec", "template", "spec"]] {
        if let Some(Node::List(volumes)) = at_mut(object, path, "volumes") {
            for volume in volumes {
                if let Some(reference) = at_mut(volume, &["image"], "reference") {
                    update(reference, image);
                }
            }
        }
    }
}

fn at_mut<'n>(node: &'n mut Node, path: &[&str], last: &str) -> Option<&'n mut Node> {
    let mut node = node;
    for key in path.iter().chain([&last]) {
        let Node::Map(fields) = node else { return None };
        node = fields.get_mut(key.as_bytes())?;
    }
    Some(node)
}

fn walk(node: &mut Node, image: &Image) {
    match node {
        Node::List(items) => items.iter_mut().for_each(|item| walk(item, image)),
        Node::Map(fields) => {
            for (key, below) in fields {
                walk(below, image);
                if *key == "containers" || *key == "initContainers" {
                    containers(below, image);
                }
            }
        }
        _ => {}
    }
}

fn containers(node: &mut Node, image: &Image) {
    let Node::List(containers) = node else { return };
    for container in containers {
        if let Node::Map(fields) = container
            && let Some(found) = fields.get_mut(&b"image"[..])
        {
            update(found, image);
        }
    }
}

fn update(node: &mut Node, image: &Image) {
    if let Some(text) = node.text()
        && is_match(&text, &image.name)
    {
        *node = Node::Str(Str::from(renamed(&text, image)));
    }
}

/// Whether an image has this name, which kustomize takes for a regular expression.
fn is_match(image: &str, name: &str) -> bool {
    let pattern = format!(
        "^{name}(:[a-zA-Z0-9_.{{}}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{{}}-]*)?$"
    );
    matches(&pattern, image).unwrap_or(false)
}

fn renamed(text: &str, image: &Image) -> String {
    let (name, mut tag, mut digest) = split(text);
    let name = if image.new_name.is_empty() { name } else { &image.new_name };
    match (image.new_tag.is_empty(), image.digest.is_empty()) {
        (true, true) => {}
        _ => (tag, digest) = (&image.new_tag, &image.digest),
    }
    let part = |sign: &str, text: &str| {
        if text.is_empty() { String::new() } else { format!("{sign}{text}") }
    };
    format!("{name}{}{}", part(":", tag), part("@", digest))
}

/// Name, tag and digest. A colon before the first slash belongs to the registry.
fn split(image: &str) -> (&str, &str, &str) {
    let (rest, digest) = image.split_once('@').unwrap_or((image, ""));
    let path = rest.find('/').filter(|at| *at > 0).unwrap_or(0);
    let colon = rest.get(path..).and_then(|path| path.find(':')).map(|at| at + path);
    match colon {
        Some(at) => {
            let (name, tag) = rest.split_at_checked(at).unwrap_or((rest, ""));
            (name, tag.get(1..).unwrap_or_default(), digest)
        }
        None => (rest, "", digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_split() {
        for (image, want) in [
            ("nginx", ("nginx", "", "")),
            ("nginx:1", ("nginx", "1", "")),
            ("host:5000/a/b", ("host:5000/a/b", "", "")),
            ("host:5000/a/b:1@sha256:ab", ("host:5000/a/b", "1", "sha256:ab")),
            ("a@sha256:ab", ("a", "", "sha256:ab")),
        ] {
            assert_eq!(split(image), want, "{image}");
        }
    }

    #[test]
    fn tags_and_digests_take_each_others_place() {
        let image = |new_name: &str, new_tag: &str, digest: &str| Image {
            name: "a".into(),
            new_name: new_name.into(),
            new_tag: new_tag.into(),
            digest: digest.into(),
        };
        assert_eq!(renamed("a:1", &image("b/c", "", "")), "b/c:1");
        assert_eq!(renamed("a:1", &image("", "2", "")), "a:2");
        assert_eq!(renamed("a:1", &image("", "", "sha256:0")), "a@sha256:0");
        assert_eq!(renamed("a@sha256:1", &image("", "2", "")), "a:2");
        assert!(is_match("a:1", "a") && !is_match("ab:1", "a") && is_match("docker.io/a", ".*/a"));
        assert!(!is_match("a", "["));
    }
}
