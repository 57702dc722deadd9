//! What an interface and its NIC are like.

use super::host::cpus_of_node;
use super::interrupts::{self, Interrupt};
use crate::sys::ethtool::{Flow, Offloads, Query, Rings};
use crate::sys::interface::{Interface, InterfaceError};
use std::fs;

/// An interface. What a driver does not tell is none.
#[derive(Clone, Debug)]
pub(super) struct Nic {
    /// What is known of every interface.
    pub(super) interface: Interface,
    /// Whether there is a link.
    pub(super) carrier: Option<bool>,
    /// The most channels that it could have.
    pub(super) channels_max: Option<u32>,
    /// What its rings hold.
    pub(super) rings: Option<Rings>,
    /// What it does to packets before they are seen.
    pub(super) offloads: Option<Offloads>,
    /// The queues that packets are spread over.
    pub(super) spread: Option<Vec<u32>>,
    /// Whether ports have a say in it: over IPv4, over IPv6.
    pub(super) hashes_ports: [Option<bool>; 2],
    /// The interrupts of its queues.
    pub(super) interrupts: Vec<Interrupt>,
    /// Its NUMA node, and the CPUs of that.
    pub(super) node: Option<(u32, Vec<usize>)>,
}

impl Nic {
    /// Looks at the interface `name`.
    pub(super) fn look(name: &str) -> Result<Self, InterfaceError> {
        let interface = Interface::find(name)?;
        let query = Query::new(name).map_err(|errno| InterfaceError::Refused {
            name: name.to_owned(),
            errno,
        })?;
        // What is mounted at /sys may be another namespace's, with another interface of that name.
        let is_ours =
            sysfs(name, "ifindex").is_some_and(|index| index == interface.index.to_string());
        let sysfs = |file| is_ours.then(|| sysfs(name, file)).flatten();
        let node = sysfs("device/numa_node").and_then(|node| node.parse().ok());
        Ok(Self {
            carrier: sysfs("carrier").map(|carrier| carrier == "1"),
            channels_max: query.combined_max().ok(),
            rings: query.rings().ok(),
            offloads: query.offloads().ok(),
            spread: query.spread().ok(),
            hashes_ports: [Flow::Udp4, Flow::Udp6].map(|flow| query.hashes_ports(flow).ok()),
            interrupts: if is_ours {
                interrupts::of(name)
            } else {
                Vec::new()
            },
            node: node.and_then(|node| Some((node, cpus_of_node(node)?))),
            interface,
        })
    }
}

/// What /sys says of an interface.
fn sysfs(interface: &str, file: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/sys/class/net/{interface}/{file}")).ok()?;
    Some(text.trim().to_owned())
}
