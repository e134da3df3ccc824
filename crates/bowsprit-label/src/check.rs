//! Proof that objects have labels.

use crate::error::Error;
use crate::inject::{Text, decode};
use bowsprit_manifest::{Identity, LabelSelector};
use std::fmt;

/// An object that a selector does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// The object.
    pub object: Identity,
    /// Where its text comes from.
    pub path: String,
    /// The selector.
    pub selector: LabelSelector,
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not matched by {}", self.object, self.selector)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, " ({})", self.path) }
    }
}

/// The objects that one of the selectors does not match; none of them is the proof that all objects
/// have the labels.
///
/// ```
/// use bowsprit_label::{Text, unmatched};
///
/// let text = "kind: A\nmetadata: {name: x, labels: {a: b}}\n---\nkind: B\nmetadata: {name: b}\n";
/// let missing = unmatched(&[Text { path: "", text }], &["a=b".parse()?])?;
/// assert_eq!(missing[0].to_string(), "B b is not matched by a=b");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Fails where a text holds no objects.
pub fn unmatched(texts: &[Text<'_>], selectors: &[LabelSelector]) -> Result<Vec<Unmatched>, Error> {
    let mut missing = Vec::new();
    for (source, object) in decode(texts)? {
        let labels = object.labels();
        missing.extend(selectors.iter().filter(|s| !s.matches(&labels)).map(|selector| {
            Unmatched {
                object: object.identity.clone(),
                path: texts.get(source).map_or(String::new(), |text| text.path.to_owned()),
                selector: selector.clone(),
            }
        }));
    }
    Ok(missing)
}
