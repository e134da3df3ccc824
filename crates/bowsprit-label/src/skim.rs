//! Large definitions, read without their schemas.
//!
//! Labels stand in `metadata`, and the schemas of custom resource definitions, which are nearly all of
//! their text, hold nothing that labels depend on. So these lines are taken out before the text is read
//! and put back after it was edited.

/// Less than this is read faster than it is taken apart.
const WORTH_IT: usize = 8 << 10;

const MARK: &str = "__schema_taken_out_";

/// A text of which parts were taken out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Skimmed {
    pub(crate) text: String,
    /// The lines that stand for what was taken out, and what that was.
    taken: Vec<(String, String)>,
}

impl Skimmed {
    /// Takes the lines out that stand deeper than a line `schema:` before them. None where there is little
    /// to gain.
    pub(crate) fn of(text: &str) -> Option<Skimmed> {
        let is_definition = text.contains("kind: CustomResourceDefinition");
        if text.len() < WORTH_IT || !is_definition || text.contains(MARK) {
            return None;
        }
        let mut skimmed =
            Skimmed { text: String::with_capacity(text.len() / 8), taken: Vec::new() };
        let mut schema: Option<usize> = None;
        for line in text.split_inclusive('\n') {
            let content = line.trim();
            let depth = line.len() - line.trim_start_matches(' ').len();
            if schema.is_some_and(|schema| content.is_empty() || depth > schema)
                && let Some((_, lines)) = skimmed.taken.last_mut()
            {
                lines.push_str(line);
                continue;
            }
            let key = content.trim_start_matches("- ");
            schema = (key == "schema:").then(|| depth + content.len() - key.len());
            if schema.is_none() {
                skimmed.text.push_str(line);
                continue;
            }
            let (before, end) = line.split_at(line.trim_end().len());
            let marked = format!("{before} {MARK}{}{end}", skimmed.taken.len());
            skimmed.text.push_str(&marked);
            skimmed.taken.push((marked, String::new()));
        }
        (!skimmed.taken.is_empty()).then_some(skimmed)
    }

    /// The edited text with all that was taken out; none where an edit has changed one of the places.
    pub(crate) fn restore(&self, edited: &str) -> Option<String> {
        let size: usize = self.taken.iter().map(|(_, lines)| lines.len()).sum();
        let mut out = String::with_capacity(edited.len() + size);
        let mut taken = self.taken.iter().enumerate().peekable();
        for line in edited.split_inclusive('\n') {
            match taken.next_if(|(_, (marked, _))| marked == line) {
                Some((at, (_, lines))) => {
                    out.push_str(&line.replace(&format!(" {MARK}{at}"), ""));
                    out.push_str(lines);
                }
                None if line.contains(MARK) => return None,
                None => out.push_str(line),
            }
        }
        taken.peek().is_none().then_some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(schema: &str) -> String {
        format!(
            "# {}\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: \
             a\nspec:\n  versions:\n  - name: v1\n    schema:\n{schema}\n    served: true\n  - schema:\n      \
             openAPIV3Schema: {{}}\n    name: v2\n",
            "x".repeat(WORTH_IT)
        )
    }

    #[test]
    fn what_was_taken_out_comes_back() {
        let text = definition("      openAPIV3Schema:\n\n        type: object  \n");
        let skimmed = Skimmed::of(&text).unwrap();
        assert!(!skimmed.text.contains("openAPIV3Schema"));
        assert!(skimmed.text.contains("served: true") && skimmed.text.contains("name: v2"));
        assert_eq!(skimmed.restore(&skimmed.text).unwrap(), text);
        let edited = skimmed.text.replace("metadata:\n", "metadata:\n  labels: {a: b}\n");
        let want = text.replace("metadata:\n", "metadata:\n  labels: {a: b}\n");
        assert_eq!(skimmed.restore(&edited).unwrap(), want);
        assert_eq!(skimmed.restore(&skimmed.text.replace("  - schema", "  -  schema")), None);
    }

    #[test]
    fn other_texts_are_read_as_they_are() {
        assert_eq!(Skimmed::of("kind: CustomResourceDefinition\nschema:\n  a: b\n"), None);
        assert_eq!(Skimmed::of(&definition("").replace("CustomResource", "X")), None);
    }
}
