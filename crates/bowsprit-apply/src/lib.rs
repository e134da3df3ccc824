//! Applies releases to a cluster or to a KubeStellar workload description space.
