//! The kernel-socket port, over loopback and, as root, between namespaces.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, SockaddrIn, sendto};
use ripples::port::{Port, SocketConfig, SocketError, SocketPort, Vector};
use ripples::sys::wait;
use ripples::telemetry::{Counters, Discard, Event, Tally, Totals};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;
use tests::echo::Echo;
use tests::netns::{Veth, ip, privileged};

/// Long enough for a message over loopback, whatever else the machine does.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn the_address_asked_is_the_address_that_answers() {
    for (listen, asked) in [
        ("127.0.0.1:0", "127.0.0.1"),
        ("0.0.0.0:0", "127.0.0.1"),
        ("0.0.0.0:0", "127.0.0.2"),
        ("0.0.0.0:0", "127.9.9.9"),
        ("[::1]:0", "::1"),
        ("[::]:0", "::1"),
    ] {
        let mut port = open(listen);
        let asked = SocketAddr::new(asked.parse().unwrap(), port_of(&port));
        let client = client_for(asked);
        client.send_to(b"hello", asked).unwrap();
        let mut echo = Echo::default();
        serve(&mut port, &mut echo, 1, 3);
        let mut reply = [0; 64];
        let (len, from) = client.recv_from(&mut reply).unwrap();
        assert_eq!(
            (&reply[..len], from),
            (b"hello\xee\xee\xee".as_slice(), asked),
            "{listen}"
        );
    }
}

#[test]
fn knows_who_asked_and_whom() {
    for (listen, asked, known) in [("0.0.0.0:0", "127.0.0.3", true), ("[::]:0", "::1", true)]
        .into_iter()
        .chain([("127.0.0.1:0", "127.0.0.1", false)])
    {
        let mut port = open(listen);
        let asked = SocketAddr::new(asked.parse().unwrap(), port_of(&port));
        let client = client_for(asked);
        client.send_to(b"hello", asked).unwrap();
        let mut vector = Vector::new();
        wait_for(&port);
        port.receive(&mut vector, 9);
        let frame = vector.pop().unwrap();
        assert_eq!(port.peer(&frame), Some(client.local_addr().unwrap()));
        assert_eq!(port.asked(&frame), known.then_some(asked.ip()));
        let envelope = port.open(&frame).unwrap();
        assert_eq!(
            port.client(&frame, &envelope),
            client.local_addr().unwrap().ip()
        );
        assert_eq!(
            (envelope.message(), port.bytes(&frame)),
            (0..5, b"hello".as_slice())
        );
        assert_eq!(port.message_limit(&envelope), 4096);
        port.recycle(frame);
    }
}

#[test]
fn a_message_longer_than_a_frame_is_a_discard_and_no_more() {
    let mut port = SocketPort::open(&SocketConfig {
        frame_size: 512,
        ..SocketConfig::new("127.0.0.1:0".parse().unwrap())
    })
    .unwrap();
    let server = port.local_address().unwrap();
    let client = client_for(server);
    for len in [513, 512, 0, 60_000] {
        client.send_to(&vec![7; len], server).unwrap();
    }
    let mut echo = Echo::default();
    serve(&mut port, &mut echo, 4, 0);
    let totals = totals(&mut echo.tally);
    assert_eq!(totals.discards(Discard::Oversize), 2);
    let mut reply = [0; 1000];
    assert_eq!(client.recv(&mut reply).unwrap(), 512);
    assert_eq!(client.recv(&mut reply).unwrap(), 0);
}

