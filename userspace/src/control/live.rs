//! What is asked of live streams.

use crate::config::FilterText;
use crate::querylog::By;
use serde::{Deserialize, Serialize};

/// Of which queries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TailRequest {
    /// Those that pass it.
    #[serde(flatten)]
    pub filter: FilterText,
    /// One of so many of them.
    #[serde(default = "all")]
    pub sample: u32,
}

/// What of them is to be counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopRequest {
    /// Of which queries.
    #[serde(flatten)]
    pub tail: TailRequest,
    /// The lists; none: all that there are.
    #[serde(default)]
    pub by: Vec<By>,
    /// Their length.
    #[serde(default = "ten")]
    pub length: usize,
    /// How often they are told.
    #[serde(default = "second")]
    pub every_ms: u64,
    /// Whether they are counted from the beginning, and not anew each time.
    #[serde(default)]
    pub total: bool,
}

fn all() -> u32 {
    1
}

fn ten() -> usize {
    10
}

fn second() -> u64 {
    1_000
}
