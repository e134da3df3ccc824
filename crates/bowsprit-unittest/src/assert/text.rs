//! The lines that say what was expected and what there is.

/// A passage of a failure: its heading and what stands below.
pub(super) struct Failure {
    not: bool,
    text: String,
}

fn indented(text: &str) -> String {
    format!("\t{}", text.replace('\n', "\n\t").trim_matches(['\n', '\t', ' ']))
}

impl Failure {
    pub(super) fn new(not: bool) -> Failure {
        Failure { not, text: String::new() }
    }

    pub(super) fn path(mut self, path: &str) -> Failure {
        self.text.push_str(&format!("Path:{}\n", indented(path)));
        self
    }

    /// `Expected to equal:`, or its opposite.
    pub(super) fn expected(mut self, what: &str, text: &str) -> Failure {
        let not = if self.not { " NOT" } else { "" };
        self.text.push_str(&format!("Expected{not}{what}:\n{}\n", indented(text)));
        self
    }

    pub(super) fn section(mut self, heading: &str, text: &str) -> Failure {
        self.text.push_str(&format!("{heading}:\n{}\n", indented(text)));
        self
    }

    /// Where it is so: the document's number, and the value's where a path led to several.
    pub(super) fn at(self, document: Option<usize>, value: Option<usize>) -> Vec<String> {
        lines(&self.text, document, value)
    }
}

fn lines(text: &str, document: Option<usize>, value: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(document.map(|number| format!("DocumentIndex:\t{number}")));
    lines.extend(value.map(|number| format!("ValuesIndex:\t{number}")));
    let text = text.strip_suffix('\n').unwrap_or(text);
    lines.extend(text.split('\n').map(str::to_owned));
    lines
}

pub(super) fn error(text: &str, document: Option<usize>, value: Option<usize>) -> Vec<String> {
    lines(&format!("Error:\n{}\n", indented(text)), document, value)
}

pub(super) fn line(text: &str, path: &str, document: Option<usize>) -> Vec<String> {
    lines(&format!("Path:{} {text}", indented(path)), document, None)
}
