//! Live streams of the `ripples` binary: who sees what, and who loses what.

mod places;
mod sketch;
mod slow;
mod stage;
mod tail;
mod top;
