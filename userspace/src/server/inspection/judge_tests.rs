//! NICs as they should be, and with one thing wrong.

use super::finding::{Finding, Grade};
use super::host::Host;
use super::interrupts::Interrupt;
use super::judge::Judge;
use super::nic::Nic;
use crate::config::Io;
use crate::sys::ethtool::{Offloads, Rings};
use crate::sys::interface::Interface;

/// Two queues on two CPUs, all as it should be.
fn nic() -> Nic {
    Nic {
        interface: Interface {
            name: "eth7".to_owned(),
            index: 7,
            mac: [2; 6],
            mtu: 1500,
            driver: "igb".to_owned(),
            rx_queues: 2,
            tx_queues: 2,
            up: true,
            loopback: false,
        },
        carrier: Some(true),
        channels_max: Some(8),
        rings: Some(Rings {
            rx: 2048,
            rx_max: 4096,
            tx: 2048,
            tx_max: 4096,
        }),
        offloads: Some(Offloads::default()),
        spread: Some(vec![0, 1]),
        hashes_ports: [Some(true); 2],
        interrupts: (0..2).map(interrupt).collect(),
        node: Some((0, vec![0, 1])),
    }
}

fn interrupt(queue: u8) -> Interrupt {
    Interrupt {
        number: 25 + u32::from(queue),
        name: format!("eth7-TxRx-{queue}"),
        cpus: vec![queue.into()],
    }
}

fn judged(io: Io, edit: impl FnOnce(&mut Nic, &mut Host)) -> Vec<Finding> {
    let mut nic = nic();
    let mut host = Host {
        release: "7.3.4".to_owned(),
        missing: Vec::new(),
        huge_pages: None,
        cpus: vec![0, 1],
    };
    edit(&mut nic, &mut host);
    let (nic, host) = (&nic, &host);
    let findings = Judge { nic, host, io }.findings();
    let bad = findings.into_iter().filter(|it| it.grade != Grade::Fine);
    bad.collect()
}

/// The one thing that is not fine.
fn complaint(edit: impl FnOnce(&mut Nic, &mut Host)) -> String {
    let complaints = judged(Io::Auto, edit);
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    complaints[0].to_string()
}

#[test]
fn a_nic_as_it_should_be_gets_no_advice() {
    assert_eq!(judged(Io::Auto, |_, _| {}), []);
}

#[test]
fn a_kernel_without_zero_copy_for_the_driver_is_named_and_the_one_that_has_it() {
    let old = |_: &mut Nic, host: &mut Host| host.release = "6.12.117+deb13-amd64".to_owned();
    assert_eq!(
        complaint(old),
        "eth7: warning: driver: igb, without zero-copy on this kernel: frames are copied; \
         Linux 6.14 or newer has it"
    );
    assert_eq!(judged(Io::XdpZeroCopy, old)[0].grade, Grade::Error);
    let text = complaint(|nic, _| nic.interface.driver = "e1000".to_owned());
    assert!(text.contains("e1000, of which nothing is known"), "{text}");
}

#[test]
fn an_interface_that_is_down_is_to_be_set_up() {
    let text = complaint(|nic, _| nic.interface.up = false);
    assert_eq!(text, "eth7: warning: link: down; ip link set eth7 up");
    let text = complaint(|nic, _| nic.carrier = Some(false));
    assert!(text.contains("without a carrier"), "{text}");
}

#[test]
fn packets_that_fit_no_frame_are_warned_of() {
    let text = complaint(|nic, _| nic.interface.mtu = 9000);
    assert!(text.contains("MTU: 9000 bytes; "), "{text}");
    assert!(text.ends_with("ip link set eth7 mtu 3754"), "{text}");
}

#[test]
fn queues_and_cpus_should_be_as_many() {
    let text = complaint(|_, host| host.cpus = vec![0]);
    assert!(text.ends_with("ethtool -L eth7 combined 1"), "{text}");
    let text = complaint(|nic, host| {
        nic.node = None;
        host.cpus = vec![0, 1, 2, 3];
    });
    assert!(text.contains("2 of 8 possible for 4 CPUs"), "{text}");
    assert!(text.ends_with("ethtool -L eth7 combined 4"), "{text}");
}

#[test]
fn a_queue_that_gets_no_packets_is_noticed() {
    let text = complaint(|nic, _| nic.spread = Some(vec![0]));
    assert_eq!(
        text,
        "eth7: warning: RSS: of 2 queues packets come on 0 only; ethtool -X eth7 equal 2"
    );
    assert_eq!(judged(Io::Auto, |nic, _| nic.spread = None), []);
}

#[test]
fn ports_should_have_a_say_in_the_queue() {
    let text = complaint(|nic, _| nic.hashes_ports = [Some(true), Some(false)]);
    assert!(
        text.ends_with("ethtool -N eth7 rx-flow-hash udp6 sdfn"),
        "{text}"
    );
}

#[test]
fn short_rings_could_be_longer() {
    let short = |nic: &mut Nic, rx_max| {
        nic.rings = Some(Rings {
            rx: 256,
            rx_max,
            tx: 256,
            tx_max: 8192,
        });
    };
    let text = complaint(|nic, _| short(nic, 4096));
    assert!(text.ends_with("ethtool -G eth7 rx 4096 tx 4096"), "{text}");
    // As long as it can be.
    assert_eq!(judged(Io::Auto, |nic, _| short(nic, 256)), []);
}

#[test]
fn offloads_that_hurt_are_to_be_switched_off() {
    let both = judged(Io::Auto, |nic, _| {
        nic.offloads = Some(Offloads {
            joins: true,
            strips_tags: true,
        });
    });
    let text: Vec<_> = both.iter().map(Finding::to_string).collect();
    assert_eq!(text.len(), 2, "{text:?}");
    assert!(text[0].ends_with("ethtool -K eth7 lro off"), "{text:?}");
    assert!(text[1].ends_with("ethtool -K eth7 rxvlan off"), "{text:?}");
}

#[test]
fn workers_belong_on_the_nics_node() {
    let text = complaint(|nic, host| {
        host.cpus = vec![1, 2];
        nic.node = Some((1, vec![0, 1]));
    });
    assert!(text.contains("workers on CPUs 2 are far from it"), "{text}");
    assert!(text.ends_with("--cpus 0,1"), "{text}");
}

#[test]
fn interrupts_belong_near_the_nic_and_apart() {
    let text = complaint(|nic, _| nic.interrupts[1].cpus = vec![2]);
    assert!(
        text.contains("eth7-TxRx-1 on 2; give each a CPU of the NIC's node"),
        "{text}"
    );
    let text = complaint(|nic, _| nic.interrupts[1].cpus = vec![0]);
    assert!(
        text.contains("give each a CPU of its own: echo 0 >/proc/irq/25/"),
        "{text}"
    );
}
