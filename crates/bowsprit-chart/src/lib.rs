//! The Helm chart model, built from bytes already in memory.