#[test]
fn frames_are_conserved_through_a_flood_in_both_families() {
    for listen in ["0.0.0.0:0", "[::1]:0"] {
        let mut port = open(listen);
        let ip: IpAddr = if listen.starts_with('[') {
            "::1"
        } else {
            "127.0.0.1"
        }
        .parse()
        .unwrap();
        let server = SocketAddr::new(ip, port_of(&port));
        let client = client_for(server);
        let frame_count = port.census().total();
        let mut echo = Echo::default();
        let mut reply = [0; 64];
        for round in 0..100u32 {
            for index in 0..200u32 {
                client
                    .send_to(&(round * 200 + index).to_be_bytes(), server)
                    .unwrap();
            }
            serve(&mut port, &mut echo, 200, 0);
            for index in 0..200u32 {
                assert_eq!(client.recv(&mut reply).unwrap(), 4);
                assert_eq!(reply[..4], (round * 200 + index).to_be_bytes());
            }
            let census = port.census();
            assert_eq!((census.free, census.total()), (frame_count, frame_count));
        }
        let totals = totals(&mut echo.tally);
        assert_eq!(totals.events(Event::Received), 20_000);
        assert_eq!(totals.events(Event::TransmitFailed), 0);
        // Vectors, not single messages: far fewer system calls than replies.
        assert!(totals.events(Event::Kicks) < 2_000, "{totals:?}");
    }
}

#[test]
fn replies_that_leave_together_arrive_one_by_one_from_the_address_asked() {
    for (listen, asked) in [
        ("127.0.0.1:0", ["127.0.0.1"; 2]),
        ("0.0.0.0:0", ["127.0.0.1", "127.0.0.2"]),
        ("[::1]:0", ["::1"; 2]),
        ("[::]:0", ["::1"; 2]),
    ] {
        let mut port = open(listen);
        let asked = asked.map(|ip| SocketAddr::new(ip.parse().unwrap(), port_of(&port)));
        let clients = [client_for(asked[0]), client_for(asked[0])];
        // Runs of equal length, ever shorter ones, and some that are too long for a train.
        let lens = (0..90).map(|index| match index / 30 {
            0 => 40,
            1 => 100 - index,
            _ => 1228 + index % 4,
        });
        let mut expected = [Vec::new(), Vec::new()];
        for (index, len) in (0u8..).zip(lens) {
            for (at, client) in clients.iter().enumerate() {
                let server = asked[usize::from(index % 2)];
                client.send_to(&vec![index; len + at], server).unwrap();
                expected[at].push((server, index, len + at + 3));
            }
        }
        let mut echo = Echo::default();
        assert_eq!(echo.turn(&mut port, 3), 32);
        serve(&mut port, &mut echo, 180 - 32, 3);
        for (client, mut expected) in clients.iter().zip(expected) {
            let mut reply = [0; 2000];
            let mut replies: Vec<_> = (0..90)
                .map(|_| {
                    let (len, from) = client.recv_from(&mut reply).unwrap();
                    assert!(reply[..len - 3].iter().all(|&byte| byte == reply[0]));
                    assert_eq!(reply[len - 3..len], [0xee; 3]);
                    (from, reply[0], len)
                })
                .collect();
            replies.sort();
            expected.sort();
            assert_eq!(replies, expected, "{listen}");
        }
        assert_eq!(totals(&mut echo.tally).events(Event::PortErrors), 0);
    }
}

#[test]
fn where_a_train_is_refused_its_replies_leave_one_by_one() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let (server, client) = (&veth.server, &veth.client);
    for end in [server, client] {
        let (name, interface) = (end.namespace.name(), end.interface);
        ip(&format!("-n {name} link set {interface} mtu 800"));
    }
    let mut port = server.namespace.run(|| open("0.0.0.0:5300"));
    let to = SocketAddr::new(server.ipv4.into(), 5300);
    let socket = client.namespace.run(|| UdpSocket::bind((client.ipv4, 0)));
    let socket = socket.unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // The replies leave as fragments, which no train may have.
    for index in 0..20u8 {
        socket.send_to(&[index; 700], to).unwrap();
    }
    let mut echo = Echo::default();
    serve(&mut port, &mut echo, 20, 400);
    for index in 0..20u8 {
        let mut reply = [0; 2000];
        assert_eq!((socket.recv(&mut reply).unwrap(), reply[0]), (1100, index));
    }
    let totals = totals(&mut echo.tally);
    assert_eq!(totals.events(Event::TransmitFailed), 0);
    assert_eq!(totals.events(Event::PortErrors), 0);
}

