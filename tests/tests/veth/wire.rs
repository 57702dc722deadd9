//! A server on a TAP interface, whose frames are the test's.

use std::net::SocketAddr;
use tests::client::query;
use tests::netns::{Veth, ip, privileged};
use tests::packets::{CLIENT_MAC, Packet, SERVER_MAC};
use tests::record::rtype;
use tests::server::{EXAMPLE, Launch, Server};
use tests::tap::Tap;

/// The interface.
pub(crate) const TAP: &str = "tap0";
/// The two ends of the conversations, which no interface has: only AF_XDP answers.
pub(crate) const ENDS: [[&str; 2]; 2] = [
    ["10.55.0.2:4242", "10.55.0.1:53"],
    ["[fd55::2]:4242", "[fd55::1]:53"],
];

/// A server on a TAP interface.
pub(crate) struct Wire {
    /// The server.
    pub(crate) server: Server,
    tap: Tap,
    veth: Veth,
}

impl Wire {
    /// As it is by default.
    pub(crate) fn new() -> Option<Self> {
        Self::with("")
    }

    /// With such a configuration.
    pub(crate) fn with(config: &str) -> Option<Self> {
        Self::amid(config, &[])
    }

    /// As well, where these commands of ip(8) have been given before.
    pub(crate) fn amid(config: &str, commands: &[&str]) -> Option<Self> {
        if !privileged() {
            return None;
        }
        let veth = Veth::new(1);
        let namespace = &veth.server.namespace;
        let tap = namespace.run(|| Tap::new(TAP));
        let mac = SERVER_MAC.map(|byte| format!("{byte:02x}")).join(":");
        ip(&format!(
            "-n {} link set {TAP} address {mac} up",
            namespace.name()
        ));
        for command in commands {
            ip(&format!("-n {} {command}", namespace.name()));
        }
        let server = Launch::run(&["--interface", TAP, "--io", "xdp", "--config", "r.toml"])
            .file("r.toml", config)
            .zone("example", EXAMPLE)
            .within(namespace)
            .start();
        Some(Self { server, tap, veth })
    }

    /// Gives a command of ip(8) where the server runs.
    pub(crate) fn ip(&self, command: &str) {
        ip(&format!(
            "-n {} {command}",
            self.veth.server.namespace.name()
        ));
    }

    /// Sends a frame.
    pub(crate) fn send(&self, frame: &[u8]) {
        self.tap.send(frame);
    }

    /// Sends a query as `change` makes it; returns the reply's frame.
    pub(crate) fn ask(&self, ends: [&str; 2], change: fn(Packet) -> Packet) -> Vec<u8> {
        self.send(&change(packet(ends)).frame());
        self.reply()
    }

    /// The next reply's frame.
    pub(crate) fn reply(&self) -> Vec<u8> {
        let reply = self.next(|frame| frame.starts_with(&CLIENT_MAC));
        assert_eq!(reply[6..12], SERVER_MAC);
        reply
    }

    /// The next frame that is `wanted`.
    pub(crate) fn next(&self, wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let frame = self.tap.receive(wanted);
        frame.unwrap_or_else(|| panic!("no such frame: {}", self.server.stats()))
    }
}

/// A query between two ends.
pub(crate) fn packet(ends: [&str; 2]) -> Packet {
    let [client, server] = ends.map(|end| end.parse::<SocketAddr>().unwrap());
    Packet::udp(client, server, &query("www.example", rtype::A))
}
