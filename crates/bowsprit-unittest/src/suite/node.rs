//! A node of a suite's file, read as goyaml v3 reads into Go's types: wrong ones are collected.

use bowsprit_value::{Map, Value};
use bowsprit_yaml::{AnyMap, SyntaxKind, SyntaxNode};

/// A value with the place where it stands, if it stands in one place.
#[derive(Clone, Debug)]
pub(super) struct Node<'s> {
    pub(super) value: Value,
    pub(super) syntax: Option<SyntaxNode<'s>>,
    /// The key that it stands behind.
    pub(super) key: Option<SyntaxNode<'s>>,
}

/// What is wrong with the types of a file.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    pub(super) lines: Vec<String>,
}

impl Wrong {
    /// `line 3: cannot unmarshal !!str `abc` into int`.
    pub(super) fn push(&mut self, node: &Node<'_>, wanted: &str) {
        let shown = node.shown();
        let text = match shown.len() {
            _ if node.is_container() => String::new(),
            11.. => format!(" `{}...`", shown.chars().take(7).collect::<String>()),
            _ => format!(" `{shown}`"),
        };
        let line = node.line().unwrap_or(0);
        let tag = node.tag();
        self.lines.push(format!("line {line}: cannot unmarshal {tag}{text} into {wanted}"));
    }
}

impl<'s> Node<'s> {
    pub(super) fn new(value: Value, syntax: Option<SyntaxNode<'s>>) -> Node<'s> {
        Node { value, syntax: syntax.map(|syntax| syntax.target()), key: None }
    }

    pub(super) fn is_null(&self) -> bool {
        self.value.is_nil()
    }

    pub(super) fn line(&self) -> Option<u32> {
        self.syntax.and_then(|syntax| u32::try_from(syntax.line()).ok())
    }

    fn is_container(&self) -> bool {
        matches!(self.value, Value::List(_)) || self.as_map().is_some()
    }

    /// The text of a scalar.
    fn shown(&self) -> String {
        if let Some(syntax) = self.syntax.filter(|syntax| syntax.kind() == SyntaxKind::Scalar) {
            return String::from_utf8_lossy(syntax.text()).into_owned();
        }
        crate::yaml::plain(&self.value)
    }

    fn tag(&self) -> &'static str {
        match &self.value {
            Value::Nil => "!!null",
            Value::Bool(_) => "!!bool",
            Value::Int(..) => "!!int",
            Value::Float(_) => "!!float",
            Value::List(_) => "!!seq",
            Value::Object(object) if object.type_name() == "time.Time" => "!!timestamp",
            Value::Map(_) | Value::Object(_) => "!!map",
            _ => "!!str",
        }
    }

    pub(super) fn as_map(&self) -> Option<Map> {
        match &self.value {
            Value::Map(map) => Some(map.clone()),
            other => other.downcast::<AnyMap>().map(AnyMap::to_map),
        }
    }

    /// The entries of a mapping in the file's order, merged ones last; nothing for null.
    pub(super) fn entries(&self, wanted: &str, wrong: &mut Wrong) -> Vec<(String, Node<'s>)> {
        let Some(map) = self.as_map() else {
            if !self.is_null() {
                wrong.push(self, wanted);
            }
            return Vec::new();
        };
        let written: Vec<_> = self.syntax.iter().flat_map(|syntax| syntax.entries()).collect();
        let mut found: Vec<(usize, String, Node<'s>)> = Vec::with_capacity(map.len());
        for (name, value) in map.entries().iter() {
            let at = written.iter().position(|(key, _)| key.text() == name.as_bytes());
            let mut node = Node::new(value.clone(), at.map(|at| written[at].1));
            node.key = at.map(|at| written[at].0);
            found.push((at.unwrap_or(usize::MAX), name.to_string(), node));
        }
        found.sort_by_key(|(at, ..)| *at);
        found.into_iter().map(|(_, name, node)| (name, node)).collect()
    }

    /// The items of a list; nothing for null.
    pub(super) fn items(&self, wanted: &str, wrong: &mut Wrong) -> Vec<Node<'s>> {
        let Value::List(list) = &self.value else {
            if !self.is_null() {
                wrong.push(self, wanted);
            }
            return Vec::new();
        };
        let syntax: Vec<SyntaxNode<'s>> =
            self.syntax.map(|syntax| syntax.items().collect()).unwrap_or_default();
        let at = |number: usize| syntax.get(number).copied();
        list.iter().enumerate().map(|(number, v)| Node::new(v.clone(), at(number))).collect()
    }

    /// A string: Go takes the text of any scalar.
    pub(super) fn string(&self, wrong: &mut Wrong) -> String {
        match &self.value {
            Value::Nil => String::new(),
            Value::Str(text) => text.to_string(),
            _ if self.is_container() => {
                wrong.push(self, "string");
                String::new()
            }
            _ => self.shown(),
        }
    }

    pub(super) fn strings(&self, wrong: &mut Wrong) -> Vec<String> {
        self.items("[]string", wrong).iter().map(|item| item.string(wrong)).collect()
    }

    pub(super) fn int(&self, wrong: &mut Wrong) -> i64 {
        match &self.value {
            Value::Nil => 0,
            Value::Int(kind, n) if !kind.is_unsigned() => *n,
            Value::Float(f) if f.is_finite() && f.abs() < 9.2e18 => *f as i64,
            _ => {
                wrong.push(self, "int");
                0
            }
        }
    }

    pub(super) fn bool(&self, wrong: &mut Wrong) -> bool {
        match &self.value {
            Value::Nil => false,
            Value::Bool(b) => *b,
            Value::Str(text) => match text.as_bytes() {
                b"y" | b"Y" | b"yes" | b"on" => true,
                b"n" | b"N" | b"no" | b"off" => false,
                _ => {
                    wrong.push(self, "bool");
                    false
                }
            },
            _ => {
                wrong.push(self, "bool");
                false
            }
        }
    }

    /// A mapping with strings for keys.
    pub(super) fn map(&self, wrong: &mut Wrong) -> Map {
        match self.as_map() {
            Some(map) => map,
            None => {
                if !self.is_null() {
                    wrong.push(self, "map[string]interface {}");
                }
                Map::new()
            }
        }
    }
}
