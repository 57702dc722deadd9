//! `ripples check --interface`: whether a host and its interfaces are as AF_XDP likes them, and
//! what to do where they are not. Nothing is attached, nothing is changed.

mod drivers;
mod finding;
mod host;
mod interrupts;
mod judge;
#[cfg(test)]
mod judge_tests;
mod nic;

use super::bonds;
use crate::config::{Config, Io};
use crate::port::{BindMode, XskConfig};
use anyhow::Result;
use finding::{Finding, Grade};
use host::Host;
use judge::Judge;
use nic::Nic;

/// Says a line about each thing that was looked at; returns whether `ripples run` would start.
///
/// # Errors
/// The kernel does not say what it is, or which CPUs may be used.
pub(super) fn inspect(config: &Config, mut say: impl FnMut(String)) -> Result<bool> {
    let host = Host::look(config)?;
    let falls_back = matches!(config.io, Io::Auto | Io::Socket);
    let mut findings = Vec::new();
    let mut nics = Vec::new();
    let interfaces = bonds::resolve(&config.interfaces, |name, members| {
        findings.push(bond(name, members));
    });
    for interface in interfaces {
        match Nic::look(&interface) {
            Ok(nic) => nics.push(nic),
            // With kernel sockets nobody looks for it.
            Err(error) => findings.push(Finding::lack(
                config.io == Io::Socket,
                &interface,
                "name",
                error.to_string(),
                "`ip link` lists them",
            )),
        }
    }
    if config.io == Io::Socket {
        findings.push(Finding::fine(
            "host",
            "io",
            "kernel sockets: nothing is attached",
        ));
    } else {
        findings.extend(host.findings(falls_back, &umem_bytes(&nics)));
        findings.extend(shared_cpus(&nics, &host));
        for nic in &nics {
            let io = config.io;
            let host = &host;
            findings.extend(Judge { nic, host, io }.findings());
        }
    }
    for finding in &findings {
        say(finding.to_string());
    }
    Ok(findings.iter().all(|finding| finding.grade < Grade::Error))
}

/// What is said of a bond.
fn bond(name: &str, members: &[String]) -> Finding {
    if members.is_empty() {
        let fact = "a bond without members: nothing is attached";
        return Finding::warning(name, "bond", fact, format!("ip link set IF master {name}"));
    }
    let fact = format!("its members are attached: {}", members.join(", "));
    Finding::fine(name, "bond", fact)
}

/// Bytes of the UMEM of each queue.
fn umem_bytes(nics: &[Nic]) -> Vec<usize> {
    let of = |nic: &Nic| {
        let config = XskConfig::new(&nic.interface.name, 0, BindMode::Copy);
        let bytes = config.umem_bytes(nic.interface.mtu);
        std::iter::repeat_n(bytes, nic.interface.rx_queues as usize)
    };
    nics.iter().flat_map(of).collect()
}

/// With several interfaces: whether all their queues together have CPUs enough.
fn shared_cpus(nics: &[Nic], host: &Host) -> Option<Finding> {
    let queues: u32 = nics.iter().map(|nic| nic.interface.rx_queues).sum();
    let cpus = host.cpus.len();
    if nics.len() < 2 || queues as usize <= cpus {
        return None;
    }
    let fact = format!("{queues} queues of all interfaces for {cpus} CPUs of workers");
    let remedy = "workers share CPUs: fewer queues (ethtool -L), or more CPUs (--cpus)";
    Some(Finding::warning("host", "queues", fact, remedy))
}