#[test]
fn workers_share_an_address_and_strangers_do_not() {
    let first = open("127.0.0.1:0");
    let address = first.local_address().unwrap();
    let second = SocketPort::open(&SocketConfig::new(address)).unwrap();
    assert_eq!(second.local_address().unwrap(), address);

    let stranger = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let _held = UdpSocket::bind(stranger).unwrap();
    let error = SocketPort::open(&SocketConfig::new(stranger)).unwrap_err();
    assert!(
        matches!(error, SocketError::InUse { address } if address == stranger),
        "{error}"
    );
}

#[test]
fn says_what_is_wrong_with_an_address_or_a_size() {
    let elsewhere = SocketConfig::new("192.0.2.1:5300".parse().unwrap());
    let error = SocketPort::open(&elsewhere).unwrap_err().to_string();
    assert!(
        error.starts_with("UDP 192.0.2.1:5300: no interface has this address"),
        "{error}"
    );

    let mut config = SocketConfig::new("127.0.0.1:0".parse().unwrap());
    config.receive_buffer = 517;
    let error = SocketPort::open(&config).unwrap_err().to_string();
    assert_eq!(error, "receive_buffer = 517: must be from 518 to 16777215");
}

#[test]
fn the_buffers_are_as_large_as_asked_where_the_process_may() {
    if !privileged() {
        return;
    }
    let config = SocketConfig {
        receive_buffer: 16_777_215,
        send_buffer: 2_000_000,
        ..SocketConfig::new("127.0.0.1:0".parse().unwrap())
    };
    let port = SocketPort::open(&config).unwrap();
    assert_eq!(port.buffer_sizes().unwrap(), (2 * 16_777_215, 4_000_000));
}

#[test]
fn a_query_from_port_zero_gets_no_reply() {
    if !privileged() {
        return;
    }
    let mut port = open("127.0.0.1:0");
    let raw = nix::sys::socket::socket(
        AddressFamily::Inet,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::Udp,
    )
    .unwrap();
    let mut datagram = [0, 0, 0, 0, 0, 13, 0, 0, b'h', b'e', b'l', b'l', b'o'];
    datagram[2..4].copy_from_slice(&port_of(&port).to_be_bytes());
    let to = SockaddrIn::new(127, 0, 0, 1, 0);
    sendto(
        raw.as_raw_fd(),
        &datagram,
        &to,
        nix::sys::socket::MsgFlags::empty(),
    )
    .unwrap();
    let mut echo = Echo::default();
    serve(&mut port, &mut echo, 1, 0);
    assert_eq!(totals(&mut echo.tally).discards(Discard::NoReturn), 1);
    assert_eq!(port.census().held, 0);
}

#[test]
fn a_reply_without_a_route_does_not_hold_up_the_others() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let (server, client) = (&veth.server, &veth.client);
    let lost = Ipv4Addr::new(192, 0, 2, 9);
    ip(&format!(
        "-n {} addr add {lost}/32 dev {}",
        client.namespace.name(),
        client.interface
    ));
    let _ = server
        .namespace
        .command("sysctl")
        .args(["-qw", "net.ipv4.conf.all.rp_filter=0"])
        .status();
    let path = format!("net.ipv4.conf.{}.rp_filter=0", server.interface);
    let _ = server
        .namespace
        .command("sysctl")
        .args(["-qw", &path])
        .status();

    let mut port = server.namespace.run(|| open("0.0.0.0:5300"));
    let to = SocketAddr::new(server.ipv4.into(), 5300);
    let (known, unknown) = client.namespace.run(|| {
        let at = |ip: Ipv4Addr| UdpSocket::bind((ip, 0)).unwrap();
        (at(client.ipv4), at(lost))
    });
    known.set_read_timeout(Some(PATIENCE)).unwrap();
    for index in 0..10u8 {
        unknown.send_to(&[index], to).unwrap();
        known.send_to(&[index], to).unwrap();
    }
    let mut echo = Echo::default();
    serve(&mut port, &mut echo, 20, 0);
    let totals = totals(&mut echo.tally);
    assert_eq!(totals.events(Event::TransmitFailed), 10);
    assert_eq!(totals.events(Event::PortErrors), 10);
    for index in 0..10u8 {
        let mut reply = [0; 9];
        assert_eq!((known.recv(&mut reply).unwrap(), reply[0]), (1, index));
    }
    assert_eq!(port.census().held, 0);
}

