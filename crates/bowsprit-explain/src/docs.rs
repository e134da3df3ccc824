//! A chart's values as a Markdown table, from the comments in `values.yaml`.
//!
//! The habits of helm-docs are followed: `# -- text` above a key describes it, `# @default -- text`
//! stands for the default, `# @section -- name` puts it under a heading, `# @ignored` leaves it out. A
//! table or list that is described stands for all that is in it. Bitnami's `## @param path text` counts
//! too. Comments without a mark are taken where `all_comments` is set.

use crate::keys::{Comment, Key, keys, type_name};
use crate::print::shown;
use bowsprit_value::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Makes the table of a values file.
///
/// ```
/// let text = b"# -- how many pods\nreplicas: 1\nimage:\n  tag: v1\n";
/// let table = bowsprit_explain::docs::markdown(text, false);
/// assert!(table.contains("| replicas | int | `1` | how many pods |\n"));
/// assert!(table.contains("| image.tag | string | `\"v1\"` |  |\n"));
/// ```
pub fn markdown(values: &[u8], all_comments: bool) -> String {
    let mut rows = Rows { all_comments, sections: BTreeMap::new() };
    rows.add(&keys(values), None);
    let mut out = String::new();
    let plain = rows.sections.remove("");
    for (section, lines) in
        plain.map(|lines| (String::new(), lines)).into_iter().chain(rows.sections)
    {
        if !section.is_empty() {
            let _ = write!(out, "\n### {section}\n\n");
        }
        out.push_str(
            "| Key | Type | Default | Description |\n|-----|------|---------|-------------|\n",
        );
        lines.iter().for_each(|line| out.push_str(line));
    }
    out
}

struct Rows {
    all_comments: bool,
    sections: BTreeMap<String, Vec<String>>,
}

impl Rows {
    fn add(&mut self, keys: &[Key], section: Option<&str>) {
        for key in keys {
            if key.comment.ignored {
                continue;
            }
            let section = key.comment.section.as_deref().or(section);
            let described = key.comment.marked && !key.comment.text.is_empty();
            if described || key.below.is_empty() {
                self.row(key, section);
                // What is described inside has a row of its own.
                let below: Vec<Key> =
                    key.below.iter().filter(|k| is_described(k)).cloned().collect();
                if described {
                    self.add(&below, section);
                }
                continue;
            }
            self.add(&key.below, section);
        }
    }

    fn row(&mut self, key: &Key, section: Option<&str>) {
        let Comment { text, default, marked, .. } = &key.comment;
        let text = if *marked || self.all_comments { text.as_str() } else { "" };
        let default = match default {
            Some(text) => text.clone(),
            None => format!("`{}`", default_text(&key.value)),
        };
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let path = key.path.to_string();
        let line = format!(
            "| {} | {} | {} | {} |\n",
            cell(&path),
            type_name(&key.value),
            cell(&default),
            cell(text)
        );
        self.sections.entry(section.unwrap_or_default().to_owned()).or_default().push(line);
    }
}

fn is_described(key: &Key) -> bool {
    key.comment.marked || key.below.iter().any(is_described)
}

fn default_text(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        value => shown(Some(value)),
    }
}
