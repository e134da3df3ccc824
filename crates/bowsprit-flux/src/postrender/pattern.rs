//! Go's regular expressions and Kubernetes' selectors.

use bowsprit_manifest::{LabelSelector, Labels, SelectorError};
use bowsprit_render::sprig_functions;
use bowsprit_value::{Args, FuncImpl, Meter, Value};

/// Whether Go's regular expression matches anywhere in the text. The error is Go's.
pub(crate) fn matches(pattern: &str, text: &str) -> Result<bool, String> {
    let functions = sprig_functions();
    let function = functions.iter().find(|func| func.name == "mustRegexMatch");
    let Some(FuncImpl::Pure(function)) = function.map(|func| func.body) else {
        return Err("regular expressions are not there".to_owned());
    };
    let meter = Meter::default();
    let mut args = [Value::from(pattern), Value::from(text)];
    match function(&mut Args::new(&mut args, &meter)) {
        Ok(value) => Ok(matches!(value, Value::Bool(true))),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the whole text matches; an empty pattern matches all.
pub(crate) fn matches_whole(pattern: &str, text: &str) -> Result<bool, String> {
    Ok(pattern.is_empty() || matches(&format!("^(?:{pattern})$"), text)?)
}

/// Whether labels fit a selector such as `app=web,tier in (a, b),!old`; an empty one fits all.
pub(crate) fn selects(selector: &str, labels: &Labels) -> Result<bool, String> {
    if selector.trim().is_empty() {
        return Ok(true);
    }
    let parsed: LabelSelector =
        selector.parse().map_err(|e: SelectorError| format!("{selector:?}: {e}"))?;
    Ok(parsed.matches(labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_select() {
        let labels: Labels =
            [("a", "1"), ("x.io/b", "c")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        for (selector, want) in [
            ("", true),
            ("a=1", true),
            ("a == 1, x.io/b", true),
            ("a!=1", false),
            ("z!=1", true),
            ("!a", false),
            ("!z,a", true),
            ("a in (1, 2),x.io/b notin (d)", true),
            ("a in (3)", false),
        ] {
            assert_eq!(selects(selector, &labels), Ok(want), "{selector}");
        }
        for wrong in ["a=1,", "a of (1)", "a b"] {
            assert!(selects(wrong, &labels).is_err(), "{wrong}");
        }
    }

    #[test]
    fn patterns_are_anchored() {
        assert_eq!(matches_whole("a|b.*", "bc"), Ok(true));
        assert_eq!(matches_whole("a", "ab"), Ok(false));
        assert_eq!(matches_whole("", "ab"), Ok(true));
        assert!(matches_whole("(", "").is_err());
    }
}
