//! Helm-compatible chart rendering as a library.
