//! Repositories and registries, with servers in this process that misbehave on purpose.

#![cfg(feature = "network")]
#![allow(clippy::unwrap_used)]

mod faults;
mod folder;
mod registries;
mod repositories;
mod server;
