//! Numbers that come out as 1e+06.

use crate::helm::Linter;
use bowsprit_render::RenderedFiles;
use bowsprit_value::{Meter, Value, fmt};
use bowsprit_yaml::{Syntax, SyntaxKind, SyntaxNode, SyntaxStyle};

pub(super) fn check(linter: &mut Linter<'_>, files: &RenderedFiles) {
    let (source, options) = (linter.source, linter.options);
    if let Some(text) = source.values.bytes() {
        of_text(linter, "values.yaml", false, text, files);
    }
    for file in &options.values_texts {
        of_text(linter, &file.name, true, &file.text, files);
    }
}

fn of_text(
    linter: &mut Linter<'_>,
    label: &str,
    outside: bool,
    text: &[u8],
    files: &RenderedFiles,
) {
    let Ok(Some(syntax)) = Syntax::parse(text) else { return };
    let mut pending: Vec<SyntaxNode<'_>> = syntax.root().into_iter().collect();
    let mut found = Vec::new();
    while let Some(node) = pending.pop() {
        pending.extend(node.entries().map(|(_, value)| value));
        pending.extend(node.items());
        if node.kind() == SyntaxKind::Scalar
            && node.style() == SyntaxStyle::Plain
            && let Some(printed) = exponent(node.text())
            && let Some(file) = files.iter().find(|(_, text)| has_word(text, &printed))
        {
            found.push((node, printed, file.0.clone()));
        }
    }
    found.sort_by_key(|(node, ..)| node.span().start);
    for (node, printed, file) in found {
        let number = String::from_utf8_lossy(node.text()).into_owned();
        let text = format!("the number {number} comes out as {printed} in {file}");
        let message = linter.own("BS003", label, text);
        message.line = u32::try_from(node.line()).ok();
        message.column = u32::try_from(node.column() + 1).ok();
        message.help =
            Some(format!("write \"{number}\" in quotes, or convert it with int64 in the template"));
        message.outside = outside;
    }
}

/// What a template prints for a number, if that has an exponent that was not written.
fn exponent(text: &[u8]) -> Option<String> {
    if !text.iter().any(u8::is_ascii_digit) || text.iter().any(|b| matches!(b, b'e' | b'E')) {
        return None;
    }
    let Ok(Value::Float(number)) = bowsprit_yaml::decode(text) else { return None };
    let mut out = Vec::new();
    fmt::print_value(&Value::Float(number), &mut out, &Meter::default()).ok()?;
    let printed = String::from_utf8(out).ok()?;
    printed.contains('e').then_some(printed)
}

/// Whether a word stands in a text, not as a part of a longer one.
fn has_word(text: &[u8], word: &str) -> bool {
    let word = word.as_bytes();
    let part = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'.');
    let mut windows = text.windows(word.len()).enumerate();
    windows.any(|(at, window)| {
        window == word
            && !part(at.checked_sub(1).and_then(|before| text.get(before)))
            && !part(text.get(at + word.len()))
    })
}
