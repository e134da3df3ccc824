//! Changes to a document that leave all other bytes as they are.

mod place;
mod text;
mod value;

use crate::document::Document;
use crate::error::Error;
use crate::syntax::{Syntax, SyntaxKind, SyntaxNode, SyntaxStyle};
use crate::tree::NodeKind;
use bowsprit_value::{Meter, Str, Value, deep_equal};
use place::{Odd, Splice};
use std::cell::OnceCell;
use std::fmt;

/// One step of a path into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the value of a mapping's key.
    Key(Str),
    /// To an item of a sequence, counted from 0.
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Step {
        Step::Key(key.into())
    }
}

impl From<Str> for Step {
    fn from(key: Str) -> Step {
        Step::Key(key)
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Step {
        Step::Index(index)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Key(key) => key.fmt(f),
            Step::Index(index) => index.fmt(f),
        }
    }
}

#[derive(Clone, Debug)]
enum Change {
    Set(Value),
    Under(Vec<(Step, Change)>),
}

/// Why edits can't be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditError {
    /// The text is no YAML.
    Yaml(Error),
    /// The path leads through a value that has no entries, or to an item that isn't there. Holds the
    /// path until there, its parts joined by dots.
    NoSuchPlace(String),
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EditError::Yaml(error) => error.fmt(f),
            EditError::NoSuchPlace(path) if path.is_empty() => {
                f.write_str("the document is no mapping")
            }
            EditError::NoSuchPlace(path) => write!(f, "{path} can't hold what is to be set there"),
        }
    }
}

impl std::error::Error for EditError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            EditError::Yaml(error) => Some(error),
            EditError::NoSuchPlace(_) => None,
        }
    }
}

impl From<Error> for EditError {
    fn from(error: Error) -> EditError {
        EditError::Yaml(error)
    }
}

/// Values to set in a document, as a whole.
///
/// Applied to a text they insert entries and replace values, and touch nothing else: comments, order,
/// quotes, line ends and blank lines stay. Mappings that are missing on the way are made. What is
/// written takes the style of its surroundings: lines in block style, entries in braces in flow style,
/// JSON in JSON. Anchored values that change for their own place alone are written out where aliases
/// refer to them. A document that is written so oddly that no edit is sure to be right (explicit keys,
/// line breaks of other alphabets) is written anew as a whole.
///
/// ```
/// use bowsprit_yaml::Edits;
///
/// let mut edits = Edits::new();
/// edits.set(["metadata", "labels", "tier"], "web");
/// let text = b"metadata: # who\n  name: demo\nspec: {}\n";
/// let edited = edits.apply(text)?;
/// assert_eq!(edited, b"metadata: # who\n  labels:\n    tier: web\n  name: demo\nspec: {}\n");
/// # Ok::<(), bowsprit_yaml::EditError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Edits {
    changes: Vec<(Step, Change)>,
}

impl Edits {
    /// No edits.
    pub fn new() -> Edits {
        Edits::default()
    }

    /// True where nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Sets the value at a path. Later values of the same path replace earlier ones; an empty path is
    /// ignored.
    pub fn set<S: Into<Step>>(
        &mut self,
        path: impl IntoIterator<Item = S>,
        value: impl Into<Value>,
    ) -> &mut Edits {
        let mut path = path.into_iter().map(Into::into).peekable();
        let mut level = &mut self.changes;
        while let Some(step) = path.next() {
            let at = level.iter().position(|(s, _)| *s == step).unwrap_or_else(|| {
                level.push((step, Change::Under(Vec::new())));
                level.len() - 1
            });
            // The position was just found or made.
            let change = &mut level[at].1;
            if path.peek().is_none() {
                *change = Change::Set(value.into());
                break;
            }
            if let Change::Set(_) = change {
                *change = Change::Under(Vec::new());
            }
            match change {
                Change::Under(below) => level = below,
                Change::Set(_) => break,
            }
        }
        self
    }

