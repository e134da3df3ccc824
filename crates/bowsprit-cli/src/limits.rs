//! The flags that bound a render.

use crate::flags::{Flag, Kind, Parsed};
use crate::release;
use bowsprit::Engine;
use bowsprit::value::Limits;

/// More than any known chart needs by a factor of hundreds; some seconds.
const STEPS: u64 = 200_000_000;

/// Held by values at one time.
const BYTES: u64 = 512 << 20;

const OUTPUT: u64 = 256 << 20;

/// Above Go's own limit on nested calls, 100000, so that a template that never ends gets Go's error.
const DEPTH: u32 = 110_000;

pub(crate) static FLAGS: &[Flag] = &[
    Flag::with("max-steps", Kind::Uint64, "N", "Stop templates after N steps (default 200000000)"),
    Flag::with(
        "max-memory",
        Kind::Size,
        "BYTES",
        "Stop templates whose values hold more (default 512Mi)",
    ),
    Flag::with("max-output", Kind::Size, "BYTES", "Stop templates that print more (default 256Mi)"),
];

/// What templates may use.
pub(crate) fn limits(parsed: &Parsed) -> Limits {
    Limits {
        steps: parsed.number("max-steps").unwrap_or(STEPS),
        bytes: parsed.number("max-memory").unwrap_or(BYTES),
        output: parsed.number("max-output").unwrap_or(OUTPUT),
        depth: DEPTH,
    }
}

/// An engine within these limits.
pub(crate) fn engine(parsed: &Parsed) -> Engine {
    Engine::builder().limits(limits(parsed)).compat(release::compat(parsed)).build()
}
