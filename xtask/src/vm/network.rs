//! How the guest's two interfaces are connected.

use super::machine::Machine;
use crate::shell;
use std::fs::OpenOptions;
use std::process::Command;

/// Pairs of queues that the emulated device has: more than the guest has CPUs, so that the driver
/// can add some of its own.
const VIRTIO_QUEUES: u32 = 8;

/// What makes tap interfaces.
const TUN: &str = "/dev/net/tun";

/// A pair of interfaces of one kind, one cable between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    /// Intel's 82576, emulated: the driver `igb`. Only the guest itself is on the cable.
    Igb,
    /// Virtio with several queues. QEMU has those with tap interfaces only; these, and the bridge
    /// between them, are in a network namespace that goes with QEMU.
    Virtio,
}

impl Network {
    /// Why this machine cannot have it.
    pub(super) fn obstacle(self) -> Option<String> {
        let opened = match self {
            Self::Igb => return None,
            Self::Virtio => OpenOptions::new().read(true).write(true).open(TUN),
        };
        let error = opened.err()?;
        Some(format!(
            "{TUN}: {error}; root may, or whoever is given that file"
        ))
    }

    /// The options of QEMU.
    pub(super) fn devices(self) -> Vec<String> {
        (0..2).flat_map(|number| self.device(number)).collect()
    }

    /// One of the two; the first is the server's.
    fn device(self, number: u32) -> Vec<String> {
        let (net, mac) = (
            format!("net{number}"),
            format!("mac=52:54:00:53:00:0{}", number + 1),
        );
        let backend = match self {
            Self::Igb => format!("hubport,id={net},hubid=1"),
            Self::Virtio => {
                let queues = VIRTIO_QUEUES;
                let scripts = "script=no,downscript=no";
                format!("tap,id={net},ifname=tap{number},queues={queues},{scripts}")
            }
        };
        let port = format!("pcie-root-port,id=port{number},chassis={number},slot={number}");
        let kind = match self {
            Self::Igb => "igb".to_owned(),
            // An interrupt for each queue, and two.
            Self::Virtio => format!("virtio-net-pci,mq=on,vectors={}", 2 * VIRTIO_QUEUES + 2),
        };
        let device = format!("{kind},bus=port{number},netdev={net},{mac},romfile=");
        let words = ["-device", &port, "-netdev", &backend, "-device", &device];
        words.map(str::to_owned).to_vec()
    }

    /// What `qemu` is to be run by: it ends with this process, and has the network that it needs.
    pub(super) fn surround(self, machine: &Machine, qemu: &Command) -> Command {
        let mut command = match self {
            Self::Igb => Command::new("setpriv"),
            Self::Virtio => {
                let mut unshare = Command::new("unshare");
                unshare.arg("--net");
                if !shell::is_root() {
                    unshare.arg("--map-root-user");
                }
                unshare.arg("setpriv");
                unshare
            }
        };
        command.args(["--pdeathsig", "KILL"]);
        if self == Self::Virtio {
            let ip = shell::line(&machine.program("usr/bin/ip"));
            command.args(["sh", "-c", &bridge(&ip), "sh"]);
        }
        command.arg(qemu.get_program()).args(qemu.get_args());
        command
    }
}

/// The script that connects two tap interfaces and then becomes QEMU. `ip` is the command, quoted.
fn bridge(ip: &str) -> String {
    let mut script = format!("set -e; ip() {{ {ip} \"$@\"; }}; ip link add bridge type bridge");
    for tap in ["tap0", "tap1"] {
        script += &format!("; ip tuntap add {tap} mode tap multi_queue");
        script += &format!("; ip link set {tap} master bridge up");
    }
    script + "; ip link set bridge up; exec \"$@\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_interfaces_are_on_one_cable() {
        let igb = Network::Igb.devices();
        let hubs = igb.iter().filter(|option| option.contains("hubid=1"));
        assert_eq!(hubs.count(), 2);
        let script = bridge("/x/ip");
        for tap in ["tap0", "tap1"] {
            let joined = format!("ip link set {tap} master bridge up");
            assert!(script.contains(&joined), "{script}");
            let virtio = Network::Virtio.devices().join(" ");
            assert!(
                virtio.contains(&format!("ifname={tap},queues=8")),
                "{virtio}"
            );
        }
    }
}
