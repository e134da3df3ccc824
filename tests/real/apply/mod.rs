//! `apply` and its siblings against a real kube-apiserver, beside the real Helm.

mod client;
mod corpus;
mod crash;
mod faults;
pub(crate) mod fleet;
mod guards;
mod helm;
mod running;
mod seeds;
pub(crate) mod server;
mod words;
