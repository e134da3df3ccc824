//! Which functions a template's text calls.

use crate::compat::Compat;
use crate::functions::functions;
use bowsprit_template::{Functions, compile};
use std::sync::OnceLock;

/// A call of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionCall {
    /// The function's name.
    pub function: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in bytes.
    pub column: usize,
}

/// The functions that a text calls, in its order. None for a text that can't be parsed.
///
/// ```
/// let calls = bowsprit_render::calls(b"a: {{ now | date \"2006\" }}");
/// assert_eq!((calls[0].function, calls[0].column), ("now", 7));
/// ```
pub fn calls(text: &[u8]) -> Vec<FunctionCall> {
    static FUNCTIONS: OnceLock<Functions> = OnceLock::new();
    let functions = FUNCTIONS.get_or_init(|| functions(false, Compat::default().rules()));
    let Ok(unit) = compile("", text, functions) else { return Vec::new() };
    let mut calls: Vec<FunctionCall> = unit
        .calls(functions)
        .map(|(function, offset)| {
            let (line, column) = unit.line_column(offset);
            FunctionCall { function, line, column: column + 1 }
        })
        .collect();
    calls.sort_by_key(|call| (call.line, call.column));
    calls
}
