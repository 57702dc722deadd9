//! Where native AF_XDP is not to be had: the next best, or a reason.

use crate::stage::{INTERFACE, Stage, launch};
use common::Verdict;
use std::net::SocketAddr;
use tests::client::{self, query};
use tests::netns::{Namespace, Veth, ip, privileged};
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch};

#[test]
fn the_best_mode_that_works_is_taken_and_the_others_are_logged() {
    if !privileged() {
        return;
    }
    let stage = Stage::on(Veth::new(2), &[]);
    let log = stage.server.log();
    assert!(log.contains("no zero-copy: AF_XDP on server0"), "{log}");
    let status = stage.server.ctl(&["status"]).stdout;
    assert!(
        status.contains("server0: AF_XDP, native, copy mode, 2 queues"),
        "{status}"
    );
    stage.server.stop();
}

#[test]
fn generic_mode_answers_over_af_xdp_as_well() {
    if !privileged() {
        return;
    }
    let stage = Stage::on(Veth::new(2), &["--io", "xdp-generic"]);
    let status = stage.server.ctl(&["status"]).stdout;
    assert!(
        status.contains("server0: AF_XDP, generic, copy mode, 2 queues"),
        "{status}"
    );
    for address in stage.addresses() {
        for name in ["www.example", "medium.example", "nosuch.example"] {
            stage.ask(address, &query(name, rtype::A));
        }
        stage.ask_tcp(address, &query("large.example", rtype::AAAA));
    }
    let stats = stage.await_answers(6, 2);
    assert_eq!(stats.xdp(INTERFACE, Verdict::Redirect), 6, "{stats}");
    stage.server.stop();
}

#[test]
fn a_second_server_on_an_interface_is_refused_and_the_first_goes_on() {
    let Some(stage) = Stage::new(&[]) else { return };
    let end = &stage.veth.server;
    for (io, listen, complaint) in [
        (
            "xdp",
            "0.0.0.0:5353",
            "ripples: server0 already has an XDP program, which is left alone",
        ),
        // Left to kernel sockets, it would take clients from the first.
        (
            "auto",
            "0.0.0.0:53",
            "ripples: UDP 0.0.0.0:53: another program listens there; stop it",
        ),
    ] {
        let ended = launch(end, &["--io", io, "--listen", listen]).finish();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap();
        assert!(last.starts_with(complaint), "{last}");
        assert_eq!(
            last.matches("ip link show dev").count(),
            usize::from(io == "xdp"),
            "{last}"
        );
    }
    assert!(stage.attached());
    for address in stage.addresses() {
        stage.ask(address, &query("www.example", rtype::A));
    }
    stage.await_answers(2, 0);
    stage.server.stop();
}

#[test]
fn the_loopback_is_left_to_kernel_sockets_unless_linux_takes_replies_from_it() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let namespace = &veth.server.namespace;
    let settings = "net.ipv4.conf.lo.accept_local=1 net.ipv4.conf.lo.route_localnet=1";
    let ended = on_loopback(namespace, "xdp").finish();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains(&format!("sysctl {settings}")),
        "{}",
        ended.stderr
    );

    let server = on_loopback(namespace, "auto").start();
    assert!(
        server.log().contains(&format!("sysctl {settings}")),
        "{}",
        server.log()
    );
    ask_loopback(namespace);
    server.await_stats(|stats| stats.worker("socket/0", "answers") == 2);
    server.stop();

    let mut sysctl = namespace.command("sysctl");
    assert!(
        sysctl
            .arg("-q")
            .args(settings.split(' '))
            .status()
            .unwrap()
            .success()
    );
    let server = on_loopback(namespace, "auto").start();
    assert!(
        server
            .log()
            .contains("lo does not run the XDP program in native mode")
    );
    ask_loopback(namespace);
    let stats = server.await_stats(|stats| stats.worker("lo/0", "answers") == 2);
    assert_eq!(stats.xdp("lo", Verdict::Redirect), 2, "{stats}");
    server.stop();
}

fn on_loopback(namespace: &Namespace, io: &str) -> Launch {
    Launch::run(&["--interface", "lo", "--io", io])
        .zone("example", EXAMPLE)
        .within(namespace)
}

fn ask_loopback(namespace: &Namespace) {
    for address in ["127.0.0.1:53", "[::1]:53"] {
        let address: SocketAddr = address.parse().unwrap();
        let query = query("www.example", rtype::A);
        let (_, from) = namespace.run(|| client::ask(address, &query));
        assert_eq!(from, address);
    }
}

#[test]
fn an_interface_that_is_down_is_served_once_it_is_up() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(2);
    let name = veth.server.namespace.name().to_owned();
    ip(&format!("-n {name} link set {INTERFACE} down"));
    let stage = Stage::on(veth, &["--io", "xdp", "--listen", "0.0.0.0:53"]);
    ip(&format!("-n {name} link set {INTERFACE} up"));
    // The neighbour's hardware address went with the link.
    let end = &stage.veth.client;
    let neighbour = format!(
        "neigh replace {} lladdr {} dev {INTERFACE}",
        end.ipv4, end.mac
    );
    ip(&format!("-n {name} {neighbour} nud permanent"));
    stage.ask(stage.addresses()[0], &query("www.example", rtype::A));
    stage.await_answers(1, 0);
    stage.server.stop();
}
