//! `ripples ctl`, and the socket it speaks to.

use nix::unistd::geteuid;
use serde_json::Value;
use std::net::UdpSocket;
use tests::ask::Ask;
use tests::client::{ask, ask_tcp, query};
use tests::loopback;
use tests::name::Name;
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch};

#[test]
fn without_a_server_ctl_says_where_it_asked() {
    for command in ["status", "stats", "reload", "stop"] {
        let ended = Launch::new(&["ctl", "--control", "none.sock", command]).finish();
        assert_eq!(ended.code, Some(3));
        let expected = "ripples: no server answers at none.sock; its socket is --control PATH: ";
        assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
    }
}

#[test]
fn a_control_socket_in_use_is_left_to_its_server() {
    let address = loopback::address().to_string();
    let first = Launch::run(&["--io", "socket", "--listen", &address]).start();
    let control = first.control();
    let control = control.to_str().unwrap();
    let address = loopback::address().to_string();
    let arguments = [
        "run",
        "--io",
        "socket",
        "--listen",
        &address,
        "--control",
        control,
    ];
    let second = Launch::new(&arguments).finish();
    assert_eq!(second.code, Some(1));
    let expected = format!(
        "ripples: control socket {control}: another server is running; stop it (`ripples ctl \
         stop`) or give this one another --control PATH\n"
    );
    assert_eq!(second.stderr, expected);
    assert_eq!(first.ctl(&["status"]).code, Some(0));
    first.stop();
}

/// Nobody asked for the default place, so it is no reason not to serve.
#[test]
fn several_servers_run_without_a_word_about_control_sockets() {
    let servers = [(), ()].map(|()| {
        let address = loopback::address();
        let server = Launch::new(&["run", "--io", "socket", "--listen", &address.to_string()])
            .zone("example", EXAMPLE)
            .start();
        (server, address)
    });
    for (_, address) in &servers {
        ask(*address, &query("www.example.", rtype::A));
    }
    let [_, (second, _)] = servers;
    let is_told = second.log().contains("another server is running");
    assert_eq!(is_told, geteuid().is_root(), "{}", second.log());
}

#[test]
fn the_socket_of_a_killed_server_does_not_stop_the_next() {
    let folder = tests::folder::Folder::new();
    let control = folder.path().join("c.sock");
    let control = control.to_str().unwrap();
    let address = loopback::address().to_string();
    let arguments = [
        "run",
        "--io",
        "socket",
        "--listen",
        &address,
        "--control",
        control,
    ];
    Launch::new(&arguments).start().kill();
    assert!(
        folder.path().join("c.sock").exists(),
        "nobody was there to remove it"
    );
    Launch::new(&arguments).start().stop();
    assert!(!folder.path().join("c.sock").exists());
}

#[test]
fn status_tells_what_is_served_and_how() {
    let address = loopback::address().to_string();
    let server = Launch::run(&["--io", "socket", "--listen", &address, "--workers", "2"])
        .zone("example", EXAMPLE)
        .start();
    let json: Value = serde_json::from_str(&server.ctl(&["status", "--json"]).stdout).unwrap();
    assert_eq!(json["pid"], server.id());
    assert_eq!(json["listen"], serde_json::json!([address]));
    assert_eq!(
        json["paths"],
        serde_json::json!([
            "UDP: kernel sockets, 2 workers",
            "TCP: kernel sockets, 2 threads"
        ])
    );
    assert_eq!(
        (&json["generation"], &json["zone_count"]),
        (&1.into(), &1.into())
    );
    assert_eq!(json["zones"][0]["origin"], "example.");
    assert_eq!(json["zones"][0]["serial"], 1);
    let table = server.ctl(&["status"]).stdout;
    let lines = |name: &str| table.lines().filter(|line| line.starts_with(name)).count();
    assert_eq!((lines("zones.0.origin "), lines("pid ")), (1, 1), "{table}");
    server.stop();
}

#[test]
fn ctl_stop_ends_the_server_with_success() {
    let address = loopback::address().to_string();
    let server = Launch::run(&["--io", "socket", "--listen", &address]).start();
    assert_eq!(server.ctl(&["stop"]).code, Some(0));
    let control = server.control();
    let ended = server.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!control.exists());
}

#[test]
fn what_was_received_is_the_sum_of_answers_and_discards() {
    let address = loopback::address();
    let server = Launch::run(&["--io", "socket", "--listen", &address.to_string()])
        .zone("example", EXAMPLE)
        .start();
    for name in [
        "www.example.",
        "nosuch.example.",
        "elsewhere.test.",
        "x.wild.example.",
    ] {
        let with_edns = Ask::new(Name::parse(name), rtype::A).edns(1232);
        ask(address, &with_edns.message());
        ask_tcp(address, &query(name, rtype::A));
    }
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let response = {
        let mut message = query("www.example.", rtype::A);
        message[2] |= 0x80;
        message
    };
    for junk in [&b""[..], b"short", &response] {
        socket.send_to(junk, address).unwrap();
    }
    let stats = server.await_stats(|stats| stats.total("received") == 11);
    assert_eq!(
        (stats.total("answers"), stats.total("discards")),
        (8, 3),
        "{stats}"
    );
    for (counter, count) in [
        ("rcodes.noerror", 4),
        ("rcodes.nxdomain", 2),
        ("rcodes.refused", 2),
        ("discarded.short_message", 2),
        ("discarded.response", 1),
        ("events.edns", 4),
    ] {
        assert_eq!(stats.total(counter), count, "{counter}: {stats}");
    }
    for counter in ["received", "answers", "discards"] {
        let workers = stats.workers();
        let sum: u64 = workers.iter().map(|name| stats.worker(name, counter)).sum();
        assert_eq!(sum, stats.total(counter), "{counter}: {stats}");
    }
    assert_eq!(stats.tcp("events.queries"), 4, "{stats}");
    server.stop();
}
