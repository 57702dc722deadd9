//! The `ripples` binary.
fn main() {}
