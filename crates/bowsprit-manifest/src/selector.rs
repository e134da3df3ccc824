//! Label selectors.

use bowsprit_value::Value;
use std::collections::BTreeMap;
use std::fmt;

/// Labels or annotations of an object.
pub type Labels = BTreeMap<String, String>;

/// How a [`Requirement`] compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// The label is there and has one of the values.
    In,
    /// The label is missing, or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is missing.
    DoesNotExist,
}

impl Operator {
    /// Kubernetes' name of the operator.
    pub const fn name(self) -> &'static str {
        match self {
            Operator::In => "In",
            Operator::NotIn => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
        }
    }

    fn parse(name: &[u8]) -> Option<Operator> {
        const ALL: [Operator; 4] =
            [Operator::In, Operator::NotIn, Operator::Exists, Operator::DoesNotExist];
        ALL.into_iter().find(|operator| operator.name().as_bytes() == name)
    }
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// The label's name.
    pub key: String,
    /// How its value is compared.
    pub operator: Operator,
    /// What it is compared with; empty for the operators that need nothing.
    pub values: Vec<String>,
}

impl Requirement {
    /// Whether labels meet the condition.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => value.is_none_or(|value| !self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match (self.operator, self.values.as_slice()) {
            (Operator::In, [value]) => write!(f, "{key}={value}"),
            (Operator::NotIn, [value]) => write!(f, "{key}!={value}"),
            (Operator::In, values) => write!(f, "{key} in ({})", values.join(",")),
            (Operator::NotIn, values) => write!(f, "{key} notin ({})", values.join(",")),
            (Operator::Exists, _) => f.write_str(key),
            (Operator::DoesNotExist, _) => write!(f, "!{key}"),
        }
    }
}

/// Conditions on labels that must all be met; without any, everything matches.
///
/// `Display` prints the form that kubectl reads.
///
/// ```
/// use bowsprit_manifest::LabelSelector;
///
/// let selector: LabelSelector = "tier in (web, api),!canary,env!=dev".parse()?;
/// let labels = [("tier", "web")].map(|(k, v)| (k.to_owned(), v.to_owned()));
/// assert!(selector.matches(&labels.into()));
/// assert_eq!(selector.to_string(), "tier in (web,api),!canary,env!=dev");
/// # Ok::<(), bowsprit_manifest::SelectorError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelSelector {
    /// The conditions.
    pub requirements: Vec<Requirement>,
}

impl LabelSelector {
    /// A selector for labels with these values: `matchLabels`.
    pub fn of_labels<K: Into<String>, V: Into<String>>(
        labels: impl IntoIterator<Item = (K, V)>,
    ) -> LabelSelector {
        let requirement = |(key, value): (K, V)| Requirement {
            key: key.into(),
            operator: Operator::In,
            values: vec![value.into()],
        };
        LabelSelector { requirements: labels.into_iter().map(requirement).collect() }
    }

    /// Reads the object that Kubernetes calls a label selector, with `matchLabels` and
    /// `matchExpressions`; `None` where it is something else.
    pub fn of_object(value: &Value) -> Option<LabelSelector> {
        let map = value.as_map()?;
        let mut selector = LabelSelector::default();
        for (key, value) in map.peek().iter() {
            match key.as_bytes() {
                b"matchLabels" => {
                    selector.requirements.extend(LabelSelector::of_map(value)?.requirements)
                }
                b"matchExpressions" => {
                    for expression in value.as_list().into_iter().flatten() {
                        selector.requirements.push(expression_of(expression)?);
                    }
                }
                _ => return None,
            }
        }
        Some(selector)
    }

    /// Reads a plain map of labels and values, as Services have it; `None` where it is something else.
    pub fn of_map(value: &Value) -> Option<LabelSelector> {
        if value.is_nil() {
            return Some(LabelSelector::default());
        }
        let entries = value.as_map()?.peek();
        let pairs: Option<Vec<(String, String)>> = entries
            .iter()
            .map(|(key, value)| match value {
                Value::Str(value) => Some((key.to_string(), value.to_string())),
                Value::Nil => Some((key.to_string(), String::new())),
                _ => None,
            })
            .collect();
        Some(LabelSelector::of_labels(pairs?))
    }

    /// Whether labels meet all conditions.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }

