//! `ripples check --interface` on a NIC: what it finds, and that its advice helps.

use crate::cable::{Cable, SERVER, ethtool, run};
use tests::server::Launch;

/// How `check` advises to have ports choose the queue.
const PORTS: &str = "ethtool -N eth0 rx-flow-hash udp4 sdfn";
/// How it advises to leave VLAN tags on.
const TAGS: &str = "ethtool -K eth0 rxvlan off";
/// How it advises to have longer rings.
const RINGS: &str = "ethtool -G eth0 rx 4096 tx 4096";

pub(crate) fn advice(cable: &Cable) -> String {
    cable.set_queues(2);
    let rings = ethtool(&["-g", SERVER]);
    ethtool(&["-N", SERVER, "rx-flow-hash", "udp4", "sd"]);
    ethtool(&["-K", SERVER, "rxvlan", "on"]);
    let before = checked("xdp-zero-copy");
    for expected in [
        "eth0: ok: driver: igb, with zero-copy on this kernel",
        "eth0: ok: RSS: spread over all 2 queues",
        "eth0-rx-0 on ",
        "eth0-rx-1 on ",
        "eth0: warning: queues: 2 of ",
    ] {
        assert!(before.contains(expected), "no {expected:?}: {before}");
    }
    for advice in [PORTS, TAGS, RINGS] {
        assert!(before.contains(advice), "no {advice:?} ({rings}): {before}");
        run(std::process::Command::new("sh").args(["-c", advice]));
    }
    let after = checked("xdp-zero-copy");
    for advice in [PORTS, TAGS, RINGS] {
        assert!(!after.contains(advice), "still {advice:?}: {after}");
    }
    ethtool(&["-G", SERVER, "rx", "256", "tx", "256"]);
    ethtool(&["-K", SERVER, "rxvlan", "on"]);
    cable.await_link();
    let lines = after.lines().filter(|line| line.contains(": warning: "));
    format!("advice=3 followed, warnings left={}", lines.count())
}

/// On a kernel whose igb has no zero-copy: which kernel has it.
pub(crate) fn old(cable: &Cable) -> String {
    cable.set_queues(2);
    let text = checked("auto");
    let expected = "eth0: warning: driver: igb, without zero-copy on this kernel";
    assert!(text.contains(expected), "{text}");
    let refused = Launch::new(&["check", "--interface", SERVER, "--io", "xdp-zero-copy"]).finish();
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    "zero-copy=absent".to_owned()
}

/// What `check` says; panics when it finds an error.
fn checked(io: &str) -> String {
    let ended = Launch::new(&["check", "--interface", SERVER, "--io", io]).finish();
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    ended.stdout
}
