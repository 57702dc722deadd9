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

/// A kernel whose igb has none.
static IGB_OLD: Place = Place {
    name: "igb-old",
    release: Release::Stable,
    network: Network::Igb,
    cpus: 2,
};

/// A driver that adds queues when a program is attached.
static VIRTIO: Place = Place {
    name: "virtio",
    release: Release::Newest,
    network: Network::Virtio,
    cpus: 2,
};

/// All scenarios, in order; those of one place are together.
pub(super) static SCENARIOS: &[Scenario] = &[
    quick(
        "igb-zero-copy-2",
        &IGB,
        "zero-copy, 2 queues: every query answered, on all queues",
    ),
    full("igb-zero-copy-8", &IGB, "the same on 8 queues"),
    full("igb-copy-2", &IGB, "copy mode, 2 queues"),
    quick("igb-copy-8", &IGB, "copy mode, 8 queues"),
    quick("igb-generic-2", &IGB, "generic mode, 2 queues"),
    full("igb-generic-8", &IGB, "generic mode, 8 queues"),
    quick(
        "igb-pktgen-drop",
        &IGB,
        "the kernel's generator: its packets are counted as responses",
    ),
    full(
        "igb-pktgen-reflect",
        &IGB,
        "the kernel's generator and --reflect: all come back",
    ),
    quick("igb-link", &IGB, "link down and up while answering"),
    full("igb-rings", &IGB, "ethtool -G while answering"),
    full("igb-negotiation", &IGB, "ethtool -r while answering"),
    full(
        "igb-mtu",
        &IGB,
        "a larger MTU while answering: refused or handled",
    ),
    full("igb-channels", &IGB, "ethtool -L while answering: refused"),
    full(
        "igb-kill",
        &IGB,
        "kill -9: nothing stays attached, a restart works",
    ),
    quick(
        "igb-unbind",
        &IGB,
        "the driver lets go: noticed, and AF_XDP again when it is back",
    ),
    full(
        "igb-unbind-forced",
        &IGB,
        "the same with --io xdp: an error, exit code 1",
    ),
    quick(
        "igb-check",
        &IGB,
        "ripples check: finds what is wrong, and its advice helps",
    ),
    quick("igb-bond", &IGB, "a bond: its member is attached"),
    quick(
        "igb-next-hop",
        &IGB,
        "a VLAN on a bond: replies go to the router that routing says",
    ),
    quick(
        "igb-old-refused",
        &IGB_OLD,
        "no zero-copy in the driver: insisting on it is an error",
    ),
    quick(
        "igb-old-fallback",
        &IGB_OLD,
        "no zero-copy in the driver: copy mode, with the reason",
    ),
    full(
        "igb-old-check",
        &IGB_OLD,
        "ripples check: says which kernel has zero-copy",
    ),
    quick(
        "virtio-added",
        &VIRTIO,
        "queues that attaching adds: a warning, and nothing is lost",
    ),
    quick(
        "virtio-advice",
        &VIRTIO,
        "as the warning advises: none is added, all by AF_XDP",
    ),
    full("virtio-generic", &VIRTIO, "generic mode adds no queues"),
];

const fn quick(name: &'static str, place: &'static Place, about: &'static str) -> Scenario {
    Scenario {
        quick: true,
        ..full(name, place, about)
    }
}

const fn full(name: &'static str, place: &'static Place, about: &'static str) -> Scenario {
    Scenario {
        name,
        about,
        place,
        quick: false,
    }
}
