//! Places of rendered text: lines, and paths in objects.

use crate::align::{Side, aligned};
use crate::path::{Found, Path, Step};
use crate::trace::line_of;
use bowsprit_manifest::documents;
use bowsprit_yaml::{Syntax, SyntaxKind, SyntaxNode, SyntaxStyle};
use std::ops::Range;

/// An object, as users name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectName {
    /// The kind.
    pub kind: String,
    /// The namespace, if it is given.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

impl ObjectName {
    fn of(root: SyntaxNode<'_>) -> ObjectName {
        let text = |node: Option<SyntaxNode<'_>>| {
            node.map(|node| String::from_utf8_lossy(node.target().text()).into_owned())
        };
        let metadata = root.get(b"metadata").map(|node| node.target());
        ObjectName {
            kind: text(root.get(b"kind")).unwrap_or_default(),
            namespace: text(metadata.and_then(|m| m.get(b"namespace"))),
            name: text(metadata.and_then(|m| m.get(b"name"))).unwrap_or_default(),
        }
    }

    /// Whether what is looked for may be this object.
    fn is_meant_by(&self, wanted: &ObjectName) -> bool {
        self.kind.eq_ignore_ascii_case(&wanted.kind)
            && self.name == wanted.name
            && (wanted.namespace.is_none() || wanted.namespace == self.namespace)
    }
}

/// What of the output is to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// A line of what `bowsprit template` prints, from 1.
    Line(usize),
    /// A value in an object; with an empty path the object as a whole.
    Object(ObjectName, Path),
}

impl At {
    /// Reads `Deployment/web:spec.replicas`, `Deployment/prod/web`, or a line's number.
    ///
    /// ```
    /// use bowsprit_explain::At;
    ///
    /// assert_eq!(At::parse("12")?, At::Line(12));
    /// let At::Object(object, path) = At::parse("Service/web:spec.ports[0].port")? else { panic!() };
    /// assert_eq!((object.to_string(), path.steps().len()), ("Service/web".to_owned(), 4));
    /// assert!(At::parse("web").is_err());
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    ///
    /// For all else.
    pub fn parse(text: &str) -> Result<At, String> {
        if let Ok(line) = text.parse::<usize>() {
            return if line > 0 {
                Ok(At::Line(line))
            } else {
                Err("lines begin with 1".to_owned())
            };
        }
        let wrong = || format!("{text:?} is neither a line's number nor KIND/NAME:PATH");
        // Names may hold colons, as those of roles do; paths hardly begin with system:.
        let (object, path) = match text.split_once(':') {
            Some((object, path)) => (object, Path::parse(path)?),
            None => (text, Path::default()),
        };
        let parts: Vec<&str> = object.split('/').collect();
        let (kind, namespace, name) = match parts.as_slice() {
            [kind, name] => (kind, None, name),
            [kind, namespace, name] => (kind, Some((*namespace).to_owned()), name),
            _ => return Err(wrong()),
        };
        if kind.is_empty() || name.is_empty() {
            return Err(wrong());
        }
        let object = ObjectName { kind: (*kind).to_owned(), namespace, name: (*name).to_owned() };
        Ok(At::Object(object, path))
    }
}

/// A place in the text of a rendered file.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The file: `web/templates/a.yaml`.
    pub(crate) file: String,
    /// Offset of the line in the file.
    pub(crate) offset: usize,
    /// The line, without blanks around it.
    pub(crate) line: String,
    /// The object, and which of the file's documents it is.
    pub(crate) object: ObjectName,
    pub(crate) document: usize,
    /// The path in the object; none where the line holds none, as a comment.
    pub(crate) path: Option<Path>,
    /// Whether all of the value is meant and not just the line.
    pub(crate) whole: bool,
}

/// What became of a target in another rendering of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Same,
    /// It reads otherwise.
    Changed(String),
    /// It is not there.
    Gone,
}

impl Target {
    /// The target at an offset of a file's text.
    pub(crate) fn at_offset(file: &str, text: &[u8], offset: usize) -> Target {
        let range = line_of(text, offset);
        let line = String::from_utf8_lossy(text.get(range.clone()).unwrap_or_default());
        let mut target = Target {
            file: file.to_owned(),
            offset: range.start,
            line: line.trim().to_owned(),
            object: ObjectName::default(),
            document: 0,
            path: None,
            whole: false,
        };
        for (number, (place, document)) in documents(text).enumerate() {
            if place.end < range.start {
                continue;
            }
            target.document = number;
            if let Ok(Some(syntax)) = Syntax::parse(document)
                && let Some(root) = syntax.root()
            {
                target.object = ObjectName::of(root);
                let before = document.get(..range.start.saturating_sub(place.start));
                let line = before.unwrap_or(document).iter().filter(|b| **b == b'\n').count() + 1;
                target.path = path_at(document, root, line);
            }
            break;
        }
        target
    }