    /// The text of a document with the edits made. Only the first document of the text is looked at.
    ///
    /// # Errors
    ///
    /// Fails where the text is no YAML, or a path leads nowhere.
    pub fn apply(&self, text: &[u8]) -> Result<Vec<u8>, EditError> {
        let Some(syntax) = Syntax::parse(text)? else {
            return Err(EditError::NoSuchPlace(String::new()));
        };
        let mut writer = Writer::new(&syntax, text);
        let Some(root) = syntax.root() else {
            return Err(EditError::NoSuchPlace(String::new()));
        };
        match writer.under(root, &self.changes, &mut Vec::new()) {
            Ok(()) => {}
            Err(Stop::Error(error)) => return Err(error),
            Err(Stop::Odd) => return self.rewrite(text),
        }
        let delicate = is_delicate(syntax.source());
        if delicate && writer.expand_aliases().is_err() {
            return self.rewrite(text);
        }
        let Some(out) = place::spliced(syntax.source(), writer.splices) else {
            return self.rewrite(text);
        };
        if delicate && !self.is_right(text, &out)? {
            return self.rewrite(text);
        }
        Ok(out)
    }

    /// A value with the edits made; the value itself stays as it is.
    ///
    /// # Errors
    ///
    /// Fails where a path leads nowhere.
    pub fn apply_to(&self, value: &Value) -> Result<Value, EditError> {
        value::changed(value, &self.changes, &mut Vec::new())
    }

    fn is_right(&self, before: &[u8], after: &[u8]) -> Result<bool, EditError> {
        let want = self.apply_to(&Document::parse(before)?.to_raw_value())?;
        let Ok(got) = Document::parse(after) else { return Ok(false) };
        // What is set may be of other Go types than what is read; as JSON they are the same.
        Ok(deep_equal(&text::as_read(&want)?, &text::as_read(&got.to_raw_value())?))
    }

    /// The last resort: the values stay, the way they were written is lost.
    #[cold]
    fn rewrite(&self, text: &[u8]) -> Result<Vec<u8>, EditError> {
        let value = self.apply_to(&Document::parse(text)?.to_raw_value())?;
        let mut out = Vec::new();
        crate::encode(&value, &mut out, &Meter::default())?;
        Ok(out)
    }
}

/// Why an edit stops.
#[derive(Debug)]
pub(crate) enum Stop {
    Error(EditError),
    /// The document is written in a way that isn't provided for.
    Odd,
}

impl From<Odd> for Stop {
    fn from(_: Odd) -> Stop {
        Stop::Odd
    }
}

impl From<EditError> for Stop {
    fn from(error: EditError) -> Stop {
        Stop::Error(error)
    }
}

/// Whether the text may have anchors, aliases, tags, explicit keys or odd line breaks, so that an edit
/// has to be checked. May be true without need.
fn is_delicate(source: &[u8]) -> bool {
    let mut previous = b'\n';
    for (at, &byte) in source.iter().enumerate() {
        let found = match byte {
            b'&' | b'*' | b'!' | b'?' => {
                matches!(previous, b' ' | b'\t' | b'\n' | b'[' | b'{' | b',' | b'-' | b':')
            }
            b'\r' => source.get(at + 1) != Some(&b'\n'),
            // NEL, and the separators of lines and paragraphs.
            0x85 => previous == 0xc2,
            0xa8 | 0xa9 => previous == 0x80,
            _ => false,
        };
        if found {
            return true;
        }
        previous = byte;
    }
    false
}

/// The key of a merge.
const MERGE: &[u8] = b"<<";

struct Writer<'s> {
    syntax: &'s Syntax<'s>,
    text: &'s [u8],
    source: &'s [u8],
    newline: &'static str,
    splices: Vec<Splice>,
    /// Collections that get or lose something.
    touched: Vec<usize>,
    /// Nodes that vanish, with all in them: first and behind the last.
    replaced: Vec<(usize, usize)>,
    document: OnceCell<Option<Document<'s>>>,
}

