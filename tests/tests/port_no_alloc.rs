//! Once they are open, ports allocate nothing: neither when they work nor when they idle.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use ripples::port::{
    BindMode, MemPort, Port, SocketConfig, SocketPort, Vector, XskConfig, XskPort,
};
use ripples::sys::interface::Interface;
use ripples::sys::wait;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;
use tests::alloc::{CountingAllocator, allocations};
use tests::echo::Echo;
use tests::netns::{Veth, privileged};
use tests::redirect::{Attach, Redirect};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn the_memory_port_allocates_nothing() {
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut port = MemPort::bare(64, 512, client);
    let mut echo = Echo::default();
    let before = allocations();
    for turn in 0..1000 {
        port.limit_transmit(turn % 64);
        while port.inject(b"hello") {}
        echo.turn(&mut port, 9);
        port.clear_sent();
    }
    assert_eq!(allocations(), before);

    let mut port = MemPort::bare(64, 512, client).replaying([b"hello".as_slice(), b"world"]);
    let before = allocations();
    for _ in 0..1000 {
        assert_eq!(port.deliver(), 64);
        assert_eq!(echo.turn(&mut port, 9), 64);
    }
    assert_eq!(allocations(), before);
}

#[test]
fn the_socket_port_allocates_nothing() {
    let config = SocketConfig::new("127.0.0.1:0".parse().unwrap());
    let mut port = SocketPort::open(&config).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(port.local_address().unwrap()).unwrap();
    exercise(&mut port, &client);
}

#[test]
fn the_xsk_port_allocates_nothing() {
    if !privileged() {
        return;
    }
    let veth = Veth::new(1);
    let end = &veth.server;
    let (_redirect, mut port) = end.namespace.run(|| {
        let interface = Interface::find(end.interface).unwrap();
        let redirect = Redirect::attach(interface.index, Attach::Native).unwrap();
        let port = XskPort::open(&XskConfig::new(end.interface, 0, BindMode::Copy)).unwrap();
        redirect.connect(0, port.socket()).unwrap();
        (redirect, port)
    });
    let client = veth.client.namespace.run(|| {
        let socket = UdpSocket::bind((veth.client.ipv4, 0)).unwrap();
        socket.connect(SocketAddr::from((end.ipv4, 53))).unwrap();
        socket
    });
    exercise(&mut port, &client);
}

/// Sends vectors to a port and takes their echoes; from the first to the last turn, nothing may be
/// allocated.
fn exercise<P: Port>(port: &mut P, client: &UdpSocket) {
    let mut echo: Echo<P> = Echo::default();
    let mut spare = Vector::new();
    let before = allocations();
    for round in 1..=100 {
        for _ in 0..100 {
            client.send(b"hello").unwrap();
        }
        while echo.answered < round * 100 {
            let fd = port.fd().unwrap();
            let came = wait::readable([fd], Some(Duration::from_secs(5))).unwrap();
            assert_eq!(came, [true]);
            // Some frames are given back unsent on their way.
            port.receive(&mut spare, 1);
            spare.drain(..).for_each(|frame| {
                port.recycle(frame);
                client.send(b"again").unwrap();
            });
            echo.turn(port, 9);
        }
        for _ in 0..100 {
            assert_eq!(client.recv(&mut [0; 64]).unwrap(), 14);
        }
        assert_eq!(echo.turn(port, 9), 0);
    }
    assert_eq!(allocations(), before);
}
