//! Values against schemas.

use crate::enums;
use crate::schemas::Schemas;
use bowsprit_sprig::goregex::GoRegex;
use bowsprit_value::{List, Map, Str, Value};
use bowsprit_yaml::{Node, NodeType};
use std::collections::HashMap;

/// How deeply values are followed.
const MAX_DEPTH: usize = 256;

/// How many references are followed one after the other.
const MAX_REFS: usize = 32;

/// Something that a schema does not allow.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) code: &'static str,
    /// `spec.containers[0].image`.
    pub(crate) path: String,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// Where the value stands, in bytes of its document.
    pub(crate) offset: usize,
}

/// Checks values against schemas and collects what is wrong.
pub(crate) struct Walk<'s> {
    schemas: &'s Schemas,
    /// Whether unknown fields are wrong.
    pub(crate) strict: bool,
    pub(crate) found: Vec<Violation>,
    path: Vec<String>,
    patterns: HashMap<Str, Option<GoRegex>>,
    /// Inside of an alternative only whether it holds matters, and unknown fields are not judged.
    trying: bool,
}

/// A schema with the name of the definition that it is.
#[derive(Clone)]
struct Resolved {
    name: String,
    schema: Map,
}

impl<'s> Walk<'s> {
    pub(crate) fn new(schemas: &'s Schemas, strict: bool) -> Walk<'s> {
        Walk {
            schemas,
            strict,
            found: Vec::new(),
            path: Vec::new(),
            patterns: HashMap::new(),
            trying: false,
        }
    }

    /// Checks a value against a definition.
    pub(crate) fn definition(&mut self, node: Node<'_>, name: &str) {
        if let Some(schema) = self.schemas.definition(name) {
            let schema = Resolved { name: name.to_owned(), schema: (*schema).clone() };
            self.value(node, &schema);
        }
    }

    /// Checks a custom resource: its head is Kubernetes', the rest the definition's.
    pub(crate) fn custom(&mut self, node: Node<'_>, schema: &Map) {
        if node.node_type() != NodeType::Mapping {
            return;
        }
        let resolved = Resolved { name: String::new(), schema: schema.clone() };
        self.object(node, &resolved, true);
        self.alternatives(node, &resolved);
    }

    /// Checks an object's metadata, which is the same for all kinds.
    pub(crate) fn metadata(&mut self, node: Node<'_>, definition: &str) {
        if let Some(metadata) = node.get(b"metadata") {
            self.below(field("metadata"), |walk| walk.definition(metadata, definition));
        }
    }

    /// Notes something that no schema says.
    pub(crate) fn complain(
        &mut self,
        code: &'static str,
        node: Node<'_>,
        path: &str,
        message: String,
    ) {
        self.below(path.to_owned(), |walk| walk.report(code, node, message, None));
    }

    fn report(
        &mut self,
        code: &'static str,
        node: Node<'_>,
        message: String,
        help: Option<String>,
    ) {
        let path = self.path.concat();
        let path = path.strip_prefix('.').unwrap_or(&path).to_owned();
        self.found.push(Violation { code, path, message, help, offset: node.span().start });
    }

    fn below(&mut self, part: String, check: impl FnOnce(&mut Self)) {
        self.path.push(part);
        check(self);
        self.path.pop();
    }

    fn resolve(&self, schema: &Map) -> Resolved {
        let mut at = Resolved { name: String::new(), schema: schema.clone() };
        for _ in 0..MAX_REFS {
            let Some(Value::Str(to)) = at.schema.get(b"$ref") else { return at };
            let to = to.to_string_lossy().into_owned();
            let name = to.rsplit('/').next().unwrap_or_default().to_owned();
            match self.schemas.definition(&name) {
                Some(schema) => at = Resolved { name, schema: (*schema).clone() },
                None => return Resolved { name, schema: Map::new() },
            }
        }
        at
    }

    fn value(&mut self, node: Node<'_>, schema: &Resolved) {
        // The API server drops nulls before it looks at an object.
        if node.is_null() || self.path.len() > MAX_DEPTH {
            return;
        }
        if is_int_or_string(&schema.schema) {
            if node.as_f64().is_none_or(|n| n.fract() != 0.0) && node.as_str().is_none() {
                self.wrong_type(node, "an integer or a string");
            }
        } else if let Some(Value::Str(ty)) = schema.schema.get(b"type")
            && !self.is_type(node, &ty.to_string_lossy())
        {
            return;
        }
        match node.node_type() {
            NodeType::Mapping => self.object(node, schema, false),
            NodeType::Sequence => self.array(node, &schema.schema),
            NodeType::String => self.string(node, &schema.schema),
            NodeType::Number => self.number(node, &schema.schema),
            NodeType::Bool | NodeType::Null => {}
        }
        self.allowed_values(node, &schema.schema);
        self.alternatives(node, schema);
    }

    fn is_type(&mut self, node: Node<'_>, ty: &str) -> bool {
        let found = node.node_type();
        let (fits, wanted) = match ty {
            "object" => (found == NodeType::Mapping, "an object"),
            "array" => (found == NodeType::Sequence, "an array"),
            "string" => (found == NodeType::String, "a string"),
            "boolean" => (found == NodeType::Bool, "a boolean"),
            "number" => (found == NodeType::Number, "a number"),
            "integer" => (node.as_f64().is_some_and(|n| n.fract() == 0.0), "an integer"),
            _ => (true, ""),
        };
        if !fits {
            self.wrong_type(node, wanted);
        }
        fits
    }

    fn wrong_type(&mut self, node: Node<'_>, wanted: &str) {
        let found = match node.node_type() {
            NodeType::Null => "null".to_owned(),
            NodeType::Bool => format!("the boolean {}", shown(node)),
            NodeType::Number => format!("the number {}", shown(node)),
            NodeType::String => format!("the string {:?}", shown(node)),
            NodeType::Sequence => "an array".to_owned(),
            NodeType::Mapping => "an object".to_owned(),
        };
        let quotable = matches!(node.node_type(), NodeType::Bool | NodeType::Number);
        let help = (wanted == "a string" && quotable).then(|| "put it in quotes".to_owned());
        self.report("K8S003", node, format!("expected {wanted}, found {found}"), help);
    }

    fn object(&mut self, node: Node<'_>, schema: &Resolved, is_root: bool) {
        let map = &schema.schema;
        let properties = map.get(b"properties").and_then(|p| p.as_map().cloned());
        let additional = map.get(b"additionalProperties");
        self.required(node, map);
        let embedded = is_root || is_true(map, b"x-kubernetes-embedded-resource");
        for (key, value) in node.entries() {
            let name = key.to_string_lossy().into_owned();
            let known = properties.as_ref().and_then(|p| p.get(key.as_bytes()));
            let schema = match (known, &additional) {
                // The head of a custom resource is checked as that of any object.
                _ if embedded && matches!(&*name, "apiVersion" | "kind" | "metadata") => continue,
                (Some(Value::Map(known)), _) => known,
                (None, Some(Value::Map(additional))) => additional.clone(),
                (None, Some(Value::Bool(true))) => continue,
                (None, _) if properties.is_none() || is_open(map) => continue,
                (None, _) => {
                    self.unknown_field(value, &name, properties.as_ref());
                    continue;
                }
                _ => continue,
            };
            let schema = self.resolve(&schema);
            self.below(field(&name), |walk| walk.value(value, &schema));
        }
        self.known_values(node, &schema.name);
    }
    fn required(&mut self, node: Node<'_>, schema: &Map) {
        let Some(Value::List(required)) = schema.get(b"required") else { return };
        for name in required.iter().filter_map(Value::as_str) {
            // A null is dropped, and then the field is missing.
            if node.get(name.as_bytes()).is_none_or(|value| value.is_null()) {
                let name = name.to_string_lossy().into_owned();
                self.below(field(&name), |walk| {
                    walk.report("K8S004", node, "required, but missing".to_owned(), None);
                });
            }
        }
    }

    fn unknown_field(&mut self, value: Node<'_>, name: &str, known: Option<&Map>) {
        if !self.strict || self.trying {
            return;
        }
        let names: Vec<String> = known
            .iter()
            .flat_map(|known| known.peek().iter().map(|(k, _)| k.to_string()).collect::<Vec<_>>())
            .collect();
        let near = nearest(name, &names);
        let help = near.map(|near| format!("did you mean {near}?"));
        self.below(field(name), |walk| {
            walk.report("K8S002", value, "unknown field".to_owned(), help);
        });
    }

    /// Fields of Kubernetes' kinds whose values are known though the schemas don't name them.
    fn known_values(&mut self, node: Node<'_>, definition: &str) {
        for (key, value) in node.entries() {
            let name = key.to_string_lossy().into_owned();
            let Some(values) = enums::values(definition, &name) else { continue };
            let Some(text) = value.as_str() else { continue };
            let text = String::from_utf8_lossy(&text).into_owned();
            // An empty text is the default.
            if text.is_empty() || values.contains(&text.as_str()) {
                continue;
            }
            let owned: Vec<String> = values.iter().map(|v| (*v).to_owned()).collect();
            let help = nearest(&text, &owned).map(|near| format!("did you mean {near}?"));
            let message = format!("{text:?} is not one of {}", values.join(", "));
            self.below(field(&name), |walk| walk.report("K8S005", value, message, help));
        }
    }

    fn array(&mut self, node: Node<'_>, schema: &Map) {
        let count = node.items().count();
        self.bounds(node, schema, count as f64, ("minItems", "maxItems"), "items");
        let Some(Value::Map(items)) = schema.get(b"items") else { return };
        let items = self.resolve(&items);
        for (number, item) in node.items().enumerate() {
            self.below(format!("[{number}]"), |walk| walk.value(item, &items));
        }
    }

    fn string(&mut self, node: Node<'_>, schema: &Map) {
        let Some(text) = node.as_str() else { return };
        let length = String::from_utf8_lossy(&text).chars().count();
        self.bounds(node, schema, length as f64, ("minLength", "maxLength"), "characters");
        if let Some(Value::Str(pattern)) = schema.get(b"pattern")
            && !self.matches(&pattern, &text)
        {
            let message = format!("{:?} does not match {pattern}", String::from_utf8_lossy(&text));
            self.report("K8S005", node, message, None);
        }
        let Some(Value::Str(format)) = schema.get(b"format") else { return };
        let wrong = match format.as_bytes() {
            b"byte" => (!is_base64(&text)).then_some("is not base64"),
            b"date-time" => {
                (!is_date_time(&text)).then_some("is not a time such as 2006-01-02T15:04:05Z")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            let message = format!("{:?} {wrong}", String::from_utf8_lossy(&text));
            let help = (format.as_bytes() == b"byte")
                .then(|| "encode it with b64enc, or use stringData in a Secret".to_owned());
            self.report("K8S005", node, message, help);
        }
    }

    fn number(&mut self, node: Node<'_>, schema: &Map) {
        let Some(number) = node.as_f64() else { return };
        if let Some(Value::Str(format)) = schema.get(b"format") {
            let range = match format.as_bytes() {
                b"int32" => Some((f64::from(i32::MIN), f64::from(i32::MAX))),
                b"int64" => Some((i64::MIN as f64, i64::MAX as f64)),
                _ => None,
            };
            if range.is_some_and(|(low, high)| number < low || number > high) {
                let message = format!("{} does not fit into {format}", shown(node));
                self.report("K8S005", node, message, None);
            }
        }
        let limit = |key: &[u8]| number_of(schema.get(key));
        let exclusive = |key: &[u8]| is_true(schema, key);
        if let Some(low) = limit(b"minimum") {
            let below = if exclusive(b"exclusiveMinimum") { number <= low } else { number < low };
            if below {
                self.report("K8S005", node, format!("{} is less than {low}", shown(node)), None);
            }
        }
        if let Some(high) = limit(b"maximum") {
            let above = if exclusive(b"exclusiveMaximum") { number >= high } else { number > high };
            if above {
                self.report("K8S005", node, format!("{} is more than {high}", shown(node)), None);
            }
        }
        if let Some(step) = limit(b"multipleOf").filter(|step| *step > 0.0)
            && (number / step).fract() != 0.0
        {
            self.report("K8S005", node, format!("{} is no multiple of {step}", shown(node)), None);
        }
    }

    fn bounds(
        &mut self,
        node: Node<'_>,
        schema: &Map,
        count: f64,
        (least, most): (&str, &str),
        what: &str,
    ) {
        if let Some(least) = number_of(schema.get(least.as_bytes())).filter(|least| count < *least)
        {
            let message = format!("has {count} {what}, at least {least} are required");
            self.report("K8S005", node, message, None);
        }
        if let Some(most) = number_of(schema.get(most.as_bytes())).filter(|most| count > *most) {
            let message = format!("has {count} {what}, at most {most} are allowed");
            self.report("K8S005", node, message, None);
        }
    }

    fn allowed_values(&mut self, node: Node<'_>, schema: &Map) {
        let Some(Value::List(values)) = schema.get(b"enum") else { return };
        let found = node.to_value();
        if values.iter().any(|value| same(value, &found)) {
            return;
        }
        let texts: Vec<String> = values.iter().map(plain).collect();
        let help = node.as_str().and_then(|text| {
            nearest(&String::from_utf8_lossy(&text), &texts)
                .map(|near| format!("did you mean {near}?"))
        });
        let shown = match node.as_str() {
            Some(text) => format!("{:?}", String::from_utf8_lossy(&text)),
            None => plain(&found),
        };
        let message = format!("{shown} is not one of {}", texts.join(", "));
        self.report("K8S005", node, message, help);
    }

    /// `allOf`, `anyOf`, `oneOf` and `not`.
    fn alternatives(&mut self, node: Node<'_>, schema: &Resolved) {
        let list = |key: &[u8]| match schema.schema.get(key) {
            Some(Value::List(list)) => maps(&list),
            _ => Vec::new(),
        };
        for part in list(b"allOf") {
            let part = self.resolve(&part);
            // What all parts know together is known; each alone must not judge.
            let trying = std::mem::replace(&mut self.trying, true);
            self.value(node, &part);
            self.trying = trying;
        }
        for (key, exactly) in [(&b"anyOf"[..], false), (&b"oneOf"[..], true)] {
            let parts = list(key);
            // Written beside x-kubernetes-int-or-string by habit.
            if parts.is_empty() || is_int_or_string(&schema.schema) {
                continue;
            }
            let holding = parts.iter().filter(|part| self.holds(node, part)).count();
            if holding == 0 {
                self.report("K8S005", node, none_holds(&parts), None);
            } else if exactly && holding > 1 {
                let message = format!("fits {holding} alternatives of which it may fit one only");
                self.report("K8S005", node, message, None);
            }
        }
        if let Some(Value::Map(not)) = schema.schema.get(b"not")
            && self.holds(node, &not)
        {
            self.report("K8S005", node, "has what its definition forbids".to_owned(), None);
        }
    }

    /// Whether an alternative holds.
    fn holds(&mut self, node: Node<'_>, schema: &Map) -> bool {
        let before = self.found.len();
        let trying = std::mem::replace(&mut self.trying, true);
        let schema = self.resolve(schema);
        self.value(node, &schema);
        self.trying = trying;
        let holds = self.found.len() == before;
        self.found.truncate(before);
        holds
    }

    /// Whether a pattern matches; one that is no regular expression matches all.
    fn matches(&mut self, pattern: &Str, text: &[u8]) -> bool {
        let compiled = self
            .patterns
            .entry(pattern.clone())
            .or_insert_with(|| GoRegex::compile(pattern.as_bytes()).ok());
        let Some(regex) = compiled else { return true };
        let mut free = |_: u64| Ok::<(), std::convert::Infallible>(());
        regex.is_match(text, &mut free).unwrap_or(true)
    }
}

fn field(name: &str) -> String {
    let plain = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if plain { format!(".{name}") } else { format!("[{name:?}]") }
}

fn shown(node: Node<'_>) -> String {
    match node.as_str() {
        Some(text) => String::from_utf8_lossy(&text).chars().take(80).collect(),
        None => String::from_utf8_lossy(node.source()).chars().take(80).collect(),
    }
}

fn is_true(schema: &Map, key: &[u8]) -> bool {
    matches!(schema.get(key), Some(Value::Bool(true)))
}

/// Whether fields that are not described are kept.
fn is_open(schema: &Map) -> bool {
    is_true(schema, b"x-kubernetes-preserve-unknown-fields")
}

fn is_int_or_string(schema: &Map) -> bool {
    is_true(schema, b"x-kubernetes-int-or-string")
        || matches!(schema.get(b"format"), Some(Value::Str(format)) if format.as_bytes() == b"int-or-string")
}

fn number_of(value: Option<Value>) -> Option<f64> {
    match value {
        Some(Value::Float(number)) => Some(number),
        Some(Value::Int(_, number)) => Some(number as f64),
        _ => None,
    }
}

fn maps(list: &List) -> Vec<Map> {
    list.iter().filter_map(|item| item.as_map().cloned()).collect()
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Nil, Value::Nil) => true,
        _ => number_of(Some(a.clone())).is_some_and(|a| number_of(Some(b.clone())) == Some(a)),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string_lossy().into_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Nil => "null".to_owned(),
        other => number_of(Some(other.clone())).map_or("a container".to_owned(), |n| n.to_string()),
    }
}

