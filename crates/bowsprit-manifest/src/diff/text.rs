//! A difference as unified text.

use super::{Change, ChangeKind, Difference};
use bowsprit_value::{Meter, Value};
use similar::TextDiff;

/// How a difference is printed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TextOptions {
    /// How many lines are shown around each difference.
    pub context: usize,
    /// Marks added and removed lines with the colours of terminals.
    pub color: bool,
}

impl Default for TextOptions {
    fn default() -> TextOptions {
        TextOptions { context: 3, color: false }
    }
}

impl TextOptions {
    /// With so many lines around each difference.
    #[must_use]
    pub fn context(mut self, lines: usize) -> TextOptions {
        // More than any text has; the comparison adds and doubles it.
        self.context = lines.min(1 << 24);
        self
    }

    /// With or without colours.
    #[must_use]
    pub fn color(mut self, color: bool) -> TextOptions {
        self.color = color;
        self
    }
}

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const CYAN: &str = "\u{1b}[36m";
const BOLD: &str = "\u{1b}[1m";
const RESET: &str = "\u{1b}[0m";

impl Difference {
    /// Unified differences of the objects as YAML, each below a line that names it; at the end a line
    /// that counts them.
    pub fn to_text(&self, options: &TextOptions) -> String {
        let mut out = String::new();
        for change in &self.changes {
            push(&mut out, &title(change), BOLD, options.color);
            for line in unified(change, options.context).lines() {
                let color = match line.as_bytes().first() {
                    Some(b'-') => RED,
                    Some(b'+') => GREEN,
                    Some(b'@') => CYAN,
                    _ => "",
                };
                push(&mut out, line, color, options.color);
            }
        }
        out.push_str(&self.summary());
        out.push('\n');
        out
    }
}

fn push(out: &mut String, line: &str, color: &str, colored: bool) {
    let colored = colored && !color.is_empty();
    if colored {
        out.push_str(color);
    }
    out.push_str(line);
    if colored {
        out.push_str(RESET);
    }
    out.push('\n');
}

fn title(change: &Change) -> String {
    format!("{} ({}) {}", change.identity, change.identity.api_version, change.kind.name())
}

/// The object's YAML before and after, as a unified difference without a head. An object that came or
/// went is shown whole.
pub(super) fn unified(change: &Change, context: usize) -> String {
    let (before, after) = (yaml(change.before.as_ref()), yaml(change.after.as_ref()));
    let context = if change.kind == ChangeKind::Changed { context } else { usize::MAX >> 1 };
    let diff = TextDiff::from_lines(&before, &after);
    let mut text = diff.unified_diff().context_radius(context).to_string();
    if text.is_empty() {
        // The order of keyed items, which YAML shows, was told apart; nothing else can be behind it.
        text = before;
    }
    text
}

/// What can't be written as YAML was not read from it either; then there is a line that says so.
fn yaml(value: Option<&Value>) -> String {
    let Some(value) = value else { return String::new() };
    let mut out = Vec::new();
    match bowsprit_yaml::encode(value, &mut out, &Meter::default()) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(error) => format!("# {error}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{ObjectSet, diff};

    #[test]
    fn changes_are_shown_with_their_surroundings() {
        let parse = |text: &str| ObjectSet::parse(text.as_bytes()).unwrap();
        let before = parse(
            "kind: A\nmetadata: {name: a, namespace: ns}\nspec: {b: 1, c: [x, y]}\n---\nkind: B\n",
        );
        let after = parse(
            "apiVersion: g/v1\nkind: C\nmetadata: {name: c}\n---\nspec: {c: [x, y], b: 2}\nkind: A\nmetadata: {name: a, namespace: ns}\n",
        );
        let text = diff(&before, &after).to_text(&TextOptions::default().context(1));
        let want = "B () removed\n@@ -1 +0,0 @@\n-kind: B\nC c (g/v1) added\n@@ -0,0 +1,4 @@\n\
                    +apiVersion: g/v1\n+kind: C\n+metadata:\n+  name: c\nA ns/a () changed\n\
                    @@ -5,3 +5,3 @@\n spec:\n-  b: 1\n+  b: 2\n   c:\n\
                    1 added, 1 changed, 1 removed, 0 unchanged\n";
        assert_eq!(text, want);
        let colored = diff(&before, &after).to_text(&TextOptions::default().color(true));
        assert!(colored.contains("\u{1b}[31m-  b: 1\u{1b}[0m\n"));
    }
}
