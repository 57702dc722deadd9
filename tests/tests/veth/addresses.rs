//! Who is answered, and from where: the addresses and ports that are served, and no others.

use crate::stage::{INTERFACE, Stage, ip};
use common::Verdict;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use tests::client::{self, query};
use tests::netns::{Veth, privileged};
use tests::record::rtype;
use tests::server::PATIENCE;

/// More addresses of the server's interface.
const MORE: [&str; 4] = ["10.53.0.11", "10.53.0.12", "fd53::11", "fd53::12"];

#[test]
fn every_address_of_the_interface_answers_for_itself() {
    let Some(veth) = pair() else { return };
    let stage = Stage::on(veth, &["--io", "xdp"]);
    let query = query("www.example", rtype::A);
    for address in more() {
        // `ask` sees to it that the reply comes from there.
        stage.ask(address, &query);
        stage.ask_tcp(address, &query);
    }
    stage.await_answers(4, 4);
    stage.server.stop();
}

#[test]
fn other_addresses_and_ports_are_the_kernel_s() {
    let Some(veth) = pair() else { return };
    let (listen, more) = (["10.53.0.11:53", "[fd53::11]:53"], more());
    let arguments = ["--io", "xdp", "--listen", listen[0], "--listen", listen[1]];
    let stage = Stage::on(veth, &arguments);
    // A program beside the server has the rest: it echoes.
    let others = [more[1], more[3], port(more[0], 5353), port(more[2], 5353)];
    let sockets: Vec<UdpSocket> = stage.veth.server.namespace.run(|| {
        let bind = |&address| {
            let socket = UdpSocket::bind(address).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket
        };
        others.iter().map(bind).collect()
    });
    let query = query("www.example", rtype::A);
    for (socket, address) in sockets.iter().zip(others) {
        let reply = std::thread::scope(|scope| {
            scope.spawn(|| {
                let (query, client) = client::receive(socket).unwrap();
                socket.send_to(&query, client).unwrap();
            });
            stage.ask(address, &query)
        });
        assert_eq!(reply, query, "from the other program, not from ours");
    }
    for address in [more[0], more[2]] {
        assert_ne!(stage.ask(address, &query), query);
    }
    let stats = stage.await_answers(2, 0);
    let verdicts = [Verdict::OtherAddress, Verdict::OtherPort].map(|v| stats.xdp(INTERFACE, v));
    assert!(verdicts[0] >= 2 && verdicts[1] >= 2, "{stats}");
    stage.server.stop();
}

#[test]
fn a_closed_port_is_refused_by_the_kernel() {
    let Some(stage) = Stage::new(&[]) else { return };
    let address = port(stage.addresses()[0], 5353);
    let error = stage.client(|| {
        let socket = client::socket(address);
        socket.connect(address).unwrap();
        socket.send(&query("www.example", rtype::A)).unwrap();
        socket.recv(&mut [0; 512]).unwrap_err()
    });
    // By ICMP: the kernel got the packet.
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    stage.await_answers(0, 0);
    stage.server.stop();
}

/// A pair whose server end has more addresses.
pub(crate) fn pair() -> Option<Veth> {
    if !privileged() {
        return None;
    }
    let veth = Veth::new(2);
    for address in MORE {
        let length = if address.contains(':') {
            "64 nodad"
        } else {
            "24"
        };
        let (address, nodad) = (address, length.split_once(' '));
        let (length, nodad) = nodad.unwrap_or((length, ""));
        ip(
            &veth.server,
            &format!("addr add {address}/{length} dev {INTERFACE} {nodad}"),
        );
        let mac = veth.server.mac;
        ip(
            &veth.client,
            &format!("neigh replace {address} lladdr {mac} dev client0 nud permanent"),
        );
    }
    Some(veth)
}

/// [`MORE`] with the port of DNS.
fn more() -> [SocketAddr; 4] {
    MORE.map(|address| SocketAddr::new(address.parse::<IpAddr>().unwrap(), 53))
}

fn port(address: SocketAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address.ip(), port)
}
