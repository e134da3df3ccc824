//! From text to code in one pass.
//!
//! There is no tree: the parser follows Go's grammar, with Go's look-ahead and Go's messages, and emits
//! instructions as it goes. All nesting (control structures, definitions, parentheses) is kept on
//! explicit stacks, so that no input can exhaust the native one. Most text and most actions are of a few
//! kinds, and `quick` reads those without a token ever being made.

mod command;
pub(crate) mod lexer;
mod literal;
mod number;
mod parser;
mod pipeline;
mod quick;
pub(crate) mod text;
pub(crate) mod token;
mod tree;

pub(crate) use literal::literal_value;
pub use parser::{compile, compile_source};