    /// The target that a user names in a file, if it is there.
    pub(crate) fn named(
        file: &str,
        text: &[u8],
        wanted: &ObjectName,
        path: &Path,
    ) -> Option<Result<Target, String>> {
        let (number, place, document) = documents(text)
            .enumerate()
            .map(|(number, (place, document))| (number, place, document))
            .find(|(_, _, document)| {
                let syntax = Syntax::parse(document).ok().flatten();
                let root = syntax.as_ref().and_then(|syntax| syntax.root());
                root.is_some_and(|root| ObjectName::of(root).is_meant_by(wanted))
            })?;
        let syntax = Syntax::parse(document).ok().flatten()?;
        let root = syntax.root()?;
        let Some(found) = path.node(root) else {
            return Some(Err(missing(root, wanted, path)));
        };
        let node = found.key.unwrap_or(found.value);
        let offset = place.start + node.span().start.min(document.len());
        let range = line_of(text, offset);
        let line = String::from_utf8_lossy(text.get(range.clone()).unwrap_or_default());
        Some(Ok(Target {
            file: file.to_owned(),
            offset: range.start,
            line: line.trim().to_owned(),
            object: ObjectName::of(root),
            document: number,
            path: Some(found.path),
            whole: true,
        }))
    }

    /// What became of it in another rendering of the file.
    pub(crate) fn fate(&self, before: &[u8], after: &[u8]) -> Fate {
        if before == after {
            return Fate::Same;
        }
        let Some(path) = &self.path else {
            let text = String::from_utf8_lossy(after);
            let there = text.lines().any(|line| line.trim() == self.line);
            return if there { Fate::Same } else { Fate::Gone };
        };
        let (Some(before), Some(after)) = (self.document_in(before), self.document_in(after))
        else {
            return Fate::Gone;
        };
        let syntaxes = [before, after].map(|text| Syntax::parse(text).ok().flatten());
        let [Some(old), Some(new)] = [&syntaxes[0], &syntaxes[1]].map(|s| s.as_ref()?.root())
        else {
            return Fate::Gone;
        };
        let Some(was) = path.node(old).and_then(|found| shown(before, &found)) else {
            return Fate::Same;
        };
        let sides = (Side { text: before, node: old }, Side { text: after, node: new });
        let found = aligned(sides.0, sides.1, path).and_then(|path| path.node(new));
        match found.and_then(|found| shown(after, &found)) {
            None => Fate::Gone,
            Some(is) if is == was => Fate::Same,
            Some(is) => {
                let text = |text| String::from_utf8_lossy(text).into_owned();
                self.changed(&text(was), text(is))
            }
        }
    }

    /// Of a text of many lines, one is meant.
    fn changed(&self, old: &str, new: String) -> Fate {
        let first = |text: &str| text.lines().next().unwrap_or_default().trim().to_owned();
        let begins = old.contains('\n') && self.line.ends_with(&first(old));
        if begins && !self.whole && first(old) == first(&new) {
            return Fate::Same;
        }
        let has = |text: &str| text.lines().skip(1).any(|line| line.trim() == self.line);
        if has(old) && has(&new) { Fate::Same } else { Fate::Changed(new) }
    }

    /// The document of the object, or what stands in its place.
    fn document_in<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let all: Vec<(usize, &[u8])> =
            documents(text).enumerate().map(|(number, (_, document))| (number, document)).collect();
        let is_meant = |document: &[u8]| {
            let syntax = Syntax::parse(document).ok().flatten();
            let root = syntax.as_ref().and_then(|syntax| syntax.root());
            root.is_some_and(|root| ObjectName::of(root).is_meant_by(&self.object))
        };
        // A change of the name leaves the object in its place.
        let same = all.iter().find(|(number, d)| *number == self.document && is_meant(d));
        let (_, document) = same
            .or_else(|| all.iter().find(|(_, document)| is_meant(document)))
            .or_else(|| all.iter().find(|(number, _)| *number == self.document))?;
        Some(document)
    }
}

/// The source of what stands at the path; the key alone for tables that go on below.
fn shown<'d>(document: &'d [u8], found: &Found<'_>) -> Option<&'d [u8]> {
    let value = found.value;
    let span = value.span();
    let goes_on = matches!(value.kind(), SyntaxKind::Mapping | SyntaxKind::Sequence)
        && value.style() == SyntaxStyle::Block;
    match (goes_on, found.key) {
        (true, Some(key)) => document.get(key.span()),
        (true, None) => Some(b"-"),
        _ => document.get(span),
    }
}

