//! What is known of drivers' AF_XDP.

/// The release of Linux from which on a driver's queues are served with zero-copy, by the name that
/// the driver gives itself.
const ZERO_COPY: &[(&str, (u32, u32))] = &[
    ("gve", (6, 4)),
    ("i40e", (4, 20)),
    ("ice", (5, 5)),
    ("igb", (6, 14)),
    ("igc", (5, 14)),
    ("ixgbe", (4, 20)),
    ("mlx5_core", (5, 3)),
    ("nfp", (5, 18)),
    ("st_gmac", (5, 13)),
    ("virtio_net", (6, 11)),
];

/// Drivers that run XDP programs themselves, and whose frames are copied.
const COPY: &[&str] = &[
    "atlantic",
    "bnxt_en",
    "ena",
    "hv_netvsc",
    "mana",
    "mlx4_en",
    "mvneta",
    "mvpp2",
    "qede",
    "sfc",
    "tun",
    "veth",
    "vmxnet3",
];

/// How a driver's frames come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// With zero-copy, from this release of Linux on.
    ZeroCopy((u32, u32)),
    /// Copied.
    Copy,
    /// Nothing is known.
    Unknown,
}

/// What is known of a driver.
pub(super) fn known(driver: &str) -> Known {
    let zero_copy = ZERO_COPY.iter().find(|(name, _)| *name == driver);
    match zero_copy {
        Some((_, since)) => Known::ZeroCopy(*since),
        None if COPY.contains(&driver) => Known::Copy,
        None => Known::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_known_or_not() {
        assert_eq!(known("igb"), Known::ZeroCopy((6, 14)));
        assert_eq!(known("veth"), Known::Copy);
        assert_eq!(known("e1000"), Known::Unknown);
    }
}