    /// True without conditions.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether one of the conditions is about this label.
    pub fn mentions(&self, key: &str) -> bool {
        self.requirements.iter().any(|requirement| requirement.key == key)
    }
}

fn expression_of(value: &Value) -> Option<Requirement> {
    let map = value.as_map()?;
    let text = |key: &[u8]| Some(map.get(key)?.as_str()?.clone());
    let operator = Operator::parse(text(b"operator")?.as_bytes())?;
    let values = map.get(b"values");
    let values = values.as_ref().and_then(Value::as_list).into_iter().flatten();
    let values = values.filter_map(|v| Some(v.as_str()?.to_string())).collect();
    Some(Requirement { key: text(b"key")?.to_string(), operator, values })
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

/// A text that is no label selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorError {
    /// The part of the text that can't be read.
    pub part: String,
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no label selector: expected k=v, k!=v, k, !k, k in (a,b) or k notin (a,b), \
             separated by commas",
            self.part
        )
    }
}

impl std::error::Error for SelectorError {}

impl std::str::FromStr for LabelSelector {
    type Err = SelectorError;

    /// Reads the form that kubectl's `-l` takes.
    fn from_str(text: &str) -> Result<LabelSelector, SelectorError> {
        let mut requirements = Vec::new();
        let mut depth = 0;
        let parts = text.split(|c: char| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            c == ',' && depth == 0
        });
        for part in parts.map(str::trim) {
            let requirement = parse_requirement(part).filter(|r| is_name(&r.key));
            let requirement = requirement.ok_or_else(|| SelectorError { part: part.to_owned() })?;
            requirements.push(requirement);
        }
        Ok(LabelSelector { requirements })
    }
}

fn parse_requirement(part: &str) -> Option<Requirement> {
    let new =
        |key: &str, operator, values| Requirement { key: key.trim().to_owned(), operator, values };
    if let Some((key, list)) = part.strip_suffix(')').and_then(|part| part.split_once('(')) {
        let (key, word) = key.trim().rsplit_once(char::is_whitespace)?;
        let operator = match word {
            "in" => Operator::In,
            "notin" => Operator::NotIn,
            _ => return None,
        };
        let values = list.split(',').map(|value| value.trim().to_owned()).collect();
        return Some(new(key, operator, values));
    }
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some((key, value)) = part.split_once("!=") {
        return Some(new(key, Operator::NotIn, one(value)));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(new(key, Operator::In, one(value)))
            .filter(|r| !r.values.iter().any(|v| v.contains('=')));
    }
    match part.strip_prefix('!') {
        Some(key) => Some(new(key, Operator::DoesNotExist, Vec::new())),
        None => Some(new(part, Operator::Exists, Vec::new())),
    }
}

fn is_name(key: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    !key.is_empty() && key.chars().all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Labels {
        let pairs = text.split(' ').filter_map(|pair| pair.split_once('='));
        pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    #[test]
    fn selectors_match_as_kubernetes_says() {
        for (selector, labels_text, want) in [
            ("a=1", "a=1 b=2", true),
            ("a==1,b=1", "a=1 b=2", false),
            ("a!=1", "", true),
            ("a!=1", "a=1", false),
            ("a in (1, 2),b", "a=2 b=x", true),
            ("a notin (1,2)", "a=3", true),
            ("!a", "a=1", false),
            ("x.io/a=", "x.io/a=", true),
        ] {
            let parsed: LabelSelector = selector.parse().unwrap();
            assert_eq!(parsed.matches(&labels(labels_text)), want, "{selector}");
            assert_eq!(parsed.to_string().parse::<LabelSelector>().unwrap(), parsed);
        }
        for wrong in ["", "=1", "a in 1", "a of (1)", "a,,b", "a=b=c", "a b"] {
            assert!(wrong.parse::<LabelSelector>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn objects_are_read() {
        let read =
            |text: &str| LabelSelector::of_object(&bowsprit_yaml::decode(text.as_bytes()).unwrap());
        let selector = read(
            "matchLabels: {a: x}\nmatchExpressions: [{key: b, operator: NotIn, values: [why]}, {key: c, operator: Exists}]",
        );
        assert_eq!(selector.unwrap().to_string(), "b!=why,c,a=x");
        assert_eq!(read("{}").unwrap(), LabelSelector::default());
        assert!(read("a: x").is_none());
        assert!(read("matchExpressions: [{key: b, operator: Gt}]").is_none());
    }
}
