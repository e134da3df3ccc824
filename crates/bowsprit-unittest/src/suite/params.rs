//! What an assertion is given, read as the Go module mapstructure fills a struct.

use bowsprit_value::Value;
use bowsprit_yaml::AnyMap;

/// The parameters of an assertion: fields go by their names, upper and lower case being the same.
pub(super) struct Params {
    entries: Vec<(String, Value)>,
    wrong: Vec<String>,
}

impl Params {
    pub(super) fn new(value: &Value) -> Result<Params, String> {
        let map = match value {
            Value::Nil => None,
            Value::Map(map) => Some(map.clone()),
            other => match other.downcast::<AnyMap>() {
                Some(map) => Some(map.to_map()),
                None => {
                    let kind = match other {
                        Value::List(_) => "slice",
                        Value::Object(_) => return Ok(Params { entries: vec![], wrong: vec![] }),
                        other => return Err(format!("'' expected a map, got '{}'", kind(other))),
                    };
                    return Err(format!("'' expected a map, got '{kind}'"));
                }
            },
        };
        let entries = map.into_iter().flat_map(|map| {
            let entries = map.entries();
            let entries = entries.iter().map(|(key, value)| (key.to_string(), value.clone()));
            entries.collect::<Vec<_>>()
        });
        Ok(Params { entries: entries.collect(), wrong: Vec::new() })
    }

    /// What is wrong with the types, if something is.
    pub(super) fn finish(mut self) -> Result<(), String> {
        if self.wrong.is_empty() {
            return Ok(());
        }
        self.wrong.sort();
        let lines: Vec<String> = self.wrong.iter().map(|text| format!("* {text}")).collect();
        Err(format!("{} error(s) decoding:\n\n{}", lines.len(), lines.join("\n")))
    }

    pub(super) fn any(&self, field: &str) -> Value {
        let exact = self.entries.iter().find(|(name, _)| name == field);
        let found =
            exact.or_else(|| self.entries.iter().find(|(n, _)| n.eq_ignore_ascii_case(field)));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn unfit(&mut self, field: &str, wanted: &str, value: &Value) {
        self.wrong.push(format!(
            "'{field}' expected type '{wanted}', got unconvertible type '{}', value: '{}'",
            value.type_name(),
            crate::yaml::printed(value)
        ));
    }

    pub(super) fn string(&mut self, field: &str) -> String {
        match self.any(field) {
            Value::Nil => String::new(),
            Value::Str(text) => text.to_string(),
            other => {
                self.unfit(field, "string", &other);
                String::new()
            }
        }
    }

    pub(super) fn bool(&mut self, field: &str) -> bool {
        match self.any(field) {
            Value::Nil => false,
            Value::Bool(b) => b,
            other => {
                self.unfit(field, "bool", &other);
                false
            }
        }
    }

    pub(super) fn int(&mut self, field: &str) -> Option<i64> {
        match self.any(field) {
            Value::Nil => None,
            Value::Int(_, n) => Some(n),
            Value::Float(f) => Some(f as i64),
            other => {
                self.unfit(field, "int", &other);
                None
            }
        }
    }

    pub(super) fn strings(&mut self, field: &str) -> Vec<String> {
        let list = match self.any(field) {
            Value::Nil => return Vec::new(),
            Value::List(list) => list,
            other => {
                let kind = kind(&other);
                let text = format!("'{field}': source data must be an array or slice, got {kind}");
                self.wrong.push(text);
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for (number, item) in list.iter().enumerate() {
            match item {
                Value::Str(text) => texts.push(text.to_string()),
                Value::Nil => texts.push(String::new()),
                other => self.unfit(&format!("{field}[{number}]"), "string", other),
            }
        }
        texts
    }

    /// The `pattern` of a struct.
    pub(super) fn pattern(&mut self, field: &str) -> String {
        let value = self.any(field);
        match Params::new(&value) {
            Ok(mut inner) => {
                let pattern = inner.string("Pattern");
                let named =
                    |text: String| text.replacen("'Pattern'", &format!("'{field}.Pattern'"), 1);
                self.wrong.extend(inner.wrong.into_iter().map(named));
                pattern
            }
            Err(text) => {
                self.wrong.push(text.replacen("''", &format!("'{field}'"), 1));
                String::new()
            }
        }
    }
}

/// `reflect.Kind` by name.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::Bool(_) => "bool",
        Value::Int(kind, _) => kind.name(),
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) | Value::Bytes(_) => "slice",
        Value::Map(_) => "map",
        _ => "struct",
    }
}