#[test]
fn a_link_local_query_is_answered_through_its_interface() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let (server, client) = (&veth.server, &veth.client);
    let (server_name, client_name) = (server.namespace.name(), client.namespace.name());
    // A second link with a route to the same prefix, and before the first one.
    ip(&format!(
        "-n {server_name} link add other0 type veth peer name other1"
    ));
    for other in ["other0", "other1"] {
        ip(&format!("-n {server_name} link set {other} up"));
    }
    ip(&format!(
        "-n {server_name} route add fe80::/64 dev other0 metric 1"
    ));
    for (name, interface, address, peer, mac) in [
        (
            server_name,
            server.interface,
            "fe80::53:1",
            "fe80::53:2",
            client.mac,
        ),
        (
            client_name,
            client.interface,
            "fe80::53:2",
            "fe80::53:1",
            server.mac,
        ),
    ] {
        ip(&format!(
            "-n {name} addr add {address}/64 dev {interface} nodad"
        ));
        ip(&format!(
            "-n {name} neigh replace {peer} lladdr {mac} dev {interface} nud permanent"
        ));
    }
    let mut port = server.namespace.run(|| open("[::]:5300"));
    // From a link-local address the reply's way is known; from a global one the route must be found
    // although the reply leaves from a link-local one.
    for from in [client.ipv6, "fe80::53:2".parse().unwrap()] {
        let (socket, to) = client.namespace.run(|| {
            let index = nix::net::if_::if_nametoindex(client.interface).unwrap();
            let to = SocketAddrV6::new("fe80::53:1".parse().unwrap(), 5300, 0, index);
            (
                UdpSocket::bind(SocketAddrV6::new(from, 0, 0, index)).unwrap(),
                to,
            )
        });
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.send_to(b"hello", to).unwrap();
        serve(&mut port, &mut Echo::default(), 1, 0);
        let mut reply = [0; 9];
        let (len, answered) = socket.recv_from(&mut reply).unwrap();
        assert_eq!((&reply[..len], answered), (b"hello".as_slice(), to.into()));
    }
}

fn open(listen: &str) -> SocketPort {
    SocketPort::open(&SocketConfig::new(listen.parse().unwrap())).unwrap()
}

fn port_of(port: &SocketPort) -> u16 {
    port.local_address().unwrap().port()
}

/// A client's socket, of the server's family.
fn client_for(server: SocketAddr) -> UdpSocket {
    let any = if server.is_ipv4() {
        "127.0.0.1:0"
    } else {
        "[::1]:0"
    };
    let client = UdpSocket::bind(any).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
}

/// Echoes until `count` messages were there.
fn serve(port: &mut SocketPort, echo: &mut Echo<SocketPort>, count: usize, grow: usize) {
    let mut seen = 0;
    while seen < count {
        wait_for(port);
        seen += echo.turn(port, grow);
    }
    assert_eq!(seen, count);
}

fn wait_for(port: &SocketPort) {
    let readable = wait::readable([port.fd().unwrap()], Some(PATIENCE)).unwrap();
    assert_eq!(readable, [true], "nothing came for {PATIENCE:?}");
}

fn totals(tally: &mut Tally) -> Totals {
    let counters = Counters::default();
    counters.publish(tally);
    counters.totals()
}
