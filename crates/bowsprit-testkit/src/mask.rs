use std::path::Path;

/// Replaces the paths that differ between machines by fixed words, and back.
///
/// `<REPOSITORY>` stands for the root of the repository and `<OUT>` for the empty folder that each
/// run of a case gets.
#[derive(Debug, Clone)]
pub struct Mask {
    pairs: [(String, &'static str); 2],
}

impl Mask {
    /// A mask for these two folders, which must be absolute.
    #[must_use]
    pub fn new(repository: &Path, out: &Path) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Self { pairs: [(text(out), "<OUT>"), (text(repository), "<REPOSITORY>")] }
    }

    /// The argument with the words replaced by the paths.
    #[must_use]
    pub fn resolve(&self, argument: &str) -> String {
        self.pairs.iter().fold(argument.to_string(), |text, (path, word)| text.replace(word, path))
    }

    /// The output with the paths replaced by the words.
    #[must_use]
    pub fn apply(&self, output: &[u8]) -> Vec<u8> {
        self.pairs.iter().fold(output.to_vec(), |bytes, (path, word)| {
            replace(&bytes, path.as_bytes(), word.as_bytes())
        })
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        if let Some(tail) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = tail;
        } else {
            out.push(first);
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_words_and_back() {
        let mask = Mask::new(Path::new("/home/me/bowsprit"), Path::new("/tmp/out"));
        assert_eq!(mask.resolve("--output-dir=<OUT>/a"), "--output-dir=/tmp/out/a");
        let output = b"wrote /tmp/out/x\nopen /home/me/bowsprit/fixtures: \xff";
        assert_eq!(mask.apply(output), b"wrote <OUT>/x\nopen <REPOSITORY>/fixtures: \xff");
    }
}
