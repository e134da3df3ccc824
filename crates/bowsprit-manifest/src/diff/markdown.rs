//! A difference for a comment on a pull request.

use super::text::unified;
use super::{Change, Difference, FieldChange};
use bowsprit_value::{Meter, Value, json};
use std::fmt::Write as _;

/// How a difference becomes Markdown.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MarkdownOptions {
    /// The heading; none where it is empty.
    pub title: String,
    /// Where to cut off; comments on GitHub may have 65,536 bytes.
    pub max_bytes: usize,
    /// How many lines are shown around each difference.
    pub context: usize,
}

impl Default for MarkdownOptions {
    fn default() -> MarkdownOptions {
        MarkdownOptions { title: String::new(), max_bytes: 60_000, context: 3 }
    }
}

impl MarkdownOptions {
    /// Below this heading.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> MarkdownOptions {
        self.title = title.into();
        self
    }

    /// With so many lines around each difference.
    #[must_use]
    pub fn context(mut self, lines: usize) -> MarkdownOptions {
        // More than any text has; the comparison adds and doubles it.
        self.context = lines.min(1 << 24);
        self
    }

    /// Cut off at so many bytes.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> MarkdownOptions {
        self.max_bytes = bytes;
        self
    }
}

impl Difference {
    /// A summary, a table of the objects, and for each a section to unfold with what differs. What goes
    /// beyond [`MarkdownOptions::max_bytes`] is left out, and a last line says how much.
    pub fn to_markdown(&self, options: &MarkdownOptions) -> String {
        let mut out = String::new();
        if !options.title.is_empty() {
            let _ = writeln!(out, "### {}\n", inline(&options.title));
        }
        if self.is_empty() {
            out.push_str("No object differs.\n");
            return out;
        }
        let _ = writeln!(out, "**{}**\n", self.summary());
        let mut pieces = vec!["| | object | fields |\n|---|---|---|\n".to_owned()];
        pieces.extend(self.changes.iter().map(row));
        pieces.push("\n".to_owned());
        let table = pieces.len();
        pieces.extend(self.changes.iter().map(|change| section(change, options.context)));
        let mut left_out = 0;
        for (index, piece) in pieces.iter().enumerate() {
            if left_out > 0 || out.len() + piece.len() > options.max_bytes {
                left_out += usize::from(index >= table);
                continue;
            }
            out.push_str(piece);
        }
        if left_out > 0 {
            let _ = writeln!(
                out,
                "\n*The differences of {left_out} more objects were too long to show here.*"
            );
        }
        out
    }
}

fn row(change: &Change) -> String {
    let mut fields: Vec<String> =
        change.fields.iter().take(3).map(|f| format!("`{}`", code(&f.path))).collect();
    if change.fields.len() > 3 {
        fields.push(format!("{} more", change.fields.len() - 3));
    }
    let name = inline(&change.identity.to_string());
    format!("| {} | {name} | {} |\n", change.kind.name(), fields.join(", "))
}

fn section(change: &Change, context: usize) -> String {
    let diff = unified(change, context);
    let fence = fence(&diff);
    let name = html(&change.identity.to_string());
    let mut out = format!("<details><summary>{} {name}</summary>\n\n", change.kind.name());
    for field in change.fields.iter().take(20) {
        let _ = writeln!(out, "- {}", line(field));
    }
    let _ = writeln!(out, "\n{fence}diff\n{diff}{fence}\n\n</details>\n");
    out
}

fn line(field: &FieldChange) -> String {
    let path = code(&field.path);
    match (&field.before, &field.after) {
        (Some(before), Some(after)) => {
            format!("`{path}`: `{}` → `{}`", short(before), short(after))
        }
        (Some(before), None) => format!("`{path}` removed: `{}`", short(before)),
        (None, Some(after)) => format!("`{path}` added: `{}`", short(after)),
        (None, None) => format!("`{path}`"),
    }
}

/// The value as JSON, as far as it fits on a line.
fn short(value: &Value) -> String {
    const LONGEST: usize = 80;
    let mut text = Vec::new();
    if json::encode(value, &json::Options::default(), &mut text, &Meter::default()).is_err() {
        return "…".to_owned();
    }
    let text = code(&String::from_utf8_lossy(&text));
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// Text between backquotes in a table's cell.
fn code(text: &str) -> String {
    text.replace('`', "'").replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// Text that means nothing to Markdown; names of objects come from charts.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '@' | '&' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(['\n', '\r'], " ")
}

/// More backquotes than the text has in a row.
fn fence(text: &str) -> String {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{ObjectSet, diff};

    fn difference(before: &str, after: &str) -> Difference {
        diff(
            &ObjectSet::parse(before.as_bytes()).unwrap(),
            &ObjectSet::parse(after.as_bytes()).unwrap(),
        )
    }

    #[test]
    fn markdown_names_objects_and_fields() {
        let before = "kind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}";
        let after = "kind: ConfigMap\nmetadata: {name: a}\ndata: {x: '``` | 2'}";
        let text = difference(before, after).to_markdown(&MarkdownOptions::default().title("web"));
        assert!(text.starts_with("### web\n\n**0 added, 1 changed, 0 removed, 0 unchanged**\n"));
        assert!(text.contains("| changed | ConfigMap a | `data.x` |\n"), "{text}");
        assert!(text.contains("- `data.x`: `\"1\"` → `\"''' \\| 2\"`\n"), "{text}");
        assert!(text.contains("````diff\n@@"), "{text}");
        let same = difference(before, before).to_markdown(&MarkdownOptions::default());
        assert_eq!(same, "No object differs.\n");
    }

    #[test]
    fn what_is_too_long_is_left_out() {
        let object = |n: usize| format!("kind: A\nmetadata: {{name: a{n}}}\n---\n");
        let many: String = (0..50).map(object).collect();
        let text = difference("", &many).to_markdown(&MarkdownOptions::default().max_bytes(3000));
        assert!(text.len() < 3100, "{}", text.len());
        assert!(text.contains("more objects were too long to show here"), "{text}");
    }
}
