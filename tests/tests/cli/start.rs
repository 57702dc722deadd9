//! What the machine has to have for a start: interfaces, CPUs, addresses.

use std::net::{TcpListener, UdpSocket};
use tests::client::{ask, query};
use tests::loopback;
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch};

#[test]
fn a_missing_interface_is_refused_with_the_names_of_those_that_exist() {
    for io in ["auto", "xdp", "xdp-generic"] {
        let listen = loopback::address().to_string();
        let ended = Launch::run(&["--interface", "nosuch0", "--io", io, "--listen", &listen])
            .zone("example", EXAMPLE)
            .finish();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap();
        let expected = "ripples: --interface: no interface \"nosuch0\" in this network namespace; \
                        there are: lo";
        assert!(last.starts_with(expected), "{last}");
    }
}

#[test]
fn a_cpu_that_the_process_may_not_use_is_refused_with_those_that_it_may() {
    let listen = loopback::address().to_string();
    let ended = Launch::run(&["--cpus", "8191", "--listen", &listen]).finish();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let last = ended.stderr.lines().last().unwrap();
    let expected = "ripples: --cpus: CPU 8191 is not available; this process may use [";
    assert!(last.starts_with(expected), "{last}");
}

#[test]
fn an_address_that_another_program_has_is_refused_with_what_to_do() {
    let (udp, tcp) = (loopback::address(), loopback::address());
    let _udp = UdpSocket::bind(udp).unwrap();
    let _tcp = TcpListener::bind(tcp).unwrap();
    for (address, protocol) in [(udp, "UDP"), (tcp, "TCP")] {
        for workers in ["1", "2"] {
            let ended = Launch::run(&["--listen", &address.to_string(), "--workers", workers])
                .zone("example", EXAMPLE)
                .finish();
            assert_eq!(ended.code, Some(1), "{}", ended.stderr);
            let expected = format!(
                "ripples: {protocol} {address}: another program listens there; stop it, or \
                 listen elsewhere"
            );
            assert_eq!(ended.stderr.lines().last(), Some(&*expected));
        }
    }
}

#[test]
fn a_second_server_on_an_address_is_refused_and_the_first_goes_on() {
    let address = loopback::address();
    let listen = address.to_string();
    for tcp in [true, false] {
        let toml = format!("[tcp]\nenable = {tcp}\n");
        let launch = |workers| {
            Launch::run(&[
                "--listen",
                &listen,
                "--workers",
                workers,
                "--config",
                "r.toml",
            ])
            .file("r.toml", &toml)
            .zone("example", EXAMPLE)
        };
        let first = launch("2").start();
        for workers in ["1", "2"] {
            let second = launch(workers).finish();
            assert_eq!(second.code, Some(1), "{}", second.stderr);
            assert!(
                second.stderr.contains("another program listens there"),
                "{}",
                second.stderr
            );
        }
        for _ in 0..10 {
            ask(address, &query("www.example.", rtype::A));
        }
        first.await_stats(|stats| stats.total("answers") == 10);
        first.stop();
    }
}

#[test]
fn an_address_that_no_interface_has_is_refused_with_what_to_do() {
    let ended = Launch::run(&["--listen", "192.0.2.1:5300"])
        .zone("example", EXAMPLE)
        .finish();
    assert_eq!(ended.code, Some(1));
    let last = ended.stderr.lines().last().unwrap();
    let expected = "192.0.2.1:5300: no interface has this address; add it, or listen elsewhere";
    assert!(last.ends_with(expected), "{last}");
}
