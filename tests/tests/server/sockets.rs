//! Kernel sockets alone: several workers, both families, many addresses, connections that stay.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tests::client::{ask, ask_tcp, query};
use tests::loopback;
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch};
use tests::tcp::{Client, framed};

#[test]
fn several_workers_share_an_address() {
    let address = loopback::address();
    let arguments = [
        "--io",
        "socket",
        "--workers",
        "3",
        "--listen",
        &address.to_string(),
    ];
    let server = Launch::run(&arguments).zone("example", EXAMPLE).start();
    let query = query("www.example", rtype::A);
    for _ in 0..200 {
        assert_eq!(ask(address, &query).1, address);
    }
    let stats = server.await_stats(|stats| stats.total("answers") == 200);
    for worker in ["socket/0", "socket/1", "socket/2"] {
        assert!(stats.worker(worker, "answers") > 0, "{worker}: {stats}");
    }
    server.stop();
}

#[test]
fn workers_on_kernel_sockets_cost_nothing_when_nothing_comes() {
    let address = loopback::address();
    let listen = address.to_string();
    let arguments = ["--io", "socket", "--workers", "2", "--listen", &listen];
    let server = Launch::run(&arguments).zone("example", EXAMPLE).start();
    ask(address, &query("www.example", rtype::A));
    let used = server.processor_time_of(Duration::from_secs(2));
    assert!(used < Duration::from_millis(20), "{used:?} of two seconds");
    server.stop();
}

#[test]
fn both_families_of_the_loopback_are_answered() {
    let port = loopback::port();
    let addresses: [SocketAddr; 2] = [
        (Ipv4Addr::LOCALHOST, port).into(),
        (Ipv6Addr::LOCALHOST, port).into(),
    ];
    let [v4, v6] = addresses.map(|address| address.to_string());
    let arguments = ["--io", "socket", "--listen", &v4, "--listen", &v6];
    let server = Launch::run(&arguments).zone("example", EXAMPLE).start();
    let query = query("www.example", rtype::AAAA);
    for address in addresses {
        let (reply, from) = ask(address, &query);
        assert_eq!((&reply, from), (&ask_tcp(address, &query), address));
    }
    server.stop();
}

#[test]
fn a_wildcard_replies_from_the_address_that_was_asked() {
    let port = loopback::port();
    let (v4, v6) = (format!("0.0.0.0:{port}"), format!("[::]:{port}"));
    let arguments = ["--io", "socket", "--listen", &v4, "--listen", &v6];
    let server = Launch::run(&arguments).zone("example", EXAMPLE).start();
    let query = query("www.example", rtype::A);
    for ip in ["127.0.0.1", "127.0.0.2", "127.1.2.3", "::1"] {
        let address = SocketAddr::new(ip.parse::<IpAddr>().unwrap(), port);
        assert_eq!(ask(address, &query).1, address);
        ask_tcp(address, &query);
    }
    server.stop();
}

#[test]
fn a_connection_carries_several_queries_one_by_one_and_at_once() {
    let address = loopback::address();
    let arguments = ["--io", "socket", "--listen", &address.to_string()];
    let server = Launch::run(&arguments).zone("example", EXAMPLE).start();
    let queries: Vec<Vec<u8>> = (0..5)
        .map(|id| {
            let mut query = query("www.example", rtype::A);
            query[..2].copy_from_slice(&[7, id]);
            query
        })
        .collect();
    let mut client = Client::connect(address);
    for query in &queries {
        client.send(&framed(query));
        assert_eq!(client.receive().unwrap()[..2], query[..2]);
    }
    let together: Vec<u8> = queries.iter().flat_map(|query| framed(query)).collect();
    client.send(&together);
    for query in &queries {
        assert_eq!(client.receive().unwrap()[..2], query[..2]);
    }
    let stats = server.await_stats(|stats| stats.tcp("events.answers") == 10);
    assert_eq!(stats.tcp("events.accepted"), 1, "{stats}");
    server.stop();
}

#[test]
fn a_stop_lets_an_open_connection_have_its_answer() {
    let address = loopback::address();
    let arguments = ["--io", "socket", "--listen", &address.to_string()];
    let server = Launch::run(&arguments).zone("example", EXAMPLE).start();
    let mut client = Client::connect(address);
    client.send(&framed(&query("large.example", rtype::AAAA)));
    server.await_stats(|stats| stats.tcp("events.answers") == 1);
    server.stop();
    assert!(client.receive().unwrap().len() > 1232);
    assert!(client.is_closed());
}
