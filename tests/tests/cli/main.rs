//! The `ripples` binary at its command line: what it refuses, and what it says then.

mod check;
mod compile;
mod control;
mod geo;
mod options;
mod rights;
mod start;
