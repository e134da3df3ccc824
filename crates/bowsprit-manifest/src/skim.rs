//! The head of a document that need not be decoded for it.

use crate::head::Head;
use bowsprit_yaml::{Skimmed, skim};

/// Where in a document the entries stand that are skimmed over.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Nothing,
    Metadata,
    Annotations,
}

/// Collects a head from the entries of a plain document.
#[derive(Default)]
pub(crate) struct Skimmer {
    head: Head,
    within: Within,
    seen: [bool; 5],
    /// Something is here that needs all of JSON's rules.
    unsure: bool,
}

/// The fields of a head: their level, and where they stand.
const FIELDS: [(usize, &[u8]); 5] =
    [(0, b"apiVersion"), (0, b"kind"), (0, b"metadata"), (1, b"name"), (1, b"annotations")];

impl Skimmer {
    /// The head of a text, where it is plain enough for that.
    pub(crate) fn head(text: &[u8]) -> Option<Head> {
        let mut skimmer = Skimmer::default();
        let plain = skim(text, |level, key, value| skimmer.entry(level, key, value));
        if !plain || skimmer.unsure {
            return None;
        }
        let mut head = skimmer.head;
        head.annotations.sort_unstable();
        let twice = head.annotations.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0));
        (!twice).then_some(head)
    }

    fn entry(&mut self, level: usize, key: &[u8], value: Skimmed<'_>) {
        match (level, self.within) {
            (0, _) => self.within = Within::Nothing,
            (1, Within::Nothing) | (2, Within::Nothing | Within::Metadata) => return,
            (1, _) => self.within = Within::Metadata,
            _ => {
                let text = self.text(value);
                return self.head.annotations.push((lossy(key), text));
            }
        }
        let is = |(at, name): &(usize, &[u8])| *at == level && key.eq_ignore_ascii_case(name);
        let Some(field) = FIELDS.iter().position(is) else { return };
        // Of fields that are the same to Go the one that comes later in the order of JSON wins.
        self.unsure |= self.seen.get(field).copied().unwrap_or_default();
        if let Some(seen) = self.seen.get_mut(field) {
            *seen = true;
        }
        match field {
            0 => self.head.api_version = self.text(value),
            1 => self.head.kind = self.text(value),
            3 => self.head.name = self.text(value),
            _ => {
                self.unsure |= !matches!(value, Skimmed::Mapping | Skimmed::Null);
                self.within = if field == 2 { Within::Metadata } else { Within::Annotations };
            }
        }
    }

    fn text(&mut self, value: Skimmed<'_>) -> String {
        match value {
            Skimmed::Text(text) | Skimmed::Quoted(text) => lossy(text),
            Skimmed::Null => String::new(),
            _ => {
                self.unsure = true;
                String::new()
            }
        }
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use bowsprit_testkit::Numbers;

    /// What all plain documents are made of, and what is not so plain.
    const PIECES: &[&str] = &[
        "apiVersion: v1\n",
        "kind: ConfigMap\n",
        "Kind: x\n",
        "metadata:\n",
        "  name: a\n",
        "  annotations:\n",
        "    helm.sh/hook: pre-install\n",
        "    \"b/c\": 'd'\n",
        "    e: 1\n",
        "  labels: {}\n",
        "metadata: {name: x}\n",
        "  name: \"a\\\"b\"\n",
        "spec:\n",
        "- a\n",
        "- a: b\n",
        "  c: [1, \"a\", --x, {b: c, d: [e]}]\n",
        "  - - x: y\n",
        "    -\n",
        "  text: |\n",
        "  text: >-\n",
        "data:\n",
        "  x.y: |-  \n",
        "    words: {{ here }}\n",
        "      deeper\n",
        "\n",
        "   \n",
        "# comment\n",
        "  # comment\n",
        "  a: b # comment\n",
        "  a: b:c #d\n",
        "  a: b: c\n",
        "  a:\n",
        "  a: -1\n",
        "  a: .5\n",
        "  a: -.inf\n",
        "  a: .nan\n",
        "  null: a\n",
        "  18446744073709551615: a\n",
        "  ~: a\n",
        "  <<: {a: b}\n",
        "  a: &b c\n",
        "  a: *b\n",
        "  a: !!str b\n",
        "  'a''b': c\n",
        "  'a b'   \n",
        "  a: \"b\n",
        "  c\"\n",
        "  a\n",
        "  ? a\n",
        "  : b\n",
        "\ta: b\n",
        "  a:\tb\n",
        "  a: b\tc\n",
        "--- a\n",
        "...\n",
        "%YAML 1.1\n",
        "  \u{e9}: \u{2028}\n",
        "  \u{e9}: \u{4e16}\n",
        "  a: \u{85}b\n",
        "  a: b\r\n",
        "  a: @b\n",
        "  a: [b, ]\n",
        "  a: {b}\n",
        "  a: []: b\n",
        "  a: b]\n",
        " z: y\n",
        "     z: y\n",
        "- |\n",
        "  x\n",
        "-  |+\n",
        "-",
        "x",
        ": ",
        " ",
        "'",
        "\"",
        "#",
    ];

    fn check(text: &[u8]) -> bool {
        let Some(head) = Skimmer::head(text) else { return false };
        let shown = String::from_utf8_lossy(text);
        assert_eq!(Ok(head), Head::decode(text, Dialect::default()), "{shown}");
        true
    }

    #[test]
    fn what_is_skimmed_is_what_is_decoded() {
        let mut numbers = Numbers::new(7);
        let mut plain = 0;
        for _ in 0..60_000 {
            let mut text = String::new();
            for _ in 0..=numbers.below(9) {
                // Ordinary pieces come first, and more often.
                let bound = if numbers.below(3) > 0 { 31 } else { PIECES.len() };
                text.push_str(PIECES[numbers.below(bound)]);
            }
            let mut text = text.into_bytes();
            if numbers.below(4) == 0 {
                numbers.damage(&mut text, b" \n:-#'\"|[]{},\tx");
            }
            plain += usize::from(check(&text));
        }
        assert!(plain > 5_000, "{plain}");
    }

    #[test]
    fn ordinary_documents_are_skimmed() {
        let texts = [
            "# nothing\n",
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  labels:\n    a: \"b\"\nspec:\n  \
             type: ClusterIP\n  ports:\n  - port: 80 # http\n    name: 'x'\n  selector: {a: b}\n",
            "kind: ConfigMap\nmetadata:\n  annotations:\n    a: b\ndata:\n  a: |\n\n    \u{e9}\tb: c\n   \n  \
             b: \"\\n\"",
            "kind: Job\nspec:\n    -   - x\n        - w: z\n          u:\n          - v\n    - [\"*\", --a-b]",
        ];
        for text in texts {
            assert!(check(text.as_bytes()), "{text:?}");
        }
    }
}
