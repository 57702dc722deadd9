//! The query log of the `ripples` binary: what it says, where it goes, and what goes wrong.

mod faults;
mod files;
mod lines;
mod rotation;
mod stage;
mod taps;
