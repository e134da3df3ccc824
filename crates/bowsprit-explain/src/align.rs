//! Where an item of a list is in another rendering, in which the list may have more or fewer.

use crate::path::{Path, Step};
use bowsprit_yaml::{SyntaxKind, SyntaxNode};

/// Fields by which Kubernetes tells the items of lists apart, the most usual first: its merge keys.
const NAMES: &[&[u8]] = &[
    b"name",
    b"mountPath",
    b"containerPort",
    b"devicePath",
    b"topologyKey",
    b"key",
    b"host",
    b"port",
    b"ip",
    b"type",
];

/// A text, and its root.
#[derive(Clone, Copy)]
pub(crate) struct Side<'t> {
    pub(crate) text: &'t [u8],
    pub(crate) node: SyntaxNode<'t>,
}

impl<'t> Side<'t> {
    fn at(self, node: SyntaxNode<'t>) -> Side<'t> {
        Side { node: node.target(), ..self }
    }

    fn source(self) -> &'t [u8] {
        self.text.get(self.node.span()).unwrap_or_default().trim_ascii()
    }

    fn items(self) -> Vec<Side<'t>> {
        self.node.items().map(|item| self.at(item)).collect()
    }

    fn field(self, name: &[u8]) -> Option<&'t [u8]> {
        let is_table = self.node.kind() == SyntaxKind::Mapping;
        Some(self.at(self.node.get(name).filter(|_| is_table)?).source())
    }
}

/// The path, in the new text, of what stands at a path of the old one; none where it is gone.
pub(crate) fn aligned(old: Side<'_>, new: Side<'_>, path: &Path) -> Option<Path> {
    let (mut old, mut new) = (old, new);
    let mut steps = Vec::new();
    for (number, step) in path.steps().iter().enumerate() {
        let Step::Index(index) = step else {
            let Step::Key(key) = step else { return None };
            steps.push(step.clone());
            match (old.node.get(key.as_bytes()), new.node.get(key.as_bytes())) {
                (Some(below), Some(other)) => (old, new) = (old.at(below), new.at(other)),
                // Keys with dots are found by the one who asks.
                _ => {
                    steps.extend(path.steps().iter().skip(number + 1).cloned());
                    break;
                }
            }
            continue;
        };
        let (before, after) = (old.items(), new.items());
        let found = item(&before, &after, *index)?;
        (old, new) = (*before.get(*index)?, *after.get(found)?);
        steps.push(Step::Index(found));
    }
    Some(steps.into_iter().collect())
}

/// Which of the items after is the one that was at an index before.
fn item(before: &[Side<'_>], after: &[Side<'_>], index: usize) -> Option<usize> {
    let old = before.get(index)?;
    let is_same = |new: &Side<'_>| new.source() == old.source();
    if after.get(index).is_some_and(is_same) {
        return Some(index);
    }
    // The how manieth of equal ones.
    let earlier = before.iter().take(index).filter(|item| is_same(item)).count();
    let mut equal = after.iter().enumerate().filter(|(_, item)| is_same(item));
    if let Some((found, _)) = equal.nth(earlier) {
        return Some(found);
    }
    let name = NAMES.iter().find_map(|name| Some((*name, old.field(name)?)));
    if let Some((name, text)) = name
        && let Some(found) = after.iter().position(|item| item.field(name) == Some(text))
    {
        return Some(found);
    }
    // What lies between equal beginnings and ends is the same item if it is as many.
    let pairs = || before.iter().zip(after);
    let start = pairs().take_while(|(a, b)| a.source() == b.source()).count();
    let pairs = before.iter().rev().zip(after.iter().rev());
    let end = pairs.take_while(|(a, b)| a.source() == b.source()).count();
    let middle = |all: &[Side<'_>]| all.len().saturating_sub(start + end);
    (middle(before) == middle(after)).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bowsprit_yaml::Syntax;

    fn moved(old: &str, new: &str, path: &str) -> Option<String> {
        let (old, new) = (old.as_bytes(), new.as_bytes());
        let syntaxes = [old, new].map(|text| Syntax::parse(text).unwrap().unwrap());
        let [before, after] = [(old, &syntaxes[0]), (new, &syntaxes[1])]
            .map(|(text, syntax)| Side { text, node: syntax.root().unwrap() });
        aligned(before, after, &Path::parse(path).unwrap()).map(|path| path.to_string())
    }

    #[test]
    fn items_are_followed() {
        let old = "a:\n- name: x\n  v: 1\n- name: y\n  v: 2\nb: [p, q]\nc.d: [r]\n";
        let new =
            "a:\n- name: w\n  v: 3\n- name: x\n  v: 1\n- name: y\n  v: 4\nb: [p, s]\nc.d: [t]\n";
        let at = |path: &str| moved(old, new, path);
        assert_eq!(at("a[0].v").as_deref(), Some("a[1].v"));
        assert_eq!(at("a[1].v").as_deref(), Some("a[2].v"));
        assert_eq!(at("b[1]").as_deref(), Some("b[1]"));
        assert_eq!(at(r"c\.d[0]").as_deref(), Some(r"c\.d[0]"));
        assert_eq!(moved("a: [x, y, z]\n", "a: [x, z]\n", "a[1]"), None);
    }
}
