//! Two network namespaces joined by a veth pair.

use super::place::Name;
use crate::{output, shell};
use anyhow::Result;
use std::process::Command;

/// Interface of the server.
pub(super) const SERVER_INTERFACE: &str = "rps0";
/// Interface of whoever asks.
const CLIENT_INTERFACE: &str = "rpc0";
/// Where the server is asked.
pub(super) const SERVER_IPV4: &str = "10.53.0.1";
/// Where the server is asked over IPv6.
pub(super) const SERVER_IPV6: &str = "fd53::1";

/// Another address of whoever asks, in a part of the network that lies in America.
pub(super) const AMERICAN_IPV4: &str = "10.53.0.130";
/// The same over IPv6.
pub(super) const AMERICAN_IPV6: &str = "fd53::8000:0:0:2";
/// Whoever asks has these, and takes the first unless told otherwise.
const CLIENT_IPV4: [&str; 2] = ["10.53.0.2", AMERICAN_IPV4];
/// The same over IPv6.
const CLIENT_IPV6: [&str; 2] = ["fd53::2", AMERICAN_IPV6];

/// The namespaces and their link; dropping it removes both.
pub(super) struct Network {
    name: Name,
    /// Whether the kernel gave the link IPv6 addresses.
    pub(super) has_ipv6: bool,
}

impl Network {
    /// Makes the namespaces, the pair between them and its addresses.
    pub(super) fn set_up(name: &Name) -> Result<Self> {
        let (server, client) = (name.server(), name.client());
        output::step(
            "Joining",
            format!("namespaces {server} and {client} by a veth pair"),
        );
        // From here on a failure takes away what was made before it.
        let mut network = Self {
            name: name.clone(),
            has_ipv6: true,
        };
        ip(&["netns", "add", &server])?;
        ip(&["netns", "add", &client])?;
        network.link()?;
        for (space, interface, ipv4, ipv6) in [
            (
                &server,
                SERVER_INTERFACE,
                &[SERVER_IPV4][..],
                &[SERVER_IPV6][..],
            ),
            (&client, CLIENT_INTERFACE, &CLIENT_IPV4, &CLIENT_IPV6),
        ] {
            for address in ipv4 {
                let address = format!("{address}/24");
                ip(&["-n", space, "address", "add", &address, "dev", interface])?;
            }
            let added = ipv6.iter().try_for_each(|address| {
                // Without duplicate address detection it can be used at once.
                let address = format!("{address}/64");
                let words = ["-n", space, "address", "add", &address, "dev", interface];
                ip(&[&words[..], &["nodad"]].concat())
            });
            if let Err(error) = added {
                network.has_ipv6 = false;
                output::note(format!("no IPv6 in this demonstration: {error}"));
            }
            ip(&["-n", space, "link", "set", "lo", "up"])?;
            ip(&["-n", space, "link", "set", interface, "up"])?;
        }
        network.complete_checksums();
        Ok(network)
    }

    /// Makes the pair, each end at once in its namespace: no interface ever appears on the machine.
    fn link(&self) -> Result<()> {
        let (server, client) = (self.name.server(), self.name.client());
        // Two queues an end, so that two workers have something to do.
        const QUEUES: [&str; 4] = ["numrxqueues", "2", "numtxqueues", "2"];
        let mut arguments = vec!["link", "add", SERVER_INTERFACE, "netns", &server];
        arguments.extend(QUEUES);
        arguments.extend([
            "type",
            "veth",
            "peer",
            "name",
            CLIENT_INTERFACE,
            "netns",
            &client,
        ]);
        arguments.extend(QUEUES);
        ip(&arguments)
    }

    /// A veth peer leaves checksums unfinished, as no wire would carry them. AF_XDP shows the bytes
    /// as they are, so the client's end is told to finish them, like a network card.
    fn complete_checksums(&self) {
        let client = self.name.client();
        let mut ethtool = Command::new("ip");
        ethtool.args([
            "netns",
            "exec",
            &client,
            "ethtool",
            "-K",
            CLIENT_INTERFACE,
            "tx",
            "off",
        ]);
        if let Err(error) = shell::read(&mut ethtool, "queries carry unfinished UDP checksums") {
            output::note(error);
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Removes whatever exists of the demonstration's namespaces.
pub(super) fn remove(name: &Name) {
    for (space, interface) in [
        (name.server(), SERVER_INTERFACE),
        (name.client(), CLIENT_INTERFACE),
    ] {
        if !std::path::Path::new("/run/netns").join(&space).exists() {
            continue;
        }
        // A shell left in a namespace would keep the pair alive: take that away first.
        // It may be gone with its peer already, or never have been made.
        drop(ip(&["-n", &space, "link", "delete", interface]));
        if let Err(error) = ip(&["netns", "delete", &space]) {
            output::note(error);
        }
    }
}

/// Runs `ip` from iproute2.
fn ip(arguments: &[&str]) -> Result<()> {
    let mut ip = Command::new("ip");
    shell::read(
        ip.args(arguments),
        "see that this kernel has network namespaces and veth",
    )?;
    Ok(())
}
