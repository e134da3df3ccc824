//! Go's `strconv`: numbers from text, and quoting both ways.
//!
//! Everything takes bytes, since a Go string need not be UTF-8.

mod number;
mod quote;

pub use crate::unicode::is_print;
pub use number::{NumCause, NumError, atoi, parse_bool, parse_float, parse_int, parse_uint};
pub use quote::{
    Unquoted, append_quote, append_quote_rune, append_quote_rune_to_ascii, append_quote_to_ascii,
    can_backquote, quote, quote_rune, quote_to_ascii, unquote, unquote_char, unquote_plain,
};
