//! Network interfaces as the calling thread's network namespace has them.

use super::ethtool::Query;
use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::{InterfaceFlags, if_nameindex, if_nametoindex};
use std::fs;

/// What the kernel says about an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its number in this namespace, from 1.
    pub index: u32,
    /// Its hardware address; zero where the link has none.
    pub mac: [u8; 6],
    /// The largest packet in bytes, link header not counted.
    pub mtu: u32,
    /// The driver's name; empty where the driver has none.
    pub driver: String,
    /// Queues that receive.
    pub rx_queues: u32,
    /// Queues that transmit for the kernel; a driver may have others for XDP alone.
    pub tx_queues: u32,
    /// Whether the interface is administratively up.
    pub up: bool,
    /// Whether it is a loopback: what it sends comes back.
    pub loopback: bool,
}

/// Why an interface cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub enum InterfaceError {
    /// There is no interface of that name.
    #[error("no interface {name:?} in this network namespace; there are: {}", present.join(", "))]
    Missing {
        /// The name asked for.
        name: String,
        /// The names that exist.
        present: Vec<String>,
    },
    /// The kernel refused.
    #[error("interface {name}: {errno}")]
    Refused {
        /// The interface.
        name: String,
        /// The kernel's answer.
        errno: Errno,
    },
}

impl Interface {
    /// Looks up the interface `name`. Queue counts change when XDP programs are attached and when
    /// the channels are set: look again then.
    pub fn find(name: &str) -> Result<Self, InterfaceError> {
        look_up(name).map_err(|errno| match errno {
            Errno::ENODEV | Errno::ENXIO => InterfaceError::Missing {
                name: name.to_owned(),
                present: names(),
            },
            errno => InterfaceError::Refused {
                name: name.to_owned(),
                errno,
            },
        })
    }
}

/// The number of the interface `name`; none when it does not exist.
pub fn index(name: &str) -> Option<u32> {
    if_nametoindex(name).ok()
}

/// Asks for each fact in turn.
fn look_up(name: &str) -> Result<Interface, Errno> {
    let query = Query::new(name)?;
    let index = if_nametoindex(name)?;
    let by_sysfs = sysfs_queues(name, index);
    let (rx_queues, tx_queues) = match (query.queues(), by_sysfs) {
        // virtio_net counts the queues among its channels that it adds for XDP.
        (Ok((rx, tx)), Some((_, usable))) => (rx, tx.min(usable)),
        (Ok(queues), None) => queues,
        (Err(_), queues) => queues.unwrap_or((1, 1)),
    };
    let mut interface = Interface {
        name: name.to_owned(),
        index,
        mac: [0; 6],
        mtu: query.mtu()?,
        driver: query.driver().unwrap_or_default(),
        rx_queues,
        tx_queues,
        up: false,
        loopback: false,
    };
    for entry in getifaddrs()?.filter(|entry| entry.interface_name == name) {
        interface.up = entry.flags.contains(InterfaceFlags::IFF_UP);
        interface.loopback = entry.flags.contains(InterfaceFlags::IFF_LOOPBACK);
        if let Some(link) = entry.address.as_ref().and_then(|a| a.as_link_addr()) {
            interface.mac = link.addr().unwrap_or_default();
        }
    }
    Ok(interface)
}

/// The names of all interfaces.
fn names() -> Vec<String> {
    let Ok(interfaces) = if_nameindex() else {
        return Vec::new();
    };
    interfaces
        .iter()
        .map(|interface| interface.name().to_string_lossy().into_owned())
        .collect()
}

/// The queues that receive and transmit, by sysfs; every interface has one of each. None where the
/// mounted sysfs is another namespace's.
fn sysfs_queues(name: &str, index: u32) -> Option<(u32, u32)> {
    let directory = sysfs(name, index)?;
    let count = |prefix: &str| {
        let entries = fs::read_dir(format!("{directory}/queues"))
            .into_iter()
            .flatten();
        let queues = entries.filter_map(Result::ok);
        let queues = queues.filter(|e| e.file_name().to_string_lossy().starts_with(prefix));
        u32::try_from(queues.count()).unwrap_or(u32::MAX).max(1)
    };
    Some((count("rx-"), count("tx-")))
}

/// The folder in which sysfs shows the interface `name`. None where the mounted sysfs is another
/// namespace's: there may be another interface of that name.
pub fn sysfs(name: &str, index: u32) -> Option<String> {
    let directory = format!("/sys/class/net/{name}");
    let shown = fs::read_to_string(format!("{directory}/ifindex")).ok()?;
    (shown.trim().parse() == Ok(index)).then_some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_loopback() {
        let lo = Interface::find("lo").unwrap();
        assert_eq!(lo.index, 1);
        assert_eq!((lo.mac, lo.loopback), ([0; 6], true));
        assert!(lo.mtu >= 1500, "{lo:?}");
        assert_eq!((lo.rx_queues, lo.tx_queues), (1, 1));
    }

    #[test]
    fn names_the_interfaces_that_there_are_instead() {
        for name in ["nosuch0", "a-name-beyond-fifteen-bytes"] {
            let error = Interface::find(name).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("no interface {name:?}")),
                "{error}"
            );
            assert!(error.contains("lo"), "{error}");
        }
    }
}
