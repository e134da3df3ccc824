//! Tests of the `bowsprit` program as its users run it.
//!
//! The program is built by these tests themselves (see `program`), so `cargo test --workspace`
//! needs no step before it, and a program that does not build is a failure, never a skipped test.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]
#![allow(clippy::print_stdout, reason = "tests say how much they looked at")]

mod cli;
mod compiled_cache;
mod contact;
mod docs;
mod embedding;
mod fleet;
mod flux;
mod golden;
mod hooks;
mod hostile;
mod interrupts;
mod label;
mod place;
mod program;
mod random;
mod rich;
mod shared;
mod variations;
