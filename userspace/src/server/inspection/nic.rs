//! What an interface and its NIC are like.

use super::host::cpus_of_node;
use super::interrupts::{self, Interrupt};
use crate::sys::ethtool::{Flow, Offloads, Query, Rings};
use crate::sys::interface::{Interface, InterfaceError, sysfs};
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
        let folder = sysfs(name, interface.index);
        let told = |file| {
            let text = fs::read_to_string(format!("{}/{file}", folder.as_deref()?)).ok()?;
            Some(text.trim().to_owned())
        };
        let node = told("device/numa_node").and_then(|node| node.parse().ok());
        Ok(Self {
            carrier: told("carrier").map(|carrier| carrier == "1"),
            channels_max: query.combined_max().ok(),
            rings: query.rings().ok(),
            offloads: query.offloads().ok(),
            spread: query.spread().ok(),
            hashes_ports: [Flow::Udp4, Flow::Udp6].map(|flow| query.hashes_ports(flow).ok()),
            interrupts: folder.as_deref().map_or_else(Vec::new, interrupts::of),
            node: node.and_then(|node| Some((node, cpus_of_node(node)?))),
            interface,
        })
    }
}
