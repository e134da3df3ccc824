//! What `-o` chooses between: tables, JSON and YAML, as Helm prints them.

use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::streams;
use bowsprit::value::{Map, Meter, Value, json};

/// `-o`, for commands that print lists.
pub(crate) static FLAGS: &[Flag] =
    &[Flag::with("output", Kind::Output, "FORMAT", "Print a table, json or yaml (default table)")
        .short('o')];

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
    Yaml,
}

/// What `-o` says; a table where it was not given.
pub(crate) fn format(parsed: &Parsed) -> Format {
    match parsed.text("output") {
        Some("json") => Format::Json,
        Some("yaml") => Format::Yaml,
        _ => Format::Table,
    }
}

/// A result whose objects keep the order of their fields in JSON, as Go's structs do. YAML sorts them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Item>),
    Object(Vec<(&'static str, Item)>),
    /// Fields whose names are data.
    Map(Vec<(String, Item)>),
}

impl Item {
    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Item {
        Item::Text(text.into())
    }

    fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Item::Null => out.extend_from_slice(b"null"),
            Item::Bool(truth) => out.extend_from_slice(truth.to_string().as_bytes()),
            Item::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Item::Text(text) => json::append_string(out, text.as_bytes(), true),
            Item::List(items) => {
                out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    item.write_json(out);
                }
                out.push(b']');
            }
            Item::Object(fields) => write_fields(fields.iter().map(|(k, v)| (*k, v)), out),
            Item::Map(fields) => write_fields(fields.iter().map(|(k, v)| (k.as_str(), v)), out),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Item::Null => Value::Nil,
            Item::Bool(truth) => Value::Bool(*truth),
            Item::Int(number) => Value::int64(*number),
            Item::Text(text) => Value::from(text.as_str()),
            Item::List(items) => Value::list(items.iter().map(Item::to_value).collect()),
            Item::Object(fields) => {
                let fields = fields.iter().map(|(name, item)| ((*name).into(), item.to_value()));
                Map::from_entries(fields).into()
            }
            Item::Map(fields) => {
                let fields =
                    fields.iter().map(|(name, item)| (name.as_str().into(), item.to_value()));
                Map::from_entries(fields).into()
            }
        }
    }
}

fn write_fields<'i>(fields: impl Iterator<Item = (&'i str, &'i Item)>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (index, (name, item)) in fields.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::append_string(out, name.as_bytes(), true);
        out.push(b':');
        item.write_json(out);
    }
    out.push(b'}');
}

/// Prints a result in the format that `-o` asks for; the table is made only when it is wanted.
///
/// # Errors
///
/// Fails where standard output can't be written.
pub(crate) fn print(
    parsed: &Parsed,
    item: &Item,
    table: impl FnOnce() -> Table,
) -> Result<(), Failure> {
    let mut out = Vec::new();
    match format(parsed) {
        Format::Table => out = table().text().into_bytes(),
        Format::Json => {
            item.write_json(&mut out);
            out.push(b'\n');
        }
        Format::Yaml => {
            let written = bowsprit::yaml::encode(&item.to_value(), &mut out, &Meter::default());
            written.map_err(|e| Failure::Error(format!("unable to write YAML output: {e}")))?;
        }
    }
    streams::write(&out)
}

/// A table of texts: cells are padded to the width of their column and joined by tabs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    /// Wider cells are cut; zero for no limit.
    max_width: usize,
}

impl Table {
    /// A table with its first row.
    pub(crate) fn new<const N: usize>(header: [&str; N]) -> Table {
        let mut table = Table::default();
        table.row(header);
        table
    }

    /// Cuts cells that are wider.
    pub(crate) fn max_width(mut self, columns: usize) -> Table {
        self.max_width = columns;
        self
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.rows.push(cells.iter().map(|cell| (*cell).to_owned()).collect());
    }

    /// The lines of the table; one empty line where it has no rows.
    pub(crate) fn text(&self) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                let lines = cell.split('\n').map(text_width);
                let needed = lines.max().unwrap_or(0);
                let limit = if self.max_width == 0 { usize::MAX } else { self.max_width };
                *width = needed.min(limit).max(*width);
            }
        }
        let rows: Vec<String> = self.rows.iter().map(|row| row_text(row, &widths)).collect();
        rows.join("\n") + "\n"
    }
}

/// A row, of as many lines as its tallest cell has.
fn row_text(row: &[String], widths: &[usize]) -> String {
    let fit = |(cell, width): (&String, &usize)| resized(cell, *width);
    let cells: Vec<String> = row.iter().zip(widths).map(fit).collect();
    let height = cells.iter().map(|cell| cell.split('\n').count()).max().unwrap_or(1);
    let line = |at: usize| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| {
            cell.split('\n')
                .nth(at)
                .map_or_else(|| " ".repeat(*width), |text| resized(text, *width))
        });
        cells.collect::<Vec<_>>().join("\t")
    };
    (0..height).map(line).collect::<Vec<_>>().join("\n")
}

/// The text padded to a width, or cut with three dots. A width of zero changes nothing.
fn resized(text: &str, width: usize) -> String {
    let own = text_width(text);
    if width == 0 || own == width {
        return text.to_owned();
    }
    if own < width {
        return format!("{text}{}", " ".repeat(width - own));
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        out.push(c);
        if used + char_width(c) + 3 >= width {
            break;
        }
        used += char_width(c);
    }
    out + "..."
}

fn text_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Columns of a terminal that a character takes: none for marks that combine, two for the wide scripts
/// of East Asia and for pictures.
fn char_width(c: char) -> usize {
    match u32::from(c) {
        0..=0x1f | 0x7f..=0x9f | 0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0x33ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xa000..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_padded_and_joined_by_tabs() {
        let mut table = Table::new(["NAME", "URL"]);
        table.row(["loc", "http://x"]);
        assert_eq!(table.text(), "NAME\tURL     \nloc \thttp://x\n");
        let mut table = Table::new(["NAME", "DESCRIPTION"]).max_width(10);
        table.row(["a", "more than ten columns"]);
        assert_eq!(table.text(), "NAME\tDESCRIP...\na   \tmore th...\n");
        assert_eq!(Table::default().text(), "\n");
    }

    #[test]
    fn fields_keep_their_order_in_json() {
        let item = Item::List(vec![Item::Object(vec![
            ("name", Item::text("a<b")),
            ("age", Item::Int(3)),
            ("ok", Item::Bool(true)),
            ("none", Item::Null),
        ])]);
        let mut out = Vec::new();
        item.write_json(&mut out);
        let want = r#"[{"name":"a\u003cb","age":3,"ok":true,"none":null}]"#;
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}
