//! A world in which every answer depends on where the client is.

use ripples::snapshot::{Policy, Snapshot};
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tests::answers::snapshot_on;
use tests::maps::{map, maps};

/// Names that vary.
pub(crate) const HOSTS: u64 = 64;
/// Regions, of which each has a variant of each name.
const REGIONS: usize = 16;
/// Networks of the map, of 12 bits each.
const NETWORKS: u32 = 1 << 12;

/// The zone and its map.
pub(crate) fn world(head: &str) -> Snapshot {
    let names: Vec<String> = (0..REGIONS).map(|region| format!("r{region}")).collect();
    let mut text = String::from(head);
    for host in 0..HOSTS {
        let _ = writeln!(text, "host-{host:010} A 192.0.2.1");
    }
    for (region, name) in names.iter().enumerate() {
        let _ = writeln!(text, "$VARIANT {name}");
        for host in 0..HOSTS {
            let _ = writeln!(text, "host-{host:010} A 10.0.{region}.{host}");
        }
    }
    let regions: Vec<(&str, &[&str])> = names.iter().map(|name| (&name[..], &[][..])).collect();
    let networks = (0..NETWORKS).map(|network| {
        let address = Ipv4Addr::from_bits(network << 20);
        // Neighbours are elsewhere: the tree is as deep as it gets.
        (
            format!("{address}/12"),
            (network.wrapping_mul(7) as usize) % REGIONS,
        )
    });
    let networks: Vec<_> = networks.collect();
    let networks: Vec<_> = networks
        .iter()
        .map(|(network, region)| (&network[..], &names[*region][..]))
        .collect();
    let maps = maps([map("world", &regions, &networks)]);
    snapshot_on(
        &[("example.com.", &text)],
        Policy::default(),
        &Arc::new(maps),
    )
}
