//! Tests of the `bowsprit` program as its users run it.
//!
//! The program is built by these tests themselves (see `program`), so `cargo test --workspace`
//! needs no step before it, and a program that does not build is a failure, never a skipped test.

mod cli;
mod embedding;
mod flux;
mod golden;
mod hooks;
mod hostile;
mod label;
mod program;
mod random;
mod shared;
