//! JSON as Go's `encoding/json` reads and writes it.
//!
//! ```
//! use bowsprit_value::{Meter, json};
//!
//! let value = json::decode(br#"{"b":[1,2.50,"<\u00e9>"],"a":null}"#)?;
//! let mut out = Vec::new();
//! json::encode(&value, &json::Options::default(), &mut out, &Meter::default())?;
//! assert_eq!(out, r#"{"a":null,"b":[1,2.5,"\u003cé\u003e"]}"#.as_bytes());
//! # Ok::<(), json::JsonError>(())
//! ```

mod decode;
mod encode;
mod literal;

pub use decode::{decode, decode_list, decode_map, decode_prefix};
pub use encode::{Indent, Options, append_string, encode};

use crate::{FuncError, Str, Value};
use std::fmt;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// The text is no JSON.
    Syntax,
    /// The text is JSON, but of another type than the one asked for, or a number too big.
    Type,
    /// The value has no form in JSON: NaN, a function, a cycle.
    Unsupported,
    /// A limit of the run was reached.
    Limit,
}

/// An error with Go's text.
#[derive(Clone)]
pub struct JsonError(Box<Failure>);

#[derive(Clone)]
struct Failure {
    kind: JsonErrorKind,
    text: Str,
    partial: Value,
    limit: Option<FuncError>,
}

impl JsonError {
    #[cold]
    fn new(kind: JsonErrorKind, text: impl Into<Str>) -> JsonError {
        JsonError(Box::new(Failure { kind, text: text.into(), partial: Value::Nil, limit: None }))
    }

    fn with_partial(mut self, partial: Value) -> JsonError {
        self.0.partial = partial;
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> JsonErrorKind {
        self.0.kind
    }

    /// Go's text.
    pub fn text(&self) -> &Str {
        &self.0.text
    }

    /// What Go has stored all the same: after a number that is too big, everything else, with nil in
    /// that number's place. Nil after other errors.
    pub fn partial(&self) -> &Value {
        &self.0.partial
    }
}

impl fmt::Debug for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonError({:?}, {:?})", self.kind(), self.text())
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.text(), f)
    }
}

impl std::error::Error for JsonError {}

impl From<JsonError> for FuncError {
    fn from(error: JsonError) -> FuncError {
        let failure = *error.0;
        failure.limit.unwrap_or_else(|| FuncError::new(failure.text))
    }
}

impl From<FuncError> for JsonError {
    fn from(error: FuncError) -> JsonError {
        let mut json = JsonError::new(JsonErrorKind::Limit, error.text().clone());
        json.0.limit = Some(error);
        json
    }
}
