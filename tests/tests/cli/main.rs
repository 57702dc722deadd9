//! The `ripples` binary at its command line: what it refuses, and what it says then.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod check;
mod control;
mod options;
mod rights;
mod start;
