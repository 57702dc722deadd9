//! Starts by nobody, without any capability. Root has to run these, to give up what it has.

use std::net::{Ipv6Addr, SocketAddr};
use tests::client::{ask, ask_tcp, query};
use tests::loopback;
use tests::record::rtype;
use tests::rights::is_root;
use tests::server::{EXAMPLE, Launch};

#[test]
fn kernel_sockets_on_a_high_port_need_no_right() {
    if !is_root("to give up its rights") {
        return;
    }
    let address = loopback::address();
    let server = Launch::run(&["--io", "socket", "--listen", &address.to_string()])
        .zone("example", EXAMPLE)
        .without_rights()
        .start();
    let query = query("www.example.", rtype::A);
    let (reply, _) = ask(address, &query);
    assert_eq!(reply, ask_tcp(address, &query));
    server.await_stats(|stats| stats.total("answers") == 2);
    server.stop();
}

#[test]
fn a_low_port_without_the_right_is_refused_with_what_to_do() {
    if !is_root("to give up its rights") {
        return;
    }
    let address = format!("{}:53", loopback::ip());
    for protocol in ["UDP", "TCP"] {
        let udp = protocol == "UDP";
        let ended = Launch::run(&["--io", "socket", "--listen", &address, "--config", "r.toml"])
            .file("r.toml", &format!("[udp]\nenable = {udp}\n"))
            .without_rights()
            .finish();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap();
        let expected = format!("ripples: {protocol} {address}: ports below ");
        assert!(last.starts_with(&expected), "{last}");
        let remedy = "need CAP_NET_BIND_SERVICE; grant it, or listen on a higher port";
        assert!(last.ends_with(remedy), "{last}");
    }
}

#[test]
fn af_xdp_without_the_right_is_an_error_where_it_is_demanded() {
    if !is_root("to give up its rights") {
        return;
    }
    for io in ["xdp", "xdp-generic"] {
        let address = ipv6_address().to_string();
        let ended = Launch::run(&["--interface", "lo", "--io", io, "--listen", &address])
            .without_rights()
            .finish();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap();
        assert!(last.starts_with("ripples: no permission to "), "{last}");
        assert!(last.contains("run as root, or with CAP_"), "{last}");
    }
}

#[test]
fn af_xdp_without_the_right_falls_back_to_kernel_sockets_and_says_why() {
    if !is_root("to give up its rights") {
        return;
    }
    let address = ipv6_address();
    let server = Launch::run(&["--interface", "lo", "--listen", &address.to_string()])
        .zone("example", EXAMPLE)
        .without_rights()
        .start();
    let log = server.log();
    assert!(
        log.contains("no AF_XDP, kernel sockets answer: no permission to "),
        "{log}"
    );
    ask(address, &query("www.example.", rtype::A));
    let stats = server.await_stats(|stats| stats.total("answers") == 1);
    assert_eq!(stats.workers(), ["sibling/0", "socket/0"]);
    let status = server.ctl(&["status"]).stdout;
    assert!(status.contains("lo: kernel sockets"), "{status}");
    server.stop();
}

#[test]
fn a_control_socket_where_nothing_may_be_written_is_refused_with_what_to_do() {
    if !is_root("to give up its rights") {
        return;
    }
    let address = loopback::address().to_string();
    let path = "/proc/ripples/control.sock";
    let ended = Launch::new(&["run", "--listen", &address, "--control", path])
        .without_rights()
        .finish();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let said = &ended.stderr;
    assert!(
        said.starts_with(&format!("ripples: control socket {path}: ")),
        "{said}"
    );
    assert!(
        said.ends_with("; choose another with --control PATH\n"),
        "{said}"
    );
}

#[test]
fn without_root_there_is_no_control_socket_unless_one_is_asked_for() {
    if !is_root("to give up its rights") {
        return;
    }
    let address = loopback::address();
    let arguments = ["run", "--io", "socket", "--listen", &address.to_string()];
    let server = Launch::new(&arguments)
        .zone("example", EXAMPLE)
        .without_rights()
        .start();
    ask(address, &query("www.example.", rtype::A));
    assert!(!server.control().exists());
    server.stop();
}

/// An address that every machine has, and for which the loopback needs no setting.
fn ipv6_address() -> SocketAddr {
    (Ipv6Addr::LOCALHOST, loopback::port()).into()
}