/// What to say where no alternative holds.
fn none_holds(parts: &[Map]) -> String {
    let types: Vec<String> = parts
        .iter()
        .filter_map(|part| Some(part.get(b"type")?.as_str()?.to_string_lossy().into_owned()))
        .collect();
    let required: Vec<String> = parts
        .iter()
        .filter_map(|part| match part.get(b"required")? {
            Value::List(list) => {
                let names: Vec<String> = list.iter().map(plain).collect();
                Some(names.join(" and "))
            }
            _ => None,
        })
        .collect();
    if types.len() == parts.len() {
        format!("must be of type {}", types.join(" or "))
    } else if required.len() == parts.len() {
        format!("must have {}", required.join(" or "))
    } else {
        "fits none of the alternatives of its definition".to_owned()
    }
}

fn is_base64(text: &[u8]) -> bool {
    let text: Vec<u8> = text.iter().copied().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
    let padding = text.iter().rev().take_while(|b| **b == b'=').count();
    let body = text.get(..text.len() - padding).unwrap_or_default();
    text.len().is_multiple_of(4)
        && padding <= 2
        && body.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

/// RFC 3339, as far as the shape goes.
fn is_date_time(text: &[u8]) -> bool {
    let digits = |range: std::ops::Range<usize>| {
        text.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let at = |index: usize, want: &[u8]| text.get(index).is_some_and(|b| want.contains(b));
    digits(0..4)
        && at(4, b"-")
        && digits(5..7)
        && at(7, b"-")
        && digits(8..10)
        && at(10, b"Tt ")
        && digits(11..13)
        && at(13, b":")
        && digits(14..16)
        && at(16, b":")
        && digits(17..19)
        && text.len() > 19
}

/// The name that was probably meant.
pub(crate) fn nearest(name: &str, known: &[String]) -> Option<String> {
    let bound = (name.chars().count() / 3).min(3);
    let lower = name.to_lowercase();
    let scored = known.iter().filter(|candidate| *candidate != name);
    let scored = scored.map(|candidate| (distance(&lower, &candidate.to_lowercase()), candidate));
    scored.filter(|(distance, _)| *distance <= bound).min().map(|(_, name)| name.clone())
}

/// Letters added, dropped, replaced, or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let width = b.len() + 1;
    let mut table = vec![0usize; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            let best = if i == 0 || j == 0 {
                i.max(j)
            } else {
                let same = a.get(i - 1) == b.get(j - 1);
                let above = table[(i - 1) * width + j] + 1;
                let left = table[i * width + j - 1] + 1;
                let both = table[(i - 1) * width + j - 1] + usize::from(!same);
                let swapped =
                    i > 1 && j > 1 && a.get(i - 1) == b.get(j - 2) && a.get(i - 2) == b.get(j - 1);
                let swap = if swapped { table[(i - 2) * width + j - 2] + 1 } else { usize::MAX };
                above.min(left).min(both).min(swap)
            };
            table[i * width + j] = best;
        }
    }
    table.last().copied().unwrap_or_default()
}
