//! The conditions of `[?(...)]`.

use super::{Path, PathError};
use bowsprit_sprig::goregex::GoRegex;
use bowsprit_value::{Str, Value};
use std::cmp::Ordering;
use std::convert::Infallible;

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    /// Holds for nothing.
    Never,
    /// `true` or `false`.
    Literal(bool),
    /// Something is there.
    Exists(Term),
    Not(Box<Filter>),
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Compare(Term, Comparison, Term),
    Matches(Term, Regex),
}

#[derive(Clone, Debug)]
pub(super) struct Regex(pub(super) std::sync::Arc<GoRegex>);

/// One side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Term {
    /// Nothing at all.
    Missing,
    /// `@` and a path from there.
    Current(Path),
    /// `$` and a path from there.
    Root(Path),
    Literal(Scalar),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A value as comparisons see it.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    /// A collection, a timestamp.
    Other,
    String(Str),
    Number(f64),
    Bool(bool),
    Null,
}

impl Filter {
    pub(super) fn holds(&self, value: &Value, root: &Value) -> Result<bool, PathError> {
        Ok(match self {
            Filter::Never => false,
            Filter::Literal(holds) => *holds,
            Filter::Exists(term) => !term.scalars(value, root)?.is_empty(),
            Filter::Not(inner) => !inner.holds(value, root)?,
            Filter::All(parts) => {
                for part in parts {
                    if !part.holds(value, root)? {
                        return Ok(false);
                    }
                }
                true
            }
            Filter::Any(parts) => {
                for part in parts {
                    if part.holds(value, root)? {
                        return Ok(true);
                    }
                }
                false
            }
            Filter::Compare(left, comparison, right) => {
                let right = right.scalars(value, root)?;
                let left = left.scalars(value, root)?;
                every_pair(&left, &right, |l, r| comparison.accepts(l, r))
            }
            Filter::Matches(term, regex) => {
                let found = term.scalars(value, root)?;
                !found.is_empty() && found.iter().all(|scalar| regex.matches(scalar))
            }
        })
    }
}

/// All pairs must fit, and there must be one.
fn every_pair(left: &[Scalar], right: &[Scalar], fits: impl Fn(&Scalar, &Scalar) -> bool) -> bool {
    let pairs = left.iter().flat_map(|l| right.iter().map(move |r| (l, r)));
    let mut any = false;
    for (l, r) in pairs {
        if !fits(l, r) {
            return false;
        }
        any = true;
    }
    any
}

impl Regex {
    fn matches(&self, scalar: &Scalar) -> bool {
        let Scalar::String(text) = scalar else { return false };
        let Ok(found) = self.0.is_match::<Infallible>(text.as_bytes(), &mut |_| Ok(()));
        found
    }
}

impl Term {
    fn scalars(&self, value: &Value, root: &Value) -> Result<Vec<Scalar>, PathError> {
        let found = match self {
            Term::Missing => return Ok(Vec::new()),
            Term::Literal(scalar) => return Ok(vec![scalar.clone()]),
            // What a path finds below the current value takes that for its root.
            Term::Current(path) => path.find_from(value, value)?,
            Term::Root(path) => path.find_from(root, root)?,
        };
        Ok(found.iter().map(Scalar::of).collect())
    }
}

impl Scalar {
    fn of(value: &Value) -> Scalar {
        match value {
            Value::Nil => Scalar::Null,
            Value::Bool(b) => Scalar::Bool(*b),
            Value::Int(kind, n) if kind.is_unsigned() => Scalar::Number(n.cast_unsigned() as f64),
            Value::Int(_, n) => Scalar::Number(*n as f64),
            Value::Float(f) => Scalar::Number(*f),
            Value::Str(text) => Scalar::String(text.clone()),
            _ => Scalar::Other,
        }
    }

    /// How two values of one type compare; none where they do not.
    fn compare(&self, other: &Scalar) -> Option<Ordering> {
        match (self, other) {
            // Go's comparison takes what is neither less nor greater for equal.
            (Scalar::Number(a), Scalar::Number(b)) => {
                Some(a.partial_cmp(b).unwrap_or(Ordering::Equal))
            }
            (Scalar::String(a), Scalar::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Scalar::Bool(a), Scalar::Bool(b)) => (a == b).then_some(Ordering::Equal),
            (Scalar::Null, Scalar::Null) => Some(Ordering::Equal),
            _ => None,
        }
    }
}

impl Comparison {
    fn accepts(self, left: &Scalar, right: &Scalar) -> bool {
        let order = left.compare(right);
        match self {
            Comparison::Equal => order == Some(Ordering::Equal),
            Comparison::NotEqual => order != Some(Ordering::Equal),
            Comparison::Greater => order == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
        }
    }
}
