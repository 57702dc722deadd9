//! The `ripples` binary at its command line: what it refuses, and what it says then.

mod check;
mod compile;
mod control;
mod geo;
mod manual;
mod options;
mod permissions;
mod protocol;
mod rights;
mod start;
