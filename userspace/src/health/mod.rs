//! Which addresses and variants are answered with: what the operator says counts first, then the
//! file of marks, then the checks.
//!
//! ```text
//! ripples ctl ─┐
//! marks file ──┼─► Board ─► Verdicts ─► the next snapshot
//! Checker ─────┘     └────► Plan ─► Checker
//! ```

mod board;
mod checker;
mod damping;
mod marks;
mod report;
mod target;
mod verdicts;

pub use board::{Board, Counts, HealthMetric, SharedBoard};
pub use checker::Checker;
pub use marks::parse;
pub use target::Target;
pub use verdicts::Verdicts;

use crate::config::CheckOptions;
use std::net::IpAddr;
use std::sync::Arc;

/// A check of one address.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    check: Arc<CheckOptions>,
    address: IpAddr,
}

/// What is to be checked.
pub(crate) type Plan = Arc<[Job]>;
