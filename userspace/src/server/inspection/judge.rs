//! What an interface is like, judged: pure, so that tests can have any NIC.

use super::drivers::{self, Known};
use super::finding::Finding;
use super::host::Host;
use super::nic::Nic;
use crate::config::Io;
use crate::port::PACKET_MAX;

/// Received packets that a ring should hold: a millisecond at a million a second.
const RING_AIM: u32 = 1024;

/// An interface, on a host, to be served in some way.
pub(super) struct Judge<'a> {
    /// The interface.
    pub(super) nic: &'a Nic,
    /// The host.
    pub(super) host: &'a Host,
    /// How packets are to come in.
    pub(super) io: Io,
}

impl Judge<'_> {
    /// Everything that is to be said of the interface.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = vec![self.driver(), self.link(), self.mtu(), self.queues()];
        findings.extend(self.spread());
        findings.extend(self.ports_hashed());
        findings.push(self.rings());
        findings.extend(self.offloads());
        findings.push(self.node());
        findings.push(self.interrupts());
        findings
    }

    fn name(&self) -> &str {
        &self.nic.interface.name
    }

    fn fine(&self, topic: &'static str, fact: impl Into<String>) -> Finding {
        Finding::fine(self.name(), topic, fact)
    }

    fn warning(
        &self,
        topic: &'static str,
        fact: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding::warning(self.name(), topic, fact, remedy)
    }

    fn driver(&self) -> Finding {
        let topic = "driver";
        let interface = &self.nic.interface;
        if interface.loopback {
            let remedy = "for tests only: name the NIC";
            return self.warning(topic, "loopback: generic mode, all is copied", remedy);
        }
        let driver = match interface.driver.as_str() {
            "" => "without a name",
            driver => driver,
        };
        let missing = |fact: String, remedy: &str| {
            let falls_back = self.io != Io::XdpZeroCopy;
            Finding::lack(falls_back, self.name(), topic, fact, remedy)
        };
        match drivers::known(driver) {
            Known::ZeroCopy(since) if self.host.kernel() >= since => {
                self.fine(topic, format!("{driver}, with zero-copy on this kernel"))
            }
            Known::ZeroCopy((major, minor)) => missing(
                format!("{driver}, without zero-copy on this kernel: frames are copied"),
                &format!("Linux {major}.{minor} or newer has it"),
            ),
            Known::Copy => missing(
                format!("{driver}, which has no zero-copy: frames are copied"),
                "a NIC whose driver has it answers more per core",
            ),
            Known::Unknown => self.warning(
                topic,
                format!("{driver}, of which nothing is known here"),
                "the log of `ripples run` says what works: zero-copy, copy or generic mode",
            ),
        }
    }

    fn link(&self) -> Finding {
        let name = self.name();
        match (self.nic.interface.up, self.nic.carrier) {
            (false, _) => self.warning("link", "down", format!("ip link set {name} up")),
            (true, Some(false)) => {
                self.warning("link", "up, without a carrier", "look at cable and switch")
            }
            (true, _) => self.fine("link", "up"),
        }
    }

    fn mtu(&self) -> Finding {
        let mtu = self.nic.interface.mtu;
        let fact = format!("{mtu} bytes");
        if mtu <= PACKET_MAX || self.nic.interface.loopback {
            return self.fine("MTU", fact);
        }
        let name = self.name();
        let remedy = format!(
            "XDP may be refused, and packets of more than {PACKET_MAX} bytes do not fit a frame: \
             ip link set {name} mtu {PACKET_MAX}"
        );
        self.warning("MTU", fact, remedy)
    }

    fn queues(&self) -> Finding {
        let (name, queues) = (self.name(), self.nic.interface.rx_queues);
        let cpus = u32::try_from(self.host.cpus.len()).unwrap_or(u32::MAX);
        let most = self.nic.channels_max.unwrap_or(0);
        let fact = match most {
            0 => format!("{queues} for {cpus} CPUs of workers"),
            _ => format!("{queues} of {most} possible for {cpus} CPUs of workers"),
        };
        let set = |count: u32| format!("ethtool -L {name} combined {count}");
        if queues > cpus {
            let remedy = format!("a queue has a worker, and these share CPUs: {}", set(cpus));
            self.warning("queues", fact, remedy)
        } else if queues < cpus && queues < most {
            let remedy = format!("some CPUs get no worker: {}", set(cpus.min(most)));
            self.warning("queues", fact, remedy)
        } else {
            self.fine("queues", fact)
        }
    }

    /// Queues that packets are never sent to, or some that there are no more.
    fn spread(&self) -> Option<Finding> {
        let (name, queues) = (self.name(), self.nic.interface.rx_queues);
        if queues < 2 {
            return None;
        }
        let Some(used) = &self.nic.spread else {
            return Some(self.fine("RSS", "the driver does not tell how packets are spread"));
        };
        if used.iter().copied().eq(0..queues) {
            return Some(self.fine("RSS", format!("spread over all {queues} queues")));
        }
        let used: Vec<_> = used.iter().map(u32::to_string).collect();
        let fact = format!(
            "of {queues} queues packets come on {} only",
            used.join(", ")
        );
        Some(self.warning("RSS", fact, format!("ethtool -X {name} equal {queues}")))
    }

    /// Whether queries of one resolver are spread.
    fn ports_hashed(&self) -> Vec<Finding> {
        if self.nic.interface.rx_queues < 2 {
            return Vec::new();
        }
        let flows = ["udp4", "udp6"].into_iter().zip(self.nic.hashes_ports);
        flows
            .filter_map(|(flow, hashed)| match hashed? {
                true => Some(self.fine("RSS", format!("{flow} by addresses and ports"))),
                false => Some(self.warning(
                    "RSS",
                    format!("{flow} by addresses only: all of a resolver comes on one queue"),
                    format!("ethtool -N {} rx-flow-hash {flow} sdfn", self.name()),
                )),
            })
            .collect()
    }

    fn rings(&self) -> Finding {
        let name = self.name();
        let rings = match self.nic.rings {
            Some(rings) if rings.rx_max > 0 => rings,
            _ => return self.fine("rings", "the driver has none, or does not tell"),
        };
        let fact = format!(
            "{} of {} received packets, {} of {} to transmit",
            rings.rx, rings.rx_max, rings.tx, rings.tx_max
        );
        if rings.rx >= RING_AIM.min(rings.rx_max) {
            return self.fine("rings", fact);
        }
        let (rx, tx) = [rings.rx_max, rings.tx_max]
            .map(|most| most.min(4096))
            .into();
        let remedy =
            format!("a pause of a worker may lose packets: ethtool -G {name} rx {rx} tx {tx}");
        self.warning("rings", fact, remedy)
    }

    fn offloads(&self) -> Vec<Finding> {
        let name = self.name();
        let Some(offloads) = self.nic.offloads else {
            return vec![self.fine("offloads", "the driver does not tell")];
        };
        let mut findings = Vec::new();
        if offloads.joins {
            let fact = "LRO joins packets, and drivers refuse XDP then";
            findings.push(self.warning("offloads", fact, format!("ethtool -K {name} lro off")));
        }
        if offloads.strips_tags {
            let fact = "VLAN tags are taken off before XDP sees them, so replies leave without";
            let remedy = format!(
                "where queries come tagged: [vlan] in the file, or ethtool -K {name} rxvlan off"
            );
            findings.push(self.warning("offloads", fact, remedy));
        }
        if findings.is_empty() {
            findings.push(self.fine("offloads", "none that hurts"));
        }
        findings
    }

    /// Whether workers run where the NIC is.
    fn node(&self) -> Finding {
        let Some((node, near)) = &self.nic.node else {
            return self.fine("NUMA", "the same for all CPUs");
        };
        let far = others(&self.host.cpus, near);
        let fact = format!("node {node}, CPUs {}", list(near));
        if far.is_empty() {
            return self.fine("NUMA", fact);
        }
        let fact = format!("{fact}; workers on CPUs {} are far from it", list(&far));
        let remedy = format!("--cpus {}", list(near));
        self.warning("NUMA", fact, remedy)
    }

    /// Whether the queues' interrupts have CPUs of their own, and near ones.
    fn interrupts(&self) -> Finding {
        let topic = "interrupts";
        let interrupts = &self.nic.interrupts;
        if interrupts.is_empty() {
            return self.fine(topic, "none of its own");
        }
        let places: Vec<_> = interrupts
            .iter()
            .map(|it| format!("{} on {}", it.name, list(&it.cpus)))
            .collect();
        let fact = places.join(", ");
        let (first, cpus) = (&interrupts[0], &self.host.cpus);
        let command = |why: &str| {
            let cpu = cpus.first().copied().unwrap_or(0);
            format!(
                "{why}: echo {cpu} >/proc/irq/{}/smp_affinity_list, and so on",
                first.number
            )
        };
        let far = |cpu: &usize| matches!(&self.nic.node, Some((_, near)) if !near.contains(cpu));
        let mut used: Vec<usize> = interrupts.iter().flat_map(|it| it.cpus.clone()).collect();
        if used.iter().any(far) {
            let remedy = command("give each a CPU of the NIC's node");
            return self.warning(topic, fact, remedy);
        }
        used.sort_unstable();
        used.dedup();
        if used.len() < interrupts.len().min(cpus.len()) {
            return self.warning(topic, fact, command("give each a CPU of its own"));
        }
        self.fine(topic, fact)
    }
}

/// Those of `cpus` that are not `near`.
fn others(cpus: &[usize], near: &[usize]) -> Vec<usize> {
    let far = cpus.iter().filter(|cpu| !near.contains(cpu));
    far.copied().collect()
}

/// CPUs as options take them.
fn list(cpus: &[usize]) -> String {
    let cpus: Vec<_> = cpus.iter().map(usize::to_string).collect();
    match cpus.is_empty() {
        true => "?".to_owned(),
        false => cpus.join(","),
    }
}
