//! The keys of `values.yaml` with what comments say of them.

use crate::path::{Path, Step};
use bowsprit_value::{Str, Value};
use bowsprit_yaml::{Syntax, SyntaxKind, SyntaxNode, decode};
use std::collections::BTreeMap;

/// A key, or an item of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Key {
    pub(crate) path: Path,
    /// The value; tables and lists with all that is in them.
    pub(crate) value: Value,
    pub(crate) below: Vec<Key>,
    pub(crate) comment: Comment,
}

/// What a comment says, in the habits of helm-docs and of Bitnami's charts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Comment {
    /// What the value is for.
    pub(crate) text: String,
    /// What is shown for the default, `@default -- …`.
    pub(crate) default: Option<String>,
    /// The heading that it stands under, `@section -- …`.
    pub(crate) section: Option<String>,
    /// Whether it is left out, `@ignored`.
    pub(crate) ignored: bool,
    /// Whether the author wrote it for documentation: `-- …` or `@param`.
    pub(crate) marked: bool,
}

/// The keys of a values file's first document.
pub(crate) fn keys(text: &[u8]) -> Vec<Key> {
    let Ok(Some(syntax)) = Syntax::parse(text) else { return Vec::new() };
    let values = decode(text).unwrap_or_default();
    let source = String::from_utf8_lossy(text);
    let lines: Vec<&str> = source.lines().collect();
    let params = params(&lines);
    let mut walker = Walker { lines: &lines, params, depth: 0 };
    let root = syntax.root();
    root.map(|root| walker.table(root, &values, &Path::default())).unwrap_or_default()
}

struct Walker<'l> {
    lines: &'l [&'l str],
    /// Descriptions that name their key.
    params: BTreeMap<String, String>,
    depth: u32,
}

impl Walker<'_> {
    fn table(&mut self, node: SyntaxNode<'_>, values: &Value, path: &Path) -> Vec<Key> {
        const DEEPEST: u32 = 64;
        if self.depth > DEEPEST {
            return Vec::new();
        }
        self.depth += 1;
        let mut found = Vec::new();
        let node = node.target();
        for (key, value) in node.entries() {
            let name = String::from_utf8_lossy(key.text()).into_owned();
            let below = values.as_map().and_then(|map| map.get(key.text()));
            let Some(below) = below else { continue };
            found.push(self.key(path.key(&name), key.line(), value, below));
        }
        if node.kind() == SyntaxKind::Sequence
            && let Value::List(list) = values
        {
            for (index, (item, value)) in node.items().zip(list.iter()).enumerate() {
                let path = path.join(Step::Index(index));
                found.push(self.key(path, item.line(), item, value.clone()));
            }
        }
        self.depth -= 1;
        found
    }

    fn key(&mut self, path: Path, line: usize, node: SyntaxNode<'_>, value: Value) -> Key {
        let mut comment = self.comment(line, &path);
        if let Some(text) = self.params.get(&plain(&path)) {
            comment.text.clone_from(text);
            comment.marked = true;
        }
        let below = self.table(node, &value, &path);
        Key { path, value, below, comment }
    }

    /// The comment right above a line.
    fn comment(&self, line: usize, path: &Path) -> Comment {
        let above = self.lines.get(..line.saturating_sub(1)).unwrap_or_default();
        let is_comment = |line: &&&str| line.trim_start().starts_with('#');
        let mut block: Vec<&str> = above.iter().rev().take_while(is_comment).copied().collect();
        block.reverse();
        read_comment(&block, path)
    }
}

/// The path as comments write it.
fn plain(path: &Path) -> String {
    path.to_string().replace("\\", "")
}

fn bare(line: &str) -> &str {
    line.trim().trim_start_matches('#').trim()
}

fn read_comment(block: &[&str], path: &Path) -> Comment {
    let mut comment = Comment::default();
    let path = plain(path);
    // What stands above a `-- ` speaks of something else.
    let is_start = |line: &&str| {
        let line = bare(line);
        line.starts_with("-- ")
            || line.strip_prefix(path.as_str()).is_some_and(|r| r.trim_start().starts_with("-- "))
    };
    let start = block.iter().rposition(is_start);
    comment.marked = start.is_some();
    let mut words: Vec<&str> = Vec::new();
    for (number, line) in block.iter().enumerate() {
        let line = bare(line);
        if let Some(text) = line.strip_prefix("@default -- ") {
            comment.default = Some(text.to_owned());
        } else if let Some(text) = line.strip_prefix("@section -- ") {
            comment.section = Some(text.to_owned());
        } else if line == "@ignored" || line == "@ignore" || line.starts_with("@skip ") {
            comment.ignored = true;
        } else if line.starts_with('@')
            || line.starts_with("ref:")
            || start.is_some_and(|s| number < s)
        {
            continue;
        } else if Some(number) == start {
            let text = line.split_once("-- ").map_or("", |(_, text)| text.trim());
            // The type stands before it, where somebody wanted to say it.
            let typed = text.strip_prefix('(').and_then(|text| text.split_once(')'));
            words = vec![typed.map_or(text, |(_, text)| text.trim())];
        } else if !line.is_empty() {
            words.push(line);
        }
    }
    comment.text = words.join(" ").trim().to_owned();
    comment
}

/// `## @param path Description`, with `[default: …]` and other marks in brackets left out.
fn params(lines: &[&str]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in lines {
        let Some(rest) =
            bare(line).strip_prefix("@param ").or_else(|| bare(line).strip_prefix("@extra "))
        else {
            continue;
        };
        let (path, mut text) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        text = text.trim();
        while text.starts_with('[')
            && let Some((_, after)) = text.split_once(']')
        {
            text = after.trim();
        }
        found.insert(path.to_owned(), text.to_owned());
    }
    found
}

/// The name of a value's type, in the words of helm-docs.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::Str(_) => "string",
        Value::Int(..) => "int",
        Value::Float(number) if number.fract() == 0.0 => "int",
        Value::Float(_) => "float",
        Value::List(_) => "list",
        Value::Map(_) => "object",
        _ => "nil",
    }
}

/// A key's name.
pub(crate) fn last(path: &Path) -> Str {
    match path.steps().last() {
        Some(Step::Key(key)) => Str::from(key.as_str()),
        _ => Str::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_read() {
        let text = b"# other\n# -- (int) how many\n# pods\n# @default -- one\nreplicas: 1\n\n\
            ## @param image.tag [default: x] The tag\nimage:\n  # the tag\n  tag: v1\n";
        let keys = keys(text);
        let replicas = &keys[0].comment;
        assert_eq!((replicas.text.as_str(), replicas.marked), ("how many pods", true));
        assert_eq!(replicas.default.as_deref(), Some("one"));
        assert_eq!(keys[1].below[0].comment.text, "The tag");
    }
}
