//! The bowsprit command.
fn main() {}
