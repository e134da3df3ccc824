//! Diagnostics as text: source lines, carets, notes.

use crate::diagnostic::{Diagnostic, Label, LabelKind, Severity};
use crate::escape::escape_controls;
use crate::source::{Source, Span};
use std::fmt::{self, Formatter, Write as _};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How a diagnostic is printed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Style {
    /// Uses the terminal's colours.
    pub color: bool,
    /// Puts severity and code before the message.
    pub headline: bool,
    /// Longer source lines are cut around what is marked. In columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Style {
        Style { color: false, headline: true, width: 160 }
    }
}

impl Style {
    /// The same with or without colours.
    #[must_use]
    pub fn color(mut self, color: bool) -> Style {
        self.color = color;
        self
    }

    /// The same with or without severity and code before the message.
    #[must_use]
    pub fn headline(mut self, headline: bool) -> Style {
        self.headline = headline;
        self
    }
}

impl Style {
    /// A word in the colour of errors, if there are colours.
    pub fn error(&self, word: &str) -> String {
        Paint { color: self.color }.severity(Severity::Error, word)
    }
}

/// A diagnostic in a style; `Display` prints it, without a newline at the end.
#[derive(Clone, Copy, Debug)]
pub struct Report<'d> {
    diagnostic: &'d Diagnostic,
    style: Style,
}

impl Diagnostic {
    /// All there is, to be printed.
    ///
    /// ```
    /// use bowsprit_diag::{Diagnostic, Style};
    ///
    /// let found = Diagnostic::warning("no icon").with_code("chart-icon");
    /// assert_eq!(found.report(Style::default()).to_string(), "warning[chart-icon]: no icon");
    /// ```
    pub fn report(&self, style: Style) -> Report<'_> {
        Report { diagnostic: self, style }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return self.report(Style::default().headline(false)).fmt(f);
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (found, paint) = (self.diagnostic, Paint { color: self.style.color });
        if self.style.headline {
            let code = found.code.as_ref().map_or(String::new(), |code| format!("[{code}]"));
            let head = format!("{}{code}", found.severity.name());
            write!(f, "{}: ", paint.severity(found.severity, &head))?;
        }
        f.write_str(&escape_controls(&found.message))?;
        let gutter = gutter(found);
        for (index, label) in found.labels.iter().enumerate() {
            self.label(f, label, index == 0, gutter)?;
        }
        let pad = " ".repeat(gutter);
        let bar = paint.frame("|");
        let remarks = !found.notes.is_empty() || !found.hints.is_empty();
        if remarks && !found.labels.is_empty() {
            write!(f, "\n{pad} {bar}")?;
        }
        let notes = found.notes.iter().map(|note| ("note", note));
        for (name, text) in notes.chain(found.hints.iter().map(|hint| ("hint", hint))) {
            write!(f, "\n{pad} {} {}: ", paint.frame("="), paint.bold(name))?;
            let indent = format!("\n{}", " ".repeat(gutter + 5 + name.len()));
            f.write_str(&escape_controls(text.trim_end()).replace('\n', &indent))?;
        }
        Ok(())
    }
}

/// The columns that line numbers take.
fn gutter(found: &Diagnostic) -> usize {
    let last = found.labels.iter().map(|label| shown_lines(label).1).max().unwrap_or(1);
    last.to_string().len()
}

/// The first and the last line shown of a label.
fn shown_lines(label: &Label) -> (usize, usize) {
    let line = label.source.line_at(label.span.start);
    let count = label.source.line_count();
    let last = match label.source.line(count) {
        Some([]) if count > line => count - 1,
        _ => count,
    };
    (line.saturating_sub(label.context).max(1), (line + label.context).min(last.max(line)))
}

impl Report<'_> {
    fn label(
        &self,
        f: &mut Formatter<'_>,
        label: &Label,
        first: bool,
        gutter: usize,
    ) -> fmt::Result {
        let paint = Paint { color: self.style.color };
        let (pad, bar) = (" ".repeat(gutter), paint.frame("|"));
        let arrow = if first { "-->" } else { ":::" };
        write!(f, "\n{pad}{} ", paint.frame(arrow))?;
        if !label.relation.is_empty() {
            write!(f, "{} ", escape_controls(&label.relation))?;
        }
        write!(f, "{}:{}\n{pad} {bar}", escape_controls(label.source.name()), label.position())?;
        let marked = label.source.line_at(label.span.start);
        let (start, end) = shown_lines(label);
        for line in start..=end {
            let shown = self.line(&label.source, line, label, line == marked);
            let number = paint.frame(&format!("{line:>gutter$} |"));
            write!(f, "\n{number} {}", shown.text)?;
            if line == marked {
                let caret = match label.kind {
                    LabelKind::Primary => "^",
                    LabelKind::Secondary => "-",
                };
                let carets = caret.repeat(shown.width.max(1));
                let mut mark = format!("{carets} {}", escape_controls(&label.message));
                mark.truncate(mark.trim_end().len());
                let mark = mark.replace('\n', &format!("\n{pad}   {}", " ".repeat(shown.at)));
                let mark = paint.mark(label.kind, self.diagnostic.severity, &mark);
                write!(f, "\n{pad} {bar} {}{mark}", " ".repeat(shown.at))?;
            }
        }
        Ok(())
    }

    fn line(&self, source: &Source, line: usize, label: &Label, marked: bool) -> Shown {
        let span = source.line_span(line).unwrap_or_default();
        let text = source.text().get(span.start..span.end).unwrap_or_default();
        let within = |offset: usize| offset.clamp(span.start, span.end) - span.start;
        let mark = if marked {
            Span::new(within(label.span.start), within(label.span.end.max(label.span.start)))
        } else {
            Span::at(0)
        };
        let part = |from: usize, to: usize| legible(text.get(from..to).unwrap_or_default());
        let (before, inside, after) =
            (part(0, mark.start), part(mark.start, mark.end), part(mark.end, text.len()));
        fit(&before, &inside, &after, self.style.width)
    }
}

