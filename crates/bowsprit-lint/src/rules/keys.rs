//! The keys of a values file with their places.

use bowsprit_yaml::{Syntax, SyntaxKind, SyntaxNode, SyntaxStyle};

/// How deeply tables are followed.
const MAX_DEPTH: usize = 64;

/// A key of a values file, with those below it.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) line: u32,
    pub(super) column: u32,
    /// The keys of its table; those of all its items for a list of tables.
    pub(super) below: Vec<Key>,
    /// A list, whose keys are one level deeper.
    pub(super) is_list: bool,
}

/// The keys of a text's first document; none for text that is no YAML or no table.
pub(super) fn keys(text: &[u8]) -> Vec<Key> {
    match Syntax::parse(text) {
        Ok(Some(syntax)) => syntax.root().map(|root| of(root, 0)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn of(node: SyntaxNode<'_>, depth: usize) -> Vec<Key> {
    if depth > MAX_DEPTH {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (key, value) in node.target().entries() {
        let name = String::from_utf8_lossy(key.text()).into_owned();
        if name == "<<" && key.style() == SyntaxStyle::Plain {
            found.extend(of(value, depth + 1));
            continue;
        }
        let value = value.target();
        let below = match value.kind() {
            SyntaxKind::Sequence => value.items().flat_map(|item| of(item, depth + 1)).collect(),
            _ => of(value, depth + 1),
        };
        found.push(Key {
            name,
            line: u32::try_from(key.line()).unwrap_or(u32::MAX),
            column: u32::try_from(key.column() + 1).unwrap_or(u32::MAX),
            below,
            is_list: value.kind() == SyntaxKind::Sequence,
        });
    }
    found
}

/// The number of changes from one word to another: letters added, dropped, replaced, or swapped with
/// their neighbour.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let width = b.len() + 1;
    let mut table = vec![0usize; (a.len() + 1) * width];
    let at = |i: usize, j: usize| i * width + j;
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            let best = if i == 0 || j == 0 {
                i.max(j)
            } else {
                let same = a.get(i - 1) == b.get(j - 1);
                let mut best = (table[at(i - 1, j - 1)] + usize::from(!same))
                    .min(table[at(i - 1, j)] + 1)
                    .min(table[at(i, j - 1)] + 1);
                if i > 1 && j > 1 && a.get(i - 1) == b.get(j - 2) && a.get(i - 2) == b.get(j - 1) {
                    best = best.min(table[at(i - 2, j - 2)] + 1);
                }
                best
            };
            table[at(i, j)] = best;
        }
    }
    table.last().copied().unwrap_or_default()
}

/// The candidate that was probably meant, if one is near enough.
pub(super) fn nearest<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let lower = name.to_lowercase();
    let bound = (name.chars().count() / 3).min(3);
    let scored = candidates.into_iter().filter(|candidate| *candidate != name).map(|candidate| {
        let words = distance(&lower, &candidate.to_lowercase());
        (words, distance(name, candidate), candidate)
    });
    scored.filter(|(words, ..)| *words <= bound).min().map(|(_, _, candidate)| candidate)
}

/// The candidate that differs by one slip of the fingers: a letter too many, too few, wrong or swapped
/// with its neighbour. Short words and those that are counted up, as `port1`, are near by their nature.
pub(super) fn slip<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    const SHORT: usize = 4;
    let letters = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let is_near = |candidate: &&str| {
        let shorter = name.chars().count().min(candidate.chars().count());
        shorter > SHORT && distance(name, candidate) == 1 && letters(name) != letters(candidate)
    };
    candidates.into_iter().find(is_near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_know_their_places() {
        let keys = keys(b"a:\n  b: 1\n  c:\n  - {d: 1}\n  - d: 2\n    e: 3\n");
        assert_eq!(keys.len(), 1);
        let below: Vec<_> = keys[0].below.iter().map(|k| (k.name.as_str(), k.line)).collect();
        assert_eq!(below, [("b", 2), ("c", 3)]);
        let items: Vec<_> =
            keys[0].below[1].below.iter().map(|k| (k.name.as_str(), k.column)).collect();
        assert_eq!(items, [("d", 6), ("d", 5), ("e", 5)]);
        assert!(keys[0].below[1].is_list);
    }

    #[test]
    fn near_words_are_found() {
        assert_eq!(distance("replicaCuont", "replicaCount"), 1);
        assert_eq!(nearest("replicas", ["replicaCount", "replica"]), Some("replica"));
        assert_eq!(nearest("imageTag", ["image", "tag"]), None);
        assert_eq!(nearest("ServiceAccount", ["serviceAccount"]), Some("serviceAccount"));
        assert_eq!(slip("limitz", ["limits", "requests"]), Some("limits"));
        assert_eq!(slip("port2", ["port1"]), None);
        assert_eq!(slip("http", ["htp"]), None);
    }
}