impl<'s> Writer<'s> {
    fn new(syntax: &'s Syntax<'s>, text: &'s [u8]) -> Writer<'s> {
        let source = syntax.source();
        let first = source.iter().position(|b| *b == b'\n').unwrap_or(0);
        let windows = first > 0 && source.get(first - 1) == Some(&b'\r');
        Writer {
            syntax,
            text,
            source,
            newline: if windows { "\r\n" } else { "\n" },
            splices: Vec::new(),
            touched: Vec::new(),
            replaced: Vec::new(),
            document: OnceCell::new(),
        }
    }

    /// What a node is worth, aliases and merges resolved.
    fn resolved(&self, node: SyntaxNode<'_>) -> Result<Value, Odd> {
        let document = self.document.get_or_init(|| Document::parse(self.text).ok());
        let document = document.as_ref().ok_or(Odd)?;
        document.raw_value_of(node.target().index).ok_or(Odd)
    }

    /// Makes changes inside a node.
    fn under(
        &mut self,
        node: SyntaxNode<'s>,
        changes: &[(Step, Change)],
        path: &mut Vec<Step>,
    ) -> Result<(), Stop> {
        self.touched.push(node.index);
        match node.kind() {
            SyntaxKind::Mapping => self.in_mapping(node, changes, path),
            SyntaxKind::Sequence => {
                for (step, change) in changes {
                    path.push(step.clone());
                    let item = match step {
                        Step::Index(index) => node.items().nth(*index),
                        Step::Key(_) => None,
                    };
                    let item = item.ok_or_else(|| value::no_such_place(path))?;
                    self.change(None, item, change, path)?;
                    path.pop();
                }
                Ok(())
            }
            SyntaxKind::Scalar | SyntaxKind::Alias => Err(value::no_such_place(path).into()),
        }
    }

    fn in_mapping(
        &mut self,
        node: SyntaxNode<'s>,
        changes: &[(Step, Change)],
        path: &mut Vec<Step>,
    ) -> Result<(), Stop> {
        let mut missing = Vec::new();
        let mut merges: Option<Value> = None;
        if node.get(MERGE).is_some() {
            merges = Some(self.resolved(node)?);
        }
        for (step, change) in changes {
            path.push(step.clone());
            let Step::Key(key) = step else { return Err(value::no_such_place(path).into()) };
            let found = node.entries().filter(|(k, _)| is_key(k, key.as_bytes())).last();
            if let Some((key, value)) = found {
                self.change(Some(key), value, change, path)?;
            } else {
                let old = merges.as_ref().and_then(|m| m.as_map()?.get(key.as_bytes()));
                missing.push((key.clone(), value::made(old.as_ref(), change, path)?));
            }
            path.pop();
        }
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(self.insert(node, missing)?)
    }

    /// Makes a change to the value of a key, or to an item.
    fn change(
        &mut self,
        key: Option<SyntaxNode<'s>>,
        node: SyntaxNode<'s>,
        change: &Change,
        path: &mut Vec<Step>,
    ) -> Result<(), Stop> {
        match change {
            Change::Set(value) => Ok(self.replace(key, node, value)?),
            Change::Under(changes) => {
                let collection = matches!(node.kind(), SyntaxKind::Mapping | SyntaxKind::Sequence);
                let empty =
                    collection && node.items().next().is_none() && node.entries().next().is_none();
                if collection && !(empty && node.kind() == SyntaxKind::Mapping) {
                    return self.under(node, changes, path);
                }
                let old = self.resolved(node)?;
                if let (SyntaxKind::Alias, Some(entries)) =
                    (node.kind(), value::plain_sets(changes))
                    && old.as_map().is_some()
                {
                    return Ok(self.merge_alias(node, &entries)?);
                }
                let new = value::changed(&old, changes, path)?;
                Ok(self.replace_by_collection(key, node, &new)?)
            }
        }
    }

    /// Replaces a value by another.
    fn replace(
        &mut self,
        key: Option<SyntaxNode<'s>>,
        node: SyntaxNode<'s>,
        value: &Value,
    ) -> Result<(), Odd> {
        let json = key.is_some_and(|key| key.style() == SyntaxStyle::DoubleQuoted);
        let block = key.is_some_and(|key| !place::in_flow(key));
        let text = text::inline(value, json, block)?;
        self.replaced.push((node.index, node.tree.after(node.index)));
        let splice = place::instead(self.source, key, node, text, self.newline)?;
        self.splices.push(splice);
        Ok(())
    }

    /// Replaces null, an empty mapping or an alias by a collection.
    fn replace_by_collection(
        &mut self,
        key: Option<SyntaxNode<'s>>,
        node: SyntaxNode<'s>,
        value: &Value,
    ) -> Result<(), Odd> {
        if let Some(key) = key
            && let Some((range, column)) = place::below(self.source, key, node)
        {
            self.replaced.push((node.index, node.tree.after(node.index)));
            let newline = place::newline_at(self.source, range.start).unwrap_or(self.newline);
            let lines = text::lines(value, column + self.step(), newline)?;
            self.splices.push(Splice::lines_at_end(self.source, range, lines, newline));
            return Ok(());
        }
        self.replace(key, node, value)
    }

    /// `*name` becomes a mapping that merges it.
    fn merge_alias(&mut self, node: SyntaxNode<'s>, entries: &[(Str, Value)]) -> Result<(), Odd> {
        let mut text = b"{<<: *".to_vec();
        text.extend_from_slice(node.text());
        for (key, value) in entries {
            text.extend_from_slice(b", ");
            text.extend_from_slice(&text::entry(key, value, false)?);
        }
        text.push(b'}');
        self.splices.push(Splice { range: node.span(), text });
        Ok(())
    }

    /// The document's own indentation.
    fn step(&self) -> usize {
        let root = self.syntax.root();
        let below = root.and_then(|root| {
            let mut entries = root.entries().filter_map(|(key, value)| {
                let block = value.style() == SyntaxStyle::Block;
                let (first, _) = value.entries().next().filter(|_| block)?;
                first.column().checked_sub(key.column())
            });
            entries.find(|step| (1..=8).contains(step))
        });
        below.unwrap_or(2)
    }

    /// Inserts entries, sorted by key, into a mapping.
    fn insert(&mut self, node: SyntaxNode<'s>, entries: Vec<(Str, Value)>) -> Result<(), Odd> {
        if node.style() == SyntaxStyle::Flow {
            let splice = place::into_flow(self.source, node, &entries)?;
            self.splices.push(splice);
            return Ok(());
        }
        let sites = place::sites(self.source, node, &entries)?;
        for (site, entries) in sites {
            self.splices.push(site.splice(self.source, &entries, self.newline)?);
        }
        Ok(())
    }

    /// Writes out, where aliases stand, what they stand for, if that was changed.
    fn expand_aliases(&mut self) -> Result<(), Odd> {
        let tree = match self.syntax.root() {
            Some(root) => root.tree,
            None => return Ok(()),
        };
        let gone = |index: usize, replaced: &[(usize, usize)]| {
            replaced.iter().any(|(from, to)| (*from..*to).contains(&index))
        };
        for (index, node) in tree.nodes.iter().enumerate() {
            let target = node.next as usize;
            if node.kind != NodeKind::Alias || gone(index, &self.replaced) {
                continue;
            }
            if self.touched.contains(&target) || gone(target, &self.replaced) {
                let alias = SyntaxNode::at(tree, index).ok_or(Odd)?;
                if self.splices.iter().any(|s| s.range == alias.span()) {
                    // The alias itself was changed, and would merge what is changed now.
                    return Err(Odd);
                }
                let text = text::inline(&self.resolved(alias)?, true, false)?;
                self.splices.push(Splice { range: alias.span(), text });
            }
        }
        Ok(())
    }
}

/// Whether a key is this text; `n` without quotes is not, for it is false.
fn is_key(node: &SyntaxNode<'_>, key: &[u8]) -> bool {
    node.kind() == SyntaxKind::Scalar
        && node.text() == key
        && (node.style() != SyntaxStyle::Plain || text::is_plain(key))
}

#[cfg(test)]
mod tests;
