//! Repositories and registries, with servers in this process that misbehave on purpose.

#![cfg(feature = "network")]
#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "the tests of repositories and registries come next")]

mod faults;
mod folder;
mod server;
