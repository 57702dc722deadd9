//! The ways in which frames can come over AF_XDP, and sockets that are opened in one of them.

use crate::bpf::AttachMode;
use crate::config::{Config, Io, Verify};
use crate::port::{BindMode, XskConfig, XskError, XskPort};
use crate::sys::interface::Interface;

/// How the program is run, and how frames can then pass, best first.
pub(super) struct Way {
    /// By whom the program is run.
    pub(super) mode: AttachMode,
    /// How frames pass.
    pub(super) binds: &'static [BindMode],
}

/// The ways to try, best first.
pub(super) fn of(io: Io) -> &'static [Way] {
    match io {
        Io::Auto | Io::Xdp => &[NATIVE, GENERIC],
        Io::XdpZeroCopy => &[ZERO_COPY],
        Io::XdpCopy => &[COPY],
        Io::XdpGeneric => &[GENERIC],
        Io::Socket => &[],
    }
}

const NATIVE: Way = native(&[BindMode::ZeroCopy, BindMode::Copy]);
const ZERO_COPY: Way = native(&[BindMode::ZeroCopy]);
const COPY: Way = native(&[BindMode::Copy]);
const GENERIC: Way = Way {
    mode: AttachMode::Generic,
    binds: &[BindMode::Copy],
};

const fn native(binds: &'static [BindMode]) -> Way {
    let mode = AttachMode::Native;
    Way { mode, binds }
}

/// How frames can pass where the program is run in this mode; empty where that is not wanted.
pub(super) fn binds(io: Io, mode: AttachMode) -> &'static [BindMode] {
    let way = of(io).iter().find(|way| way.mode == mode);
    way.map_or(&[], |way| way.binds)
}

/// Opens a socket on each queue, in the first of these ways that works.
pub(super) fn bind(
    config: &Config,
    interface: &str,
    mode: AttachMode,
    binds: &[BindMode],
) -> Result<(BindMode, Vec<XskPort>), XskError> {
    let (last, others) = binds.split_last().unwrap_or((&BindMode::Copy, &[]));
    for &bind in others {
        match open_all(config, interface, mode, bind) {
            Ok(ports) => return Ok((bind, ports)),
            Err(error) if !error.is_unsupported() => return Err(error),
            Err(error) => tracing::info!(interface, "no {bind}: {error}"),
        }
    }
    Ok((*last, open_all(config, interface, mode, *last)?))
}

fn open_all(
    config: &Config,
    interface: &str,
    mode: AttachMode,
    bind: BindMode,
) -> Result<Vec<XskPort>, XskError> {
    // Looked up again for each mode: attaching may have changed the queues.
    let found = Interface::find(interface).ok();
    let queues = |found: &Interface| (found.rx_queues, found.tx_queues);
    let (receiving, sending) = found.as_ref().map_or((1, 1), queues);
    let verify = match config.verify_checksums {
        Verify::Auto => !found.is_some_and(|found| has_unfinished_checksums(&found, mode)),
        Verify::On => true,
        Verify::Off => false,
    };
    let queues = match bind {
        BindMode::ZeroCopy => receiving,
        // By a queue that the kernel does not send from, replies would be lost without a word.
        BindMode::Copy => receiving.min(sending),
    };
    let configs = (0..queues.max(1)).map(|queue| XskConfig {
        verify,
        tag: config.vlan.get(interface).copied(),
        ..XskConfig::new(interface, queue, bind)
    });
    let ports = configs
        .map(|config| XskPort::open(&config))
        .collect::<Result<_, _>>()?;
    if queues < receiving {
        tracing::warn!(
            "{interface} receives by {receiving} queues and sends by {queues}: what comes by the \
             others is answered by kernel sockets, at a higher cost. A driver that adds queues for \
             XDP, as virtio_net does, adds none when `ethtool -L {interface} combined N` has given \
             it all before the start (`ethtool -l {interface}`: the maximum); where RSS can be \
             set, `ethtool -X {interface} equal {queues}` keeps packets off them"
        );
    }
    Ok(ports)
}

/// Whether packets come whose senders, on the same host, left the checksum to a NIC that there is
/// none of. A program that the driver runs never sees those of virtio_net, which are switched off
/// for it.
fn has_unfinished_checksums(interface: &Interface, mode: AttachMode) -> bool {
    let driver = interface.driver.as_str();
    interface.loopback
        || driver == "veth"
        || (mode == AttachMode::Generic && VIRTUAL_NICS.contains(&driver))
}

/// Drivers, as they name themselves, by which packets come that were on no wire; some have no name.
const VIRTUAL_NICS: &[&str] = &[
    "",
    "802.1Q VLAN Support",
    "bonding",
    "bridge",
    "dummy",
    "macvlan",
    "netkit",
    "team",
    "tun",
    "vif",
    "virtio_net",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_unfinished_where_packets_never_left_the_host() {
        let interface = |driver: &str, loopback| Interface {
            name: "if0".to_owned(),
            index: 2,
            mac: [2; 6],
            mtu: 1500,
            driver: driver.to_owned(),
            rx_queues: 1,
            tx_queues: 1,
            up: true,
            loopback,
        };
        let unfinished =
            |driver, mode| has_unfinished_checksums(&interface(driver, driver.is_empty()), mode);
        for (driver, native, generic) in [
            ("", true, true),
            ("veth", true, true),
            ("virtio_net", false, true),
            ("igb", false, false),
        ] {
            assert_eq!(unfinished(driver, AttachMode::Native), native, "{driver}");
            assert_eq!(unfinished(driver, AttachMode::Generic), generic, "{driver}");
        }
    }

    #[test]
    fn what_is_forced_has_no_way_around_it() {
        for (io, ways) in [
            (Io::XdpZeroCopy, "Native [ZeroCopy]"),
            (Io::XdpCopy, "Native [Copy]"),
            (Io::XdpGeneric, "Generic [Copy]"),
            (Io::Xdp, "Native [ZeroCopy, Copy], Generic [Copy]"),
            (Io::Auto, "Native [ZeroCopy, Copy], Generic [Copy]"),
            (Io::Socket, ""),
        ] {
            let shown = |way: &Way| format!("{:?} {:?}", way.mode, way.binds);
            let shown: Vec<_> = of(io).iter().map(shown).collect();
            assert_eq!(shown.join(", "), ways, "{io:?}");
        }
        assert_eq!(binds(Io::XdpCopy, AttachMode::Generic), []);
    }
}
