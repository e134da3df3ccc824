//! Texts into documents that know their lines.

/// A text with objects: a file, or what a template renders to.
#[derive(Clone, Copy, Debug)]
pub struct Input<'t> {
    /// What findings name: a file's path, or a template.
    pub file: &'t str,
    /// The YAML text, of any number of documents.
    pub text: &'t [u8],
    /// Whether lines of the text are lines of the file. Those of rendered text are not lines of the
    /// template.
    pub has_lines: bool,
}

impl<'t> Input<'t> {
    /// A file as it lies there.
    pub fn file(file: &'t str, text: &'t [u8]) -> Input<'t> {
        Input { file, text, has_lines: true }
    }

    /// What a template renders to.
    pub fn rendered(template: &'t str, text: &'t [u8]) -> Input<'t> {
        Input { file: template, text, has_lines: false }
    }
}

/// The documents of a text, each with the number of lines before it.
pub(crate) fn documents(text: &[u8]) -> Vec<(usize, &[u8])> {
    let mut found = Vec::new();
    let (mut start, mut first, mut line, mut at) = (0, 0, 0, 0);
    for piece in text.split_inclusive(|b| *b == b'\n') {
        if is_separator(piece) {
            found.push((first, text.get(start..at).unwrap_or_default()));
            start = at + piece.len();
            first = line + 1;
        }
        at += piece.len();
        line += 1;
    }
    found.push((first, text.get(start..).unwrap_or_default()));
    found.retain(|(_, document)| document.iter().any(|b| !b.is_ascii_whitespace()));
    found
}

fn is_separator(line: &[u8]) -> bool {
    line.strip_prefix(b"---").is_some_and(|rest| {
        let rest = rest.trim_ascii();
        rest.is_empty() || rest.starts_with(b"#")
    })
}

#[cfg(test)]
mod tests {
    use super::documents;

    #[test]
    fn documents_know_their_lines() {
        let found = documents(b"---\na: 1\n--- # two\n\n---\nb: |\n  --- x\n");
        let found: Vec<(usize, String)> = found
            .into_iter()
            .map(|(line, text)| (line, String::from_utf8_lossy(text).into_owned()))
            .collect();
        assert_eq!(found, [(1, "a: 1\n".to_owned()), (5, "b: |\n  --- x\n".to_owned())]);
    }
}
