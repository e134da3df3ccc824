//! Fixture reader and golden comparison for bowsprit's own tests.
