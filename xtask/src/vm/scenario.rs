//! The scenarios: what each needs. What each does is in `tests/src/bin/vm_guest`.

use super::network::Network;

/// Which of the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// The release's own.
    Stable,
    /// The newest.
    Newest,
}

/// A machine that several scenarios share.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: &'static str,
    pub(super) release: Release,
    pub(super) network: Network,
    pub(super) cpus: u32,
}

/// One thing to try.
#[derive(Debug)]
pub(super) struct Scenario {
    /// What the guest knows it by.
    pub(super) name: &'static str,
    /// What is seen, in a line.
    pub(super) about: &'static str,
    pub(super) place: &'static Place,
    /// Whether it is part of `--quick`.
    pub(super) quick: bool,
}

/// A kernel whose igb has zero-copy.
static IGB: Place = Place {
    name: "igb",
    release: Release::Newest,
    network: Network::Igb,
    cpus: 8,
};

/// All scenarios, in order; those of one place are together.
pub(super) static SCENARIOS: &[Scenario] = &[Scenario {
    name: "igb-zero-copy-2",
    about: "igb, zero-copy, 2 queues: every paced query is answered, on all queues",
    place: &IGB,
    quick: true,
}];
