//! Go's `%q` for messages.

use bowsprit_value::strconv;

pub(crate) fn quote(text: &[u8]) -> String {
    String::from_utf8_lossy(&strconv::quote(text)).into_owned()
}