/// What is said of a path that is not there: what there is instead.
fn missing(root: SyntaxNode<'_>, object: &ObjectName, path: &Path) -> String {
    let mut known = Path::default();
    let mut at = root;
    for step in path.steps() {
        let below: Path = known.steps().iter().cloned().chain([step.clone()]).collect();
        match below.node(root) {
            Some(found) => (known, at) = (below, found.value.target()),
            None => break,
        }
    }
    let mut names: Vec<String> = at
        .entries()
        .map(|(key, _)| known.key(&String::from_utf8_lossy(key.text())).to_string())
        .collect();
    names.extend(at.items().enumerate().map(|(n, _)| known.join(Step::Index(n)).to_string()));
    names.truncate(20);
    let there =
        if names.is_empty() { String::new() } else { format!("; there is {}", names.join(", ")) };
    format!("{object} has no {path}{there}")
}

/// The path of the value that begins on a line of a document, or goes on over it.
fn path_at(source: &[u8], root: SyntaxNode<'_>, line: usize) -> Option<Path> {
    let mut best: Option<(Path, bool)> = None;
    let mut pending = vec![(Path::default(), root)];
    while let Some((path, node)) = pending.pop() {
        let children: Vec<(Step, Option<SyntaxNode<'_>>, SyntaxNode<'_>)> = match node.kind() {
            SyntaxKind::Mapping => node
                .entries()
                .map(|(key, value)| {
                    let name = String::from_utf8_lossy(key.text()).into_owned();
                    (Step::Key(name), Some(key), value)
                })
                .collect(),
            SyntaxKind::Sequence => node
                .items()
                .enumerate()
                .map(|(index, value)| (Step::Index(index), None, value))
                .collect(),
            _ => continue,
        };
        for (step, key, value) in children {
            let lines = covered(source, key.unwrap_or(value), value);
            if !lines.contains(&line) {
                continue;
            }
            let starts = key.unwrap_or(value).line() == line;
            let path = path.join(step);
            let flow = value.style() == SyntaxStyle::Flow;
            let scalar = !matches!(value.kind(), SyntaxKind::Mapping | SyntaxKind::Sequence);
            if starts || scalar || flow {
                best = Some((path.clone(), starts));
            }
            // All of a flow collection stands on its line.
            if !(flow && starts) {
                pending.push((path, value));
            }
        }
    }
    best.map(|(path, _)| path)
}

/// The lines from a key to the end of its value.
fn covered(source: &[u8], key: SyntaxNode<'_>, value: SyntaxNode<'_>) -> Range<usize> {
    let text = source.get(value.span()).unwrap_or_default();
    let text = text.trim_ascii_end();
    let breaks = text.iter().filter(|b| **b == b'\n').count();
    key.line()..value.line().max(key.line()) + breaks + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"# c\nkind: A\nmetadata: {name: x}\nspec:\n  list:\n  - a: 1\n    b: |\n      one\n      two\n  - c\n";

    fn path_of_line(line: usize) -> String {
        let syntax = Syntax::parse(TEXT).unwrap().unwrap();
        path_at(TEXT, syntax.root().unwrap(), line).map(|path| path.to_string()).unwrap_or_default()
    }

    #[test]
    fn lines_have_paths() {
        let paths: Vec<String> = (1..=10).map(path_of_line).collect();
        let want = [
            "",
            "kind",
            "metadata",
            "spec",
            "spec.list",
            "spec.list[0].a",
            "spec.list[0].b",
            "spec.list[0].b",
            "spec.list[0].b",
            "spec.list[1]",
        ];
        assert_eq!(paths, want);
    }

    #[test]
    fn fates_are_told_apart() {
        let offset = crate::trace::find(TEXT, b"two").unwrap();
        let target = Target::at_offset("f", TEXT, offset);
        assert_eq!((target.object.to_string().as_str(), target.document), ("A/x", 0));
        let with = |from: &str, to: &str| {
            let text = String::from_utf8_lossy(TEXT).replace(from, to);
            target.fate(TEXT, text.as_bytes())
        };
        assert_eq!(with("one", "eins"), Fate::Same);
        assert!(matches!(with("two", "zwei"), Fate::Changed(_)));
        assert_eq!(with("b: |\n      one\n      two\n", "d: 1\n"), Fate::Gone);
        assert_eq!(with("name: x", "name: y"), Fate::Same);
        let head = crate::trace::find(TEXT, b"b: |").unwrap();
        let text = String::from_utf8_lossy(TEXT).replace("one", "eins");
        let at_line = Target::at_offset("f", TEXT, head);
        assert_eq!(at_line.fate(TEXT, text.as_bytes()), Fate::Same);
        let object = ObjectName { kind: "A".to_owned(), namespace: None, name: "x".to_owned() };
        let path = Path::parse("spec.list[0].b").unwrap();
        let named = Target::named("f", TEXT, &object, &path).unwrap().unwrap();
        assert!(matches!(named.fate(TEXT, text.as_bytes()), Fate::Changed(_)));
    }
}
