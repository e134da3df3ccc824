//! The dynamic value with Go's semantics: kinds, truth, equality, fmt verbs, JSON.