/// A source line ready to print, and which columns are marked.
struct Shown {
    text: String,
    at: usize,
    width: usize,
}

/// What stands for a part of a line that was cut off.
const CUT: &str = "…";

/// Cuts a line to a width: the marked part stays as far as it fits, with what is before it.
fn fit(before: &str, inside: &str, after: &str, width: usize) -> Shown {
    let inside_kept = first_columns(inside, width);
    let left = width.saturating_sub(inside_kept.width());
    let before_kept = last_columns(before, if after.width() > left / 2 { left / 2 } else { left });
    let left = left.saturating_sub(before_kept.width());
    let after_kept = first_columns(after, left);
    let cut = |kept: &str, whole: &str| if kept.len() < whole.len() { CUT } else { "" };
    let head = format!("{}{before_kept}", cut(before_kept, before));
    let cut_inside = cut(inside_kept, inside);
    let tail = match cut_inside {
        "" => format!("{after_kept}{}", cut(after_kept, after)),
        cut => cut.to_owned(),
    };
    let mut text = format!("{head}{inside_kept}{tail}");
    text.truncate(text.trim_end().len());
    Shown { at: head.width(), width: inside_kept.width(), text }
}

fn first_columns(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

fn last_columns(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > width {
            return text.get(at + c.len_utf8()..).unwrap_or_default();
        }
    }
    text
}

/// Bytes as people can read them: tabs as blanks, so that columns can be counted, no control characters.
fn legible(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace('\t', "    ");
    escape_controls(&text).into_owned()
}

struct Paint {
    color: bool,
}

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let mut out = String::new();
        let _ = write!(out, "\u{1b}[{code}m{text}\u{1b}[0m");
        out
    }

    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    fn frame(&self, text: &str) -> String {
        self.with("1;34", text)
    }

    fn severity(&self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
            Severity::Info => "1;36",
        };
        self.with(code, text)
    }

    fn mark(&self, kind: LabelKind, severity: Severity, text: &str) -> String {
        match kind {
            LabelKind::Primary => self.severity(severity, text),
            LabelKind::Secondary => self.with("34", text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn shows_lines_carets_chain_notes() {
        let page = Source::new("web/templates/a.yaml", "a\nb: {{ include \"x\" . }}\nc\n");
        let partial =
            Source::new("web/templates/_x.tpl", "{{ define \"x\" }}\t{{ .A.B }}é\u{7}{{ end }}");
        let found = Diagnostic::error("first line\nsecond line")
            .with_label(Label::primary(&partial, Span::new(19, 24), ".A is nil"))
            .with_label(
                Label::secondary(&page, Span::new(8, 19), "")
                    .with_relation("included from")
                    .with_context(1),
            )
            .with_note("one\ntwo")
            .with_hint("set A");
        let want = "\
error: first line
second line
 --> web/templates/_x.tpl:1:20
  |
1 | {{ define \"x\" }}    {{ .A.B }}é\\x07{{ end }}
  |                       ^^^^^ .A is nil
 ::: included from web/templates/a.yaml:2:7
  |
1 | a
2 | b: {{ include \"x\" . }}
  |       -----------
3 | c
  |
  = note: one
          two
  = hint: set A";
        let shown = found.report(Style::default()).to_string();
        assert_eq!(shown, want, "{shown}");
        let colored = found.report(Style::default().color(true)).to_string();
        assert!(colored.contains("\u{1b}[1;31merror\u{1b}[0m: first line"), "{colored}");
    }

    #[test]
    fn long_lines_are_cut_around_the_mark() {
        let text = format!("{}MARK{}", "x".repeat(500), "y".repeat(500));
        let source = Source::new("a", text);
        let found =
            Diagnostic::error("m").with_label(Label::primary(&source, Span::new(500, 504), ""));
        let style = Style { width: 20, ..Style::default() };
        assert_eq!(
            found.report(style).to_string(),
            "error: m\n --> a:1:501\n  |\n1 | …xxxxxxxxMARKyyyyyyyy…\n  |          ^^^^"
        );
    }

    #[test]
    fn spans_beyond_the_text_and_over_lines_are_cut() {
        let source = Source::new("a", "one\ntwo");
        let report = |span| {
            let found = Diagnostic::info("m").with_label(Label::primary(&source, span, "here"));
            found.report(Style::default().headline(false)).to_string()
        };
        assert_eq!(report(Span::new(1, 99)), "m\n --> a:1:2\n  |\n1 | one\n  |  ^^ here");
        assert_eq!(report(Span::at(99)), "m\n --> a:2:4\n  |\n2 | two\n  |    ^ here");
    }
}
