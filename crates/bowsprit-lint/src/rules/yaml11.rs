//! Words that YAML 1.1 takes for booleans.

use crate::helm::Linter;
use bowsprit_yaml::{Syntax, SyntaxKind, SyntaxNode, SyntaxStyle};

/// All but `true` and `false`, which everyone expects. Single letters are booleans as keys only, where
/// Helm's library differs from its treatment of values.
const WORDS: &[&str] = &[
    "y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off", "Off",
    "OFF",
];

pub(super) fn check(linter: &mut Linter<'_>) {
    let (source, options) = (linter.source, linter.options);
    if let Some(text) = source.values.bytes() {
        of_text(linter, "values.yaml", false, text);
    }
    if let Some(text) = source.chart_yaml.bytes() {
        of_text(linter, "Chart.yaml", false, text);
    }
    for file in &options.values_texts {
        of_text(linter, &file.name, true, &file.text);
    }
}

fn of_text(linter: &mut Linter<'_>, label: &str, outside: bool, text: &[u8]) {
    let Ok(Some(syntax)) = Syntax::parse(text) else { return };
    let mut pending: Vec<SyntaxNode<'_>> = syntax.root().into_iter().collect();
    let mut found = Vec::new();
    while let Some(node) = pending.pop() {
        for (key, value) in node.entries() {
            if is_word(key) {
                found.push((key, true));
            }
            // goyaml takes y and n for booleans nowhere but in keys of JSON's making.
            if is_word(value) && value.text().len() > 1 {
                found.push((value, false));
            }
            pending.push(value);
        }
        for item in node.items() {
            if is_word(item) && item.text().len() > 1 {
                found.push((item, false));
            }
            pending.push(item);
        }
    }
    found.sort_by_key(|(node, _)| node.span().start);
    for (node, is_key) in found {
        let word = String::from_utf8_lossy(node.text()).into_owned();
        let lower = word.to_lowercase();
        let truth = matches!(lower.as_str(), "y" | "yes" | "on");
        let text = match is_key && word.len() == 1 {
            true => format!("the key {word} without quotes is a boolean to some YAML readers"),
            false if is_key => format!("the key {word} without quotes becomes \"{truth}\""),
            false => format!("{word} without quotes is the boolean {truth}"),
        };
        let message = linter.own("BS004", label, text);
        message.line = u32::try_from(node.line()).ok();
        message.column = u32::try_from(node.column() + 1).ok();
        message.help = Some(format!("write \"{word}\", or {truth} if a boolean is meant"));
        message.outside = outside;
    }
}

fn is_word(node: SyntaxNode<'_>) -> bool {
    node.kind() == SyntaxKind::Scalar
        && node.style() == SyntaxStyle::Plain
        && WORDS.iter().any(|word| word.as_bytes() == node.text())
}
